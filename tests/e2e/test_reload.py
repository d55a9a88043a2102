"""SIGHUP to a real process: logs are opened anew in any case, a good configuration is taken over as
far as it can be, a bad one changes nothing and is told; and a log whose reader stands still.
"""

import json
import select
import signal
import subprocess
import time

import pytest

from cairn_node import binary_path, clean_environment
from raw_http import request

NO_BLOCK = "0" * 64
BAD = {"cache": {"memroy": "1MiB"}}


def eventually(good, seconds=10):
    until = time.monotonic() + seconds
    while not good():
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.02)


@pytest.fixture
def node(make_node):
    """A running node with both logs in files of its own."""
    node = make_node()
    node.events = node.directory / "events.log"
    node.access = node.directory / "access.log"
    node.config["log"] = {"events": str(node.events), "access": str(node.access)}
    node.write_config()
    return node.start()


def events(node, name):
    if not node.events.exists():
        return []
    lines = [json.loads(line) for line in node.events.read_text("utf-8").splitlines()]
    return [line for line in lines if line["event"] == name]


def reload(node, change, told):
    """Writes a changed configuration and sends SIGHUP; the event `told` that answers it."""
    for section, values in change.items():
        node.config[section] = {**node.config.get(section, {}), **values}
    node.write_config()
    before = len(events(node, told))
    node.process.send_signal(signal.SIGHUP)
    eventually(lambda: len(events(node, told)) > before)
    return events(node, told)[-1]


def in_effect(node):
    return node.admin_request("GET", "/admin/v1/config").json()


def test_reload_is_applied(node):
    cache = {"memory": "8MiB", "policy": "s3-fifo"}
    told = reload(node, {"cache": cache, "limits": {"headers": 50}}, "reloaded")
    assert told["needs_restart"] == "limits.headers", told
    eventually(
        lambda: node.admin_request("GET", "/admin/v1/cache").json()["budget_bytes"] == 8 << 20
    )
    shown = in_effect(node)
    assert "8MiB" in shown["cache.memory"]["value"] and "s3-fifo" in shown["cache.policy"]["value"]
    assert shown["limits.headers"]["value"] == 100, "shown, but not in effect"
    line = node.config_path.read_text().splitlines().index('memory = "8MiB"') + 1
    assert shown["cache.memory"]["origin"].startswith(f"{node.config_path}:{line}:"), shown


def test_log_level_is_applied(node):
    node.config["log"]["level"] = "error"
    node.write_config()
    node.process.send_signal(signal.SIGHUP)
    eventually(lambda: "error" in in_effect(node)["log.level"]["value"])
    assert not events(node, "reloaded")
    assert node.stop() == 0
    assert not events(node, "stopped"), "level error, and yet"


def test_log_destination_is_applied(node):
    old, node.events = node.events, node.directory / "other.log"
    reload(node, {"log": {"events": str(node.events)}}, "reloaded")
    assert "reloaded" not in old.read_text()


def test_log_destination_that_cannot_be_opened_is_not_taken(node):
    wanted = "/dev/null/events.log"
    told = reload(node, {"log": {"events": wanted}, "cache": {"memory": "8MiB"}}, "reloaded")
    assert told["needs_restart"] == "log.events", told
    assert events(node, "log_reopen_failed")
    shown = in_effect(node)
    assert str(node.events) in shown["log.events"]["value"]
    assert "8MiB" in shown["cache.memory"]["value"]


def test_bad_reload_keeps_the_old_and_says_why(node):
    before = in_effect(node)
    told = reload(node, {"cache": {"memroy": "1MiB", "memory": "8MiB"}}, "reload_refused")
    assert "memroy" in told["reason"] and "cache.memory" in told["reason"], told
    assert f"{node.config_path}:" in told["reason"], told
    assert in_effect(node) == before
    del node.config["cache"]["memroy"]
    reload(node, {}, "reloaded")
    assert "8MiB" in in_effect(node)["cache.memory"]["value"]


@pytest.mark.parametrize("change, told", [({}, "reloaded"), (BAD, "reload_refused")])
def test_renamed_logs_are_opened_anew(node, change, told):
    node.request("GET", f"/v1/blocks/{NO_BLOCK}")
    eventually(lambda: node.access.read_text().count("\n") == 1)
    for log in (node.events, node.access):
        log.rename(log.with_suffix(".1"))
    reload(node, change, told)
    assert node.events.stat().st_mode & 0o777 == 0o600
    eventually(node.access.exists)
    assert node.access.stat().st_mode & 0o777 == 0o640
    node.request("GET", f"/v1/blocks/{NO_BLOCK}")
    eventually(lambda: node.access.read_text().count("\n") == 1)
    assert node.stop() == 0
    assert node.access.with_suffix(".1").read_text().count("\n") == 1
    assert events(node, "stopped") and told not in node.events.with_suffix(".1").read_text()


def test_standard_output_that_nobody_reads_does_not_hold_the_end(make_node):
    """The pipe is full, its reader alive: lines are dropped, the node answers and ends."""
    node = make_node({"log": {"access": "stdout"}})
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", binary_path(), "serve", "--config", node.config_path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=clean_environment(),
        cwd=node.directory,
    )
    try:
        assert select.select([process.stdout], [], [], 30)[0], "no ready line"
        ready = process.stdout.readline().decode()
        host, port = ready.split("http=")[1].split()[0].rsplit(":", 1)
        address = (host, int(port))
        long = "/" + "x" * 4000
        for _ in range(60):
            assert request(address, "GET", long).status == 404
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
