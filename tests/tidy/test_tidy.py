#!/usr/bin/env python3
"""Tests of tidy: each rule refuses its bad sample, at the right line, and takes the good one."""

import pathlib
import tempfile
import unittest

import sizes
import tidy
import tree

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
GOOD_HEADER = "// A thing. Any thread.\n#pragma once\n"


def tidied(files):
    """The findings in a tree of these files; READMEs are added unless the files hold one."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / ".clang-format").write_text((REPOSITORY / ".clang-format").read_text())
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
            readme = (root / path).parent / "README.md"
            if not any(name.endswith("README.md") for name in files):
                readme.write_text("# here\n")
        return tidy.findings_in(root)[1]


class TidyTest(unittest.TestCase):
    def refuses(self, path, text, rule, line, words, others=None):
        # Samples are short, not well formatted: the format is a finding only where it is asked for.
        found = [
            one
            for one in tidied({**(others or {}), path: text})
            if one.rule != "format" or rule == "format"
        ]
        self.assertEqual([(one.path, one.line, one.rule) for one in found], [(path, line, rule)])
        self.assertIn(words, found[0].message)

    def takes(self, files):
        self.assertEqual([str(one) for one in tidied(files)], [])


class Layers(TidyTest):
    THINGS = {
        f"{layer}/thing.h": GOOD_HEADER
        for layer in ("base", "crypto", "storage", "cache", "node/http", "node/api", "node")
    }

    def refuses_include(self, path, target):
        self.refuses(
            path,
            f'{GOOD_HEADER}\n#include "{target}"\n',
            "layer",
            4,
            f"may not include {target.rpartition('/')[0]}",
            self.THINGS,
        )

    def test_upward_include_refused(self):
        self.refuses_include("base/other.h", "crypto/thing.h")
        self.refuses_include("storage/other.h", "node/http/thing.h")
        self.refuses_include("node/http/other.h", "node/thing.h")

    def test_sibling_include_refused(self):
        self.refuses_include("cache/other.h", "storage/thing.h")
        self.refuses_include("node/static/other.h", "node/api/thing.h")
        self.refuses_include("node/http/other.h", "crypto/thing.h")

    def test_subfolder_belongs_to_its_row(self):
        self.refuses_include("node/http/inner/other.h", "crypto/thing.h")
        self.takes({**self.THINGS, "node/cli/a.h": f'{GOOD_HEADER}\n#include "storage/thing.h"\n'})

    def test_downward_include_taken(self):
        self.takes({**self.THINGS, "cache/a.h": f'{GOOD_HEADER}\n#include "crypto/thing.h"\n'})
        self.takes({**self.THINGS, "node/api/a.h": f'{GOOD_HEADER}\n#include "crypto/thing.h"\n'})
        self.takes({**self.THINGS, "tests/a.h": f'{GOOD_HEADER}\n#include "cache/thing.h"\n'})

    def test_unknown_file_refused(self):
        self.refuses("base/a.cpp", '#include "none.h"\n', "include", 1, "no file from the root")

    def test_name_beside_is_for_tests_only(self):
        self.refuses(
            "base/b.cpp", '#include "a.h"\n', "include", 1, "no file", {"base/a.h": GOOD_HEADER}
        )
        self.takes({"tests/x/a.h": GOOD_HEADER, "tests/x/b.cpp": '#include "a.h"\n'})


class Libraries(TidyTest):
    def test_library_outside_its_folders_refused(self):
        for path, name in (
            ("storage/a.cpp", "sodium.h"),
            ("storage/a.cpp", "xxhash.h"),
            ("node/http/a.cpp", "openssl/evp.h"),
            ("cache/a.cpp", "openssl/ssl.h"),
            ("node/a.cpp", "rocksdb/db.h"),
            ("node/http/a.cpp", "toml++/toml.h"),
            ("node/api/a.cpp", "CLI/CLI.hpp"),
            ("cluster/a.cpp", "capnp/message.h"),
            ("crypto/a.cpp", "boost/asio/ip/tcp.hpp"),
            ("storage/a.cpp", "boost/beast/core.hpp"),
            ("base/a.cpp", "gtest/gtest.h"),
        ):
            self.refuses(path, f"#include <{name}>\n", "library", 1, f"<{name}> may be included")

    def test_library_in_its_folder_taken(self):
        for path, name in (
            ("crypto/a.cpp", "sodium.h"),
            ("crypto/a.cpp", "openssl/sha.h"),
            ("node/http/a.cpp", "openssl/ssl.h"),
            ("storage/a.cpp", "rocksdb/db.h"),
            ("node/a.cpp", "toml++/toml.h"),
            ("node/cli/a.cpp", "CLI/CLI.hpp"),
            ("tests/node/a.cpp", "toml++/toml.h"),
            ("tests/a.cpp", "gtest/gtest.h"),
        ):
            self.takes({path: f"#include <{name}>\n"})

    def test_include_in_comment_is_none(self):
        self.takes({"base/a.cpp": "// #include <sodium.h>\n"})


class Sizes(TidyTest):
    def test_long_files_refused(self):
        # Lines of code, not of comment: nothing counts but their number.
        self.takes({"base/a.h": GOOD_HEADER + "int f();\n" * 297})
        self.refuses("base/a.h", GOOD_HEADER + "int f();\n" * 298, "size", 300, "300 lines")
        self.takes({"base/a.cpp": "int f();\n" * 599})
        self.refuses("base/a.cpp", "int f();\n" * 600, "size", 600, "600 lines")

    def test_wide_line_refused(self):
        self.takes({"base/a.cpp": "// " + "x" * 97 + "\n"})
        wide = "// " + "x" * 98 + "\n"
        self.refuses("base/a.cpp", "\n" + wide, "columns", 2, "101 columns")

    def test_long_function_refused(self):
        def function(lines):
            return "\nvoid f(int a) {\n" + "  g(a);\n" * (lines - 2) + "}\n"

        self.takes({"base/a.cpp": "int x();" + function(69)})
        self.refuses("base/a.cpp", "int x();" + function(70), "function", 2, "70 lines")

    def test_long_member_and_test_refused(self):
        body = "    g();\n" * 70
        member = "class A {\n public:\n  void f() const {\n" + body + "  }\n};\n"
        self.refuses("base/a.cpp", member, "function", 3, "72 lines")
        test = "TEST(A, B) {\n" + body.replace("    ", "  ") + "}\n"
        self.refuses("tests/a.cpp", test, "function", 1, "72 lines")

    def test_namespace_and_type_are_no_functions(self):
        self.takes({"base/a.cpp": "namespace a {\n" + "int f();\n" * 80 + "}  // namespace a\n"})
        self.takes({"base/a.cpp": "struct A {\n" + "  int f();\n" * 80 + "};\n"})

    def test_scopes_survive_initialisers_and_literals(self):
        code = tree.blank_what_is_not_code(
            """
