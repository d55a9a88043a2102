"""The command line for chains: made, extended, read, followed, shared, verified, carried from node
to node; and what it says to a server that swaps, drops, reorders, goes back or forks.
"""

import hashlib
import json
import os
import pty
import struct
import subprocess
import threading
import time
import zlib

import pytest
from nacl import bindings

from cairn_node import binary_path, block_id, clean_environment, run_cli
from chain_server import ChainServer
from chain_writer import (
    CHECKPOINT,
    DELETE,
    DROP_EARLIER,
    ROTATE,
    ChainWriter,
    Signer,
    base64url,
    kdf,
    link_id,
    split_frames,
)

OK, FAILURE, USAGE, PARTIAL, UNREACHABLE, DENIED = range(6)


@pytest.fixture(scope="module")
def node(module_node):
    return module_node().start()


def url_of(node):
    return "http://%s:%d" % node.http


@pytest.fixture(scope="module")
def url(node):
    return url_of(node)


def chain(url, command, *args, **options):
    return run_cli("chain", command, "--server", url, *args, **options)


def capability_of(writer, kind="w", secret=None):
    secret = {"w": writer.secret, "r": secret or writer.read_secret, "v": b""}[kind]
    raw = b"\x01" + bytes.fromhex(writer.id) + secret
    return f"cairn_{kind}_{base64url(raw + struct.pack('<I', zlib.crc32(raw)))}\n".encode()


def secret_file(path, capability):
    path.write_bytes(capability)
    path.chmod(0o600)
    return path


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


def log_of(url, cap, *args, command="log", **options):
    done = chain(url, command, "--cap", cap, "--json", *args, **options)
    assert done.returncode == OK, done
    return [json.loads(line) for line in done.stdout.splitlines()]


def payload_of(entry):
    import base64

    text = entry["payload"]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# -- making, appending, reading ----------------------------------------------------------------------


def test_create_append_and_read_back(url, tmp_path, cap):
    assert cap.stat().st_mode & 0o777 == 0o600
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"first payload")
    two.write_bytes(bytes(range(256)) * 255)
    done = chain(url, "append", "--cap", cap, one, two)
    assert done.returncode == OK and not done.stderr, done
    done = chain(url, "append", "-c", cap, stdin=b"from standard input")
    assert done.returncode == OK and done.stdout.startswith(b"3  "), done
    entries = log_of(url, cap, "--payloads")
    assert [entry["seq"] for entry in entries] == [1, 2, 3]
    assert [payload_of(entry) for entry in entries] == [
        one.read_bytes(),
        two.read_bytes(),
        b"from standard input",
    ]
    assert entries[1]["prev"] == entries[0]["link"] and entries[0]["checked"] == "signature"
    target = tmp_path / "payload"
    done = chain(url, "log", "--cap", cap, "--payload", 2, "-o", target)
    assert done.returncode == OK and target.read_bytes() == two.read_bytes(), done
    done = chain(url, "log", "--cap", cap, "--payload", 1)
    assert done.stdout == b"first payload", done
    done = chain(url, "log", "--cap", cap, "--payload", 4)
    assert done.returncode == FAILURE and b"no link at seq 4" in done.stderr, done


def test_create_never_replaces_a_file_and_a_failed_one_leaves_none(url, tmp_path, cap):
    before = cap.read_bytes()
    done = chain(url, "create", "--out", cap)
    assert done.returncode == FAILURE and cap.read_bytes() == before, done
    done = chain(url, "create", "--out", tmp_path / "absent" / "cap")
    assert done.returncode == FAILURE and str(tmp_path / "absent") in done.stderr.decode(), done


def test_secrets_go_to_no_terminal_unless_asked(url, cap):
    def on_terminal(*args):
        master, slave = pty.openpty()
        done = subprocess.run(
            [str(binary_path()), "chain", *map(str, args)],
            stdin=subprocess.DEVNULL,
            stdout=slave,
            stderr=subprocess.PIPE,
            timeout=30,
            env=clean_environment(),
            check=False,
        )
        os.close(slave)
        try:
            seen = os.read(master, 65536)
        except OSError:
            seen = b""
        os.close(master)
        return done, seen

    done, seen = on_terminal("create", "--server", url)
    assert done.returncode == USAGE and not seen and b"--print" in done.stderr, done
    done, seen = on_terminal("create", "--server", url, "--print")
    assert done.returncode == OK and seen.startswith(b"cairn_w_"), (done, seen)
    done, seen = on_terminal("share", "--server", url, "--cap", cap)
    assert done.returncode == USAGE and not seen, (done, seen)
    done, seen = on_terminal("share", "--server", url, "--cap", cap, "--verify-only")
    assert done.returncode == OK and seen.startswith(b"cairn_v_"), (done, seen)


