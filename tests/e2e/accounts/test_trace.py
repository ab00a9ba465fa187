# SPDX-License-Identifier: Apache-2.0
"""Message traces (spec 01 §25, 05 §16): what a message meets on its way, published where its header Nats-Trace-Dest says, or its
account's msg_trace."""

import json
import re
import zlib

import pytest

from e2e.accounts.lines import (CAPABLE, account, accounts, heard, hpub, imported, messages, no_responders, pub, pub_denied,
                                read_message)
from e2e.accounts.requests import REPLY, ask, is_reply, offered, service

ALLOWED = service("allow_trace: true", "to: lreq")
ONE = "accounts { A { users: [ { user: a, password: pw } ] } }"
DISABLED = b"Nats-Trace-Dest: trace disabled"
DEST, ONLY = b"Nats-Trace-Dest: trc", b"Nats-Trace-Only: true"
FOLLOWED = b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z"


def block(*headers):
    return b"NATS/1.0\r\n" + b"".join(header + b"\r\n" for header in headers) + b"\r\n"


def traced(subject, *headers, payload=b"x", reply=b""):
    """A message that asks to be traced, with other headers before it."""
    return hpub(subject, block(*headers, DEST), payload, reply)


def read_trace(listener, subject=b"trc"):
    """The next trace, which is all that the listener gets."""
    message = read_message(listener)
    assert (message.subject, message.reply) == (subject, b"")
    return json.loads(message.payload)


def events(listener, subject=b"trc"):
    """Those of the next trace, without their times, in an order of their own: an import comes before what it leads to."""
    read = read_trace(listener, subject)["events"]
    for event in read:
        assert re.fullmatch(TIME, event.pop("ts")), event
    return [*read[:1], *sorted(read[1:], key=lambda event: ("sm se si eg".split().index(event["type"]), json.dumps(event)))]


def came_in(client, subject, acc="A", **more):
    return {"type": "in", "kind": 0, "cid": client.cid, "acc": acc, "subj": subject, **more}


def reached(client, sub, **more):
    return {"type": "eg", "kind": 0, "cid": client.cid, "sub": sub, **more}


def refused(client, sub, why, **more):
    return reached(client, sub, error=f"Not delivered because {why}", **more)


def ends_untraced(publisher, listener):
    """Nothing but the trace of a last message comes."""
    publisher.send(traced(b"the.end"))
    assert [event["subj"] for event in events(listener)] == ["the.end"]


@pytest.fixture
def simple(world):
    """simple(more) -> World with the one account A"""
    return lambda more="": world(ONE + "\n" + more)


# ---- the document

def test_p64_trace(simple):
    """The message is delivered, and its trace names the server, shows the headers and tells who got it."""
    w = simple()
    t, r, p = w("a", b"trc"), w("a", b"foo.*", name="receiver", **CAPABLE), w("a", name="sender", **CAPABLE)
    p.send(hpub(b"foo.x", block(DEST, b"b: 1", b"B: <2>", b"b:   3 ", b"empty:"), b"hello", b"reply"))
    trace = read_trace(t)
    assert list(trace) == ["server", "request", "events"]
    assert (trace["server"]["id"], trace["server"]["ver"]) == (p.info["server_id"], p.info["version"])
    assert re.fullmatch(TIME, trace["server"]["time"])
    header = block(DEST, b"b: 1", b"B: <2>", b"b:   3 ", b"empty:")
    assert trace["request"] == {"header": {"B": ["<2>"], "Nats-Trace-Dest": ["trc"], "b": ["1", "3"]}, "msgsize": len(header) + 5}
    assert [list(event) for event in trace["events"]] == [["type", "ts", "kind", "cid", "name", "acc", "subj"],
                                                          ["type", "ts", "kind", "cid", "name", "sub"]]
    for event in trace["events"]:
        assert re.fullmatch(TIME, event.pop("ts"))
    assert trace["events"] == [came_in(p, "foo.x", name="sender"), reached(r, "foo.*", name="receiver")]
    r.expect(b"HMSG foo.x 1 reply %d %d\r\n%shello\r\n" % (len(header), len(header) + 5, header))
    p.fence()


