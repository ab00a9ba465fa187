# SPDX-License-Identifier: Apache-2.0
"""Subjects: which are valid, what matches what, reserved ones."""

import pytest


@pytest.mark.parametrize("bad", [b"%s..bar", b".%s", b"%s.", b"%s.>.bar", b"%s.*..x", b"..", b".", b">.%s", b"%s.>.>"])
def test_p21_invalid_subscription_subjects(connect, subject, bad):
    """`foo..bar`, `.foo`, `foo.`, `foo.>.bar` → `-ERR 'Invalid Subject'`, connection usable."""
    c = connect().connect(verbose=True)
    bad = bad % subject if b"%s" in bad else bad
    for queue in (b"", b"q "):
        c.send(b"SUB %s %s1\r\n" % (bad, queue))
        c.expect(b"-ERR 'Invalid Subject'\r\n")
        c.fence()
    c.send(b"SUB %s 1\r\nPUB %s 1\r\nx\r\n" % (subject, subject))
    c.expect(b"+OK\r\n+OK\r\nMSG %s 1 1\r\nx\r\n" % subject)


@pytest.mark.parametrize("good", [b">", b"*", b"*.*", b"*.>", b"%s", b"%s.*.b", b"%s.>", b"%s.foo*", b"%s.*foo", b"%s.a>", b"%s.>a.b",
                                  b"%s.**", b"%s.>>"])
def test_valid_subscription_subjects(connect, subject, good):
    """Every token non-empty, > alone only at the end; letters * and > inside a token do not matter."""
    c = connect()
    c.send(b"SUB %s 1\r\n" % (good % subject if b"%s" in good else good))
    c.expect(b"+OK\r\n")
    c.send(b"UNSUB 1\r\n")
    c.expect(b"+OK\r\n")


MATCHES = [  # subscription, published subjects that match, and that do not
    (b"a", [b"a"], [b"A", b"a.b", b"aa", b"b"]),
    (b"a.b", [b"a.b"], [b"a", b"a.b.c", b"a.B", b"ab"]),
    (b"*", [b"a", b"b", b"*", b">"], [b"a.b"]),
    (b"a.*", [b"a.b", b"a.c", b"a.*", b"a.>", b"a.b*"], [b"a", b"a.b.c", b"b.b"]),
    (b"*.b", [b"a.b", b"c.b"], [b"b", b"a.c", b"a.b.b"]),
    (b"a.*.c", [b"a.b.c", b"a.*.c"], [b"a.c", b"a.b.d", b"a.b.c.d"]),
    (b"*.*", [b"a.b", b"x.y"], [b"a", b"a.b.c"]),
    (b"a.>", [b"a.b", b"a.b.c", b"a.>", b"a.*"], [b"a", b"b.a", b"aa.b"]),
    (b">", [b"a", b"a.b.c.d.e.f", b">", b"*.>"], []),
    (b"*.>", [b"a.b", b"a.b.c"], [b"a"]),
    (b"a.*.>", [b"a.b.c", b"a.b.c.d"], [b"a.b", b"a"]),
    (b"foo*", [b"foo*"], [b"foo", b"foox", b"foo.x"]),
    (b"foo.a>", [b"foo.a>"], [b"foo.a", b"foo.ab", b"foo.a.b"]),
    (b"*foo.b", [b"*foo.b"], [b"xfoo.b", b"foo.b"]),
    (b"a.>b.c", [b"a.>b.c"], [b"a.xb.c", b"a.b.c"]),
    (b"**", [b"**"], [b"a", b"*"]),
]


@pytest.mark.parametrize("pattern, hits, misses", MATCHES, ids=[row[0].decode() for row in MATCHES])
def test_p22_matching(connect, subject, pattern, hits, misses):
    """Wildcards match whole tokens only: `foo*` and `foo.a>` act as literals; `foo.>` does not match `foo`."""
    c = connect().connect()
    c.send(b"SUB %s.%s 1\r\n" % (subject, pattern))
    for hit in hits:
        c.send(b"PUB %s.%s 1\r\nx\r\n" % (subject, hit))
        c.expect(b"MSG %s.%s 1 1\r\nx\r\n" % (subject, hit))
    c.send(b"".join(b"PUB %s.%s 1\r\nx\r\n" % (subject, miss) for miss in misses))
    c.fence()


