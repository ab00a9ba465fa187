# SPDX-License-Identifier: Apache-2.0
"""What the services of the system account say, and to whom."""

from golden.client import TIMEOUT, Client, taken
from golden.recorder import EVENT_ID, SERVER_ID, outcome, scenario
from golden.servers import jget, settle, until

PASSWORD = {"pass": "pw"}
MINE = "$SYS.REQ.SERVER.{server_id}."
OF_A = "$SYS.REQ.ACCOUNT.A."
SERVICES = ["IDZ", "STATSZ", "VARZ", "SUBSZ", "CONNZ", "ROUTEZ", "GATEWAYZ", "LEAFZ", "ACCOUNTZ", "JSZ", "HEALTHZ", "PROFILEZ", "EXPVARZ",
            "IPQUEUESZ", "RAFTZ"]
NOT_FOR_PING = ["ACCSTATZ", "KICK", "LDM", "RELOAD"]
OUTCOMES = [  # requests and payloads
    (MINE + "VARZ", "{bad"), (MINE + "STATSZ", "{bad"), (MINE + "IDZ", "{bad"), (MINE + "CONNZ", "[]"), (MINE + "CONNZ", '{"limit":"x"}'),
    (MINE + "CONNZ", '{"state":"closed"}'), (MINE + "CONNZ", '{"sort":"zzz"}'), (MINE + "CONNZ", '{"sort":"stop"}'),
    (MINE + "CONNZ", '{"filter_subject":"foo"}'), (MINE + "CONNZ", '{"unknown_field":1}'), (MINE + "CONNZ", '{"SORT":"zzz"}'),
    (MINE + "SUBSZ", '{"test":"a.*"}'), (MINE + "ACCOUNTZ", '{"account":"NOPE"}'), (MINE + "JSZ", '{"leader_only":true}'),
    ("$SYS.REQ.ACCOUNT.NOPE.INFO", ""), ("$SYS.REQ.ACCOUNT.NOPE.STATZ", ""), ("$SYS.REQ.ACCOUNT.NOPE.CONNZ", ""),
    ("$SYS.REQ.ACCOUNT.NOPE.CONNS", ""), (OF_A + "CONNS", '{"acc":"B"}'), ("$SYS.REQ.ACCOUNT.EMPTY.CONNS", ""),
    ("$SYS.REQ.ACCOUNT.EMPTY.STATZ", ""), ("$SYS.REQ.ACCOUNT.EMPTY.STATZ", '{"include_unused":true}'), (OF_A + "JSZ", ""),
    ("$SYS.REQ.ACCOUNT.PING.CONNZ", ""), (OF_A + "VARZ", ""), (MINE + "KICK", '{"cid":999999}'), (MINE + "KICK", ""), (MINE + "KICK", "{"),
    (MINE + "LDM", '{"cid":999999}'), (MINE + "LDM", ""), ("$SYS.REQ.SERVER.NOSUCHID.VARZ", ""), (MINE + "NOPE", ""),
    ("$SYS.REQ.ACCOUNT.NSUBS", '{"acc":"A","subject":"foo.a"}'), ("$SYS.REQ.ACCOUNT.NSUBS", '{"acc":"A","subject":"foo.a","queue":"cTE="}'),
    ("$SYS.REQ.ACCOUNT.NSUBS", '{"acc":"A","subject":"foo.*"}'), ("$SYS.REQ.ACCOUNT.NSUBS", ""), ("$SYS.REQ.CLAIMS.LIST", ""),
    (OF_A + "CLAIMS.LOOKUP", ""), (OF_A + "CLAIMS.UPDATE", "x")]
FILTERS = [
    '{"server_name":"gol"}', '{"server_name":"gol","exact_match":true}', '{"server_name":"golden","exact_match":true}',
    '{"server_name":"GOLDEN"}', '{"host":"127."}', '{"host":"127.","exact_match":true}', '{"cluster":"c"}', '{"tags":["tier:gold"]}',
    '{"tags":["TIER:GOLD"]}', '{"tags":["tier:gold","region:eu"]}', '{"tags":["tier:gold","x"]}', '{"domain":"d"}',
    '{"Server_Name":"nope"}', "{}"]
