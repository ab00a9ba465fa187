# SPDX-License-Identifier: Apache-2.0
"""How captures are compared: a line for each path of a document, inferred from it.  README.md explains the lines."""

import re

FORMATS = {  # those of texts; others are port, uint, int, num and any
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$",
    "uptime": r"(((\d+y)?\d+d)?\d+h)?(\d+m)?\d+s$",
    "dur": r"-?(0s|(\d+h)?(\d+m)?\d+(\.\d+)?(ns|µs|ms|s))$",
    "server_nkey": r"N[A-Z2-7]{55}$",
    "nuid": r"[0-9A-Za-z]{22}$",
    "hash8": r"[0-9A-Za-z]{8}$",
    "sha256": r"sha256:[0-9a-f]{64}$",
    "version": r"\d+\.\d+\.\d+",
    "hostport": r"[^ ]+:\d+$",
}

# (pattern of the concrete path, mode, format); the first that fits wins.  README.md lists the modes.
RULES = [
    # ---- objects and arrays
    (r"\.http_req_stats$", "map", ""), (r"\.feature_flags$", "map", ""),
    (r"\.memstats$", "*", ""), (r"\.cmdline$", "*", ""), (r"\.profile$", "*", ""),
    (r"\.connect_urls$", "[~]", ""), (r"\.ws_connect_urls$", "[~]", ""), (r"\.urls$", "ord", ""),
    (r"(connect_urls|\.urls)\[.*\]$", "~", "hostport"),
    (r"\.connections$", "key:name", ""), (r"\.leafs$", "key:name", ""), (r"\.routes$", "[~]", ""),
    (r"\.account_statz$", "key:acc", ""), (r"\.account_details$", "key:id", ""),
    (r"\.stream_detail$", "key:name", ""), (r"consumer_detail$", "key:name", ""),
    (r"\.subscriptions_list_detail$", "key:subject+sid", ""),
    (r"data\.subscriptions_list$|^\$\.subscriptions_list$", "key:account+subject+sid", ""),
    (r"\.subscriptions_list$", "set", ""), (r"\.accounts$", "set", ""),
    (r"\.imports$", "key:local_subject+subject+type", ""), (r"\.exports$", "key:subject+type", ""),
    (r"\.trusted_operators_claim$", "ord", ""), (r"\.replicas$", "key:name", ""),
    (r"\.outbound_gateways\.[^.]*\.accounts$|\.inbound_gateways.*\.accounts$", "key:name", ""),
    (r"\.permissions\.(publish|subscribe)\.(allow|deny)$", "set", ""), (r"\.approved_accounts$", "set", ""),
    (r"\.gateways$", "key:name", ""),
    # ---- identities
    (r"\.(server_id|remote_id)$", "~", "server_nkey"), (r"\.server\.id$", "~", "server_nkey"),
    (r"\.leafs\[.*\]\.id$|\.client\.id$|\.(requestor|responder)\.id$", "~", "uint"),
    (r"\.(rid|gwid|cid)$", "~", "uint"), (r"\.jti$", "~", "any"),
    (r"\.(peer|raft_group|stream_raft_group)$", "~", "any"),
    # ---- times
    (r"\.(now|start|stop|last_activity|timestamp|time|update_time|config_load_time|created|ts|last_time|"
     r"first_ts|last_ts|last_active|leader_since|tls_cert_not_after)$", "~", "time"),
    (r"\.(uptime|idle)$", "~", "uptime"),
    (r"\.(client|requestor|responder)\.rtt$", "?~", "uint"), (r"\.rtt$", "~", "dur"),
    (r"\.(service|system|total)$(?<=latency)", "~", "int"),
    # ---- process
    (r"\.(mem|cores|gomaxprocs|gomemlimit)$", "~", "uint"),
    (r"\.gomemlimit$", "?~", "uint"), (r"\.cpu$", "~", "num"), (r"\.go$", "~", "any"),
    (r"\.git_commit$", "?~", "any"),
    (r"^\$(\.data)?\.version$|\.server\.ver$|^\$\.ver$", "~", "version"),
    (r"\.config_digest$", "~", "sha256"), (r"\.seq$", "~", "uint"),
    (r"\.(port|http_port|https_port|cluster_port)$", "port", ""),
    # ---- counters that depend on server internals or timing
    (r"\.(num_cache|num_inserts|num_removes|num_matches|max_fanout)$", "~", "uint"),
    (r"\.(cache_hit_rate|avg_fanout)$", "~", "num"),
    (r"\.pending_bytes$|\.pending_size$|\.pending$", "~", "uint"),
    (r"\.disk_io_wait_stats\.", "~", "uint"),
    (r"^\$(\.data)?\.(subscriptions|num_subscriptions)$", "~", "uint"), (r"\.statsz\.subscriptions$", "~", "uint"),
    (r"\.statsz\.(sent|received)(_to_clients|_from_clients)?\.", "~", "uint"),
    (r"\.statsz\.(total_connections)$", "~", "uint"),
    (r"\.(in|out)(_client)?_(msgs|bytes)$", "=", ""),
    (r"\.sublist_stats\.", "~", "uint"),
    (r"\.num_subscriptions$|account_detail\.subscriptions$", "~", "uint"),
]
FLOATS = re.compile(r"\.(cpu|cache_hit_rate|avg_fanout|auth_timeout|tls_timeout|elapsed)$")


