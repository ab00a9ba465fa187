# SPDX-License-Identifier: Apache-2.0
"""Shutdown: its order, what clients see of it, and what happens to data that they have not read yet."""

import signal
import socket
import time

import pytest

from harness import eventually

SIZE = 64_000        # payload of the messages that are queued
N = 320              # of them: 20 MB, more than the kernel buffers, less than max_pending
SLOW_MACHINE = 20.0  # [s] that a step may take beyond the time it must take


@pytest.fixture
def queue_for_paused(connect):
    """queue_for_paused(server) -> a subscriber that does not read while N messages are queued for it."""

    def queue(server):
        subscriber, publisher = connect(server, rcvbuf=4096, timeout=60).connect(), connect(server, timeout=60).connect()
        subscriber.send(b"SUB big 1\r\n")
        subscriber.fence()
        publisher.send((b"PUB big %d\r\n" % SIZE + b"x" * SIZE + b"\r\n") * N)
        publisher.fence()
        return subscriber

    return queue


QUEUED = (b"MSG big 1 %d\r\n" % SIZE + b"x" * SIZE + b"\r\n") * N


@pytest.mark.parametrize("how, text", [(signal.SIGINT, "interrupt"), (signal.SIGTERM, "terminated")])
def test_l13_shutdown(connect, start_server, messages, how, text):
    """SIGINT and SIGTERM: two shutdown lines, clients get EOF without -ERR, exit 0."""
    server = start_server()
    clients = [connect(server).connect() for _ in range(3)] + [connect(server).connect(protocol=1), connect(server)]
    server.signal(how)
    for c in clients:
        c.expect_eof()
    assert server.wait_exit() == 0
    assert messages(server)[-3:] == [
        ("INF", f'Trapped "{text}" signal'), ("INF", "Initiating Shutdown..."), ("INF", "Server Exiting..")]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=10)


def test_l13_reason(connect, start_server):
    """Every connection is closed with reason Server Shutdown."""
    server = start_server("-D")
    clients = [connect(server).connect() for _ in range(3)] + [connect(server)]
    server.signal(signal.SIGTERM)
    assert server.wait_exit() == 0
    for c in clients:
        assert server.closed_reason(c.cid) == "Server Shutdown"


def test_l13_port_is_free_at_once(connect, start_server):
    """The next server can have the port, though connections of the last one are not forgotten yet."""
    first = start_server()
    clients = [connect(first).connect() for _ in range(3)]
    first.signal(signal.SIGINT)
    for c in clients:
        c.expect_eof()
    assert first.wait_exit() == 0
    assert connect(start_server("-p", first.port)).info["port"] == first.port


def test_l13_order(start_server, queue_for_paused, tmp_path):
    """Listeners are closed first; the ports file is removed when all connections are gone."""
    server = start_server("--ports_file_dir", tmp_path, options={"write_deadline": "60s"})
    eventually(lambda: list(tmp_path.glob("*.ports")))
    subscriber = queue_for_paused(server)
    server.signal(signal.SIGINT)
    server.wait_log("Initiating Shutdown")
    eventually(lambda: is_refused(server.port))
    assert list(tmp_path.glob("*.ports"))
    assert subscriber.read_to_eof() == QUEUED
    assert server.wait_exit() == 0
    assert not list(tmp_path.glob("*.ports"))


def is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except ConnectionRefusedError:
        return True
    return False


def test_l13_many_clients(connect, start_server):
    """The same with many clients."""
    server = start_server()
    clients = [connect(server) for _ in range(200)]
    for c in clients:
        c.connect()
    server.signal(signal.SIGINT)
    for c in clients:
        c.expect_eof()
    assert server.wait_exit() == 0