def test_server_number(simple):
    """Each trace has a number of its own, higher than those before."""
    w = simple()
    t, p = w("a", b"trc"), w("a", **CAPABLE)
    p.send(traced(b"x") * 3)
    numbers = [read_trace(t)["server"]["seq"] for _ in range(3)]
    assert numbers == sorted(set(numbers))


def test_form_of_the_message(simple):
    """It comes as what servers send: with a reply that is there but empty."""
    w = simple()
    t, p = w("a", b"trc"), w("a", **CAPABLE)
    p.send(traced(b"x"))
    t.expect_re(rb'MSG trc 1  \d+\r\n\{"server":\{.*\}\]\}\r\n')


def test_nobody_listens(simple):
    """Without interest the trace ends where it began, and the requestor is told."""
    w = simple()
    t, p = w("a", b"trc"), w("a", b"_I.1", **CAPABLE)
    p.send(traced(b"nobody", reply=b"_I.1"))
    p.expect(no_responders(b"_I.1", 1, b"nobody"))
    assert events(t) == [came_in(p, "nobody")]


def test_all_receivers(simple):
    """Plain subscriptions one by one, of each queue group the member chosen; whether they understand headers or not."""
    w = simple()
    t, p = w("a", b"trc"), w("a", **CAPABLE)
    one, two = w("a", b"foo.x", b"foo.*", b"foo.x q"), w("a", b"foo.x", b"foo.x q", b"foo.> r", **CAPABLE)
    p.send(traced(b"foo.x"))
    got = events(t)
    assert [event for event in got if "queue" not in event] == [came_in(p, "foo.x"), *sorted(
        [reached(one, "foo.*"), reached(one, "foo.x"), reached(two, "foo.x")], key=json.dumps)]
    assert [event for event in got if event.get("queue") == "q"] in [[reached(client, "foo.x", queue="q")] for client in (one, two)]
    assert [event for event in got if event.get("queue") == "r"] == [reached(two, "foo.>", queue="r")]
    assert len(messages(one) + messages(two)) == 5


def test_many_receivers(simple):
    """Receivers on all threads of the server."""
    w = simple()
    t, p, receivers = w("a", b"trc"), w("a", **CAPABLE), [w("a", b"foo", name=f"r{i}") for i in range(20)]
    for _ in range(5):
        p.send(traced(b"foo"))
        assert sorted(events(t)[1:], key=lambda event: event["cid"]) == [
            reached(receiver, "foo", name=f"r{i}") for i, receiver in enumerate(receivers)]
    assert all(heard(receiver) == 5 * [(b"foo", b"x")] for receiver in receivers)


def test_to_whom_is_traced(simple):
    """The trace may go to who got the message, or sent it, even without echo; it is not traced itself."""
    w = simple()
    p = w("a", b"trc", echo=False, **CAPABLE)
    p.send(traced(b"trc"))
    assert events(p) == [came_in(p, "trc"), refused(p, "trc", "of no echo")]
    p.fence()


def test_payload_too_big(simple):
    """A message that is refused for its size is traced if its headers are there."""
    w = simple("max_payload: 1000")
    t, p, late = w("a", b"trc"), w("a", b"foo", **CAPABLE), w("a", **CAPABLE)
    message = traced(b"foo", payload=1000 * b"x")
    late.send(message[:30])
    late.expect_closed_with(b"-ERR 'Maximum Payload Violation'\r\n")
    p.send(message[:100])
    p.expect_closed_with(b"-ERR 'Maximum Payload Violation'\r\n")
    trace = read_trace(t)
    assert trace["request"]["msgsize"] == len(block(DEST)) + 1000
    assert [event["error"] for event in trace["events"]] == ["maximum payload exceeded"]


@pytest.mark.parametrize("accepted, expected", [(b"gzip", b"gzip"), (b"x, GZIP", b"gzip"), (b"snappy", b"snappy"), (b"gzip, S2", b"snappy"),
                                                (b"br", b"identity")])
