# SPDX-License-Identifier: Apache-2.0
"""Accounts and what is evaluated inside of one (spec 05 §2 to §4).

Elsewhere: X-001 auth/test_isolation.py; X-003 to X-005, X-012, X-020 test_config_errors.py; X-015 to X-019 auth/test_account_limits.py;
X-022 to X-029 client/test_subjects.py, test_verbose.py, test_queue.py and test_unsub.py.
"""

import json
import re

import pytest

from e2e.accounts.lines import CAPABLE, VIOLATION, account, accounts, heard, no_responders, pub, read_message, sub_denied
from e2e.accounts.vectors import rows
from e2e.monitor.web import Monitor

MATCHES = rows("subject_match.tsv")
VALIDITY = rows("subject_validity.tsv")


def user_info(client) -> dict:
    """What the server says of the client's user."""
    client.send(b"SUB info.of.me 99\r\n" + pub(b"$SYS.REQ.USER.INFO", b"", b"info.of.me"))
    answer = read_message(client)
    assert (answer.subject, answer.sid, answer.reply) == (b"info.of.me", b"99", b"")
    client.send(b"UNSUB 99\r\n")
    return json.loads(answer.payload)["data"]


def account_of(client) -> str:
    return user_info(client)["account"]


# ---- who is where

def test_x002_global_account(world):
    """Without accounts everybody is in $G, and nobody."""
    info = user_info(world("")())
    assert (info["user"], info["account"], info["account_name"]) == ("", "$G", "$G")


def test_x006_users_outside_accounts(world):
    """They are in $G, those of an account in that one."""
    w = world(accounts() + "authorization { users: [ {user: z, password: pw} ] }")
    assert {user: account_of(w(user)) for user in "zas"} == {"z": "$G", "a": "A", "s": "S"}


@pytest.mark.parametrize("text, accepted", [
    (accounts(), False), ("accounts { A {} }", True), ("accounts { A {}, B { exports: [ {stream: x} ] } }", True),
    ("accounts: [A, B]", True), ("accounts { A { users: [] } }", True), (accounts() + "no_auth_user: a", True)],
    ids=["users", "none", "exports", "list", "empty", "no_auth_user"])
def test_x007_without_credentials(world, connect, text, accepted):
    """Refused where there are users; where there are none, into $G."""
    w = world(text)
    if accepted:
        assert account_of(w()) == ("A" if "no_auth_user" in text else "$G")
    else:
        c = connect(w.server)
        c.send(b"CONNECT {}\r\n")
        c.expect_closed_with(VIOLATION)


@pytest.mark.parametrize("text", ['accounts { "$SYS" { users: [ {user: sys, password: pw} ] } }',
                                  "system_account: ADMIN, accounts { ADMIN { users: [ {user: sys, password: pw} ] } }"],
                         ids=["$SYS", "ADMIN"])
def test_x008_only_the_system_account(world, text):
    """Anonymous clients are in $G, by way of a user that was made for them."""
    w = world(text)
    info = user_info(w())
    assert info["account"] == "$G"
    assert re.fullmatch(r"nats-[0-9A-Za-z]{8}", info["user"])
    assert account_of(w("sys")) == ("ADMIN" if "ADMIN" in text else "$SYS")


def test_x009_no_auth_user(world):
    """Anonymous clients are in its account."""
    info = user_info(world(accounts() + "no_auth_user: a")())
    assert (info["user"], info["account"]) == ("a", "A")


def test_x010_system_account_that_does_not_exist(start_server, tmp_path):
    """`-t` takes it, a start does not."""
    path = tmp_path / "server.conf"
    path.write_text("system_account: ZZ")
    check = start_server("-t", "-c", path, wait=False)
    assert check.wait_exit() == 0
    server = start_server("-c", path, wait=False)
    assert server.wait_exit() == 1
    assert "error resolving system account: account missing" in server.log()


def test_x011_token_and_accounts(start_server, tmp_path):
    """Who has the token has no name, and so no account: there may be no users in others."""
    path = tmp_path / "server.conf"
    path.write_text(accounts() + "authorization { token: x }")
    server = start_server("-c", path, wait=False)
    assert server.wait_exit() == 1
    assert re.search("Can not have a token and (accounts|a users array)", server.log())  # in the Go server one of them


def test_x013_accountz(start_server):
    """A default server has exactly $SYS and $G."""
    assert sorted(Monitor(start_server("-m", "-1")).document("/accountz")["accounts"]) == ["$G", "$SYS"]


@pytest.mark.parametrize("definition", [
    "accounts { A {}, B {} }", "accounts: [A, B]", "accounts { A: {}, B: {} }", "accounts = { A = {}, B = {} }"])
