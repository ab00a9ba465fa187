# SPDX-License-Identifier: Apache-2.0
"""How long services take: the metrics of an export with `latency` (spec 05 §11)."""

import json
import re
import time
from datetime import datetime, timedelta, timezone

import pytest

from e2e.accounts.lines import CAPABLE, account, accounts, hpub, imported, no_responders, pub, read_message
from e2e.accounts.requests import REPLY, answer, ask, is_reply, offered, service

ALWAYS = "latency: {sampling: 100, subject: lat}"
BY_HEADERS = "latency: {sampling: headers, subject: lat}"
TRACED_REPLY = REPLY + rb"\.[0-9A-Za-z]{8}\.T"
SHARED = {"start", "host", "id", "acc", "user", "rtt", "server", "kind", "client_type"}  # keys of an import that shares


def measured(latency=ALWAYS, of_import="", more="", **others):
    return "server_name: S1\n" + service(f"{latency}, {more}", of_import, **others)


def read_metric(client):
    """The next message: a metric, as the server publishes its own, with an empty reply subject."""
    match = client.expect_re(rb"MSG lat (\d+)  (\d+)\r\n")
    body = client.read_exactly(int(match[2]) + 2)
    assert body.endswith(b"\r\n")
    return json.loads(body)


def read_metric_beside_others(client):
    """The next metric; other messages before it are read over."""
    while (message := read_message(client)).subject != b"lat":
        pass
    return json.loads(message.payload)


def expect_no_more(asker, observer):
    """No metric is under way: the next one is that of a request without reply."""
    asker.send(pub(b"req", b"last"))
    assert read_metric(observer)["status"] == 400


