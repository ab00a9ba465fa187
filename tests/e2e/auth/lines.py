# SPDX-License-Identifier: Apache-2.0
"""Lines of the protocol that these tests write and expect."""

import json

VIOLATION = b"-ERR 'Authorization Violation'\r\n"


def connect_line(**fields) -> bytes:
    return b"CONNECT " + json.dumps({"verbose": False, **fields}).encode() + b"\r\n"


def pub(subject: bytes, payload: bytes = b"", reply: bytes = b"") -> bytes:
    words = [b"PUB", subject, *([reply] if reply else []), b"%d" % len(payload)]
    return b" ".join(words) + b"\r\n" + payload + b"\r\n"


def pub_denied(subject: bytes) -> bytes:
    return b"-ERR 'Permissions Violation for Publish to \"%s\"'\r\n" % subject


def sub_denied(subject: bytes, queue: bytes = b"") -> bytes:
    using = b' using queue "%s"' % queue if queue else b""
    return b"-ERR 'Permissions Violation for Subscription to \"%s\"%s'\r\n" % (subject, using)
