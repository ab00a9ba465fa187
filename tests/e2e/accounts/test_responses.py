# SPDX-License-Identifier: Apache-2.0
"""Answers to requests of another account: how they find their way, how many, how long (spec 05 §9)."""

import re
import time

import pytest

from e2e.accounts.lines import (CAPABLE, account, accounts, heard, hpub, imported, messages, no_responders, pub, pub_denied,
                                read_message)
from e2e.accounts.requests import SERVICE, answer, ask, is_reply, offered, service
from e2e.monitor.web import Monitor
from harness import eventually

STREAM = service("response: stream")
ALL_TYPES = ["", "response: single", "response: Singleton", "response: stream", "response_type: chunked", "response: CHUNK"]
SEVERAL = ["response: stream", "response_type: chunked"]


def imported_all(prefix, names):
    return "".join(imported("service", prefix + name) for name in names)


def ends(responder, asker, reply):
    """Nothing published to this reply subject arrives any more; nobody is told, not even of a missing responder."""
    responder.send(pub(reply, b"late") + pub(reply, b"late", b"_I.reply") + hpub(reply, b"NATS/1.0\r\nX: y\r\n\r\n", b"late", b"_I.reply"))
    responder.fence()
    asker.fence()


# ---- what arrives

@pytest.mark.parametrize("export", ALL_TYPES)
def test_x079_response(world, export):
    """It is a plain message to the requestor's own reply subject."""
    w = world(service(export))
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.1", **CAPABLE)
    answer(s, ask(a, s).reply, b"world")
    a.expect(b"MSG _I.1 1 5\r\nworld\r\n")
    a.fence()
    s.fence()


@pytest.mark.parametrize("header", [b"NATS/1.0\r\nX: y\r\n\r\n", b"NATS/1.0 200 OK\r\n\r\n", b"NATS/1.0\r\nNats-Request-Info: {}\r\n\r\n"])
def test_x079_headers(world, header):
    """They pass as they are; nothing is added, nothing taken away."""
    w = world(SERVICE)
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.1", **CAPABLE)
    s.send(hpub(ask(a, s).reply, header, b"world"))
    n = len(header)
    a.expect(b"HMSG _I.1 1 %d %d\r\n%sworld\r\n" % (n, n + 5, header))
    a.fence()


def test_x079_everybody_who_listens(world):
    """All subscriptions of A that match the reply subject get the response, of a group one; no one elsewhere does."""
    w = world(service())
    s, a, others = w("s", b"req", **CAPABLE), w("a", b"_I.1", b"_I.*", **CAPABLE), [w("a", b"_I.> q", **CAPABLE) for _ in range(2)]
    s_spy = w("s", b"_I.>", **CAPABLE)
    answer(s, ask(a, s).reply, b"!")
    assert sorted(m.sid for m in messages(a)) == [b"1", b"2"]
    assert sum((heard(other) for other in others), []) == [(b"_I.1", b"!")]
    s_spy.fence()


def test_x079_any_connection_may_answer(world):
    """Also another connection of S than the one that was asked."""
    w = world(SERVICE)
    s, other, a = w("s", b"req", **CAPABLE), w("s", **CAPABLE), w("a", b"_I.1", **CAPABLE)
    answer(other, ask(a, s).reply, b"!")
    assert heard(a) == [(b"_I.1", b"!")]


def test_x060_mapped_reply(world):
    """The response is published in A as anything is: A's mappings count."""
    w = world(service("response: stream", a="mappings: {_I.1: _J.1}"))
    s, a = w("s", b"req", **CAPABLE), w("a", b"_J.1", **CAPABLE)
    answer(s, ask(a, s).reply, b"1", b"2")
    assert heard(a) == [(b"_J.1", b"1"), (b"_J.1", b"2")]


