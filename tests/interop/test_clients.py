# SPDX-License-Identifier: Apache-2.0
"""Every official client runs every case against the server under test.

What a case does is written in the client programs, c/, go/ and js/; here are only the servers that the cases need.
Each test has a server of its own: the clients use the same subjects, and one of them subscribes to everything.
"""

import json
import random
import signal
import socket
from pathlib import Path

import pytest

SELF_CONTAINED = ["pubsub", "wildcard", "queue", "request", "headers", "no_responders", "drain_subscription",
                  "drain_connection", "auto_unsubscribe", "flush_rtt", "order", "large_payload"]

USER_LOGIN = ("alice", "pa$$ w0rd")
USER_ARGS = ("--user", USER_LOGIN[0], "--pass", USER_LOGIN[1])
TOKEN = "t0ken-of-alice"


@pytest.mark.parametrize("case", SELF_CONTAINED)
def test_case(client, start_server, case):
    client.run(case, start_server().port)


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
    port = _port_for_restart()
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
    client.run("login", start_server(*USER_ARGS).port, *USER_LOGIN)


@pytest.mark.parametrize("login", [(USER_LOGIN[0], "wrong"), ("bob", USER_LOGIN[1]), (TOKEN,), ()],
                         ids=["wrong_password", "wrong_user", "token", "anonymous"])
def test_user_refused(client, start_server, login):
    client.run("login_refused", start_server(*USER_ARGS).port, *login)


def test_token_login(client, start_server):
    client.run("login", start_server("--auth", TOKEN).port, TOKEN)


@pytest.mark.parametrize("login", [("wrong",), USER_LOGIN, ()], ids=["wrong_token", "user", "anonymous"])
def test_token_refused(client, start_server, login):
    client.run("login_refused", start_server("--auth", TOKEN).port, *login)


def _port_for_restart() -> int:
    """A free port that the kernel gives to nobody while the server is down.

    It is below the ephemeral range: there another test could get it, and a client that dials the closed port again
    and again would one day get it as its own and be connected to itself.
    """
    first_ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(first_ephemeral // 2, first_ephemeral)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