def block(*lines):
    return b"NATS/1.0\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def time_of(text):
    """RFC 3339 with up to nine decimals, none of them a 0 at the end."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{0,8}[1-9])?Z", text)
    assert match, text
    return datetime.fromisoformat(match[1]).replace(tzinfo=timezone.utc) + timedelta(seconds=float(match[2] or 0))


def check_failure(metric, status, description):
    """All that the metric of a request without response says."""
    assert list(metric) == ["type", "id", "timestamp", "status", "description", "requestor", "start", "service", "system", "total"]
    assert (metric["status"], metric["description"]) == (status, description)
    assert set(metric["requestor"]) <= {"acc", "rtt"} and metric["requestor"]["acc"] == "A"
    assert (metric["service"], metric["system"], metric["total"]) == (0, 0, 0)


# ---- responses

@pytest.mark.parametrize("latency", [ALWAYS, "latency: lat", 'latency: {sampling: "100%", subject: lat}'])
def test_x110_metric(world, latency):
    """Request and response make one metric, in S: what it is, when, who asked and who answered, how long it took."""
    w = world(measured(latency))
    s, observer, a = w("s", b"req", name="R"), w("s", b"lat"), w("a", b"_I.>", b"lat")
    before = datetime.now(timezone.utc)
    answer(s, ask(a, s).reply, b"!")
    metric = read_metric(observer)
    after = datetime.now(timezone.utc)
    assert read_message(a).subject == b"_I.1"
    assert list(metric) == ["type", "id", "timestamp", "status", "requestor", "responder", "start", "service", "system", "total"]
    assert metric["type"] == "io.nats.server.metric.v1.service_latency"
    assert re.fullmatch("[0-9A-Za-z]{22}", metric["id"])
    assert metric["status"] == 200
    assert set(metric["requestor"]) <= {"acc", "rtt"} and metric["requestor"]["acc"] == "A"
    assert SHARED - {"rtt"} <= set(metric["responder"])
    assert {"id": s.cid, "acc": "S", "user": "s", "name": "R", "server": "S1", "kind": "Client"}.items() <= metric["responder"].items()
    rtt = timedelta(microseconds=metric["requestor"].get("rtt", 0) / 1000)
    assert before - timedelta(milliseconds=1) <= time_of(metric["start"]) + rtt <= time_of(metric["timestamp"])
    assert time_of(metric["timestamp"]) <= after + timedelta(milliseconds=1)
    expect_no_more(a, observer)
    a.fence()


def test_x110_times(world):
    """The total is made of what the service took, the server itself, and the ways to both clients."""
    w = world(measured())
    s, observer, a = w("s", b"req"), w("s", b"lat"), w("a", b"_I.>")
    reply = ask(a, s).reply
    time.sleep(0.3)
    answer(s, reply, b"!")
    metric = read_metric(observer)
    assert 200_000_000 < metric["service"] < metric["total"] < 5_000_000_000
    ways = metric["requestor"].get("rtt", 0) + metric["responder"].get("rtt", 0)
    assert metric["total"] == metric["service"] + metric["system"] + ways


def test_x110_ids_differ(world):
    """No two metrics have the same id."""
    w = world(measured())
    _, observer, a = w("s", b"req"), w("s", b"lat"), w("a")
    a.send(pub(b"req", b"?") * 100)
    assert len({read_metric(observer)["id"] for _ in range(100)}) == 100


def test_x110_error_response(world):
    """A response that says that something went wrong is one, too."""
    w = world(measured())
    s, observer, a = w("s", b"req", **CAPABLE), w("s", b"lat"), w("a", b"_I.>", **CAPABLE)
    s.send(hpub(ask(a, s).reply, b"NATS/1.0 500 Oops\r\n\r\n"))
    assert read_metric(observer)["status"] == 200


def test_x111_reply(world):
    """The reply subject of a request that is measured says so, and which server measures."""
    w = world(measured())
    s, a = w("s", b"req"), w("a", b"_I.>")
    reply = ask(a, s).reply
    assert re.fullmatch(TRACED_REPLY, reply) and len(reply) == 28
    assert reply.endswith(b".sQnRv29R.T")  # made of the server's name, S1
    answer(s, reply, b"!")
    assert read_message(a).payload == b"!"


def test_x112_message(world):
    """A metric has an empty reply subject, and no headers for who could have them; A does not get it."""
    w = world(measured())
    observer, a, a_all = w("s", b"lat", **CAPABLE), w("a"), w("a", b">", **CAPABLE)
    a.send(pub(b"req", b"?"))
    observer.expect_re(rb"MSG lat 1  \d+\r\n\{[^\r]*\}\r\n")
    observer.fence()
    assert read_message(a_all).subject == b"req"
    a_all.fence()


def test_x112_export(world):
    """Metrics cross to other accounts as any other message does."""
    w = world(accounts(exports=offered("req", ALWAYS) + "{stream: lat}", imports=imported("service", "req") + imported("stream", "lat")))
    s, a = w("s", b"req"), w("a", b"_I.>", b"lat")
    answer(s, ask(a, s).reply, b"!")
    metric = read_metric_beside_others(a)
    assert metric["status"] == 200


# ---- no response

def test_x113_no_reply(world):
    """A request that wants no response is delivered; its metric says 400."""
    w = world(measured())
    s, observer, a = w("s", b"req"), w("s", b"lat"), w("a")
    a.send(pub(b"req", b"note"))
    message = read_message(s)
    assert (message.payload, message.reply) == (b"note", b"")
    check_failure(read_metric(observer), 400, "Bad Request")
    expect_no_more(a, observer)


@pytest.mark.parametrize("leave", ["unsubscribe", "auto-unsubscribe", "close"])
def test_x114_nobody_waits(world, leave):
    """The requestor does not wait any more: 408, once, though a response comes later."""
    w = world(measured())
    s, observer, a, other = w("s", b"req"), w("s", b"lat"), w("a", b"_I.1"), w("a")
    reply = ask(a, s).reply
    if leave == "close":
        a.close()
    elif leave == "unsubscribe":
        a.send(b"UNSUB 1\r\n")
    else:
        a.send(b"UNSUB 1 1\r\n" + pub(b"_I.1", b"from elsewhere"))
    check_failure(read_metric(observer), 408, "Request Timeout")
    answer(s, reply, b"!")
    expect_no_more(other, observer)


def test_x114_others_wait(world):
    """As long as any subscription matches the reply, somebody waits."""
    w = world(measured())
    s, observer, a, other = w("s", b"req"), w("s", b"lat"), w("a", b"_I.*"), w("a", b"_I.>")
    reply = ask(a, s).reply
    a.close()
    other.fence()
    answer(s, reply, b"!")
    assert read_metric(observer)["status"] == 200
    assert read_message(other).payload == b"!"


def test_x115_no_responder(world):
    """Nobody answers in S: 503, to the requestor and in the metric."""
    w = world(measured())
    observer, a = w("s", b"lat"), w("a", b"_I.>", **CAPABLE)
    a.send(pub(b"req", b"?", b"_I.1"))
    check_failure(read_metric(observer), 503, "Service Unavailable")
    a.expect(no_responders(b"_I.1", 1, b"req"))
    a.fence()


def test_x115_without_reply(world):
    """Nobody is there and nobody wants to know: that there was no reply comes first."""
    w = world(measured())
    observer, a = w("s", b"lat"), w("a")
    a.send(pub(b"req", b"?"))
    check_failure(read_metric(observer), 400, "Bad Request")
    expect_no_more(a, observer)


def test_x116_threshold(world):
    """No response in time: 504 after the threshold, or up to twice of it; later ones are dropped."""
    w = world(measured(more='threshold: "500ms"'))
    s, observer, a = w("s", b"req"), w("s", b"lat"), w("a", b"_I.>")
    begin = time.monotonic()
    reply = ask(a, s).reply
    check_failure(read_metric(observer), 504, "Service Timeout")
    assert 0.45 < time.monotonic() - begin < 5
    answer(s, reply, b"late")
    a.fence()
    expect_no_more(a, observer)


# ---- what is told of the requestor

def test_x117_share(world):
    """An import that shares tells who asks; it does so when nothing came of it as well."""
    w = world(measured(of_import="share: true"))
    s, observer, a = w("s", b"req"), w("s", b"lat"), w("a", b"_I.>", name="N", lang="py", version="1.2")
    answer(s, ask(a, s).reply, b"!")
    metrics = [read_metric(observer)]
    a.send(pub(b"req", b"?"))
    metrics.append(read_metric(observer))
    assert [metric["status"] for metric in metrics] == [200, 400]
    for metric in metrics:
        assert SHARED - {"rtt"} <= set(metric["requestor"])
        known = {"host": "127.0.0.1", "id": a.cid, "acc": "A", "user": "a", "name": "N", "lang": "py", "ver": "1.2", "server": "S1",
                 "kind": "Client", "client_type": "nats"}
        assert known.items() <= metric["requestor"].items()


# ---- sampling

@pytest.mark.parametrize("lines, header", [
    ([], None),
    ([b"Foo: bar"], None),
    ([b"traceparent: 00-a-b-01"], {"Traceparent": ["00-a-b-01"]}),
    ([b"traceparent: 00-a-b-00"], None),
    ([b"traceparent: 00-a-b-81"], None),
    ([b"tracestate: x=1", b"TRACEPARENT: 00-a-b-01"], {"Traceparent": ["00-a-b-01"], "Tracestate": ["x=1"]}),
    ([b"X-B3-Sampled: 1"], {"X-B3-Sampled": ["1"]}),
    ([b"X-B3-Sampled: 0", b"X-B3-TraceId: t"], None),
    ([b"x-b3-traceid: t", b"X-B3-SpanId: s", b"Foo: bar"], {"X-B3-Spanid": ["s"], "X-B3-Traceid": ["t"]}),
    ([b"B3: 1"], {"B3": ["1"]}),
    ([b"B3: 0"], None),
    ([b"b3: a-b-d"], {"B3": ["a-b-d"]}),
    ([b"b3: a-b-0-c"], None),
    ([b"Uber-Trace-Id: a:b:c:1"], {"Uber-Trace-Id": ["a:b:c:1"]}),
    ([b"uberctx-foo: x", b"Uber-Trace-Id: a:b:c:01", b"UBERCTX-bar: y"],
     {"Uber-Trace-Id": ["a:b:c:01"], "Uberctx-Bar": ["y"], "Uberctx-Foo": ["x"]}),
    ([b"Uber-Trace-Id: a:b:c:0"], None),
    ([b"Uber-Trace-Id: a:b:c:0", b"traceparent: 00-a-b-01"], None),
    ([b"garbage", b"traceparent: 00-a-b-01"], None),
])
def test_x118_headers(world, lines, header):
    """`sampling: headers`: what a tracing system follows is measured; the metric tells its headers, names in canonical case."""
    w = world(measured(BY_HEADERS))
    s, observer, a = w("s", b"req", **CAPABLE), w("s", b"lat"), w("a", b"_I.>", **CAPABLE)
    a.send(hpub(b"req", block(*lines), b"?", b"_I.1"))
    a.fence()
    reply = read_message(s).reply
    assert is_reply(reply) is (header is None)
    answer(s, reply, b"!")
    assert read_message(a).payload == b"!"
    if header is None:
        a.send(hpub(b"req", block(b"B3: 1"), b"last"))
        assert read_metric(observer)["status"] == 400
    else:
        metric = read_metric(observer)
        assert list(metric)[-5:] == ["header", "start", "service", "system", "total"]
        assert metric["header"] == header and list(metric["header"]) == sorted(header)


def test_x118_plain_request(world):
    """A request without headers is not measured then."""
    w = world(measured(BY_HEADERS))
    s, observer, a = w("s", b"req", **CAPABLE), w("s", b"lat"), w("a", b"_I.>", **CAPABLE)
    reply = ask(a, s).reply
    assert is_reply(reply)
    answer(s, reply, b"!")
    a.send(hpub(b"req", block(b"B3: 1"), b"last"))
    assert read_metric(observer)["status"] == 400


@pytest.mark.parametrize("sampling, least, most", [(1, 20, 110), (50, 1390, 1670), (99, 3000, 3000)])
def test_x119_sampling(world, sampling, least, most):
    """N gives (N + 1) % of requests."""
    w = world(measured(f"latency: {{sampling: {sampling}, subject: lat}}"))
    s, a = w("s", b"req"), w("a", b"_I.>")
    a.send(b"".join(pub(b"req", b"", b"_I.%d" % i) for i in range(3000)))
    a.fence()
    n = sum(read_message(s).reply.endswith(b".T") for _ in range(3000))
    assert least <= n <= most


def test_x119_forced(world):
    """What a tracing system follows is measured at any percentage; the metric has its headers if it was not drawn anyway."""
    w = world(measured("latency: {sampling: 1, subject: lat}"))
    _, observer, a = w("s", b"req", **CAPABLE), w("s", b"lat"), w("a", **CAPABLE)
    a.send(hpub(b"req", block(b"B3: 1"), b"?") * 20)
    metrics = [read_metric(observer) for _ in range(20)]
    assert sum("header" in metric for metric in metrics) >= 15
    assert all(metric.get("header", {"B3": ["1"]}) == {"B3": ["1"]} for metric in metrics)


def test_x119_drawn(world):
    """At 100 % nobody looks at headers, and the metric tells none."""
    w = world(measured())
    _, observer, a = w("s", b"req", **CAPABLE), w("s", b"lat"), w("a", **CAPABLE)
    a.send(hpub(b"req", block(b"B3: 1"), b"?"))
    assert "header" not in read_metric(observer)


# ---- once

def test_x121_answered_twice(world):
    """A second response is none."""
    w = world(measured())
    s, observer, a = w("s", b"req"), w("s", b"lat"), w("a", b"_I.>")
    answer(s, ask(a, s).reply, b"1", b"2")
    assert read_metric(observer)["status"] == 200
    assert read_message(a).payload == b"1"
    a.fence()
    expect_no_more(a, observer)


def test_x121_answered_then_unsubscribed(world):
    """Who has been answered may leave."""
    w = world(measured())
    s, observer, a = w("s", b"req"), w("s", b"lat"), w("a", b"_I.>")
    answer(s, ask(a, s).reply, b"!")
    assert read_message(a).payload == b"!"
    assert read_metric(observer)["status"] == 200
    a.send(b"UNSUB 1\r\n")
    a.fence()
    expect_no_more(a, observer)


def test_x121_undeliverable(world):
    """A response that nobody ever subscribed to is one."""
    w = world(measured())
    s, observer, a = w("s", b"req"), w("s", b"lat"), w("a")
    answer(s, ask(a, s).reply, b"1", b"2")
    assert read_metric(observer)["status"] == 200
    expect_no_more(a, observer)


# ---- chains

CHAIN = accounts(account("B", exports=offered("mid", "latency: mid.lat"), imports=imported("service", "req", "to: mid")),
                 exports=offered("req", ALWAYS), imports=imported("service", "mid", "to: req", account="B"))


@pytest.mark.parametrize("reply, is_there, status", [(b"_I.1", True, 200), (b"", True, 400), (b"_I.1", False, 503)])
def test_chain(world, reply, is_there, status):
    """A asks B, which asks S: both exporters measure, and name A as who asked."""
    w = world(CHAIN)
    s, observer, middle = w("s", *([b"req"] if is_there else [])), w("s", b"lat"), w("b", b"mid.lat")
    a = w("a", b"_I.>", **CAPABLE)
    a.send(pub(b"req", b"?", reply))
    if status == 200:
        answer(s, read_message(s).reply, b"!")
        assert read_message(a).payload == b"!"
    metrics = [read_metric(observer)]
    match = middle.expect_re(rb"MSG mid\.lat 1  \d+\r\n([^\r]*)\r\n")
    metrics.append(json.loads(match[1]))
    for metric in metrics:
        assert metric["status"] == status
        assert metric["requestor"]["acc"] == "A" and "user" not in metric["requestor"]
        assert ("responder" in metric) is (status == 200)
        assert status != 200 or metric["responder"]["id"] == s.cid
