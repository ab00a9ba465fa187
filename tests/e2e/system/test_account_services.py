# SPDX-License-Identifier: Apache-2.0
"""Services about accounts and users, and who may ask what (spec 06 §6.5, 7)."""

import base64
import json

import pytest

from e2e.accounts.lines import account, accounts, imported
from e2e.system.events import ADVISORY
from e2e.system.talk import SERVICES, SYSTEM, is_refused

OF_A = "$SYS.REQ.ACCOUNT.A."
MINE = {"CONNZ": ["$SYS.REQ.SERVER.PING.CONNZ", "$SYS.REQ.ACCOUNT.PING.CONNZ"], "STATZ": ["$SYS.REQ.ACCOUNT.PING.STATZ"]}
ENTRY = {"acc", "name", "conns", "leafnodes", "total_conns", "num_subscriptions", "sent", "received", "slow_consumers"}
KEPT = [*(f"$SYS.REQ.SERVER.{form}.{name}" for form in ("PING", "{id}") for name in SERVICES if (form, name) != ("PING", "CONNZ")),
        *(f"$SYS.REQ.ACCOUNT.{name}.{service}" for name in "AB" for service in ("SUBSZ", "CONNZ", "LEAFZ", "JSZ", "INFO", "STATZ", "CONNS")),
        "$SYS.REQ.SERVER.PING", "$SYS.REQ.USER.A.INFO", "$SYS.REQ.ACCOUNT.NSUBS", "$SYS.DEBUG.SUBSCRIBERS",
        "$SYS.REQ.ACCOUNT.PING.INFO", "$SYS.REQ.SERVER.{id}.KICK", "$SYS.REQ.SERVER.{id}.LDM", "$SYS.REQ.SERVER.{id}.RELOAD"]


@pytest.fixture(scope="module", autouse=True)
def configured(request, tmp_path_factory):
    """The module's server has SYSTEM."""
    path = tmp_path_factory.mktemp("services") / "server.conf"
    path.write_text(SYSTEM)
    request.module.SERVER_ARGS = ["-c", path]


def cids(data):
    return [entry["cid"] for entry in data["connections"]]


# ---- what everybody may ask

@pytest.mark.parametrize("payload", ["", {"acc": "B"}, {"acc": "SYS", "auth": True}, {"account": "B"}, {"user": "b", "auth": True, "acc": "B"}])
@pytest.mark.parametrize("subject", MINE["CONNZ"])
def test_e29_connections(system, subject, payload):
    """E-29: those of its own account, whichever it asks for."""
    w = system()
    for user in ("sys", "b"):
        w(user)
    mine = [w("a") for _ in range(2)]
    data = mine[0].data(subject, payload)
    expected = [] if "user" in payload else sorted(talker.cid for talker in mine)
    assert sorted(cids(data)) == expected


@pytest.mark.parametrize("payload", ["", {"accounts": ["B"]}, {"accounts": ["B", "SYS"], "include_unused": True}, {"include_unused": True}])
def test_e29_counts(system, payload):
    """E-29: those of its own account."""
    w = system()
    w("b")
    data = w("a").data(MINE["STATZ"][0], payload)
    assert [entry["acc"] for entry in data["account_statz"]] == ["A"]


def test_e29_options(talk, server):
    """E-29: the other options are good."""
    a = talk(server, "a")
    more = [talk(server, "a", name=f"more{i}") for i in range(3)]
    subject = MINE["CONNZ"][0]
    assert len(cids(a.data(subject, {"limit": 2, "sort": "cid"}))) == 2
    assert cids(a.data(subject, {"cid": more[1].cid})) == [more[1].cid]
    assert a.error(subject, {"sort": "zzz"})["code"] == 500
    assert a.error(subject, "{bad")["code"] == 400
    assert a.error(subject, {"limit": "x"})["code"] == 400


def test_e29_not_even_by_cid(talk, server):
    """E-29: connections of others cannot be found by their number."""
    a, b = talk(server, "a"), talk(server, "b")
    assert a.data(MINE["CONNZ"][0], {"cid": b.cid, "acc": "B"})["connections"] in ([], None)


@pytest.mark.parametrize("subject", KEPT)
def test_e29_everything_else(talk, server, subject):
    """E-29: nobody is there."""
    assert is_refused(talk(server, "a").ask(subject))


