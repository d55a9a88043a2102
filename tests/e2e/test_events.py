"""Followers of chains: server-sent events over real sockets."""

import json
import resource
import select
import socket
import time

import pytest

from chain_writer import (
    CHECKPOINT,
    DELETE,
    DROP_EARLIER,
    LINKS_TYPE,
    ChainWriter,
    base64url,
    frames,
)
from raw_http import encode_request


class Follower:
    """One connection that follows a chain; events are dicts of their fields."""

    def __init__(self, node, chain, last=None, headers=(), **options):
        self.connection = node.connect(**options)
        self.text = ""
        if last is not None:
            headers = [*headers, ("Last-Event-ID", str(last))]
        self.connection.send(encode_request("GET", f"{chain.path}/events", headers))
        self.head = self.connection.read_head()
        assert self.head.status == 200, self.head
        assert self.head.get("Content-Type") == "text/event-stream"

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.connection.close()

    def _chunk(self, until):
        line = self.connection._line(until, "chunk size")
        size = int(line, 16)
        body = self.connection._need(size + 2, until, "chunk")
        return body[:-2].decode()

    def next(self, timeout=10):
        """The next event; comments are passed over. None at the end."""
        until = time.monotonic() + timeout
        while True:
            while "\n\n" in self.text:
                event, _, self.text = self.text.partition("\n\n")
                lines = [line for line in event.split("\n") if not line.startswith(":")]
                if lines:
                    return dict(line.split(": ", 1) for line in lines)
            chunk = self._chunk(until)
            if not chunk:
                return None
            self.text += chunk


def test_links_come_as_they_are_appended(node, chain):
    with Follower(node, chain) as follower:
        for _ in range(3):
            link = chain.next()
            assert chain.append(node, [link]).status == 201
            assert follower.next() == {
                "id": str(chain.seq),
                "event": "link",
                "data": base64url(link),
            }


def test_last_event_id_resumes_behind_it(node, chain):
    links = chain.links(node)
    with Follower(node, chain, last=1) as follower:
        got = [follower.next() for _ in range(2)]
    assert [event["data"] for event in got] == [base64url(link) for link in links[1:]]
    assert [event["id"] for event in got] == ["2", "3"]


def test_dropped_links_are_a_resync(node, chain):
    chain.append(node, [chain.next(kind=CHECKPOINT, flags=DROP_EARLIER)])
    with Follower(node, chain, last=0) as follower:
        event = follower.next()
        assert (event["event"], event["id"]) == ("resync", "4")
        link = chain.next()
        chain.append(node, [link])
        assert follower.next()["data"] == base64url(link)


def test_a_cursor_beyond_the_head_follows_from_the_head(node, chain):
    with Follower(node, chain, last=10**18) as follower:
        link = chain.next()
        chain.append(node, [link])
        assert follower.next()["id"] == "4"


def test_a_delete_link_ends_the_events(node, chain):
    with Follower(node, chain) as follower:
        chain.append(node, [chain.next(kind=DELETE)])
        assert follower.next()["id"] == "4"
        assert follower.next() is None


def test_draining_ends_them_at_once(node, chain):
    with Follower(node, chain) as follower:
        node.terminate()
        begin = time.monotonic()
        assert follower.next() is None
        assert node.wait() == 0
        assert time.monotonic() - begin < 5


def test_a_follower_that_does_not_read_costs_nothing_but_itself(node):
    chain = ChainWriter()
    chain.create(node)
    with Follower(node, chain, receive_buffer=4096) as stalled, Follower(node, chain) as reader:
        before = node.resident_bytes()
        payload = bytes(60_000)
        for _ in range(20):
            assert chain.append(node, chain.several(8, payload)).status == 201
            for _ in range(8):
                assert reader.next()["event"] == "link"
        grown = node.resident_bytes() - before
        assert grown < 96 << 20, f"{grown >> 20} MiB for one that does not read"
        # It goes on where it was, at its own pace.
        assert [stalled.next()["id"] for _ in range(160)] == [str(n) for n in range(1, 161)]


class LiveFollower(Follower):
    """One connection that follows many chains."""

    def __init__(self, node, cursors, **options):  # pylint: disable=super-init-not-called
        self.connection = node.connect(**options)
        self.text = ""
        body = json.dumps(cursors).encode()
        headers = [("Content-Type", "application/json")]
        self.connection.send(encode_request("POST", "/v1/live", headers, body))
        self.head = self.connection.read_head()
        assert self.head.status == 200, self.head

    def next(self, timeout=10):
        event = super().next(timeout)
        return event and (event["event"], json.loads(event["data"]))


