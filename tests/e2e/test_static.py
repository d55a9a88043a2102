"""Static sites end to end: what a browser gets from `root`."""

import gzip
import os
import re
import threading
import time
from email.utils import formatdate

import pytest

import static_site
from raw_http import encode_request
from static_site import DOCS_PAGE, HASHED, HOME, OTHER_PAGE, SCRIPT, SPA_PAGE, TYPES, flip_until


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return static_site.build(tmp_path_factory.mktemp("static"))


@pytest.fixture(scope="module")
def root(site):
    return site.root


@pytest.fixture(scope="module")
def node(module_node, site):
    return module_node(site.config).start()


# -- files and their headers -----------------------------------------------------------------------


def test_index_of_the_root_and_of_a_folder(node):
    for target in ("/", "/index.html", "/?query=1"):
        answer = node.request("GET", target)
        assert (answer.status, answer.body) == (200, HOME), answer
        assert answer.get("content-type", "").lower() == "text/html; charset=utf-8"
    assert node.request("GET", "/docs/").body == DOCS_PAGE


def test_folder_without_slash_redirects_within_the_site(node):
    answer = node.request("GET", "/docs")
    assert answer.status in (301, 302, 307, 308), answer
    assert answer.get("location") in ("/docs/", "docs/"), answer
    answer = node.request("GET", "/docs?a=b")
    assert answer.get("location") in ("/docs/?a=b", "docs/?a=b"), answer


@pytest.mark.parametrize("name", TYPES)
def test_mime_types(node, name):
    answer = node.request("GET", f"/assets/{name}")
    kind = answer.get("content-type")
    assert answer.status == 200 and TYPES[name] in kind, answer
    if kind.startswith("text/"):
        assert "charset=utf-8" in kind.lower()
    assert answer.get("x-content-type-options") == "nosniff"


def test_names_with_blanks_and_other_letters(node):
    assert node.request("GET", "/with%20space.txt").body == b"spaced"
    assert node.request("GET", "/%C3%BCn%C3%AFcode.txt").body == b"unicode"
    assert node.request("GET", "/percent%2541.txt").body == b"percent"
    assert node.request("GET", "/%69ndex.html").body == HOME


def test_empty_file(node):
    answer = node.request("GET", "/empty.txt")
    assert (answer.status, answer.body, answer.get("content-length")) == (200, b"", "0")


@pytest.mark.parametrize("target", ["/", "/app.js", "/big.bin", "/docs/"])
def test_validators_and_304(node, target):
    answer = node.request("GET", target)
    etag, modified = answer.get("etag"), answer.get("last-modified")
    assert re.fullmatch(r'"[!#-~]+"', etag), "not a strong ETag"
    for value in (etag, "W/" + etag, "*", f'"x", {etag}'):
        again = node.request("GET", target, [("If-None-Match", value)])
        assert again.status == 304 and again.body == b"" and again.get("etag") == etag, again
        assert again.get("cache-control") == answer.get("cache-control")
    assert node.request("GET", target, [("If-None-Match", '"other"')]).status == 200
    if modified:
        assert node.request("GET", target, [("If-Modified-Since", modified)]).status == 304
        assert (
            node.request("GET", target, [("If-Modified-Since", formatdate(0, usegmt=True))]).status
            == 200
        )
        both = [("If-None-Match", '"other"'), ("If-Modified-Since", modified)]
        assert (
            node.request("GET", target, both).status == 200
        ), "If-None-Match comes first (RFC 9110, 13.2.2)"


def test_a_streamed_file_is_whole_every_time(node, root):
    content = os.urandom(5 << 20)
    (root / "streamed.bin").write_bytes(content)
    with node.connect() as connection:
        for method in ("GET", "GET", "HEAD", "GET"):
            connection.send(encode_request(method, "/streamed.bin"))
            answer = connection.read_response(method)
            assert answer.get("content-length") == str(len(content)), answer
            assert answer.body == (content if method == "GET" else b"")
        connection.expect_quiet()


