# SPDX-License-Identifier: Apache-2.0
"""Services between accounts with many who ask and many who answer, on several workers: every response comes to whom it is for, once."""

import random
import re
import signal
import threading
import time
from collections import Counter
from contextlib import contextmanager

import pytest

from e2e.accounts.lines import CAPABLE, account, heard, imported, messages, pub, read_message
from e2e.accounts.requests import ask, offered
from harness import eventually

N_REQUESTS = 5000  # of each requestor
REQUEST = re.compile(rb"HMSG req \d+ (_R_\S+) (\d+) (\d+)\r\n")


def configuration(export="", of_b="", more=""):
    """S offers the service req to A and B, A offers it to C."""
    return "accounts {\n%s}\n%s\n" % ("".join([
        account("S", exports=offered("req", export)),
        account("A", exports=offered("req", export), imports=imported("service", "req")),
        account("B", imports=imported("service", "req", of_b)),
        account("C", imports=imported("service", "req", account="A")),
    ]), more)


WITHOUT_B = configuration(of_b="to: elsewhere")


class World:
    """A server with four workers."""

    def __init__(self, start_workers, connect, path, text):
        self.path = path
        self.path.write_text(text)
        self.server = start_workers(4, "-c", path)
        self._connect = connect

    def __call__(self, user, *subscriptions):
        """A client of this user, with these subscriptions: sids 1, 2, …"""
        client = self._connect(self.server, timeout=60).connect(user=user, **{"pass": "pw"}, **CAPABLE)
        client.send(b"".join(b"SUB %s %d\r\n" % (what, sid) for sid, what in enumerate(subscriptions, 1)))
        client.fence()
        return client

    def reload(self, text):
        self.path.write_text(text)
        seen = len(self.server.log())
        self.server.signal(signal.SIGHUP)
        done = eventually(lambda: re.search("(Reloaded|Failed to reload) server configuration", self.server.log()[seen:]), 30)
        assert done[1] == "Reloaded"


@pytest.fixture
def world(start_workers, connect, tmp_path):
    """world(text) -> World of this test alone"""
    return lambda text=configuration(): World(start_workers, connect, tmp_path / "t.conf", text)


@contextmanager
def stopping(stop):
    """The others stop when this is done, or has failed."""
    try:
        yield
    finally:
        stop.set()


class Requestor:
    """Asks in the name of a user; requestors of several accounts may have the same name, and with it the same inboxes."""

    def __init__(self, w, user, name):
        self.client = w(user, b"_I.%s.*" % name)
        self.inbox = b"_I.%s." % name
        self.says = b"%s as %s " % (user.encode(), name)

    def ask(self, first, n):
        self.client.send(b"".join(pub(b"req", self.says + b"%d" % i, self.inbox + b"%d" % i) for i in range(first, first + n)))

    def read(self):
        """The number of the request whose response came; it is this requestor's."""
        got = read_message(self.client)
        assert got.header is None, got
        assert got.subject.startswith(self.inbox)
        number = got.subject[len(self.inbox):]
        assert got.payload == self.says + number
        return int(number)

    def converse(self, n, n_each=1):
        """Ask n times, some at a time: n_each responses come to each request, and nothing else."""
        rnd, done = random.Random(self.says), 0
        while done < n:
            burst = min(n - done, rnd.choice([1, 2, 10, 100]))
            self.ask(done, burst)
            assert Counter(self.read() for _ in range(burst * n_each)) == {i: n_each for i in range(done, done + burst)}
            done += burst
        self.client.fence()


def answers(data, n_each):
    """What answers these requests with their own payload, n_each times each."""
    lines, at = [], 0
    while at < len(data):
        match = REQUEST.match(data, at)
        assert match, data[at:at + 200]
        start, end = match.end() + int(match[2]), match.end() + int(match[3])
        lines += [pub(match[1], data[start:end])] * n_each
        at = end + 2
    return b"".join(lines)


