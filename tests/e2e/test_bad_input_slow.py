"""Bad input, row 18: clients that are slow on purpose, and ten thousand that do nothing.

The time-outs are configuration; here they are short. What is checked is not only that slow
clients are sent away, but that others notice nothing while they are there.
"""

import os
import re
import time

import pytest

from cairn_node import block_id
from raw_http import Connection, Deadline, Disconnected, encode_request

HEAD_MS, BODY_MS, WRITE_MS, IDLE_MS = 1000, 1200, 1500, 5000
# The timer wheel is coarse: a tick late is right, a tick early is not.
EARLY_S, LATE_S = 0.05, 2.0
IDLE_CLIENTS = 10_000
ORIGIN = "https://app.test"
MIB = 1 << 20


@pytest.fixture(scope="module")
def node(module_node):
    limits = {
        "head_timeout_ms": HEAD_MS,
        "body_timeout_ms": BODY_MS,
        "write_timeout_ms": WRITE_MS,
        "idle_timeout_ms": IDLE_MS,
    }
    site = {"hosts": ["*"], "write": "anyone", "cors": [ORIGIN]}
    return module_node({"limits": limits, "site": [site]}).start()


@pytest.fixture(scope="module")
def block(node):
    data = b"v" * 1000
    return node.put(data), data


def assert_timed_out(seconds, timeout_ms):
    assert timeout_ms / 1000 - EARLY_S <= seconds <= timeout_ms / 1000 + LATE_S, seconds


@pytest.mark.parametrize(
    "sent", [b"", b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\n"]
)
def test_row_18_head_that_never_ends(node, sent):
    with node.connect() as connection:
        started = time.monotonic()
        connection.send(sent)
        if sent:
            answer = connection.read_response()
            assert answer.status == 408 and answer.closes, answer
        connection.expect_close()
        assert_timed_out(time.monotonic() - started, HEAD_MS)


def test_row_18_head_byte_by_byte_does_not_renew_the_time(node):
    wire = encode_request("GET", "/", [("X-Long", "x" * 500)])
    with node.connect() as connection:
        connection.sock.setblocking(True)
        started = time.monotonic()
        status = None
        for byte in wire:
            connection.send(bytes([byte]))
            try:
                answer = connection.read_response(timeout=0.1)
            except Deadline:
                continue
            status = answer.status
            break
        assert status == 408
        assert_timed_out(time.monotonic() - started, HEAD_MS)
        connection.expect_close()


@pytest.mark.parametrize("sent", [0, 1, 500, 900_000])
def test_row_18_body_that_stops(node, sent):
    """What came quickly before buys no time for standing still after."""
    data = b"w" * 1_000_000
    name = block_id(data)
    wire = encode_request("PUT", f"/v1/blocks/{name}", [("Origin", ORIGIN)], data)
    with node.connect() as connection:
        started = time.monotonic()
        connection.send(wire[: -len(data)] + data[:sent])
        answer = connection.read_response()
        assert answer.status == 408 and answer.closes, answer
        assert answer.json()["type"] == "/problems/body-timeout", answer
        assert answer.get("access-control-allow-origin") == ORIGIN, answer
        assert_timed_out(time.monotonic() - started, BODY_MS)
        connection.expect_close()
    assert node.missing([name]) == [name]


def test_row_18_chunks_that_stop(node):
    with node.connect() as connection:
        started = time.monotonic()
        connection.send(
            encode_request("POST", "/v1/blocks", [("Transfer-Encoding", "chunked")]) + b"5\r\nhel"
        )
        answer = connection.read_response()
        assert answer.status == 408 and answer.closes, answer
        assert_timed_out(time.monotonic() - started, BODY_MS)
        connection.expect_close()


def test_row_18_body_byte_by_byte_ends(node):
    """A body that trickles holds no place for ever: 1,000 bytes at 5 a second are not waited
    for.
    """
    head = encode_request("PUT", f"/v1/blocks/{'0' * 64}", [("Content-Length", "1000")])
    with node.connect() as connection:
        connection.send(head)
        started, status = time.monotonic(), None
        while time.monotonic() - started < 30 and status is None:
            try:
                connection.send(b"x")
                status = connection.read_response(timeout=0.2).status
            except Deadline:
                continue
        assert status == 408
        connection.expect_close()


def test_row_18_idle_connection_is_closed_without_a_word(node, block):
    with node.connect() as connection:
        connection.send(encode_request("GET", f"/v1/blocks/{block[0]}"))
        assert connection.read_response().body == block[1]
        started = time.monotonic()
        connection.expect_close()
        assert_timed_out(time.monotonic() - started, IDLE_MS)


def holds(node, connection):
    """True while the node's process owns its end of this connection (the kernel may keep more)."""
    ours, theirs = "%04X" % connection.sock.getsockname()[1], "%04X" % node.http[1]
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table]
    return any(
        row[1].endswith(":" + theirs) and row[2].endswith(":" + ours) and row[9] != "0"
        for row in rows
    )