@pytest.mark.parametrize("pattern, hits, misses", MATCHES, ids=[row[0].decode() for row in MATCHES])
def test_p22_matching_of_queue_subscriptions(connect, subject, pattern, hits, misses):
    """The same rules hold for queue subscriptions."""
    c = connect().connect()
    c.send(b"SUB %s.%s q 1\r\n" % (subject, pattern))
    for hit in hits:
        c.send(b"PUB %s.%s 1\r\nx\r\n" % (subject, hit))
        c.expect(b"MSG %s.%s 1 1\r\nx\r\n" % (subject, hit))
    c.send(b"".join(b"PUB %s.%s 1\r\nx\r\n" % (subject, miss) for miss in misses))
    c.fence()


def test_matching_follows_later_subscriptions(connect, subject):
    """Interest that comes and goes between publishes to one subject counts at once."""
    c = connect().connect()
    for pattern in (b"%s.a", b"%s.*", b"%s.>"):
        pattern %= subject
        c.send(b"PUB %s.a 1\r\n1\r\nSUB %s 1\r\nPUB %s.a 1\r\n2\r\n" % (subject, pattern, subject))
        c.send(b"SUB %s q 2\r\nUNSUB 1\r\nPUB %s.a 1\r\n3\r\nUNSUB 2\r\nPUB %s.a 1\r\n4\r\n" % (pattern, subject, subject))
        c.expect(b"MSG %s.a 1 1\r\n2\r\nMSG %s.a 2 1\r\n3\r\n" % (subject, subject))
        c.fence()


def test_subscription_is_seen_from_other_connections(connect, subject):
    """After the PONG that follows a SUB (or UNSUB), publishes of every other connection see it."""
    subscriber, publishers = connect().connect(), [connect().connect() for _ in range(8)]
    for round_ in range(20):
        for p in publishers:
            p.send(b"PUB %s 4\r\nlate\r\n" % subject)
            p.fence()
        subscriber.send(b"SUB %s %d\r\n" % (subject, round_))
        subscriber.fence()
        for p in publishers:
            p.send(b"PUB %s 1\r\nx\r\n" % subject)
            subscriber.expect(b"MSG %s %d 1\r\nx\r\n" % (subject, round_))
        subscriber.send(b"UNSUB %d\r\n" % round_)
        subscriber.fence()


@pytest.mark.parametrize("odd", [b"a\x00b", b"\x00", b"\x01\x02\x1f\x7f", b"\x0b\x0c", b"\xff\xfe", b"\xc3", "grüße.中文".encode(),
                                 b"a'b\"c\\d", b"{}[]()", b"INFO", b"$SYS", b"\x85\xa0"])
def test_p23_charset(connect, subject, odd):
    """NUL, control and non-UTF-8 bytes work in subjects, replies, queue names and sids."""
    c = connect().connect()
    c.send(b"SUB %s.%s 1\r\nSUB %s.> q%s s%s\r\n" % (subject, odd, subject, odd, odd))
    c.send(b"PUB %s.%s reply.%s 2\r\nhi\r\n" % (subject, odd, odd))
    c.expect(b"MSG %s.%s 1 reply.%s 2\r\nhi\r\n" % (subject, odd, odd))
    c.expect(b"MSG %s.%s s%s reply.%s 2\r\nhi\r\n" % (subject, odd, odd, odd))
    c.fence()


def test_subject_length_and_depth(connect, subject):
    """Nothing but the control line limits length and number of tokens."""
    c = connect().connect()
    for literal in (subject + b"." + b"x" * 3900, subject + b".x" * 1900):
        for pattern in (literal, subject + b".>"):
            c.send(b"SUB %s 1\r\nPUB %s 1\r\nx\r\nUNSUB 1\r\n" % (pattern, literal))
            c.expect(b"MSG %s 1 1\r\nx\r\n" % literal)
    many = subject + b".*" * 1900
    c.send(b"SUB %s 1\r\nPUB %s 1\r\nx\r\n" % (many, many.replace(b"*", b"y")))
    c.expect(b"MSG %s 1 1\r\nx\r\n" % many.replace(b"*", b"y"))
    c.fence()


def test_p24_wildcards_in_a_publish_are_literal(connect, subject):
    """PUB to `foo.*` reaches subs `foo.*` and `>` but not `foo.bar`."""
    c = connect().connect()
    c.send(b"SUB %s.* 1\r\nSUB %s.bar 2\r\n" % (subject, subject))
    c.send(b"PUB %s.* 1\r\nx\r\n" % subject)
    c.expect(b"MSG %s.* 1 1\r\nx\r\n" % subject)
    c.fence()
    c.send(b"UNSUB 1\r\nSUB %s.> 3\r\nPUB %s.> 1\r\nx\r\nPUB %s.* 1\r\nx\r\n" % (subject, subject, subject))
    c.expect(b"MSG %s.> 3 1\r\nx\r\nMSG %s.* 3 1\r\nx\r\n" % (subject, subject))
    c.fence()