def test_e29_the_system_account_sees_all(system):
    """E-29: whoever is connected, in whichever account."""
    w = system()
    sys, others = w("sys"), [w("a"), w("b")]
    assert sorted(cids(sys.data("$SYS.REQ.SERVER.PING.CONNZ"))) == sorted(talker.cid for talker in [sys, *others])


# ---- who am I

def test_e30_once(talk, server):
    """E-30: one answer, about who asks."""
    for user, name in (("a", "A"), ("b", "B"), ("sys", "SYS")):
        talker = talk(server, user)
        (answer,) = talker.answers("$SYS.REQ.USER.INFO")
        said = json.loads(answer.payload)
        assert said["data"] == {"user": user, "account": name, "account_name": name}
        assert said["server"]["id"] == talker.server_id


def test_e30_permissions(system):
    """E-30: with what it may do."""
    limits = ('publish: {allow: ["foo.>", "$SYS.REQ.>"], deny: "foo.secret"}, subscribe: {allow: ["_I.>", "work q1"]}, '
              'allow_responses: {max: 3, expires: "1m"}')
    w = system("system_account: SYS\n" + accounts(account("SYS"), account("P", permissions=limits)))
    got = w("p").data("$SYS.REQ.USER.INFO")["permissions"]
    got["publish"]["allow"].sort()
    got["subscribe"]["allow"].sort()
    assert got == {"publish": {"allow": ["$SYS.REQ.>", "foo.>"], "deny": ["foo.secret"]},
                   "subscribe": {"allow": ["_I.>", "work q1"]}, "responses": {"max": 3, "ttl": 60_000_000_000}}


# ---- about one account

def test_e34_conns(talk, server):
    """E-34: the event, as an answer."""
    sys, a = talk(server, "sys"), talk(server, "a")
    for payload in ("", "{}", {"acc": "A"}):
        said = sys.inquire(OF_A + "CONNS", payload)
        assert set(said) == {"type", "id", "timestamp", "server", *ENTRY}
        assert said["type"] == ADVISORY + "account_connections"
        assert (said["acc"], said["name"], said["leafnodes"]) == ("A", "A", 0)
        assert said["conns"] == said["total_conns"] >= 1
    a.client.fence()


@pytest.mark.parametrize("name, payload", [("EMPTY", ""), ("NOPE", ""), ("B", {"acc": "A"}), ("NOPE", {"acc": "NOPE"}), ("$G", "")])
def test_e34_silence(system, name, payload):
    """E-34: nothing to say of an account without clients, nor of another than was asked."""
    w = system("system_account: SYS\n" + accounts(account("SYS"), account("B"), account("EMPTY")))
    sys, _ = w("sys"), w("b")
    assert sys.answers(f"$SYS.REQ.ACCOUNT.{name}.CONNS", payload) == []


def test_e34_silence_after_the_last(system):
    """E-34: nor of one that has none any more."""
    w = system()
    sys, a = w("sys", "$SYS.ACCOUNT.A.SERVER.CONNS"), w("a")
    assert len(sys.answers(OF_A + "CONNS")) == 1
    a.client.close()
    while sys.event("$SYS.ACCOUNT.A.SERVER.CONNS")["conns"]:
        pass
    assert sys.answers(OF_A + "CONNS") == []


def test_e35_statz(system):
    """E-35: one entry; none is no answer."""
    w = system()
    sys = w("sys")
    assert sys.answers(OF_A + "STATZ") == []
    assert sys.answers("$SYS.REQ.ACCOUNT.NOPE.STATZ") == []
    assert sys.data("$SYS.REQ.ACCOUNT.NOPE.STATZ", {"include_unused": True})["account_statz"] == []
    unused = sys.data(OF_A + "STATZ", {"include_unused": True})
    assert set(unused) == {"server_id", "now", "account_statz"}
    (entry,) = unused["account_statz"]
    assert set(entry) == ENTRY and (entry["acc"], entry["conns"]) == ("A", 0)
    w("a")
    (entry,) = sys.data(OF_A + "STATZ")["account_statz"]
    assert (entry["acc"], entry["conns"], entry["total_conns"]) == ("A", 1, 1)


def test_e35_ping(system):
    """E-35: several, or all that are in use."""
    w = system()
    sys, _ = w("sys"), w("a")

    def told(payload):
        return {entry["acc"] for entry in sys.data("$SYS.REQ.ACCOUNT.PING.STATZ", payload)["account_statz"]}

    assert told("") == {"A", "SYS"}
    assert told({"accounts": ["A", "B"]}) == {"A"}
    assert told({"accounts": ["A", "B"], "include_unused": True}) == {"A", "B"}
    assert told({"include_unused": True}) == {"$G", "A", "B", "S", "SYS"}
    assert sys.answers("$SYS.REQ.ACCOUNT.PING.STATZ", {"accounts": ["B"]}) == []


