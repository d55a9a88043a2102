#!/usr/bin/env python3
"""Executes the console blocks of Markdown files and compares what they print with what they show.

Usage: CAIRN_BIN=build/dev/cairn docs_run.py FILE.md...   Exit 1 when a document does not hold.
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT_S = 60
MARK = "__docs_run_end__"


def commands_of(text):
    """Yields (line number, command, shown output lines) of every console block."""
    for block in re.finditer(r"^```console\n(.*?)^```$", text, re.S | re.M):
        first = text.count("\n", 0, block.start()) + 2
        lines = block.group(1).splitlines()
        at = 0
        while at < len(lines):
            start = at
            if not lines[at].startswith("$ "):
                raise SystemExit(f"line {first + at}: a console block's output without a command")
            command = [lines[at][2:]]
            at += 1
            while at < len(lines) and lines[at].startswith("> "):
                command.append(lines[at][2:])
                at += 1
            shown = []
            while at < len(lines) and not lines[at].startswith("$ "):
                shown.append(lines[at])
                at += 1
            yield first + start, "\n".join(command), shown


def matches(shown, printed):
    """Whether the printed lines are what is shown, with its wildcards."""
    if not shown:
        return not printed
    if shown[0].strip() == "…":
        return any(matches(shown[1:], printed[skip:]) for skip in range(len(printed) + 1))
    if not printed:
        return False
    pattern = ".*".join(re.escape(part) for part in shown[0].rstrip().split("…"))
    return bool(re.fullmatch(pattern, printed[0].rstrip())) and matches(shown[1:], printed[1:])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Shell:
    """One bash that keeps its state between commands; all output in order."""

    def __init__(self, directory, env):
        self.process = subprocess.Popen(
            ["timeout", str(TIMEOUT_S * 5), "bash", "--norc"], cwd=directory, env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True)

    def run(self, command):
        self.process.stdin.write(f"{command}\nprintf '%s %s\\n' {MARK} $?\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.startswith(MARK):
                return lines, int(line.split()[1])
            before, mark, after = line.partition(MARK)
            if mark:
                return lines + [before], int(after.split()[0])
            lines.append(line.rstrip("\n"))
        raise SystemExit(f"the shell ended during: {command}\n" + "\n".join(lines))

    def close(self):
        try:
            os.killpg(self.process.pid, 15)
            self.process.wait(40)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(self.process.pid, 9)


def run_document(path, binary):
    text = path.read_text(encoding="utf-8")
    ports = {}
    failures = 0
    count = 0
    with tempfile.TemporaryDirectory() as directory:
        tools = pathlib.Path(directory, ".bin")
        tools.mkdir()
        (tools / "cairn").symlink_to(binary)
        for name in ("examples", "conf", "packaging"):
            (pathlib.Path(directory) / name).symlink_to(ROOT / name)
        pathlib.Path(directory, "build").mkdir()
        pathlib.Path(directory, "build", "release").symlink_to(binary.parent)
        env = dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}", TERM="dumb", LC_ALL="C.UTF-8")
        env["HOME"] = directory
        env.pop("CAIRN_BIN", None)
        shell = Shell(directory, env)
        try:
            for line, command, shown in commands_of(text):
                count += 1
                for port in ("8080", "9090"):
                    real = str(ports.setdefault(port, free_port()))
                    command = re.sub(rf"\b{port}\b", real, command)
                    shown = [re.sub(rf"\b{port}\b", real, row) for row in shown]
                printed, status = shell.run(command)
                if not matches(shown, printed) or status not in (0, None):
                    failures += 1
                    print(f"{path}:{line}: $ {command}\n  exit status {status}; printed:")
                    print("\n".join(f"    {row}" for row in printed))
                    print("  shown:\n" + "\n".join(f"    {row}" for row in shown))
        finally:
            shell.close()
    print(f"{path.name}: {count} commands, {failures} failed", flush=True)
    return count, failures


def main():
    binary = pathlib.Path(os.environ.get("CAIRN_BIN", ROOT / "build/dev/cairn")).resolve()
    if not binary.exists() or shutil.which("bash") is None:
        raise SystemExit(f"no program at {binary}; build it or set CAIRN_BIN")
    total = 0
    failed = 0
    for name in sys.argv[1:]:
        count, failures = run_document(pathlib.Path(name).resolve(), binary)
        total += count
        failed += failures
    if total == 0:
        raise SystemExit("the documents show no command: nothing was checked")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