def test_l13_busy_clients(connect, start_server):
    """Shutdown in the midst of traffic: what arrived is whole messages up to the last, cut off by EOF only."""
    server, message = start_server(), b"MSG busy 1 1000\r\n" + b"x" * 1000 + b"\r\n"
    subscriber, publisher = connect(server, timeout=60).connect(), connect(server, timeout=60).connect()
    subscriber.send(b"SUB busy 1\r\n")
    subscriber.fence()
    publisher.send((b"PUB busy 1000\r\n" + b"x" * 1000 + b"\r\n") * 1000)
    assert subscriber.read_exactly(len(message)) == message
    server.signal(signal.SIGINT)
    received = subscriber.read_to_eof()
    assert received == message * (len(received) // len(message))
    assert server.wait_exit() == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_l14_queued_data_is_delivered(start_server, queue_for_paused, how):
    """20 MB queued for a paused subscriber is fully delivered, then EOF, after SIGINT/SIGTERM once it resumes reading
    within write_deadline."""
    server = start_server(options={"write_deadline": "60s"})
    subscriber = queue_for_paused(server)
    server.signal(how)
    server.wait_log("Initiating Shutdown")
    time.sleep(0.5)  # nothing to wait for: the server is to wait for us
    assert server.proc.poll() is None
    assert subscriber.read_to_eof() == QUEUED
    assert server.wait_exit() == 0


def test_l14_to_several(start_server, queue_for_paused):
    """The same with several subscribers at once, each of which gets all messages since it subscribed."""
    server = start_server(options={"write_deadline": "60s"})
    first, second = queue_for_paused(server), queue_for_paused(server)
    server.signal(signal.SIGINT)
    assert second.read_to_eof() == QUEUED
    assert first.read_to_eof() == QUEUED + QUEUED
    assert server.wait_exit() == 0


def test_l14_never_reading(start_server, queue_for_paused):
    """A never-reading client delays exit by at most write_deadline, with a Slow Consumer log line."""
    write_deadline = 3.0
    server = start_server("-D", options={"write_deadline": "3s"})
    started = time.monotonic()
    subscriber = queue_for_paused(server)
    signalled = time.monotonic()
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    ended = time.monotonic()
    assert ended - started >= write_deadline * 0.9
    assert ended - signalled <= write_deadline + SLOW_MACHINE
    assert f"cid:{subscriber.cid} - Slow Consumer Detected: WriteDeadline of 3s exceeded" in server.log()
    assert "Server Exiting.." in server.log()


def test_l14_never_reading_in_parallel(start_server, queue_for_paused):
    """Several of them delay it no longer than one."""
    write_deadline, n = 6.0, 6
    server = start_server(options={"write_deadline": "6s", "max_pending": 1 << 30})
    subscribers = [queue_for_paused(server) for _ in range(n)]
    signalled = time.monotonic()
    server.signal(signal.SIGINT)
    assert server.wait_exit(n * write_deadline) == 0
    assert time.monotonic() - signalled <= write_deadline + SLOW_MACHINE
    assert server.log().count("Slow Consumer Detected: WriteDeadline") == n
    del subscribers


def test_l16_second_signal(start_server, queue_for_paused, messages):
    """Second SIGTERM during shutdown is harmless: while it runs, signals are neither logged nor acted on."""
    server = start_server(options={"write_deadline": "60s"})
    subscriber = queue_for_paused(server)
    server.signal(signal.SIGTERM)
    server.wait_log("Initiating Shutdown")
    for sig in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP):
        server.signal(sig)
        time.sleep(0.05)
    assert server.proc.poll() is None
    assert subscriber.read_to_eof() == QUEUED
    assert server.wait_exit() == 0
    said = messages(server)
    assert said[said.index(("INF", 'Trapped "terminated" signal')):] == [
        ("INF", 'Trapped "terminated" signal'), ("INF", "Initiating Shutdown..."), ("INF", "Server Exiting..")]


def test_l16_two_signals_at_once(start_server):
    """The same when both arrive together."""
    server = start_server()
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        server.signal(sig)
    assert server.wait_exit() == 0
    assert server.log().count("Initiating Shutdown...") == server.log().count("Server Exiting..") == 1


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2])
def test_l16_signals_until_the_end(start_server, sig):
    """No signal is harmful up to the very end of the process."""
    for _ in range(5):
        server = start_server()
        server.signal(signal.SIGTERM)
        server.wait_log("Initiating Shutdown")
        while server.proc.poll() is None:
            server.signal(sig)
        assert server.wait_exit() == 0
        assert server.log().endswith("Server Exiting..\n")


def test_flush_after_an_error(start_server, queue_for_paused):
    """What is queued when a client makes a mistake is flushed before the -ERR and the close."""
    server = start_server("-D", options={"write_deadline": "60s"})
    subscriber = queue_for_paused(server)
    subscriber.send(b"FOO\r\n")
    assert server.closed_reason(subscriber.cid, 60) == "Protocol Violation"
    assert subscriber.read_to_eof() == QUEUED + b"-ERR 'Unknown Protocol Operation'\r\n"


def test_l33_first_reason_wins_over_reset(connect, start_server, queue_for_paused):
    """First close reason wins: a connection reset while the last flush is under way changes nothing."""
    server = start_server("-D", options={"write_deadline": "60s"})
    subscriber = queue_for_paused(server)
    subscriber.send(b"FOO\r\n")
    assert server.closed_reason(subscriber.cid, 60) == "Protocol Violation"
    subscriber.reset()
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    assert server.log().count(f"cid:{subscriber.cid} - Client connection closed: ") == 1


def test_l33_first_reason_wins_over_shutdown(start_server, queue_for_paused):
    """A shutdown during the last flush does not make Server Shutdown of another reason, nor does it end the flush."""
    server = start_server("-D", options={"write_deadline": "60s"})
    subscriber = queue_for_paused(server)
    subscriber.send(b"FOO\r\n")
    assert server.closed_reason(subscriber.cid, 60) == "Protocol Violation"
    server.signal(signal.SIGINT)
    server.wait_log("Initiating Shutdown")
    time.sleep(0.2)
    assert subscriber.read_to_eof() == QUEUED + b"-ERR 'Unknown Protocol Operation'\r\n"
    assert server.wait_exit() == 0
    assert server.log().count(f"cid:{subscriber.cid} - Client connection closed: ") == 1


def test_l33_first_reason_wins_over_fin(connect, start_server):
    """FIN that comes with the mistake does not make Client Closed of Protocol Violation."""
    server = start_server("-D")
    c = connect(server).connect()
    c.send(b"FOO\r\n")
    c.half_close()
    c.read_to_eof()
    assert server.closed_reason(c.cid) == "Protocol Violation"
    eventually(lambda: server.log().count(f"cid:{c.cid} - Client connection closed: ") == 1)