@pytest.mark.parametrize(
    "header, first, last",
    [
        ("bytes=0-0", 0, 0),
        ("bytes=-7", -7, None),
        ("bytes=1000000-", 1000000, None),
        ("bytes=255-256", 255, 256),
        ("bytes=0-9999999", 0, None),
    ],
)
def test_ranges(node, header, first, last):
    whole = bytes(range(256)) * 4096
    answer = node.request("GET", "/big.bin", [("Range", header)])
    start = first if first >= 0 else len(whole) + first
    end = len(whole) - 1 if last is None else last
    assert answer.status == 206 and answer.body == whole[start : end + 1], answer
    assert answer.get("content-range") == f"bytes {start}-{end}/{len(whole)}"


def test_ranges_that_cannot_be(node):
    answer = node.request("GET", "/big.bin", [("Range", "bytes=1048576-")])
    assert answer.status == 416 and answer.get("content-range") == "bytes */1048576", answer
    for header in (
        "bytes=9-1",
        "bytes=a",
        "bytes=" + ",".join(f"{i}-{i}" for i in range(0, 40, 2)),
    ):
        assert node.request("GET", "/big.bin", [("Range", header)]).status == 200
    etag = node.request("HEAD", "/big.bin").get("etag")
    assert (
        node.request("GET", "/big.bin", [("Range", "bytes=0-1"), ("If-Range", etag)]).status == 206
    )
    assert (
        node.request("GET", "/big.bin", [("Range", "bytes=0-1"), ("If-Range", '"old"')]).status
        == 200
    )


def test_head_tells_the_same_as_get(node):
    for target in ("/", "/app.js", "/big.bin", "/docs/", "/nothing"):
        get, head = node.request("GET", target), node.request("HEAD", target)
        drop = ("date", "connection")
        assert get.status == head.status
        assert [h for h in get.headers if h[0] not in drop] == [
            h for h in head.headers if h[0] not in drop
        ]


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_files_are_read_only(node, root, method):
    answer = node.request(method, "/new.txt", body=b"x")
    assert answer.status in (404, 405), answer
    assert node.request(method, "/index.html", body=b"x").status == 405
    assert not (root / "new.txt").exists() and (root / "index.html").read_bytes() == HOME


