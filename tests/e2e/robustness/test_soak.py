# SPDX-License-Identifier: Apache-2.0
"""Hundreds of clients that come, misbehave and die, while two that behave measure what they notice of it."""

import statistics
import time

from harness import eventually

OPTIONS = {"max_pending": 2 << 20, "write_deadline": "2s", "max_payload": 1 << 20}
SECONDS = 8


def converse(publisher, subscriber, until) -> list[float]:
    """Numbered messages, 20 at a time, each batch awaited; returns the times that took."""
    times, n = [], 0
    while not until():
        start = time.monotonic()
        publisher.send(b"".join(b"PUB good 8\r\n%08d\r\n" % i for i in range(n, n + 20)))
        subscriber.expect(b"".join(b"MSG good 1 8\r\n%08d\r\n" % i for i in range(n, n + 20)))
        times.append(time.monotonic() - start)
        n += 20
    return times


def test_churn_of_bad_clients(connect, start_workers, storm, process, memory_counts, all_gone):
    """All messages between good clients arrive, in order and soon; at the end everything is as it was at the start."""
    server = start_workers(options=OPTIONS)
    kernel = process(server)
    n_descriptors, memory = kernel.n_descriptors(), kernel.memory()
    publisher, subscriber = connect(server, timeout=60).connect(), connect(server, timeout=60).connect()
    subscriber.send(b"SUB good 1\r\n")
    subscriber.fence()

    bad = storm(server, "chaos", clients=1000 if memory_counts else 300, seconds=SECONDS)
    times = converse(publisher, subscriber, lambda: bad.poll() is not None)
    assert bad.wait() == 0
    assert len(times) > 5
    assert statistics.median(times) < 0.5
    publisher.fence()
    subscriber.fence()
    publisher.close()
    subscriber.close()

    all_gone(server, n_descriptors)
    connect(server).connect().fence()
    if memory_counts:
        eventually(lambda: kernel.memory() < memory + (48 << 20), timeout=20)


def test_everything_small(connect, start_workers, storm, process, all_gone):
    """The same where every limit is met soon: pending output of 64 kB, little time to write, pings that go unanswered."""
    server = start_workers(options={"max_pending": 65536, "max_payload": 65536, "max_control_line": 256, "write_deadline": "100ms",
                                    "ping_interval": "300ms", "ping_max": 1, "max_connections": 150, "max_subscriptions": 100})
    n_descriptors = process(server).n_descriptors()
    assert storm(server, "chaos", clients=200, seconds=5, seed=2).wait() == 0
    all_gone(server, n_descriptors)
    c = connect(server).connect()
    c.send(b"SUB a 1\r\nPUB a 1\r\nx\r\n")
    c.expect(b"MSG a 1 1\r\nx\r\n")


def test_dropping_instead_of_stalling(connect, start_workers, storm, process, memory_counts, all_gone):
    """The same with no_fast_producer_stall."""
    server = start_workers(options={**OPTIONS, "no_fast_producer_stall": True, "write_timeout": "retry"})
    n_descriptors = process(server).n_descriptors()
    publisher, subscriber = connect(server, timeout=60).connect(), connect(server, timeout=60).connect()
    subscriber.send(b"SUB good 1\r\n")
    subscriber.fence()
    bad = storm(server, "chaos", clients=300 if memory_counts else 100, seconds=4, seed=3)
    assert len(converse(publisher, subscriber, lambda: bad.poll() is not None)) > 5
    publisher.close()
    subscriber.close()
    all_gone(server, n_descriptors)


def test_tracing(start_workers, storm, process, all_gone):
    """The same while every byte goes to the log: nobody's bytes confuse it."""
    server = start_workers(2, "-DV", options=OPTIONS)
    n_descriptors = process(server).n_descriptors()
    assert storm(server, "chaos", clients=30, seconds=2, seed=4).wait() == 0
    all_gone(server, n_descriptors)


def test_one_worker(connect, start_workers, storm, process, all_gone):
    """The same with a single thread."""
    server = start_workers(1, options=OPTIONS)
    n_descriptors = process(server).n_descriptors()
    assert storm(server, "chaos", clients=300, seconds=4, seed=5).wait() == 0
    all_gone(server, n_descriptors)
    connect(server).connect().fence()
