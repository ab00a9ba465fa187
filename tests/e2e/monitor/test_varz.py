# SPDX-License-Identifier: Apache-2.0
"""/varz: the server as a whole."""

import json
import os
import re
from datetime import timedelta

import pytest

from e2e.accounts.lines import hpub, pub
from e2e.auth.nkey import Nkey
from e2e.monitor.shapes import SERVER_ID, VARZ, age, check, moment, seconds
from e2e.monitor.web import Monitor
from harness import eventually

ACCOUNTS = """accounts {
    SYS { users: [ {user: sys, password: pw} ] }
    A { users: [ {user: a, password: pw} ] }
    B { users: [ {user: b, password: pw} ] }
}
system_account: SYS
"""
DEFAULTS = {
    "proto": 1, "max_connections": 65536, "ping_interval": 120 * 10**9, "ping_max": 2, "http_base_path": "", "https_port": 0,
    "auth_timeout": 2, "max_control_line": 4096, "max_payload": 1 << 20, "max_pending": 64 << 20, "tls_timeout": 2,
    "write_deadline": 10 * 10**9, "cluster": {}, "gateway": {}, "leaf": {}, "mqtt": {}, "websocket": {}, "jetstream": {},
    "connections": 0, "total_connections": 0, "routes": 0, "remotes": 0, "leafnodes": 0, "in_msgs": 0, "in_bytes": 0,
    "in_client_msgs": 0, "in_client_bytes": 0, "out_msgs": 0, "out_bytes": 0, "out_client_msgs": 0, "out_client_bytes": 0,
    "slow_consumers": 0, "stale_connections": 0, "stalled_clients": 0, "config_digest": "", "http_req_stats": {"/varz": 1},
    "system_account": "$SYS", "slow_consumer_stats": {"clients": 0, "routes": 0, "gateways": 0, "leafs": 0},
    "stale_connection_stats": {"clients": 0, "routes": 0, "gateways": 0, "leafs": 0},
}
DEPENDING = ["auth_required", "tls_required", "tls_verify", "tls_ocsp_peer_verify", "ip", "connect_urls", "ws_connect_urls",
             "max_subscriptions", "write_timeout", "tags", "metadata", "trusted_operators_jwt", "trusted_operators_claim",
             "pinned_account_fails", "ocsp_peer_cache", "proxies", "tls_cert_not_after"]


def digest_in_log(w) -> str:
    """The last one that was told."""
    return re.findall("sha256:[0-9a-f]{64}", w.server.log())[-1]


def of(document: dict, *names: str) -> dict:
    return {name: document[name] for name in names}


# ---- what is there

def test_m09_every_member(start_server):
    """A server without any option has all members that are not left out when empty, and no other."""
    varz = Monitor(start_server("-m", "-1")).document("/varz")
    check(varz, VARZ)
    assert of(varz, *DEFAULTS) == DEFAULTS
    assert not set(DEPENDING) & set(varz)


def test_m09_identity(start_server):
    server = start_server("-m", "-1")
    monitor = Monitor(server)
    varz = monitor.document("/varz")
    assert varz["server_name"] == varz["server_id"]
    assert f"ID:       {varz['server_id']}" in server.log()
    assert f"Version:  {varz['version']}" in server.log()
    assert (varz["host"], varz["port"]) == ("127.0.0.1", server.port)
    assert monitor.document("/varz")["server_id"] == varz["server_id"]


def test_m09_as_clients_see_it(world):
    """What INFO says is the same."""
    w = world("server_name: here, max_payload: 5000\n")
    info, varz = w.raw().info, w.document("/varz")
    for name in ("server_id", "server_name", "version", "proto", "go", "host", "port", "max_payload"):
        assert info[name] == varz[name]


def test_m09_machine(start_server):
    varz = Monitor(start_server("-m", "-1")).document("/varz")
    assert varz["cores"] == os.cpu_count()
    assert 1 <= varz["gomaxprocs"] <= 1024
    assert 1 << 20 < varz["mem"] < 1 << 32
    assert 0 <= varz["cpu"] <= 100 * os.cpu_count()


def test_m09_memory(start_server):
    """What is resident, as the kernel says."""
    server = start_server("-m", "-1")
    varz = Monitor(server).document("/varz")
    with open(f"/proc/{server.pid}/statm", encoding="ascii") as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    assert 0.5 < varz["mem"] / resident < 2


def test_m09_cpu(world):
    """Grows with work."""
    w = world()
    c = w(None, b"x")
    c.timeout = 60

    def is_busy():
        c.send(pub(b"x", b"y" * 100) * 20_000)
        c.ping()
        return w.document("/varz")["cpu"] > 0

    eventually(is_busy, 60)


