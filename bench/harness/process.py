"""Servers under measure as operating-system processes.

Starts a server on chosen cores, knows its whole family of processes, reads their CPU time and
memory from /proc, and takes everything down again, whatever happens to the benchmark itself.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

START_DEADLINE_S = 30
STOP_DEADLINE_S = 15
_TICKS = os.sysconf("SC_CLK_TCK")
_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


class BenchError(Exception):
    """A peer or a tool did not do what the measurement needs."""


class Ended(BenchError):
    """A signal or the deadline ended the run."""


def free_port():
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _stat_fields(pid):
    """Fields of /proc/PID/stat after the command's name, or None when the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def family(pid):
    """A process and all its living descendants."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _stat_fields(name)
            if fields and fields[0] != "Z":
                children.setdefault(int(fields[1]), []).append(int(name))
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        todo.extend(children.get(one, []))
    return found


def cpu_seconds(pids):
    """User and system time that these processes and their waited-for children have used."""
    ticks = 0
    for pid in pids:
        fields = _stat_fields(pid)
        if fields:
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / _TICKS


def memory_bytes(pids, field="VmHWM"):
    """Sum of a memory field (VmHWM: the peak, VmRSS: now) of /proc/PID/status."""
    total = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
                for line in file:
                    if line.startswith(field + ":"):
                        total += int(line.split()[1]) * 1024
    return total


def reset_peak(pids):
    """Makes VmHWM start again from what is resident now."""
    for pid in pids:
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
                file.write("5")


def machine_busy_seconds():
    """CPU seconds that anything on this machine has used, and those the host took away."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = [int(field) for field in file.readline().split()[1:9]]
    user, nice, system, _idle, _wait, irq, softirq, steal = fields
    return (user + nice + system + irq + softirq) / _TICKS, steal / _TICKS


def prepare_child(cpus):
    """For preexec_fn: own core set; ended by SIGTERM when the benchmark dies."""

    def prepare():
        os.sched_setaffinity(0, cpus)
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)

    return prepare


class Server:
    """One server under measure. A subclass says its name, its command and its files."""

    name = "?"
    program = None  # what must be on PATH

    def __init__(self):
        self.dir = None
        self.port = None
        self.process = None
        self.threads = 1
        self.configurations = {}  # file name -> text, for the report
        self.command = []

    # -- for subclasses -------------------------------------------------------------------------

    def prepare(self):
        """Writes configuration into self.dir and returns the command."""
        raise NotImplementedError

    def environment(self):
        """Environment of the process."""
        return {"PATH": os.environ.get("PATH", ""), "HOME": self.dir, "LC_ALL": "C"}

    def wait_ready(self, deadline):
        """Returns once the server accepts connections."""
        while time.monotonic() < deadline:
            self.check_alive()
            with contextlib.suppress(OSError):
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return
            time.sleep(0.01)
        raise BenchError(f"{self.name} was not ready in time\n{self.log_tail()}")

    def version(self):
        """One line that says which version this is."""
        raise NotImplementedError

    # -- for the rows ---------------------------------------------------------------------------

    def available(self):
        """Whether the program is installed."""
        return self.program is not None and shutil.which(self.program) is not None

    def write_file(self, name, text):
        """A configuration file in self.dir, kept for the report; returns its path."""
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.configurations[name] = text.replace(self.dir, "$DIR").replace(
            f":{self.port}", ":$PORT"
        )
        return path

    def start(self, cpus, threads):
        """Runs the server on these cores with so many threads; returns when it is ready."""
        self.threads = threads
        for attempt in range(3):
            self.dir = tempfile.mkdtemp(prefix=f"bench-{self.name}-", dir=self.work_dir)
            self.port = free_port()
            self.command = self.prepare()
            self.launch(cpus)
            try:
                self.wait_ready(time.monotonic() + START_DEADLINE_S)
                return
            except BenchError:
                self.stop()
                if attempt == 2:  # a port can be lost to somebody else, but not three times
                    raise

    work_dir = None  # where temporary directories are made; set by the run

    def launch(self, cpus):
        """Starts self.command, its output in $DIR/stdout and $DIR/stderr."""
        with open(os.path.join(self.dir, "stdout"), "wb") as out, open(
            os.path.join(self.dir, "stderr"), "wb"
        ) as err:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=self.dir,
                env=self.environment(),
                start_new_session=True,
                preexec_fn=prepare_child(cpus),
            )

    def check_alive(self):
        """Raises when the server has ended."""
        if self.process.poll() is not None:
            raise BenchError(
                f"{self.name} ended with {self.process.returncode}\n{self.log_tail()}"
            )

    def log_tail(self):
        """Last lines of what the server wrote."""
        lines = []
        for name in ("stdout", "stderr"):
            with contextlib.suppress(OSError):
                with open(os.path.join(self.dir, name), encoding="utf-8", errors="replace") as f:
                    lines += f.read()[-2000:].splitlines()
        return "\n".join(lines[-15:])

    def pids(self):
        """All processes of the server."""
        return family(self.process.pid)

    def halt(self):
        """Ends the processes and keeps the files."""
        if self.process is None:
            return
        members = family(self.process.pid)
        self.process.terminate()
        try:
            self.process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            pass
        for pid in members:
            if pid != self.process.pid or self.process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.process.wait(STOP_DEADLINE_S)
        self.process = None

    def stop(self):
        """Ends the server and removes its directory."""
        try:
            self.halt()
        finally:
            if self.dir:
                shutil.rmtree(self.dir, ignore_errors=True)

    def url(self, path):
        """Address of a path on this server."""
        return f"http://127.0.0.1:{self.port}{path}"


def output_line(argv, merge=True):
    """First line that a command prints; its version, as a rule."""
    done = subprocess.run(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merge else subprocess.DEVNULL,
        timeout=20,
        check=False,
    )
    lines = done.stdout.decode("utf-8", "replace").strip().splitlines()
    return lines[0] if lines else "?"
