# SPDX-License-Identifier: Apache-2.0
"""Many that ask, while messages flow and connections come and go."""

import threading
import time

import pytest

from e2e.accounts.lines import pub
from e2e.monitor.shapes import CONNECTION, DEPENDING, SUBSZ, VARZ, check, connz
from e2e.monitor.web import Monitor

ACCOUNTS = "accounts { A { users: [ {user: a, password: pw} ] }, B { users: [ {user: b, password: pw} ] } }\n"
PATHS = ["/varz", "/connz?subs=1&auth=1", "/subsz?subs=1", "/routez", "/accstatz?unused=1", "/leafz",
         "/connz?state=all&sort=bytes_to&subs=detail", "/accountz?acc=A", "/", "/jsz"]


@pytest.fixture
def background():
    """background(function): called again and again in a thread of its own until the test ends, which fails when that does."""
    stop, threads, errors = threading.Event(), [], []

    def run(function):
        def loop():
            try:
                while not stop.is_set():
                    function()
            except BaseException as error:  # pylint: disable=broad-except
                if not stop.is_set():
                    errors.append(error)

        threads.append(threading.Thread(target=loop, daemon=True))
        threads[-1].start()

    yield run
    stop.set()
    for thread in threads:
        thread.join(30)
    if errors:
        raise errors[0]


def flow(publisher):
    def publish():
        publisher.send(pub(b"load", b"x" * 100) * 200)
        publisher.ping()

    return publish


def poll(monitor, first: int, seconds: float) -> list[int]:
    """The status of every answer to one connection that asks for everything in turn."""
    seen, end = [], time.monotonic() + seconds
    with monitor.open(timeout=60) as c:
        while time.monotonic() < end or len(seen) < len(PATHS):
            seen.append(c.ask(PATHS[(first + len(seen)) % len(PATHS)]).status)
    return seen


def all_poll(monitor, n: int, seconds: float) -> list[int]:
    seen = [None] * n

    def one(i):
        seen[i] = poll(monitor, i, seconds)

    threads = [threading.Thread(target=one, args=(i,), daemon=True) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert all(seen), "a poller did not get its answers"
    return sum(seen, [])


@pytest.mark.parametrize("n_clients", [5, 500])
def test_m38_forty_pollers(world, connect, background, n_clients):
    """All answers are good, and not a message is lost or late for long."""
    w = world(ACCOUNTS)
    clients = [connect(w.server, timeout=60).connect(user="a", **{"pass": "pw"}) for _ in range(n_clients)]
    for i, client in enumerate(clients):
        client.send(b"".join(b"SUB s.%d.%d %d\r\n" % (i, sid, sid) for sid in range(1, 6)))
        client.fence()
    subscriber, publisher = w("a", b"load"), w("a")
    subscriber.timeout = publisher.timeout = 60
    background(flow(publisher))
    background(lambda: subscriber.expect(b"MSG load 1 100\r\n" + b"x" * 100 + b"\r\n"))
    statuses = all_poll(w, 40, 5)
    assert set(statuses) == {200}
    assert len(statuses) >= 40 * len(PATHS)


def test_m38_while_clients_come_and_go(world, background):
    """What is told is well-formed at any moment."""
    w = world(ACCOUNTS)

    def come_and_go():
        client = w.raw().connect(user="b", **{"pass": "pw"})
        client.send(b"SUB a 1\r\nSUB b 2\r\nUNSUB 1\r\n")
        client.ping()
        client.close()

    for _ in range(4):
        background(come_and_go)
    end = time.monotonic() + 4
    entry = {**CONNECTION, **DEPENDING, "stop?": str, "reason?": str}
    while time.monotonic() < end:
        document = w.document("/connz?state=all&subs=detail&auth=1&limit=100000")
        check(document, connz(entry))
        assert document["num_connections"] == len(document["connections"])
        check(w.document("/subsz?subs=1&limit=100000"), SUBSZ)
        varz = w.document("/varz")
        check(varz, VARZ)
        assert varz["connections"] <= 20


def test_m38_while_configurations_change(world, background):
    """A reload in between does no harm."""
    w = world(ACCOUNTS)
    seen = []

    def ask():
        seen.extend(w.get(path).status for path in PATHS)

    for _ in range(3):
        background(ask)
    for n in range(10):
        w.reload(ACCOUNTS + f"max_connections: {1000 + n}\nserver_tags: [t{n}]\n")
        assert w.document("/varz")["max_connections"] == 1000 + n
    assert len(seen) > 20
    assert set(seen) == {200}


def test_m38_counters_are_exact(world, background):
    """However many look: nothing is lost of what is counted."""
    w = world(ACCOUNTS)
    for path in ("/varz", "/connz", "/accstatz"):
        background(lambda path=path: w.get(path))
    a, b = w("a", b"x"), w("a")
    a.timeout = b.timeout = 60
    n, size = 20_000, 50
    for _ in range(10):
        b.send(pub(b"x", b"y" * size) * (n // 10))
        b.fence()
    a.ping()
    varz = w.document("/varz")
    assert (varz["in_msgs"], varz["in_bytes"], varz["out_msgs"], varz["out_bytes"]) == (n, n * size, n, n * size)
    entries = {entry["cid"]: entry for entry in w.connections()}
    assert (entries[a.cid]["out_msgs"], entries[a.cid]["out_bytes"], entries[b.cid]["in_msgs"]) == (n, n * size, n)


def test_m38_requests_are_counted_exactly(start_server):
    """By many at once, too."""
    monitor = Monitor(start_server("-m", "-1"))

    def one():
        with monitor.open() as c:
            for _ in range(100):
                assert c.ask("/routez").status == 200

    threads = [threading.Thread(target=one, daemon=True) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert monitor.document("/varz")["http_req_stats"]["/routez"] == 1000
