"""The peers, each as fast as its manual knows to make it for the work of the row."""

import os
import re

from .process import Server, output_line

KEEP = 1_000_000_000  # requests a connection may make: never closed by a peer in the middle


class Nginx(Server):
    """nginx with sendfile and an open-file cache that never goes stale during a measure."""

    name, program = "nginx", "nginx"

    def __init__(self, root):
        super().__init__()
        self.root = root

    def prepare(self):
        reuse = " reuseport" if self.threads > 1 else ""
        conf = self.write_file(
            "nginx.conf",
            f"""{"user root;" if os.geteuid() == 0 else ""}
daemon off;
worker_processes {self.threads};
worker_rlimit_nofile 20000;
pid {self.dir}/nginx.pid;
error_log {self.dir}/error.log warn;
events {{ worker_connections 8192; multi_accept on; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_timeout 3600s;
  keepalive_requests {KEEP};
  open_file_cache max=20000 inactive=3600s;
  open_file_cache_valid 3600s;
  open_file_cache_min_uses 1;
  open_file_cache_errors on;
  client_body_temp_path {self.dir}/body;
  proxy_temp_path {self.dir}/proxy;
  fastcgi_temp_path {self.dir}/fastcgi;
  uwsgi_temp_path {self.dir}/uwsgi;
  scgi_temp_path {self.dir}/scgi;
  server {{ listen 127.0.0.1:{self.port} backlog=4096{reuse}; root {self.root}; }}
}}
""",
        )
        return ["nginx", "-e", f"{self.dir}/error.log", "-p", self.dir, "-c", conf]

    def version(self):
        return output_line(["nginx", "-v"])


class H2o(Server):
    """h2o; it keeps open files by itself."""

    name, program = "h2o", "h2o"

    def __init__(self, root):
        super().__init__()
        self.root = root

    def prepare(self):
        conf = self.write_file(
            "h2o.conf",
            f"""{"user: root" if os.geteuid() == 0 else ""}
num-threads: {self.threads}
max-connections: 8192
http1-request-timeout: 3600
pid-file: {self.dir}/h2o.pid
error-log: {self.dir}/error.log
listen:
  host: 127.0.0.1
  port: {self.port}
hosts:
  default:
    paths:
      /:
        file.dir: {self.root}
""",
        )
        return ["h2o", "-m", "worker", "-c", conf]

    def version(self):
        return output_line(["h2o", "--version"])


class Caddy(Server):
    """caddy's file server with as many Go threads as there are cores in the row."""

    name, program = "caddy", "caddy"

    def __init__(self, root):
        super().__init__()
        self.root = root

    def environment(self):
        return {
            **super().environment(),
            "GOMAXPROCS": str(self.threads),
            "XDG_DATA_HOME": self.dir,
            "XDG_CONFIG_HOME": self.dir,
        }

    def prepare(self):
        conf = self.write_file(
            "Caddyfile",
            f"""{{
  admin off
  auto_https off
}}
http://127.0.0.1:{self.port} {{
  bind 127.0.0.1
  root * {self.root}
  file_server
}}
""",
        )
        return ["caddy", "run", "--config", conf, "--adapter", "caddyfile"]

    def version(self):
        return output_line(["caddy", "version"])


class Varnish(Server):
    """varnish with malloc storage before the nginx of the same row, which it asks once a file."""

    name, program = "varnish", "varnishd"

    def __init__(self, origin):
        super().__init__()
        self.origin = origin

    def prepare(self):
        vcl = self.write_file(
            "cairn.vcl",
            f"""vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{self.origin.port}"; }}
sub vcl_backend_response {{ set beresp.ttl = 1h; set beresp.grace = 1h; }}
""",
        )
        parameters = {
            "thread_pools": 1,  # a thread a connection: it has no other way
            "thread_pool_min": 100,
            "thread_pool_max": 5000,
            "timeout_idle": 3600,
            "timeout_linger": 0.05,
            "listen_depth": 4096,
        }
        tuned = [part for key, value in parameters.items() for part in ("-p", f"{key}={value}")]
        return [
            *("varnishd", "-F", "-j", "none", "-n", f"{self.dir}/work", "-T", "none"),
            *("-a", f"127.0.0.1:{self.port}", "-f", vcl, "-s", "malloc,1G"),
            *tuned,
        ]

    def version(self):
        return output_line(["varnishd", "-V"])


class Redis(Server):
    """redis that answers a write after its fdatasync, as a block store must."""

    name, program = "redis", "redis-server"

    def prepare(self):
        conf = self.write_file(
            "redis.conf",
            f"""bind 127.0.0.1
port {self.port}
dir {self.dir}
appendonly yes
appendfsync always
no-appendfsync-on-rewrite no
auto-aof-rewrite-percentage 0
save ""
io-threads {self.threads}
maxclients 10000
tcp-backlog 4096
loglevel warning
""",
        )
        return ["redis-server", conf]

    def version(self):
        line = output_line(["redis-server", "--version"])
        found = re.search(r"v=(\S+)", line)
        return f"redis {found.group(1)}" if found else line


class Etcd(Server):
    """etcd with one member: each write is in its log, synced, before the answer. Over its JSON gateway."""

    name, program = "etcd", "etcd"

    def prepare(self):
        return [
            "etcd", "--data-dir", f"{self.dir}/data", "--log-level", "error",
            "--listen-client-urls", f"http://127.0.0.1:{self.port}",
            "--advertise-client-urls", f"http://127.0.0.1:{self.port}",
            "--listen-peer-urls", "http://127.0.0.1:0",
            "--quota-backend-bytes", str(8 << 30), "--max-request-bytes", str(8 << 20),
            "--snapshot-count", "100000",
        ]

    def version(self):
        return output_line(["etcd", "--version"])
