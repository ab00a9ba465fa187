# SPDX-License-Identifier: Apache-2.0
"""Streams: what an account publishes for others to hear (spec 05 §7).

S exports, A imports.  Transforms of subjects: test_transforms.py.  What may not be imported: test_config_errors.py.
"""

import collections
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from e2e.accounts.lines import CAPABLE, Message, account, accounts, heard, hpub, imported, messages, no_responders, pub, sub_denied
from harness import Server, eventually

EV = {"exports": '{stream: "ev.>"}', "imports": imported("stream", "ev.>")}
EV_IN = {"exports": '{stream: "ev.>"}', "imports": imported("stream", "ev.>", "prefix: in")}


def stream(subject: str, more: str = "", **keys) -> str:
    """S exports it, A imports it."""
    return accounts(exports=f'{{stream: "{subject}"}}', imports=imported("stream", subject, more), **keys)


def say(client, *subjects, payload=b"x"):
    """Publish to them all, by who hears nothing of it itself; when this returns it is done."""
    client.send(b"".join(pub(subject, payload) for subject in subjects))
    client.fence()


def subjects(client) -> list[bytes]:
    """What the client was sent until now."""
    return [subject for subject, _ in heard(client)]


# ---- what crosses

def test_x061_stream(world):
    """What S publishes reaches subscribers in A; without one nothing crosses; A's own messages never reach S."""
    w = world(accounts(**EV))
    s, a, deaf, s_all = w("s"), w("a", b"ev.x"), w("a"), w("s", b">")
    say(s, b"ev.x", b"ev.y", b"other")
    assert subjects(a) == [b"ev.x"]
    deaf.fence()
    assert subjects(s_all) == [b"ev.x", b"ev.y", b"other"]
    a.send(pub(b"ev.x", b"x"))
    assert subjects(a) == [b"ev.x"]
    s_all.fence()


@pytest.mark.parametrize("prefix", ["in", "in.", "in.deep"])
def test_x062_prefix(world, prefix):
    """It comes before the subject, with or without a dot of its own."""
    w, local = world(stream("ev.>", f"prefix: {prefix}")), prefix.rstrip(".").encode() + b".ev.x"
    s, a = w("s"), w("a", local, b"ev.x")
    say(s, b"ev.x")
    assert messages(a) == [Message(local, b"1", b"x")]
    a.send(pub(local, b"x"))
    assert messages(a) == [Message(local, b"1", b"x")]


@pytest.mark.parametrize("pattern", [b"t.b.a", b"t.*.a", b"t.b.*", b"t.>", b"*.b.*", b">", b"*.*.*", b"t.*.*", b"*.b.>"])
@pytest.mark.parametrize("queue", [b"", b" q"])
def test_x063_transform(world, pattern, queue):
    """The wildcards of the exported subject may stand in another order, for whichever subscription."""
    w = world(stream("o.*.*", 'to: "t.$2.$1"'))
    s, a = w("s"), w("a", pattern + queue)
    say(s, b"o.a.b", b"o.a", b"o.a.b.c", b"t.b.a")
    assert subjects(a) == [b"t.b.a"]


@pytest.mark.parametrize("pattern", [b"t.a.b", b"t.*.b", b"x.*.*", b"t.b", b"t.b.a.c", b"o.>", b"*.*", b"o.a.b"])
def test_x063_transform_of_others(world, pattern):
    """Who subscribes to something else hears nothing."""
    w = world(stream("o.*.*", 'to: "t.$2.$1"'))
    s, a = w("s"), w("a", pattern)
    say(s, b"o.a.b")
    a.fence()


