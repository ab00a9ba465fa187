# SPDX-License-Identifier: Apache-2.0
"""The ways to log in: what the server is configured with, and what clients say that are let in, or are not."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from e2e.auth.nkey import Nkey

BCRYPT = "$2a$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG"  # of s3cret


@dataclass
class Method:
    conf: dict   # options of the server
    login: dict  # settings of a client that is let in
    wrong: dict  # settings of one that is not


def nkey_login(name: str) -> dict:
    """Settings of the user nkey that grows from a name, as Nkey("U", name) does."""
    user = 20 << 3
    raw = bytes([18 << 3 | user >> 5, (user & 31) << 3]) + name.encode().ljust(32, b".")
    checksum = binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return {"nkey": Nkey("U", name).public, "seed": base64.b32encode(raw + checksum).decode().rstrip("=")}


def user_login(name: str, password: str) -> dict:
    return {"user": name, "pass": password}


def _users(*users: dict) -> dict:
    return {"authorization": {"users": [*users, {"user": "zoe", "password": "other"}]}}


ALICE = {"user": "alice", "password": "pa$$ w0rd"}
ALICE_LOGIN = user_login("alice", "pa$$ w0rd")

METHODS = {
    "single_user": Method({"authorization": ALICE}, ALICE_LOGIN, user_login("alice", "wrong")),
    "token": Method({"authorization": {"token": "t0ken"}}, {"token": "t0ken"}, {"token": "wrong"}),
    "bcrypt_token": Method({"authorization": {"token": BCRYPT}}, {"token": "s3cret"}, {"token": BCRYPT}),
    "user": Method(_users(ALICE), ALICE_LOGIN, user_login("zoe", ALICE["password"])),
    "bcrypt": Method(_users({"user": "alice", "password": BCRYPT}), user_login("alice", "s3cret"), user_login("alice", BCRYPT)),
    "nkey": Method(_users({"nkey": Nkey("U", "alice").public}), nkey_login("alice"), nkey_login("mallory")),
    "no_auth_user": Method({**_users(ALICE), "no_auth_user": "alice"}, {}, user_login("alice", "wrong")),
    "account_user": Method({"accounts": {"A": {"users": [ALICE]}, "B": {}}}, ALICE_LOGIN, user_login("alice", "wrong")),
    "account_nkey": Method({"accounts": {"A": {"users": [{"nkey": Nkey("U", "alice").public}]}}},
                           nkey_login("alice"), nkey_login("mallory")),
}