def test_e21_account_services(talk, server):
    """E-21: the views that servers have, of one account."""
    sys, b = talk(server, "sys"), talk(server, "b", "x.1")
    assert cids(sys.data("$SYS.REQ.ACCOUNT.B.CONNZ")) == [b.cid]
    subjects = {entry["subject"] for entry in sys.data("$SYS.REQ.ACCOUNT.B.SUBSZ")["subscriptions_list"]}
    assert {"x.1", f"_I.{b.cid}.*"} <= subjects
    assert sys.data("$SYS.REQ.ACCOUNT.B.LEAFZ")["leafs"] == []
    info = sys.data("$SYS.REQ.ACCOUNT.B.INFO")
    assert (info["account_name"], info["client_connections"]) == ("B", 1)
    assert sys.error("$SYS.REQ.ACCOUNT.B.JSZ") == {"code": 500, "description": "jetstream not enabled", "has_data": True}


def test_e21_unknown_account(talk, server):
    """E-21: has no details; there is nothing to list for it."""
    sys = talk(server, "sys")
    assert sys.error("$SYS.REQ.ACCOUNT.NOPE.INFO") == {"code": 500, "description": "Account NOPE does not exist", "has_data": True}
    assert sys.data("$SYS.REQ.ACCOUNT.NOPE.CONNZ")["connections"] in (None, [])
    assert not sys.data("$SYS.REQ.ACCOUNT.NOPE.SUBSZ").get("subscriptions_list")


# ---- how many listen

@pytest.mark.parametrize("subject, queue, expected", [
    ("foo.a", None, 3), ("foo.a", "q1", 1), ("foo.a", "q2", 0), ("foo.*", None, 3), ("foo.b", None, 1), ("nothing", None, 0)])
def test_e36_nsubs(system, subject, queue, expected):
    """E-36: a number; queues are named in base64."""
    w = system()
    sys, a = w("sys"), w("a", "foo.a", "foo.*")
    a.client.send(b"SUB foo.a q1 900\r\n")
    a.client.fence()
    request = {"acc": "A", "subject": subject, **({"queue": base64.b64encode(queue.encode()).decode()} if queue else {})}
    assert sys.inquire("$SYS.REQ.ACCOUNT.NSUBS", request) == expected


@pytest.mark.parametrize("payload", ["", "{", {"acc": "NOPE", "subject": "foo"}, {"acc": "B", "subject": "foo"}])
def test_e36_nsubs_silence(system, payload):
    """E-36: not for accounts that nobody is in."""
    assert system()("sys").answers("$SYS.REQ.ACCOUNT.NSUBS", payload) == []


def test_e36_subscribers(system):
    """E-36: a number as well, for accounts that import the service, and the system account."""
    service = "$SYS.DEBUG.SUBSCRIBERS"
    w = system("system_account: SYS\n" + accounts(account("SYS", exports=f'{{service: "{service}"}}'), account("B"),
                                                 imports=imported("service", service, account="SYS")))
    for user, *subjects in (("a", "foo", "foo.*"), ("b", "foo"), ("sys", "sys.foo")):
        w(user, *subjects)
    asker = w("a")
    assert [asker.inquire(service, subject) for subject in ("foo", "foo.x", "bar", "foo.*")] == [1, 1, 0, 1]
    assert w("sys").inquire(service, "sys.foo") == 1
    assert is_refused(w("b").ask(service, "foo"))


# ---- what requests of other accounts look like

def test_e30_who_asks_is_told(system):
    """E-30: whoever listens in the system account sees the request, with its reply in place of the client's, and who asks."""
    w = system()
    sys, a = w("sys", "$SYS.REQ.ACCOUNT.A.*", "$SYS.REQ.USER.A.INFO"), w("a", name="app")
    for subject, expected in (("$SYS.REQ.SERVER.PING.CONNZ", {"acc": "A"}), ("$SYS.REQ.USER.INFO", {"acc": "A", "user": "a", "name": "app"})):
        a.data(subject)
        got = sys.next_message()
        assert got.reply.startswith(b"_R_.")
        assert expected.items() <= got.info.items()