ENCODINGS = [("Accept-Encoding", value) for value in ("gzip", "snappy", "s2", "GZIP, Snappy", "br", "identity")] + [("accept-encoding", "gzip")]
ASKED_BY_ALL = [
    "$SYS.REQ.USER.INFO", "$SYS.REQ.SERVER.PING.CONNZ", "$SYS.REQ.ACCOUNT.PING.CONNZ", "$SYS.REQ.ACCOUNT.PING.STATZ", "$SYS.REQ.SERVER.PING",
    "$SYS.REQ.SERVER.PING.VARZ", "$SYS.REQ.SERVER.PING.STATSZ", MINE + "VARZ", OF_A + "CONNZ", "$SYS.REQ.ACCOUNT.B.CONNZ",
    "$SYS.REQ.USER.A.INFO", "$SYS.DEBUG.SUBSCRIBERS", MINE + "KICK"]
# Of the clients that ask, counters depend on how often they did.
VOLATILE = [(r"\[sys-app\]\.(in|out)_(msgs|bytes)$", "~", "uint"), (r"\[sys-app\]\.subscriptions$", "~", "uint"),
            (r"^\$\.data\.(in|out)(_client)?_(msgs|bytes)$", "~", "uint"), (r"\[SYS\]\.(sent|received)", "~", "uint")]
LISTED = [(r"^\$\.data\.subscriptions_list$", "[~]", ""), (r"subscriptions_list\[.*\]\.(sid|subject|qgroup)$", "~", "any"),
          (r"\.data\.total$", "~", "uint")]


@scenario
def core_requests(ctx):
    """$SYS.REQ.* services of a stand-alone server."""
    s = ctx.start('server_tags: ["region:eu", "tier:gold"]\nserver_metadata {rack: "r1"}\n')
    alice = Client(s.port, user="alice", name="alice-app", **PASSWORD)
    alice.sub("foo.a")
    alice.sub("foo.a", group="q1")
    ann, bob, system = (Client(s.port, user=user, name=f"{user}-app", **PASSWORD) for user in ("ann", "bob", "sys"))
    for client in (alice, ann, bob, system):
        client.flush()
    settle(s.mon, 4)
    _services(ctx, system)
    _outcomes(ctx, system)
    _accounts(ctx, system)
    _access(ctx, s, {"alice": alice, "ann": ann, "sys": system})
    _actions(ctx, s, system, alice)
    _forced_broadcast(ctx, system)


def _mine(subject, client):
    return subject.replace("{server_id}", client.server_id)


def _capture(ctx, client, name, subject, data="", rules=()):
    """The answer to a request of the system account."""
    ctx.answer(name, client, _mine(subject, client), data, [*rules, *VOLATILE])


def _services(ctx, system):
    """What each of them says, by id."""
    _capture(ctx, system, "idz", MINE + "IDZ", rules=SERVER_ID)
    for name in ("STATSZ", "VARZ", "SUBSZ"):
        _capture(ctx, system, name.lower(), MINE + name)
    _capture(ctx, system, "connz", MINE + "CONNZ", {"auth": True, "subscriptions": True, "acc": "A"})
    _capture(ctx, system, "connz_filter_subject", MINE + "CONNZ", {"acc": "A", "filter_subject": "foo.*", "subscriptions_detail": True})
    _capture(ctx, system, "connz_closed_numeric_state", MINE + "CONNZ", {"state": 1})
    for name in ("ROUTEZ", "GATEWAYZ", "LEAFZ", "ACCOUNTZ", "JSZ", "HEALTHZ", "RAFTZ", "EXPVARZ", "PROFILEZ"):
        _capture(ctx, system, name.lower(), MINE + name)
    _capture(ctx, system, "accountz_acc", MINE + "ACCOUNTZ", {"account": "A"})
    _capture(ctx, system, "healthz_details", MINE + "HEALTHZ", {"stream": "S", "details": True})
    _capture(ctx, system, "profilez_cpu_bad", MINE + "PROFILEZ", {"name": "cpu"})
    _capture(ctx, system, "ipqueuesz_all", MINE + "IPQUEUESZ", {"all": True}, [(r"^\$\.data$", "map", "")])


