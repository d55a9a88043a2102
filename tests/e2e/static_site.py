"""The static site that the tests serve: what a front-end build leaves behind, and traps around it.

Beside the root lies a secret; links inside the root lead to it. Its bytes must never be served.
"""

import gzip
import os
import threading
from dataclasses import dataclass
from pathlib import Path

SECRET = b"outside-the-root-secret"
HOME = b"<!doctype html><title>home</title>" + b"h" * 300
SPA_PAGE = b"<!doctype html>single page"
OTHER_PAGE = b"<!doctype html>other site"
DOCS_PAGE = b"<!doctype html>docs"
SCRIPT = b"export const answer = 42;\n" * 200
HASHED = ["assets/app.3f2a9c1d.js", "assets/index-BfT7xK2p.js", "assets/style.0123456789abcdef.css"]
TYPES = {
    "a.html": "text/html",
    "a.css": "text/css",
    "a.js": "text/javascript",
    "a.mjs": "text/javascript",
    "a.json": "application/json",
    "a.svg": "image/svg+xml",
    "a.png": "image/png",
    "a.jpg": "image/jpeg",
    "a.webp": "image/webp",
    "a.avif": "image/avif",
    "a.ico": "image/",
    "a.woff2": "font/woff2",
    "a.wasm": "application/wasm",
    "a.txt": "text/plain",
    "a.xml": "xml",
    "a.pdf": "application/pdf",
    "a.webmanifest": "application/manifest+json",
    "a.mp4": "video/mp4",
    "a.unknownext": "application/octet-stream",
    "noext": "application/octet-stream",
    "A.HTML": "text/html",
}


def build_site(root):
    """A site with everything a front-end build leaves behind, and what attackers look for."""
    (root / "assets").mkdir(parents=True)
    (root / "docs").mkdir()
    (root / "empty").mkdir()
    (root / ".well-known").mkdir()
    (root / ".git").mkdir()
    (root / "index.html").write_bytes(HOME)
    (root / "docs" / "index.html").write_bytes(DOCS_PAGE)
    (root / "app.js").write_bytes(SCRIPT)
    (root / "app.js.br").write_bytes(b"brotli-coded-bytes")
    (root / "app.js.gz").write_bytes(gzip.compress(SCRIPT))
    (root / "only-gz.css").write_bytes(b"body{}" * 100)
    (root / "only-gz.css.gz").write_bytes(gzip.compress(b"body{}" * 100))
    (root / "big.bin").write_bytes(bytes(range(256)) * 4096)
    (root / "empty.txt").write_bytes(b"")
    (root / "with space.txt").write_bytes(b"spaced")
    (root / "ünïcode.txt").write_bytes(b"unicode")
    (root / "percent%41.txt").write_bytes(b"percent")
    (root / ".env").write_bytes(SECRET)
    (root / ".git" / "config").write_bytes(SECRET)
    (root / "docs" / ".hidden").write_bytes(SECRET)
    (root / ".well-known" / "security.txt").write_bytes(b"Contact: mailto:a@b")
    for name in TYPES:
        (root / "assets" / name).write_bytes(b"typed")
    for name in HASHED:
        (root / name).write_bytes(b"hashed name")


def build_traps(root, outside):
    """Links out of the root, a link within it, a loop, and FIFOs that would block a reader."""
    links = {
        "link.txt": outside / "secret.txt",
        "relative.txt": "../secret.txt",
        "folder": outside / "secret",
        "absolute.txt": "/etc/passwd",
        "docs/up.txt": "../../secret.txt",
        "proc": "/proc/self/environ",
        "loop": "loop",
        "inside.js": "app.js",
    }
    for name, target in links.items():
        os.symlink(target, root / name)
    for name in ("fifo", "fifo.txt"):
        os.mkfifo(root / name)


@dataclass
class StaticSite:
    """`root` is served to localhost, a single page to spa.test, another site to other.test."""

    outside: Path
    root: Path
    config: dict


def build(outside):
    """Makes the files of all sites under the folder `outside`."""
    root, spa, plain = outside / "site", outside / "spa", outside / "plain"
    (outside / "secret").mkdir()
    (outside / "secret.txt").write_bytes(SECRET)
    (outside / "secret" / "index.html").write_bytes(SECRET)
    build_site(root)
    build_traps(root, outside)
    (spa / "assets").mkdir(parents=True)
    (spa / "index.html").write_bytes(SPA_PAGE)
    (spa / "real.txt").write_bytes(b"real")
    plain.mkdir()
    (plain / "index.html").write_bytes(OTHER_PAGE)
    sites = [
        {"hosts": ["localhost", "127.0.0.1"], "root": str(root), "spa": False},
        {"hosts": ["spa.test", "www.spa.test"], "root": str(spa), "spa": True},
        {"hosts": ["other.test"], "root": str(plain), "spa": False},
    ]
    return StaticSite(outside, root, {"site": sites})


def flip_until(stop, flip):
    """Runs `flip(True/False)` as fast as it goes; returns a started thread."""

    def run():
        state = False
        while not stop.is_set():
            state = not state
            flip(state)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread
