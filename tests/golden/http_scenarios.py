# SPDX-License-Identifier: Apache-2.0
"""What the monitoring port says."""

import re
import tempfile

from golden.certificates import client_context, write_files
from golden.client import TIMEOUT, Client
from golden.recorder import scenario
from golden.servers import http_get, jget, raw_tcp, settle, until

PASSWORD = {"pass": "pw"}
ALICE = {"user": "alice", **PASSWORD}
CLOSED = "/connz?state=closed"
DOCUMENTS = [("accountz", "/accountz"), ("accountz_A", "/accountz?acc=A"), ("accountz_B", "/accountz?acc=B"), ("accstatz", "/accstatz"),
             ("routez", "/routez"), ("gatewayz", "/gatewayz"), ("leafz", "/leafz"), ("jsz_disabled", "/jsz"), ("healthz", "/healthz"),
             ("ipqueuesz", "/ipqueuesz")]
ODD_PATHS = [
    "/connz?auth=foo", "/connz?auth=tRuE", "/connz?auth=T", "/connz?auth=", "/connz?subs=foo", "/connz?subs=DETAIL", "/connz?offset=x",
    "/connz?offset=-1", "/connz?limit=x", "/connz?limit=-5", "/connz?limit=99999999999999999999", "/connz?cid=x", "/connz?cid=-1",
    "/connz?state=foo", "/connz?state=CLOSED", "/connz?state=any", "/connz?state=all", "/connz?sort=stop&state=all",
    "/connz?sort=reason&state=closed", "/connz?auth=1&auth=foo", "/connz?callback=cb", "/routez?subs=x", "/routez?subs=detail",
    "/subsz?subs=detail", "/subsz?offset=x", "/subsz?limit=x", "/subsz?test=foo.*", "/subsz?test=..", "/gatewayz?subs=x", "/gatewayz?accs=x",
    "/leafz?subs=x", "/leafz?subs=detail", "/accountz?acc=NOPE", "/accstatz?unused=x", "/jsz?accounts=x", "/jsz?streams=x",
    "/jsz?consumers=x", "/jsz?direct-consumers=x", "/jsz?config=x", "/jsz?offset=x", "/jsz?limit=x", "/jsz?leader-only=x",
    "/jsz?leader-only=1", "/jsz?raft=x", "/jsz?stream-leader-only=x", "/healthz?js-enabled=x", "/healthz?js-enabled-only=x",
    "/healthz?js-enabled-only=1", "/healthz?js-server-only=x", "/healthz?js-meta-only=x", "/healthz?details=x", "/healthz?details=1",
    "/healthz?stream=S", "/healthz?consumer=C", "/healthz?stream=S&details=1", "/ipqueuesz?all=x", "/raftz", "/raftz?acc=x", "/stacksz",
    "/nope", "/varz/", "/Varz", "//varz", "/debug/pprof/", "/debug"]
RAW_REQUESTS = {
    "http/1.0": b"GET /healthz HTTP/1.0\r\n\r\n",
    "no Host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "garbage": b"GARBAGE\r\n\r\n",
    "keep-alive": b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "two pipelined, close": b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "absolute form": b"GET http://foo/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"}
COUNTED_PATHS = ["/", "/connz", "/connz?auth=foo", "/subsz?subs=x", "/subscriptionsz", "/routez?subs=x", "/stacksz", "/ipqueuesz", "/raftz",
                 "/debug/vars", "/nope", "/accstatz?unused=x"]


@scenario
def core_http(ctx):
    """Every HTTP endpoint of a stand-alone server with accounts, no TLS."""
    s = ctx.start('server_tags: ["region:eu", "tier:gold"]\nserver_metadata {rack: "r1"}\n')
    _root(ctx, s.mon)
    ctx.http("connz_none", s.mon, "/connz")
    clients = _clients(s.port)
    settle(s.mon, 3)
    _connz(ctx, s.mon, clients[0].cid)
    _subsz(ctx, s.mon)
    for name, path in DOCUMENTS:
        ctx.http(name, s.mon, path)
    ctx.http("accstatz_unused", s.mon, "/accstatz?unused=1", [(r"\[SYS\]\.(sent|received)", "~", "uint")])
    ctx.http("ipqueuesz_all", s.mon, "/ipqueuesz?all=1", [(r"^\$$", "map", "")])
    ctx.http("debug_vars", s.mon, "/debug/vars")
    _errors(ctx, s.mon)
    _protocol(ctx, s.mon)
    _counts(ctx, s.mon, clients[-1])
    _closed(ctx, s.mon, clients)


def _root(ctx, mon):
    """The page with links, without that to the version."""
    status, headers, body = http_get(mon, "/")
    links = re.findall(r"<a href=(\S+?)(?: class=\S+)?>([^<]*)(?:<span[^>]*>([^<]*)</span>)?</a>", body.decode())
    ctx.save("root", {"status": status, "content_type": headers.get("Content-Type"),
                      "links": [{"href": href, "text": text.strip(), "endpoint": endpoint.strip()} for href, text, endpoint in links[1:]]},
             {"http": "GET /", "derived": "links of the HTML page, version link left out"})


def _clients(port):
    """Three, with subscriptions and some traffic."""
    alice = Client(port, name="alice-app", **ALICE)
    ann = Client(port, user="ann", name="ann-app", lang="go", version="1.40.0", **PASSWORD)
    bob = Client(port, user="bob", name="bob-app", **PASSWORD)
    alice.sub("foo.a")
    alice.sub("jobs", group="workers")
    alice.sub("lim", max_msgs=5)
    ann.sub("foo.>")
    ann.sub("work", group="q1")
    bob.sub("x")
    for client in (alice, ann, bob):
        client.flush()
    for _ in range(3):
        alice.pub("foo.a", b"0123456789")
    alice.pub("lim", b"x")
    alice.flush()
    ann.pub("foo.b", b"y" * 100)
    ann.pub("foo.b", b"y" * 10)
    ann.flush()
    bob.flush()
    return alice, ann, bob


def _connz(ctx, mon, cid):
    """The connections, in parts and in order."""
    ctx.http("varz", mon, "/varz")
    for name, query in (("connz", ""), ("connz_auth", "?auth=1"), ("connz_subs", "?subs=1"), ("connz_subs_detail", "?subs=detail&auth=true"),
                        ("connz_page", "?limit=1&offset=1")):
        ctx.http(name, mon, "/connz" + query)
    ctx.http("connz_cid", mon, f"/connz?cid={cid}", show="/connz?cid={alice}")
    ctx.http("connz_acc", mon, "/connz?acc=A")
    ctx.http("connz_acc_unknown", mon, "/connz?acc=NOPE", [(r"\.server_id$", "=", "")])
    ctx.http("connz_user", mon, "/connz?user=bob")
    orders = {}
    for key in ("", "cid", "start", "subs", "msgs_to", "msgs_from", "bytes_to", "bytes_from"):
        orders[key or "(none)"] = [entry["name"] for entry in jget(mon, "/connz?sort=" + key)["connections"]]
    for key in ("pending", "last", "idle", "uptime", "rtt", "stop", "reason", "bogus", "CID"):
        status, _, body = http_get(mon, "/connz?sort=" + key)
        orders[key] = {"status": status, "text": body.decode() if status != 200 else "ok"}
    ctx.save("connz_sort", orders, {"http": "GET /connz?sort=X", "derived": "order of names, or status and text"})


def _subsz(ctx, mon):
    """The subscriptions."""
    ctx.http("subsz", mon, "/subsz")
    ctx.http("subsz_subs_acc", mon, "/subsz?subs=1&acc=B", [
        (r"\.(total)$", "~", "uint"), (r"^\$\.subscriptions_list$", "[~]", ""), (r"subscriptions_list\[.*\]\.(sid|subject)$", "~", "any"),
        (r"subscriptions_list\[.*\]\.(msgs)$", "~", "uint")])
    ctx.http("subsz_test", mon, "/subscriptionsz?subs=1&acc=A&test=foo.a")
    pages = [jget(mon, f"/subsz?subs=1&acc=A&limit=2&offset={offset}") for offset in (0, 1, 9999)]
    ctx.save("subsz_page", [{"offset": page["offset"], "limit": page["limit"], "returned": len(page.get("subscriptions_list", [])),
                             "list_present": "subscriptions_list" in page, "total_same": page["total"] == pages[0]["total"]}
                            for page in pages], {"http": "GET /subsz?subs=1&acc=A&limit=2&offset=0|1|9999", "derived": "paging"})


