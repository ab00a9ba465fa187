# SPDX-License-Identifier: Apache-2.0
"""/accountz and /accstatz: what accounts there are, how they are connected, and what goes on in them."""

import re

import pytest

from e2e.accounts.lines import hpub, pub
from e2e.monitor.shapes import ACCOUNTZ, ACCOUNTZ_ONE, ACCSTATZ, check, moment
from harness import eventually

CONFIG = """accounts {
    SYS { users: [ {user: sys, password: pw} ] }
    A {
        users: [ {user: a, password: pw} ]
        exports: [
            {service: svc.echo, accounts: [B], latency: {sampling: "100%", subject: lat.echo}}
            {service: svc.stream, response_type: stream}, {service: svc.chunked, response_type: chunked}
            {service: svc.one, response_type: singleton, latency: {sampling: headers, subject: lat.one}}
            {stream: "ticks.>"}, {stream: private.x, accounts: [B, C]}
        ]
        mappings: { "orders.*": "orders.v2.$1", split: [ {destination: one, weight: 30%}, {destination: two, weight: "50%"} ] }
    }
    B {
        users: [ {user: b, password: pw} ]
        imports: [
            {service: {account: A, subject: svc.echo}, to: echo}, {service: {account: A, subject: svc.stream}, share: true}
            {stream: {account: A, subject: "ticks.>"}, prefix: from_a}, {stream: {account: A, subject: private.x}}
        ]
    }
    C { users: [ {user: c, password: pw} ] }
}
system_account: SYS
"""
DEFAULTS = {"invalid": False, "share": False, "tracking": False}


def detail(w, account: str) -> dict:
    return w.document(f"/accountz?acc={account}")["account_detail"]


def automatic_imports(account: str, system: str) -> list[dict]:
    return [
        {"subject": f"$SYS.REQ.{what.replace('PING', account)}", "account": system, "to": f"$SYS.REQ.{to}",
         "local_subject": f"$SYS.REQ.{to}",
         "type": "service", **DEFAULTS, "share": what.startswith("USER")}
        for what, to in (("ACCOUNT.PING.CONNZ", "ACCOUNT.PING.CONNZ"), ("ACCOUNT.PING.CONNZ", "SERVER.PING.CONNZ"),
                         ("ACCOUNT.PING.STATZ", "ACCOUNT.PING.STATZ"), (f"USER.{account}.INFO", "USER.INFO"))]


def in_order(entries: list[dict]) -> list[dict]:
    return sorted(entries, key=lambda entry: (entry["type"], entry["subject"], entry.get("to", "")))


# ---- /accountz

@pytest.mark.parametrize("text, system, accounts", [
    ("", "$SYS", ["$G", "$SYS"]), (CONFIG, "SYS", ["$G", "A", "B", "C", "SYS"]), ("no_system_account: true\n", None, ["$G"]),
    ("accounts: [X, Y]\n", "$SYS", ["$G", "$SYS", "X", "Y"]),
    ('accounts { "a b": {}, "<é>": {} }\n', "$SYS", ["$G", "$SYS", "<é>", "a b"])])
def test_m27_all_accounts(world, text, system, accounts):
    """By name, in no order."""
    document = world(text).document("/accountz")
    check(document, ACCOUNTZ)
    assert document.get("system_account") == system
    assert sorted(document["accounts"]) == sorted(accounts)


@pytest.mark.parametrize("account", ["$G", "$SYS"])
def test_m27_default_accounts(world, account):
    document = world().document(f"/accountz?acc={account}")
    check(document, ACCOUNTZ_ONE)
    one = document["account_detail"]
    wanted = {"account_name": account, "name_tag": account, "expired": False, "complete": True, "jetstream_enabled": False,
              "leafnode_connections": 0,
              "client_connections": 0}
    assert {name: one[name] for name in wanted} == wanted
    assert one.get("is_system", False) is (account == "$SYS")
    assert not {"mappings", "jwt", "issuer_key", "tags", "decoded_jwt", "validation_result_jwt", "revoked_user", "responses"} & set(one)
    assert one["subscriptions"] == one["sublist_stats"]["num_subscriptions"]


@pytest.mark.parametrize("account", ["NOPE", "a", "%20", "A%20", "<x>"])
def test_m27_unknown_account(world, account):
    answer = world(CONFIG).get(f"/accountz?acc={account}")
    assert (answer.status, answer.text) == (400, f"Account {account.replace('%20', ' ')} does not exist")


