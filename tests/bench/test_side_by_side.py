"""The benchmark harness: its arithmetic, its files, its processes, and that its load generators send
what they say. A small server written here, which shares no code with them, checks every byte.

Set CAIRN_BENCH_TOOLS to a directory of built load generators; without it they are built.
"""

import hashlib
import json
import os
import re
import socketserver
import subprocess
import sys
import threading

import pytest

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(REPOSITORY, "bench"))

# pylint: disable=wrong-import-position
from harness import process, report, session, summary  # noqa: E402


def sample(rate, p99_us=100.0, **more):
    """One measure."""
    return {
        "rate": rate, "p50_us": 50.0, "p99_us": p99_us, "p999_us": 900.0, "cpu_us": 5.0,
        "peak_bytes": 10e6, "server_busy": 1.0, "load_busy": 0.5, "others_busy": 0.0, "steal": 0.0,
        **more,
    }


def get_row(**samples):
    """A row of GETs of 4 KiB."""
    return {
        "section": "get", "title": "get 4 KiB", "size": 4096, "clients": 32, "samples": samples
    }


def record(section, rows, cores=1):
    """What bench/run keeps of a section."""
    return {
        "section": section, "cores": cores, "started": "now", "placement": "here", "pairs": 2,
        "seconds": 3, "rows": rows, "machine": {}, "versions": {}, "commands": [],
        "configurations": {}, "failures": [],
    }


def test_ratio_is_taken_within_a_round():
    row = get_row(cairn=[sample(100), sample(10), sample(300)],
                  nginx=[sample(50), sample(5), sample(100)])
    assert summary.ratio(row, "nginx") == (2.0, 2.0, 3.0)


def test_appends_are_judged_by_puts_and_by_the_bare_sync():
    row = {"section": "append", "title": "append", "size": 200, "clients": 64,
           "samples": {"cairn": [sample(60)], "cairn, put 4 KiB": [sample(100)]}}
    one = {**row, "clients": 1, "samples": {"cairn": [sample(60)], "floor": [sample(60)]}}
    found = [(target["what"], target["met"]) for target in summary.targets([row, one])]
    assert found == [("links/s ÷ durable PUT of 4 KiB", False), ("median latency ÷ fdatasync", True)]


def test_targets_of_a_slower_node_are_missed():
    row = get_row(cairn=[sample(100, p99_us=200.0)], nginx=[sample(90)], h2o=[sample(120)])
    met = {target["what"]: target["met"] for target in summary.targets([row])}
    assert met == {
        "requests/s ÷ nginx": False,
        "requests/s ÷ best peer (h2o)": False,
        "p99 ÷ p99 of the best peer (h2o)": False,
    }


def test_targets_of_a_durable_put_use_the_floor_of_the_same_round():
    row = {"section": "put", "title": "put", "size": 4096, "clients": 64, "samples": {
        "cairn": [sample(9000)], "redis": [sample(8000)], "floor": [sample(2000)]}}
    assert [(t["value"], t["met"]) for t in summary.targets([row])] == [(4.5, True), (1.125, True)]
    row.update(clients=1)
    row["samples"]["floor"][0].update(p50_us=20.0, round_trip_us=10.0)
    (latency,) = summary.targets([row])
    assert latency["value"] == pytest.approx(50 / 30) and not latency["met"]


def test_a_failed_contender_stays_in_the_table(tmp_path):
    row = get_row(cairn=[sample(100)], nginx=[])
    row["failed"] = {"nginx": "went away"}
    path = report.store(tmp_path, "2020-01-02", [record("get", [row])])
    with open(path, encoding="utf-8") as file:
        assert "| nginx | failed: went away |" in file.read()


def test_storing_a_section_again_replaces_only_that_section(tmp_path):
    first = record("get", [get_row(cairn=[sample(1111)], nginx=[sample(2222)])])
    other = record("get", [get_row(cairn=[sample(3333)], nginx=[sample(4444)])], cores=2)
    report.store(tmp_path, "2020-01-02", [first, other])
    again = record("get", [get_row(cairn=[sample(5555)], nginx=[sample(6666)])])
    path = report.store(tmp_path, "2020-01-02", [again])
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert "**5,555**" in text and "**3,333**" in text and "1,111" not in text


def test_family_of_a_process_is_ended_with_it(tmp_path):
    class Parent(process.Server):
        """A shell whose child would outlive it."""

        name = "parent"

        def prepare(self):
            return ["sh", "-c", "trap '' TERM; sleep 600 & wait; sleep 600"]

        def wait_ready(self, deadline):
            while len(self.pids()) < 2:
                self.check_alive()

    process_limit = process.STOP_DEADLINE_S
    process.STOP_DEADLINE_S = 1
    try:
        server = Parent()
        server.work_dir = tmp_path
        server.start(os.sched_getaffinity(0), 1)
        pids = server.pids()
        assert process.memory_bytes(pids) > 0
        server.stop()
    finally:
        process.STOP_DEADLINE_S = process_limit
    states = [process._stat_fields(pid) for pid in pids]  # pylint: disable=protected-access
    assert all(fields is None or fields[0] == "Z" for fields in states)
    assert not os.listdir(tmp_path)


# -- the load generators ---------------------------------------------------------------------------


