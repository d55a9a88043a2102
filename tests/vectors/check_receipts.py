#!/usr/bin/python3
"""Checks receipts.json with a second implementation, written from docs/formats.md alone, over check.py's
Ed25519 and key derivation. Usage: check_receipts.py DIR; exit 0 when every vector holds.
"""

import json
import pathlib
import struct
import sys

import check
from check import refuses


def read(case):
    """What a case says, as bytes that are signed, with node and signature."""
    chain, link = bytes.fromhex(case["chain"]), bytes.fromhex(case["link"])
    message = b"cairn-receipt-1" + chain + struct.pack("<Q", int(case["seq"])) + link
    message += struct.pack("<IQ", case["epoch"], int(case["time"]))
    return bytes.fromhex(case["node"]), message, bytes.fromhex(case["signature"])


def must_hold(case):
    check.verify(*read(case))


def main():
    directory = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    with open(directory / "receipts.json", encoding="utf-8") as file:
        vectors = json.load(file)
    for case in vectors["keys"]:
        seed = check.kdf(bytes.fromhex(case["node_secret"]), 1, "cairn-n1")
        assert check.public_key(seed).hex() == case["node"]
    for case in vectors["receipts"]:
        must_hold(case)
    for case in vectors["refused"]:
        refuses(must_hold, case)
    count = sum(len(section) for section in vectors.values() if isinstance(section, list))
    print(f"receipts.json: {count} vectors hold")


if __name__ == "__main__":
    main()
