# SPDX-License-Identifier: Apache-2.0
"""Accepting connections: descriptors that run out, and the limit of them."""

import re
import resource
import signal
import socket
from datetime import datetime, timedelta

import pytest

from harness import eventually

FD_LIMIT = 256
DELAYS = [10, 20, 40, 80, 160, 320, 640, 1000, 1000]
TEMPORARY = re.compile(r"^\[\d+\] \S+ (\S+) \[ERR\] Temporary Client Accept Error\((.*)\), sleeping (\d+)ms$", re.MULTILINE)


@pytest.fixture
def crowd():
    """crowd(server, n) -> n more TCP connections, which need not be accepted."""
    socks = []

    def gather(server, n):
        more = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(n)]
        socks.extend(more)
        return more

    yield gather
    for sock in socks:
        sock.close()


def delays(server) -> list[int]:
    """[ms] that the server said it would sleep."""
    return [int(ms) for _, _, ms in TEMPORARY.findall(server.log())]


def pauses(server) -> list[float]:
    """[ms] that it slept, from error to error."""
    times = [datetime.strptime(time, "%H:%M:%S.%f") for time, _, _ in TEMPORARY.findall(server.log())]
    return [(later - earlier) % timedelta(days=1) / timedelta(milliseconds=1) for earlier, later in zip(times, times[1:])]


def test_l11_out_of_descriptors(connect, start_server, crowd):
    """fd exhaustion: ERR lines with 10,20,40,…,640,1000,1000 ms; accepts again when fds return."""
    server = start_server(fd_limit=FD_LIMIT)
    socks = crowd(server, FD_LIMIT + 10)
    eventually(lambda: len(delays(server)) >= len(DELAYS), timeout=30)
    assert delays(server)[:len(DELAYS)] == DELAYS
    assert all(pause >= 0.9 * delay for pause, delay in zip(pauses(server), DELAYS))
    assert all("too many open files" in error for _, error, _ in TEMPORARY.findall(server.log()))

    for sock in socks:
        sock.close()
    c = connect(server, timeout=30).connect()
    c.send(b"SUB a 1\r\nPUB a 1\r\nx\r\n")
    c.expect(b"MSG a 1 1\r\nx\r\n")

    n_before = len(delays(server))  # after a success the delays begin anew
    crowd(server, FD_LIMIT + 10)
    eventually(lambda: len(delays(server)) >= n_before + 3, timeout=30)
    assert delays(server)[n_before:][:3] == DELAYS[:3]
    c.fence()


def test_l11_who_waits_is_accepted_later(start_server, crowd):
    """Connections that wait in the kernel's queue are served as soon as descriptors return."""
    server = start_server(fd_limit=FD_LIMIT)
    early, late = crowd(server, FD_LIMIT), crowd(server, 5)
    eventually(lambda: len(delays(server)) >= 3, timeout=30)
    for sock in early[:50]:
        sock.close()
    for sock in late:
        sock.settimeout(30)
        assert sock.recv(5) == b"INFO "


def test_l11_shutdown_does_not_wait(start_server, crowd):
    """The sleep after an accept error is interrupted by shutdown."""
    server = start_server("-D", fd_limit=FD_LIMIT)
    crowd(server, FD_LIMIT + 10)
    eventually(lambda: 640 in delays(server), timeout=30)
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    server.wait_log(r"\[DBG\] Client accept loop exiting\.\.$")


@pytest.mark.parametrize("soft, hard", [(256, 4000), (1000, 1024)])
def test_l12_soft_limit_is_raised(start_server, soft, hard):
    """Soft fd limit raised toward the hard limit."""
    server = start_server(fd_limit=(soft, hard))
    assert resource.prlimit(server.pid, resource.RLIMIT_NOFILE) in ((hard, hard), (hard - 1, hard))


def test_l12_raised_limit_is_used(connect, start_server, crowd):
    """More clients than the soft limit at the start are served."""
    server = start_server(fd_limit=(FD_LIMIT, 4 * FD_LIMIT))
    crowd(server, 2 * FD_LIMIT)
    connect(server).connect()
    assert not delays(server)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_end_of_accept_loop(start_server, messages, how):
    """The end of the accept loop is logged (DBG)."""
    server = start_server("-D")
    server.signal(how)
    assert server.wait_exit() == 0
    assert messages(server).count(("DBG", "Client accept loop exiting..")) == 1