@pytest.mark.parametrize("imported_subject, more, pattern, crossing", [
    ("ev.>", "", b"ev.x", {b"ev.x": b"ev.x"}), ("ev.>", "", b"ev.*", {b"ev.x": b"ev.x"}),
    ("ev.>", "", b">", {b"ev.x": b"ev.x", b"ev.x.y": b"ev.x.y", b"ev.y.x": b"ev.y.x"}), ("ev.>", "", b"*.x", {b"ev.x": b"ev.x"}),
    ("ev.>", "", b"*.*.x", {b"ev.y.x": b"ev.y.x"}), ("ev.*", "prefix: in", b"*.*.x", {b"ev.x": b"in.ev.x"}),
    ("ev.*", "prefix: in", b"in.>", {b"ev.x": b"in.ev.x"}), ("ev.*", "", b"*.x", {b"ev.x": b"ev.x"}),
    ("ev.x", "to: there", b"*", {b"ev.x": b"there"}), ("ev.>", 'to: "e.>"', b"e.*.x", {b"ev.y.x": b"e.y.x"}),
    (">", 'to: "all.>"', b"all.ev.*", {b"ev.x": b"all.ev.x"}), (">", "", b"*.x", {b"ev.x": b"ev.x"}),
    ("ev.*.>", 'to: "$1.in.>"', b"*.in.y", {b"ev.x.y": b"x.in.y"}), ("ev.*.>", 'to: "$1.in.>"', b"y.>", {b"ev.y.x": b"y.in.x"}),
], ids=repr)
def test_partial_overlap(world, imported_subject, more, pattern, crossing):
    """What crosses is what both the import and the subscription have."""
    w = world(accounts(exports='{stream: ">"}', imports=imported("stream", imported_subject, more)))
    s, a = w("s"), w("a", pattern)
    say(s, b"ev", b"ev.x", b"ev.x.y", b"ev.y.x")
    assert subjects(a) == list(crossing.values())


def test_message_stays_as_it_is(world):
    """Headers, reply and payload; nothing is said of where it comes from."""
    w, header = world(accounts(**EV_IN)), b"NATS/1.0\r\nA: b\r\n\r\n"
    s, a, plain = w("s", headers=True), w("a", b"in.>", headers=True), w("a", b"in.>", headers=False)
    s.send(hpub(b"ev.x", header, b"payload", b"reply") + pub(b"ev.y", b"", b"reply"))
    s.fence()
    assert messages(a) == [Message(b"in.ev.x", b"1", b"payload", b"reply", header), Message(b"in.ev.y", b"1", b"", b"reply")]
    assert messages(plain) == [Message(b"in.ev.x", b"1", b"payload", b"reply"), Message(b"in.ev.y", b"1", b"", b"reply")]


def test_several_subscriptions(world):
    """Each gets its own, as within an account; an import that two patterns cover is heard by both."""
    w = world(accounts(**EV_IN))
    s, a = w("s"), w("a", b"in.ev.x", b"in.>", b"in.*.*", b"in.ev.y", b">", b"in.ev.x q", b"in.> q2")
    say(s, b"ev.x")
    got = messages(a)
    assert sorted(m.sid for m in got) == [b"1", b"2", b"3", b"5", b"6", b"7"]
    assert {m.subject for m in got} == {b"in.ev.x"}


def test_overlapping_imports(world):
    """One subscription hears a message by way of each import that brings it."""
    w = world(accounts(exports='{stream: "ev.>"}', imports=imported("stream", "ev.>", "prefix: in") +
                       imported("stream", "ev.*", "prefix: in2") + imported("stream", "ev.x", "to: in.ev.z")))
    s, a = w("s"), w("a", b"in.>", b"in2.>")
    say(s, b"ev.x")
    assert sorted((m.subject, m.sid) for m in messages(a)) == [(b"in.ev.x", b"1"), (b"in.ev.z", b"1"), (b"in2.ev.x", b"2")]


def test_many_importers(world):
    """Each account hears it, under its own names."""
    names = [f"I{n}" for n in range(20)]
    w = world(accounts(*[account(name, imports=imported("stream", "ev.>", f"prefix: from.{name}")) for name in names], **EV))
    s, clients = w("s"), {name: w(name.lower(), b">") for name in names}
    say(s, *[b"ev.%d" % i for i in range(10)])
    for name, client in clients.items():
        assert subjects(client) == [b"from.%s.ev.%d" % (name.encode(), i) for i in range(10)]


def test_order(world):
    """Messages of one publisher arrive in order, imported or not."""
    w = world(accounts(**EV))
    s, a = w("s"), w("a", b"ev.>")
    s.send(b"".join(pub(b"ev.%d" % (i % 7), b"%d" % i) for i in range(2000)))
    s.fence()
    assert [payload for _, payload in heard(a)] == [b"%d" % i for i in range(2000)]


def test_own_account(world):
    """An account may import its own stream under another name."""
    w = world("accounts { %s }" % account("A", exports='{stream: "ev.>"}', imports=imported("stream", "ev.>", "prefix: in", account="A")))
    a = w("a", b"in.>", b"ev.>")
    a.send(pub(b"ev.x", b"x"))
    assert sorted((m.subject, m.sid) for m in messages(a)) == [(b"ev.x", b"2"), (b"in.ev.x", b"1")]


