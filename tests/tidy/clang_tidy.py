#!/usr/bin/env python3
"""Runs clang-tidy (.clang-tidy has the checks) over the C++ sources. Exit 1 on a finding.

Usage: clang_tidy.py --all | --changed BASE [--also PLACE ...] [PLACE ...]
--changed looks at the sources that differ from the commit BASE, and those next to a header that does.
PLACEs, folders or files, narrow either; those of --also are looked at in any case. It takes long (some 4 s
a source and processor), so it is no part of ctest.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time

import tree

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / "clang"
PROGRAM = os.environ.get("CLANG_TIDY", "clang-tidy-16")


def configure():
    """A compilation database for clang: GCC's precompiled header would be in its way."""
    command = [
        "cmake",
        *("-S", str(ROOT), "-B", str(BUILD), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug"),
        *("-DCMAKE_CXX_COMPILER=clang++-16", "-DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON"),
        "-DCAIRN_BENCH=ON",
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        sys.exit(done.stdout.decode())


def known_sources():
    with open(BUILD / "compile_commands.json", encoding="utf-8") as file:
        paths = {pathlib.Path(entry["file"]).resolve() for entry in json.load(file)}
    inside = {path.relative_to(ROOT).as_posix() for path in paths if path.is_relative_to(ROOT)}
    return {path for path in inside if not path.startswith("build/")}


def changed_since(base):
    command = ["git", "-C", str(ROOT), "diff", "--name-only", base]
    names = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode().split()
    folders = {name.rpartition("/")[0] for name in names if name.endswith(".h")}
    return lambda source: source in names or source.rpartition("/")[0] in folders


def examine(source):
    command = [PROGRAM, "-p", str(BUILD), "--quiet", str(ROOT / source)]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False
    )
    return source, done.returncode, done.stdout.decode()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--all", action="store_true")
    what.add_argument("--changed", metavar="BASE")
    parser.add_argument("--also", nargs="+", metavar="PLACE", default=[])
    parser.add_argument("places", nargs="*")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()

    configure()
    wanted = changed_since(options.changed) if options.changed else lambda source: True
    sources = sorted(
        source
        for source in known_sources()
        if (wanted(source) and (not options.places or tree.under(source, *options.places)))
        or tree.under(source, *options.also)
    )
    bad = 0
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for source, code, text in pool.map(examine, sources):
            bad += code != 0
            print(f"{source}: {'ok' if code == 0 else 'findings'}", flush=True)
            if code != 0:
                print(text, flush=True)
    took = time.monotonic() - started
    print(f"{len(sources)} sources, {bad} with findings, {took:.0f} s")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
