# SPDX-License-Identifier: Apache-2.0
"""Bytes that are no protocol, or no end of it; and clients that take their time."""

import random
import socket

import pytest

from harness import eventually

MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def noise():
    return random.Random(1).randbytes(4 * MEGABYTE)


def raw(server, timeout: float = 30) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def pour(sock, data: bytes) -> bool:
    """Whether the server took it all."""
    try:
        sock.sendall(data)
        return True
    except OSError:
        return False


def still_serves(connect, server) -> bool:
    c = connect(server, timeout=30).connect()
    c.send(b"SUB a.b 1\r\nPUB a.b 2\r\nhi\r\n")
    c.expect(b"MSG a.b 1 2\r\nhi\r\n")
    c.close()
    return True


def test_random_bytes(connect, start_server, noise, process, memory_counts, all_gone):
    """64 MB of garbage on many connections: each is closed, none leaves anything behind."""
    server = start_server()
    kernel, rnd = process(server), random.Random(2)
    n_descriptors, memory = kernel.n_descriptors(), kernel.memory()
    prefixes = [b"", b"", b"CONNECT {}\r\n", b"PUB a 1000000\r\n", b"SUB a 1\r\nPUB a 3\r\nabc\r\n", b"CONNECT {\"", b"HPUB a 12 15\r\n"]
    for _ in range(16):
        socks = [raw(server) for _ in range(16)]
        for sock in socks:
            start = rnd.randrange(len(noise) - MEGABYTE // 4)
            pour(sock, rnd.choice(prefixes) + noise[start:start + MEGABYTE // 4])
            sock.close()
    all_gone(server, n_descriptors)
    assert still_serves(connect, server)
    if memory_counts:
        assert kernel.memory() < memory + 16 * MEGABYTE


def test_ping_without_end(connect, start_server, process, memory_counts):
    """What follows PING is skipped up to the LF, be it 64 MB: none of it is kept."""
    server = start_server()
    kernel = process(server)
    c = connect(server, timeout=60, auto_pong=False).connect()
    memory = kernel.memory()
    c.send(b"PING")
    for _ in range(64):
        c.send(b"x" * MEGABYTE)
    if memory_counts:
        assert kernel.memory("VmHWM") < memory + 2 * MEGABYTE
    c.send(b"\r\n")
    c.expect(b"PONG\r\n")


@pytest.mark.parametrize("start", [b"SUB ", b"PUB ", b"CONNECT {\"name\":\"", b"UNSUB ", b"-ERR "], ids=lambda b: b.split()[0].decode())
def test_endless_line(connect, start_server, process, memory_counts, start):
    """An endless line is cut off at max_control_line, and costs not much more than that."""
    server = start_server("-D", options={"max_control_line": MEGABYTE})
    kernel = process(server)
    memory = kernel.memory()
    c = connect(server, timeout=30)
    c.send(start)
    while pour(c.sock, b"x" * 65536):
        pass
    assert server.closed_reason(c.cid) == "Maximum Control Line Exceeded"
    if memory_counts:
        assert kernel.memory("VmHWM") < memory + 8 * MEGABYTE
    assert still_serves(connect, server)


@pytest.mark.parametrize("data", [b"[" * 900_000, b"{\"a\":" * 180_000, b"[" * 450_000 + b"]" * 450_000, b"{\"a\":[" * 150_000 + b"1"],
                         ids=["lists", "objects", "closed", "mixed"])
def test_deep_nesting(connect, start_server, data):
    """CONNECT with a value nested as deep as the line allows does not end the server."""
    server = start_server("-D", options={"max_control_line": MEGABYTE})
    c = connect(server, timeout=30)
    pour(c.sock, b"CONNECT {\"x\":" + data + b"}\r\nPING\r\n")
    assert server.closed_reason(c.cid, timeout=30) in ("Protocol Violation", "Client Closed")
    assert still_serves(connect, server)


def test_long_lines_that_are_allowed(connect, start_server, process, memory_counts):
    """Lines just under a large max_control_line work, in small pieces, and their memory returns."""
    server = start_server(options={"max_control_line": 8 * MEGABYTE})
    kernel = process(server)
    memory = kernel.memory()
    c = connect(server, timeout=30).connect()
    for k in range(4):
        c.send(b"SUB a %d%s" % (k, b"0" * (4 * MEGABYTE)))
        c.send(b"1\r\nPING\r\n")
        c.expect(b"PONG\r\n")
    c.close()
    if memory_counts:
        eventually(lambda: kernel.memory() < memory + 40 * MEGABYTE, timeout=20)
    assert still_serves(connect, server)


def test_announced_but_never_sent(connect, start_server, process, memory_counts):
    """Large payloads that are announced and never come cost next to nothing."""
    server = start_server(options={"max_payload": 32 * MEGABYTE})
    kernel = process(server)
    memory = kernel.memory()
    socks = [raw(server) for _ in range(300)]
    for sock in socks:
        sock.sendall(b"CONNECT {}\r\nPUB a %d\r\nxxx" % (32 * MEGABYTE))
    assert still_serves(connect, server)
    if memory_counts:
        assert kernel.memory() < memory + 300 * 16384 + 4 * MEGABYTE
    for sock in socks:
        sock.close()


def test_byte_by_byte(connect, start_server):
    """Slow lorises: a hundred clients that send their protocol a byte at a time get through; a quick one is not delayed."""
    server = start_server()
    script = b'CONNECT {"verbose":false}\r\nSUB s 1\r\nPUB t 3\r\nabc\r\nPING\r\n'
    socks = [raw(server) for _ in range(100)]
    quick = connect(server).connect()
    for at in range(len(script)):
        for sock in socks:
            sock.send(script[at:at + 1])
        quick.fence()
    for sock in socks:
        received = b""
        while not received.endswith(b"PONG\r\n"):
            piece = sock.recv(4096)
            assert piece
            received += piece
        sock.close()


def test_auth_timeout_of_lorises(connect, start_server, all_gone, process):
    """Clients that never get to the end of their CONNECT are thrown out when their time is over."""
    server = start_server(options={"authorization.user": "u", "authorization.password": "p", "authorization.timeout": "1s"})
    n_descriptors = process(server).n_descriptors()
    socks = [raw(server) for _ in range(200)]
    for i, sock in enumerate(socks):
        sock.send(b'CONNECT {"user":"u","pass":"p"}'[:i % 31])
    all_gone(server, n_descriptors)
    for sock in socks:
        sock.close()
    connect(server).connect(user="u", **{"pass": "p"})
