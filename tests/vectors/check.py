#!/usr/bin/python3
"""Checks the golden vectors with a second implementation that shares no code with the first.

Written from docs/formats.md alone. hashlib has SHA-256 and BLAKE2b, PyNaCl has the cipher, Ed25519
and XXH3 are spelt out below. Usage: check.py DIR; exit 0 when every vector holds.
"""

import base64
import binascii
import hashlib
import hmac
import json
import pathlib
import sys

from nacl import bindings, exceptions

MAX_BLOCK = 16 << 20


class Refused(Exception):
    """What a reader says to bytes that are not what they should be."""


def must(condition):
    if not condition:
        raise Refused


# --- ids ----------------------------------------------------------------------------------------

CID_PREFIX = bytes([0x01, 0x55, 0x12, 0x20])


def cid_of(digest):
    text = base64.b32encode(CID_PREFIX + digest).decode("ascii")
    return "b" + text.lower().rstrip("=")


def parse_id(text):
    if len(text) == 64:
        must(set(text) <= set("0123456789abcdef"))
        return bytes.fromhex(text)
    must(len(text) == 59 and text[0] == "b" and text == text.lower())
    try:
        raw = base64.b32decode(text[1:].upper() + "=" * (-58 % 8))
    except binascii.Error as error:
        raise Refused from error
    must(raw[:4] == CID_PREFIX and len(raw) == 36)
    must(cid_of(raw[4:]) == text)
    return raw[4:]


XXH3_SECRET = bytes.fromhex("b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f")
M64 = (1 << 64) - 1


def xxh3_of_32(data, seed):
    """XXH3-64 for exactly 32 bytes (the branch for 17 to 128 bytes)."""

    def word(source, at):
        return int.from_bytes(source[at : at + 8], "little")

    def mix(at):
        low = word(data, at) ^ ((word(XXH3_SECRET, at) + seed) & M64)
        high = word(data, at + 8) ^ ((word(XXH3_SECRET, at + 8) - seed) & M64)
        product = low * high
        return (product & M64) ^ (product >> 64)

    acc = (32 * 0x9E3779B185EBCA87 + mix(0) + mix(16)) & M64
    acc ^= acc >> 37
    acc = acc * 0x165667919E3779F9 & M64
    return acc ^ (acc >> 32)


def check_ids(vectors):
    for case in vectors["blocks"]:
        digest = hashlib.sha256(bytes.fromhex(case["bytes"])).digest()
        assert digest.hex() == case["hex"] and cid_of(digest) == case["cid"], case
        assert parse_id(case["hex"]) == parse_id(case["cid"]) == digest, case
    for case in vectors["refused"]:
        refuses(parse_id, case["text"])
    for case in vectors["numbers"]:
        number = xxh3_of_32(bytes.fromhex(case["id"]), int(case["placement_seed"], 16))
        assert f"{number:016x}" == case["number"] and number % 5040 == case["slot"], case
    return len(vectors["blocks"]) + len(vectors["refused"]) + len(vectors["numbers"])


# --- keys ---------------------------------------------------------------------------------------


def kdf(master, subkey, context):
    return hashlib.blake2b(
        b"", digest_size=32, key=master, salt=subkey.to_bytes(8, "little"), person=context.encode()
    ).digest()


def check_keys(vectors):
    for case in vectors["kdf"]:
        out = kdf(bytes.fromhex(case["master"]), int(case["subkey"]), case["context"])
        assert out.hex() == case["key"], case
    for case in vectors["write"]:
        secret = bytes.fromhex(case["write_secret"])
        for subkey, name in ((1, "sign_seed"), (2, "read_secret"), (3, "admin_seed")):
            assert kdf(secret, subkey, "cairn-w1").hex() == case[name], (name, case)
        for seed, name in (("sign_seed", "writer_public_key"), ("admin_seed", "admin_public_key")):
            assert public_key(bytes.fromhex(case[seed])).hex() == case[name], (name, case)
    for case in vectors["read"]:
        secret = bytes.fromhex(case["read_secret"])
        names = ("link_key", "block_key", "box_seed", "fetch_token")
        for subkey, name in enumerate(names, start=1):
            assert kdf(secret, subkey, "cairn-r1").hex() == case[name], (name, case)
        token_hash = hashlib.sha256(kdf(secret, 4, "cairn-r1")).hexdigest()
        assert token_hash == case["fetch_token_hash"], case
    return len(vectors["kdf"]) + len(vectors["write"]) + len(vectors["read"])


# --- sealing ------------------------------------------------------------------------------------


