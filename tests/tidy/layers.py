"""Who may include whom: the table of docs/architecture.md, and where each library is allowed."""

import re

from tree import under

LAYERS = {
    "base": ["base"],
    "crypto": ["base", "crypto"],
    "proto": ["base", "proto"],
    "storage": ["base", "crypto", "storage"],
    "cache": ["base", "crypto", "cache"],
    "cluster": ["base", "crypto", "proto", "cluster"],
    "node/http": ["base", "node/http"],
    "node/static": ["base", "node/http", "node/static"],
    "node/proxy": ["base", "node/http", "node/proxy"],
    "node/api": ["base", "crypto", "node/http", "node/api"],
}
LAYERS["node"] = sorted({name for names in LAYERS.values() for name in names} | {"node"})
LAYERS["tests"] = LAYERS["node"] + ["tests", "bench"]
LAYERS["bench"] = LAYERS["node"] + ["bench", "tests"]

# node itself, without the layers below it
NODE_ITSELF = "node itself"
SUBLAYERS = [name for name in LAYERS if name.startswith("node/")]

# Regular expression of an include's name -> folders that may have it.
LIBRARIES = {
    r"sodium(\.h|/)": ["crypto", "tests/vectors"],
    r"xxhash\.h": ["crypto"],
    r"openssl/(sha|evp|md5|hmac|ripemd|blake2|mac|core_names|provider)\b": ["crypto", "bench"],
    r"openssl/": ["crypto", "node", "cluster", "tests", "bench"],
    r"rocksdb/": ["storage", "tests/storage", "bench"],
    r"toml(\+\+|\.hpp)": [NODE_ITSELF],
    r"CLI/": [NODE_ITSELF],
    r"prometheus/": [NODE_ITSELF],
    r"spdlog/": ["base"],
    r"jemalloc/": ["node", "cache", "bench", "tests"],
    r"nghttp2/": ["node/http"],
    r"(capnp|kj)/": ["proto", "tests/proto"],
    r"boost/beast": ["node", "cluster", "tests", "bench"],
    r"boost/(json|url)\b": ["node", "tests", "bench"],
    r"boost/asio/(ip|ssl|local)\b": ["node", "cluster", "tests", "bench", "cmake"],
    r"(netinet|arpa)/|sys/(socket|un|epoll)\.h": ["node", "cluster", "tests", "bench"],
    r"(gtest|gmock|rapidcheck)(/|\.h)": ["tests"],
    r"benchmark/": ["bench"],
}


def layer_of(folder):
    """The longest row that the folder lies in."""
    rows = [name for name in LAYERS if under(folder, name)]
    return max(rows, key=len) if rows else None


def may_have(file, allowed):
    for place in allowed:
        if place == NODE_ITSELF:
            if under(file.folder, "node", "tests/node") and not under(
                file.folder, *SUBLAYERS, *(f"tests/{name}" for name in SUBLAYERS)
            ):
                return True
        elif under(file.folder, place):
            return True
    return False


def check(tree):
    findings = []
    for file in tree.cpp:
        layer = layer_of(file.folder)
        for line, name, quoted in file.includes:
            if quoted:
                findings += check_own(tree, file, layer, line, name)
            else:
                findings += check_library(file, line, name)
    return findings


def own_path(tree, file, name):
    """The file that a quoted include names: by its path from the root, or in tests/ and bench/ also
    by its name in the same folder."""
    beside = f"{file.folder}/{name}"
    if under(file.folder, "tests", "bench") and "/" not in name and tree.has(beside):
        return beside
    return name if tree.has(name) else None


def check_own(tree, file, layer, line, name):
    name, asked = own_path(tree, file, name), name
    if name is None:
        yield file.finding(line, "include", f'"{asked}" is no file from the root of the tree')
        return
    if layer is None:
        return
    target = layer_of(name.rpartition("/")[0])
    if target is not None and target not in LAYERS[layer]:
        yield file.finding(line, "layer", f"{layer} may not include {target}: {name}")


def check_library(file, line, name):
    for pattern, allowed in LIBRARIES.items():
        if re.match(pattern, name):
            if not may_have(file, allowed):
                yield file.finding(
                    line, "library", f"<{name}> may be included in {', '.join(allowed)} only"
                )
            return