def test_encoding(simple, accepted, expected):
    """Accept-Encoding asks for a compressed trace; a header tells what it is."""
    w = simple()
    t, p = w("a", b"trc", **CAPABLE), w("a", **CAPABLE)
    p.send(traced(b"foo", b"Accept-Encoding: " + accepted))
    got = read_message(t)
    encoding = re.fullmatch(rb"NATS/1\.0\r\nContent-Encoding: (\w+)\r\n\r\n", got.header)[1]
    assert encoding == expected
    if encoding == b"snappy":
        assert got.payload.startswith(b"\xff\x06\x00\x00sNaPpY")
        return
    text = zlib.decompress(got.payload, 31) if encoding == b"gzip" else got.payload
    assert json.loads(text)["request"]["header"]["Accept-Encoding"] == [accepted.decode()]


def test_no_encoding(simple):
    """Not under another name, nor without a value."""
    w = simple()
    t, p = w("a", b"trc", **CAPABLE), w("a", **CAPABLE)
    p.send(traced(b"foo", b"accept-encoding: gzip") + traced(b"foo", b"Accept-Encoding:"))
    assert [read_message(t).header for _ in range(2)] == [None, None]


# ---- trace only

@pytest.mark.parametrize("value", [b"1", b"true", b"TRUE", b"on", b" On "])
def test_p64_trace_only(simple, value):
    """The message reaches nobody, but the trace tells whom it would have."""
    w = simple()
    t, r, p = w("a", b"trc"), w("a", b"foo", **CAPABLE), w("a", b"_I.1", **CAPABLE)
    p.send(traced(b"foo", b"Nats-Trace-Only: " + value, reply=b"_I.1"))
    assert events(t) == [came_in(p, "foo"), reached(r, "foo")]
    r.fence()
    p.fence()


@pytest.mark.parametrize("value", [b"0", b"yes", b"false", b""])
def test_trace_and_more(simple, value):
    """Any other value means nothing."""
    w = simple()
    t, r, p = w("a", b"trc"), w("a", b"foo"), w("a", **CAPABLE)
    p.send(traced(b"foo", b"Nats-Trace-Only: " + value))
    assert events(t) == [came_in(p, "foo"), reached(r, "foo")]
    assert heard(r) == [(b"foo", b"x")]


def test_p64_only_alone(simple):
    """Without destination the header means nothing."""
    w = simple()
    t, r, p = w("a", b"trc"), w("a", b"foo"), w("a", **CAPABLE)
    p.send(hpub(b"foo", block(ONLY), b"x"))
    ends_untraced(p, t)
    assert heard(r) == [(b"foo", b"x")]


def test_only_does_not_count(simple):
    """What is only traced is not counted by a subscription that ends after one message."""
    w = simple()
    t, r, p = w("a", b"trc"), w("a", b"foo"), w("a", **CAPABLE)
    r.send(b"UNSUB 1 1\r\n")
    r.fence()
    p.send(traced(b"foo", ONLY) + traced(b"foo"))
    assert [events(t), events(t)] == 2 * [[came_in(p, "foo"), reached(r, "foo")]]
    assert heard(r) == [(b"foo", b"x")]
    p.send(traced(b"foo"))
    assert events(t) == [came_in(p, "foo")]


# ---- what is traced

@pytest.mark.parametrize("headers", [
    [b"nats-trace-dest: trc"], [b"Nats-Trace-Dest:"], [b"X: Nats-Trace-Dest: trc"], [b"X-" + DEST], [DISABLED], [b"no header", DEST],
    [FOLLOWED], [b"Nats-Trace-Origin-Account: A"],
])
def test_not_traced(simple, headers):
    """Names are case-sensitive; "trace disabled" is no destination; traceparent says nothing without msg_trace."""
    w = simple()
    t, r, p = w("a", b"trc"), w("a", b"foo", **CAPABLE), w("a", **CAPABLE)
    p.send(hpub(b"foo", block(*headers), b"x"))
    ends_untraced(p, t)
    assert [message.header for message in messages(r)] == [block(*headers)]


