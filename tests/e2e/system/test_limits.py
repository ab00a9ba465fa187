# SPDX-License-Identifier: Apache-2.0
"""Limits of accounts as the system account hears of them (spec 06 §5)."""

import json

import pytest

from e2e.accounts.lines import account, accounts
from e2e.system.talk import SYSTEM

LIM = account("LIM", "limits { max_connections: 1, max_subscriptions: 2, max_payload: 64 }")
CONFIG = "system_account: SYS\n" + accounts(account("SYS"), LIM)
CONNECT, DISCONNECT, CONNS = (f"$SYS.ACCOUNT.LIM.{name}" for name in ("CONNECT", "DISCONNECT", "SERVER.CONNS"))


@pytest.fixture
def lim(connect):
    """lim(w) -> a client that has asked to be let in to LIM."""
    def enter(w):
        client = connect(w.server)
        client.send(b'CONNECT {"verbose":false,"user":"lim","pass":"pw"}\r\nPING\r\n')
        return client

    return enter


def test_e37_one_too_many(system, lim):
    """E-37: it is told why and leaves, without ever having come."""
    w = system(CONFIG)
    sys, first = w("sys", CONNECT, DISCONNECT), lim(w)
    first.expect(b"PONG\r\n")
    assert sys.event(CONNECT)["client"]["id"] == first.cid
    for _ in range(3):
        second = lim(w)
        second.expect_closed_with(b"-ERR 'maximum account active connections exceeded'\r\n")
        event = sys.event(DISCONNECT)
        assert (event["reason"], event["client"]["id"], event["client"]["acc"]) == ("Maximum Account Connections Exceeded", second.cid, "LIM")
    assert sys.events() == []
    first.fence()


def test_e37_count_is_right_again(system, lim):
    """E-37: the count after it is that before it."""
    w = system(CONFIG)
    sys, first = w("sys", DISCONNECT), lim(w)
    first.expect(b"PONG\r\n")
    lim(w).expect_closed_with(b"-ERR 'maximum account active connections exceeded'\r\n")
    sys.event(DISCONNECT)
    assert sys.inquire("$SYS.REQ.ACCOUNT.LIM.CONNS")["conns"] == 1
    first.close()
    sys.event(DISCONNECT)
    lim(w).expect(b"PONG\r\n")


def test_e37_subscriptions_and_payload(system, lim):
    """E-37: the one is no event, the other an end."""
    w = system(CONFIG)
    client = lim(w)
    client.expect(b"PONG\r\n")
    sys = w("sys", CONNECT, DISCONNECT, CONNS, "$SYS.SERVER.*.CLIENT.AUTH.ERR")
    client.send(b"SUB a 1\r\nSUB b 2\r\nSUB c 3\r\n")
    client.expect(b"-ERR 'maximum subscriptions exceeded'\r\n")
    client.fence()
    assert sys.events() == []
    client.send(b"PUB a 65\r\n" + b"x" * 65 + b"\r\n")
    client.expect_closed_with(b"-ERR 'Maximum Payload Violation'\r\n")
    told = {subject: event for subject, event in (sys_event(sys) for _ in range(2))}
    assert told[DISCONNECT]["reason"] == "Maximum Message Payload Exceeded"
    assert told[CONNS]["conns"] == 0


def sys_event(sys):
    """The next event, whatever it is about."""
    message = sys.next_message()
    return message.subject.decode(), json.loads(message.payload)


def test_e37_server_limit(system, connect):
    """E-37: who is one too many for the server is in the global account."""
    w = system("max_connections: 1\n" + SYSTEM)
    sys = w("sys", "$SYS.ACCOUNT.>")
    connect(w.server).expect_closed_with(b"-ERR 'maximum connections exceeded'\r\n")
    event = sys.event("$SYS.ACCOUNT.$G.DISCONNECT")
    assert event["reason"] == "Maximum Connections Exceeded"
    assert sys.events() == []


def test_e37_slow_consumer(system):
    """E-37: ends, and is counted."""
    w = system("max_pending: 1MB\nmax_payload: 1MB\n" + SYSTEM)
    sys, slow, fast = w("sys", DISCONNECT.replace("LIM", "A")), w("a", "flood"), w("a")
    while not sys.events():
        fast.client.send((b"PUB flood 500000\r\n" + b"z" * 500_000 + b"\r\n") * 4)
        fast.client.ping()
    assert sys.inquire("$SYS.REQ.ACCOUNT.A.CONNS")["slow_consumers"] == 1
    statsz = sys.inquire("$SYS.REQ.SERVER.PING")["statsz"]
    assert (statsz["slow_consumers"], statsz["slow_consumer_stats"]["clients"]) == (1, 1)
    assert slow.client.read_to_eof()
