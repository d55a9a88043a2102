"""The block API end to end: what `docs/openapi.yaml` promises, byte for byte on the wire."""

import base64
import hashlib
import json
import os
import re
import struct
import time
from email.utils import parsedate_to_datetime

import pytest

from cairn_node import block_id, decode_fetch_frames, encode_batch_frames
from raw_http import encode_chunks, encode_request

LIMIT = 1 << 20
NO_BLOCK = "0" * 64
SITE = "https://notes.example"


@pytest.fixture(scope="module")
def node(module_node, tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    (root / "index.html").write_text("<!doctype html>home")
    sites = [
        {"hosts": ["localhost", "127.0.0.1"], "root": str(root), "write": "anyone"},
        {"hosts": ["notes.example"], "root": str(root), "write": "anyone"},
        {"hosts": ["closed.example"], "root": str(root), "write": "nobody"},
    ]
    return module_node({"site": sites}).start()


@pytest.fixture
def fresh():
    """Bytes that no other test has stored."""
    return os.urandom(24)


def cid_of(name):
    return "b" + base64.b32encode(bytes.fromhex("01551220" + name)).decode().lower().rstrip("=")


def digest_of(data):
    return "sha-256=:" + base64.b64encode(hashlib.sha256(data).digest()).decode() + ":"


def assert_problem(answer, status, kind=None):
    """RFC 9457, with the members that http.md promises."""
    assert answer.status == status, answer
    assert answer.get("content-type") == "application/problem+json", answer
    problem = answer.json()
    assert problem["status"] == status and problem["title"], problem
    assert problem.get("detail", "x") and problem["hint"], "an empty member"
    assert re.fullmatch(r"/problems/[a-z0-9-]+", problem["type"]), problem
    if kind:
        assert problem["type"] == f"/problems/{kind}", problem
    return problem


# -- put and post ----------------------------------------------------------------------------------


def test_put_of_a_new_block_is_201_and_of_a_held_one_200(node, fresh):
    target = f"/v1/blocks/{block_id(fresh)}"
    assert node.request("PUT", target, body=fresh).status == 201
    assert node.request("PUT", target, body=fresh).status == 200
    assert node.get(block_id(fresh)).body == fresh


def test_put_in_chunks_is_the_same_block(node, fresh):
    data = fresh * 5000
    for size in (1000, 65_536, LIMIT):
        answer = node.request(
            "PUT",
            f"/v1/blocks/{block_id(data)}",
            [("Transfer-Encoding", "chunked")],
            encode_chunks(data, size),
        )
        assert answer.status in (200, 201), answer
    assert node.get(block_id(data)).body == data


@pytest.mark.parametrize("chunked", [False, True])
def test_post_names_the_block(node, fresh, chunked):
    headers = [("Transfer-Encoding", "chunked")] if chunked else []
    answer = node.request(
        "POST", "/v1/blocks", headers, encode_chunks(fresh, 5) if chunked else fresh
    )
    name = block_id(fresh)
    assert answer.status == 201 and answer.get("location") == f"/v1/blocks/{name}", answer
    assert answer.get("content-type") == "application/json"
    assert answer.json() == {"id": name, "size": len(fresh)}
    assert node.get(name).body == fresh


@pytest.mark.parametrize(
    "size", [1, 2, 99, 4095, 4096, 4097, 16_384, 65_535, 65_537, 262_144, LIMIT - 1, LIMIT]
)
def test_sizes_come_back_as_they_went(node, size):
    data = os.urandom(size)
    name = node.put(data)
    answer = node.get(name)
    assert answer.body == data and answer.get("content-length") == str(size)


def test_put_without_a_length_is_411(node):
    assert_problem(node.request("PUT", f"/v1/blocks/{NO_BLOCK}"), 411)
    assert_problem(node.request("POST", "/v1/blocks"), 411)


def test_put_heeds_its_conditions(node, fresh):
    """RFC 9110, 13.1: a client that wants to know whether it is the first one is told."""
    name = block_id(fresh)
    target, tag = f"/v1/blocks/{name}", f'"{name}"'

    def put(field, value):
        return node.request("PUT", target, [(field, value)], fresh)

    for value in ("*", tag):
        assert_problem(put("If-Match", value), 412, "precondition-failed")
    assert node.missing([name]) == [name]
    assert put("If-None-Match", "*").status == 201
    for value in ("*", tag, f'"x", {tag}'):
        assert_problem(put("If-None-Match", value), 412, "precondition-failed")
        assert put("If-Match", value).status == 200
    assert put("If-None-Match", '"x"').status == 200
    assert_problem(put("If-Match", '"x"'), 412)


def test_put_whose_condition_fails_is_answered_before_the_body(node, fresh):
    name = node.put(fresh)
    fields = [("If-None-Match", "*"), ("Content-Length", str(LIMIT))]
    with node.connect() as connection:
        connection.send(encode_request("PUT", f"/v1/blocks/{name}", fields))
        assert_problem(connection.read_response(), 412)


def test_put_to_a_site_that_nobody_writes_is_refused(node, fresh):
    answer = node.request("PUT", f"/v1/blocks/{block_id(fresh)}", body=fresh, host="closed.example")
    assert_problem(answer, 403)
    assert node.missing([block_id(fresh)]) == [block_id(fresh)]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/json", "multipart/form-data; boundary=x", "image/png"]
)
def test_any_content_type_is_stored_as_opaque_bytes(node, fresh, kind):
    name = block_id(fresh)
    answer = node.request("PUT", f"/v1/blocks/{name}", [("Content-Type", kind)], fresh)
    assert answer.status in (200, 201), answer
    assert node.get(name).get("content-type") == "application/octet-stream"


