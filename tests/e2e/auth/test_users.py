# SPDX-License-Identifier: Apache-2.0
"""Lists of users: who is let in, who is not, and what they learn of it."""

import time

import pytest

from e2e.auth.lines import VIOLATION, connect_line, pub

CONFIG = """
authorization { users: [ {user: ann, password: pw}, {username: "bob b", pass: pw}, {user: "ü.*", password: pw} ] }
accounts { A { users: [ {user: carl, password: pw} ] }, B: { users: [ {user: dora, password: "other"} ] } }
"""
WRONG = [
    {}, {"user": "ann"}, {"pass": "pw"}, {"user": "ann", "pass": ""}, {"user": "ann", "pass": "PW"}, {"user": "ann", "pass": "pw "},
    {"user": "ANN", "pass": "pw"}, {"user": "nobody", "pass": "pw"}, {"user": "ü.x", "pass": "pw"}, {"user": "dora", "pass": "pw"},
    {"user": "", "pass": "pw"}, {"auth_token": "pw"}, {"user": "ann", "auth_token": "pw"}, {"user": "pw", "pass": "ann"}, {"jwt": "pw"},
    {"nkey": "ann", "sig": "pw"},
]


@pytest.mark.parametrize("user, account", [("ann", "$G"), ("bob b", "$G"), ("ü.*", "$G"), ("carl", "A")])
def test_every_user_of_the_configuration_is_let_in(login, subject, user, account):
    """Users come from authorization and from accounts; the extra INFO names the account."""
    c = login(user, protocol=1)
    assert c.async_info["remote_account"] == account
    c.send(b"SUB %s 1\r\nPUB %s 1\r\nx\r\n" % (subject, subject))
    c.expect(b"MSG %s 1 1\r\nx\r\n" % subject)
    c.fence()


def test_many_users(login, refuse, serve):
    """Among thousands, in several accounts, each is found."""
    users = [", ".join("{user: u%d, password: pw}" % i for i in range(n, 3000, 3)) for n in range(3)]
    server = serve("accounts { %s }" % "\n".join("A%d { users: [%s] }" % pair for pair in enumerate(users)))
    for i in (0, 1, 2, 1498, 1499, 2999):
        assert login(f"u{i}", server, protocol=1).async_info["remote_account"] == f"A{i % 3}"
    refuse(server, user="u3000", **{"pass": "pw"})


@pytest.mark.parametrize("fields", WRONG, ids=str)
def test_a01_wrong_missing_or_misplaced_credentials(refuse, fields):
    """Users: Authorization Violation, close, reason Authentication Failure."""
    refuse(**fields)


@pytest.mark.parametrize("config, good, wrong", [
    ("authorization { token: tok }", {"auth_token": "tok"},
     [{}, {"auth_token": "pw"}, {"user": "tok"}, {"user": "u", "pass": "tok"}, {"jwt": "tok"}]),
    ("authorization { user: u, password: pw }", {"user": "u", "pass": "pw"},
     [{}, {"user": "u"}, {"user": "u", "pass": "x"}, {"auth_token": "pw"}, {"user": "x", "pass": "pw"}]),
], ids=["token", "user"])
def test_a01_single_token_and_single_user(connect, serve, refuse, config, good, wrong):
    """The same for the two short forms of authorization in a file."""
    server = serve(config)
    assert connect(server).connect(**good).info["auth_required"] is True
    for fields in wrong:
        refuse(server, **fields)


def test_a02_nothing_tells_what_was_wrong(connect):
    """Before and after: the same INFO for everybody, the same bytes for a wrong user and a wrong password."""
    shapes = set()
    for fields in WRONG:
        c = connect()
        info = {name: value for name, value in c.info.items() if name not in ("client_id", "nonce")}
        c.send(connect_line(**fields))
        shapes.add((str(info), c.read_to_eof()))
    assert len(shapes) == 1
    assert shapes.pop()[1] == VIOLATION


@pytest.mark.parametrize("config", ["", "accounts { A {}, B {} }", "authorization { timeout: 3 }", "authorization { users: [] }"],
                         ids=["empty", "accounts without users", "timeout", "no users"])
def test_a03_no_auth_configured(connect, serve, config):
    """Any credentials are accepted into $G; INFO does not ask for them."""
    server = serve(config)
    for fields in WRONG:
        c = connect(server)
        assert "auth_required" not in c.info
        assert "nonce" not in c.info
        assert c.connect(**fields, protocol=1).async_info["remote_account"] == "$G"


