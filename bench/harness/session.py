"""What `bench/run` and `bench/scale` share: finding or building the tools and the node, a work
directory that is always removed, a deadline over everything, signals that end a run cleanly."""

import contextlib
import glob
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

from .process import BenchError, Ended

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REPOSITORY = os.path.dirname(BENCH)
BUILD_DEADLINE_S = 300


def say(text):
    """A progress line."""
    print(text, file=sys.stderr, flush=True)


def find_cairn(given):
    """The node's binary: as given, else the newest release build, else the newest of any."""
    if given:
        if not os.access(given, os.X_OK):
            raise BenchError(f"{given} is no program")
        return os.path.abspath(given)
    for pattern in ("build/release/**/cairn", "build/*/**/cairn"):
        found = [
            path
            for path in glob.glob(os.path.join(REPOSITORY, pattern), recursive=True)
            if os.path.isfile(path) and os.access(path, os.X_OK)
        ]
        if found:
            return max(found, key=os.path.getmtime)
    return None


def find_tools(given):
    """The directory of the load generators, built here (optimised) when none is given."""
    if given:
        return os.path.abspath(given)
    build = os.path.join(REPOSITORY, "build", "bench")
    for command in (
        ["cmake", "-S", BENCH, "-B", build, "-DCMAKE_BUILD_TYPE=Release"],
        ["cmake", "--build", build],
    ):
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=BUILD_DEADLINE_S,
            check=False,
        )
        if done.returncode != 0:
            raise BenchError(f"{' '.join(command)}\n{done.stdout.decode(errors='replace')}")
    return build


def install_peers():
    """Installs what scripts/packages/bench.txt names, by apt; starts none of it as a service."""
    script = 'set -euo pipefail; source "$0/scripts/lib/common.sh"; install_packages bench'
    subprocess.run(["bash", "-c", script, REPOSITORY], timeout=900, check=True)


def git_revision():
    """The commit that is measured, with a mark when files differ from it."""
    done = subprocess.run(
        ["git", "-C", REPOSITORY, "describe", "--always", "--dirty", "--abbrev=12"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=20,
        check=False,
    )
    return done.stdout.decode().strip() or "?"


@contextlib.contextmanager
def session(parent, deadline_s):
    """A work directory for the run; SIGTERM, SIGINT and the deadline unwind everything."""

    def ended(number, _frame):
        name = "the deadline" if number == signal.SIGALRM else signal.Signals(number).name
        raise Ended(f"ended by {name}")

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, ended)
    signal.alarm(int(deadline_s))
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))  # servers and clients inherit it
    work_dir = tempfile.mkdtemp(prefix="cairn-bench-", dir=parent)
    os.chmod(work_dir, 0o755)
    try:
        yield work_dir
    finally:
        signal.alarm(0)
        shutil.rmtree(work_dir, ignore_errors=True)