@pytest.mark.parametrize(
    "method, target, status, kind",
    [
        ("PUT", f"/v1/blocks/{NO_BLOCK}", 422, "hash-mismatch"),
        ("PUT", "/v1/blocks/xyz", 400, None),
        ("GET", "/v1/blocks/xyz", 400, None),
        ("GET", f"/v1/blocks/{NO_BLOCK}", 404, None),
        ("GET", "/v1/nothing", 404, None),
        ("POST", "/v1/blocks/missing", 400, None),
        ("DELETE", f"/v1/blocks/{NO_BLOCK}", 405, None),
        ("GET", "/v1/blocks/missing", 400, None),
    ],
)
def test_refusals_are_problems(node, method, target, status, kind):
    body = b"some bytes" if method in ("PUT", "POST") else None
    answer = node.request(method, target, body=body)
    if target.endswith("missing") and method == "GET":
        assert answer.status in (400, 405), answer
        status = answer.status
    problem = assert_problem(answer, status, kind)
    assert NO_BLOCK not in json.dumps(problem["title"])


def test_problem_of_head_has_no_body(node):
    answer = node.request("HEAD", f"/v1/blocks/{NO_BLOCK}")
    assert answer.status == 404 and answer.body == b""


# -- get and head ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("size", [1, 4096, LIMIT])
def test_headers_of_a_block_exactly(node, method, size):
    data = os.urandom(size)
    name = node.put(data)
    answer = node.request(method, f"/v1/blocks/{name}")
    headers = dict(answer.headers)
    assert answer.status == 200
    assert headers["etag"] == f'"{name}"'
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["accept-ranges"] == "bytes"
    assert headers["repr-digest"] == digest_of(data)
    assert headers["content-type"] == "application/octet-stream"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cairn-source"] in ("memory", "disk", "storage", "peer")
    assert headers["content-length"] == str(size)
    assert abs(parsedate_to_datetime(headers["date"]).timestamp() - time.time()) < 3
    assert answer.body == (data if method == "GET" else b"")


def test_a_second_get_comes_from_memory(node, fresh):
    name = node.put(fresh)
    node.get(name)
    assert node.get(name).get("cairn-source") == "memory"


