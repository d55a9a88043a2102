"""Bad input, rows 8 to 13: trailers, versions, methods, hosts, targets, sizes, expectations."""

import pytest

import raw_http
from cairn_node import block_id
from hostile import (
    HOST,
    ORDINARY,
    Poison,
    arrangements,
    assert_refused,
    assert_untouched,
    field_variants,
    payload,
)
from raw_http import Connection, encode_request

GET = b"GET / HTTP/1.1"
NO_BLOCK = "0" * 64


@pytest.fixture(scope="module")
def node(module_node, tmp_path_factory):
    """Several sites by name and none for the rest, so that an unknown host can be refused."""
    root = tmp_path_factory.mktemp("root")
    (root / "index.html").write_text("<!doctype html>home")
    sites = [
        {"hosts": ["localhost", "127.0.0.1", "known.test"], "root": str(root), "write": "anyone"},
        {"hosts": ["other.test"], "root": str(root), "write": "anyone"},
    ]
    return module_node({"site": sites}).start()


def as_params(cases):
    return [pytest.param(value, id=name) for name, value in cases.items()]


# -- row 8: trailers -------------------------------------------------------------------------------


def put_chunked(name, chunks, trailers):
    line = b"PUT /v1/blocks/%s HTTP/1.1" % name.encode()
    return payload(
        line,
        [HOST, b"Transfer-Encoding: chunked"],
        chunks + b"0\r\n" + b"".join(t + b"\r\n" for t in trailers) + b"\r\n",
    )


@pytest.mark.parametrize(
    "trailers",
    as_params(
        {
            "many-tiny": [b"a: b"] * 100_000,
            "many-names": [b"x-%d: b" % i for i in range(100_000)],
            "one-long": [b"a: " + b"b" * 1_000_000],
            "long-name": [b"a" * 1_000_000 + b": b"],
            "over-the-count": [b"x-%d: b" % i for i in range(500)],
        }
    ),
)
def test_row_8_trailers_over_the_limits(node, trailers):
    data = b"trailers over the limits %d" % sum(map(len, trailers))
    name = block_id(data)
    poison = Poison()
    wire = put_chunked(name, b"%x\r\n%s\r\n" % (len(data), data), trailers) + poison.request
    assert_refused(node, wire, poison, (431,), modes=("whole", "pipelined"))
    assert node.missing([name]) == [name], "the block of a refused request was stored"


def test_row_8_trailers_are_discarded(node):
    """No trailer may act as a header: not on this request, not on the next."""
    trailers = [
        b"Authorization: Bearer x",
        b"Host: other.invalid",
        b"Content-Length: 0",
        b"Transfer-Encoding: gzip",
        b"Connection: close",
        b"Content-Encoding: gzip",
        b"Expect: 100-continue",
        b"If-None-Match: *",
        b"Range: bytes=0-0",
        b"Origin: https://evil.test",
        b"X-Plain: y",
    ]
    data = b"a block with trailers"
    name = block_id(data)
    wire = put_chunked(name, b"%x\r\n%s\r\n" % (len(data), data), trailers)
    with node.connect() as connection:
        connection.send(wire + encode_request("GET", f"/v1/blocks/{name}"))
        stored = connection.read_response()
        assert stored.status in (200, 201) and not stored.closes, stored
        assert stored.get("access-control-allow-origin") != "https://evil.test"
        fetched = connection.read_response()
        assert (fetched.status, fetched.body) == (200, data), fetched
        connection.expect_quiet()


# -- row 9: versions and methods -------------------------------------------------------------------