def test_row_18_reader_that_stops_reading_is_closed(node):
    """Answers pile up for a client that reads none of them: the server must stop and let go."""
    data = os.urandom(1 << 20)
    name = node.put(data)
    before, asked = node.resident_bytes(), 64
    with node.connect(receive_buffer=4096) as connection:
        connection.send(encode_request("GET", f"/v1/blocks/{name}") * asked)
        started = time.monotonic()
        while not holds(node, connection):
            assert time.monotonic() - started < 5, "not accepted"
        while holds(node, connection):
            assert time.monotonic() - started < 20, "held for ever"
            time.sleep(0.05)
        assert_timed_out(time.monotonic() - started, WRITE_MS)
        answered = 0
        with pytest.raises(Disconnected):
            for answered in range(asked):
                assert connection.read_response().body == data
        assert answered < asked - 1
    assert node.resident_bytes() - before < 32 << 20
    node.assert_alive()


def stalled_wire(kind, names, at):
    """What one of a crowd asks for: far more than the kernel's buffers take."""
    if kind == "fetch":
        ids = ", ".join(f'"{name}"' for name in names[at:] + names[:at])
        fields = [("Content-Type", "application/json")]
        return encode_request("POST", "/v1/blocks/fetch", fields, f'{{"ids":[{ids}]}}'.encode())
    fields = [("Range", "bytes=0-99999")] if kind == "range" else []
    return encode_request("GET", f"/v1/blocks/{names[at]}", fields) * 100


def gauges(node):
    text = node.admin_request("GET", "/metrics").body.decode()
    return dict(re.findall(r"^(\w+) (\S+)$", text, re.M))


@pytest.mark.parametrize("kind", ["whole", "range", "fetch"])
def test_row_18_stalled_readers_of_distinct_blocks_keep_to_the_budget(make_node, kind):
    """Blocks that wait for clients who take nothing are bounded, however many clients there are:
    those who have stood still longest are cut off, and the one that reads is served.
    """
    limits = {"answer_bytes": "8MiB", "upload_bytes": "8MiB"}
    node = make_node({"limits": limits, "cache": {"memory": "4MiB"}}).start()
    names = [node.put(bytes([i]) * MIB) for i in range(40)]
    crowd = [node.connect(receive_buffer=4096) for _ in names]
    try:
        for at, connection in enumerate(crowd):
            connection.send(stalled_wire(kind, names, at))
        until, seen = time.monotonic() + 15, {}
        # A block that several wait for counts once, so a few more than eight may stay.
        while not (
            float(seen.get("cairn_http_accepted_connections_total", 0)) > len(crowd)
            and float(seen["cairn_http_connections"]) < len(crowd) / 2
            and float(seen["cairn_http_answer_memory_bytes"]) > 0
        ):
            assert time.monotonic() < until, f"each of them keeps a block: {seen}"
            assert node.get(names[0]).body == bytes([0]) * MIB
            seen = gauges(node)
            assert float(seen["cairn_http_answer_memory_bytes"]) <= 8 * MIB
    finally:
        for connection in crowd:
            connection.close()
    until = time.monotonic() + 10
    while float(gauges(node)["cairn_http_answer_memory_bytes"]) > 0:
        assert time.monotonic() < until, "memory is not given back"


def test_row_18_slow_reader_that_keeps_reading_gets_everything(node):
    """The twin that must pass: slow is allowed, stopped is not."""
    data = os.urandom(1 << 20)
    name = node.put(data)
    with node.connect(receive_buffer=16384, timeout=30) as connection:
        connection.send(encode_request("GET", f"/v1/blocks/{name}", [("Connection", "close")]))
        got = bytearray()
        while True:
            part = connection.sock.recv(65536)
            if not part:
                break
            got += part
            time.sleep(0.002)
        assert got.endswith(data)