@pytest.mark.parametrize("dest", [b"t.*", b"t..c", b">", b"t rc", b"trc\nA: 1"])
def test_bad_destination(simple, dest):
    """What is no literal subject is logged; the message is delivered."""
    w = simple()
    t, r, p = w("a", b">"), w("a", b"foo", **CAPABLE), w("a", **CAPABLE)
    p.send(hpub(b"foo", block(b"Nats-Trace-Dest: " + dest), b"x") + pub(b"the.end", b""))
    p.fence()
    assert heard(r) == [(b"foo", b"x")]
    assert [subject for subject, _ in heard(t)] == [b"foo", b"the.end"]
    quoted = dest.decode().replace("\n", r"\n")
    w.server.wait_log(re.escape(f"Destination \"{quoted}\" is not valid, won't be able to trace events"))


def test_first_destination(simple):
    """The first of several counts."""
    w = simple()
    t, p = w("a", b"trc", b"foo"), w("a", **CAPABLE)
    p.send(hpub(b"x", block(DEST, b"Nats-Trace-Dest: foo"), b""))
    assert read_trace(t)["request"]["header"] == {"Nats-Trace-Dest": ["trc", "foo"]}


@pytest.mark.parametrize("dest", [b"den.x", b"$NRG.x", b"$GR.x"])
def test_denied_destination(world, dest):
    """Who may not publish there is told so, and the message goes nowhere."""
    w = world(accounts(permissions='publish: {deny: "den.>"}'))
    p, r, all_of_a = w("a", **CAPABLE), w("a", b"foo"), w("a", b">")
    p.send(hpub(b"foo", block(b"Nats-Trace-Dest: " + dest), b"x"))
    p.expect(pub_denied(dest))
    p.fence()
    r.fence()
    all_of_a.fence()


def test_from_another_account(simple):
    """A message that old servers say is of another account is not traced, and nobody else will."""
    w = simple()
    t, r, p = w("a", b"trc"), w("a", b"foo", **CAPABLE), w("a", **CAPABLE)
    p.send(traced(b"foo", b"Nats-Trace-Origin-Account: X"))
    ends_untraced(p, t)
    assert read_message(r).header == block(b"Nats-Trace-Origin-Account: X", DISABLED)
    w.server.wait_log(r'Message tracing disabled because of header "Nats-Trace-Origin-Account" with value="X"')


def test_no_system_account(simple):
    """Without a system account nothing is published, whatever is asked for."""
    w = simple("no_system_account: true")
    t, r, p = w("a", b"trc"), w("a", b"foo"), w("a", **CAPABLE)
    p.send(traced(b"foo") + traced(b"foo", ONLY))
    p.fence()
    assert heard(r) == [(b"foo", b"x")]
    t.fence()


# ---- refusals

def test_publish_denied(world):
    """The event of a message that came in says why it was refused; also if it was mapped before."""
    w = world(accounts(permissions="publish: {deny: [bad, mapped2]}", a="mappings: {mapped: bad, mapped2: good}"))
    t, p = w("a", b"trc"), w("a", **CAPABLE)
    why = {"error": 'Permissions Violation for Publish to "bad"'}
    for subject, got in [(b"bad", [came_in(p, "bad", **why)]),
                         (b"mapped", [came_in(p, "mapped", **why), {"type": "sm", "to": "bad"}])]:
        p.send(traced(subject))
        p.expect(pub_denied(b"bad"))
        assert events(t) == got
    p.send(traced(b"mapped2"))
    assert events(t) == [came_in(p, "mapped2"), {"type": "sm", "to": "good"}]


def test_reserved(simple):
    """So do subjects and replies that only servers use."""
    w = simple()
    t, p = w("a", b"trc"), w("a", **CAPABLE)
    p.send(traced(b"$NRG.x") + traced(b"foo", reply=b"_R_.x"))
    assert [events(t), events(t)] == [
        [came_in(p, "$NRG.x", error='Permissions Violation for Publish to "$NRG.x"')],
        [came_in(p, "foo", error='Permissions Violation for Publish with Reply of "_R_.x"')]]


