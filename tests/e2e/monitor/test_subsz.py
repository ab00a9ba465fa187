# SPDX-License-Identifier: Apache-2.0
"""/subsz: subscriptions of all accounts, and which of them one asks for."""

import pytest

from e2e.accounts.lines import pub
from e2e.monitor.shapes import SUBSZ, check
from harness import eventually

CONFIG = """accounts {
    A { users: [ {user: a, password: pw} ], mappings: { foo: bar }, exports: [ {stream: "ev.>"} ] }
    B { users: [ {user: b, password: pw} ], imports: [ {stream: {account: A, subject: ev.x}, prefix: p} ] }
}
"""
MAX = (1 << 63) - 1


@pytest.fixture
def two(world):
    """A server, a client of A with five subscriptions, and one of B with one."""
    w = world(CONFIG)
    a, b = w("a", b"foo.a", b"foo.* q", b">", b"bar", b"foo.a"), w("b", b"foo.a")
    a.send(b"UNSUB 5 9\r\n" + pub(b"foo.a", b"x"))
    a.ping()
    return w, a, b


def of_clients(document: dict) -> list[dict]:
    """Without what the server itself subscribed to."""
    return [sub for sub in document.get("subscriptions_list", []) if not sub["subject"].startswith("$SYS.")]


def briefly(subs: list[dict]) -> list[tuple[str, str, str]]:
    """(account, sid, subject), sorted."""
    return sorted((sub["account"], sub["sid"], sub["subject"]) for sub in subs)


def test_m26_document(world):
    """Without `subs` it is only numbers, and the total says nothing."""
    w = world()
    document = w.document("/subsz")
    check(document, {**SUBSZ, "total": 0, "offset": 0, "limit": 1024})
    assert "subscriptions_list" not in document
    assert document["num_subscriptions"] == w.document("/varz")["subscriptions"]


@pytest.mark.parametrize("path", ["/subsz", "/subscriptionsz"])
def test_m26_details(two, path):
    """All of it that means something; every one with its account."""
    w, a, b = two
    document = w.document(path + "?subs=1")
    check(document, SUBSZ)
    found = {(sub["cid"], sub["sid"]): sub for sub in of_clients(document)}
    of_a = {"account": "A", "account_tag": "A", "cid": a.cid}
    assert [found[a.cid, str(sid)] for sid in (1, 2, 3, 4, 5)] + [found[b.cid, "1"]] == [
        {**of_a, "subject": "foo.a", "sid": "1", "msgs": 1}, {**of_a, "subject": "foo.*", "qgroup": "q", "sid": "2", "msgs": 1},
        {**of_a, "subject": ">", "sid": "3", "msgs": 1}, {**of_a, "subject": "bar", "sid": "4", "msgs": 0},
        {**of_a, "subject": "foo.a", "sid": "5", "msgs": 1, "max": 9},
        {"account": "B", "account_tag": "B", "cid": b.cid, "subject": "foo.a", "sid": "1", "msgs": 0}]
    assert document["total"] == len(document["subscriptions_list"]) == document["num_subscriptions"] >= 6


def test_m26_subscriptions_of_the_server(two):
    """Are listed as well: each account can ask for four things."""
    w, _, _ = two
    for account in ("A", "B", "$G"):
        subs = w.document(f"/subsz?subs=1&acc={account}")["subscriptions_list"]
        assert {sub["subject"] for sub in subs if sub["subject"].startswith("$SYS.")} == {
            "$SYS.REQ.USER.INFO", "$SYS.REQ.ACCOUNT.PING.CONNZ", "$SYS.REQ.ACCOUNT.PING.STATZ", "$SYS.REQ.SERVER.PING.CONNZ"}
    assert w.document("/subsz?subs=1&acc=$SYS")["total"] > 10


@pytest.mark.parametrize("query, wanted", [
    ("acc=A&test=foo.a", ["A1", "A2", "A3", "A5"]), ("test=foo.a", ["A1", "A2", "A3", "A5", "B1"]), ("acc=B&test=foo.a", ["B1"]),
    ("acc=A&test=nobody", ["A3"]), ("acc=A&test=foo.a.b", ["A3"]), ("acc=A&test=foo.b", ["A2", "A3"]), ("acc=A&test=bar", ["A3", "A4"]),
    ("acc=A&test=foo", ["A3"]),  # mappings are not looked at
    ("acc=B&test=nobody", []), ("acc=$G&test=foo.a", []), ("acc=NOPE&test=foo.a", []), ("acc=A&acc=B&test=foo.b", ["A2", "A3"])])
