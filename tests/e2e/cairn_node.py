"""Starts real `cairn` processes for tests: configuration, ready line, logs, signals, restart.

A Node owns one data directory and at most one running process. Everything it waits for has a
deadline, listeners are on port 0, and the process dies with the test run (parent-death signal),
so runs can go on side by side and leave nothing behind.
"""

import hashlib
import os
import re
import shutil
import signal
import struct
import subprocess
import threading
import time
from pathlib import Path

import raw_http

REPO = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 35.0
LIVE_NODES = []


class NodeFailed(AssertionError):
    """The process did not do what was asked; the message carries its output."""


def binary_path():
    """The program under test: CAIRN_BIN, or the newest local build. Absent is a failure, not a
    skip.
    """
    named = os.environ.get("CAIRN_BIN")
    candidates = (
        [Path(named)]
        if named
        else [REPO / "build" / preset / "cairn" for preset in ("dev", "release")]
    )
    found = [path for path in candidates if os.access(path, os.X_OK)]
    if not found:
        raise NodeFailed(
            f"no cairn binary at {', '.join(map(str, candidates))}: build it or set CAIRN_BIN"
        )
    return max(found, key=lambda path: path.stat().st_mtime).resolve()


def as_root(*command, check=True, **options):
    """Runs a command that only root may run, where this is not root by a sudo that asks nothing."""
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    return subprocess.run([*sudo, *map(str, command)], check=check, **options)


