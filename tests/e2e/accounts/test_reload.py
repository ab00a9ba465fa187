# SPDX-License-Identifier: Apache-2.0
"""Reloads that change what accounts offer, take and allow (spec 05 §15).  Users, and more of permissions:
tests/e2e/config/test_reload_clients.py."""

import pytest

from e2e.accounts.lines import CAPABLE, account, accounts, heard, hpub, imported, messages, no_responders, pub, pub_denied
from e2e.accounts.requests import SERVICE, answer, ask, offered, service

NOTHING = accounts()
STREAM = service("response: stream")
EXPORTS = offered("req") + '{stream: "ev.>"}\n'
OFFERED_ONLY = accounts(exports=EXPORTS)
IMPORTED = accounts(exports=EXPORTS, imports=imported("service", "req") + imported("stream", "ev.>"))


def sees(client, speaker, subject, as_what=None):
    """Whether the client hears what is published there."""
    speaker.send(pub(subject, b"x"))
    if speaker is not client:
        speaker.fence()
    got = heard(client)
    assert got in ([], [(as_what or subject, b"x")])
    return got != []


# ---- imports and exports

def test_x129_imports_come_and_go(world, reload):
    """Live subscriptions start and stop to hear of S, live requestors to be heard there; nobody connects anew."""
    w = world(OFFERED_ONLY)
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.1", b"ev.x", **CAPABLE)
    for _ in range(3):
        a.send(pub(b"req", b"?", b"_I.1"))
        a.expect(no_responders(b"_I.1", 1, b"req"))
        assert not sees(a, s, b"ev.x")
        reload(w, IMPORTED)
        assert sees(a, s, b"ev.x")
        answer(s, ask(a, s).reply, b"!")
        assert heard(a) == [(b"_I.1", b"!")]
        reload(w, OFFERED_ONLY)
    assert not sees(a, s, b"ev.x")
    a.send(pub(b"req", b"?", b"_I.1"))
    a.expect(no_responders(b"_I.1", 1, b"req"))
    s.fence()


def test_x129_exports_come_and_go(world, reload):
    """Together with the imports of them; those of before and after the reload are two things."""
    w = world(NOTHING)
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.1", b"ev.*", **CAPABLE)
    for config, is_heard in [(IMPORTED, True), (NOTHING, False), (IMPORTED, True), (OFFERED_ONLY, False)]:
        reload(w, config)
        assert sees(a, s, b"ev.x") is is_heard
        a.send(pub(b"req", b"?", b"_I.1"))
        assert heard(a) == [] if is_heard else b"503" in a.ping()
        assert len(messages(s)) == is_heard


@pytest.mark.parametrize("what, sid", [(b"ev.x", 1), (b"ev.*", 1), (b">", 1), (b"ev.> q", 1)], ids=repr)
def test_x129_kinds_of_subscriptions(world, reload, what, sid):
    """Literal, wildcard and queue subscriptions from before the reload hear the stream, once each."""
    w = world(OFFERED_ONLY)
    s, a = w("s", **CAPABLE), w("a", what, **CAPABLE)
    reload(w, IMPORTED)
    s.send(pub(b"ev.x", b"1") * 5)
    s.fence()
    a.expect(b"MSG ev.x %d 1\r\n1\r\n" % sid * 5)
    a.send(b"UNSUB %d\r\n" % sid)
    a.fence()
    assert not sees(a, s, b"ev.x")
    reload(w, OFFERED_ONLY)
    assert not sees(a, s, b"ev.x")


def test_x129_groups(world, reload):
    """A group with members in S and A, from before the reload and after it, is one group."""
    w = world(OFFERED_ONLY)
    members = [w("s", b"ev.x q", **CAPABLE), w("a", b"ev.x q", **CAPABLE)]
    reload(w, IMPORTED)
    members += [w("a", b"ev.x q", **CAPABLE)]
    s = w("s", **CAPABLE)
    s.send(pub(b"ev.x", b"x") * 90)
    s.fence()
    shares = [len(messages(member)) for member in members]
    assert sum(shares) == 90
    assert all(shares)


def test_x129_unchanged_imports_do_not_notice(world, reload):
    """While another import comes and goes, one that stays neither loses nor doubles a message."""
    both = accounts(exports=EXPORTS + offered("more"), imports=imported("service", "req") + imported("service", "more")
                    + imported("stream", "ev.>"))
    w = world(IMPORTED)
    s, a = w("s", b"req", b"more", **CAPABLE), w("a", b"_I.1", b"ev.x", **CAPABLE)
    for config in (both, IMPORTED, both, IMPORTED):
        reload(w, config)
        assert sees(a, s, b"ev.x")
        answer(s, ask(a, s).reply, b"!")
        assert heard(a) == [(b"_I.1", b"!")]
        s.fence()


@pytest.mark.parametrize("before, now, old, new", [("prefix: one", "prefix: two", b"one.ev.x", b"two.ev.x"),
                                                   ("prefix: one", "", b"one.ev.x", b"ev.x"),
                                                   ("to: 'one.>'", "to: 'two.>'", b"one.x", b"two.x")])
def test_x129_local_subject_of_a_stream(world, reload, before, now, old, new):
    """Who listens to the new one hears the stream; who listens to the old one does not any more."""
    w = world(accounts(exports=EXPORTS, imports=imported("stream", "ev.>", before)))
    s, was, will_be, a_all = w("s"), w("a", old), w("a", new), w("a", b">")
    assert sees(was, s, b"ev.x", old)
    reload(w, accounts(exports=EXPORTS, imports=imported("stream", "ev.>", now)))
    assert heard(a_all) == [(old, b"x")]
    assert sees(will_be, s, b"ev.x", new)
    was.fence()
    assert heard(a_all) == [(new, b"x")]


def test_x129_local_subject_of_a_service(world, reload):
    """The old one is not a service any more, the new one is."""
    w = world(service(of_import="to: one"))
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.1", **CAPABLE)
    ask(a, s, b"one")
    reload(w, service(of_import="to: two"))
    a.send(pub(b"one", b"?", b"_I.1"))
    a.expect(no_responders(b"_I.1", 1, b"one"))
    ask(a, s, b"two")
    s.fence()


def test_x129_share(world, reload):
    """It counts from the next request on."""
    w = world(SERVICE)
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.1", **CAPABLE)
    for config, is_told in [(SERVICE, False), (service(of_import="share: true"), True), (SERVICE, False)]:
        reload(w, config)
        assert ("user" in ask(a, s).info) is is_told


def test_x129_type_of_responses(world, reload):
    """It counts from the next request on."""
    w = world(SERVICE)
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.1", **CAPABLE)
    for config, n in [(SERVICE, 1), (STREAM, 3), (SERVICE, 1)]:
        reload(w, config)
        answer(s, ask(a, s).reply, b"!", b"!", b"!")
        assert heard(a) == [(b"_I.1", b"!")] * n


def test_x129_another_exporter(world, reload):
    """The same local subject is now T's."""
    def config(exporter):
        return accounts(account("T", exports=EXPORTS), exports=EXPORTS,
                        imports=imported("service", "req", account=exporter) + imported("stream", "ev.>", account=exporter))

    w = world(config("S"))
    s, t, a = w("s", b"req", **CAPABLE), w("t", b"req", **CAPABLE), w("a", b"_I.1", b"ev.x", **CAPABLE)
    for name, now, other in [("S", s, t), ("T", t, s), ("S", s, t)]:
        reload(w, config(name))
        assert sees(a, now, b"ev.x")
        assert not sees(a, other, b"ev.x")
        answer(now, ask(a, now).reply, b"!")
        assert heard(a) == [(b"_I.1", b"!")]
        other.fence()


def with_b(imports="", a_imports=""):
    return accounts(account("B", exports="{stream: news}", imports=imports), exports=EXPORTS, imports=a_imports)


