"""The command line for chains: made, extended, read, followed, shared, verified."""

import hashlib
import json
import os
import pty
import subprocess
import threading
import time

import pytest
from nacl import bindings

from cairn_node import binary_path, block_id, clean_environment
from chain_cli import (
    DENIED,
    FAILURE,
    OK,
    PARTIAL,
    USAGE,
    capability_of,
    chain,
    log_of,
    payload_of,
    secret_file,
    url_of,
)
from chain_server import ChainServer
from chain_writer import CHECKPOINT, DROP_EARLIER, ROTATE, ChainWriter, Signer, kdf


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
    assert done.returncode == FAILURE and b"No such file" in done.stderr, done


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
