# SPDX-License-Identifier: Apache-2.0
"""What the system account offers every account (spec 05 §13), and what it keeps to itself."""

import json

import pytest

from e2e.accounts.lines import CAPABLE, account, accounts, heard, imported, no_responders, pub, pub_denied, read_message
from e2e.accounts.requests import answer, offered
from e2e.auth.nkey import Nkey

USER_INFO = b"$SYS.REQ.USER.INFO"
MONITORED = [b"$SYS.REQ.ACCOUNT.PING.CONNZ", b"$SYS.REQ.SERVER.PING.CONNZ", b"$SYS.REQ.ACCOUNT.PING.STATZ"]  # they come with monitoring
KEPT = [b"$SYS.REQ.SERVER.PING", b"$SYS.REQ.SERVER.PING.VARZ", b"$SYS.REQ.SERVER.PING.STATSZ", b"$SYS.REQ.ACCOUNT.A.CONNZ",
        b"$SYS.REQ.ACCOUNT.A.INFO", b"$SYS.REQ.USER.A.INFO", b"$SYS.DEBUG.SUBSCRIBERS"]
TWO = "accounts {%s %s}\n" % (account("A"), account("B"))
ANN = Nkey("U", "ann")


def inquire(client, subject=USER_INFO, payload=b""):
    """The object that a service of the server answers with; the client's subscription 1 is for the inbox."""
    client.send(pub(subject, payload, b"_I.1"))
    got = read_message(client)
    assert (got.subject, got.header, got.reply) == (b"_I.1", None, b"")
    return json.loads(got.payload)


# ---- who am I?

def test_x123_user_info(world):
    """Every account can ask the server who it is talking to."""
    w = world("server_name: S1\n" + TWO)
    for user in "ab":
        client = w(user, b"_I.1", **CAPABLE)
        told = inquire(client)
        assert list(told) == ["server", "data"]
        assert told["data"] == {"user": user, "account": user.upper(), "account_name": user.upper()}
        server = told["server"]
        assert (server["name"], server["id"], server["ver"]) == ("S1", client.info["server_id"], client.info["version"])


@pytest.mark.parametrize("payload", [b"{}", b'{"user":"b"}', b"junk", b"x" * 5000])
def test_x123_payload_does_not_matter(world, payload):
    """Nobody but the requestor can be asked about."""
    client = world(TWO)("a", b"_I.1", **CAPABLE)
    assert inquire(client, payload=payload)["data"]["user"] == "a"


@pytest.mark.parametrize("permissions, told", [
    ('publish: "$SYS.>"', {"publish": {"allow": ["$SYS.>"]}, "subscribe": {}}),
    ('publish: {allow: ["$SYS.>", x], deny: y}', {"publish": {"allow": ["$SYS.>", "x"], "deny": ["y"]}, "subscribe": {}}),
    ('subscribe: {allow: ["_I.>", "z q"], deny: y}', {"publish": {}, "subscribe": {"allow": ["_I.>", "z q"], "deny": ["y"]}}),
    ('publish: "$SYS.>", allow_responses: true',
     {"publish": {"allow": ["$SYS.>"]}, "subscribe": {}, "responses": {"max": 1, "ttl": 120_000_000_000}}),
    ('publish: "$SYS.>", allow_responses: {max: 5, expires: "1m"}',
     {"publish": {"allow": ["$SYS.>"]}, "subscribe": {}, "responses": {"max": 5, "ttl": 60_000_000_000}}),
], ids=["publish", "deny", "subscribe", "responses", "limited"])
def test_x123_permissions(world, permissions, told):
    """The user's permissions are told."""
    client = world("accounts {%s}" % account("A", permissions=permissions))("a", b"_I.1", **CAPABLE)
    got = inquire(client)["data"].pop("permissions")
    for lists in (got["publish"], got["subscribe"]):
        for subjects in lists.values():
            subjects.sort()  # the Go server's come in any order
    assert got == told


def test_x123_default_permissions(world):
    """Those of the account, for a user that has none, too."""
    client = world("accounts {%s}" % account("A", 'default_permissions: {publish: "$SYS.>"}'))("a", b"_I.1", **CAPABLE)
    assert inquire(client)["data"]["permissions"] == {"publish": {"allow": ["$SYS.>"]}, "subscribe": {}}


def test_x123_who_may_not_publish(world):
    """A user needs permission for the subject, as for any other."""
    client = world("accounts {%s}" % account("A", permissions="publish: x"))("a", b"_I.1", **CAPABLE)
    client.send(pub(USER_INFO, b"", b"_I.1"))
    client.expect(pub_denied(USER_INFO))
    client.fence()


