# SPDX-License-Identifier: Apache-2.0
"""The system account in hard times: requests by the thousand, requests that close those who ask, ends in the middle of answers, and
events of more clients than anybody can follow."""

import json
import random
import signal
import threading
import time

import pytest

from e2e.accounts.conftest import world  # noqa: F401  (a fixture)
from e2e.accounts.lines import CAPABLE, account, accounts, pub, read_message
from e2e.system.conftest import talk  # noqa: F401  (a fixture)
from harness import eventually

TEXT = "server_name: S1\nsystem_account: SYS\n" + accounts(account("SYS"), account("B"))
WORKERS = ("--io_threads", "3")
LOST = (OSError, AssertionError)  # how a client sees that somebody kicked it


def ask_for(server, service: str, payload: bytes = b"", reply: bytes = b"nobody") -> bytes:
    """A request to this server."""
    return pub(b"$SYS.REQ.SERVER.%s.%s" % (server.encode(), service.encode()), payload, reply)


def subscribe(client, n: int, subject: bytes = b"foo.%d") -> None:
    client.send(b"".join(b"SUB " + subject % i + b" %d\r\n" % i for i in range(1, n + 1)))
    client.fence()


def in_background(function) -> threading.Thread:
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


# ---- ends

@pytest.mark.parametrize("service", ["KICK", "RELOAD", "CONNZ", "STATSZ"])
def test_end_with_requests_under_way(world, service):
    """The server ends while it answers: at once, and with nothing left behind."""
    for n in range(10):
        w = world(TEXT, "--io_threads", str(n % 3 + 1))
        others, asks = [w("a") for _ in range(10)], w("sys", **CAPABLE)
        subscribe(others[0], 2000)
        server = asks.info["server_id"]
        asks.send(b"SUB answers 1\r\n" + b"".join(
            ask_for(server, service, json.dumps({"cid": other.cid, "subscriptions": True}).encode() if service != "RELOAD" else b"",
                    b"answers") for other in others * 10))
        if n % 2:
            read_message(asks)
        start = time.monotonic()
        w.server.signal(signal.SIGTERM)
        asks.read_to_eof()
        assert w.server.wait_exit() == 0
        assert time.monotonic() - start < 15


# ---- storms

def test_kicks_and_reloads_while_clients_churn(world, together):
    """Clients are kicked, themselves too, and asked to leave, while others come and go and the configuration is read again."""
    w = world(TEXT, *WORKERS)
    end = time.monotonic() + 8

    def until_the_end(act):
        def loop(seed):
            r = random.Random(seed)
            while time.monotonic() < end:
                try:
                    act(r)
                except LOST:
                    assert w.server.proc.poll() is None
        return loop

    def churn(r):
        client = w(r.choice("ab"), protocol=1)
        subscribe(client, r.choice([1, 50, 1000]))
        client.reset() if r.random() < .5 else client.close()

    def kick(r):
        client = w("sys", b"answers", **CAPABLE)
        server = client.info["server_id"]
        for _ in range(10):
            cid = {"cid": r.randrange(max(1, client.cid - 20), client.cid + 2)}
            client.send(ask_for(server, r.choice(["KICK", "LDM"]), json.dumps(cid).encode(), b"answers"))
        client.send(ask_for(server, "RELOAD", b"", b"answers"))
        client.ping()
        client.send(ask_for(server, "KICK", json.dumps({"cid": client.cid}).encode(), b"answers"))
        client.read_to_eof()

    def look(r):
        client = w("sys", **CAPABLE)
        inbox = b"inbox.%d" % client.cid
        client.send(b"SUB %s 1\r\n" % inbox)
        for _ in range(20):
            service, options = r.choice(["CONNZ", "SUBSZ", "VARZ", "ACCOUNTZ"]), {"subscriptions": True, "limit": 100_000}
            client.send(ask_for(client.info["server_id"], service, json.dumps(options).encode(), inbox))
            assert json.loads(read_message(client).payload)["data"]
        client.close()

    together(*[lambda i=i, f=f: until_the_end(f)(i) for f in (churn, kick, look) for i in range(3)])
    w("sys").fence()


def test_a_tenant_floods(world):
    """A tenant that asks without end, for what it may: the system account and other clients are served meanwhile."""
    w = world(TEXT, *WORKERS)
    is_over = threading.Event()

    def flood(client, subject):
        requests = pub(subject, b"", b"nobody") * 200
        while not is_over.is_set():
            client.send(requests)
            client.ping()

    floods = [in_background(lambda s=subject: flood(w("a"), s))
              for subject in (b"$SYS.REQ.ACCOUNT.PING.STATZ", b"$SYS.REQ.ACCOUNT.PING.CONNZ") * 2]
    admin = w("sys", b"answers", **CAPABLE)
    for _ in range(30):
        admin.send(ask_for(admin.info["server_id"], "VARZ", b"", b"answers"))
        answer = read_message(admin)
        assert answer.header is None, answer
        assert json.loads(answer.payload)["data"]["server_name"] == "S1"
        w("b").close()
    is_over.set()
    for thread in floods:
        thread.join(30)


