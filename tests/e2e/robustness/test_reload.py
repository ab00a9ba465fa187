# SPDX-License-Identifier: Apache-2.0
"""Reloads while much is going on: nothing is lost, nobody is dropped who is not meant, and nothing piles up."""

import re
import signal
import threading
import time

import pytest

from harness import Client, eventually

USERS = "authorization { users: [ {user: a, password: pw}, {user: b, password: pw}%s ] }\n"
HASHED = "$2b$09$aaaaaaaaaaaaaaaaaaaaauJT/uiaqiZucBx4SOASyLPMZEEAU0eXi"  # pw; it takes its time
DONE = re.compile(r"Reloaded server configuration|Failed to reload")
N_MESSAGES = 20_000


class Reloading:
    """A server whose file is written anew."""

    def __init__(self, start_workers, path, text):
        self.path = path
        path.write_text(text)
        self.server = start_workers(4, "-c", path)
        self.n_done = 0

    def __call__(self, text):
        self.path.write_text(text)
        self.server.signal(signal.SIGHUP)
        self.n_done += 1
        eventually(lambda: len(DONE.findall(self.server.log())) >= self.n_done, 30)


@pytest.fixture
def reloading(start_workers, tmp_path):
    """reloading(text) -> Reloading"""
    return lambda text: Reloading(start_workers, tmp_path / "t.conf", text)


def join(connect, server, user, **kwargs) -> Client:
    return connect(server, timeout=60, **kwargs).connect(user=user, **{"pass": "pw"})


def publish(client, subject, n):
    for first in range(0, n, 100):
        client.send(b"".join(b"PUB %s 6\r\n%06d\r\n" % (subject, i) for i in range(first, first + 100)))
    client.fence()


def test_under_load(reloading, connect, together):
    """50 reloads between publishers and subscribers on all workers: every number comes, in order."""
    reload = reloading(USERS % "")
    subscribers = [join(connect, reload.server, "ab"[i % 2]) for i in range(8)]
    for i, client in enumerate(subscribers):
        client.send(b"SUB load.%d 1\r\n" % (i % 4))
        client.fence()
    publishers = [join(connect, reload.server, "ab"[i % 2]) for i in range(4)]

    def read(client, i):
        for n in range(N_MESSAGES):
            line = b"MSG load.%d 1 6\r\n%06d\r\n" % (i, n)
            assert client.read_exactly(len(line)) == line

    def reload_often():
        other = ", {user: c, password: pw, permissions: {subscribe: x}}"
        for n in range(50):
            reload(USERS % (other if n % 2 == 0 else "") + f"max_payload: {100_000 + n % 2}\nmax_connections: {100 + n % 2}\n")

    together(reload_often,
             *[lambda c=c, i=i: publish(c, b"load.%d" % i, N_MESSAGES) for i, c in enumerate(publishers)],
             *[lambda c=c, i=i: read(c, i % 4) for i, c in enumerate(subscribers)])
    for client in subscribers + publishers:
        client.fence()


def test_permissions_under_load(reloading, connect, together):
    """Permissions come and go while messages flow: those who are not meant lose none."""
    reload = reloading(USERS % "")
    free = [join(connect, reload.server, "a") for _ in range(4)]
    bound = [join(connect, reload.server, "b") for _ in range(4)]
    for client in free + bound:
        client.send(b"SUB load.* 1\r\nSUB load.0 q 2\r\n")
        client.fence()
    publisher = join(connect, reload.server, "a")

    def read(client):
        n = 0
        while n < N_MESSAGES:
            line = client.read_line()
            payload = client.read_exactly(8)
            if line.split()[2] == b"1":
                assert payload == b"%06d\r\n" % n
                n += 1

    def swallow(client, stop):
        while not stop.is_set():
            client.ping()

    stop = threading.Event()
    swallowers = [threading.Thread(target=swallow, args=(client, stop), daemon=True) for client in bound]
    for thread in swallowers:
        thread.start()

    def reload_often():
        for n in range(50):
            narrow = ", permissions: {subscribe: {deny: load.1, allow: 'load.*'}}" if n % 3 == 0 else \
                ", permissions: {subscribe: x}" if n % 3 == 1 else ""
            reload("authorization { users: [ {user: a, password: pw}, {user: b, password: pw%s} ] }\n" % narrow)

    together(reload_often, lambda: publish(publisher, b"load.0", N_MESSAGES), *[lambda c=c: read(c) for c in free])
    stop.set()
    for thread in swallowers:
        thread.join(30)
    for client in free + bound:
        client.ping()


