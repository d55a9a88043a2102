"""What the operator sees of the caches, and changes while the node runs."""

import json
import os
import time

import pytest

from cairn_node import run_cli

MIB = 1 << 20


def cache(node, *words):
    """`cairn cache …` against a running node."""
    admin = f"listen.admin={node.admin[0]}:{node.admin[1]}"
    return run_cli("cache", *words, "--config", str(node.config_path), "--set", admin)


def told(node, *words):
    done = cache(node, *words, "--json")
    assert done.returncode == 0, done
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def asked(module_node):
    """A node of 4 MiB that was asked for 600 blocks of 16 KiB, the first one most."""
    node = module_node({"cache": {"memory": "4MiB"}}).start()
    names = [node.put(os.urandom(16_000)) for _ in range(600)]
    for turn in range(3):
        for name in names:
            assert node.get(name).status == 200
            if turn:
                assert node.get(names[0]).status == 200
    return node, names


def test_stats_name_sources_and_what_left(asked):
    node, _ = asked
    stats = told(node, "stats")
    assert stats["budget_bytes"] == 4 * MIB and stats["policy"] == "lru"
    assert stats["sources"]["memory"]["requests"] >= 1_000
    assert stats["sources"]["storage"]["requests"] >= 1_000
    assert stats["sources"]["memory"]["p50_us"] > 0
    assert stats["evictions"] > 0
    words = cache(node, "stats").stdout.decode()
    assert "policy lru" in words and "memory" in words and "storage" in words, words


def test_top_finds_what_is_asked_for_most(asked):
    node, names = asked
    blocks = told(node, "top", "-n", "3")["blocks"]
    assert blocks[0]["id"] == names[0] and blocks[0]["in_memory"] and blocks[0]["size"] == 16_000
    assert names[0] in cache(node, "top").stdout.decode()


def test_curve_says_that_more_memory_holds_them_all(asked):
    node, _ = asked
    told_curve = told(node, "curve")
    points = told_curve["curves"]["lru"]
    here = next(point for point in points if point["budget_bytes"] == 4 * MIB)
    # Round and round through more than fits, lru has only the one that is asked for all the time;
    # each was stored before its first question, so room for all answers everything.
    assert here["hits"] == pytest.approx(told_curve_hits(node), abs=0.03)
    assert points[-1]["hits"] > 0.98
    assert any("more memory" in line for line in told_curve["advice"])
    words = cache(node, "curve").stdout.decode()
    assert "you are here" in words and "s3-fifo" in words, words


def told_curve_hits(node):
    stats = told(node, "stats")
    return stats["hits"] / (stats["hits"] + stats["misses"])


def test_why(asked):
    node, names = asked
    assert told(node, "why", names[0])["in_memory"]
    evicted = told(node, "why", names[1])
    assert evicted["stored"] and not evicted["in_memory"] and "lately" in evicted["words"]
    absent = told(node, "why", "0" * 64)
    assert not absent["stored"] and "no block" in absent["words"]
    assert cache(node, "why", "xyz").returncode == 2


def test_why_a_large_block_is_not_kept(make_node):
    node = make_node({"cache": {"memory": "1MiB"}}).start()
    name = node.put(os.urandom(MIB // 2))
    assert "quarter" in told(node, "why", name)["words"]


def test_set_while_running(make_node):
    node = make_node({"cache": {"memory": "4MiB"}}).start()
    name = node.put(b"kept")
    stats = told(node, "set", "memory=64MiB", "policy=s3-fifo")
    assert stats["budget_bytes"] == 64 * MIB and stats["policy"] == "s3-fifo"
    until = time.monotonic() + 10
    while told(node, "stats")["budget_bytes"] != 64 * MIB:
        assert time.monotonic() < until
    config = node.admin_request("GET", "/admin/v1/config").json()
    assert config["cache.memory"] == {"value": "64MiB", "origin": "cairn cache set"}
    assert node.get(name).get("Cairn-Source") == "memory"


@pytest.mark.parametrize("words", [("memory=",), ("memory=much",), ("policy=clock",), ("size=1",)])
def test_set_refuses_what_it_does_not_know(make_node, words):
    done = cache(make_node({}).start(), "set", *words)
    assert done.returncode == 2 and words[0].encode() in done.stderr, done


@pytest.mark.parametrize(
    "method, target, status",
    [
        ("GET", "/admin/v1/cache/top?n=0", 400),
        ("GET", "/admin/v1/cache/top?n=x", 400),
        ("GET", "/admin/v1/cache/why", 400),
        ("GET", "/admin/v1/cache/why?id=%zz", 400),
        ("GET", "/admin/v1/cache/nothing", 404),
        ("POST", "/admin/v1/cache", 400),
        ("POST", "/admin/v1/cache?memory=1x", 400),
        ("POST", "/admin/v1/cache?memory=17TiB", 400),
        ("POST", "/admin/v1/cache?policy=x", 400),
        ("POST", "/admin/v1/cache/top", 405),
        ("DELETE", "/admin/v1/cache", 405),
    ],
)
def test_the_listener_refuses(asked, method, target, status):
    answer = asked[0].admin_request(method, target)
    assert answer.status == status
    assert answer.json()["type"].startswith("/problems/")


def test_metrics_by_source(asked):
    text = asked[0].admin_request("GET", "/metrics").body.decode()
    assert 'cairn_block_requests_total{source="memory"}' in text
    assert 'cairn_block_request_seconds_bucket{source="storage",le="+Inf"}' in text


def test_the_hottest_are_in_memory_after_a_restart(make_node):
    node = make_node({}).start()
    hot, cold = node.put(b"hot" * 100), node.put(b"cold" * 100)
    for _ in range(400):
        assert node.get(hot).status == 200
    node.stop()
    assert hot in (node.data_dir / "hot-blocks").read_text()
    node.start()
    until = time.monotonic() + 10
    while not told(node, "why", hot)["in_memory"]:
        assert time.monotonic() < until
    assert node.get(hot).get("Cairn-Source") == "memory"
    assert not told(node, "why", cold)["in_memory"]


def test_a_spoilt_list_of_hot_blocks_costs_nothing_else(make_node):
    node = make_node({}).start()
    name = node.put(b"kept")
    node.stop()
    (node.data_dir / "hot-blocks").write_bytes(os.urandom(5_000) + b"\n" + b"0" * 64 + b"\n" + name.encode())
    node.start()
    until = time.monotonic() + 10
    while not told(node, "why", name)["in_memory"]:
        assert time.monotonic() < until
