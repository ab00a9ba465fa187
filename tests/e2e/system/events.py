# SPDX-License-Identifier: Apache-2.0
"""Events: their subjects, and what they are made of."""

import json
from pathlib import Path

ADVISORY = "io.nats.server.advisory.v1."
OLD_CONNS, CONNS = "$SYS.SERVER.ACCOUNT.%s.CONNS", "$SYS.ACCOUNT.%s.SERVER.CONNS"
CONNECT, DISCONNECT = "$SYS.ACCOUNT.%s.CONNECT", "$SYS.ACCOUNT.%s.DISCONNECT"
AUTH_ERR, TOLD_IN_ACCOUNT = "$SYS.SERVER.{id}.CLIENT.AUTH.ERR", "$SYS.ACCOUNT.CLIENT.AUTH.ERR"
EVERYTHING = ("$SYS.SERVER.ACCOUNT.>", "$SYS.SERVER.*.CLIENT.>", "$SYS.ACCOUNT.>")  # but for STATSZ, which comes when it likes
GLOBAL = "authorization { users: [ {user: g, password: pw} ] }\n"  # the global account has a user as well
_GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "events"
_NOT_COMPARED = {"rtt", "feature_flags"}  # the former is missing when a connection was short


def shape(value):
    """What a document is made of: its keys, and the types of what they stand for."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items() if key not in _NOT_COMPARED}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value)


def golden(name: str):
    """The shape of a capture of the reference."""
    return shape(json.loads((_GOLDEN / f"{name}.json").read_text(encoding="utf-8")))


def login_events(sys, name: str = "A") -> list[dict]:
    """What is told of a login next, in its order: the counts, in the old way and the new, and CONNECT."""
    return [sys.event(subject % name) for subject in (OLD_CONNS, CONNS, CONNECT)]
