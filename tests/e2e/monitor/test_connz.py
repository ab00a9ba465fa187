# SPDX-License-Identifier: Apache-2.0
"""/connz: open connections, and which of them one asks for.  test_sort.py has their order, test_closed.py those that are closed."""

import json
import socket
from collections import Counter
from datetime import timedelta

import pytest

from e2e.accounts.lines import pub
from e2e.auth.nkey import Nkey
from e2e.monitor.shapes import CONNECTION, DEPENDING, age, check, connz, moment, seconds
from harness import eventually

ACCOUNTS = "accounts { A { users: [ {user: a, password: pw}, {user: ann, password: pw} ] }, B { users: [ {user: b, password: pw} ] } }\n"
MAX = (1 << 63) - 1
USER, PROXY = Nkey("U", "user"), Nkey("A", "proxy")
IDENTITY = ("authorized_user", "account", "issuer_key", "jwt", "tags", "name_tag", "tls_peer_certs")


@pytest.fixture
def three(world):
    """A server with accounts, and clients a, b and again a, in that order."""
    w = world(ACCOUNTS)
    return w, [w("a"), w("b"), w("a")]


def cids(document: dict) -> list[int]:
    return [entry["cid"] for entry in document["connections"]]


# ---- the document

def test_m15_nobody(world):
    document = world().document("/connz")
    check(document, connz())
    assert (document["num_connections"], document["total"], document["offset"], document["limit"]) == (0, 0, 0, 1024)
    assert document["connections"] == []


def test_m15_default(three):
    """Open ones, in the order in which they came."""
    w, clients = three
    document = w.document("/connz")
    check(document, connz())
    assert (document["num_connections"], document["total"], document["offset"], document["limit"]) == (3, 3, 0, 1024)
    assert cids(document) == sorted(client.cid for client in clients)
    assert document["server_id"] == w.document("/varz")["server_id"]


def test_m15_entry(world):
    w = world()
    c = w(None, b"x", name="a name", lang="some <lang>", version="1.2\u00b53", headers=True)
    c.send(pub(b"x", b"12345") * 3 + pub(b"y", b"1"))
    c.ping()
    entry = eventually(lambda: (found := w.entry(c))["pending_bytes"] == 0 and found)
    check(entry, CONNECTION)
    wanted = {"cid": c.cid, "kind": "Client", "type": "nats", "ip": "127.0.0.1", "port": c.sock.getsockname()[1], "pending_bytes": 0,
              "in_msgs": 4, "in_bytes": 16, "out_msgs": 3, "out_bytes": 15, "subscriptions": 1, "name": "a name", "lang": "some <lang>",
              "version": "1.2\u00b53"}
    assert {name: entry[name] for name in wanted} == wanted


def test_m15_entry_of_who_says_little(world):
    """Texts that CONNECT lacks are lacking; one that has not said CONNECT is a connection like any other."""
    w = world()
    for client in (w(), w(name="", lang="", version=""), w.raw()):
        entry = w.entry(client)
        check(entry, CONNECTION)
        assert not {"name", "lang", "version", "tls_version", "stalls", "stop", "reason", *IDENTITY} & set(entry)


@pytest.mark.parametrize("offset, limit, wanted", [
    (0, 1, [0]), (1, 1, [1]), (2, 1, [2]), (3, 1, []), (1, 2, [1, 2]), (1, 1000, [1, 2]), (2, MAX, [2]), (MAX, MAX, []), (MAX, 1, []),
    (MAX - 1, 3, []), (0, MAX, [0, 1, 2]), (0, 0, [0, 1, 2]), (1, 0, [1, 2]), (-1, 1, [0]), (-MAX - 1, -MAX - 1, [0, 1, 2]),
    (-5, -5, [0, 1, 2])])
def test_m15_paging(three, offset, limit, wanted):
    """Counts are of the page, `total` is of all; what is too small stands for the default."""
    w, clients = three
    document = w.document(f"/connz?offset={offset}&limit={limit}")
    check(document, connz())
    assert cids(document) == [clients[i].cid for i in wanted]
    assert document["num_connections"] == len(wanted)
    assert document["total"] == 3
    assert document["offset"] == max(offset, 0)
    assert document["limit"] == (limit if limit > 0 else 1024)


