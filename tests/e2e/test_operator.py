"""The operator's side: configuration layers, health, metrics, logs, drain, notifications,
refusals.
"""

import json
import os
import re
import signal
import socket
import threading
import time

import pytest

import openmetrics
from cairn_node import binary_path, block_id, run_cli
from raw_http import Connection, Disconnected, encode_request, request

NO_BLOCK = "0" * 64


@pytest.fixture(scope="module")
def node(module_node, tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    (root / "index.html").write_text("<!doctype html>home")
    return module_node({"site": [{"hosts": ["*"], "root": str(root), "write": "anyone"}]}).start()


# -- configuration ---------------------------------------------------------------------------------


def shown(node, env=None, args=()):
    """`cairn config show` as {dotted key: value text}, and the whole text."""
    done = run_cli("config", "show", "--config", node.config_path, *args, env=env)
    assert done.returncode == 0, done
    table, values = "", {}
    for line in done.stdout.decode().splitlines():
        header = re.match(r"\s*\[\[?([\w.]+)\]\]?", line)
        pair = re.match(r"\s*([\w.]+)\s*=\s*(.*?)\s*(#.*)?$", line)
        if header:
            table = header.group(1) + "."
        elif pair:
            values[table + pair.group(1)] = pair.group(2)
    return values, done.stdout.decode()


def test_config_as_json_has_typed_values(make_node):
    node = make_node({"log": {"access": "off"}})
    done = run_cli("config", "show", "--json", "--config", node.config_path)
    values = {key: entry["value"] for key, entry in json.loads(done.stdout).items()}
    assert values["node.roles"] == ["interface", "storage"]
    assert values["storage.sync"] is True
    assert values["limits.headers"] == 100
    assert values["log.access"] == "off"


def test_layers_each_win_over_the_one_before(make_node):
    """defaults < file < CAIRN_… < --set"""
    node = make_node({"cache": {"memory": None}})
    default = shown(node)[0]["cache.memory"]
    assert "256" in default or "268435456" in default, default
    node = make_node({"cache": {"memory": "11MiB"}})
    expected = {"file": 11, "env": 12, "set": 13}
    env, args = {"CAIRN_CACHE_MEMORY": "12MiB"}, ["--set", "cache.memory=13MiB"]
    for layer, options in (
        ("file", {}),
        ("env", {"env": env}),
        ("set", {"env": env, "args": args}),
    ):
        text = shown(node, **options)[0]["cache.memory"]
        size = expected[layer]
        assert f"{size}MiB" in text or str(size << 20) in text, (layer, text)


def test_layers_reach_the_running_node(make_node):
    """Not only shown: the block limit that counts is the one of the last layer."""
    node = make_node(
        {"limits": {"block_bytes": "1KiB"}},
        env={"CAIRN_LIMITS_BLOCK_BYTES": "2KiB"},
        args=["--set", "limits.block_bytes=3KiB"],
    ).start()
    for size, status in ((3072, 201), (3073, 413)):
        data = b"x" * size
        assert node.request("PUT", f"/v1/blocks/{block_id(data)}", body=data).status == status


def test_config_check_of_a_good_file(node):
    done = run_cli("config", "check", "--config", node.config_path)
    assert done.returncode == 0 and not done.stderr, done


def test_config_show_is_itself_a_configuration(node, make_node):
    other = make_node()
    other.write_config(shown(node)[1])
    done = run_cli("config", "check", "--config", other.config_path)
    assert done.returncode == 0, done


def test_example_configurations_are_accepted():
    folder = binary_repo_conf()
    files = sorted(folder.glob("*.toml"))
    assert files, f"no examples in {folder}"
    for path in files:
        done = run_cli("config", "check", "--config", path, cwd=folder.parent)
        if path.name == "single.toml":
            assert done.returncode == 0 and not done.stderr, (path, done)
        else:
            assert done.returncode == 1 and not done.stdout, (path, done)
            assert b"is not available in this version" in done.stderr, (path, done)
            assert b"is valid, but this version does not start with it" in done.stderr, done


def test_config_check_says_what_serve_does(make_node):
    node = make_node()
    later = ["--config", node.config_path, "--set", "listen.https=127.0.0.1:0"]
    serve, check = run_cli("serve", *later), run_cli("config", "check", *later)
    assert serve.returncode != 0 and check.returncode == 1, (serve, check)
    assert serve.stderr.splitlines()[0] in check.stderr.splitlines(), (serve, check)


def binary_repo_conf():
    from cairn_node import REPO

    return REPO / "conf"


# -- health and metrics ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz", "/healthz?verbose"])
def test_health(node, path):
    answer = node.admin_request("GET", path)
    assert answer.status == 200, answer
    assert node.admin_request("HEAD", path).status == 200


def test_operators_routes_are_not_on_the_public_listener(node):
    for path in ("/metrics", "/readyz", "/livez", "/healthz", "/admin/v1/"):
        answer = node.request("GET", path)
        assert answer.status == 404 or b"<!doctype html>home" in answer.body, answer
        assert b"cairn_" not in answer.body
    assert node.admin_request("GET", "/v1/blocks/" + NO_BLOCK).status == 404
    assert node.admin_request("GET", "/nothing").status == 404


def scrape(node):
    answer = node.admin_request("GET", "/metrics", [("Accept", openmetrics.CONTENT_TYPE)])
    assert answer.status == 200 and answer.get("content-type") == openmetrics.CONTENT_TYPE, answer
    return openmetrics.parse(answer.body.decode()), answer.body.decode()


def test_metrics_are_openmetrics(node):
    families, _ = scrape(node)
    assert len(families) >= 10
    for name, family in families.items():
        assert re.match(r"(cairn|process)_", name), name
        assert family.help, f"{name} has no # HELP"
        if family.type == "histogram":
            assert name.endswith(("_seconds", "_bytes")), name


def test_metrics_count_requests(node):
    families, _ = scrape(node)
    name = next(n for n in families if re.fullmatch(r"cairn_http_requests|cairn_requests", n))
    before = openmetrics.total(families, name)
    for _ in range(25):
        node.get(NO_BLOCK)
    eventually(lambda: openmetrics.total(scrape(node)[0], name) - before >= 25)


def eventually(good, seconds=5):
    until = time.monotonic() + seconds
    while not good():
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.02)


