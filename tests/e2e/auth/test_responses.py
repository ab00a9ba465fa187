# SPDX-License-Identifier: Apache-2.0
"""allow_responses: who was sent a request may publish its answer."""

import time

import pytest

from e2e.auth.lines import pub, pub_denied

CONFIG = """
authorization { users: [
    {user: asker, password: pw}
    {user: "true", password: pw, permissions: {allow_responses: true}}
    {user: two, password: pw, permissions: {publish_allow_responses: {max: 2, expires: "1m"}}}
    {user: brief, password: pw, permissions: {allow_responses: {max: 100, expires: "200ms"}}}
    {user: unlimited, password: pw, permissions: {allow_responses: {max: -1}}}
    {user: forever, password: pw, permissions: {allow_responses: {max: 2, expires: "-1s"}}}
    {user: zero, password: pw, permissions: {allow_responses: {max: 0, expires: "0s"}}}
    {user: publisher, password: pw, permissions: {publish: ["p.>"], allow_responses: true}}
    {user: emptylist, password: pw, permissions: {publish: [], allow_responses: true}}
    {user: denied, password: pw, permissions: {publish: {deny: "r.secret.>"}, allow_responses: true}}
    {user: "false", password: pw, permissions: {publish: "p", allow_responses: false}}
    {user: "off", password: pw, permissions: {allow_responses: false}}
] }
"""


@pytest.fixture
def ask(login, subject):
    """ask(responder, reply=None) -> reply: the responder was sent a request with this reply subject."""
    asker, known = login("asker"), {}

    def request(responder, reply=None):
        reply = reply or b"r.%s.%d" % (subject, len(known))
        if responder not in known.values():
            responder.send(b"SUB %s 7\r\n" % subject)
            responder.fence()
        known[reply] = responder
        asker.send(pub(subject, b"?", reply))
        responder.expect(b"MSG %s 7 %s 1\r\n?\r\n" % (subject, reply))
        return reply

    return request


def answers(client, reply, n_good):
    """So many answers are allowed, and the next one is not."""
    client.send(pub(reply, b"!") * n_good)
    client.fence()
    client.send(pub(reply, b"!"))
    client.expect(pub_denied(reply))
    client.fence()


@pytest.mark.parametrize("user, n", [("true", 1), ("two", 2), ("zero", 1), ("forever", 2), ("publisher", 1), ("emptylist", 1)])
def test_a22_number_of_responses(login, ask, user, n):
    """true means 1; `max` says how many; 0 means the default."""
    c = login(user)
    for _ in range(3):
        answers(c, ask(c), n)


def test_a22_negative_max(login, ask):
    """As many as one likes."""
    c = login("unlimited")
    c.send(pub(ask(c), b"!") * 1000)
    c.fence()


def test_a22_response_arrives(login, ask, heard):
    """The asker hears it."""
    c, asker = login("true"), login("asker")
    asker.send(b"SUB r.> 1\r\n")
    asker.fence()
    reply = ask(c)
    answers(c, reply, 1)
    assert heard(asker) == [(reply, b"!")]


def test_a22_each_request_counts_for_itself(login, ask):
    """Several requests may be open, and be answered in any order."""
    c = login("two")
    first, second, third = ask(c), ask(c), ask(c)
    answers(c, third, 2)
    answers(c, first, 2)
    answers(c, second, 2)


def test_a22_same_reply_subject_again(login, ask):
    """A new request with a reply subject that is used up grants anew."""
    c = login("true")
    answers(c, ask(c, b"r.same"), 1)
    answers(c, ask(c, b"r.same"), 1)


@pytest.mark.ours
def test_a22_same_reply_subject_twice(login, ask):
    """Two requests with the same reply subject are one grant, the newer one.  In the Go server the second uses up the first's."""
    c = login("two")
    ask(c, b"r.twice")
    c.send(pub(b"r.twice", b"!"))
    c.fence()
    answers(c, ask(c, b"r.twice"), 2)


@pytest.mark.ours
def test_a22_one_request_heard_twice(login):
    """Two subscriptions that hear the same request are granted one response.  In the Go server: none."""
    c = login("true")
    c.send(b"SUB again.> 1\r\nSUB again.* 2\r\n")
    c.fence()
    asker = login("asker")
    asker.send(pub(b"again.x", b"?", b"r.again"))
    for _ in range(2):
        c.expect_re(rb"MSG again\.x [12] r\.again 1\r\n\?\r\n")
    answers(c, b"r.again", 1)


