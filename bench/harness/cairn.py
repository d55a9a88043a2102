"""The node under measure."""

import http.client
import os
import time

from .process import BenchError, Server, output_line


class Cairn(Server):
    """One node with both roles; blocks, static files and the API on one listener."""

    name = "cairn"

    def __init__(self, binary, root, memory="256MiB"):
        super().__init__()
        self.program = binary
        self.root = root
        self.memory = memory
        self.settings = {}  # further `--set` values
        self.start_seconds = None

    def available(self):
        return self.program is not None and os.access(self.program, os.X_OK)

    def prepare(self):
        conf = self.write_file(
            "cairn.toml",
            f"""[node]
roles = ["interface", "storage"]
data_dir = "{self.dir}/var"
threads = {self.threads}

[listen]
http = ["127.0.0.1:0"]
admin = "127.0.0.1:0"

[[site]]
hosts = ["*"]
root = "{self.root}"
spa = false
write = "anyone"

[limits]
block_bytes = "1MiB"
connections = 12000

[cache]
memory = "{self.memory}"

[storage]
sync = true
""",
        )
        extra = [part for key, value in self.settings.items() for part in ("--set", f"{key}={value}")]
        return [self.program, "serve", "--config", conf, *extra]

    def launch(self, cpus):
        self.start_seconds = time.monotonic()
        super().launch(cpus)

    def wait_ready(self, deadline):
        """The ready line names the chosen port; the time to it is the start-up time."""
        path = os.path.join(self.dir, "stdout")
        while time.monotonic() < deadline:
            with open(path, encoding="utf-8", errors="replace") as file:
                for line in file:
                    if line.startswith("ready ") and line.endswith("\n"):
                        self.start_seconds = time.monotonic() - self.start_seconds
                        words = dict(word.split("=", 1) for word in line.split()[1:] if "=" in word)
                        self.port = int(words["http"].rpartition(":")[2])
                        return
            self.check_alive()
            time.sleep(0.002)
        raise BenchError(f"cairn was not ready in time\n{self.log_tail()}")

    def restart(self, cpus):
        """Ends the node and starts it again over the same data."""
        self.halt()
        self.launch(cpus)
        self.wait_ready(time.monotonic() + 120)

    def version(self):
        return output_line([self.program, "--version"])

    def put(self, digest, body):
        """Stores one block over HTTP."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("PUT", f"/v1/blocks/{digest}", body=body)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status not in (200, 201):
            raise BenchError(f"PUT of a block: {answer.status} {text[:300]!r}")
