# SPDX-License-Identifier: Apache-2.0
"""Nkeys: Ed25519 keys in base32, with a prefix that tells what they stand for and a checksum."""

import base64
import binascii

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_PREFIX = {"A": 0, "N": 104, "O": 112, "U": 160, "X": 184}


class Nkey:
    """The key pair of the given kind ("U": user, "A": account, …) that grows from a name, so that tests are repeatable."""

    def __init__(self, kind: str, name: str):
        self._key = Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b"."))
        raw = bytes([_PREFIX[kind]]) + self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        checksum = binascii.crc_hqx(raw, 0).to_bytes(2, "little")
        self.public = base64.b32encode(raw + checksum).decode().rstrip("=")

    def sign(self, nonce: str) -> bytes:
        """The raw signature of a nonce, as it stands in INFO."""
        return self._key.sign(nonce.encode())

    def signature(self, nonce: str) -> str:
        """The signature as clients send it."""
        return base64.urlsafe_b64encode(self.sign(nonce)).decode().rstrip("=")

    def credentials(self, nonce: str) -> dict:
        """Fields of CONNECT."""
        return {"nkey": self.public, "sig": self.signature(nonce)}
