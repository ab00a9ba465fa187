# SPDX-License-Identifier: Apache-2.0
"""/connz: connections that are closed, and why they are."""

import json
import re
import signal
from datetime import timedelta

import pytest

from e2e.accounts.lines import hpub, pub
from e2e.auth.lines import VIOLATION
from e2e.auth.nkey import Nkey
from e2e.monitor.shapes import CLOSED, CONNECTION, age, check, connz, moment, seconds
from harness import eventually

USER, PROXY, STRANGER = Nkey("U", "user"), Nkey("A", "proxy"), Nkey("A", "stranger")
CONFIG = """
max_payload: 2048
max_control_line: 256
authorization { timeout: 0.7 }
proxies { trusted: [ {key: %s} ] }
accounts {
    SYS { users: [ {user: sys, password: pw} ] }
    A { users: [ {user: a, password: pw}, {user: proxied, password: pw, proxy_required: true}
                 {user: web, password: pw, allowed_connection_types: [WEBSOCKET]} ] }
    LIM { users: [ {user: lim, password: pw} ], limits { max_connections: 1, max_payload: 64 } }
    ZERO { users: [ {user: zero, password: pw} ], limits { max_subscriptions: 0 } }
}
system_account: SYS
""" % PROXY.public
UNKNOWN_OPERATION = b"-ERR 'Unknown Protocol Operation'\r\n"
SYSTEM = "accounts { SYS { users: [ {user: sys, password: pw} ] } }, system_account: SYS, no_auth_user: sys\n"


def connect_line(user: str, **fields) -> bytes:
    return b"CONNECT " + json.dumps({"verbose": False, "user": user, "pass": "pw", **fields}).encode() + b"\r\n"


class Watcher:
    """The system account, which hears of every connection that ends."""

    def __init__(self, w):
        self.client = w("sys", b"$SYS.ACCOUNT.*.DISCONNECT")

    def disconnect_of(self, cid: int) -> dict:
        """The event that tells of this one."""
        while True:
            words = self.client.read_line().split()
            event = json.loads(self.client.read_exactly(int(words[-1]) + 2))
            if event["client"].get("id") == cid:
                return event


def ended(w, watcher, client) -> tuple[str, str, str]:
    """(reason in /connz, reason of the event, account of the event)."""
    event = watcher.disconnect_of(client.cid)
    entry = w.gone(client, "&auth=1")
    check(entry, CLOSED)
    return entry["reason"], event["reason"], event["client"]["acc"]


# ---- reasons

@pytest.mark.parametrize("data, err, reason", [
    (b"BOGUS stuff\r\n", UNKNOWN_OPERATION, "Protocol Violation"),
    (b"PUB x 4000\r\n" + b"x" * 4000 + b"\r\n", b"-ERR 'Maximum Payload Violation'\r\n", "Maximum Message Payload Exceeded"),
    (b"PUB " + b"x" * 600 + b" 1\r\nx\r\n", b"-ERR 'maximum control line exceeded'\r\n", "Maximum Control Line Exceeded"),
    (b"HPUB foo 12 12\r\nNATS/1.0\r\n\r\n\r\n", b"", "Protocol Violation"),
    (b"PUB a b c d\r\n", b"", "Protocol Violation"), (b"PUB a -1\r\n", b"", "Protocol Violation"),
    (b"SUB a b c d\r\n", b"", "Protocol Violation"),
    (b"PUB\r\n", UNKNOWN_OPERATION, "Protocol Violation"), (b"PUB a 1\r\nxyz\r\n", UNKNOWN_OPERATION, "Protocol Violation"),
    (b"MSG a 1 1\r\nx\r\n", UNKNOWN_OPERATION, "Protocol Violation"), (b"RS+ A x\r\n", UNKNOWN_OPERATION, "Protocol Violation"),
    (b"GET / HTTP/1.1\r\n\r\n", UNKNOWN_OPERATION, "Protocol Violation"), (b"\x00\x01\r\n", UNKNOWN_OPERATION, "Protocol Violation"),
    (b"-ERR 'x'\r\n", b"", "Parse Error"),
    (b"CONNECT {\r\n", b"", "Protocol Violation"), (b"INFO {\r\n", b"", "Protocol Violation"),
    (connect_line("a", protocol=9), b"-ERR 'invalid client protocol'\r\n", "Bad Client Protocol Version"),
    (connect_line("a", no_responders=True), b"-ERR 'no responders requires headers support'\r\n", "No Responders Requires Headers"),
], ids=lambda value: value[:12].decode("latin-1").strip() if isinstance(value, bytes) else value)
def test_m21_after_login(world, data, err, reason):
    """The client is told or not; everybody else hears the same reason, and whose it was."""
    w = world(CONFIG)
    watcher, c = Watcher(w), w("a")
    c.send(data)
    c.expect_closed_with(err)
    assert ended(w, watcher, c) == (reason, reason, "A")