def test_capabilities_never_stand_in_the_arguments(url, cap):
    done = chain(url, "log", "--cap", cap.read_text().strip())
    assert done.returncode == UNREACHABLE or done.returncode == FAILURE, done
    assert b"No such file" in done.stderr, done


def test_the_nodes_own_reader_and_the_command_line_agree(node, url, writer, tmp_path):
    """What another implementation writes is read, and the other way round."""
    cap = secret_file(tmp_path / "cap", capability_of(writer))
    assert writer.append(node, [writer.next(b"by python"), writer.next(b"again")]).status == 201
    assert [payload_of(entry) for entry in log_of(url, cap, "--payloads")] == [
        b"by python",
        b"again",
    ]
    assert chain(url, "append", "--cap", cap, stdin=b"by cairn").returncode == OK
    raw = writer.links(node, 3)[0]
    assert raw[48:80] == writer.prev and raw[80:88] == bytes(8)
    clear, sealed = raw[:148], raw[148:-64]
    sealing = hashlib.blake2b(raw[:116], digest_size=64, key=writer.link_key).digest()
    assert sealing[32:] == raw[116:148]
    opened = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
        sealed, clear, bytes(24), sealing[:32]
    )
    assert opened == b"by cairn"


def test_append_in_json_is_the_nodes_receipt(node, url, cap):
    done = chain(url, "append", "--cap", cap, "--json", stdin=b"x")
    receipt = json.loads(done.stdout)
    assert done.returncode == OK and receipt["seq"] == 1, done
    assert receipt["links"] == [receipt["link"]]
    assert receipt["node"] == node.request("GET", "/v1/node").json()["key"]


def test_a_payload_over_the_limit_is_refused(url, cap, tmp_path):
    (tmp_path / "most").write_bytes(bytes(65520))
    (tmp_path / "over").write_bytes(bytes(65521))
    assert chain(url, "append", "--cap", cap, tmp_path / "most").returncode == OK
    done = chain(url, "append", "--cap", cap, tmp_path / "over")
    assert done.returncode == FAILURE and b"65520" in done.stderr, done
    done = chain(url, "append", "--cap", cap, tmp_path / "most", tmp_path / "absent")
    assert done.returncode == FAILURE and b"absent" in done.stderr, done
    assert len(log_of(url, cap)) == 1


def test_refs_must_be_held(node, url, cap):
    absent, held = block_id(b"absent ref"), node.put(b"held ref")
    done = chain(url, "append", "--cap", cap, "--ref", absent, stdin=b"x")
    assert done.returncode == FAILURE and absent.encode() in done.stderr, done
    done = chain(url, "append", "--cap", cap, "--ref", held, "--ref", held, stdin=b"x")
    assert done.returncode == OK, done
    assert log_of(url, cap)[0]["refs"] == [held, held]


