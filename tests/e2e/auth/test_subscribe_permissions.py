# SPDX-License-Identifier: Apache-2.0
"""What users may subscribe to, and what is kept from those who subscribe to more than they may hear."""

import pytest

from e2e.auth.lines import pub, sub_denied

CONFIG = """
authorization { users: [
    {user: pub, password: pw}
    {user: s, password: pw, permissions: {subscribe: "s.>"}}
    {user: q, password: pw, permissions: {sub: ["q.x grp", "q.y v*", "q.z *.z", "q.w >"]}}
    {user: m, password: pw, permissions: {subscribe: ["m", "m g1"]}}
    {user: foo, password: pw, permissions: {subscribe: "foo.*"}}
    {user: nofoo, password: pw, permissions: {export: {deny: "foo.*"}}}
    {user: deny, password: pw, permissions: {subscribe: {deny: ["s.w.*", "x.y", "k qd", "z.> qd"]}}}
    {user: both, password: pw, permissions: {subscribe: {allow: ["a.>", "b q"], deny: ["a.secret", "a.b q"]}}}
    {user: one, password: pw, permissions: {subscribe: {deny: ["t.1"]}}}
] }
"""
ALLOWED = [
    ("s", b"s.a"), ("s", b"s.*"), ("s", b"s.>"), ("s", b"s.a.*"), ("s", b"s.a anyqueue"), ("s", b"s.> anyqueue"),
    ("q", b"q.x grp"), ("q", b"q.y v*"), ("q", b"q.z a.z"), ("q", b"q.z *.z"), ("q", b"q.w any"), ("q", b"q.w a.b"),
    ("m", b"m"), ("m", b"m g1"), ("foo", b"foo.a"), ("foo", b"foo.*"), ("nofoo", b"foo"), ("nofoo", b"foo.a.b"), ("nofoo", b">"),
    ("deny", b"s.w"), ("deny", b"x.*"), ("deny", b">"), ("deny", b"x.y.z"), ("deny", b"k"), ("deny", b"k qz"), ("deny", b"z.a qz"),
    ("both", b"a.b"), ("both", b"a.b r"), ("both", b"a.>"), ("both", b"a.*"), ("both", b"b q"),
]
DENIED = [
    ("s", b">"), ("s", b"s"), ("s", b"*.a"), ("s", b"t.a"), ("s", b"s q"), ("s", b"S.a"), ("s", b"_INBOX.a.b"), ("s", b"$SYS.>"),
    ("q", b"q.x"), ("q", b"q.x other"), ("q", b"q.y v1"), ("q", b"q.z z"), ("q", b"q.z a.b.z"), ("q", b"q.w"),
    ("m", b"m g2"), ("m", b"n"), ("foo", b"foo"), ("foo", b"foo.a.b"), ("foo", b">"), ("foo", b"*.a"),
    ("nofoo", b"foo.a"), ("nofoo", b"foo.*"), ("nofoo", b"foo.>"), ("nofoo", b"foo.a q"),
    ("deny", b"s.w.*"), ("deny", b"s.w.a"), ("deny", b"s.w.>"), ("deny", b"x.y"), ("deny", b"x.y q"), ("deny", b"k qd"),
    ("deny", b"z.a qd"),
    ("both", b"a.secret"), ("both", b"a.secret q"), ("both", b"a.b q"), ("both", b"b"), ("both", b"b r"), ("both", b"c"),
]


@pytest.mark.parametrize("user, what", ALLOWED, ids=str)
def test_a17_allowed(login, user, what):
    """Wildcards of the subscription are matched as tokens against the entries."""
    c = login(user)
    c.send(b"SUB %s 1\r\n" % what)
    c.fence()


@pytest.mark.parametrize("user, what", DENIED, ids=str)
def test_a17_denied(login, server, user, what):
    """The error and the log line say which subscription; the connection stays (A-24)."""
    subject, _, queue = what.partition(b" ")
    c = login(user)
    c.send(b"SUB %s 1\r\n" % what)
    c.expect(sub_denied(subject, queue))
    c.fence()
    message = f'- "$G/user:{user}" - Subscription Violation - Subject "{subject.decode()}", '
    message += (f'Queue: "{queue.decode()}", ' if queue else "") + "SID 1"
    assert server.wait_log(rf"\[ERR\] 127\.0\.0\.1:\d+ - cid:{c.cid} - .*").group().endswith(message)


def test_a17_denied_subscription_hears_nothing(login):
    """It does not exist: no message, nothing to UNSUB, its sid is free."""
    c, publisher = login("s"), login("pub")
    c.send(b"SUB t.denied 1\r\n")
    c.expect(sub_denied(b"t.denied"))
    publisher.send(pub(b"t.denied", b"x"))
    publisher.fence()
    c.send(b"UNSUB 1\r\nSUB s.free 1\r\n")
    c.fence()
    publisher.send(pub(b"s.free", b"y"))
    c.expect(b"MSG s.free 1 1\r\ny\r\n")
    c.fence()


