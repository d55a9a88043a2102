"""What the tests of the chain commands share: running them, capabilities, JSON lines."""

import base64
import json
import struct
import zlib

from cairn_node import run_cli
from chain_writer import base64url

OK, FAILURE, USAGE, PARTIAL, UNREACHABLE, DENIED = range(6)


def url_of(node):
    return "http://%s:%d" % node.http


def chain(url, command, *args, **options):
    return run_cli("chain", command, "--server", url, *args, **options)


def export(url, *args, **options):
    return run_cli("export", "--server", url, *args, **options)


def import_(url, *args, **options):
    return run_cli("import", "--server", url, *args, **options)


def capability_of(writer, kind="w", secret=None):
    secret = {"w": writer.secret, "r": secret or writer.read_secret, "v": b""}[kind]
    raw = b"\x01" + bytes.fromhex(writer.id) + secret
    return f"cairn_{kind}_{base64url(raw + struct.pack('<I', zlib.crc32(raw)))}\n".encode()


def secret_file(path, capability):
    path.write_bytes(capability)
    path.chmod(0o600)
    return path


def log_of(url, cap, *args, command="log", **options):
    done = chain(url, command, "--cap", cap, "--json", *args, **options)
    assert done.returncode == OK, done
    return [json.loads(line) for line in done.stdout.splitlines()]


def payload_of(entry):
    text = entry["payload"]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