def json_type(value):
    if value is None:
        return "null"
    types = {bool: "bool", int: "int", float: "number", str: "string", list: "array", dict: "object"}
    return types[type(value)]


def element_key(value, fields, i):
    """What identifies element i of an array: its fields (F+G: several), else its place."""
    if isinstance(value, dict):
        parts = [str(value.get(field, "")) for field in fields.split("+")]
        if any(parts):
            return ",".join(parts)
    return f"#{i}"


def _classify(path, value, rules):
    """Mode and format of the value there."""
    kind = json_type(value)
    for pattern, mode, form in rules:
        if not re.search(pattern, path):
            continue
        if mode == "port":
            return ("~", "port") if isinstance(value, int) and value > 0 else ("=", "")
        if kind == "array":
            fits = mode not in ("=", "~", "?~")
        elif kind == "object":
            fits = mode not in ("=", "~", "ord", "set", "[~]")
        else:
            fits = mode not in ("ord", "set", "map", "[~]") and not mode.startswith("key:")
        if fits:
            return mode, form
    return {"array": "ord", "object": "{}"}.get(kind, "="), ""


def _children(value, mode):
    """The parts of a value, as (value, end of the general path, end of the concrete one)."""
    if isinstance(value, dict):
        for name, inner in value.items():
            end = ".<key>" if mode == "map" else f".{name}"
            yield inner, end, end
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            key = element_key(inner, mode[4:], i) if mode.startswith("key:") else f"#{i}"
            yield inner, "[*]", f"[{key}]"


def infer(value, rules):
    """Lines "type mode format" by path: for each general path ([*] for elements) the most frequent line, and concrete paths that differ."""
    seen = {}  # general path -> {line: [concrete paths]}

    def walk(value, general, concrete):
        mode, form = _classify(concrete, value, rules)
        is_number = FLOATS.search(general) and isinstance(value, (int, float))
        line = " ".join(filter(None, ("number" if is_number else json_type(value), mode, form)))
        seen.setdefault(general, {}).setdefault(line, []).append(concrete)
        for inner, general_end, concrete_end in _children(value, mode) if mode != "*" else ():
            walk(inner, general + general_end, concrete + concrete_end)

    walk(value, "$", "$")
    paths = {}
    for general, lines in seen.items():
        paths[general] = max(lines, key=lambda line: len(lines[line]))
        for line, places in lines.items():
            if line != paths[general]:
                paths.update((place, line) for place in places if place != general)
    return paths
