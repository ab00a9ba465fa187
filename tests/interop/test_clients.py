# SPDX-License-Identifier: Apache-2.0
"""Every official client runs every case against the server under test.

What a case does is written in the client programs, c/, go/ and js/; here are only the servers that the cases need.
Each test has a server of its own: the clients use the same subjects, and one of them subscribes to everything.
"""

import json
import signal

import pytest

from interop.conftest import TLS_LOG
from interop.ports import port_for_restart

SELF_CONTAINED = ["pubsub", "wildcard", "queue", "request", "headers", "no_responders", "drain_subscription",
                  "drain_connection", "auto_unsubscribe", "flush_rtt", "order", "large_payload"]

USER_LOGIN = {"user": "alice", "pass": "pa$$ w0rd"}
USER_ARGS = ("--user", USER_LOGIN["user"], "--pass", USER_LOGIN["pass"])
TOKEN_LOGIN = {"token": "t0ken-of-alice"}
TOKEN_ARGS = ("--auth", TOKEN_LOGIN["token"])


@pytest.mark.parametrize("case", SELF_CONTAINED)
def test_case(client, start_server, case):
    client.run(case, start_server().port)


@pytest.mark.parametrize("case", SELF_CONTAINED)
def test_case_over_tls(client, configured, certificate, case):
    server = configured({"tls": certificate("server").pair()})
    client.run(case, server.port, ca=certificate("root").pem)
    server.wait_log(TLS_LOG)


def test_connect(client, start_server, connect):
    """The client was told what INFO says."""
    server = start_server()
    told = json.loads(client.run("connect", server.port))
    info = connect(server).info
    assert 0 < told.pop("client_id") < info["client_id"]
    assert told == {name: info[name] for name in told}
    assert told["max_payload"] == 1024 * 1024
    assert told["headers"] is True


def test_reconnect(client, start_server):
    """Subscriptions work again after the server was restarted on the same port."""
    port = port_for_restart()
    server = start_server("-p", str(port))
    with client.start("reconnect", port) as run:
        run.wait_ready()
        server.stop()
        start_server("-p", str(port))
        run.finish()


def test_lame_duck(client, start_server):
    server = start_server()
    with client.start("lame_duck", server.port) as run:
        run.wait_ready()
        server.signal(signal.SIGUSR2)
        run.finish()


def test_user_login(client, start_server):
    client.run("login", start_server(*USER_ARGS).port, **USER_LOGIN)


@pytest.mark.parametrize("login", [{**USER_LOGIN, "pass": "wrong"}, {**USER_LOGIN, "user": "bob"}, TOKEN_LOGIN, {}],
                         ids=["wrong_password", "wrong_user", "token", "anonymous"])
def test_user_refused(client, start_server, login):
    client.run("login_refused", start_server(*USER_ARGS).port, **login)


def test_token_login(client, start_server):
    client.run("login", start_server(*TOKEN_ARGS).port, **TOKEN_LOGIN)


@pytest.mark.parametrize("login", [{"token": "wrong"}, USER_LOGIN, {}], ids=["wrong_token", "user", "anonymous"])
def test_token_refused(client, start_server, login):
    client.run("login_refused", start_server(*TOKEN_ARGS).port, **login)
