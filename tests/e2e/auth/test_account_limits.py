# SPDX-License-Identifier: Apache-2.0
"""Limits of an account: connections, subscriptions, payload."""

import pytest

from e2e.auth.lines import connect_line, pub
from harness import eventually

CONFIG = """
max_payload: 1000
max_subscriptions: 5
accounts {
    CONNS { limits: {max_connections: 2}, users: [ {user: c1, password: pw}, {user: c2, password: pw} ] }
    SUBS  { limits: {max_subs: 3}, users: [ {user: s1, password: pw}, {user: s2, password: pw} ] }
    PAY   { limits: {max_payload: 10}, users: [ {user: p, password: pw} ] }
    LARGE { limits: {max_pay: 5000, max_subscriptions: 50}, users: [ {user: l, password: pw} ] }
    NONE  { limits: {max_conn: -1, max_subs: -1, max_payload: -1}, users: [ {user: n, password: pw} ] }
    ZERO  { limits: {max_conn: 0}, users: [ {user: z, password: pw} ] }
    EMPTY { limits: {max_payload: 0}, users: [ {user: e, password: pw} ] }
}
"""
TOO_MANY_CONNECTIONS = b"-ERR 'maximum account active connections exceeded'\r\n"
TOO_MANY_SUBSCRIPTIONS = b"-ERR 'maximum subscriptions exceeded'\r\n"
TOO_LARGE = b"-ERR 'Maximum Payload Violation'\r\n"


def enter(connect, user):
    c = connect()
    c.send(connect_line(user=user, **{"pass": "pw"}) + b"PING\r\n")
    return c


def refused(server, client, error, reason):
    client.expect_closed_with(error)
    assert server.closed_reason(client.cid) == reason


def test_a48_connections(connect, login, server):
    """One too many, of whichever user, is refused; when one leaves there is room again."""
    clients = [login("c1"), login("c2")]
    for user in ("c1", "c2"):
        c = enter(connect, user)
        refused(server, c, TOO_MANY_CONNECTIONS, "Maximum Account Connections Exceeded")
        server.wait_log(rf"\[ERR\] .* - cid:{c.cid} - .*maximum account active connections exceeded")
    login("n").fence()
    for client in clients:
        client.fence()
    clients[0].close()
    eventually(lambda: enter(connect, "c2").read_line() == b"PONG\r\n")
    clients[1].fence()


def test_a48_no_connections(connect, server):
    """0 is none."""
    refused(server, enter(connect, "z"), TOO_MANY_CONNECTIONS, "Maximum Account Connections Exceeded")


def subscribe(client, n, first=1):
    client.send(b"".join(b"SUB s.%d %d\r\n" % (i, i) for i in range(first, first + n)))


def test_a48_subscriptions(login, subject):
    """The connection stays; UNSUB makes room."""
    c = login("s1")
    subscribe(c, 3)
    c.fence()
    c.send(b"SUB %s 4\r\n" % subject)
    c.expect(TOO_MANY_SUBSCRIPTIONS)
    c.send(pub(subject))
    c.fence()
    c.send(b"UNSUB 2\r\nSUB %s 5\r\n" % subject + pub(subject, b"x"))
    c.expect(b"MSG %s 5 1\r\nx\r\n" % subject)
    c.send(b"SUB %s 6\r\n" % subject)
    c.expect(TOO_MANY_SUBSCRIPTIONS)
    c.fence()


def test_a48_subscriptions_are_counted_per_connection(login):
    """Another connection of the account has as many."""
    clients = [login("s1"), login("s1"), login("s2")]
    for c in clients:
        subscribe(c, 3)
        c.fence()
    for c in clients:
        subscribe(c, 1, first=4)
        c.expect(TOO_MANY_SUBSCRIPTIONS)
        c.fence()


def test_a48_connect_again_counts_once(login):
    """A second CONNECT of a connection is no second connection."""
    c = login("c1")
    c.connect(user="c2", **{"pass": "pw"})
    c.connect(user="n", **{"pass": "pw"})
    for client in [login("c1"), login("c1")]:
        client.fence()


@pytest.mark.parametrize("user, limit", [("l", 5), ("n", 5)])
def test_a48_subscriptions_lower_limit_wins(login, user, limit):
    """The server's limit counts if the account's is higher, or none."""
    c = login(user)
    subscribe(c, limit)
    c.fence()
    subscribe(c, 1, first=limit + 1)
    c.expect(TOO_MANY_SUBSCRIPTIONS)
    c.fence()


@pytest.mark.parametrize("user, limit", [("p", 10), ("l", 1000), ("n", 1000), ("e", 0)])
def test_a48_payload(login, server, subject, user, limit):
    """The lower limit wins; beyond it the connection is closed."""
    c = login(user)
    c.send(b"SUB %s 1\r\n" % subject + pub(subject, b"x" * limit))
    c.expect(b"MSG %s 1 %d\r\n%s\r\n" % (subject, limit, b"x" * limit))
    c.fence()
    c.send(pub(subject, b"x" * (limit + 1)))
    refused(server, c, TOO_LARGE, "Maximum Message Payload Exceeded")
    server.wait_log(rf"\[ERR\] .* - cid:{c.cid} - .*maximum payload exceeded: {limit + 1} vs {limit}")


@pytest.mark.parametrize("user, limit", [("p", 10), ("l", 1000), ("n", 1000)])
def test_a48_payload_in_info(login, user, limit):
    """INFO after CONNECT names the limit."""
    c = login(user, protocol=1)
    assert c.info["max_payload"] == 1000
    assert c.async_info["max_payload"] == limit
