"""Many blocks and many connections on one node: what it costs to hold them, and how long a block that
is in no cache takes. Cairn alone; the targets are absolute."""

import hashlib
import os
import subprocess
import time

from . import process
from .cairn import Cairn
from .process import BenchError, prepare_child
from .rows import drop_page_cache

BLOCK_SIZE = 100
SEED = 20260101
MIB = 1 << 20
CACHE_MIB = 16
IDLE_CACHE_MIB = 256
SETTLE_DEADLINE_S = 180
FILL_RATE_LEAST = 10_000  # blocks a second; slower than this is given up


def _target(title, what, value, most):
    return {
        "row": title, "what": what, "value": value, "wanted": f"< {most:g}", "met": value < most
    }


def _row(title, text, *targets):
    row = {"section": "scale", "title": title, "text": text}
    if targets:
        row["targets"] = list(targets)
    return row


class Scale:
    """One run over one node's data."""

    def __init__(self, cairn, loader, work_dir, options):
        self.loader = loader
        self.work_dir = work_dir
        self.blocks = options.blocks
        self.connections = options.idle_connections
        self.seconds = options.seconds
        self.binary = cairn
        self.say = options.say
        self.root = os.path.join(work_dir, "root")
        os.mkdir(self.root)
        self.configurations = {}
        self.version = None
        self.rows = []  # as they become known: a failure keeps those before it

    def node(self, memory_mib):
        """A node with this cache budget, on all cores, as it comes by default."""
        node = Cairn(self.binary, self.root, f"{memory_mib}MiB")
        node.work_dir = self.work_dir
        node.start(os.sched_getaffinity(0), 0)
        self.version = node.version()
        self.configurations[f"cairn (scale, {memory_mib} MiB cache): cairn.toml"] = (
            node.configurations["cairn.toml"]
        )
        return node

    def note(self, row):
        """Keeps a row, and says it as soon as it is known."""
        self.say(f"{row['title']}: {row['text']}")
        self.rows.append(row)

    # -- idle -----------------------------------------------------------------------------------

    def idle(self):
        """Resident memory of a node that has nothing to do, and of connections that ask nothing."""
        node = self.node(IDLE_CACHE_MIB)
        try:
            time.sleep(1)  # start-up work ends
            empty = process.memory_bytes(node.pids(), "VmRSS") / MIB
            title = "idle, empty cache"
            target = _target(title, "MiB resident", empty, 60)
            self.note(_row(title, f"{empty:.1f} MiB resident", target))
            self.note(self._connections(node))
        finally:
            node.stop()

    def _connections(self, node):
        """Each connection asks for one small block and then waits."""
        body = b"small"
        digest = hashlib.sha256(body).hexdigest()
        node.put(digest, body)
        arguments = ["--port", node.port, "--path", f"/v1/blocks/{digest}", "--seconds", 30]
        self.loader.tool("scale_load", "repeat", *arguments[:4], "--clients", 4, "--size", len(body),
                         "--seconds", 1, seconds=1)  # what one answer needs is there already
        before = process.memory_bytes(node.pids(), "VmRSS")
        command = [os.path.join(self.loader.tools_dir, "bench_scale_load"), "idle"]
        command += [str(a) for a in (*arguments, "--clients", self.connections)]
        self.loader.remember(command)
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            preexec_fn=prepare_child(self.loader.cores.load),
        ) as client:
            try:
                line = client.stdout.readline().decode()  # written once every one has its answer
                if '"errors":0,' not in line:
                    raise BenchError(f"idle connections: {line.strip() or 'no answer'}")
                time.sleep(1)
                each = (process.memory_bytes(node.pids(), "VmRSS") - before) / self.connections
            finally:
                client.stdin.close()
                client.wait(30)
        title = f"{self.connections:,} idle connections"
        text = f"{each / 1024:.2f} KiB resident for each"
        return _row(title, text, _target(title, "KiB for each", each / 1024, 8))

    # -- many blocks ----------------------------------------------------------------------------

    def many(self):
        """Fill, restart, cold reads."""
        node = self.node(CACHE_MIB)
        try:
            self._fill(node)
            self.note(self._start_up(node, "after a clean end", node.halt))
            self.note(self._start_up(node, "after kill -9", lambda: self._kill(node)))
            for dropped in (True, False):
                if dropped and os.geteuid() != 0:
                    self.say("dropping the page cache needs root; that row is left out")
                    continue
                for clients in (1, 8):
                    self.note(self._cold(node, clients, dropped))
            peak = process.memory_bytes(node.pids()) / MIB
            title = f"{self.blocks:,} blocks, memory while reading"
            self.note(self._memory(title, peak))
        finally:
            node.stop()

    def _memory(self, title, peak_mib):
        outside = peak_mib - CACHE_MIB
        text = f"peak {peak_mib:.0f} MiB resident, {outside:.0f} MiB outside the cache"
        return _row(title, text, _target(title, "MiB outside the cache", outside, 1024))

    def _fill(self, node):
        process.reset_peak(node.pids())
        deadline = self.blocks / FILL_RATE_LEAST + 60
        figures = self.loader.tool(
            "scale_load", "fill", "--port", node.port, "--blocks", self.blocks, "--size", BLOCK_SIZE,
            "--seed", SEED, "--clients", 4, "--seconds", deadline, seconds=deadline,
        )
        if figures["errors"] or figures["stored"] != self.blocks:
            raise BenchError(f"fill: {figures['stored']} stored; {figures['first_error']}")
        peak = process.memory_bytes(node.pids()) / MIB
        settled = self._settle(node)
        size = int(
            subprocess.run(["du", "-sm", f"{node.dir}/var"], stdout=subprocess.PIPE, timeout=60,
                           check=True).stdout.split()[0]
        )
        rate = figures["stored"] / figures["seconds"]
        title = f"{self.blocks:,} blocks of {BLOCK_SIZE} B stored"
        text = f"{rate:,.0f} blocks/s, durable, in batches of 1,000; {size:,} MiB on disk; "
        text += f"quiet {settled:.0f} s later"
        self.note(_row(title, text))
        self.note(self._memory(f"{self.blocks:,} blocks, memory while storing", peak))

    def _settle(self, node):
        """Waits until background work has ended; seconds it took."""
        started = time.monotonic()
        while time.monotonic() - started < SETTLE_DEADLINE_S:
            before = process.cpu_seconds(node.pids())
            time.sleep(2)
            if process.cpu_seconds(node.pids()) - before < 0.5:  # the scrub never rests
                break
        return time.monotonic() - started

    def _kill(self, node):
        for pid in node.pids():
            os.kill(pid, 9)
        node.process.wait(30)
        node.process = None

    def _start_up(self, node, how, end):
        end()
        cores = os.sched_getaffinity(0)
        node.launch(cores)
        node.wait_ready(time.monotonic() + 120)
        title = f"{self.blocks:,} blocks, start-up {how}"
        text = f"{node.start_seconds:.2f} s to the ready line"
        return _row(title, text, _target(title, "seconds", node.start_seconds, 3))

    def _cold(self, node, clients, dropped):
        if dropped:
            drop_page_cache()
        figures = self.loader.tool(
            "scale_load", "random", "--port", node.port, "--blocks", self.blocks, "--size",
            BLOCK_SIZE, "--seed", SEED, "--clients", clients, "--seconds", self.seconds,
            "--order", clients + 100 * dropped, seconds=self.seconds,
        )
        if figures["errors"]:
            why = f"cold GET: {figures['errors']} errors, {figures['first_error']}"
            raise BenchError(f"{why}\n{node.log_tail()}")
        state = "page cache dropped" if dropped else "page cache as it is"
        title = f"GET of a cold block, {clients} client{'s' if clients > 1 else ''}, {state}"
        memory = figures["from_memory"] / figures["requests"]
        text = f"{figures['rate']:,.0f}/s; p50 {figures['p50_us'] / 1e3:.2f} ms, "
        text += f"p99 {figures['p99_us'] / 1e3:.2f} ms, p99.9 {figures['p999_us'] / 1e3:.2f} ms; "
        text += f"{memory:.1%} came from the memory tier"
        return _row(title, text, _target(title, "ms p99", figures["p99_us"] / 1e3, 2))
