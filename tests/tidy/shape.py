"""How files begin, and that every folder says what belongs in it."""

import re

from layers import own_path
from tree import under

README_FREE = {"", "cmake"}


def check(tree):
    findings = []
    for file in tree.cpp:
        findings += check_header(file) if file.is_header else check_own_header_first(tree, file)
    findings += check_readmes(tree)
    return findings


def check_header(file):
    if not file.text.startswith("// "):
        message = "a header begins with a comment: what it is, why, which thread owns it"
        yield file.finding(1, "head", message)
    directives = re.findall(r"^\s*#\s*(\w+[^\n]*)", file.code, flags=re.MULTILINE)
    if not directives or directives[0].strip() != "pragma once":
        yield file.finding(1, "once", "a header's first directive is #pragma once")


def check_own_header_first(tree, file):
    own = file.path.removesuffix(".cpp") + ".h"
    if not tree.has(own) or not file.includes:
        return
    line, name, quoted = file.includes[0]
    if not quoted or own_path(tree, file, name) != own:
        yield file.finding(line, "own-header", f'the first include is "{own}"')


def check_readmes(tree):
    folders = {}
    for file in tree.files:
        if file.suffix in (".h", ".cpp", ".py"):
            folders.setdefault(file.folder, []).append(file)
    for folder, files in sorted(folders.items()):
        if folder in README_FREE or tree.has(f"{folder}/README.md"):
            continue
        # The README of a program speaks for its Python modules.
        if not any(file.is_cpp for file in files) and tree.has(f"{folder}/../README.md"):
            continue
        # tests/ mirrors the tree: the README of a layer speaks for its tests.
        mirrored = folder.removeprefix("tests/")
        if under(folder, "tests") and mirrored != folder and tree.has(f"{mirrored}/README.md"):
            continue
        yield files[0].finding(1, "readme", f"{folder}/README.md is missing")
