# SPDX-License-Identifier: Apache-2.0
"""What the system account hears of clients and accounts (spec 06 §5)."""

import json
import re
from datetime import datetime
from pathlib import Path

import pytest

from e2e.accounts.lines import account, accounts
from e2e.system.talk import ADVISORY, SYSTEM
from e2e.system.times import instant

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
GLOBAL = "authorization { users: [ {user: g, password: pw} ] }\n"
OLD_CONNS, CONNS = "$SYS.SERVER.ACCOUNT.%s.CONNS", "$SYS.ACCOUNT.%s.SERVER.CONNS"
CONNECT, DISCONNECT = "$SYS.ACCOUNT.%s.CONNECT", "$SYS.ACCOUNT.%s.DISCONNECT"
AUTH_ERR, TOLD_IN_ACCOUNT = "$SYS.SERVER.{id}.CLIENT.AUTH.ERR", "$SYS.ACCOUNT.CLIENT.AUTH.ERR"
EVERYTHING = ("$SYS.SERVER.ACCOUNT.>", "$SYS.SERVER.*.CLIENT.>", "$SYS.ACCOUNT.>")  # but for STATSZ, which comes when it likes
LATE = {"rtt"}  # may be missing when a connection was short


def shape(value):
    """What a document is made of: its keys, and the types of what they stand for."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items() if key not in {*LATE, "feature_flags"}}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value)


def golden(name):
    return shape(json.loads((GOLDEN / "events" / f"{name}.json").read_text(encoding="utf-8")))


def connect_fully(w, user="a"):
    """With everything that the client of the golden captures says of itself."""
    return w(user, name="app", lang="go", version="1.40.0")


def login_events(sys, name="A"):
    """The three events of a login."""
    return [sys.event(subject % name) for subject in (OLD_CONNS, CONNS, CONNECT)]


def end_events(sys, name="A"):
    """Those of an end, in whichever order: DISCONNECT, CONNS and the same in the old way."""
    wanted, got = {subject % name for subject in (OLD_CONNS, CONNS, DISCONNECT)}, {}
    while wanted:
        message = sys.next_message()
        wanted.remove(message.subject.decode())
        got[message.subject.decode()] = json.loads(message.payload)
    return [got[subject % name] for subject in (DISCONNECT, OLD_CONNS, CONNS)]


# ---- accounts are private

def test_e04_system_subjects_are_private(system):
    """E-04: $SYS.X is a subject like any other in each account."""
    w = system()
    sys, a, other, b = w("sys", "$SYS.X"), w("a"), w("a", "$SYS.X"), w("b", "$SYS.X")
    for sender, hearer, strangers in ((a, other, (sys, b)), (w("sys"), sys, (other, b))):
        sender.send("$SYS.X", '"mine"')
        sender.settle()
        assert hearer.events() == [("$SYS.X", "mine")]
        assert [stranger.events() for stranger in strangers] == [[], []]


def test_e04_forged_events(system):
    """E-04: who is in the system account may publish there; events with nothing in them do no harm."""
    w = system()
    forger, sys = w("sys"), w("sys", "$SYS.SERVER.X.>", "$SYS.SERVER.ACCOUNT.>")
    for subject in ("$SYS.SERVER.X.SHUTDOWN", "$SYS.SERVER.ACCOUNT.A.CONNS", "$SYS.SERVER.X.STATSZ"):
        forger.send(subject, b"")
        assert sys.next_message().subject.decode() == subject
    sys.settle()


# ---- login

def test_e05_login(system):
    """E-05: the counts, in the old way and the new, then CONNECT."""
    w = system()
    sys = w("sys", *EVERYTHING)
    a = connect_fully(w)
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


def test_e08_subscriptions(system):
    """E-08: the account's subscriptions, and how many the server itself has there."""
    w = system()
    sys = w("sys", CONNS % "B")
    b = w("b")
    alone = sys.event(CONNS % "B")["num_subscriptions"]
    for i in range(3):
        b.client.send(b"SUB foo.%d %d\r\n" % (i, i))
    b.client.fence()
    w("b")
    assert sys.event(CONNS % "B")["num_subscriptions"] == alone + 1 + 3  # the inbox of the first


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


# ---- failures

def check_failure(event, client, **user):
    """Of a login that failed."""
    assert event["type"] == ADVISORY + "client_disconnect"
    assert event["reason"] == "Authentication Failure"
    assert (event["client"]["acc"], event["client"]["id"]) == ("$G", client.cid)
    assert {key: value for key, value in event["client"].items() if key == "user"} == user
    assert event["client"]["start"] and event["client"]["stop"]
    assert event["sent"] == event["received"] == {"msgs": 0, "bytes": 0}


