#!/usr/bin/python3
"""Checks account.json with a second implementation of account records, logins and recovery kits.

Written from docs/formats.md alone, over check.py's Ed25519 and sealing and PyNaCl's Argon2id.
Usage: check_account.py DIR; exit 0 when every vector holds.
"""

import base64
import binascii
import hashlib
import json
import pathlib
import re
import struct
import sys
import unicodedata

from nacl import bindings, pwhash

import check
from check import Refused, must, refuses
from check_chain import Verdict, judge, parse_manifest, valid_key

HANDLE = re.compile(rb"[a-z0-9][a-z0-9._\-+@]{1,62}[a-z0-9]")
SLOT = struct.Struct("<B32sBIIB16s108s")
assert SLOT.size == 167


def is_handle(raw):
    return HANDLE.fullmatch(raw) is not None


class Record:
    """Says `malformed` for another form and `denied` for another signature."""

    def __init__(self, raw):
        judge(len(raw) >= 280 and raw[:4] == b"A1\x01\x00", "malformed")
        self.version = int.from_bytes(raw[4:12], "little")
        self.login_key, size = raw[12:44], raw[44]
        self.handle, rest = raw[45 : 45 + size], raw[45 + size : -64]
        judge(self.version >= 1 and is_handle(self.handle), "malformed")
        judge(rest and 1 <= rest[0] <= 16 and len(rest) == 1 + 167 * rest[0], "malformed")
        self.slots = list(SLOT.iter_unpack(rest[1:]))
        for slot in self.slots:
            self.check_slot(*slot)
        keys = [slot[1] for slot in self.slots]
        judge(len(set(keys)) == len(keys), "malformed")
        judge(sum(slot[0] == 1 for slot in self.slots) <= 1, "malformed")
        judge(all(map(valid_key, [self.login_key, *keys])), "malformed")
        try:
            check.verify(self.login_key, b"cairn-account-1" + raw[:-64], raw[-64:])
        except Refused as error:
            raise Verdict("denied") from error
        self.raw = raw

    @staticmethod
    def check_slot(kind, _key, kdf, memory, passes, lanes, salt, _wrapped):
        judge(kind in (1, 2, 3), "malformed")
        if kind == 1:
            judge(kdf == 1 and lanes == 1 and 1 <= passes <= 16, "malformed")
            judge(8192 <= memory <= 1048576, "malformed")
        else:
            judge((kdf, memory, passes, lanes, salt) == (0, 0, 0, 0, bytes(16)), "malformed")


def outcome(held, following):
    if following.raw == held.raw:
        return "held"
    same_key = following.login_key == held.login_key
    return "replaced" if same_key and following.version > held.version else "conflict"


def login_message(case):
    parts = [case[name].encode() for name in ("handle", "host", "nonce", "action")]
    return b"cairn-login-1" + b"".join(bytes([len(part)]) + part for part in parts)


def parse_kit(text):
    must(re.fullmatch("cairn_k_[A-Za-z0-9_-]{50}", text))
    raw = base64.urlsafe_b64decode(text[8:] + "==")
    must(base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == text[8:])
    must(len(raw) == 37 and raw[0] == 1)
    must(binascii.crc32(raw[:-4]).to_bytes(4, "little") == raw[-4:])
    return raw[1:-4]


def home_manifest(secret, salt):
    admin, sign, read = (check.kdf(secret, n, "cairn-w1") for n in (3, 1, 2))
    box = bindings.crypto_scalarmult_base(check.kdf(read, 3, "cairn-r1"))
    token = hashlib.sha256(check.kdf(read, 4, "cairn-r1")).digest()
    keys = check.public_key(admin) + box + token + b"\x01" + check.public_key(sign)
    return b"M1\x01\x01" + salt + keys


def check_keys(vectors):
    for case in vectors["handles"]:
        assert is_handle(bytes.fromhex(case["utf8"])) == case["valid"], case
    for case in vectors["keys"]:
        secret = bytes.fromhex(case["account_secret"])
        seed, home, salt = (check.kdf(secret, n, "cairn-a1") for n in (1, 2, 3))
        assert seed.hex() == case["login_seed"], case
        assert check.public_key(seed).hex() == case["login_key"], case
        assert home.hex() == case["home_write_secret"], case
        assert salt[:16].hex() == case["home_salt"], case
        manifest = home_manifest(home, salt[:16])
        assert parse_manifest(manifest)["gated"] and manifest.hex() == case["home_manifest"], case
        assert hashlib.sha256(manifest).hexdigest() == case["home_chain"], case


def check_slots(vectors):
    for case in vectors["slots"]:
        secret = bytes.fromhex(case["slot_secret"])
        seed, wrap = (check.kdf(secret, n, "cairn-s1") for n in (1, 2))
        assert seed.hex() == case["slot_seed"] and wrap.hex() == case["wrap_key"], case
        assert check.public_key(seed).hex() == case["slot_key"], case
        account, salt = bytes.fromhex(case["account_secret"]), bytes.fromhex(case["salt"])
        assert check.seal(wrap, account, False, salt).hex() == case["wrapped"], case
    for case in vectors["passwords"]:
        typed, password = bytes.fromhex(case["typed"]), bytes.fromhex(case["password"])
        assert unicodedata.normalize("NFKC", typed.decode()).encode() == password, case
        out = pwhash.argon2id.kdf(
            32, password, bytes.fromhex(case["salt"]), case["passes"], case["memory_kib"] * 1024
        )
        assert case["lanes"] == 1 and out.hex() == case["slot_secret"], case


def check_records(vectors):
    for case in vectors["records"]:
        record = Record(bytes.fromhex(case["record"]))
        assert record.handle.decode() == case["handle"], case
        assert str(record.version) == case["version"], case
        assert record.login_key.hex() == case["login_key"], case
        assert "".join("?PRD"[slot[0]] for slot in record.slots) == case["kinds"], case
        assert record.slots[0][1].hex() == case["first_slot_key"], case
    for case in vectors["refused"]:
        try:
            Record(bytes.fromhex(case["record"]))
        except Verdict as verdict:
            assert verdict.error == case["error"], (verdict.error, case)
        else:
            raise AssertionError(f"taken: {case}")
    held = Record(bytes.fromhex(vectors["records"][0]["record"]))
    for case in vectors["replacements"]:
        assert outcome(held, Record(bytes.fromhex(case["record"]))) == case["result"], case


def check_logins(vectors):
    for case in vectors["logins"]:
        message = login_message(case)
        assert message.hex() == case["message"], case
        assert check.sign(bytes.fromhex(case["seed"]), message).hex() == case["signature"], case
        check.verify(bytes.fromhex(case["key"]), message, bytes.fromhex(case["signature"]))
    for case in vectors["refused_logins"]:
        key, signature = bytes.fromhex(case["key"]), bytes.fromhex(case["signature"])
        refuses(check.verify, key, login_message(case), signature)
    for case in vectors["kits"]:
        assert parse_kit(case["text"]).hex() == case["slot_secret"], case
    for case in vectors["refused_kits"]:
        refuses(parse_kit, case["text"])


def main():
    directory = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    with open(directory / "account.json", encoding="utf-8") as file:
        vectors = json.load(file)
    for check_part in (check_keys, check_slots, check_records, check_logins):
        check_part(vectors)
    count = sum(len(section) for section in vectors.values() if isinstance(section, list))
    print(f"account.json: {count} vectors hold")


if __name__ == "__main__":
    main()