class Recorder(socketserver.StreamRequestHandler):
    """Speaks as much HTTP and RESP as the clients need; keeps what it was sent."""

    def handle(self):
        while line := self.rfile.readline():
            if line.startswith(b"*3"):
                self.one_set()
            else:
                self.one_request(line.decode())

    def one_set(self):
        """SET id body."""
        parts = []
        for _ in range(3):
            length = int(self.rfile.readline()[1:])
            parts.append(self.rfile.read(length))
            assert self.rfile.read(2) == b"\r\n"
        assert parts[0] == b"SET"
        self.server.keep(parts[1].hex(), parts[2])
        self.wfile.write(b"+OK\r\n")

    def one_request(self, line):
        """GET, PUT or the batch call."""
        method, path, _ = line.split()
        length = 0
        while (field := self.rfile.readline().strip().decode()):
            if found := re.fullmatch(r"content-length: (\d+)", field, re.IGNORECASE):
                length = int(found[1])
        body = self.rfile.read(length)
        if method == "PUT":
            self.server.keep(path.rpartition("/")[2], body)
            self.answer("201 Created", b"")
        elif method == "POST":
            results = []
            while body:
                size = int.from_bytes(body[:4], "little")
                block, body = body[4 : 4 + size], body[4 + size :]
                self.server.keep(hashlib.sha256(block).hexdigest(), block)
                results.append({"status": 201})
            self.chunked(json.dumps(results, separators=(",", ":")).encode())
        else:
            block = self.server.blocks.get(path.rpartition("/")[2], self.server.fallback)
            if block is None:
                self.answer("404 Not Found", b"")
            else:
                self.answer("200 OK", block)

    def answer(self, status, body):
        """With a length."""
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nCairn-Source: memory\r\n\r\n"
        self.wfile.write(head.encode() + body)

    def chunked(self, body):
        """In two chunks."""
        half = len(body) // 2
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in (body[:half], body[half:], b""):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))


class RecordingServer(socketserver.ThreadingTCPServer):
    """Keeps blocks by the id they came with."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Recorder)
        self.blocks = {}
        self.repeats = 0
        self.fallback = None
        self.lock = threading.Lock()

    def keep(self, name, body):
        """Counts ids that came twice."""
        with self.lock:
            self.repeats += name in self.blocks
            self.blocks[name] = body


@pytest.fixture(name="server")
def _server():
    with RecordingServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(name="tool", scope="module")
def _tool():
    directory = session.find_tools(os.environ.get("CAIRN_BENCH_TOOLS"))

    def run(server, name, *arguments, status=0):
        port = str(server.server_address[1])
        done = subprocess.run(
            [os.path.join(directory, f"bench_{name}"), arguments[0], "--port", port,
             *map(str, arguments[1:])],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60, check=False,
        )
        assert done.returncode == status
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("mode", ["http", "resp"])
def test_put_load_sends_new_bodies_under_their_own_ids(server, tool, mode):
    figures = tool(server, "put_load", mode, "--size", 5000, "--clients", 3, "--prepare", 200,
                   "--seconds", 30)
    assert figures["requests"] == 200 and figures["errors"] == 0 and figures["exhausted"]
    assert len(server.blocks) == 200 and server.repeats == 0
    for name, body in server.blocks.items():
        assert len(body) == 5000 and hashlib.sha256(body).hexdigest() == name
    assert 0 < figures["p50_us"] <= figures["p99_us"] <= figures["p999_us"] <= figures["max_us"]


def test_fill_stores_each_block_once_and_random_reads_them_back(server, tool):
    common = ("--blocks", 2500, "--size", 100, "--seed", 7, "--clients", 2)
    figures = tool(server, "scale_load", "fill", *common, "--per-request", 300, "--seconds", 30)
    assert figures["stored"] == 2500 and len(server.blocks) == 2500 and server.repeats == 0
    figures = tool(server, "scale_load", "random", *common, "--seconds", 0.3)
    assert figures["errors"] == 0 and figures["from_memory"] == figures["requests"] > 0


def test_random_notices_a_wrong_byte(server, tool):
    common = ("--blocks", 10, "--size", 100, "--clients", 1)
    tool(server, "scale_load", "fill", *common)
    for name, body in server.blocks.items():
        server.blocks[name] = body[:-1] + bytes([body[-1] ^ 1])
    figures = tool(server, "scale_load", "random", *common, "--seconds", 0.2, status=1)
    assert figures["requests"] == 0 and figures["first_error"] == "other bytes than were stored"


def test_repeat_reads_long_bodies_whole_and_notices_a_wrong_length(server, tool):
    server.fallback = os.urandom(1 << 20)
    common = ("--path", "/x", "--clients", 2, "--seconds", 0.3)
    figures = tool(server, "scale_load", "repeat", *common, "--size", 1 << 20)
    assert figures["requests"] > 0 and figures["errors"] == 0
    figures = tool(server, "scale_load", "repeat", *common, "--size", 1000, status=1)
    assert figures["requests"] == 0 and figures["first_error"] == "status 200, 1048576 bytes"


def test_list_asks_for_every_path_once(server, tool, tmp_path):
    names = [f"{number:03d}" for number in range(150)]
    server.blocks = {name: b"x" * 10 for name in names[:-1]}
    (tmp_path / "paths").write_text("".join(f"/d/{name}\n" for name in names), encoding="ascii")
    figures = tool(server, "scale_load", "list", "--paths", tmp_path / "paths", "--size", 10,
                   "--clients", 4, status=1)
    assert figures["requests"] == 149 and figures["errors"] == 1
    assert figures["first_error"].startswith("status 404")
