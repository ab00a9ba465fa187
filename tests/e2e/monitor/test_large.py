# SPDX-License-Identifier: Apache-2.0
"""Lists that are longer than what the workers are asked for at once: nothing is left out, nor told twice."""

import pytest

from e2e.monitor.test_subsz import CONFIG

N_CLIENTS = 600  # more than two batches
N_SUBS = 5000    # of one client: several pieces


def sub_all(client, pattern: str, n: int) -> None:
    client.send(b"".join(f"SUB {pattern.format(i)} {i}\r\n".encode() for i in range(n)))
    client.ping()


@pytest.fixture
def many(world):
    """Clients of A, of which one has many subscriptions, the next ten have one; and one of B that imports as many."""
    w = world(CONFIG.replace("ev.x", "ev.>"))
    clients = [w("a") for _ in range(N_CLIENTS)]
    sub_all(clients[0], "foo.{}", N_SUBS)
    for client in clients[1:11]:
        sub_all(client, "bar", 1)
    sub_all(w("b"), "p.ev.{}", N_SUBS)
    return w, clients


def test_m15_pages_of_many(many):
    w, clients = many
    everybody = [client.cid for client in clients]
    assert [c["cid"] for c in w.connections("?acc=A&limit=10000")] == everybody
    paged = []
    for offset in range(0, N_CLIENTS, 70):
        document = w.document(f"/connz?acc=A&sort=subs&limit=70&offset={offset}")
        assert document["total"] == N_CLIENTS and document["num_connections"] == len(document["connections"])
        paged += [c["cid"] for c in document["connections"]]
    if w.server.is_peer:  # there ties are in no order, so pages overlap
        assert paged[0] == everybody[0]
    else:
        assert sorted(paged) == everybody and paged[0] == everybody[0]


@pytest.mark.parametrize("query, name", [("subs=1", "subscriptions_list"), ("subs=detail", "subscriptions_list_detail")])
def test_m19_many_subscriptions(many, query, name):
    w, clients = many
    by_cid = {c["cid"]: c.get(name, []) for c in w.connections(f"?{query}&limit=10000")}
    subjects = [sub if query == "subs=1" else sub["subject"] for sub in by_cid[clients[0].cid]]
    assert sorted(subjects) == sorted(f"foo.{i}" for i in range(N_SUBS))
    assert [len(by_cid[client.cid]) for client in clients[1:13]] == [1] * 10 + [0] * 2


def test_m26_many_subscriptions(many):
    """Those of clients of the account, and what others import of it."""
    w, _ = many
    document = w.document("/subsz?subs=1&acc=A&limit=1000000")
    subs = [sub for sub in document["subscriptions_list"] if not sub["subject"].startswith("$SYS.")]
    assert len(document["subscriptions_list"]) == document["total"] == document["num_subscriptions"]
    assert sorted(sub["subject"] for sub in subs if sub["account"] == "B") == sorted(f"ev.{i}" for i in range(N_SUBS))
    assert sum(sub["account"] == "A" for sub in subs) == N_SUBS + 10


@pytest.mark.ours
def test_m26_pages_of_many(many):
    """Where nothing changes, pages are parts of the whole."""
    w, _ = many
    whole = w.document("/subsz?subs=1&acc=A&limit=1000000")["subscriptions_list"]
    paged = []
    for offset in range(0, len(whole) + 999, 999):
        paged += w.document(f"/subsz?subs=1&acc=A&limit=999&offset={offset}").get("subscriptions_list", [])
    assert paged == whole