def test_subscription_denied(world):
    """Receivers who may not have the message."""
    w = world(accounts(account("B"), permissions="subscribe: {deny: secret}, publish: {deny: none}"))
    t, r, p = w("a", b"trc"), w("a", b"se*", b">", b"> q", **CAPABLE), w("a", **CAPABLE)
    r.send(b"UNSUB 1\r\n")
    r.fence()
    p.send(traced(b"secret"))
    denied = "subscription denies this subject"
    assert events(t) == [came_in(p, "secret"), refused(r, ">", denied), refused(r, ">", denied, queue="q")]
    assert [subject for subject, _ in heard(r)] == 2 * [b"trc"]


def test_no_echo(simple):
    """Its own subscriptions, if the publisher wants no echo; another member of the group gets the message."""
    w = simple()
    t, r, p = w("a", b"trc"), w("a", b"foo q"), w("a", b"foo", b"bar q", echo=False, **CAPABLE)
    p.send(traced(b"foo") + traced(b"bar"))
    assert events(t) == [came_in(p, "foo"), reached(r, "foo", queue="q"), refused(p, "foo", "of no echo")]
    assert events(t) == [came_in(p, "bar"), refused(p, "bar", "of no echo", queue="q")]
    assert heard(r) == [(b"foo", b"x")]
    p.fence()


def test_slow_consumer(simple, connect):
    """A receiver that is left out for being slow."""
    w = simple("no_fast_producer_stall: true\nmax_pending: 2MB")
    t, p, slow = w("a", b"trc"), w("a", **CAPABLE), connect(w.server, rcvbuf=4096).connect(user="a", **{"pass": "pw"})
    slow.send(b"SUB foo 1\r\nPING\r\n")
    slow.expect(b"PONG\r\n")
    expected = [[came_in(p, "foo"), reached(slow, "foo")],
                [came_in(p, "foo"), refused(slow, "foo", "fast producer not stalled and consumer is slow")]]
    seen = []
    while len(seen) < 500 and expected[1] not in seen:
        p.send(traced(b"foo", payload=65536 * b"x"))
        seen.append(events(t))
    assert expected[0] in seen
    assert seen[-1] == expected[1]


# ---- mappings

@pytest.mark.parametrize("mapping, subject, to", [
    ("foo: bar", b"foo", "bar"), ("foo: foo", b"foo", "foo"), ('"foo.*": "bar.{{wildcard(1)}}"', b"foo.x", "bar.x"),
    ("foo: [{dest: bar, weight: 0}]", b"foo", "foo"),
])
def test_mapping(world, mapping, subject, to):
    """Where a mapping sends the message; what it loses stays with its subject, unless the mapping names that."""
    w = world(accounts(a=f"mappings: {{ {mapping} }}"))
    t, r, p = w("a", b"trc"), w("a", b"bar.>", b"bar"), w("a", **CAPABLE)
    p.send(traced(subject))
    got = [reached(r, "bar.>" if "." in to else "bar")] if to.startswith("bar") else []
    assert events(t) == [came_in(p, subject.decode()), {"type": "sm", "to": to}, *got]


def test_mapping_of_the_destination(world):
    """A trace is not mapped."""
    w = world(accounts(a="mappings: {trc: other}"))
    t, p = w("a", b"trc", b"other"), w("a", **CAPABLE)
    p.send(traced(b"foo"))
    assert events(t) == [came_in(p, "foo")]


# ---- services

def to_service(acc, local, subject):
    return {"type": "si", "acc": acc, "from": local, "to": subject}