def test_m26_test_subject(two, query, wanted):
    """Exactly those that a message with this subject would find."""
    w, _, _ = two
    document = w.document("/subsz?subs=1&" + query)
    check(document, SUBSZ)
    assert sorted(sub["account"] + sub["sid"] for sub in document.get("subscriptions_list", [])) == wanted
    assert document["total"] == len(wanted)
    assert w.document("/subsz?subs=0&" + query)["total"] == 0


def test_m26_test_subject_does_not_disturb(two):
    """Nothing is delivered."""
    w, a, b = two
    w.document("/subsz?subs=1&test=foo.a")
    a.fence()
    b.fence()


def test_m26_imported_streams(two):
    """The exporter's account has subscriptions of importers; who they are is told."""
    w, _, b = two
    b.send(b"SUB p.ev.* 2\r\n")
    b.fence()
    subs = [sub for sub in w.document("/subsz?subs=1&acc=A&test=ev.x")["subscriptions_list"] if sub["cid"] == b.cid]
    assert [(sub["account"], sub["subject"], sub["sid"]) for sub in subs] == [("B", "ev.x", "2")]
    subs = w.document("/subsz?subs=1&acc=B&test=p.ev.x")["subscriptions_list"]
    assert [(sub["account"], sub["subject"]) for sub in subs] == [("B", "p.ev.*")]


@pytest.mark.parametrize("offset, limit, n", [
    (0, 2, 2), (1, 2, 2), (3, 2, 1), (4, 2, 0), (9999, 2, 0), (MAX, 2, 0), (MAX - 1, MAX, 0), (1, MAX, 3), (0, MAX, 4), (0, 0, 4),
    (-1, -1, 4), (3, 0, 1)])
def test_m26_paging(two, offset, limit, n):
    """An empty page has no list; the total is that of all pages."""
    w, _, _ = two
    document = w.document(f"/subsz?subs=1&acc=A&test=foo.a&offset={offset}&limit={limit}")
    check(document, SUBSZ)
    assert (document["offset"], document["limit"], document["total"]) == (max(offset, 0), limit if limit > 0 else 1024, 4)
    assert len(document.get("subscriptions_list", [])) == n
    assert ("subscriptions_list" in document) is (n > 0)


def test_m26_default_limit(world):
    """Order is free, even from page to page."""
    w = world(CONFIG)
    w("a", *[b"many.%d" % i for i in range(1100)])
    document = w.document("/subsz?subs=1&acc=A")
    assert (document["total"], document["limit"], len(document["subscriptions_list"])) == (1104, 1024, 1024)
    assert len(w.document("/subsz?subs=1&acc=A&limit=2000")["subscriptions_list"]) == 1104
    pages = [w.document(f"/subsz?subs=1&acc=A&limit=100&offset={offset}").get("subscriptions_list", []) for offset in range(0, 1200, 100)]
    assert [len(page) for page in pages] == [100] * 11 + [4]


@pytest.mark.parametrize("query", ["acc=NOPE", "acc=NOPE&subs=1", "acc=a&subs=1", "acc=NOPE&subs=1&test=x"])
def test_m26_unknown_account(two, query):
    """All numbers are zero."""
    w, _, _ = two
    document = w.document("/subsz?" + query)
    check(document, {**SUBSZ, "limit": 1024})
    assert not any(value for name, value in document.items() if name not in ("server_id", "now", "limit"))


def test_m26_numbers_of_an_account(two):
    """Of this account only."""
    w, a, _ = two
    before = w.document("/subsz?acc=A"), w.document("/subsz?acc=B"), w.document("/subsz")
    a.send(b"SUB more 6\r\nSUB more 7\r\nUNSUB 7\r\n")
    a.fence()
    after = w.document("/subsz?acc=A"), w.document("/subsz?acc=B"), w.document("/subsz")
    assert [now["num_subscriptions"] - then["num_subscriptions"] for then, now in zip(before, after)] == [1, 0, 1]
    assert [now["num_inserts"] - then["num_inserts"] for then, now in zip(before, after)] == [2, 0, 2]
    assert [now["num_removes"] - then["num_removes"] for then, now in zip(before, after)] == [1, 0, 1]


def test_m26_gone_with_the_client(two):
    w, a, _ = two
    a.close()
    eventually(lambda: not of_clients(w.document("/subsz?subs=1&acc=A")))
    assert briefly(of_clients(w.document("/subsz?subs=1"))) == [("B", "1", "foo.a")]


def test_m26_subjects_with_blanks_and_escapes(two):
    """Are subjects of which nobody has a subscription but `>`."""
    w, _, _ = two
    for subject in ("a%20b", "%C3%A9", "a%22", "a+b", "%3Ca%3Ex"):
        assert w.document(f"/subsz?subs=1&acc=A&test={subject}")["total"] == 1