def _outcomes(ctx, system):
    """Tables of many requests: who answers, with what kind of answer."""
    pings = {}
    for name in ("(legacy)", *SERVICES, *NOT_FOR_PING):
        answers = system.ask_all("$SYS.REQ.SERVER.PING" + ("" if name == "(legacy)" else "." + name))
        pings[name] = {"replies": len(answers), "first": outcome(answers[0]) if answers else None}
    ctx.save("ping_services", pings, {"request": "$SYS.REQ.SERVER.PING[.<key>]", "derived": "number of replies, top level keys"})

    found = {f"{subject} {data}".strip(): outcome(system.ask_perhaps(_mine(subject, system), data)) for subject, data in OUTCOMES}
    ctx.save("request_outcomes", found,
             {"request": "<key>", "derived": "error object, keys, status or no reply; text of JSON syntax and type errors is volatile"},
             [(r'(bad|\[\]|"x"\}|"closed"\}|UPDATE x)\.error\.description$', "~", "any")])

    answered = {text: {name: system.ask_perhaps(_mine(MINE + name, system), text) is not None for name in ("VARZ", "STATSZ", "IDZ")}
                for text in FILTERS}
    ctx.save("filters", answered, {"request": "$SYS.REQ.SERVER.{server_id}.VARZ|STATSZ|IDZ <key>", "derived": "answered?"})

    encoded = {}
    for header, value in ENCODINGS:
        for name, data in (("VARZ", ""), ("STATSZ", ""), ("IDZ", ""), ("CONNZ", '{"sort":"zzz"}')):
            if name == "VARZ" or value == "gzip":
                answer = system.ask(_mine(MINE + name, system), data, {header: value})
                encoded[f"{header}: {value} -> {name} {data}"] = {"headers": answer.header, "decodes_to_json": bool(answer.json())}
    ctx.save("encodings", encoded, {"derived": "headers of replies"})


def _accounts(ctx, system):
    """What there is to be known of one account, or some."""
    rules = {"SUBSZ": LISTED, "CONNS": EVENT_ID}
    for name in ("SUBSZ", "CONNZ", "LEAFZ", "INFO", "STATZ", "CONNS"):
        _capture(ctx, system, f"account_{name.lower()}", OF_A + name, rules=rules.get(name, ()))
    _capture(ctx, system, "account_ping_statz", "$SYS.REQ.ACCOUNT.PING.STATZ", {"accounts": ["A", "B", "EMPTY"], "include_unused": True})


def _access(ctx, s, clients):
    """What other accounts may ask; each of them only ever sees itself."""
    alice, ann, system = clients.values()
    dbg = Client(s.port, user="dbg", name="dbg-app", **PASSWORD)
    dbg.sub("seen")
    dbg.flush()
    access = {}
    for who, client, ask in (("alice (A)", alice, alice.ask), ("dbg (DBG imports $SYS.DEBUG.SUBSCRIBERS)", dbg, dbg.ask),
                             ("sys (SYS)", system, system.ask_perhaps)):
        for subject in ASKED_BY_ALL:
            answer = ask(_mine(subject, client), "seen" if "DEBUG" in subject else "")
            access.setdefault(subject, {})[who] = outcome(answer)
    ctx.save("access_by_account", access, {"request": "<key> sent by each account", "derived": "outcome"})
    ctx.answer("user_info", alice, "$SYS.REQ.USER.INFO")
    ctx.answer("user_info_permissions", ann, "$SYS.REQ.USER.INFO")

    def seen(client, subject, data, entries, key):
        return sorted(entry[key] for entry in client.ask(subject, data).json()["data"][entries])

    ctx.save("account_clamp", {
        "A asks CONNZ with acc=B": seen(alice, "$SYS.REQ.ACCOUNT.PING.CONNZ", {"acc": "B", "auth": True}, "connections", "name"),
        "A asks STATZ with accounts=[B]": seen(alice, "$SYS.REQ.ACCOUNT.PING.STATZ", {"accounts": ["B"]}, "account_statz", "acc"),
        "SYS asks PING.CONNZ": seen(system, "$SYS.REQ.SERVER.PING.CONNZ", "", "connections", "name"),
    }, {"derived": "a non-system account only ever sees itself"})


