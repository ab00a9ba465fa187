# SPDX-License-Identifier: Apache-2.0
"""Order and exactness when connections of several workers act at once: what holds on one thread holds on four."""

import collections
import random
import re
import threading
import time

import pytest

from harness import Client

N_WORKERS = 4


@pytest.fixture(scope="module")
def server():
    """A server with more workers than this machine may have cores: every step may be interrupted."""
    from harness import Server
    shared = Server(env={"GOMAXPROCS": "4"}) if Server.peer_by_default else Server("--io_threads", str(N_WORKERS))
    yield shared
    shared.stop()


@pytest.fixture
def clients(connect):
    """clients(n, …) -> n connected clients; with n ≥ 4 there is one on each worker."""
    return lambda n, **fields: [connect(timeout=60).connect(**fields) for _ in range(n)]


def subscribe(client: Client, subject: bytes, sid: bytes = b"1", queue: bytes = b"") -> None:
    client.send(b"SUB %s %s %s\r\n" % (subject, queue, sid))
    client.fence()


def numbered(subject: bytes, publisher: int, first: int, n: int) -> bytes:
    return b"".join(b"PUB %s 10\r\n%02d%08d\r\n" % (subject, publisher, i) for i in range(first, first + n))


def numbers(received: bytes) -> list[tuple[bytes, int, int]]:
    """(sid, publisher, number) of each message of `numbered`."""
    return [(sid, int(p), int(n)) for sid, p, n in re.findall(rb"MSG [^ ]+ ([^ ]+) 10\r\n(\d\d)(\d{8})\r\n", received)]


