# SPDX-License-Identifier: Apache-2.0
"""The fifteen services of a server (spec 06 §6.1, 6.4).  What they say is compared as a whole in tests/golden."""

import json
import re
import threading

import pytest

from e2e.accounts.lines import account, accounts
from e2e.system.talk import SERVICES, SYSTEM, is_refused
from harness import eventually

FORMS = {"by id": "$SYS.REQ.SERVER.{id}.", "ping": "$SYS.REQ.SERVER.PING."}
MINE = FORMS["by id"]
TYPED = [name for name in SERVICES if name not in ("IDZ", "STATSZ")]
KEYS = {  # of `data`
    "VARZ": {"server_id", "server_name", "version", "connections", "uptime", "mem", "system_account", "slow_consumers"},
    "SUBSZ": {"server_id", "now", "num_subscriptions", "total", "offset", "limit"},
    "CONNZ": {"server_id", "now", "num_connections", "total", "offset", "limit", "connections"},
    "ROUTEZ": {"server_id", "server_name", "now", "num_routes", "routes"},
    "GATEWAYZ": {"server_id", "now", "outbound_gateways", "inbound_gateways"},
    "LEAFZ": {"server_id", "now", "leafnodes", "leafs"},
    "ACCOUNTZ": {"server_id", "now", "system_account", "accounts"},
    "JSZ": {"server_id", "now", "disabled"},
    "HEALTHZ": {"status", "status_code"},
    "PROFILEZ": {"profile", "error"},
    "EXPVARZ": {"memstats", "cmdline"},
    "IPQUEUESZ": set(),
    "RAFTZ": set(),
}


@pytest.fixture(scope="module", autouse=True)
def configured(request, tmp_path_factory):
    """The module's server has SYSTEM."""
    path = tmp_path_factory.mktemp("requests") / "server.conf"
    path.write_text(SYSTEM)
    request.module.SERVER_ARGS = ["-D", "-c", path]


@pytest.fixture
def sys(talk, server):
    """A client of the system account."""
    return talk(server, "sys")


# ---- all of them

@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("form", FORMS)
def test_e21_one_answer(sys, form, name):
    """E-21: each says its own thing, once, as JSON without headers."""
    answer = sys.ask(FORMS[form] + name)
    assert (answer.header, answer.reply) == (None, b"")
    said = json.loads(answer.payload)
    keys = {"IDZ": {"name", "host", "id"}, "STATSZ": {"server", "statsz"}}.get(name, {"server", "data"})
    assert set(said) == keys
    if name in KEYS:
        assert KEYS[name] <= set(said["data"])
    sys.settle()  # no second answer


@pytest.mark.parametrize("name", ["ACCSTATZ", "KICK", "LDM", "RELOAD", "NOPE", "varz"])
def test_e21_others(sys, name):
    """E-21: nobody is there for anything else; actions need an id."""
    assert is_refused(sys.ask(FORMS["ping"] + name))


@pytest.mark.parametrize("subject", ["$SYS.REQ.SERVER.NOSUCHID.VARZ", MINE + "NOPE", MINE + "VARZ.X", "$SYS.REQ.SERVER.{id}",
                                     "$SYS.REQ.ACCOUNT.A.VARZ", "$SYS.REQ.CLAIMS.LIST", "$SYS.REQ.ACCOUNT.A.CLAIMS.LOOKUP"])
def test_e21_nobody(sys, subject):
    """E-21: nor for other servers, or what there is for servers with resolvers."""
    assert is_refused(sys.ask(subject))


def test_e21_server_block(sys, server):
    """E-21: who answers."""
    block = sys.inquire(MINE + "VARZ")["server"]
    assert set(block) - {"feature_flags"} == {"name", "host", "id", "ver", "jetstream", "flags", "seq", "time"}
    assert {"name": "S1", "host": "127.0.0.1", "id": sys.server_id, "jetstream": False, "flags": 0}.items() <= block.items()
    assert all(isinstance(flag, bool) for flag in block.get("feature_flags", {}).values())