@pytest.mark.parametrize("said, user", [
    (b'CONNECT {"user":"a","pass":"x","name":"n","lang":"l","version":"v"}\r\n', {"user": "a"}),
    (b'CONNECT {"user":"nobody","pass":"x"}\r\n', {"user": "nobody"}), (b"CONNECT {}\r\n", {})], ids=["password", "user", "nobody"])
def test_e10_failed_login(system, connect, said, user):
    """E-10: three events, one of them in the account $G."""
    w = system(GLOBAL + SYSTEM)
    sys, g, other = w("sys", *EVERYTHING), w("g"), w("a", *EVERYTHING)
    sys.events()
    g.hear(TOLD_IN_ACCOUNT)
    client = connect(w.server)
    client.send(said)
    client.expect_closed_with(b"-ERR 'Authorization Violation'\r\n")
    events = [sys.event(AUTH_ERR), sys.event(DISCONNECT % "$G"), g.event(TOLD_IN_ACCOUNT)]
    for event in events:
        check_failure(event, client, **user)
    if b"version" in said:
        assert [shape(event) for event in events] == [
            golden("auth_error_server"), golden("auth_error_disconnect"), golden("auth_error_account")]
    assert sys.events() == g.events() == other.events() == []


@pytest.mark.parametrize("said", [b"PONG\r\n", b"SUB a 1\r\n", b"PUB a 1\r\nx\r\n"])
def test_e10_before_connect(system, connect, said):
    """E-10: who does not even try to log in fails as well, but its account is not told."""
    w = system(GLOBAL + SYSTEM)
    sys, g = w("sys", *EVERYTHING), w("g")
    sys.events()
    g.hear(TOLD_IN_ACCOUNT)
    client = connect(w.server)
    client.send(said)
    for subject in (AUTH_ERR, DISCONNECT % "$G"):
        check_failure(sys.event(subject), client)
    assert sys.events() == g.events() == []


def test_e10_order(system, connect):
    """E-10: the account is told first."""
    w = system(GLOBAL + SYSTEM)
    sys, g = w("sys", *EVERYTHING), w("g")
    sys.events()
    g.hear(TOLD_IN_ACCOUNT)
    client = connect(w.server)
    client.send(b'CONNECT {"user":"a","pass":"x"}\r\n')
    numbers = [event["server"]["seq"] for event in (g.event(TOLD_IN_ACCOUNT), sys.event(AUTH_ERR), sys.event(DISCONNECT % "$G"))]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]


def test_e10_token_is_not_told(system, connect):
    """E-10: nobody hears of the secrets that were tried."""
    w = system(GLOBAL + SYSTEM)
    sys = w("sys", AUTH_ERR.replace("{id}", "*"))
    connect(w.server).send(b'CONNECT {"auth_token":"sesame"}\r\n')
    message = sys.next_message()
    assert b"sesame" not in message.payload
    assert json.loads(message.payload)["client"].get("user") in (None, "[REDACTED]")


def test_e11_timeout(system, connect):
    """E-11: no failure, only an end."""
    w = system("authorization { timeout: 0.3, users: [ {user: g, password: pw} ] }\n" + SYSTEM)
    sys, g = w("sys", *EVERYTHING), w("g")
    sys.events()
    g.hear(TOLD_IN_ACCOUNT)
    client = connect(w.server)
    event = sys.event(DISCONNECT % "$G")
    assert (event["reason"], event["client"]["id"]) == ("Authentication Timeout", client.cid)
    assert sys.events() == g.events() == []


# ---- all of them

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


# ---- reaching other accounts

def test_e04_an_account_imports_its_own(system):
    """E-04: what concerns it, if the system account exports that."""
    w = system("system_account: SYS\n" + accounts(
        account("SYS", exports='{stream: "$SYS.ACCOUNT.*.>", account_token_position: 3}'), account("B"),
        imports='{stream: {account: SYS, subject: "$SYS.ACCOUNT.A.>"}, to: "ev.>"}'))
    a = w("a", "ev.>")
    w("b")
    assert a.events() == []
    other = w("a")
    assert a.event("ev.SERVER.CONNS")["conns"] == 2
    assert a.event("ev.CONNECT")["client"]["id"] == other.cid
