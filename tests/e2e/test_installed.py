"""`cmake --install` of the build that is under test: its unit, its configuration, and a node that runs
on them.
"""

import re
import shutil
import subprocess

import pytest

from cairn_node import REPO, Node, binary_path

WELCOME = REPO / "examples" / "welcome" / "index.html"


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    assert WELCOME.exists(), "run scripts/build-welcome"
    prefix = tmp_path_factory.mktemp("installed")
    command = ["cmake", "--install", binary_path().parent, "--prefix", prefix]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return prefix


def test_installed_node_serves_the_welcome_site(prefix, tmp_path):
    """The service's configuration as it is, but for ports and for the data of this machine."""
    node = Node(
        tmp_path / "node",
        args=[
            *("--set", f"node.data_dir={tmp_path}/data"),
            *("--set", "listen.http=127.0.0.1:0", "--set", "listen.admin=127.0.0.1:0"),
        ],
    )
    node.write_config((prefix / "share/cairn/cairn.toml").read_text())
    node.binary = prefix / "bin/cairn"
    with node:
        page = node.request("GET", "/")
        assert page.status == 200 and page.body == WELCOME.read_bytes()
        assert node.get(node.put(b"installed")).body == b"installed"
        assert node.request("GET", "/.built-from").status == 404
        assert node.stop() == 0


def test_unit_starts_what_was_installed(prefix):
    unit = prefix / "lib/systemd/system/cairn.service"
    text = unit.read_text()
    program, config = re.search(r"(?m)^ExecStart=(\S+) serve --config (\S+)$", text).groups()
    assert program == f"{prefix}/bin/cairn" and config == "/etc/cairn/cairn.toml"
    example = re.search(r"(?m)^#\s+install -D -m 644 (\S+) (\S+)$", text).groups()
    assert example == (f"{prefix}/share/cairn/cairn.toml", config)
    assert re.search(r"(?m)^RestartPreventExitStatus=2$", text)
    if shutil.which("systemd-analyze"):
        command = ["systemd-analyze", "verify", "--man=no", unit]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0 and str(unit.name) not in done.stderr, done


def test_completion_scripts_are_where_shells_look(prefix):
    for path in (
        "bash-completion/completions/cairn",
        "zsh/site-functions/_cairn",
        "fish/vendor_completions.d/cairn.fish",
    ):
        assert "cairn" in (prefix / "share" / path).read_text()
