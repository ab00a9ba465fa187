# SPDX-License-Identifier: Apache-2.0
"""What the documents look like: their members, types and texts."""

import re
from datetime import datetime, timedelta

UPTIME = re.compile(r"(?:(?:(?:(?:\d+y)?\d+d)?\d+h)?\d+m)?\d+s")
DURATION = re.compile(r"0s|\d+ns|\d+µs|\d+(?:\.\d*[1-9])?ms|(?:(?:\d+h)?\d+m)?\d+(?:\.\d*[1-9])?s")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{0,8}[1-9])?(?:Z|[+-]\d\d:\d\d)")
UTC_TIME = re.compile(TIME.pattern.replace(r"|[+-]\d\d:\d\d", ""))
SERVER_ID = re.compile(r"N[A-Z2-7]{55}")
DIGEST = re.compile(r"(?:sha256:[0-9a-f]{64})?")
NUMBER = float  # any number, where `int` is one without a fraction

_UNITS = {"y": 365 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}


class Map:
    """An object with any names, and values of one shape."""

    def __init__(self, shape):
        self.shape = shape


def seconds(text: str) -> float:
    """How long an uptime or a duration is."""
    return sum(float(n) * _UNITS[unit] for n, unit in re.findall(r"([\d.]+)([a-zµ]+)", text))


def moment(text: str) -> datetime:
    """A time, to the microsecond."""
    return datetime.fromisoformat(re.sub(r"\.(\d+)", lambda match: "." + match[1].ljust(6, "0")[:6], text).replace("Z", "+00:00"))


def age(text: str, now: str) -> timedelta:
    """How long ago that was."""
    return moment(now) - moment(text)


def check(value, shape, path: str = "$") -> None:
    """Fails unless the value has that shape: a type, a pattern, a value, [elements], (one, or another),
    {"name": …, "may be absent?": …} or Map(values)."""
    if isinstance(shape, dict):
        _check_object(value, shape, path)
    elif isinstance(shape, Map):
        assert isinstance(value, dict), f"{path} is no object: {value!r}"
        for name, member in value.items():
            check(member, shape.shape, f"{path}.{name}")
    elif isinstance(shape, list):
        assert isinstance(value, list), f"{path} is no array: {value!r}"
        for i, element in enumerate(value):
            check(element, shape[0], f"{path}[{i}]")
    elif isinstance(shape, re.Pattern):
        assert isinstance(value, str) and shape.fullmatch(value), f"{path} is {value!r}, not {shape.pattern}"
    elif isinstance(shape, tuple):
        assert any(_has(value, one, path) for one in shape), f"{path} is {value!r}"
    elif isinstance(shape, type):
        _check_type(value, shape, path)
    else:
        assert value == shape and type(value) is type(shape), f"{path} is {value!r}, not {shape!r}"


def _has(value, shape, path: str) -> bool:
    try:
        check(value, shape, path)
    except AssertionError:
        return False
    return True


def _check_object(value, shape: dict, path: str) -> None:
    assert isinstance(value, dict), f"{path} is no object: {value!r}"
    allowed = {name.rstrip("?") for name in shape}
    required = {name for name in shape if not name.endswith("?")}
    assert required <= set(value) <= allowed, \
        f"{path} lacks {sorted(required - set(value))} and should not have {sorted(set(value) - allowed)}"
    for name, member in shape.items():
        if name.rstrip("?") in value:
            check(value[name.rstrip("?")], member, f"{path}.{name.rstrip('?')}")


def _check_type(value, shape: type, path: str) -> None:
    types = (int, float) if shape is NUMBER else (shape,)
    assert isinstance(value, types) and (shape is bool or not isinstance(value, bool)), f"{path} is {value!r}, no {shape.__name__}"


COUNTS = {"clients": int, "routes": int, "gateways": int, "leafs": int}
VARZ = {
    "server_id": SERVER_ID, "server_name": str, "version": str, "proto": 1, "git_commit?": str, "go": str, "host": str, "port": int,
    "auth_required?": True, "tls_required?": True, "tls_verify?": True, "tls_ocsp_peer_verify?": True, "ip?": str,
    "connect_urls?": [str], "ws_connect_urls?": [str], "max_connections": int, "max_subscriptions?": int, "ping_interval": int,
    "ping_max": int, "http_host": str, "http_port": int, "http_base_path": str, "https_port": int, "auth_timeout": NUMBER,
    "max_control_line": int, "max_payload": int, "max_pending": int, "cluster": dict, "gateway": dict, "leaf": dict, "mqtt": dict,
    "websocket": dict, "jetstream": dict, "tls_timeout": NUMBER, "write_deadline": int, "write_timeout?": str, "start": UTC_TIME,
    "now": UTC_TIME, "uptime": UPTIME, "mem": int, "cores": int, "gomaxprocs": int, "gomemlimit?": int, "cpu": NUMBER,
    "connections": int, "total_connections": int, "routes": int, "remotes": int, "leafnodes": int, "in_msgs": int, "in_bytes": int,
    "in_client_msgs": int, "in_client_bytes": int, "out_msgs": int, "out_bytes": int, "out_client_msgs": int,
    "out_client_bytes": int, "slow_consumers": int, "stale_connections": int, "stalled_clients": int, "subscriptions": int,
    "http_req_stats": Map(int), "config_load_time": UTC_TIME, "config_digest": DIGEST, "tags?": [str], "metadata?": Map(str),
    "feature_flags?": Map(bool), "trusted_operators_jwt?": [str], "trusted_operators_claim?": [dict], "system_account?": str,
    "pinned_account_fails?": int, "ocsp_peer_cache?": dict, "slow_consumer_stats": COUNTS, "stale_connection_stats": COUNTS,
    "disk_io_wait_stats": {"waiters": int, "waits": int, "wait_time": int, "max_wait_time": int},
    "proxies?": {"trusted": [{"key": str}]}, "tls_cert_not_after?": TIME,
}