def test_metrics_have_no_label_by_block(node):
    """Cardinality must not grow with what is stored, asked for, or sent as nonsense."""
    ids = [node.put(os.urandom(20)) for _ in range(20)]
    for name in ids:
        node.get(name)
        node.request("GET", f"/some/path/{name[:12]}?q={name}")
        node.request("GET", "/", host=f"{name[:8]}.test")
        node.request("X" + name[:10].upper(), "/")
    families, text = scrape(node)
    assert not any(name in text or name[:12] in text or name[:8] in text for name in ids)
    assert not re.search(r"[0-9a-f]{32}", text)
    series = sum(len(family.samples) for family in families.values())
    for _ in range(50):
        node.get(block_id(os.urandom(8)))
    assert sum(len(family.samples) for family in scrape(node)[0].values()) <= series + 2


# -- logs ------------------------------------------------------------------------------------------


def logging_node(make_node):
    """A node that writes a line for each request into a file of its own."""
    node = make_node()
    node.access_log = node.directory / "access.log"
    node.config["log"] = {"access": str(node.access_log)}
    node.write_config()
    return node.start()


def access_lines(node):
    """Every line of the access log, each one JSON object."""
    lines = node.access_log.read_text("utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    assert all(isinstance(entry, dict) for entry in entries)
    return entries


def test_access_log_is_json_without_secrets(make_node):
    node = logging_node(make_node)
    name = node.put(b"logged")
    secrets = [
        ("Authorization", "Bearer top-secret-token-1"),
        ("Cookie", "session=top-secret-cookie-2"),
        ("Referer", "https://localhost/?key=top-secret-6"),
    ]
    node.get(name, secrets)
    node.request("GET", f"/v1/blocks/{name}?token=top-secret-query-3&cairn_r_top-secret-4")
    node.request("GET", f"/v1/blocks/{NO_BLOCK}?key=top-secret-query-5")
    node.request("GET", "/a%0ab%22%5c%e2%98%83?x")
    assert node.stop() == 0
    entries = access_lines(node)
    assert sorted(entry["status"] for entry in entries) == [200, 200, 201, 404, 404], entries
    assert sorted(entry["method"] for entry in entries) == ["GET"] * 4 + ["PUT"]
    assert sum(name in entry["path"] for entry in entries) == 3
    assert all("time" in entry and "?" not in entry["path"] for entry in entries), entries
    assert "top-secret" not in node.log_text() + node.access_log.read_text()


def test_access_log_on_standard_output(make_node):
    node = make_node({"log": {"access": "stdout"}}).start()
    node.put(b"to stdout")
    assert node.stop() == 0
    lines = [line for line in node.lines if line.startswith("{")]
    assert [json.loads(line)["method"] for line in lines] == ["PUT"], node.lines


def test_event_log_is_json(make_node):
    """Standard error holds nothing but JSON lines: start, stop and what lies between."""
    node = make_node().start()
    assert node.stop() == 0
    lines = (node.directory / "stderr.log").read_text().splitlines()
    assert lines and all(isinstance(json.loads(line), dict) for line in lines), lines


def test_access_log_counts_every_request(make_node):
    node = logging_node(make_node)
    with node.connect() as connection:
        connection.send(encode_request("GET", f"/v1/blocks/{NO_BLOCK}") * 500)
        for _ in range(500):
            assert connection.read_response().status == 404
    assert node.stop() == 0
    assert len(access_lines(node)) == 500


def test_log_lines_cannot_be_forged(make_node):
    node = logging_node(make_node)
    forged = '{"status":999,"method":"FORGED"}'
    node.request("GET", "/%0a" + forged.replace('"', "%22"))
    node.request("GET", '/"},' + forged)
    node.request("GET", "/", [("User-Agent", '"}' + forged), ("Referer", '\\"')])
    node.request("GET", "/", host="localhost:1")
    assert node.stop() == 0
    entries = access_lines(node)
    assert len(entries) == 4, entries
    assert all(entry["method"] == "GET" and entry["status"] != 999 for entry in entries)


# -- drain -----------------------------------------------------------------------------------------


def test_sigterm_lets_a_slow_request_finish_and_refuses_new_ones(make_node):
    node = make_node().start()
    data = os.urandom(200_000)
    name = block_id(data)
    wire = encode_request("PUT", f"/v1/blocks/{name}", body=data)
    with node.connect() as slow, node.connect() as idle:
        idle.send(encode_request("GET", f"/v1/blocks/{NO_BLOCK}"))
        assert idle.read_response().status == 404
        slow.send(wire[:100_000])
        time.sleep(0.1)
        node.terminate()
        eventually(lambda: refuses(node.http), 10)
        idle.expect_close(10)
        assert node.process.poll() is None, "did not wait for the request on its way"
        slow.send(wire[100_000:])
        answer = slow.read_response()
        assert answer.status == 201 and answer.closes, answer
        slow.expect_close()
    started = time.monotonic()
    assert node.wait(30) == 0
    assert time.monotonic() - started < 5
    node.start()
    assert node.get(name).body == data


def refuses(address):
    try:
        with Connection(address, timeout=1) as connection:
            connection.send(encode_request("GET", f"/v1/blocks/{NO_BLOCK}"))
            answer = connection.read_response(timeout=1)
            return answer.status == 503
    except (OSError, Disconnected):
        return True


def test_sigterm_lets_a_slow_reader_finish(make_node):
    node = make_node().start()
    data = os.urandom(1 << 20)
    name = node.put(data)
    with node.connect(receive_buffer=4096) as reader:
        reader.send(encode_request("GET", f"/v1/blocks/{name}"))
        time.sleep(0.2)
        node.terminate()
        time.sleep(0.3)
        assert reader.read_response(timeout=20).body == data
        reader.expect_close()
    assert node.wait(30) == 0


def test_readyz_tells_the_drain_before_the_end(make_node):
    """A load balancer looks at readyz; livez stays good while the node drains."""
    node = make_node().start()
    wire = encode_request("PUT", f"/v1/blocks/{NO_BLOCK}", body=b"x" * 1000)
    with node.connect() as slow:
        slow.send(wire[:-500])
        time.sleep(0.1)
        node.terminate()
        eventually(lambda: node.admin_request("GET", "/readyz").status == 503)
        assert node.admin_request("GET", "/livez").status == 200
        slow.send(wire[-500:])
        assert slow.read_response().status == 422
    assert node.wait(30) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_node_ends_at_once(make_node, number):
    node = make_node().start()
    held = [node.connect() for _ in range(5)]
    started = time.monotonic()
    node.process.send_signal(number)
    assert node.wait(30) == 0
    assert time.monotonic() - started < 5
    for connection in held:
        connection.close()


def test_a_request_that_never_ends_does_not_hold_the_node(make_node):
    """The drain has an end, even where a client's own time-outs are longer."""
    limits = {"body_timeout_ms": 300_000, "write_timeout_ms": 300_000, "drain_timeout_ms": 1500}
    node = make_node({"limits": limits}).start()
    with node.connect() as stuck:
        stuck.send(encode_request("PUT", f"/v1/blocks/{NO_BLOCK}", body=b"x" * 1000)[:-500])
        time.sleep(0.1)
        started = time.monotonic()
        node.terminate()
        code = node.wait(20)
    assert code in (0, 1) and 1.4 < time.monotonic() - started < 8, code


def test_the_drain_is_bounded_by_30_seconds_by_default(make_node):
    values, _ = shown(make_node())
    assert values["limits.drain_timeout_ms"] == "30000"


def test_everything_acknowledged_before_sigterm_is_there(make_node):
    node = make_node().start()
    acknowledged, stop = [], threading.Event()

    def write():
        try:
            with node.connect() as connection:
                while not stop.is_set():
                    data = os.urandom(2000)
                    connection.send(
                        encode_request("PUT", f"/v1/blocks/{block_id(data)}", body=data)
                    )
                    if connection.read_response().status == 201:
                        acknowledged.append(block_id(data))
        except (AssertionError, OSError):
            return

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.4)
    assert node.stop() == 0
    stop.set()
    for thread in threads:
        thread.join(15)
    node.start()
    assert acknowledged and node.missing(acknowledged) == []


