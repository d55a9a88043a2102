"""Bad input, row 35: a configuration that cannot be right stops the node before anything is bound.

One clear line each: where (file and line), what, and for a misspelt key the nearest known one.
The exit code is 1, or 2 for what was typed wrongly.
"""

import json
import os
import pwd
import re
import socket

import pytest

from cairn_node import NodeFailed, as_root, binary_path, block_id, clean_environment, run_cli

FAILURE = 1
REFUSED = (1, 2)


def refused(node, text=None, env=None, args=()):
    """Starts a node that must refuse; returns (exit code, error output)."""
    if text is not None:
        node.write_config(text)
    node.env.update(env or {})
    node.args += list(args)
    node.launch()
    code = node.wait(20)
    assert node.http is None and not node.ready_fields, "announced itself ready"
    return code, (node.directory / "stderr.log").read_text()


def assert_one_clear_line(output, *parts):
    """One line for people, naming all `parts`; beside it nothing but events below an error."""
    lines = [line for line in output.splitlines() if line.strip()]
    events = [json.loads(line) for line in lines if line.startswith("{")]
    assert all(event["level"] in ("debug", "info") for event in events), events
    told = [line for line in lines if not line.startswith("{")]
    assert len(told) == 1, f"not one line: {output!r}"
    for part in parts:
        assert re.search(part, told[0], re.I), f"{part!r} not in {told[0]!r}"


def base_text(node):
    listen = '[listen]\nhttp = ["127.0.0.1:0"]\nadmin = "127.0.0.1:0"\n\n'
    return f'[node]\ndata_dir = "{node.data_dir}"\n' + listen


# (lines to add after the base text of 6 lines, line at fault, words of the message)
WRITTEN = {
    "unknown-key": ("[cache]\nmemroy = '1MiB'\n", 8, ["memroy", r"cache\.memory|\bmemory\b"]),
    "unknown-table": ("[cahce]\nmemory = '1MiB'\n", 7, ["cahce", "cache"]),
    "unknown-in-site": ("[[site]]\nhosts = ['*']\nspaa = true\n", 9, ["spaa", "spa"]),
    "unknown-far": ("[limits]\nzzzzqqqq = 1\n", 8, ["zzzzqqqq"]),
    "unknown-top": ("[extra]\n", 7, ["extra"]),
    "case": ("[cache]\nMemory = '1MiB'\n", 8, ["Memory", "memory"]),
    "duplicate-key": ("[cache]\nmemory = '1MiB'\nmemory = '2MiB'\n", 9, ["memory"]),
    "duplicate-table": ("[cache]\nmemory = '1MiB'\n[cache]\npolicy = 'lru'\n", 9, ["cache"]),
    "type-string-for-int": ("[limits]\nconnections = 'many'\n", 8, ["connections"]),
    "type-int-for-bool": ("[storage]\nsync = 1\n", 8, ["sync"]),
    "type-table-for-string": ("[cache.memory]\nx = 1\n", 7, ["memory"]),
    "type-string-for-array": ("[[site]]\nhosts = '*'\n", 8, ["hosts"]),
    "type-int-in-array": ("[[site]]\nhosts = [1]\n", 8, ["hosts"]),
    "type-float": ("[limits]\nconnections = 1.5\n", 8, ["connections"]),
    "type-site-table": ("[site]\nhosts = ['*']\n", 7, ["site"]),
    "overflow-int": (
        "[limits]\nconnections = 99999999999999999999\n",
        8,
        ["connections|range|overflow|representable"],
    ),
    "overflow-size": ("[cache]\nmemory = '99999999999999999999'\n", 8, ["memory"]),
    "overflow-unit": ("[cache]\nmemory = '17179869184GiB'\n", 8, ["memory"]),
    "negative": ("[limits]\nconnections = -1\n", 8, ["connections"]),
    "bad-size": ("[cache]\nmemory = '12 parsecs'\n", 8, ["memory"]),
    "size-empty": ("[cache]\nmemory = ''\n", 8, ["memory"]),
    "block-bytes-too-large": ("[limits]\nblock_bytes = '17MiB'\n", 8, ["block_bytes", "16"]),
    "block-bytes-zero": ("[limits]\nblock_bytes = 0\n", 8, ["block_bytes"]),
    "bad-percent": ("[storage]\nreserve = '101%'\n", 8, ["reserve"]),
    "bad-policy": ("[cache]\npolicy = 'fifo'\n", 8, ["policy", "lru", "s3-fifo"]),
    "bad-write": ("[[site]]\nhosts = ['*']\nwrite = 'everyone'\n", 9, ["write", "anyone"]),
    "not-toml": ("[cache\nmemory = '1MiB'\n", 7, []),
    "not-toml-value": ("[cache]\nmemory = \n", 8, []),
    "not-utf8": ("[cache]\nmemory = '\udcff'\n", 8, []),
    "same-host-twice": (
        "[[site]]\nhosts = ['a.test']\n[[site]]\nhosts = ['a.test']\n",
        10,
        ["a.test"],
    ),
    "host-with-port": ("[[site]]\nhosts = ['a.test:80']\n", 8, ["hosts", r"a\.test:80", "port"]),
    "header-of-the-server": (
        "[[site]]\nhosts = ['*']\nheaders = ['X-A: b', 'etag: x']\n",
        9,
        ["headers", "etag", "server"],
    ),
    "header-that-is-none": (
        "[[site]]\nhosts = ['*']\nheaders = ['X A: b']\n",
        9,
        ["headers", "X A: b", "no field"],
    ),
    "missing-root": (
        "[[site]]\nhosts = ['*']\nroot = '/nonexistent/cairn'\n",
        9,
        ["root", "/nonexistent/cairn"],
    ),
}