def test_m15_pages_make_up_the_whole(world, connect):
    """Of more connections than fit into a page."""
    w = world()
    clients = [connect(w.server) for _ in range(1030)]
    whole = sorted(client.cid for client in clients)
    eventually(lambda: w.document("/connz?limit=1")["total"] == 1030)
    document = w.document("/connz")
    assert (document["num_connections"], document["total"], cids(document)) == (1024, 1030, whole[:1024])
    assert cids(w.document("/connz?limit=5000")) == whole
    assert sum((cids(w.document(f"/connz?limit=100&offset={offset}")) for offset in range(0, 1100, 100)), []) == whole


# ---- filters

def numbers(document: dict) -> tuple[int, ...]:
    return document["num_connections"], document["total"], document["offset"], document["limit"]


@pytest.mark.parametrize("query, wanted, total, limit", [
    ("user=a", [0, 2], 3, 1024), ("user=b", [1], 3, 1024), ("user=b&auth=1", [1], 3, 1024), ("user=nobody", [], 3, 1024),
    ("user=A", [], 3, 1024), ("user=", [0, 1, 2], 3, 1024), ("user=a&limit=1", [0], 3, 1), ("user=a&limit=1&offset=1", [2], 3, 1),
    ("user=a&offset=2", [], 3, 1024), ("user=b&limit=1", [1], 3, 1), ("user=%61", [0, 2], 3, 1024), ("user=a&user=b", [0, 2], 3, 1024),
    ("acc=A", [0, 2], 2, 1024), ("acc=B", [1], 1, 1024), ("acc=$G", [], 0, 1024), ("acc=$SYS", [], 0, 1024), ("acc=", [0, 1, 2], 3, 1024),
    ("acc=A&limit=1&offset=1", [2], 2, 1), ("acc=A&offset=2", [], 2, 1024), ("acc=A&user=a", [0, 2], 2, 1024),
    ("acc=A&user=b", [], 2, 1024),
    ("acc=A&acc=B", [0, 2], 2, 1024), ("cid=0", [0, 1, 2], 3, 1024), ("mqtt_client=x", [], 3, 1024), ("mqtt_client=", [0, 1, 2], 3, 1024),
    ("state=all", [0, 1, 2], 3, 1024), ("state=any&acc=A", [0, 2], 2, 1024), ("state=closed", [], 0, 1024),
    ("state=closed&acc=A", [], 0, 1024),
    ("filter_subject=foo&acc=A", [0, 2], 2, 1024)])
def test_m17_filters(three, query, wanted, total, limit):
    """`total` heeds account and state, the rest only chooses entries."""
    w, clients = three
    document = w.document("/connz?" + query)
    assert cids(document) == [clients[i].cid for i in wanted]
    assert (document["num_connections"], document["total"], document["limit"]) == (len(wanted), total, limit)


def test_m17_one_connection(three):
    """`cid` takes the place of the limit, but goes with everything else."""
    w, (a, b, _) = three
    assert numbers(w.document(f"/connz?cid={b.cid}")) == (1, 3, 0, 1)
    assert w.connections(f"?cid={b.cid}")[0]["cid"] == b.cid
    assert numbers(w.document(f"/connz?cid={b.cid}&limit=7")) == (1, 3, 0, 1)
    assert numbers(w.document(f"/connz?cid={b.cid}&offset=1")) == (0, 3, 1, 1)
    assert numbers(w.document(f"/connz?cid={b.cid}&user=a")) == (0, 3, 0, 1)
    assert numbers(w.document(f"/connz?cid={b.cid}&user=b")) == (1, 3, 0, 1)
    assert numbers(w.document(f"/connz?cid={b.cid}&acc=A")) == (0, 2, 0, 1)
    assert numbers(w.document(f"/connz?cid={a.cid}&acc=A")) == (1, 2, 0, 1)
    assert numbers(w.document("/connz?cid=999999")) == (0, 3, 0, 1)
    assert numbers(w.document(f"/connz?cid={(1 << 64) - 1}")) == (0, 3, 0, 1)
    assert numbers(w.document(f"/connz?state=closed&cid={a.cid}")) == (0, 0, 0, 1)
    assert numbers(w.document(f"/connz?state=all&cid={a.cid}")) == (1, 3, 0, 1)


@pytest.mark.parametrize("query, offset, limit", [
    ("acc=NOPE", 0, 1024), ("acc=a", 0, 1024), ("acc=NOPE&limit=5&offset=3", 3, 5), ("acc=NOPE&state=closed", 0, 1024),
    ("acc=NOPE&state=all", 0, 1024),
    ("acc=NOPE&cid=7", 0, 1), ("acc=NOPE&user=a&auth=1&subs=1", 0, 1024)])
