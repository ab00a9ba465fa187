# SPDX-License-Identifier: Apache-2.0
"""max_payload, max_connections, max_subscriptions, max_sub_tokens.  (max_control_line: test_lexical.py)"""

import pytest

from harness import eventually

TOO_MANY_CONNECTIONS = b"-ERR 'maximum connections exceeded'\r\n"
TOO_MANY_SUBSCRIPTIONS = b"-ERR 'maximum subscriptions exceeded'\r\n"
TOO_MUCH = b"-ERR 'Maximum Payload Violation'\r\n"


def test_p19_max_payload(connect, start_server, subject):
    """Payload of exactly max_payload is delivered; one byte more is refused before the payload is read."""
    server = start_server("-D", options={"max_payload": 1000})
    c = connect(server).connect()
    c.send(b"SUB %s 1\r\nPUB %s 1000\r\n%s\r\n" % (subject, subject, b"x" * 1000))
    c.expect(b"MSG %s 1 1000\r\n%s\r\n" % (subject, b"x" * 1000))
    c.send(b"PUB %s 1001\r\n" % subject)
    c.expect_closed_with(TOO_MUCH)
    assert server.closed_reason(c.cid) == "Maximum Message Payload Exceeded"


@pytest.mark.parametrize("configured, shown", [(-1, -1), (0, 1048576)])
def test_p19_max_payload_unlimited_and_default(connect, start_server, subject, configured, shown):
    """max_payload −1 = unlimited (INFO −1), 0 = default."""
    c = connect(start_server(options={"max_payload": configured})).connect()
    assert c.info["max_payload"] == shown
    n = 3_000_000 if shown < 0 else shown
    c.send(b"SUB %s 1\r\nPUB %s %d\r\n" % (subject, subject, n))
    c.send(b"x" * n + b"\r\n")
    c.expect(b"MSG %s 1 %d\r\n" % (subject, n))
    assert c.read_exactly(n) == b"x" * n
    c.expect(b"\r\n")


def test_p46_max_connections(connect, start_server):
    """max_connections: the extra client gets INFO, `-ERR 'maximum connections exceeded'`, close; others are not disturbed."""
    server = start_server("-D", options={"max_connections": 2})
    first, second = connect(server).connect(), connect(server).connect()
    for _ in range(3):
        extra = connect(server)
        extra.expect_closed_with(TOO_MANY_CONNECTIONS)
        assert server.closed_reason(extra.cid) == "Maximum Connections Exceeded"
    first.fence()
    second.fence()


def test_p46_a_slot_comes_free(connect, start_server):
    """When a client leaves, another may come."""
    server = start_server(options={"max_connections": 1})
    connect(server).connect().close()

    def another_may_come():
        c = connect(server)
        c.half_close()
        return c.read_to_eof() != TOO_MANY_CONNECTIONS

    eventually(another_may_come)


@pytest.mark.parametrize("limit", [0, -1])
def test_p47_no_connections_at_all(connect, start_server, limit):
    """max_connections 0 or −1 refuses all clients."""
    server = start_server(options={"max_connections": limit})
    for _ in range(2):
        connect(server).expect_closed_with(TOO_MANY_CONNECTIONS)


def test_p48_max_subscriptions(connect, start_server):
    """max_subscriptions: -ERR, open, UNSUB frees a slot; the limit is per connection."""
    server = start_server(options={"max_subscriptions": 2})
    c = connect(server).connect(verbose=True)
    c.send(b"SUB a 1\r\nSUB b q 2\r\n")
    c.expect(b"+OK\r\n" * 2)
    c.send(b"SUB c 3\r\nSUB c q 3\r\n")
    c.expect(TOO_MANY_SUBSCRIPTIONS * 2)
    c.send(b"PUB c 1\r\nx\r\n")
    c.expect(b"+OK\r\n")
    c.fence()
    c.send(b"UNSUB 1\r\nSUB c 3\r\nSUB d 4\r\n")
    c.expect(b"+OK\r\n" * 2 + TOO_MANY_SUBSCRIPTIONS)
    c.send(b"PUB c 1\r\nx\r\n")
    c.expect(b"+OK\r\nMSG c 3 1\r\nx\r\n")
    other = connect(server).connect(verbose=True)
    other.send(b"SUB a 1\r\nSUB b 2\r\n")
    other.expect(b"+OK\r\n" * 2)