@pytest.mark.parametrize(
    "added, line, words", [pytest.param(*case, id=name) for name, case in WRITTEN.items()]
)
def test_row_35_written_wrongly(make_node, added, line, words):
    node = make_node()
    text = base_text(node) + added
    node.config_path.write_bytes(text.encode("utf-8", "surrogateescape"))
    code, output = refused(node)
    assert code in REFUSED, output
    assert_one_clear_line(output, re.escape(f"{node.config_path.name}:{line}"), *words)
    assert not node.data_dir.exists(), "touched the data directory before it knew better"


@pytest.mark.parametrize(
    "added, line, words", [pytest.param(*case, id=name) for name, case in WRITTEN.items()]
)
def test_row_35_config_check_says_the_same(make_node, added, line, words):
    node = make_node()
    text = base_text(node) + added
    node.config_path.write_bytes(text.encode("utf-8", "surrogateescape"))
    done = run_cli("config", "check", "--config", node.config_path)
    assert done.returncode in REFUSED, done
    assert_one_clear_line(
        done.stderr.decode(), re.escape(f"{node.config_path.name}:{line}"), *words
    )


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:http",
        "300.0.0.1:80",
        "::1:80:",
        "not an address",
        "",
    ],
)
def test_row_35_bad_listen_address(make_node, address):
    node = make_node({"listen": {"http": [address]}})
    code, output = refused(node)
    assert code in REFUSED, output
    assert_one_clear_line(output, r"listen\.http|http", r"cairn\.toml:\d+")


def test_row_35_no_such_file(make_node):
    node = make_node()
    node.config_path.unlink()
    code, output = refused(node)
    assert code in REFUSED, output
    assert_one_clear_line(output, "cairn.toml")


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("CAIRN_CACHE_MEMORY", "lots", ["CAIRN_CACHE_MEMORY"]),
        ("CAIRN_CACHE_MEMROY", "1MiB", ["CAIRN_CACHE_MEMROY", r"cache\.memory|CAIRN_CACHE_MEMORY"]),
        ("CAIRN_LIMITS_CONNECTIONS", "-1", ["CAIRN_LIMITS_CONNECTIONS"]),
    ],
)
def test_row_35_bad_environment_names_the_variable(make_node, name, value, words):
    code, output = refused(make_node(), env={name: value})
    assert code in REFUSED, output
    assert_one_clear_line(output, *words)


