# SPDX-License-Identifier: Apache-2.0
"""Answers that come in pieces: all of them arrive, few are made at a time, and nobody waits for those who do not read."""

import json
import signal
import time

import pytest

from e2e.monitor.web import Monitor, request
from harness import eventually

pytestmark = pytest.mark.ours  # the reference makes answers as a whole

LARGE = "/subsz?subs=1&limit=100000"  # more than the kernel keeps for a reader that waits
N_SUBS = 10_000
N_BEGUN = 64  # answers that may have begun
DEADLINE = 10.0  # [s] without progress


@pytest.fixture
def served(start_server, connect):
    """A server with many subscriptions, and its monitoring port."""
    server = start_server("-m", "-1")
    client = connect(server).connect()
    client.send(b"".join(b"SUB %s.%d %d\r\n" % (b"x" * 400, i, i) for i in range(N_SUBS)))
    client.fence()
    return server, Monitor(server)


@pytest.fixture
def stalled(served):
    """stalled(n) -> n connections that asked for a large answer, and have begun to get it, but do not read on."""
    opened = []

    def start(n):
        made = [served[1].open(rcvbuf=4096) for _ in range(n)]
        opened.extend(made)
        for connection in made:
            connection.send(request(LARGE))
        for connection in made:
            connection._take_to(b"\r\n\r\n")
        return made

    yield start
    for connection in opened:
        connection.close()


def subjects(body: bytes) -> int:
    return len({sub["subject"] for sub in json.loads(body)["subscriptions_list"] if sub["subject"].startswith("x")})


def test_http_1_1(served):
    """In chunks; the connection is good for more."""
    with served[1].open() as c:
        answer = c.ask(LARGE)
        assert answer.headers["transfer-encoding"] == "chunked"
        assert subjects(answer.body) == N_SUBS
        assert c.ask("/healthz").status == 200


def test_http_1_0(served):
    """Up to the end of the connection, whatever the client asks."""
    with served[1].open() as c:
        c.send(f"GET {LARGE} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".encode())
        head, _, body = c.read_to_eof().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.0 200 OK\r\n") and b"content-length" not in head.lower()
        assert subjects(body) == N_SUBS


def test_head(served):
    with served[1].open() as c:
        assert c.ask(LARGE, "HEAD").headers["transfer-encoding"] == "chunked"
        assert c.ask("/healthz").status == 200


def test_pipelined(served):
    """What was asked behind a large answer is answered behind it."""
    with served[1].open() as c:
        c.send(request(LARGE) + request("/healthz") + request(LARGE))
        assert subjects(c.read().body) == N_SUBS
        assert c.read().text == '{"status":"ok"}'
        assert subjects(c.read().body) == N_SUBS


def test_slow_reader_gets_all(served):
    """Who reads in bits has time."""
    with served[1].open(rcvbuf=4096) as c:
        c.send(request(LARGE))
        for _ in range(20):
            time.sleep(0.05)  # that is what makes it slow
            c._receive()
        assert subjects(c.read().body) == N_SUBS


def test_others_do_not_wait(served, stalled):
    """For readers that do not read."""
    _, monitor = served
    stalled(40)
    with monitor.open() as c:
        assert subjects(c.ask(LARGE).body) == N_SUBS


def test_so_many_at_a_time(served, stalled):
    """One more waits until one of them has gone; small answers do not wait."""
    _, monitor = served
    readers = stalled(N_BEGUN)
    with monitor.open() as c:
        c.send(request(LARGE))
        assert monitor.get("/varz").status == 200
        assert c.silent_for(0.5)
        readers[0].close()
        assert subjects(c.read().body) == N_SUBS


def test_one_that_waited_goes(served, stalled):
    """Its turn is that of the next."""
    _, monitor = served
    readers = stalled(N_BEGUN)
    with monitor.open() as first, monitor.open() as second:
        first.send(request(LARGE))
        assert first.silent_for(0.2)
        second.send(request(LARGE))
        first.close()
        readers[0].close()
        assert subjects(second.read().body) == N_SUBS


def test_reader_that_stops_is_closed(served, stalled):
    """When it has taken nothing for 10 s; its answer does not seem complete."""
    server, monitor = served
    reader, = stalled(1)
    begun = time.monotonic()
    server.wait_log(r" - monitor - Slow Consumer Detected: WriteDeadline of 10s exceeded", 60)
    assert time.monotonic() - begun > DEADLINE - 1
    assert not reader.read_to_eof().endswith(b"\r\n0\r\n\r\n")
    assert monitor.get("/varz").status == 200


def test_stop_does_not_wait(served, stalled):
    """For readers that do not read, nor for those that wait."""
    server, monitor = served
    stalled(N_BEGUN)
    with monitor.open() as c:
        c.send(request(LARGE))
        assert c.silent_for(0.2)
        server.signal(signal.SIGINT)
        assert server.wait_exit(DEADLINE / 2) == 0


def test_client_closes_meanwhile(served, stalled):
    """What the answers were made of is given up: later ones have their turn."""
    _, monitor = served
    for _ in range(2):
        for reader in stalled(N_BEGUN):
            reader.close()
    assert subjects(monitor.get(LARGE).body) == N_SUBS
    assert eventually(lambda: monitor.get("/varz").json()["connections"] == 1)