# -- the service manager ---------------------------------------------------------------------------


def test_sd_notify_ready_and_stopping(make_node, tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(10)
        node = make_node(env={"NOTIFY_SOCKET": path}).start()
        words = wait_for(listener, "READY=1")
        assert not any(word.startswith("STOPPING") for word in words)
        node.terminate()
        wait_for(listener, "STOPPING=1")
        assert node.wait() == 0


def wait_for(listener, wanted):
    words = []
    while wanted not in words:
        words += listener.recv(4096).decode().split("\n")
    return words


def test_sd_notify_watchdog(make_node, tmp_path):
    """At least twice in each interval, as sd_watchdog_enabled(3) asks."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(5)
        make_node(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000000"}).start()
        wait_for(listener, "WATCHDOG=1")
        times = []
        while len(times) < 3:
            wait_for(listener, "WATCHDOG=1")
            times.append(time.monotonic())
        assert all(later - earlier < 0.9 for earlier, later in zip(times, times[1:])), times


def test_watchdog_of_another_process_is_left_alone(make_node, tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(10)
        make_node(
            env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"}
        ).start()
        wait_for(listener, "READY=1")
        listener.settimeout(0.6)
        with pytest.raises(socket.timeout):
            wait_for(listener, "WATCHDOG=1")


# -- ready line, data directory, ports -------------------------------------------------------------


def test_ready_line_names_real_ports(node):
    line = next(line for line in node.lines if line.startswith("ready "))
    assert re.match(r"ready http=127\.0\.0\.1:\d+ admin=127\.0\.0\.1:\d+( |$)", line), line
    assert node.http[1] != 0 and node.http[1] != node.admin[1]
    assert request(node.http, "GET", f"/v1/blocks/{NO_BLOCK}").status == 404


def test_several_http_listeners(make_node):
    node = make_node({"listen": {"http": ["127.0.0.1:0", "127.0.0.2:0"]}}).start()
    text = " ".join(
        re.findall(r"http=(\S+)", next(l for l in node.lines if l.startswith("ready ")))
    )
    found = re.findall(r"(127\.0\.0\.[12]):(\d+)", text)
    assert len(found) == 2, text
    for host, port in found:
        assert request((host, int(port)), "GET", f"/v1/blocks/{NO_BLOCK}").status == 404


def test_second_node_on_the_same_data_directory_is_refused(make_node):
    """And a third may start after the first has ended: the lock does not outlive its owner."""
    first = make_node().start()
    first.put(b"guarded")
    second = make_node({"node": {"data_dir": str(first.data_dir)}})
    second.launch()
    assert second.wait(20) == 1
    errors = (second.directory / "stderr.log").read_text().strip().splitlines()
    assert len(errors) == 1 and str(first.data_dir) in errors[0], errors
    assert re.search("in use|lock|another", errors[0]), errors
    first.kill()
    third = make_node({"node": {"data_dir": str(first.data_dir)}}).start()
    assert third.get(block_id(b"guarded")).body == b"guarded"


def test_blocks_outlive_a_restart(make_node):
    node = make_node().start()
    blocks = [os.urandom(size) for size in (1, 5000, 1 << 20)]
    names = [node.put(block) for block in blocks]
    node.restart()
    assert [node.get(name).body for name in names] == blocks
    assert node.get(names[0]).get("cairn-source") == "memory"


def test_start_up_without_blocks_is_quick(make_node):
    assert make_node().start().start_seconds < 3


def test_serve_takes_no_secrets_on_its_command_line():
    done = run_cli("serve", "--help")
    assert done.returncode == 0
    assert not re.search(r"--(token|password|secret|key)\b", done.stdout.decode())


def test_version_is_told(node):
    done = run_cli("--version")
    assert done.returncode == 0 and re.search(r"cairn.*\d+\.\d+", done.stdout.decode()), done
    assert os.access(binary_path(), os.X_OK)
