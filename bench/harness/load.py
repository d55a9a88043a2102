"""Load generators, pinned away from the server, with what they and the server used."""

import json
import os
import re
import resource
import subprocess
import time

from . import process
from .process import BenchError, prepare_child

# Only `done`: wrk then sends its one prepared request without asking the script.
WRK_SCRIPT = """done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'WRK{"requests":%d,"seconds":%.6f,"bytes":%d,"errors":%d,' ..
    '"p50_us":%.1f,"p99_us":%.1f,"p999_us":%.1f,"max_us":%.1f}\\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.max))
end
"""
DEADLINE_BEYOND_S = 60
QUIET_CORES = 0.15  # more than this taken by others disturbs a measure
QUIET_LOOK_S = 0.25


class Cores:
    """Which cores the server and the load generator may use."""

    def __init__(self, count):
        usable = sorted(os.sched_getaffinity(0))
        if len(usable) < 2:
            raise BenchError("a server and its load need two cores")
        self.count = count
        self.server = {usable[0]} if count == 1 else set(usable[:2])
        self.load = {usable[1]} if count == 1 else set(usable[:2])

    def text(self):
        """For the report."""
        return f"server on cores {sorted(self.server)}, load on {sorted(self.load)}"


class Loader:
    """Runs wrk and the project's own clients against a server and reads what both used."""

    def __init__(self, cores, tools_dir, work_dir, patience_s=0):
        self.cores = cores
        self.patience_s = patience_s  # how long a disturbed measure waits or is repeated
        self.tools_dir = tools_dir
        self.commands = []  # distinct commands for the report
        self.script = os.path.join(work_dir, "report.lua")
        with open(self.script, "w", encoding="ascii") as file:
            file.write(WRK_SCRIPT)

    def _run(self, argv, seconds, cpus=None):
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=seconds + DEADLINE_BEYOND_S,
            preexec_fn=prepare_child(cpus or self.cores.load),
            check=False,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode("utf-8", "replace")

    def remember(self, argv):
        """Keeps a command for the report, its changing parts named."""
        text = " ".join(argv).replace(self.tools_dir + "/", "").replace(self.script, "report.lua")
        text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:$PORT", text)
        text = re.sub(r"--port \d+", "--port $PORT", text)
        text = re.sub(r"/v1/blocks/[0-9a-f]{64}", "/v1/blocks/$ID", text)
        if text not in self.commands:
            self.commands.append(text)

    def wrk(self, url, connections, seconds):
        """One wrk run: a dict with requests, seconds, percentiles; errors are a BenchError."""
        threads = self.cores.count
        argv = ["wrk", "--latency", f"-t{threads}", f"-c{connections}", f"-d{seconds:g}s"]
        argv += ["--timeout", "20s", "-s", self.script, url]
        if seconds != int(seconds):
            argv[4] = f"-d{max(1, round(seconds))}s"  # wrk knows whole seconds only
        self.remember(argv)
        status, out, err = self._run(argv, seconds)
        found = re.search(r"^WRK(\{.*\})$", out, re.MULTILINE)
        if status != 0 or not found:
            raise BenchError(f"{' '.join(argv)}\n{out}{err}")
        figures = json.loads(found.group(1))
        figures["rate"] = figures["requests"] / figures["seconds"]
        return figures

    def floor(self, mode, directory, seconds, size):
        """The machine's own limits; both cores, as server and load have them together."""
        arguments = (mode, "--dir", directory, "--seconds", seconds, "--size", size)
        cpus = self.cores.server | self.cores.load
        return self.tool("floor", *arguments, seconds=20 * seconds, cpus=cpus)

    def has_tool(self, name):
        """Whether an own client was built: some need the project's layers."""
        return os.access(os.path.join(self.tools_dir, f"bench_{name}"), os.X_OK)

    def tool(self, name, *arguments, seconds, cpus=None):
        """One run of an own client that prints JSON."""
        argv = [os.path.join(self.tools_dir, f"bench_{name}"), *map(str, arguments)]
        self.remember(argv)
        status, out, err = self._run(argv, seconds, cpus)
        try:
            figures = json.loads(out)
        except json.JSONDecodeError as error:
            raise BenchError(f"{' '.join(argv)}: {status}\n{out}{err}") from error
        if figures.get("errors", 0) == 0 and status != 0:
            raise BenchError(f"{' '.join(argv)}: {status}\n{out}{err}")
        return figures

    def measured(self, server, load):
        """Runs load() on a quiet machine: waits for it, and measures again when somebody else came
        in between. Only what others used decides, never the figure; after patience_s anything goes
        and the report shows how disturbed it was."""
        give_up = time.monotonic() + self.patience_s
        while time.monotonic() < give_up and not _quiet():
            pass
        figures = self._measured_once(server, load)
        while figures["others_busy"] + figures["steal"] > QUIET_CORES and time.monotonic() < give_up:
            figures = self._measured_once(server, load)
        return figures

    def _measured_once(self, server, load):
        """Runs load() and adds what the server, the load and anybody else used meanwhile."""
        pids = server.pids()
        process.reset_peak(pids)
        before = process.cpu_seconds(pids)
        busy_before, steal_before = process.machine_busy_seconds()
        own_before = _children_cpu()
        started = time.monotonic()
        figures = load()
        wall = time.monotonic() - started
        own = _children_cpu() - own_before
        busy, steal = process.machine_busy_seconds()
        server.check_alive()
        pids = server.pids()
        used = process.cpu_seconds(pids) - before
        seconds = max(figures["seconds"], 1e-9)
        figures["cpu_us"] = used * 1e6 / max(figures["requests"], 1)
        figures["server_busy"] = used / seconds
        # An own client says what it used while it was asking; it has prepared its bodies before.
        figures["load_busy"] = figures.get("load_cpu_seconds", own) / seconds
        figures["others_busy"] = max(0.0, busy - busy_before - used - own) / wall
        figures["steal"] = (steal - steal_before) / wall
        figures["peak_bytes"] = process.memory_bytes(pids)
        return figures


def _quiet():
    """Whether nobody used the machine for a moment; the servers are idle then, so all use counts."""
    busy, steal = process.machine_busy_seconds()
    time.sleep(QUIET_LOOK_S)
    now_busy, now_steal = process.machine_busy_seconds()
    return now_busy + now_steal - busy - steal <= QUIET_CORES * QUIET_LOOK_S


def _children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