REQUEST_LINES = [
    "GET /",
    "GET",
    "GET / ",
    "GET / HTTP/0.9",
    "GET / HTTP/1.2",
    "GET / HTTP/2.0",
    "GET / HTTP/2",
    "GET / HTTP/3.0",
    "GET / HTTP/1",
    "GET / HTTP/1.",
    "GET / HTTP/.1",
    "GET / HTTP/1.10",
    "GET / HTTP/11.1",
    "GET / HTTP/01.1",
    "GET / HTTP/1.01",
    "GET / HTTP/9.9",
    "GET / http/1.1",
    "GET / Http/1.1",
    "GET / HTTP/1.1 ",
    "GET / HTTP/1.1x",
    "GET / HTTP/1,1",
    "GET / HTTP/+1.1",
    "GET / HTTP/1.-1",
    "GET / HTTPS/1.1",
    "GET / ICAP/1.0",
    "GET / FTP/1.1",
    "GET / HTTP 1.1",
    "GET / HTTP/ 1.1",
    "GET / HTTP\\1.1",
    "GET /  HTTP/1.1",
    "GET  / HTTP/1.1",
    " GET / HTTP/1.1",
    "GET\t/ HTTP/1.1",
    "GET /\tHTTP/1.1",
    "GET / x HTTP/1.1",
    "GET / HTTP/1.1 HTTP/1.1",
    "/ HTTP/1.1",
    "GET HTTP/1.1",
    "HTTP/1.1 200 OK",
    "GET / HTTP/1.1\x0b",
    "GET / \x7fHTTP/1.1",
]


@pytest.mark.parametrize("line", REQUEST_LINES)
def test_row_9_bad_request_line(node, line):
    poison = Poison()
    data = payload(line.encode("latin-1"), [HOST, *ORDINARY], poison.request)
    assert_refused(node, data, poison, (400, 501, 505) if line.startswith("HTTP/") else (400, 505))


def test_row_9_http_2_preface_in_clear_text(node):
    poison = Poison()
    data = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9) + poison.request
    assert_refused(node, data, poison, (400, 501, 505))


@pytest.mark.parametrize(
    "method", ["FOO", "get", "Get", "GETX", "G", "PUTS", "X-Y", "M" * 40, "!", "PROPFINDX", "HTTP"]
)
def test_row_9_unknown_method(node, method):
    """501, with the body either skipped or the connection closed: never read as a request."""
    assert_method_refused(node, method, "/", (501,))


@pytest.mark.parametrize("method", ["G(T", "G\x00T", "GE\x7fT", '"GET"', "GE{}", "G\u00c9T"])
def test_row_9_method_that_is_no_token(node, method):
    poison = Poison()
    data = payload(method.encode("latin-1") + b" / HTTP/1.1", [HOST], poison.request)
    assert_refused(node, data, poison)


@pytest.mark.parametrize(
    "method, target",
    [
        ("CONNECT", "/"),
        ("CONNECT", "localhost:443"),
        ("CONNECT", "127.0.0.1:22"),
        ("CONNECT", "http://localhost/"),
    ],
)
def test_row_9_connect(node, method, target):
    """Never a tunnel."""
    assert_method_refused(node, method, target, (405,))


@pytest.mark.parametrize(
    "method", ["TRACE", "DELETE", "PATCH", "PROPFIND", "LOCK", "PURGE", "MKCOL"]
)
@pytest.mark.parametrize("target", ["/", f"/v1/blocks/{NO_BLOCK}", "/v1/blocks"])
def test_row_9_method_not_for_this_target(node, method, target):
    assert_method_refused(node, method, target, (405, 501))


def assert_method_refused(node, method, target, allowed):
    poison = Poison()
    body = poison.request
    with node.connect() as connection:
        connection.send_quietly(encode_request(method, target, (), body))
        answer = connection.read_response("GET")
        assert answer.status in allowed, answer
        if method in ("TRACE", "CONNECT"):
            assert answer.json()["hint"], answer
            assert answer.get("allow") == "GET, HEAD, PUT, POST, OPTIONS", answer
        if answer.status == 405:
            assert "GET" in answer.get("allow", "") or target == "/v1/blocks", answer
        if answer.closes:
            connection.expect_close()
        else:
            connection.send(encode_request("GET", f"/v1/blocks/{NO_BLOCK}"))
            assert connection.read_response().status == 404
            connection.expect_quiet()
    assert_untouched(node, [poison])