def test_m17_unknown_account(three, query, offset, limit):
    w, _ = three
    document = w.document("/connz?" + query)
    check(document, {**connz(), "server_id": "", "connections": type(None)})
    assert numbers(document) == (0, 0, offset, limit)


def test_m17_unknown_account_and_errors(three):
    """What is wrong with the query is told first."""
    w, _ = three
    assert w.get("/connz?acc=NOPE&sort=bogus").text == "invalid sorting option: bogus"


def test_m17_new_account(world):
    """That a reload brings."""
    w = world(ACCOUNTS)
    assert w.document("/connz?acc=C")["connections"] is None
    w.reload("accounts { C { users: [ {user: c, password: pw} ] } }\n")
    c = w("c")
    assert cids(w.document("/connz?acc=C")) == [c.cid]
    assert w.document("/connz?acc=A")["connections"] is None


# ---- who they are

def identity(entry: dict) -> dict:
    return {name: entry[name] for name in IDENTITY if name in entry}


@pytest.mark.parametrize("text, fields, wanted", [
    ("", {}, {"name_tag": "$G"}),
    ("", {"user": "x", "pass": "y"}, {"authorized_user": "x", "name_tag": "$G"}),  # that nobody asked for
    ("", {"auth_token": "y"}, {"authorized_user": "[REDACTED]", "name_tag": "$G"}),
    ("authorization { token: tok }", {"auth_token": "tok"}, {"authorized_user": "[REDACTED]", "name_tag": "$G"}),
    ("authorization { user: u, password: p }", {"user": "u", "pass": "p"}, {"authorized_user": "u", "name_tag": "$G"}),
    ("authorization { users: [ {user: u, password: p} ] }", {"user": "u", "pass": "p"}, {"authorized_user": "u", "name_tag": "$G"}),
    (ACCOUNTS, {"user": "ann", "pass": "pw"}, {"authorized_user": "ann", "account": "A", "name_tag": "A"}),
    (ACCOUNTS + "no_auth_user: b", {}, {"authorized_user": "b", "account": "B", "name_tag": "B"}),
    (ACCOUNTS + "no_auth_user: b", {"user": "a", "pass": "pw"}, {"authorized_user": "a", "account": "A", "name_tag": "A"}),
    ('accounts { "$SYS" { users: [ {user: s, password: p} ] } }', {"user": "s", "pass": "p"},
     {"authorized_user": "s", "account": "$SYS", "name_tag": "$SYS"}),
    ('accounts { "$SYS" { users: [ {user: s, password: p} ] } }', {}, None),  # a user that was made for anonymous ones
], ids=["anonymous", "unasked", "unasked token", "token", "user", "users", "account", "no_auth_user", "beside no_auth_user", "system",
        "beside system"])
def test_m18_ways_to_log_in(world, text, fields, wanted):
    """Nothing without `auth`, and with it who it is and where; passwords and tokens never."""
    w = world(text + "\n")
    c = w(**fields)
    plain, full = w.entry(c), w.entry(c, "&auth=1")
    check(plain, CONNECTION)
    check(full, {**CONNECTION, **DEPENDING})
    assert not identity(plain)
    if wanted is None:
        assert full.pop("authorized_user").startswith("nats-")
        wanted = {"name_tag": "$G"}
    assert identity(full) == wanted


def test_m18_nkey(world):
    """The user is the key."""
    w = world("authorization { users: [ {nkey: %s} ] }\n" % USER.public)
    c = w.raw()
    c.connect(**USER.credentials(c.info["nonce"]))
    assert not identity(w.entry(c))
    full = identity(w.entry(c, "&auth=1"))
    full.pop("issuer_key", None)  # of the Go server: the account
    assert full == {"authorized_user": USER.public, "name_tag": "$G"}
    assert w.connections(f"?user={USER.public}")[0]["cid"] == c.cid


def test_m18_nkey_in_an_account(world):
    w = world("accounts { A { users: [ {nkey: %s} ] } }\n" % USER.public)
    c = w.raw()
    c.connect(**USER.credentials(c.info["nonce"]))
    assert not identity(w.entry(c))
    full = identity(w.entry(c, "&auth=1"))
    full.pop("issuer_key", None)
    assert full == {"authorized_user": USER.public, "account": "A", "name_tag": "A"}


