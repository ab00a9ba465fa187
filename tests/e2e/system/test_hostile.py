# SPDX-License-Identifier: Apache-2.0
"""Requests and events that are meant to do harm: after each of them the server answers as before."""

import json
import threading

import pytest

from e2e.accounts.lines import account, accounts, pub, read_message
from e2e.system.talk import SERVICES, SYSTEM

MINE, PING = "$SYS.REQ.SERVER.{id}.", "$SYS.REQ.SERVER.PING."
OTHERS = ["$SYS.REQ.ACCOUNT.A.CONNZ", "$SYS.REQ.ACCOUNT.A.SUBSZ", "$SYS.REQ.ACCOUNT.A.STATZ", "$SYS.REQ.ACCOUNT.A.INFO",
          "$SYS.REQ.ACCOUNT.A.CONNS", "$SYS.REQ.ACCOUNT.A.JSZ", "$SYS.REQ.ACCOUNT.A.LEAFZ", "$SYS.REQ.ACCOUNT.PING.STATZ",
          "$SYS.REQ.ACCOUNT.NSUBS", "$SYS.REQ.USER.INFO", MINE + "KICK", MINE + "LDM", MINE + "RELOAD", "$SYS.REQ.SERVER.PING"]
IN_ORDER = [MINE + name for name in SERVICES if name != "PROFILEZ"] + OTHERS  # that one may answer after all the others
BIG = {
    "deep arrays": b"[" * 100_000,
    "deep and closed": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "deep unknown member": b'{"x":' + b"[" * 9_000 + b"]" * 9_000 + b"}",
    "long string": b'{"acc":"' + b"x" * 1_000_000 + b'"}',
    "long number": b'{"limit":' + b"9" * 100_000 + b"}",
    "long fraction": b'{"limit":0.' + b"0" * 100_000 + b"1}",
    "many members": b"{" + b",".join(b'"k%d":%d' % (i, i) for i in range(50_000)) + b"}",
    "one member, many times": b"{" + b",".join([b'"limit":1'] * 50_000) + b"}",
    "many tags": b'{"tags":[' + b",".join([b'"region:eu"'] * 50_000) + b"]}",
    "blanks": b" " * 1_000_000,
    "zeros": b"\0" * 1_000_000,
}
ODD = {
    "bad UTF-8": b'{"acc":"\xff\xfe\xc0\x80"}', "lone surrogate": b'{"acc":"\\ud800"}', "NUL": b'{"acc":"a\\u0000b"}',
    "control": b'{"acc":"a\nb"}', "huge exponent": b'{"limit":1e999999999}', "minus": b'{"limit":-}', "negative": b'{"limit":-5,"offset":-5}',
    "most": b'{"limit":9223372036854775807,"offset":9223372036854775807}', "least": b'{"limit":-9223372036854775808}',
    "not a number": b'{"limit":NaN}', "comment": b"{/* */}", "comma": b'{"limit":1,}', "single quotes": b"{'limit':1}", "BOM": b"\xef\xbb\xbf{}",
    "bad subject": b'{"acc":"A","filter_subject":"foo..bar"}', "wild": b'{"acc":"*","account":">","user":"*","auth":true}',
    "format": b'{"sort":"%s%n%x","acc":"%s%n","account":"%n"}', "path": b'{"name":"../../etc/passwd","debug":99}',
    "empty account": b'{"acc":"","account":"","subject":"","queue":""}', "bad queue": b'{"acc":"A","subject":"foo","queue":"!!!"}',
    "quotes": b'{"acc":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u20ac"}', "negative cid": b'{"cid":-1}', "huge cid": b'{"cid":18446744073709551615}',
    "larger cid": b'{"cid":18446744073709551616}', "duration": b'{"name":"cpu","duration":-1}',
}


@pytest.fixture(scope="module", autouse=True)
def configured(request, tmp_path_factory):
    """The module's server has SYSTEM, and lets large requests in."""
    path = tmp_path_factory.mktemp("hostile") / "server.conf"
    path.write_text("max_payload: 8MB\nmax_pending: 64MB\nmax_control_line: 32KB\n" + SYSTEM)
    request.module.SERVER_ARGS = ["-c", path]


@pytest.fixture
def sys(talk, server):
    """A client of the system account; after the test, another one is answered as ever."""
    yield talk(server, "sys")
    witness = talk(server, "sys")
    for name in SERVICES:
        assert json.loads(witness.ask(MINE + name).payload)
    assert witness.data("$SYS.REQ.USER.INFO")["user"] == "sys"


# ---- payloads

def ask_everybody(sys, payload):
    """All answers that there are, are documents."""
    sys.send(MINE + "PROFILEZ", payload, reply=b"_J")
    for subject in IN_ORDER:
        for answer in sys.answers(subject, payload):
            assert json.loads(answer.payload) is not None


@pytest.mark.parametrize("what", BIG)
def test_e23_big(sys, what):
    """E-23: size and depth of a request do no harm, whatever the answer is."""
    ask_everybody(sys, BIG[what])