@pytest.mark.parametrize(
    "line, fields",
    [
        (b"HEAD /", [HOST]),
        (b"HEAD / HTTP/1.2", [HOST]),
        (b"HEAD / HTTP/1.1", []),
        (b"HEAD / HTTP/1.1", [HOST, HOST]),
        (b"HEAD / HTTP/1.1", [HOST, b"A: b", b" folded"]),
        (b"HEAD / HTTP/1.1", [HOST, b"Content-Length: 4", b"Transfer-Encoding: chunked"]),
        (b"HEAD / HTTP/1.1", [HOST, b"Transfer-Encoding: gzip"]),
        (b"HEAD / HTTP/1.1", [HOST, b"Expect: x"]),
        (b"HEAD / HTTP/1.1", [HOST, b"X: " + b"y" * 9000]),
        (b"HEAD http://other.invalid/ HTTP/1.1", [HOST]),
        (b"HEAD * HTTP/1.1", [HOST]),
        (b"HEAD /\x01 HTTP/1.1", [HOST]),
    ],
)
def test_row_9_refused_head_request_gets_no_body(node, line, fields):
    with node.connect() as connection:
        connection.send_quietly(payload(line, fields, b""))
        answer = connection.read_response("HEAD")
        assert answer.status >= 400 and answer.closes, answer
        connection.expect_close()


# -- row 10: Host ----------------------------------------------------------------------------------


def test_row_10_no_host(node):
    poison = Poison()
    for fields in ([], ORDINARY, [b"X-Host: localhost"], [b"Hosts: localhost"]):
        assert_refused(node, payload(GET, fields, poison.request), poison)


@pytest.mark.parametrize(
    "fields",
    as_params(
        field_variants(
            {
                "equal": [b"Host: localhost", b"Host: localhost"],
                "different": [b"Host: localhost", b"Host: other.test"],
                "empty": [b"Host: localhost", b"Host: "],
            }
        )
    ),
)
def test_row_10_two_hosts(node, fields):
    poison = Poison()
    fields = [line for line in fields if line != HOST] if fields.count(HOST) > 2 else fields
    assert_refused(node, payload(GET, fields, poison.request), poison)


@pytest.mark.parametrize(
    "host",
    [
        "unknown.test",
        "localhost.evil.test",
        "evil-localhost",
        "known.test.",
        "localhos",
        "10.0.0.1",
        "[::1]",
        "unknown.test:80",
        "sub.known.test",
        "xn--known.test",
    ],
)
@pytest.mark.parametrize("target", ["/", f"/v1/blocks/{NO_BLOCK}"])
def test_row_10_unknown_host(node, host, target):
    answer = node.request("GET", target, host=host)
    # A trailing dot names the same host in DNS: both answers are right for it.
    assert answer.status == 421 or (host == "known.test." and answer.status in (200, 404)), answer


@pytest.mark.parametrize(
    "host",
    [
        "a b",
        "a,b",
        "a/b",
        "user@localhost",
        "localhost:x",
        "localhost:",
        "localhost:99999",
        "localhost:-1",
        "localhost#x",
        "localhost?x",
        "localhost\\",
        "<script>",
        "[::1",
        "::1",
        "localhost:80:80",
        "%6cocalhost",
        "loc\x7falhost",
        "loc\xe4lhost",
        "",
    ],
)
def test_row_10_malformed_host(node, host):
    """Refused; of a port only the form counts, and RFC 3986 lets it be empty."""
    answer = node.request("GET", "/", host=host)
    lenient = host in ("localhost:", "localhost:99999")
    assert answer.status in (400, 421) or (lenient and answer.status == 200), answer


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "Known.Test", "localhost:8080", "127.0.0.1", "other.test:1"]
)
def test_row_10_known_host_in_any_case_and_port(node, host):
    assert node.request("GET", "/", host=host).status == 200