def test_m18_proxy(world):
    """Is told to everybody."""
    w = world(ACCOUNTS + "proxies { trusted: [ {key: %s} ] }\n" % PROXY.public)
    c = w.raw()
    c.connect(user="a", **{"pass": "pw"}, proxy_sig=PROXY.signature(c.info["nonce"]))
    assert w.entry(c)["proxy"] == {"key": PROXY.public}
    assert w.entry(c, "&auth=1")["proxy"] == {"key": PROXY.public}
    assert "proxy" not in w.entry(w("a"), "&auth=1")


def test_m18_before_connect(world):
    """Who has not logged in is nobody yet."""
    w = world(ACCOUNTS)
    full = identity(w.entry(w.raw(), "&auth=1"))
    full.pop("name_tag", None)  # of the Go server: $G
    assert not full
    assert w.document("/connz?user=a")["num_connections"] == 0


def test_m18_no_secret(world):
    """Anywhere."""
    w = world("authorization { token: s3cret }\n")
    c = w(auth_token="s3cret")
    for path in ("/connz?auth=1&subs=detail&state=all", "/varz", f"/connz?cid={c.cid}&auth=1", "/accountz?acc=$G", "/connz?user=s3cret"):
        assert "s3cret" not in w.get(path).text
    c.close()
    w.gone(c)
    assert "s3cret" not in w.get("/connz?auth=1&state=closed").text


# ---- subscriptions

def test_m19_subjects(world):
    """With duplicates, in no order."""
    w = world()
    c, other = w(None, b"foo", b"foo", b"bar q", b"a.*.>"), w()
    assert Counter(w.entry(c, "&subs=1")["subscriptions_list"]) == Counter({"foo": 2, "bar": 1, "a.*.>": 1})
    for query in ("", "&subs=0", "&subs=", "&subs=detail"):
        assert "subscriptions_list" not in w.entry(c, query)
    assert not {"subscriptions_list", "subscriptions_list_detail"} & set(w.entry(other, "&subs=1") | w.entry(other, "&subs=detail"))


def test_m19_details(world):
    """Sids are texts; members without meaning are absent."""
    w = world(ACCOUNTS)
    c = w("a")
    c.send(b"SUB foo 1\r\nSUB foo sid-2\r\nSUB work q1 3\r\nSUB lim 4\r\nUNSUB 4 5\r\nSUB work q2 5\r\nUNSUB 5 1\r\n" +
           pub(b"foo", b"x") * 3 + pub(b"lim", b"x"))
    c.ping()
    found = {sub["sid"]: sub for sub in w.entry(c, "&subs=detail")["subscriptions_list_detail"]}
    assert found.pop("sid-2")["subject"] == "foo"
    total = {sid: sub.pop("msgs") for sid, sub in found.items()}
    assert total == {"1": 3, "3": 0, "4": 1, "5": 0}
    assert found == {
        "1": {"subject": "foo", "sid": "1", "cid": c.cid}, "3": {"subject": "work", "qgroup": "q1", "sid": "3", "cid": c.cid},
        "4": {"subject": "lim", "sid": "4", "max": 5, "cid": c.cid},
        "5": {"subject": "work", "qgroup": "q2", "sid": "5", "max": 1, "cid": c.cid}}


def test_m19_subscriptions_come_and_go(world):
    """The list is what it is now."""
    w = world()
    c = w(None, b"a", b"b", b"c")
    c.send(b"UNSUB 2\r\nUNSUB 3 1\r\nSUB d 4\r\n" + pub(b"c", b"x"))
    c.ping()
    entry = w.entry(c, "&subs=1")
    assert (sorted(entry["subscriptions_list"]), entry["subscriptions"]) == (["a", "d"], 2)


def test_m19_odd_subjects(world):
    """JSON can say them all."""
    w = world()
    subjects = ['"', "\\", "<&>", "µ.é", "a/b", "$x", "'"]
    c = w(None, *[subject.encode() for subject in subjects])
    assert sorted(w.entry(c, "&subs=1")["subscriptions_list"]) == sorted(subjects)
    assert sorted(sub["subject"] for sub in w.entry(c, "&subs=detail")["subscriptions_list_detail"]) == sorted(subjects)


def test_m19_many_subscriptions(world):
    w = world()
    c = w(None, *[b"many.%d" % i for i in range(10_000)])
    entry = w.entry(c, "&subs=1")
    assert entry["subscriptions"] == 10_000
    assert sorted(entry["subscriptions_list"]) == sorted(f"many.{i}" for i in range(10_000))