def test_x138_service(world):
    """The export allows it: the trace goes on in S.  What its clients see of it leads nowhere."""
    w = world(ALLOWED)
    s, everything, a, t = w("s", b"req", name="responder", **CAPABLE), w("s", b"trc"), w("a", **CAPABLE), w("a", b"trc", b"_I.1")
    a.send(hpub(b"lreq", block(b"X: y", DEST, b"Z: 1"), b"?", b"_I.1"))
    assert events(t) == [came_in(a, "lreq"), to_service("S", "lreq", "req"), reached(s, "req", acc="S", name="responder")]
    got = read_message(s)
    assert is_reply(got.reply)
    info, dest = re.fullmatch(rb"NATS/1\.0\r\nX: y\r\nZ: 1\r\nNats-Request-Info: (.*)\r\nNats-Trace-Dest: (" + REPLY + rb")\r\n\r\n",
                              got.header).groups()
    assert json.loads(info)["acc"] == "A"
    assert dest != got.reply
    s.send(pub(dest, b"hello"))
    s.fence()
    t.fence()
    everything.fence()


def test_x138_trace_only(world):
    """The request reaches nobody in S, nor does anybody wait for a response; that somebody would answer spares the requestor a 503."""
    w = world(ALLOWED)
    s, a, t = w("s", b"req", **CAPABLE), w("a", b"_I.1", **CAPABLE), w("a", b"trc")
    a.send(traced(b"lreq", ONLY, reply=b"_I.1"))
    assert events(t) == [came_in(a, "lreq"), to_service("S", "lreq", "req"), reached(s, "req", acc="S")]
    s.fence()
    a.fence()


@pytest.mark.parametrize("headers", [[], [ONLY]])
def test_x138_no_responder(world, headers):
    """Nobody listens in S."""
    w = world(ALLOWED)
    a, t = w("a", b"_I.1", **CAPABLE), w("a", b"trc")
    a.send(traced(b"lreq", *headers, reply=b"_I.1"))
    a.expect(no_responders(b"_I.1", 1, b"lreq"))
    assert events(t) == [came_in(a, "lreq"), to_service("S", "lreq", "req")]


def test_x139_service_without(world):
    """The export does not allow it: the trace ends there."""
    w = world(service("allow_trace: false", "to: lreq"))
    s, a, t = w("s", b"req", **CAPABLE), w("a", b"_I.1", **CAPABLE), w("a", b"trc")
    a.send(traced(b"lreq", reply=b"_I.1"))
    assert events(t) == [came_in(a, "lreq"), to_service("S", "lreq", "req")]
    assert read_message(s).header.endswith(b"\r\n" + DISABLED + b"\r\n\r\n")
    a.fence()
    a.send(traced(b"lreq", ONLY, reply=b"_I.1"))
    a.expect(no_responders(b"_I.1", 1, b"lreq"))
    assert events(t) == [came_in(a, "lreq"), to_service("S", "lreq", "req")]
    s.fence()


def test_service_and_local(world):
    """Local subscribers are told of without account."""
    w = world(ALLOWED)
    s, local, a, t = w("s", b"req"), w("a", b"lreq"), w("a", **CAPABLE), w("a", b"trc")
    a.send(traced(b"lreq"))
    assert sorted(events(t)[1:], key=json.dumps) == sorted([to_service("S", "lreq", "req"), reached(s, "req", acc="S"),
                                                            reached(local, "lreq")], key=json.dumps)


def test_mapped_service(world):
    """A mapping of the importer is an event, one of the exporter is not."""
    w = world(accounts(exports=offered("req", "allow_trace: true"), imports=imported("service", "req", "to: lreq"),
                       s="mappings: {req: sreq}", a="mappings: {mapped: lreq}"))
    s, a, t = w("s", b"sreq"), w("a", **CAPABLE), w("a", b"trc")
    a.send(traced(b"mapped"))
    assert events(t) == [came_in(a, "mapped"), {"type": "sm", "to": "lreq"}, to_service("S", "lreq", "sreq"), reached(s, "sreq", acc="S")]


