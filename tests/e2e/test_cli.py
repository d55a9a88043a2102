"""The command line as people and scripts use it: blocks, progress, JSON, exit codes, help."""

import json
import os
import pty
import re
import select
import subprocess
import time

import pytest

from cairn_node import binary_path, block_id, clean_environment, run_cli

OK, FAILURE, USAGE, PARTIAL, UNREACHABLE, DENIED = range(6)
NO_BLOCK = "0" * 64
COMMANDS = [
    ["serve"],
    ["block"],
    ["block", "put"],
    ["block", "get"],
    ["block", "stat"],
    ["block", "missing"],
    ["config"],
    ["config", "check"],
    ["config", "show"],
    ["fsck"],
    ["doctor"],
    ["completion"],
]


@pytest.fixture(scope="module")
def node(module_node):
    return module_node().start()


@pytest.fixture(scope="module")
def url(node):
    return "http://%s:%d" % node.http


def block(url, command, *args, **options):
    return run_cli("block", command, "--server", url, *args, **options)


def ids_in(output):
    return re.findall(r"\b[0-9a-f]{64}\b", output.decode())


# -- put and get -----------------------------------------------------------------------------------


def test_put_a_file_prints_its_id(node, url, tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(os.urandom(5000))
    done = block(url, "put", path)
    assert done.returncode == OK, done
    assert ids_in(done.stdout) == [block_id(path.read_bytes())]
    assert node.get(block_id(path.read_bytes())).body == path.read_bytes()


def test_put_from_standard_input(node, url):
    data = os.urandom(3000)
    done = block(url, "put", "-", stdin=data)
    assert done.returncode == OK and ids_in(done.stdout) == [block_id(data)], done
    assert node.get(block_id(data)).body == data


def test_put_several_files_in_order(node, url, tmp_path):
    paths = [tmp_path / f"{number}.bin" for number in range(50)]
    for path in paths:
        path.write_bytes(os.urandom(1000))
    done = block(url, "put", *paths)
    assert done.returncode == OK
    assert ids_in(done.stdout) == [block_id(path.read_bytes()) for path in paths]
    assert node.missing(ids_in(done.stdout)) == []


def test_put_a_directory_walks_it(node, url, tmp_path):
    folder = tmp_path / "tree"
    (folder / "a" / "b").mkdir(parents=True)
    contents = {
        folder / "one": b"one",
        folder / "a" / "two": b"two",
        folder / "a" / "b" / "three": b"three",
    }
    for path, data in contents.items():
        path.write_bytes(data)
    done = block(url, "put", folder)
    assert done.returncode == OK, done
    assert set(ids_in(done.stdout)) == {block_id(data) for data in contents.values()}
    assert node.missing(ids_in(done.stdout)) == []


def test_get_to_standard_output_and_to_a_file(node, url, tmp_path):
    data = bytes(range(256)) * 100
    name = node.put(data)
    done = block(url, "get", name)
    assert done.returncode == OK and done.stdout == data, done.stderr
    target = tmp_path / "out.bin"
    done = block(url, "get", name, "--output", target)
    assert done.returncode == OK and target.read_bytes() == data, done


def test_get_of_an_absent_block_leaves_no_file(url, tmp_path):
    target = tmp_path / "out.bin"
    done = block(url, "get", NO_BLOCK, "--output", target)
    assert done.returncode == FAILURE and done.stderr, done
    assert list(tmp_path.iterdir()) == []


def test_a_large_file_is_cut_into_blocks_and_comes_back(node, url, tmp_path):
    path, back = tmp_path / "large", tmp_path / "back"
    path.write_bytes(os.urandom((5 << 20) // 2 + 1))
    done = block(url, "put", path)
    names = ids_in(done.stdout)
    assert done.returncode == OK and len(names) == 3, done
    assert names[0] == block_id(path.read_bytes()[: 1 << 20])
    assert block(url, "get", *names, "--output", back).returncode == OK
    assert back.read_bytes() == path.read_bytes()
    done = block(url, "put", "--block-bytes", "64KiB", path)
    assert done.returncode == OK and len(ids_in(done.stdout)) == 41, done


def test_a_file_of_one_block_is_not_cut(url, tmp_path):
    path = tmp_path / "whole"
    path.write_bytes(b"L" * (1 << 20))
    assert ids_in(block(url, "put", path).stdout) == [block_id(path.read_bytes())]


def test_blocks_larger_than_the_node_takes_are_refused(url, tmp_path):
    path = tmp_path / "large"
    path.write_bytes(b"M" * (2 << 20))
    done = block(url, "put", "--block-bytes", "2MiB", path)
    assert done.returncode == FAILURE and str(path) in done.stderr.decode(), done


def test_stat_tells_size(node, url):
    name = node.put(b"s" * 777)
    done = block(url, "stat", name)
    assert (
        done.returncode == OK and name in done.stdout.decode() and "777" in done.stdout.decode()
    ), done
    assert block(url, "stat", NO_BLOCK).returncode == FAILURE


def test_missing_lists_what_is_not_held(node, url):
    held, absent = node.put(b"held by missing"), block_id(b"absent by missing")
    done = block(url, "missing", held, absent)
    assert done.returncode == PARTIAL and done.stdout.decode().split() == [absent], done
    done = block(url, "missing", held)
    assert done.returncode == OK and not done.stdout, done
    many = [block_id(b"many %d" % n) for n in range(2500)]
    done = block(url, "missing", "-", stdin="\n".join([*many, held]).encode() + b"\n")
    assert done.returncode == PARTIAL and done.stdout.decode().split() == many, done.stderr


def test_missing_refuses_what_is_no_id(url):
    done = block(url, "missing", "not-an-id")
    assert done.returncode == USAGE and b"not-an-id" in done.stderr, done


# -- JSON ------------------------------------------------------------------------------------------


def json_of(done):
    text = done.stdout.decode()
    try:
        return json.loads(text)
    except ValueError:
        return [json.loads(line) for line in text.splitlines()]


def test_json_of_put_stat_and_missing(node, url, tmp_path):
    path = tmp_path / 'na"me\n.bin'
    path.write_bytes(b"json put")
    name = block_id(b"json put")
    done = block(url, "put", "--json", path)
    text = json.dumps(json_of(done))
    assert done.returncode == OK and name in text and "8" in text, done
    done = block(url, "stat", "--json", name)
    assert done.returncode == OK and name in json.dumps(json_of(done)), done
    done = block(url, "missing", "--json", name, NO_BLOCK)
    assert NO_BLOCK in json.dumps(json_of(done)) and name not in json.dumps(json_of(done)), done


def test_json_of_a_failure_is_json_too(url, tmp_path):
    done = block(url, "stat", "--json", NO_BLOCK)
    assert done.returncode == FAILURE
    if done.stdout:
        json_of(done)


# -- exit codes ------------------------------------------------------------------------------------


def test_exit_code_of_a_part_is_partial(node, url, tmp_path):
    good = tmp_path / "good"
    good.write_bytes(b"good part")
    done = block(url, "put", good, tmp_path / "absent")
    assert done.returncode == PARTIAL and ids_in(done.stdout) == [block_id(b"good part")], done
    assert b"absent" in done.stderr


@pytest.mark.parametrize("args", [["put", "/nonexistent/file"], ["get", NO_BLOCK]])
def test_exit_code_of_a_failure(url, args):
    done = block(url, *args)
    assert done.returncode == FAILURE, done
    told = [line for line in done.stderr.decode().splitlines() if line.startswith("cairn: ")]
    assert len(told) == 1 and str(args[1]) in told[0], done


@pytest.mark.parametrize(
    "args",
    [
        ["block"],
        ["block", "pat"],
        ["block", "get"],
        ["block", "get", "xyz"],
        ["block", "get", "A" * 64],
        ["blok"],
        ["serve", "--nonsense"],
        ["block", "put", "--server", "nonsense", "x"],
        ["completion", "powershell"],
        ["config", "check", "--config"],
        ["--nonsense"],
    ],
)
def test_exit_code_of_wrong_usage(args):
    done = run_cli(*args)
    assert done.returncode == USAGE and done.stderr and not done.stdout, done
    assert (
        "Traceback" not in done.stderr.decode() and "terminate called" not in done.stderr.decode()
    )


def test_exit_code_of_an_unreachable_node(tmp_path):
    import socket

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = "http://127.0.0.1:%d" % unused.getsockname()[1]
        path = tmp_path / "x"
        path.write_bytes(b"x")
        for args in (["put", path], ["get", NO_BLOCK], ["stat", NO_BLOCK], ["missing", NO_BLOCK]):
            done = block(url, *args)
            assert (
                done.returncode == UNREACHABLE and url.split("//")[1] in done.stderr.decode()
            ), done


def test_exit_code_of_a_denied_write(make_node, tmp_path):
    node = make_node({"site": [{"hosts": ["*"], "write": "nobody"}]}).start()
    path = tmp_path / "x"
    path.write_bytes(b"denied")
    done = block("http://%s:%d" % node.http, "put", path)
    assert done.returncode == DENIED and done.stderr, done


def test_a_reader_that_goes_away_is_no_crash(url, node):
    """`cairn block get … | head -c 1` ends without an exception's noise."""
    name = node.put(os.urandom(1 << 20))
    done = subprocess.run(
        ["sh", "-c", f'"{binary_path()}" block get --server {url} {name} | head -c 1 >/dev/null'],
        capture_output=True,
        timeout=30,
        env=clean_environment(),
        check=False,
    )
    assert b"terminate" not in done.stderr and b"core dumped" not in done.stderr, done


# -- progress --------------------------------------------------------------------------------------


@pytest.fixture
def many_files(tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(64):
        (folder / f"{number:03}").write_bytes(os.urandom(1 << 20))
    return folder


def test_progress_without_a_terminal_has_no_control_characters(url, many_files):
    done = block(url, "put", many_files)
    assert done.returncode == OK
    for stream in (done.stdout, done.stderr):
        assert b"\r" not in stream and b"\x1b" not in stream, stream[:300]
    assert len(ids_in(done.stdout)) == 64


def run_on_terminal(args, seconds=60):
    """Standard error is a terminal, standard output is not: returns (code, stdout, what the
    terminal saw).
    """
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [str(binary_path()), *map(str, args)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=slave,
        env=clean_environment({"TERM": "xterm"}),
    )
    os.close(slave)
    seen, out, until = b"", b"", time.monotonic() + seconds
    fds = {master, process.stdout.fileno()}
    while fds and time.monotonic() < until:
        for fd in select.select(list(fds), [], [], 1)[0]:
            try:
                part = os.read(fd, 65536)
            except OSError:
                part = b""
            if not part:
                fds.discard(fd)
            elif fd == master:
                seen += part
            else:
                out += part
    code = process.wait(10)
    process.stdout.close()
    os.close(master)
    return code, out, seen


def test_progress_on_a_terminal_is_a_bar(url, many_files):
    code, out, seen = run_on_terminal(["block", "put", "--server", url, many_files])
    assert code == OK and len(ids_in(out)) == 64
    assert re.search(rb"\r[^\n]*\[#*\.*\]", seen), f"no bar in {seen!r}"
    assert b"64 blocks, 64.0 MiB of 64.0 MiB" in seen.split(b"\r")[-1] + seen[-200:], seen[-300:]


def test_no_progress_when_quiet(url, many_files):
    code, out, seen = run_on_terminal(["block", "put", "--quiet", "--server", url, many_files])
    assert code == OK and seen == b"", seen


# -- doctor, completion, help ----------------------------------------------------------------------


def test_doctor_of_a_good_configuration(make_node):
    node = make_node()
    done = run_cli("doctor", "--config", node.config_path)
    assert done.returncode == OK, done
    assert len(done.stdout.decode().splitlines()) >= 3


def test_doctor_names_what_is_wrong(make_node):
    node = make_node()
    node.data_dir.write_text("in the way")
    done = run_cli("doctor", "--config", node.config_path)
    assert (
        done.returncode != OK and str(node.data_dir) in (done.stdout + done.stderr).decode()
    ), done


def test_fsck_of_a_clean_and_of_a_held_directory(make_node):
    node = make_node().start()
    names = [node.put(os.urandom(3000)) for _ in range(20)]
    held = run_cli("fsck", "--config", node.config_path)
    assert held.returncode == FAILURE and held.stderr, held
    assert node.stop() == 0
    done = run_cli("fsck", "--config", node.config_path)
    assert done.returncode == OK and str(len(names)) in (done.stdout + done.stderr).decode(), done


def test_fsck_finds_flipped_bytes(make_node):
    """Bits flipped in every stored block: found, told, and never served."""
    node = make_node().start()
    marker = b"FLIPPED-BYTES-MARKER" * 4000
    name = node.put(marker + os.urandom(1000))
    assert node.stop() == 0
    flipped = 0
    for path in node.data_dir.rglob("*"):
        if path.is_file():
            raw = bytearray(path.read_bytes())
            at = raw.find(b"FLIPPED-BYTES-MARKER" * 50)
            while at >= 0:
                raw[at + 100] ^= 1
                flipped += 1
                at = raw.find(b"FLIPPED-BYTES-MARKER" * 50, at + 90_000)
            path.write_bytes(raw)
    assert flipped, "the block's bytes are nowhere as they were"
    done = run_cli("fsck", "--config", node.config_path)
    assert done.returncode == FAILURE, done
    node.launch()
    until = time.monotonic() + 10
    while node.http is None and node.process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    if node.http is not None:
        answer = node.get(name)
        assert answer.status != 200, "served bytes that do not match their id"


@pytest.mark.parametrize(
    "shell, check", [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "-n"])]
)
def test_completion(shell, check, tmp_path):
    done = run_cli("completion", shell)
    assert done.returncode == OK and not done.stderr, done
    text = done.stdout.decode()
    for word in ("serve", "block", "fsck", "doctor", "completion", "config"):
        assert word in text, word
    script = tmp_path / "completion"
    script.write_text(text)
    if shell != "bash" and not any(
        os.access(f"{folder}/{shell}", os.X_OK) for folder in ("/bin", "/usr/bin")
    ):
        assert {"zsh": "#compdef", "fish": "complete -c cairn"}[shell] in text
        return
    subprocess.run([*check, script], check=True, timeout=10)


def test_completion_of_bash_completes():
    done = run_cli("completion", "bash")
    code = (
        done.stdout.decode()
        + """
COMP_WORDS=(cairn bl); COMP_CWORD=1; COMP_LINE='cairn bl'; COMP_POINT=8
name=$(complete -p cairn | sed 's/.*-F \\([^ ]*\\).*/\\1/')
$name cairn bl cairn; printf '%s\\n' "${COMPREPLY[@]}"
"""
    )
    out = subprocess.run(
        ["bash", "-c", code], capture_output=True, timeout=10, check=True
    ).stdout.decode()
    assert out.split() == ["block"], out


@pytest.mark.parametrize(
    "command", [pytest.param(c, id=" ".join(c) or "cairn") for c in [[], *COMMANDS]]
)
def test_help_of_each_command(command):
    done = run_cli(*command, "--help")
    assert done.returncode == OK and not done.stderr, done
    text = done.stdout.decode()
    assert re.search("usage", text, re.I) and len(text.splitlines()) >= 3, text
    assert all(len(line) <= 100 for line in text.splitlines()), "wider than a terminal"


def test_help_names_every_command():
    text = run_cli("--help").stdout.decode()
    for command in {command[0] for command in COMMANDS}:
        assert re.search(rf"\b{command}\b", text), command