def _actions(ctx, s, system, alice):
    """Telling a client to go, closing it, reloading."""
    n_infos = len(alice.infos)
    _capture(ctx, system, "ldm_client", MINE + "LDM", {"cid": alice.cid})
    until(lambda: len(alice.infos) > n_infos)
    ctx.save("ldm_client_info", {"ldm": alice.infos[-1].get("ldm"), "still_connected": not alice.closed.is_set()},
             {"derived": "asynchronous INFO after the LDM request"})
    _capture(ctx, system, "kick", MINE + "KICK", {"cid": alice.cid})
    alice.closed.wait(TIMEOUT)
    until(lambda: jget(s.mon, "/connz?state=closed")["num_connections"] == 1)
    ctx.save("kick_effect", {"closed": alice.closed.is_set(), "errs": alice.errors,
                             "reason": jget(s.mon, "/connz?state=closed")["connections"][0]["reason"]}, {"derived": True})
    _capture(ctx, system, "reload", MINE + "RELOAD")
    s.write(s.conf + "\nbad_field: 1\n")
    said = system.ask(_mine(MINE + "RELOAD", system)).json()
    said["error"]["description"] = said["error"]["description"].replace(s.dir, "$DIR")
    ctx.save("reload_error", said, {"request": MINE + "RELOAD"}, [(r"description$", "~", "any")])


def _forced_broadcast(ctx, system):
    """A request without a reply subject: STATSZ broadcasts, the rest is silent."""
    told = system.sub("$SYS.SERVER.*.STATSZ")
    system.fence()
    taken(told)
    for _ in range(3):
        system.pub("$SYS.REQ.SERVER.PING")
    system.fence()
    broadcasts = taken(told)
    ctx.save("statsz_forced_broadcast", {"requests": 3, "broadcasts_at_least": min(len(broadcasts), 3), "keys": sorted(broadcasts[0].json())},
             {"derived": "PING without reply subject, three in a row, not rate limited"})


@scenario
def no_system_account(ctx):
    """What is answered without one, and without any configuration."""
    asked = ("$SYS.REQ.SERVER.PING", "$SYS.REQ.USER.INFO", "$SYS.REQ.ACCOUNT.PING.CONNZ")
    s = ctx.start("no_system_account: true\n", accounts="")
    client = Client(s.port, name="x")
    found = {subject: outcome(client.ask(subject)) for subject in asked}
    found["varz has system_account"] = "system_account" in jget(s.mon, "/varz")
    found["accountz"] = {name: value for name, value in jget(s.mon, "/accountz").items() if name not in ("now", "server_id")}
    ctx.save("disabled", found, {"derived": "no_system_account: true"})

    s = ctx.start(accounts="")
    client = Client(s.port, name="x")
    found = {subject: outcome(client.ask(subject)) for subject in asked}
    found["varz.system_account"] = jget(s.mon, "/varz")["system_account"]
    found["accountz"] = sorted(jget(s.mon, "/accountz")["accounts"])
    ctx.save("default", found, {"derived": "no accounts configured at all"})
