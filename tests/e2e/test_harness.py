"""The instruments themselves: a checker that accepts everything proves nothing."""

import socket
import threading

import pytest

import openmetrics
import raw_http
from cairn_node import decode_fetch_frames, merged, to_toml


def talk(server_bytes, method="GET", reads=1):
    """Answers of a server that sends exactly `server_bytes` and closes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        peer, _ = listener.accept()
        with peer:
            peer.sendall(server_bytes)
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(4096):
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        with raw_http.Connection(listener.getsockname(), timeout=5) as connection:
            answers = [connection.read_response(method) for _ in range(reads)]
            connection.expect_close()
            return answers
    finally:
        listener.close()
        thread.join(5)


class TestRawHttp:
    def test_good_answers_are_read_exactly(self):
        first, second = talk(
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n",
            reads=2,
        )
        assert (first.body, second.body) == (b"abc", b"de")

    def test_interim_answers_are_kept_apart(self):
        (answer,) = talk(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
        assert answer.status == 204 and [i.status for i in answer.interim] == [100]

    @pytest.mark.parametrize(
        "raw",
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd",
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" * 2,
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\nab\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX-A: \x00\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\nx",
            b"HTTP/1.1 200 OK\r\n\r\nunbounded",
            b"HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n",
            b"",
        ],
    )
    def test_broken_answers_are_refused(self, raw):
        with pytest.raises((raw_http.ProtocolError, raw_http.Disconnected)):
            talk(raw)

    def test_silence_ends_at_the_deadline(self):
        listener = socket.create_server(("127.0.0.1", 0))
        with raw_http.Connection(listener.getsockname(), timeout=0.2) as connection:
            with pytest.raises(raw_http.Deadline):
                connection.read_response()
        listener.close()


GOOD_METRICS = """\
# HELP cairn_requests Requests.
# TYPE cairn_requests counter
cairn_requests_total{code="200",route="a\\"b"} 3
cairn_requests_total{code="404",route="x"} 0
# TYPE cairn_wait_seconds histogram
# UNIT cairn_wait_seconds seconds
cairn_wait_seconds_bucket{le="0.1"} 1
cairn_wait_seconds_bucket{le="+Inf"} 2
cairn_wait_seconds_count 2
cairn_wait_seconds_sum 0.5
# TYPE cairn_up gauge
cairn_up 1
# EOF
"""


class TestOpenMetrics:
    def test_good_text_is_read(self):
        families = openmetrics.parse(GOOD_METRICS)
        assert openmetrics.value(families, "cairn_requests", code="200", route='a"b') == 3
        assert openmetrics.total(families, "cairn_requests") == 3

    @pytest.mark.parametrize(
        "old, new",
        [
            ("# EOF\n", ""),
            ("# EOF\n", "# EOF\n\n"),
            ('_total{code="404"', '{code="404"'),
            ('code="404",route="x"', 'code="200",route="a\\"b"'),
            ('le="+Inf"} 2', 'le="+Inf"} 0'),
            ('cairn_wait_seconds_bucket{le="+Inf"} 2\n', ""),
            ("_count 2", "_count 3"),
            ("# TYPE cairn_up gauge\n", ""),
            ("# TYPE cairn_up gauge", "# TYPE cairn_requests counter"),
            ("cairn_up 1", "cairn_up one"),
            ("cairn_up 1", "cairn_up 1\ncairn_up 1"),
            ("} 0\n", "} -1\n"),
            ('{code="404",', "{code=404,"),
            ("UNIT cairn_wait_seconds seconds", "UNIT cairn_wait_seconds bytes"),
            ("# TYPE cairn_up gauge", "# comment"),
        ],
    )
    def test_each_violation_is_found(self, old, new):
        assert old in GOOD_METRICS
        with pytest.raises(openmetrics.MetricsError):
            openmetrics.parse(GOOD_METRICS.replace(old, new, 1))


def test_toml_of_nested_tables():
    text = to_toml(
        merged(
            {"node": {"threads": 1}, "site": [{"hosts": ["*"], "spa": True}]},
            {"node": {"data_dir": 'a"b'}},
        )
    )
    assert text == (
        '\n[node]\nthreads = 1\ndata_dir = "a\\"b"\n\n[[site]]\nhosts = ["*"]\nspa = true'
    )


def test_fetch_frames_reject_a_cut_body():
    whole = bytes(32) + (3).to_bytes(4, "little") + b"abc"
    assert decode_fetch_frames(whole) == [("00" * 32, b"abc")]
    with pytest.raises(AssertionError):
        decode_fetch_frames(whole[:-1])
