"""The command line as people and scripts use it: blocks, progress, JSON, exit codes, help."""

import ctypes
import json
import os
import pty
import re
import select
import struct
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
    ["chain"],
    *(["chain", name] for name in "create append trim delete share log follow verify".split()),
    ["export"],
    ["import"],
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


def test_put_a_directory_tells_of_links_and_takes_hidden_files(url, tmp_path):
    (tmp_path / ".hidden").write_bytes(b"hidden")
    (tmp_path / "link").symlink_to("hidden")
    done = block(url, "put", tmp_path)
    assert done.returncode == OK and ids_in(done.stdout) == [block_id(b"hidden")], done
    assert b"passed over 1 symbolic link" in done.stderr


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


def test_get_into_a_pipe_a_link_and_a_device(node, url, tmp_path):
    name = node.put(b"where it goes")
    command = f'"{binary_path()}" block get --server {url} {name} -o >(cat > "{tmp_path}/piped"); wait'
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, timeout=30, env=clean_environment(), check=False
    )
    assert done.returncode == OK and not done.stderr, done
    until = time.monotonic() + 10
    while (tmp_path / "piped").read_bytes() != b"where it goes" and time.monotonic() < until:
        time.sleep(0.02)
    assert (tmp_path / "piped").read_bytes() == b"where it goes"
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "target.part").write_bytes(b"mine")
    (tmp_path / "link").symlink_to("target")
    assert block(url, "get", name, "-o", tmp_path / "link").returncode == OK
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"where it goes"
    assert (tmp_path / "target.part").read_bytes() == b"mine"
    (tmp_path / "full").symlink_to("/dev/full")
    done = block(url, "get", name, "-o", tmp_path / "full")
    assert done.returncode == FAILURE and b"cannot be written" in done.stderr, done
    assert sorted(os.listdir(tmp_path)) == ["full", "link", "piped", "target", "target.part"]


def test_put_of_an_unreadable_directory_goes_on_with_the_rest(url, tmp_path):
    folder = tmp_path / "tree"
    for name in ("a", "b", "c"):
        (folder / name).mkdir(parents=True)
        (folder / name / "file").write_text(name)
    (folder / "b").chmod(0)
    command = [str(binary_path()), "block", "put", "--server", url, str(folder)]
    if os.geteuid() == 0:  # Whom no mode keeps out.
        command[:0] = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    done = subprocess.run(
        command, capture_output=True, timeout=30, env=clean_environment(), check=False
    )
    (folder / "b").chmod(0o700)
    assert done.returncode == PARTIAL, done
    assert ids_in(done.stdout) == [block_id(b"a"), block_id(b"c")], done
    assert done.stderr.decode() == f"cairn: {folder / 'b'}: Permission denied\n", done


def test_put_of_nothing_is_told(url, tmp_path):
    (tmp_path / "empty").touch()
    (tmp_path / "some").write_bytes(b"some")
    done = block(url, "put", tmp_path / "empty")
    assert done.returncode == FAILURE and str(tmp_path / "empty") in done.stderr.decode(), done
    assert block(url, "put", "-").returncode == FAILURE
    assert block(url, "put", tmp_path).returncode == PARTIAL


def test_a_file_name_forges_no_line(url, tmp_path):
    (tmp_path / f"a\n{NO_BLOCK}  1  forged\x1b[K").write_bytes(b"forging")
    (tmp_path / "b\nc").touch()
    done = block(url, "put", tmp_path)
    assert len(done.stdout.splitlines()) == 1 and len(done.stderr.splitlines()) == 1, done
    assert b"\x1b" not in done.stdout and b"a\\x0a" in done.stdout, done


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


def test_404_of_another_listener_is_no_lost_block(make_node, tmp_path):
    node = make_node({}).start()
    url = "http://%s:%d" % node.admin
    path = tmp_path / "x"
    path.write_bytes(b"x")
    for args in (["put", path], ["get", NO_BLOCK], ["missing", NO_BLOCK]):
        done = block(url, *args)
        assert done.returncode == FAILURE and b"not as a Cairn site" in done.stderr, done
        assert b"not held" not in done.stderr, done


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