def _errors(ctx, mon):
    """Paths and options that are wrong, or nearly."""
    found = {}
    for path in ODD_PATHS:
        status, headers, body = http_get(mon, path)
        entry = {"status": status, "content_type": headers.get("Content-Type")}
        if status >= 400 or path.startswith("/healthz"):
            entry["text"] = body.decode()
        for key, header in (("acao", "Access-Control-Allow-Origin"), ("location", "Location")):
            if headers.get(header):
                entry[key] = headers[header]
        found[path] = entry
    ctx.save("status_and_errors", found, {"http": "GET <key>", "derived": "status, content type, text of errors"}, [(r"location$", "=", "")])


def _protocol(ctx, mon):
    """HTTP itself."""
    methods = {}
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"):
        status, headers, body = http_get(mon, "/healthz", method=method)
        methods[method] = {"status": status, "body": body.decode(), "content_length": headers.get("Content-Length")}
    ctx.save("methods", methods, {"http": "<key> /healthz", "derived": True})
    found = {}
    for name, data in RAW_REQUESTS.items():
        answer, end = raw_tcp(mon, data)
        found[name] = {"status_lines": [line.decode() for line in re.findall(rb"HTTP/1\.[01] \d{3}", answer)],
                       "bodies": answer.count(b'{"status":"ok"}'), "then": end}
    ctx.save("http_protocol", found, {"derived": "raw requests to the monitoring port"})


def _counts(ctx, mon, client):
    """What requests and subscriptions add to counters."""
    before = jget(mon, "/varz")["http_req_stats"]
    for path in COUNTED_PATHS:
        http_get(mon, path)
    after = jget(mon, "/varz")["http_req_stats"]
    ctx.save("http_req_stats", {path: after[path] - before.get(path, 0) for path in sorted(after)},
             {"derived": "increase after one GET each of / /connz /connz?auth=foo(400) /subsz?subs=x(400) /subscriptionsz "
              "/routez?subs=x(400) /stacksz /ipqueuesz /raftz /debug/vars /nope /accstatz?unused=x(400) and the second /varz"})

    def n_subscriptions():
        return jget(mon, "/varz")["subscriptions"], jget(mon, "/connz?acc=B")["connections"][0]["subscriptions"]

    before = n_subscriptions()
    for i in range(7):
        client.sub(f"delta.{i}")
    client.flush()
    after = n_subscriptions()
    ctx.save("subscription_delta", {"varz": after[0] - before[0], "connz": after[1] - before[1]}, {"derived": "7 SUBs by one client"})


def _closed(ctx, mon, clients):
    """One of them closes."""
    clients[0].close()
    until(lambda: jget(mon, CLOSED)["num_connections"] == 1)
    ctx.http("connz_closed", mon, CLOSED + "&subs=detail&auth=1",  # the peer drops "max" or not, a race
             optional={"$.connections[*].subscriptions_list_detail[*].max": "int ?~ uint"})
    ctx.http("connz_closed_plain", mon, CLOSED)
    ctx.http("connz_all", mon, "/connz?state=all&subs=1")
    for client in clients[1:]:
        client.close()