def test_sixteen_writers_at_once_all_get_through(url, cap):
    procs = [
        subprocess.Popen(
            [str(binary_path()), "chain", "append", "--server", url, "--cap", str(cap), "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment(),
        )
        for _ in range(16)
    ]
    for number, proc in enumerate(procs):
        proc.stdin.write(b"writer %d" % number)
        proc.stdin.close()
    for proc in procs:
        assert proc.wait(60) == OK, proc.stderr.read()
        proc.stdout.close()
        proc.stderr.close()
    entries = log_of(url, cap, "--payloads")
    assert sorted(map(payload_of, entries)) == sorted(b"writer %d" % n for n in range(16))


def test_capability_and_payload_from_standard_input_is_wrong_usage(url, cap):
    assert chain(url, "append", "--cap", "-", stdin=cap.read_bytes()).returncode == USAGE
    done = chain(url, "append", "--cap", "-", "/etc/hostname", stdin=cap.read_bytes())
    assert done.returncode == OK, done


# -- sharing -----------------------------------------------------------------------------------------


def test_a_read_capability_reads_and_does_not_write(url, cap, tmp_path):
    chain(url, "append", "--cap", cap, stdin=b"for readers")
    reader, checker = tmp_path / "reader", tmp_path / "checker"
    done = chain(url, "share", "--cap", cap, "--out", reader)
    assert done.returncode == OK and reader.stat().st_mode & 0o777 == 0o600, done
    assert reader.read_bytes().startswith(b"cairn_r_")
    checker.write_bytes(chain(url, "share", "--cap", reader, "--verify-only").stdout)
    assert payload_of(log_of(url, reader, "--payloads")[0]) == b"for readers"
    assert "opens" not in log_of(url, checker)[0]
    for path in (reader, checker):
        assert chain(url, "append", "--cap", path, stdin=b"x").returncode == DENIED
    assert chain(url, "share", "--cap", checker).returncode == DENIED
    assert chain(url, "log", "--cap", checker, "--payload", 1).returncode == USAGE


def test_a_gated_chain_needs_the_capability(url, tmp_path):
    cap, checker = tmp_path / "gated", tmp_path / "checker"
    assert chain(url, "create", "--gated", "--out", cap).returncode == OK
    assert chain(url, "append", "--cap", cap, stdin=b"behind the gate").returncode == OK
    assert payload_of(log_of(url, cap, "--payloads")[0]) == b"behind the gate"
    checker.write_bytes(chain(url, "share", "--cap", cap, "--verify-only").stdout)
    done = chain(url, "log", "--cap", checker)
    assert done.returncode == DENIED and done.stderr, done


# -- epochs ------------------------------------------------------------------------------------------


def seal_unpadded(plaintext, key):
    head = b"B1\x01\x00" + os.urandom(24)
    sealing = hashlib.blake2b(head, digest_size=64, key=key).digest()
    head += sealing[32:]
    return head + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        plaintext, head, bytes(24), sealing[:32]
    )


def grants_for(writer, secret):
    """The payload by which a rotation hands `secret` to the owner (clients/js/FORMATS.md)."""
    receiver = bindings.crypto_scalarmult_base(kdf(writer.secret, 1, "cairn-g1"))
    seed = os.urandom(32)
    sender = bindings.crypto_scalarmult_base(seed)
    shared = bindings.crypto_scalarmult(seed, receiver)
    key = hashlib.blake2b(sender + receiver, digest_size=32, key=shared).digest()
    return b"cairn-grants-1" + sender + seal_unpadded(secret, key)


def rotate(writer, node, secret):
    """A new read epoch, as the SDK begins one."""
    grants = writer.next(grants_for(writer, secret))
    before, key = writer.read_secret, kdf(secret, 1, "cairn-r1")
    box = bindings.crypto_scalarmult_base(kdf(secret, 3, "cairn-r1"))
    token = kdf(secret, 4, "cairn-r1")
    writer.read_secret, writer.link_key, writer.fetch_token = secret, key, token
    refs = (box, hashlib.sha256(token).digest(), writer.writer.public)
    link = writer.next(before, refs, kind=ROTATE, epoch=writer.epoch + 1)
    writer.epoch += 1
    assert writer.append(node, [grants, link]).status == 201


def test_epochs_are_opened_by_owner_and_reader(node, url, writer, tmp_path):
    cap = secret_file(tmp_path / "cap", capability_of(writer))
    assert writer.append(node, [writer.next(b"epoch 0")]).status == 201
    first = secret_file(tmp_path / "first", capability_of(writer, "r"))
    for number in (1, 2):
        rotate(writer, node, os.urandom(32))
        assert writer.append(node, [writer.next(b"epoch %d" % number)]).status == 201
    wanted = [b"epoch 0", b"epoch 1", b"epoch 2"]
    newest = secret_file(tmp_path / "newest", capability_of(writer, "r"))
    shared = secret_file(tmp_path / "shared", chain(url, "share", "--cap", cap).stdout)
    assert shared.read_bytes() == newest.read_bytes()
    for path in (cap, newest):
        entries = log_of(url, path, "--payloads")
        read = [payload_of(entry) for entry in entries if entry["type"] == "data"]
        assert [payload for payload in read if not payload.startswith(b"cairn-grants-1")] == wanted
    entries = log_of(url, first, "--payloads")
    assert [entry["seq"] for entry in entries if "payload" in entry] == [1, 2]
    done = chain(url, "log", "--cap", first, "--payload", 7)
    assert done.returncode == DENIED and b"epoch 2" in done.stderr, done
    assert chain(url, "append", "--cap", cap, stdin=b"by the owner").returncode == OK
    assert payload_of(log_of(url, newest, "--payloads")[-1]) == b"by the owner"


# -- trimming and deleting -----------------------------------------------------------------------------