def padme(size):
    if size < 2:
        return size
    exponent = size.bit_length() - 1
    low_bits = exponent - exponent.bit_length()
    return -(-size >> low_bits) << low_bits


def cipher_key_and_commit(key, message):
    digest = hashlib.blake2b(message, digest_size=64, key=key).digest()
    return digest[:32], digest[32:]


def seal(key, plaintext, padded, salt):
    text = plaintext
    if padded:
        text = (plaintext + b"\x80").ljust(padme(len(plaintext) + 1), b"\0")
    message = b"B1" + bytes([1, int(padded)]) + salt
    cipher_key, commit = cipher_key_and_commit(key, message)
    header = message + commit
    return header + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        text, header, bytes(24), cipher_key
    )


def decrypt(cipher_key, sealed):
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed[60:], sealed[:60], bytes(24), cipher_key
        )
    except exceptions.CryptoError as error:
        raise Refused from error


def open_block(key, sealed):
    must(76 <= len(sealed) <= MAX_BLOCK)
    must(sealed[:3] == b"B1\x01" and sealed[3] in (0, 1))
    cipher_key, commit = cipher_key_and_commit(key, sealed[:28])
    must(hmac.compare_digest(commit, sealed[28:60]))
    text = decrypt(cipher_key, sealed)
    if sealed[3] == 0:
        return text
    stripped = text.rstrip(b"\0")
    must(stripped.endswith(b"\x80") and padme(len(stripped)) == len(text))
    return stripped[:-1]


def check_seal(vectors):
    for case in vectors["opens"]:
        key, plaintext = bytes.fromhex(case["key"]), bytes.fromhex(case["plaintext"])
        sealed = bytes.fromhex(case["sealed"])
        assert seal(key, plaintext, case["padded"], bytes.fromhex(case["salt"])) == sealed, case
        assert open_block(key, sealed) == plaintext, case
    for case in vectors["large"]:
        plaintext = bytes(i % 251 for i in range(case["plaintext_bytes"]))
        key = bytes.fromhex(case["key"])
        sealed = seal(key, plaintext, case["padded"], bytes.fromhex(case["salt"]))
        assert len(sealed) == case["sealed_bytes"], case
        assert hashlib.sha256(sealed).hexdigest() == case["sealed_id"], case
        assert open_block(key, sealed) == plaintext, case
    for case in vectors["two_keys"]:
        sealed, other = bytes.fromhex(case["sealed"]), bytes.fromhex(case["other_key"])
        assert open_block(bytes.fromhex(case["key"]), sealed).hex() == case["plaintext"], case
        cipher_key, _ = cipher_key_and_commit(other, sealed[:28])
        assert cipher_key.hex() == case["other_cipher_key"], case
        assert decrypt(cipher_key, sealed).hex() != case["plaintext"], "the tag must be right"
        refuses(open_block, other, sealed)
    for case in vectors["refused"]:
        refuses(open_block, bytes.fromhex(case["key"]), bytes.fromhex(case["sealed"]))
    for case in vectors["padme"]:
        assert padme(case["size"]) == case["padded"], case
    check_claims(vectors["refused"])
    return sum(len(vectors[name]) for name in ("opens", "large", "two_keys", "refused", "padme"))


def check_claims(refused):
    """Forgeries that say "tag right" or "all else right" are, or they would test nothing."""
    claims = 0
    for case in refused:
        if "tag right" in case["name"] or "all else right" in case["name"]:
            sealed = bytes.fromhex(case["sealed"])
            cipher_key, commit = cipher_key_and_commit(bytes.fromhex(case["key"]), sealed[:28])
            decrypt(cipher_key, sealed)
            assert (commit == sealed[28:60]) == ("all else right" in case["name"]), case
            claims += 1
    assert claims >= 9, claims


# --- Ed25519 (RFC 8032, section 5.1, and the strict rules) --------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(scalar, point):
    out = NEUTRAL
    while scalar:
        if scalar & 1:
            out = add(out, point)
        point = add(point, point)
        scalar >>= 1
    return out


