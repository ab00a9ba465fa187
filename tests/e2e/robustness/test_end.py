# SPDX-License-Identifier: Apache-2.0
"""Ends: of clients in the middle of things, and of the server while it is busy."""

import signal
import threading
import time

import pytest

from harness import eventually

MEGABYTE = 1 << 20
BCRYPT = "$2a$11$abcdefghijklmnopqrstuuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01"  # of nobody's password; takes a quarter of a second


def wait_ready(proc) -> None:
    assert proc.stdout.readline() == "ready\n"


def exit_time(server, sig: int) -> float:
    """[s] from the signal to a clean exit."""
    start = time.monotonic()
    server.signal(sig)
    assert server.wait_exit() == 0
    return time.monotonic() - start


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


def fill(publisher, subject: bytes, megabytes: int) -> None:
    """More than the kernel takes for those who do not read."""
    publisher.send(b"PUB %s 10000\r\n%s\r\n" % (subject, b"x" * 10000) * (megabytes * 100))
    publisher.fence()


# ---- clients

def test_killed_in_the_middle(connect, start_workers, storm, process, all_gone):
    """kill -9 of clients while they publish and read at full speed: the others notice nothing."""
    server = start_workers()
    n_descriptors = process(server).n_descriptors()
    publisher, subscriber = connect(server, timeout=60).connect(), connect(server, timeout=60).connect()
    subscriber.send(b"SUB a 1\r\n")
    subscriber.fence()
    for i in range(5):
        load = storm(server, "load", clients=50, seconds=0, seed=i)
        wait_ready(load)
        for k in range(50):
            publisher.send(b"PUB a 4\r\n%04d\r\n" % k)
            subscriber.expect(b"MSG a 1 4\r\n%04d\r\n" % k)
        load.kill()
        load.wait()
    publisher.fence()
    subscriber.fence()
    publisher.close()
    subscriber.close()
    all_gone(server, n_descriptors)


@pytest.mark.parametrize("by_reset", [True, False], ids=["reset", "fin"])
def test_ends_within_a_large_payload(connect, start_workers, process, all_gone, subject, by_reset):
    """Clients that end anywhere in a large payload: not a byte of it is delivered."""
    server = start_workers()
    n_descriptors = process(server).n_descriptors()
    subscriber = connect(server, timeout=60).connect()
    subscriber.send(b"SUB %s 1\r\n" % subject)
    subscriber.fence()
    whole = b"PUB %s %d\r\n" % (subject, MEGABYTE) + b"x" * MEGABYTE + b"\r\n"
    for i in range(60):
        c = connect(server, timeout=60)
        c.send(b"CONNECT {}\r\n" + whole[:len(whole) * i // 60 - 1 if i else 5])
        c.reset() if by_reset else c.close()
    c = connect(server, timeout=60)
    c.send(b"CONNECT {}\r\n" + whole[:-1])
    c.reset() if by_reset else c.close()
    subscriber.fence()
    subscriber.close()
    all_gone(server, n_descriptors)


def test_subscribers_that_die_full(connect, start_workers, process, memory_counts, all_gone, deaf_ones, subject):
    """Subscribers that are killed with megabytes queued for them give them back."""
    server = start_workers(options={"write_deadline": "60s"})
    kernel = process(server)
    n_descriptors = kernel.n_descriptors()
    publisher = connect(server, timeout=60).connect()
    memory = kernel.memory()
    for _ in range(3):
        deaf = deaf_ones(server, 4, subject)
        fill(publisher, subject, 12)
        for c in deaf:
            c.reset()
        all_gone(server, n_descriptors + 1)
    publisher.close()
    all_gone(server, n_descriptors)
    if memory_counts:
        eventually(lambda: kernel.memory() < memory + 30 * MEGABYTE, timeout=20)


# ---- the server

@pytest.mark.parametrize("write_timeout", ["close", "retry"])
def test_zero_windows_at_shutdown(connect, start_workers, deaf_ones, subject, write_timeout):
    """Clients that read nothing delay the exit until write_deadline, and not beyond."""
    server = start_workers(options={"write_deadline": "1s", "write_timeout": write_timeout, "max_pending": 200 * MEGABYTE})
    publisher = connect(server, timeout=60).connect()
    deaf_ones(server, 8, subject)
    fill(publisher, subject, 10)
    assert exit_time(server, signal.SIGINT) < 6


@pytest.mark.ours
def test_trickle_at_shutdown(connect, start_workers, deaf_ones, subject):
    """Nor does one that takes a little at a time keep the server from ending, even if it may at other times."""
    server = start_workers(options={"write_deadline": "1s", "write_timeout": "retry", "max_pending": 200 * MEGABYTE})
    publisher, (slow,), stop = connect(server, timeout=60).connect(), deaf_ones(server, 1, subject), threading.Event()
    fill(publisher, subject, 60)

    def trickle():
        while not stop.wait(0.02):
            try:
                if not slow.sock.recv(40_000):
                    return
            except OSError:
                return

    reader = threading.Thread(target=trickle)
    reader.start()
    try:
        assert exit_time(server, signal.SIGINT) < 6
    finally:
        stop.set()
        reader.join()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
def test_stop_under_full_load(start_workers, storm, sig):
    """Two hundred clients that publish and read without pause: the server ends soon and cleanly."""
    server = start_workers(options={"write_deadline": "2s"})
    load = storm(server, "load", clients=200, seconds=0)
    wait_ready(load)
    assert exit_time(server, sig) < 10
    assert load.wait() == 0
    assert "closed_by_server 200\n" in load.stdout.read()


def test_lame_duck_under_load(connect, start_workers, storm, process):
    """Lame duck mode while all are busy: nobody new, the old ones leave one by one, SIGINT ends it at once."""
    server = start_workers(options={"lame_duck_duration": "30s", "lame_duck_grace_period": "500ms", "write_deadline": "2s"})
    load = storm(server, "load", clients=100, seconds=0)
    wait_ready(load)
    told = connect(server, timeout=60).connect(protocol=1)
    n_descriptors = process(server).n_descriptors()
    server.signal(signal.SIGUSR2)
    server.wait_log("Entering lame duck mode, stop accepting new clients")
    assert told.read_info()["ldm"] is True
    with pytest.raises(OSError):
        connect(server)
    server.wait_log("Closing existing clients")
    eventually(lambda: process(server).n_descriptors() < n_descriptors - 4, timeout=20)
    assert process(server).n_descriptors() > n_descriptors - 90
    assert exit_time(server, signal.SIGINT) < 10
    assert load.wait() == 0


def test_stop_does_not_wait_for_passwords(connect, start_workers):
    """Hundreds of logins whose passwords wait to be hashed: those connected do not notice, and the exit does not wait."""
    server = start_workers(2, options={"authorization.user": "u", "authorization.password": BCRYPT, "authorization.timeout": "60s"})
    waiting = [connect(server, timeout=60) for _ in range(200)]
    for c in waiting:
        c.send(b'CONNECT {"user":"u","pass":"guess"}\r\n')
    start = time.monotonic()
    connect(server, timeout=60, read_info=True)
    assert time.monotonic() - start < 5
    assert exit_time(server, signal.SIGINT) < 5


def test_stop_during_a_storm(start_workers, storm):
    """SIGTERM while clients connect, misbehave and die."""
    server = start_workers(options={"max_pending": MEGABYTE, "write_deadline": "1s"})
    bad = storm(server, "chaos", clients=200, seconds=30)
    eventually(lambda: server.log().count("ERR") > 20)
    assert exit_time(server, signal.SIGTERM) < 10
    bad.kill()
