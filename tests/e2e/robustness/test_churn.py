# SPDX-License-Identifier: Apache-2.0
"""An index that never rests."""

import random

from harness import eventually

MEGABYTE = 1 << 20
N_SUBSCRIPTIONS = 100_000


def nobody_is_there(c, subject: bytes) -> bool:
    """Whether a request to the subject is answered with 503; c has no_responders, and an inbox."""
    c.send(b"PUB %s inbox 1\r\nx\r\n" % subject)
    return b"NATS/1.0 503\r\n" in c.ping()


def random_subject(rnd: random.Random) -> bytes:
    tokens = [b"%d" % rnd.randrange(5), b"%d" % rnd.randrange(100), b"%d" % rnd.randrange(10_000), b"x" * rnd.randrange(1, 30)]
    if rnd.randrange(10) == 0:
        tokens[rnd.randrange(1, 4)] = b"*"
    if rnd.randrange(10) == 0:
        tokens[-1] = b">"
    return b"c." + b".".join(tokens[:rnd.randrange(1, 5)])


def test_random_subscriptions(connect, start_workers, storm, process, memory_counts, all_gone):
    """Connections that subscribe, unsubscribe and publish random subjects: at the end nothing of it is left."""
    server = start_workers()
    kernel = process(server)
    n_descriptors, memory = kernel.n_descriptors(), kernel.memory()
    publisher, subscriber = connect(server, timeout=60).connect(), connect(server, timeout=60).connect()
    subscriber.send(b"SUB i1.2.good 1\r\nSUB i1.*.good 2\r\n")
    subscriber.fence()
    churn, n = storm(server, "index", clients=16, seconds=6), 0
    while churn.poll() is None:
        publisher.send(b"PUB i1.2.good 6\r\n%06d\r\n" % n)
        got = subscriber.read_exactly(2 * len(b"MSG i1.2.good 1 6\r\n000000\r\n"))
        assert sorted(got.split(b"MSG ")[1:]) == [b"i1.2.good %d 6\r\n%06d\r\n" % (sid, n) for sid in (1, 2)]
        n += 1
    assert churn.wait() == 0 and n > 10
    subscriber.close()
    all_gone(server, n_descriptors + 1)
    alone = connect(server, timeout=60).connect(headers=True, no_responders=True)
    alone.send(b"SUB inbox 1\r\n")
    alone.fence()
    for i in range(7):
        for k in range(13):
            assert nobody_is_there(alone, b"i%d.%d.%d.%d" % (i, k, i * k, k))
    alone.close()
    publisher.close()
    all_gone(server, n_descriptors)
    if memory_counts:
        eventually(lambda: kernel.memory() < memory + 48 * MEGABYTE, timeout=25)


def test_many_subscriptions_come_and_go(connect, start_workers, process, memory_counts, together):
    """100,000 by several connections that stay, while others publish; UNSUB gives all the memory back."""
    server = start_workers()
    kernel = process(server)
    subscribers, publisher = [connect(server, timeout=60).connect() for _ in range(4)], connect(server, timeout=60).connect()
    memory = kernel.memory()
    per_connection = N_SUBSCRIPTIONS // len(subscribers)

    def come_and_go(i):
        rnd, c = random.Random(i), subscribers[i]
        for first in range(0, per_connection, 1000):
            c.send(b"".join(b"SUB %s %d\r\n" % (random_subject(rnd), sid) for sid in range(first, first + 1000)))
            c.ping()
        sids = list(range(per_connection))
        rnd.shuffle(sids)
        for first in range(0, per_connection, 1000):
            c.send(b"".join(b"UNSUB %d\r\n" % sid for sid in sids[first:first + 1000]))
            c.ping()

    def publish():
        rnd = random.Random(9)
        for _ in range(200):
            publisher.send(b"".join(b"PUB %s 1\r\nx\r\n" % random_subject(rnd) for _ in range(50)))
            publisher.ping()

    together(publish, *[lambda i=i: come_and_go(i) for i in range(len(subscribers))])
    alone = connect(server, timeout=60).connect(headers=True, no_responders=True)
    alone.send(b"SUB inbox 1\r\n")
    alone.fence()
    rnd = random.Random(5)
    for _ in range(100):
        assert nobody_is_there(alone, random_subject(rnd))
    for c in subscribers:
        c.fence()
        c.close()
    if memory_counts:
        eventually(lambda: kernel.memory() < memory + 40 * MEGABYTE, timeout=25)


def test_many_subjects_with_many_subscribers(connect, start_workers, process, memory_counts):
    """Twenty thousand subjects, each of which reaches the same three thousand subscriptions: what is remembered of them
    does not grow with both numbers."""
    server = start_workers(2)
    kernel = process(server)
    subscriber, publisher = connect(server, timeout=60).connect(), connect(server, timeout=60).connect()
    for first in range(0, 3000, 500):
        subscriber.send(b"".join(b"SUB many.> q %d\r\n" % sid for sid in range(first, first + 500)))
        subscriber.fence()
    memory = kernel.memory()
    for first in range(0, 20_000, 500):
        publisher.send(b"".join(b"PUB many.%d 1\r\nx\r\n" % i for i in range(first, first + 500)))
        publisher.fence()
        assert subscriber.ping().count(b"MSG ") == 500
    if memory_counts:
        assert kernel.memory("VmHWM") < memory + 150 * MEGABYTE
