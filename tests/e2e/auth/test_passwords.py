# SPDX-License-Identifier: Apache-2.0
"""Passwords and tokens: plain, bcrypt, empty; and the warning about plain ones."""

import pytest

HASHES = {kind: f"${kind}$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG" for kind in ("2a", "2b", "2x", "2y")}  # of s3cret
WARNING = "Plaintext passwords detected, use nkeys or bcrypt"
U = "UAH42UG6PV552P5SWLWTBP3H3S5BHAVCO2IEKEXUANJXR75J63RQ5WM6"

CONFIG = """
authorization { users: [
    %s
    {user: none, password: ""}, {user: unset}, {user: like, password: "$2a$xx$nothash"}
] }
""" % "\n    ".join(f'{{user: {kind}, password: "{text}"}}' for kind, text in HASHES.items())


@pytest.mark.parametrize("kind", HASHES)
def test_a08_bcrypt_passwords(connect, refuse, kind):
    """All four prefixes of bcrypt verify; the hash itself is no password."""
    connect().connect(user=kind, **{"pass": "s3cret"})
    for wrong in ("S3cret", "s3cret ", "", HASHES[kind]):
        refuse(user=kind, **{"pass": wrong})


@pytest.mark.parametrize("kind", HASHES)
def test_a08_bcrypt_tokens(connect, serve, refuse, kind):
    """The same for a token."""
    server = serve('authorization { token: "%s" }' % HASHES[kind])
    connect(server).connect(auth_token="s3cret")
    refuse(server, auth_token="secret")
    refuse(server, auth_token=HASHES[kind])


def test_a08_what_only_looks_like_bcrypt(connect, refuse):
    """Without two digits after the prefix it is a plain password."""
    connect().connect(user="like", **{"pass": "$2a$xx$nothash"})
    refuse(user="like", **{"pass": "nothash"})


@pytest.mark.parametrize("user", ["none", "unset"])
def test_a09_empty_password(connect, refuse, user):
    """An empty password in the configuration accepts an empty or missing one, and no other."""
    connect().connect(user=user)
    connect().connect(user=user, **{"pass": ""})
    refuse(user=user, **{"pass": "x"})


@pytest.mark.parametrize("config, is_warned", [
    ("authorization { user: a, password: pw }", True),
    ("authorization { token: tok }", False),
    ('authorization { user: a, password: "%s" }' % HASHES["2a"], False),
    ('authorization { users: [ {user: a, password: "%s"}, {user: b, password: "%s"} ] }' % (HASHES["2b"], HASHES["2y"]), False),
    ('authorization { users: [ {user: a, password: "%s"}, {user: b, password: pw} ] }' % HASHES["2b"], True),
    ('authorization { users: [ {user: a} ] }', True),
    ("authorization { users: [ {nkey: %s} ] }" % U, False),
    ("accounts { A { users: [ {user: a, password: pw} ] } }", True),
    ('accounts { A { users: [ {user: a, password: "%s"} ] } }' % HASHES["2a"], False),
    ("accounts { A {} }", False),
], ids=["single", "token", "bcrypt", "users bcrypt", "one plain", "empty", "nkey", "account", "account bcrypt", "no users"])
def test_a10_warning_about_plain_passwords(serve, config, is_warned):
    """Once for all passwords, at the start; not for tokens."""
    assert serve(config).log().count(WARNING) == is_warned
