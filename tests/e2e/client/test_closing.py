# SPDX-License-Identifier: Apache-2.0
"""How connections end: FIN, RST, shutdown, and the reason the server notes for each end."""

import signal

import pytest

from harness import eventually

SERVER_ARGS = ["-D"]


def test_p67_data_before_fin_is_routed(connect, subject):
    """Data before client FIN is still routed."""
    subscriber, publisher = connect().connect(), connect()
    subscriber.send(b"SUB %s 1\r\n" % subject)
    subscriber.fence()
    publisher.send(b'CONNECT {"verbose":false}\r\n' + b"PUB %s 1\r\nx\r\n" % subject * 1000)
    publisher.half_close()
    subscriber.expect(b"MSG %s 1 1\r\nx\r\n" % subject * 1000)
    subscriber.fence()


def test_p67_data_before_close_is_routed(connect, subject):
    """The same when the client closes its socket altogether."""
    subscriber, publisher = connect().connect(), connect()
    subscriber.send(b"SUB %s 1\r\n" % subject)
    subscriber.fence()
    publisher.send(b'CONNECT {"verbose":false}\r\n' + b"PUB %s 1\r\nx\r\n" % subject * 1000)
    publisher.close()
    subscriber.expect(b"MSG %s 1 1\r\nx\r\n" % subject * 1000)
    subscriber.fence()


def test_p67_replies_are_flushed(connect, subject):
    """Replies to what came before FIN are flushed, then the connection closes."""
    c = connect().connect()
    c.send(b"SUB %s 1\r\nPUB %s 1\r\nx\r\nPING\r\n" % (subject, subject))
    c.half_close()
    c.expect_closed_with(b"MSG %s 1 1\r\nx\r\nPONG\r\n" % subject)


def test_p67_half_an_operation_before_fin_is_nothing(connect, subject):
    """A message cut off by FIN is not delivered."""
    subscriber, publisher = connect().connect(), connect().connect()
    subscriber.send(b"SUB %s 1\r\n" % subject)
    subscriber.fence()
    publisher.send(b"PUB %s 5\r\nhel" % subject)
    publisher.half_close()
    publisher.expect_eof()
    subscriber.fence()


@pytest.mark.parametrize("data, reason", [
    (b"SUB foo\r\n", "Protocol Violation"),
    (b"FOO\r\n", "Protocol Violation"),
    (b"CONNECT []\r\n", "Protocol Violation"),
    (b"HPUB foo 0 0\r\n", "Protocol Violation"),
    (b"-ERR 'x'\r\n", "Parse Error"),
    (b'CONNECT {"account":"A"}\r\n', "Authentication Failure"),
    (b'CONNECT {"protocol":2}\r\n', "Bad Client Protocol Version"),
    (b'CONNECT {"no_responders":true}\r\n', "No Responders Requires Headers"),
    (b"PUB foo 999999999\r\n", "Maximum Message Payload Exceeded"),
    (b"SUB %s 1\r\n" % (b"x" * 5000), "Maximum Control Line Exceeded"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_p68_reasons_of_refusals(connect, server, data, reason):
    """Closed reasons match §12, as the debug log shows them."""
    c = connect()
    c.send(data)
    c.read_to_eof()
    assert server.closed_reason(c.cid) == reason


def test_p68_fin_is_client_closed(connect, server):
    """Orderly FIN → Client Closed, once."""
    c = connect().connect()
    c.half_close()
    c.expect_eof()
    assert server.closed_reason(c.cid) == "Client Closed"
    assert server.log().count(f" - cid:{c.cid} - Client connection closed") == 1


def test_p68_rst_is_read_error(connect, server):
    """RST → Read Error."""
    c = connect().connect()
    c.reset()
    assert server.closed_reason(c.cid) == "Read Error"


def test_p68_shutdown(connect, start_server):
    """Shutdown: TCP close without -ERR, reason Server Shutdown."""
    server = start_server("-D")
    clients = [connect(server).connect() for _ in range(3)] + [connect(server)]
    server.signal(signal.SIGINT)
    for c in clients:
        c.expect_eof()
    assert server.wait_exit() == 0
    for c in clients:
        assert server.closed_reason(c.cid) == "Server Shutdown"


def test_shutdown_flushes_what_is_queued(connect, start_server, subject):
    """At shutdown queued data is flushed before the close."""
    server, size, n = start_server(), 100_000, 40
    subscriber, publisher = connect(server).connect(), connect(server).connect()
    subscriber.send(b"SUB %s 1\r\n" % subject)
    subscriber.fence()
    publisher.send((b"PUB %s %d\r\n" % (subject, size) + b"x" * size + b"\r\n") * n)
    publisher.fence()
    server.signal(signal.SIGINT)
    assert subscriber.read_to_eof() == (b"MSG %s 1 %d\r\n" % (subject, size) + b"x" * size + b"\r\n") * n
    assert server.wait_exit() == 0


def test_subscriptions_end_with_the_connection(connect, server, subject):
    """A closed connection is no subscriber any more: a requester gets its 503 again."""
    requester, responder = connect().connect(headers=True, no_responders=True), connect().connect()
    requester.send(b"SUB %s.r 1\r\n" % subject)
    responder.send(b"SUB %s 1\r\n" % subject)
    responder.fence()
    responder.close()

    def nobody_responds():
        requester.send(b"PUB %s %s.r 0\r\n\r\n" % (subject, subject))
        return b"NATS/1.0 503" in requester.ping()

    eventually(nobody_responds)


def test_a_bad_neighbour_disturbs_nobody(connect, subject):
    """Other connections live on while one after the other is thrown out."""
    good = connect().connect()
    good.send(b"SUB %s 1\r\n" % subject)
    for data in (b"FOO\r\n", b"PUB foo 2\r\nabc\r\n", b"SUB\r\n", b"PUB foo 999999999\r\n", b"CONNECT []\r\n", b"\x00" * 100):
        bad = connect()
        bad.send(data)
        bad.read_to_eof()
        good.send(b"PUB %s 1\r\nx\r\n" % subject)
        good.expect(b"MSG %s 1 1\r\nx\r\n" % subject)
    good.fence()
