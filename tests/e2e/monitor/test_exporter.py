# SPDX-License-Identifier: Apache-2.0
"""What prometheus-nats-exporter reads, and how: it decodes strictly by type (spec 07 §9)."""

import re

import pytest

from e2e.accounts.lines import pub
from e2e.monitor.shapes import DURATION, NUMBER, TIME, UPTIME, check, seconds

CONFIG = """accounts {
    SYS { users: [ {user: sys, password: pw} ] }
    A { users: [ {user: a, password: pw} ], exports: [ {service: svc} ] }
}
system_account: SYS
"""
# Keys whose texts become labels or numbers; other texts are skipped.
TEXTS = {"server_id", "server_name", "version", "domain", "leader", "name", "start", "config_load_time"}
VARZ_NUMBERS = {
    "auth_timeout", "connections", "cores", "cpu", "gomaxprocs", "in_bytes", "in_msgs", "leafnodes", "max_connections", "max_control_line",
    "max_payload", "max_pending", "mem", "out_bytes", "out_msgs", "ping_interval", "ping_max", "port", "proto", "remotes", "routes",
    "slow_consumers", "slow_consumer_stats_clients", "stale_connections", "stalled_clients", "subscriptions", "tls_timeout",
    "total_connections", "write_deadline", "http_port", "https_port", "in_client_msgs", "out_client_bytes"}
CONNECTION = {
    "cid": NUMBER, "kind": str, "type": str, "ip": str, "port": NUMBER, "start": TIME, "last_activity": TIME, "rtt": DURATION,
    "uptime": UPTIME,
    "idle": UPTIME, "pending_bytes": NUMBER, "subscriptions": NUMBER, "in_bytes": NUMBER, "out_bytes": NUMBER, "in_msgs": NUMBER,
    "out_msgs": NUMBER, "name": str, "name_tag": str, "account": str, "lang": str, "version": str}


@pytest.fixture
def w(world):
    """A server with something to tell."""
    w = world(CONFIG)
    c = w("a", b"x", name="n", lang="l", version="v")
    c.send(pub(b"x", b"1"))
    c.ping()
    return w


def gauges(document: dict, prefix: str = "") -> dict[str, float]:
    """Every number at any depth of objects, by its path; arrays are skipped."""
    found = {}
    for name, value in document.items():
        if isinstance(value, dict):
            found |= gauges(value, f"{prefix}{name}_")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found[prefix + name] = value
    return found


def test_m40_varz(w):
    document = w.document("/varz")
    found = gauges(document)
    assert VARZ_NUMBERS <= set(found)
    assert all(value >= -1 for value in found.values())  # -1: a port that was picked
    for name in TEXTS & set(document):
        check(document[name], TIME if name in ("start", "config_load_time") else str, name)
    assert {"server_id", "server_name", "version", "start", "config_load_time"} <= set(document)


def test_m40_subsz(w):
    found = gauges(w.document("/subsz"))
    assert {"num_subscriptions", "num_cache", "num_inserts", "num_removes", "num_matches", "cache_hit_rate", "max_fanout",
            "avg_fanout"} <= set(found)


def test_m40_routez(w):
    assert gauges(w.document("/routez"))["num_routes"] == 0


def test_m40_connz(w):
    document = w.document("/connz")
    assert {"num_connections", "total", "offset", "limit"} <= set(gauges(document))
    numbers = ("pending_bytes", "subscriptions", "in_bytes", "out_bytes", "in_msgs", "out_msgs")
    for entry in document["connections"]:
        assert set(numbers) <= set(gauges(entry))


def test_m40_connz_detailed(w):
    entry, = w.document("/connz?auth=true")["connections"]
    check({name: entry.get(name) for name in CONNECTION}, CONNECTION)
    for name in ("rtt", "uptime", "idle"):
        assert 0 <= seconds(entry[name]) < 600


@pytest.mark.parametrize("query", ["", "?js-enabled-only=true", "?js-server-only=true"])
def test_m40_healthz(w, query):
    assert w.document("/healthz" + query)["status"] == "ok"


def test_m40_gatewayz(w):
    document = w.document("/gatewayz")
    assert isinstance(document["outbound_gateways"], dict) and isinstance(document["inbound_gateways"], dict)


def test_m40_accstatz(w):
    for entry in w.document("/accstatz?unused=1")["account_statz"]:
        found = gauges(entry)
        assert {"conns", "leafnodes", "total_conns", "num_subscriptions", "slow_consumers", "sent_msgs", "sent_bytes", "received_msgs",
                "received_bytes"} <= set(found)
        assert isinstance(entry["acc"], str) and isinstance(entry["name"], str)


def test_m40_accountz(w):
    for name in w.document("/accountz")["accounts"]:
        detail = w.document(f"/accountz?acc={name}")["account_detail"]
        wanted = {"account_name": name, "name_tag": str, "update_time": TIME, "expired": bool, "complete": bool, "jetstream_enabled": bool,
                  "leafnode_connections": int, "client_connections": int, "subscriptions": int}
        check({member: detail.get(member) for member in wanted}, wanted)


def test_m40_leafz(w):
    document = w.document("/leafz")
    assert (document["leafnodes"], document["leafs"]) == (0, [])


@pytest.mark.parametrize("query", ["", "?accounts=true", "?streams=true", "?consumers=true&config=true&raft=true"])
def test_m40_jsz(w, query):
    document = w.document("/jsz" + query)
    assert document["disabled"] is True
    assert {"streams", "consumers", "messages", "bytes", "config_max_memory", "config_max_storage"} <= set(gauges(document))


def test_m40_no_number_is_odd(w):
    """No exponents nor fractions where 64-bit integers are meant."""
    text = w.get("/varz").text
    for name in ("in_msgs", "mem", "ping_interval", "write_deadline", "max_pending", "subscriptions"):
        assert re.search(rf'"{name}": ?\d+\b(?![.eE])', text)
