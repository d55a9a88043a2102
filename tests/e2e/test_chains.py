"""Chains over the wire: creating, appending, reading, racing, gates and what is refused.

Rows 22, 23 and 25 of the bad-input families are here: whatever is refused leaves the chain as it
was.
"""

import hashlib
import os
import struct
import threading
import time

from cairn_node import block_id
from chain_writer import (
    ADMIN,
    CHECKPOINT,
    DELETE,
    DROP_EARLIER,
    LINKS_TYPE,
    ROTATE,
    ChainWriter,
    Signer,
    base64url,
    frames,
    link_id,
)
from raw_http import encode_request

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
SMALL_ORDER_KEYS = (
    bytes(32),
    b"\x01" + bytes(31),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
)


def test_links_come_back_in_order_also_after_a_restart(node):
    chain = ChainWriter()
    assert chain.create(node).status == 201
    assert chain.create(node).status == 200
    sent = []
    for count in (1, 255, 256, 3):
        links = chain.several(count)
        sent += links
        answer = chain.append(node, links)
        assert answer.status == 201, answer
        receipt = answer.json()
        assert (receipt["seq"], receipt["link"]) == (chain.seq, chain.prev.hex())
    node.restart()
    head = chain.head(node)
    assert (head["seq"], head["link"], head["trimmed_before"]) == (515, chain.prev.hex(), 1)
    got = []
    while len(got) < len(sent):
        got += chain.links(node, len(got) + 1, 100)
    assert got == sent
    assert node.request("GET", f"{chain.path}/manifest").body == chain.manifest


def test_the_nodes_key_outlives_a_restart_and_signs_receipts(node, chain):
    key = node.request("GET", "/v1/node").json()["key"]
    node.restart()
    receipt = chain.append(node, [chain.next()]).json()
    assert receipt["node"] == key == node.request("GET", "/v1/node").json()["key"]
    assert (node.data_dir / "node.key").stat().st_mode & 0o777 == 0o600


def test_a_node_refuses_a_key_that_others_may_read_or_that_is_none(node):
    assert node.stop() == 0
    key = node.data_dir / "node.key"
    key.chmod(0o640)
    node.launch()
    assert node.wait() == 1 and "chmod 600" in node.output()
    key.chmod(0o600)
    key.write_bytes(b"short")
    node.launch()
    assert node.wait() == 1 and "not a secret of 32 bytes" in node.output()


def test_refs_must_be_held_and_are_named(node, chain):
    held = bytes.fromhex(node.put(b"held"))
    gone = hashlib.sha256(b"gone").digest()
    refused = chain.append(node, [chain.make(refs=[held, gone])])
    assert refused.status == 424 and refused.json()["missing"] == [gone.hex()]
    assert chain.head(node)["seq"] == 3
    node.put(b"gone")
    assert chain.append(node, [chain.next(refs=[held, gone])]).status == 201


def broken_links(chain):
    """(name, link, statuses) of links that must not be taken; row 22."""
    good = chain.make()
    far = 2**64 - 1
    other = hashlib.sha256(b"other").digest()
    changed = lambda at, raw: good[:at] + raw + good[at + len(raw) :]  # noqa: E731
    yield from (("truncated", good[:size], 422) for size in (1, 3, 147, 148, 200, len(good) - 1))
    yield "trailing byte", good + b"\0", 422
    yield "magic", changed(0, b"L2"), 422
    yield "suite", changed(2, b"\2"), 422
    yield "type 0", changed(3, b"\0"), 422
    yield "type 5", changed(3, b"\5"), 422
    yield "flags of data", changed(4, b"\1\0\0\0"), 422
    yield "ctLen past the end", changed(88, struct.pack("<I", len(good))), 422
    yield "ctLen huge", changed(88, b"\xff\xff\xff\xff"), 422
    yield "nrefs past the end", changed(86, b"\1\0"), 422
    yield "nrefs huge", changed(86, b"\xff\xff"), 422
    yield "seq gap", chain.make(seq=chain.seq + 2), 422
    yield "seq 0", chain.make(seq=0), 422
    yield "last seq", chain.make(seq=far), 422
    yield "seq taken", chain.make(seq=chain.seq), 409
    yield "wrong prev", chain.make(prev=other), 409
    yield "wrong chain", chain.make(chain=other), 422
    yield "epoch", chain.make(epoch=1), 422


