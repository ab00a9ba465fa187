# SPDX-License-Identifier: Apache-2.0
"""What all messages of a server have in common: numbers, ids, times, no headers (spec 06 §3)."""

import json
import re
from datetime import datetime

import pytest

from e2e.system.events import EVERYTHING, GLOBAL
from e2e.system.talk import SYSTEM
from e2e.system.times import instant


def times(value, key=""):
    """All times anywhere in a document, with their keys."""
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in times(inner, name)]
    return [(key, value)] if key in {"start", "stop", "time", "timestamp"} else []


@pytest.fixture
def busy(system, connect):
    """All that a listener was sent while clients came, went and failed, and asked while it did, too: messages in order."""
    w = system(GLOBAL + SYSTEM)
    sys = w("sys", *EVERYTHING, "_J")
    for user in ("a", "b", "g", "s"):
        clients = [w(user) for _ in range(3)]
        sys.send("$SYS.REQ.SERVER.PING.VARZ", reply=b"_J")
        refused = connect(w.server)
        refused.send(b'CONNECT {"user":"a","pass":"x"}\r\n')
        refused.expect_closed_with(b"-ERR 'Authorization Violation'\r\n")
        for talker in clients:
            sys.send("$SYS.REQ.SERVER.PING", reply=b"_J")
            talker.client.close()
    messages, n_ends = [], 0
    while n_ends < 16:
        message = sys.next_message()
        messages.append(message)
        n_ends += message.subject.endswith(b".DISCONNECT")
    return messages


def test_e12_sequence(busy):
    """E-12: every message has a higher number than the one before, whatever it is about."""
    numbers = [json.loads(message.payload)["server"]["seq"] for message in busy]
    assert numbers == sorted(set(numbers))
    assert numbers[0] > 1


def test_e12_from_the_start(system):
    """E-12: who is told from the start hears nothing with a number below 2."""
    w = system()
    assert w("sys").inquire("$SYS.REQ.SERVER.PING.VARZ")["server"]["seq"] > 1


def test_e13_ids_and_times(busy):
    """E-13: what identifies an event, and when it happened."""
    documents = [json.loads(message.payload) for message in busy]
    ids = {document["id"] for document in documents if "id" in document}
    assert all(re.fullmatch("[0-9A-Za-z]{22}", one) for one in ids)
    now = datetime.now().timestamp()
    for document in documents:
        found = times(document)
        assert len(found) >= 2
        for key, text in found:
            assert now - 60 < instant(text) <= now + 1, (key, text)
        assert document["server"]["time"].endswith("Z")
        if "timestamp" in document:
            assert instant(document["timestamp"]) <= instant(document["server"]["time"])


def test_e13_ids_differ(busy):
    """E-13: an id belongs to one event: to one message, or the two of a count."""
    found = {}
    for message in busy:
        found.setdefault(json.loads(message.payload).get("id"), []).append(message.subject.split(b".")[-1])
    found.pop(None, None)  # answers
    assert {tuple(kinds) for kinds in found.values()} <= {(b"CONNS", b"CONNS"), (b"CONNECT",), (b"DISCONNECT",), (b"ERR",)}


def test_e14_plain(busy):
    """E-14: events are messages without headers and without reply subject."""
    assert {(message.header, message.reply) for message in busy} == {(None, b"")}