@pytest.mark.parametrize("what", ODD)
def test_e23_odd(sys, what):
    """E-23: nor does what is not quite JSON, or no sensible value."""
    ask_everybody(sys, ODD[what])


@pytest.mark.parametrize("text", ["\u0001\u001f\u007f", "\"\\/", "<>&\u2028\u20ac\U0001f600", "a\u0000b", "%s%n", "x" * 100_000],
                         ids=["control", "quotes", "letters", "NUL", "format", "long"])
def test_e23_text_comes_back_whole(sys, text):
    """E-23: what an error repeats is written as JSON."""
    assert sys.error(MINE + "CONNZ", json.dumps({"sort": text}))["description"] == "invalid sorting option: " + text


def test_e25_headers(sys):
    """E-25: odd headers are read over."""
    for lines in ([], [b"Accept-Encoding"], [b"Accept-Encoding:"], [b"Accept-Encoding: " + b"gzip," * 10_000], [b": gzip"],
                  [b'Nats-Request-Info: {"acc":"B"}'], [b"Nats-Request-Info: {"]):
        assert sys.ask(MINE + "VARZ", header=b"\r\n".join([b"NATS/1.0", *lines, b"", b""])).payload
    for header in (b"NATS/1.0 503\r\n\r\n", b"garbage without an end"):
        assert sys.ask(MINE + "VARZ", header=header).payload


# ---- subjects

@pytest.mark.parametrize("subject", [
    "$SYS.REQ.SERVER." + "N" * 20_000 + ".VARZ", "$SYS.REQ.SERVER.{id}." + "X" * 20_000, "$SYS.REQ.ACCOUNT." + "A" * 20_000 + ".CONNZ",
    "$SYS.REQ.SERVER.{id}.VARZ." + ".".join("x" * 500), "$SYS.REQ.ACCOUNT.%s%n.INFO", "$SYS.REQ.ACCOUNT.\"\\.INFO", "$SYS.REQ.ACCOUNT.\u20ac.INFO",
    "$SYS.REQ.ACCOUNT.$G.INFO", "$SYS.REQ.ACCOUNT.$SYS.INFO", "$SYS.REQ.ACCOUNT.INFO", "$SYS.REQ.ACCOUNT", "$SYS.REQ.USER.X.INFO", "$SYS.REQ.USER",
    "$SYS.REQ", "$SYS", "$SYS._INBOX.x.y", "$SYS._INBOX_.{id}", "$SYS.REQ.ACCOUNT.A.CLAIMS.UPDATE", "$SYS.ACCOUNT.A.CLAIMS.UPDATE",
    "$SYS.REQ.CLAIMS.DELETE", "$SYS.REQ.CLAIMS.PACK", "$SYS.DEBUG.SUBSCRIBERS"])
def test_e21_subjects(sys, subject):
    """E-21: whatever is asked for."""
    for payload in ("", "{}", "x" * 1000):
        sys.answers(subject, payload)


def test_e21_wildcards_ask_nobody(sys, talk, server):
    """E-21: who publishes to a wildcard publishes to nobody."""
    for subject in ("$SYS.REQ.SERVER.*.VARZ", "$SYS.REQ.SERVER.PING.*", "$SYS.REQ.>"):
        talker = talk(server, "sys")
        talker.send(subject, reply=b"_I.%d.x" % talker.cid)
        talker.client.ping()


@pytest.mark.parametrize("reply", [
    "$SYS.REQ.SERVER.PING", "$SYS.REQ.SERVER.PING.VARZ", "$SYS.REQ.SERVER.{id}.CONNZ", "$SYS.REQ.SERVER.{id}.KICK",
    "$SYS.SERVER.{id}.SHUTDOWN", "$SYS.SERVER.ACCOUNT.A.CONNS", "$SYS._INBOX_.{id}", "$SYS.REQ.USER.INFO", "a" * 10_000])
def test_e21_answers_to_the_server_itself(sys, reply):
    """E-21: the server does not ask itself."""
    for name in ("VARZ", "STATSZ", "IDZ"):
        for _ in range(20):
            sys.send(PING + name, reply=reply.replace("{id}", sys.server_id).encode())
    sys.settle()


# ---- events that others made up

@pytest.mark.parametrize("subject", [
    "$SYS.SERVER.{id}.SHUTDOWN", "$SYS.SERVER.{id}.LAMEDUCK", "$SYS.SERVER.{id}.STATSZ", "$SYS.SERVER.NOBODY.SHUTDOWN", "$SYS.SERVER.NOBODY.LAMEDUCK",
    "$SYS.SERVER.NOBODY.STATSZ", "$SYS.SERVER.ACCOUNT.A.CONNS", "$SYS.ACCOUNT.A.SERVER.CONNS", "$SYS.ACCOUNT.A.CONNECT", "$SYS.ACCOUNT.A.DISCONNECT",
    "$SYS.SERVER.{id}.CLIENT.AUTH.ERR", "$SYS.ACCOUNT.A.LEAFNODE.CONNECT", "$SYS.LATENCY.M2.fjFyEjc1", "$SYS.REQ.ACCOUNT.A.CONNS"])