def test_m27_empty_name_is_none(world):
    assert "accounts" in world(CONFIG).document("/accountz?acc=")


def test_m27_name_to_be_escaped(world):
    w = world('accounts { "a b&c": { users: [ {user: x, password: pw} ] } }\n')
    assert detail(w, "a%20b%26c")["account_name"] == "a b&c"
    assert detail(w, "a+b%26c")["account_name"] == "a b&c"


def test_m27_exports(world):
    """As configured."""
    exports = in_order(detail(world(CONFIG), "A")["exports"])
    for export in exports:
        export.get("approved_accounts", []).sort()
    assert exports == in_order([
        {"subject": "svc.echo", "type": "service", "response_type": "Singleton", "approved_accounts": ["B"],
         "service_latency": {"sampling": 100, "results": "lat.echo"}},
        {"subject": "svc.stream", "type": "service", "response_type": "Streamed"},
        {"subject": "svc.chunked", "type": "service", "response_type": "Chunked"},
        {"subject": "svc.one", "type": "service", "response_type": "Singleton",
         "service_latency": {"sampling": "headers", "results": "lat.one"}},
        {"subject": "ticks.>", "type": "stream"}, {"subject": "private.x", "type": "stream", "approved_accounts": ["B", "C"]}])


def test_m27_imports(world):
    """As configured, and four that every account has."""
    w = world(CONFIG)
    assert in_order(detail(w, "B")["imports"]) == in_order(automatic_imports("B", "SYS") + [
        {"subject": "svc.echo", "account": "A", "to": "echo", "local_subject": "echo", "type": "service", **DEFAULTS,
         "latency": {"sampling": 100, "results": "lat.echo"}},
        {"subject": "svc.stream", "account": "A", "to": "svc.stream", "local_subject": "svc.stream", "type": "service", **DEFAULTS,
         "share": True},
        {"subject": "ticks.>", "account": "A", "local_subject": "from_a.ticks.>", "type": "stream", **DEFAULTS},
        {"subject": "private.x", "account": "A", "local_subject": "private.x", "type": "stream", **DEFAULTS}])
    for account in ("A", "C", "$G"):
        assert in_order(detail(w, account)["imports"]) == in_order(automatic_imports(account, "SYS"))


def test_m27_system_account(world):
    """What it exports is its own affair."""
    one = detail(world(CONFIG), "SYS")
    assert one["is_system"] is True
    assert "is_system" not in detail(world(CONFIG), "A")


def test_m27_mappings(world):
    w = world(CONFIG)
    mappings = detail(w, "A")["mappings"]
    assert mappings["orders.*"] == [{"subject": "orders.v2.$1", "weight": 100}]
    assert set(mappings) == {"orders.*", "split"}
    assert "mappings" not in detail(w, "B")


@pytest.mark.parametrize("destinations, wanted", [
    ("{destination: one, weight: 30%}, {destination: two, weight: 70%}", [("one", 30, None), ("two", 100, None)]),
    ("{destination: one, weight: 30%}, {destination: two, weight: 50%}", [("a", 20, None), ("one", 50, None), ("two", 100, None)]),
    ("{destination: a, weight: 30%}, {destination: two, weight: 20%}", [("two", 20, None), ("a", 50, None)]),
    ("{destination: d, weight: 10%}, {destination: e, weight: 10%}, {destination: c, weight: 30%}",
     [("d", 10, None), ("e", 20, None), ("c", 50, None), ("a", 100, None)]),
    ("{destination: b, weight: 100%, cluster: east}, {destination: c, weight: 40%, cluster: west}, {destination: d, weight: 10%}",
     [("d", 10, None), ("a", 100, None), ("b", 100, "east"), ("c", 40, "west"), ("a", 100, "west")])])
def test_m27_weights(world, destinations, wanted):
    """Add up from one destination to the next, those without a cluster first, and end with what remains for the subject itself."""
    found = detail(world(f"mappings: {{ a: [ {destinations} ] }}\n"), "$G")["mappings"]["a"]
    assert sorted((one["subject"], one["weight"], one.get("cluster", "")) for one in found) == sorted(
        (subject, weight, cluster or "") for subject, weight, cluster in wanted)


