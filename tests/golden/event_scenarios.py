# SPDX-License-Identifier: Apache-2.0
"""What servers tell by themselves, of clients that come and go and of their own end."""

import json
import signal
import socket
from itertools import pairwise

from golden.client import TIMEOUT, Client, next_with, taken
from golden.recorder import EVENT_ID, SERVER_ID, scenario
from golden.servers import ACCOUNTS, http_get, jget, until

PASSWORD = {"pass": "pw"}
ALICE = {"user": "alice", **PASSWORD}
CLOSED = "/connz?state=closed"


class Ear:
    """Everything that a client of the system account hears, in order."""

    def __init__(self, client):
        self._client, self._messages = client, client.sub("$SYS.>")
        self.heard = []
        client.flush()

    def next(self, subject):
        """The next message with this subject."""
        while True:
            message = self._messages.get(timeout=TIMEOUT)
            self.heard.append(message)
            if message.subject == subject:
                return message

    def all_of(self, *subjects):
        """By subject, when messages with all of these have come."""
        found = {}
        while not found.keys() >= set(subjects):
            message = self._messages.get(timeout=TIMEOUT)
            self.heard.append(message)
            found[message.subject] = message
        return found

    def until_now(self):
        """What else was told before now, the requests of clients apart."""
        self._client.fence()
        new = taken(self._messages)
        self.heard += new
        return [message for message in new if not message.subject.startswith("$SYS.REQ.")]


@scenario
def events(ctx):
    """Everything the server publishes on its own, stand-alone."""
    s = ctx.start(accounts="authorization { users: [ {user: g, password: pw} ] }\n" + ACCOUNTS)
    port, mon = s.port, s.mon
    system = Client(port, user="sys", name="sys-app", **PASSWORD)
    sid, ear = system.server_id, Ear(system)

    ctx.msg("statsz", ear.next(f"$SYS.SERVER.{sid}.STATSZ"), sid, [(r"\.statsz\.(connections|active_accounts)$", "~", "uint")])
    times = [ear.heard[-1].at] + [ear.next(f"$SYS.SERVER.{sid}.STATSZ").at for _ in range(2)]
    ctx.save("statsz_period", {"gap1_rounded": round(times[1] - times[0]), "gap2_rounded": round(times[2] - times[1])},
             {"derived": "seconds between the first three broadcasts"})

    alice = Client(port, name="alice-app", lang="go", version="1.40.0", **ALICE)
    ctx.msg("account_conns_old_subject", ear.next("$SYS.SERVER.ACCOUNT.A.CONNS"), sid, EVENT_ID)
    ctx.msg("account_conns", ear.next("$SYS.ACCOUNT.A.SERVER.CONNS"), sid, EVENT_ID)
    ctx.msg("client_connect", ear.next("$SYS.ACCOUNT.A.CONNECT"), sid, EVENT_ID)
    alice.sub("foo")
    for _ in range(4):
        alice.pub("foo", b"12345")
    alice.flush()
    alice.close()
    told = ear.all_of("$SYS.ACCOUNT.A.SERVER.CONNS", "$SYS.ACCOUNT.A.DISCONNECT")
    ctx.msg("account_conns_zero", told["$SYS.ACCOUNT.A.SERVER.CONNS"], sid, EVENT_ID)
    ctx.msg("client_disconnect", told["$SYS.ACCOUNT.A.DISCONNECT"], sid, EVENT_ID)
    until(lambda: jget(mon, CLOSED)["num_connections"] == 1)

    _failures(ctx, s, sid, ear)
    _limits(ctx, s, ear)
    _latency(ctx, s, sid)
    ear.until_now()
    _isolation(ctx, s, ear)
    _reload(ctx, s, system, ear)
    _sequence(ctx, ear.heard)

    s.proc.send_signal(signal.SIGTERM)
    ctx.msg("shutdown", ear.next(f"$SYS.SERVER.{sid}.SHUTDOWN"), sid, SERVER_ID)
    s.proc.wait(TIMEOUT)


