# SPDX-License-Identifier: Apache-2.0
"""Services: what an account asks of another (spec 05 §8), and what the other is told of it (§10).  Answers: test_responses.py."""

import re
from collections import Counter
from datetime import datetime, timezone

import pytest

from e2e.accounts.lines import CAPABLE, account, accounts, heard, hpub, imported, messages, no_responders, pub, pub_denied, read_message
from e2e.accounts.requests import REPLY, SERVICE, answer, ask, is_reply, offered, service

INFO = rb'\{"acc":"A"(?:,"rtt":[1-9]\d*)?\}'  # of Nats-Request-Info, if the import does not share


def alias(local, subject="req", **kwargs):
    return imported("service", subject, f'to: "{local}"', **kwargs)


# ---- requests

def test_x078_request(world):
    """The responder sees the exported subject, a reply subject of the server's, and who asks, as the only header."""
    w = world(SERVICE)
    s, a = w("s", b"req", **CAPABLE), w("a", **CAPABLE)
    a.send(pub(b"req", b"hello", b"_I.1"))
    match = s.expect_re(rb"HMSG req 1 (" + REPLY + rb") (\d+) (\d+)\r\n(NATS/1\.0\r\nNats-Request-Info: " + INFO + rb"\r\n\r\n)hello\r\n")
    assert len(match[1]) == 17
    assert (int(match[2]), int(match[3])) == (len(match[4]), len(match[4]) + 5)
    s.fence()
    a.fence()


def test_x078_without_reply(world):
    """A request without reply subject has none in S either."""
    w = world(SERVICE)
    s, a = w("s", b"req", **CAPABLE), w("a", **CAPABLE)
    a.send(pub(b"req", b"note"))
    s.expect_re(rb"HMSG req 1 \d+ \d+\r\nNATS/1\.0\r\nNats-Request-Info: " + INFO + rb"\r\n\r\nnote\r\n")
    s.fence()
    a.fence()


def test_x084_no_responders(world):
    """Nobody in S listens: the 503 names the subject that A used."""
    w = world(service(of_import="to: lreq"))
    a, s = w("a", b"_I.>", **CAPABLE), w("s", b"lreq", **CAPABLE)
    a.send(pub(b"lreq", b"?", b"_I.1"))
    a.expect(no_responders(b"_I.1", 1, b"lreq"))
    a.fence()
    s.fence()


def test_x084_responder_comes_and_goes(world):
    """The 503 is of the moment; a responder that has gone is none."""
    w = world(SERVICE)
    a = w("a", b"_I.>", **CAPABLE)
    for _ in range(3):
        a.send(pub(b"req", b"?", b"_I.1"))
        a.expect(no_responders(b"_I.1", 1, b"req"))
        s = w("s", b"req", **CAPABLE)
        answer(s, ask(a, s).reply, b"!")
        assert heard(a) == [(b"_I.1", b"!")]
        s.send(b"UNSUB 1\r\n")
        s.fence()


def test_x085_two_exporters(world):
    """The same subject imported of two: both are asked, each with a reply subject of its own, and both answers come."""
    w = world(accounts(account("T", exports=offered("req")), exports=offered("req"),
                       imports=imported("service", "req") + imported("service", "req", account="T")))
    a = w("a", b"_I.>", **CAPABLE)
    a.send(pub(b"req", b"?", b"_I.1"))
    a.expect(no_responders(b"_I.1", 1, b"req"))
    s = w("s", b"req", **CAPABLE)
    answer(s, ask(a, s).reply, b"of s")
    assert heard(a) == [(b"_I.1", b"of s")]
    t = w("t", b"req", **CAPABLE)
    to_s, to_t = ask(a, s), read_message(t)
    assert is_reply(to_s.reply) and is_reply(to_t.reply)
    assert to_s.reply != to_t.reply
    answer(t, to_t.reply, b"of t")
    answer(s, to_s.reply, b"of s")
    assert heard(a) == [(b"_I.1", b"of t"), (b"_I.1", b"of s")]
    s.send(b"UNSUB 1\r\n")
    s.fence()
    answer(t, ask(a, t).reply, b"of t")
    assert heard(a) == [(b"_I.1", b"of t")]