A::A(int a) : a_{a}, text_("} {"), list_{{1, 2}} {
  const char c = '{';
  const int big = 1'000'000;
  if (a) {
    call({1, 2}, [&] { return 3; });
  }
}
int b() { return 1; }
"""
        )
        self.assertEqual(list(sizes.functions(code)), [(2, 8), (9, 9)])


class Awaits(TidyTest):
    def test_inside_an_expression_refused(self):
        for body in (
            "if (!co_await f()) g();",
            "if (auto r = co_await f()) g();",
            "int x = b ? co_await f() : 0;",
            "bool x = a && co_await f();",
            "auto&& x = co_await f();",
            "g(co_await f());",
            "co_return (co_await f())->x;",
            "co_await f({a, b});",
            "auto x = co_await f(a, {b});",
        ):
            with self.subTest(body):
                self.refuses("tests/a.cpp", f"Task<int> t() {{ {body} }}", "co_await", 1, "GCC 12")

    def test_as_a_statement_taken(self):
        for body in (
            "co_await f();",
            "const T x = co_await f();",
            "x = co_await f();",
            "if (a) co_await f();",
            "co_return co_await f();",
            "const auto [error, n] = co_await f(a(b), c);",
        ):
            with self.subTest(body):
                text = f"Task<int> t() {{\n  {body}\n}}\n"
                self.takes({"tests/a.cpp": text})


class Coroutines(TidyTest):
    def test_capturing_lambda_refused(self):
        for head in ("[&]", "[this](int a)", "[x = 1]() mutable -> Task<void>", "[=] -> Task<int>"):
            with self.subTest(head):
                text = f"void f() {{\n  g({head} {{ co_return; }});\n}}\n"
                self.refuses("base/a.cpp", text, "lambda", 2, "name the function")

    def test_other_lambdas_taken(self):
        self.takes({"base/a.cpp": "void f() {\n  g([]() -> Task<int> { co_return 1; });\n}\n"})
        self.takes({"base/a.cpp": "Task<int> f() {\n  g([&] { h(); });\n  co_return a[1];\n}\n"})

    def test_await_in_catch_refused(self):
        text = "Task<int> f() {\n  try {\n    g();\n  } catch (...) {\n    co_await h();\n  }\n}\n"
        self.refuses("base/a.cpp", text, "catch", 4, "no co_await in a catch")


class Bans(TidyTest):
    SAMPLES = (
        ("clock", "cache/a.cpp", "auto t = std::chrono::steady_clock::now();"),
        ("clock", "node/a.cpp", "auto t = std::chrono::system_clock::now();"),
        ("clock", "base/a.cpp", "auto t = std::time(nullptr);"),
        ("random", "cluster/a.cpp", "std::random_device device;"),
        ("random", "storage/a.cpp", "int r = rand();"),
        ("sleep", "tests/a.cpp", "void f() { std::this_thread::sleep_for(1s); }"),
        ("executor", "base/a.cpp", "boost::asio::any_io_executor e;"),
        ("async", "tests/a.cpp", "auto f = std::async(g);"),
        ("detach", "storage/a.cpp", "void f() { thread.detach(); }"),
        ("skip", "tests/a.cpp", "void f() { GTEST_SKIP(); }"),
        ("skip", "tests/a.cpp", "TEST(A, DISABLED_B) {}"),
        ("throw", "node/http/a.cpp", "void f() { throw 1; }"),
        ("assert", "cache/a.cpp", "void f() { assert(x); }"),
        ("print", "node/api/a.cpp", "void f() { std::cout << 1; }"),
        ("static", "cache/a.cpp", "int* f() { static int x; }"),
        ("static", "cache/a.cpp", "int* f() { thread_local Cache x; }"),
        ("marker", "base/a.cpp", "// TODO: later"),
        ("marker", "scripts/a.py", "# FIXME"),
        ("name", "base/block_util.cpp", "int f();"),
        ("name", "base/a.cpp", "class CacheManager;"),
    )

    def test_every_ban_refused(self):
        for rule, path, line in self.SAMPLES:
            with self.subTest(line):
                at = 1 if rule == "name" and "util" in path else 2
                self.refuses(path, f"\n{line}\n", rule, at, "")

    def test_using_namespace_in_header_refused(self):
        self.refuses("base/a.h", GOOD_HEADER + "\nusing namespace std;\n", "using", 4, "opens no")
        self.takes({"base/a.cpp": "using namespace std::chrono_literals;\n"})

    def test_words_in_comments_and_literals_taken(self):
        self.takes(
            {"base/a.cpp": '// We never throw here, nor sleep_for.\nauto x = "throw rand()";\n'}
        )

    def test_adapters_may(self):
        self.takes({"base/clock.cpp": "auto t = std::chrono::system_clock::now();\n"})
        self.takes({"bench/a.cpp": "auto t = std::chrono::steady_clock::now();\n"})

    def test_constant_static_taken(self):
        self.takes({"cache/a.cpp": "int f() {\n  static const int x = g();\n  return x;\n}\n"})


class Shape(TidyTest):
    def test_header_without_head_refused(self):
        self.refuses("base/a.h", "#pragma once\n", "head", 1, "begins with")

    def test_header_without_once_refused(self):
        text = "// A thing.\n#include <a>\n#pragma once\n"
        self.refuses("base/a.h", text, "once", 1, "#pragma once")
        self.refuses("base/a.h", "// #pragma once\n", "once", 1, "#pragma once")

    def test_own_header_not_first_refused(self):
        text = '#include <vector>\n\n#include "base/a.h"\n'
        self.refuses("base/a.cpp", text, "own-header", 1, "base/a.h", {"base/a.h": GOOD_HEADER})

    def test_folder_without_readme_refused(self):
        self.refuses(
            "cache/a.cpp", "int f();\n", "readme", 1, "cache/README.md", {"README.md": "#\n"}
        )

    def test_tests_share_their_layers_readme(self):
        self.takes({"base/README.md": "#\n", "tests/base/a.cpp": "int f();\n"})
        self.refuses(
            "tests/fakes/a.cpp", "int f();\n", "readme", 1, "tests/fakes", {"README.md": "#\n"}
        )


class Formatting(TidyTest):
    def test_other_format_refused(self):
        self.refuses("base/a.cpp", "int f();\nint   g();\n", "format", 2, "changes this file")


if __name__ == "__main__":
    unittest.main()
