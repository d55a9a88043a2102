"""A server that shows a chain as it likes: what the command line must not believe.

It keeps manifest and links in memory and answers the routes of one chain. `links`, `head` and the
others can be changed at any time; nothing is checked.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from chain_writer import frames, link_id


class ChainServer:
    """Serves `links` (from seq 1 on) of the writer's chain until closed."""

    def __init__(self, writer, links):
        self.writer, self.links = writer, list(links)
        self.claimed = None  # Replaces members of the head.
        self.pages = {}  # from seq -> links, instead of the true page
        self.appends = []  # what was posted
        self.on_append = None  # (server, raw body) -> (status, body)
        self.held = set()  # block ids
        self.on_page = None  # (server, how many pages were asked for before)
        self._pages_read = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.answer_get(self)

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.answer_post(self, body)

            do_PUT = do_POST

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self._server.server_address[1]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def head(self):
        last = self.links[-1] if self.links else None
        return {
            "chain": self.writer.id,
            "seq": len(self.links),
            "link": link_id(last) if last else self.writer.id,
            "epoch": 0,
            "trimmed_before": 1,
            "rotated_at": 0,
            **(self.claimed or {}),
        }

    def answer_get(self, request):
        path = urlsplit(request.path)
        if path.path.endswith("/manifest"):
            return send(request, 200, self.writer.manifest, "application/octet-stream")
        if path.path.endswith("/links"):
            query = {name: int(value[0]) for name, value in parse_qs(path.query).items()}
            if self.on_page:
                self.on_page(self, self._pages_read)
            self._pages_read += 1
            start, limit = query.get("from", 1), query.get("limit", 256)
            page = self.pages.get(start, self.links[start - 1 : start - 1 + limit])
            return send(request, 200, frames(page), "application/vnd.cairn.links")
        if path.path != self.writer.path:
            return problem(request, 404, "no-such-chain")
        return send(request, 200, json.dumps(self.head()).encode(), "application/json")

    def answer_post(self, request, body):
        if request.path.endswith("/blocks/missing"):
            lacking = [name for name in json.loads(body)["ids"] if name not in self.held]
            return send(request, 200, json.dumps({"missing": lacking}).encode(), "application/json")
        self.appends.append(body)
        status, answer = self.on_append(self, body) if self.on_append else (500, b"{}")
        kind = "application/json" if status < 300 else "application/problem+json"
        return send(request, status, answer, kind)


def problem(request, status, name):
    body = {"type": f"/problems/{name}", "title": name, "status": status}
    send(request, status, json.dumps(body).encode(), "application/problem+json")


def send(request, status, body, kind):
    request.send_response(status)
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
