# SPDX-License-Identifier: Apache-2.0
"""What the system account, and the account itself, are told of connections that fail or end (spec 04 §8)."""

import json

import pytest

SERVER_OPTIONS = {
    "accounts": {"$SYS": {"users": [{"user": "s", "password": "s"}]}, "A": {"users": [{"user": "a", "password": "a"}]}},
    "authorization.timeout": 0.5,
}
A = {"user": "a", "pass": "a"}
GLOBAL = {"authorization.users": [{"user": "g", "password": "g"}]}


def next_event(client, subject: str) -> dict:
    """The body of the next message, which has this subject."""
    head = client.expect_re(rb"MSG (\S+) \S+ +(\d+)\r\n")  # two blanks are nats-server's
    assert head[1].decode() == subject
    return json.loads(client.read_exactly(int(head[2]) + 2))


@pytest.fixture
def system(connect):
    """A client of the system account that hears of failures and ends."""
    client = connect().connect(user="s", **{"pass": "s"})
    client.send(b"SUB $SYS.SERVER.*.CLIENT.AUTH.ERR 1\r\n")
    client.send(b"SUB $SYS.ACCOUNT.$G.DISCONNECT 2\r\nSUB $SYS.ACCOUNT.A.DISCONNECT 3\r\n")  # not those of other tests' own
    client.fence()
    return client


def assert_disconnect(event, reason, account, **user) -> None:
    assert event["type"] == "io.nats.server.advisory.v1.client_disconnect"
    assert (event["reason"], event["client"]["acc"]) == (reason, account)
    assert {key: value for key, value in event["client"].items() if key == "user"} == user


def test_a25_bad_password(connect, system):
    """A-25: two events, in the name of $G."""
    client = connect()
    client.send(b'CONNECT {"user":"a","pass":"x"}\r\n')
    client.expect_closed_with(b"-ERR 'Authorization Violation'\r\n")
    for subject in (f"$SYS.SERVER.{client.info['server_id']}.CLIENT.AUTH.ERR", "$SYS.ACCOUNT.$G.DISCONNECT"):
        assert_disconnect(next_event(system, subject), "Authentication Failure", "$G", user="a")
    system.fence()


def test_a25_timeout(connect, system):
    """A-25: one event, of nobody."""
    connect().expect_closed_with(b"-ERR 'Authentication Timeout'\r\n")
    assert_disconnect(next_event(system, "$SYS.ACCOUNT.$G.DISCONNECT"), "Authentication Timeout", "$G")
    system.fence()


def test_a25_close(connect, system):
    """A-25: the account that it had logged in to."""
    connect().connect(**A).close()
    assert_disconnect(next_event(system, "$SYS.ACCOUNT.A.DISCONNECT"), "Client Closed", "A", user="a")
    system.fence()


def test_a26_told_in_the_account(connect, start_server):
    """A-26: who failed to log in has the account $G, and that hears of it; other accounts do not."""
    server = start_server(options={**GLOBAL, "accounts": SERVER_OPTIONS["accounts"]})
    heard, other = connect(server).connect(user="g", **{"pass": "g"}), connect(server).connect(**A)
    for client in (heard, other):
        client.send(b"SUB $SYS.ACCOUNT.CLIENT.AUTH.ERR 1\r\n")
        client.fence()
    client = connect(server)
    client.send(b'CONNECT {"user":"a","pass":"x"}\r\n')
    client.expect_closed_with(b"-ERR 'Authorization Violation'\r\n")
    assert_disconnect(next_event(heard, "$SYS.ACCOUNT.CLIENT.AUTH.ERR"), "Authentication Failure", "$G", user="a")
    other.fence()