def _failures(ctx, s, sid, ear):
    """Of a login: told to the system account twice, and to the account $G."""
    ear.until_now()
    g = Client(s.port, user="g", name="g-app", **PASSWORD)
    told_in_account = g.sub("$SYS.>")
    g.flush()
    subjects = {message.subject.replace(sid, "{server_id}") for message in ear.until_now()}
    ctx.save("global_account_events", sorted(subjects - {"$SYS.SERVER.{server_id}.STATSZ"}),
             {"derived": "subjects seen when a client of $G connects (no account connection counts)"})
    Client(s.port, user="alice", name="bad-app", **{"pass": "wrong"})
    failure, end = f"$SYS.SERVER.{sid}.CLIENT.AUTH.ERR", "$SYS.ACCOUNT.$G.DISCONNECT"
    told = ear.all_of(failure, end)
    ctx.msg("auth_error_server", told[failure], sid, EVENT_ID)
    ctx.msg("auth_error_disconnect", told[end], sid, EVENT_ID)
    ctx.msg("auth_error_account", told_in_account.get(timeout=TIMEOUT), sid, EVENT_ID, note="received by a client of account $G")
    until(lambda: jget(s.mon, CLOSED)["num_connections"] == 2)


def _limits(ctx, s, ear):
    """Of an account: one client too many, then one that subscribes and sends too much."""
    begin = len(ear.heard)
    one = Client(s.port, user="lim", name="lim-1", **PASSWORD)
    two = Client(s.port, user="lim", name="lim-2", **PASSWORD)
    two.closed.wait(TIMEOUT)
    ear.next("$SYS.ACCOUNT.LIM.DISCONNECT")
    for subject in ("a", "b", "c"):
        one.sub(subject)
    one.flush()
    one.pub("a", b"x" * 65)
    one.closed.wait(TIMEOUT)
    ear.all_of("$SYS.ACCOUNT.LIM.DISCONNECT", "$SYS.ACCOUNT.LIM.SERVER.CONNS")
    until(lambda: jget(s.mon, CLOSED)["num_connections"] == 4)
    told = ear.heard[begin:]
    ctx.save("account_limits", {
        "second_connection": two.errors, "third_sub_then_payload": one.errors,
        "disconnect_reasons": sorted(m.json()["reason"] for m in told if m.subject == "$SYS.ACCOUNT.LIM.DISCONNECT"),
        "connect_events": sum(m.subject == "$SYS.ACCOUNT.LIM.CONNECT" for m in told),
        "conns_events_at_least_2": sum(m.subject == "$SYS.ACCOUNT.LIM.SERVER.CONNS" for m in told) >= 2,
    }, {"derived": "account with max_connections 1, max_subscriptions 2, max_payload 64"})


def _latency(ctx, s, sid):
    """A service of A that B asks."""
    alice = Client(s.port, name="alice-app", **ALICE)
    metrics, requests = alice.sub("lat.echo"), alice.sub("svc.echo")
    alice.flush()
    bob = Client(s.port, user="bob", name="bob-app", **PASSWORD)
    answers = bob.sub("_INBOX.lat")
    bob.flush()
    bob.pub("echo", b"hi", "_INBOX.lat")
    request = requests.get(timeout=TIMEOUT)
    ctx.save("service_import_request", {"subject": request.subject, "reply_prefix": request.reply[:4], "headers": sorted(request.header)},
             {"derived": "request as seen by the responder"})
    alice.pub(request.reply, b"ho")
    answers.get(timeout=TIMEOUT)
    ctx.msg("service_latency", metrics.get(timeout=TIMEOUT), sid, EVENT_ID + [(r"^\$\.(service|system|total)$", "~", "int")],
            note="B asks echo, A answers svc.echo")


def _isolation(ctx, s, ear):
    """An ordinary account imports its own events; its own subjects below $SYS are private."""
    dbg = Client(s.port, user="dbg", name="dbg-app", **PASSWORD)
    ear.until_now()
    own, private = dbg.sub("ev.>"), dbg.sub("$SYS.>")
    dbg.flush()
    other = Client(s.port, user="dbg", name="dbg-2", **PASSWORD)
    other.pub("$SYS.SERVER.made.up", b"x")
    other.flush()
    ear.until_now()
    dbg.flush()
    ctx.save("isolation", {"imported_event_subjects": sorted({m.subject for m in taken(own)}),
                           "seen_on_$SYS_inside_DBG": [m.subject for m in taken(private)],
                           "leaked_to_system_account": any(m.subject == "$SYS.SERVER.made.up" for m in ear.heard)},
             {"derived": "SYS exports $SYS.ACCOUNT.*.> with account_token_position 3, DBG imports its part as ev.>"})


