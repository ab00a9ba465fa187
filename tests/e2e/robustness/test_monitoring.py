# SPDX-License-Identifier: Apache-2.0
"""Monitoring in hard times: readers that vanish or do not read, clients that come and go meanwhile, ends and reloads in the middle
of answers."""

import json
import random
import signal
import socket
import ssl
import struct
import time

import pytest

from e2e.monitor.conftest import world  # noqa: F401  (a fixture)
from e2e.monitor.web import request
from e2e.tls.conftest import certificate  # noqa: F401  (a fixture)
from harness import eventually

ACCOUNTS = "accounts { A { users: [ {user: a, password: pw} ] }, B { users: [ {user: b, password: pw} ] } }\n"
WORKERS = ("--io_threads", "3")
LARGE = ["/connz?subs=detail", "/subsz?subs=1&limit=1000000"]
PATHS = [*LARGE, "/", "/varz", "/connz?state=all&auth=1", "/accountz?acc=A", "/metrics", "/healthz", "/nowhere"]
SORTS = ["cid", "start", "subs", "pending", "msgs_to", "msgs_from", "bytes_to", "bytes_from", "last", "idle", "uptime", "rtt",
         "stop", "reason"]


def reset(connection) -> None:
    """Close with RST."""
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def subscribe(client, n: int, subject: bytes = b"foo.%d") -> None:
    client.send(b"".join(b"SUB " + subject % i + b" %d\r\n" % i for i in range(n)))
    client.fence()


def subscriber(w, n: int, subject: bytes = b"foo.%d"):
    """A client of A with that many subscriptions."""
    client = w("a")
    subscribe(client, n, subject)
    return client


# ---- readers

def test_vanishing_readers(world, process, all_gone):
    """A reader may go after any byte, by FIN or RST: nothing stays behind, and the next one is served."""
    w = world(ACCOUNTS, *WORKERS)
    kept = subscriber(w, 5000)
    n_descriptors = process(w.server).n_descriptors()
    for seed in range(300):
        r = random.Random(seed)
        c = w.open(rcvbuf=4096)
        path = r.choice(PATHS)
        c.send(request(path) * r.choice([0, 2]) + request(path, "GET", "Connection: close"))
        n = r.choice([0, 1, 20, 300, 5000, 60_000])
        while n and (got := c.sock.recv(n)):
            n -= len(got)
        c.close() if r.random() < .5 else reset(c)
    assert len(w.document("/connz?subs=1")["connections"][0]["subscriptions_list"]) == 5000
    all_gone(w.server, n_descriptors)
    kept.fence()


@pytest.mark.parametrize("text, n", [
    (request("/healthz"), 3000),
    (request("/connz?subs=1", "HEAD"), 200),
    (request("/connz?limit=1"), 500),
    (request("/healthz", "POST", "Transfer-Encoding: chunked") + b"5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n", 1000),
    (request("/healthz", "POST", "Content-Length: 5") + b"GET /", 1000),
], ids=["small", "head", "document", "chunks", "body"])
def test_thousands_at_once(world, together, text, n):
    """Requests that come all at once are answered each, in order."""
    w = world(ACCOUNTS, *WORKERS)
    kept = subscriber(w, 2000)
    with w.open(timeout=60) as c:
        method = text.split(b" ")[0].decode()
        _, statuses = together(lambda: c.send(text * n), lambda: {c.read(method).status for _ in range(n)})
        assert statuses == {200}
        assert c.ask("/varz").status == 200
    kept.fence()


def test_slow_readers_of_large_answers(world):
    """However many take nothing of a large answer: whoever reads gets one."""
    w = world(ACCOUNTS, *WORKERS)
    kept = subscriber(w, 60_000, b"a.long.subject.that.makes.the.answer.larger.than.what.the.kernel.takes.in.between.%d")
    slow = []
    for i in range(40):
        slow.append(w.open(rcvbuf=4096))
        slow[-1].send(request(LARGE[i % 2]))
    for c in slow[:2]:
        c.sock.recv(1)  # by then they are under way
    start = time.monotonic()
    assert w.document("/connz")["num_connections"] == 1
    assert time.monotonic() - start < 5
    for c in slow:
        c.close()
    kept.fence()


def test_a_thousand_half_requests(world, process, all_gone):
    """Who does not finish a request is gone after a few seconds; others are served meanwhile."""
    w = world(ACCOUNTS, *WORKERS, fd_limit=4000)
    n_descriptors = process(w.server).n_descriptors()
    halves = [w.open() for _ in range(1000)]
    for c in halves:
        c.send(request("/varz")[:-2])
    assert w.get("/healthz").status == 200
    all_gone(w.server, n_descriptors)
    for c in halves:
        c.close()


def test_no_descriptors_left(world, connect, process):
    """The server runs out of descriptors, by either port, and recovers."""
    w = world(ACCOUNTS, *WORKERS, fd_limit=64)
    hogs = []
    for i in range(100):
        hogs.append(socket.create_connection(("127.0.0.1", w.port if i % 2 else w.server.port)))
    eventually(lambda: process(w.server).n_descriptors() == 64)
    w.server.wait_log("too many open files")
    for hog in hogs:
        hog.close()
    assert eventually(lambda: w.get("/healthz")).status == 200
    connect(w.server).connect(user="a", **{"pass": "pw"}).fence()


# ---- what it remembers

def test_closed_with_long_subjects(world, process, memory_counts):
    """What is remembered of closed connections is bounded, however long their subjects are."""
    w = world(ACCOUNTS, *WORKERS)
    n = 40 if memory_counts else 5
    for _ in range(n):
        client = subscriber(w, 1000, b"y" * 3900 + b".%d")
        client.close()
        assert w.gone(client)["subscriptions"] == 1000
    assert w.document("/connz?state=closed")["total"] == n
    if memory_counts:
        eventually(lambda: process(w.server).memory() < 140 << 20)


