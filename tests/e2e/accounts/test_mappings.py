# SPDX-License-Identifier: Apache-2.0
"""Mappings: messages that are published to one subject go to another (spec 05 §5, §6).

All rows of transforms.tsv and partitions.tsv: test_transforms.py.  What is no mapping: test_config_errors.py.
"""

import collections

import pytest

from e2e.accounts.lines import (CAPABLE, Message, account, accounts, heard, hpub, imported, messages, no_responders, pub, pub_denied,
                                sub_denied)
from e2e.accounts.vectors import quoted, rows
from e2e.config.conftest import judge  # noqa: F401  (a fixture)

MAX = 100  # percent
VALIDITY = rows("subject_validity.tsv")


def mapped(text: str, permissions: str = "") -> str:
    """An account A with these mappings."""
    return "accounts { %s }" % account("A", f"mappings: {{ {text} }}", permissions=permissions)


@pytest.fixture
def ears(world):
    """ears(mappings) -> a client of A that hears everything"""
    return lambda text: world(mapped(text))("a", b">")


@pytest.fixture
def route(ears):
    """route(mappings, subject, …) -> the subjects that messages to these have, if they are heard at all"""
    def run(text, *subjects):
        c = ears(text)
        c.send(b"".join(pub(subject, b"%d" % i) for i, subject in enumerate(subjects)))
        return [subject for subject, _ in heard(c)]

    return run


@pytest.fixture
def shares(route):
    """shares(mappings, subject) -> of 1500 messages, how many per cent go where; None: nowhere"""
    def run(text, subject, n=1500):
        count = collections.Counter(route(text, *[subject] * n))
        count[None] = n - sum(count.values())
        return {where: MAX * k / n for where, k in count.items() if k}

    return run


def about(expected: dict) -> dict:
    """1500 draws are 5 per cent off once in 10,000 runs: as good as never with 6."""
    return {where: share if share == MAX else pytest.approx(share, abs=6) for where, share in expected.items()}


# ---- what is mapped

def test_x031_subscriptions_are_not_mapped(world):
    """`foo` is heard by nobody any more, but by who subscribes to `bar`, as `bar`."""
    c = world(mapped("foo: bar"))("a", b"foo", b"bar", b"foo q")
    c.send(pub(b"foo", b"x", b"reply"))
    assert messages(c) == [Message(b"bar", b"2", b"x", b"reply")]


def test_x031_headers_and_queues(world):
    """A message with headers is mapped as well, and goes to queues of the new subject."""
    c, header = world(mapped("foo: bar"))("a", b"bar q", b"bar q", headers=True), b"NATS/1.0\r\nA: b\r\n\r\n"
    c.send(hpub(b"foo", header, b"x", b"r"))
    (message,) = messages(c)
    assert (message.subject, message.header, message.payload, message.reply) == (b"bar", header, b"x", b"r")


def test_the_own_account_only(world):
    """Others have other mappings, or none."""
    w = world("accounts { %s %s %s }" % (account("A", "mappings: {foo: bar}"), account("B"), account("C", "maps: {foo: baz}")))
    clients = {user: w(user, b">") for user in "abc"}
    for client in clients.values():
        client.send(pub(b"foo", b"x"))
    assert {user: heard(client) for user, client in clients.items()} == {
        "a": [(b"bar", b"x")], "b": [(b"foo", b"x")], "c": [(b"baz", b"x")]}


def test_x032_once(route):
    """What is mapped is not mapped again."""
    assert route("a: b, b: c, c: a", b"a", b"b", b"c") == [b"b", b"c", b"a"]


@pytest.mark.parametrize("allowed, denied", [('"b"', None), ('"foo"', b"b"), ('{deny: "foo"}', None), ('{deny: "b"}', b"b")])
def test_x033_permissions(world, allowed, denied):
    """They are about the mapped subject."""
    c = world(mapped("foo: b", f"publish: {allowed}"))("a", b"b")
    c.send(pub(b"foo", b"x"))
    c.expect(pub_denied(denied) if denied else b"MSG b 1 1\r\nx\r\n")
    c.fence()


def test_permissions_to_subscribe(world):
    """They are about the subject of the SUB, which is not mapped."""
    c = world(mapped("foo: b", 'subscribe: "b"'))("a", b"b")
    c.send(b"SUB foo 2\r\n" + pub(b"foo", b"x"))
    c.expect(sub_denied(b"foo") + b"MSG b 1 1\r\nx\r\n")
    c.fence()


def test_echo_false(world):
    """Who wants no echo does not get it by way of a mapping."""
    w = world(mapped("foo: b"))
    c, other = w("a", b"b", echo=False), w("a", b"b")
    c.send(pub(b"foo", b"x"))
    c.fence()
    assert heard(other) == [(b"b", b"x")]


