"""Owns accounts as a client does: records, logins and tokens of docs/formats.md, over libsodium alone."""

import json
import os
import struct

from chain_writer import Signer, base64url, kdf

RECOVERY = 2


class AccountWriter:
    """One account with one slot; the wrapped secret is noise, for the node cannot open it anyway."""

    def __init__(self, handle):
        self.handle = handle
        self.login = Signer(kdf(os.urandom(32), 1, "cairn-a1"))
        self.slot = Signer(kdf(os.urandom(32), 1, "cairn-s1"))
        self.version = 1

    @property
    def path(self):
        return f"/v1/accounts/{self.handle}"

    def record(self):
        slot = bytes([RECOVERY]) + self.slot.public + bytes(26) + os.urandom(0) + b"\x42" * 108
        name = self.handle.encode()
        body = b"A1\x01\x00" + struct.pack("<Q", self.version) + self.login.public
        body += bytes([len(name)]) + name + b"\x01" + slot
        return body + self.login.sign(b"cairn-account-1" + body)

    def sign_up(self, node, headers=(), host="localhost"):
        return node.request("PUT", self.path, headers, self.record(), host=host)

    def nonce(self, node, host="localhost"):
        answer = node.request("POST", f"{self.path}/challenge", body=b"", host=host)
        assert answer.status == 200, answer
        return answer.json()["nonce"]

    def login_body(self, nonce, action="login", host="localhost"):
        parts = [part.encode() for part in (self.handle, host, nonce, action)]
        message = b"cairn-login-1" + b"".join(bytes([len(part)]) + part for part in parts)
        return json.dumps(
            {
                "nonce": nonce,
                "key": base64url(self.slot.public),
                "signature": base64url(self.slot.sign(message)),
                "action": action,
            }
        ).encode()

    def log_in(self, node, action="login", host="localhost"):
        body = self.login_body(self.nonce(node, host), action, host)
        return node.request(
            "POST", f"{self.path}/login", [("Content-Type", "application/json")], body, host=host
        )

    def token(self, node, action="login", host="localhost"):
        answer = self.log_in(node, action, host)
        assert answer.status == 200, answer
        return answer.json()["token"]


def bearer(token):
    return ("Authorization", f"Bearer {token}")