def test_x129_new_account(world, reload):
    """One that was not there before imports a stream of one that was, and the other way round."""
    w = world(OFFERED_ONLY)
    s, a = w("s", **CAPABLE), w("a", b"news", **CAPABLE)
    reload(w, with_b(imported("stream", "ev.>"), imported("stream", "news", account="B")))
    b = w("b", b"ev.x", **CAPABLE)
    assert sees(b, s, b"ev.x")
    assert sees(a, b, b"news")
    reload(w, OFFERED_ONLY)
    b.expect_eof()
    a.fence()
    s.fence()


@pytest.mark.ours  # with the Go server it works only after one more reload
def test_x129_new_account_asks(world, reload):
    """The same with a service."""
    w = world(OFFERED_ONLY)
    s = w("s", b"req", **CAPABLE)
    reload(w, with_b(imported("service", "req")))
    b = w("b", b"_I.1", **CAPABLE)
    answer(s, ask(b, s).reply, b"!")
    assert heard(b) == [(b"_I.1", b"!")]


# ---- requests that are outstanding

@pytest.mark.parametrize("now", [accounts(exports=offered("req", "response: stream")), NOTHING, SERVICE, STREAM + "max_payload: 1000\n"],
                         ids=["import removed", "export removed", "type changed", "nothing changed"])
def test_x130_still_answered(world, reload, now):
    """A request from before the reload is answered under the rules of its time, whatever has become of the import."""
    w = world(STREAM)
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    reply = ask(a, s).reply
    answer(s, reply, b"1")
    reload(w, now)
    s.send(pub(reply, b"2") + hpub(reply, b"NATS/1.0\r\n\r\n") + pub(reply) + pub(reply, b"late"))
    s.fence()
    assert [(m.payload, m.header) for m in messages(a)] == [(b"1", None), (b"2", None), (b"", b"NATS/1.0\r\n\r\n"), (b"", None)]
    s.fence()


def test_x130_forgotten_as_ever(world, reload):
    """Also after the reload it goes with the last subscription for its reply subject."""
    w = world(STREAM)
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    reply = ask(a, s).reply
    reload(w, accounts(exports=offered("req", "response: stream")))
    answer(s, reply, b"1")
    assert heard(a) == [(b"_I.1", b"1")]
    a.send(b"UNSUB 1\r\nSUB _I.> 2\r\n")
    a.fence()
    answer(s, reply, b"late")
    a.fence()


def test_x130_exporter_removed(world, reload):
    """With the account its clients go; the requestor stays, and asks in vain."""
    w = world(SERVICE)
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    reply = ask(a, s).reply
    reload(w, "accounts {%s}" % account("A"))
    s.expect_eof()
    a.fence()
    a.send(pub(b"req", b"?", b"_I.1"))
    a.expect(no_responders(b"_I.1", 1, b"req"))
    reload(w, SERVICE)
    s = w("s", b"req", **CAPABLE)
    answer(s, reply, b"late")
    a.fence()
    answer(s, ask(a, s).reply, b"!")
    assert heard(a) == [(b"_I.1", b"!")]


# ---- accounts and their users

def test_x131_account_removed(world, reload):
    """Its clients are closed without a word; those of the others are not."""
    w = world(accounts(account("B"), account("C")))
    a, b, c = w("a"), w("b", b"x"), w("c", b"x")
    reload(w, accounts(account("C")))
    b.expect_eof()
    assert w.server.closed_reason(b.cid) == "Client Closed"
    assert sees(c, c, b"x") is True
    a.fence()


def test_x131_account_renamed(world, reload):
    """The user is another one's now: closed without a word."""
    w = world(accounts(account("B")))
    a, b = w("a"), w("b")
    reload(w, accounts(account("B").replace("B {", "C {")))
    b.expect_eof()
    w("b").fence()
    a.fence()


# ---- what is refused

SELF = imported("service", "x", account="A")
BAD = {
    "not exported": accounts(imports=imported("service", "req")),
    "not for A": accounts(account("B"), exports="{service: req, accounts: [B]}", imports=imported("service", "req")),
    "no such account": accounts(imports=imported("stream", "ev.>", account="NONE")),
    "cycle": "accounts {%s}" % account("A", exports=offered("x"), imports=SELF),
    "bad mapping": accounts(a="mappings: {foo: [{dest: b, weight: 101}]}"),
}