@pytest.mark.parametrize("text", ["mappings: {foo: bar}", "maps: {foo: bar}", "mappings = {foo = bar}",
                                  "mappings {foo: {dest: bar, weight: 100}}",
                                  'mappings {foo: [ {destination: bar, weight: "100%"} ]}'])
def test_x058_top_level(world, text):
    """They are those of $G."""
    w = world(text + "\n" + accounts() + "authorization { users: [ {user: g, password: pw} ] }")
    g, a = w("g", b">"), w("a", b">")
    for client in (g, a):
        client.send(pub(b"foo", b"x"))
    assert (heard(g), heard(a)) == ([(b"bar", b"x")], [(b"foo", b"x")])


# ---- shares

@pytest.mark.parametrize("dests, expected", [
    ("[{dest: b, weight: 20}, {dest: c, weight: 80}]", {b"b": 20, b"c": 80}),
    ('[{dest: b, weight: "20%"}, {dest: c, weight: "30"}, {dest: d, weight: 50}]', {b"b": 20, b"c": 30, b"d": 50}),
    ("{dest: b, weight: 60}", {b"b": 60, b"foo": 40}),
    ("[{dest: b, weight: 100}, {dest: c, weight: 0}]", {b"b": 100}),
    ("b", {b"b": 100}),
], ids=repr)
def test_x034_weights(shares, dests, expected):
    """Each destination has its share."""
    assert shares(f"foo: {dests}", b"foo") == about(expected)


@pytest.mark.parametrize("dests, expected", [
    ("[{dest: b, weight: 20}]", {b"b": 20, b"foo": 80}), ("[{dest: b, weight: 0}]", {b"foo": 100}), ("[]", {b"foo": 100})], ids=repr)
def test_x035_the_rest_stays(shares, dests, expected):
    """What has no destination goes where it was sent to."""
    assert shares(f"foo: {dests}", b"foo") == about(expected)


@pytest.mark.parametrize("dests, expected", [
    ("[{dest: foo, weight: 30}, {dest: b, weight: 20}]", {b"foo": 30, b"b": 20, None: 50}),
    ("[{dest: foo, weight: 50}]", {b"foo": 50, None: 50}),
    ("[{dest: foo, weight: 0}, {dest: b, weight: 40}]", {b"b": 40, None: 60}),
    ("[{dest: foo, weight: 100}]", {b"foo": 100}),
], ids=repr)
def test_x036_loss(shares, dests, expected):
    """Where the subject itself is named, what remains is lost: so loss is simulated."""
    assert shares(f"foo: {dests}", b"foo") == about(expected)


@pytest.mark.parametrize("source, dest", [("foo.*", "foo.$1"), ("foo.*", "foo.{{wildcard(1)}}"), ("*", "$1")])
def test_x037_no_loss_with_wildcards(shares, source, dest):
    """A pattern with * is never its own destination, whatever that comes to."""
    subject = b"foo.x" if source.startswith("foo") else b"foo"
    assert shares(f'"{source}": [{{dest: "{dest}", weight: 50}}]', subject) == {subject: 100}


def test_x036_loss_with_a_full_wildcard(shares):
    """`>` is written the same in source and destination."""
    assert shares('"foo.>": [{dest: "foo.>", weight: 50}]', b"foo.x") == about({b"foo.x": 50, None: 50})


@pytest.mark.parametrize("cluster, dests, expected", [
    ("cluster {name: X}", "[{dest: b, weight: 100, cluster: X}, {dest: c, weight: 50}]", {b"b": 100}),
    ("cluster {name: Y}", "[{dest: b, weight: 100, cluster: X}, {dest: c, weight: 50}]", {b"c": 50, b"foo": 50}),
    ("", "[{dest: b, weight: 100, cluster: X}, {dest: c, weight: 50}]", {b"c": 50, b"foo": 50}),
    ("cluster {name: X}", "[{dest: b, weight: 30, cluster: X}, {dest: c, weight: 50}]", {b"b": 30, b"foo": 70}),
    ("cluster {name: x}", "[{dest: b, weight: 100, cluster: X}]", {b"foo": 100}),
    ("", "[{dest: b, weight: 60, cluster: X}, {dest: c, weight: 60}]", {b"c": 60, b"foo": 40}),
    ("cluster {name: X}", "[{dest: b, weight: 60, cluster: X}, {dest: c, weight: 60}]", {b"b": 60, b"foo": 40}),
    ("cluster {name: X}", "[{dest: b, weight: 60, cluster: X}, {dest: d, weight: 40, cluster: X}, {dest: c, weight: 60}]",
     {b"b": 60, b"d": 40}),
], ids=repr)
def test_x038_clusters(world, cluster, dests, expected):
    """The destinations for the own cluster count, if there are any, else those without a cluster; each hundred is one for itself."""
    c, n = world(f"{cluster}\nmappings {{ foo: {dests} }}")(None, b">"), 1500
    c.send(pub(b"foo", b"x") * n)
    count = collections.Counter(subject for subject, _ in heard(c))
    assert {where: MAX * k / n for where, k in count.items()} == about(expected)