def test_m36_times(start_server):
    """All are in UTC; the server is as old as uptime says."""
    monitor = Monitor(start_server("-m", "-1"))
    varz = monitor.document("/varz")
    assert timedelta(0) <= age(varz["start"], varz["now"]) < timedelta(minutes=5)
    assert abs(int(age(varz["start"], varz["now"]).total_seconds()) - seconds(varz["uptime"])) <= 1
    assert moment(varz["config_load_time"]) >= moment(varz["start"]) - timedelta(seconds=1)
    later = eventually(lambda: (now := monitor.document("/varz"))["uptime"] != varz["uptime"] and now)
    assert later["start"] == varz["start"]
    assert seconds(later["uptime"]) > seconds(varz["uptime"])
    assert moment(later["now"]) > moment(varz["now"])


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "XXX-5:45"])
def test_m36_times_are_utc_everywhere(start_server, zone):
    """Whatever time it is where the server is."""
    check(Monitor(start_server("-m", "-1", env={"TZ": zone})).document("/varz"), VARZ)


# ---- what is configured

@pytest.mark.parametrize("text, members", [
    ("server_name: here", {"server_name": "here"}),
    ("max_connections: 77", {"max_connections": 77}),
    ("max_subs: 10", {"max_subscriptions": 10}), ("max_subscriptions: 11", {"max_subscriptions": 11}),
    ("ping_interval: 90ms", {"ping_interval": 90_000_000}), ("ping_interval: 30", {"ping_interval": 30 * 10**9}),
    ("ping_max: 5", {"ping_max": 5}),
    ("max_control_line: 2KB", {"max_control_line": 2048}),
    ("max_payload: 1000", {"max_payload": 1000}),
    ("max_pending: 2MiB", {"max_pending": 2 << 20}),
    ("write_deadline: 1500ms", {"write_deadline": 1_500_000_000}),
    ("write_timeout: retry", {"write_timeout": "retry"}), ("write_timeout: close", {"write_timeout": "close"}),
    ("authorization { user: u, password: p, timeout: 1.5 }", {"auth_timeout": 1.5, "auth_required": True}),
    ("authorization { token: t, timeout: 3 }", {"auth_timeout": 3, "auth_required": True}),
    (ACCOUNTS, {"auth_required": True, "system_account": "SYS"}),
    ('server_tags: ["region:eu", "tier:gold"]', {"tags": ["region:eu", "tier:gold"]}),
    ('server_tags: " Region:EU "', {"tags": ["region:eu"]}),
    ("server_metadata { rack: r1, Row: x }", {"metadata": {"rack": "r1", "Row": "x"}}),
    ('client_advertise: "example.com:99"', {"host": "example.com", "port": 99}),
    ('max_closed_clients: 3, lame_duck_duration: "1m"', {}),
], ids=lambda value: value if isinstance(value, str) and len(value) < 60 else "")
def test_m10_configured(world, text, members):
    """Members appear exactly when there is something to say."""
    varz = world(text + "\n").document("/varz")
    check(varz, VARZ)
    assert of(varz, *members) == members
    assert {name for name in DEPENDING if name in varz} == set(members) & set(DEPENDING)


def test_m10_no_system_account(world):
    assert "system_account" not in world("no_system_account: true\n").document("/varz")


def test_m10_feature_flags(world):
    """One that is configured is there."""
    assert world("feature_flags { js_ack_fc_v2: true }\n").document("/varz")["feature_flags"]["js_ack_fc_v2"] is True


def test_m10_proxies(world):
    """In the order of the configuration."""
    keys = [Nkey("A", "proxy").public, Nkey("U", "second").public]
    varz = world("proxies { trusted: [ {key: %s}, {key: %s} ] }\n" % tuple(keys)).document("/varz")
    assert varz["proxies"] == {"trusted": [{"key": key} for key in keys]}


def test_m10_digest(world):
    """Of the configuration, as it was when it was read; the log says the same."""
    w = world("server_name: here\n")
    digest = w.document("/varz")["config_digest"]
    assert digest == digest_in_log(w)
    w.path.write_text("changed")
    assert w.document("/varz")["config_digest"] == digest


def test_m10_listeners(world):
    """HTTP as it was configured; the port of clients as it is."""
    w = world()
    varz = w.document("/varz")
    assert (varz["http_host"], varz["http_port"], varz["port"]) == ("127.0.0.1", -1, w.server.port)


