# SPDX-License-Identifier: Apache-2.0
"""What the system account may have a server do: KICK, LDM, RELOAD (spec 06 §6.6)."""

import pytest

from e2e.accounts.lines import account, accounts
from e2e.system.talk import SYSTEM, is_refused
from harness import eventually

KICK, LDM, RELOAD = (f"$SYS.REQ.SERVER.{{id}}.{name}" for name in ("KICK", "LDM", "RELOAD"))
CONNS, DISCONNECT = "$SYS.ACCOUNT.A.SERVER.CONNS", "$SYS.ACCOUNT.A.DISCONNECT"


def check_done(said, talker):
    """An action was taken: nothing is said but by whom."""
    assert list(said) == ["server"]
    assert said["server"]["id"] == talker.server_id


def unless_error(said):
    return None if "error" in said else said


# ---- KICK

def test_e31_kick(system):
    """E-31: the connection is closed without a word; all others stay."""
    w = system()
    sys, victim, other = w("sys", DISCONNECT), w("a"), w("a")
    check_done(sys.inquire(KICK, {"cid": victim.cid}), sys)
    victim.client.expect_eof()
    event = sys.event(DISCONNECT)
    assert (event["reason"], event["client"]["id"]) == ("Kicked", victim.cid)
    other.client.fence()
    assert w.server.closed_reason(victim.cid) == "Kicked"


def test_e31_itself(system):
    """E-31: nobody is safe."""
    sys = system()("sys")
    sys.send(KICK, {"cid": sys.cid}, reply=b"_J")
    sys.client.expect_eof()


def test_e31_before_login(system, connect):
    """E-31: nor who has not logged in."""
    w = system()
    sys, silent = w("sys", "$SYS.ACCOUNT.$G.DISCONNECT"), connect(w.server)
    said = eventually(lambda: unless_error(sys.inquire(KICK, {"cid": silent.cid})))  # the Go server sends INFO a little too early
    check_done(said, sys)
    silent.expect_eof()
    assert sys.event("$SYS.ACCOUNT.$G.DISCONNECT")["reason"] == "Kicked"


def test_e31_many(system):
    """E-31: each of many, once."""
    w = system()
    sys = w("sys", DISCONNECT)
    victims = [w("a") for _ in range(20)]
    for victim in victims:
        check_done(sys.inquire(KICK, {"cid": victim.cid}), sys)
    assert {sys.event(DISCONNECT)["client"]["id"] for _ in victims} == {victim.cid for victim in victims}
    assert sys.events() == []


@pytest.mark.parametrize("action, text", [(KICK, "no such client or leafnode id"), (LDM, "no such client id")], ids=["KICK", "LDM"])
@pytest.mark.parametrize("payload", ['{"cid":999999}', '{"cid":0}', "{}", '{"CID":999999}', '{"other":1}'])
def test_e31_unknown(system, action, text, payload):
    """E-31: that is an error, without data."""
    assert system()("sys").error(action, payload) == {"code": 500, "description": text, "has_data": False}


def test_e31_gone(system):
    """E-31: a connection can be closed but once."""
    w = system()
    sys, victim = w("sys", DISCONNECT), w("a")
    victim.client.close()
    sys.event(DISCONNECT)
    for action in (KICK, LDM):
        assert sys.error(action, {"cid": victim.cid})["code"] == 500


@pytest.mark.parametrize("payload", ["", "{", "[]", '"x"', '{"cid":"7"}', '{"cid":-1}', '{"cid":1.5}', '{"cid":[1]}', "1"])
@pytest.mark.parametrize("action", [KICK, LDM], ids=["KICK", "LDM"])
def test_e31_nonsense(system, action, payload):
    """E-31: is not answered."""
    w = system()
    sys, other = w("sys"), w("a")
    assert sys.answers(action, payload) == []
    other.client.fence()


def test_e31_only_the_system_account(system):
    """E-31: others cannot do any of that, to whomever."""
    w = system()
    a, victim = w("a"), w("b")
    for action in (KICK, LDM, RELOAD):
        assert is_refused(a.ask(action, {"cid": victim.cid}))
    victim.client.fence()


@pytest.mark.parametrize("action", [KICK, LDM], ids=["KICK", "LDM"])
def test_e31_without_reply(system, action):
    """E-31: nothing is done for who does not want to know of it."""
    w = system()
    sys, other = w("sys"), w("a", protocol=1)
    sys.send(action, {"cid": other.cid})
    sys.settle()
    other.client.fence()


# ---- LDM

