# SPDX-License-Identifier: Apache-2.0
"""The 503 that tells a requester that nobody listens."""

import pytest

CAPABLE = {"headers": True, "no_responders": True}


def status(reply: bytes, sid: int, subject: bytes) -> bytes:
    n = 32 + len(subject)
    return b"HMSG %s %d %d %d\r\nNATS/1.0 503\r\nNats-Subject: %s\r\n\r\n\r\n" % (reply, sid, n, n, subject)


def test_p36_exact_bytes(connect, subject):
    """503 exact bytes of §17."""
    c = connect().connect(**CAPABLE)
    c.send(b"SUB %s.r 9\r\nPUB %s.nobody %s.r 2\r\nhi\r\n" % (subject, subject, subject))
    c.expect(status(subject + b".r", 9, subject + b".nobody"))
    c.fence()


@pytest.mark.parametrize("publish", [b"PUB %s.nobody %s.r.1 0\r\n\r\n", b"HPUB %s.nobody %s.r.1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n"],
                         ids=["pub-empty", "hpub"])
def test_p36_wildcard_inbox(connect, subject, publish):
    """A wildcard subscription matching the reply is served, under the reply's own subject; the payload is always empty."""
    c = connect().connect(**CAPABLE)
    c.send(b"SUB %s.r.* 9\r\n" % subject + publish % (subject, subject))
    c.expect(status(subject + b".r.1", 9, subject + b".nobody"))
    c.fence()


def test_p36_only_one_of_several_subscriptions(connect, subject):
    """Several own subscriptions match the reply: one 503."""
    c = connect().connect(**CAPABLE)
    c.send(b"SUB %s.r 1\r\nSUB %s.r 2\r\nPUB %s.nobody %s.r 2\r\nhi\r\n" % ((subject,) * 4))
    assert c.ping() in [status(subject + b".r", sid, subject + b".nobody") for sid in (1, 2)]
    c.fence()


def test_p36_follows_ok(connect, subject):
    """In verbose the 503 follows the publish's +OK."""
    c = connect().connect(verbose=True, **CAPABLE)
    c.send(b"SUB %s.r 9\r\nPUB %s.nobody %s.r 2\r\nhi\r\n" % (subject, subject, subject))
    c.expect(b"+OK\r\n+OK\r\n" + status(subject + b".r", 9, subject + b".nobody"))
    c.fence()


def test_p36_malformed_subject(connect, subject):
    """A malformed publish subject, which matches nothing, gets its 503 too."""
    c = connect().connect(**CAPABLE)
    c.send(b"SUB %s.r 9\r\nPUB %s..b %s.r 2\r\nhi\r\n" % (subject, subject, subject))
    c.expect(status(subject + b".r", 9, subject + b"..b"))
    c.fence()


def test_p36_none_for_a_queue_subscription(connect, subject):
    """None for queue-subscribed reply."""
    c = connect().connect(**CAPABLE)
    c.send(b"SUB %s.r q 9\r\nPUB %s.nobody %s.r 2\r\nhi\r\n" % (subject, subject, subject))
    c.fence()


def test_p36_none_without_own_subscription(connect, subject):
    """None without own subscription: not even when somebody else holds one."""
    c, other = connect().connect(**CAPABLE), connect().connect(**CAPABLE)
    other.send(b"SUB %s.r 9\r\n" % subject)
    other.fence()
    c.send(b"PUB %s.nobody %s.r 2\r\nhi\r\n" % (subject, subject))
    c.fence()
    other.fence()


def test_p36_only_to_the_publisher(connect, subject):
    """Others subscribed to the reply get nothing."""
    c, other = connect().connect(**CAPABLE), connect().connect(**CAPABLE)
    other.send(b"SUB %s.r 9\r\n" % subject)
    other.fence()
    c.send(b"SUB %s.r 1\r\nPUB %s.nobody %s.r 2\r\nhi\r\n" % (subject, subject, subject))
    c.expect(status(subject + b".r", 1, subject + b".nobody"))
    other.fence()


def test_p36_none_without_reply(connect, subject):
    """None for a publish without reply."""
    c = connect().connect(**CAPABLE)
    c.send(b"SUB %s.r 9\r\nPUB %s.nobody 2\r\nhi\r\n" % (subject, subject))
    c.fence()


def test_p36_none_when_somebody_listens(connect, subject):
    """None when a plain or a queue subscription got the message."""
    c, other = connect().connect(**CAPABLE), connect().connect()
    c.send(b"SUB %s.r 9\r\n" % subject)
    for queue in (b"", b"q "):
        other.send(b"SUB %s.svc %s1\r\nUNSUB 1 1\r\n" % (subject, queue))
        other.fence()
        c.send(b"PUB %s.svc %s.r 2\r\nhi\r\n" % (subject, subject))
        other.expect(b"MSG %s.svc 1 %s.r 2\r\nhi\r\n" % (subject, subject))
        c.fence()
    c.send(b"PUB %s.svc %s.r 2\r\nhi\r\n" % (subject, subject))
    c.expect(status(subject + b".r", 9, subject + b".svc"))


def test_p36_own_subscription_is_somebody(connect, subject):
    """The publisher's own subscription counts as a responder, unless echo is off."""
    c = connect().connect(**CAPABLE)
    c.send(b"SUB %s.> 9\r\nPUB %s.nobody %s.r 2\r\nhi\r\n" % (subject, subject, subject))
    c.expect(b"MSG %s.nobody 9 %s.r 2\r\nhi\r\n" % (subject, subject))
    c.fence()


@pytest.mark.parametrize("fields", [{"headers": True}, {"headers": True, "no_responders": False}, {}])
def test_p36_only_who_asked(connect, subject, fields):
    """None without no_responders in CONNECT."""
    c = connect().connect(**fields)
    c.send(b"SUB %s.r 9\r\nPUB %s.nobody %s.r 2\r\nhi\r\n" % (subject, subject, subject))
    c.fence()


def test_p36_none_after_a_refused_publish(connect, subject):
    """A publish refused for lack of permission gets its error, no 503."""
    c = connect().connect(**CAPABLE)
    c.send(b"SUB %s.r 9\r\nPUB _GR_.x %s.r 2\r\nhi\r\n" % (subject, subject))
    c.expect(b"-ERR 'Permissions Violation for Publish to \"_GR_.x\"'\r\n")
    c.fence()


def test_p36_does_not_count_for_auto_unsubscribe(connect, subject):
    """The 503 is not counted toward auto-unsubscribe."""
    c = connect().connect(**CAPABLE)
    reply, nobody = subject + b".r", subject + b".nobody"
    c.send(b"SUB %s 9\r\nUNSUB 9 1\r\n" % reply + b"PUB %s %s 2\r\nhi\r\n" % (nobody, reply) * 3)
    c.expect(status(reply, 9, nobody) * 3)
    c.send(b"PUB %s 1\r\na\r\nPUB %s 1\r\nb\r\n" % (reply, reply))
    c.expect(b"MSG %s 9 1\r\na\r\n" % reply)
    c.fence()


@pytest.mark.parametrize("queue", [b"", b"q "], ids=["plain", "queue"])
def test_p37_own_subscription_hidden_by_echo(connect, subject, queue):
    """503 when the only subscriber is the echo-disabled publisher."""
    c = connect().connect(echo=False, **CAPABLE)
    c.send(b"SUB %s.r 9\r\nSUB %s.svc %s1\r\nPUB %s.svc %s.r 2\r\nhi\r\n" % (subject, subject, queue, subject, subject))
    c.expect(status(subject + b".r", 9, subject + b".svc"))
    c.fence()
