"""Bad input, rows 14 to 16: nothing outside the root, by any encoding, link or race.

The secret file beside the root is the witness: its bytes must never come to the wire. What is no
regular file inside the root is 404, and no device or FIFO makes anybody wait.
"""

import contextlib
import ctypes
import os
import stat
import threading
import time

import pytest

import static_site
from raw_http import Connection, Disconnected, ProtocolError, encode_request
from static_site import DOCS_PAGE, HOME, SCRIPT, SECRET, flip_until

LIBC = ctypes.CDLL(None, use_errno=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return static_site.build(tmp_path_factory.mktemp("static"))


@pytest.fixture(scope="module")
def root(site):
    return site.root


@pytest.fixture(scope="module")
def node(module_node, site):
    return module_node(site.config).start()


# -- rows 14 and 15: nothing outside the root ------------------------------------------------------


def traversals():
    """Ways up and out, in every spelling that some server once decoded."""
    ups = [
        "..",
        "%2e%2e",
        "%2E%2e",
        ".%2e",
        "%2e.",
        "%252e%252e",
        "%25252e%25252e",
        "..%00",
        "..%20",
        "..;",
        "...",
        "....",
        "%c0%ae%c0%ae",
        "%e0%80%ae%e0%80%ae",
        "%f0%80%80%ae",
        "%u002e%u002e",
        "%uff0e%uff0e",
        "%ef%bc%8e%ef%bc%8e",
        "..%0d",
        "..%0a",
        "%00..",
        "%2e%2e%3b",
        ".%00.",
        "%5c..",
        "..%5c",
    ]
    slashes = [
        "/",
        "%2f",
        "%2F",
        "%252f",
        "%5c",
        "%255c",
        "\\",
        "//",
        "/./",
        "%c0%af",
        "%e0%80%af",
        "%c1%9c",
        "%00/",
        "/%00",
    ]
    files = ["secret.txt", "secret/index.html", "secret/", "site/../secret.txt"]
    out = [f"/{up}{slash}{files[0]}" for up in ups for slash in slashes]
    out += [f"/docs/{up}{slash}{up}{slash}{files[0]}" for up in ups for slash in slashes]
    out += [f"/{(up + '/') * 12}etc/passwd" for up in ups]
    out += [f"/{up}/{name}" for up in ups[:6] for name in files]
    out += [
        "/..",
        "/%2e%2e",
        "/../",
        "/docs/../../secret.txt",
        "/docs/..",
        "/./../secret.txt",
        "//../secret.txt",
        "/..//secret.txt",
        "/.../secret.txt",
        "/docs/%2e%2e/%2e%2e/secret.txt",
        "/site/../../secret.txt",
        "/%2fetc/passwd",
        "//etc/passwd",
        "/%00",
        "/index.html%00",
        "/index.html%00.txt",
        "/secret.txt%00.html",
        "/%ff%fe",
        "/%",
        "/%4",
        "/%zz",
        "/%2",
        "/a%",
        "/C:/secret.txt",
        "/C%3a%5csecret.txt",
        "/file:///etc/passwd",
        "/~root/",
        "/index.html/../../secret.txt",
        "/index.html/",
        "/index.html/x",
        "/app.js/../../secret.txt",
        "/" + "a/../" * 1000 + "../secret.txt",
        "/" + "%2e%2e/" * 1000 + "etc/passwd",
        "/" + "a/" * 3000 + "b",
        "/" + "x" * 4000,
        "/docs/" + "y" * 300,
    ]
    return sorted(set(out))


@pytest.mark.parametrize("host", ["localhost", "spa.test"])
def test_row_14_no_encoding_leaves_the_root(node, host):
    """On a kept connection where possible: thousands of spellings in one sweep."""
    failures, connection = [], node.connect()
    for target in traversals():
        connection.send(encode_request("GET", target, host=host))
        answer = connection.read_response()
        if SECRET in answer.body or b"root:" in answer.body:
            failures.append((target, "leaked"))
        if answer.status not in (301, 308, 400, 404, 414, 431) and host == "localhost":
            if not (answer.status == 200 and answer.body in (HOME, DOCS_PAGE)):
                failures.append((target, answer.status))
        location = answer.get("location", "")
        if location and (not location.startswith("/") or location.startswith(("//", "/\\"))):
            failures.append((target, f"redirects to {location}"))
        if answer.closes:
            connection.close()
            connection = node.connect()
    connection.close()
    assert not failures, failures[:10]
    node.assert_alive()


@pytest.mark.parametrize(
    "target",
    [
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/docs/%2e%2e/%2e%2e/secret.txt",
        "/%2e%2e%2fsecret.txt",
        "/..%5csecret.txt",
        "/%252e%252e/secret.txt",
        "/index.html%00",
        "/%c0%ae%c0%ae/secret.txt",
        "/%zz",
        "/percent%41.txt",
        "/index%252ehtml",
    ],
)
def test_row_14_decoded_once_and_refused(node, target):
    assert node.request("GET", target).status in (400, 404)


@pytest.mark.parametrize(
    "target",
    [
        "/link.txt",
        "/relative.txt",
        "/folder",
        "/folder/",
        "/folder/index.html",
        "/absolute.txt",
        "/docs/up.txt",
        "/proc",
        "/loop",
        "/fifo",
        "/fifo.txt",
        "/empty",
        "/empty/",
        "/fifo/",
        "/nothing",
    ],
)
def test_row_15_what_is_no_file_inside_the_root(node, target):
    """404 and no waiting: a FIFO must not block anybody."""
    started = time.monotonic()
    answer = node.request("GET", target)
    if target == "/empty" and answer.status in (301, 308):
        answer = node.request("GET", "/empty/")
    assert answer.status == 404, answer
    assert SECRET not in answer.body and time.monotonic() - started < 2


def test_row_15_symlink_within_the_root_is_served(node):
    assert node.request("GET", "/inside.js").body == SCRIPT


@pytest.mark.parametrize("device", ["null", "zero"])
def test_row_15_devices_are_not_served(node, root, device):
    path = root / f"{device}.dev"
    if not path.exists():
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, {"null": 3, "zero": 5}[device]))
    assert node.request("GET", f"/{device}.dev").status == 404


