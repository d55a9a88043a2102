"""Bad input, row 16: ranges of a block, and of a file that is streamed."""

import pytest

LARGE_FILE = bytes(range(251)) * 11_600  # Too large to be kept in memory.


@pytest.fixture(scope="module")
def node(module_node, tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    (root / "large.bin").write_bytes(LARGE_FILE)
    return module_node({"site": [{"hosts": ["*"], "root": str(root), "write": "anyone"}]}).start()


@pytest.fixture(scope="module")
def block(node):
    data = bytes(i * 7 & 0xFF for i in range(1000))
    return node.put(data), data


@pytest.mark.parametrize(
    "header, status",
    [
        ("bytes=0-9", 206),
        ("bytes=-10", 206),
        ("bytes=990-", 206),
        ("bytes=0-0", 206),
        ("bytes=999-999", 206),
        ("bytes=0-99999", 206),
        ("bytes=-99999", 206),
        ("bytes=999-18446744073709551615", 206),
        ("bytes=1000-", 416),
        ("bytes=1000-2000", 416),
        ("bytes=-0", 416),
        ("bytes=9-1", 200),
        ("bytes=18446744073709551616-", 200),
        ("bytes=0-18446744073709551616", 200),
        ("bytes=-18446744073709551616", 200),
        ("bytes=99999999999999999999999999-", 200),
        ("bytes=" + ",".join(f"{i}-{i}" for i in range(0, 34, 2)), 200),
        ("bytes=" + ",".join(["0-0"] * 100), 200),
        ("bytes=0-500,400-600", 200),
        ("bytes=0-,0-", 200),
        ("bytes=", 200),
        ("bytes", 200),
        ("bytes=a-b", 200),
        ("bytes=1", 200),
        ("bytes=--1", 200),
        ("bytes=-", 200),
        ("bytes=0-9;10-19", 200),
        ("bytes=0x0-0x9", 200),
        ("bytes= 0-9 x", 200),
        ("bytes=+0-9", 200),
        ("items=0-9", 200),
        ("octets=0-9", 200),
        ("bytes:0-9", 200),
        ("bytes=0-9,a", 200),
        ("bytes=0 -9", 200),
    ],
)
def test_row_16_range(node, block, header, status):
    name, data = block
    answer = node.get(name, [("Range", header)])
    assert answer.status == status, answer
    if status == 200:
        assert answer.body == data and answer.get("content-range") is None
    if status == 416:
        assert answer.get("content-range") == f"bytes */{len(data)}"
    if status == 206:
        expected = expected_single(header, data)
        assert (answer.body, answer.get("content-range")) == expected


def expected_single(header, data):
    first, last = header.removeprefix("bytes=").split("-")
    size = len(data)
    low = max(size - int(last), 0) if not first else int(first)
    high = size - 1 if not first or not last else min(int(last), size - 1)
    return data[low : high + 1], f"bytes {low}-{high}/{size}"


def test_row_16_disjoint_ranges_are_whole_or_multipart(node, block):
    name, data = block
    answer = node.get(name, [("Range", "bytes=0-1,10-11")])
    assert answer.status in (200, 206), answer
    if answer.status == 200:
        assert answer.body == data
    else:
        assert answer.get("content-type", "").startswith("multipart/byteranges")
        assert len(answer.body) < 2000


@pytest.mark.parametrize(
    "validator, status",
    [
        ('"{id}"', 206),
        ('"' + "0" * 64 + '"', 200),
        ('W/"{id}"', 200),
        ("{id}", 200),
        ("*", 200),
        ('"{id}', 200),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 200),
        ("", 200),
        ('"{id}", "x"', 200),
    ],
)
def test_row_16_if_range(node, block, validator, status):
    name, data = block
    answer = node.get(name, [("Range", "bytes=0-9"), ("If-Range", validator.replace("{id}", name))])
    assert answer.status == status, answer
    assert answer.body == (data[:10] if status == 206 else data)


def test_row_16_range_twice(node, block):
    """Refused, ignored, or the first alone: never a mixture."""
    name, data = block
    answer = node.get(name, [("Range", "bytes=0-9"), ("Range", "bytes=20-29")])
    if answer.status == 206:
        assert answer.body == data[:10] and answer.get("content-range") == "bytes 0-9/1000"
    else:
        assert answer.status == 400 or (answer.status, answer.body) == (200, data), answer


@pytest.mark.parametrize("method", ["HEAD", "PUT"])
def test_row_16_range_on_other_methods_is_ignored(node, block, method):
    """RFC 9110, 14.2: a Range header is for GET alone."""
    name, data = block
    body = data if method == "PUT" else None
    answer = node.request(method, f"/v1/blocks/{name}", [("Range", "bytes=0-9")], body)
    assert answer.status == 200 and answer.get("content-range") is None, answer
    if method == "HEAD":
        assert answer.get("content-length") == str(len(data))


@pytest.mark.parametrize(
    "header, first, last",
    [
        ("bytes=0-9", 0, 9),
        ("bytes=-10", -10, -1),
        ("bytes=1000-", 1000, -1),
        ("bytes=2097151-2097152", 2097151, 2097152),
        ("bytes=2911599-", 2911599, -1),
    ],
)
def test_row_16_range_of_a_streamed_file(node, header, first, last):
    size = len(LARGE_FILE)
    first, last = first % size, last % size
    answer = node.request("GET", "/large.bin", [("Range", header)])
    assert answer.status == 206, answer
    assert answer.get("content-range") == f"bytes {first}-{last}/{size}"
    assert answer.body == LARGE_FILE[first : last + 1]


@pytest.mark.parametrize(
    "header, status",
    [
        ("bytes=2911600-", 416),
        ("bytes=99999999-", 416),
        ("bytes=-0", 416),
        ("bytes=9-1", 200),
        ("bytes=a-b", 200),
        ("bytes=0-500,400-600", 200),
        ("items=0-9", 200),
        ("bytes=18446744073709551616-", 200),
    ],
)
def test_row_16_bad_range_of_a_streamed_file(node, header, status):
    answer = node.request("GET", "/large.bin", [("Range", header)])
    assert answer.status == status, answer
    if status == 416:
        assert answer.get("content-range") == f"bytes */{len(LARGE_FILE)}"
    else:
        assert answer.body == LARGE_FILE