# -- row 11: targets -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "http://other.test/",
        "http://other.test",
        "https://other.test/",
        "http://localhost@other.test/",
        "http://other.test@localhost/",
        "http://localhost:1@other.test/",
        "http:///",
        "http://",
        "http:/x",
        "HTTP://other.test/",
        "http://localhost.other.test/",
        "ftp://localhost/",
        "file:///etc/passwd",
        "gopher://localhost/",
        "://localhost/",
        "foo",
        "foo/bar",
        "?x",
        "*",
        "index.html",
        "localhost:80",
        "..",
        "./",
        "\\",
        "a:b",
        "http:foo",
        "%2f",
    ],
)
def test_row_11_target_of_another_form(node, target):
    poison = Poison()
    assert_refused(
        node, payload(b"GET %s HTTP/1.1" % target.encode(), [HOST], poison.request), poison
    )


@pytest.mark.parametrize(
    "host, target",
    [
        ("known.test", "http://other.test/"),
        ("other.test", "http://known.test/"),
        ("known.test:80", "http://known.test:81/"),
    ],
)
def test_row_11_absolute_form_against_another_known_host(node, host, target):
    poison = Poison()
    data = payload(
        b"GET %s HTTP/1.1" % target.encode(), [b"Host: " + host.encode()], poison.request
    )
    assert_refused(node, data, poison)


@pytest.mark.parametrize(
    "byte", [*range(0x00, 0x21), 0x7F, 0x80, 0x85, 0xA0, 0xC0, 0xC3, 0xE2, 0xF0, 0xFE, 0xFF]
)
@pytest.mark.parametrize("where", ["/%sx", "/x%s", "/v1/blocks/%s", "/?q=%s"])
def test_row_11_raw_control_or_high_byte(node, byte, where):
    poison = Poison()
    target = where.encode().replace(b"%s", bytes([byte]))
    assert_refused(
        node, payload(b"GET " + target + b" HTTP/1.1", [HOST], poison.request), poison, (400, 505)
    )


def test_row_11_absolute_form_of_the_same_host_is_read(node):
    """The twin that must pass (RFC 9112, 3.2.2), and `OPTIONS *`."""
    answer = node.request("GET", "http://localhost/")
    assert (answer.status, answer.body) == (200, b"<!doctype html>home"), answer
    assert node.request("OPTIONS", "*").status in (200, 204)


# -- row 12: sizes of the head ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    as_params(
        {
            "one-long": [b"X-Long: " + b"x" * 8192],
            "long-name": [b"X" * 8192 + b": y"],
            "many": [b"X-%d: %s" % (i, b"y" * 200) for i in range(45)],
            "cookies": [b"Cookie: " + b"c=d; " * 2000],
            "huge": [b"X-Long: " + b"x" * 4_000_000],
            "tiny-1500": [b"a: b"] * 1500,
            "tiny-1500-names": [b"a%d:" % i for i in range(1500)],
            "tiny-101-over": [b"a%d: b" % i for i in range(110)],
            "empty-values": [b"a:"] * 1500,
        }
    ),
)
@pytest.mark.parametrize("place", ["first", "last"])
def test_row_12_head_over_the_limits(node, fields, place):
    poison = Poison()
    data = payload(GET, arrangements(fields)[place], poison.request)
    assert_refused(node, data, poison, (431,), modes=("whole", "pipelined"))


@pytest.mark.parametrize("size", [9_000, 70_000, 3_000_000])
def test_row_12_endless_target(node, size):
    poison = Poison()
    data = payload(b"GET /" + b"x" * size + b" HTTP/1.1", [HOST], poison.request)
    assert_refused(node, data, poison, (414, 431), modes=("whole", "pipelined"))