@scenario
def closed_ring(ctx):
    """max_closed_clients bounds what state=closed can return."""
    s = ctx.start("max_closed_clients: 3\n")
    for i in range(5):
        Client(s.port, name=f"c{i}", **ALICE).close()
        until(lambda name=f"c{i}": [entry["name"] for entry in jget(s.mon, CLOSED)["connections"]].count(name) == 1)
    still_open = Client(s.port, name="open", **ALICE)
    found = {}
    for path in (CLOSED, "/connz?state=all", "/connz", CLOSED + "&limit=2", CLOSED + "&limit=2&offset=2", CLOSED + "&offset=10",
                 CLOSED + "&acc=A", CLOSED + "&acc=B", "/connz?state=all&limit=1"):
        page = jget(s.mon, path)
        found[path] = _page(page, "offset") | {"names": [entry["name"] for entry in page["connections"]]}
    found[CLOSED + "&cid={open}"] = _page(jget(s.mon, f"{CLOSED}&cid={still_open.cid}")) | {"names": []}
    oldest = jget(s.mon, CLOSED)["connections"][0]["cid"]
    page = jget(s.mon, f"{CLOSED}&cid={oldest}")
    found[CLOSED + "&cid={oldest kept}"] = _page(page) | {"names": [entry["name"] for entry in page["connections"]]}
    ctx.save("paging", found, {"http": "GET <key>", "derived": "five closed connections, ring of three, one open"})
    still_open.close()


def _page(page, *more):
    return {name: page[name] for name in ("num_connections", "total", "limit", *more)}


@scenario
def tls(ctx):
    """Client TLS with verified client certificates, https monitoring."""
    with tempfile.TemporaryDirectory(prefix="golden-tls-") as folder:
        write_files(folder)
        web = client_context(folder, has_certificate=False)
        s = ctx.start(f'tls {{ cert_file: "{folder}/cert.pem", key_file: "{folder}/key.pem", ca_file: "{folder}/ca.pem", verify: true, '
                      "timeout: 2, handshake_first: auto }\n", tls=web)
        _tls_clients(ctx, s, web, client_context(folder))


def _tls_clients(ctx, s, web, context):
    """Two that log in, one of which closes; and one that does not know of TLS."""
    alice = Client(s.port, tls=context, name="alice-tls", **ALICE)
    bob = Client(s.port, tls=context, tls_first=True, user="bob", name="bob-tls-first", **PASSWORD)
    settle(s.mon, 2, tls=web)
    for name, path in (("varz", "/varz"), ("connz", "/connz"), ("connz_auth", "/connz?auth=1")):
        ctx.http(name, s.mon, path, tls=web)
    plain = Client(s.port, connect=False)
    plain.send(b"CONNECT {}\r\nPING\r\n")
    plain.closed.wait(TIMEOUT)
    until(lambda: jget(s.mon, CLOSED, tls=web)["num_connections"] == 1)
    entry = jget(s.mon, CLOSED, tls=web)["connections"][0]
    answer, end = raw_tcp(s.mon, b"GET /varz HTTP/1.1\r\nHost: x\r\n\r\n")
    ctx.save("edges", {"plain_client_reason": entry["reason"], "plain_client_errs": plain.errors, "tls_fields_absent": "tls_version" not in entry,
                       "http_to_https_port": answer.decode().replace("\r\n", "\n"), "then": end,
                       "monitor_asks_no_client_certificate": http_get(s.mon, "/healthz", tls=web)[0]}, {"derived": True})
    alice.close()
    bob.close()
    until(lambda: jget(s.mon, CLOSED, tls=web)["num_connections"] == 3)
    (entry,) = [entry for entry in jget(s.mon, CLOSED + "&auth=1", tls=web)["connections"] if entry.get("name") == "alice-tls"]
    ctx.save("closed_conn_fields", sorted(entry), {"http": "GET /connz?state=closed&auth=1", "derived": "field names of alice-tls"})


@scenario
def base_path(ctx):
    """All paths below another one."""
    s = ctx.start('http_base_path: "/mon"\n')
    found = {}
    for path in ("/", "/mon", "/mon/", "/mon/varz", "/varz", "/mon/subscriptionsz", "/mon/debug/vars", "/mon/healthz"):
        status, headers, body = http_get(s.mon, path)
        found[path] = {"status": status, "content_type": headers.get("Content-Type")}
        if path == "/mon":
            found[path]["hrefs"] = re.findall(r"<a href=(\./\S*?)[ >]", body.decode())
    found["varz.http_base_path"] = jget(s.mon, "/mon/varz")["http_base_path"]
    found["http_req_stats_keys"] = sorted(jget(s.mon, "/mon/varz")["http_req_stats"])
    ctx.save("paths", found, {"http": "GET <key>", "derived": 'http_base_path: "/mon"'})