@contextmanager
def responding(clients, n_each=1):
    """Each of them answers whatever it is asked, in a thread of its own."""
    stop, errors = threading.Event(), []

    def respond(client):
        try:
            while not stop.is_set():
                lines = answers(client.ping(), n_each)
                if lines:
                    client.send(lines)
                else:
                    time.sleep(0.001)
        except BaseException as error:  # pylint: disable=broad-except
            errors.append(error)

    threads = [threading.Thread(target=respond, args=(client,), daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
        assert not errors, errors


def conversations(requestors, n, n_each=1):
    return [lambda r=requestor: r.converse(n, n_each) for requestor in requestors]


def everywhere(w, *name_list):
    """A requestor of each name in each account."""
    return [Requestor(w, user, name) for user in "abc" for name in name_list]


# ---- much at a time

@pytest.mark.parametrize("n_responders", [1, 5])
def test_everybody_gets_his_own(world, together, n_responders):
    """Requestors in three accounts, two by two with the same inboxes; a queue group answers; C asks through A."""
    w = world()
    requestors = everywhere(w, b"one", b"two")
    with responding([w("s", b"req workers") for _ in range(n_responders)]):
        together(*conversations(requestors, N_REQUESTS))


def test_all_responders_answer(world, together):
    """Three responders that are no group, with a service of several responses: each response of each comes once."""
    w = world(configuration("response: stream"))
    requestors = everywhere(w, b"one")
    with responding([w("s", b"req") for _ in range(3)], 2):
        together(*conversations(requestors, N_REQUESTS // 5, 6))


@pytest.mark.ours  # the Go server may let a second one pass that comes at the same time
def test_first_response_wins(world, together):
    """Three responders answer each request twice, where one response is allowed: one comes, of whichever."""
    w = world()
    requestors = everywhere(w, b"one")
    with responding([w("s", b"req") for _ in range(3)], 2):
        together(*conversations(requestors, N_REQUESTS // 5))


def test_order_of_responses(world):
    """The responses of one responder come in the order in which it gave them, whatever else is going on."""
    w = world(configuration("response: stream"))
    s, n = w("s", b"req"), 20_000
    requestors = [w(user, b"_I.>") for user in "abc"]
    replies = [ask(client, s).reply for client in requestors]
    for first in range(0, n, 100):
        s.send(b"".join(pub(reply, b"%d" % i) for i in range(first, first + 100) for reply in replies))
    s.fence()
    for client in requestors:
        assert heard(client) == [(b"_I.1", b"%d" % i) for i in range(n)]


def test_both_at_once(world, together):
    """Connections that ask and answer at the same time: S asks a service of its own by another name."""
    w = world("accounts { %s }" % account("S", exports=offered("req"), imports=imported("service", "req", "to: ask", account="S")))
    clients = [w("s", b"req workers", b"_I.%d.*" % i) for i in range(4)]
    n = N_REQUESTS // 2

    def run(client, name):
        got = Counter()
        client.send(b"".join(pub(b"ask", b"%d.%d" % (name, i), b"_I.%d.%d" % (name, i)) for i in range(n)))
        while len(got) < n or not done.wait(0):
            for m in messages(client):
                if m.subject == b"req":
                    client.send(pub(m.reply, m.payload))
                else:
                    assert m.subject == b"_I." + m.payload
                    got[m.payload] += 1
            if len(got) == n and name not in ready:
                ready.add(name)
                if len(ready) == len(clients):
                    done.set()
        assert got == {b"%d.%d" % (name, i): 1 for i in range(n)}

    ready, done = set(), threading.Event()
    together(*[lambda c=client, i=i: run(c, i) for i, client in enumerate(clients)])


# ---- who does not wait

def vanish(w, seed, n):
    """Requestors that ask, and are gone before, while or after they are answered."""
    rnd = random.Random(seed)
    for i in range(n):
        requestor = Requestor(w, rnd.choice("abc"), b"gone%d-%d" % (seed, i))
        requestor.ask(0, rnd.choice([1, 10, 100]))
        how = rnd.randrange(4)
        if how == 0:
            requestor.client.send(b"UNSUB 1\r\n")
        elif how == 1:
            requestor.client.send(b"UNSUB 1 %d\r\n" % rnd.randrange(1, 50))
        if rnd.randrange(2):
            requestor.client.ping()
        if how == 2:
            requestor.client.reset()
        else:
            requestor.client.close()


def test_requestors_that_vanish(world, together):
    """Those who stay get what is theirs, and nothing of the others'."""
    w = world()
    requestors = everywhere(w, b"one")
    with responding([w("s", b"req workers") for _ in range(3)]):
        together(*conversations(requestors, N_REQUESTS), *[lambda seed=seed: vanish(w, seed, 60) for seed in range(3)])


def test_responders_that_vanish(world, together):
    """Requests that nobody answers do not hold up others; with the last responder comes the 503."""
    w = world()
    requestor, stop = Requestor(w, "a", b"one"), threading.Event()

    def come_and_go():
        while not stop.is_set():
            s = w("s")
            s.send(b"SUB req workers 1\r\n")
            s.send(answers(s.ping(), 1))
            s.close()

    def ask_on():
        with stopping(stop):
            for i in range(300):
                requestor.ask(i, 1)
                for m in messages(requestor.client):
                    assert m.header is not None or m.payload == requestor.says + m.subject[len(requestor.inbox):]

    together(come_and_go, ask_on)
    eventually(lambda: (requestor.ask(1000, 1), b"NATS/1.0 503\r\n" in requestor.client.ping())[1])
    with responding([w("s", b"req")]):
        requestor.client.ping()
        requestor.ask(2000, 1)
        while requestor.read() != 2000:
            pass


def test_nothing_is_left_of_those_who_vanished(world, process, memory_counts):
    """Requests that were never answered are forgotten with their requestors."""
    if not memory_counts:
        pytest.skip("the memory of this server tells nothing")
    w = world()
    s = w("s", b"req")

    def some(n):
        for _ in range(n):
            requestor = Requestor(w, "a", b"x" * 100)
            requestor.ask(0, 2000)
            requestor.client.fence()
            requestor.client.close()
            s.ping()

    some(20)
    memory = process(w.server).memory()
    some(100)  # 200,000 requests
    eventually(lambda: process(w.server).memory() < memory + (4 << 20))


def test_inboxes_come_and_go(world, together):
    """Subscriptions for inboxes change all the time on other connections of the account; a request with one that stays is answered."""
    w = world(configuration("response: stream"))
    requestors, stop = everywhere(w, b"one"), threading.Event()

    def change(user):
        client, rnd = w(user), random.Random(user)
        while not stop.is_set():
            what = rnd.choice([b"_I.other.*", b"_I.*.1", b"_I.two.>"])
            client.send(b"SUB %s 1\r\nPUB req _I.other.1 1\r\nx\r\nUNSUB 1\r\n" % what)
            client.ping()

    def run():
        with stopping(stop):
            together(*conversations(requestors, N_REQUESTS // 4))

    with responding([w("s", b"req workers") for _ in range(2)]):
        together(run, *[lambda user=user: change(user) for user in "abc"])


# ---- reloads

@pytest.mark.ours  # while the Go server reloads requests find nobody
def test_reload_while_requests_flow(world, together):
    """What a reload does not touch does not notice it: no request is lost, none comes twice."""
    w = world()
    requestors, stop = everywhere(w, b"one"), threading.Event()
    n_reloads = 0

    def reload_often():
        nonlocal n_reloads
        while not stop.is_set() or n_reloads < 10:
            n_reloads += 1
            w.reload(configuration(more=f"max_payload: {100_000 + n_reloads % 2}\n"))

    def run():
        with stopping(stop):
            together(*conversations(requestors, N_REQUESTS))

    with responding([w("s", b"req workers") for _ in range(3)]):
        together(run, reload_often)


@pytest.mark.ours  # the same
def test_import_comes_and_goes_while_requests_flow(world, together):
    """Each request of B has a response or a 503, and just one of the two; A and C do not notice."""
    w = world()
    a, c, b, stop = Requestor(w, "a", b"one"), Requestor(w, "c", b"one"), Requestor(w, "b", b"one"), threading.Event()
    outcomes = Counter()

    def reload_often():
        with stopping(stop):
            for i in range(40):
                w.reload(configuration() if i % 2 else WITHOUT_B)

    def ask_on():
        i = 0
        while not stop.is_set():
            b.ask(i, 10)
            got = [read_message(b.client) for _ in range(10)]
            assert {m.subject for m in got} == {b"_I.one.%d" % k for k in range(i, i + 10)}
            outcomes.update("503" if m.header else "answered" for m in got)
            i += 10
        b.client.fence()

    with responding([w("s", b"req workers") for _ in range(2)]):
        together(reload_often, ask_on, *conversations([a, c], N_REQUESTS))
    assert set(outcomes) == {"503", "answered"}


def test_outstanding_across_many_reloads(world):
    """10,000 requests of B are answered after reloads took the import away, brought it back, and took it away."""
    w, n = world(), 10_000
    s, b = w("s", b"req"), Requestor(w, "b", b"one")
    b.ask(0, n)
    b.client.fence()
    lines = answers(s.ping(), 1)
    for text in (WITHOUT_B, configuration(), WITHOUT_B):
        w.reload(text)
    s.send(lines)
    s.fence()
    assert Counter(b.read() for _ in range(n)) == {i: 1 for i in range(n)}
    s.send(lines)
    s.fence()
    b.client.fence()


def test_end_while_requests_flow(world):
    """A server that is told to end with requests outstanding ends, and leaves nothing behind."""
    w = world()
    s, requestors = w("s", b"req"), everywhere(w, b"one")
    for requestor in requestors:
        requestor.ask(0, 1000)
        requestor.client.fence()
    lines = answers(s.ping(), 1)
    s.send(lines[:len(lines) // 2])
    w.server.stop()