def test_x085_local_subscriber_is_a_responder(world):
    """With nobody in S but a subscriber in A there is no 503."""
    w = world(SERVICE)
    a, local = w("a", b"_I.>", **CAPABLE), w("a", b"req", **CAPABLE)
    a.send(pub(b"req", b"?", b"_I.1"))
    a.fence()
    assert [(m.reply, m.header) for m in messages(local)] == [(b"_I.1", None)]


def test_x086_local_subscriber(world):
    """It gets the request, too: as it was sent."""
    w = world(SERVICE)
    s, a, local = w("s", b"req", **CAPABLE), w("a", **CAPABLE), w("a", b"req", **CAPABLE)
    assert is_reply(ask(a, s).reply)
    local.expect(b"MSG req 1 _I.1 1\r\n?\r\n")
    a.send(hpub(b"req", b"NATS/1.0\r\nX: y\r\n\r\n", b"?", b"_I.2"))
    local.expect(b"HMSG req 1 _I.2 18 19\r\nNATS/1.0\r\nX: y\r\n\r\n?\r\n")
    local.fence()


def test_x087_queue_group(world):
    """Each of 60 requests is for one of three members."""
    w = world(SERVICE)
    members, a = [w("s", b"req workers", **CAPABLE) for _ in range(3)], w("a", **CAPABLE)
    a.send(b"".join(pub(b"req", b"%d" % i, b"_I.%d" % i) for i in range(60)))
    a.fence()
    shares = [messages(member) for member in members]
    assert sorted(int(m.payload) for share in shares for m in share) == list(range(60))
    assert len({m.reply for share in shares for m in share}) == 60
    assert all(shares), "chance: once in 10^10"


def test_x087_queue_groups_and_plain(world):
    """Every group and every plain subscription gets the request, all with the same reply subject."""
    w = world(SERVICE)
    s, a = w("s", b"req", b"req one", b"req two", b"*", **CAPABLE), w("a", **CAPABLE)
    a.send(pub(b"req", b"?", b"_I.1"))
    a.fence()
    got = messages(s)
    assert sorted(m.sid for m in got) == [b"1", b"2", b"3", b"4"]
    assert len({m.reply for m in got}) == 1


# ---- subjects