def clean_environment(extra=None):
    """The caller's environment without anything that configures a node."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("CAIRN_") and key not in ("NOTIFY_SOCKET", "WATCHDOG_USEC")
    }
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
        if name in os.environ:
            kept[name] = os.environ[name]
    kept.update(extra or {})
    return kept


def run_cli(*args, stdin=b"", timeout=60, env=None, cwd=None):
    """Runs one `cairn` command to its end. Output is bytes."""
    command = [str(binary_path()), *map(str, args)]
    return subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        timeout=timeout,
        env=clean_environment(env),
        cwd=cwd,
        check=False,
    )


def _toml_value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml_value(item) for item in value) + "]"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def to_toml(table, prefix=""):
    """TOML text of nested dicts; a list of dicts is an array of tables."""
    plain, nested = [], []
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            nested += [f"\n[{name}]", to_toml(value, name + ".")]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for item in value:
                nested += [f"\n[[{name}]]", to_toml(item, name + ".")]
        else:
            plain.append(f"{key} = {_toml_value(value)}")
    return "\n".join(plain + nested)


def merged(base, change):
    """`base` with `change` laid over it, table by table. None removes a key."""
    out = dict(base)
    for key, value in change.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = merged(out[key], value)
        else:
            out[key] = value
    return out


def block_id(data):
    return hashlib.sha256(data).hexdigest()


def decode_fetch_frames(raw):
    """[(id, bytes or None)] of an `application/vnd.cairn.blocks` body. Rejects trailing bytes."""
    frames, at = [], 0
    while at < len(raw):
        assert len(raw) - at >= 36, f"{len(raw) - at} trailing bytes in a fetch answer"
        name = raw[at : at + 32].hex()
        (length,) = struct.unpack_from("<I", raw, at + 32)
        at += 36
        if length == 0xFFFFFFFF:
            frames.append((name, None))
            continue
        assert len(raw) - at >= length, "fetch frame is cut short"
        frames.append((name, raw[at : at + length]))
        at += length
    return frames


def encode_batch_frames(blocks):
    return b"".join(struct.pack("<I", len(block)) + block for block in blocks)


class Node:
    """One node: its directory, its configuration, and its process while it runs."""

    def __init__(self, directory, config=None, *, env=None, args=(), wrap=()):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.data_dir = self.directory / "data"
        self.config_path = self.directory / "cairn.toml"
        self.env, self.args, self.wrap = dict(env or {}), list(args), list(wrap)
        self.binary = None  # The program under test.
        self.process, self.exit_code = None, None
        self.http = self.admin = None
        self.ready_fields, self.start_seconds = {}, None
        self.lines, self._ready = [], threading.Event()
        self._reader, self._error_file = None, None
        self.config = merged(self.default_config(), config or {})
        self.write_config()

    def default_config(self):
        return {
            "node": {"data_dir": str(self.data_dir)},
            "listen": {"http": ["127.0.0.1:0"], "admin": "127.0.0.1:0"},
            "cache": {"memory": "64MiB"},
            "site": [{"hosts": ["*"], "write": "anyone"}],
        }

    def write_config(self, text=None):
        self.config_path.write_text(text if text is not None else to_toml(self.config) + "\n")

    # -- process ----------------------------------------------------------------------------------

    def launch(self):
        """Starts the process and returns at once. Call from the main thread (parent-death
        signal).
        """
        assert self.process is None, "already running"
        self.http = self.admin = None
        self.ready_fields = {}
        self._ready = threading.Event()
        self.exit_code, self.lines = None, []
        self._error_file = open(self.directory / "stderr.log", "ab")
        command = [
            *self.wrap,
            "setpriv",
            "--pdeathsig",
            "KILL",
            str(self.binary or binary_path()),
            "serve",
            "--config",
            str(self.config_path),
            *self.args,
        ]
        self._started = time.monotonic()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._error_file,
            cwd=self.directory,
            env=clean_environment(self.env),
        )
        self._reader = threading.Thread(target=self._read_stdout, args=(self.process,), daemon=True)
        self._reader.start()
        LIVE_NODES.append(self)
        return self

    def _read_stdout(self, process):
        with open(self.directory / "stdout.log", "ab") as log:
            for raw in process.stdout:
                log.write(raw)
                log.flush()
                line = raw.decode("utf-8", "replace").rstrip("\n")
                self.lines.append(line)
                if line.startswith("ready "):
                    self.start_seconds = time.monotonic() - self._started
                    self._parse_ready(line)
                    self._ready.set()
        self._ready.set()

    def _parse_ready(self, line):
        self.ready_fields = dict(re.findall(r"(\w+)=(\S+)", line))
        self.http = self._address(self.ready_fields.get("http"))
        self.admin = self._address(self.ready_fields.get("admin"))

    @staticmethod
    def _address(text):
        if not text:
            return None
        host, _, port = text.split(",")[0].rpartition(":")
        return host.strip("[]"), int(port)

    def start(self, timeout=START_TIMEOUT_S):
        self.launch()
        if not self._ready.wait(timeout):
            self.kill()
            raise NodeFailed(f"no ready line in {timeout} s\n{self.output()}")
        if self.http is None:
            code = self.wait(5)
            raise NodeFailed(f"exited with {code} before it was ready\n{self.output()}")
        return self

    def wait(self, timeout=STOP_TIMEOUT_S):
        """Waits for the process to end by itself and returns its exit code (negative: a signal)."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise NodeFailed(f"still running after {timeout} s\n{self.output()}") from error
        self._reader.join(10)
        self.process.stdout.close()
        self._error_file.close()
        self.process, self.exit_code = None, code
        LIVE_NODES.remove(self)
        return code

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self, timeout=STOP_TIMEOUT_S):
        """SIGTERM and a clean end; returns the exit code."""
        self.terminate()
        return self.wait(timeout)

    def kill(self):
        """SIGKILL, as a crash. Harmless when nothing runs."""
        if self.process is not None:
            self.process.kill()
            self.wait(10)

    def restart(self, timeout=START_TIMEOUT_S):
        if self.process is not None:
            assert self.stop() == 0, self.output()
        return self.start(timeout)

    def remove(self):
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self.start() if self.process is None else self

    def __exit__(self, *exc):
        self.kill()

    # -- what it said -----------------------------------------------------------------------------

    def log_text(self):
        """Everything written to standard output and standard error since the directory was made."""
        parts = [self.directory / "stdout.log", self.directory / "stderr.log"]
        return "".join(path.read_text("utf-8", "replace") for path in parts if path.exists())

    def output(self, limit=6000):
        return f"--- output of {self.directory.name} ---\n{self.log_text()[-limit:]}"

    def resident_bytes(self):
        """0 of a sanitized node, whose memory is the sanitizer's rather than its own."""
        if os.environ.get("CAIRN_E2E_SANITIZED"):
            return 0
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+) kB", text, re.M).group(1)) * 1024

    # -- what it serves ---------------------------------------------------------------------------

    def connect(self, **options):
        return raw_http.Connection(self.http, **options)

    def request(self, method, target, headers=(), body=None, **options):
        return raw_http.request(self.http, method, target, headers, body, **options)

    def admin_request(self, method, target, headers=(), body=None, **options):
        return raw_http.request(self.admin, method, target, headers, body, **options)

    def put(self, data):
        """PUTs one block and returns its id; any refusal fails the test."""
        name = block_id(data)
        answer = self.request("PUT", f"/v1/blocks/{name}", body=data)
        assert answer.status in (200, 201), answer
        return name

    def get(self, name, headers=()):
        return self.request("GET", f"/v1/blocks/{name}", headers)

    def missing(self, names):
        """The ids among `names` that the node does not hold (any number; asked 1,000 at a time)."""
        out, names = [], list(names)
        for start in range(0, len(names), 1000):
            ids = ", ".join(f'"{name}"' for name in names[start : start + 1000])
            answer = self.request(
                "POST",
                "/v1/blocks/missing",
                [("Content-Type", "application/json")],
                f'{{"ids":[{ids}]}}'.encode(),
            )
            assert answer.status == 200, answer
            out += answer.json()["missing"]
        return out

    def assert_alive(self):
        """The node runs and answers a fresh request on a fresh connection."""
        assert self.process is not None and self.process.poll() is None, self.output()
        assert self.admin_request("GET", "/livez").status == 200
