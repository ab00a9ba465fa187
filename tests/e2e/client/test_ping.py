# SPDX-License-Identifier: Apache-2.0
"""The server's PINGs and what it makes of silence.  Lower time bounds are strict, upper ones allow for a slow machine."""

import time

SLACK = 8.0     # [s] a loaded machine may be this late
EARLY = 0.02    # [s] clocks and rounding


def wait_for_ping(client) -> float:
    """Seconds until the server's PING, which must come next."""
    start = time.monotonic()
    client.expect(b"PING\r\n")
    return time.monotonic() - start


def test_p40_first_ping(connect):
    """First server PING 2.0–2.4 s after CONNECT with default interval, even if the client is active."""
    c = connect(auto_pong=False, timeout=2.4 + SLACK)
    start = time.monotonic()
    c.connect()
    c.send(b"PUB foo 1\r\nx\r\n")
    c.expect(b"PING\r\n")
    assert 2.0 - EARLY <= time.monotonic() - start <= 2.4 + SLACK
    c.send(b"PONG\r\n")
    c.fence()


def test_p40_none_without_connect(connect):
    """None within 4 s without CONNECT."""
    c = connect(auto_pong=False)
    c.fence()
    assert c.silent_for(4.0)
    c.fence()


def test_p40_without_connect_after_the_interval(connect, start_server):
    """No CONNECT sent: first PING after exactly ping_interval."""
    server = start_server(options={"ping_interval": "3s"})
    start = time.monotonic()
    c = connect(server, auto_pong=False, timeout=3.0 + SLACK)
    c.expect(b"PING\r\n")
    assert 3.0 - EARLY <= time.monotonic() - start <= 3.0 + SLACK


def test_p40_short_interval(connect, start_server):
    """A ping_interval below 2 s also shortens the wait for the first PING: interval + [0, 20 %)."""
    c = connect(start_server(options={"ping_interval": "1s"}), auto_pong=False, timeout=1.2 + SLACK)
    start = time.monotonic()
    c.connect()
    c.expect(b"PING\r\n")
    assert 1.0 - EARLY <= time.monotonic() - start <= 1.2 + SLACK


def test_p41_stale_connection(connect, start_server):
    """Interval 1 s, max 2, no PONG: two PINGs then `-ERR 'Stale Connection'` at ≈3 s."""
    server = start_server("-D", options={"ping_interval": "1s", "ping_max": 2})
    c = connect(server, auto_pong=False, timeout=1.2 + SLACK)
    start = time.monotonic()
    c.connect()
    c.expect(b"PING\r\n")
    c.expect(b"PING\r\n")
    c.expect_closed_with(b"-ERR 'Stale Connection'\r\n")
    assert time.monotonic() - start >= 3.0 - EARLY
    assert server.closed_reason(c.cid) == "Stale Connection"


def test_p41_ping_max(connect, start_server):
    """ping_max sets the number of unanswered PINGs."""
    c = connect(start_server(options={"ping_interval": "1s", "ping_max": 1}), auto_pong=False, timeout=1.2 + SLACK)
    c.connect()
    c.expect(b"PING\r\n")
    c.expect_closed_with(b"-ERR 'Stale Connection'\r\n")


def test_p41_pong_keeps_alive(connect, start_server):
    """Whoever answers stays: PINGs come every interval, and a PONG clears the count."""
    c = connect(start_server(options={"ping_interval": "1s", "ping_max": 2}), auto_pong=False, timeout=1.2 + SLACK)
    c.connect()
    for _ in range(4):
        c.expect(b"PING\r\n")
        c.send(b"PONG\r\n")
    wait_for_ping(c)


def test_p42_activity_suppresses_pings(connect, start_server):
    """Publishing activity suppresses later PINGs; they come back with silence."""
    interval = 2.0
    c = connect(start_server(options={"ping_interval": "2s"}), auto_pong=False, timeout=2 * interval + SLACK)
    c.connect()
    wait_for_ping(c)
    c.send(b"PONG\r\n")
    end = time.monotonic() + 1.5 * interval
    while time.monotonic() < end:
        c.send(b"PUB foo 1\r\nx\r\n")
        assert c.silent_for(0.1)
    last = time.monotonic()
    c.send(b"PUB foo 1\r\nx\r\n")
    wait_for_ping(c)
    assert interval - EARLY <= time.monotonic() - last


def test_p42_pong_is_no_activity(connect, start_server):
    """PONG does not count as activity."""
    c = connect(start_server(options={"ping_interval": "1s"}), auto_pong=False, timeout=1.2 + SLACK)
    c.connect()
    wait_for_ping(c)
    end = time.monotonic() + 1.2 + SLACK
    c.send(b"PONG\r\n")
    while c.silent_for(0.1) and time.monotonic() < end:
        c.send(b"PONG\r\n")
    c.expect(b"PING\r\n")