@pytest.mark.parametrize(
    "target",
    [
        "/.env",
        "/.git/config",
        "/docs/.hidden",
        "/.git/",
        "/.git",
        "/%2eenv",
        "/.%65nv",
        "/docs/%2ehidden",
        "/.well-known/.x",
        "/.well-known/../.env",
        "/.well-known/%2e%2e/.env",
        "/.nothing",
        "/.well-knownx/a",
        "/docs/.well-known/a",
    ],
)
def test_dot_files_are_never_served(node, target):
    answer = node.request("GET", target)
    assert answer.status in (400, 404) and SECRET not in answer.body, answer


def test_dot_files_are_not_a_spa_page_either(node):
    for target in ("/.env", "/.git/config"):
        assert node.request("GET", target, host="spa.test").status in (400, 404)


def test_well_known_is_served(node):
    assert node.request("GET", "/.well-known/security.txt").body == b"Contact: mailto:a@b"


def exchange(first, second):
    """Swaps two directory entries in one step (renameat2, RENAME_EXCHANGE)."""
    paths = [os.fsencode(path) for path in (first, second)]
    if LIBC.renameat2(-100, paths[0], -100, paths[1], 2) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def race_of_a_link(site, kind):
    """A link that points in, then out, then in: to a file, or to a folder on the way."""
    name = f"link-{kind}"
    path, spare = site.root / name, site.root / f"spare-{kind}"
    good, evil = site.root / f"good-{kind}", site.outside / "secret.txt"
    target = f"/{name}"
    if kind == "file":
        good.write_bytes(b"inside")
    else:
        good.mkdir()
        (good / "index.html").write_bytes(b"inside")
        evil, target = site.outside / "secret", f"/{name}/index.html"
    os.symlink(good.name, path)

    def flip(outward):
        os.symlink(evil if outward else good.name, spare)
        os.replace(spare, path)

    return target, flip