@pytest.mark.parametrize("why", BAD)
def test_x132_invalid(world, reload, why):
    """All stays as it was: imports, limits, mappings, users, connections, outstanding requests."""
    w = world(service("response: stream", a="mappings: {m: n}") + "max_payload: 100\n")
    s, a = w("s", b"req", b"ev.x", **CAPABLE), w("a", b"_I.>", b"n", **CAPABLE)
    reply = ask(a, s).reply
    for _ in range(3):
        reload(w, BAD[why] + "max_payload: 10\n", is_refused=True)
        answer(s, reply, b"x" * 100)
        assert heard(a) == [(b"_I.1", b"x" * 100)]
        assert sees(a, a, b"m", b"n")
        answer(s, ask(a, s).reply, b"!")
        assert heard(a) == [(b"_I.1", b"!")]
        w("a").fence()


# ---- limits

def test_x133_max_payload(world, reload):
    """That of the account counts for live clients at once, lower or higher."""
    w = world(accounts())
    s, a, b = w("s"), w("a", b"x"), w("a", b"x")
    reload(w, accounts(a="limits: {max_payload: 5}"))
    a.send(pub(b"x", b"12345"))
    a.expect(b"MSG x 1 5\r\n12345\r\n")
    a.send(pub(b"x", b"123456"))
    a.expect_closed_with(b"-ERR 'Maximum Payload Violation'\r\n")
    s.send(pub(b"x", b"123456"))
    s.fence()
    reload(w, accounts())
    b.expect(b"MSG x 1 5\r\n12345\r\n")
    b.send(pub(b"x", b"123456"))
    b.expect(b"MSG x 1 6\r\n123456\r\n")


@pytest.mark.parametrize("n, goes", [(0, False), (2, False), (3, True), (4, True)])
def test_x133_max_subscriptions(world, reload, n, goes):
    """Who has as many as the new limit, or more, is told and closed."""
    w = world(accounts())
    s, a = w("s", *[b"x"] * 5), w("a", *[b"x"] * n)
    reload(w, accounts(a="limits: {max_subscriptions: 3}"))
    if goes:
        a.expect_closed_with(b"-ERR 'maximum subscriptions exceeded'\r\n")
    else:
        a.send(b"SUB y 7\r\n" * (3 - n) + b"".join(b"SUB y 1%d\r\n" % i for i in range(2 - n)))
        a.fence()
        a.send(b"SUB y 9\r\n")
        a.expect(b"-ERR 'maximum subscriptions exceeded'\r\n")
        a.fence()
    s.fence()


@pytest.mark.parametrize("limit, n_left", [(2, 2), (4, 4), (0, 0), (1, 1)])
def test_x134_max_connections(world, reload, limit, n_left):
    """The surplus, whoever that is, is told and closed; other accounts are not counted."""
    w = world(accounts(a="limits: {max_connections: 10}"))
    s, clients = [w("s") for _ in range(3)], [w("a") for _ in range(4)]
    reload(w, accounts(a=f"limits: {{max_connections: {limit}}}"))
    left = 0
    for client in clients:
        client.send(b"PING\r\n")
        answered = client.read_line()
        if answered == b"PONG\r\n":
            left += 1
        else:
            assert answered == b"-ERR 'maximum account active connections exceeded'\r\n"
            client.expect_eof()
    assert left == n_left
    for client in s:
        client.fence()


# ---- mappings

def test_x135_mappings(world, reload):
    """They change, come and go between two messages."""
    w = world(accounts())
    a, s = w("a", b"foo", b"bar", b"baz"), w("s", b"foo", b"bar", b"baz")
    for mappings, got in [("foo: bar", b"bar"), ("foo: baz", b"baz"), ("", b"foo"), ('"f*": x, "*": "bar"', b"bar"), ("foo: foo", b"foo")]:
        reload(w, accounts(a="mappings: {%s}" % mappings if mappings else ""))
        assert sees(a, a, b"foo", got)
        assert sees(s, s, b"foo")


