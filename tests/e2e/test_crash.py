"""`kill -9` in a write storm: what was acknowledged is there, whole, after every crash.

A ledger in the test process, outside the fault domain, records each call: invoked, acknowledged,
refused or unknown. After each crash the node starts within its bound, every acknowledged block is
readable and right, an unknown one is right or absent, and at the end `cairn fsck` finds nothing.

CAIRN_CRASH_ROUNDS (default 10; 100 for the full form), CAIRN_CRASH_SEED (default random,
printed).
"""

import os
import random
import threading
import time

import pytest

from cairn_node import block_id, run_cli
from raw_http import Deadline, Disconnected, encode_request

ROUNDS = int(os.environ.get("CAIRN_CRASH_ROUNDS", "10"))
SEED = int(os.environ.get("CAIRN_CRASH_SEED", random.SystemRandom().randrange(1 << 32)))
CLIENTS = 16
START_LIMIT_S = 3.0
REREAD = 100


class Ledger:
    """What clients asked and what they were told; survives every crash of the node."""

    def __init__(self):
        self.lock = threading.Lock()
        self.invoked, self.acknowledged, self.refused = {}, set(), []

    def invoke(self, name, size):
        with self.lock:
            self.invoked[name] = size

    def acknowledge(self, name):
        with self.lock:
            self.acknowledged.add(name)

    def refuse(self, name, status):
        with self.lock:
            self.refused.append((name, status))


def random_block(source):
    """1 B to 1 MiB, every order of magnitude alike, but one in ten alone of the largest."""
    size = min(1 << 20, int(2 ** source.uniform(0, 20.001 if source.random() < 0.1 else 16)))
    return source.randbytes(max(size, 1)) if size > 8 else source.randbytes(8)[:size]


def storm_client(node, ledger, seed, stop):
    """PUTs until the node dies; half of the time several are on the way at once."""
    source = random.Random(seed)
    try:
        with node.connect(timeout=10) as connection:
            while not stop.is_set():
                blocks = [random_block(source) for _ in range(source.choice((1, 1, 1, 4)))]
                names = [block_id(block) for block in blocks]
                for name, block in zip(names, blocks):
                    ledger.invoke(name, len(block))
                connection.send(
                    b"".join(
                        encode_request("PUT", f"/v1/blocks/{name}", body=block)
                        for name, block in zip(names, blocks)
                    )
                )
                for name in names:
                    status = connection.read_response().status
                    if status in (200, 201):
                        ledger.acknowledge(name)
                    else:
                        ledger.refuse(name, status)
    except (Disconnected, Deadline, OSError):
        return


def storm(node, ledger, source):
    """One storm of a third of a second that ends with SIGKILL at a random moment."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=storm_client, args=(node, ledger, source.random(), stop))
        for _ in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    time.sleep(source.uniform(0.05, 0.6))
    node.kill()
    stop.set()
    for thread in threads:
        thread.join(15)
        assert not thread.is_alive(), "a client hangs on a dead node"


def verify(node, ledger, names):
    """Reads each id once; returns how many unacknowledged blocks are there."""
    extra = 0
    with node.connect(timeout=30) as connection:
        for name in names:
            connection.send(encode_request("GET", f"/v1/blocks/{name}"))
            answer = connection.read_response()
            if answer.status == 200:
                assert len(answer.body) == ledger.invoked[name], f"{name}: wrong size"
                assert block_id(answer.body) == name, f"{name}: wrong bytes"
                extra += name not in ledger.acknowledged
            else:
                assert answer.status == 404, answer
                assert name not in ledger.acknowledged, f"acknowledged block {name} is lost"
    return extra


def crash_while_starting(node, source):
    """Another crash in the middle of recovery."""
    node.launch()
    time.sleep(source.uniform(0.0, 0.15))
    node.kill()


@pytest.mark.deadline(60 + 6 * ROUNDS)
def test_acknowledged_blocks_survive_kill_9(make_node):
    print(f"CAIRN_CRASH_ROUNDS={ROUNDS} CAIRN_CRASH_SEED={SEED}")
    source, ledger = random.Random(SEED), Ledger()
    node = make_node({"cache": {"memory": "16MiB"}}).start()
    slowest, extra, known = 0.0, 0, set()
    for number in range(ROUNDS):
        storm(node, ledger, source)
        if number % 5 == 4:
            crash_while_starting(node, source)
        node.start()
        slowest = max(slowest, node.start_seconds)
        assert (
            node.start_seconds < START_LIMIT_S
        ), f"round {number}: started in {node.start_seconds:.2f} s"
        fresh = [name for name in ledger.invoked if name not in known]
        older = source.sample(sorted(known), min(REREAD, len(known)))
        extra += verify(node, ledger, fresh + older)
        known.update(fresh)
    assert not ledger.refused, f"refused in a storm: {ledger.refused[:5]}"
    assert len(ledger.acknowledged) >= 20 * ROUNDS, "hardly a storm"
    verify(node, ledger, ledger.invoked)
    assert node.stop() == 0
    check = run_cli("fsck", "--config", node.config_path, timeout=300)
    assert check.returncode == 0, check
    print(
        f"{ROUNDS} crashes: {len(ledger.invoked)} invoked, {len(ledger.acknowledged)} acknowledged, "
        f"none lost, "
        f"{extra} unacknowledged found, slowest start {slowest:.3f} s"
    )