def race_of_an_exchange(site, kind):
    """A true file or folder that changes places with a link to the secret."""
    path, spare = site.root / f"true-{kind}", site.root / f"false-{kind}"
    if kind == "file":
        path.write_bytes(b"inside")
        os.symlink(site.outside / "secret.txt", spare)
        return f"/{path.name}", lambda _: exchange(path, spare)
    path.mkdir()
    (path / "index.html").write_bytes(b"inside")
    os.symlink(site.outside / "secret", spare)
    return f"/{path.name}/index.html", lambda _: exchange(path, spare)


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("race", [race_of_a_link, race_of_an_exchange])
def test_row_15_symlink_race_never_leaks(node, site, race, kind):
    """A thread turns a path into a way out and back while requests run."""
    target, flip = race(site, kind)
    stop, seen, until = threading.Event(), set(), time.monotonic() + 1.2
    thread = flip_until(stop, flip)
    try:
        with node.connect() as connection:
            while time.monotonic() < until:
                connection.send(encode_request("GET", target) * 20)
                for _ in range(20):
                    answer = connection.read_response()
                    assert SECRET not in answer.body, "served bytes from outside the root"
                    assert answer.status == 404 or answer.body == b"inside", answer
                    seen.add(answer.status)
    finally:
        stop.set()
        thread.join(5)
    assert 200 in seen and seen <= {200, 404}, seen


def test_row_15_file_truncated_while_sent_aborts(node, root):
    """What is announced cannot be sent any more: the connection breaks, and nothing is padded."""
    path = root / "truncated.bin"
    path.write_bytes(b"T" * (64 << 20))
    with Connection(node.http, receive_buffer=8192, timeout=10) as connection:
        connection.send(encode_request("GET", "/truncated.bin"))
        head = connection.read_head()
        assert head.get("content-length") == str(64 << 20)
        os.truncate(path, 1000)
        got = bytearray(connection.buffer)
        with pytest.raises((Disconnected, ProtocolError, OSError)):
            while len(got) < 64 << 20:
                part = connection.sock.recv(1 << 20)
                if not part:
                    raise Disconnected("closed early, as it must")
                got += part
        assert set(got) == {ord("T")}, "padded with something"
    path.unlink()
    node.assert_alive()


def read_to_the_end(connection):
    """All bytes until the node closes or resets the connection."""
    got = bytearray(connection.buffer)
    with contextlib.suppress(ConnectionResetError):
        while part := connection.sock.recv(1 << 20):
            got += part
    return got


@pytest.mark.parametrize("longer", [-1000, 0, 1000, 32 << 20])
def test_row_15_file_rewritten_in_place_while_sent_aborts(node, root, longer):
    """Never two versions in one answer, nor a part of the new one that passes for the whole."""
    path, size = root / f"rewritten{longer}.bin", 16 << 20
    path.write_bytes(b"O" * size)
    with Connection(node.http, receive_buffer=8192, timeout=10) as connection:
        connection.send(encode_request("GET", f"/{path.name}"))
        assert connection.read_head().get("content-length") == str(size)
        with open(path, "r+b") as out:
            out.write(b"N" * (size + longer))
            out.truncate()
        got = read_to_the_end(connection)
        assert set(got) == {ord("O")} and len(got) < size, "two versions in one answer"
    path.unlink()
    node.assert_alive()