@pytest.mark.parametrize("echo", [True, False])
def test_own_account_and_echo(world, echo):
    """Who wants no echo does not hear its own messages by way of an import."""
    w = world("accounts { %s }" % account("A", exports='{stream: "ev.>"}', imports=imported("stream", "ev.>", "prefix: in", account="A")))
    a, other = w("a", b"in.>", echo=echo), w("a", b"in.>")
    a.send(pub(b"ev.x", b"x"))
    assert subjects(a) == [b"in.ev.x"] * echo
    assert subjects(other) == [b"in.ev.x"]


# ---- who may

def test_x066_public_and_private(world):
    """Those listed may import, and everyone if nobody is listed."""
    w = world(accounts(account("B", imports=imported("stream", "open") + imported("stream", "all")),
                       exports="{stream: mine, accounts: [A]}, {stream: open, accounts: []}, {stream: all}",
                       imports=imported("stream", "mine") + imported("stream", "open")))
    s, a, b = w("s"), w("a", b">"), w("b", b">")
    say(s, b"mine", b"open", b"all")
    assert subjects(a) == [b"mine", b"open"]
    assert subjects(b) == [b"open", b"all"]


def test_x067_account_token(world):
    """Each importer has what bears its name."""
    w = world(accounts(account("B", imports=imported("stream", "a.B.b", "to: mine")),
                       exports='{stream: "a.*.b", account_token_position: 2}', imports=imported("stream", "a.A.b")))
    s, a, b = w("s"), w("a", b">"), w("b", b">")
    say(s, b"a.A.b", b"a.B.b", b"a.C.b")
    assert subjects(a) == [b"a.A.b"]
    assert subjects(b) == [b"mine"]


def test_x068_part_of_an_export(world):
    """Less than what is exported may be imported."""
    w = world(accounts(exports='{stream: "a.*"}', imports=imported("stream", "a.b")))
    s, a = w("s"), w("a", b">")
    say(s, b"a.b", b"a.c")
    assert subjects(a) == [b"a.b"]


def test_x069_same_subject_of_two_accounts(world):
    """Both are heard."""
    w = world(accounts(account("T", exports="{stream: ev}"), exports="{stream: ev}",
                       imports=imported("stream", "ev") + imported("stream", "ev", account="T")))
    s, t, a = w("s"), w("t"), w("a", b"ev")
    say(s, b"ev", payload=b"of s")
    say(t, b"ev", payload=b"of t")
    a.send(pub(b"ev", b"of a"))
    assert heard(a) == [(b"ev", b"of s"), (b"ev", b"of t"), (b"ev", b"of a")]


# ---- replies and interest

def test_x071_reply(world):
    """It is delivered as it is, and leads nowhere in A."""
    w = world(accounts(**EV))
    s, a = w("s", b"inbox"), w("a", b"ev.x")
    s.send(pub(b"ev.x", b"?", b"inbox"))
    s.fence()
    assert messages(a) == [Message(b"ev.x", b"1", b"?", b"inbox")]
    say(a, b"inbox")
    s.fence()


@pytest.mark.parametrize("text, subscription, told", [
    (accounts(**EV), b"ev.x", False), (accounts(**EV), b"ev.x q", False), (accounts(**EV), b"ev.*", False), (accounts(**EV), b"ev.y", True),
    (accounts(**EV_IN), b"ev.x", True), (accounts(**EV_IN), b"in.ev.x", False), (accounts(**EV), b"", True)],
    ids=lambda value: value.decode() if isinstance(value, bytes) else "")
def test_x072_interest(world, text, subscription, told):
    """A subscription of an importer, plain or in a queue, counts: no 503 then."""
    w = world(text)
    s, a = w("s", b"inbox", **CAPABLE), w("a", *([subscription] if subscription else []))
    s.send(pub(b"ev.x", b"?", b"inbox"))
    if told:
        s.expect(no_responders(b"inbox", 1, b"ev.x"))
    s.fence()
    assert len(heard(a)) == (not told)


@pytest.mark.parametrize("leave", [lambda c: c.send(b"UNSUB 1\r\n"), lambda c: c.close()], ids=["unsub", "close"])
def test_interest_ends(world, leave):
    """With the subscription, or its connection."""
    w = world(accounts(**EV))
    s, a, rest = w("s", b"inbox", **CAPABLE), w("a", b"ev.x"), w("a", b"ev.y")
    say(s, b"ev.x")
    assert subjects(a) == [b"ev.x"]
    leave(a)
    rest.fence()

    def answer():  # a close takes its time
        s.send(pub(b"ev.x", b"?", b"inbox"))
        return s.ping()

    assert eventually(answer) == no_responders(b"inbox", 1, b"ev.x")
    say(s, b"ev.y")
    assert subjects(rest) == [b"ev.y"]