def test_a_thousand(reloading, connect, process, memory_counts):
    """Neither descriptors nor memory grow."""
    reload = reloading(USERS % "")
    clients = [join(connect, reload.server, "a") for _ in range(20)]
    for client in clients:
        client.send(b"".join(b"SUB s.%d 1%d\r\n" % (i, i) for i in range(20)))
        client.fence()

    def some(n):
        for i in range(n):
            extra = ", {user: c, password: pw, permissions: {subscribe: x}}" if i % 2 else ""
            reload(USERS.replace("a, password: pw", "a, password: pw, permissions: {publish: {deny: y%d}}" % (i % 2)) % extra
                   + f"client_advertise: 'h{i % 2}:1'\n")

    some(100)
    n_descriptors, memory = process(reload.server).n_descriptors(), process(reload.server).memory()
    some(900)
    assert process(reload.server).n_descriptors() <= n_descriptors
    if memory_counts:
        assert process(reload.server).memory() < memory + (2 << 20)
    for client in clients:
        client.fence()


def test_logins_with_hashes(reloading, connect):
    """Reloads while passwords are being hashed: every login gets its answer, under rules of the time."""
    hashed = "authorization { users: [ {user: a, password: pw}, {user: h, password: '%s'} ] }\n" % HASHED
    reload = reloading(hashed)
    watcher = join(connect, reload.server, "a")
    waiting = []
    for n in range(10):
        for _ in range(4):
            waiting.append(connect(reload.server, timeout=60))
            waiting[-1].send(b'CONNECT {"verbose":false,"user":"h","pass":"pw"}\r\nPING\r\n')
        waiting[-1].close()  # one who does not wait
        waiting.pop()
        reload(hashed + f"max_payload: {1000 + n}\n" if n % 3 else USERS % ", {user: h, password: pw}")
    assert {client.read_line() for client in waiting} <= {b"PONG\r\n", b"-ERR 'Authorization Violation'\r\n"}
    connect(reload.server, timeout=60).connect(user="h", **{"pass": "pw"}).fence()
    watcher.fence()


@pytest.mark.parametrize("n_reloads", [1, 2, 5])
def test_shutdown(start_workers, connect, tmp_path, n_reloads):
    """A server that is told to end while it reloads ends."""
    conf = tmp_path / "t.conf"
    for delay in (0, 0.001, 0.003):
        conf.write_text(USERS % "")
        server = start_workers(4, "-c", conf)
        clients = [join(connect, server, "a") for _ in range(10)]
        for client in clients:
            client.send(b"SUB x 1\r\n")
            client.fence()
        conf.write_text("authorization { users: [ {user: a, password: pw, permissions: {subscribe: y}} ] }\n")
        for _ in range(n_reloads):
            server.signal(signal.SIGHUP)
        time.sleep(delay)
        server.stop()
        for client in clients:
            client.read_to_eof()


@pytest.mark.ours  # the Go server does but half of it
def test_lame_duck(start_workers, connect, tmp_path):
    """A reload does not bring a lame duck back to life."""
    conf = tmp_path / "t.conf"
    limits = "lame_duck_duration: '30s'\nlame_duck_grace_period: '3s'\n"
    conf.write_text(limits)
    server = start_workers(4, "-c", conf)
    client = connect(server).connect(protocol=1)
    server.signal(signal.SIGUSR2)
    assert client.read_info()["ldm"]
    conf.write_text(limits + "max_payload: 10\n")
    server.signal(signal.SIGHUP)
    server.wait_log("Reloaded server configuration")
    client.send(b"PUB x 11\r\n")
    client.expect_closed_with(b"-ERR 'Maximum Payload Violation'\r\n")
    with pytest.raises(ConnectionRefusedError):
        connect(server)