@pytest.mark.parametrize("config, fields, user, name", [
    ("", {}, "", "$G"), ("authorization {token: tok}", {"auth_token": "tok"}, "[REDACTED]", "$G"),
    ("authorization {user: u, password: pw}", {"user": "u", "pass": "pw"}, "u", "$G"),
    ("authorization {users: [{user: u, password: pw}]}", {"user": "u", "pass": "pw"}, "u", "$G"),
    (TWO + "no_auth_user: a", {}, "a", "A"),
    ("system_account: A\n" + TWO, {"user": "a", "pass": "pw"}, "a", "A"),
    ('accounts {"$SYS" {users: [{user: u, password: pw}]}}', {"user": "u", "pass": "pw"}, "u", "$SYS"),
], ids=["anonymous", "token", "single", "users", "no_auth_user", "system account", "$SYS"])
def test_x123_ways_to_log_in(world, connect, config, fields, user, name):
    """The user is named as it logged in, a token never."""
    client = connect(world(config).server).connect(**fields, **CAPABLE)
    client.send(b"SUB _I.1 1\r\n")
    assert inquire(client)["data"] == {"user": user, "account": name, "account_name": name}


def test_x123_nkey(world, connect):
    """A user with a key is known by it."""
    w = world("accounts { A { users: [{nkey: %s}] } }" % ANN.public)
    client = connect(w.server)
    client.connect(**ANN.credentials(client.info["nonce"]), **CAPABLE)
    client.send(b"SUB _I.1 1\r\n")
    assert inquire(client)["data"] == {"user": ANN.public, "account": "A", "account_name": "A"}


def test_x123_many_at_once(world):
    """Each of 1000 requests has an answer, at its own inbox."""
    client = world(TWO)("a", b"_I.*", **CAPABLE)
    client.send(b"".join(pub(USER_INFO, b"", b"_I.%d" % i) for i in range(1000)))
    subjects = {read_message(client).subject for _ in range(1000)}
    assert subjects == {b"_I.%d" % i for i in range(1000)}
    client.fence()


def test_x123_without_reply(world):
    """Nobody is answered."""
    w = world(TWO)
    client, other = w("a", b">", **CAPABLE), w("b", b"_I.1", **CAPABLE)
    client.send(pub(USER_INFO))
    inquire(other)
    assert heard(client) == [(USER_INFO, b"")]


def test_x014_names_that_are_no_tokens(world):
    """An account whose name is not one token of a subject has none of these services (X-014)."""
    w = world('accounts { "a.b" { users: [{user: a, password: pw}] }, "c d" { users: [{user: c, password: pw}] } }')
    for user in "ac":
        client = w(user, b"_I.1", **CAPABLE)
        client.send(pub(USER_INFO, b"", b"_I.1"))
        client.expect(no_responders(b"_I.1", 1, USER_INFO))


# ---- what the others are not told

@pytest.mark.parametrize("subject", KEPT, ids=repr)
def test_x123_not_for_everybody(world, subject):
    """Nobody is there for requests of another account, about whichever."""
    client = world(TWO)("a", b"_I.1", **CAPABLE)
    client.send(pub(subject, b"", b"_I.1"))
    client.expect(no_responders(b"_I.1", 1, subject))
    client.fence()


@pytest.mark.parametrize("config, user", [(TWO, "a"), ("", None)], ids=["account", "global"])
def test_x124_no_system_account(world, config, user):
    """Without a system account there is none of it."""
    client = world("no_system_account: true\n" + config)(user, b"_I.1", **CAPABLE)
    for subject in [USER_INFO, *MONITORED, *KEPT]:
        client.send(pub(subject, b"", b"_I.1"))
        client.expect(no_responders(b"_I.1", 1, subject))


def test_x123_the_system_account_looks_on(world):
    """A user there who listens sees the request, and all about who asks; an answer of its own comes too late."""
    w = world("system_account: SYS\naccounts {%s %s}" % (account("SYS"), account("A")))
    system, client = w("sys", b"$SYS.REQ.USER.>", **CAPABLE), w("a", b"_I.1", **CAPABLE)
    inquire(client)
    got = read_message(system)
    assert got.subject == b"$SYS.REQ.USER.A.INFO"
    assert (got.info["acc"], got.info["user"], got.info["id"]) == ("A", "a", client.cid)
    answer(system, got.reply, b"forged")
    client.fence()


@pytest.mark.parametrize("subject", MONITORED, ids=repr)
def test_x123_monitoring(world, subject):
    """X-123, X-125: connections and statistics of the own account, whatever the request asks for."""
    w = world(TWO)
    b, client = w("b", **CAPABLE), w("a", b"_I.1", **CAPABLE)
    told = inquire(client, subject, b'{"acc":"B","accounts":["B"],"auth":true}')["data"]
    if subject.endswith(b"CONNZ"):
        assert [entry["cid"] for entry in told["connections"]] == [client.cid]
    else:
        assert [entry["acc"] for entry in told["account_statz"]] == ["A"]
    b.fence()