def test_head_and_get_tell_the_same(node, fresh):
    name = node.put(fresh)
    node.get(name)
    drop = ("date", "connection")
    get, head = (node.request(m, f"/v1/blocks/{name}") for m in ("GET", "HEAD"))
    assert [h for h in get.headers if h[0] not in drop] == [
        h for h in head.headers if h[0] not in drop
    ]


def test_cid_names_the_same_block(node, fresh):
    name = node.put(fresh)
    answer = node.get(cid_of(name))
    assert (answer.status, answer.body) == (200, fresh)
    assert answer.get("etag") == f'"{name}"'
    other = os.urandom(30)
    assert node.request("PUT", f"/v1/blocks/{cid_of(block_id(other))}", body=other).status == 201
    assert node.get(block_id(other)).body == other
    asked = json.dumps({"ids": [cid_of(name), cid_of(NO_BLOCK)]}).encode()
    assert len(node.request("POST", "/v1/blocks/missing", body=asked).json()["missing"]) == 1


@pytest.mark.parametrize(
    "condition",
    ['"{id}"', 'W/"{id}"', "*", '"x", "{id}"', '"x" ,\t"{id}" , "y"', 'W/"a", W/"{id}"'],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_if_none_match_of_this_block_is_304(node, fresh, condition, method):
    name = node.put(fresh)
    answer = node.request(
        method, f"/v1/blocks/{name}", [("If-None-Match", condition.replace("{id}", name))]
    )
    assert answer.status == 304 and answer.body == b"", answer
    assert answer.get("etag") == f'"{name}"' and "immutable" in answer.get("cache-control")


@pytest.mark.parametrize(
    "condition", ['"other"', "{id}", '"{id}', '"{ID}"', 'w/"{id}"', '""', '"{id}x"']
)
def test_if_none_match_of_another_is_200(node, fresh, condition):
    name = node.put(fresh)
    value = condition.replace("{id}", name).replace("{ID}", name.upper())
    answer = node.get(name, [("If-None-Match", value)])
    assert (answer.status, answer.body) == (200, fresh), answer


def test_if_none_match_on_an_unknown_block_is_404(node):
    assert node.get(NO_BLOCK, [("If-None-Match", "*")]).status == 404
    assert node.get(NO_BLOCK, [("If-None-Match", f'"{NO_BLOCK}"')]).status == 404


@pytest.mark.parametrize("size", [10, 5000, 100_000, LIMIT])
def test_single_ranges_of_every_size(node, size):
    data = os.urandom(size)
    name = node.put(data)
    for first, last in (
        (0, 0),
        (size - 1, size - 1),
        (0, size - 1),
        (size // 3, size // 2),
        (1, size - 2),
    ):
        answer = node.get(name, [("Range", f"bytes={first}-{last}")])
        assert answer.status == 206 and answer.body == data[first : last + 1]
        assert answer.get("content-range") == f"bytes {first}-{last}/{size}"
        assert answer.get("content-length") == str(last - first + 1)
        assert answer.get("etag") == f'"{name}"' and answer.get("repr-digest") == digest_of(data)
    assert node.get(name, [("Range", "bytes=-3")]).body == data[-3:]


def test_range_not_satisfiable_says_the_size(node, fresh):
    name = node.put(fresh)
    answer = node.get(name, [("Range", "bytes=100-")])
    assert answer.status == 416 and answer.get("content-range") == f"bytes */{len(fresh)}", answer
    assert "immutable" not in answer.get("cache-control", "")


def test_refusals_are_not_cached_as_blocks_are(node):
    answer = node.get(NO_BLOCK)
    assert answer.status == 404 and "max-age=31536000" not in answer.get("cache-control", "")


# -- missing, fetch, batch -------------------------------------------------------------------------


def post_json(node, route, value):
    return node.request(
        "POST",
        f"/v1/blocks/{route}",
        [("Content-Type", "application/json")],
        json.dumps(value).encode(),
    )


def test_missing_names_what_is_not_held_in_order(node):
    held = [node.put(os.urandom(20)) for _ in range(5)]
    absent = [block_id(os.urandom(20)) for _ in range(5)]
    mixed = [name for pair in zip(absent, held) for name in pair]
    answer = post_json(node, "missing", {"ids": mixed})
    assert answer.status == 200 and answer.json() == {"missing": absent}
    assert answer.get("content-type") == "application/json"
    assert post_json(node, "missing", {"ids": []}).json() == {"missing": []}
    assert post_json(node, "missing", {"ids": held}).json() == {"missing": []}


def test_missing_takes_1000_ids_and_not_1001(node):
    absent = [block_id(struct.pack("<Q", n) + b"absent") for n in range(1001)]
    assert post_json(node, "missing", {"ids": absent[:1000]}).json()["missing"] == absent[:1000]
    assert_problem(
        post_json(node, "missing", {"ids": absent}),
        post_json(node, "missing", {"ids": absent}).status,
    )
    assert post_json(node, "missing", {"ids": absent}).status in (400, 413)


@pytest.mark.parametrize("route", ["missing", "fetch"])
@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/jsonx", "json"])
def test_lists_of_ids_of_another_type_are_415(node, route, kind):
    """So that no plain form of another site can ask in a visitor's name."""
    headers = [("Content-Type", kind)]
    assert_problem(node.request("POST", f"/v1/blocks/{route}", headers, b'{"ids":[]}'), 415)


def test_fetch_streams_frames_in_the_order_asked(node):
    blocks = [os.urandom(size) for size in (1, 100, 70_000, LIMIT)]
    names = [node.put(block) for block in blocks]
    asked = [names[3], NO_BLOCK, names[0], names[2], names[1], names[0]]
    answer = post_json(node, "fetch", {"ids": asked})
    assert (
        answer.status == 200 and answer.get("content-type") == "application/vnd.cairn.blocks"
    ), answer
    frames = decode_fetch_frames(answer.body)
    assert [name for name, _ in frames] == asked
    by_name = dict(zip(names, blocks))
    assert all(data == by_name.get(name) for name, data in frames)
    assert post_json(node, "fetch", {"ids": []}).body == b""


def test_fetch_of_1000_blocks(node):
    blocks = [struct.pack("<Q", n) * 9 for n in range(1000)]
    store_all(node, blocks)
    frames = decode_fetch_frames(
        post_json(node, "fetch", {"ids": [block_id(b) for b in blocks]}).body
    )
    assert [data for _, data in frames] == blocks


def store_all(node, blocks):
    """PUTs many blocks over one connection, pipelined."""
    with node.connect(timeout=30) as connection:
        for start in range(0, len(blocks), 100):
            part = blocks[start : start + 100]
            connection.send(
                b"".join(encode_request("PUT", f"/v1/blocks/{block_id(b)}", body=b) for b in part)
            )
            assert {connection.read_response().status for _ in part} <= {200, 201}


def test_batch_answers_for_each_block(node):
    blocks = [os.urandom(size) for size in (1, 500, 100_000)]
    held = os.urandom(40)
    node.put(held)
    answer = node.request("POST", "/v1/blocks/batch", body=encode_batch_frames([*blocks, held]))
    assert answer.status == 200 and answer.get("content-type") == "application/json", answer
    results = answer.json()["results"]
    assert [result["id"] for result in results] == [block_id(b) for b in [*blocks, held]]
    assert [result["status"] for result in results] == [201, 201, 201, 200]
    for block in blocks:
        assert node.get(block_id(block)).body == block


def test_batch_judges_each_block_by_itself(node):
    good, late = os.urandom(50), os.urandom(51)
    body = encode_batch_frames([good, b"", late])
    answer = node.request("POST", "/v1/blocks/batch", body=body)
    assert answer.status == 200, answer
    assert [result["status"] for result in answer.json()["results"]] == [201, 422, 201]
    assert node.missing([block_id(good), block_id(late)]) == []


@pytest.mark.parametrize(
    "body",
    [
        struct.pack("<I", 0xFFFFFFFF),
        struct.pack("<I", LIMIT + 1) + b"x" * 100,
        b"\x01",
        b"abc",
        struct.pack("<I", 0x7FFFFFFF) + b"y" * 5000,
    ],
)
def test_batch_with_impossible_frames_is_refused(node, body):
    answer = node.request("POST", "/v1/blocks/batch", body=body)
    assert answer.status in (400, 413), answer
    node.assert_alive()


# -- connections -----------------------------------------------------------------------------------


def test_one_connection_serves_many_requests(node, fresh):
    name = node.put(fresh)
    with node.connect() as connection:
        for _ in range(200):
            connection.send(encode_request("GET", f"/v1/blocks/{name}"))
            answer = connection.read_response()
            assert answer.body == fresh and not answer.closes
        connection.expect_quiet()


def test_thousand_pipelined_gets_are_answered_in_order(node):
    blocks = [struct.pack("<Q", n) + os.urandom(1 + n * 37 % 3000) for n in range(1000)]
    store_all(node, blocks)
    with node.connect(timeout=30) as connection:
        sent = connection.send_quietly(
            b"".join(encode_request("GET", f"/v1/blocks/{block_id(b)}") for b in blocks)
        )
        assert sent > 0
        for block in blocks:
            assert connection.read_response().body == block
        connection.expect_quiet()


def test_mixed_pipeline_keeps_its_order(node):
    """Writes that wait for the disk must not be overtaken by reads from memory."""
    blocks = [os.urandom(3000) for _ in range(50)]
    wire = b"".join(
        encode_request("PUT", f"/v1/blocks/{block_id(b)}", body=b)
        + encode_request("GET", f"/v1/blocks/{block_id(b)}")
        + encode_request("HEAD", f"/v1/blocks/{block_id(b)}")
        + encode_request("GET", "/v1/blocks/bad")
        for b in blocks
    )
    with node.connect(timeout=30) as connection:
        connection.send_quietly(wire)
        for block in blocks:
            assert connection.read_response().status == 201
            assert connection.read_response().body == block
            assert connection.read_response("HEAD").status == 200
            assert connection.read_response().status == 400
        connection.expect_quiet()


def test_connection_close_is_honoured(node, fresh):
    name = node.put(fresh)
    with node.connect() as connection:
        request = encode_request("GET", f"/v1/blocks/{name}", [("Connection", "close")])
        connection.send(request + encode_request("GET", f"/v1/blocks/{name}"))
        answer = connection.read_response()
        assert answer.closes and answer.body == fresh
        connection.expect_close()


@pytest.mark.parametrize("keep", [False, True])
def test_http_1_0_closes_unless_asked_to_keep(node, fresh, keep):
    name = node.put(fresh)
    fields = [("Connection", "keep-alive")] if keep else []
    wire = encode_request("GET", f"/v1/blocks/{name}", fields).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    with node.connect() as connection:
        connection.send(wire)
        answer = connection.read_response()
        assert (answer.status, answer.body) == (200, fresh)
        assert not answer.all("transfer-encoding"), "a 1.0 client knows no chunks"
        if keep and not answer.closes:
            assert answer.get("connection", "").lower() == "keep-alive"
            connection.send(wire)
            assert connection.read_response().body == fresh
        else:
            connection.expect_close()


def test_http_1_0_gets_no_chunks_from_fetch(node, fresh):
    name = node.put(fresh)
    wire = encode_request("POST", "/v1/blocks/fetch", (), json.dumps({"ids": [name]}).encode())
    with node.connect() as connection:
        connection.send(wire.replace(b"HTTP/1.1", b"HTTP/1.0", 1))
        answer = connection.read_response()
        assert not answer.all("transfer-encoding")
        assert decode_fetch_frames(answer.body) == [(name, fresh)]


def test_head_of_everything_has_no_body_on_the_wire(node, fresh):
    name = node.put(fresh)
    with node.connect() as connection:
        for target in (
            f"/v1/blocks/{name}",
            "/",
            f"/v1/blocks/{NO_BLOCK}",
            "/v1/blocks/bad",
            "/v1/openapi.json",
        ):
            connection.send(encode_request("HEAD", target))
            assert connection.read_response("HEAD").body == b""
            connection.expect_quiet(0.02)


def test_openapi_document_is_served(node):
    answer = node.request("GET", "/v1/openapi.json")
    assert answer.status == 200 and answer.get("content-type", "").startswith(
        "application/json"
    ), answer
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    assert {
        "/v1/blocks",
        "/v1/blocks/{id}",
        "/v1/blocks/missing",
        "/v1/blocks/fetch",
        "/v1/blocks/batch",
    } <= set(document["paths"])


def test_a_missing_block_put_by_another_client_is_found_at_once(node, fresh):
    """No negative caching: a 404 is not remembered past the PUT."""
    name = block_id(fresh)
    assert node.get(name).status == 404
    assert node.put(fresh) == name
    assert node.get(name).body == fresh


# -- CORS ------------------------------------------------------------------------------------------

EXPOSED = {"etag", "repr-digest", "retry-after", "location", "cairn-source"}


def test_cors_of_the_sites_own_origin(node, fresh):
    name = node.put(fresh)
    answer = node.request("GET", f"/v1/blocks/{name}", [("Origin", SITE)], host="notes.example")
    assert answer.status == 200 and answer.get("access-control-allow-origin") == SITE, answer
    exposed = {
        part.strip().lower() for part in answer.get("access-control-expose-headers").split(",")
    }
    assert EXPOSED <= exposed
    assert "origin" in answer.get("vary", "").lower()


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.test",
        "https://notes.example.evil.test",
        "https://xnotes.example",
        "null",
        "https://notes.example@evil.test",
        "notes.example",
        "https://localhost",
    ],
)
def test_cors_of_another_origin_is_not_allowed(node, fresh, origin):
    name = node.put(fresh)
    for method, target in (("GET", f"/v1/blocks/{name}"), ("OPTIONS", "/v1/blocks")):
        answer = node.request(
            method,
            target,
            [("Origin", origin), ("Access-Control-Request-Method", "PUT")],
            host="notes.example",
        )
        assert answer.get("access-control-allow-origin") is None, answer


