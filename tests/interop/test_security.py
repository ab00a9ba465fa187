# SPDX-License-Identifier: Apache-2.0
"""Every official client logs in by every method, with and without TLS, and learns what it is not allowed.

The servers read configuration files; tests/e2e/auth and tests/e2e/tls say in detail what these mean.
"""

import pytest

from interop.conftest import TLS_LOG
from interop.logins import ALICE, ALICE_LOGIN, METHODS, user_login
from interop.ports import port_for_restart


@pytest.fixture
def tls(certificate):
    """(options of a server, settings of its clients): a certificate, which the clients check."""
    return {"tls": certificate("server").pair()}, {"ca": certificate("root").pem}


@pytest.fixture(params=["plain", "tls"])
def transport(request):
    """The same, or nothing."""
    return request.getfixturevalue("tls") if request.param == "tls" else ({}, {})


def by_methods(*names, **marks):
    """Run the test once per method to log in: those named, or all; `marks` are by name, too."""
    return pytest.mark.parametrize("method", [pytest.param(METHODS[name], id=name, marks=marks.get(name, ()))
                                              for name in names or METHODS])


# ---- login

@by_methods()
def test_login(client, configured, transport, method):
    options, settings = transport
    client.run("login", configured({**method.conf, **options}).port, **method.login, **settings)


@by_methods()
def test_refused(client, configured, method):
    """The client reports a failed login, and not just a lost connection."""
    client.run("login_refused", configured(method.conf).port, **method.wrong)


@by_methods("user", "nkey")
def test_refused_over_tls(client, configured, tls, method):
    options, settings = tls
    client.run("login_refused", configured({**method.conf, **options}).port, **method.wrong, **settings)


@by_methods("token", "user", "nkey")
def test_anonymous_refused(client, configured, method):
    client.run("login_refused", configured(method.conf).port)


@by_methods("token", "user", "nkey", "no_auth_user")
def test_reconnect(client, configured, tls, method):
    """The login is repeated, with another nonce, at a server that was started again."""
    options, settings = tls
    port = port_for_restart()
    conf = {**method.conf, **options}
    server = configured(conf, "-p", str(port))
    with client.start("reconnect", port, **method.login, **settings) as run:
        run.wait_ready()
        server.stop()
        configured(conf, "-p", str(port))
        run.finish()


# ---- TLS

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


@pytest.mark.parametrize("flaw", ["authority", "host", "expired"])
def test_server_certificate_refused(client, configured, certificate, flaw):
    """Clients do not talk to a server whose certificate is of another authority, for another host, or expired."""
    name, *names = {"authority": ["server"], "host": ["elsewhere", "DNS:elsewhere.example"], "expired": ["old"]}[flaw]
    server = configured({"tls": certificate(name, *names, days=-1 if flaw == "expired" else 10).pair()})
    client.run("tls_refused", server.port, ca=certificate("stranger" if flaw == "authority" else "root").pem)


def test_tls_is_optional(client, configured, certificate):
    """With allow_non_tls a client that wants TLS gets it."""
    if client.name == "c":
        pytest.skip("this version of the library speaks TLS only to servers that require it")
    server = configured({"tls": certificate("server").pair(), "allow_non_tls": True})
    client.run("login", server.port, ca=certificate("root").pem)
    server.wait_log(TLS_LOG)


@pytest.mark.parametrize("tells", [True, False], ids=["client_knows", "client_waits"])
def test_handshake_first(client, configured, certificate, tells):
    """A client that knows of it begins with the handshake; others wait until the server sends INFO after all."""
    if tells and client.name != "js":
        pytest.skip("this version of the library does not have the option")
    options = {**certificate("server").pair(), "handshake_first": True if tells else "auto"}
    settings = {"ca": certificate("root").pem, "handshake_first": str(tells).lower()}
    server = configured({"tls": options, "authorization": {"users": [ALICE]}})
    client.run("login", server.port, **settings, **ALICE_LOGIN)
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

@by_methods(single_user=pytest.mark.ours)  # reload-single-user in docs/differences.md
def test_reload(client, configured, reload, method):
    """A client that publishes all the time does not notice reloads that are not about it."""
    server = configured(method.conf)
    with client.start("reload", server.port, **method.login) as run:
        run.wait_ready()
        for change in ({}, {"max_traced_msg_len": 100}, {"ping_interval": "1m"}, {}):
            reload(server, {**method.conf, **change})
        run.finish()


def test_reload_over_tls(client, configured, reload, certificate, tls):
    """Nor that other users come and go, nor that the server has another certificate."""
    options, settings = tls
    bob = {"user": "bob", "password": "pw"}
    server = configured({"authorization": {"users": [ALICE]}, **options})
    with client.start("reload", server.port, **ALICE_LOGIN, **settings) as run:
        run.wait_ready()
        for users, name in (([ALICE], "next"), ([bob, ALICE], "next"), ([bob, ALICE], "server"), ([ALICE], "server")):
            reload(server, {"authorization": {"users": users}, "tls": certificate(name).pair()})
        run.finish()
