# SPDX-License-Identifier: Apache-2.0
"""What links accounts, attacked: reloads under load, circles, floods of requests that nobody answers, and what is left behind."""

import itertools
import random
import re
import signal
import threading
import time

import pytest

from e2e.accounts.lines import CAPABLE, account, hpub, imported, messages, no_responders, pub, read_message
from e2e.accounts.requests import offered
from harness import eventually


def configuration(*blocks, more=""):
    return "accounts {\n%s}\n%s\n" % ("".join(blocks), more)


def streams(*subjects):
    return "".join('{ stream: "%s" }\n' % subject for subject in subjects)


def users(name, *names):
    """An account with several users, who have the password pw."""
    return "%s { users: [ %s ] }\n" % (name, ", ".join("{ user: %s, password: pw }" % user for user in names))


class World:
    """A server with some workers."""

    def __init__(self, start_workers, connect, path, n_workers):
        self.path = path
        self._connect = connect
        self.server = start_workers(n_workers, "-c", path)

    def __call__(self, user, *subscriptions, **fields):
        """A client of this user, with these subscriptions: sids 1, 2, …"""
        client = self._connect(self.server, timeout=60).connect(user=user, **{"pass": "pw"}, **CAPABLE, **fields)
        client.send(b"".join(b"SUB %s %d\r\n" % (what, sid) for sid, what in enumerate(subscriptions, 1)))
        client.ping()
        return client

    def reload(self, text, timeout=30):
        self.path.write_text(text)
        seen = len(self.server.log())
        self.server.signal(signal.SIGHUP)
        done = eventually(lambda: re.search("(Reloaded|Failed to reload) server configuration.*", self.server.log()[seen:]), timeout)
        assert done[1] == "Reloaded", done[0]


@pytest.fixture
def world(start_workers, connect, tmp_path):
    """world(text, n_workers=4) -> World of this test alone"""
    def start(text, n_workers=4):
        path = tmp_path / "t.conf"
        path.write_text(text)
        return World(start_workers, connect, path, n_workers)

    return start


class Background:
    """Functions that run again and again, in threads, until the block ends; the first exception is raised then."""

    def __init__(self, *functions):
        self._stop, self._errors = threading.Event(), []
        self._threads = [threading.Thread(target=self._run, args=(function,), daemon=True) for function in functions]

    def _run(self, function):
        try:
            while not self._stop.is_set():
                function()
        except BaseException as error:  # pylint: disable=broad-except
            self._errors.append(error)

    def __enter__(self):
        for thread in self._threads:
            thread.start()

    def __exit__(self, kind, *_exc):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        if self._errors and kind is None:
            raise self._errors[0]


def requests(n, subject=b"req", first=0):
    return b"".join(pub(subject, b"?", b"_I.%d" % i) for i in range(first, first + n))


def flood(asker, responder, n):
    """n requests that the responder gets, and does not answer."""
    for first in range(0, n, 2000):
        asker.send(requests(min(2000, n - first), first=first))
        asker.ping()
        responder.ping()


REQ = configuration(account("S", exports=offered("req")), account("A", imports=imported("service", "req")))


# ---- a delivery within a delivery

def measured(n):
    """n services, each of which has its latency published to a subject of its own, and that goes on to a third account."""
    return configuration(
        account("S", exports="".join(offered(f"req.{i}", f'latency: {{ sampling: 100, subject: "lat.{i}" }}') for i in range(n)) +
                streams("lat.>")),
        account("A", imports="".join(imported("service", f"req.{i}") for i in range(n))),
        account("M", imports=imported("stream", "lat.>", "prefix: from_s")))


def test_reports_in_the_middle_of_a_delivery(world):
    """The first response ends the inbox, and with it all other requests: their reports are published, but not in the middle of the delivery of
    that response, which others get, too."""
    n = 300
    w = world(measured(n), 1)
    s, m = w("s", b"req.>"), w("m", b"from_s.>")
    others = [w("a", b"_I.>", b"_I.*") for _ in range(3)]
    for _ in range(5):
        a = w("a")
        a.send(b"SUB _I.> 1\r\nUNSUB 1 1\r\n" + b"".join(pub(b"req.%d" % i, b"?", b"_I.%d" % i) for i in range(n)))
        a.ping()
        replies = [request.reply for request in messages(s)]
        for other in others:
            other.send(b"UNSUB 1\r\nUNSUB 2\r\nSUB _I.0 1\r\nSUB _I.* 2\r\nUNSUB 2 1\r\n")
            other.ping()
        header = b"NATS/1.0\r\nX: %s\r\n\r\n" % (b"x" * 100)
        s.send(hpub(replies[0], header, b"response"))
        s.ping()
        for client, n_copies in [(a, 1), *((other, 2) for other in others)]:
            assert [(got.subject, got.header, got.payload) for got in messages(client)] == [(b"_I.0", header, b"response")] * n_copies
        eventually(lambda: len(messages(m)) > 0)
        a.close()
        for other in others:
            other.send(b"UNSUB 1\r\nSUB _I.> 1\r\nSUB _I.* 2\r\n")
            other.ping()


