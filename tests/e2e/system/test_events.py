# SPDX-License-Identifier: Apache-2.0
"""What the system account hears of clients that come and go, and of how many there are (spec 06 §5.1 to 5.3)."""

import json
import re

import pytest

from e2e.system.events import (ADVISORY, CONNECT, CONNS, DISCONNECT, EVERYTHING, GLOBAL, OLD_CONNS, golden, login_events, shape)
from e2e.system.talk import SYSTEM


# ---- login

def test_e05_login(system):
    """E-05: the counts, in the old way and the new, then CONNECT."""
    w = system()
    sys = w("sys", *EVERYTHING)
    a = w("a", name="app", lang="go", version="1.40.0")
    old, new, connect = login_events(sys)
    assert [shape(event) for event in (old, new, connect)] == [
        golden("account_conns_old_subject"), golden("account_conns"), golden("client_connect")]
    assert old["type"] == new["type"] == ADVISORY + "account_connections"
    for event in (old, new):
        assert (event["acc"], event["name"], event["conns"], event["leafnodes"], event["total_conns"]) == ("A", "A", 1, 0, 1)
    assert connect["type"] == ADVISORY + "client_connect"
    client = connect["client"]
    assert {"host": "127.0.0.1", "id": a.cid, "acc": "A", "user": "a", "name": "app", "lang": "go", "ver": "1.40.0", "name_tag": "A",
            "kind": "Client", "client_type": "nats"}.items() <= client.items()
    assert "stop" not in client and "rtt" not in client
    assert connect["server"]["id"] == a.server_id
    assert sys.events() == []


def test_e05_the_system_account_too(system):
    """E-05: it hears of its own clients."""
    w = system()
    sys = w("sys", *EVERYTHING)
    w("sys")
    old, _, connect = login_events(sys, "SYS")
    assert (old["conns"], connect["client"]["acc"]) == (2, "SYS")


def test_e05_what_a_client_does_not_say(system):
    """E-05: members without a value are left out."""
    w = system()
    sys = w("sys", CONNECT % "A")
    w("a")
    assert set(sys.event(CONNECT % "A")["client"]) == {"start", "host", "id", "acc", "user", "name_tag", "kind", "client_type"}


def test_e05_counts(system):
    """E-05: every client counts."""
    w = system()
    sys = w("sys", CONNS % "A")
    clients = []
    for n in range(1, 6):
        clients.append(w("a"))
        assert sys.event(CONNS % "A")["conns"] == n
    for n in range(4, -1, -1):
        clients.pop().client.close()
        event = sys.event(CONNS % "A")
        assert (event["conns"], event["total_conns"]) == (n, n)


def test_e05_payload(system):
    """E-05: compact JSON in which HTML is escaped, as Go does."""
    w = system()
    sys = w("sys", CONNECT % "A")
    w("a", name="<b>&\"\\\u00e9\u2028")
    payload = sys.next_message().payload
    assert json.loads(payload)["client"]["name"] == "<b>&\"\\\u00e9\u2028"
    assert not re.search(rb"[<>&\n]|\xe2\x80\xa8", payload)
    assert b"\\u003cb\\u003e\\u0026" in payload and b'": ' not in payload


def test_e06_one_event_on_two_subjects(system):
    """E-06: the same id and time, its own number for each."""
    w = system()
    sys = w("sys", *EVERYTHING)
    w("a")
    old, new, _ = login_events(sys)
    assert (old["id"], old["timestamp"]) == (new["id"], new["timestamp"])
    assert old["server"]["seq"] + 1 == new["server"]["seq"]


# ---- end

def test_e07_end(system, connect):
    """E-07: why, and what the client sent and received."""
    w = system()
    sys = w("sys", DISCONNECT % "A")
    a, other = (connect(w.server).connect(user="a", name="app", lang="go", version="1.40.0", **{"pass": "pw"}) for _ in range(2))
    other.send(b"SUB foo.> 1\r\n")
    other.fence()
    a.send(b"SUB foo.a 1\r\n" + b"PUB foo.a 5\r\nhello\r\n" * 4 + b"PUB nobody 3\r\nabc\r\n" + b"PUB foo.b 2\r\nhi\r\n")
    a.ping()
    a.close()
    event = sys.event(DISCONNECT % "A")
    assert shape(event) == golden("client_disconnect")
    assert (event["type"], event["reason"]) == (ADVISORY + "client_disconnect", "Client Closed")
    assert (event["client"]["id"], event["client"]["acc"]) == (a.cid, "A")
    assert event["sent"] == {"msgs": 6, "bytes": 25}
    assert event["received"] == {"msgs": 4, "bytes": 20}
    other.close()
    assert sys.event(DISCONNECT % "A")["received"] == {"msgs": 5, "bytes": 22}