def test_row_22_malformed_links_change_nothing(node, chain):
    before = chain.head(node)
    for name, link, status in broken_links(chain):
        answer = chain.append(node, [link])
        assert answer.status == status, (name, answer)
        assert answer.json()["hint"], name
        # All or none: a good link in front of it does not go in either.
        if name not in ("seq taken", "wrong prev"):
            ahead = ChainWriter(secret=chain.secret)
            ahead.seq, ahead.prev = chain.seq, chain.prev
            assert chain.append(node, [ahead.next(), link]).status in (409, 422), name
    assert chain.head(node) == before
    assert chain.append(node, [chain.next()]).status == 201


def signed_by_others(chain):
    """(name, link) whose signature is not one of a writer's; row 23."""
    good = chain.make()
    point, scalar = good[-64:-32], int.from_bytes(good[-32:], "little")
    yield "S + L", good[:-32] + (scalar + GROUP_ORDER).to_bytes(32, "little")
    yield "flipped R", good[:-64] + bytes([point[0] ^ 1]) + good[-63:]
    yield "flipped S", good[:-1] + bytes([good[-1] ^ 1])
    yield "flipped body", good[:150] + bytes([good[150] ^ 1]) + good[151:]
    yield "R of small order", good[:-64] + SMALL_ORDER_KEYS[1] + good[-32:]
    yield "zeros", good[:-64] + bytes(64)
    yield "a stranger", chain.make(signer=Signer(os.urandom(32)))
    yield "unknown writer", chain.make(writer=1)
    yield "delete by a writer", chain.make(kind=DELETE, signer=chain.writer)
    yield "rotate by a writer", chain.make(
        kind=ROTATE, signer=chain.writer, refs=rotate_refs(chain, chain.writer.public)
    )


def rotate_refs(chain, *writers):
    return [chain.access[:32], chain.access[32:], *writers]


def test_row_23_signatures_of_others_are_denied(node, chain):
    before = chain.head(node)
    for name, link in signed_by_others(chain):
        answer = chain.append(node, [link])
        assert answer.status == 403 and answer.json()["type"] == "/problems/link-denied", (
            name,
            answer,
        )
    assert chain.head(node) == before


def test_row_23_manifests_with_bad_keys_are_refused(node):
    good = ChainWriter().manifest
    for at in (20, 117):
        for key in SMALL_ORDER_KEYS:
            manifest = good[:at] + key + good[at + 32 :]
            name = hashlib.sha256(manifest).hexdigest()
            answer = node.request("PUT", f"/v1/chains/{name}", body=manifest)
            assert answer.status == 422, (at, key.hex(), answer)
            assert node.request("GET", f"/v1/chains/{name}").status == 404
    for manifest in (b"", b"M1", good[:-1], good + b"\0", good[:116] + b"\0" + good[117:]):
        name = hashlib.sha256(manifest).hexdigest()
        assert node.request("PUT", f"/v1/chains/{name}", body=manifest).status == 422
    other = hashlib.sha256(b"x").hexdigest()
    assert node.request("PUT", f"/v1/chains/{other}", body=good).status == 422


def test_row_25_the_same_append_twice_is_one_append(node, chain):
    links = chain.several(2)
    assert chain.append(node, links).status == 201
    again = chain.append(node, links)
    assert again.status == 200 and again.json()["seq"] == 5
    longer = links + [chain.next()]
    assert chain.append(node, longer).status == 201
    assert chain.head(node)["seq"] == 6


def test_a_race_at_one_seq_has_one_winner_and_the_others_are_told(node, chain):
    contenders = [chain.make(b"contender %d" % number) for number in range(8)]
    answers = [None] * len(contenders)

    def run(number):
        answers[number] = chain.append(node, [contenders[number]])

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [number for number, answer in enumerate(answers) if answer.status == 201]
    assert len(winners) == 1, answers
    for number, answer in enumerate(answers):
        if number == winners[0]:
            continue
        told = answer.json()
        assert answer.status == 409 and told["head"]["seq"] == 4
        assert told["links"] == [base64url(contenders[winners[0]])]
    assert chain.links(node, 4) == [contenders[winners[0]]]