def test_e04_made_up(sys, subject):
    """E-04: the server takes nothing from them that it should not; what is no document at all is harmless as well."""
    block = {"name": "X", "host": "x", "id": "NOBODY", "ver": "9", "seq": 2**63, "time": "2026-01-01T00:00:00Z", "cluster": 7}
    for payload in (b"", b"{", b"[]", b"null", b"\xff" * 1000, b"{}", json.dumps({"server": block, "acc": "A", "conns": -1, "total_conns": 2**40}),
                    json.dumps(block), json.dumps({"server": None, "acc": None}), json.dumps({"server": block, "statsz": {"active_servers": 10**9}})):
        sys.send(subject, payload)
    sys.settle()
    assert sys.inquire("$SYS.REQ.SERVER.PING")["statsz"]["active_servers"] <= 2


def test_e37_made_up_counts_close_nobody(system):
    """E-37: a stand-alone server does not count connections that somebody invented on itself."""
    w = system("system_account: SYS\n" + accounts(account("SYS"), account("LIM", "limits { max_connections: 3 }")))
    sys, client = w("sys"), w("lim")
    block = sys.inquire("$SYS.REQ.SERVER.PING.VARZ")["server"]
    sys.send("$SYS.SERVER.ACCOUNT.LIM.CONNS", {"server": {**block, "seq": 10**9}, "acc": "LIM", "conns": 100, "total_conns": 100})
    sys.settle()
    client.client.fence()
    w("lim").client.fence()


# ---- many

def test_e17_many_without_reply(sys, talk, server):
    """E-17: thousands of requests that nobody wants to be answered."""
    hearer = talk(server, "sys", "$SYS.SERVER.*.STATSZ")
    for _ in range(20):
        sys.client.send(b"".join(pub(f"$SYS.REQ.SERVER.PING{name}".encode()) for name in ["", ".STATSZ", ".VARZ", ".CONNZ", ".IDZ"]) * 20)
    sys.settle()
    assert len(hearer.events()) >= 800


def test_e21_many_at_once(sys, talk, server):
    """E-21: thousands of requests at a time, of several clients; each has its answer."""
    n_each, failures = 500, []

    def work(talker):
        try:
            inboxes = [b"_I.%d.n%d" % (talker.cid, i) for i in range(n_each)]
            talker.client.timeout = 60
            talker.client.send(b"".join(pub(f"$SYS.REQ.SERVER.PING.{SERVICES[i % 8]}".encode(), b"", inbox) for i, inbox in enumerate(inboxes)))
            assert {read_message(talker.client).subject for _ in inboxes} == set(inboxes)
        except AssertionError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=[talk(server, "sys")]) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_e21_askers_who_leave(sys, talk, server):
    """E-21: nobody waits for the answers."""
    for i in range(30):
        talker = talk(server, "sys" if i % 2 else "a")
        talker.client.send(b"".join(pub(subject, b"", b"_I.%d.x" % talker.cid) for subject in (
            b"$SYS.REQ.SERVER.PING.CONNZ", b"$SYS.REQ.ACCOUNT.PING.CONNZ", b"$SYS.REQ.USER.INFO") * 20))
        talker.client.reset()
    sys.settle()


def test_e21_askers_who_do_not_read(sys, connect, server):
    """E-21: answers pile up for one who does not read them; nobody else waits for that."""
    lazy = connect(server, rcvbuf=4096).connect(user="sys", **{"pass": "pw"})
    lazy.send(b"SUB inbox 1\r\n" + pub(b"$SYS.REQ.SERVER.PING.VARZ", b"", b"inbox") * 2000)
    for _ in range(20):
        sys.settle()


def test_e07_many_come_and_go(sys, talk, connect, server):
    """E-07: each of hundreds that come and go at once is told, and none twice."""
    hearer = talk(server, "sys", "$SYS.ACCOUNT.B.CONNECT", "$SYS.ACCOUNT.B.DISCONNECT")
    hearer.client.timeout = 60
    cids = []

    def work():
        for _ in range(50):
            client = connect(server)
            client.connect(user="b", **{"pass": "pw"})
            cids.append(client.cid)
            client.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = {"CONNECT": [], "DISCONNECT": []}
    for _ in range(2 * len(cids)):
        message = hearer.next_message()
        told[message.subject.decode().split(".")[-1]].append(json.loads(message.payload)["client"]["id"])
    assert sorted(told["CONNECT"]) == sorted(told["DISCONNECT"]) == sorted(cids)
    assert len(cids) == 300 and hearer.events() == []


def test_e33_reloads_in_between(system):
    """E-33: requests are answered, and clients counted right, while the server reloads again and again."""
    w = system()
    sys, reloader, a = w("sys"), w("sys"), w("a")
    for _ in range(20):
        reloader.send(MINE + "RELOAD", reply=b"_J")
        for name in ("VARZ", "CONNZ", "ACCOUNTZ", "SUBSZ"):
            sys.data(MINE + name)
    reloader.settle()
    assert sys.inquire("$SYS.REQ.ACCOUNT.A.CONNS")["conns"] == 1
    a.client.fence()
