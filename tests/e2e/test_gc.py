"""Garbage: blocks that nothing pins go after their grace, the others stay; the operator's hand."""

import json
import time

import pytest

from cairn_node import block_id, run_cli
from chain_writer import CHECKPOINT, DROP_EARLIER, ChainWriter


def gc(node, *words):
    config = ["--config", str(node.config_path), "--set", f"listen.admin={node.admin[0]}:{node.admin[1]}"]
    return run_cli("gc", *words, *config)


@pytest.fixture
def node(make_node):
    return make_node({"storage": {"grace_s": 1}}).start()


def collected(node):
    answer = gc(node, "run", "--json")
    assert answer.returncode == 0, answer
    return json.loads(answer.stdout)


def test_what_nothing_pins_goes_and_what_a_link_pins_stays(node):
    lone, pinned = node.put(b"lone"), node.put(b"pinned" * 20_000)
    chain = ChainWriter()
    chain.create(node)
    assert chain.append(node, [chain.next(refs=[bytes.fromhex(pinned)])]).status == 201
    until = time.monotonic() + 30
    while node.missing([lone]) == []:
        assert time.monotonic() < until, "it never went"
        time.sleep(0.1)
    assert node.missing([pinned]) == []
    # Read again where it may be in memory only: still the right bytes, or none.
    assert node.get(pinned).body == b"pinned" * 20_000
    dropping = chain.next(kind=CHECKPOINT, flags=DROP_EARLIER)
    assert chain.append(node, [dropping]).status == 201
    while node.missing([pinned]) == []:
        assert time.monotonic() < until + 30, "it never went"
        time.sleep(0.1)
    status = collected(node)
    assert status["erased_blocks"] >= 2 and status["erased_bytes"] >= 120_000
    assert status["trimmed_links"] == 1 and status["trims_waiting"] == 0
    # Stored again it is there again.
    assert node.put(b"lone") == lone == block_id(b"lone")
    assert node.get(lone).body == b"lone"


def test_a_put_keeps_a_block_for_another_grace(make_node):
    node = make_node({"storage": {"grace_s": 3}}).start()
    name = node.put(b"again and again")
    until = time.monotonic() + 7
    while time.monotonic() < until:
        node.put(b"again and again")
        assert node.missing([name]) == []
        time.sleep(0.2)
    assert collected(node)["erased_blocks"] == 0


def test_status_and_metrics_tell_and_off_is_off(make_node, node):
    words = gc(node, "status")
    assert words.returncode == 0 and b"go 1 s after their last put" in words.stdout
    assert b"reclaimed" in words.stdout
    assert b"cairn_gc_erased_bytes_total" in node.admin_request("GET", "/metrics").body
    kept = make_node({"storage": {"grace_s": 0}}).start()
    refused = gc(kept, "run")
    assert refused.returncode == 1 and b"storage.grace_s" in refused.stderr
    assert b"for ever" in gc(kept, "status").stdout
    kept.stop()
    gone = run_cli("gc", "status", "--config", kept.config_path, "--set", "listen.admin=127.0.0.1:1")
    assert gone.returncode == 4 and b"does the node run" in gone.stderr