def test_a_checkpoint_drops_and_a_rotation_changes_who_writes(node, chain):
    fresh = Signer(os.urandom(32))
    rotate = chain.next(kind=ROTATE, refs=rotate_refs(chain, fresh.public))
    assert chain.append(node, [rotate]).status == 201
    assert chain.append(node, [chain.make()]).status == 403
    checkpoint = chain.next(kind=CHECKPOINT, flags=DROP_EARLIER, signer=fresh)
    assert chain.append(node, [checkpoint]).status == 201
    head = chain.head(node)
    assert (head["trimmed_before"], head["rotated_at"]) == (5, 4)
    assert chain.links(node, 1) == [checkpoint]
    assert chain.links(node, 4, 1) == [rotate]


def test_a_deleted_chain_is_gone_for_good(node, chain):
    last = chain.next(kind=DELETE)
    assert chain.append(node, [last]).status == 201
    assert chain.head(node)["deleted"] is True
    assert chain.links(node) == [last]
    for answer in (
        chain.append(node, [chain.make()]),
        node.request("PUT", chain.path, body=chain.manifest),
    ):
        assert answer.status == 410, answer
    assert chain.append(node, [last]).status == 200


def test_a_gated_chain_opens_to_its_token_alone(node):
    chain = ChainWriter(gated=True)
    chain.create(node)
    assert chain.append(node, chain.several(2)).status == 201
    stranger = ChainWriter()
    for part in ("", "/manifest", "/links", "/events"):
        for headers in ([], [stranger.gate], [("Authorization", "Bearer x")]):
            answer = node.request("GET", chain.path + part, headers)
            assert answer.status == 401, (part, headers, answer)
            assert answer.get("WWW-Authenticate") == "Cairn-Fetch"
    assert chain.head(node, [chain.gate])["seq"] == 2
    assert len(chain.links(node, headers=[chain.gate])) == 2


def test_bodies_over_the_limits_are_refused_before_they_are_read(node, chain):
    with node.connect() as connection:
        connection.send(
            encode_request(
                "POST", f"{chain.path}/links", [LINKS_TYPE, ("Content-Length", str(1 << 30))]
            )
        )
        assert connection.read_response().status == 413
    many = frames([b"x"] * 257)
    assert node.request("POST", f"{chain.path}/links", [LINKS_TYPE], many).status == 413
    largest = chain.next(os.urandom(65_520), refs=[bytes.fromhex(node.put(b"r"))] * 1024)
    assert chain.append(node, [largest]).status == 201


def test_a_waiting_read_ends_with_news_or_at_its_time(node, chain):
    tag = f'"{chain.prev.hex()}"'
    headers = [("If-None-Match", tag), ("Prefer", "wait=20")]
    link = chain.make()
    with node.connect(timeout=15) as connection:
        connection.send(encode_request("GET", chain.path, headers))
        connection.expect_quiet(0.2)
        assert chain.append(node, [link]).status == 201
        answer = connection.read_response()
    assert answer.status == 200 and answer.json()["link"] == link_id(link)
    assert answer.get("Preference-Applied") == "wait"
    chain.advance(link)
    headers = [("If-None-Match", f'"{chain.prev.hex()}"'), ("Prefer", "wait=1")]
    assert node.request("GET", chain.path, headers).status == 304


def test_checking_256_signatures_does_not_hold_others_up(node, chain):
    """Reads are timed while appends of 256 links are checked; one core serves both."""
    name = node.put(b"hot")
    node.get(name)
    batches = [chain.several(256) for _ in range(4)]
    done = threading.Event()

    def write():
        for batch in batches:
            assert chain.append(node, batch).status == 201
        done.set()

    writer = threading.Thread(target=write)
    waits = []
    with node.connect() as connection:
        request = encode_request("GET", f"/v1/blocks/{name}")
        writer.start()
        while not done.is_set():
            begin = time.monotonic()
            connection.send(request)
            assert connection.read_response().status == 200
            waits.append(time.monotonic() - begin)
    writer.join()
    waits.sort()
    middle, late = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
    print(f"{len(waits)} reads beside 1,024 checks: median {middle:.6f} s, p99 {late:.6f} s")
    assert middle < 0.005 and late < 0.2


def test_unknown_chains_and_bad_ids(node):
    unknown = ChainWriter()
    assert node.request("GET", unknown.path).status == 404
    assert unknown.append(node, [unknown.make()]).status == 404
    for name in ("", "x", "A" * 64, "ab" * 31, "ab" * 33, unknown.id.upper()):
        answer = node.request("GET", f"/v1/chains/{name}")
        assert answer.status in (400, 404), (name, answer)
    assert block_id(unknown.manifest) == unknown.id
    assert ADMIN == 0xFFFF
