# SPDX-License-Identifier: Apache-2.0
"""Texts of configurations with accounts, and the lines of the protocol that their tests write and read.

In all of these configurations account X has the user x (its name in lower case) with the password "pw".
"""

import json
import re
from dataclasses import dataclass

from e2e.auth.lines import VIOLATION, pub, pub_denied, sub_denied

__all__ = ["CAPABLE", "VIOLATION", "Message", "account", "accounts", "heard", "hpub", "imported", "messages", "no_responders", "pub",
           "pub_denied", "read_message", "sub_denied"]

CAPABLE = {"headers": True, "no_responders": True}  # fields of CONNECT: who is told when nobody listens


# ---- configuration

def account(name: str, more: str = "", *, exports: str = "", imports: str = "", permissions: str = "") -> str:
    """An account and its user.  `more` is further keys, `permissions` those of the user: the inside of the block."""
    user = f"user: {name.lower()}, password: pw" + (f", permissions: {{ {permissions} }}" if permissions else "")
    return f"{name} {{ exports: [ {exports} ], imports: [ {imports} ], users: [ {{ {user} }} ]\n {more} }}\n"


def accounts(*others: str, exports: str = "", imports: str = "", s: str = "", a: str = "", permissions: str = "") -> str:
    """S with these exports, A with these imports (and permissions of its user), and other accounts; `s`, `a`: further keys of S, A."""
    return "accounts {\n%s}\n" % "".join([account("S", s, exports=exports),
                                          account("A", a, imports=imports, permissions=permissions), *others])


def imported(kind: str, subject: str, more: str = "", *, account: str = "S") -> str:  # pylint: disable=redefined-outer-name
    """An entry of `imports`.  `kind` is stream or service, `more` what else the entry says: `prefix: in`."""
    return f'{{ {kind}: {{account: {account}, subject: "{subject}"}}, {more} }}\n'


# ---- protocol

@dataclass
class Message:
    """One MSG or HMSG."""
    subject: bytes
    sid: bytes
    payload: bytes
    reply: bytes = b""
    header: bytes | None = None  # the block with its empty line; None: a MSG

    @property
    def info(self) -> dict:
        """What its Nats-Request-Info says."""
        return json.loads(re.search(rb"\r\nNats-Request-Info: (.*?)\r\n", self.header)[1])


def read_message(client) -> Message:
    """The next thing that the client is sent, which is a message."""
    is_hmsg, words = client.expect_re(rb"(H?)MSG ([^\r]*)\r\n").groups()
    subject, sid, *reply, n_total = words.split(b" ")  # the reply may be there and empty
    n_header = reply.pop() if is_hmsg else 0
    body = client.read_exactly(int(n_total) + 2)
    assert body.endswith(b"\r\n")
    at = int(n_header)
    return Message(subject, sid, body[at:-2], b"".join(reply), body[:at] if is_hmsg else None)


class _Bytes:
    """Reads from bytes as read_message does from a client."""

    def __init__(self, data):
        self.data = data

    def expect_re(self, pattern):
        match = re.match(pattern, self.data)
        assert match, f"not a message: {self.data!r}"
        self.data = self.data[match.end():]
        return match

    def read_exactly(self, n):
        taken, self.data = self.data[:n], self.data[n:]
        return taken


def messages(client) -> list[Message]:
    """What the client was sent until now; fails on anything but messages."""
    rest, read = _Bytes(client.ping()), []
    while rest.data:
        read.append(read_message(rest))
    return read


def heard(client) -> list[tuple[bytes, bytes]]:
    """The same, as pairs of subject and payload."""
    return [(message.subject, message.payload) for message in messages(client)]


def hpub(subject: bytes, header: bytes, payload: bytes = b"", reply: bytes = b"") -> bytes:
    """`header` is the block with its empty line."""
    words = [b"HPUB", subject, *([reply] if reply else []), b"%d" % len(header), b"%d" % len(header + payload)]
    return b" ".join(words) + b"\r\n" + header + payload + b"\r\n"


def no_responders(reply: bytes, sid: int, subject: bytes) -> bytes:
    """The 503 for a request that was published to `subject`."""
    n = len(b"NATS/1.0 503\r\nNats-Subject: \r\n\r\n") + len(subject)
    return b"HMSG %s %d %d %d\r\nNATS/1.0 503\r\nNats-Subject: %s\r\n\r\n\r\n" % (reply, sid, n, n, subject)
