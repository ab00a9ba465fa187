# SPDX-License-Identifier: Apache-2.0
"""Those who do not ask as one should: what it costs the others, which is nothing, and how much memory."""

import random
import socket
import struct
import threading

import pytest

from e2e.accounts.lines import pub
from e2e.monitor.web import Monitor, request
from harness import eventually

MEGABYTE = 1 << 20
FDS = 8000
QUICK = request("/leafz")  # /healthz of the Go server is nervous: it complains of what takes it longer than 1 ms


@pytest.fixture
def served(start_server, connect):
    """A server, its monitoring port, and a check that clients and monitoring are served as ever."""
    server = start_server("-m", "-1", fd_limit=FDS)
    monitor = Monitor(server)

    def check():
        a, b = connect(server).connect(), connect(server).connect()
        a.send(b"SUB served 1\r\n")
        a.fence()
        for i in range(20):
            b.send(pub(b"served", b"%04d" % i))
            a.expect(b"MSG served 1 4\r\n%04d\r\n" % i)
        assert monitor.get("/leafz").status == 200
        assert monitor.get("/varz").status == 200
        a.close()
        b.close()

    check()
    return server, monitor, check


@pytest.fixture
def opened():
    """opened(monitor, n, **kwargs) -> that many connections, closed at the end."""
    connections = []

    def start(monitor, n, **kwargs):
        made = [monitor.open(**kwargs) for _ in range(n)]
        connections.extend(made)
        return made

    yield start
    for connection in connections:
        connection.close()