# -- negotiation -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "accept, coding",
    [
        ("br", "br"),
        ("gzip", "gzip"),
        ("gzip, br", "br"),
        ("br, gzip", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("BR", "br"),
        ("gzip;q=1, br;q=0.5", "gzip"),
        ("gzip;q=0.5, br;q=1.0", "br"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0, gzip;q=0", None),
        ("br;q=0.000, gzip;q=0.001", "gzip"),
        ("identity", None),
        ("*", "br"),
        ("*;q=0", None),
        ("br;q=0, *", "gzip"),
        ("gzip;q=0, *;q=0.1", "br"),
        ("", None),
        ("deflate", None),
        ("x-br", None),
        ("brx", None),
        ("gzip;q=2", None),
        ("identity;q=1, br;q=0.5", None),
        (" gzip ; q=0.8 ", "gzip"),
        ("gzip;q=abc", None),
        ("br\t,\tgzip", "br"),
    ],
)
def test_precompressed_siblings(node, accept, coding):
    answer = node.request("GET", "/app.js", [("Accept-Encoding", accept)])
    assert answer.status == 200 and answer.get("content-encoding") == coding, answer
    bodies = {"br": b"brotli-coded-bytes", "gzip": gzip.compress(SCRIPT), None: SCRIPT}
    if coding == "gzip":
        assert gzip.decompress(answer.body) == SCRIPT
    else:
        assert answer.body == bodies[coding]
    assert "accept-encoding" in answer.get("vary", "").lower()
    assert answer.get("content-type", "").startswith("text/javascript")


def test_each_coding_has_its_own_etag(node):
    tags = {
        node.request("GET", "/app.js", [("Accept-Encoding", coding)]).get("etag")
        for coding in ("br", "gzip", "identity")
    }
    assert len(tags) == 3
    br = node.request("GET", "/app.js", [("Accept-Encoding", "br")]).get("etag")
    assert (
        node.request("GET", "/app.js", [("Accept-Encoding", "br"), ("If-None-Match", br)]).status
        == 304
    )
    assert node.request("GET", "/app.js", [("If-None-Match", br)]).status == 200


def test_only_one_sibling(node):
    assert (
        node.request("GET", "/only-gz.css", [("Accept-Encoding", "br")]).get("content-encoding")
        is None
    )
    answer = node.request("GET", "/only-gz.css", [("Accept-Encoding", "br, gzip")])
    assert (
        answer.get("content-encoding") == "gzip" and gzip.decompress(answer.body) == b"body{}" * 100
    )


def test_accept_encoding_in_two_lines(node):
    answer = node.request(
        "GET", "/app.js", [("Accept-Encoding", "deflate"), ("Accept-Encoding", "br")]
    )
    assert answer.get("content-encoding") in ("br", None), answer


# -- single page, cache rules, security headers, hosts ---------------------------------------------


def test_spa_fallback(node):
    for target in ("/", "/deep/link", "/users/7?tab=2", "/a.b/c"):
        answer = node.request("GET", target, host="spa.test")
        assert (answer.status, answer.body) == (200, SPA_PAGE), (
            target,
            answer,
        )
        assert "immutable" not in answer.get("cache-control", "")
    assert node.request("GET", "/real.txt", host="spa.test").body == b"real"
    assert node.request("GET", "/v1/nothing", host="spa.test").status == 404


@pytest.mark.parametrize(
    "target", ["/missing.js", "/assets/app.00000000.js", "/missing.css", "/favicon.ico", "/a/b.png"]
)
def test_spa_fallback_is_not_for_missing_assets(node, target):
    """A page in place of a script breaks the browser in a way that nobody finds."""
    assert node.request("GET", target, host="spa.test").status == 404


@pytest.mark.parametrize(
    "accept, status",
    [("text/html,*/*;q=0.8", 200), ("*/*", 200), ("application/json", 404), ("image/png", 404)],
)
def test_spa_fallback_is_for_clients_that_take_html(node, accept, status):
    """A script that asks for data by a wrong path must not get a page with 200."""
    answer = node.request("GET", "/deep/link", [("Accept", accept)], host="spa.test")
    assert answer.status == status, answer


def test_spa_fallback_is_off_where_it_is_off(node):
    answer = node.request("GET", "/deep/link")
    assert answer.status == 404 and HOME not in answer.body


@pytest.mark.parametrize(
    "accept, status",
    [
        (["text/html;q=0"], 404),
        (["text/html;q=0, */*"], 404),
        (["*/*;q=0, text/html"], 200),
        (["application/json", "text/html"], 200),
        (["application/json", "image/png"], 404),
    ],
)
def test_spa_fallback_weighs_every_accept_line_and_varies_by_it(node, accept, status):
    answer = node.request("GET", "/deep/link", [("Accept", a) for a in accept], host="spa.test")
    assert answer.status == status and "Accept" in answer.all("vary"), answer


@pytest.mark.parametrize("name", HASHED)
def test_hashed_names_are_immutable(node, name):
    """Once they have rested for a moment: see the next test."""
    immutable = "public, max-age=31536000, immutable"
    eventually(
        lambda: node.request("GET", "/" + name), lambda a: a.get("cache-control") == immutable
    )


def test_hashed_name_that_is_still_written_is_not_immutable(node, root):
    path, parts = root / "assets" / "part-1a2b3c4d.js", (b"let a", b" = 1;")
    with open(path, "wb", buffering=0) as out:
        for part in parts:
            out.write(part)
            answer = eventually(
                lambda: node.request("GET", f"/assets/{path.name}"),
                lambda a: a.body.endswith(part),
            )
            assert answer.get("cache-control") == "no-cache", answer


@pytest.mark.parametrize(
    "target", ["/", "/index.html", "/app.js", "/assets/a.css", "/docs/", "/big.bin"]
)
def test_other_names_are_revalidated(node, target):
    control = node.request("GET", target).get("cache-control", "")
    assert "no-cache" in control or "max-age=0" in control, control
    assert "immutable" not in control


@pytest.mark.parametrize("target", ["/", "/app.js", "/nothing", "/assets/a.svg"])
def test_security_headers_by_default(node, target):
    headers = dict(node.request("GET", target).headers)
    assert headers.get("x-content-type-options") == "nosniff", headers
    if target == "/":
        assert "referrer-policy" in headers, headers
        framing = headers.get("x-frame-options", "") + headers.get("content-security-policy", "")
        assert re.search("DENY|SAMEORIGIN|frame-ancestors", framing), headers
    assert not re.search(r"\d+\.\d+", headers.get("server", "")), "tells its version"


def test_sites_by_host(node):
    assert node.request("GET", "/", host="other.test").body == OTHER_PAGE
    assert node.request("GET", "/", host="OTHER.test:99").body == OTHER_PAGE
    assert node.request("GET", "/", host="www.spa.test").body == SPA_PAGE
    assert node.request("GET", "/").body == HOME
    assert node.request("GET", "/app.js", host="other.test").status == 404
    assert node.request("GET", "/", host="unknown.test").status == 421


# -- files that change -----------------------------------------------------------------------------


def test_a_changed_file_is_served_anew(node, root):
    path = root / "changing.txt"
    tags, bodies = set(), [b"first", b"second version", b"third!"]
    for body in bodies:
        spare = root / "changing.tmp"
        spare.write_bytes(body)
        os.replace(spare, path)
        answer = eventually(lambda: node.request("GET", "/changing.txt"), lambda a: a.body == body)
        tags.add(answer.get("etag"))
    assert len(tags) == len(bodies)
    path.unlink()
    eventually(lambda: node.request("GET", "/changing.txt"), lambda a: a.status == 404)


def eventually(ask, good, seconds=5):
    """Caches of open files may last a moment, not longer."""
    until = time.monotonic() + seconds
    while True:
        answer = ask()
        if good(answer):
            return answer
        assert time.monotonic() < until, f"still {answer} after {seconds} s"
        time.sleep(0.02)


def test_file_replaced_while_served_is_one_whole_version(node, root):
    """Every answer is one version throughout, with the length and ETag that belong to it."""
    path, spare = root / "versions.bin", root / "versions.tmp"
    versions = {letter: letter * size for letter, size in ((b"a", 300_000), (b"b", 500_000))}
    path.write_bytes(versions[b"a"])

    def flip(state):
        spare.write_bytes(versions[b"a" if state else b"b"])
        os.replace(spare, path)

    stop, tags, until = threading.Event(), {}, time.monotonic() + 1.5
    thread = flip_until(stop, flip)
    try:
        with node.connect() as connection:
            while time.monotonic() < until:
                connection.send(encode_request("GET", "/versions.bin"))
                answer = connection.read_response()
                assert answer.status in (200, 404)
                if answer.status == 200:
                    letter = answer.body[:1]
                    assert answer.body == versions[letter], "two versions in one answer"
                    tags.setdefault(answer.get("etag"), set()).add(letter)
    finally:
        stop.set()
        thread.join(5)
    assert all(len(letters) == 1 for letters in tags.values()), "one ETag for two versions"


def test_truncated_in_place_between_requests_is_seen(node, root):
    path = root / "shrinks.txt"
    path.write_bytes(b"long content of the file")
    assert node.request("GET", "/shrinks.txt").body == b"long content of the file"
    os.truncate(path, 4)
    eventually(lambda: node.request("GET", "/shrinks.txt"), lambda a: a.body == b"long")