SUB_DETAIL = {"account?": str, "account_tag?": str, "subject": str, "qgroup?": str, "sid": str, "msgs": int, "max?": int, "cid": int}
CONNECTION = {  # open, without "auth"
    "cid": int, "kind": "Client", "type": "nats", "ip": str, "port": int, "start": TIME, "last_activity": TIME, "rtt": DURATION,
    "uptime": UPTIME, "idle": UPTIME, "pending_bytes": int, "in_msgs": int, "out_msgs": int, "in_bytes": int, "out_bytes": int,
    "stalls?": int, "subscriptions": int, "name?": str, "lang?": str, "version?": str, "tls_version?": str, "tls_cipher_suite?": str,
    "tls_first?": True,
}
DEPENDING = {  # on what was asked for
    "tls_peer_certs?": [{"subject": str, "spki_sha256": re.compile("[0-9a-f]{64}"), "cert_sha256": re.compile("[0-9a-f]{64}")}],
    "authorized_user?": str, "account?": str, "issuer_key?": str, "jwt?": str, "tags?": [str], "name_tag?": str,
    "subscriptions_list?": [str], "subscriptions_list_detail?": [SUB_DETAIL], "proxy?": {"key": str},
}
CLOSED = {**CONNECTION, **DEPENDING, "stop": TIME, "reason": str}


def connz(entry=None) -> dict:
    """/connz with entries of this shape."""
    return {"server_id": SERVER_ID, "now": UTC_TIME, "num_connections": int, "total": int, "offset": int, "limit": int,
            "connections": [entry or CONNECTION]}


SUBLIST = {"num_subscriptions": int, "num_cache": int, "num_inserts": int, "num_removes": int, "num_matches": int,
           "cache_hit_rate": NUMBER, "max_fanout": int, "avg_fanout": NUMBER}
SUBSZ = {"server_id": SERVER_ID, "now": UTC_TIME, **SUBLIST, "total": int, "offset": int, "limit": int,
         "subscriptions_list?": [SUB_DETAIL]}
ROUTEZ = {"server_id": SERVER_ID, "server_name": str, "now": UTC_TIME, "import?": dict, "export?": dict, "num_routes": 0, "routes": []}
GATEWAYZ = {"server_id": SERVER_ID, "now": UTC_TIME, "outbound_gateways": {}, "inbound_gateways": {}}
LEAFZ = {"server_id": SERVER_ID, "now": UTC_TIME, "leafnodes": 0, "leafs": []}

ACCOUNTZ = {"server_id": SERVER_ID, "now": UTC_TIME, "system_account?": str, "accounts": [str]}
_LATENCY = {"sampling": (int, "headers"), "results": str}
EXPORT = {"subject": str, "type": re.compile("stream|service"), "token_req?": bool, "response_type?": str,
          "service_latency?": _LATENCY, "approved_accounts?": [str], "revoked_activations?": Map(TIME)}
IMPORT = {"subject": str, "account": str, "to?": str, "local_subject?": str, "type": re.compile("stream|service"), "invalid": bool,
          "share": bool, "tracking": bool, "tracking_header?": Map([str]), "latency?": _LATENCY, "m1?": dict}
ACCOUNT = {"account_name": str, "update_time": TIME, "is_system?": True, "expired": bool, "complete": bool, "jetstream_enabled": bool,
           "leafnode_connections": int, "client_connections": int, "subscriptions": int,
           "mappings?": Map([{"subject": str, "weight": int, "cluster?": str}]), "exports?": [EXPORT], "imports?": [IMPORT],
           "jwt?": str, "issuer_key?": str, "name_tag?": str, "tags?": [str], "decoded_jwt?": dict, "validation_result_jwt?": [dict],
           "revoked_user?": Map(TIME), "sublist_stats": SUBLIST, "responses?": Map({**IMPORT, "type": 2})}
ACCOUNTZ_ONE = {"server_id": SERVER_ID, "now": UTC_TIME, "system_account?": str, "account_detail": ACCOUNT}
_TRAFFIC = {"msgs": int, "bytes": int}
_ALL_TRAFFIC = {**_TRAFFIC, "gateways": _TRAFFIC, "routes": _TRAFFIC, "leafs": _TRAFFIC}
ACCSTATZ = {"server_id": SERVER_ID, "now": UTC_TIME, "account_statz": [{
    "acc": str, "name": str, "conns": int, "leafnodes": int, "total_conns": int, "num_subscriptions": int, "sent": _ALL_TRAFFIC,
    "received": _ALL_TRAFFIC, "slow_consumers": int}]}
JSZ_OFF = {"memory": 0, "storage": 0, "reserved_memory": 0, "reserved_storage": 0, "accounts": 0, "ha_assets": 0,
           "api": {"level": int, "total": 0, "errors": 0}, "server_id": SERVER_ID, "now": UTC_TIME, "disabled": True,
           "config": {"max_memory": 0, "max_storage": 0}, "streams": 0, "consumers": 0, "messages": 0, "bytes": 0, "total": 0}
