"""The rows: what is asked of whom, in which order. A round asks every contender once, one after the
other; rounds repeat, so that a slow minute of the machine meets all of them alike."""

import contextlib
import hashlib
import os
import shutil
import subprocess
import time
import urllib.request

from . import peers
from .cairn import Cairn
from .process import BenchError, Ended

SIZES = {"100 B": 100, "4 KiB": 4096, "64 KiB": 65536, "1 MiB": 1 << 20}
PUT_SIZES = ("4 KiB", "64 KiB", "1 MiB")
OWN_CLIENT_UP_TO = 4096  # up to this size wrk is often slower than the server it asks
OWN_CONNECTIONS = 32
COLD_FILES = 10_000
COLD_SIZE = 4096
WARM_UP_S = 1
PUT_SPACE_BYTES = 15 << 30
# More bodies than this a second no synced disk of the rows takes; a client that runs out stops early.
PUT_PREPARED_PER_S = {4096: 60_000, 65536: 8_000, 1 << 20: 700}
APPENDS_PREPARED_PER_S = 30_000
APPENDED_PAYLOAD = 200


class Plan:
    """What a run was asked to do."""

    def __init__(self, options, cores, loader, work_dir):
        self.cores = cores
        self.loader = loader
        self.work_dir = work_dir
        self.cairn = options.cairn
        self.pairs = options.pairs
        self.seconds = options.seconds
        self.quick = options.quick
        self.sizes = options.sizes
        self.connections = options.connections
        self.clients = options.clients
        self.peers = options.peers
        self.say = options.say
        self.failures = []
        self.versions = {}
        self.configurations = {}

    def wants(self, server):
        """Whether a contender takes part; says why when it does not."""
        if server.name != "cairn" and self.peers and server.name not in self.peers:
            return False
        if not server.available():
            self.say(f"{server.name}: not installed, left out")
            self.versions.setdefault(server.name, "not installed: left out")
            return False
        return True

    def started(self, stack, server):
        """Starts a contender for as long as the stack lives; None when it cannot take part."""
        if not self.wants(server):
            return None
        server.work_dir = self.work_dir
        try:
            server.start(self.cores.server, self.cores.count)
        except Ended:
            raise
        except BenchError as error:
            self.fail(server.name, error)
            return None
        stack.callback(server.stop)
        self.versions[server.name] = server.version()
        for name, text in server.configurations.items():
            self.configurations[f"{server.name}: {name}"] = text
        self.configurations[f"{server.name}: command"] = " ".join(server.command).replace(
            server.dir, "$DIR"
        ).replace(f":{server.port}", ":$PORT")
        return server

    def fail(self, who, error):
        """Notes a failure; the run goes on and ends with status 1."""
        self.say(f"FAILED {who}: {error}")
        self.failures.append(f"{who}: {error}")

    def rounds(self, row, contenders):
        """Asks each contender once a round; contenders are (name, function) pairs."""
        row["samples"] = {name: [] for name, _ in contenders}
        for number in range(self.pairs):
            for name, measure in contenders:
                if name in row.get("failed", {}):
                    continue
                try:
                    figures = measure()
                    if figures.get("errors"):
                        why = figures.get("first_error", "")
                        raise BenchError(f"{figures['errors']} errors {why}")
                except Ended:
                    raise
                except (BenchError, OSError, subprocess.SubprocessError) as error:
                    row.setdefault("failed", {})[name] = str(error).splitlines()[0]
                    self.fail(f"{row['title']}: {name}", error)
                    continue
                row["samples"][name].append(figures)
                self.say(
                    f"{row['title']}  {number + 1}/{self.pairs}  {name:16s}"
                    f"{figures['rate']:12,.0f}/s  p99 {figures['p99_us'] / 1e3:8.2f} ms"
                )
        return row


def random_file(path, size):
    """Random bytes; returns them."""
    body = os.urandom(size)
    with open(path, "wb") as file:
        file.write(body)
    return body


