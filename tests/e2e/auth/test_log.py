# SPDX-License-Identifier: Apache-2.0
"""Who is named in the log, and what never is."""

import re

import pytest

from e2e.auth.lines import VIOLATION, connect_line, pub, pub_denied
from e2e.auth.nkey import Nkey

KEY, STRANGER = Nkey("U", "logged"), Nkey("U", "stranger")
CONFIG = """
authorization { users: [ {user: ann, password: hunter2pw, permissions: {publish: "p"}}, {nkey: %s, permissions: {publish: "p"}} ] }
accounts { A { users: [ {user: carl, password: hunter2pw, permissions: {publish: "p"}} ] } }
""" % KEY.public
FLAGS = ["-DV"]


def line_of(server, client, word):
    return server.wait_log(rf"\[\w+\] 127\.0\.0\.1:\d+ - cid:{client.cid} - .*{word}.*").group()


@pytest.mark.parametrize("fields, who", [
    ({"user": "ann", "pass": "x"}, 'User "ann"'), ({"user": "mallory"}, 'User "mallory"'),
    ({"user": "ann", "auth_token": "x"}, 'User "ann"'),
    ({"auth_token": "guess"}, 'Token "[REDACTED]"'), ({"nkey": STRANGER.public, "sig": "x"}, f'Nkey "{STRANGER.public}"'),
    ({"nkey": KEY.public, "sig": "x", "user": "ann"}, f'Nkey "{KEY.public}"'), ({}, None), ({"pass": "x"}, None),
], ids=str)
def test_a27_identity_of_who_was_refused(connect, server, fields, who):
    """ERR `authentication error - <who>`; without its dash when nobody was named."""
    c = connect()
    c.send(connect_line(**fields))
    c.expect_closed_with(VIOLATION)
    line = line_of(server, c, "authentication error")
    assert "[ERR]" in line
    assert line.rstrip().endswith(f"- cid:{c.cid} - authentication error" + (f" - {who}" if who else ""))


def test_a27_identity_of_an_early_operation(connect, server):
    """Who did not say CONNECT has no name."""
    c = connect()
    c.send(b"PING\r\n")
    c.expect_closed_with(VIOLATION)
    assert line_of(server, c, "authentication error").rstrip().endswith("- authentication error")


@pytest.mark.parametrize("fields, label", [
    ({"user": "ann", "pass": "hunter2pw"}, '"$G/user:ann"'), ({"user": "carl", "pass": "hunter2pw"}, '"A/user:carl"'),
    ({"user": "ann", "pass": "hunter2pw", "version": "1.2", "lang": "py", "name": "n"}, '"v1.2:py:n" - "$G/user:ann"'),
    ({"user": "ann", "pass": "hunter2pw", "lang": "py"}, '"py" - "$G/user:ann"'),
], ids=str)
def test_a27_label_of_a_user(connect, server, fields, label):
    """After a good CONNECT lines carry who the client is, and its account."""
    c = connect().connect(**fields)
    c.send(pub(b"x"))
    c.expect(pub_denied(b"x"))
    line = line_of(server, c, "Publish Violation")
    assert re.sub(r".* - cid:\d+ - ", "", line, count=1).rstrip() == f'{label} - Publish Violation - Subject "x"'


def test_a27_label_of_an_nkey(connect, server):
    """nkey:U…"""
    c = connect()
    c.connect(**KEY.credentials(c.info["nonce"]))
    c.send(pub(b"x"))
    c.expect(pub_denied(b"x"))
    assert f'- "$G/nkey:{KEY.public}" - Publish Violation' in line_of(server, c, "Publish Violation")


@pytest.mark.parametrize("config, fields, label", [
    ("authorization { token: tok }", {"auth_token": "tok"}, '- "$G/token" - '),
    ("authorization { user: u, password: pw }", {"user": "u", "pass": "pw"}, '- "$G/user:u" - '),
    ("", {}, None), ("", {"user": "u", "pass": "pw"}, '- "$G/user:u" - '),
], ids=["token", "single user", "nobody", "unasked"])
def test_a27_labels_of_the_short_forms(connect, serve, config, fields, label):
    """token; user:u; none without credentials."""
    server = serve(config)
    c = connect(server).connect(**fields)
    c.close()
    line = line_of(server, c, "connection closed")
    assert label in line if label else f"- cid:{c.cid} - Client connection closed" in line


def test_a28_trace_redacts_secrets(connect, server):
    """pass, auth_token, sig, proxy_sig and nkey of CONNECT; the rest is shown."""
    secrets = {name: f"very{name}secret" for name in ("pass", "auth_token", "sig", "proxy_sig", "nkey", "jwt")}
    c = connect()
    c.send(connect_line(user="mallory", **secrets))
    c.expect_closed_with(VIOLATION)
    line = line_of(server, c, "CONNECT")
    assert "mallory" in line
    assert line.count("[REDACTED]") >= 4
    for name in ("pass", "auth_token", "sig", "proxy_sig"):
        assert secrets[name] not in server.log()


def test_a28_good_credentials_are_not_logged_either(connect, server):
    """Nor are passwords that are right, in whatever place of the line."""
    for fields in ({"user": "ann", "pass": "hunter2pw"}, {"pass": "hunter2pw", "name": "x", "user": "carl"}):
        c = connect().connect(**fields)
        assert "[REDACTED]" in line_of(server, c, "CONNECT")
    c = connect()
    credentials = KEY.credentials(c.info["nonce"])
    c.connect(**credentials)
    line = line_of(server, c, "CONNECT")
    assert credentials["sig"] not in line
    assert KEY.public not in line
    assert "hunter2" not in server.log()
