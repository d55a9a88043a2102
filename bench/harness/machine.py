"""What the figures were taken on."""

import os
import platform
import re
import shutil

from .process import output_line
from .rows import filesystem


def _read(path, default="?"):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return default


def describe(work_dir):
    """Name -> text, in the order of the report."""
    cpu = re.search(r"^model name\s*:\s*(.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", _read("/proc/meminfo"), re.MULTILINE)
    system = re.search(r'^PRETTY_NAME="(.+)"$', _read("/etc/os-release"), re.MULTILINE)
    device, kind, flags = filesystem(work_dir)
    disk = shutil.disk_usage(work_dir)
    return {
        "cpu": f"{cpu.group(1) if cpu else '?'}, {os.cpu_count()} cores"
        + (", virtual machine" if "hypervisor" in _read("/proc/cpuinfo") else ""),
        "kernel": f"{platform.system()} {platform.release()}",
        "system": system.group(1) if system else "?",
        "memory": f"{int(memory.group(1)) / 2**20:.1f} GiB" if memory else "?",
        "disk": f"{device}, {kind} ({flags}), {disk.total / 2**30:.0f} GiB",
        "load average at start": _read("/proc/loadavg").strip(),
    }


def tool_versions():
    """Versions of what the load is made with."""
    return {"wrk": output_line(["wrk", "-v"]), "python": f"Python {platform.python_version()}"}
