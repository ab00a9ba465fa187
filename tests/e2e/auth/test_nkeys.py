# SPDX-License-Identifier: Apache-2.0
"""Users who prove that they have a key, by signing the nonce of INFO."""

import base64
import re

import pytest

from e2e.auth.lines import VIOLATION, connect_line
from e2e.auth.nkey import Nkey

ANN, BOB, STRANGER = Nkey("U", "ann"), Nkey("U", "bob"), Nkey("U", "stranger")
CONFIG = """
authorization { users: [ {nkey: %s}, {user: carl, password: pw} ] }
accounts { A { users: [ {nkey: %s, permissions: {publish: {deny: "secret"}}} ] } }
""" % (ANN.public, BOB.public)


def refused(client, **fields):
    client.send(connect_line(**fields))
    client.expect_closed_with(VIOLATION)


def test_a11_nonce(connect):
    """15 characters of base64url, and new for each connection."""
    nonces = [connect().info["nonce"] for _ in range(20)]
    for nonce in nonces:
        assert re.fullmatch(r"[A-Za-z0-9_-]{15}", nonce), nonce
    assert len(set(nonces)) == len(nonces)


@pytest.mark.parametrize("config, has_nonce", [
    ("", False), ("authorization { token: tok }", False), ("authorization { users: [ {user: a, password: pw} ] }", False),
    ("authorization { users: [ {nkey: %s} ] }" % ANN.public, True),
    ("accounts { A { users: [ {nkey: %s} ] } }" % ANN.public, True),
    ("accounts { A { nkey: %s } }" % Nkey("A", "account").public, False),
    ("proxies { trusted: [ {key: %s} ] }" % ANN.public, True),
], ids=["nothing", "token", "user", "nkey", "nkey in account", "nkey of account", "proxy"])
def test_a11_nonce_only_where_somebody_signs(connect, serve, config, has_nonce):
    """nkey users or trusted proxies exist."""
    assert ("nonce" in connect(serve(config)).info) is has_nonce


@pytest.mark.parametrize("key, account", [(ANN, "$G"), (BOB, "A")], ids=["authorization", "account"])
def test_a12_signature_over_the_nonce(connect, subject, key, account):
    """Unpadded base64url over the characters of the nonce."""
    c = connect()
    c.connect(**key.credentials(c.info["nonce"]), protocol=1)
    assert c.async_info["remote_account"] == account
    c.send(b"SUB %s 1\r\nPUB %s 1\r\nx\r\n" % (subject, subject))
    c.expect(b"MSG %s 1 1\r\nx\r\n" % subject)


def telling_signature(connect, key):
    """A connection and a signature in which the two alphabets of base64 differ."""
    while True:
        c = connect()
        signature = key.sign(c.info["nonce"])
        if {b"+", b"/"} & {bytes([byte]) for byte in base64.b64encode(signature)}:
            return c, signature


@pytest.mark.parametrize("alphabet, is_padded, is_good", [
    (base64.urlsafe_b64encode, False, True), (base64.b64encode, True, True),
    (base64.urlsafe_b64encode, True, False), (base64.b64encode, False, False), (base64.b32encode, False, False),
    (base64.b16encode, False, False),
], ids=["url unpadded", "standard padded", "url padded", "standard unpadded", "base32", "hex"])
def test_a12_encodings_of_the_signature(connect, alphabet, is_padded, is_good):
    """Base64url without padding, or standard base64 with it; nothing else."""
    c, signature = telling_signature(connect, ANN)
    text = alphabet(signature).decode()
    fields = {"nkey": ANN.public, "sig": text if is_padded else text.rstrip("=")}
    if is_good:
        c.connect(**fields)
    else:
        refused(c, **fields)


@pytest.mark.parametrize("sig, note", [
    (None, "Signature missing"), ("!", "Signature not valid base64"), ("AAAA", "Signature not verified"),
    ("A" * 86, "Signature not verified"),
], ids=["none", "no base64", "short", "wrong"])
def test_a12_debug_log(connect, server, sig, note):
    """The log says what is wrong with it."""
    c = connect()
    refused(c, nkey=ANN.public, **({"sig": sig} if sig else {}))
    server.wait_log(rf"\[DBG\] .* - cid:{c.cid} - {note}")
    server.wait_log(rf'\[ERR\] .* - cid:{c.cid} - authentication error - Nkey "{ANN.public}"')


def test_a12_wrong_signatures(connect):
    """No, a wrong, another's, an old signature; of the decoded nonce; a key that is unknown, or none."""
    old = connect()
    stale = ANN.signature(old.info["nonce"])
    c = connect()
    refused(c, nkey=ANN.public, sig=stale)
    old.connect(nkey=ANN.public, sig=stale)

    def attempt(**change):
        c = connect()
        nonce = c.info["nonce"]
        fields = {name: value(nonce) if callable(value) else value for name, value in change.items()}
        refused(c, **{**ANN.credentials(nonce), **fields})

    attempt(sig="")
    attempt(sig=None)
    attempt(sig="!!!")
    attempt(sig=BOB.signature)
    attempt(sig=lambda nonce: ANN.signature(nonce)[:-4])
    attempt(sig=lambda nonce: ANN.signature(nonce) + "AAAA")
    attempt(sig=lambda nonce: "A" * 86)
    attempt(sig=lambda nonce: ANN.signature(base64.urlsafe_b64decode(nonce + "=").decode("latin-1")))
    attempt(**{"nkey": STRANGER.public, "sig": STRANGER.signature})
    attempt(nkey=BOB.public)
    attempt(nkey=ANN.public.lower())
    attempt(nkey="")
    attempt(nkey="UXXX")


def test_a13_nkey_beats_user_and_password(connect):
    """With both in one CONNECT only the nkey counts: it names the account, and its failure is final."""
    carl = {"user": "carl", "pass": "pw"}
    c = connect()
    c.connect(**BOB.credentials(c.info["nonce"]), **carl, protocol=1)
    assert c.async_info["remote_account"] == "A"
    c = connect()
    c.connect(**BOB.credentials(c.info["nonce"]), user="carl", **{"pass": "wrong"})
    refused(connect(), nkey=BOB.public, sig="x", **carl)
    refused(connect(), nkey=STRANGER.public, sig="x", **carl)
    connect().connect(**carl)


def test_permissions_of_an_nkey(connect):
    """An nkey user has permissions like any other."""
    c = connect()
    c.connect(**BOB.credentials(c.info["nonce"]))
    c.send(b"PUB secret 0\r\n\r\n")
    c.expect(b"-ERR 'Permissions Violation for Publish to \"secret\"'\r\n")
    c.fence()


def test_a57_second_connect_of_an_nkey(connect):
    """The nonce is good for the whole connection; the signature is checked each time."""
    c = connect()
    good = ANN.credentials(c.info["nonce"])
    c.connect(**good)
    c.connect(**good)
    refused(c, nkey=ANN.public, sig="x")