@pytest.mark.parametrize("is_allowed", [True, False])
def test_chain(world, is_allowed):
    """Through two services."""
    end = f"allow_trace: {str(is_allowed).lower()}"
    w = world("accounts {\n%s}\n" % (
        account("T", exports=offered("deep", end)) +
        account("S", exports=offered("req", "allow_trace: true"), imports=imported("service", "deep", "to: req", account="T")) +
        account("A", imports=imported("service", "req", "to: lreq"))))
    last, a, t = w("t", b"deep", **CAPABLE), w("a", **CAPABLE), w("a", b"trc")
    a.send(traced(b"lreq"))
    assert events(t) == [came_in(a, "lreq"), to_service("S", "lreq", "req"), to_service("T", "req", "deep"),
                         *([reached(last, "deep", acc="T")] if is_allowed else [])]
    assert (DISABLED in read_message(last).header) is not is_allowed


def test_response(world):
    """A response that is traced is so in its own account only."""
    w = world(ALLOWED)
    s, t, a = w("s", b"req", **CAPABLE), w("s", b"trc"), w("a", b"_I.1", **CAPABLE)
    reply = ask(a, s, b"lreq").reply
    s.send(traced(reply, b"X: y"))
    assert events(t) == [came_in(s, reply.decode(), "S"), to_service("A", reply.decode(), "_I.1")]
    assert read_message(a).header == block(b"X: y", DISABLED)


def test_response_trace_only(world):
    """One that is only traced is the response all the same: there will be no other."""
    w = world(ALLOWED)
    s, t, a = w("s", b"req", **CAPABLE), w("s", b"trc"), w("a", b"_I.1", **CAPABLE)
    reply = ask(a, s, b"lreq").reply
    s.send(traced(reply, ONLY) + traced(reply))
    assert events(t) == [came_in(s, reply.decode(), "S"), to_service("A", reply.decode(), "_I.1")]
    assert events(t) == [came_in(s, reply.decode(), "S")]
    a.fence()


def test_trace_to_a_service(world):
    """The destination may be a service: the server asks it."""
    w = world(service(of_import="to: trc"))
    s, a = w("s", b"req", **CAPABLE), w("a", **CAPABLE)
    a.send(traced(b"foo"))
    got = read_message(s)
    assert got.info == {"acc": "A"}
    assert [event["subj"] for event in json.loads(got.payload)["events"]] == ["foo"]


# ---- streams

def to_stream(acc, subject):
    return {"type": "se", "acc": acc, "to": subject}


@pytest.mark.parametrize("headers", [[], [ONLY]])
def test_stream(world, headers):
    """Where the message goes is told, who gets it there only if the import allows that; the header stays."""
    w = world("accounts {\n%s}\n" % (
        account("S", exports='{stream: "ev.>"}') + account("B", imports=imported("stream", "ev.>", 'to: "bev.>"')) +
        account("A", imports=imported("stream", "ev.>", "prefix: in, allow_trace: true"))))
    t, own, p = w("s", b"trc"), w("s", b"ev.x"), w("s", **CAPABLE)
    a, a_group, b, others = w("a", b"in.ev.x", **CAPABLE), w("a", b"in.> q"), w("b", b"bev.*", **CAPABLE), w("a", b"trc")
    p.send(traced(b"ev.x", *headers))
    assert events(t) == [came_in(p, "ev.x", "S"), to_stream("A", "in.ev.x"), to_stream("A", "in.ev.x"), to_stream("B", "bev.x"), *sorted(
        [reached(a, "ev.x", acc="A"), reached(a_group, "ev.>", acc="A", queue="q"), reached(own, "ev.x")], key=json.dumps)]
    for client, subject in [(a, b"in.ev.x"), (b, b"bev.x")]:
        assert [(m.subject, m.header) for m in messages(client)] == ([] if headers else [(subject, block(DEST))])
    others.fence()


# ---- traceparent

def of_account(sampling="", **others):
    return accounts(a='msg_trace: { dest: "acc.trc"' + (f", sampling: {sampling} }}" if sampling else " }"), **others)


