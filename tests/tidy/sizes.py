"""Limits on lengths: lines, files, functions."""

import re

COLUMNS = 100
HEADER_LINES = 300
SOURCE_LINES = 600
FUNCTION_LINES = 70

TYPE_OR_NAMESPACE = re.compile(
    r"""^(template\s*<.*>\s*)?(inline\s+)?(class|struct|union|enum|namespace)\b
      | ^extern\s*"[^"]*"\s*$""",
    re.DOTALL | re.VERBOSE,
)
ACCESS = re.compile(r"\b(public|private|protected)\s*:(?!:)")


def check(tree):
    findings = []
    for file in tree.files:
        if file.suffix in (".h", ".cpp", ".py"):
            findings += check_lines(file)
    for file in tree.cpp:
        findings += check_functions(file)
    return findings


def check_lines(file):
    limit = HEADER_LINES if file.is_header else SOURCE_LINES
    if len(file.lines) >= limit:
        yield file.finding(
            len(file.lines), "size", f"{len(file.lines)} lines; fewer than {limit} are allowed"
        )
    for number, line in enumerate(file.lines, start=1):
        if file.is_cpp and len(line) > COLUMNS:
            yield file.finding(number, "columns", f"{len(line)} columns; {COLUMNS} are allowed")


def check_functions(file):
    for first, last in functions(file.code):
        count = last - first + 1
        if count >= FUNCTION_LINES:
            yield file.finding(
                first, "function", f"{count} lines; fewer than {FUNCTION_LINES} are allowed"
            )


def without_directives(code):
    """Blanks preprocessor lines, continued ones too."""
    return re.sub(
        r"^[ \t]*#(?:[^\n\\]|\\\n|\\[^\n])*",
        lambda match: re.sub(r"[^\n]", " ", match[0]),
        code,
        flags=re.MULTILINE,
    )


def scopes(code):
    """(start of what the brace belongs to, brace, end, kind) of every block in clean code.

    kind is "outer" for namespaces and types, "function", "inner" for blocks in functions. It relies
    on the project's format: a block's brace follows white space, an initialiser's does not, or it
    follows "=", "(", "," or "[".
    """
    code = without_directives(code)
    stack = []
    start = 0
    for at, character in enumerate(code):
        if character == "{":
            before = code[start:at]
            is_block = before.strip() == "" or (
                before[-1].isspace() and before.rstrip()[-1] not in "=,(["
            )
            inside = any(kind in ("function", "inner") for _, _, kind in stack)
            if not is_block:
                stack.append((start, at, "initialiser"))
                continue
            if inside:
                kind = "inner"
            else:
                head = ACCESS.sub(" ", before).strip()
                kind = "outer" if TYPE_OR_NAMESPACE.match(head) or ")" not in head else "function"
            stack.append((start, at, kind))
            start = at + 1
        elif character == "}":
            if stack:
                begin, brace, kind = stack.pop()
                if kind == "initialiser":
                    start = begin
                else:
                    yield begin, brace, at, kind
                    start = at + 1
        elif character == ";" and not (stack and stack[-1][2] == "initialiser"):
            start = at + 1


def functions(code):
    """(first line, last line) of every function, its signature included."""
    clean = without_directives(code)
    for begin, brace, end, kind in scopes(code):
        if kind != "function":
            continue
        head = clean[begin:brace]
        access = list(ACCESS.finditer(head))
        if access:
            begin += access[-1].end()
        begin += len(clean[begin:brace]) - len(clean[begin:brace].lstrip())
        yield clean.count("\n", 0, begin) + 1, clean.count("\n", 0, end) + 1