@pytest.mark.parametrize("bad", [b"%s..b", b"%s.", b".%s", b"%s..", b"."])
def test_p24_empty_tokens_match_nothing(connect, start_server, subject, bad):
    """PUB to `foo..b` reaches none, and is no error."""
    c = connect(start_server()).connect(verbose=True)
    c.send(b"SUB > 1\r\nSUB %s.* 2\r\nSUB %s.> 3\r\nSUB *.* 4\r\nSUB *.*.* 5\r\nSUB %s.*.b 6\r\n" % (subject, subject, subject))
    c.expect(b"+OK\r\n" * 6)
    c.send(b"PUB %s 1\r\nx\r\n" % (bad % subject if b"%s" in bad else bad))
    c.expect(b"+OK\r\n")
    c.fence()


@pytest.mark.parametrize("reply", [b"a..b", b"*", b">", b"foo.", b".", b"_R_", b"_r_.x", b"_GR_", b"$GNR.x", b"$JS.API.x", b"$SYS.x"])
def test_reply_is_not_checked(connect, subject, reply):
    """Any reply subject passes, except reserved ones."""
    c = connect().connect(pedantic=True)
    c.send(b"SUB %s 1\r\nPUB %s %s 1\r\nx\r\n" % (subject, subject, reply))
    c.expect(b"MSG %s 1 %s 1\r\nx\r\n" % (subject, reply))
    c.fence()


@pytest.mark.parametrize("reply", [b"_R_.x", b"_R_.", b"$JS.ACK.x", b"$JS.ACK.s.c.1.2.3.4.5", b"_GR_.x", b"_GR_.a.b"])
def test_p38_reserved_replies(connect, subject, reply):
    """Replies `_R_.x`, `$JS.ACK.x`, `_GR_.…` are refused, the message is dropped, the connection stays open."""
    c = connect().connect(headers=True, verbose=True)
    c.send(b"SUB %s 1\r\n" % subject)
    c.expect(b"+OK\r\n")
    for publish in (b"PUB %s %s 1\r\nx\r\n", b"HPUB %s %s 12 12\r\nNATS/1.0\r\n\r\n\r\n"):
        c.send(publish % (subject, reply))
        c.expect(b"-ERR 'Permissions Violation for Publish with Reply of \"%s\"'\r\n" % reply)
        c.fence()


@pytest.mark.parametrize("reserved", [b"_GR_.x", b"_GR_.a.b", b"$NRG.x", b"$NRG.", b"$NRG.a.b"])
def test_p38_reserved_subjects(connect, reserved):
    """Subjects `_GR_.…`, `$NRG.x` are refused, the message is dropped, the connection stays open."""
    c = connect().connect(headers=True, verbose=True)
    c.send(b"SUB %s 1\r\n" % reserved)
    c.expect(b"-ERR 'Invalid Subject'\r\n" if reserved.endswith(b".") else b"+OK\r\n")
    for publish in (b"PUB %s 1\r\nx\r\n", b"PUB %s reply 1\r\nx\r\n", b"HPUB %s 12 12\r\nNATS/1.0\r\n\r\n\r\n"):
        c.send(publish % reserved)
        c.expect(b"-ERR 'Permissions Violation for Publish to \"%s\"'\r\n" % reserved)
        c.fence()


@pytest.mark.parametrize("ordinary", [b"_GR_", b"$NRG", b"_R_.x", b"$JS.ACK.x", b"$SYS.x", b"$GNR.x", b"_INBOX.x"])
def test_p38_what_is_not_reserved(connect, ordinary):
    """Near misses of the reserved subjects, and $SYS in an ordinary account, are free."""
    c = connect().connect()
    c.send(b"SUB %s 1\r\nPUB %s 1\r\nx\r\n" % (ordinary, ordinary))
    c.expect(b"MSG %s 1 1\r\nx\r\n" % ordinary)
    c.fence()


def test_p39_queue_sys(connect, subject):
    """Queue `_sys_` is refused."""
    c = connect().connect(verbose=True)
    c.send(b"SUB %s _sys_ 1\r\n" % subject)
    c.expect(b"-ERR 'Permissions Violation for Subscription to \"%s\" using queue \"_sys_\"'\r\n" % subject)
    c.send(b"PUB %s 1\r\nx\r\n" % subject)
    c.expect(b"+OK\r\n")
    c.fence()