def run_on_terminal(args, seconds=60, share=False):
    """Standard error is a terminal, standard output only when they share it: returns (code, stdout,
    what the terminal saw).
    """
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [str(binary_path()), *map(str, args)],
        stdin=subprocess.DEVNULL,
        stdout=slave if share else subprocess.PIPE,
        stderr=slave,
        env=clean_environment({"TERM": "xterm"}),
    )
    os.close(slave)
    seen, out, until = b"", b"", time.monotonic() + seconds
    fds = {master} if share else {master, process.stdout.fileno()}
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
    if process.stdout:
        process.stdout.close()
    os.close(master)
    return code, out, seen


def test_progress_on_a_terminal_is_a_bar(url, many_files):
    code, out, seen = run_on_terminal(["block", "put", "--server", url, many_files])
    assert code == OK and len(ids_in(out)) == 64
    assert re.search(rb"\r[^\n]*\[#*\.*\]", seen), f"no bar in {seen!r}"
    assert b"64 blocks, 64.0 MiB of 64.0 MiB" in seen.split(b"\r")[-1] + seen[-200:], seen[-300:]


def test_the_bar_and_the_results_share_a_terminal(url, many_files):
    """What the terminal shows of each line is a result alone, or the bar at its end alone."""
    code, _, seen = run_on_terminal(["block", "put", "--server", url, many_files], share=True)
    assert code == OK and b"put 64 blocks" in seen, seen[-300:]
    lines = [line.rsplit(b"\x1b[K")[-1].strip(b"\r") for line in seen.split(b"\n")]
    results = [line for line in lines if re.fullmatch(rb"[0-9a-f]{64}  \d+  .*/\d{3}", line)]
    bars = [line for line in lines if line.startswith(b"[")]
    assert len(results) == 64 and len(bars) == 1 and len(lines) == 66, lines


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


def test_doctor_of_an_unreachable_node_exits_as_every_command(make_node):
    node = make_node()
    done = run_cli("doctor", "--config", node.config_path, "--server", "http://127.0.0.1:1")
    assert done.returncode == UNREACHABLE and b"fail  server: " in done.stdout, done
    node.data_dir.write_text("in the way")
    done = run_cli("doctor", "--config", node.config_path, "--server", "http://127.0.0.1:1")
    assert done.returncode == FAILURE, done


def forbid_openat2():
    """A seccomp filter (seccomp(2)): openat2, number 437 everywhere, is answered EPERM."""
    load_number, when_equal, give = 0x20, 0x15, 0x06
    errno_eperm, allow = 0x00050001, 0x7FFF0000
    program = b"".join(
        struct.pack("HBBI", *step)
        for step in [
            (load_number, 0, 0, 0),
            (when_equal, 0, 1, 437),
            (give, 0, 0, errno_eperm),
            (give, 0, 0, allow),
        ]
    )
    steps = ctypes.create_string_buffer(program, len(program))
    filtered = struct.pack("HxxxxxxP", 4, ctypes.addressof(steps))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, filtered, 0, 0) == 0  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER


def test_doctor_names_why_openat2_is_not_there(make_node):
    done = subprocess.run(
        [str(binary_path()), "doctor", "--config", str(make_node().config_path)],
        capture_output=True,
        timeout=30,
        env=clean_environment(),
        preexec_fn=forbid_openat2,
        check=False,
    )
    assert done.returncode == FAILURE, done
    assert re.search(rb"fail  kernel: .*openat2: Operation not permitted", done.stdout), done


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


def test_completion_of_zsh_completes_at_the_first_tab(tmp_path):
    """As the file _cairn of zsh's function path, where a package puts it."""
    (tmp_path / "_cairn").write_bytes(run_cli("completion", "zsh").stdout)
    code = f"""
fpath=({tmp_path}) words=(cairn bl) CURRENT=2
_describe() {{ print -l -- ${{(P)2}} }}; _files() {{ : }}; compdef() {{ print compdef }}
autoload -U _cairn; _cairn
source {tmp_path}/_cairn
"""
    done = subprocess.run(["zsh", "-fc", code], capture_output=True, timeout=10, check=True)
    out = done.stdout.decode().splitlines()
    assert any(line.startswith("block:") for line in out), done
    assert out.count("compdef") == 1 and out[-1] == "compdef", done


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
