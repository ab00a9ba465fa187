# SPDX-License-Identifier: Apache-2.0
"""UNSUB, auto-unsubscribe, and sids used twice."""

import pytest


def pub(subject: bytes, n: int = 1) -> bytes:
    return b"PUB %s 1\r\nx\r\n" % subject * n


def msg(subject: bytes, sid: int = 1, n: int = 1) -> bytes:
    return b"MSG %s %d 1\r\nx\r\n" % (subject, sid) * n


def test_p26_duplicate_sid_keeps_the_first(connect, subject):
    """Duplicate sid keeps the first subscription; no error, +OK in verbose, whatever the second one says."""
    c = connect().connect(verbose=True)
    c.send(b"SUB %s.a 1\r\nSUB %s.b 1\r\nSUB %s.a q 1\r\nSUB %s..x 1\r\n" % ((subject,) * 4))
    c.expect(b"+OK\r\n" * 4)
    c.send(pub(subject + b".a") + pub(subject + b".b"))
    c.expect(b"+OK\r\n" + msg(subject + b".a") + b"+OK\r\n")
    c.fence()
    c.send(b"UNSUB 1\r\n" + pub(subject + b".a") + pub(subject + b".b"))
    c.expect(b"+OK\r\n" * 3)
    c.fence()


def test_p26_sids_are_per_connection(connect, subject):
    """Two connections may use the same sid."""
    a, b = connect().connect(), connect().connect()
    for c in (a, b):
        c.send(b"SUB %s 1\r\n" % subject)
        c.fence()
    a.send(pub(subject))
    for c in (a, b):
        c.expect(msg(subject))
        c.fence()
    a.send(b"UNSUB 1\r\n" + pub(subject))
    b.expect(msg(subject))
    a.fence()


@pytest.mark.parametrize("queue", [b"", b"q "], ids=["plain", "queue"])
def test_p27_auto_unsubscribe_before_delivery(connect, subject, queue):
    """After max deliveries the subscription is gone."""
    c = connect().connect()
    c.send(b"SUB %s %s1\r\nUNSUB 1 3\r\n" % (subject, queue) + pub(subject, 6))
    c.expect(msg(subject, n=3))
    c.fence()


@pytest.mark.parametrize("queue", [b"", b"q "], ids=["plain", "queue"])
def test_p27_auto_unsubscribe_counts_from_sub(connect, subject, queue):
    """Auto-unsubscribe counts from SUB, not from UNSUB."""
    c = connect().connect()
    c.send(b"SUB %s %s1\r\n" % (subject, queue) + pub(subject, 2) + b"UNSUB 1 3\r\n" + pub(subject, 3))
    c.expect(msg(subject, n=3))
    c.fence()


def test_p27_auto_unsubscribe_with_other_publishers(connect, subject):
    """Exactly max messages arrive however many publish at once."""
    subscriber, publishers = connect().connect(), [connect().connect() for _ in range(4)]
    for sid in range(20):
        subscriber.send(b"SUB %s %d\r\nUNSUB %d 5\r\n" % (subject, sid, sid))
        subscriber.fence()
        for p in publishers:
            p.send(pub(subject, 10))
        for p in publishers:
            p.fence()
        assert subscriber.ping() == msg(subject, sid, 5)


@pytest.mark.parametrize("maximum", [b"", b" 0", b" 1", b" 2", b" abc", b" -1", b" 1234567890", b" 0000000009", b" 3x"])
def test_p27_unsub_removes_at_once(connect, subject, maximum):
    """UNSUB with max ≤ delivered, 0, non-number or ≥10 digits removes at once, as UNSUB without max does."""
    c = connect().connect()
    c.send(b"SUB %s 1\r\n" % subject + pub(subject, 2) + b"UNSUB 1" + maximum + b"\r\n" + pub(subject, 2))
    c.expect(msg(subject, n=2))
    c.fence()
    c.send(b"SUB %s 1\r\n" % subject + pub(subject))
    c.expect(msg(subject))
    c.fence()


@pytest.mark.parametrize("second, n", [(b" 4", 4), (b" 1", 1), (b"", 0), (b" 0", 0), (b" 999999999", 6)],
                         ids=["higher", "lower", "none", "zero", "huge"])
def test_p27_a_later_unsub_replaces(connect, subject, second, n):
    """A later UNSUB replaces the maximum."""
    c = connect().connect()
    c.send(b"SUB %s 1\r\nUNSUB 1 2\r\nUNSUB 1%s\r\n" % (subject, second) + pub(subject, 6))
    c.expect(msg(subject, n=n))
    c.fence()


def test_p27_only_that_subscription(connect, subject):
    """Others, on the same subject and connection, stay."""
    c = connect().connect()
    c.send(b"SUB %s 1\r\nUNSUB 1 1\r\n" % subject + pub(subject) + b"SUB %s 2\r\n" % subject + pub(subject, 2))
    c.expect(msg(subject) + msg(subject, 2, 2))
    c.fence()


def test_p28_sid_is_free_after_auto_unsubscribe(connect, subject):
    """sid reusable after auto-unsubscribe fired, with a count of its own."""
    c = connect().connect()
    for _ in range(3):
        c.send(b"SUB %s 1\r\nUNSUB 1 2\r\n" % subject + pub(subject, 3))
        c.expect(msg(subject, n=2))
        c.fence()
    c.send(b"SUB %s.other 1\r\n" % subject + pub(subject) + pub(subject + b".other", 4))
    c.expect(msg(subject + b".other", n=4))
    c.fence()


def test_p29_unsub_of_an_unknown_sid(connect):
    """UNSUB unknown sid is silent, +OK in verbose."""
    c = connect().connect()
    c.send(b"UNSUB 1\r\nUNSUB never 5\r\n")
    c.fence()
    c = connect().connect(verbose=True)
    c.send(b"UNSUB 1\r\nUNSUB never 5\r\n")
    c.expect(b"+OK\r\n+OK\r\n")
    c.fence()


def test_p29_a_maximum_for_an_unknown_sid_is_forgotten(connect, subject):
    """UNSUB before SUB leaves nothing behind."""
    c = connect().connect()
    c.send(b"UNSUB 1 1\r\nSUB %s 1\r\n" % subject + pub(subject, 3))
    c.expect(msg(subject, n=3))
    c.fence()


def test_unsub_is_final(connect, subject):
    """After the PONG that follows an UNSUB nothing arrives for that sid, whoever publishes."""
    subscriber, publisher = connect().connect(), connect().connect()
    for sid in range(20):
        subscriber.send(b"SUB %s %d\r\n" % (subject, sid))
        subscriber.fence()
        publisher.send(pub(subject, 50))
        subscriber.send(b"UNSUB %d\r\n" % sid)
        got = subscriber.ping()
        assert got == msg(subject, sid, got.count(b"MSG "))
        publisher.send(pub(subject, 50))
        publisher.fence()
        subscriber.fence()
