# SPDX-License-Identifier: Apache-2.0
"""Clients that do not keep up: where one can see that."""

import pytest

from e2e.accounts.lines import pub
from e2e.monitor.shapes import ACCSTATZ, CLOSED, CONNECTION, VARZ, check
from harness import eventually

ACCOUNTS = "accounts { A { users: [ {user: a, password: pw} ] }, B { users: [ {user: b, password: pw} ] } }\n"
SMALL_QUEUE = ACCOUNTS + 'max_pending: 1000000, max_payload: 500000, write_deadline: "30s"\n'
BLOB = b"z" * 250_000


@pytest.fixture
def slow(world):
    """slow(text, user=…) -> (World, a client that reads nothing, a publisher)"""
    def start(text, user="a"):
        w = world(text)
        client = w.raw(rcvbuf=4096).connect(user=user, **{"pass": "pw"}, name="slow")
        client.send(b"SUB flood 1\r\n")
        client.fence()
        publisher = w(user, name="fast")
        publisher.timeout = 60
        return w, client, publisher

    return start


def flood(publisher, until):
    """Publish until the condition holds; what it was then."""
    def more():
        publisher.send(pub(b"flood", BLOB) * 4)
        publisher.fence()
        return until()

    return eventually(more, 60)


def account(w, name: str) -> dict:
    document = w.document("/accstatz?unused=1")
    check(document, ACCSTATZ)
    return next(entry for entry in document["account_statz"] if entry["acc"] == name)


def test_m37_pending_bytes(slow):
    """Who has too much in its queue is counted by the server and by its account, and told apart when it is gone."""
    w, client, publisher = slow(SMALL_QUEUE)
    flood(publisher, lambda: w.connections("?state=closed"))
    entry = w.gone(client)
    check(entry, CLOSED)
    assert (entry["reason"], entry["name"]) == ("Slow Consumer (Pending Bytes)", "slow")
    varz = w.document("/varz")
    check(varz, VARZ)
    assert (varz["slow_consumers"], varz["slow_consumer_stats"]) == (1, {"clients": 1, "routes": 0, "gateways": 0, "leafs": 0})
    assert varz["stale_connections"] == 0
    assert (account(w, "A")["slow_consumers"], account(w, "B")["slow_consumers"]) == (1, 0)
    assert w.entry(publisher)["name"] == "fast"


def test_m37_more_than_one(slow, world):
    """Each counts."""
    w, first, publisher = slow(SMALL_QUEUE)
    second = w.raw(rcvbuf=4096).connect(user="a", **{"pass": "pw"})
    second.send(b"SUB flood 1\r\n")
    second.fence()
    flood(publisher, lambda: len(w.connections("?state=closed")) == 2)
    assert {w.gone(client)["reason"] for client in (first, second)} == {"Slow Consumer (Pending Bytes)"}
    varz = w.document("/varz")
    assert (varz["slow_consumers"], varz["slow_consumer_stats"]["clients"], account(w, "A")["slow_consumers"]) == (2, 2, 2)


def test_m37_write_deadline(slow):
    """Who does not take what is written counts the same."""
    w, client, publisher = slow(ACCOUNTS + 'write_deadline: "500ms", no_fast_producer_stall: true\n')
    publisher.send(pub(b"flood", BLOB) * 80)
    publisher.fence()
    assert eventually(lambda: w.connections("?state=closed"), 20)[0]["reason"] == "Slow Consumer (Write Deadline)"
    assert w.gone(client)["name"] == "slow"
    varz = w.document("/varz")
    assert (varz["slow_consumers"], varz["slow_consumer_stats"]["clients"], account(w, "A")["slow_consumers"]) == (1, 1, 1)


def test_m37_pending_bytes_while_it_lasts(slow):
    """A queue that fills can be watched, and empties again."""
    w, client, publisher = slow(ACCOUNTS + 'write_deadline: "60s", no_fast_producer_stall: true\n')
    client.timeout = 60
    n = 80
    publisher.send(pub(b"flood", BLOB) * n)
    publisher.fence()
    entry = eventually(lambda: (found := w.entry(client))["out_msgs"] == n and found)
    check(entry, CONNECTION)
    assert len(BLOB) * n // 2 < entry["pending_bytes"] <= (len(BLOB) + 100) * n
    assert entry["out_bytes"] == len(BLOB) * n
    client.read_exactly((len(BLOB) + len(b"MSG flood 1 250000\r\n\r\n")) * n)
    assert eventually(lambda: w.entry(client)["pending_bytes"] == 0)
    assert w.document("/varz")["slow_consumers"] == 0


def test_m37_stalls(slow):
    """How often publishers had to wait for this one (the publisher's entry does not say that it had to), and for all."""
    w, client, publisher = slow(ACCOUNTS + 'max_pending: 20MB, write_deadline: "2s"\n')
    publisher.timeout = 60

    def has_stalled():
        publisher.send(pub(b"flood", BLOB))
        publisher.fence()
        found = w.connections(f"?state=all&cid={client.cid}")
        return found[0].get("stalls", 0) and found[0]

    entry = eventually(has_stalled, 60)
    assert 0 < entry["stalls"] <= w.document("/varz")["stalled_clients"]
    assert "stalls" not in w.entry(publisher)
