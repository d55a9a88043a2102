"""What may not be written, and the few files that may."""

import re

import sizes
from tree import under

PRODUCT = ["base", "crypto", "proto", "storage", "cache", "cluster", "node"]
CPP_FOLDERS = PRODUCT + ["tests", "bench"]

# (rule, pattern, why, folders it holds in, files or folders that may)
BANS = [
    (
        "clock",
        r"\b(system_clock|steady_clock|high_resolution_clock|clock_gettime|gettimeofday)\b"
        r"|\bstd::time\(|(?<![\w.:>])time\((nullptr|NULL|0)\)",
        "time comes from base/clock.h, waits from base/timer.h",
        PRODUCT,
        # The command line tells how fast its own run was, the doctor how fast the machine is.
        ["base/clock.cpp", "base/timer.h", "node/cli", "node/doctor.cpp"],
    ),
    (
        "random",
        r"\b(random_device|mt19937(_64)?|default_random_engine|drand48|arc4random)\b"
        r"|(?<![\w.])s?rand\(|\bgetrandom\(",
        "randomness comes from base/random.h",
        PRODUCT,
        ["crypto/random.cpp"],
    ),
    (
        "sleep",
        r"\b(sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.])sleep\(",
        "nothing sleeps: wait for what you wait for, with a deadline",
        CPP_FOLDERS,
        [],
    ),
    (
        "executor",
        r"\bany_io_executor\b",
        "executors are concrete (base/task.h)",
        CPP_FOLDERS,
        [],
    ),
    ("async", r"\bstd::async\b", "blocking calls run in base/blocking_pool.h", CPP_FOLDERS, []),
    ("detach", r"\.detach\(\)", "every thread is joined", CPP_FOLDERS, []),
    ("skip", r"\bGTEST_SKIP\b|\bDISABLED_\w+", "no test is skipped", CPP_FOLDERS, []),
    ("throw", r"\bthrow\b", "errors are a Result; exceptions are for start-up", PRODUCT, []),
    (
        "assert",
        r"(?<![\w:])assert\(|<cassert>|<assert\.h>",
        "CAIRN_ASSERT is always on",
        CPP_FOLDERS,
        [],
    ),
    (
        "print",
        r"\bstd::(cout|cerr|clog)\b|(?<!\w)(std::)?(printf|puts|fprintf|fputs)\(",
        "only the command line and the log write to the terminal",
        [name for name in PRODUCT if name != "node"]
        + ["node/http", "node/static", "node/proxy", "node/api"],
        ["base/log.cpp", "base/assert.cpp"],
    ),
]

# Start-up code, where an exception ends the program with one line (docs/architecture.md).
MAY_THROW = {
    "base/block.cpp": "std::bad_alloc, as operator new does",
    "storage/value_log_writer.cpp": "std::bad_alloc, as operator new does",
    "base/log.cpp": "a log file that cannot be opened",
    "node/api/block_api.cpp": "limits that no configuration gives",
    "node/static/directory.cpp": "a kernel that cannot resolve names safely",
    "node/static/site_files.cpp": "a root that cannot be opened",
    "node/static/site_headers.cpp": "configured fields that are none",
}

VAGUE = re.compile(r"^(data|process|misc|common)$|(^|_)(manager|helpers?|utils?)$")
VAGUE_TYPE = re.compile(r"\b(?:class|struct)\s+(\w*(?:Manager|Helper|Utils?|Misc)\w*)\b")
MARKER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def check(tree):
    findings = []
    for file in tree.files:
        findings += check_markers(file)
    for file in tree.cpp:
        findings += check_bans(file)
        findings += check_headers_scope(file)
        findings += check_statics(file)
        findings += check_names(file)
    return findings


def check_markers(file):
    if under(file.path, "tests/tidy"):  # names the words that it looks for
        return
    for number, line in enumerate(file.lines, start=1):
        match = MARKER.search(line)
        if match:
            message = f"{match[0]}: open work is an issue, not a comment"
            yield file.finding(number, "marker", message)


def check_bans(file):
    for rule, pattern, why, folders, allowed in BANS:
        if not under(file.folder, *folders) or under(file.path, *allowed):
            continue
        if rule == "throw" and file.path in MAY_THROW:
            continue
        for match in re.finditer(pattern, file.code):
            yield file.finding(file.line_of(match.start()), rule, f"{match[0].strip()}: {why}")


def check_headers_scope(file):
    if not file.is_header:
        return
    for match in re.finditer(r"\busing\s+namespace\b", file.code):
        line = file.line_of(match.start())
        yield file.finding(line, "using", "a header opens no namespace for its readers")


def check_statics(file):
    """A static local that can change is a singleton; const ones are constants."""
    if not under(file.folder, *PRODUCT):
        return
    for _, brace, end, kind in sizes.scopes(file.code):
        if kind != "function":
            continue
        for match in re.finditer(r"\b(static|thread_local)\s+(\w+)", file.code[brace:end]):
            if match[2] not in ("const", "constexpr"):
                line = file.line_of(brace + match.start())
                yield file.finding(line, "static", "no singletons: worlds are passed in")


def check_names(file):
    stem = file.path.rpartition("/")[2].partition(".")[0]
    if VAGUE.search(stem):
        yield file.finding(1, "name", f"{stem}: say what it is")
    for match in VAGUE_TYPE.finditer(file.code):
        yield file.finding(file.line_of(match.start()), "name", f"{match[1]}: say what it is")
