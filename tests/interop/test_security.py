# SPDX-License-Identifier: Apache-2.0
"""Every official client logs in by every method, with and without TLS, and learns what it is not allowed.

The servers read configuration files; tests/e2e/auth and tests/e2e/tls say in detail what these mean.
"""

import pytest

from interop.logins import ALICE, ALICE_LOGIN, METHODS, user_login
from interop.ports import port_for_restart
from interop.test_clients import SELF_CONTAINED

TLS_LOG = r"TLS version 1\.3, cipher suite"


@pytest.fixture(params=["plain", "tls"])
def transport(request, certificate):
    """(options of a server, settings of its clients): nothing, or a certificate that clients check."""
    if request.param == "plain":
        return {}, {}
    return {"tls": certificate("server").pair()}, {"ca": certificate("root").pem}


@pytest.fixture(params=METHODS)
def method(request):
    return METHODS[request.param]


# ---- login

def test_login(client, configured, transport, method):
    options, settings = transport
    client.run("login", configured({**method.conf, **options}).port, **method.login, **settings)


def test_refused(client, configured, transport, method):
    """The client reports a failed login, and not just a lost connection."""
    options, settings = transport
    client.run("login_refused", configured({**method.conf, **options}).port, **method.wrong, **settings)


@pytest.mark.parametrize("method", sorted(METHODS.keys() - {"no_auth_user"}))
def test_anonymous_refused(client, configured, method):
    client.run("login_refused", configured(METHODS[method].conf).port)


def test_reconnect(client, configured, transport, method):
    """The login is repeated, with another nonce, at a server that was started again."""
    options, settings = transport
    port = port_for_restart()
    conf = {**method.conf, **options}
    server = configured(conf, "-p", str(port))
    with client.start("reconnect", port, **method.login, **settings) as run:
        run.wait_ready()
        server.stop()
        configured(conf, "-p", str(port))
        run.finish()


# ---- TLS

@pytest.mark.parametrize("case", SELF_CONTAINED)
def test_case_over_tls(client, configured, certificate, case):
    server = configured({"tls": certificate("server").pair()})
    client.run(case, server.port, ca=certificate("root").pem)
    server.wait_log(TLS_LOG)


@pytest.fixture
def own_certificate(certificate):
    """own_certificate(name) -> settings of a client that has a certificate of this name."""
    def settings(name):
        own = certificate(name)
        return {"ca": certificate("root").pem, "cert": own.pem, "key": own.key}

    return settings


@pytest.fixture
def verifying(configured, certificate):
    """verifying(**options of the tls block) -> Server that asks clients for certificates, and has the user ALICE."""
    def start(**options):
        tls = {**certificate("server").pair(), "ca_file": certificate("root").pem, **options}
        return configured({"tls": tls, "authorization": {"users": [ALICE]}})

    return start


def test_client_certificate(client, verifying, own_certificate):
    """It is asked for besides the login."""
    server = verifying(verify=True)
    client.run("login", server.port, **own_certificate("client"), **ALICE_LOGIN)
    client.run("login_refused", server.port, **own_certificate("client"), **user_login("alice", "wrong"))


def test_certificate_is_login(client, configured, certificate, own_certificate):
    """verify_and_map: the name in the certificate is that of a user."""
    certificate("alice", "email:alice@example.org")
    tls = {**certificate("server").pair(), "ca_file": certificate("root").pem, "verify_and_map": True}
    server = configured({"tls": tls, "authorization": {"users": [{"user": "alice@example.org"}]}})
    client.run("login", server.port, **own_certificate("alice"))
    client.run("login_refused", server.port, **own_certificate("client"))


@pytest.mark.parametrize("name", [None, "stranger"])
def test_client_certificate_refused(client, verifying, certificate, own_certificate, name):
    settings = own_certificate(name) if name else {"ca": certificate("root").pem}
    client.run("tls_refused", verifying(verify=True).port, **settings, **ALICE_LOGIN)


@pytest.mark.parametrize("name, names", [("stranger", None), ("elsewhere", "DNS:elsewhere.example"), ("old", None)])
def test_server_certificate_refused(client, configured, certificate, name, names):
    """Clients do not talk to a server whose certificate is of another authority, for another host, or over."""
    server = configured({"tls": certificate(name, names, days=-1 if name == "old" else 10).pair()})
    client.run("tls_refused", server.port, ca=certificate("root").pem)


def test_tls_is_optional(client, configured, certificate):
    """With allow_non_tls a client that wants TLS gets it."""
    server = configured({"tls": certificate("server").pair(), "allow_non_tls": True})
    client.run("login", server.port, ca=certificate("root").pem)
    server.wait_log(TLS_LOG)


@pytest.mark.parametrize("tells", [True, False], ids=["client_knows", "client_waits"])
def test_handshake_first(client, configured, certificate, tells):
    """A client that knows of it begins with the handshake; others wait until the server sends INFO after all."""
    if tells and client.name != "js":
        pytest.skip("this version of the library does not have the option")
    server = configured({"tls": {**certificate("server").pair(), "handshake_first": True if tells else "auto"}, "authorization": ALICE})
    settings = {"handshake_first": "true"} if tells else {}
    client.run("login", server.port, ca=certificate("root").pem, **settings, **ALICE_LOGIN)
    server.wait_log(TLS_LOG)


# ---- what one is allowed

def test_permissions(client, configured, transport):
    """Violations reach the client's handler of errors; the connection lives on."""
    options, settings = transport
    denied = {"publish": {"deny": "secret.>"}, "subscribe": {"deny": "secret.>"}}
    server = configured({"authorization": {"users": [{**ALICE, "permissions": denied}]}, **options})
    client.run("permissions", server.port, **ALICE_LOGIN, **settings)


def test_accounts(client, configured, transport):
    """Users of different accounts do not hear each other."""
    options, settings = transport
    bob = {"user": "bob", "password": "pw"}
    server = configured({"accounts": {"A": {"users": [ALICE]}, "B": {"users": [bob]}}, **options})
    client.run("accounts", server.port, **ALICE_LOGIN, user2="bob", pass2="pw", **settings)


# ---- reload

def test_reload(client, configured, transport, method, reload):
    """A client that publishes all the time does not notice reloads that are not about it."""
    options, settings = transport
    conf = {**method.conf, **options}
    server = configured(conf)
    with client.start("reload", server.port, **method.login, **settings) as run:
        run.wait_ready()
        for change in ({}, {"max_traced_msg_len": 100}, {"ping_interval": "1m"}, {}):
            reload(server, {**conf, **change})
        run.finish()


def test_reload_of_others(client, configured, certificate, transport, reload):
    """Nor that other users come and go, or that the server has another certificate."""
    options, settings = transport
    server = configured({"authorization": {"users": [ALICE]}, **options})
    others = [{"tls": certificate("next").pair()}, {}] if options else [{}]
    with client.start("reload", server.port, **ALICE_LOGIN, **settings) as run:
        run.wait_ready()
        for users in ([{"user": "bob", "password": "pw"}, ALICE], [ALICE]):
            for other in others:
                reload(server, {"authorization": {"users": users}, **options, **other})
        run.finish()
