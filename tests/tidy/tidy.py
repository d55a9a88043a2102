#!/usr/bin/env python3
"""Holds the tree against the rules of the project. Usage: tidy.py [ROOT]; exit 1 on a finding.

A finding is a line `path:line: [rule] what is wrong`. The rules: layers.py (includes), sizes.py,
bans.py, coroutines.py, shape.py (how files begin, READMEs), formatting.py (clang-format).
"""

import pathlib
import sys

import bans
import coroutines
import formatting
import layers
import shape
import sizes
import tree

CHECKS = (layers, sizes, bans, coroutines, shape, formatting)


def findings_in(root):
    loaded = tree.load(root)
    found = [finding for check in CHECKS for finding in check.check(loaded)]
    return loaded, sorted(found, key=lambda one: (one.path, one.line, one.rule))


def main():
    default = pathlib.Path(__file__).resolve().parent.parent.parent
    loaded, found = findings_in(sys.argv[1] if len(sys.argv) > 1 else default)
    for finding in found:
        print(finding)
    print(f"{len(loaded.files)} files, {len(found)} findings")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