def test_m27_counts(world):
    """Connections and subscriptions, those of the server included."""
    w = world(CONFIG)
    before = detail(w, "A")
    clients = [w("a", b"x", b"y"), w("a", b"x")]
    one = detail(w, "A")
    assert (one["client_connections"], one["subscriptions"] - before["subscriptions"]) == (2, 3)
    assert one["sublist_stats"]["num_subscriptions"] == one["subscriptions"]
    assert detail(w, "C")["client_connections"] == 0
    clients[0].close()
    eventually(lambda: detail(w, "A")["client_connections"] == 1)
    assert detail(w, "A")["subscriptions"] - before["subscriptions"] == 1


def test_m27_reload(world):
    """The next answer is about the new configuration."""
    w = world(CONFIG)
    before = detail(w, "A")
    w.reload(CONFIG.replace('{stream: "ticks.>"}', '{stream: "ticks.>"}, {service: new}').replace("split:", "divide:").replace(
        "C { users", "D { users: [ {user: d, password: pw} ] }\n C { users"))
    after = detail(w, "A")
    check(w.document("/accountz?acc=A"), ACCOUNTZ_ONE)
    assert {export["subject"] for export in after["exports"]} - {export["subject"] for export in before["exports"]} == {"new"}
    assert set(after["mappings"]) == {"orders.*", "divide"}
    assert moment(after["update_time"]) > moment(before["update_time"])
    assert "D" in w.document("/accountz")["accounts"]
    w.reload(re.sub(r"\n    C .*", "", CONFIG).replace("[B, C]", "[B]"))
    assert sorted(w.document("/accountz")["accounts"]) == ["$G", "A", "B", "SYS"]
    assert w.get("/accountz?acc=C").status == 400


def test_m27_responses(world):
    """Requests across accounts that wait for their answer: each is an import of its own, until it has been answered."""
    w = world(CONFIG)
    a, b = w("a", b"svc.>"), w("b", b"inbox.*")
    assert "responses" not in detail(w, "A")
    b.send(pub(b"echo", b"?", b"inbox.1") + pub(b"svc.stream", b"?", b"inbox.2") + pub(b"svc.stream", b"?", b"inbox.3"))
    b.fence()
    document = w.document("/accountz?acc=A")
    check(document, ACCOUNTZ_ONE)
    replies = [reply.decode() for reply in re.findall(rb"MSG svc\.\S+ 1 (\S+) ", a.ping())]
    own = {"account": "B", "type": 2, "invalid": False}
    assert document["account_detail"]["responses"] == {
        replies[0]: {**own, "subject": "inbox.1", "to": replies[0], "local_subject": replies[0], "share": False, "tracking": True,
                     "latency": {"sampling": 100, "results": "lat.echo"}},
        replies[1]: {**own, "subject": "inbox.2", "to": replies[1], "local_subject": replies[1], "share": True, "tracking": False},
        replies[2]: {**own, "subject": "inbox.3", "to": replies[2], "local_subject": replies[2], "share": True, "tracking": False}}
    assert "responses" not in detail(w, "B")
    a.send(pub(replies[0].encode(), b"!") + pub(replies[1].encode(), b"!"))  # a stream goes on after that, until it is empty
    a.fence()
    assert set(detail(w, "A")["responses"]) == set(replies[1:])
    a.send(pub(replies[1].encode(), b"") + pub(replies[2].encode(), b""))
    a.fence()
    assert "responses" not in detail(w, "A")


def test_m27_tracked_by_header(world):
    """The header that asked for it is told."""
    w = world(CONFIG.replace("{service: {account: A, subject: svc.echo}, to: echo}", "{service: {account: A, subject: svc.one}}"))
    w("a", b"svc.>")
    b = w("b", headers=True)
    b.send(hpub(b"svc.one", b"NATS/1.0\r\nX-B3-Sampled: 1\r\n\r\n", b"?", b"inbox"))
    b.fence()
    document = w.document("/accountz?acc=A")
    check(document, ACCOUNTZ_ONE)
    response, = document["account_detail"]["responses"].values()
    assert (response["tracking"], response["tracking_header"]) == (True, {"X-B3-Sampled": ["1"]})
    assert response["latency"] == {"sampling": "headers", "results": "lat.one"}