def _reload(ctx, s, system, ear):
    """It authorises every client again, which is told."""
    n_before = jget(s.mon, "/connz")["num_connections"]
    answer = system.ask(f"$SYS.REQ.SERVER.{system.server_id}.RELOAD").json()
    told = ear.until_now()
    ctx.save("reload_events", {"connect_events_equal_connections": sum(m.subject.endswith(".CONNECT") for m in told) == n_before,
                               "disconnect_events": sum(m.subject.endswith(".DISCONNECT") for m in told), "error": "error" in answer,
                               "connections_kept": jget(s.mon, "/connz")["num_connections"] == n_before},
             {"derived": "RELOAD with an unchanged file"})


def _sequence(ctx, heard):
    """Numbers and ids of all that."""
    numbers = [message.json()["server"]["seq"] for message in heard if b'"server"' in message.payload]
    ids = {}
    for message in heard:
        if message.subject.endswith(".CONNS"):
            ids.setdefault(message.json()["id"], []).append(message.subject.split(".")[1])
    ctx.save("sequence", {
        "strictly_increasing": all(earlier < later for earlier, later in pairwise(numbers)), "first_seq_above_1": numbers[0] > 1,
        "same_id_on_both_conns_subjects": all(sorted(kinds) == ["ACCOUNT", "SERVER"] for kinds in ids.values()),
        "no_headers": not any(message.has_header for message in heard),
        "no_reply": all(not message.reply or message.subject.startswith("$SYS.REQ.") for message in heard),
    }, {"derived": "over all messages seen on $SYS.>"})


@scenario
def lame_duck(ctx):
    """Its course, with one client."""
    s = ctx.start('lame_duck_duration: "30s"\nlame_duck_grace_period: "1s"\n')
    system = Client(s.port, user="sys", name="sys-app", **PASSWORD)
    told = system.sub("$SYS.SERVER.*.LAMEDUCK")
    system.flush()
    alice = Client(s.port, name="alice-app", **ALICE)
    s.proc.send_signal(signal.SIGUSR2)
    ctx.msg("lameduck", told.get(timeout=TIMEOUT), system.server_id, SERVER_ID)
    until(lambda: alice.infos[-1].get("ldm"))
    status, _, body = http_get(s.mon, "/healthz")
    ctx.save("during", {"healthz_status": status, "healthz": json.loads(body), "varz_status": http_get(s.mon, "/varz")[0],
                        "new_client": _connect(s.port), "client_info_ldm": alice.infos[-1]["ldm"]}, {"derived": "0.3 s after SIGUSR2"})
    alice.closed.wait(TIMEOUT)
    s.proc.wait(TIMEOUT)
    ctx.save("after", {"exit_code": s.proc.returncode, "client_errs": alice.errors}, {"derived": True})


def _connect(port):
    try:
        socket.create_connection(("127.0.0.1", port), TIMEOUT).close()
    except OSError:
        return "refused"
    return "accepted"