# ---- floods

def test_unsubscribing_while_much_is_outstanding(world):
    """1,000 UNSUBs with wildcards that cover 200,000 outstanding requests do not hold up others for long."""
    w = world(REQ, 1)
    s, a, other = w("s", b"req"), w("a"), w("a", b"_I.>")
    flood(a, s, 200_000)
    a.send(b"SUB _I.> 9\r\nUNSUB 9\r\nSUB _I.* 9\r\nUNSUB 9\r\n" * 500)
    other.timeout = a.timeout = 10
    other.ping()
    a.ping()


@pytest.mark.ours  # the Go server keeps them all
def test_most_outstanding(world, process, memory_counts):
    """More requests than an account may wait for: its oldest are forgotten, the latest are answered; memory stays."""
    w, n = world(REQ, 2), 300_000
    s, a = w("s", b"req"), w("a", b"_I.>")
    first = None
    for at in range(0, n, 2000):
        a.send(requests(2000, first=at))
        a.ping()
        got = s.ping()
        first = first or re.search(rb"_R_\S+", got)[0]
    last = re.findall(rb"_R_\S+", got)[-1]
    s.send(pub(first, b"late") + pub(last, b"in time"))
    s.ping()
    assert a.ping() == b"MSG _I.%d 1 7\r\nin time\r\n" % (n - 1)
    if memory_counts:
        assert process(w.server).memory() < 200 << 20
    s.close()
    a.close()