def test_forms_of_accounts(world, definition):
    """A list of names, or a map from names to blocks."""
    assert account_of(world(definition)()) == "$G"


def test_order_in_the_file(world):
    """What is imported may be defined later."""
    w = world("accounts {" + account("A", imports='{stream: {account: S, subject: "ev.>"}}') +
              account("S", exports='{stream: "ev.>"}') + "}")
    s, a = w("s"), w("a", b"ev.1")
    s.send(pub(b"ev.1", b"x"))
    s.fence()
    assert heard(a) == [(b"ev.1", b"x")]


def test_x014_names_that_are_no_token(world):
    """Such an account works, but cannot ask for what is meant for it by its name."""
    w = world('accounts { "a.b" { users: [ {user: dot, password: pw} ] }, "a b" { users: [ {user: blank, password: pw} ] } }')
    for user in ("dot", "blank"):
        c = w(user, b"inbox", **CAPABLE)
        c.send(pub(b"inbox", b"x") + pub(b"$SYS.REQ.USER.INFO", b"", b"inbox"))
        c.expect(b"MSG inbox 1 1\r\nx\r\n" + no_responders(b"inbox", 1, b"$SYS.REQ.USER.INFO"))
        c.fence()


# ---- limits: what auth/test_account_limits.py has not

def test_x019_no_subscriptions(world, connect):
    """With the limit 0 the connection is told so at once, and closed."""
    w = world(accounts(a="limits: {max_subs: 0}"))
    c = connect(w.server)
    c.send(b'CONNECT {"user": "a", "pass": "pw", "verbose": false}\r\n')
    c.expect_closed_with(b"-ERR 'maximum subscriptions exceeded'\r\n")


def test_x016_imports_count_once(world):
    """What a subscription hears of other accounts counts nothing."""
    w = world(accounts(exports='{stream: "ev.>"}, {stream: "more.>"}', a="limits: {max_subscriptions: 3}",
                       imports='{stream: {account: S, subject: "ev.>"}}, {stream: {account: S, subject: "more.>"}, prefix: ev}'))
    a = w("a", b"ev.>", b"ev.*", b"ev.more.>")
    a.send(b"SUB ev.x 4\r\n")
    a.expect(b"-ERR 'maximum subscriptions exceeded'\r\n")
    a.fence()


# ---- subjects

@pytest.mark.parametrize("pattern", sorted({row.pattern for row in MATCHES}), ids=repr)
def test_x021_matching(world_of_one, pattern):
    """Every row of subject_match.tsv holds on the wire."""
    c, cases = world_of_one, [row for row in MATCHES if row.pattern == pattern]
    c.send(b"SUB %s 1\r\n" % pattern)
    if cases[0].match == b"invalid":
        c.expect(b"-ERR 'Invalid Subject'\r\n")
    for row in cases:
        c.send(pub(row.subject, b"x"))
    assert heard(c) == [(row.subject, b"x") for row in cases if row.match == b"yes"]


@pytest.mark.parametrize("row", VALIDITY, ids=[repr(row.subject) for row in VALIDITY])
def test_x021_validity(world_of_one, row):
    """So does subject_validity.tsv: who may subscribe to a subject, and whether a message to it can be heard."""
    c = world_of_one
    if row.sub != b"n/a":
        c.send(b"SUB %s 1\r\n" % row.subject)
        if row.sub == b"invalid":
            c.expect(b"-ERR 'Invalid Subject'\r\n")
        c.send(b"UNSUB 1\r\n")
        c.fence()
    if row.deliver_to_gt != b"n/a":
        c.send(b"SUB > 2\r\n" + pub(row.subject, b"x"))
        assert heard(c) == ([(row.subject, b"x")] if row.deliver_to_gt == b"yes" else [])


@pytest.fixture
def world_of_one(connect):
    """A client of the module's server."""
    return connect().connect()


@pytest.mark.parametrize("subject", [b"foo.", b".foo", b"foo..bar"])
def test_x023_empty_tokens(world, subject):
    """Such a publish is no error and reaches nobody, not even `>`: with a reply there is a 503."""
    c = world("")(None, b">", b"*.*", b"*.*.*", b"foo.>", **CAPABLE)
    c.send(pub(subject, b"x"))
    c.fence()
    c.send(pub(subject, b"x", b"foo"))
    n = read_message(c)
    assert n.header == b"NATS/1.0 503\r\nNats-Subject: %s\r\n\r\n" % subject
    c.fence()


def test_x029_queue_of_the_server(world):
    """`_sys_` is no queue for clients, of whichever account."""
    c = world(accounts())("a")
    c.send(b"SUB foo _sys_ 1\r\n" + pub(b"foo"))
    c.expect(sub_denied(b"foo", b"_sys_"))
    c.fence()