def same(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def decode(raw, strict=True):
    """A point from its one canonical encoding; not strict: from any that some libraries take."""
    must(len(raw) == 32)
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    must(y < P or not strict)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    must((x * x - square) % P == 0)
    must(x != 0 or sign == 0 or not strict)
    if x & 1 != sign:
        x = -x % P
    return (x, y, 1, x * y % P)


def encode(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def expand(seed):
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | 1 << 254
    return scalar, digest[32:]


def public_key(seed):
    return encode(times(expand(seed)[0], BASE))


def hash_scalar(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L


def sign(seed, message):
    scalar, prefix = expand(seed)
    r = hash_scalar(prefix, message)
    start = encode(times(r, BASE))
    challenge = hash_scalar(start, public_key(seed), message)
    return start + ((r + challenge * scalar) % L).to_bytes(32, "little")


def small_order(point):
    return same(times(8, point), NEUTRAL)


def verify(key, message, signature):
    must(len(signature) == 64)
    start, s = decode(signature[:32]), int.from_bytes(signature[32:], "little")
    point = decode(key)
    must(s < L and not small_order(point) and not small_order(start))
    challenge = hash_scalar(signature[:32], key, message)
    must(same(times(s, BASE), add(start, times(challenge, point))))


def sodium_verify(key, message, signature):
    try:
        must(bindings.crypto_sign_open(signature + message, key) == message)
    except (exceptions.CryptoError, ValueError, TypeError) as error:
        raise Refused from error


def check_key(key):
    point = decode(key)
    must(not same(point, NEUTRAL) and same(times(L, point), NEUTRAL))


def check_lax_verifiers_pass(refused):
    """What is said to be of small order satisfies the equation (R: 8 times), or it is void."""
    claims = {"key of small order": 1, "R of small order": 8, "R with a part of": 8}
    found = 0
    for case in refused:
        for claim, cofactor in claims.items():
            if not case["name"].startswith(claim):
                continue
            key, signature = bytes.fromhex(case["key"]), bytes.fromhex(case["signature"])
            challenge = hash_scalar(signature[:32], key, bytes.fromhex(case["message"]))
            right = add(
                decode(signature[:32], strict=False), times(challenge, decode(key, strict=False))
            )
            left = times(int.from_bytes(signature[32:], "little"), BASE)
            assert same(times(cofactor, left), times(cofactor, right)), case
            found += 1
    assert found == 31, found


def check_ed25519(vectors):
    for case in vectors["verifies"]:
        seed, key = bytes.fromhex(case["seed"]), bytes.fromhex(case["key"])
        message, signature = bytes.fromhex(case["message"]), bytes.fromhex(case["signature"])
        assert public_key(seed) == key and sign(seed, message) == signature, case
        verify(key, message, signature)
        sodium_verify(key, message, signature)
    for case in vectors["refused"]:
        parts = [bytes.fromhex(case[name]) for name in ("key", "message", "signature")]
        refuses(verify, *parts)
        refuses(sodium_verify, *parts)
    check_lax_verifiers_pass(vectors["refused"])
    for case in vectors["keys"]:
        key = bytes.fromhex(case["key"])
        if case["valid"]:
            check_key(key)
        else:
            refuses(check_key, key)
        assert bindings.crypto_core_ed25519_is_valid_point(key) == case["valid"], case
    return sum(len(vectors[name]) for name in ("verifies", "refused", "keys"))


# --- capability strings -------------------------------------------------------------------------

KINDS = {"w": "write", "r": "read", "v": "verify"}


def parse_capability(text):
    kind = KINDS.get(text[6:7])
    must(text.startswith("cairn_") and text[7:8] == "_" and kind is not None)
    body = text[8:]
    must(set(body) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
    must(len(body) % 4 != 1)
    raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    must(base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == body)
    must(len(raw) == (37 if kind == "verify" else 69) and raw[0] == 1)
    must(binascii.crc32(raw[:-4]).to_bytes(4, "little") == raw[-4:])
    return kind, raw[1:33], raw[33:-4]


def check_capability(vectors):
    for case in vectors["reads"]:
        kind, chain, secret = parse_capability(case["text"])
        assert (kind, chain.hex()) == (case["kind"], case["chain"]), case
        assert secret.hex() == case.get("secret", ""), case
    for case in vectors["refused"]:
        refuses(parse_capability, case["text"])
    return len(vectors["reads"]) + len(vectors["refused"])


def refuses(reader, *arguments):
    try:
        reader(*arguments)
    except Refused:
        return
    raise AssertionError(f"{reader.__name__} takes {arguments}")


def main():
    directory = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    checks = {
        "ids": check_ids,
        "keys": check_keys,
        "seal": check_seal,
        "ed25519": check_ed25519,
        "capability": check_capability,
    }
    for name, check in checks.items():
        with open(directory / f"{name}.json", encoding="utf-8") as file:
            print(f"{name}.json: {check(json.load(file))} vectors hold")


if __name__ == "__main__":
    main()
