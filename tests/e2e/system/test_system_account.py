# SPDX-License-Identifier: Apache-2.0
"""Which account is the system account, if any (spec 06 §1)."""

import re

import pytest

from e2e.accounts.lines import account, accounts
from e2e.system.talk import MONITORED, SYSTEM, is_refused

INFO, PING = "$SYS.REQ.USER.INFO", "$SYS.REQ.SERVER.PING"
SERVED = [INFO, "$SYS.REQ.ACCOUNT.PING.CONNZ", "$SYS.REQ.ACCOUNT.PING.STATZ", "$SYS.REQ.SERVER.PING.CONNZ"]
KEPT = [PING, "$SYS.REQ.SERVER.PING.VARZ", "$SYS.REQ.SERVER.{id}.IDZ", "$SYS.REQ.ACCOUNT.$G.CONNZ", "$SYS.REQ.SERVER.{id}.STATSZ"]
NO_SYSTEM_ACCOUNT = "no_system_account: true\n"


def test_e01_by_default(system):
    """E-01: there is one, which nobody is in; everybody else has its few public services."""
    w = system(MONITORED)
    assert w.http("/varz")[1]["system_account"] == "$SYS"
    g = w()
    for subject in SERVED:
        assert set(g.inquire(subject)) == {"server", "data"}
    for subject in KEPT:
        assert is_refused(g.ask(subject)), subject


def test_e01_accounts_have_it_too(system):
    """E-01: without any word of a system account in it, a configuration with accounts has one."""
    w = system(MONITORED + accounts())
    assert w.http("/varz")[1]["system_account"] == "$SYS"
    a = w("a")
    assert a.data(INFO)["account"] == "A"
    assert is_refused(a.ask(PING))


@pytest.mark.parametrize("option", ["system_account", "system"])
def test_e01_named(system, option):
    """E-01: an account of the configuration, under either name of the option."""
    w = system(MONITORED + f"{option}: B\n" + accounts(account("B")))
    assert w.http("/varz")[1]["system_account"] == "B"
    assert "statsz" in w("b").inquire(PING)
    assert is_refused(w("a").ask(PING))


@pytest.mark.parametrize("others, has_guests", [("", True), ("authorization { users: [ {user: u, password: pw} ] }\n", False),
                                                ("no_auth_user: s\n", True)], ids=["nothing else", "other users", "no_auth_user"])
def test_e01_users_in_it(system, connect, others, has_guests):
    """E-01: users of $SYS alone do not shut out anonymous clients."""
    w = system(others + 'accounts { "$SYS" { users: [ {user: s, password: pw} ] } }\n')
    assert "statsz" in w("s").inquire(PING)
    if not has_guests:
        client = connect(w.server)
        client.send(b"CONNECT {}\r\n")
        client.expect_closed_with(b"-ERR 'Authorization Violation'\r\n")
    elif not others:
        guest = w().data(INFO)
        assert guest["account"] == "$G" and re.fullmatch("nats-[0-9A-Za-z]{8}", guest["user"])
    else:
        assert w().data(INFO)["account"] == "$SYS"


@pytest.mark.parametrize("config, user", [("", None), (accounts(), "a")], ids=["global", "account"])
def test_e02_none(system, config, user):
    """E-02: no services at all."""
    w = system(MONITORED + NO_SYSTEM_ACCOUNT + config)
    client = w(user)
    for subject in SERVED + KEPT:
        assert is_refused(client.ask(subject)), subject
    assert "system_account" not in w.http("/varz")[1]
    assert "system_account" not in w.http("/accountz")[1]


def test_e02_named_all_the_same(system):
    """E-02: who names one has one."""
    w = system(MONITORED + NO_SYSTEM_ACCOUNT + SYSTEM)
    assert w.http("/varz")[1]["system_account"] == "SYS"
    assert "statsz" in w("sys").inquire(PING)


@pytest.mark.parametrize("config", ["", accounts()], ids=["no accounts", "others"])
def test_e03_unknown(start_server, tmp_path, config):
    """E-03: the server does not start."""
    path = tmp_path / "server.conf"
    path.write_text("system_account: NOPE\n" + config)
    server = start_server("-c", path, wait=False)
    assert server.wait_exit() != 0
    assert "error resolving system account: account missing" in server.log()