@scenario
def closed_reasons(ctx):
    """Why connections end, as told by /connz and the DISCONNECT advisory."""
    s = ctx.start('max_payload: 2048\nmax_control_line: 256\nping_interval: "1s"\nping_max: 1\nmax_connections: 6\n',
                  accounts="authorization { timeout: 0.7 }\n" + ACCOUNTS)
    port, mon = s.port, s.mon
    system = Client(port, user="sys", name="sys-app", **PASSWORD)
    told, seen = system.sub("$SYS.ACCOUNT.*.DISCONNECT"), {}
    system.flush()

    def end(label, client, last_words=b""):
        """What is told when the client has said this."""
        if last_words:
            client.send(last_words)
        client.closed.wait(TIMEOUT)
        until(lambda: jget(mon, CLOSED)["num_connections"] == len(seen) + 1)
        event = told.get(timeout=TIMEOUT).json()
        last = max(jget(mon, CLOSED)["connections"], key=lambda entry: entry["cid"])
        seen[label] = {"errs": client.errors, "connz_reason": last["reason"], "event_reason": event["reason"],
                       "event_account": event["client"]["acc"]}

    def silent(name, **opts):
        """A client that does not wait for an answer to its CONNECT; and that CONNECT."""
        client = Client(port, connect=False, name=name, **ALICE, **opts)
        return client, b"CONNECT " + json.dumps(client.opts).encode() + b"\r\n"

    client = Client(port, name="r-closed", **ALICE)
    client.close()
    end("client closes", client)
    end("bad password", Client(port, name="r-authfail", user="alice", **{"pass": "no"}))
    end("no CONNECT within the auth timeout", Client(port, connect=False, pong=False))
    end("PONG before CONNECT while auth is required", Client(port, connect=False), b"PONG\r\n")
    end("unknown operation", Client(port, name="r-proto", **ALICE), b"BOGUS stuff\r\n")
    end("payload above max_payload", Client(port, name="r-payload", **ALICE), b"PUB foo 4000\r\n" + b"x" * 4000 + b"\r\n")
    end("control line above max_control_line", Client(port, name="r-ctrl", **ALICE), b"PUB " + b"x" * 600 + b" 1\r\nx\r\n")
    end("no PONG", Client(port, name="r-stale", pong=False, **ALICE))
    end("CONNECT with protocol 9", *silent("r-proto9", protocol=9))
    end("no_responders without headers", *silent("r-noresp", headers=False, no_responders=True))
    end("HPUB without headers support", Client(port, name="r-hpub", headers=False, no_responders=False, **ALICE),
        b"HPUB foo 12 12\r\nNATS/1.0\r\n\r\n\r\n")
    client = Client(port, name="r-kick", **ALICE)
    system.ask(f"$SYS.REQ.SERVER.{system.server_id}.KICK", {"cid": client.cid})
    end("KICK request", client)
    many = [Client(port, name=f"keep-{i}", **ALICE) for i in range(5)]
    end("above max_connections", Client(port, connect=False))
    ctx.save("reasons", seen, {"derived": "one connection after the other"})

    reasons = [entry["reason"] for entry in jget(mon, CLOSED + "&sort=reason")["connections"]]
    ctx.save("sorted_by_reason", reasons, {"http": "GET /connz?state=closed&sort=reason", "derived": "reasons in order"})
    stops = [entry["stop"] for entry in jget(mon, CLOSED + "&sort=stop")["connections"]]
    ctx.save("sorted_by_stop", {"newest_first": all(later >= earlier for later, earlier in pairwise(stops)), "count": len(stops)}, {"derived": True})
    varz = jget(mon, "/varz")
    counts = ("connections", "total_connections", "stale_connections", "slow_consumers", "stale_connection_stats")
    ctx.save("varz_counts", {name: varz[name] for name in counts}, {"derived": "part of /varz"})
    for client in many:
        client.close()


@scenario
def slow_consumer(ctx):
    """A client that does not read."""
    s = ctx.start('max_pending: 1048576\n')
    port, mon = s.port, s.mon
    system = Client(port, user="sys", name="sys-app", **PASSWORD)
    told = system.sub("$SYS.ACCOUNT.A.DISCONNECT")
    system.flush()
    slow = Client(port, name="slow-app", rcvbuf=4096, **ALICE)
    slow.sub("flood")
    slow.flush()
    slow.paused.set()
    fast = Client(port, name="fast-app", **ALICE)

    def flood():
        for _ in range(4):
            fast.pub("flood", b"z" * 500_000)
        fast.flush()
        return jget(mon, CLOSED)["num_connections"] == 1

    until(flood)
    slow.paused.clear()  # the Go server lists it as closed before it has tried to write everything; that is no second slow consumer
    until(lambda: _n_open(mon) == (1, 2))
    message = next_with(told, "$SYS.ACCOUNT.A.DISCONNECT")
    ctx.msg("disconnect", message, system.server_id, EVENT_ID + [(r"\.reason$", "=", ""), (r"\.(sent|received)\.", "~", "uint")])
    volatile = [(r"\.(in|out)(_client)?_(msgs|bytes)$", "~", "uint"), (r"\.stalls$", "?~", "uint"), (r"\.stalled_clients$", "?~", "uint"),
                (r"\.(sent|received)\.", "~", "uint")]
    ctx.http("connz_closed", mon, CLOSED, volatile)
    ctx.http("accstatz", mon, "/accstatz", volatile)
    varz = jget(mon, "/varz")
    ctx.save("varz_counts", {name: varz[name] for name in ("slow_consumers", "slow_consumer_stats")}, {"derived": "part of /varz"})
    ctx.msg("statsz", system.ask(f"$SYS.REQ.SERVER.{system.server_id}.STATSZ"), system.server_id, volatile)
    fast.close()


def _n_open(mon):
    """Connections of A, and of all accounts."""
    entries = {entry["acc"]: entry for entry in jget(mon, "/accstatz")["account_statz"]}
    return entries["A"]["conns"], jget(mon, "/varz")["connections"]