def test_e21_configured_server_block(system):
    """E-21: what the configuration says of the server, if it does."""
    block = system('server_tags: ["region:eu", "tier:gold"]\nserver_metadata { rack: r1 }\n' + SYSTEM)("sys").inquire(MINE + "VARZ")["server"]
    assert block["tags"] == ["region:eu", "tier:gold"]
    assert block["metadata"] == {"rack": "r1"}


@pytest.mark.parametrize("payload", [b"", b"{}", b" { } ", b'{"unknown":1}', b"{bad", b"[1]", b'"text"', b"\xff\x00"], ids=repr)
def test_e21_idz_does_not_care(sys, payload):
    """E-21: IDZ always answers."""
    assert sys.inquire(MINE + "IDZ", payload) == {"name": "S1", "host": "127.0.0.1", "id": sys.server_id}


@pytest.mark.parametrize("name", TYPED)
@pytest.mark.parametrize("payload", [b"{}", b" \n{ }\t", b'{"unknown_field":[{"a":1}]}', b"null"], ids=repr)
def test_e21_harmless_payloads(sys, name, payload):
    """E-21: what says nothing, or nothing that is known, does not matter."""
    assert sys.data(MINE + name, payload) is not None


def test_e21_many_askers(talk, server):
    """E-21: each gets its own answers, to all it asks."""
    def work(talker):
        for name in ("VARZ", "CONNZ", "SUBSZ", "STATSZ", "IDZ") * 10:
            found.append(talker.ask(MINE + name).header)

    found = []
    threads = [threading.Thread(target=work, args=[talk(server, "sys")]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [None] * 400


def test_e12_answers_are_numbered_too(sys):
    """E-12: with the same numbers as events; IDZ has none."""
    first = sys.inquire(MINE + "VARZ")["server"]["seq"]
    sys.inquire(MINE + "IDZ")
    numbers = [sys.inquire(MINE + name)["server"]["seq"] for name in ("CONNZ", "STATSZ", "SUBSZ")]
    assert numbers == [first + 1, first + 2, first + 3]


def test_e21_requests_are_messages(talk, server, sys):
    """E-21: others of the system account can see them."""
    other = talk(server, "sys", "$SYS.REQ.SERVER.PING.CONNZ")
    sys.send("$SYS.REQ.SERVER.PING.CONNZ", '{"cid":1}', reply=b"_J")
    message = other.next_message()
    assert (message.payload, message.reply) == (b'{"cid":1}', b"_J")


# ---- what is wrong with a request

@pytest.mark.parametrize("payload", [b"{bad", b"[]", b'"x"', b"1", b"true", b"{", b'{"a":}', b"{}{}", b"\x00", b"\xff\xfe", b"{} x"], ids=repr)
@pytest.mark.parametrize("name", ["VARZ", "CONNZ", "HEALTHZ", "IPQUEUESZ"])
def test_e23_no_json_object(sys, name, payload):
    """E-23: 400, with some explanation."""
    error = sys.error(MINE + name, payload)
    assert error.pop("description")
    assert error == {"code": 400, "has_data": False}


def test_e23_statsz(sys):
    """E-23: also of STATSZ."""
    for subject in (MINE + "STATSZ", "$SYS.REQ.SERVER.PING"):
        assert sys.error(subject, b"{bad")["code"] == 400


@pytest.mark.parametrize("name, payload", [
    ("CONNZ", '{"limit":"x"}'), ("CONNZ", '{"state":"closed"}'), ("CONNZ", '{"auth":1}'), ("CONNZ", '{"acc":7}'), ("CONNZ", '{"cid":-1}'),
    ("CONNZ", '{"limit":1.5}'), ("CONNZ", '{"offset":99999999999999999999}'), ("SUBSZ", '{"subscriptions":"yes"}'),
    ("SUBSZ", '{"test":[]}'), ("VARZ", '{"server_name":1}'), ("VARZ", '{"tags":"x"}'), ("VARZ", '{"tags":[1]}'),
    ("VARZ", '{"exact_match":"true"}'), ("ACCOUNTZ", '{"account":{}}'), ("IPQUEUESZ", '{"all":0}'), ("HEALTHZ", '{"details":"1"}'),
    ("LEAFZ", '{"subscriptions":1}'), ("ROUTEZ", '{"subscriptions":"x"}'), ("PROFILEZ", '{"debug":"x"}')])
def test_e23_wrong_type(sys, name, payload):
    """E-23: 400 as well."""
    error = sys.error(MINE + name, payload)
    assert (error["code"], error["has_data"]) == (400, False)


@pytest.mark.parametrize("name, payload, text", [
    ("CONNZ", '{"sort":"zzz"}', "invalid sorting option: zzz"), ("CONNZ", '{"SORT":"zzz"}', "invalid sorting option: zzz"),
    ("CONNZ", '{"sort":"stop"}', "sort by stop only valid on closed connections"),
    ("CONNZ", '{"sort":"reason"}', "sort by reason only valid on closed connections"),
    ("CONNZ", '{"filter_subject":"foo"}', "filter by subject only valid with account filtering"),
    ("SUBSZ", '{"test":"a.*"}', "invalid test subject, must be valid publish subject: a.*"),
    ("ACCOUNTZ", '{"account":"NOPE"}', "Account NOPE does not exist")])
def test_e23_failures(sys, name, payload, text):
    """E-23: what a service itself objects to is a 500 in its own words, beside data that is null."""
    assert sys.error(MINE + name, payload) == {"code": 500, "description": text, "has_data": True}


def test_e23_failure_then_success(sys):
    """E-23: nobody remembers."""
    sys.error(MINE + "CONNZ", b"{bad")
    assert sys.data(MINE + "CONNZ")["num_connections"] >= 1


# ---- options of single services

def connections(sys, **options):
    return sys.data(MINE + "CONNZ", options)["connections"]


def names(sys, **options):
    return {entry.get("name") for entry in connections(sys, **options)}


def test_e26_state(system, talk):
    """E-26: 0 is open, 1 closed, 2 all."""
    w = system()
    sys, stays, goes = w("sys"), w("a", name="stays"), w("a", name="goes")
    goes.client.close()
    eventually(lambda: names(sys, acc="A", state=1) and len(names(sys, acc="A")) == 1)
    for options, expected in (({}, {"stays"}), ({"state": 0}, {"stays"}), ({"state": 1}, {"goes"}), ({"state": 2}, {"stays", "goes"})):
        assert names(sys, acc="A", **options) == expected
    closed = connections(sys, state=1)
    assert [entry["reason"] for entry in closed] == ["Client Closed"]
    assert connections(sys, state=1, sort="reason") == closed
    assert sys.error(MINE + "CONNZ", '{"state":"closed"}')["code"] == 400
    stays.client.fence()


def test_e26_options(talk, server, sys):
    """E-26: the others as over HTTP, in their own words."""
    clients = [talk(server, "b", name=f"n{i}") for i in range(3)]
    mine = connections(sys, acc="B", auth=True, subscriptions=True)
    assert [entry["name"] for entry in mine] == ["n0", "n1", "n2"]
    assert {(entry["account"], entry["authorized_user"]) for entry in mine} == {("B", "b")}
    assert [entry["subscriptions_list"] for entry in mine] == [[f"_I.{client.cid}.*"] for client in clients]
    assert [entry["name"] for entry in connections(sys, acc="B", limit=1, offset=1)] == ["n1"]
    assert [entry["name"] for entry in connections(sys, cid=clients[2].cid)] == ["n2"]
    assert names(sys, acc="B", user="b", auth=True) == {"n0", "n1", "n2"}
    (detailed,) = connections(sys, cid=clients[0].cid, subscriptions_detail=True)
    assert detailed["subscriptions_list_detail"][0]["subject"] == f"_I.{clients[0].cid}.*"


def test_e26_unknown_account(sys):
    """E-26: an account that there is not has no connections, which is no error."""
    data = sys.data(MINE + "CONNZ", {"acc": "NOPE"})
    assert (data["connections"], data["server_id"]) == (None, "")


def test_e27_filter_subject(system):
    """E-27: connections of an account with subscriptions that overlap."""
    w = system()
    sys = w("sys")
    for name, subject in (("exact", "foo.a"), ("wild", "foo.*"), ("tail", "foo.>"), ("longer", "foo.a.b"), ("other", "bar")):
        w("a", subject, name=name)
    near = {"exact", "wild", "tail"}
    for subject, expected in (("foo.a", near), ("foo.*", near), ("*.a", near), ("foo.>", {*near, "longer"}), ("bar", {"other"}), ("nothing", set())):
        assert names(sys, acc="A", filter_subject=subject) == expected, subject
    assert names(sys, acc="B", filter_subject="foo.a") == set()
    assert sys.error(MINE + "CONNZ", {"filter_subject": "foo.a"})["code"] == 500


def test_e28_health(sys):
    """E-28: the status is a number as well."""
    assert sys.data(MINE + "HEALTHZ") == {"status": "ok", "status_code": 200}


@pytest.mark.parametrize("payload, expected", [
    ({"stream": "S"}, {"status": "error", "status_code": 400, "error": '"account" must not be empty when checking stream health'}),
    ({"stream": "S", "details": True}, {"status": "error", "status_code": 400, "errors": [
        {"type": "BAD_REQUEST", "error": '"account" must not be empty when checking stream health'}]})])
def test_e28_unhealthy(sys, payload, expected):
    """E-28: that is what the service has to say, no error of its."""
    assert sys.data(MINE + "HEALTHZ", payload) == expected


@pytest.mark.parametrize("option", ["js-enabled", "js-enabled-only", "js-server-only", "js-meta-only"])
def test_e28_without_jetstream(sys, option):
    """E-28: who asks only for JetStream has nothing to complain of where it is not configured."""
    assert sys.data(MINE + "HEALTHZ", {option: True}) == {"status": "ok", "status_code": 200}


def test_e21_subsz(talk, server, sys):
    """E-21: which subscriptions there are."""
    talk(server, "b", "x.1", "x.2", "x.*")
    listed = sys.data(MINE + "SUBSZ", {"account": "B", "subscriptions": True, "test": "x.1"})["subscriptions_list"]
    assert {"x.1", "x.*"} == {entry["subject"] for entry in listed}
    page = sys.data(MINE + "SUBSZ", {"subscriptions": True, "limit": 2, "offset": 1})
    assert (page["limit"], page["offset"], len(page["subscriptions_list"])) == (2, 1, 2)


def test_e21_accountz(sys):
    """E-21: one account in detail, or the names of all."""
    assert set(sys.data(MINE + "ACCOUNTZ")["accounts"]) == {"$G", "SYS", "S", "A", "B"}
    detail = sys.data(MINE + "ACCOUNTZ", {"account": "A"})["account_detail"]
    assert detail["account_name"] == "A"
    assert {entry["to"] for entry in detail["imports"]} == {
        "$SYS.REQ.USER.INFO", "$SYS.REQ.ACCOUNT.PING.CONNZ", "$SYS.REQ.SERVER.PING.CONNZ", "$SYS.REQ.ACCOUNT.PING.STATZ"}


@pytest.mark.parametrize("payload, text", [("", "Profile name not specified"), ({"name": "nope"}, "Profile .*nope.* not found"),
                                           ({"name": "cpu"}, "Duration 0s should be between 0s and 15s"),
                                           ({"name": "cpu", "duration": 60_000_000_000}, "Duration 1m0s should be between 0s and 15s")])
def test_e21_profilez_objections(sys, payload, text):
    """E-21: they are data."""
    data = sys.data(MINE + "PROFILEZ", payload)
    assert data["profile"] is None
    assert re.fullmatch(text, data["error"])


def test_e21_jsz(sys):
    """E-21: no JetStream here; a server that leads nothing does not answer who looks for leaders."""
    assert sys.data(MINE + "JSZ")["disabled"] is True
    assert sys.answers(MINE + "JSZ", {"leader_only": True}) == []


def test_e21_another_system_account(system):
    """E-21: the services are those of the account, whatever its name."""
    w = system("system_account: B\n" + accounts(account("B")))
    assert w("b").data(MINE + "VARZ")["system_account"] == "B"
