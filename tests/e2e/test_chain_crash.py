"""`kill -9` in a storm of appends: no acknowledged link is lost, none is there twice, no chain forks.

Each client owns a chain and appends to it until the node dies; what it was told is in its ledger,
outside the fault domain. After each crash the chain is a prefix of what the client has made, as
long as what was acknowledged at least, each link once and in its place.

CAIRN_CRASH_ROUNDS and CAIRN_CRASH_SEED as in test_crash.py.
"""

import random
import threading
import time

import pytest

from cairn_node import block_id, run_cli
from chain_writer import CHECKPOINT, DROP_EARLIER, LINKS_TYPE, ChainWriter, frames
from raw_http import Deadline, Disconnected, encode_request
from test_crash import ROUNDS, SEED, START_LIMIT_S

CLIENTS = 8


class Author:
    """One client and its chain: the links that it made, and how many were acknowledged."""

    def __init__(self):
        self.chain = ChainWriter()
        self.made = []
        self.acknowledged = 0

    def storm(self, node, seed, stop):
        source = random.Random(seed)
        try:
            with node.connect(timeout=10) as connection:
                while not stop.is_set():
                    self._append(connection, source)
        except (Disconnected, Deadline, OSError):
            return

    def _append(self, connection, source):
        refs = []
        if source.random() < 0.3:
            block = source.randbytes(source.randrange(1, 50_000))
            connection.send(encode_request("PUT", f"/v1/blocks/{block_id(block)}", body=block))
            assert connection.read_response().status == 201
            refs = [bytes.fromhex(block_id(block))]
        links = []
        for _ in range(source.choice((1, 1, 4, 16))):
            kind = CHECKPOINT if source.random() < 0.02 else 1
            flags = DROP_EARLIER if kind == CHECKPOINT and source.random() < 0.5 else 0
            links.append(self.chain.next(source.randbytes(80), refs, kind=kind, flags=flags))
        self.made += links
        body = frames(links)
        connection.send(encode_request("POST", f"{self.chain.path}/links", [LINKS_TYPE], body))
        answer = connection.read_response()
        assert answer.status == 201, answer
        assert answer.json()["seq"] == len(self.made)
        self.acknowledged = len(self.made)

    def verify(self, node):
        """Holds the chain against the ledger, and goes on from where the node stands."""
        head = self.chain.head(node)
        assert self.acknowledged <= head["seq"] <= len(self.made), (head, self.acknowledged)
        first = head["trimmed_before"]
        got = []
        while first + len(got) <= head["seq"]:
            page = self.chain.links(node, first + len(got))
            assert page, "a page behind which there is more is empty"
            got += page
        assert got == self.made[first - 1 : head["seq"]]
        refs = {
            link[148 + 32 * i : 180 + 32 * i].hex()
            for link in got
            for i in range(int.from_bytes(link[86:88], "little"))
        }
        assert node.missing(refs) == [], "a link refers to a block that is gone"
        # What was on its way is sent again: a success, whatever became of it.
        rest = self.made[head["seq"] :]
        for start in range(0, len(rest), 256):
            assert self.chain.append(node, rest[start : start + 256]).status == 201
        self.acknowledged = len(self.made)
        return len(rest)


@pytest.mark.deadline(120 + 6 * ROUNDS)
def test_acknowledged_links_survive_kill_9(make_node):
    print(f"CAIRN_CRASH_ROUNDS={ROUNDS} CAIRN_CRASH_SEED={SEED}")
    source = random.Random(SEED)
    node = make_node({"cache": {"memory": "16MiB"}}).start()
    authors = [Author() for _ in range(CLIENTS)]
    for author in authors:
        author.chain.create(node)
    slowest, repeated = 0.0, 0
    for _ in range(ROUNDS):
        stop = threading.Event()
        threads = [
            threading.Thread(target=author.storm, args=(node, source.random(), stop))
            for author in authors
        ]
        for thread in threads:
            thread.start()
        time.sleep(source.uniform(0.05, 0.5))
        node.kill()
        stop.set()
        for thread in threads:
            thread.join(15)
            assert not thread.is_alive(), "a client hangs on a dead node"
        node.start()
        slowest = max(slowest, node.start_seconds)
        assert node.start_seconds < START_LIMIT_S
        repeated += sum(author.verify(node) for author in authors)
    total = sum(author.acknowledged for author in authors)
    assert total >= 20 * ROUNDS, "hardly a storm"
    assert node.stop() == 0
    check = run_cli("fsck", "--config", node.config_path, timeout=300)
    assert check.returncode == 0, check
    print(
        f"{ROUNDS} crashes: {total} links acknowledged, none lost, none twice; {repeated} sent again, "
        f"slowest start {slowest:.3f} s"
    )