@pytest.mark.parametrize("data, err, reason, account", [
    (b'CONNECT {"user": "a", "pass": "wrong"}\r\n', VIOLATION, "Authentication Failure", "$G"),
    (b'CONNECT {"user": "nobody", "pass": "pw"}\r\n', VIOLATION, "Authentication Failure", "$G"),
    (b"CONNECT {}\r\n", VIOLATION, "Authentication Failure", "$G"),
    (connect_line("web"), VIOLATION, "Authentication Failure", "$G"),
    (connect_line("proxied"), VIOLATION, "Proxy Required", "$G"),
    (connect_line("a", proxy_sig="A" * 86), VIOLATION, "Proxy Not Trusted", "$G"),
    (b"PONG\r\n", VIOLATION, "Authentication Failure", "$G"), (b"PING\r\n", VIOLATION, "Authentication Failure", "$G"),
    (b"PUB x 1\r\n1\r\n", VIOLATION, "Authentication Failure", "$G"), (b"\x00\x01garbage\r\n", VIOLATION, "Authentication Failure", "$G"),
    (b"CONNECT {\r\n", b"", "Protocol Violation", "$G"),
    (b'CONNECT {"x": "' + b"y" * 300 + b'"}\r\n', b"-ERR 'maximum control line exceeded'\r\n", "Maximum Control Line Exceeded", "$G"),
    (connect_line("a", protocol=9), b"-ERR 'invalid client protocol'\r\n", "Bad Client Protocol Version", "A"),
    (connect_line("a", no_responders=True), b"-ERR 'no responders requires headers support'\r\n", "No Responders Requires Headers", "A"),
    (connect_line("zero"), b"-ERR 'maximum subscriptions exceeded'\r\n", "Maximum Subscriptions Exceeded", "ZERO"),
    (b"", b"-ERR 'Authentication Timeout'\r\n", "Authentication Timeout", "$G"),
    (b"CONNE", b"-ERR 'Authentication Timeout'\r\n", "Authentication Timeout", "$G"),
], ids=["password", "user", "nothing", "connection type", "proxy required", "proxy not trusted", "PONG", "PING", "PUB", "garbage",
        "bad json",
        "long", "protocol 9", "no_responders", "no subscriptions", "silent", "half a word"])
def test_m21_before_login(world, data, err, reason, account):
    """Who did not get in belongs to $G."""
    w = world(CONFIG)
    watcher, c = Watcher(w), w.raw()
    c.send(data)
    c.expect_closed_with(err)
    assert ended(w, watcher, c) == (reason, reason, account)


@pytest.mark.parametrize("how, reason", [("close", "Client Closed"), ("half_close", "Client Closed"), ("reset", "Read Error")])
@pytest.mark.parametrize("is_logged_in", [True, False])
def test_m21_client_goes(world, how, reason, is_logged_in):
    w = world(CONFIG)
    watcher = Watcher(w)
    c = w("a") if is_logged_in else w.raw()
    getattr(c, how)()
    assert ended(w, watcher, c) == (reason, reason, "A" if is_logged_in else "$G")


