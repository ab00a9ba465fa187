# SPDX-License-Identifier: Apache-2.0
"""Subscribers that do not read: what they cost the others, and how much memory."""

import re
import time

import pytest

from harness import eventually

MEGABYTE = 1 << 20
SIZE = 8000


def payload(i: int) -> bytes:
    return b"%08d" % i + b"x" * (SIZE - 8)


def pub(subject: bytes, first: int, n: int) -> bytes:
    return b"".join(b"PUB %s %d\r\n%s\r\n" % (subject, SIZE, payload(i)) for i in range(first, first + n))


def msg(subject: bytes, first: int, n: int) -> bytes:
    return b"".join(b"MSG %s 1 %d\r\n%s\r\n" % (subject, SIZE, payload(i)) for i in range(first, first + n))


@pytest.fixture
def deaf_ones(connect):
    """deaf_ones(server, n, subject): subscribers with small windows that read nothing."""
    def make(server, n, subject):
        deaf = [connect(server, rcvbuf=4096, timeout=60).connect() for _ in range(n)]
        for c in deaf:
            c.send(b"SUB %s 1\r\n" % subject)
            c.fence()
        return deaf

    return make


def converse(publisher, good, subject: bytes, megabytes: int) -> None:
    """The good one gets everything, in order."""
    n = megabytes * MEGABYTE // SIZE
    for first in range(0, n, 50):
        publisher.send(pub(subject, first, 50))
        good.expect(msg(subject, first, 50))


@pytest.mark.parametrize("n_workers", [1, 4])
@pytest.mark.parametrize("stall", [True, False], ids=["stall", "no_stall"])
def test_small_max_pending(connect, start_workers, process, memory_counts, deaf_ones, subject, n_workers, stall):
    """Six deaf ones, each on the worker of one of the others or elsewhere; memory is bounded by their limits."""
    server = start_workers(n_workers, options={"max_pending": MEGABYTE, "max_payload": 65536, "no_fast_producer_stall": not stall,
                                               "write_deadline": "60s"})
    publisher, good = connect(server, timeout=60).connect(), connect(server, timeout=60).connect()
    good.send(b"SUB %s 1\r\n" % subject)
    good.fence()
    deaf = deaf_ones(server, 6, subject)
    memory = process(server).memory()
    converse(publisher, good, subject, 40)
    good.fence()
    publisher.fence()
    if memory_counts:
        assert process(server).memory("VmHWM") < memory + 6 * 2 * MEGABYTE + 30 * MEGABYTE
    if stall:
        eventually(lambda: server.log().count("Slow Consumer Detected: MaxPending of 1048576 Exceeded") == 6)
        return
    assert "Slow Consumer" not in server.log()
    for c in deaf:  # they are still there, and got whole messages, some left out
        received = c.ping()
        numbers = [int(i) for i in re.findall(rb"MSG [^ ]+ 1 8000\r\n(\d{8})", received)]
        assert len(received) == len(numbers) * len(msg(subject, 0, 1))
        assert numbers == sorted(set(numbers)) and 60 < len(numbers) < 40 * MEGABYTE // SIZE


@pytest.mark.parametrize("n_workers", [1, 4])
def test_default_max_pending(connect, start_workers, process, memory_counts, deaf_ones, subject, n_workers):
    """Below the limits nobody is hurt: the deaf ones get everything when they read at last, and memory is what is queued."""
    server = start_workers(n_workers, options={"write_deadline": "60s"})
    publisher, good = connect(server, timeout=60).connect(), connect(server, timeout=60).connect()
    good.send(b"SUB %s 1\r\n" % subject)
    good.fence()
    deaf = deaf_ones(server, 2, subject)
    kernel, megabytes = process(server), 16
    memory = kernel.memory()
    converse(publisher, good, subject, megabytes)
    if memory_counts:
        assert kernel.memory("VmHWM") < memory + 2 * megabytes * MEGABYTE * 5 // 4 + 30 * MEGABYTE
    n = megabytes * MEGABYTE // SIZE
    for c in deaf:
        for first in range(0, n, 50):
            c.expect(msg(subject, first, 50))
        c.fence()
    if memory_counts:
        eventually(lambda: kernel.memory() < memory + 30 * MEGABYTE, timeout=20)