def test_m10_reload(world):
    """What a reload changes shows at once, the rest stays."""
    w = world()
    before = w.document("/varz")
    w.reload("""max_payload: 1000, max_connections: 77, ping_interval: "30s", ping_max: 5, max_control_line: 2000
                write_deadline: "3s", server_tags: [a, b], server_metadata { x: y }
                authorization { user: u, password: p, timeout: 7 }\n""")
    after = w.document("/varz")
    check(after, VARZ)
    changed = {"max_payload": 1000, "max_connections": 77, "ping_interval": 30 * 10**9, "ping_max": 5, "max_control_line": 2000,
               "write_deadline": 3 * 10**9, "tags": ["a", "b"], "metadata": {"x": "y"}, "auth_required": True,
               "auth_timeout": 7, "config_digest": digest_in_log(w)}
    assert of(after, *changed) == changed
    volatile = {"now", "uptime", "mem", "cpu", "http_req_stats", "config_load_time", "subscriptions"}
    assert {name for name in after if after[name] != before.get(name)} - volatile == set(changed)
    assert moment(before["config_load_time"]) < moment(after["config_load_time"]) <= moment(after["now"])
    w.reload("")
    assert not {"tags", "metadata", "auth_required"} & set(w.document("/varz"))


def test_m10_refused_reload(world):
    w = world()
    before = w.document("/varz")
    w.reload("max_payload: 1000, port: 4333, max_subs: 5\n", is_refused=True)
    after = w.document("/varz")
    for name in ("max_payload", "config_load_time", "config_digest", "port"):
        assert after[name] == before[name]


# ---- what is counted

def test_m11_messages(world):
    """Payloads of what clients publish, and of what is delivered to them, once for each."""
    w = world(ACCOUNTS)
    a, first, second, b = w("a"), w("a", b"x"), w("a", b"x", b"*"), w("b", b"x")
    n, size = 500, 20
    a.send(pub(b"x", b"y" * size) * n)
    a.fence()
    for client in (first, second, b):
        client.ping()
    varz = w.document("/varz")
    assert of(varz, "in_client_msgs", "in_client_bytes", "out_client_msgs", "out_client_bytes") == {
        "in_client_msgs": n, "in_client_bytes": n * size, "out_client_msgs": 3 * n, "out_client_bytes": 3 * n * size}
    for name in ("in_msgs", "in_bytes", "out_msgs", "out_bytes"):
        assert varz[name] == varz[name.replace("_", "_client_")]


def test_m11_headers_count(world):
    """For who does not support them and gets a message without they count in the Go server; they need not."""
    w = world()
    capable, plain, c = w(None, b"x", headers=True), w(None, b"x"), w(headers=True)
    header, payload = b"NATS/1.0\r\nA: b\r\n\r\n", b"hello"
    c.send(hpub(b"x", header, payload))
    c.fence()
    for client in (capable, plain):
        client.ping()
    varz = w.document("/varz")
    assert (varz["in_client_msgs"], varz["in_client_bytes"]) == (1, len(header) + len(payload))
    assert varz["out_client_msgs"] == 2
    assert varz["out_client_bytes"] in (2 * (len(header) + len(payload)), len(header) + 2 * len(payload))
    assert (w.entry(capable)["out_bytes"], w.entry(plain)["out_bytes"]) == (len(header) + len(payload), len(payload))


def test_m11_messages_that_nobody_gets(world):
    """Count as received, even empty ones and those that may not be published."""
    w = world("authorization { users: [ {user: a, password: pw, permissions: { publish: { deny: secret } } } ] }\n")
    a = w("a", b"secret")
    a.send(pub(b"nobody", b"") + pub(b"nobody", b"123") + pub(b"secret", b"12"))
    a.ping()
    varz = w.document("/varz")
    assert (varz["out_client_msgs"], varz["out_client_bytes"]) == (0, 0)
    assert (varz["in_client_msgs"], varz["in_client_bytes"]) == (3, 5)
    entry = w.entry(a)
    assert (entry["in_msgs"], entry["in_bytes"]) == (3, 5)


def test_m11_gone_clients_count(world):
    w = world()
    for _ in range(3):
        c = w(None, b"x")
        c.send(pub(b"x", b"12345"))
        c.ping()
        c.close()
        w.gone(c)
    varz = w.document("/varz")
    assert of(varz, "in_msgs", "in_bytes", "out_msgs", "out_bytes") == {"in_msgs": 3, "in_bytes": 15, "out_msgs": 3, "out_bytes": 15}
    assert (varz["connections"], varz["total_connections"]) == (0, 3)