def in_threads(jobs) -> None:
    errors = []

    def run(job):
        try:
            job()
        except BaseException as error:  # pylint: disable=broad-except
            errors.append(error)

    threads = [threading.Thread(target=run, args=(job,), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    if errors:
        raise errors[0]


def send_all_that_goes(connection, data: bytes) -> int:
    """Send until the other side takes no more, or all is sent; how much that was."""
    patience, sent = connection.sock.gettimeout(), 0
    connection.sock.settimeout(0.5)
    try:
        while sent < len(data):
            sent += connection.sock.send(data[sent:sent + 65536])
    except (TimeoutError, ConnectionError):
        pass
    connection.sock.settimeout(patience)
    return sent


def test_readers_that_never_read(served, connect, opened, process, memory_counts):
    """Large answers that nobody takes, and more requests behind them."""
    server, monitor, check = served
    for _ in range(300):
        client = connect(server, timeout=60).connect()
        client.send(b"".join(b"SUB some.longer.subject.that.fills.the.answer.%d %d\r\n" % (sid, sid) for sid in range(1, 51)))
        client.fence()
    size = len(monitor.get("/connz?subs=detail").body)
    assert size > MEGABYTE
    process(server).forget_peak()
    before = process(server).memory()
    deaf = opened(monitor, 20, rcvbuf=4096)
    for connection in deaf:
        send_all_that_goes(connection, request("/connz?subs=detail") * 200)
    for _ in range(3):
        check()
    if memory_counts:
        assert process(server).memory("VmHWM") - before < 3 * len(deaf) * size
    assert deaf[0].read().status == 200  # who reads at last finds it all
    for connection in deaf:
        connection.close()
    check()


def test_answers_that_are_not_taken_to_the_end(served, connect):
    """The client goes in the midst of them."""
    server, monitor, check = served
    client = connect(server, timeout=60).connect()
    client.send(b"".join(b"SUB subject.%d %d\r\n" % (sid, sid) for sid in range(1, 20_001)))
    client.fence()
    for _ in range(50):
        with monitor.open(rcvbuf=4096) as c:
            c.send(request("/connz?subs=detail"))
            c.sock.recv(100)
    check()


def test_thousand_idle_connections(served, opened, process):
    """That once asked something; they stay, and go when they want to."""
    server, monitor, check = served
    n_descriptors = process(server).n_descriptors()
    idle = opened(monitor, 1000)
    for connection in idle:
        connection.send(QUICK)
    for connection in idle:
        assert connection.read().status == 200
    check()
    assert process(server).n_descriptors() > 1000  # none was closed; those of tests before may have been meanwhile
    for connection in idle:
        assert connection.ask("/leafz").status == 200
    for connection in idle:
        connection.close()
    eventually(lambda: process(server).n_descriptors() <= n_descriptors + 5, 30)
    check()


def test_thousand_connections_that_do_not_ask(served, opened, process):
    """Are closed after the time for a header."""
    server, monitor, check = served
    n_descriptors = process(server).n_descriptors()
    silent = opened(monitor, 1000)
    for connection in silent[::2]:
        connection.send(b"GET /varz HTT")
    check()
    eventually(lambda: process(server).n_descriptors() <= n_descriptors + 5, 30)
    for connection in silent:
        connection.read_to_eof()
    check()


def test_connections_that_come_and_go(served):
    _, monitor, check = served

    def come_and_go():
        for i in range(250):
            with monitor.open() as c:
                if i % 3 == 1:
                    c.send(b"GET /connz")
                elif i % 3 == 2:
                    c.send(request("/connz"))

    in_threads([come_and_go] * 8)
    check()


def test_garbage(served):
    """Bytes of all kinds."""
    server, monitor, check = served
    source = random.Random(1)
    for _ in range(300):
        with monitor.open() as c:
            data = bytes(source.choice(b"\x00\x01\xff \r\n:/GETHOP.1%?&=abc") for _ in range(source.randrange(1, 400)))
            send_all_that_goes(c, data + b"\r\n\r\n")
            c.half_close()
            received = c.read_to_eof()
            assert received.startswith(b"HTTP/1.") or not received
    check()


def test_almost_requests(served):
    """A good request with one byte that is another: it is answered, or refused."""
    server, monitor, check = served
    source = random.Random(2)
    good = request("/connz?auth=1&limit=5", "POST", "Content-Length: 3", "X-Some: thing") + b"abc"
    for _ in range(400):
        data = bytearray(good)
        data[source.randrange(len(data))] = source.randrange(256)
        with monitor.open() as c:
            send_all_that_goes(c, bytes(data))
            try:
                c.half_close()
            except OSError:
                pass
            received = c.read_to_eof()
            assert received.startswith(b"HTTP/1.") or not received
    check()


def test_byte_by_byte_at_once(served):
    """Fifty that do not know what is a packet."""
    server, monitor, check = served

    def slowly():
        with monitor.open() as c:
            for byte in request("/connz?limit=1", "GET", "X-Y: z"):
                c.send(bytes([byte]))
            assert c.read().status == 200

    in_threads([slowly] * 50)
    check()


@pytest.mark.parametrize("path", ["/leafz", "/varz", "/nope", "/connz?auth=x"])
def test_thousands_of_pipelined_requests(served, path):
    """All are answered, in order, to who reads meanwhile."""
    server, monitor, check = served
    n = 5000
    with monitor.open(timeout=60) as c:
        sender = threading.Thread(target=c.send, args=(request(path) * (n - 1) + request("/", "HEAD"),), daemon=True)
        sender.start()
        statuses = {c.read().status for _ in range(n - 1)}
        assert len(statuses) == 1
        assert c.read("HEAD").status == 200
        sender.join(60)
    check()


def test_pipelined_requests_whose_answers_nobody_takes(served, opened, process, memory_counts):
    """The server stops reading at some time, rather than gather answers."""
    server, monitor, check = served
    process(server).forget_peak()
    before = process(server).memory()
    many = request("/varz") * 50_000
    deaf = opened(monitor, 10, rcvbuf=4096)
    sent = [send_all_that_goes(connection, many) for connection in deaf]
    check()
    if memory_counts:
        assert process(server).memory("VmHWM") - before < 64 * MEGABYTE
    assert min(sent) > 0
    check()


@pytest.mark.parametrize("lines", [["Content-Length: 50000000"], ["Transfer-Encoding: chunked"]])
def test_endless_bodies(served, process, memory_counts, lines):
    """Are not kept."""
    server, monitor, check = served
    process(server).forget_peak()
    before = process(server).memory()
    block = b"x" * 65536 if "Content" in lines[0] else b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with monitor.open() as c:
        c.send(request("/leafz", "POST", *lines))
        send_all_that_goes(c, block * 700)
        received = c.read_to_eof() if not c.silent_for(0.5) else b""
        assert received.startswith(b"HTTP/1.1 ") or not received
    if memory_counts:
        assert process(server).memory("VmHWM") - before < 16 * MEGABYTE
    check()


def test_large_headers_at_once(served, opened, process, memory_counts):
    """A hundred that send most of a MiB, and leave it at that."""
    server, monitor, check = served
    before = process(server).memory()
    half = opened(monitor, 100)
    for connection in half:
        send_all_that_goes(connection, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 900_000)
    check()
    for connection in half:
        connection.read_to_eof()
    if memory_counts:
        eventually(lambda: process(server).memory() - before < 200 * MEGABYTE)
    check()


def test_resets(served):
    """In the midst of a request, and of an answer."""
    server, monitor, check = served
    for data in (b"", b"GET ", request("/connz"), request("/connz") * 50):
        for _ in range(50):
            c = monitor.open()
            c.send(data)
            c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            c.close()
    check()


def test_out_of_descriptors(start_server, connect, opened):
    """Monitoring waits when none are left, and goes on when there are some again; clients that are connected do not care."""
    server = start_server("-m", "-1", fd_limit=100)
    monitor = Monitor(server)
    a, b = connect(server).connect(), connect(server).connect()
    a.send(b"SUB x 1\r\n")
    a.fence()
    crowd = opened(monitor, 150)
    b.send(pub(b"x", b"1"))
    a.expect(b"MSG x 1 1\r\n1\r\n")
    for connection in crowd:
        connection.close()
    assert eventually(lambda: monitor.get("/leafz").status == 200, 20)
    b.send(pub(b"x", b"2"))
    a.expect(b"MSG x 1 1\r\n2\r\n")
    connect(server).connect().fence()
