"""What the chain commands say to a server that swaps, drops, reorders, goes back, forks or is none:
nothing of it is believed, and what can be shown is shown with both links.
"""

import json
import os
import struct
import subprocess

import pytest

from cairn_node import binary_path, clean_environment
from chain_cli import (
    FAILURE,
    UNREACHABLE,
    capability_of,
    chain,
    export,
    log_of,
    secret_file,
)
from chain_server import ChainServer, problem
from chain_writer import (
    CHECKPOINT,
    DROP_EARLIER,
    ROTATE,
    ChainWriter,
    Signer,
    base64url,
    link_id,
    split_frames,
)


@pytest.fixture
def hostile(tmp_path):
    """A chain of six links and a server that shows it, at first as it is."""
    writer = ChainWriter()
    server = ChainServer(writer, writer.several(6))
    server.cap = secret_file(tmp_path / "cap", capability_of(writer))
    server.honest = list(server.links)
    yield server
    server.close()


def evidence(server, *args, command="log"):
    """The breach in JSON; the words must stand on standard error too."""
    done = chain(server.url, command, "--cap", server.cap, "--json", *args)
    assert done.returncode == FAILURE and done.stderr.startswith(b"cairn: "), done
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("command", ["log", "verify", "follow"])
def test_a_changed_link_is_broken(hostile, command):
    changed = bytearray(hostile.links[3])
    changed[-1] ^= 1
    hostile.links[3] = bytes(changed)
    hostile.links[5:] = [hostile.honest[5]]
    told = evidence(hostile, *(["--from", "1"] if command == "follow" else []), command=command)
    assert told["error"] == "broken" and told["theirs"]["seq"] == 4, told
    assert told["theirs"]["link"] == link_id(bytes(changed))
    assert told["ours"] == {
        "seq": 3,
        "link": link_id(hostile.honest[2]),
        "bytes": base64url(hostile.honest[2]),
    }
    assert told["theirs"]["bytes"] == base64url(bytes(changed))


def test_swapped_dropped_and_reordered_links_are_broken(hostile):
    honest = hostile.honest
    stranger = ChainWriter()
    for links in (
        honest[:2] + [honest[3], honest[2]] + honest[4:],
        honest[:2] + honest[3:],
        honest[:2] + [stranger.next()] + honest[3:],
        honest[:2] + [honest[1]] + honest[3:],
        honest[:5] + [b"no link"],
    ):
        hostile.links = links
        assert evidence(hostile)["error"] == "broken"


def test_links_that_are_missing_are_told(hostile):
    hostile.claimed = {"seq": 9, "link": "0" * 64}
    told = evidence(hostile)
    assert told["error"] == "broken" and "missing" in told["words"], told


def test_a_head_of_another_link_is_broken(hostile):
    hostile.claimed = {"link": "0" * 64}
    told = evidence(hostile)
    assert told["error"] == "broken" and "head" in told["words"], told


def test_a_checkpoint_that_nobody_signed_opens_no_door(hostile):
    """A chain said to be trimmed must begin with a checkpoint of one of its writers."""
    hostile.claimed = {"trimmed_before": 3}
    assert "no checkpoint" in evidence(hostile)["words"]
    writer = ChainWriter(secret=hostile.writer.secret)
    writer.several(2)
    intruder = Signer(os.urandom(32))
    hostile.links[2] = writer.make(kind=CHECKPOINT, flags=DROP_EARLIER, signer=intruder)
    hostile.links = hostile.links[:3]
    hostile.claimed = {"seq": 3, "link": link_id(hostile.links[2]), "trimmed_before": 3}
    told = evidence(hostile)
    assert told["error"] == "broken" and "signature" in told["words"], told
    access = hostile.writer.access
    fake = writer.make(b"", (access[:32], access[32:], intruder.public), ROTATE, signer=intruder)
    hostile.claimed["rotated_at"] = 2
    hostile.pages = {2: [fake]}
    assert evidence(hostile)["error"] == "broken"


def test_a_manifest_of_another_chain_is_refused(hostile):
    hostile.writer.manifest = ChainWriter().manifest
    done = chain(hostile.url, "log", "--cap", hostile.cap)
    assert done.returncode == FAILURE and b"manifest" in done.stderr, done