def test_m21_client_goes_within_a_message(world):
    w = world(CONFIG)
    watcher, c = Watcher(w), w("a")
    c.send(b"PUB x 10\r\n123")
    c.close()
    assert ended(w, watcher, c) == ("Client Closed", "Client Closed", "A")


def test_m21_too_many_of_an_account(world):
    w = world(CONFIG)
    watcher, c = Watcher(w), w.raw()
    first = w("lim")
    c.send(connect_line("lim"))
    c.expect_closed_with(b"-ERR 'maximum account active connections exceeded'\r\n")
    assert ended(w, watcher, c) == ("Maximum Account Connections Exceeded",) * 2 + ("LIM",)
    first.send(pub(b"x", b"y" * 65))
    first.expect_closed_with(b"-ERR 'Maximum Payload Violation'\r\n")
    assert ended(w, watcher, first) == ("Maximum Message Payload Exceeded",) * 2 + ("LIM",)


def test_m21_too_many_at_all(world):
    w = world("max_connections: 3\n" + CONFIG)
    watcher = Watcher(w)
    for _ in range(2):
        w("a")
    c = w.raw()
    c.expect_closed_with(b"-ERR 'maximum connections exceeded'\r\n")
    assert ended(w, watcher, c) == ("Maximum Connections Exceeded",) * 2 + ("$G",)
    assert w.document("/varz")["total_connections"] == 4


def test_m21_kicked(world):
    w = world(CONFIG)
    watcher, c = Watcher(w), w("a")
    asker = w("sys")
    asker.send(pub(b"$SYS.REQ.SERVER.%s.KICK" % asker.info["server_id"].encode(), b'{"cid": %d}' % c.cid, b"inbox"))
    c.expect_eof()
    assert ended(w, watcher, c) == ("Kicked", "Kicked", "A")


def test_m21_stale(world):
    w = world('ping_interval: "200ms", ping_max: 1\n' + CONFIG)
    watcher, c = Watcher(w), w.raw(auto_pong=False)
    c.send(connect_line("a"))
    assert ended(w, watcher, c) == ("Stale Connection", "Stale Connection", "A")
    assert c.read_to_eof().endswith(b"-ERR 'Stale Connection'\r\n")


def test_m21_reload_takes_the_password(world):
    w = world(CONFIG)
    watcher, a, other = Watcher(w), w("a"), w("lim")
    w.reload(CONFIG.replace("user: a, password: pw", "user: a, password: other"))
    a.expect_closed_with(VIOLATION)
    assert ended(w, watcher, a)[:2] == ("Authentication Failure", "Authentication Failure")
    other.fence()


def test_m21_lame_duck(world):
    """While there are others, those that were sent away can be looked at."""
    w = world('lame_duck_duration: "30s", lame_duck_grace_period: "100ms"\n' + SYSTEM)
    clients = [w() for _ in range(20)]
    w.server.signal(signal.SIGUSR2)
    closed = eventually(lambda: w.connections("?state=closed"), 20)
    assert {entry["reason"] for entry in closed} == {"Server Shutdown"}
    for client in clients:
        client.close()
    assert w.server.wait_exit() == 0


# ---- the ring

def run_out(w, names: list[str]) -> list:
    """Clients of these names that come and go."""
    clients = []
    for name in names:
        clients.append(w(name=name))
        clients[-1].close()
        w.gone(clients[-1])
    return clients


def names_of(document: dict) -> list[str]:
    return [entry["name"] for entry in document["connections"]]


@pytest.mark.parametrize("query, names, total, offset, limit", [
    ("?state=closed", ["c2", "c3", "c4"], 3, 0, 1024), ("?state=all", ["c2", "c3", "c4", "open"], 4, 0, 1024), ("", ["open"], 1, 0, 1024),
    ("?state=closed&limit=2", ["c2", "c3"], 3, 0, 2), ("?state=closed&limit=2&offset=2", ["c4"], 3, 2, 2),
    ("?state=closed&offset=10", [], 3, 10, 1024),
    ("?state=closed&acc=$SYS", [], 0, 0, 1024), ("?state=all&limit=1", ["c2"], 4, 0, 1),
    ("?state=all&limit=2&offset=2", ["c4", "open"], 4, 2, 2),
    ("?state=any", ["c2", "c3", "c4", "open"], 4, 0, 1024), ("?state=CLOSED&limit=-1", ["c2", "c3", "c4"], 3, 0, 1024),
    ("?state=all&user=nobody", [], 4, 0, 1024)])