def test_p48_auto_unsubscribe_frees_a_slot(connect, start_server):
    """A subscription that reached its maximum no longer counts."""
    c = connect(start_server(options={"max_subscriptions": 1})).connect()
    c.send(b"SUB a 1\r\nUNSUB 1 1\r\nSUB b 2\r\nPUB a 1\r\nx\r\nSUB b 2\r\nPUB b 1\r\nx\r\n")
    c.expect(TOO_MANY_SUBSCRIPTIONS + b"MSG a 1 1\r\nx\r\nMSG b 2 1\r\nx\r\n")
    c.fence()


def test_p48_is_checked_before_sid_and_subject(connect, start_server):
    """Check order: max_subscriptions, duplicate sid, subject validity."""
    c = connect(start_server(options={"max_subscriptions": 1})).connect(verbose=True)
    c.send(b"SUB a 1\r\nSUB a 1\r\nSUB a..b 2\r\n")
    c.expect(b"+OK\r\n" + TOO_MANY_SUBSCRIPTIONS * 2)


@pytest.mark.parametrize("limit", [0, -1])
def test_p48_unlimited_subscriptions(connect, start_server, limit):
    """max_subscriptions 0 or negative: unlimited."""
    c = connect(start_server(options={"max_subscriptions": limit})).connect()
    c.send(b"".join(b"SUB a.%d %d\r\n" % (i, i) for i in range(1000)))
    c.fence()


def test_p49_max_sub_tokens(connect, start_server):
    """max_sub_tokens text and staying open; it counts the tokens of SUB subjects only."""
    c = connect(start_server(options={"max_sub_tokens": 3})).connect(verbose=True)
    c.send(b"SUB a.b.c 1\r\nSUB *.*.> 2\r\n")
    c.expect(b"+OK\r\n" * 2)
    c.send(b"SUB a.b.c.d 3\r\nSUB a.b.c.> q 3\r\n")
    c.expect(b"-ERR 'Permissions Violation for Subscription to \"a.b.c.d\", too many tokens'\r\n"
             b"-ERR 'Permissions Violation for Subscription to \"a.b.c.>\", too many tokens'\r\n")
    c.send(b"PUB a.b.c.d 1\r\nx\r\n")
    c.expect(b"+OK\r\nMSG a.b.c.d 2 1\r\nx\r\n")
    c.fence()


def test_p49_is_checked_before_the_number_of_subscriptions(connect, start_server):
    """Check order: max_sub_tokens before max_subscriptions, duplicate sid and subject validity."""
    c = connect(start_server(options={"max_sub_tokens": 2, "max_subscriptions": 1})).connect()
    c.send(b"SUB a 1\r\nSUB a.b.c 1\r\nSUB a..b 2\r\nSUB a 3\r\n")
    c.expect(b"-ERR 'Permissions Violation for Subscription to \"a.b.c\", too many tokens'\r\n"
             b"-ERR 'Permissions Violation for Subscription to \"a..b\", too many tokens'\r\n" + TOO_MANY_SUBSCRIPTIONS)
    c.fence()


@pytest.mark.parametrize("limit", [1, 255])
def test_p49_range(connect, start_server, limit):
    """max_sub_tokens is 1…255."""
    c = connect(start_server(options={"max_sub_tokens": limit})).connect()
    most = b".".join([b"t"] * limit)
    c.send(b"SUB %s 1\r\nSUB %s.t 2\r\n" % (most, most))
    c.expect(b"-ERR 'Permissions Violation for Subscription to \"%s.t\", too many tokens'\r\n" % most)
    c.fence()


@pytest.mark.parametrize("limit", [0, 256, -1])
def test_p49_out_of_range(start_server, limit):
    """max_sub_tokens 0 and 256 are configuration errors."""
    server = start_server(options={"max_sub_tokens": limit}, wait=False)
    assert server.wait_exit() == 1
    assert "max_sub_tokens" in server.log()