def test_x073_not_transitive(world):
    """What B imports is not part of what B exports."""
    w = world(accounts(account("B", exports='{stream: "ev.>"}', imports=imported("stream", "ev.>")),
                       exports='{stream: "ev.>"}', imports=imported("stream", "ev.>", account="B")))
    s, b, c = w("s"), w("b", b"ev.>"), w("a", b"ev.>")
    say(s, b"ev.s")
    b.send(pub(b"ev.b"))
    assert subjects(b) == [b"ev.s", b"ev.b"]
    assert subjects(c) == [b"ev.b"]


# ---- queues

def test_x074_queue_groups(world):
    """Groups of the same name in both accounts are one, where the message is published."""
    w, n = world(accounts(**EV)), 80
    publisher, s = w("s"), w("s", b"ev.x Q")
    members, others = [w("a", b"ev.x Q") for _ in range(3)], [w("a", b"ev.x Q2") for _ in range(2)]
    say(publisher, *[b"ev.x"] * n)
    counts = [len(heard(client)) for client in (s, *members)]
    assert sum(counts) == n
    assert min(counts) > 0
    assert sum(len(heard(client)) for client in others) == n


def test_queue_groups_of_importers(world):
    """Those of two importers are one, too; each member hears it by its own account's name for it."""
    w, n = world(accounts(account("B", imports=imported("stream", "ev.>", "prefix: b")), **EV_IN)), 200
    s, a, b = w("s"), w("a", b"in.ev.* Q"), w("b", b"b.> Q")
    say(s, *[b"ev.x"] * n)
    count = collections.Counter(subjects(a) + subjects(b))
    assert sorted(count) == [b"b.ev.x", b"in.ev.x"]
    assert sum(count.values()) == n


def test_queue_group_of_the_importer(world):
    """What A publishes itself goes to A's members only."""
    w = world(accounts(**EV))
    s, a = w("s", b"ev.x Q"), w("a", b"ev.x Q")
    publisher = w("a")
    say(publisher, *[b"ev.x"] * 20)
    assert len(heard(a)) == 20
    s.fence()


# ---- UNSUB

def test_unsub(world):
    """Ends what comes from the other account as well; other subscriptions stay."""
    w = world(accounts(**EV))
    s, a = w("s"), w("a", b"ev.x", b"ev.>")
    a.send(b"UNSUB 2\r\n")
    a.fence()
    say(s, b"ev.x", b"ev.y")
    assert [m.sid for m in messages(a)] == [b"1"]
    a.send(b"UNSUB 1\r\n")
    a.fence()
    say(s, b"ev.x")
    a.fence()


def test_sid_used_again(world):
    """A new subscription with an old sid is a new one."""
    w = world(accounts(**EV_IN))
    s, a = w("s"), w("a")
    for i in range(50):
        a.send(b"SUB in.ev.%d 1\r\n" % i)
        a.fence()
        say(s, *[b"ev.%d" % j for j in (i - 1, i, i + 1)])
        assert subjects(a) == [b"in.ev.%d" % i]
        a.send(b"UNSUB 1\r\n")
        a.fence()


def test_x075_auto_unsubscribe(world):
    """Imported messages do not count; when enough local ones came, both end."""
    w = world(accounts(**EV_IN))
    s, a, publisher = w("s"), w("a", b"in.ev.x"), w("a")
    a.send(b"UNSUB 1 2\r\n")
    a.fence()
    say(s, *[b"ev.x"] * 5)
    assert subjects(a) == [b"in.ev.x"] * 5
    say(publisher, b"in.ev.x")
    say(s, b"ev.x")
    assert subjects(a) == [b"in.ev.x"] * 2
    say(publisher, b"in.ev.x", b"in.ev.x")
    assert subjects(a) == [b"in.ev.x"]
    say(s, b"ev.x")
    a.fence()


# ---- permissions

def test_x076_denied_when_delivered(world):
    """What is denied is the subject as A has it."""
    w = world(accounts(permissions='subscribe: {deny: "in.ev.secret"}', **EV_IN))
    s, a = w("s"), w("a", b"in.>", b"in.> q")
    say(s, b"ev.secret", b"ev.pub")
    assert sorted((m.subject, m.sid) for m in messages(a)) == [(b"in.ev.pub", b"1"), (b"in.ev.pub", b"2")]
    a.send(b"SUB in.ev.secret 3\r\n")
    a.expect(sub_denied(b"in.ev.secret"))