@pytest.mark.parametrize("dests, expected", [
    ("[{dest: foo, weight: 40, cluster: X}]", {None: 100}),
    ("[{dest: foo, weight: 40, cluster: X}, {dest: b, weight: 30}]", {b"b": 30, None: 70})], ids=repr)
def test_x039_loss_is_for_all_clusters(shares, dests, expected):
    """Where the subject itself is named, for whichever cluster, what remains is lost in all of them."""
    assert shares(f"foo: {dests}", b"foo") == about(expected)


def test_x041_percentages(shares):
    """A weight may be text, with or without %."""
    assert shares('foo: [{dest: b, weight: "60%"}, {dest: c, weight: "40"}]', b"foo") == about({b"b": 60, b"c": 40})


# ---- patterns

@pytest.mark.parametrize("text, pairs", [
    ('"foo.*.*": "bar.$2.{{wildcard(1)}}"', {b"foo.a.b": b"bar.b.a", b"foo.a": b"foo.a", b"foo.a.b.c": b"foo.a.b.c", b"f.a.b": b"f.a.b"}),
    ('"foo.>": "bar.>"', {b"foo.a.b": b"bar.a.b", b"foo": b"foo"}),
    ('"foo.*.>": "bar.>"', {b"foo.a.b.c": b"bar.b.c", b"foo.a": b"foo.a"}),
    ('"a.*": "r.{{partition(10,1)}}"', {b"a.foo": b"r.3", b"a.orders": b"r.0", b"a.customer-2": b"r.2"}),
    ('"b.*.*": "r.{{partition(10,1,2)}}"', {b"b.ab.c": b"r.1", b"b.a.bc": b"r.1"}),
    ('"foo.*": "bar.{{partition(10)}}"', {b"foo.a": b"bar.2", b"foo.b": b"bar.3"}),
    ('"foo.*": "bar.{{partition(0)}}"', {b"foo.a": b"bar.0", b"foo.b": b"bar.0"}),
    ('"f.*": "{{splitFromLeft(1,3)}}"', {b"f.abcd": b"abc.d", b"f.abc": b"abc"}),
    ('"f.*": "{{splitFromRight(1,3)}}"', {b"f.abcd": b"a.bcd", b"f.abc": b"abc"}),
    ('"f.*": "{{sliceFromLeft(1,3)}}"', {b"f.1234567890": b"123.456.789.0"}),
    ('"f.*": "{{sliceFromRight(1,3)}}"', {b"f.1234567890": b"1.234.567.890"}),
    ('"f.*": "{{split(1,-)}}"', {b"f.a--b": b"a.b", b"f.-a-b": b"a.b", b"f.a-b-": b"a.b", b"f.--a--b--": None, b"f.-": None}),
    ('"f.*": "{{left(1,2)}}"', {b"f.abcdef": b"ab", b"f.a": b"a"}),
    ('"f.*": "{{right(1,2)}}"', {b"f.abcdef": b"ef", b"f.a": b"a"}),
    ('"f.*": "x.{{random(0)}}"', {b"f.a": b"x.0"}),
    ('"f.*": "x.$0"', {b"f.a": b"x.f"}),
    ('"*.b": "$1"', {b"*.b": b"*", b"a.b": b"a"}),
])
def test_x042_to_x053_transforms(route, text, pairs):
    """X-042 order of wildcards, X-043 `>`, X-044 to X-046 partitions, X-047 to X-050 parts of tokens, X-051 random(0), X-053 $0."""
    assert route(text, *pairs) == [subject for subject in pairs.values() if subject]


def test_x051_random(shares):
    """Each number as often as any other."""
    assert shares('"f.*": "x.{{random(4)}}"', b"f.a") == about({b"x.%d" % i: 25 for i in range(4)})


@pytest.mark.parametrize("row", [row for row in VALIDITY if row.mapping_source != b"n/a"], ids=lambda row: repr(row.subject))
def test_x054_sources(judge, row):  # pylint: disable=redefined-outer-name
    """What may be mapped is any valid subject: the rows of subject_validity.tsv."""
    dest = "x.>" if row.subject == b">" or row.subject.endswith(b".>") else "x"
    verdict = judge(mapped(f"{quoted(row.subject)}: \"{dest}\""))
    if row.mapping_source == b"valid":
        assert verdict.message == ""
    else:
        assert "is not a valid subject" in verdict.message


