"""A raw-socket HTTP/1.1 client that trusts nothing.

It sends exactly the bytes it is given and reads exactly one response by strict framing, so that
a test sees what is really on the wire: a second response where one was due, bytes after the
last one, a body shorter than its length, a header that a lenient client would have repaired.
Every wait has a deadline.
"""

import json
import re
import select
import socket
import struct
import time
from dataclasses import dataclass, field

DEFAULT_TIMEOUT_S = 10.0
MAX_HEAD_BYTES = 64 * 1024

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9]) ([\x20-\x7e]*)\Z")
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ ]?([\x20-\x7e\t]*)\Z")
_SINGLETONS = frozenset(
    "content-length transfer-encoding content-type etag location date server connection "
    "content-range cache-control last-modified retry-after access-control-allow-origin".split()
)


class ProtocolError(AssertionError):
    """The server broke HTTP framing, or sent bytes that no request asked for."""


class Deadline(AssertionError):
    """Nothing arrived in the time a test allows."""


class Disconnected(AssertionError):
    """The server closed or reset the connection in the middle of what was due."""


@dataclass
class Response:
    """One response as it was on the wire. Header names are lower case, values without outer
    blanks.
    """

    status: int
    reason: str
    minor: int
    headers: list
    body: bytes = b""
    head: bytes = b""
    interim: list = field(default_factory=list)

    def all(self, name):
        return [value for key, value in self.headers if key == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        if len(values) > 1:
            raise ProtocolError(f"{name} sent {len(values)} times: {values}")
        return values[0] if values else default

    def json(self):
        return json.loads(self.body.decode("utf-8"))

    @property
    def closes(self):
        return "close" in [t.strip().lower() for t in self.get("connection", "").split(",")]

    def __repr__(self):
        shown = f"body[{len(self.body)}]={self.body[:160]!r}"
        return f"<Response {self.status} {dict(self.headers)} {shown}>"


def parse_head(raw):
    """Strict parse of a response head without its final blank line."""
    lines = raw.split(b"\r\n")
    match = _STATUS_LINE.match(lines[0])
    if not match:
        raise ProtocolError(f"bad status line {lines[0]!r}")
    headers, seen = [], set()
    for line in lines[1:]:
        parts = _FIELD.match(line)
        if not parts:
            raise ProtocolError(f"bad header line {line!r}")
        name = parts.group(1).decode().lower()
        if name in seen and name in _SINGLETONS:
            raise ProtocolError(f"{name} sent twice in {raw!r}")
        seen.add(name)
        headers.append((name, parts.group(2).decode().strip()))
    return Response(
        int(match.group(2)), match.group(3).decode(), int(match.group(1)), headers, head=raw
    )


class Connection:
    """One TCP connection to a node."""

    def __init__(self, address, timeout=DEFAULT_TIMEOUT_S, source=None, receive_buffer=None):
        self.timeout = timeout
        self.buffer = bytearray()
        self.ended = None
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if receive_buffer:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            self.sock.settimeout(timeout)
            if source:
                self.sock.bind((source, 0))
            self.sock.connect(address)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            self.sock.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.sock.close()

    def reset(self):
        """Closes with RST, dropping whatever is unread."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def send(self, data):
        """Sends all bytes. Fails with Disconnected when the server went away first."""
        self.sock.settimeout(self.timeout)
        try:
            self.sock.sendall(data)
        except socket.timeout as error:
            raise Deadline(f"server did not take {len(data)} bytes in {self.timeout} s") from error
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Disconnected(f"connection lost while sending: {error}") from error

    def send_quietly(self, data):
        """Sends what can be sent: a server that refuses early may close while we still send.

        Reads along, as an early answer must not be lost to a reset. Returns the bytes taken."""
        view, sent = memoryview(data), 0
        until = time.monotonic() + self.timeout
        self.sock.setblocking(False)
        while sent < len(view):
            left = until - time.monotonic()
            if left <= 0:
                raise Deadline(f"server took {sent} of {len(view)} bytes in {self.timeout} s")
            want = [] if self.ended else [self.sock]
            readable, writable, _ = select.select(want, [self.sock], [], left)
            try:
                if readable:
                    self._take(self.sock.recv(65536))
                if writable:
                    sent += self.sock.send(view[sent : sent + 262144])
            except BlockingIOError:
                continue
            except (BrokenPipeError, ConnectionResetError) as error:
                self.ended = self.ended or type(error).__name__
                break
        return sent

    def _take(self, chunk):
        if chunk:
            self.buffer += chunk
        else:
            self.ended = "closed"

    def _fill(self, until):
        """One read into the buffer. False at the end of the stream."""
        if self.ended:
            return False
        left = until - time.monotonic()
        if left <= 0:
            raise Deadline(f"no answer in time; have {bytes(self.buffer[:200])!r}")
        self.sock.settimeout(left)
        try:
            self._take(self.sock.recv(262144))
        except socket.timeout as error:
            raise Deadline(f"no answer in time; have {bytes(self.buffer[:200])!r}") from error
        except ConnectionResetError:
            self.ended = "reset"
        return not self.ended

    def _need(self, count, until, what):
        while len(self.buffer) < count:
            if not self._fill(until):
                raise Disconnected(f"{self.ended} in {what}: {len(self.buffer)} of {count} bytes")
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def _line(self, until, what, limit=1024):
        while True:
            end = self.buffer.find(b"\r\n")
            if end >= 0:
                line = bytes(self.buffer[:end])
                del self.buffer[: end + 2]
                return line
            if len(self.buffer) > limit:
                raise ProtocolError(f"endless {what}")
            if not self._fill(until):
                raise Disconnected(f"{self.ended} in {what}")

    def read_head(self, timeout=None):
        """Reads one head, interim or final, and leaves its body on the connection."""
        until = time.monotonic() + (timeout or self.timeout)
        while True:
            end = self.buffer.find(b"\r\n\r\n")
            if end >= 0:
                break
            if len(self.buffer) > MAX_HEAD_BYTES:
                raise ProtocolError("endless response head")
            if not self._fill(until):
                raise Disconnected(
                    f"{self.ended} before a whole head; have {bytes(self.buffer[:200])!r}"
                )
        head = bytes(self.buffer[:end])
        del self.buffer[: end + 4]
        return parse_head(head)

    def read_response(self, method="GET", timeout=None):
        """Reads exactly one final response; interim ones are kept in `interim`."""
        until = time.monotonic() + (timeout or self.timeout)
        interim = []
        while True:
            response = self.read_head(max(until - time.monotonic(), 0.001))
            if response.status >= 200:
                break
            if response.all("content-length") or response.all("transfer-encoding"):
                raise ProtocolError(f"interim response with a body length: {response.head!r}")
            interim.append(response)
        response.interim = interim
        response.body = self._read_body(response, method, until)
        return response

    def _read_body(self, response, method, until):
        length, coding = response.get("content-length"), response.get("transfer-encoding")
        if length is not None and not re.fullmatch(r"[0-9]{1,19}", length):
            raise ProtocolError(f"bad Content-Length {length!r}")
        if length is not None and coding is not None:
            raise ProtocolError("Content-Length together with Transfer-Encoding")
        if response.status == 204 and (length or coding):
            raise ProtocolError("204 with a body length")
        if method == "HEAD" or response.status in (204, 304):
            return b""
        if coding is not None:
            if coding.lower() != "chunked":
                raise ProtocolError(f"unknown Transfer-Encoding {coding!r}")
            return self._read_chunks(until)
        if length is not None:
            return self._need(int(length), until, "body")
        if not response.closes and response.minor == 1:
            raise ProtocolError(f"body without length on a kept connection: {response.head!r}")
        while self._fill(until):
            pass
        if self.ended == "reset":
            raise Disconnected("reset in a body that ends by closing")
        body = bytes(self.buffer)
        self.buffer.clear()
        return body

    def _read_chunks(self, until):
        body = bytearray()
        while True:
            line = self._line(until, "chunk size")
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", line):
                raise ProtocolError(f"bad chunk size line {line!r}")
            size = int(line, 16)
            if size == 0:
                if self._line(until, "trailer") != b"":
                    raise ProtocolError("unexpected trailer")
                return bytes(body)
            body += self._need(size, until, "chunk")
            if self._need(2, until, "chunk end") != b"\r\n":
                raise ProtocolError("chunk does not end with CRLF")

    def expect_close(self, timeout=None):
        """The server ends the connection and sends nothing more before it does."""
        until = time.monotonic() + (timeout or self.timeout)
        while self._fill(until):
            pass
        if self.buffer:
            raise ProtocolError(f"bytes after the last response: {bytes(self.buffer[:300])!r}")

    def expect_quiet(self, seconds=0.05):
        """The connection stays open and silent for a moment."""
        if self.buffer:
            raise ProtocolError(f"unasked bytes: {bytes(self.buffer[:300])!r}")
        self.sock.settimeout(seconds)
        try:
            extra = self.sock.recv(65536)
        except socket.timeout:
            return
        raise ProtocolError(f"unasked bytes {extra[:300]!r}" if extra else "closed, not kept")


def encode_request(method, target, headers=(), body=None, host="localhost"):
    """A plain well-formed request. `headers` may replace Host and Content-Length."""
    names = {name.lower() for name, _ in headers}
    lines = [f"{method} {target} HTTP/1.1"]
    if "host" not in names:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def encode_chunks(body, size=65536):
    """The chunked coding of `body`, with its last chunk and no trailers."""
    out = bytearray()
    for start in range(0, len(body), size):
        part = body[start : start + size]
        out += b"%x\r\n%s\r\n" % (len(part), part)
    return bytes(out) + b"0\r\n\r\n"


def request(
    address, method, target, headers=(), body=None, host="localhost", timeout=DEFAULT_TIMEOUT_S
):
    """One request on its own connection, answered by exactly one response and a clean end."""
    closing = [*headers, ("Connection", "close")]
    with Connection(address, timeout) as connection:
        connection.send_quietly(encode_request(method, target, closing, body, host))
        response = connection.read_response(method)
        connection.expect_close()
        return response