def test_m20_ring(world, query, names, total, offset, limit):
    """The last three of five, and one that is open."""
    w = world("max_closed_clients: 3\n")
    run_out(w, ["c0", "c1", "c2", "c3", "c4"])
    w(name="open")
    document = w.document("/connz" + query)
    assert names_of(document) == names
    assert (document["num_connections"], document["total"], document["offset"], document["limit"]) == (len(names), total, offset, limit)


def test_m20_one_of_the_ring(world):
    w = world("max_closed_clients: 3\n")
    gone = run_out(w, ["c0", "c1", "c2", "c3", "c4"])
    still_here = w()
    for client, n in ((gone[1], 0), (gone[2], 1), (gone[4], 1), (still_here, 0)):
        document = w.document(f"/connz?state=closed&cid={client.cid}")
        assert (document["num_connections"], document["total"], document["limit"]) == (n, 3, 1)
    assert w.document(f"/connz?cid={gone[4].cid}")["num_connections"] == 0


@pytest.mark.parametrize("size", [1, 2, 7])
def test_m20_size_of_the_ring(world, size):
    """Before it is full, when it is, and when it has gone round several times."""
    w = world(f"max_closed_clients: {size}\n")
    for n in range(1, 12):
        run_out(w, [f"c{n}"])
        document = w.document("/connz?state=closed")
        assert document["total"] == min(n, size)
        assert names_of(document) == [f"c{i}" for i in range(max(1, n - size + 1), n + 1)]


def test_m20_many(world, connect):
    """The default has room for 10,000; here they are closed in other orders than they came."""
    w = world()
    clients = [connect(w.server) for _ in range(1500)]
    for client in clients[::2] + clients[1::2][::-1]:
        client.close()
    eventually(lambda: w.document("/connz?state=closed")["total"] == 1500)
    document = w.document("/connz?state=closed&limit=2000")
    check(document, connz(CLOSED))
    assert [entry["cid"] for entry in document["connections"]] == [client.cid for client in clients]


# ---- entries

def test_m23_entry(world):
    """All that could be said of it when it was open, and how it ended."""
    w = world()
    c, other = w(None, b"x", name="n", lang="l", version="v"), w()
    c.send(pub(b"x", b"123") * 2 + pub(b"y", b"1"))
    c.ping()
    before = w.entry(c)
    c.close()
    entry = w.gone(c)
    check(entry, {**CONNECTION, "stop": CLOSED["stop"], "reason": "Client Closed"})
    changed = {name for name in entry if entry[name] != before.get(name)}
    assert changed <= {"stop", "reason", "uptime", "idle", "rtt", "start", "last_activity"}
    for name in ("start", "last_activity"):
        assert abs(moment(entry[name]) - moment(before[name])) < timedelta(milliseconds=1)
    assert moment(entry["start"]) <= moment(entry["last_activity"]) <= moment(entry["stop"])
    other.fence()


def test_m23_stands_still(world):
    """Uptime and idle are those of the end."""
    w = world()
    c, clock = w(), w()
    eventually(lambda: seconds(w.entry(c)["uptime"]) >= 2)
    c.send(pub(b"x", b""))
    c.fence()
    eventually(lambda: seconds(w.entry(c)["uptime"]) >= 3)
    c.close()
    entry = w.gone(c)
    lived, idle = age(entry["start"], entry["stop"]), age(entry["last_activity"], entry["stop"])
    assert (seconds(entry["uptime"]), seconds(entry["idle"])) == (int(lived.total_seconds()), int(idle.total_seconds()))
    assert lived > idle
    before = seconds(w.entry(clock)["uptime"])
    eventually(lambda: seconds(w.entry(clock)["uptime"]) >= before + 2)
    assert w.gone(c) == entry


