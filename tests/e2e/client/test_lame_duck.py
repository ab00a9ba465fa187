# SPDX-License-Identifier: Apache-2.0
"""Lame duck mode (SIGUSR2) as clients see it."""

import signal
import socket

import pytest

OPTIONS = {"lame_duck_duration": "30s", "lame_duck_grace_period": "4s"}


def enter_lame_duck(server) -> None:
    server.signal(signal.SIGUSR2)
    server.wait_log("Entering lame duck mode, stop accepting new clients")


def test_p60_lame_duck(connect, start_server):
    """Own lame duck → INFO `ldm:true` without own URL; service goes on, then plain close without -ERR, exit 0."""
    server = start_server("-D", options=OPTIONS)
    told, old = connect(server).connect(protocol=1), connect(server).connect(protocol=0)
    not_pinged, no_connect = connect(server), connect(server)
    not_pinged.send(b'CONNECT {"verbose":false,"protocol":1}\r\n')
    no_connect.fence()
    enter_lame_duck(server)

    info = told.read_info()
    assert info["ldm"] is True
    assert "connect_urls" not in info
    assert info["server_id"] == told.info["server_id"]

    for c in (told, old):  # grace period: full service
        c.send(b"SUB foo 1\r\n")
        c.fence()
    old.send(b"PUB foo 2\r\nhi\r\n")
    for c in (told, old):
        c.expect(b"MSG foo 1 2\r\nhi\r\n")
        c.fence()
    no_connect.fence()

    for c in (told, old, not_pinged, no_connect):
        c.expect_eof()
    assert server.wait_exit() == 0
    server.wait_log("Closing existing clients")
    for c in (told, old, not_pinged, no_connect):
        assert server.closed_reason(c.cid) == "Server Shutdown"


def test_p60_first_ping_during_lame_duck(connect, start_server):
    """A protocol 1 client that had not pinged gets nothing asynchronous; its first PING brings the INFO."""
    server = start_server(options=OPTIONS)
    c, told = connect(server), connect(server).connect(protocol=1)
    c.send(b'CONNECT {"verbose":false,"protocol":1}\r\n')
    enter_lame_duck(server)
    assert told.read_info()["ldm"] is True
    c.send(b"PING\r\n")
    c.expect(b"PONG\r\n")
    assert c.read_info()["connect_info"] is True
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0


def test_p60_new_connections_are_refused(connect, start_server):
    """In lame duck mode new TCP connects are refused."""
    server = start_server(options=OPTIONS)
    c = connect(server).connect(protocol=1)
    enter_lame_duck(server)
    assert c.read_info()["ldm"] is True
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=10)
    c.fence()
    server.signal(signal.SIGINT)
    c.expect_eof()
    assert server.wait_exit() == 0