def test_p65_traceparent(world):
    """A message that is followed elsewhere is traced to where its account says; Nats-Trace-Only has no effect on that."""
    w = world(of_account())
    t, r, p = w("a", b"acc.trc"), w("a", b"foo", **CAPABLE), w("a", **CAPABLE)
    for headers in [[FOLLOWED], [FOLLOWED.upper().replace(b"AF", b"af")], [FOLLOWED, ONLY], [b"Nats-Trace-Dest:", FOLLOWED]]:
        p.send(hpub(b"foo", block(*headers), b"x"))
        assert events(t, b"acc.trc") == [came_in(p, "foo"), reached(r, "foo")]
        assert read_message(r).header == block(*headers)


@pytest.mark.parametrize("value, is_traced", [
    (b"00-a-b-01", True), (b"00-a-b-03", True), (b"zz---7F", True), (b"00-a-b-00", False), (b"00-a-b-02", False), (b"00-a-b-ff", False),
    (b"00-a-b-1", False), (b"00-a-b-001", False), (b"00-a-b-zz", False), (b"a-b-01", False), (b"00-a-b-01-02", False), (b"01", False),
    (b"", False),
])
def test_p65_flags(world, value, is_traced):
    """Four fields, of which the last has two digits, below 80, and its lowest bit is set."""
    w = world(of_account())
    t, p = w("a", b"acc.trc", b"trc"), w("a", **CAPABLE)
    p.send(hpub(b"foo", block(b"traceparent: " + value), b"x"))
    if is_traced:
        assert read_trace(t, b"acc.trc")["request"]["header"] == {"traceparent": [value.decode()]}
    p.send(traced(b"the.end"))
    assert read_message(t).subject == b"trc"


def test_p65_destination_of_its_own(world):
    """The message's own destination goes before, or says that it is not to be traced."""
    w = world(of_account())
    t, p = w("a", b"trc", b"acc.trc"), w("a", **CAPABLE)
    p.send(hpub(b"foo", block(FOLLOWED, DISABLED), b"x") + hpub(b"foo", block(FOLLOWED, b"Nats-Trace-Dest: t.*"), b"x"))
    p.send(hpub(b"foo", block(FOLLOWED, DEST), b"x"))
    assert events(t) == [came_in(p, "foo")]
    ends_untraced(p, t)


def test_p65_denied(world):
    """The publisher must be allowed to publish where the account wants traces."""
    w = world(of_account(permissions='publish: {deny: "acc.>"}'))
    p, r = w("a", **CAPABLE), w("a", b"foo")
    p.send(hpub(b"foo", block(FOLLOWED), b"x"))
    p.expect(pub_denied(b"acc.trc"))
    r.fence()


def test_p65_sampling(world):
    """With 20 of 100, one in five; the others carry a header so that nobody else traces them."""
    w = world(of_account("20"))
    t, r, p = w("a", b"acc.trc"), w("a", b"foo", **CAPABLE), w("a", **CAPABLE)
    p.send(1000 * hpub(b"foo", block(FOLLOWED, ONLY), b"x"))
    p.fence()
    headers = [message.header for message in messages(r)]
    assert len(headers) == 1000
    assert set(headers) == {block(FOLLOWED, ONLY), block(FOLLOWED, ONLY, DISABLED)}
    n_traced = headers.count(block(FOLLOWED, ONLY))
    assert 130 < n_traced < 290, "chance: once in 10^8"
    for _ in range(n_traced):
        read_trace(t, b"acc.trc")
    t.fence()


def test_p65_service(world):
    """Such a trace goes through services, too."""
    w = world(accounts(a="msg_trace: acc.trc", exports=offered("req", "allow_trace: true"), imports=imported("service", "req", "to: lreq")))
    s, a, t = w("s", b"req", **CAPABLE), w("a", **CAPABLE), w("a", b"acc.trc")
    a.send(hpub(b"lreq", block(FOLLOWED), b"?"))
    assert events(t, b"acc.trc") == [came_in(a, "lreq"), to_service("S", "lreq", "req"), reached(s, "req", acc="S")]
    assert re.search(rb"\r\nNats-Trace-Dest: " + REPLY + rb"\r\n\r\n", read_message(s).header)
