"""cairn export and cairn import: a chain and its blocks as one file, from node to node; and files
that are damaged.
"""

import hashlib
import json
import os
import struct

import pytest

from cairn_node import block_id
from chain_cli import (
    DENIED,
    FAILURE,
    OK,
    UNREACHABLE,
    capability_of,
    chain,
    export,
    import_,
    log_of,
    payload_of,
    secret_file,
    url_of,
)
from chain_server import ChainServer
from chain_writer import ChainWriter, Signer


@pytest.fixture(scope="module")
def node(module_node):
    return module_node().start()


@pytest.fixture(scope="module")
def url(node):
    return url_of(node)


@pytest.fixture
def cap(url, tmp_path):
    """A fresh chain's capability file."""
    path = tmp_path / "chain.cap"
    done = chain(url, "create", "--out", path)
    assert done.returncode == OK, done
    return path


@pytest.fixture
def writer(node):
    """A chain that the tests write by themselves."""
    made = ChainWriter()
    made.create(node)
    return made


def read_varint(raw, at):
    value = shift = 0
    while True:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def car_blocks(raw):
    """(root, {digest: bytes}) of a CAR of version 1, read by the letter of its specification."""
    size, at = read_varint(raw, 0)
    header = raw[at : at + size]
    assert header.startswith(b"\xa2\x65roots\x81\xd8\x2a\x58\x25\x00\x01\x55\x12\x20")
    assert header.endswith(b"\x67version\x01")
    root, blocks, at = header[17:49], {}, at + size
    while at < len(raw):
        size, at = read_varint(raw, at)
        assert raw[at : at + 4] == b"\x01\x55\x12\x20"
        digest, body = raw[at + 4 : at + 36], raw[at + 36 : at + size]
        assert hashlib.sha256(body).digest() == digest
        blocks[digest] = body
        at += size
    return root, blocks


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def make_car(root, blocks):
    def cid(digest):
        return b"\x01\x55\x12\x20" + digest

    header = b"\xa2\x65roots\x81\xd8\x2a\x58\x25\x00" + cid(root) + b"\x67version\x01"
    out = varint(len(header)) + header
    for block in blocks:
        out += varint(36 + len(block)) + cid(hashlib.sha256(block).digest()) + block
    return out


@pytest.fixture
def filled(node, url, writer, tmp_path):
    """600 links, some with refs, as a file."""
    bodies = [os.urandom(2000) for _ in range(12)]
    refs = [bytes.fromhex(node.put(body)) for body in bodies]
    for batch in range(3):
        links = [
            writer.next(b"payload %d" % number, refs[batch * 4 : batch * 4 + 4] * (number % 2))
            for number in range(200)
        ]
        assert writer.append(node, links).status == 201
    cap = secret_file(tmp_path / "cap", capability_of(writer))
    path = tmp_path / "chain.car"
    done = export(url, "--cap", cap, "-o", path)
    assert done.returncode == OK, done
    return writer, cap, path, bodies


def test_an_export_is_a_car_of_raw_blocks(node, url, filled):
    writer, _, path, bodies = filled
    root, blocks = car_blocks(path.read_bytes())
    index = blocks[root]
    assert index[:36] == b"X1\x01\x00" + bytes.fromhex(writer.id)
    assert struct.unpack_from("<QQ", index, 36) == (1, 600) and index[52:84] == bytes(32)
    page = blocks[index[84:116]]
    assert len(index) == 116 and page[:4] == b"X2\x01\x00"
    links = [page[at : at + 32] for at in range(4, len(page), 32)]
    assert links[-1] == writer.prev and len(links) == 600
    assert [blocks[links[0]], blocks[links[299]]] == [
        writer.links(node, 1, 1)[0],
        writer.links(node, 300, 1)[0],
    ]
    assert blocks[bytes.fromhex(writer.id)] == writer.manifest
    assert all(hashlib.sha256(body).digest() in blocks for body in bodies)
    assert len(blocks) == 1 + 1 + 1 + 600 + 12