def test_row_12_endless_method(node):
    poison = Poison()
    data = payload(b"X" * 20_000 + b" / HTTP/1.1", [HOST], poison.request)
    assert_refused(node, data, poison, (400, 431, 501), modes=("whole", "pipelined"))


def test_row_12_head_just_under_the_limits_is_read(node):
    fields = [("X-%d" % i, "y" * 70) for i in range(90)]
    assert len(encode_request("GET", "/", fields)) < 8192
    assert node.request("GET", "/", fields).status == 200


# -- row 13: Expect --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expect", ["200-ok", "100-continue-please", "100", "x", "100-continue, other", "continue"]
)
def test_row_13_unknown_expectation(node, expect):
    poison = Poison()
    name = block_id(poison.request)
    with node.connect() as connection:
        connection.send(
            encode_request("PUT", f"/v1/blocks/{name}", [("Expect", expect)], poison.request)
        )
        answer = connection.read_response()
        assert answer.status == 417 and not answer.interim, answer
        assert answer.closes, "the body may or may not come: only closing is safe"
        connection.expect_close()
    assert node.missing([name]) == [name]
    assert_untouched(node, [poison])


@pytest.mark.parametrize("spelling", ["100-continue", "100-Continue", "100-CONTINUE"])
@pytest.mark.parametrize("target", ["/v1/blocks/" + NO_BLOCK, "/v1/blocks"])
def test_row_13_continue_for_an_oversized_body(node, spelling, target):
    """Refused by its length alone: no 100, and not one body byte is asked for."""
    method = "POST" if target.endswith("blocks") else "PUT"
    head = encode_request(method, target, [("Expect", spelling), ("Content-Length", str(64 << 20))])
    with node.connect() as connection:
        connection.send(head)
        answer = connection.read_response()
        assert answer.status == 413 and not answer.interim, answer
        assert answer.closes
        connection.expect_close()
    node.assert_alive()


def test_row_13_continue_for_a_request_refused_anyway_sends_no_100(node):
    head = encode_request(
        "PUT", "/v1/blocks/nonsense", [("Expect", "100-continue"), ("Content-Length", "5")]
    )
    with node.connect() as connection:
        connection.send(head)
        answer = connection.read_response()
        assert answer.status == 400 and not answer.interim, answer


def test_row_13_continue_is_sent_once_and_the_body_is_stored(node):
    """The twin that must pass."""
    data = b"expected body"
    name = block_id(data)
    head = encode_request(
        "PUT",
        f"/v1/blocks/{name}",
        [("Expect", "100-continue"), ("Content-Length", str(len(data)))],
    )
    with node.connect() as connection:
        connection.send(head)
        interim = connection.read_head()
        assert interim.status == 100, interim
        connection.send(data)
        answer = connection.read_response()
        assert answer.status in (200, 201) and not answer.interim, answer
        connection.expect_quiet()


def test_row_13_continue_in_http_1_0_is_not_answered(node):
    """RFC 9110, 10.1.1: a 1.0 client does not understand a 100."""
    data = b"old client"
    wire = encode_request("PUT", f"/v1/blocks/{block_id(data)}", [("Expect", "100-continue")], data)
    with Connection(node.http) as connection:
        connection.send(wire.replace(b"HTTP/1.1", b"HTTP/1.0", 1))
        answer = connection.read_response()
        assert not answer.interim and answer.status in (200, 201, 417), answer


def test_row_13_body_after_a_refused_expectation_is_no_request(node):
    """A client that does not wait: its body follows the refused head at once."""
    poison = Poison()
    head = encode_request(
        "PUT",
        "/v1/blocks/" + NO_BLOCK,
        [("Expect", "100-continue"), ("Content-Length", "99999999")],
    )
    with raw_http.Connection(node.http) as connection:
        connection.send_quietly(head + poison.request)
        assert connection.read_response().status == 413
        connection.expect_close()
    assert_untouched(node, [poison])