def test_trim_drops_and_the_chain_is_read_from_there(url, cap):
    for number in range(3):
        chain(url, "append", "--cap", cap, stdin=b"%d" % number)
    done = chain(url, "trim", "--cap", cap, stdin=b"all of it")
    assert done.returncode == OK, done
    chain(url, "append", "--cap", cap, stdin=b"after")
    entries = log_of(url, cap, "--payloads")
    assert [(entry["seq"], payload_of(entry)) for entry in entries] == [
        (4, b"all of it"),
        (5, b"after"),
    ]
    assert entries[0]["type"] == "checkpoint" and entries[0]["drops_earlier"]
    verdict = log_of(url, cap, command="verify")[0]
    assert (verdict["first"], verdict["links"], verdict["seq"]) == (4, 2, 5)


def test_writers_whom_a_later_rotate_link_replaced_are_vouched_for(node, url, writer, tmp_path):
    """Checkpoint, link, rotate: who signed the first two stands in a link that is gone."""
    other = Signer(os.urandom(32))
    refs = (writer.access[:32], writer.access[32:], other.public)
    links = [writer.next(b"", refs, kind=ROTATE)]
    links.append(writer.next(b"state", kind=CHECKPOINT, flags=DROP_EARLIER, signer=other))
    links.append(writer.next(b"by another", signer=other))
    back = (writer.access[:32], writer.access[32:], writer.writer.public)
    links.append(writer.next(b"", back, kind=ROTATE))
    links.append(writer.next(b"by the first again"))
    assert writer.append(node, links).status == 201
    cap = secret_file(tmp_path / "cap", capability_of(writer))
    entries = log_of(url, cap)
    assert [entry["checked"] for entry in entries] == [
        "vouched",
        "vouched",
        "signature",
        "signature",
    ]


def test_delete_ends_a_chain(url, cap):
    chain(url, "append", "--cap", cap, stdin=b"x")
    done = chain(url, "delete", "--cap", cap)
    assert done.returncode == USAGE and b"--yes" in done.stderr, done
    assert chain(url, "delete", "--cap", cap, "--yes").returncode == OK
    assert [entry["type"] for entry in log_of(url, cap)] == ["delete"]
    done = chain(url, "append", "--cap", cap, stdin=b"x")
    assert done.returncode == FAILURE and b"delete link" in done.stderr, done
    assert log_of(url, cap, command="follow")[-1:] == []


# -- following -----------------------------------------------------------------------------------------


def test_follow_prints_links_as_they_come(url, cap):
    chain(url, "append", "--cap", cap, stdin=b"before")
    process = subprocess.Popen(
        [str(binary_path()), "chain", "follow", "--server", url, "--cap", str(cap)]
        + ["--json", "--payloads", "--from", "1", "--count", "4"],
        stdout=subprocess.PIPE,
        env=clean_environment(),
    )
    first = json.loads(process.stdout.readline())
    assert payload_of(first) == b"before"
    for number in range(3):
        asked = time.monotonic()
        chain(url, "append", "--cap", cap, stdin=b"%d" % number)
        entry = json.loads(process.stdout.readline())
        assert payload_of(entry) == b"%d" % number
        assert time.monotonic() - asked < 10
    assert process.wait(10) == OK
    process.stdout.close()


def test_follow_outlives_a_restart_of_the_node(make_node, tmp_path):
    node = make_node({"listen": {"http": ["127.0.0.1:0"]}}).start()
    port = node.http[1]
    cap = tmp_path / "cap"
    assert chain(url_of(node), "create", "--out", cap).returncode == OK
    process = subprocess.Popen(
        [str(binary_path()), "chain", "follow", "--server", url_of(node), "--cap", str(cap)]
        + ["--json", "--from", "1", "--count", "2"],
        stdout=subprocess.PIPE,
        env=clean_environment(),
    )
    chain(url_of(node), "append", "--cap", cap, stdin=b"one")
    assert json.loads(process.stdout.readline())["seq"] == 1
    node.stop()
    node.config["listen"]["http"] = [f"127.0.0.1:{port}"]
    node.write_config()
    node.start()
    chain(url_of(node), "append", "--cap", cap, stdin=b"two")
    assert json.loads(process.stdout.readline())["seq"] == 2
    assert process.wait(30) == OK
    process.stdout.close()


# -- verifying -----------------------------------------------------------------------------------------


def test_verify_checks_links_and_refs(node, url, cap):
    held = node.put(b"verified ref")
    chain(url, "append", "--cap", cap, "--ref", held, stdin=b"x")
    verdict = log_of(url, cap, command="verify")[0]
    assert (verdict["links"], verdict["refs"], verdict["refs_missing"]) == (1, 1, 0)
    done = chain(url, "verify", "--cap", cap)
    assert done.returncode == OK and b"1 refs, 0 missing" in done.stdout, done


