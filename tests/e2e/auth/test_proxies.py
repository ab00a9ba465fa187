# SPDX-License-Identifier: Apache-2.0
"""Proxies that sign for their clients."""

import base64
import re

import pytest

from e2e.auth.lines import VIOLATION, connect_line
from e2e.auth.nkey import Nkey

PROXY, SECOND, STRANGER, KEY = Nkey("A", "proxy"), Nkey("U", "second"), Nkey("A", "stranger"), Nkey("U", "user")
TRUSTED = "proxies { trusted: [ {key: %s}, {public_key: %s} ] }\n" % (PROXY.public, SECOND.public)
CONFIG = TRUSTED + """
authorization { users: [
    {user: direct, password: pw}
    {user: proxied, password: pw, proxy_required: true}
    {nkey: %s, proxy_required: true}
] }
""" % KEY.public
NOT_TRUSTED, REQUIRED = "Proxy Not Trusted", "Proxy Required"


@pytest.fixture
def attempt(connect, server):
    """attempt(user, proxy, on=server, **fields) -> client that sent CONNECT, with a signature of that proxy if one is given."""
    def send(user=None, proxy=None, on=None, **fields):
        c = connect(on or server)
        if user:
            fields = {"user": user, "pass": "pw", **fields}
        if proxy:
            fields = {"proxy_sig": proxy.signature(c.info["nonce"]), **fields}
        c.send(connect_line(**fields))
        return c

    return send


def refused(server, client, reason):
    client.expect_closed_with(VIOLATION)
    assert server.closed_reason(client.cid) == reason


@pytest.mark.parametrize("user, proxy", [
    ("direct", None), ("direct", PROXY), ("direct", SECOND), ("proxied", PROXY), ("proxied", SECOND)])
def test_a44_let_in(attempt, user, proxy):
    """Any trusted key will do; who need not come by a proxy may."""
    attempt(user, proxy).fence()


def test_a44_proxy_required(attempt, server):
    """A user who must come by a proxy is refused without a signature."""
    refused(server, attempt("proxied"), REQUIRED)
    refused(server, attempt("proxied", proxy_sig=""), REQUIRED)


@pytest.mark.parametrize("user", ["direct", "proxied", "nobody"])
def test_a44_proxy_not_trusted(attempt, server, user):
    """A signature that none of the trusted keys made is fatal for everybody."""
    refused(server, attempt(user, STRANGER), NOT_TRUSTED)
    refused(server, attempt(user, proxy_sig="A" * 86), NOT_TRUSTED)
    refused(server, attempt(user, proxy_sig="!"), NOT_TRUSTED)


def test_a44_password_counts_as_ever(attempt, server):
    """The proxy does not vouch for users."""
    refused(server, attempt("proxied", PROXY, **{"pass": "x"}), "Authentication Failure")
    refused(server, attempt("nobody", PROXY), "Authentication Failure")
    refused(server, attempt(proxy=PROXY), "Authentication Failure")


def test_a44_only_unpadded_base64url(connect):
    """Unlike `sig`, `proxy_sig` has one encoding."""
    while True:
        c = connect()
        standard = base64.b64encode(PROXY.sign(c.info["nonce"])).decode()
        if {"+", "/"} & set(standard):
            break
    c.send(connect_line(user="direct", **{"pass": "pw"}, proxy_sig=standard))
    c.expect_closed_with(VIOLATION)


def test_a44_nkeys(connect, server):
    """Both sign the same nonce."""
    c = connect()
    nonce = c.info["nonce"]
    c.connect(**KEY.credentials(nonce), proxy_sig=PROXY.signature(nonce))
    c = connect()
    c.send(connect_line(**KEY.credentials(c.info["nonce"])))
    refused(server, c, REQUIRED)


@pytest.mark.parametrize("block, fields", [
    ("user: u, password: pw", {"user": "u", "pass": "pw"}), ("token: tok", {"auth_token": "tok"}),
], ids=["user", "token"])
def test_a44_single_user_and_token(serve, attempt, block, fields):
    """proxy_required may stand beside the short forms."""
    server = serve(TRUSTED + "authorization { %s, proxy_required: true }" % block)
    attempt(proxy=PROXY, on=server, **fields).fence()
    refused(server, attempt(on=server, **fields), REQUIRED)


@pytest.mark.parametrize("user, proxy_sig, notes", [
    ("proxied", "", ["proxy connection required"]),
    ("direct", "A" * 86, ["proxy is not trusted"]),
    ("direct", "AAAA", ["proxy is not trusted"]),
    ("direct", "!", ["Proxy signature not valid base64", "proxy is not trusted"]),
], ids=["none", "wrong", "short", "no base64"])
def test_a44_debug_log(attempt, server, user, proxy_sig, notes):
    """The log says why."""
    c = attempt(user, proxy_sig=proxy_sig)
    c.expect_closed_with(VIOLATION)
    server.closed_reason(c.cid)
    lines = re.findall(rf"\[DBG\] .* - cid:{c.cid} - (.*?)\r?$", server.log(), re.MULTILINE)
    assert [line for line in lines if "roxy" in line and "closed" not in line] == notes


def test_a45_untrusted_signature_without_auth(serve, attempt):
    """Even where nobody needs credentials; others come in as ever."""
    server = serve(TRUSTED)
    attempt(on=server).fence()
    attempt(proxy=PROXY, on=server).fence()
    refused(server, attempt(proxy=STRANGER, on=server), NOT_TRUSTED)


def test_a45_no_trusted_proxies(connect, serve):
    """Where there are no trusted proxies the field is ignored."""
    connect(serve("")).connect(proxy_sig="x").fence()


def test_invalid_key(start_server, configure):
    """The start is refused."""
    server = start_server("-c", configure("proxies { trusted: [ {key: abc} ] }"), wait=False)
    assert server.wait_exit() == 1
    assert 'invalid proxy key "abc"' in server.log()