def test_going_back_is_told_with_both_links(hostile, tmp_path):
    heads = tmp_path / "heads"
    args = ("--heads", heads)
    assert len(log_of(hostile.url, hostile.cap, *args)) == 6
    hostile.links = hostile.honest[:4]
    told = evidence(hostile, *args)
    assert told["error"] == "rollback", told
    assert told["ours"] == {
        "seq": 6,
        "link": link_id(hostile.honest[5]),
        "bytes": base64url(hostile.honest[5]),
    }
    assert told["theirs"] == {
        "seq": 4,
        "link": link_id(hostile.honest[3]),
        "bytes": base64url(hostile.honest[3]),
    }
    done = chain(hostile.url, "verify", "--cap", hostile.cap, *args)
    assert done.returncode == FAILURE, done
    assert base64url(hostile.honest[5]).encode() in done.stderr
    assert base64url(hostile.honest[3]).encode() in done.stderr
    # Nothing was forgotten over it, and without the memory there is nothing to notice.
    assert evidence(hostile, *args)["error"] == "rollback"
    assert len(log_of(hostile.url, hostile.cap)) == 4


def test_a_fork_is_told_with_both_links(hostile, tmp_path):
    heads = tmp_path / "heads"
    assert len(log_of(hostile.url, hostile.cap, "--heads", heads)) == 6
    other = ChainWriter(secret=hostile.writer.secret)
    for link in hostile.honest[:5]:
        other.advance(link)
    hostile.links = hostile.honest[:5] + [other.next(b"for somebody else")]
    for _ in range(2):
        told = evidence(hostile, "--heads", heads)
        assert told["error"] == "fork" and told["ours"]["seq"] == told["theirs"]["seq"] == 6, told
        assert told["ours"]["bytes"] == base64url(hostile.honest[5])
        assert told["theirs"]["bytes"] == base64url(hostile.links[5])
        hostile.links = hostile.links + [other.next(b"and on")]


def test_a_chain_that_is_gone_has_gone_back(hostile, tmp_path):
    heads = tmp_path / "heads"
    log_of(hostile.url, hostile.cap, "--heads", heads)
    empty = ChainServer(ChainWriter(), [])
    empty.cap = hostile.cap
    try:
        empty.answer_get = lambda request: problem(request, 404, "no-such-chain")
        assert evidence(empty, "--heads", heads)["error"] == "rollback"
        done = chain(empty.url, "log", "--cap", hostile.cap)
        assert done.returncode == FAILURE and b"no such chain" in done.stderr, done
    finally:
        empty.close()


