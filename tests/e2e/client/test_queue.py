# SPDX-License-Identifier: Apache-2.0
"""Queue groups: one member of each gets a message."""

import collections
import re

import pytest

from harness import eventually


def counts(received: bytes) -> collections.Counter:
    """Messages per sid."""
    return collections.Counter(re.findall(rb"MSG [^ ]+ ([^ ]+) ", received))


def test_p31_members_share_evenly(connect, subject):
    """Group members share messages about evenly (3 members, 600 msgs: each > 100)."""
    publisher, members = connect().connect(), [connect().connect() for _ in range(3)]
    for c in members:
        c.send(b"SUB %s q 1\r\n" % subject)
        c.fence()
    publisher.send(b"PUB %s 1\r\nx\r\n" % subject * 600)
    publisher.fence()
    shares = [counts(c.ping())[b"1"] for c in members]
    assert sum(shares) == 600
    assert min(shares) > 100


def test_p31_members_on_one_connection(connect, subject):
    """The same when the members are subscriptions of one connection."""
    c = connect().connect()
    c.send(b"SUB %s q 1\r\nSUB %s q 2\r\nSUB %s q 3\r\n" % (subject, subject, subject) + b"PUB %s 1\r\nx\r\n" % subject * 600)
    shares = counts(c.ping())
    assert sum(shares.values()) == 600
    assert len(shares) == 3 and min(shares.values()) > 100


def test_p31_a_member_that_leaves_gets_nothing_more(connect, subject):
    """Members come and go: who is left gets everything."""
    publisher, members = connect().connect(), [connect().connect() for _ in range(3)]
    for c in members:
        c.send(b"SUB %s q 1\r\n" % subject)
        c.fence()
    members[0].send(b"UNSUB 1\r\n")
    members[0].fence()
    members[1].close()

    def everything_reaches_the_last():
        publisher.send(b"PUB %s 1\r\nx\r\n" % subject * 30)
        publisher.fence()
        return counts(members[2].ping())[b"1"] == 30

    eventually(everything_reaches_the_last)
    assert everything_reaches_the_last()
    members[0].fence()


def test_p31_auto_unsubscribe_of_a_member(connect, subject):
    """A member that reached its maximum leaves the group; no message is lost."""
    publisher, a, b = connect().connect(), connect().connect(), connect().connect()
    a.send(b"SUB %s q 1\r\nUNSUB 1 5\r\n" % subject)
    b.send(b"SUB %s q 1\r\n" % subject)
    for c in (a, b):
        c.fence()
    publisher.send(b"PUB %s 1\r\nx\r\n" % subject * 200)
    publisher.fence()
    assert counts(a.ping())[b"1"] == 5
    assert counts(b.ping())[b"1"] == 195


def test_p32_two_groups_and_a_plain_subscription(connect, subject):
    """Two groups + plain sub: exactly one MSG each."""
    publisher, members = connect().connect(), [connect().connect() for _ in range(5)]
    for c, queue in zip(members, (b"q1 ", b"q1 ", b"q2 ", b"q2 ", b"")):
        c.send(b"SUB %s %s1\r\n" % (subject, queue))
        c.fence()
    for _ in range(20):
        publisher.send(b"PUB %s 1\r\nx\r\n" % subject)
        publisher.fence()
        n = [counts(c.ping())[b"1"] for c in members]
        assert (n[0] + n[1], n[2] + n[3], n[4]) == (1, 1, 1)


@pytest.mark.parametrize("one_connection", [True, False])
def test_p32_one_group_over_overlapping_subjects(connect, subject, one_connection):
    """Same group name over overlapping subjects: one MSG."""
    a = connect().connect()
    b = a if one_connection else connect().connect()
    publisher = connect().connect()
    a.send(b"SUB %s.a q 1\r\n" % subject)
    b.send(b"SUB %s.* q 2\r\nSUB %s.> q 3\r\n" % (subject, subject))
    for c in (a, b):
        c.fence()
    publisher.send(b"PUB %s.a 1\r\nx\r\n" % subject * 100)
    publisher.fence()
    shares = counts(a.ping()) + (counts(b.ping()) if b is not a else collections.Counter())
    assert sum(shares.values()) == 100


def test_p32_groups_of_different_subjects(connect, subject):
    """A group with one name is still two where subjects do not overlap."""
    c = connect().connect()
    c.send(b"SUB %s.a q 1\r\nSUB %s.b q 2\r\nPUB %s.a 1\r\nx\r\nPUB %s.b 1\r\nx\r\n" % ((subject,) * 4))
    c.expect(b"MSG %s.a 1 1\r\nx\r\nMSG %s.b 2 1\r\nx\r\n" % (subject, subject))
    c.fence()


@pytest.mark.parametrize("queue", [b"q..>", b"*", b".", b">", b"_sys", b"\xff\x01", b"q" * 1000])
def test_queue_name_is_any_word(connect, subject, queue):
    """A queue name is any non-blank bytes, not validated as a subject."""
    c = connect().connect(pedantic=True)
    c.send(b"SUB %s %s 1\r\nSUB %s %s 2\r\nPUB %s 1\r\nx\r\n" % (subject, queue, subject, queue, subject))
    assert sum(counts(c.ping()).values()) == 1


def test_queue_names_are_compared_as_bytes(connect, subject):
    """q and Q are two groups."""
    c = connect().connect()
    c.send(b"SUB %s q 1\r\nSUB %s Q 2\r\nPUB %s 1\r\nx\r\n" % (subject, subject, subject))
    assert counts(c.ping()) == {b"1": 1, b"2": 1}


def test_p30_echo_false_picks_another_member(connect, subject):
    """With echo=false the publisher's own member is passed over, another one of the group gets the message."""
    a, b = connect().connect(echo=False), connect().connect()
    for c in (a, b):
        c.send(b"SUB %s q 1\r\n" % subject)
        c.fence()
    a.send(b"PUB %s 1\r\nx\r\n" % subject * 50)
    a.fence()
    assert counts(b.ping())[b"1"] == 50