def test_denied_names_of_the_exporter_do_not_matter(world):
    """S's own name of the subject is not A's."""
    w = world(accounts(permissions='subscribe: {allow: "in.>", deny: "ev.>"}', **EV_IN))
    s, a = w("s"), w("a", b"in.ev.x")
    say(s, b"ev.x")
    assert subjects(a) == [b"in.ev.x"]
    a.send(b"SUB ev.x 2\r\n")
    a.expect(sub_denied(b"ev.x"))


def test_not_allowed(world):
    """Who may not subscribe does not hear it."""
    w = world(accounts(permissions='subscribe: "other"', **EV_IN))
    s, a = w("s"), w("a")
    a.send(b"SUB in.> 1\r\n")
    a.expect(sub_denied(b"in.>"))
    say(s, b"ev.x")
    a.fence()


def test_permissions_in_the_exporting_account(world):
    """They are about its own users only."""
    text = "accounts { %s %s }" % (account("S", exports='{stream: "ev.>"}', permissions="publish: other, subscribe: other"),
                                   account("A", imports=imported("stream", "ev.>")))
    w = world(text.replace("users: [ {", "users: [ {user: free, password: pw}, {", 1))
    s, a = w("free"), w("a", b"ev.>")
    say(s, b"ev.x")
    assert subjects(a) == [b"ev.x"]


# ---- together with other things

def test_stream_and_service_of_the_same_name(world):
    """A message that came in as a request is not passed on as a stream."""
    w = world(accounts(account("B", imports=imported("stream", "req")), exports="{stream: req}, {service: req}",
                       imports=imported("service", "req")))
    s, a, b = w("s", b"req"), w("a"), w("b", b"req")
    say(a, b"req")
    assert subjects(s) == [b"req"]
    b.fence()
    say(w("s"), b"req")
    assert subjects(b) == [b"req"]


def test_slow_importer_does_not_stop_others(world):
    """A connection that does not read is closed, and harms nobody else, across accounts as well."""
    w = world("max_pending: 1100000\n" + accounts(**EV))
    s, a, slow = w("s"), w("a", b"ev.x"), w("a", b"ev.>")
    slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    for _ in range(400):
        say(s, b"ev.x", payload=b"x" * 30000)
        assert len(heard(a)) == 1
    w.server.wait_log(rf" cid:{slow.cid} .*Slow Consumer")


def test_many_subscriptions(world):
    """Each has its own way into S, and they go as they came."""
    w, n = world(accounts(**EV_IN)), 3000
    s, a = w("s", b"inbox", **CAPABLE), w("a", *[b"in.ev.%d" % i for i in range(n)])
    say(s, *[b"ev.%d" % i for i in range(n)])
    assert [m.sid for m in messages(a)] == [b"%d" % (i + 1) for i in range(n)]
    a.send(b"".join(b"UNSUB %d\r\n" % sid for sid in range(1, n + 1)))
    a.fence()
    s.send(pub(b"ev.%d" % (n - 1), b"", b"inbox"))
    s.expect(no_responders(b"inbox", 1, b"ev.%d" % (n - 1)))


def test_subscriptions_come_and_go(world):
    """Many connections do so at the same time: from the PONG after SUB to the PONG after UNSUB everything comes, else nothing."""
    w = world(accounts(account("B", imports=imported("stream", "ev.>", "prefix: b")), **EV_IN),
              *([] if Server.peer_by_default else ["-D", "--io_threads", "4"]))
    crews = [(w("s"), w("a"), b"in.ev.%d" % i, b"ev.%d" % i) for i in range(4)]
    crews += [(w("s"), w("b"), b"b.ev.%d" % i, b"ev.%d" % i) for i in range(4, 8)]

    def work(s, a, local, remote):
        for i in range(100):
            a.send((b"SUB %s 1\r\n" if i % 3 else b"SUB %s q 1\r\n") % (local if i % 2 else local + b".>"))
            a.fence()
            say(s, *[remote if i % 2 else remote + b".x"] * 3)
            assert len(heard(a)) == 3
            a.send(b"UNSUB 1\r\n")
            a.fence()
            say(s, remote, remote + b".x")
            a.fence()

    with ThreadPoolExecutor(len(crews)) as pool:
        for done in [pool.submit(work, *crew) for crew in crews]:
            done.result()
