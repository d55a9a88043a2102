"""Whether clang-format would change anything."""

import os
import re
import subprocess

from tree import Finding

PROGRAM = os.environ.get("CLANG_FORMAT", "clang-format-16")
LINE = re.compile(r"^(?P<path>.*?):(?P<line>\d+):\d+: (error|warning):.*-Wclang-format-violations")


def check(tree):
    paths = [file.path for file in tree.cpp]
    if not paths:
        return []
    workers = os.cpu_count() or 1
    running = [
        subprocess.Popen(
            [PROGRAM, "--dry-run", "--style=file", *paths[first::workers]],
            cwd=tree.root,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for first in range(min(workers, len(paths)))
    ]
    findings = {}
    for process in running:
        _, errors = process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"{PROGRAM} failed: {errors[-500:]}")
        for line in errors.splitlines():
            match = LINE.match(line)
            if match:  # the first of each file is enough
                findings.setdefault(match["path"], int(match["line"]))
    return [
        Finding(path, line, "format", f"{PROGRAM} -i changes this file")
        for path, line in sorted(findings.items())
    ]