def test_hundreds_of_chains_over_one_connection(node):
    chains = [ChainWriter() for _ in range(300)]
    for chain in chains:
        chain.create(node)
        assert chain.append(node, [chain.next()]).status == 201
    cursors = {chain.id: number % 2 for number, chain in enumerate(chains)}
    with LiveFollower(node, cursors) as follower:
        behind = {follower.next()[1]["chain"] for _ in range(150)}
        assert behind == {chain.id for chain in chains[0::2]}
        for chain in chains[:20] + chains[-20:]:
            link = chain.next()
            assert chain.append(node, [link]).status == 201
            assert follower.next() == (
                "link",
                {"chain": chain.id, "seq": 2, "link": base64url(link)},
            )
        chains[7].append(node, [chains[7].next(kind=DELETE)])
        assert follower.next()[0] == "link"
        assert follower.next() == ("ended", {"chain": chains[7].id})


def test_gated_and_unknown_chains_are_refused_by_themselves(node, chain):
    gated = ChainWriter(gated=True)
    gated.create(node)
    cursors = {
        gated.id: {"seen": 0},
        ChainWriter().id: 0,
        chain.id: 2,
    }
    with LiveFollower(node, cursors) as follower:
        events = [follower.next() for _ in range(3)]
        assert sorted(event[0] for event in events) == ["link", "refused", "refused"]
    with LiveFollower(node, {gated.id: {"token": base64url(gated.fetch_token)}}) as follower:
        link = gated.next()
        gated.append(node, [link])
        assert follower.next()[1]["link"] == base64url(link)


class Crowd:
    """Very many followers of one chain, read by one epoll."""

    def __init__(self, node, chain, count):
        self.sockets = {}
        self.epoll = select.epoll()
        request = encode_request("GET", f"{chain.path}/events")
        for _ in range(count):
            sock = socket.create_connection(node.http)
            sock.sendall(request)
            sock.setblocking(False)
            self.epoll.register(sock.fileno(), select.EPOLLIN)
            self.sockets[sock.fileno()] = sock
        assert self.until(b": follows\n\n", 30)[-1] < 30

    def until(self, mark, limit):
        """Seconds until each had `mark` in what it read, in order of arrival."""
        begin, times = time.monotonic(), []
        waiting, heard = set(self.sockets), dict.fromkeys(self.sockets, b"")
        while waiting:
            left = begin + limit - time.monotonic()
            assert left > 0, f"{len(waiting)} heard nothing in {limit} s"
            for number, _ in self.epoll.poll(left):
                heard[number] = heard[number][-200:] + self.sockets[number].recv(65536)
                if number in waiting and mark in heard[number]:
                    waiting.discard(number)
                    times.append(time.monotonic() - begin)
        return times

    def close(self):
        for sock in self.sockets.values():
            sock.close()
        self.epoll.close()


@pytest.mark.deadline(120)
def test_a_thousand_followers_hear_of_a_link_at_once(node, chain):
    crowd = Crowd(node, chain, 1000)
    late = []
    for _ in range(11):
        with node.connect() as connection:
            body = frames([chain.next()])
            connection.send(
                encode_request("POST", f"{chain.path}/links", [LINKS_TYPE], body)
            )
            times = crowd.until(b"event: link", 20)
            assert connection.read_response().status == 201
        late.append(times[989])
    crowd.close()
    late.sort()
    print(f"1,000 followers: 99 % have a link after {late[5] * 1000:.1f} ms (median of 11 links)")
    assert late[5] < 1.0


@pytest.mark.deadline(180)
def test_idle_followers_cost_little_memory(make_node):
    count = 10_000 if resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 10_500 else 500
    node = make_node({"limits": {"connections": 20_000, "connections_per_client": 20_000}}).start()
    chain = ChainWriter()
    chain.create(node)
    before = node.resident_bytes()
    crowd = Crowd(node, chain, count)
    grown = node.resident_bytes() - before
    print(f"{count} idle followers: {grown / count / 1024:.2f} KiB each, {grown >> 20} MiB in all")
    crowd.close()
    assert grown < count * 20 * 1024, f"{grown >> 20} MiB"