@pytest.mark.parametrize(
    "setting, words",
    [
        ("cache.memory=lots", ["cache.memory"]),
        ("cache.memroy=1MiB", ["memroy", "memory"]),
        ("nonsense", ["nonsense"]),
        ("=1", ["="]),
        ("cache=1", ["cache"]),
        ("limits.connections=1.5", ["connections"]),
    ],
)
def test_row_35_bad_set_names_the_setting(make_node, setting, words):
    code, output = refused(make_node(), args=["--set", setting])
    assert code in REFUSED, output
    assert_one_clear_line(output, *words)


# -- what the machine refuses ----------------------------------------------------------------------


@pytest.mark.parametrize("listener", ["http", "admin"])
def test_row_35_port_in_use(make_node, listener):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        node = make_node({"listen": {listener: [address] if listener == "http" else address}})
        code, output = refused(node)
        assert code == FAILURE, output
        assert_one_clear_line(output, re.escape(address), "in use")


def test_row_35_address_that_is_not_ours(make_node):
    node = make_node({"listen": {"http": ["192.0.2.1:8080"]}})
    code, output = refused(node)
    assert code == FAILURE, output
    assert_one_clear_line(output, r"192\.0\.2\.1:8080")


def test_row_35_data_directory_is_a_file(make_node):
    node = make_node()
    node.data_dir.write_text("not a directory")
    code, output = refused(node)
    assert code == FAILURE, output
    assert_one_clear_line(output, re.escape(str(node.data_dir)))
    assert node.data_dir.read_text() == "not a directory"


def test_row_35_data_directory_of_somebody_else(make_node):
    """A directory that many use keeps its mode and its files, and no port is bound."""
    node = make_node()
    node.data_dir.mkdir()
    (node.data_dir / "letter.txt").write_text("not a store")
    node.data_dir.chmod(0o1777)
    code, output = refused(node)
    assert code == FAILURE, output
    assert_one_clear_line(output, re.escape(str(node.data_dir)), "letter.txt", "of its own")
    assert node.data_dir.stat().st_mode & 0o7777 == 0o1777
    assert [path.name for path in node.data_dir.iterdir()] == ["letter.txt"]


def test_row_35_data_directory_on_a_read_only_file_system(make_node, tmp_path):
    mount = tmp_path / "read-only"
    mount.mkdir()
    as_root("mount", "-t", "tmpfs", "-o", "ro,size=1m", "cairn-e2e", mount)
    try:
        node = make_node({"node": {"data_dir": str(mount / "data")}})
        code, output = refused(node)
        assert code == FAILURE, output
        assert_one_clear_line(output, re.escape(str(mount / "data")))
    finally:
        as_root("umount", "--lazy", mount)


def test_row_35_data_directory_of_another_user(make_node, tmp_path):
    """As a plain user, a directory that somebody else owns."""
    node = make_node()
    node.data_dir.mkdir(mode=0o700)
    nobody = pwd.getpwnam("nobody")
    for path in [node.directory, *node.directory.parents]:
        if path == tmp_path.parent.parent or path == path.parent:
            break
        path.chmod(path.stat().st_mode | 0o755)
    tmp_path.parent.parent.chmod(0o755)
    # A plain user may not read /work or /root: it gets a copy of the program and the configuration.
    program = tmp_path / "cairn"
    program.write_bytes(binary_path().read_bytes())
    program.chmod(0o755)
    node.config_path.chmod(0o644)
    plain_user = ["setpriv", "--reuid", nobody.pw_uid, "--regid", nobody.pw_gid, "--clear-groups"]
    done = as_root(
        *plain_user,
        *(program, "serve", "--config", node.config_path),
        cwd="/",
        capture_output=True,
        timeout=20,
        env=clean_environment(),
        check=False,
    )
    assert done.returncode == FAILURE, done
    assert_one_clear_line(
        done.stderr.decode(), re.escape(str(node.data_dir)), "permission|denied|writ"
    )


