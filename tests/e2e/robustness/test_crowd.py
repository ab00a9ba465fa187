# SPDX-License-Identifier: Apache-2.0
"""More connections than a server is used to, or has descriptors for."""

import resource
import socket
import time

import pytest

from harness import eventually

CROWD = 10_000
FD_LIMIT = 200


def wait_ready(proc) -> None:
    assert proc.stdout.readline() == "ready\n"


def test_ten_thousand_that_say_one_byte(connect, start_workers, storm, process, memory_counts, all_gone):
    """As many as the limit of descriptors allows connect and send a byte: the rest of the world is served, memory is modest."""
    n = min(CROWD, (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 200) // 2 * 2)
    server = start_workers()
    kernel = process(server)
    n_descriptors, memory = kernel.n_descriptors(), kernel.memory()
    crowd = storm(server, "crowd", clients=n, seconds=0)
    wait_ready(crowd)
    eventually(lambda: kernel.n_descriptors() >= n_descriptors + n, timeout=30)
    publisher, subscriber = connect(server, timeout=30).connect(), connect(server, timeout=30).connect()
    subscriber.send(b"SUB a 1\r\n")
    subscriber.fence()
    for _ in range(100):
        publisher.send(b"PUB a 1\r\nx\r\n")
        subscriber.expect(b"MSG a 1 1\r\nx\r\n")
    if memory_counts:
        assert (kernel.memory() - memory) / n < 2500
    publisher.close()
    subscriber.close()
    crowd.kill()
    all_gone(server, n_descriptors)
    connect(server).connect().fence()


def test_out_of_descriptors_under_load(connect, start_workers, storm, process, all_gone):
    """While descriptors run out, those that are connected go on as before; afterwards new ones are accepted again."""
    server = start_workers(fd_limit=FD_LIMIT)
    kernel = process(server)
    n_descriptors = kernel.n_descriptors()
    publisher, subscriber = connect(server, timeout=60).connect(), connect(server, timeout=60).connect()
    subscriber.send(b"SUB a 1\r\n")
    subscriber.fence()
    load = storm(server, "load", clients=10, seconds=6)
    wait_ready(load)
    crowd = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(FD_LIMIT + 20)]
    server.wait_log(r"Temporary Client Accept Error\(.*too many open files\)")
    n, end = 0, time.monotonic() + 2
    while time.monotonic() < end:
        publisher.send(b"PUB a 8\r\n%08d\r\n" % n)
        subscriber.expect(b"MSG a 1 8\r\n%08d\r\n" % n)
        n += 1
    assert n > 10
    for sock in crowd:
        sock.close()
    connect(server, timeout=30).connect().close()
    assert load.wait() == 0
    publisher.fence()
    publisher.close()
    subscriber.close()
    all_gone(server, n_descriptors)


@pytest.mark.ours
def test_too_few_descriptors_to_start(start_server, memory_counts):
    """Without the descriptors for its event loops the server says so and ends, rather than crash."""
    if not memory_counts:
        pytest.skip("libuv leaks a little when a loop cannot be made, which sanitizers report")
    for limit in (8, 12, 20):
        server = start_server("--io_threads", "8", fd_limit=limit, wait=False)
        assert server.wait_exit() == 1, server.log()
        server.wait_log("Error creating event loop: Too many open files")


def test_connection_storm(connect, start_workers, process, all_gone):
    """Thousands of connections one after the other, closed in every way, leave nothing behind."""
    server = start_workers()
    n_descriptors = process(server).n_descriptors()
    for i in range(1500):
        c = connect(server, read_info=i % 5 == 0, timeout=30)
        if i % 5 == 0:
            c.connect()
        if i % 3 == 0:
            c.reset()
        else:
            c.close()
    all_gone(server, n_descriptors)
    connect(server).connect().fence()


def test_login_storm(connect, start_workers, memory_counts):
    """Two thousand logins whose passwords have to be hashed: those connected hardly notice."""
    hashed = "$2a$08$PWIFAL8RsWyGI3jVZtO9Nu8.6jOxzxfZo7c/W0eLk017hjgUKWrhy"  # of another password
    server = start_workers(2, options={"authorization.timeout": 120, "authorization.users": [
        {"user": "slow", "password": hashed}, {"user": "quick", "password": "pw"}]})
    c = connect(server, timeout=60).connect(user="quick", **{"pass": "pw"})
    storm = [connect(server, timeout=60) for _ in range(2000 if memory_counts else 200)]
    for client in storm:
        client.send(b'CONNECT {"user":"slow","pass":"guess"}\r\n')
    times, end = [], time.monotonic() + 4
    while time.monotonic() < end:
        start = time.monotonic()
        c.ping()
        times.append(time.monotonic() - start)
        time.sleep(0.002)
    times.sort()
    assert len(times) > 20
    if memory_counts:
        assert times[len(times) * 99 // 100] < 0.005