def test_e32_ldm(system):
    """E-32: this client is told to go, and nobody else; it may stay."""
    w = system()
    sys, named, other = w("sys"), w("a", protocol=1), w("a", protocol=1)
    check_done(sys.inquire(LDM, {"cid": named.cid}), sys)
    info = named.client.read_info()
    assert info["ldm"] is True and info["client_id"] == named.cid
    named.client.fence()
    other.client.fence()
    new = w("a", protocol=1)
    assert not new.client.info.get("ldm") and not new.client.async_info.get("ldm")


@pytest.mark.parametrize("is_silent", [True, False])
def test_e32_not_able(system, connect, is_silent):
    """E-32: a client that does not know of INFO in between, or has not said so yet, is not told."""
    w = system()
    sys, client = w("sys"), connect(w.server)
    if not is_silent:
        client.connect(user="a", protocol=0, **{"pass": "pw"})
    assert sys.error(LDM, {"cid": client.cid}) == {
        "code": 500, "description": "client does not support Lame Duck Mode or is not ready to receive the notification", "has_data": False}
    if not is_silent:
        client.fence()


# ---- RELOAD

def rewrite(w, text):
    w.path.write_text(text)


def test_e33_nothing_new(system):
    """E-33: done; all connections stay, and log in again for whoever listens."""
    w = system()
    sys, clients = w("sys"), [w("a") for _ in range(3)]
    sys.hear("$SYS.ACCOUNT.*.CONNECT", "$SYS.ACCOUNT.*.DISCONNECT", CONNS)
    check_done(sys.inquire(RELOAD), sys)
    events = sys.events()
    assert {subject.split(".")[-1] for subject, _ in events} == {"CONNECT", "CONNS"}
    logins = sorted(event["client"]["id"] for subject, event in events if subject.endswith("CONNECT"))
    assert logins == sorted(talker.cid for talker in [sys, *clients])
    for talker in clients:
        talker.client.fence()


def test_e33_something_new(system):
    """E-33: it is in force when the answer comes."""
    w = system("max_payload: 1000\n" + SYSTEM)
    sys, a = w("sys"), w("a", protocol=1)
    assert sys.data("$SYS.REQ.SERVER.PING.VARZ")["max_payload"] == 1000
    rewrite(w, "max_payload: 2000\n" + SYSTEM)
    check_done(sys.inquire(RELOAD), sys)
    assert sys.data("$SYS.REQ.SERVER.PING.VARZ")["max_payload"] == 2000
    a.client.ping()


@pytest.mark.parametrize("text, expected", [
    (SYSTEM + "bad_field: 1\n", 'unknown field "bad_field"'), (SYSTEM + "port: {\n", ""), (SYSTEM + "max_payload: x\n", ""),
    (SYSTEM.replace("account: SYS", "account: B"), "config reload not supported for SystemAccount"),
], ids=["unknown", "syntax", "value", "system account"])
def test_e33_refused(system, text, expected):
    """E-33: the answer says why; the old configuration stays in force."""
    w = system()
    sys, a = w("sys"), w("a")
    rewrite(w, text)
    error = sys.error(RELOAD)
    assert (error["code"], error["has_data"]) == (500, False)
    assert expected in error["description"]
    for talker in (sys, a):
        talker.client.fence()


def test_e33_counts(system):
    """E-33: an account is counted without each of its clients and with it again; that is no end."""
    w = system()
    clients = [w("a") for _ in range(3)]
    sys = w("sys", CONNS, DISCONNECT)
    check_done(sys.inquire(RELOAD), sys)
    events = sys.events()
    assert [(subject, event["conns"]) for subject, event in events] == [(CONNS, n) for n in (2, 3)] * len(clients)


def test_e33_removed_user(system):
    """E-33: users that are gone leave without a word; that is an end, no failure."""
    w = system("system_account: SYS\n" + accounts(account("SYS"), account("B")))
    sys, b = w("sys"), w("b")
    sys.hear("$SYS.SERVER.*.CLIENT.AUTH.ERR", "$SYS.ACCOUNT.B.DISCONNECT")
    rewrite(w, "system_account: SYS\n" + accounts(account("SYS"), "B { users: [ {user: other, password: pw} ] }\n"))
    check_done(sys.inquire(RELOAD), sys)
    b.client.expect_eof()
    event = sys.event("$SYS.ACCOUNT.B.DISCONNECT")
    assert (event["reason"], event["client"]["id"]) == ("Client Closed", b.cid)
    assert sys.events() == []