def test_row_15_file_that_grows_while_sent_aborts(node, root):
    path, size = root / "growing.bin", 16 << 20
    path.write_bytes(b"O" * size)
    with Connection(node.http, receive_buffer=8192, timeout=10) as connection:
        connection.send(encode_request("GET", "/growing.bin"))
        assert connection.read_head().get("content-length") == str(size)
        with open(path, "ab") as out:
            out.write(b"N")
        got = read_to_the_end(connection)
        assert set(got) == {ord("O")} and len(got) < size, "a part that passes for the whole"
    path.unlink()


# -- row 16 on a file that is streamed -------------------------------------------------------------

STREAMED = 3 << 20


@pytest.fixture(scope="module")
def streamed(root):
    content = bytes(range(251)) * (STREAMED // 251 + 1)
    (root / "streamed.bin").write_bytes(content[:STREAMED])
    return content[:STREAMED]


@pytest.mark.parametrize(
    "header, first, last",
    [
        ("bytes=0-0", 0, 0),
        ("bytes=5-9", 5, 9),
        ("bytes=262143-262144", 262143, 262144),
        (f"bytes={STREAMED - 1}-", STREAMED - 1, STREAMED - 1),
        (f"bytes={STREAMED - 1}-18446744073709551615", STREAMED - 1, STREAMED - 1),
        ("bytes=-1", STREAMED - 1, STREAMED - 1),
        ("bytes=-18446744073709551615", 0, STREAMED - 1),
        ("bytes=0-", 0, STREAMED - 1),
        ("bytes=1-3145726", 1, STREAMED - 2),
    ],
)
def test_row_16_range_of_a_streamed_file(node, streamed, header, first, last):
    answer = node.request("GET", "/streamed.bin", [("Range", header)])
    assert answer.status == 206 and answer.body == streamed[first : last + 1], answer
    assert answer.get("content-range") == f"bytes {first}-{last}/{STREAMED}"
    assert answer.get("content-length") == str(last - first + 1)


@pytest.mark.parametrize(
    "header",
    [
        "bytes=9-1",
        "bytes=18446744073709551616-",
        "bytes=0-18446744073709551616",
        "bytes=" + ",".join(["0-0"] * 100),
        "bytes=0-500,400-600",
        "bytes=0-,0-",
        "bytes=a-b",
        "bytes=--1",
        "bytes=0-9;10-19",
        "items=0-9",
    ],
)
def test_row_16_malformed_range_of_a_streamed_file_gives_the_whole(node, streamed, header):
    answer = node.request("GET", "/streamed.bin", [("Range", header)])
    assert answer.status == 200 and answer.body == streamed, answer
    assert answer.get("content-range") is None


@pytest.mark.parametrize("header", [f"bytes={STREAMED}-", "bytes=-0", f"bytes={STREAMED}-9999999"])
def test_row_16_range_outside_a_streamed_file(node, streamed, header):
    with node.connect() as connection:
        connection.send(encode_request("GET", "/streamed.bin", [("Range", header)]))
        answer = connection.read_response()
        assert answer.status == 416, answer
        assert answer.get("content-range") == f"bytes */{len(streamed)}"
        connection.expect_quiet()


def test_row_16_several_ranges_of_a_streamed_file(node, streamed):
    answer = node.request("GET", "/streamed.bin", [("Range", "bytes=0-1,10-11")])
    assert answer.status in (200, 206), answer
    if answer.status == 200:
        assert answer.body == streamed
    else:
        assert answer.get("content-type", "").startswith("multipart/byteranges")
        assert len(answer.body) < 2000


@pytest.mark.parametrize("validator", ['"other"', "W/{tag}", "Wed, 21 Oct 2015 07:28:00 GMT", ""])
def test_row_16_if_range_of_a_streamed_file(node, streamed, validator):
    tag = node.request("HEAD", "/streamed.bin").get("etag")
    fields = [("Range", "bytes=0-9"), ("If-Range", validator.replace("{tag}", tag))]
    assert node.request("GET", "/streamed.bin", fields).body == streamed
    fields[1] = ("If-Range", tag)
    assert node.request("GET", "/streamed.bin", fields).body == streamed[:10]
