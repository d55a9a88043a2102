"""Writes chains as a client does: manifests and links of docs/formats.md, over libsodium alone."""

import base64
import hashlib
import os
import struct

from nacl import bindings

DATA, CHECKPOINT, ROTATE, DELETE = 1, 2, 3, 4
ADMIN = 0xFFFF
DROP_EARLIER = 1
LINKS_TYPE = ("Content-Type", "application/vnd.cairn.links")


def kdf(master, subkey, context):
    """libsodium's crypto_kdf_derive_from_key with 32 bytes out."""
    salt = struct.pack("<Q", subkey) + bytes(8)
    return hashlib.blake2b(
        b"", digest_size=32, key=master, salt=salt, person=context.encode().ljust(16, b"\0")
    ).digest()


class Signer:
    """An Ed25519 key pair."""

    def __init__(self, seed):
        self.public, self._secret = bindings.crypto_sign_seed_keypair(seed)

    def sign(self, message):
        return bindings.crypto_sign(message, self._secret)[:64]


def base64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def frames(links):
    return b"".join(struct.pack("<I", len(link)) + link for link in links)


def split_frames(raw):
    out, at = [], 0
    while at < len(raw):
        (size,) = struct.unpack_from("<I", raw, at)
        out.append(raw[at + 4 : at + 4 + size])
        assert len(out[-1]) == size, "a frame is cut"
        at += 4 + size
    return out


def link_id(link):
    return hashlib.sha256(link).hexdigest()


class ChainWriter:
    """One chain as its owner has it; `seq` and `prev` stand where it believes the head to be."""

    def __init__(self, gated=False, secret=None):
        self.secret = secret or os.urandom(32)
        self.read_secret = kdf(self.secret, 2, "cairn-w1")
        self.writer = Signer(kdf(self.secret, 1, "cairn-w1"))
        self.admin = Signer(kdf(self.secret, 3, "cairn-w1"))
        self.link_key = kdf(self.read_secret, 1, "cairn-r1")
        self.fetch_token = kdf(self.read_secret, 4, "cairn-r1")
        box = bindings.crypto_scalarmult_base(kdf(self.read_secret, 3, "cairn-r1"))
        self.access = box + hashlib.sha256(self.fetch_token).digest()
        head = b"M1\x01" + bytes([gated]) + kdf(self.secret, 9, "cairn-w1")[:16]
        self.manifest = head + self.admin.public + self.access + b"\x01" + self.writer.public
        self.id = hashlib.sha256(self.manifest).hexdigest()
        self.seq, self.prev, self.epoch = 0, bytes.fromhex(self.id), 0

    @property
    def path(self):
        return f"/v1/chains/{self.id}"

    @property
    def gate(self):
        return ("Authorization", f"Cairn-Fetch {base64url(self.fetch_token)}")

    def make(self, payload=b"payload", refs=(), kind=DATA, flags=0, **changes):
        """A link that follows; `changes` replace header fields, `seal_with` the signer."""
        signer = changes.pop("signer", self.admin if kind in (ROTATE, DELETE) else self.writer)
        writer = ADMIN if kind in (ROTATE, DELETE) else 0
        field = {
            "chain": bytes.fromhex(self.id),
            "seq": self.seq + 1,
            "prev": self.prev,
            "epoch": self.epoch,
            "writer": writer,
            **changes,
        }
        salt = os.urandom(24)
        start = struct.pack(
            "<2sBBI32sQ32sIHHI24s",
            b"L1",
            1,
            kind,
            flags,
            field["chain"],
            field["seq"],
            field["prev"],
            field["epoch"],
            field["writer"],
            len(refs),
            len(payload) + 16,
            salt,
        )
        sealing = hashlib.blake2b(start, digest_size=64, key=self.link_key).digest()
        clear = start + sealing[32:] + b"".join(refs)
        sealed = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
            payload, clear, bytes(24), sealing[:32]
        )
        body = clear + sealed
        return body + signer.sign(b"cairn-link-1" + body)

    def advance(self, link):
        self.seq += 1
        self.prev = hashlib.sha256(link).digest()
        return link

    def next(self, *args, **options):
        return self.advance(self.make(*args, **options))

    def several(self, count, payload=b"payload"):
        return [self.next(payload) for _ in range(count)]

    # -- against a node ---------------------------------------------------------------------------

    def create(self, node):
        answer = node.request("PUT", self.path, body=self.manifest)
        assert answer.status in (200, 201), answer
        return answer

    def append(self, node, links):
        return node.request("POST", f"{self.path}/links", [LINKS_TYPE], frames(links))

    def head(self, node, headers=()):
        answer = node.request("GET", self.path, headers)
        assert answer.status == 200, answer
        return answer.json()

    def links(self, node, start=1, limit=256, headers=()):
        answer = node.request("GET", f"{self.path}/links?from={start}&limit={limit}", headers)
        assert answer.status == 200, answer
        return split_frames(answer.body)
