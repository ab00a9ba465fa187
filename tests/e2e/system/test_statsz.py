# SPDX-License-Identifier: Apache-2.0
"""What the server tells of its load: STATSZ (spec 06 §5.4).  Its times are in test_timing.py."""

import time

import pytest

from e2e.system.talk import SERVICES

STATSZ, PING = "$SYS.SERVER.{id}.STATSZ", "$SYS.REQ.SERVER.PING"
ASKED = [PING, "$SYS.REQ.SERVER.PING.STATSZ", "$SYS.REQ.SERVER.{id}.STATSZ"]
ALWAYS = {"start", "mem", "cores", "cpu", "connections", "total_connections", "active_accounts", "subscriptions", "sent", "sent_to_clients",
          "received", "received_from_clients", "slow_consumers", "active_servers"}
SOMETIMES = {"gomemlimit", "gomaxprocs", "stalled_clients"}


def load(sys):
    return sys.inquire(PING)["statsz"]


@pytest.mark.parametrize("subject", ASKED)
def test_e17_members(system, subject):
    """E-17: numbers that are always there; a lonely server has no routes to tell of."""
    sys = system()("sys")
    said = sys.inquire(subject)
    assert list(said) == ["server", "statsz"]
    statsz = said["statsz"]
    assert ALWAYS <= set(statsz) <= ALWAYS | SOMETIMES
    for name in ("sent", "received", "sent_to_clients", "received_from_clients"):
        assert set(statsz.pop(name)) == {"msgs", "bytes"}
    assert isinstance(statsz.pop("start"), str)
    assert all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in statsz.values())
    assert statsz["mem"] > 0 and statsz["cores"] > 0 and statsz["active_servers"] == 1


def test_e17_counts(system, connect):
    """E-17: clients and accounts that are there, what they sent and got."""
    w = system()
    sys = w("sys")
    before = load(sys)
    a = connect(w.server).connect(user="a", **{"pass": "pw"})
    a.send(b"SUB foo 1\r\nSUB foo 2\r\nPUB foo 5\r\nhello\r\n")
    a.ping()
    after = load(sys)
    grown = {name: after[name] - before[name] for name in ("connections", "total_connections", "active_accounts")}
    assert grown == {"connections": 1, "total_connections": 1, "active_accounts": 1}
    assert after["subscriptions"] - before["subscriptions"] >= 2
    for name, msgs in (("received_from_clients", 1), ("sent_to_clients", 2), ("received", 1), ("sent", 2)):
        assert after[name]["msgs"] - before[name]["msgs"] >= msgs
        assert after[name]["bytes"] - before[name]["bytes"] >= 5 * msgs
    a.close()
    sys.hear("$SYS.ACCOUNT.A.SERVER.CONNS")
    while (now := load(sys))["connections"] > before["connections"]:
        pass
    assert now["total_connections"] == after["total_connections"]


@pytest.mark.parametrize("stranger", [False, True])
def test_e16_nobody_listens(system, stranger):
    """E-16: then nothing is broadcast.  Who listens in another account is nobody."""
    w = system()
    if stranger:
        w("a", "$SYS.SERVER.>")
    sys = w("sys")
    sys.settle()
    first = sys.inquire("$SYS.REQ.SERVER.PING.VARZ")["server"]["seq"]
    time.sleep(2.5)  # at least one would be due
    assert sys.inquire("$SYS.REQ.SERVER.PING.VARZ")["server"]["seq"] == first + 1


@pytest.mark.parametrize("subject", ASKED)
def test_e17_broadcast_on_demand(system, subject):
    """E-17: each request without a reply subject makes the server tell everybody."""
    w = system()
    asker, hearer = w("sys"), w("sys", STATSZ.replace("{id}", "*"))
    hearer.event(STATSZ)  # the one of the first second
    for _ in range(3):
        asker.send(subject)
    asker.settle()
    events = hearer.events()
    assert 3 <= len(events) <= 4  # its own was perhaps due
    for heard, said in events:
        assert heard == STATSZ.replace("{id}", hearer.server_id)
        assert list(said) == ["server", "statsz"] and ALWAYS <= set(said["statsz"])
    numbers = [said["server"]["seq"] for _, said in events]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("subject", ASKED)
def test_e17_answer(system, subject):
    """E-17: with one, each is answered there, and there only."""
    sys = system()("sys", STATSZ.replace("{id}", "*"))
    sys.event(STATSZ)
    for _ in range(3):
        assert len(sys.answers(subject)) == 1
    assert len(sys.events()) <= 1


def test_e17_others_are_silent(system):
    """E-17: no other service says anything without a reply subject."""
    w = system()
    asker, hearer = w("sys"), w("sys", "$SYS.SERVER.>")
    hearer.event(STATSZ)
    for name in SERVICES:
        if name != "STATSZ":
            asker.send("$SYS.REQ.SERVER.PING." + name)
            asker.send("$SYS.REQ.SERVER.{id}." + name)
    asker.settle()
    assert [subject for subject, _ in hearer.events() if not subject.endswith(".STATSZ")] == []
    assert asker.events() == []
