"""The files that tidy looks at, and C++ text without what is not code."""

import dataclasses
import functools
import pathlib
import re

SKIPPED_FOLDERS = {"build", "var", "node_modules", "__pycache__", "corpus", "out"}
CPP = {".h", ".cpp"}
OTHER = {".py", ".sh", ".ts", ".js", ".mjs", ".cmake", ".toml", ".txt"}


@dataclasses.dataclass(frozen=True)
class Finding:
    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: [{self.rule}] {self.message}"


class File:
    """One file, by its path from the root with forward slashes."""

    def __init__(self, root, path):
        self.path = path
        self.folder = path.rpartition("/")[0]
        self.suffix = pathlib.PurePosixPath(path).suffix
        self.text = (root / path).read_text(encoding="utf-8", errors="replace")

    @property
    def is_cpp(self):
        return self.suffix in CPP

    @property
    def is_header(self):
        return self.suffix == ".h"

    @functools.cached_property
    def lines(self):
        return self.text.splitlines()

    @functools.cached_property
    def code(self):
        """The text with comments and the insides of literals blanked; same lines, same columns."""
        return blank_what_is_not_code(self.text)

    @functools.cached_property
    def includes(self):
        """(line, name, quoted) of every #include."""
        found = []
        for number, line in enumerate(self.lines, start=1):
            match = re.match(r'\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")', line)
            if match:
                found.append((number, match[1] or match[2], match[2] is not None))
        return found

    def finding(self, line, rule, message):
        return Finding(self.path, line, rule, message)

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1


@dataclasses.dataclass
class Tree:
    root: pathlib.Path
    files: list

    def has(self, path):
        return (self.root / path).exists()

    @property
    def cpp(self):
        return [file for file in self.files if file.is_cpp]


def load(root):
    root = pathlib.Path(root).resolve()
    files = []

    def walk(folder):
        for entry in sorted(folder.iterdir()):
            if entry.name.startswith(".") or entry.is_symlink():
                continue
            if entry.is_dir():
                if entry.name not in SKIPPED_FOLDERS:
                    walk(entry)
            elif entry.suffix in CPP | OTHER:
                files.append(File(root, entry.relative_to(root).as_posix()))

    walk(root)
    return Tree(root, files)


NOT_CODE = re.compile(
    r"""
      //[^\n]*(?:(?<=\\)\n[^\n]*)*               # comment, with continued lines
    | /\*.*?\*/                                  # comment
    | R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"   # raw string
    | "(?:[^"\\\n]|\\.)*"                        # string
    | (?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'        # character, but no digit separator
    """,
    re.VERBOSE | re.DOTALL,
)


def blank_what_is_not_code(text):
    def blank(match):
        part = match[0]
        if part.startswith("/"):
            return re.sub(r"[^\n]", " ", part)
        inside = re.sub(r"[^\n]", " ", part[1:-1])
        return part[0] + inside + part[-1]

    return NOT_CODE.sub(blank, text)


def under(path, *prefixes):
    """Whether `path` is one of `prefixes` or lies below one."""
    return any(path == prefix or path.startswith(prefix + "/") for prefix in prefixes)