def test_a24_verbose(login):
    """A subscription that is denied is answered by -ERR alone."""
    c = login("s", verbose=True)
    c.send(b"SUB x 1\r\nSUB s.a 2\r\n")
    c.expect(sub_denied(b"x") + b"+OK\r\n")
    c.fence()


def test_a24_many_violations(login):
    """However many there are, the connection stays."""
    c = login("s")
    c.send(b"SUB x 1\r\n" * 1000)
    c.expect(sub_denied(b"x") * 1000)
    c.fence()


@pytest.mark.ours
@pytest.mark.parametrize("user, what", [("foo", b"foo.>"), ("foo", b"foo.> q"), ("q", b"q.> grp")])
def test_a18_subscription_must_be_covered(login, user, what):
    """SUB foo.> under allow foo.*: the Go server accepts it, and so gives away foo.a.b; we refuse."""
    subject, _, queue = what.partition(b" ")
    c = login(user)
    c.send(b"SUB %s 1\r\n" % what)
    c.expect(sub_denied(subject, queue))
    c.fence()


@pytest.mark.peer_only
def test_a18_hole_of_the_peer(login, heard):
    """What A-18 is about; if this fails the Go server has been mended."""
    c, publisher = login("foo"), login("pub")
    c.send(b"SUB foo.> 1\r\n")
    c.fence()
    publisher.send(pub(b"foo.a.b", b"x"))
    publisher.fence()
    assert heard(c) == [(b"foo.a.b", b"x")]


@pytest.mark.parametrize("user, what, delivered, filtered", [
    ("deny", b"x.*", [b"x.a", b"x.z"], [b"x.y"]),
    ("deny", b">", [b"x.a", b"s.w", b"s.w.a.b", b"k", b"z.a"], [b"x.y", b"s.w.a", b"s.w.b"]),
    ("deny", b"> qd", [b"x.a", b"s.w", b"z"], [b"x.y", b"s.w.a", b"k", b"z.a"]),
    ("deny", b"> other", [b"x.a", b"k", b"z.a"], [b"x.y", b"s.w.a"]),
    ("deny", b"*.y", [b"z.y", b"s.y"], [b"x.y"]),
    ("both", b"a.>", [b"a.a", b"a.b", b"a.secret.x"], [b"a.secret"]),
    ("both", b"a.> q", [b"a.a", b"a.secret.x"], [b"a.secret", b"a.b"]),
    ("nofoo", b">", [b"foo", b"foo.a.b"], [b"foo.a", b"foo.b"]),
], ids=str)
def test_a19_delivery_filter(login, heard, user, what, delivered, filtered):
    """A wider subscription is accepted; messages on subjects that are denied do not come, neither at first nor later."""
    c, publisher = login(user), login("pub")
    c.send(b"SUB %s 1\r\n" % what)
    c.fence()
    for _ in range(3):
        for subject in (*delivered, *filtered, *delivered):
            publisher.send(pub(subject, b"x"))
        publisher.fence()
        assert heard(c) == [(subject, b"x") for subject in (*delivered, *delivered)]


def test_a19_other_subscriptions_of_the_connection_are_not_filtered(login, heard):
    """The filter is the connection's own: others hear the same subject, and so does a subscription besides."""
    c, free, publisher = login("one"), login("pub"), login("pub")
    c.send(b"SUB t.* 1\r\nSUB t.2 2\r\n")
    free.send(b"SUB t.* 1\r\n")
    for client in (c, free):
        client.fence()
    publisher.send(pub(b"t.1", b"x") + pub(b"t.2", b"y"))
    publisher.fence()
    assert heard(free) == [(b"t.1", b"x"), (b"t.2", b"y")]
    assert heard(c) == [(b"t.2", b"y"), (b"t.2", b"y")]


def test_a19_another_member_of_the_group_gets_it(login, heard):
    """A message that one member of a queue group may not have goes to another."""
    barred, free, publisher = login("one"), login("pub"), login("pub")
    for client in (barred, free):
        client.send(b"SUB t.* 1\r\n".replace(b"t.*", b"t.* workers"))
        client.fence()
    publisher.send(pub(b"t.1", b"x") * 50)
    publisher.fence()
    barred.fence()
    assert heard(free) == [(b"t.1", b"x")] * 50


def test_a19_filtered_messages_do_not_count(login, heard):
    """UNSUB after n messages counts those that came."""
    c, publisher = login("one"), login("pub")
    c.send(b"SUB t.* 1\r\nUNSUB 1 2\r\n")
    c.fence()
    publisher.send((pub(b"t.1", b"x") + pub(b"t.2", b"y")) * 3)
    publisher.fence()
    assert heard(c) == [(b"t.2", b"y")] * 2


def test_inboxes_are_subjects_like_any_other(login):
    """No exception for _INBOX: a requester must be allowed to hear answers."""
    c = login("s")
    c.send(b"SUB _INBOX.abc.* 1\r\n")
    c.expect(sub_denied(b"_INBOX.abc.*"))
