# SPDX-License-Identifier: Apache-2.0
"""The same documents, asked for over HTTP and over NATS by the system account."""

import json

import pytest

from e2e.accounts.lines import pub
from e2e.monitor.shapes import ACCOUNTZ, ACCOUNTZ_ONE, CONNECTION, DEPENDING, GATEWAYZ, JSZ_OFF, LEAFZ, ROUTEZ, SUBSZ, VARZ, check, connz

CONFIG = """accounts {
    SYS { users: [ {user: sys, password: pw} ] }
    A { users: [ {user: a, password: pw} ], exports: [ {service: svc}, {stream: "ev.>"} ], mappings: { x: y } }
    B { users: [ {user: b, password: pw} ], imports: [ {service: {account: A, subject: svc}} ] }
}
system_account: SYS
server_tags: [one], server_metadata { k: v }
"""
SHAPES = {"VARZ": VARZ, "ROUTEZ": ROUTEZ, "GATEWAYZ": GATEWAYZ, "LEAFZ": LEAFZ, "SUBSZ": SUBSZ, "ACCOUNTZ": ACCOUNTZ, "JSZ": JSZ_OFF,
          "CONNZ": connz({**CONNECTION, **DEPENDING})}
VOLATILE = {"now", "uptime", "idle", "mem", "cpu", "rtt", "http_req_stats", "last_activity", "num_cache", "num_matches", "cache_hit_rate",
            "max_fanout", "avg_fanout", "num_inserts", "num_removes", "in_msgs", "in_bytes", "out_msgs", "out_bytes", "in_client_msgs", "in_client_bytes",
            "out_client_msgs", "out_client_bytes", "subscriptions", "num_subscriptions", "disk_io_wait_stats"}


class Asker:
    """A client of the system account."""

    def __init__(self, w):
        self.client = w("sys", b"inbox")
        self.id = self.client.info["server_id"]

    def ask(self, service: str, options: dict | None = None) -> dict:
        """The whole reply."""
        payload = json.dumps(options).encode() if options is not None else b""
        self.client.send(pub(f"$SYS.REQ.SERVER.{self.id}.{service}".encode(), payload, b"inbox"))
        words = self.client.read_line().split()
        assert words[:2] == [b"MSG", b"inbox"], words
        return json.loads(self.client.read_exactly(int(words[-1]) + 2))


@pytest.fixture
def both(world):
    """A server with some clients, and one of the system account that asks."""
    w = world(CONFIG)
    asker = Asker(w)
    w("a", b"foo", b"work q", name="one", lang="test", version="1")
    w("b", b"foo")
    return w, asker


def steady(value):
    """Without what may change from one moment to the next, and in an order of its own."""
    if isinstance(value, dict):
        return {name: steady(member) for name, member in value.items() if name not in VOLATILE}
    if isinstance(value, list):
        return sorted(map(steady, value), key=json.dumps)
    return value


@pytest.mark.parametrize("service, options, path", [
    ("VARZ", None, "/varz"), ("ROUTEZ", None, "/routez"), ("GATEWAYZ", None, "/gatewayz"), ("LEAFZ", None, "/leafz"), ("JSZ", None, "/jsz"),
    ("ACCOUNTZ", None, "/accountz"), ("CONNZ", None, "/connz"), ("SUBSZ", None, "/subsz"),
    ("SUBSZ", {"subscriptions": True}, "/subsz?subs=1"),
    ("SUBSZ", {"subscriptions": True, "account": "A", "test": "foo"}, "/subsz?subs=1&acc=A&test=foo"), ("VARZ", {}, "/varz"),
    ("CONNZ", {"auth": True}, "/connz?auth=1"), ("CONNZ", {"subscriptions": True}, "/connz?subs=1"),
    ("CONNZ", {"subscriptions_detail": True, "auth": True}, "/connz?subs=detail&auth=1"), ("CONNZ", {"acc": "A"}, "/connz?acc=A"),
    ("CONNZ", {"user": "a", "limit": 1}, "/connz?user=a&limit=1"), ("CONNZ", {"sort": "subs", "offset": 1}, "/connz?sort=subs&offset=1"),
    ("CONNZ", {"state": 1}, "/connz?state=closed"), ("CONNZ", {"state": 2}, "/connz?state=all")])
def test_m41_same_documents(both, service, options, path):
    """Members and all that stands still."""
    w, asker = both
    over_http = w.document(path)
    over_nats = asker.ask(service, options)["data"]
    check(over_nats, SHAPES[service])
    check(over_http, SHAPES[service])
    if options == {"state": 2} or "subs" in path and service == "SUBSZ":
        over_http, over_nats = ({name: value for name, value in one.items() if name != "total"} for one in (over_http, over_nats))
    assert set(over_nats) == set(over_http)
    if service != "SUBSZ" or options and "test" in options:  # of the server's own subscriptions there may be others by then
        assert steady(over_nats) == steady(over_http)


@pytest.mark.parametrize("account", ["A", "B", "$G"])
def test_m41_one_account(both, account):
    w, asker = both
    over_http = w.document(f"/accountz?acc={account}")
    over_nats = asker.ask("ACCOUNTZ", {"account": account})["data"]
    for one in (over_http, over_nats):
        check(one, ACCOUNTZ_ONE)
    assert steady(over_nats) == steady(over_http)


@pytest.mark.parametrize("options, query", [
    (None, ""), ({"details": True}, "?details=1"), ({"stream": "S"}, "?stream=S"),
    ({"stream": "S", "details": True}, "?stream=S&details=1"),
    ({"account": "A", "consumer": "C"}, "?account=A&consumer=C")])
def test_m41_health(both, options, query):
    """Over NATS the status of HTTP is part of the document."""
    w, asker = both
    answer = w.get("/healthz" + query)
    over_nats = asker.ask("HEALTHZ", options)["data"]
    assert over_nats.pop("status_code", 200) == answer.status
    assert over_nats == json.loads(answer.body)


def test_m41_unknown_account(both):
    """What is a status over HTTP is an error over NATS."""
    w, asker = both
    reply = asker.ask("ACCOUNTZ", {"account": "NOPE"})
    assert reply["error"]["description"] == w.get("/accountz?acc=NOPE").text


@pytest.mark.parametrize("options, query", [
    ({"sort": "zzz"}, "sort=zzz"), ({"sort": "stop"}, "sort=stop"), ({"sort": "reason", "state": 2}, "sort=reason&state=all")])
def test_m41_errors_of_connz(both, options, query):
    w, asker = both
    assert asker.ask("CONNZ", options)["error"]["description"] == w.get(f"/connz?{query}").text


def test_m41_the_server_is_told(both):
    """Around the document stands whose it is."""
    w, asker = both
    reply = asker.ask("VARZ")
    assert set(reply) == {"server", "data"}
    assert reply["server"]["id"] == reply["data"]["server_id"] == w.document("/varz")["server_id"]
