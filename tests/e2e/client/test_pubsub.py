# SPDX-License-Identifier: Apache-2.0
"""PUB and its payload, MSG, fan-out, echo, order."""

import pytest

SERVER_ARGS = ["-D"]
UNKNOWN = b"-ERR 'Unknown Protocol Operation'\r\n"


@pytest.mark.parametrize("payload", [b"", b"x", b"hello\r\nworld", b"\r\n", b"\x00\xff\x00", b"\0PING\r\nPUB a 1\r\n",
                                     bytes(range(256)) * 300],
                         ids=["empty", "one", "crlf-inside", "crlf", "binary", "verbs", "75k"])
def test_payload_is_opaque(connect, subject, payload):
    """Size 0 is allowed; any bytes arrive as they were sent, with and without a reply."""
    c = connect().connect()
    c.send(b"SUB %s 1\r\nPUB %s %d\r\n%s\r\n" % (subject, subject, len(payload), payload))
    c.expect(b"MSG %s 1 %d\r\n%s\r\n" % (subject, len(payload), payload))
    c.send(b"PUB %s re.ply %d\r\n%s\r\n" % (subject, len(payload), payload))
    c.expect(b"MSG %s 1 re.ply %d\r\n%s\r\n" % (subject, len(payload), payload))
    c.fence()


@pytest.mark.parametrize("size", [b"abc", b"-1", b"+1", b"1.0", b"0x1", b"1a", b"0000000002", b"1234567890", b"99999999999999999999"])
@pytest.mark.parametrize("line", [b"PUB foo %s", b"PUB foo reply %s", b"HPUB foo %s 20", b"HPUB foo 0 %s"])
def test_p18_bad_sizes(connect, server, line, size):
    """Sizes `abc`, `-1`, `+1`, 10 digits close without -ERR."""
    c = connect().connect(headers=True)
    c.send(line % size + b"\r\n")
    c.expect_eof()
    assert server.closed_reason(c.cid) == "Protocol Violation"


@pytest.mark.parametrize("line", [b"PUB foo 999999999", b"PUB foo 1048577", b"HPUB foo 0 999999999", b"HPUB foo 12 1048577",
                                  b"HPUB foo 999999999 999999999"])
def test_p18_nine_digits_over_the_limit(connect, server, line):
    """9 digits over limit → Maximum Payload Violation, close."""
    c = connect().connect(headers=True)
    c.send(line + b"\r\n")
    c.expect_closed_with(b"-ERR 'Maximum Payload Violation'\r\n")
    assert server.closed_reason(c.cid) == "Maximum Message Payload Exceeded"


def test_p18_leading_zeros(connect, subject):
    """Leading zeros are allowed, up to nine digits; the receiver sees the number with or without them."""
    c = connect().connect()
    c.send(b"SUB %s 1\r\nPUB %s 000000002\r\nhi\r\n" % (subject, subject))
    c.expect_re(rb"MSG %s 1 0*2\r\nhi\r\n" % subject.replace(b".", rb"\."))
    c.fence()


def test_p19_payload_at_the_default_limit(connect, subject):
    """Payload of exactly max_payload is delivered."""
    c, n = connect().connect(), 1048576
    c.send(b"SUB %s 1\r\nPUB %s %d\r\n" % (subject, subject, n))
    c.send(b"x" * n + b"\r\n")
    c.expect(b"MSG %s 1 %d\r\n" % (subject, n))
    assert c.read_exactly(n) == b"x" * n
    c.expect(b"\r\n")
    c.fence()


@pytest.mark.parametrize("payload, closing", [
    (b"abc", b"PUB foo 2"), (b"ab", b"PUB foo 3"), (b"", b"PUB foo 1"), (b"x", b"PUB foo 0"), (b"hi\n", b"PUB foo 2"),
    (b"hi\r", b"PUB foo 2"), (b"NATS/1.0\r\n\r\nabc", b"HPUB foo 12 14"), (b"NATS/1.0\r\n\r\n", b"HPUB foo 12 14"),
], ids=["longer", "shorter", "missing", "unexpected", "lf-only", "cr-cr", "hpub-longer", "hpub-shorter"])
def test_p20_payload_of_another_length(connect, server, payload, closing):
    """Payload longer/shorter than declared → Unknown Protocol Operation, close."""
    c = connect().connect(headers=True)
    c.send(closing + b"\r\n" + payload + b"\r\nPING\r\n")
    c.expect_closed_with(UNKNOWN)
    assert server.closed_reason(c.cid) == "Protocol Violation"


def test_p20_the_broken_message_is_not_delivered(connect, subject):
    """A message whose payload is not followed by CRLF reaches nobody; what came before it does."""
    subscriber, publisher = connect().connect(), connect().connect()
    subscriber.send(b"SUB %s 1\r\n" % subject)
    subscriber.fence()
    publisher.send(b"PUB %s 2\r\nok\r\nPUB %s 2\r\nbad\r\n" % (subject, subject))
    publisher.expect_closed_with(UNKNOWN)
    subscriber.expect(b"MSG %s 1 2\r\nok\r\n" % subject)
    subscriber.fence()