# ---- what is asked

@pytest.mark.parametrize("payload", [b"{" * 100_000, b"[" * 100_000, b'{"a":' * 50_000, b'{"sort":"' + b"x" * 500_000 + b'"}',
                                     b'{"tags":[' + b'"t",' * 100_000 + b'"t"]}', b"\xff\xfe", b"null", b'{"limit":1e999}',
                                     b'{"sort":"\xff","acc":"\xff","account":"\\ud800","test":"\xff"}',
                                     b'{"server_name":"a","server_name":"","tags":["x"],"tags":[],"acc":"a","acc":"b"}'],
                         ids=["objects", "arrays", "members", "string", "tags", "bytes", "null", "number", "utf-8", "twice"])
def test_odd_requests(world, payload):
    """Whatever a request says: it is answered with JSON in UTF-8, or not at all."""
    w = world(TEXT, *WORKERS)
    client = w("sys", b"answers", b"fence", **CAPABLE)
    server = client.info["server_id"]
    subjects = [f"$SYS.REQ.SERVER.{server}.{service}" for service in ("VARZ", "CONNZ", "SUBSZ", "ACCOUNTZ", "STATSZ", "HEALTHZ",
                                                                      "PROFILEZ", "JSZ", "KICK", "LDM")]
    subjects += ["$SYS.REQ.ACCOUNT." + service for service in ("A.CONNZ", "A.SUBSZ", "A.INFO", "A.CONNS", "A.STATZ", "A.JSZ",
                                                               "A.CLAIMS.UPDATE", "NSUBS")]
    for subject in subjects:
        client.send(pub(subject.encode(), payload, b"answers") + ask_for(server, "IDZ", b"", b"fence"))
        while (got := read_message(client)).subject != b"fence":
            json.loads(got.payload.decode())


def test_filter_finds_the_last_subscription(world):
    """CONNZ by subject looks through lists of any length, and counts each connection once."""
    w = world(TEXT, *WORKERS)
    few, many, none = w("a", b"other"), w("a"), w("a")
    subscribe(many, 30_000)
    many.send(b"SUB last.* 40000\r\n")
    many.fence()
    client = w("sys", b"answers", **CAPABLE)
    for subject, found in [("last.one", [many.cid]), ("foo.30000", [many.cid]), (">", [few.cid, many.cid]), ("nowhere", [])]:
        options = json.dumps({"acc": "A", "filter_subject": subject}).encode()
        client.send(ask_for(client.info["server_id"], "CONNZ", options, b"answers"))
        data = json.loads(read_message(client).payload)["data"]
        assert [entry["cid"] for entry in data["connections"]] == found
        assert data["total"] == 3
    none.fence()


# ---- events

def check_order(events) -> None:
    """What one subscriber was told of A and B: of each client its coming before its end, and counts that follow from one another."""
    seen, counts = {}, {}
    for subject, event in events:
        words = subject.split(".")
        if subject.endswith(".CONNECT"):
            assert event["client"]["id"] not in seen
            seen[event["client"]["id"]] = "in"
        elif subject.endswith(".DISCONNECT"):
            assert seen.get(event["client"]["id"]) == "in"
            seen[event["client"]["id"]] = "gone"
        elif subject.endswith(".SERVER.CONNS"):
            assert abs(event["conns"] - counts.get(words[2], 0)) == 1
            counts[words[2]] = event["conns"]
    numbers = [event["server"]["seq"] for _, event in events]
    assert numbers == sorted(set(numbers))
    assert set(seen.values()) == {"gone"}
    assert counts == {"A": 0, "B": 0}


def test_e05_order_with_several_workers(world, talk, together):
    """E-05, E-12: hundreds of clients come and go on all workers, and one subscriber reads nothing: the others are told in order."""
    w = world(TEXT, *WORKERS)
    deaf = w("sys", b">")
    ears = [talk(w.server, "sys", "$SYS.ACCOUNT.A.>", "$SYS.ACCOUNT.B.>") for _ in range(3)]

    def churn(seed):
        r = random.Random(seed)
        for _ in range(100):
            client = w(r.choice("ab"), name="x" * r.choice([1, 900]))
            client.reset() if r.random() < .5 else client.close()

    together(*[lambda i=i: churn(i) for i in range(4)])
    for ear in ears:
        events = []
        eventually(lambda ear=ear, events=events: events.extend(ear.events()) or
                   sum(subject.endswith(".DISCONNECT") for subject, _ in events) == 400, 30)
        check_order(events)
    deaf.reset()
