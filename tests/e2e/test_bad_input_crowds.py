"""Bad input, rows 18 and 20: what many clients hold together, and a batch over its limit.

A crowd announces much and sends little, or asks for much and reads nothing. What it holds must be
in proportion to what it has sent, so that others store and read as ever.
"""

import contextlib
import json
import os
import struct

import pytest

from cairn_node import block_id, decode_fetch_frames
from hostile import Poison, assert_untouched
from raw_http import encode_chunks, encode_request

LIMIT = 1 << 20
BATCH_LIMIT = 64 << 20
CROWD = 300
LARGE_FILE = 8 << 20


@pytest.fixture(scope="module")
def node(module_node, tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    with open(root / "large.bin", "wb") as out:
        out.truncate(LARGE_FILE)
    sites = [{"hosts": ["*"], "root": str(root), "write": "anyone"}]
    return module_node({"site": sites, "limits": {"upload_bytes": "16MiB"}}).start()


@contextlib.contextmanager
def crowd(node, wire):
    """CROWD connections that have sent `wire` and do nothing more."""
    with contextlib.ExitStack() as stack:
        for _ in range(CROWD):
            connection = stack.enter_context(node.connect(receive_buffer=4096))
            connection.send(wire)
        yield


def announced(method, target, sent=b"", length=LIMIT):
    return encode_request(method, target, [("Content-Length", str(length))]) + sent


CHUNKED = [("Transfer-Encoding", "chunked")]
STALLED_BODIES = {
    "put": announced("PUT", f"/v1/blocks/{'0' * 64}"),
    "put-begun": announced("PUT", f"/v1/blocks/{'0' * 64}", b"x" * 100),
    "put-chunks": encode_request("PUT", f"/v1/blocks/{'0' * 64}", CHUNKED) + b"100000\r\nx",
    "post": announced("POST", "/v1/blocks"),
    "missing": announced("POST", "/v1/blocks/missing", b"{", 90_000),
    "fetch": announced("POST", "/v1/blocks/fetch", b"{", 90_000),
    "batch": announced("POST", "/v1/blocks/batch", b"", BATCH_LIMIT),
    "batch-frame": announced("POST", "/v1/blocks/batch", struct.pack("<I", LIMIT), BATCH_LIMIT),
    "batch-begun": announced(
        "POST", "/v1/blocks/batch", struct.pack("<I", LIMIT) + b"x" * 1000, BATCH_LIMIT
    ),
}


@pytest.mark.parametrize("kind", STALLED_BODIES)
def test_row_18_announced_bodies_stop_nobody(node, kind):
    with crowd(node, STALLED_BODIES[kind]):
        data = os.urandom(LIMIT)
        name = node.put(data)
        assert node.missing([name]) == []
        answer = node.request("POST", "/v1/blocks/fetch", body=json.dumps({"ids": [name]}).encode())
        assert decode_fetch_frames(answer.body) == [(name, data)]
        frame = struct.pack("<I", 5) + b"frame"
        answer = node.request("POST", "/v1/blocks/batch", body=frame)
        assert [result["status"] for result in answer.json()["results"]] in ([201], [200])
    node.assert_alive()


def test_row_18_stalled_readers_of_a_large_file_stop_nobody(node):
    with crowd(node, encode_request("GET", "/large.bin")):
        for _ in range(3):
            answer = node.request("GET", "/large.bin", timeout=30)
            assert answer.status == 200 and answer.body == bytes(LARGE_FILE)
        answer = node.request("GET", "/large.bin", [("Range", "bytes=1000000-1999999")])
        assert answer.status == 206 and answer.body == bytes(1_000_000)
    node.assert_alive()


@pytest.mark.parametrize("piece", [997, 65_536, BATCH_LIMIT])
def test_row_20_batch_over_the_limit_by_chunks(node, piece):
    """413, and what follows is no request. The frame is too long to be kept, so nothing is."""
    poison = Poison()
    body = struct.pack("<I", 0xFFFFFFFF) + bytes(BATCH_LIMIT - 4 + 1)
    body += poison.request
    with node.connect(timeout=30) as connection:
        connection.send_quietly(
            encode_request("POST", "/v1/blocks/batch", CHUNKED) + encode_chunks(body, piece)
        )
        answer = connection.read_response(timeout=30)
        assert answer.status == 413 and answer.json()["type"] == "/problems/too-large", answer
        if answer.closes:
            connection.expect_close()
        else:
            connection.expect_quiet()
    assert_untouched(node, [poison])


def test_row_20_batch_of_exactly_the_limit_by_chunks(node):
    """The twin that passes: each frame is judged by itself, the last one is stored."""
    last = b"the last frame"
    tail = struct.pack("<I", len(last)) + last
    skipped = BATCH_LIMIT - 4 - len(tail)
    body = struct.pack("<I", skipped) + bytes(skipped) + tail
    assert len(body) == BATCH_LIMIT
    answer = node.request("POST", "/v1/blocks/batch", CHUNKED, encode_chunks(body), timeout=30)
    assert answer.status == 200, answer
    assert [result["status"] for result in answer.json()["results"]] == [413, 201]
    assert node.get(block_id(last)).body == last