def median_and_worst(node, name, count=200):
    """Seconds that a well-behaved client waits for a small block, on one connection of its own."""
    wire, times = encode_request("GET", f"/v1/blocks/{name}"), []
    with node.connect() as connection:
        connection.send(wire)
        assert connection.read_response().status == 200
        for _ in range(count):
            started = time.monotonic()
            connection.send(wire)
            assert connection.read_response().status == 200
            times.append(time.monotonic() - started)
    times.sort()
    return times[len(times) // 2], times[-1]


@pytest.mark.parametrize("kind", ["head", "body", "reader"])
def test_row_18_others_are_unharmed_by_slow_clients(make_node, kind):
    """200 slow clients at once; a well-behaved one is served as ever, also on a new connection."""
    node = make_node().start()
    small, big = node.put(b"v" * 1000), node.put(b"r" * (1 << 20))
    wires = {
        "head": b"GET / HT",
        "body": encode_request("PUT", f"/v1/blocks/{'0' * 64}", [("Content-Length", "9999")]),
        "reader": encode_request("GET", f"/v1/blocks/{big}") * 8,
    }
    crowd = [node.connect(receive_buffer=4096) for _ in range(200)]
    try:
        for connection in crowd:
            connection.send(wires[kind])
        middle, worst = median_and_worst(node, small)
        assert middle < 0.01 and worst < 1.0, (middle, worst)
        assert node.get(small).body == b"v" * 1000
    finally:
        for connection in crowd:
            connection.close()
    node.assert_alive()


@pytest.mark.deadline(120)
def test_row_18_ten_thousand_idle_connections(make_node):
    """As many as the limit allows, and still nobody else is turned away."""
    node = make_node({"limits": {"idle_timeout_ms": 120_000}}).start()
    name = node.put(b"idle" * 25)
    wire = encode_request("GET", f"/v1/blocks/{name}")
    assert node.get(name).status == 200
    before, crowd = node.resident_bytes(), []
    try:
        for number in range(IDLE_CLIENTS):
            connection = node.connect(source=f"127.0.{1 + number % 4}.1", timeout=20)
            crowd.append(connection)
            connection.send(wire)
            assert connection.read_response().status == 200
        each = (node.resident_bytes() - before) / IDLE_CLIENTS
        middle, worst = median_and_worst(node, name)
        print(
            f"10,000 idle connections: {each:.0f} bytes each; "
            f"GET {middle * 1e6:.0f} us, worst {worst * 1e3:.1f} ms"
        )
        assert middle < 0.01 and worst < 1.0, (middle, worst)
        if not os.environ.get("CAIRN_E2E_SANITIZED"):
            assert each < 8192, f"{each:.0f} bytes for each idle connection"
        for connection in crowd[500::997]:  # Those who came first have made room.
            connection.send(wire)
            assert connection.read_response().status == 200
    finally:
        for connection in crowd:
            connection.close()
    assert node.get(name).status == 200


@pytest.mark.parametrize("greeted", [False, True])
def test_row_18_idle_connections_at_the_limit_make_room(make_node, greeted):
    """Whoever does nothing, from the start or since an answer, keeps nobody out."""
    node = make_node({"node": {"threads": 1}, "limits": {"connections": 50}}).start()
    name = node.put(b"room")
    wire = encode_request("GET", f"/v1/blocks/{name}")
    crowd = [node.connect() for _ in range(50)]
    try:
        for connection in crowd if greeted else []:
            connection.send(wire)
            assert connection.read_response().status == 200
        for _ in range(60):
            assert node.get(name).status == 200
        crowd[0].expect_close(5)
        crowd[-1].send(wire)
        assert crowd[-1].read_response().status == 200
    finally:
        for connection in crowd:
            connection.close()


def test_row_18_connections_over_the_limit_get_503_and_others_stay(make_node):
    """The limit is met before memory is: one more client is told to come back."""
    node = make_node({"limits": {"connections": 50}}).start()
    name = node.put(b"limit")
    wire = encode_request("GET", f"/v1/blocks/{name}")
    held = []
    try:
        for _ in range(50):
            connection = node.connect()
            held.append(connection)
            # The next head has begun: this connection is not idle.
            connection.send(wire + wire[:5])
            answer = connection.read_response()
            assert answer.status == 200, (len(held), answer)
        with Connection(node.http) as extra:
            answer = None
            try:
                extra.send_quietly(encode_request("GET", f"/v1/blocks/{name}"))
                answer = extra.read_response(timeout=3)
            except (Disconnected, Deadline):
                pass
            assert answer is not None and answer.status == 503 and answer.closes, answer
            assert int(answer.get("retry-after")) >= 1
            extra.expect_close()
        for connection in held:
            connection.send(wire[5:])
            assert connection.read_response().status == 200
    finally:
        for connection in held:
            connection.close()
    until = time.monotonic() + 10
    while node.get(name).status != 200:
        assert time.monotonic() < until, "places are not given back"