@pytest.mark.ours
@pytest.mark.parametrize("sources, subject, expected", [
    (["a.b", "a.*", "a.>", "*.b", "*.*", ">"], b"a.b", b"0.x"), (["a.*", "a.>", "*.b", "*.*", ">"], b"a.b", b"0.x"),
    (["a.>", "*.b", "*.*", ">"], b"a.b", b"0.x"), (["*.b", "*.*", "*.>", ">"], b"a.b", b"0.x"), (["*.*", "*.>", ">"], b"a.b", b"0.x"),
    (["*.>", ">"], b"a.b", b"0.x"), (["a.*.c", "a.>"], b"a.b.d", b"1.x"), (["a.b.c", "a.*.d", "*.b.d"], b"a.b.d", b"1.x")],
    ids=lambda value: repr(value) if isinstance(value, bytes) else None)
@pytest.mark.parametrize("order", [1, -1])
def test_the_most_specific_mapping_counts(route, sources, subject, expected, order):
    """The leftmost token that differs decides: literal before * before >.  In the Go server one of them, a random one."""
    text = [f'"{source}": "{i}.x{".>" if source.endswith(">") else ""}"' for i, source in enumerate(sources)][::order]
    (where,) = route(", ".join(text), subject)
    assert where.startswith(expected)


def test_many_mappings(route):
    """A thousand of them do not meet."""
    n = 1000
    text = ", ".join(f'"m.{i}.*": "to.{i}.$1"' for i in range(n))
    assert route(text, *[b"m.%d.x" % i for i in range(n)]) == [b"to.%d.x" % i for i in range(n)]


# ---- nobody listens

@pytest.mark.parametrize("text, published, told", [("gone: [{dest: gone, weight: 0}]", b"gone", b""), ("foo: nowhere", b"foo", b"nowhere"),
                                                   ('"f.*": "x.$1"', b"f.a", b"x.a"), ("foo: nowhere", b"other", b"other")])
def test_x056_x057_no_responders(world, text, published, told):
    """A requester is told the mapped subject; that of a lost message is empty."""
    c = world(mapped(text))("a", b"inbox", **CAPABLE)
    c.send(pub(published, b"x", b"inbox"))
    c.expect(no_responders(b"inbox", 1, told))
    c.fence()


@pytest.mark.parametrize("permissions", ['publish: ">"', 'publish: "gone"', 'publish: {deny: "x"}'])
def test_x056_lost_messages_with_permissions(world, permissions):
    """Who may not publish everything may not lose a message either, unless nothing but denials are listed."""
    c = world(mapped("gone: [{dest: gone, weight: 0}]", permissions))("a", b">")
    c.send(pub(b"gone", b"x"))
    if "deny" not in permissions:
        c.expect(pub_denied(b""))
    c.fence()


# ---- borders of accounts

def test_x059_requests(world):
    """A request is mapped in both accounts: where it is published, and where it goes to."""
    w = world(accounts(exports="{service: req}", imports=imported("service", "req", "to: r"),
                       s="mappings: {req: req.v2}", a="mappings: {x: r}"))
    s, a = w("s", b"req.v2", b"req"), w("a")
    for subject in (b"x", b"r"):
        a.send(pub(subject, b"?"))
        a.fence()
        assert [(m.sid, m.subject, m.payload) for m in messages(s)] == [(b"1", b"req.v2", b"?")]


def test_x060_responses(world):
    """A response is mapped by the account that asked."""
    w = world(accounts(exports="{service: req}", imports=imported("service", "req"), a="mappings: {_I.1: _J.1}",
                       s="mappings: {_I.1: wrong, _J.1: wrong}"))
    s, a = w("s", b"req"), w("a", b"_I.1", b"_J.1")
    a.send(pub(b"req", b"?", b"_I.1"))
    a.fence()
    (request,) = messages(s)
    s.send(pub(request.reply, b"!"))
    s.fence()
    assert messages(a) == [Message(b"_J.1", b"2", b"!")]


def test_streams_are_not_mapped(world):
    """What comes from another account keeps its subject, as only publishing is mapped."""
    w = world(accounts(exports='{stream: "ev.>"}', imports=imported("stream", "ev.>"),
                       a="mappings: {ev.x: wrong}", s="mappings: {y: ev.x}"))
    s, a = w("s"), w("a", b">")
    s.send(pub(b"y", b"1") + pub(b"ev.x", b"2"))
    s.fence()
    assert heard(a) == [(b"ev.x", b"1"), (b"ev.x", b"2")]