def check_body(url, body):
    """The server must answer exactly these bytes."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        if answer.read() != body:
            raise BenchError(f"{url}: other bytes than the file")


def _wrk(plan, server, path, connections):
    return lambda: plan.loader.measured(
        server, lambda: plan.loader.wrk(server.url(path), connections, plan.seconds)
    )


def _own(plan, server, path, size):
    return lambda: plan.loader.measured(
        server,
        lambda: plan.loader.tool(
            "scale_load", "repeat", "--port", server.port, "--path", path, "--size", size,
            "--clients", OWN_CONNECTIONS, "--seconds", plan.seconds, seconds=plan.seconds,
        ),
    )


def _ready(plan, server, path, body):
    """Checks the answer and warms the server; a contender that fails here takes no part."""
    try:
        check_body(server.url(path), body)
        plan.loader.wrk(server.url(path), 32, WARM_UP_S)
    except Ended:
        raise
    except (BenchError, OSError, subprocess.SubprocessError) as error:
        plan.fail(f"{server.name} {path}", error)
        return False
    return True


def _file_root(plan, stack):
    """A directory with one file a size; {size: (path, bytes)}."""
    root = os.path.join(plan.work_dir, "root")
    os.mkdir(root)
    stack.callback(shutil.rmtree, root, True)
    files = {}
    for size in plan.sizes:
        path = f"/{SIZES[size]}.bin"
        files[size] = (path, random_file(root + path, SIZES[size]))
    return root, files


def _get_rows(plan, section, servers, paths, connection_counts):
    """One row a size and number of connections; paths: server -> size -> (path, body)."""
    rows = []
    for size in plan.sizes:
        ready = []
        for server in servers:
            path, body = paths(server, size)
            if _ready(plan, server, path, body):
                ready.append((server, path))
        for connections in connection_counts:
            row = {
                "section": section,
                "title": f"{section} {size}, {connections} connections",
                "size": SIZES[size],
                "clients": connections,
            }
            contenders = [(s.name, _wrk(plan, s, path, connections)) for s, path in ready]
            rows.append(plan.rounds(row, contenders))
        if section == "get" and SIZES[size] <= OWN_CLIENT_UP_TO and not plan.quick:
            row = {
                "section": section,
                "title": f"{section} {size}, {OWN_CONNECTIONS} connections, own client",
                "size": SIZES[size],
                "clients": OWN_CONNECTIONS,
                "note": "own client",
            }
            contenders = [(s.name, _own(plan, s, path, SIZES[size])) for s, path in ready]
            rows.append(plan.rounds(row, contenders))
    return rows


def get(plan):
    """GET of a block that is in memory."""
    with contextlib.ExitStack() as stack:
        root, files = _file_root(plan, stack)
        cairn = plan.started(stack, Cairn(plan.cairn, root))
        nginx = plan.started(stack, peers.Nginx(root))
        servers = [cairn, nginx, plan.started(stack, peers.H2o(root))]
        servers.append(_varnish(plan, stack, root, nginx))
        servers.append(plan.started(stack, peers.Caddy(root)))
        block_paths = {}
        if cairn:
            for size, (_, body) in files.items():
                digest = hashlib.sha256(body).hexdigest()
                cairn.put(digest, body)
                block_paths[size] = f"/v1/blocks/{digest}"

        def paths(server, size):
            return (block_paths[size] if server is cairn else files[size][0]), files[size][1]

        running = [server for server in servers if server]
        return _get_rows(plan, "get", running, paths, plan.connections)


def _varnish(plan, stack, root, nginx):
    """varnish, with the row's nginx as its origin or one of its own."""
    varnish = peers.Varnish(nginx)
    if not plan.wants(varnish):
        return None
    if nginx is None:
        origin = peers.Nginx(root)
        origin.work_dir = plan.work_dir
        origin.start(plan.cores.server, 1)
        stack.callback(origin.stop)
        varnish.origin = origin
    return plan.started(stack, varnish)