@pytest.mark.parametrize("n_workers", [1, 4])
def test_stalls_are_short(connect, start_workers, deaf_ones, subject, n_workers):
    """A producer of many small messages is stalled at most 10 ms a batch: the deaf one is soon over its limit, and out."""
    server = start_workers(n_workers, options={"max_pending": 4 * MEGABYTE, "write_deadline": "60s"})
    publisher = connect(server, timeout=60).connect()
    deaf_ones(server, 1, subject)
    start = time.monotonic()
    while "Slow Consumer Detected: MaxPending" not in server.log():
        publisher.send(b"PUB %s 128\r\n%s\r\n" % (subject, b"x" * 128) * 400)
        assert time.monotonic() - start < 20


def test_auto_unsubscribe_of_a_deaf_one(connect, start_workers, deaf_ones, subject):
    """With no_fast_producer_stall, messages that are dropped count: a subscription with a maximum ends all the same."""
    server = start_workers(2, options={"max_pending": MEGABYTE, "max_payload": 65536, "no_fast_producer_stall": True,
                                       "write_deadline": "60s"})
    publisher = connect(server, timeout=60).connect(headers=True, no_responders=True)
    deaf, = deaf_ones(server, 1, subject)
    deaf.send(b"UNSUB 1 1000\r\n")
    for first in range(0, 1000, 50):  # 8 MB
        publisher.send(pub(subject, first, 50))
        publisher.fence()
    publisher.send(b"SUB inbox 1\r\nPUB %s inbox 1\r\nx\r\n" % subject)
    publisher.expect_re(rb"HMSG inbox 1 \d+ \d+\r\nNATS/1.0 503\r\n.*?\r\n\r\n\r\n")
    assert "Slow Consumer" not in server.log()


@pytest.mark.parametrize("line, reason", [(b"PING\r\n", "Pending Bytes"), (b"SUB a. 1\r\n", "Pending Bytes")], ids=["ping", "error"])
def test_answers_that_nobody_reads(connect, start_workers, process, memory_counts, line, reason):
    """A client that asks and asks, and never reads an answer, is closed when they have become too many."""
    server = start_workers(1, "-D", options={"max_pending": MEGABYTE, "max_payload": 65536, "write_deadline": "60s"})
    c = connect(server, rcvbuf=4096).connect()
    memory = process(server).memory()
    c.timeout = 60
    with pytest.raises(OSError):
        for _ in range(2000):
            c.send(line * 10_000)
    assert server.closed_reason(c.cid) == f"Slow Consumer ({reason})"
    if memory_counts:
        assert process(server).memory("VmHWM") < memory + 8 * MEGABYTE


def test_slow_but_steady(connect, start_workers, subject):
    """write_timeout retry: who reads something before each deadline stays, though all takes longer than that."""
    server = start_workers(2, options={"write_deadline": "500ms", "write_timeout": "retry"})
    publisher, slow = connect(server, timeout=60).connect(), connect(server, timeout=60, rcvbuf=65536).connect()
    slow.send(b"SUB %s 1\r\n" % subject)
    slow.fence()
    n = 1500  # 12 MB: more than the kernel takes
    whole, received = msg(subject, 0, n), b""
    publisher.send(pub(subject, 0, n))
    publisher.fence()
    while len(received) < len(whole):
        piece = slow.sock.recv(200_000)
        assert piece, f"closed after {len(received)} bytes"
        received += piece
        time.sleep(len(piece) / 6e6)  # the slowness itself
    assert received.replace(b"PING\r\n", b"") == whole
    slow.fence()
    server.wait_log(r"Slow Consumer Detected: WriteDeadline of 500ms exceeded")
    server.wait_log(r"Slow Consumer Recovered")
