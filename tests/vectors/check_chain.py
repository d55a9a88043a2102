#!/usr/bin/python3
"""Checks chain.json with a second implementation of manifests, links and the rules between them.

Written from docs/formats.md alone, over check.py's Ed25519 and sealing. Usage: check_chain.py DIR;
exit 0 when every vector holds.
"""

import hashlib
import hmac
import json
import pathlib
import struct
import sys

from nacl import bindings, exceptions

import check
from check import Refused, must, refuses

ADMIN = 0xFFFF
HEADER = struct.Struct("<2sBBI32sQ32sIHHI24s32s")
assert HEADER.size == 148


class Verdict(Refused):
    """A refusal of a link, with the word for it."""

    def __init__(self, error):
        super().__init__(error)
        self.error = error


def judge(condition, error):
    if not condition:
        raise Verdict(error)


def valid_key(key):
    try:
        check.check_key(key)
    except Refused:
        return False
    return True


def parse_manifest(raw):
    must(149 <= len(raw) and raw[:3] == b"M1\x01" and raw[3] in (0, 1))
    admin, box, token, count = raw[20:52], raw[52:84], raw[84:116], raw[116]
    must(1 <= count <= 16 and len(raw) == 117 + 32 * count)
    writers = [raw[117 + 32 * i : 149 + 32 * i] for i in range(count)]
    must(valid_key(admin) and all(map(valid_key, writers)))
    must(raw[3] == 0 or token != bytes(32))
    return {"gated": raw[3] == 1, "admin": admin, "box": box, "token": token, "writers": writers}


class Link:
    """The form of a link; says `malformed` for any other."""

    def __init__(self, raw):
        judge(len(raw) >= 228 and raw[:3] == b"L1\x01", "malformed")
        (_, _, self.type, self.flags, self.chain, self.seq, self.prev, self.epoch, self.writer,
         refs, size, _, self.commit) = HEADER.unpack(raw[:148])
        judge(refs <= 1024 and 16 <= size <= 1 << 16, "malformed")
        judge(len(raw) == 148 + 32 * refs + size + 64, "malformed")
        judge(self.seq > 0 and self.type in (1, 2, 3, 4), "malformed")
        judge(self.flags == 0 or (self.type == 2 and self.flags == 1), "malformed")
        judge(self.type != 1 or self.writer != ADMIN, "malformed")
        judge(self.type < 3 or self.writer == ADMIN, "malformed")
        self.raw = raw
        self.clear = raw[: 148 + 32 * refs]
        self.ciphertext = raw[148 + 32 * refs : -64]
        self.refs = [raw[148 + 32 * i : 180 + 32 * i] for i in range(refs)]
        if self.type == 3:
            judge(3 <= refs <= 18 and all(map(valid_key, self.refs[2:])), "malformed")

    def payload(self, key):
        cipher_key, commit = check.cipher_key_and_commit(key, self.raw[:116])
        must(hmac.compare_digest(commit, self.commit))
        try:
            return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
                self.ciphertext, self.clear, bytes(24), cipher_key
            )
        except exceptions.CryptoError as error:
            raise Refused from error


class Chain:
    """What decides on the next link."""

    def __init__(self, manifest):
        fields = parse_manifest(manifest)
        self.id = self.head = hashlib.sha256(manifest).digest()
        self.admin, self.writers = fields["admin"], fields["writers"]
        self.seq = self.epoch = self.rotated_at = 0
        self.first_kept, self.removed = 1, False

    def take(self, link):
        judge(link.chain == self.id, "malformed")
        judge(link.seq > self.seq, "conflict")
        judge(not self.removed and link.seq == self.seq + 1, "malformed")
        judge(link.prev == self.head, "conflict")
        judge(link.epoch == self.epoch or (link.type == 3 and link.epoch > self.epoch), "malformed")
        judge(link.writer == ADMIN or link.writer < len(self.writers), "denied")
        key = self.admin if link.writer == ADMIN else self.writers[link.writer]
        try:
            check.verify(key, b"cairn-link-1" + link.raw[:-64], link.raw[-64:])
        except Refused as error:
            raise Verdict("denied") from error
        self.seq, self.epoch = link.seq, link.epoch
        self.head = hashlib.sha256(link.raw).digest()
        if link.flags & 1 or link.type == 4:
            self.first_kept = link.seq
        if link.type == 3:
            self.writers, self.rotated_at = link.refs[2:], link.seq
        self.removed = link.type == 4

    def summary(self):
        return {
            "id": self.head.hex(), "seq": self.seq, "epoch": self.epoch,
            "first_kept": self.first_kept, "rotated_at": self.rotated_at, "removed": self.removed,
        }


def after(vectors, count):
    chain = Chain(bytes.fromhex(vectors["manifests"][0]["manifest"]))
    for case in vectors["links"][:count]:
        chain.take(Link(bytes.fromhex(case["link"])))
    return chain


def check_manifests(vectors):
    for case in vectors["manifests"]:
        raw = bytes.fromhex(case["manifest"])
        fields = parse_manifest(raw)
        assert fields["gated"] == case["gated"], case
        for name, field in (("admin", "admin"), ("box", "box"), ("fetch_token_hash", "token")):
            assert fields[field].hex() == case[name], case
        assert b"".join(fields["writers"]).hex() == case["writers"], case
        assert hashlib.sha256(raw).hexdigest() == case["chain"], case
    for case in vectors["manifests_refused"]:
        refuses(parse_manifest, bytes.fromhex(case["manifest"]))


def check_links(vectors):
    for count, case in enumerate(vectors["links"], start=1):
        summary = after(vectors, count).summary()
        assert summary == {name: case[name] for name in summary}, (summary, case)
        link = Link(bytes.fromhex(case["link"]))
        assert link.payload(bytes.fromhex(case["link_key"])).hex() == case["payload"], case
    for case in vectors["refused"]:
        chain = after(vectors, case["after"])
        try:
            chain.take(Link(bytes.fromhex(case["link"])))
        except Verdict as verdict:
            assert verdict.error == case["error"], (verdict.error, case)
        else:
            raise AssertionError(f"taken: {case}")
    for case in vectors["payloads_refused"]:
        refuses(Link(bytes.fromhex(case["link"])).payload, bytes.fromhex(case["link_key"]))


def main():
    directory = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    with open(directory / "chain.json", encoding="utf-8") as file:
        vectors = json.load(file)
    check_manifests(vectors)
    check_links(vectors)
    count = sum(len(section) for section in vectors.values() if isinstance(section, list))
    print(f"chain.json: {count} vectors hold")


if __name__ == "__main__":
    main()