def test_fan_out(connect, subject):
    """Every subscription of every connection gets its own MSG, in the publisher's order."""
    publisher, subscribers = connect().connect(), [connect().connect() for _ in range(10)]
    for c in subscribers:
        c.send(b"SUB %s 1\r\n" % subject)
        c.fence()
    publisher.send(b"".join(b"PUB %s %d\r\n%d\r\n" % (subject, len(str(i)), i) for i in range(500)))
    publisher.fence()
    expected = b"".join(b"MSG %s 1 %d\r\n%d\r\n" % (subject, len(str(i)), i) for i in range(500))
    for c in subscribers:
        c.expect(expected)
        c.fence()


def test_what_a_publisher_saw_confirmed_is_on_its_way(connect, subject):
    """A PONG to the publisher means that its messages are queued: they precede whatever any subscriber asks for later."""
    publisher, subscribers = connect().connect(), [connect().connect() for _ in range(10)]
    for c in subscribers:
        c.send(b"SUB %s 1\r\n" % subject)
        c.fence()
    for _ in range(50):
        publisher.send(b"PUB %s 1\r\nx\r\n" % subject * 3)
        publisher.fence()
        for c in subscribers:
            assert c.ping() == b"MSG %s 1 1\r\nx\r\n" % subject * 3


def test_several_subscriptions_of_one_connection(connect, subject):
    """One message, several matching subscriptions on one connection: each gets its own MSG."""
    c = connect().connect()
    c.send(b"SUB %s.a 1\r\nSUB %s.* 2\r\nSUB %s.> 3\r\nSUB %s.a 4\r\nPUB %s.a 1\r\nx\r\n" % ((subject,) * 5))
    sids = {c.expect_re(rb"MSG %s\.a (\d) 1\r\nx\r\n" % subject.replace(b".", rb"\."))[1] for _ in range(4)}
    assert sids == {b"1", b"2", b"3", b"4"}
    c.fence()


def test_plain_subscriptions_come_before_queues(connect, subject):
    """On one connection plain subscriptions are served before queue groups."""
    c = connect().connect()
    c.send(b"SUB %s q 1\r\nSUB %s 2\r\n" % (subject, subject) + b"PUB %s 1\r\nx\r\n" % subject * 20)
    c.expect(b"MSG %s 2 1\r\nx\r\nMSG %s 1 1\r\nx\r\n" % (subject, subject) * 20)
    c.fence()


def test_order_of_each_publisher(connect, subject):
    """Messages of one publisher stay in order, however many publish."""
    subscriber, publishers, n = connect().connect(), [connect().connect() for _ in range(4)], 300
    subscriber.send(b"SUB %s.* 1\r\n" % subject)
    subscriber.fence()
    for k, p in enumerate(publishers):
        p.send(b"".join(b"PUB %s.%d 3\r\n%03d\r\n" % (subject, k, i) for i in range(n)))
    seen = [[] for _ in publishers]
    pattern = rb"MSG %s\.(\d) 1 3\r\n(\d+)\r\n" % subject.replace(b".", rb"\.")
    for _ in range(n * len(publishers)):
        match = subscriber.expect_re(pattern)
        seen[int(match[1])].append(int(match[2]))
    assert seen == [list(range(n))] * len(publishers)
    subscriber.fence()


@pytest.mark.parametrize("sid", [b"1", b"0", b"abc", b"-1", b"a.b.*", b"\xff\x00", b"9" * 500])
def test_sid_is_any_word(connect, subject, sid):
    """A sid is any non-blank bytes, compared as byte string."""
    c = connect().connect()
    c.send(b"SUB %s %s\r\nPUB %s 1\r\nx\r\n" % (subject, sid, subject))
    c.expect(b"MSG %s %s 1\r\nx\r\n" % (subject, sid))
    c.send(b"UNSUB %s\r\nPUB %s 1\r\nx\r\n" % (sid, subject))
    c.fence()


def test_sid_01_is_not_sid_1(connect, subject):
    """Sids are bytes, not numbers."""
    c = connect().connect()
    c.send(b"SUB %s 1\r\nSUB %s 01\r\nUNSUB 1\r\nPUB %s 1\r\nx\r\n" % (subject, subject, subject))
    c.expect(b"MSG %s 01 1\r\nx\r\n" % subject)
    c.fence()


def test_p30_echo_false(connect, subject):
    """echo=false hides own messages from plain and queue subs; others still get them, and it gets those of others."""
    c, other = connect().connect(echo=False), connect().connect()
    c.send(b"SUB %s 1\r\nSUB %s q 2\r\n" % (subject, subject))
    c.fence()
    other.send(b"SUB %s 3\r\n" % subject)
    other.fence()
    c.send(b"PUB %s 3\r\nown\r\n" % subject)
    c.fence()
    other.expect(b"MSG %s 3 3\r\nown\r\n" % subject)
    other.send(b"PUB %s 5\r\nother\r\n" % subject)
    c.expect(b"MSG %s 1 5\r\nother\r\nMSG %s 2 5\r\nother\r\n" % (subject, subject))
    c.fence()


def test_p30_echo_is_the_default(connect, subject):
    """Own messages reach own subscriptions unless echo is false."""
    c = connect()
    c.send(b'CONNECT {"verbose":false}\r\nSUB %s 1\r\nPUB %s 1\r\nx\r\n' % (subject, subject))
    c.expect(b"MSG %s 1 1\r\nx\r\n" % subject)
    c.fence()