@pytest.mark.parametrize("local", ["w.$2.$1", "w.{{wildcard(2)}}.{{wildcard(1)}}"])
def test_x088_wildcards_in_another_order(world, local):
    """req.*.* imported to w.$2.$1: w.b.a is req.a.b."""
    w = world(accounts(exports=offered("req.*.*"), imports=alias(local, "req.*.*")))
    s, a = w("s", b"req.>", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    assert ask(a, s, b"w.b.a").subject == b"req.a.b"
    for other in (b"w.b", b"w.b.a.c", b"req.a.b"):
        a.send(pub(other, b"?", b"_I.1"))
        a.expect(no_responders(b"_I.1", 1, other))
    s.fence()


@pytest.mark.parametrize("exported, subject, local, published, seen", [
    ("req.>", "req.>", "", b"req.a.b", b"req.a.b"),
    ("req.>", "req.>", "my.>", b"my.a.b", b"req.a.b"),
    ("req.*", "req.*", "my.*", b"my.a", b"req.a"),
    ("req.*.*", "req.*.*", "*.*.my", b"a.b.my", b"req.a.b"),
    ("req.>", "req.a", "", b"req.a", b"req.a"),
    ("req.>", "req.a", "my.a.b.c", b"my.a.b.c", b"req.a"),
    (">", "req.>", "x.>", b"x.a", b"req.a"),
    ("req.*.x.>", "req.*.x.>", "my.$1.>", b"my.a.b.c", b"req.a.x.b.c"),
], ids=lambda value: value.decode() if isinstance(value, bytes) else value or "same")
def test_x088_local_subjects(world, exported, subject, local, published, seen):
    """An import of all or a part of an export, under its own or another subject."""
    to = f'to: "{local}"' if local else ""
    w = world(accounts(exports=offered(exported), imports=imported("service", subject, to)))
    s, a = w("s", b"req.>", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    got = ask(a, s, published)
    assert got.subject == seen
    answer(s, got.reply, b"!")
    assert heard(a) == [(b"_I.1", b"!")]


def test_x089_many_names_of_one_subject(world):
    """The literal export req imported to lr.*: everything there is req."""
    w = world(service(of_import='to: "lr.*"'))
    s, a = w("s", b"req", b"lr.>", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    for name in (b"lr.anything", b"lr.else"):
        got = ask(a, s, name)
        assert got.subject == b"req"
        answer(s, got.reply, b"!")
        assert heard(a) == [(b"_I.1", b"!")]
    a.send(pub(b"lr", b"?", b"_I.1"))
    a.expect(no_responders(b"_I.1", 1, b"lr"))


def test_x090_own_account(world):
    """A imports its own service under another name: it is answered by way of the server's reply subject."""
    w = world("accounts {%s}" % account("A", exports=offered("echo"), imports=alias("my.echo", "echo", account="A")))
    a = w("a", b"echo", b"_I.>", **CAPABLE)
    a.send(pub(b"my.echo", b"?", b"_I.1"))
    got = read_message(a)
    assert (got.subject, got.sid, got.payload) == (b"echo", b"1", b"?")
    assert is_reply(got.reply)
    assert got.info["acc"] == "A"
    a.send(pub(got.reply, b"!"))
    a.expect(b"MSG _I.1 2 1\r\n!\r\n")
    a.send(pub(b"echo", b"direct", b"_I.2"))
    a.expect(b"MSG echo 1 _I.2 6\r\ndirect\r\n")
    a.fence()


def test_x090_no_echo(world):
    """With echo:false a connection is no responder of its own requests, but others are."""
    w = world("accounts {%s}" % account("A", exports=offered("echo"), imports=alias("my.echo", "echo", account="A")))
    a = w("a", b"echo", b"_I.>", echo=False, **CAPABLE)
    a.send(pub(b"my.echo", b"?", b"_I.1"))
    a.expect(no_responders(b"_I.1", 2, b"my.echo"))
    other = w("a", b"echo", **CAPABLE)
    answer(other, ask(a, other, b"my.echo").reply, b"!")
    a.expect(b"MSG _I.1 2 1\r\n!\r\n")
    a.fence()


def test_x102_two_imports_of_one_export(world):
    """Both match: the request comes twice, each with a reply subject of its own."""
    w = world(accounts(exports=offered("req.>"), imports=imported("service", "req.>") + alias("req.x", "req.x")))
    s, a = w("s", b"req.>", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    a.send(pub(b"req.x", b"?", b"_I.1"))
    a.fence()
    got = messages(s)
    assert [m.subject for m in got] == [b"req.x"] * 2
    assert len({m.reply for m in got}) == 2
    for m in got:
        answer(s, m.reply, b"!")
    assert heard(a) == [(b"_I.1", b"!")] * 2
    assert ask(a, s, b"req.y").subject == b"req.y"
    s.fence()


def test_x105_request_is_no_stream(world):
    """A request that A made of S is not passed on to B, who imports a stream of the same subject; nor is B a responder."""
    w = world(accounts(account("B", imports=imported("stream", "req")), exports=offered("req") + "{stream: req}",
                       imports=imported("service", "req")))
    b, a = w("b", b"req", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    a.send(pub(b"req", b"?", b"_I.1"))
    a.expect(no_responders(b"_I.1", 1, b"req"))
    s = w("s", b"req", **CAPABLE)
    ask(a, s)
    b.fence()
    s.send(pub(b"req", b"of s"))
    s.expect(b"MSG req 1 4\r\nof s\r\n")
    assert heard(b) == [(b"req", b"of s")]


def test_mappings_and_imports(world):
    """X-059 with wildcards: A's mapping leads to an import, whose subject S maps on."""
    w = world(accounts(exports=offered("req.*"), imports=alias("r.$1", "req.*"), s='mappings: {"req.*": "v2.$1"}', a="mappings: {x: r.y}"))
    s, a = w("s", b"v2.*", b"r.>", b"req.>", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    got = ask(a, s, b"x")
    assert got.subject == b"v2.y"
    answer(s, got.reply, b"!")
    assert heard(a) == [(b"_I.1", b"!")]


# ---- who may

@pytest.mark.parametrize("permissions, published, is_allowed", [
    ("publish: lreq", b"lreq", True), ("publish: req", b"lreq", False), ("publish: {deny: lreq}", b"lreq", False),
    ("publish: {deny: req}", b"lreq", True),
])
def test_x097_permission_to_ask(world, permissions, published, is_allowed):
    """It is the local subject that must be allowed."""
    w = world(service(of_import="to: lreq", permissions=permissions))
    s, a = w("s", b"req", **CAPABLE), w("a", **CAPABLE)
    a.send(pub(published, b"?", b"_I.1"))
    if is_allowed:
        a.fence()
        assert read_message(s).payload == b"?"
    else:
        a.expect(pub_denied(published))
    s.fence()


@pytest.mark.parametrize("permissions, is_allowed", [("", False), ("publish: req", True), ("publish: {deny: x}", True)],
                         ids=["default", "own", "own, wider"])
def test_x137_default_permissions(world, permissions, is_allowed):
    """Those of the account are for users that have none of their own, here to ask, and for no others (the rest: tests/e2e/auth)."""
    w = world("accounts {%s %s}" % (account("S", exports=offered("req")),
                                    account("A", "default_permissions: {publish: {deny: req}}", imports=imported("service", "req"),
                                            permissions=permissions)))
    s, a = w("s", b"req", **CAPABLE), w("a", **CAPABLE)
    a.send(pub(b"req", b"?", b"_I.1"))
    if is_allowed:
        assert read_message(s).payload == b"?"
    else:
        a.expect(pub_denied(b"req"))
    s.fence()


def test_x097_responder_may_not_subscribe(world):
    """What a responder's wildcard is denied is not requested of it."""
    w = world("accounts {%s %s}" % (account("S", exports=offered("req.>"), permissions='subscribe: {deny: "req.secret"}'),
                                    account("A", imports=imported("service", "req.>"))))
    s, a = w("s", b"req.*", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    assert ask(a, s, b"req.public").subject == b"req.public"
    a.send(pub(b"req.secret", b"?", b"_I.1"))
    a.ping()
    s.fence()


@pytest.mark.parametrize("reply", [b"_R_.aaaaaa.bbbbbb", b"_R_.", b"$JS.ACK.x", b"_GR_.x"])
def test_x095_reserved_reply(world, reply):
    """Such a reply subject is refused, and nobody hears of the request; the connection stays."""
    w = world(SERVICE)
    s, a, local = w("s", b">", **CAPABLE), w("a", **CAPABLE), w("a", b">", **CAPABLE)
    a.send(pub(b"req", b"?", reply))
    a.expect(b"-ERR 'Permissions Violation for Publish with Reply of \"%s\"'\r\n" % reply)
    a.fence()
    s.fence()
    local.fence()


@pytest.mark.parametrize("reply", [b"_R_", b"_R_x.y", b"_r_.a.b"])
def test_x095_similar_reply(world, reply):
    """One that is not quite reserved is like any other."""
    w = world(SERVICE)
    s, a = w("s", b"req", **CAPABLE), w("a", reply, **CAPABLE)
    answer(s, ask(a, s, reply=reply).reply, b"!")
    assert heard(a) == [(reply, b"!")]


# ---- what the responder is told

def test_x092_share(world):
    """share: true tells all about the requestor, in this order."""
    w = world(service(of_import="share: true"))
    s = w("s", b"req", **CAPABLE)
    before = datetime.now(timezone.utc)
    a = w("a", name="requestor", lang="py", version="0.0.1", **CAPABLE)
    info = ask(a, s).info
    after = datetime.now(timezone.utc)
    rtt = ["rtt"] if "rtt" in info else []
    assert list(info) == ["start", "host", "id", "acc", "user", "name", "lang", "ver", *rtt, "server", "kind", "client_type"]
    info.pop("rtt", None)
    start = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z", info.pop("start"))
    seconds = datetime.fromisoformat(start[1]).replace(tzinfo=timezone.utc).timestamp() + float(start[2] or 0)
    assert before.timestamp() <= seconds <= after.timestamp()
    assert info == {"host": "127.0.0.1", "id": a.cid, "acc": "A", "user": "a", "name": "requestor", "lang": "py", "ver": "0.0.1",
                    "server": a.info["server_name"], "kind": "Client", "client_type": "nats"}


def test_x092_share_leaves_out_what_is_empty(world):
    """A client that says nothing of itself."""
    w = world(service(of_import="share: true"))
    s, a = w("s", b"req", **CAPABLE), w("a", **CAPABLE)
    info = ask(a, s).info
    info.pop("rtt", None)
    assert list(info) == ["start", "host", "id", "acc", "user", "server", "kind", "client_type"]


def test_x092_hostile_name(world):
    """What a client says of itself can neither break the JSON nor the header."""
    w = world(service(of_import="share: true"))
    name = 'a"b\\c\r\nInjected: x\r\n\r\n\u2028<&>\u00e9\t\x00\x1f'
    s, a = w("s", b"req", **CAPABLE), w("a", name=name, lang='"}', version="\r\n", **CAPABLE)
    got = ask(a, s)
    assert got.info["name"] == name
    assert got.info["lang"] == '"}'
    assert got.info["ver"] == "\r\n"
    assert got.header.count(b"\r\n") == 3
    assert got.payload == b"?"


@pytest.mark.parametrize("header, kept", [
    (b"NATS/1.0\r\nFoo: bar\r\n\r\n", b"NATS/1.0\r\nFoo: bar\r\n"),
    (b"NATS/1.0\r\nNats-Request-Info: {}\r\n\r\n", b"NATS/1.0\r\n"),
    (b'NATS/1.0\r\nNats-Request-Info: {"acc":"X"}\r\nFoo: bar\r\nNats-Request-Info: again\r\nBar: foo\r\n\r\n',
     b"NATS/1.0\r\nFoo: bar\r\nBar: foo\r\n"),
    (b"NATS/1.0 200 OK\r\nNats-Request-Info:{}\r\nFoo:  bar \r\nFoo: 2\r\n\r\n", b"NATS/1.0 200 OK\r\nFoo:  bar \r\nFoo: 2\r\n"),
    (b"NATS/1.0\r\nNats-Request-Info-Too: x\r\nX-Nats-Request-Info: y\r\n\r\n",
     b"NATS/1.0\r\nNats-Request-Info-Too: x\r\nX-Nats-Request-Info: y\r\n"),
], ids=["other", "forged", "repeated", "status", "similar"])
@pytest.mark.parametrize("more", ["", "share: true"], ids=["", "shared"])
def test_x093_headers(world, header, kept, more):
    """What a requestor says in Nats-Request-Info is removed; the server's comes last; all else stays as it was."""
    w = world(service(of_import=more))
    s, a = w("s", b"req", **CAPABLE), w("a", **CAPABLE)
    a.send(hpub(b"req", header, b"payload", b"_I.1"))
    got = read_message(s)
    assert re.fullmatch(re.escape(kept) + rb"Nats-Request-Info: \{[^\r]*\}\r\n\r\n", got.header)
    assert got.info["acc"] == "A"
    assert got.payload == b"payload"


def test_x093_each_import_on_its_own(world):
    """Two imports, one shares: neither header finds its way into the other's request, nor to local subscribers."""
    w = world(accounts(account("T", exports=offered("req")), exports=offered("req"),
                       imports=imported("service", "req", "share: true") + imported("service", "req", account="T")))
    s, t, local, a = w("s", b"req", **CAPABLE), w("t", b"req", **CAPABLE), w("a", b"req", **CAPABLE), w("a", **CAPABLE)
    a.send(hpub(b"req", b"NATS/1.0\r\nX: y\r\n\r\n", b"?", b"_I.1"))
    a.fence()
    to_s, to_t = read_message(s), read_message(t)
    assert to_s.header.count(b"Nats-Request-Info") == to_t.header.count(b"Nats-Request-Info") == 1
    assert "user" in to_s.info
    assert set(to_t.info) <= {"acc", "rtt"}
    local.expect(b"HMSG req 1 _I.1 18 19\r\nNATS/1.0\r\nX: y\r\n\r\n?\r\n")


def test_x094_responder_without_headers(world):
    """It gets the payload only."""
    w = world(SERVICE)
    s, a = w("s", b"req", headers=False), w("a", b"_I.>", **CAPABLE)
    a.send(hpub(b"req", b"NATS/1.0\r\nX: y\r\n\r\n", b"hello", b"_I.1"))
    reply = s.expect_re(rb"MSG req 1 (" + REPLY + rb") 5\r\nhello\r\n")[1]
    answer(s, reply, b"!")
    assert heard(a) == [(b"_I.1", b"!")]


def test_x094_both_kinds(world):
    """Two responders of one request, one with headers, one without."""
    w = world(SERVICE)
    plain, full, a = w("s", b"req", headers=False), w("s", b"req", **CAPABLE), w("a", **CAPABLE)
    a.send(pub(b"req", b"hello", b"_I.1"))
    reply = plain.expect_re(rb"MSG req 1 (" + REPLY + rb") 5\r\nhello\r\n")[1]
    got = read_message(full)
    assert (got.reply, got.payload) == (reply, b"hello")


def test_x101_max_payload(world):
    """It counts for what the client sent: with the header that the server adds the request may be longer."""
    w = world("max_payload: 100\n" + SERVICE)
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    got = ask(a, s, payload=b"x" * 100)
    assert got.payload == b"x" * 100
    assert len(got.header) > 40
    answer(s, got.reply, b"y" * 100)
    assert heard(a) == [(b"_I.1", b"y" * 100)]
    a.send(pub(b"req", b"x" * 101, b"_I.1"))
    a.expect_closed_with(b"-ERR 'Maximum Payload Violation'\r\n")
    s.fence()


@pytest.mark.parametrize("limited", ["s", "a"])
def test_x101_max_payload_of_accounts(world, limited):
    """That of the requestor's account counts, not that of the responder's."""
    w = world(service(**{limited: "limits: {max_payload: 10}"}))
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    if limited == "s":
        assert ask(a, s, payload=b"x" * 100).payload == b"x" * 100
    else:
        assert ask(a, s, payload=b"x" * 10).payload == b"x" * 10
        a.send(pub(b"req", b"x" * 11, b"_I.1"))
        a.expect_closed_with(b"-ERR 'Maximum Payload Violation'\r\n")


# ---- many of them

def test_large_payloads(world):
    """Requests and answers of the largest size come through whole."""
    w = world(SERVICE)
    s, a = w("s", b"req", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    payload = bytes(range(256)) * 4096
    for _ in range(3):
        got = ask(a, s, payload=payload)
        assert got.payload == payload
        answer(s, got.reply, payload[::-1])
        assert heard(a) == [(b"_I.1", payload[::-1])]


def test_many_imports(world):
    """Of 200 services of 20 accounts each request finds its own."""
    names = [f"S{i}" for i in range(20)]
    exporters = [account(name, exports="".join(offered(f"{name}.{k}") for k in range(10))) for name in names]
    imports = "".join(imported("service", f"{name}.{k}", f"to: l.{i}.{k}", account=name) for i, name in enumerate(names) for k in range(10))
    w = world(accounts(*exporters, imports=imports))
    responders, a = [w(name.lower(), b">", **CAPABLE) for name in names], w("a", b"_I.>", **CAPABLE)
    a.send(b"".join(pub(b"l.%d.%d" % (i, k), b"?", b"_I.%d.%d" % (i, k)) for k in range(10) for i in range(20)))
    a.fence()
    for name, responder in zip(names, responders):
        got = messages(responder)
        assert [m.subject for m in got] == [b"%s.%d" % (name.encode(), k) for k in range(10)]
        responder.send(b"".join(pub(m.reply, m.subject) for m in got))
        assert [m.payload for m in messages(responder)] == [m.subject for m in got]  # ">" hears the answers, too
    assert Counter(heard(a)) == Counter((b"_I.%d.%d" % (i, k), b"%s.%d" % (name.encode(), k))
                                        for i, name in enumerate(names) for k in range(10))