def static(plan):
    """GET of one static file."""
    with contextlib.ExitStack() as stack:
        root, files = _file_root(plan, stack)
        kinds = (Cairn(plan.cairn, root), peers.Nginx(root), peers.H2o(root), peers.Caddy(root))
        servers = [server for kind in kinds if (server := plan.started(stack, kind))]
        counts = [count for count in plan.connections if count <= 100] or plan.connections[:1]
        return _get_rows(plan, "static", servers, lambda _, size: files[size], counts)


def drop_page_cache():
    """Asks the kernel to forget what it has read of any file; needs root."""
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("3")


def _cold_measure(plan, make, list_path, dropped):
    """Starts a new server, asks for every file once, ends it."""

    def measure():
        server = make()
        server.work_dir = plan.work_dir
        server.start(plan.cores.server, plan.cores.count)
        try:
            if dropped:
                drop_page_cache()
            return plan.loader.measured(
                server,
                lambda: plan.loader.tool(
                    "scale_load", "list", "--port", server.port, "--paths", list_path,
                    "--size", COLD_SIZE, "--clients", 32, "--seconds", 60, seconds=90,
                ),
            )
        finally:
            server.stop()

    return measure


def cold(plan):
    """The first pass over many static files after the server's start."""
    with contextlib.ExitStack() as stack:
        root = os.path.join(plan.work_dir, "many")
        stack.callback(shutil.rmtree, root, True)
        names = []
        for number in range(COLD_FILES):
            folder = f"/{number % 100:02d}"
            os.makedirs(root + folder, exist_ok=True)
            names.append(f"{folder}/{number}.bin")
            random_file(root + names[-1], COLD_SIZE)
        list_path = os.path.join(plan.work_dir, "paths")
        with open(list_path, "w", encoding="ascii") as file:
            file.write("\n".join(names) + "\n")
        with contextlib.ExitStack() as trial:  # learns who can start at all
            kinds = (
                lambda: Cairn(plan.cairn, root), lambda: peers.Nginx(root),
                lambda: peers.H2o(root), lambda: peers.Caddy(root),
            )
            able = [(s.name, make) for make in kinds if (s := plan.started(trial, make()))]
        rows = []
        for dropped in (False, True):
            state = "page cache dropped" if dropped else "page cache warm"
            if dropped and os.geteuid() != 0:
                plan.say("cold: dropping the page cache needs root; that row is left out")
                continue
            row = {
                "section": "cold",
                "title": f"cold {COLD_FILES:,} files of 4 KiB, {state}",
                "size": COLD_SIZE,
                "clients": 32,
                "note": state,
            }
            contenders = [(n, _cold_measure(plan, m, list_path, dropped)) for n, m in able]
            rows.append(plan.rounds(row, contenders))
        return rows


def _put_measure(plan, server, mode, size, clients):
    share = 5 if clients == 1 else 1  # one client waits for the disk each time
    if mode == "etcd":
        share *= 5  # each prepared body is in memory, half as long again in base64
    prepared = max(clients * 4, int(PUT_PREPARED_PER_S[size] * plan.seconds / share))
    return lambda: plan.loader.measured(
        server,
        lambda: plan.loader.tool(
            "put_load", mode, "--port", server.port, "--size", size, "--clients", clients,
            "--seconds", plan.seconds, "--prepare", prepared, seconds=plan.seconds + 60,
        ),
    )


def _sync_floor(plan, size, at_once=1):
    """Bare synced appends of so many blocks of this size at once, as blocks a second."""

    def measure():
        figures = plan.loader.floor("sync", plan.work_dir, min(1, plan.seconds), size * at_once)
        return {
            "rate": figures["sync_per_s"] * at_once,
            "p50_us": figures["sync_p50_us"],
            "p99_us": figures["sync_p99_us"],
            "round_trip_us": figures["loopback_round_trip_p50_us"],
        }

    return measure