def test_verify_names_refs_that_are_missing(tmp_path):
    writer = ChainWriter()
    refs = [hashlib.sha256(b"%d" % number).digest() for number in range(3)]
    server = ChainServer(writer, [writer.next(b"x", refs)])
    server.held = {refs[0].hex()}
    try:
        cap = secret_file(tmp_path / "cap", capability_of(writer))
        done = chain(server.url, "verify", "--cap", cap)
        assert done.returncode == PARTIAL, done
        for ref in refs[1:]:
            assert b"missing  " + ref.hex().encode() in done.stdout, done
        assert refs[0].hex().encode() not in done.stdout
    finally:
        server.close()


def test_a_long_chain_is_verified_page_by_page(node, url, writer, tmp_path):
    for _ in range(5):
        assert writer.append(node, writer.several(250)).status == 201
    cap = secret_file(tmp_path / "cap", capability_of(writer))
    verdict = log_of(url, cap, command="verify")[0]
    assert (verdict["links"], verdict["link"]) == (1250, writer.prev.hex())
    assert len(log_of(url, cap, "--from", 1200)) == 51


# -- servers that lie ------------------------------------------------------------------------------------


@pytest.fixture
def hostile(tmp_path):
    """A chain of six links and a server that shows it, at first as it is."""
    writer = ChainWriter()
    server = ChainServer(writer, writer.several(6))
    server.cap = secret_file(tmp_path / "cap", capability_of(writer))
    server.honest = list(server.links)
    yield server
    server.close()


def forged(writer, at, payload=b"forged"):
    """Another link of the true writer's at that seq: what only a fork can show."""
    past = ChainWriter(secret=writer.secret)
    links = past.several(at - 1)
    return links, past.make(payload)


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
    hostile_url, empty.cap = hostile.url, hostile.cap
    try:
        empty.answer_get = lambda request: __import__("chain_server").problem(
            request, 404, "no-such-chain"
        )
        assert evidence(empty, "--heads", heads)["error"] == "rollback"
        done = chain(empty.url, "log", "--cap", hostile.cap)
        assert done.returncode == FAILURE and b"no such chain" in done.stderr, done
    finally:
        empty.close()
    assert hostile_url


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


def test_a_server_of_something_else_is_told_apart(node, cap):
    done = chain("http://%s:%d" % node.admin, "log", "--cap", cap)
    assert done.returncode == FAILURE and b"not as a Cairn site" in done.stderr, done


def test_nobody_there_exits_with_four(cap):
    import socket

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = "http://127.0.0.1:%d" % unused.getsockname()[1]
        for command in ("log", "follow", "verify", "append", "share"):
            assert chain(url, command, "--cap", cap, stdin=b"x").returncode == UNREACHABLE, command


# -- export and import -----------------------------------------------------------------------------------


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


def export(url, *args, **options):
    return run_cli("export", "--server", url, *args, **options)


def import_(url, *args, **options):
    return run_cli("import", "--server", url, *args, **options)


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


def test_an_export_that_fails_leaves_no_file(hostile, tmp_path):
    hostile.links[3] = hostile.honest[4]
    target = tmp_path / "out" / "x.car"
    target.parent.mkdir()
    done = export(hostile.url, "--cap", hostile.cap, "-o", target)
    assert done.returncode == FAILURE and list(target.parent.iterdir()) == [], done


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


# -- progress --------------------------------------------------------------------------------------------


def test_progress_of_verify_on_a_terminal_is_a_bar(node, url, writer, tmp_path):
    for _ in range(4):
        assert writer.append(node, writer.several(250)).status == 201
    cap = secret_file(tmp_path / "cap", capability_of(writer))
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [str(binary_path()), "chain", "verify", "--server", url, "--cap", str(cap)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=slave,
        env=clean_environment({"TERM": "xterm"}),
    )
    os.close(slave)
    seen = bytearray()

    def read():
        try:
            while part := os.read(master, 65536):
                seen.extend(part)
        except OSError:
            pass

    reader = threading.Thread(target=read)
    reader.start()
    assert b"1000 links" in process.stdout.read()
    assert process.wait(30) == OK
    process.stdout.close()
    reader.join(10)
    os.close(master)
    assert b"] 100% verified 1000 of 1000 links" in seen, bytes(seen)
    quiet = chain(url, "verify", "--cap", cap, "--quiet")
    assert not quiet.stderr, quiet
