# SPDX-License-Identifier: Apache-2.0
"""What users may publish."""

import pytest

from e2e.auth.lines import pub, pub_denied

CONFIG = """
authorization { users: [
    {user: one, password: pw, permissions: {publish: "only.this"}}
    {user: list, password: pw, permissions: {publish: ["a.*", "b.>", "c"]}}
    {user: both, password: pw, permissions: {publish: {allow: ["p.>", "q"], deny: ["p.secret", "p.*.hidden", "x"]}}}
    {user: denied, password: pw, permissions: {pub: {deny: "d.>"}}}
    {user: aliases, password: pw, permissions: {import: {allow: "i"}}}
    {user: nothing, password: pw, permissions: {publish: {deny: ">"}}}
    {user: empty1, password: pw, permissions: {publish: []}}
    {user: empty2, password: pw, permissions: {publish: {allow: []}}}
    {user: empty3, password: pw, permissions: {publish: {}}}
    {user: empty4, password: pw, permissions: {publish: {allow: [], deny: []}, subscribe: []}}
    {user: empty5, password: pw, permissions: {}}
    {user: absent, password: pw}
    {user: sub, password: pw, permissions: {subscribe: "s"}}
] }
"""
ALLOWED = [
    ("one", b"only.this"), ("list", b"a.x"), ("list", b"b.x"), ("list", b"b.x.y"), ("list", b"c"), ("both", b"p.a"), ("both", b"q"),
    ("both", b"p.secret.not"), ("denied", b"d"), ("denied", b"e"), ("aliases", b"i"), ("sub", b"anything"),
    ("list", b"a.*"), ("list", b"a.>"), ("list", b"b.*.>"),  # in a publish these are plain tokens
]
DENIED = [
    ("one", b"only"), ("one", b"only.this.one"), ("one", b"ONLY.this"), ("list", b"a"), ("list", b"a.x.y"), ("list", b"b"),
    ("list", b"c.x"), ("list", b"cc"), ("list", b"*"), ("list", b">"), ("both", b"p.secret"), ("both", b"p.a.hidden"), ("both", b"x"),
    ("both", b"y"), ("denied", b"d.x"), ("denied", b"d.x.y"), ("denied", b"d.>"), ("aliases", b"j"), ("nothing", b"x"),
    ("both", b"_INBOX.x"), ("list", b"$SYS.REQ.USER.INFO"),
]


@pytest.fixture
def listener(login):
    """Hears everything that was let through."""
    client = login("absent")
    client.send(b"SUB > 1\r\n")
    client.fence()
    return client


@pytest.mark.parametrize("user, subject", ALLOWED, ids=str)
def test_a16_allowed(login, listener, heard, user, subject):
    """An allow entry matches, or there is none, and no deny entry does."""
    c = login(user)
    c.send(pub(subject, b"x"))
    c.fence()
    assert heard(listener) == [(subject, b"x")]


@pytest.mark.parametrize("user, subject", DENIED, ids=str)
def test_a16_denied(login, listener, server, user, subject):
    """The error and the log line say which subject; nothing is delivered; the connection stays (A-24)."""
    c = login(user)
    c.send(pub(subject, b"x"))
    c.expect(pub_denied(subject))
    c.fence()
    listener.fence()
    message = f'- "$G/user:{user}" - Publish Violation - Subject "'
    line = server.wait_log(rf"\[ERR\] 127\.0\.0\.1:\d+ - cid:{c.cid} - .*").group()
    assert line.endswith(message + subject.decode() + '"')


def test_a16_hpub(login, listener):
    """HPUB like PUB."""
    c = login("both", headers=True)
    c.send(b"HPUB p.secret 12 13\r\nNATS/1.0\r\n\r\nx\r\nHPUB p.open 12 13\r\nNATS/1.0\r\n\r\nx\r\n")
    c.expect(pub_denied(b"p.secret"))
    c.fence()
    assert listener.ping() == b"MSG p.open 1 1\r\nx\r\n"  # without headers, as its CONNECT did not ask for them


def test_a16_deny_of_a_used_subject_is_not_forgotten(login):
    """Answers do not depend on what was asked before, or how often."""
    c = login("both")
    for _ in range(3):
        c.send(pub(b"p.a", b"x") + pub(b"p.secret", b"x") + pub(b"q", b"x"))
        c.expect(pub_denied(b"p.secret"))
    for i in range(300):
        c.send(pub(b"p.%d" % i) + pub(b"p.%d.hidden" % i))
        c.expect(pub_denied(b"p.%d.hidden" % i))
    c.fence()


@pytest.mark.parametrize("user", ["empty1", "empty2", "empty3", "empty4", "empty5", "absent"])
def test_a20_empty_lists_restrict_nothing(login, subject, user):
    """Neither publishing nor subscribing."""
    c = login(user)
    c.send(b"SUB %s 1\r\n" % subject + pub(subject, b"x"))
    c.expect(b"MSG %s 1 1\r\nx\r\n" % subject)
    c.send(b"SUB > 2\r\n")
    c.fence()


def test_a23_reply_subject_is_not_checked(login, listener):
    """A reply subject may be one that the user may not publish to."""
    c = login("one")
    c.send(pub(b"only.this", b"x", reply=b"forbidden"))
    c.fence()
    assert listener.ping() == b"MSG only.this 1 forbidden 1\r\nx\r\n"


def test_a24_verbose(login):
    """A publish that is denied is answered by -ERR alone."""
    c = login("one", verbose=True)
    c.send(pub(b"x", b"x") + pub(b"only.this", b"x"))
    c.expect(pub_denied(b"x") + b"+OK\r\n")
    c.fence()


def test_a24_many_violations(login, subject):
    """However many there are, the connection stays and works."""
    c = login("both")
    c.send(pub(b"x") * 1000)
    c.expect(pub_denied(b"x") * 1000)
    c.send(b"SUB p.%s 1\r\n" % subject + pub(b"p." + subject, b"x"))
    c.expect(b"MSG p.%s 1 1\r\nx\r\n" % subject)


@pytest.mark.parametrize("permissions, text", [
    ('publish: "foo..bar"', 'subject "foo..bar" is not a valid subject'),
    ('publish: {deny: ["a", ".b"]}', 'subject ".b" is not a valid subject'),
    ('subscribe: "a q."', 'queue "q." is not a valid queue'),
    ('publish: "a q"', 'subject "a q" is not a valid subject'),
])
def test_invalid_subjects_are_refused_at_the_start(start_server, configure, permissions, text):
    """With the entry that is wrong."""
    config = "authorization { users: [ {user: a, password: pw, permissions: {%s}} ] }" % permissions
    server = start_server("-c", configure(config), wait=False)
    assert server.wait_exit() == 1
    assert text in server.log()