def pings(client: Client, wanted: str, timeout: float = 30):
    """What came before each PONG, as long as somebody asks for it; fails when that goes on for too long."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        yield client.ping()
    raise AssertionError(f"missing: {wanted}")


def flood(publisher: Client, subject: bytes, stop: threading.Event, name: int = 0) -> int:
    """Publish until told to stop; returns how many."""
    n = 0
    while not stop.is_set():
        publisher.send(numbered(subject, name, n, 20))
        publisher.fence()  # no faster than Python can read
        n += 20
    return n


# ---- order

def test_order_of_each_publisher(clients, subject, together):
    """Every subscriber gets all messages of each publisher in the order published."""
    publishers, subscribers, n = clients(5), clients(9), 4000
    for i, c in enumerate(subscribers):
        subscribe(c, subject + (b".*", b".>", b".x")[i % 3])

    def publish(name):
        rnd, done = random.Random(name), 0
        while done < n:
            k = min(n - done, rnd.choice([1, 2, 30, 500]))
            publishers[name].send(numbered(subject + b".x", name, done, k))
            done += k
        publishers[name].fence()

    def receive(c):
        expected = [0] * len(publishers)
        for received in pings(c, f"{n} messages of each publisher, has {expected}"):
            for _, name, number in numbers(received):
                assert number == expected[name]
                expected[name] += 1
            if sum(expected) == n * len(publishers):
                break

    together(*[lambda i=i: publish(i) for i in range(len(publishers))], *[lambda c=c: receive(c) for c in subscribers])
    for c in subscribers:
        c.fence()


def test_order_of_all_sizes(clients, subject, together):
    """The same with payloads from nothing to several chunks, and whole bytes compared."""
    publishers, subscribers, n = clients(3), clients(5), 400
    for c in subscribers:
        subscribe(c, subject + b".*")

    def payloads(name):
        rnd = random.Random(name)
        return [bytes([97 + (i + name) % 26]) * rnd.choice([0, 1, 100, 1000, 2040, 2048, 2049, 4096, 16000, 16384, 17000, 70000])
                for i in range(n)]

    def publish(name):
        for payload in payloads(name):
            publishers[name].send(b"PUB %s.%d %d\r\n%s\r\n" % (subject, name, len(payload), payload))
        publishers[name].fence()

    def receive(c):
        left = [payloads(name)[::-1] for name in range(len(publishers))]
        while any(left):
            name, size = map(int, c.expect_re(rb"MSG [^ ]+\.(\d) 1 (\d+)\r\n").groups())
            payload = left[name].pop()
            assert size == len(payload)
            c.expect(payload + b"\r\n")

    together(*[lambda i=i: publish(i) for i in range(len(publishers))], *[lambda c=c: receive(c) for c in subscribers])
    for c in subscribers:
        c.fence()


def test_pong_follows_what_was_published(clients, subject):
    """Once a publisher has its PONG, whoever subscribed gets the message before a PONG asked for afterwards."""
    everyone = clients(6)
    for c in everyone:
        subscribe(c, subject)
    for i in range(300):
        publisher, message = everyone[i % 6], numbered(subject, 0, i, 1)
        publisher.send(message)
        assert numbers(publisher.ping())[-1:] == [(b"1", 0, i)]
        for c in everyone:
            if c is not publisher:
                assert numbers(c.ping()) == [(b"1", 0, i)]


def test_pong_of_a_publisher_that_lags(connect, clients, subject):
    """The same for a publisher that has much to read before its PONG."""
    flooder, everyone = clients(1)[0], clients(4)
    for c in everyone:
        subscribe(c, subject + b".small")
    for i in range(12):
        publisher = connect(timeout=60, rcvbuf=4096).connect()
        publisher.send(b"SUB %s.big 1\r\n" % subject)
        publisher.fence()
        flooder.send(b"PUB %s.big 10000\r\n%s\r\n" % (subject, b"x" * 10000) * 400)
        flooder.fence()
        publisher.send(numbered(subject + b".small", 0, i, 1) + b"PING\r\n")
        assert publisher.ping().count(b"MSG ") == 400  # up to the PONG of the first PING
        for c in everyone:
            assert numbers(c.ping()) == [(b"1", 0, i)]
        publisher.close()


# ---- SUB

def test_a_confirmed_sub_sees_everything_later(clients, subject):
    """A SUB confirmed by PONG sees every later publish, from any connection, whatever those workers remember."""
    publishers, subscribers = clients(4), clients(4)
    for i in range(150):
        for p in publishers:  # they learn that nobody is interested
            p.send(numbered(subject, 9, i, 1) + numbered(subject + b".x", 9, i, 1))
            p.fence()
        c, wanted = subscribers[i % 4], subject + (b"", b".x", b".*", b".>")[i // 4 % 4]
        subscribe(c, wanted, b"%d" % i)
        published = subject if wanted == subject else subject + b".x"
        for name, p in enumerate(publishers):
            p.send(numbered(published, name, i, 1))
        for p in publishers:
            p.fence()
        assert sorted(numbers(c.ping())) == [(b"%d" % i, name, i) for name in range(4)]
        c.send(b"UNSUB %d\r\n" % i)
        c.fence()


# ---- UNSUB

def test_unsub_is_final_after_its_pong(clients, subject, together):
    """Publishers do not stop, but after the PONG that follows an UNSUB there is no message of that subscription."""
    publishers, subscribers, stop = clients(3), clients(4), threading.Event()

    def come_and_go(c):
        for i in range(60):
            sid = b"%d" % i
            c.send(b"SUB %s %s\r\n" % (subject, sid))
            for received in pings(c, "a message of the new subscription"):
                if any(s == sid for s, _, _ in numbers(received)):
                    break
            c.send(b"UNSUB %s\r\n" % sid)
            c.ping()
            for _ in range(5):
                assert {s for s, _, _ in numbers(c.ping())} <= {b"stays"}

    for c in subscribers:
        subscribe(c, subject, b"stays")

    def all_come_and_go():
        try:
            together(*[lambda c=c: come_and_go(c) for c in subscribers])
        finally:
            stop.set()

    together(all_come_and_go, *[lambda i=i: flood(publishers[i], subject, stop, i) for i in range(3)])


def test_unsub_is_final_after_its_ok(clients, subject, together):
    """The same for clients that are verbose: +OK is the answer."""
    publishers, (c,), stop = clients(3), clients(1, verbose=True), threading.Event()

    def come_and_go():
        try:
            for i in range(40):
                sid = b"%d" % i
                c.send(b"SUB %s %s\r\n" % (subject, sid))
                for received in pings(c, "a message of the new subscription"):
                    if b" %s 10\r\n" % sid in received:
                        break
                c.send(b"UNSUB %s\r\n" % sid)
                received = c.ping()
                assert received.endswith(b"+OK\r\n") and received.count(b"+OK\r\n") == 1
        finally:
            stop.set()

    together(come_and_go, *[lambda i=i: flood(publishers[i], subject, stop, i) for i in range(3)])


@pytest.mark.parametrize("queue", [b"", b"q"], ids=["plain", "queue"])
def test_auto_unsubscribe_is_exact(clients, subject, together, queue):
    """Several publish at once: a subscription with a maximum gets exactly that many."""
    publishers, subscribers = clients(4), clients(3)
    for i in range(40):
        limits = [1, 2, 7 + i, 90]
        for c in subscribers if not queue else subscribers[:1]:
            for sid, limit in enumerate(limits):
                c.send(b"SUB %s.%d %s %d\r\nUNSUB %d %d\r\n" % (subject, i, queue + b"%d" % sid if queue else b"", sid, sid, limit))
            c.fence()

        def publish(name):
            publishers[name].send(numbered(b"%s.%d" % (subject, i), name, 0, 60))
            publishers[name].fence()

        together(*[lambda name=name: publish(name) for name in range(4)])
        for c in subscribers if not queue else subscribers[:1]:
            got = collections.Counter(sid for sid, _, _ in numbers(c.ping()))
            assert [got[b"%d" % sid] for sid in range(len(limits))] == limits


@pytest.mark.parametrize("verbose", [False, True], ids=["quiet", "verbose"])
def test_late_auto_unsubscribe(clients, subject, together, verbose):
    """UNSUB with a maximum while messages fly: at least that many come, nothing after its PONG once they have come."""
    publishers, subscribers, n = clients(4), clients(4, verbose=verbose), 600
    for i in range(25):
        here, limit = b"%s.%d" % (subject, i), 300 + 40 * i

        def receive(c):
            n_before, early = 0, random.Random(i * 7 + c.cid).randrange(60)
            for received in pings(c, f"{limit} messages, has {n_before}"):
                n_before += received.count(b"MSG")
                if n_before >= limit - early:
                    break
            c.send(b"UNSUB 1 %d\r\n" % limit)
            return n_before + c.ping().count(b"MSG")

        for c in subscribers:
            c.send(b"SUB %s 1\r\n" % here)
            c.ping()
        at_pong = together(*[lambda c=c: receive(c) for c in subscribers],
                           *[lambda name=name: publishers[name].send(numbered(here, name, 0, n)) for name in range(4)])[:4]
        for p in publishers:
            p.fence()
        for c, before in zip(subscribers, at_pong):
            total = before + c.ping().count(b"MSG")
            assert total == max(limit, before)


def test_requests_beside_unsubs(clients, subject, together):
    """Answers to requests of the old style (SUB, UNSUB 1, PUB) all come, though other subscriptions are given up meanwhile."""
    requesters, responders, stop, n = clients(4), clients(3), threading.Event(), 150

    def respond(c):
        while not stop.is_set():
            replies = re.findall(rb"MSG [^ ]+ 1 ([^ ]+) 1\r\nq\r\n", c.ping())
            c.send(b"".join(b"PUB %s 1\r\nr\r\n" % reply for reply in replies))

    def request(c):
        for i in range(25):
            inbox = b"%s.inbox.%d.%d." % (subject, c.cid, i)
            c.send(b"".join(b"SUB %s%d %d\r\nUNSUB %d 1\r\nPUB %s.req %s%d 1\r\nq\r\n" % (inbox, k, k, k, subject, inbox, k) +
                            b"SUB other x\r\nUNSUB x\r\n" * 10 for k in range(n)))
            got = 0
            for received in pings(c, f"{n} answers", timeout=15):
                got += received.count(b" 1\r\nr\r\n")
                if got == n:
                    break
                c.send(b"SUB other x\r\nUNSUB x\r\n" * 10)

    def all_requests():
        try:
            together(*[lambda c=c: request(c) for c in requesters])
        finally:
            stop.set()

    for c in responders:
        subscribe(c, subject + b".req", queue=b"q")
    together(all_requests, *[lambda c=c: respond(c) for c in responders])


# ---- queue groups

def test_queue_group_loses_nothing_when_members_leave(clients, subject, together):
    """Members join, and leave by UNSUB and PING as drained clients do: each message comes to exactly one."""
    publishers, members, n_rounds = clients(4), clients(6), 30
    subscribe(members[0], subject, queue=b"q")
    gone, published = threading.Event(), threading.Event()

    def come_and_go(c):
        received = []
        for sid in range(n_rounds):
            c.send(b"SUB %s q %d\r\n" % (subject, sid))
            received += numbers(c.ping())
            received += numbers(c.ping())
            c.send(b"UNSUB %d\r\n" % sid)
            received += numbers(c.ping())
            c.fence()
        return received

    def all_come_and_go():
        try:
            return together(*[lambda c=c: come_and_go(c) for c in members[1:]])
        finally:
            gone.set()

    def publish_all():
        try:
            return together(*[lambda i=i: flood(publishers[i], subject, gone, i) for i in range(4)])
        finally:
            published.set()

    def stay():
        received = []
        while not published.is_set():
            received += numbers(members[0].ping())
        return received + numbers(members[0].ping())

    n_published, others, remained = together(publish_all, all_come_and_go, stay)
    received = [(name, number) for result in [remained, *others] for _, name, number in result]
    assert len(received) == len(set(received)), "a message came twice"
    assert len(received) == sum(n_published)
    assert sum(len(result) > 0 for result in others) > 1


def test_queue_group_with_members_that_close(connect, clients, subject, together):
    """Members that close may take messages with them, but nobody gets one twice, and who stays gets the rest."""
    publishers, stay, n = clients(4), clients(1)[0], 4000
    subscribe(stay, subject, queue=b"q")
    done = threading.Event()

    def publish(name):
        for first in range(0, n, 20):
            publishers[name].send(numbered(subject, name, first, 20))
        publishers[name].fence()

    def publish_all():
        try:
            together(*[lambda name=name: publish(name) for name in range(4)])
        finally:
            done.set()

    def remain():
        received = []
        while not done.is_set():
            received += numbers(stay.ping())
        return received + numbers(stay.ping())

    def come_and_close():
        received = []
        while not done.is_set():
            c = connect(timeout=60).connect()
            c.send(b"SUB %s q 1\r\n" % subject)
            received += numbers(c.ping())
            c.reset()
        return received

    results = together(publish_all, remain, *[come_and_close] * 4)[1:]
    received = [(name, number) for result in results for _, name, number in result]
    assert len(received) == len(set(received)), "a message came twice"
    publishers[0].send(numbered(subject, 0, n, 10))
    publishers[0].fence()
    eventually_alone = numbers(stay.ping())
    assert {number for _, _, number in eventually_alone} <= set(range(n, n + 10))


# ---- echo, close

def test_echo_off(clients, subject, together):
    """With echo off nobody gets what it publishes itself, and everybody gets what the others publish, in order."""
    everyone, n = clients(6, echo=False), 1500
    for c in everyone:
        subscribe(c, subject)

    def talk(name):
        received = []
        for first in range(0, n, 50):
            everyone[name].send(numbered(subject, name, first, 50))
            received += numbers(everyone[name].ping())
        return received

    results = together(*[lambda name=name: talk(name) for name in range(6)])
    for name, c in enumerate(everyone):
        received = results[name] + numbers(c.ping())
        for other in range(6):
            assert [number for _, p, number in received if p == other] == (list(range(n)) if other != name else [])


@pytest.mark.ours
def test_nothing_after_the_error(connect, clients, subject, together):
    """A subscriber in a flood that breaks the protocol is told so, and that is the last it hears."""
    publishers, stop = clients(3), threading.Event()

    def break_protocol():
        try:
            for _ in range(20):
                c = connect(timeout=60).connect()
                c.send(b"SUB %s 1\r\n" % subject)
                for received in pings(c, "a message"):
                    if b"MSG" in received:
                        break
                c.send(b"BOGUS\r\n")
                received = c.read_to_eof()
                assert received.endswith(b"\r\n-ERR 'Unknown Protocol Operation'\r\n") or \
                    received == b"-ERR 'Unknown Protocol Operation'\r\n"
        finally:
            stop.set()

    together(break_protocol, *[lambda i=i: flood(publishers[i], subject, stop, i) for i in range(3)])