def test_a_follower_sees_a_chain_go_back(hostile):
    process = subprocess.Popen(
        [str(binary_path()), "chain", "follow", "--server", hostile.url]
        + ["--cap", str(hostile.cap), "--from", "1", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(),
    )
    for seq in range(1, 7):
        assert json.loads(process.stdout.readline())["seq"] == seq
    hostile.links = hostile.honest[:3]
    assert json.loads(process.stdout.readline())["error"] == "rollback"
    assert process.wait(10) == FAILURE
    process.stdout.close()
    process.stderr.close()


def test_an_append_is_made_on_nothing_but_a_checked_head(hostile):
    hostile.links[2] = hostile.honest[3]
    done = chain(hostile.url, "append", "--cap", hostile.cap, stdin=b"x")
    assert done.returncode == FAILURE and not hostile.appends, done


def test_a_conflict_without_news_is_no_reason_to_try_for_ever(hostile):
    body = {"type": "/problems/conflict", "title": "Somebody else was first.", "status": 409}
    hostile.on_append = lambda server, raw: (409, json.dumps(body).encode())
    done = chain(hostile.url, "append", "--cap", hostile.cap, "--json", stdin=b"x")
    told = json.loads(done.stdout)
    assert done.returncode == FAILURE and len(hostile.appends) == 1, done
    assert told["error"] == "broken" and "refuses" in told["words"], told


def test_a_lost_race_is_built_anew_on_what_was_first(hostile):
    """The first append loses against a link that the server shows then; the second stands on it."""

    def lose_once(server, raw):
        if len(server.appends) == 1:
            server.links.append(server.writer.next(b"first"))
            return 409, b'{"type":"/problems/conflict","title":"c","status":409}'
        return 500, b"{}"

    hostile.on_append = lose_once
    done = chain(hostile.url, "append", "--cap", hostile.cap, stdin=b"second")
    assert done.returncode == FAILURE and len(hostile.appends) == 2, done
    (link,) = split_frames(hostile.appends[1])
    assert struct.unpack_from("<Q", link, 40) == (8,) and link[48:80] == hostile.writer.prev


def test_a_forged_receipt_is_no_success(hostile):
    def receipt(server, raw):
        (link,) = split_frames(raw)
        body = {
            "chain": server.writer.id,
            "seq": 7,
            "link": link_id(link),
            "epoch": 0,
            "time": 1,
            "node": base64url(Signer(bytes(32)).public),
            "signature": base64url(bytes(64)),
        }
        return 201, json.dumps(body).encode()

    hostile.on_append = receipt
    done = chain(hostile.url, "append", "--cap", hostile.cap, stdin=b"x")
    assert done.returncode == FAILURE and b"receipt" in done.stderr, done


def test_a_server_of_something_else_is_told_apart(make_node, hostile):
    node = make_node().start()
    done = chain("http://%s:%d" % node.admin, "log", "--cap", hostile.cap)
    assert done.returncode == FAILURE and b"not as a Cairn site" in done.stderr, done


def test_nobody_there_exits_with_four(hostile):
    import socket

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = "http://127.0.0.1:%d" % unused.getsockname()[1]
        for command in ("log", "follow", "verify", "append", "share"):
            assert chain(url, command, "--cap", hostile.cap, stdin=b"x").returncode == UNREACHABLE, command


def test_an_export_that_fails_leaves_no_file(hostile, tmp_path):
    hostile.links[3] = hostile.honest[4]
    target = tmp_path / "out" / "x.car"
    target.parent.mkdir()
    done = export(hostile.url, "--cap", hostile.cap, "-o", target)
    assert done.returncode == FAILURE and list(target.parent.iterdir()) == [], done


def swap_after_first_page(hostile):
    """From the second page on the server shows another link at seq 4, signed by the true writer."""
    other = ChainWriter(secret=hostile.writer.secret)
    for link in hostile.honest[:3]:
        other.advance(link)
    swapped = hostile.honest[:3] + [other.next(b"another")] + hostile.honest[4:]

    def on_page(server, before):
        if before > 0:
            server.links = swapped

    hostile.on_page = on_page


def test_what_is_exported_is_what_was_checked(hostile, tmp_path):
    swap_after_first_page(hostile)
    target = tmp_path / "out" / "x.car"
    target.parent.mkdir()
    done = export(hostile.url, "--cap", hostile.cap, "-o", target)
    assert done.returncode == FAILURE and b"another than it was" in done.stderr, done
    assert list(target.parent.iterdir()) == []


def test_the_payload_that_is_written_is_of_the_link_that_was_checked(hostile):
    swap_after_first_page(hostile)
    done = chain(hostile.url, "log", "--cap", hostile.cap, "--payload", 4)
    assert done.returncode == FAILURE and not done.stdout, done
    assert b"another link is shown at seq 4" in done.stderr, done


def test_a_chain_that_is_trimmed_while_it_is_read_is_no_broken_one(tmp_path):
    writer = ChainWriter()
    links = writer.several(289)
    links += [writer.next(b"state", kind=CHECKPOINT, flags=DROP_EARLIER), *writer.several(10)]
    server = ChainServer(writer, links)

    def on_page(shown, before):
        if before > 0:
            shown.claimed = {"trimmed_before": 290}
            shown.pages = {257: links[289:]}

    server.on_page = on_page
    try:
        server.cap = secret_file(tmp_path / "cap", capability_of(writer))
        seqs = [entry["seq"] for entry in log_of(server.url, server.cap)]
        assert seqs == [*range(1, 257), *range(290, 301)]
        server.claimed = {"trimmed_before": 1}
        server.on_page = None
        assert evidence(server)["theirs"]["seq"] == 290, "said to be whole, it is broken"
    finally:
        server.close()