def put(plan):
    """Writes that are on the disk before they are answered."""
    if filesystem(plan.work_dir)[1] == "tmpfs":
        raise BenchError(f"{plan.work_dir} is in memory: nothing there is durable; use --dir")
    if shutil.disk_usage(plan.work_dir).free < PUT_SPACE_BYTES:
        raise BenchError(f"{plan.work_dir} has less than {PUT_SPACE_BYTES >> 30} GiB free")
    rows = []
    empty = os.path.join(plan.work_dir, "empty")
    os.makedirs(empty, exist_ok=True)
    for size_name in [size for size in plan.sizes if size in PUT_SIZES]:
        for clients in plan.clients:
            size = SIZES[size_name]
            row = {
                "section": "put",
                "title": f"put {size_name}, {clients} client{'s' if clients > 1 else ''}",
                "size": size,
                "clients": clients,
            }
            with contextlib.ExitStack() as stack:  # new servers a row: the disk is given back
                contenders = []
                for server, mode in ((Cairn(plan.cairn, empty), "http"),
                                     (peers.Redis(), "resp"), (peers.Etcd(), "etcd")):
                    if plan.started(stack, server):
                        contenders.append(
                            (server.name, _put_measure(plan, server, mode, size, clients))
                        )
                contenders.append(("floor", _sync_floor(plan, size)))
                if size == SIZES["1 MiB"]:
                    contenders.append(("floor, 8 at once", _sync_floor(plan, size, 8)))
                rows.append(plan.rounds(row, contenders))
    return rows


def _append_measure(plan, server, clients):
    prepared = int(APPENDS_PREPARED_PER_S * plan.seconds / (5 if clients == 1 else 1))
    return lambda: plan.loader.measured(
        server,
        lambda: plan.loader.tool(
            "append_load", "chains", "--port", server.port, "--clients", clients,
            "--payload", APPENDED_PAYLOAD, "--seconds", plan.seconds, "--prepare", prepared,
            seconds=plan.seconds + 60,
        ),
    )


def append(plan):
    """Signed links, each on the disk before it is answered, beside blocks of 4 KiB."""
    if not plan.loader.has_tool("append_load"):
        raise BenchError("bench_append_load needs the project: build with -DCAIRN_BENCH=ON and name "
                         "--tools build/release/bench")
    rows = []
    empty = os.path.join(plan.work_dir, "empty")
    os.makedirs(empty, exist_ok=True)
    for clients in plan.clients:
        row = {
            "section": "append",
            "title": f"append, {clients} client{'s' if clients > 1 else ''}",
            "size": APPENDED_PAYLOAD,
            "clients": clients,
        }
        with contextlib.ExitStack() as stack:
            contenders = []
            links, blocks = Cairn(plan.cairn, empty), Cairn(plan.cairn, empty)
            blocks.name = "cairn, put 4 KiB"
            if plan.started(stack, links) and plan.started(stack, blocks):
                contenders.append((links.name, _append_measure(plan, links, clients)))
                contenders.append(
                    (blocks.name, _put_measure(plan, blocks, "http", SIZES["4 KiB"], clients))
                )
            contenders.append(("floor", _sync_floor(plan, SIZES["4 KiB"])))
            rows.append(plan.rounds(row, contenders))
    return rows


def floor(plan):
    """What the machine itself can do."""
    row = {"section": "floor", "title": "floor", "runs": []}
    for number in range(min(3, plan.pairs)):
        row["runs"].append(plan.loader.floor("all", plan.work_dir, 0.3 if plan.quick else 0.7, 4096))
        plan.say(f"floor  {number + 1}/{min(3, plan.pairs)}")
    return [row]


def filesystem(path):
    """(device, type, options) of the file system that holds a path."""
    best = ("", "?", "?", "")
    with open("/proc/mounts", encoding="utf-8") as file:
        for line in file:
            device, point, kind, flags = line.split()[:4]
            inside = os.path.realpath(path).startswith(point.rstrip("/") + "/") or point == "/"
            if inside and len(point) >= len(best[3]):
                best = (device, kind, flags, point)
    return best[:3]


SECTIONS = {"floor": floor, "get": get, "static": static, "cold": cold, "put": put, "append": append}


def now():
    """Time of a section's start, UTC."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
