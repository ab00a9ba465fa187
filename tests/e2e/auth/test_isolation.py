# SPDX-License-Identifier: Apache-2.0
"""Accounts are worlds of their own: nothing of one is heard in another."""

import pytest

from e2e.auth.lines import pub

CONFIG = """
system_account: SYS
accounts {
    A { users: [ {user: a, password: pw}, {user: a2, password: pw} ] }
    B { users: [ {user: b, password: pw} ] }
    SYS { users: [ {user: sys, password: pw} ] }
}
authorization { users: [ {user: global, password: pw} ] }
"""
STRANGERS = ["b", "global", "sys"]


@pytest.fixture
def listener(login):
    """listener(user, *subscriptions) -> client that has them."""
    def listen(user, *subscriptions):
        c = login(user)
        c.send(b"".join(b"SUB %s %d\r\n" % (what, sid) for sid, what in enumerate(subscriptions, 1)))
        c.ping()
        return c

    return listen


@pytest.fixture
def say(login):
    """say(user, subject, …) publishes "x" to them and returns when it is done."""
    def publish(user, *subjects):
        with login(user) as c:
            c.send(b"".join(pub(subject, b"x") for subject in subjects))
            c.fence()

    return publish


def test_same_account(listener, say, heard, subject):
    """All users of an account hear each other."""
    c = listener("a", subject)
    say("a", subject)
    say("a2", subject)
    assert heard(c) == [(subject, b"x")] * 2


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("pattern", [b"%s", b"%s.>", b"%s.*", b">", b"*.*.*", b"%s.> q"], ids=repr)
def test_no_subscription_reaches_into_another_account(listener, say, heard, subject, stranger, pattern):
    """Literal, wildcard or queue: both hear their own."""
    what = pattern % subject if b"%s" in pattern else pattern
    theirs, ours = listener(stranger, what), listener("a", what)
    subjects = [subject, subject + b".x", subject + b".x.y"]

    def mine(client):
        return [name for name, _ in heard(client) if name.startswith(subject)]

    say("a", *subjects)
    n_ours = len(mine(ours))
    assert n_ours > 0
    assert not mine(theirs)
    say(stranger, *subjects)
    assert len(mine(theirs)) == n_ours
    assert not mine(ours)


def test_a_busy_subject_stays_apart(login, heard, subject):
    """Also when both accounts use the same subject by turns, on the same connections."""
    a, b = login("a"), login("b")
    for client in (a, b):
        client.send(b"SUB %s 1\r\n" % subject)
        client.fence()
    for i in range(50):
        for client in (a, b):
            client.send(pub(subject, b"%d" % i))
            assert heard(client) == [(subject, b"%d" % i)]


@pytest.mark.parametrize("stranger", STRANGERS)
def test_queue_groups_of_the_same_name(listener, say, heard, subject, stranger):
    """Two groups of the same name in two accounts are two groups."""
    theirs, ours = listener(stranger, subject + b" workers"), listener("a", subject + b" workers")
    say("a", *[subject] * 50)
    assert heard(ours) == [(subject, b"x")] * 50
    theirs.fence()


def test_no_responders_asks_the_own_account(login, listener, subject):
    """A service of another account is none."""
    listener("b", subject)
    c = login("a", headers=True, no_responders=True)
    c.send(b"SUB inbox.%s 1\r\n" % subject + pub(subject, b"?", b"inbox." + subject))
    c.expect_re(rb"HMSG inbox\.%s 1 (\d+) \1\r\nNATS/1\.0 503\r\n(?:[^\r]+\r\n)*\r\n\r\n" % subject)
    c.fence()


def test_answers_do_not_cross(login, listener, say, heard, subject):
    """Nobody else hears an answer, nor can send one into the other account."""
    inbox = b"_INBOX." + subject
    spy, service, asker = listener("b", b"_INBOX.>"), listener("a", subject), listener("a", inbox)
    asker.send(pub(subject, b"?", inbox))
    service.expect(b"MSG %s 1 %s 1\r\n?\r\n" % (subject, inbox))
    say("b", inbox)
    asker.fence()
    assert heard(spy) == [(inbox, b"x")]
    service.send(pub(inbox, b"!"))
    service.fence()
    assert heard(asker) == [(inbox, b"!")]
    spy.fence()


def test_events_of_the_server_stay_in_the_system_account(listener, login, refuse):
    """$SYS.> of another account hears nothing of who comes, goes, or is refused."""
    a = listener("a", b"$SYS.>", b"$SYS.ACCOUNT.*.CONNECT", b"$SYS.SERVER.>")
    login("b").close()
    login("a2").close()
    refuse(user="nobody")
    login("b").fence()
    a.fence()


def test_system_subjects_of_others(listener, say, heard):
    """What is published there by a user of another account stays in that account."""
    subjects = [b"$SYS.ACCOUNT.B.fake", b"$SYS.SERVER.fake", b"$SYS.fake"]
    system, b, a = listener("sys", b"$SYS.*.*.fake", b"$SYS.*.fake", b"$SYS.fake"), listener("b", b"$SYS.>"), listener("a", b"$SYS.>")
    say("a2", *subjects)
    assert heard(a) == [(subject, b"x") for subject in subjects]
    b.fence()
    system.fence()


def test_global_account_is_one_of_them(listener, say, heard, subject):
    """$G is not above the others."""
    everyone = {user: listener(user, subject) for user in ("a", *STRANGERS)}
    for user, client in everyone.items():
        say(user, subject)
        assert heard(client) == [(subject, b"x")]
        for other in everyone.values():
            other.fence()


def test_leaving_does_not_disturb_others(listener, say, heard, subject):
    """UNSUB and close count in the own account only."""
    a, b = listener("a", subject), listener("b", subject)
    b.send(b"UNSUB 1\r\n")
    b.fence()
    b.close()
    say("a2", subject)
    assert heard(a) == [(subject, b"x")]