def test_x135_mappings_of_an_exporter(world, reload):
    """They count for requests of others, too."""
    w = world(service())
    s, a = w("s", b"req", b"v2", **CAPABLE), w("a", **CAPABLE)
    for mappings, seen in [("req: v2", b"v2"), ("", b"req")]:
        reload(w, service(s="mappings: {%s}" % mappings if mappings else ""))
        assert ask(a, s).subject == seen


def test_x135_top_level(world, reload):
    """They are those of the global account."""
    w = world("mappings: {foo: bar}")
    client = w(None, b"foo", b"bar", b"baz")
    assert sees(client, client, b"foo", b"bar")
    reload(w, "mappings: {foo: baz}")
    assert sees(client, client, b"foo", b"baz")
    reload(w, "mappings: {other: baz}")
    assert sees(client, client, b"foo")


@pytest.mark.ours  # the Go server keeps the old ones
def test_x135_top_level_removed(world, reload):
    """Without the block there are none any more."""
    w = world("mappings: {foo: bar}")
    client = w(None, b"foo", b"bar")
    reload(w, "")
    assert sees(client, client, b"foo")


# ---- permissions

def limited(permissions):
    return "accounts {%s %s}" % (account("S", exports=EXPORTS), account("A", permissions=permissions,
                                                                         imports=imported("stream", "ev.>", "prefix: in")
                                                                         + imported("service", "req")))


def test_x136_subscription_of_a_stream(world, reload):
    """One that is not allowed any more goes, and nothing of S comes by way of it; the connection stays."""
    w = world(limited('subscribe: ">"'))
    s, a = w("s"), w("a", b"in.ev.x", b"in.> q", b"keep", **CAPABLE)
    s.send(pub(b"ev.x", b"1"))
    s.fence()
    assert len(messages(a)) == 2
    reload(w, limited("subscribe: keep"))
    assert sorted(a.ping().split(b"\r\n")[:2]) == [
        b"-ERR 'Permissions Violation for Subscription to \"in.>\" using queue \"q\" (sid \"2\")'",
        b"-ERR 'Permissions Violation for Subscription to \"in.ev.x\" (sid \"1\")'"]
    assert not sees(a, s, b"ev.x")
    assert sees(a, a, b"keep")
    reload(w, limited('subscribe: ">"'))
    assert not sees(a, s, b"ev.x")


def test_x136_denied_messages_of_a_stream(world, reload):
    """A wildcard subscription stays, without the messages that are denied from now on."""
    w = world(limited('subscribe: ">"'))
    s, a = w("s"), w("a", b"in.>")
    assert sees(a, s, b"ev.x", b"in.ev.x")
    reload(w, limited('subscribe: {deny: "in.ev.x"}'))
    assert not sees(a, s, b"ev.x")
    assert sees(a, s, b"ev.y", b"in.ev.y")
    reload(w, limited('subscribe: ">"'))
    assert sees(a, s, b"ev.x", b"in.ev.x")


def test_x136_permission_to_ask(world, reload):
    """It goes, and comes back."""
    w = world(limited('publish: ">"'))
    s, a = w("s", b"req", **CAPABLE), w("a", **CAPABLE)
    for _ in range(2):
        reload(w, limited("publish: x"))
        a.send(pub(b"req", b"?", b"_I.1"))
        a.expect(pub_denied(b"req"))
        reload(w, limited("publish: req"))
        ask(a, s)
    s.fence()


def test_again_and_again(world, reload):
    """Many reloads in a row: what is there works each time, and what was outstanding is answered."""
    w = world(IMPORTED)
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.>", b"ev.*", **CAPABLE)
    replies = []
    for i in range(30):
        replies.append(ask(a, s, reply=b"_I.%d" % i).reply)
        reload(w, OFFERED_ONLY if i % 3 else NOTHING)
        assert not sees(a, s, b"ev.x")
        reload(w, IMPORTED)
        assert sees(a, s, b"ev.x")
    for i, reply in enumerate(replies):
        answer(s, reply, b"!")
        assert heard(a) == [(b"_I.%d" % i, b"!")]