def test_a_chain_goes_from_node_to_node_and_again(make_node, filled, tmp_path):
    writer, cap, path, bodies = filled
    other = make_node().start()
    done = import_(url_of(other), "--json", path)
    assert done.returncode == OK, done
    told = json.loads(done.stdout)
    assert (told["links"], told["links_sent"], told["blocks_sent"]) == (600, 600, 12)
    assert writer.head(other)["link"] == writer.prev.hex()
    assert other.missing([block_id(body) for body in bodies]) == []
    verdict = log_of(url_of(other), cap, command="verify")[0]
    assert (verdict["links"], verdict["refs_missing"]) == (600, 0)
    again = json.loads(import_(url_of(other), "--json", path).stdout)
    assert (again["links_sent"], again["blocks_sent"]) == (0, 0)
    back = tmp_path / "back.car"
    assert export(url_of(other), writer.id, "-o", back).returncode == OK
    assert back.read_bytes() == path.read_bytes(), "the same chain is the same file"
    # A chain that went on is not set back.
    assert writer.append(other, [writer.next(b"later")]).status == 201
    again = json.loads(import_(url_of(other), "--json", path).stdout)
    assert again["links_sent"] == 0 and writer.head(other)["seq"] == 601


def test_an_import_that_was_cut_off_goes_on(make_node, filled):
    writer, _, path, _ = filled
    other = make_node().start()
    writer.create(other)
    root, blocks = car_blocks(path.read_bytes())
    page = blocks[blocks[root][84:116]]
    first = [blocks[page[at : at + 32]] for at in range(4, 4 + 32 * 100, 32)]
    for body in blocks.values():
        if len(body) == 2000:
            other.put(body)
    assert writer.append(other, first).status == 201
    told = json.loads(import_(url_of(other), "--json", path).stdout)
    assert told["links_sent"] == 500 and writer.head(other)["seq"] == 600


def test_an_import_into_a_fork_is_refused(make_node, filled):
    writer, _, path, _ = filled
    other = make_node().start()
    twin = ChainWriter(secret=writer.secret)
    twin.create(other)
    assert twin.append(other, [twin.next(b"another first link")]).status == 201
    done = import_(url_of(other), path)
    assert done.returncode == FAILURE and b"another link at seq 1" in done.stderr, done
    assert twin.head(other)["seq"] == 1


def test_a_gated_chain_is_carried_too(make_node, url, tmp_path):
    cap, path = tmp_path / "gated", tmp_path / "gated.car"
    chain(url, "create", "--gated", "--out", cap)
    chain(url, "append", "--cap", cap, stdin=b"behind the gate")
    assert export(url, "--cap", cap, "-o", path).returncode == OK
    other = make_node().start()
    for args in ([], [], ["--cap", cap]):
        assert import_(url_of(other), *args, path).returncode == OK
    assert payload_of(log_of(url_of(other), cap, "--payloads")[0]) == b"behind the gate"


def test_a_trimmed_chain_is_exported_and_told_why_it_cannot_begin(make_node, url, cap, tmp_path):
    path = tmp_path / "trimmed.car"
    chain(url, "append", "--cap", cap, stdin=b"gone")
    chain(url, "trim", "--cap", cap, stdin=b"state")
    assert export(url, "--cap", cap, "-o", path).returncode == OK
    assert import_(url, path).returncode == OK, "where the chain is held already"
    done = import_(url_of(make_node().start()), path)
    assert done.returncode == FAILURE and b"from its first link on" in done.stderr, done


def test_an_export_to_standard_output_is_the_same_file(url, filled):
    writer, _, path, _ = filled
    done = export(url, writer.id, "-o", "-")
    assert done.returncode == OK and done.stdout == path.read_bytes() and not done.stderr


def test_a_block_that_the_node_lost_fails_the_export(tmp_path):
    writer = ChainWriter()
    server = ChainServer(writer, [writer.next(b"x", [bytes(32)])])
    try:
        done = export(server.url, writer.id, "-o", tmp_path / "x.car")
        assert done.returncode == FAILURE and b"00000000" in done.stderr, done
        assert list(tmp_path.iterdir()) == []
    finally:
        server.close()


def replaced(blocks, old, new):
    return [new if block == old else block for block in blocks]