def test_a22_only_the_member_that_was_chosen(login):
    """Of a queue group, the one who got the request may answer."""
    members, asker = [login("true") for _ in range(2)], login("asker")
    for c in members:
        c.send(b"SUB group.x workers 1\r\n")
        c.fence()
    asker.send(pub(b"group.x", b"?", b"r.group"))
    asker.fence()
    chosen, other = sorted(members, key=lambda c: c.ping() == b"")
    other.send(pub(b"r.group", b"!"))
    other.expect(pub_denied(b"r.group"))
    answers(chosen, b"r.group", 1)


def test_a22_headers(login):
    """Requests and answers with headers are no different."""
    c, asker = login("true", headers=True), login("asker", headers=True)
    c.send(b"SUB headers.x 1\r\n")
    c.fence()
    asker.send(b"HPUB headers.x r.headers 12 13\r\nNATS/1.0\r\n\r\n?\r\n")
    c.expect(b"HMSG headers.x 1 r.headers 12 13\r\nNATS/1.0\r\n\r\n?\r\n")
    answer = b"HPUB r.headers 12 13\r\nNATS/1.0\r\n\r\n!\r\n"
    c.send(answer)
    c.fence()
    c.send(answer)
    c.expect(pub_denied(b"r.headers"))


def test_a22_many_open_requests(login):
    """Each of them may be answered, once."""
    n = 5000
    c, asker = login("true"), login("asker")
    c.send(b"SUB many 1\r\n")
    c.fence()
    asker.send(b"".join(pub(b"many", b"?", b"r.many.%d" % i) for i in range(n)))
    for i in range(n):
        c.expect(b"MSG many 1 r.many.%d 1\r\n?\r\n" % i)
    c.send(b"".join(pub(b"r.many.%d" % i, b"!") for i in range(n)))
    c.fence()
    for i in (0, n // 2, n - 1):
        answers(c, b"r.many.%d" % i, 0)


def test_a22_only_that_subject(login, ask):
    """Not one beside, below or above it; nor anybody else."""
    c, other = login("true"), login("true")
    reply = ask(c)
    for subject in (reply + b".x", reply[:-2], b"r.*", b">"):
        c.send(pub(subject, b"!"))
        c.expect(pub_denied(subject))
    other.send(pub(reply, b"!"))
    other.expect(pub_denied(reply))
    answers(c, reply, 1)


def test_a22_expires(login, ask):
    """Later than `expires` it is too late."""
    c = login("brief")
    reply = ask(c)
    c.send(pub(reply, b"!"))
    c.fence()
    time.sleep(0.3)
    c.send(pub(reply, b"!"))
    c.expect(pub_denied(reply))
    c.send(pub(ask(c), b"!"))
    c.fence()


@pytest.mark.parametrize("user", ["true", "emptylist"])
def test_a22_otherwise_nothing_may_be_published(login, user):
    """With allow_responses an absent or empty list of publish denies all."""
    c = login(user)
    c.send(pub(b"x", b"x"))
    c.expect(pub_denied(b"x"))
    c.fence()


def test_a22_entries_of_publish_work_besides(login, ask):
    """A subject that may be published anyway does not use up anything."""
    c = login("publisher")
    ask(c, b"p.reply")
    c.send(pub(b"p.reply", b"!") * 5)
    c.fence()
    answers(c, ask(c), 1)


def test_a22_deny_entries(login, ask):
    """A grant counts for subjects that are denied, too."""
    c = login("denied")
    answers(c, ask(c, b"r.secret.1"), 1)


@pytest.mark.parametrize("user, is_free", [("false", False), ("off", True)])
def test_a22_false(login, ask, user, is_free):
    """Grants nothing, and restricts nothing."""
    c = login(user)
    reply = ask(c)
    c.send(pub(reply, b"!"))
    if not is_free:
        c.expect(pub_denied(reply))
    c.fence()


def test_a22_only_requests_grant(login, subject):
    """A message without reply subject does not."""
    c, asker = login("true"), login("asker")
    c.send(b"SUB %s 1\r\n" % subject)
    c.fence()
    asker.send(pub(subject, b"x"))
    c.expect(b"MSG %s 1 1\r\nx\r\n" % subject)
    c.send(pub(subject, b"x"))
    c.expect(pub_denied(subject))
