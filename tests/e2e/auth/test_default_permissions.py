# SPDX-License-Identifier: Apache-2.0
"""default_permissions: for users who have none of their own."""

import pytest

from e2e.auth.lines import pub, pub_denied, sub_denied
from e2e.auth.nkey import Nkey

KEY = Nkey("U", "default")
CONFIG = """
authorization {
    default_permissions: {publish: "d.>", subscribe: "d.>"}
    users: [
        {user: none, password: pw}
        {user: own, password: pw, permissions: {publish: "o.>"}}
        {user: empty, password: pw, permissions: {}}
        {nkey: %s}
    ]
}
accounts {
    A {
        default_permissions: {publish: {deny: "d.>"}}
        users: [ {user: a, password: pw}, {user: aown, password: pw, permissions: {subscribe: "s"}} ]
    }
    B { users: [ {user: b, password: pw} ] }
}
""" % KEY.public


@pytest.mark.parametrize("user, good, bad", [
    ("none", b"d.x", b"e"), ("own", b"o.x", b"d.x"), ("a", b"e", b"d.x"), ("empty", b"e", None),
    ("aown", b"d.x", None), ("b", b"e", None),
])
def test_a21_publish(login, user, good, bad):
    """Own permissions, even empty ones, replace those of the block as a whole; each block has its own."""
    c = login(user)
    c.send(pub(good))
    c.fence()
    if bad:
        c.send(pub(bad))
        c.expect(pub_denied(bad))
    else:
        c.send(pub(b"d.x"))
    c.fence()


@pytest.mark.parametrize("user, good, bad", [
    ("none", b"d.x", b"e"), ("own", b"e", None), ("a", b"e", None), ("empty", b">", None), ("aown", b"s", b"d.x"), ("b", b">", None),
])
def test_a21_subscribe(login, user, good, bad):
    """The same for subscriptions."""
    c = login(user)
    c.send(b"SUB %s 1\r\n" % good)
    c.fence()
    if bad:
        c.send(b"SUB %s 2\r\n" % bad)
        c.expect(sub_denied(bad))
    c.fence()


def test_a21_nkeys(connect):
    """nkey users have them, too."""
    c = connect()
    c.connect(**KEY.credentials(c.info["nonce"]))
    c.send(pub(b"d.x") + pub(b"e"))
    c.expect(pub_denied(b"e"))
    c.fence()


def test_a21_alias(serve, login):
    """In an authorization block `permissions` is another name of it."""
    server = serve("authorization { permissions: {publish: d}, users: [ {user: u, password: pw} ] }")
    c = login("u", server)
    c.send(pub(b"d") + pub(b"e"))
    c.expect(pub_denied(b"e"))
    c.fence()


@pytest.mark.parametrize("config, fields", [
    ("user: u, password: pw", {"user": "u", "pass": "pw"}), ("token: pw", {"auth_token": "pw"})], ids=["user", "token"])
def test_a21_single_user_and_token(serve, connect, config, fields):
    """They are not for the short forms of authorization."""
    c = connect(serve("authorization { %s, default_permissions: {publish: d} }" % config)).connect(**fields)
    c.send(pub(b"e"))
    c.fence()