@pytest.mark.parametrize("auth", [True, False])
def test_m23_who_it_was(world, auth):
    """User and account only if asked for."""
    w = world(CONFIG)
    c = w("a")
    c.close()
    entry = w.gone(c, "&auth=1" if auth else "")
    wanted = {"authorized_user": "a", "account": "A", "name_tag": "A"}
    assert {name: entry[name] for name in wanted if name in entry} == (wanted if auth else {})


def test_m23_who_it_claimed_to_be(world):
    """A login that failed."""
    w = world(CONFIG)
    c = w.raw()
    c.send(b'CONNECT {"user": "a", "pass": "wrong", "name": "n"}\r\n')
    c.read_to_eof()
    entry = w.gone(c, "&auth=1")
    assert (entry["authorized_user"], entry["name"], entry.get("account")) == ("a", "n", None)
    assert w.connections("?state=closed&user=a")[0]["cid"] == c.cid
    assert w.document("/connz?state=closed&acc=A")["total"] == 0


def test_m23_subscriptions(world):
    """Those that it had at the end, with their account."""
    w = world(CONFIG)
    c = w("a", b"foo", b"foo", b"bar q", b"gone")
    c.send(b"UNSUB 4\r\n" + pub(b"foo", b"x"))
    c.ping()
    c.close()
    entry = w.gone(c)
    assert entry["subscriptions"] == 3
    assert not {"subscriptions_list", "subscriptions_list_detail"} & set(entry)
    assert sorted(w.gone(c, "&subs=1")["subscriptions_list"]) == ["bar", "foo", "foo"]
    details = sorted(w.gone(c, "&subs=detail")["subscriptions_list_detail"], key=lambda sub: sub["sid"])
    of_a = {"account": "A", "account_tag": "A", "cid": c.cid}
    assert details == [{**of_a, "subject": "foo", "sid": "1", "msgs": 1}, {**of_a, "subject": "foo", "sid": "2", "msgs": 1},
                       {**of_a, "subject": "bar", "qgroup": "q", "sid": "3", "msgs": 0}]


def test_m23_proxy(world):
    w = world(CONFIG)
    c = w.raw()
    c.connect(user="proxied", **{"pass": "pw"}, proxy_sig=PROXY.signature(c.info["nonce"]))
    c.close()
    assert w.gone(c)["proxy"] == {"key": PROXY.public}


def test_m23_filters(world):
    """Accounts and users are known of closed connections, too."""
    w = world(CONFIG)
    a, lim = w("a"), w("lim")
    for client in (a, lim):
        client.close()
        w.gone(client)
    open_one = w("a")
    for query, wanted, total in (
            ("state=closed&user=a", [a], 2), ("state=closed&acc=A", [a], 1), ("state=closed&acc=SYS", [], 0),
            ("state=all&acc=A", [a, open_one], 2),
            ("state=all&user=a", [a, open_one], 3), ("state=all&user=lim", [lim], 3), ("state=open&user=lim", [], 1)):
        document = w.document("/connz?" + query)
        assert [entry["cid"] for entry in document["connections"]] == [client.cid for client in wanted], query
        assert document["total"] == total, query


def test_m23_account_that_is_gone(world):
    """A reload takes an account; its clients go, and can still be looked at."""
    w = world(CONFIG)
    c = w("lim")
    w.reload(re.sub("LIM {.*", "", CONFIG))
    c.read_to_eof()
    entry = w.gone(c, "&auth=1")
    check(entry, CLOSED)
    assert entry["account"] == "LIM"


def test_m23_headers_are_bytes(world):
    """As in open connections: payload and header."""
    w = world()
    c = w(None, b"x", headers=True)
    c.send(hpub(b"x", b"NATS/1.0\r\nA: b\r\n\r\n", b"12345"))
    c.ping()
    c.close()
    entry = w.gone(c)
    assert (entry["in_bytes"], entry["out_bytes"]) == (23, 23)