def test_a03_info_asks_for_credentials(connect):
    """With users INFO has auth_required, before and after CONNECT; a nonce only if somebody could sign it."""
    c = connect()
    assert c.info["auth_required"] is True
    assert "nonce" not in c.info
    c.connect(user="ann", **{"pass": "pw"}, protocol=1)
    assert c.async_info["auth_required"] is True


@pytest.mark.parametrize("extra", [{"account": "A"}, {"new_account": True}, {"account": "A", "new_account": True}, {"account": "$G"}],
                         ids=str)
def test_a04_account_in_connect(refuse, extra):
    """Clients do not choose their account, not even the right one."""
    refuse(user="carl", **{"pass": "pw"}, **extra)
    refuse(user="ann", **{"pass": "pw"}, **extra)


def test_a04_account_in_connect_without_auth(connect, serve):
    """The same where no auth is configured."""
    server = serve("accounts { A {} }")
    for extra in ({"account": "A"}, {"new_account": True}):
        c = connect(server)
        c.send(connect_line(**extra))
        c.expect_closed_with(VIOLATION)


@pytest.mark.parametrize("line", [b"PING\r\n", b"SUB foo 1\r\n", b"PUB foo 1\r\nx\r\n", b"PONG\r\n", b"UNSUB 1\r\n"], ids=repr)
def test_a05_operation_before_connect(connect, server, line):
    """Anything but CONNECT comes too early."""
    c = connect()
    c.send(line)
    c.expect_closed_with(VIOLATION)
    assert server.closed_reason(c.cid) == "Authentication Failure"


@pytest.mark.parametrize("timeout", ["2.3", '"2300ms"'])
def test_a06_timeout_of_the_configuration(connect, serve, timeout):
    """authorization.timeout, in seconds or with a unit, for a client that is silent."""
    server = serve("authorization { timeout: %s, users: [ {user: ann, password: pw} ] }" % timeout)
    start = time.monotonic()
    c = connect(server)
    c.expect_closed_with(b"-ERR 'Authentication Timeout'\r\n")
    assert 2.28 <= time.monotonic() - start  # 2 s is the default
    assert server.closed_reason(c.cid) == "Authentication Timeout"


def test_a06_default_timeout(connect, server):
    """2 s."""
    start = time.monotonic()
    c = connect()
    c.expect_closed_with(b"-ERR 'Authentication Timeout'\r\n")
    assert 1.98 <= time.monotonic() - start
    assert server.closed_reason(c.cid) == "Authentication Timeout"


def test_a07_no_ok_for_a_bad_connect(connect):
    """verbose asks for +OK, but a CONNECT that is refused has none."""
    c = connect()
    c.send(connect_line(verbose=True, user="ann", **{"pass": "x"}))
    c.expect_closed_with(VIOLATION)
    connect().connect(verbose=True, user="ann", **{"pass": "pw"}).fence()


def test_a57_second_connect_authenticates_again(login):
    """Wrong credentials in a later CONNECT close a connection that was let in."""
    c = login("ann")
    c.send(connect_line(user="ann", **{"pass": "x"}))
    c.expect_closed_with(VIOLATION)
    c = login("carl")
    c.send(connect_line(user="nobody"))
    c.expect_closed_with(VIOLATION)


@pytest.mark.parametrize("first, second, account", [("carl", "carl", "A"), ("carl", "ann", "$G"), ("ann", "carl", "A")])
def test_a57_second_connect_with_good_credentials(login, subject, first, second, account):
    """The connection is the second user's from then on, in its account, and has no subscriptions any more."""
    c = login(first)
    c.send(b"SUB %s 1\r\n" % subject)
    c.connect(user=second, **{"pass": "pw"})
    c.send(b"PUB %s 1\r\nx\r\n" % subject)
    c.fence()
    c.send(b"SUB %s 1\r\n" % subject)
    c.fence()
    others = {"$G": login("ann"), "A": login("carl")}
    for name, other in others.items():
        other.send(pub(subject, name.encode()))
        other.fence()
    c.expect(b"MSG %s 1 %d\r\n%s\r\n" % (subject, len(account), account.encode()))
    c.fence()


def test_a57_second_connect_without_credentials(login):
    """What a later CONNECT does not mention stays as it was."""
    c = login("carl")
    c.send(connect_line(name="again"))
    c.fence()