def stores(node):
    """The STORE files below the data directory: whose a store is, and in which format."""
    return sorted(node.data_dir.rglob("STORE"))


def stored_and_stopped(make_node, config=None):
    node = make_node(config).start()
    node.put(b"mine")
    assert node.stop() == 0
    assert len(stores(node)) == 1, "no STORE in the data directory"
    return node


def test_row_35_database_of_another_node(make_node):
    node = stored_and_stopped(make_node, {"node": {"name": "first"}})
    node.config["node"]["name"] = "second"
    node.write_config()
    code, output = refused(node)
    assert code == FAILURE, output
    assert_one_clear_line(output, re.escape(str(node.data_dir)), "first", "second")
    node.config["node"]["name"] = "first"
    node.write_config()
    assert node.start().get(block_id(b"mine")).body == b"mine"


def test_row_35_newer_format(make_node):
    node = stored_and_stopped(make_node)
    path = stores(node)[0]
    old = path.read_text()
    path.write_text(re.sub(r"(?m)^format = \d+$", "format = 4000", old))
    assert path.read_text() != old
    code, output = refused(node)
    assert code == FAILURE, output
    assert_one_clear_line(output, re.escape(str(node.data_dir)), "format", "4000", "newer")
    path.write_text(old)
    assert node.start().get(block_id(b"mine")).body == b"mine", "the refusal changed the store"


@pytest.mark.parametrize("text", ["", "garbage", "format = x\n", "format = 0\n", "\0" * 100])
def test_row_35_damaged_identity(make_node, text):
    node = stored_and_stopped(make_node)
    stores(node)[0].write_text(text)
    code, output = refused(node)
    assert code == FAILURE, output
    assert_one_clear_line(output, re.escape(str(node.data_dir)))
    assert stores(node)[0].read_text() == text


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o606])
def test_row_35_secret_readable_by_others(make_node, mode):
    node = make_node()
    secret = node.directory / "seed"
    secret.write_text("0123456789abcdef\n")
    secret.chmod(mode)
    node.config["cluster"] = {"placement_seed_file": str(secret)}
    node.write_config()
    code, output = refused(node)
    assert code in REFUSED, output
    assert_one_clear_line(output, re.escape(str(secret)), "others|600|private")
    assert "0123456789abcdef" not in output
    secret.chmod(0o600)
    assert node.start().get(node.put(b"private seed")).status == 200


def test_row_35_data_directory_in_use(make_node):
    first = make_node().start()
    first.put(b"held")
    second = make_node({"node": {"data_dir": str(first.data_dir)}})
    code, output = refused(second)
    assert code == FAILURE, output
    assert_one_clear_line(output, re.escape(str(first.data_dir)), "use|lock|another")
    assert first.get(first.put(b"still there")).body == b"still there"


def test_row_35_config_file_that_cannot_be_read(make_node, tmp_path):
    """A directory in place of the file."""
    node = make_node()
    node.config_path.unlink()
    node.config_path.mkdir()
    code, output = refused(node)
    assert code in REFUSED, output
    assert_one_clear_line(output, "cairn.toml")


def test_row_35_nothing_is_bound_before_the_refusal(make_node):
    """The admin port is free, the http port is not: neither may have been listened on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        probe = socket.create_server(("127.0.0.1", 0))
        free = probe.getsockname()[1]
        probe.close()
        node = make_node(
            {
                "listen": {
                    "admin": f"127.0.0.1:{free}",
                    "http": ["127.0.0.1:%d" % taken.getsockname()[1]],
                },
                "cache": {"memroy": "1MiB"},
            }
        )
        code, output = refused(node)
        assert code in REFUSED and "memroy" in output, "judged the port before the file"
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", free), timeout=1)


def test_a_node_that_refuses_is_a_failed_start(make_node):
    """The harness reports a refusal as such."""
    node = make_node({"cache": {"memroy": "1MiB"}})
    with pytest.raises(NodeFailed):
        node.start()
    assert os.path.exists(node.directory / "stderr.log")
