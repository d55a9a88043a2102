"""A disk that is full: writes are refused with 507, reads work, and space that returns is used
again.
"""

import os
import subprocess

import pytest

from cairn_node import as_root, block_id
from raw_http import encode_request


@pytest.fixture
def small_disk(tmp_path):
    """A tmpfs of 48 MiB; needs root, or sudo without a password."""
    mount = tmp_path / "disk"
    mount.mkdir()
    as_root("mount", "-t", "tmpfs", "-o", "size=48m", "cairn-e2e", mount)
    yield mount
    as_root("umount", "--lazy", mount)


def fill(node):
    """PUTs ever smaller blocks until not even a small one is taken: the stored ones, the refusal."""
    stored, answer = {}, None
    with node.connect(timeout=30) as connection:
        for size in (1 << 20, 1 << 16, 1 << 12, 100):
            for _ in range((48 << 20) // size):
                data = os.urandom(size)
                target = f"/v1/blocks/{block_id(data)}"
                connection.send(encode_request("PUT", target, body=data))
                answer = connection.read_response()
                if answer.status != 201:
                    break
                stored[block_id(data)] = data
            assert answer.status != 201, f"48 MiB of {size} bytes stored on a disk of 48 MiB"
    return stored, answer


@pytest.mark.deadline(120)
def test_full_disk_refuses_writes_and_serves_reads(small_disk, make_node):
    node = make_node(
        {"node": {"data_dir": str(small_disk / "data")}, "cache": {"memory": "1MiB"}}
    ).start()
    stored, refusal = fill(node)
    assert stored, refusal
    assert (
        refusal.status == 507 and refusal.get("content-type") == "application/problem+json"
    ), refusal
    assert refusal.json()["type"].startswith("/problems/") and refusal.json()["status"] == 507

    for name, data in stored.items():
        assert node.get(name).body == data
    small = os.urandom(200)
    assert node.request("PUT", f"/v1/blocks/{block_id(small)}", body=small).status == 507
    held = next(iter(stored))
    again = node.request("PUT", f"/v1/blocks/{held}", body=stored[held])
    assert again.status in (200, 507), again
    assert node.admin_request("GET", "/livez").status == 200

    as_root("mount", "-o", "remount,size=96m", small_disk)
    for attempt in range(100):
        if node.request("PUT", f"/v1/blocks/{block_id(small)}", body=small).status == 201:
            break
        subprocess.run(["sleep", "0.1"], check=True)
    assert node.get(block_id(small)).body == small, "does not recover when space returns"

    assert node.stop() == 0
    node.start()
    for name, data in stored.items():
        assert node.get(name).body == data


@pytest.mark.deadline(120)
def test_restart_on_a_full_disk_serves_what_is_there(small_disk, make_node):
    node = make_node({"node": {"data_dir": str(small_disk / "data")}}).start()
    stored, _ = fill(node)
    assert stored
    node.kill()
    node.start()
    for name, data in stored.items():
        assert node.get(name).body == data