# ---- times

def test_m36_times(world):
    """They fit together, and grow as they should."""
    w = world()
    c = w()
    document = w.document("/connz")
    entry = document["connections"][0]
    assert timedelta(0) <= age(entry["last_activity"], document["now"]) <= age(entry["start"], document["now"]) < timedelta(minutes=1)
    eventually(lambda: seconds(w.entry(c)["uptime"]) >= 2 and seconds(w.entry(c)["idle"]) >= 2)
    c.send(pub(b"x", b""))
    c.fence()
    later = w.entry(c)
    assert seconds(later["idle"]) < 2 <= seconds(later["uptime"])
    assert later["start"] == entry["start"]
    assert moment(later["last_activity"]) > moment(entry["last_activity"])


def test_m36_what_is_activity(world):
    """Messages in either direction and subscriptions are."""
    w = world()
    c, other = w(None, b"x"), w()

    def last():
        return w.entry(c)["last_activity"]

    for who, data in ((c, pub(b"nobody", b"")), (c, b"SUB y 2\r\n"), (c, b"UNSUB 2\r\n"), (other, pub(b"x", b""))):
        before = last()
        who.send(data)
        who.fence()
        assert moment(last()) > moment(before), data


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "XXX-5:45", "UTC"])
def test_m36_other_zones(world, zone):
    """All times can be read, and mean the same moment wherever the server is."""
    w = world(env={"TZ": zone})
    c = w()
    document = w.document("/connz")
    check(document, connz())
    assert age(document["connections"][0]["start"], document["now"]) < timedelta(minutes=1)
    c.close()
    closed = w.gone(c)
    for name in ("start", "stop", "last_activity"):
        assert timedelta(0) <= age(closed[name], w.document("/varz")["now"]) < timedelta(minutes=1)


def test_m36_rtt(world):
    """Is measured by the PING that comes soon after CONNECT, at the latest when somebody asks."""
    w = world()
    c = w(lang="test", version="1")
    w.entry(c)
    c.ping()  # and answers the server's
    rtt = eventually(lambda: (entry := w.entry(c))["rtt"] != "0s" and entry["rtt"])
    assert 0 < seconds(rtt) < 30


def test_m36_rtt_of_a_slow_client(world):
    """Is the time until it answers."""
    w = world()
    c = w.raw(auto_pong=False)
    c.connect(lang="test", version="1")
    w.entry(c)
    c.expect(b"PING\r\n")
    assert c.silent_for(0.4)
    c.send(b"PONG\r\n")
    c.ping()
    assert 0.4 < seconds(eventually(lambda: (rtt := w.entry(c)["rtt"]) != "0s" and rtt)) < 20


# ---- addresses

def test_m15_address_behind_a_load_balancer(world):
    """Of the client that it speaks for; monitoring itself knows nothing of such headers."""
    w = world("proxy_protocol: true\n")
    c = w.raw(read_info=False)
    c.send(b"PROXY TCP4 192.0.2.1 192.0.2.2 1111 2222\r\n")
    c.read_info()
    c.connect()
    entry, = w.connections()
    assert (entry["ip"], entry["port"]) == ("192.0.2.1", 1111)
    c.close()
    entry, = eventually(lambda: w.connections("?state=closed"))
    assert (entry["ip"], entry["port"]) == ("192.0.2.1", 1111)
    with w.open() as http:
        http.send(b"PROXY TCP4 192.0.2.1 192.0.2.2 1111 2222\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert http.read().status == 400


def test_m15_addresses_of_both_kinds(start_server):
    """IPv4 looks as it should even where the server listens for both."""
    server = start_server("-m", "-1", "-a", "::")
    port = int(server.wait_log(r"Starting http monitor on \[::\]:(\d+)")[1])
    with socket.create_connection(("::1", server.port)) as six, socket.create_connection(("127.0.0.1", server.port)) as four:
        def entries():
            with socket.create_connection(("::1", port)) as sock, sock.makefile("rb") as file:
                sock.sendall(b"GET /connz HTTP/1.0\r\n\r\n")
                return {(entry["ip"], entry["port"]) for entry in json.loads(file.read().split(b"\r\n\r\n", 1)[1])["connections"]}

        assert eventually(lambda: len(found := entries()) == 2 and found) == {
            ("::1", six.getsockname()[1]), ("127.0.0.1", four.getsockname()[1])}
