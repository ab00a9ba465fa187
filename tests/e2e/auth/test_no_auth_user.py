# SPDX-License-Identifier: Apache-2.0
"""The user of those who name none."""

import pytest

from e2e.auth.lines import VIOLATION, connect_line, pub_denied
from e2e.auth.nkey import Nkey

GUEST = Nkey("U", "guest")
CONFIG = """
no_auth_user: guest
accounts {
    A { users: [ {user: guest, password: pw, permissions: {publish: {deny: "secret"}}} ] }
    B { users: [ {user: bob, password: pw} ] }
}
"""


def test_a14_info_does_not_ask(connect):
    """auth_required is absent from the first INFO, though not from the extra one after CONNECT."""
    c = connect()
    assert "auth_required" not in c.info
    assert c.connect(protocol=1).async_info["auth_required"] is True


@pytest.mark.parametrize("fields", [{}, {"name": "x"}, {"user": ""}, {"user": "", "pass": "", "auth_token": ""}], ids=str)
def test_a14_connect_without_credentials(connect, fields):
    """Acts as that user: its account, its permissions, no password."""
    c = connect().connect(**fields, protocol=1)
    assert c.async_info["remote_account"] == "A"
    c.send(b"PUB secret 0\r\n\r\n")
    c.expect(pub_denied(b"secret"))
    c.fence()


def test_a14_operations_without_connect(connect, login, subject):
    """The first operation need not be CONNECT; it has the user's account and permissions, too."""
    c = connect()
    c.send(b"SUB %s 1\r\nPUB %s 1\r\nx\r\nPUB secret 0\r\n\r\nPING\r\n" % (subject, subject))
    c.expect(b"+OK\r\n+OK\r\nMSG %s 1 1\r\nx\r\n" % subject + pub_denied(b"secret") + b"PONG\r\n")
    stranger, friend = login("bob"), login("guest")
    for other in (stranger, friend):
        other.send(b"PUB %s 1\r\ny\r\n" % subject)
        other.fence()
    c.expect(b"MSG %s 1 1\r\ny\r\n" % subject)
    c.fence()


@pytest.mark.parametrize("first", [b"PING\r\n", b"PONG\r\n", b"SUB s 1\r\n", b"UNSUB 1\r\n"], ids=repr)
def test_a14_any_operation_may_come_first(connect, first):
    """Each of them logs in."""
    c = connect()
    c.send(first)
    c.ping()


def test_a14_connect_after_operations(connect, subject):
    """CONNECT may still come, as a second one: the subscriptions are gone."""
    c = connect()
    c.send(b"SUB %s 1\r\nPING\r\n" % subject)
    c.expect(b"+OK\r\nPONG\r\n")
    c.connect()
    c.send(b"PUB %s 1\r\nx\r\n" % subject)
    c.fence()


@pytest.mark.parametrize("fields", [
    {"user": "guest"}, {"user": "guest", "pass": "x"}, {"user": "bob", "pass": "x"}, {"user": "nobody"}, {"pass": "pw"},
    {"auth_token": "pw"}, {"user": "nobody", "pass": "pw"},
], ids=str)
def test_a14_bad_credentials_still_fail(refuse, fields):
    """They are never replaced."""
    refuse(**fields)


def test_a14_good_credentials_are_used(login, connect):
    """Who names a user is that user; the no_auth_user may log in with its password."""
    assert login("bob", protocol=1).async_info["remote_account"] == "B"
    assert login("guest", protocol=1).async_info["remote_account"] == "A"
    c = connect()
    c.fence()
    c.send(connect_line(user="bob", **{"pass": "x"}))
    c.expect_closed_with(VIOLATION)


def test_a14_silence_is_timed_out(connect, serve):
    """A client that says nothing at all is not that user yet; the first operation stops the timer."""
    server = serve("no_auth_user: a, authorization { timeout: 0.3, users: [ {user: a, password: pw} ] }")
    c, silent = connect(server), [connect(server) for _ in range(2)]
    c.fence()
    for client in silent:
        client.expect_closed_with(b"-ERR 'Authentication Timeout'\r\n")
    connect(server).expect_closed_with(b"-ERR 'Authentication Timeout'\r\n")  # by now the time of `c` has passed, too
    c.fence()


def test_a14_no_auth_user_may_be_an_nkey(connect, serve):
    """No signature is asked for."""
    server = serve("no_auth_user: %s, accounts { A { users: [ {nkey: %s} ] } }" % (GUEST.public, GUEST.public))
    assert connect(server).connect(protocol=1).async_info["remote_account"] == "A"


def test_a14_no_auth_user_of_authorization(connect, serve):
    """It may be a user of $G."""
    server = serve("no_auth_user: a, authorization { users: [ {user: a, password: pw} ] }, accounts { A {} }")
    assert connect(server).connect(protocol=1).async_info["remote_account"] == "$G"


@pytest.mark.parametrize("option", ["proxy_required: true", "allowed_connection_types: [MQTT]"])
def test_a27_refused_without_a_name(connect, serve, option):
    """The log names the user that it would have been."""
    server = serve("no_auth_user: a, authorization { users: [ {user: a, password: pw, %s} ] }" % option)
    c = connect(server)
    c.send(connect_line())
    c.expect_closed_with(VIOLATION)
    server.wait_log(rf'\[ERR\] .* - cid:{c.cid} - authentication error - User "a"')


def test_no_auth_user_must_exist(start_server, configure):
    """The start is refused otherwise."""
    server = start_server("-c", configure("no_auth_user: x, accounts { A { users: [ {user: a, password: pw} ] } }"), wait=False)
    assert server.wait_exit() == 1
    assert 'no_auth_user: "x" not present as user or nkey in authorization block or account configuration' in server.log()


ONLY_SYSTEM = "accounts { $SYS { users: [ {user: admin, password: pw} ] } }"


@pytest.mark.parametrize("config", [ONLY_SYSTEM, ONLY_SYSTEM.replace("$SYS", "S") + ", system_account: S"], ids=["$SYS", "named"])
def test_c47_only_the_system_account(connect, login, refuse, serve, config):
    """Anonymous clients get $G, although INFO asks for credentials; bad ones fail, those of the system account work."""
    server = serve(config)
    c = connect(server)
    assert c.info["auth_required"] is True
    assert c.connect(protocol=1).async_info["remote_account"] == "$G"
    assert login("admin", server, protocol=1).async_info["remote_account"] in ("$SYS", "S")
    refuse(server, user="admin", **{"pass": "x"})
    refuse(server, user="nobody")


@pytest.mark.parametrize("more", ["authorization {}", "accounts { $SYS { users: [ {user: admin, password: pw} ] }, A {} }"],
                         ids=["authorization", "another account"])
def test_c47_switched_off(serve, refuse, login, more):
    """Not with an authorization block, even an empty one, nor with another account."""
    server = serve(ONLY_SYSTEM + "\n" + more)
    refuse(server)
    login("admin", server)