def test_m27_counted_as_requests(world):
    w = world(CONFIG)
    for query in ("", "?acc=A", "?acc=NOPE"):
        w.get("/accountz" + query)
    assert w.document("/varz")["http_req_stats"]["/accountz"] == 3


# ---- /accstatz

def statz(w, query: str = "") -> dict[str, dict]:
    """Entries by account."""
    document = w.document("/accstatz" + query)
    check(document, ACCSTATZ)
    found = {entry["acc"]: entry for entry in document["account_statz"]}
    assert len(found) == len(document["account_statz"])
    return found


def test_m28_only_with_connections(world):
    w = world(CONFIG)
    assert w.document("/accstatz")["account_statz"] == []
    a, _ = w("a"), w("b")
    assert set(statz(w)) == {"A", "B"}
    assert set(statz(w, "?unused=0")) == {"A", "B"}
    a.close()
    eventually(lambda: set(statz(w)) == {"B"})


@pytest.mark.parametrize("spelling", ["1", "t", "T", "true", "TRUE", "True"])
def test_m28_all(world, spelling):
    w = world(CONFIG)
    w("a")
    found = statz(w, f"?unused={spelling}")
    assert set(found) == {"$G", "A", "B", "C", "SYS"}
    assert found["C"]["conns"] == found["C"]["total_conns"] == found["C"]["sent"]["msgs"] == 0


def test_m28_numbers(world):
    """What the server sent and received, header and payload."""
    w = world(CONFIG)
    before = statz(w, "?unused=1")["A"]
    a, _ = w("a", b"x", headers=True), w("a", b"*", headers=True)
    a.send(pub(b"x", b"12345") * 10 + hpub(b"x", b"NATS/1.0\r\n\r\n", b"1") + pub(b"a.b", b"1"))
    a.ping()
    a.send(pub(b"x", b"12345"))
    a.ping()
    eventually(lambda: statz(w)["A"]["sent"]["msgs"] == 24)
    one = statz(w)["A"]
    nothing = {"msgs": 0, "bytes": 0}
    others = {"gateways": nothing, "routes": nothing, "leafs": nothing}
    assert one.pop("num_subscriptions") - before["num_subscriptions"] == 2
    assert one == {"acc": "A", "name": "A", "conns": 2, "leafnodes": 0, "total_conns": 2, "slow_consumers": 0,
                   "received": {"msgs": 13, "bytes": 11 * 5 + 13 + 1, **others}, "sent": {"msgs": 24, "bytes": 2 * (11 * 5 + 13), **others}}


def test_m28_stays_when_clients_go(world):
    """Counters do not fall with those who made them; connections do."""
    w = world(CONFIG)
    for _ in range(2):
        a = w("a", b"x")
        a.send(pub(b"x", b"123"))
        a.ping()
        a.close()
        w.gone(a)
    one = statz(w, "?unused=1")["A"]
    assert (one["conns"], one["total_conns"]) == (0, 0)
    assert (one["received"]["msgs"], one["received"]["bytes"], one["sent"]["msgs"], one["sent"]["bytes"]) == (2, 6, 2, 6)


def test_m28_failed_logins_belong_to_nobody(world):
    w = world(CONFIG)
    c = w.raw()
    c.send(b'CONNECT {"user": "a", "pass": "wrong"}\r\n')
    c.read_to_eof()
    w.raw()
    assert "A" not in statz(w)


def test_m28_messages_from_account_to_account(world):
    """Count where they were published."""
    w = world(CONFIG)
    a, b = w("a"), w("b", b"from_a.ticks.>")
    a.send(pub(b"ticks.1", b"12345") * 4)
    a.fence()
    b.ping()
    found = statz(w)
    assert (found["A"]["received"]["msgs"], found["A"]["received"]["bytes"]) == (4, 20)
    assert (found["A"]["sent"]["msgs"], found["A"]["sent"]["bytes"]) == (4, 20)
    assert found["B"]["sent"]["msgs"] == found["B"]["received"]["msgs"] == 0
    assert [(entry["in_msgs"], entry["out_msgs"]) for entry in w.connections()] == [(4, 0), (0, 4)]


def test_m28_parameters(world):
    """Only `unused` is heeded."""
    w = world(CONFIG)
    for user in "ab":
        w(user)
    assert set(statz(w, "?acc=A")) == {"A", "B"}
    assert set(statz(w, "?unused=")) == {"A", "B"}