def test_same_reply_for_all(world):
    """Requests that all wait for one subject: each has its response, and the end of that subject ends them at once."""
    w, n = world(REQ, 1), 50_000
    s, a = w("s", b"req"), w("a", b"inbox")
    for _ in range(2):
        a.send(pub(b"req", b"?", b"inbox") * n)
        a.ping()
        replies = re.findall(rb"_R_\S+", s.ping())
        assert len(replies) == n
        s.send(b"".join(pub(reply, b"!") for reply in replies[::2]))
        s.ping()
        assert a.ping() == b"MSG inbox 1 1\r\n!\r\n" * (n // 2)
        start = time.monotonic()
        a.send(b"UNSUB 1\r\nSUB inbox 1\r\n")
        a.ping()
        assert time.monotonic() - start < 5
        s.send(b"".join(pub(reply, b"late") for reply in replies))
        s.ping()
        assert a.ping() == b""


# ---- reloads

@pytest.mark.ours  # while the Go server reloads requests find nobody
def test_exporter_removed_under_load(world):
    """Control goes on: accounts that come after the removed one in the alphabet keep asking it, and nobody answers."""
    names = ["Z0", "Z1", "Z2", "Z3"]

    def text(is_there):
        of_z = imported("service", "req", account="A") if is_there else ""
        return configuration(account("A", exports=offered("req")) if is_there else "", users("B", "b"),
                             *(account(name, imports=of_z) for name in names))

    w = world(text(True))
    a, askers = w("a", b"req"), [w(name.lower()) for name in names]
    lines = requests(5000)

    def swallow():
        try:
            a.sock.recv(1 << 20)
        except OSError:
            time.sleep(0.1)

    with Background(swallow, *[lambda c=c: (c.send(lines), c.ping()) for c in askers]):
        time.sleep(0.5)
        w.reload(text(False), 20)
        w("b").ping()


def linked(i):
    """The i-th of many configurations in which everything but what S and A share comes and goes."""
    of_b = imported("service", "req") * (i % 2) + imported("stream", "ev.>", "prefix: from_s") * (i % 3 > 0)
    mapped = 'mappings: { a: [ { dest: b, weight: %d } ], "c.*": "d.$1" }' % (i % 100)
    return configuration(
        account("S", exports=offered("req") + streams("ev.>", "more.>") + offered("x.>") * (i % 2)),
        account("A", imports=imported("service", "req") + imported("stream", "ev.>")),
        account("B", mapped * (i % 4 > 0), exports=streams("b.>") * (i % 5 > 0), imports=of_b),
        account("C", imports=imported("service", "req", f"to: req{i % 7}")),
        users("N", "n") if i % 2 else "")


@pytest.mark.ours  # while the Go server reloads requests find nobody
def test_nothing_lost_by_the_unaffected(world):
    """Requests and streams between S and A, while all around them changes; B, whose links change, sees no message twice."""
    w = world(linked(0))
    s_responder, s_publisher, a_listener, a_asker = w("s", b"req workers"), w("s"), w("a", b"ev.>"), w("a", b"_I.>")
    b, n = w("b", b"from_s.>", b">"), itertools.count()
    seen_by_b = []

    def respond():
        replies = re.findall(rb"HMSG req \d+ (_R_\S+) ", s_responder.ping())
        s_responder.send(b"".join(pub(reply, b"!") for reply in replies))

    def ask():
        a_asker.send(requests(50))
        assert {read_message(a_asker).subject for _ in range(50)} == {b"_I.%d" % i for i in range(50)}

    def publish():
        numbers = list(itertools.islice(n, 100))
        s_publisher.send(b"".join(pub(b"ev.%d" % (i % 3), b"%d" % i) for i in numbers))
        s_publisher.ping()
        assert [int(m.payload) for m in messages(a_listener)] == numbers

    def listen():
        seen_by_b.extend((m.sid, int(m.payload)) for m in messages(b) if m.subject.startswith(b"from_s."))

    def work():
        b.send(requests(5) + pub(b"a", b"0") + pub(b"c.x", b"0"))

    with Background(respond, ask, publish, listen):
        end = time.monotonic() + 5
        for i in itertools.takewhile(lambda i: i < 150 and time.monotonic() < end, itertools.count(1)):
            work()
            w.reload(linked(i))
    listen()
    for sid in (b"1", b"2"):
        of_sid = [number for sid_seen, number in seen_by_b if sid_seen == sid]
        assert of_sid == sorted(set(of_sid))
    assert seen_by_b


def test_reloads_leave_nothing(world, process, memory_counts):
    """After 1,000 reloads the server is as big as after 200."""
    if not memory_counts:
        pytest.skip("the memory of this server tells nothing")
    w = world(linked(0), 2)
    s, clients = w("s", b"req"), [w(user, b">", b"ev.*", b"req.>", b"_I.*") for user in "abc"]

    def some(numbers):
        for i in numbers:
            for client in clients:
                client.send(requests(3))
            w.reload(linked(i))
            s.send(b"".join(pub(reply, b"!") for reply in re.findall(rb"_R_\S+", s.ping())))
        for client in clients:
            client.ping()

    some(range(200))
    memory = process(w.server).memory()
    some(range(200, 1000))
    assert process(w.server).memory() < memory + (1 << 20)


def test_reloads_that_add_imports(world, process, memory_counts):
    """Each import is as old as the reload that brought it; that keeps no old configuration alive."""
    if not memory_counts:
        pytest.skip("the memory of this server tells nothing")
    others = "".join(account(f"T{i}", "mappings: { a: b, c: d }", exports=offered("svc.>"), imports=imported("service", f"req.{i}.>"))
                     for i in range(300))

    def text(n):
        return configuration(account("S", exports=offered("req.>")),
                             account("A", imports="".join(imported("service", f"req.a{i}.>") for i in range(n))), others)

    w = world(text(1), 2)
    for i in range(1, 40):
        w.reload(text(i))
    memory = process(w.server).memory()
    for i in range(40, 80):
        w.reload(text(i))
    assert process(w.server).memory() < memory + (5 << 20)


def test_end_in_a_reload(world):
    """Told to reload and to end at once, with requests on the way in both accounts: it ends, and leaves nothing behind."""
    for i in range(5):
        w = world(linked(i))
        s, askers = w("s", b"req"), [w(user, b"_I.>", b">") for user in "abca"]
        for asker in askers:
            asker.send(requests(500))
        s.send(b"".join(pub(reply, b"!") for reply in re.findall(rb"_R_\S+", s.ping())))
        w.path.write_text(linked(i + 1))
        w.server.signal(signal.SIGHUP)
        w.server.stop()


# ---- what stands behind subscriptions

def asked_everywhere(client, subjects):
    """Who hears "nobody is there" of each of these subjects: nobody has a subscription, not even a hidden one."""
    client.send(b"".join(pub(subject, b"?", b"_S.1") for subject in subjects))
    return client.ping() == b"".join(no_responders(b"_S.1", 1, subject) for subject in subjects)


@pytest.mark.parametrize("how", ["unsub", "close", "reload", "relogin"])
def test_hidden_subscriptions_end(world, how):
    """2,000 subscriptions in each of 5 importing accounts; of what stood behind them in S nothing is left."""
    names = ["A", "B", "C", "D", "E"]

    def text(is_imported):
        of_each = imported("stream", "ev.>") + imported("stream", "ev.*.x", "prefix: p") if is_imported else ""
        return configuration(account("S", exports=streams("ev.>")), *(account(name, imports=of_each) for name in names))

    w = world(text(True))
    s = w("s", b"_S.1")
    subjects = [b"ev.%d.x" % i for i in range(2000)]
    assert asked_everywhere(s, subjects)
    clients = [w(name.lower(), *subjects, b"p.>", b"ev.1.* q", b">") for name in names]
    assert not asked_everywhere(s, subjects[:1])
    s.ping()
    if how == "unsub":
        for client in clients:
            client.send(b"".join(b"UNSUB %d\r\n" % sid for sid in range(1, 2004)))
            client.ping()
    elif how == "reload":
        w.reload(text(False))
    else:
        for client in clients:
            client.reset() if how == "relogin" else client.close()  # pylint: disable=expression-not-assigned
    eventually(lambda: asked_everywhere(s, subjects), 20)
    if how == "reload":  # and back again, as they were
        for client in clients:
            client.ping()
        w.reload(text(True))
        s.send(pub(b"ev.7.x", b"!"))
        s.ping()
        for client in clients:
            assert sorted((m.sid, m.subject) for m in messages(client)) == [
                (b"2001", b"p.ev.7.x"), (b"2003", b"ev.7.x"), (b"2003", b"p.ev.7.x"), (b"8", b"ev.7.x")]


def test_wide_fan_out(world, together):
    """200 accounts import one stream under two names; each of their clients gets all of it, in the order of each publisher."""
    n_accounts, n = 200, 100
    w = world(configuration(account("S", exports=streams("ev.>")),
                            *(account(f"A{i}", imports=imported("stream", "ev.>", "prefix: in" if i % 2 else "")) for i in range(n_accounts))))
    clients = [w(f"a{i}", b"in.ev.>" if i % 2 else b"ev.>") for i in range(n_accounts)]
    publishers = [w("s"), w("s")]

    def publish(which):
        for i in range(n):
            publishers[which].send(pub(b"ev.%d" % which, b"%d" % i))
        publishers[which].ping()

    together(lambda: publish(0), lambda: publish(1))
    for i, client in enumerate(clients):
        got = [(m.subject, int(m.payload)) for m in messages(client)]
        for subject in (b"ev.0", b"ev.1"):
            assert [number for seen, number in got if seen == (b"in." if i % 2 else b"") + subject] == list(range(n))
        assert len(got) == 2 * n


def test_slow_consumer_behind_an_import(world):
    """Who does not read what its account imports is closed; others that import the same get all of it."""
    n, payload = 200, b"x" * 60_000
    w = world(configuration(account("S", exports=streams("ev.>")), *(account(name, imports=imported("stream", "ev.>")) for name in "AB"),
                            more="max_payload: 100000, max_pending: 300000"))
    s, a = w("s"), w("a", b"ev.>")
    w("b", b"ev.>", b"ev.*")  # reads nothing
    for i in range(n):
        s.send(pub(b"ev.%d" % i, payload))
        s.ping()
        got = read_message(a)
        assert (got.subject, len(got.payload)) == (b"ev.%d" % i, len(payload))
    w.server.wait_log("Slow Consumer Detected")
    assert a.ping() == b""


def test_exact_ends_across_accounts(world, together):
    """Responses for an inbox with a limit: from four responders at once, just as many as it takes."""
    w = world(configuration(account("S", exports=offered("req", "response: stream")), account("A", imports=imported("service", "req"))))
    responders, rnd = [w("s", b"req") for _ in range(4)], random.Random(1)
    for _ in range(30):
        a, limit = w("a"), rnd.randrange(1, 300)
        a.send(b"SUB _I.> 1\r\nUNSUB 1 %d\r\n" % limit + requests(1))
        a.ping()
        replies = [read_message(s).reply for s in responders]
        together(*[lambda s=s, reply=reply: (s.send(pub(reply, b"!") * 200), s.ping()) for s, reply in zip(responders, replies)])
        assert len(messages(a)) == limit
        a.close()


# ---- circles and nonsense

CIRCLE = configuration(
    account("A", exports=offered("a.>") + streams("sa.>"),
            imports=imported("service", "a.>", "to: own.>", account="A") + imported("stream", "sc.>", "to: sa.from_c.>", account="C")),
    account("B", exports=offered("b.>") + streams("sb.>"),
            imports=imported("service", "a.>", "to: b.from_a.>", account="A") + imported("stream", "sa.>", "to: sb.from_a.>", account="A")),
    account("C", exports=offered("c.>") + streams("sc.>"),
            imports=imported("service", "b.>", "to: c.from_b.>", account="B") + imported("stream", "sb.>", "to: sc.from_b.>", account="B")),
    account("E", "mappings: { \"a.>\": \"b.>\", \"b.>\": \"a.>\", \"c.*.*\": \"d.$2.$1\", \"l.>\": [ { dest: \"k.>\", weight: 40 } ] }",
            exports=offered(">") + streams(">"), imports=imported("service", "a.>", account="A") + imported("stream", "sa.>", account="A")),
    account("F", imports=imported("service", ">", account="E") + imported("stream", ">", account="E")))


def nonsense(rnd):
    """A publish that the grammar allows, and hardly anything else."""
    def word():
        return rnd.choice([b"a", b"b", b"c", b"sa", b"sb", b"sc", b"from_a", b"from_b", b"from_c", b"*", b">", b"", b"x", b"l", b"\xff\x80", b"\x00",
                           b"$SYS", b"$1", b"_I", b"1", b"REQ", b"USER", b"INFO", b"{{wildcard(1)}}", b"y" * rnd.choice([1, 50, 500])])

    def subject():
        return b".".join(word() for _ in range(rnd.choice([1, 2, 2, 3, 3, 4, 40]))) or b"a"

    reply = rnd.choice([b"", b"_I.1", b"inbox", b"_I.*", b"a.x", b"b.from_a.x", b"c.>", subject()])
    if rnd.randrange(3) == 0:
        header = b"NATS/1.0\r\n" + b"".join(rnd.choice([b"Nats-Request-Info: {}\r\n", b"X: " + b"y" * rnd.choice([1, 100, 60000]) + b"\r\n", b"\r\n",
                                                        b"Nats-Trace-Dest: _I.1\r\n", b"Nats-Trace-Only: true\r\n", b":\r\n", b"no colon",
                                                        b"Nats-Request-Info\r\n", b"X-B3-Sampled: 1\r\n"])
                                             for _ in range(rnd.randrange(4))) + b"\r\n"
        return hpub(subject(), header, b"?" * rnd.choice([0, 1, 5000]), reply)
    return pub(subject(), b"?" * rnd.choice([0, 1, 5000]), reply)


def test_nonsense_in_circles(world):
    """Three accounts in a circle, with services and streams, and two that export everything to each other: all publish nonsense, some answer.
    What makes sense is answered afterwards, and the server ends."""
    w = world(CIRCLE)

    def talk(user, seed):
        rnd = random.Random(seed)
        for _ in range(6):
            client = w(user, b"_I.>", *rnd.sample([b">", b"a.>", b"b.>", b"c.>", b"sa.>", b"sb.* q", b"sc.>", b"*.*", b"inbox", b"_R_.>"], 3))
            for _ in range(10):
                client.send(b"".join(nonsense(rnd) for _ in range(20)))
                replies = re.findall(rb"MSG \S+ \d+ (_R_\S+) ", client.ping())[:50]
                client.send(b"".join(pub(reply, b"!", rnd.choice([b"", b"_I.1", b"a.b"])) for reply in replies))
                if rnd.randrange(3) == 0:
                    client.send(b"UNSUB %d %s\r\n" % (rnd.randrange(1, 5), rnd.choice([b"", b"1", b"100"])))
            client.ping()
            rnd.choice([client.close, client.reset])()

    threads = [threading.Thread(target=talk, args=(user, seed), daemon=True) for seed, user in enumerate("abcef")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
        assert not thread.is_alive()
    a, b = w("a", b"a.x"), w("b", b"_I.>")
    b.send(pub(b"b.from_a.x", b"?", b"_I.1"))
    b.ping()
    request = read_message(a)
    a.send(pub(request.reply, b"!"))
    a.ping()
    assert b.ping() == b"MSG _I.1 1 1\r\n!\r\n"