def test_x098_reply_of_a_response(world):
    """It is rewritten in turn, so that requestor and responder may go on talking."""
    w = world(SERVICE)
    s, a = w("s", b"req", b"_I.>", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    reply = ask(a, s).reply
    s.send(pub(reply, b"and?", b"_I.s"))
    to_a = read_message(a)
    assert (to_a.subject, to_a.payload, to_a.header) == (b"_I.1", b"and?", None)
    assert is_reply(to_a.reply)
    assert to_a.reply.split(b".")[1] != reply.split(b".")[1]
    answer(a, to_a.reply, b"so!")
    s.expect(b"MSG _I.s 2 3\r\nso!\r\n")
    ends(a, s, to_a.reply)
    ends(s, a, reply)


def test_x098_long_conversation(world):
    """Back and forth, 20 times."""
    w = world(SERVICE)
    s, a = w("s", b"req", b"_I.>", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    reply = ask(a, s).reply
    for i in range(20):
        speaker, other = (s, a) if i % 2 == 0 else (a, s)
        speaker.send(pub(reply, b"%d" % i, b"_I.%d" % (i + 2)))
        speaker.fence()
        got = read_message(other)
        assert (got.subject, got.payload) == (b"_I.%d" % (i + 1), b"%d" % i)
        reply = got.reply
        assert is_reply(reply)


def test_x099_reply_subjects(world):
    """The second token is the exporting account's for good, the third the request's."""
    w = world(accounts(account("T", exports=offered("other")), account("B", imports=imported("service", "req")),
                       exports=offered("req") + offered("req2"),
                       imports=imported("service", "req") + imported("service", "req2") + imported("service", "other", account="T")))
    s, t, a, b = w("s", b"req", b"req2", **CAPABLE), w("t", b"other", **CAPABLE), w("a", **CAPABLE), w("b", **CAPABLE)
    replies = [ask(asker, s, subject).reply for asker, subject in 20 * [(a, b"req"), (b, b"req"), (a, b"req2")]]
    others = [ask(a, t, b"other").reply for _ in range(3)]
    assert all(map(is_reply, replies + others))
    assert len({reply.split(b".")[1] for reply in replies}) == 1
    assert len({reply.split(b".")[1] for reply in replies + others}) == 2
    assert len({reply.split(b".")[2] for reply in replies + others}) == len(replies + others)


def test_x099_same_reply_subject_again(world):
    """Several requests with one reply subject, of one requestor or two, are several: each can be answered."""
    w = world(SERVICE)
    s, a, b = w("s", b"req", **CAPABLE), w("a", b"_I.1", **CAPABLE), w("a", **CAPABLE)
    replies = [ask(asker, s).reply for asker in (a, a, b)]
    assert len(set(replies)) == 3
    for i, reply in enumerate(replies):
        answer(s, reply, b"%d" % i)
    assert heard(a) == [(b"_I.1", b"0"), (b"_I.1", b"1"), (b"_I.1", b"2")]


def test_x099_same_reply_subject_in_two_accounts(world):
    """A and B use the same inbox: each gets its own."""
    w = world(accounts(account("B", imports=imported("service", "req")), exports=offered("req"), imports=imported("service", "req")))
    s, a, b = w("s", b"req", **CAPABLE), w("a", b"_I.1", **CAPABLE), w("b", b"_I.1", **CAPABLE)
    to_a, to_b = ask(a, s).reply, ask(b, s).reply
    answer(s, to_b, b"for b")
    a.fence()
    answer(s, to_a, b"for a")
    assert heard(a) == [(b"_I.1", b"for a")]
    assert heard(b) == [(b"_I.1", b"for b")]


# ---- how many

@pytest.mark.parametrize("export", ALL_TYPES[:3])
def test_x080_one_response(world, export):
    """A second one is dropped silently, also if it has a reply subject."""
    w = world(service(export))
    s, a = w("s", b"req", b"_I.reply", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    reply = ask(a, s).reply
    answer(s, reply, b"first", b"second")
    assert heard(a) == [(b"_I.1", b"first")]
    ends(s, a, reply)


def test_x080_undeliverable_response_counts(world):
    """A response that nobody hears is the one, too."""
    w = world(SERVICE)
    s, a = w("s", b"req", **CAPABLE), w("a", **CAPABLE)
    reply = ask(a, s).reply
    answer(s, reply, b"first")
    a.send(b"SUB _I.1 1\r\n")
    a.fence()
    ends(s, a, reply)


def test_x080_empty_response(world):
    """It is one like any other."""
    w = world(SERVICE)
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    reply = ask(a, s).reply
    answer(s, reply, b"")
    a.expect(b"MSG _I.1 1 0\r\n\r\n")
    ends(s, a, reply)


@pytest.mark.parametrize("export", SEVERAL)
def test_x081_many_responses(world, export):
    """All are delivered, in order; the empty one, too, and it is the last."""
    w = world(service(export))
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    reply, parts = ask(a, s).reply, [b"%d" % i for i in range(1000)]
    answer(s, reply, *parts, b"", b"late")
    assert heard(a) == [(b"_I.1", part) for part in [*parts, b""]]
    ends(s, a, reply)


@pytest.mark.parametrize("export", SEVERAL)
def test_x081_headers_without_payload(world, export):
    """A response of nothing but headers is not the last."""
    w = world(service(export))
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    reply = ask(a, s).reply
    for _ in range(2):
        s.send(hpub(reply, b"NATS/1.0\r\nX: y\r\n\r\n"))
        a.expect(b"HMSG _I.1 1 18 18\r\nNATS/1.0\r\nX: y\r\n\r\n\r\n")
    answer(s, reply, b"more")
    a.expect(b"MSG _I.1 1 4\r\nmore\r\n")
    a.fence()


@pytest.mark.parametrize("export", SEVERAL)
def test_x081_several_responders(world, export):
    """Two responders share the reply subject; the first to say that it is done ends it for both."""
    w = world(service(export))
    one, two, a = w("s", b"req", **CAPABLE), w("s", b"req", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    reply = ask(a, one).reply
    assert read_message(two).reply == reply
    answer(one, reply, b"1")
    answer(two, reply, b"2")
    answer(one, reply, b"")
    assert heard(a) == [(b"_I.1", b"1"), (b"_I.1", b"2"), (b"_I.1", b"")]
    ends(two, a, reply)


@pytest.mark.parametrize("export", SEVERAL)
def test_undeliverable_response_ends_a_stream(world, export):
    """Of whichever type: when nobody hears a response, that was the last."""
    w = world(service(export))
    s, a = w("s", b"req", **CAPABLE), w("a", **CAPABLE)
    reply = ask(a, s).reply
    answer(s, reply, b"1")
    a.send(b"SUB _I.> 1\r\n")
    a.fence()
    ends(s, a, reply)


# ---- how long

THRESHOLDS = ["threshold", "response_threshold", "response_max_time", "response_time"]


def test_x082_threshold(world):
    """A response within the time arrives, one after twice the time does not (in between it may)."""
    w = world(accounts(exports="".join(offered(f"req.{key}", f'{key}: "1s"') for key in THRESHOLDS),
                       imports=imported_all("req.", THRESHOLDS)))
    s, a = w("s", b"req.*", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    for key in THRESHOLDS:
        answer(s, ask(a, s, b"req." + key.encode()).reply, b"in time")
        assert heard(a) == [(b"_I.1", b"in time")]
    replies = [ask(a, s, b"req." + key.encode()).reply for key in THRESHOLDS]
    time.sleep(2.3)
    for reply in replies:
        ends(s, a, reply)


def test_x082_each_request_has_its_own_time(world):
    """A younger one outlives the older."""
    w = world(service('threshold: "1s"'))
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    old = ask(a, s).reply
    time.sleep(1.7)
    young = ask(a, s).reply
    time.sleep(0.5)  # 2.2 for the old one
    answer(s, young, b"young")
    assert heard(a) == [(b"_I.1", b"young")]
    ends(s, a, old)


def test_x083_responses_prolong_a_stream(world):
    """The time counts from the last response that was delivered."""
    types = ["stream", "chunked"]
    w = world(accounts(exports="".join(offered(f"req.{name}", f'response: {name}, threshold: "1s"') for name in types),
                       imports=imported_all("req.", types)))
    s, a = w("s", b"req.*", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    replies = [ask(a, s, b"req." + name.encode()).reply for name in types]
    for _ in range(5):
        time.sleep(0.6)
        for reply in replies:
            answer(s, reply, b"more")
            assert heard(a) == [(b"_I.1", b"more")]
    time.sleep(2.3)
    for reply in replies:
        ends(s, a, reply)


# ---- when the requestor loses interest

ENDINGS = ["UNSUB", "auto-unsubscribe", "close", "reset"]


def leave(a, how):
    """The client's subscription 1 goes."""
    if how == "UNSUB":
        a.send(b"UNSUB 1\r\n")
        a.fence()
    elif how == "auto-unsubscribe":
        a.send(b"UNSUB 1 1\r\n" + pub(b"_I.other", b"x"))
        a.expect(b"MSG _I.other 1 1\r\nx\r\n")
        a.fence()
    elif how == "close":
        a.close()
    else:
        a.reset()


def has_no_responders(probe, subject):
    """Whether nobody listens there; the probe's subscription 1 is for _P."""
    probe.send(pub(subject, b"", b"_P"))
    return b"NATS/1.0 503" in probe.ping()


@pytest.mark.parametrize("inbox", [b"_I.1", b"_I.*", b"_I.>", b"*.*", b"_I.> q"])
def test_x100_unsubscribed(world, inbox):
    """With the last subscription for its reply subject the request is forgotten; another one does not bring it back."""
    w = world(STREAM)
    s, a = w("s", b"req", **CAPABLE), w("a", inbox, **CAPABLE)
    reply = ask(a, s).reply
    answer(s, reply, b"1")
    assert heard(a) == [(b"_I.1", b"1")]
    leave(a, "UNSUB")
    a.send(b"SUB _I.> 2\r\n")
    a.fence()
    ends(s, a, reply)


@pytest.mark.parametrize("how", ENDINGS)
def test_x100_gone(world, how):
    """However the subscription went."""
    w = world(STREAM)
    s, a, probe = w("s", b"req", **CAPABLE), w("a", b"_I.*", **CAPABLE), w("a", b"_P", **CAPABLE)
    reply = ask(a, s).reply
    leave(a, how)
    eventually(lambda: has_no_responders(probe, b"_I.probe"))
    again = w("a", b"_I.>", **CAPABLE)
    ends(s, again, reply)


def test_x100_not_the_last(world):
    """As long as one is left, of whichever connection, the request stays."""
    w = world(STREAM)
    s, a, other = w("s", b"req", **CAPABLE), w("a", b"_I.1", b"_I.1", **CAPABLE), w("a", b"_I.*", **CAPABLE)
    reply = ask(a, s).reply
    leave(a, "UNSUB")
    answer(s, reply, b"1")
    a.expect(b"MSG _I.1 2 1\r\n1\r\n")
    a.send(b"UNSUB 2\r\n")
    a.fence()
    answer(s, reply, b"2")
    assert heard(other) == [(b"_I.1", b"1"), (b"_I.1", b"2")]
    other.send(b"UNSUB 1\r\nSUB _I.1 2\r\n")
    other.fence()
    ends(s, other, reply)


def test_x100_same_subject_of_another_account(world):
    """A subscription in S or B that would match counts for nothing."""
    w = world(accounts(account("B"), exports=offered("req", "response: stream"), imports=imported("service", "req")))
    s, a, b = w("s", b"req", b"_I.>", **CAPABLE), w("a", b"_I.1", **CAPABLE), w("b", b"_I.1", **CAPABLE)
    reply = ask(a, s).reply
    leave(b, "UNSUB")
    answer(s, reply, b"1")
    assert heard(a) == [(b"_I.1", b"1")]
    leave(a, "UNSUB")
    a.send(b"SUB _I.1 2\r\n")
    a.fence()
    ends(s, a, reply)


def test_x100_wildcard_inbox_of_many_requests(world):
    """The last subscription takes all the requests with it whose reply subjects it matches, and no others."""
    w = world(STREAM)
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.*", b"_J.*", **CAPABLE)
    forgotten = [ask(a, s, reply=b"_I.%d" % i).reply for i in range(50)]
    kept = [ask(a, s, reply=b"_J.%d" % i).reply for i in range(50)]
    leave(a, "UNSUB")
    a.send(b"SUB _I.* 3\r\n")
    a.fence()
    for reply in forgotten:
        ends(s, a, reply)
    for i, reply in enumerate(kept):
        answer(s, reply, b"!")
        assert heard(a) == [(b"_J.%d" % i, b"!")]


def test_x100_no_interest_at_first(world):
    """Whoever asks before it listens is answered, if it listens in time."""
    w = world(SERVICE)
    s, a = w("s", b"req", **CAPABLE), w("a", **CAPABLE)
    reply = ask(a, s).reply
    a.send(b"SUB _I.1 1\r\n")
    a.fence()
    answer(s, reply, b"!")
    assert heard(a) == [(b"_I.1", b"!")]


# ---- permissions

def responder_may(permissions):
    return "accounts {%s %s}" % (account("S", exports=offered("req", "response: stream"), permissions=permissions),
                                 account("A", imports=imported("service", "req")))


@pytest.mark.parametrize("permissions", ["publish: x", 'publish: {deny: "_R_.>"}'])
def test_x096_not_allowed(world, permissions):
    """A responder needs permission to publish to `_R_.>`."""
    w = world(responder_may(permissions))
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    reply = ask(a, s).reply
    s.send(pub(reply, b"!"))
    s.expect(pub_denied(reply))
    s.fence()
    a.fence()


@pytest.mark.parametrize("permissions", ['publish: "_R_.>"', 'publish: {deny: "_I.>"}', 'publish: {allow: ">", deny: "_I.*"}'])
def test_x096_allowed(world, permissions):
    """Permission for the requestor's own reply subject is not needed."""
    w = world(responder_may(permissions))
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    answer(s, ask(a, s).reply, b"1", b"2")
    assert heard(a) == [(b"_I.1", b"1"), (b"_I.1", b"2")]


@pytest.mark.parametrize("permissions, n", [("allow_responses: true", 1), ("publish: x, allow_responses: {max: 3}", 3)])
def test_x096_allow_responses(world, permissions, n):
    """So many responses to the reply subject that the responder was sent, and one more is a violation."""
    w = world(responder_may(permissions))
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    reply = ask(a, s).reply
    answer(s, reply, *[b"!"] * n)
    assert heard(a) == [(b"_I.1", b"!")] * n
    s.send(pub(reply, b"!"))
    s.expect(pub_denied(reply))
    s.send(pub(b"_I.1", b"!"))
    s.expect(pub_denied(b"_I.1"))
    a.fence()


def test_x096_allow_responses_of_the_requestor(world):
    """It may answer what came with a response."""
    w = world("accounts {%s %s}" % (account("S", exports=offered("req")),
                                    account("A", imports=imported("service", "req"), permissions="publish: req, allow_responses: true")))
    s, a = w("s", b"req", b"_I.s", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    s.send(pub(ask(a, s).reply, b"and?", b"_I.s"))
    reply = read_message(a).reply
    answer(a, reply, b"so!")
    s.expect(b"MSG _I.s 2 3\r\nso!\r\n")
    a.send(pub(reply, b"!"))
    a.expect(pub_denied(reply))


def test_x096_requestor_denied_its_inbox(world):
    """A response is not published by the requestor: its permissions to publish do not matter."""
    w = world(service(permissions="publish: req"))
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    answer(s, ask(a, s).reply, b"!")
    assert heard(a) == [(b"_I.1", b"!")]


# ---- what is seen of it in S

def test_x107_in_the_exporting_account(world):
    """Who listens to everything there hears the request and what is published to its reply subject; an inbox of A is not reached."""
    w = world(SERVICE)
    s, spy, a = w("s", b"req", **CAPABLE), w("s", b">", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    reply = ask(a, s).reply
    s.send(pub(b"_I.1", b"direct"))
    s.fence()
    a.fence()
    answer(s, reply, b"!")
    assert heard(a) == [(b"_I.1", b"!")]
    assert heard(spy) == [(b"req", b"?"), (b"_I.1", b"direct"), (reply, b"!")]


@pytest.mark.parametrize("user", ["a", "s", "b"])
def test_x109_reply_subject_that_is_not_outstanding(world, user):
    """Publishing to one is like publishing to any subject: it is heard in the own account only, and nobody objects."""
    w = world(accounts(account("B"), exports=offered("req"), imports=imported("service", "req")))
    clients = {name: w(name, b"_R_.>", **CAPABLE) for name in "asb"}
    clients[user].send(pub(b"_R_.aaaaaa.bbbbbb", b"x"))
    for name, client in clients.items():
        assert heard(client) == [(b"_R_.aaaaaa.bbbbbb", b"x")] * (name == user)


def test_x109_no_responders(world):
    """For the server's own reply subjects nobody is ever missing in S; in other accounts that is a subject like any other."""
    w = world(SERVICE)
    s, a = w("s", b"req", b"_I.>", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    reply = ask(a, s).reply
    answer(s, reply, b"!")
    assert heard(a) == [(b"_I.1", b"!")]
    s.send(pub(reply, b"?", b"_I.s"))
    s.fence()
    a.send(pub(reply, b"?", b"_I.a"))
    a.expect(no_responders(b"_I.a", 1, reply))
    s.send(pub(b"_R_.aaaaaa.bbbbbb", b"?", b"_I.s"))
    s.expect(no_responders(b"_I.s", 2, b"_R_.aaaaaa.bbbbbb"))


def test_x108_accountz(world):
    """Outstanding responses are listed there, until they have waited for too long."""
    w = world('http: "127.0.0.1:-1"\n' + service('threshold: "1s"'))
    monitor = Monitor(w.server)

    def outstanding():
        return set(monitor.document("/accountz?acc=S")["account_detail"].get("responses", {}))

    assert not outstanding()
    s, a = w("s", b"req"), w("a")
    replies = {ask(a, s, reply=b"_I.%d" % i).reply.decode() for i in range(5)}
    assert len(replies) == 5
    assert outstanding() == replies
    eventually(lambda: not outstanding())


def test_x108_no_cap(world):
    """20,000 requests may wait for their answers."""
    w = world(SERVICE)
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.*", **CAPABLE)
    n = 20_000
    a.send(b"".join(b"PUB req _I.%d 1\r\n?\r\n" % i for i in range(n)))
    a.fence()
    replies = re.findall(rb"HMSG req 1 (\S+) ", s.ping())
    assert len(set(replies)) == n
    s.send(b"".join(b"PUB %s 6\r\n%06d\r\n" % (reply, i) for i, reply in reversed(list(enumerate(replies)))))
    s.fence()
    assert heard(a) == [(b"_I.%d" % i, b"%06d" % i) for i in reversed(range(n))]