@pytest.mark.parametrize(
    "damage, words",
    [
        ("cut", "cut here"),
        ("empty", "empty"),
        ("text", "one root"),
        ("flipped", "other bytes"),
        ("overflow", "no varint"),
        ("huge_header", "header would have"),
        ("huge_block", "over 16 MiB"),
        ("other_codec", "raw codec"),
        ("second_version", "version 2"),
        ("no_index", "not the index"),
        ("absent_root", "is not in it"),
        ("absent_manifest", "is not in it"),
        ("absent_link", "is not in it"),
        ("reordered", "the chain is broken"),
        ("repeated", "the chain is broken"),
        ("index_as_link", "the chain is broken"),
        ("resigned", "the chain is broken"),
    ],
)
def test_a_damaged_file_is_refused_before_anything_is_sent(make_node, filled, tmp_path, damage, words):
    writer, _, path, _ = filled
    good = path.read_bytes()
    root, by_digest = car_blocks(good)
    index, blocks = by_digest[root], list(by_digest.values())
    page = by_digest[index[84:116]]

    def with_links(links):
        new_page = page[:4] + b"".join(links)
        new_index = index[:84] + hashlib.sha256(new_page).digest()
        changed = replaced(replaced(blocks, page, new_page), index, new_index)
        return make_car(hashlib.sha256(new_index).digest(), changed)

    links = [page[at : at + 32] for at in range(4, len(page), 32)]
    resigned = ChainWriter(secret=writer.secret)
    stranger = resigned.make(b"x", signer=Signer(os.urandom(32)))
    header = good[: 1 + 58]
    bad = {
        "cut": lambda: good[:-1],
        "empty": lambda: b"",
        "text": lambda: b"this is not a CAR but some text\n",
        "flipped": lambda: good[:-1] + bytes([good[-1] ^ 1]),
        "overflow": lambda: good + b"\xff" * 10,
        "huge_header": lambda: b"\xff\xff\xff\xff\x0f" + good,
        "huge_block": lambda: header + varint(1 << 40) + good[60:],
        "other_codec": lambda: good + varint(37) + b"\x01\x71\x12\x20" + bytes(33),
        "second_version": lambda: b"\x0a\xa1\x67version\x02" + good,
        "no_index": lambda: make_car(bytes.fromhex(writer.id), blocks),
        "absent_root": lambda: make_car(bytes(32), blocks),
        "absent_manifest": lambda: make_car(root, replaced(blocks, writer.manifest, b"x")),
        "absent_link": lambda: make_car(root, replaced(blocks, by_digest[links[9]], b"x")),
        "reordered": lambda: with_links([*links[:5], links[6], links[5], *links[7:]]),
        "repeated": lambda: with_links([*links[:5], links[4], *links[6:]]),
        "index_as_link": lambda: with_links([*links[:5], root, *links[6:]])
        + make_car(root, [index])[59:],
        "resigned": lambda: with_links([hashlib.sha256(stranger).digest(), *links[1:]])
        + make_car(root, [stranger])[59:],
    }[damage]()
    target = tmp_path / "bad.car"
    target.write_bytes(bad)
    fresh = make_node().start()
    done = import_(url_of(fresh), target)
    assert done.returncode == FAILURE and words in done.stderr.decode(), done
    assert str(target) in done.stderr.decode() and len(done.stderr.splitlines()) == 1, done
    assert fresh.request("GET", writer.path).status == 404
    assert fresh.missing([digest.hex() for digest in list(by_digest)[:20]]) == [
        digest.hex() for digest in list(by_digest)[:20]
    ]


def test_refs_that_nobody_has_are_told_before_anything_is_sent(make_node, filled, tmp_path):
    writer, _, path, bodies = filled
    root, blocks = car_blocks(path.read_bytes())
    target = tmp_path / "thin.car"
    target.write_bytes(make_car(root, [block for block in blocks.values() if block not in bodies]))
    other = make_node().start()
    done = import_(url_of(other), target)
    assert done.returncode == FAILURE and b"12 blocks are neither" in done.stderr, done
    assert other.request("GET", writer.path).status == 404
    for body in bodies:
        other.put(body)
    assert import_(url_of(other), target).returncode == OK


def test_blocks_in_any_order_and_strangers_among_them_do_no_harm(make_node, filled, tmp_path):
    writer, _, path, _ = filled
    root, blocks = car_blocks(path.read_bytes())
    target = tmp_path / "mixed.car"
    target.write_bytes(make_car(root, [b"a stranger", *reversed(blocks.values()), b"a stranger"]))
    other = make_node().start()
    assert import_(url_of(other), target).returncode == OK
    assert writer.head(other)["seq"] == 600
    assert other.missing([block_id(b"a stranger")]), "only what the chain refers to is stored"


def test_import_of_what_is_no_file(url, tmp_path):
    for path in (tmp_path, tmp_path / "absent", "-"):
        done = import_(url, path)
        assert done.returncode == FAILURE and done.stderr, done


def test_import_where_nothing_may_be_written_is_denied(make_node, filled):
    _, _, path, _ = filled
    node = make_node({"site": [{"hosts": ["*"], "write": "nobody"}]}).start()
    assert import_(url_of(node), path).returncode == DENIED


def test_an_import_that_the_node_leaves_exits_with_four(filled):
    import socket

    _, _, path, _ = filled
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = "http://127.0.0.1:%d" % unused.getsockname()[1]
        assert import_(url, path).returncode == UNREACHABLE
