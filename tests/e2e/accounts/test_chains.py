# SPDX-License-Identifier: Apache-2.0
"""Services that are passed on: an account imports what it exports (spec 05 §8, §10, §12)."""

from collections import Counter

import pytest

from e2e.accounts.lines import CAPABLE, account, heard, hpub, imported, messages, no_responders, pub, read_message
from e2e.accounts.requests import answer, ask, is_reply, offered


def configured(*blocks):
    return "accounts {\n%s}\n" % "".join(blocks)


def chain(names, *, export="", shares=()):
    """Each account imports req of the one after it, and exports it again.  `shares`: whose imports do."""
    def block(i, name):
        share = f"share: {str(name in shares).lower()}"
        return account(name, exports=offered("req", export) if i else "",
                       imports=imported("service", "req", share, account=names[i + 1]) if i + 1 < len(names) else "")

    return configured(*(block(i, name) for i, name in enumerate(names)))


ABC = configured(account("C", exports=offered("c.req", "response: stream")),
                 account("B", exports=offered("b.req", "response: stream"), imports=imported("service", "c.req", "to: b.req", account="C")),
                 account("A", imports=imported("service", "b.req", "to: a.req", account="B")))


def test_x091_request_and_response(world):
    """C is asked under its own subject, for A by way of B; the response comes back to A."""
    w = world(ABC)
    c, b, a = w("c", b"c.req", **CAPABLE), w("b", b"c.req", b"a.req", b"_I.>", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    got = ask(a, c, b"a.req")
    assert got.subject == b"c.req"
    assert is_reply(got.reply)
    info = got.info
    assert [key for key in info if key != "rtt"] == ["acc", "svc"]
    assert (info["acc"], info["svc"]) == ("A", "B")
    c.send(pub(got.reply, b"1") + hpub(got.reply, b"NATS/1.0\r\nX: y\r\n\r\n", b"2") + pub(got.reply) + pub(got.reply, b"late"))
    c.fence()
    a.expect(b"MSG _I.1 1 1\r\n1\r\nHMSG _I.1 1 18 19\r\nNATS/1.0\r\nX: y\r\n\r\n2\r\nMSG _I.1 1 0\r\n\r\n")
    a.fence()
    b.fence()


def test_x091_no_responders(world):
    """The 503 comes back through the chain, with A's subject."""
    w = world(ABC)
    a = w("a", b"_I.>", **CAPABLE)
    a.send(pub(b"a.req", b"?", b"_I.1"))
    a.expect(no_responders(b"_I.1", 1, b"a.req"))
    c = w("c", b"c.req", **CAPABLE)
    answer(c, ask(a, c, b"a.req").reply, b"!")
    assert heard(a) == [(b"_I.1", b"!")]


def test_x091_those_in_the_middle(world):
    """A subscriber in B is a responder like those in C; its request tells only of A."""
    w = world(ABC)
    b, a = w("b", b"b.req", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    got = ask(a, b, b"a.req")
    assert set(got.info) <= {"acc", "rtt"}
    answer(b, got.reply, b"of b")
    assert heard(a) == [(b"_I.1", b"of b")]
    c = w("c", b"c.req", **CAPABLE)
    to_b, to_c = ask(a, b, b"a.req"), read_message(c)
    assert to_b.reply != to_c.reply
    assert to_b.header.count(b"Nats-Request-Info") == to_c.header.count(b"Nats-Request-Info") == 1
    answer(c, to_c.reply, b"of c")
    answer(b, to_b.reply, b"of b")
    assert heard(a) == [(b"_I.1", b"of c"), (b"_I.1", b"of b")]


def test_x091_responses_pass_through_the_middle(world):
    """In B they are published to B's reply subject, where B may listen."""
    w = world(ABC)
    c, b, a = w("c", b"c.req", **CAPABLE), w("b", b"b.req", b"_R_.>", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    reply_of_b, reply_of_c = ask(a, b, b"a.req").reply, read_message(c).reply
    answer(c, reply_of_c, b"!")
    assert heard(a) == [(b"_I.1", b"!")]
    assert heard(b) == [(reply_of_b, b"!")]


def test_x091_reply_of_a_response(world):
    """Also through a chain requestor and responder may go on talking."""
    w = world(ABC)
    c, a = w("c", b"c.req", b"_I.>", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    c.send(pub(ask(a, c, b"a.req").reply, b"and?", b"_I.c"))
    to_a = read_message(a)
    assert (to_a.subject, to_a.payload) == (b"_I.1", b"and?")
    assert is_reply(to_a.reply)
    a.send(pub(to_a.reply, b"so!", b"_I.a"))
    a.fence()
    to_c = read_message(c)
    assert (to_c.subject, to_c.payload) == (b"_I.c", b"so!")
    answer(c, to_c.reply, b"then")
    assert heard(a) == [(b"_I.a", b"then")]


def test_x091_b_asks_for_itself(world):
    """As a plain requestor."""
    w = world(ABC)
    c, b = w("c", b"c.req", **CAPABLE), w("b", b"_I.>", **CAPABLE)
    got = ask(b, c, b"b.req")
    assert got.info["acc"] == "B"
    assert "svc" not in got.info
    answer(c, got.reply, b"!")
    assert heard(b) == [(b"_I.1", b"!")]


@pytest.mark.parametrize("shares, keys", [
    ("", ["acc", "svc"]),
    ("B", ["acc", "svc", "server"]),
    ("A", ["start", "host", "id", "acc", "svc", "user", "server", "kind", "client_type"]),
    ("AB", ["start", "host", "id", "acc", "svc", "user", "server", "kind", "client_type"]),
], ids=["neither", "b", "a", "both"])
def test_x091_share(world, shares, keys):
    """What is told of A is for A's import to say; if B shares, the server is told at least."""
    w = world(chain("ABC", shares=shares))
    c, a = w("c", b"req", **CAPABLE), w("a", **CAPABLE)
    info = ask(a, c).info
    assert [key for key in info if key != "rtt"] == keys
    assert (info["acc"], info["svc"]) == ("A", "B")
    assert info.get("id", a.cid) == a.cid


@pytest.mark.parametrize("n", [4, 30])
def test_long_chain(world, n):
    """`svc` is the last one who passed the request on."""
    names = [f"N{i}" for i in range(n)]
    w = world(chain(names, export="response: stream"))
    responder, a = w(names[-1].lower(), b"req", **CAPABLE), w("n0", b"_I.>", **CAPABLE)
    got = ask(a, responder)
    assert (got.info["acc"], got.info["svc"]) == ("N0", names[-2])
    answer(responder, got.reply, b"1", b"2")
    assert heard(a) == [(b"_I.1", b"1"), (b"_I.1", b"2")]


@pytest.mark.ours  # the Go server follows it to the end
def test_too_long_chain(world):
    """A request that has passed 32 accounts is not passed on: nobody is there, and all else goes on."""
    w = world(chain([f"N{i}" for i in range(40)]))
    near, far, a = w("n20", b"req", **CAPABLE), w("n39", b"req", **CAPABLE), w("n0", b"_I.>", **CAPABLE)
    answer(near, ask(a, near).reply, b"!")
    assert heard(a) == [(b"_I.1", b"!")]
    far.fence()
    near.send(b"UNSUB 1\r\n")
    near.fence()
    a.send(pub(b"req", b"?", b"_I.1"))
    a.expect(no_responders(b"_I.1", 1, b"req"))
    far.fence()
    b = w("n20", b"_I.>", **CAPABLE)
    answer(far, ask(b, far).reply, b"!")
    assert heard(b) == [(b"_I.1", b"!")]


def test_first_response_ends_the_chain(world):
    """Services with one response: all of the chain is done with it."""
    w = world(chain("ABC"))
    c, b, a = w("c", b"req", **CAPABLE), w("b", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    reply = ask(a, c).reply
    answer(c, reply, b"first", b"second")
    assert heard(a) == [(b"_I.1", b"first")]
    answer(b, reply, b"third")
    a.fence()


def test_chain_when_the_requestor_leaves(world):
    """Nothing that is said later reaches anybody."""
    w = world(ABC)
    c, b, a = w("c", b"c.req", **CAPABLE), w("b", b"_R_.>", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    reply = ask(a, c, b"a.req").reply
    a.send(b"UNSUB 1\r\nSUB _I.> 2\r\n")
    a.fence()
    answer(c, reply, b"late")
    a.fence()
    answer(c, reply, b"later")
    a.fence()
    b.ping()


def test_two_ways_to_one_exporter(world):
    """A asks C by way of B and of D: C is asked twice, and both responses come."""
    w = world(configured(account("C", exports=offered("req")),
                         account("B", exports=offered("b"), imports=imported("service", "req", "to: b", account="C")),
                         account("D", exports=offered("d"), imports=imported("service", "req", "to: d", account="C")),
                         account("A", imports=imported("service", "b", "to: x", account="B")
                                 + imported("service", "d", "to: x", account="D"))))
    c, a = w("c", b"req", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    a.send(pub(b"x", b"?", b"_I.1"))
    a.fence()
    got = messages(c)
    assert sorted(m.info["svc"] for m in got) == ["B", "D"]
    for m in got:
        answer(c, m.reply, m.info["svc"].encode())
    assert [payload for _, payload in heard(a)] == [m.info["svc"].encode() for m in got]


@pytest.mark.parametrize("n", [1, 8])
def test_x103_cycle_by_way_of_mappings(world, n):
    """x leads to S1 … Sn, which map it to y, which leads back to A, which maps it to x: no service is passed twice."""
    exporters = [f"S{i}" for i in range(n)]
    w = world(configured(account("A", "mappings: {y: x}", exports=offered("y"),
                                 imports="".join(imported("service", "x", account=name) for name in exporters)),
                         *(account(name, "mappings: {x: y}", exports=offered("x"), imports=imported("service", "y", account="A"))
                           for name in exporters)))
    a, local = w("a", b"_I.>", **CAPABLE), w("a", b"x", b"y", **CAPABLE)
    others = [w(name.lower(), b"x", b"y", **CAPABLE) for name in exporters]
    a.send(pub(b"x", b"?", b"_I.1"))
    a.fence()
    assert Counter(m.info["svc"] if m.header else None for m in messages(local)) == {None: 1, **{name: 1 for name in exporters}}
    for other in others:
        assert Counter(m.info.get("svc") for m in messages(other)) == Counter({None: 1, "A": n - 1})


@pytest.mark.peer_only  # import-cycle: gnatwren refuses such a configuration
def test_x103_cycle_with_renames(world):
    """Three accounts in a ring: a request visits each once, the first again as a request of its own, and stops there."""
    ring = {"A": "B", "B": "C", "C": "A"}
    w = world(configured(*(account(name, exports=offered(name.lower()),
                                   imports=imported("service", other.lower(), f"to: {name.lower()}", account=other))
                           for name, other in ring.items())))
    clients = {name: w(name.lower(), name.lower().encode(), **CAPABLE) for name in ring}
    for first in ring:
        second, third = ring[first], ring[ring[first]]
        clients[first].send(pub(first.lower().encode(), b"?", b"_I.1"))
        own, back = sorted(messages(clients[first]), key=lambda m: m.header is not None)
        assert (own.reply, own.header) == (b"_I.1", None)
        assert (back.info["acc"], back.info["svc"]) == (first, third)
        (to_second,), (to_third,) = messages(clients[second]), messages(clients[third])
        assert (to_second.info["acc"], to_second.info.get("svc")) == (first, None)
        assert (to_third.info["acc"], to_third.info["svc"]) == (first, second)
        assert len({back.reply, to_second.reply, to_third.reply}) == 3


@pytest.mark.peer_only  # import-cycle
def test_x103_cycle_answers(world):
    """In the ring each of the three may answer; those who are nobody's responder get a 503."""
    w = world(configured(account("A", exports=offered("a"), imports=imported("service", "b", "to: a", account="B")),
                         account("B", exports=offered("b"), imports=imported("service", "c", "to: b", account="C")),
                         account("C", exports=offered("c"), imports=imported("service", "a", "to: c", account="A"))))
    a = w("a", b"_I.>", **CAPABLE)
    a.send(pub(b"a", b"?", b"_I.1"))
    a.expect(no_responders(b"_I.1", 1, b"a"))
    c = w("c", b"c", **CAPABLE)
    answer(c, ask(a, c, b"a").reply, b"!")
    assert heard(a) == [(b"_I.1", b"!")]
    a.fence()


def test_own_account_twice(world):
    """Two aliases in one account, one of the other: they lead to the service."""
    w = world(configured(account("A", exports=offered("one") + offered("two"),
                                 imports=imported("service", "one", "to: two", account="A")
                                 + imported("service", "two", "to: three", account="A"))))
    responder, a = w("a", b"one", **CAPABLE), w("a", b"_I.>", **CAPABLE)
    for subject in (b"three", b"two"):
        answer(responder, ask(a, responder, subject).reply, subject)
        assert heard(a) == [(b"_I.1", subject)]