# ---- while clients come and go

def check_page(document, sort: str, limit: int) -> None:
    """A page is what it says, whoever has gone meanwhile."""
    entries = document["connections"]
    ids = [entry["cid"] for entry in entries]
    assert document["num_connections"] == len(entries) <= limit
    assert len(set(ids)) == len(ids), f"some are there twice: {ids}"
    keys = {"cid": lambda entry: entry["cid"], "stop": lambda entry: entry["stop"], "reason": lambda entry: entry["reason"]}
    if sort in keys:
        values = [keys[sort](entry) for entry in entries]
        assert values == sorted(values, reverse=sort == "stop")


def test_pages_while_clients_churn(world, together):
    """Every order and filter, with subscriptions, while connections with many of them come and go."""
    w = world(ACCOUNTS + "max_closed_clients: 20\n", *WORKERS)
    end = time.monotonic() + 8

    def churn(seed):
        r = random.Random(seed)
        while time.monotonic() < end:
            client = w(r.choice("ab"))
            n = r.choice([1, 20, 3000])
            subscribe(client, n)
            client.send(b"".join(b"UNSUB %d\r\n" % i for i in range(0, n, 2)))
            client.fence()
            client.reset() if r.random() < .5 else client.close()

    def look(seed):
        r = random.Random(seed)
        while time.monotonic() < end:
            sort, limit = r.choice(SORTS), r.choice([1, 7, 1024])
            state = "closed" if sort in ("stop", "reason") else r.choice(["open", "all", "closed"])
            check_page(w.document(f"/connz?sort={sort}&state={state}&limit={limit}&offset={r.choice([0, 0, 3])}&auth=1"
                                  f"&subs={r.choice(['0', '1', 'detail'])}{r.choice(['', '&acc=A', '&user=a'])}"), sort, limit)

    def look_at_subscriptions(seed):
        r = random.Random(seed)
        while time.monotonic() < end:
            query = f"subs=1&limit={r.choice([1, 1000, 5000])}&offset={r.randrange(3000)}{r.choice(['', '&acc=A'])}"
            document = w.document("/subsz?" + query)
            assert len(document.get("subscriptions_list", [])) <= document["limit"]

    together(*[lambda i=i, f=f: f(i) for f in (churn, look, look_at_subscriptions) for i in range(3)])


# ---- reloads and ends

def test_reloads_leave_nothing(world, together, process, memory_counts):
    """200 reloads while everything is looked at: what they replace is given up."""
    w = world(ACCOUNTS, *WORKERS)
    sizes, is_over = [], []

    def text(n):
        return ACCOUNTS.replace("B {", f"B {{ exports: [ {{stream: x{n % 7}}} ], ") + f"server_tags: [t{n}]\n"

    def look():
        while not is_over:
            assert {w.get(path).status for path in ("/connz?subs=1", "/varz", "/accountz?acc=B", "/metrics")} == {200}

    def reload():
        try:
            for n in range(200):
                w.reload(text(n))
                if n in (100, 199):
                    sizes.append((process(w.server).memory(), process(w.server).n_descriptors()))
        finally:
            is_over.append(True)

    together(look, reload)
    (memory, n_descriptors), (memory_after, n_descriptors_after) = sizes
    assert n_descriptors_after <= n_descriptors + 4  # two ask
    assert not memory_counts or memory_after < memory + (4 << 20)


def test_certificates_change_under_way(start_server, connect, certificate, tmp_path):
    """HTTPS: answers that are under way when the certificate is replaced are finished, and who comes next sees the new one."""
    path = tmp_path / "t.conf"

    def write(name):
        pair = certificate(name).pair()
        path.write_text(json.dumps({"https": "127.0.0.1:-1", "tls": pair, "allow_non_tls": True}))

    def hello():
        context = ssl.create_default_context(cafile=certificate("root").pem)
        c = context.wrap_socket(socket.create_connection(("127.0.0.1", port), 20), server_hostname="localhost")
        return c, dict(field[0] for field in c.getpeercert()["subject"])["commonName"]

    write("one")
    server = start_server(*WORKERS, "-c", path)
    port = int(server.wait_log(r"Starting https monitor on .*:(\d+)")[1])
    client = connect(server).connect()
    subscribe(client, 60_000)
    for n, name in enumerate(["two", "one", "two"], 1):
        under_way = [hello()[0] for _ in range(3)]
        for c in under_way:
            c.sendall(request("/connz?subs=detail", "GET", "Connection: close"))
            c.recv(1)
        write(name)
        server.signal(signal.SIGHUP)
        eventually(lambda n=n: server.log().count("Reloaded server configuration") == n)
        c, seen = hello()
        assert seen == name
        c.close()
        for c in under_way:
            tail = b""
            while got := c.recv(1 << 16):
                tail = (tail + got)[-5:]
            assert tail == b"0\r\n\r\n"
            c.close()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR2])
def test_end_while_answers_are_under_way(world, sig):
    """The server ends at once, whatever it is asked, and however little is read."""
    for n in range(3):
        w = world(ACCOUNTS, "--io_threads", str(n + 1))
        client = subscriber(w, 10_000)
        readers = [w.open(rcvbuf=4096) for _ in range(30)]
        for i, c in enumerate(readers):
            c.send(request(PATHS[i % len(PATHS)]) * 3)
        readers[n].sock.recv(1)
        client.close()  # else lame duck mode waits for it
        eventually(lambda w=w: w.document("/varz")["connections"] == 0)
        start = time.monotonic()
        w.server.signal(sig)
        assert w.server.wait_exit() == 0
        assert time.monotonic() - start < 25
        for c in readers:
            c.close()