def test_cors_preflight(node):
    headers = [
        ("Origin", SITE),
        ("Access-Control-Request-Method", "PUT"),
        ("Access-Control-Request-Headers", "content-type,authorization"),
    ]
    answer = node.request("OPTIONS", f"/v1/blocks/{NO_BLOCK}", headers, host="notes.example")
    assert answer.status in (200, 204), answer
    assert answer.get("access-control-allow-origin") == SITE
    methods = {part.strip() for part in answer.get("access-control-allow-methods").split(",")}
    assert {"GET", "PUT"} <= methods
    allowed = {
        part.strip().lower() for part in answer.get("access-control-allow-headers").split(",")
    }
    assert {"content-type", "authorization"} <= allowed
    assert int(answer.get("access-control-max-age")) > 0


def test_cors_of_a_refusal_lets_the_page_read_why(node):
    answer = node.request("GET", "/v1/blocks/bad", [("Origin", SITE)], host="notes.example")
    assert answer.status == 400 and answer.get("access-control-allow-origin") == SITE


def test_answers_without_an_origin_still_vary_by_it(node, fresh):
    """A shared cache must not hand an answer without CORS headers to a page that needs them."""
    answer = node.request("GET", f"/v1/blocks/{node.put(fresh)}", host="notes.example")
    allowed = answer.get("access-control-allow-origin")
    assert allowed == "*" or "origin" in answer.get("vary", "").lower(), answer