def test_x128_imports_of_a_fresh_account(world):
    """The system account can see that each account has four imports of it."""
    w = world("system_account: SYS\naccounts {%s %s}" % (account("SYS"), account("A")))
    system = w("sys", b"_I.1", **CAPABLE)
    system.send(pub(b"$SYS.REQ.ACCOUNT.A.INFO", b"", b"_I.1"))
    imports = json.loads(read_message(system).payload)["data"]["imports"]
    assert {(entry["local_subject"], entry["subject"], entry.get("share", False)) for entry in imports} == {
        ("$SYS.REQ.ACCOUNT.PING.CONNZ", "$SYS.REQ.ACCOUNT.A.CONNZ", False),
        ("$SYS.REQ.SERVER.PING.CONNZ", "$SYS.REQ.ACCOUNT.A.CONNZ", False),
        ("$SYS.REQ.ACCOUNT.PING.STATZ", "$SYS.REQ.ACCOUNT.A.STATZ", False), ("$SYS.REQ.USER.INFO", "$SYS.REQ.USER.A.INFO", True)}


# ---- what it may offer besides

POSITIONED = "system_account: SYS\n" + "accounts {%s %s %s}" % (
    account("SYS", exports=offered("$SYS.REQ.ACCOUNT.*.NEWS", "account_token_position: 4")
            + '{stream: "$SYS.ACCOUNT.*.NEWS", account_token_position: 3}'),
    account("A", imports=imported("service", "$SYS.REQ.ACCOUNT.A.NEWS", account="SYS")
            + imported("stream", "$SYS.ACCOUNT.A.NEWS", account="SYS")),
    account("B", imports=imported("service", "$SYS.REQ.ACCOUNT.B.NEWS", "to: news", account="SYS")
            + imported("stream", "$SYS.ACCOUNT.B.NEWS", "to: news", account="SYS")))


def test_x127_exports_of_the_system_account(world):
    """It can offer services and streams like any other, to each account what bears its name."""
    w = world(POSITIONED)
    system = w("sys", b"$SYS.REQ.ACCOUNT.*.NEWS", **CAPABLE)
    a, b = w("a", b"_I.1", b"$SYS.ACCOUNT.>", **CAPABLE), w("b", b"news", **CAPABLE)
    a.send(pub(b"$SYS.REQ.ACCOUNT.A.NEWS", b"?", b"_I.1"))
    got = read_message(system)
    assert got.subject == b"$SYS.REQ.ACCOUNT.A.NEWS"
    answer(system, got.reply, b"!")
    assert heard(a) == [(b"_I.1", b"!")]
    for name in (b"A", b"B", b"C"):
        system.send(pub(b"$SYS.ACCOUNT.%s.NEWS" % name, name))
    system.fence()
    assert heard(a) == [(b"$SYS.ACCOUNT.A.NEWS", b"A")]
    assert heard(b) == [(b"news", b"B")]


def test_x127_the_server_is_told(world):
    """Imports of the system account tell it on which server they were asked."""
    w = world("server_name: S1\n" + POSITIONED)
    system, b = w("sys", b"$SYS.REQ.ACCOUNT.*.NEWS", **CAPABLE), w("b", **CAPABLE)
    b.send(pub(b"news", b"?", b"_I.1"))
    info = read_message(system).info
    info.pop("rtt", None)
    assert info == {"acc": "B", "server": "S1"}


def test_x127_info_and_events(world):
    """What the server itself has to say there: about the account, and who connects to it."""
    w = world("system_account: SYS\n" + accounts(
        account("SYS", exports=offered("$SYS.REQ.ACCOUNT.*.INFO", "account_token_position: 4")
                + '{stream: "$SYS.ACCOUNT.*.CONNECT", account_token_position: 3}'),
        account("B"),
        imports=imported("service", "$SYS.REQ.ACCOUNT.A.INFO", account="SYS")
        + imported("stream", "$SYS.ACCOUNT.A.CONNECT", account="SYS")))
    a = w("a", b"_I.1", **CAPABLE)
    a.send(b"SUB $SYS.ACCOUNT.> 2\r\n")  # it may hear of itself
    a.send(pub(b"$SYS.REQ.ACCOUNT.A.INFO", b"", b"_I.1"))
    while (got := read_message(a)).subject != b"_I.1":
        pass
    assert json.loads(got.payload)["data"]["account_name"] == "A"
    w("b")
    other = w("a")
    while (event := json.loads(read_message(a).payload))["client"]["id"] != other.cid:
        assert event["client"]["acc"] == "A"