def test_e07_headers_count(system):
    """E-07: bytes are those of header and payload."""
    w = system()
    a = w("a")
    sys = w("sys", DISCONNECT % "A")
    a.send("foo", b"12345", header=b"NATS/1.0\r\nA: b\r\n\r\n")
    a.client.fence()
    a.client.close()
    assert sys.event(DISCONNECT % "A")["sent"] == {"msgs": 1, "bytes": 23}


@pytest.mark.parametrize("hostile, reason", [
    (b"BOGUS\r\n", "Protocol Violation"), (b"PUB foo 2000\r\n", "Maximum Message Payload Exceeded"),
    (b"PUB " + b"x" * 600 + b" 1\r\nx\r\n", "Maximum Control Line Exceeded")], ids=["verb", "payload", "control line"])
def test_e07_reasons(system, hostile, reason):
    """E-07: there are other ends.  All texts are in golden/closed_reasons."""
    w = system("max_payload: 1000\nmax_control_line: 512\n" + SYSTEM)
    a = w("a")
    sys = w("sys", DISCONNECT % "A")
    a.client.send(hostile)
    assert sys.event(DISCONNECT % "A")["reason"] == reason


def test_e07_without_connect(system, connect):
    """E-07: of a client that said nothing, too; it is in the global account."""
    w = system()
    sys = w("sys", *EVERYTHING)
    connect(w.server).close()
    event = sys.event(DISCONNECT % "$G")
    assert (event["reason"], event["client"]["acc"]) == ("Client Closed", "$G")
    assert "user" not in event["client"]
    assert sys.events() == []


# ---- counts of an account

def test_e08_the_server_s_view(system):
    """E-08: in the counts of an account, what clients sent is received."""
    w = system()
    a = w("a", "foo")
    sys = w("sys", CONNS % "A", OLD_CONNS % "A")
    a.client.send(b"PUB foo 5\r\nhello\r\n" * 4 + b"PUB bar 2\r\nhi\r\n")
    a.client.ping()
    w("a")
    for subject in (OLD_CONNS, CONNS):
        event = sys.event(subject % "A")
        none = {"msgs": 0, "bytes": 0}
        others = {"gateways": none, "routes": none, "leafs": none}
        assert event["sent"]["msgs"] >= 4 and event["received"]["msgs"] >= 5  # and what the client asked before
        assert others.items() <= event["sent"].items() and others.items() <= event["received"].items()


def test_e08_counts(system, connect):
    """E-08: deliveries are what was sent; all of it, to the byte."""
    w = system()
    sys = w("sys", CONNS % "A")
    raw = connect(w.server).connect(user="a", **{"pass": "pw"})
    sys.event(CONNS % "A")
    raw.send(b"SUB foo 1\r\nSUB foo 2\r\n" + b"PUB foo 5\r\nhello\r\n" * 3 + b"PUB bar 2\r\nhi\r\n")
    raw.ping()
    raw.close()
    event = sys.event(CONNS % "A")
    assert shape(event) == golden("account_conns_zero")
    assert (event["received"]["msgs"], event["received"]["bytes"]) == (4, 17)
    assert (event["sent"]["msgs"], event["sent"]["bytes"]) == (6, 30)
    assert (event["conns"], event["total_conns"], event["slow_consumers"]) == (0, 0, 0)


def test_e08_subscriptions(system, connect):
    """E-08: the account's subscriptions, and how many the server itself has there."""
    w = system()
    sys = w("sys", CONNS % "B")
    one, two = (connect(w.server).connect(user="b", **{"pass": "pw"}) for _ in range(2))
    alone = [sys.event(CONNS % "B")["num_subscriptions"] for _ in range(2)]
    assert alone == [4, 4]
    one.send(b"SUB foo.1 1\r\nSUB foo.2 2\r\nSUB foo.3 3\r\n")
    one.fence()
    two.close()
    assert sys.event(CONNS % "B")["num_subscriptions"] == 7


def test_e09_global_account(system):
    """E-09: clients come and go, but nobody counts them."""
    w = system(GLOBAL + SYSTEM)
    sys = w("sys", *EVERYTHING)
    g = w("g")
    assert sys.event(CONNECT % "$G")["client"]["id"] == g.cid
    assert sys.events() == []
    g.client.close()
    event = sys.event(DISCONNECT % "$G")
    assert (event["client"]["acc"], event["client"]["user"], event["reason"]) == ("$G", "g", "Client Closed")
    assert sys.events() == []
