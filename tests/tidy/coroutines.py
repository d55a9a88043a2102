"""What coroutines may not do: each of these compiles and fails later."""

import re

import sizes

SUSPENDS = re.compile(r"\bco_(await|return|yield)\b")
# `f({a, b})`, `f(x, {a})`; not `f(T{a})`, whose type may be trivial.
BRACED_ARGUMENT = re.compile(r"[(,]\s*\{")
# A lambda's head right before its brace, with something captured.
CAPTURING = re.compile(r"\[[^\[\]]*[\w&=][^\[\]]*\]\s*(\([^{}]*\))?\s*(mutable|noexcept|->[^{};]*|\s)*$")


def check(tree):
    findings = []
    for file in tree.cpp:
        if SUSPENDS.search(file.code):
            findings += check_awaits(file)
            findings += check_scopes(file)
    return findings


def check_awaits(file):
    """GCC 12 miscompiles co_await inside a larger expression: temporaries are destroyed twice, frames
    are resumed unmade. It stands as a statement of its own, behind `=`, or behind co_return."""
    for match in re.finditer(r"\bco_await\b", file.code):
        start = max(file.code.rfind(mark, 0, match.start()) for mark in ";{}") + 1
        before = file.code[start : match.start()]
        inside = before.count("(") != before.count(")")
        if inside or "?" in before or re.search(r"&&\s*\w*\s*=|(&&|\|\||!)\s*$", before):
            line = file.line_of(match.start())
            yield file.finding(line, "co_await", "a statement of its own: GCC 12 miscompiles it here")
        # A braced argument is a temporary of the awaited expression, and is destroyed twice.
        end = file.code.find(";", match.end())
        if BRACED_ARGUMENT.search(file.code[match.end() : end]):
            line = file.line_of(match.start())
            yield file.finding(line, "co_await", "name what is passed in braces: GCC 12 destroys it twice")


def check_scopes(file):
    """A capture dies with the lambda object, before the coroutine that uses it resumes; an await in a
    catch does not compile everywhere and hides what was caught."""
    for begin, brace, end, kind in sizes.scopes(file.code):
        if kind not in ("inner", "function") or not SUSPENDS.search(file.code, brace, end):
            continue
        head = file.code[begin:brace]
        if CAPTURING.search(head):
            line = file.line_of(brace)
            message = "no capturing lambda coroutine: name the function, pass parameters by value"
            yield file.finding(line, "lambda", message)
        if re.search(r"\bcatch\s*\([^()]*\)\s*$", head):
            line = file.line_of(brace)
            yield file.finding(line, "catch", "no co_await in a catch")