def test_m12_subscriptions(world):
    """Each counts, the same subject or not, and no longer when it is gone."""
    w = world()
    c = w()
    before = w.document("/varz")["subscriptions"]
    c.send(b"".join(b"SUB delta.%d %d\r\n" % (i % 5, i) for i in range(7)))
    c.fence()
    assert (w.document("/varz")["subscriptions"] - before, w.entry(c)["subscriptions"]) == (7, 7)
    c.send(b"UNSUB 1\r\nUNSUB 2\r\nUNSUB 77\r\n")
    c.fence()
    assert (w.document("/varz")["subscriptions"] - before, w.entry(c)["subscriptions"]) == (5, 5)
    c.send(b"UNSUB 3 1\r\n" + pub(b"delta.3", b""))
    c.ping()
    assert (w.document("/varz")["subscriptions"] - before, w.entry(c)["subscriptions"]) == (4, 4)
    c.close()
    eventually(lambda: w.document("/varz")["subscriptions"] == before)


def test_m12_subscriptions_of_all_accounts(world):
    w = world(ACCOUNTS)
    before = w.document("/varz")["subscriptions"]
    w("a", b"x", b"x", b"y.>")
    w("b", b"x queue", b"x queue")
    assert w.document("/varz")["subscriptions"] - before == 5


def test_m13_connections(world):
    """Those that are open, and all that ever were: failed logins and mere sockets, too."""
    w = world(ACCOUNTS)
    clients = [w("a") for _ in range(5)] + [w("sys")]
    varz = w.document("/varz")
    assert (varz["connections"], varz["total_connections"], varz["leafnodes"], varz["routes"]) == (6, 6, 0, 0)
    stranger = w.raw()
    stranger.send(b'CONNECT {"user": "a", "pass": "wrong"}\r\n')
    stranger.read_to_eof()
    probe = w.raw()
    assert eventually(lambda: w.document("/varz")["total_connections"] == 8)
    probe.close()
    for client in clients[:2]:
        client.close()
    eventually(lambda: w.document("/varz")["connections"] == 4)
    assert w.document("/varz")["total_connections"] == 8


def test_m13_connections_that_have_not_said_anything(world):
    """They count as others do."""
    w = world()
    w.raw()
    assert eventually(lambda: w.document("/varz")["connections"] == 1)


def test_m13_monitoring_does_not_count(world):
    """Nor is it limited as clients are."""
    w = world("max_connections: 1\n")
    with w.open() as c, w.open() as other:
        assert other.ask("/varz").status == 200
        for _ in range(3):
            assert c.ask("/varz").status == 200
        varz = c.ask("/varz").json()
    assert (varz["connections"], varz["total_connections"], varz["in_msgs"], varz["out_bytes"]) == (0, 0, 0, 0)


def test_m14_requests(world):
    """Which are counted, and under what name."""
    w = world()

    def stats():
        return w.document("/varz")["http_req_stats"]

    assert stats() == {"/varz": 1}
    for path in ("/", "/connz", "/connz?auth=foo", "/connz?sort=bogus", "/subsz?subs=x", "/subscriptionsz", "/routez?subs=x", "/stacksz",
                 "/ipqueuesz", "/raftz", "/debug/vars", "/nope", "/accstatz?unused=x", "//varz", "/healthz?details=x", "/healthz?stream=S",
                 "/leafz?subs=x", "/gatewayz?subs=x", "/jsz?limit=x", "/accountz?acc=NOPE", "/routez"):
        w.get(path)
    w.get("/connz", "HEAD")
    w.get("/healthz", "POST")
    assert stats() == {"/": 1, "/connz": 3, "/subsz": 2, "/accstatz": 1, "/healthz": 3, "/leafz": 1, "/gatewayz": 1, "/jsz": 1,
                       "/accountz": 1, "/routez": 1, "/varz": 2}


def test_m14_requests_over_nats_do_not_count(world):
    w = world(ACCOUNTS)
    sys = w("sys", b"inbox")
    sys.send(pub(b"$SYS.REQ.SERVER.PING.VARZ", b"", b"inbox") + pub(b"$SYS.REQ.SERVER.PING.CONNZ", b"", b"inbox"))
    for _ in range(2):
        words = sys.read_line().split()
        assert words[1] == b"inbox"
        reply = json.loads(sys.read_exactly(int(words[-1]) + 2))
        assert SERVER_ID.fullmatch(reply["data"]["server_id"])
    assert w.document("/varz")["http_req_stats"] == {"/varz": 1}


def test_m21_stale_connections(world):
    """Who does not answer PINGs is counted."""
    w = world("ping_interval: 100ms, ping_max: 1\n")
    stale = w.raw(auto_pong=False)
    stale.send(b"CONNECT {}\r\n")
    assert w.gone(stale)["reason"] == "Stale Connection"
    varz = w.document("/varz")
    assert varz["stale_connections"] == 1
    assert varz["stale_connection_stats"] == {"clients": 1, "routes": 0, "gateways": 0, "leafs": 0}
    assert (varz["slow_consumers"], varz["slow_consumer_stats"]["clients"]) == (0, 0)
