# SPDX-License-Identifier: Apache-2.0
"""/connz: in which order.  Every option finds connections that differ in just that, and were not made in that order."""

import pytest

from e2e.accounts.lines import pub
from e2e.monitor.shapes import moment, seconds
from harness import eventually

MEGABYTE = 1 << 20


def order(w, clients: dict, query: str) -> list[str]:
    """Names of clients, in the order in which they are listed."""
    names = {client.cid: name for name, client in clients.items()}
    return [names[entry["cid"]] for entry in w.connections(query)]


def values(w, query: str, member: str) -> list:
    return [entry[member] for entry in w.connections(query)]


@pytest.mark.parametrize("option", ["", "cid", "start"])
def test_m16_by_cid(world, option):
    """The order in which they came, from whatever address."""
    w = world()
    clients = [w() for _ in range(20)]
    clients[7].close()
    w.gone(clients.pop(7))
    assert values(w, f"?sort={option}", "cid") == sorted(client.cid for client in clients)
    starts = [moment(text) for text in values(w, f"?sort={option}", "start")]
    assert starts == sorted(starts)


def test_m16_by_subscriptions(world):
    w = world()
    sizes = {"one": 1, "many": 30, "none": 0, "two": 2, "nine": 9}
    clients = {name: w(None, *[b"%d" % i for i in range(n)]) for name, n in sizes.items()}
    assert order(w, clients, "?sort=subs") == ["many", "nine", "two", "one", "none"]
    assert order(w, clients, "?sort=subs&limit=2&offset=1") == ["nine", "two"]  # pages of what is sorted
    assert values(w, "?sort=subs", "subscriptions") == [30, 9, 2, 1, 0]


@pytest.fixture
def busy(world):
    """Few large messages to and from some, many small ones to and from others."""
    w = world()
    clients = {"large": w(None, b"large"), "idle": w(), "small": w(None, b"small"), "some": w(None, b"some")}
    clients["idle"].send(pub(b"large", b"x" * 5000) + pub(b"small", b"x") * 50 + pub(b"some", b"x" * 100) * 10)
    clients["idle"].fence()
    clients["large"].send(pub(b"nobody", b"x" * 9000) * 3)
    clients["small"].send(pub(b"nobody", b"x" * 2) * 200)
    clients["some"].send(pub(b"nobody", b"x" * 50) * 20)
    for client in clients.values():
        client.ping()
    return w, clients


@pytest.mark.parametrize("option, member, wanted", [
    ("msgs_to", "out_msgs", ["small", "some", "large", "idle"]), ("bytes_to", "out_bytes", ["large", "some", "small", "idle"]),
    ("msgs_from", "in_msgs", ["small", "idle", "some", "large"]), ("bytes_from", "in_bytes", ["large", "idle", "some", "small"])])
def test_m16_by_traffic(busy, option, member, wanted):
    """`to` and `from` are as clients see it: what they are sent, and what they send."""
    w, clients = busy
    assert order(w, clients, f"?sort={option}") == wanted
    numbers = values(w, f"?sort={option}", member)
    assert numbers == sorted(numbers, reverse=True) and len(set(numbers)) == 4
    assert order(w, clients, f"?sort={option}&limit=1&offset=3") == wanted[3:]


@pytest.mark.parametrize("option, wanted", [("last", ["b", "a", "d", "c"]), ("idle", ["c", "d", "a", "b"])])
def test_m16_by_activity(world, option, wanted):
    """The latest first, or who has been quiet for the longest time."""
    w = world()
    clients = {name: w() for name in "abcd"}
    for name in "cdab":
        clients[name].send(pub(b"x", b""))
        clients[name].fence()
    assert order(w, clients, f"?sort={option}") == wanted
    times = [moment(text) for text in values(w, f"?sort={option}", "last_activity")]
    assert times == sorted(times, reverse=option == "last")


def test_m16_by_uptime(world):
    """The youngest first."""
    w = world()
    clients = {name: w() for name in "abcd"}
    assert order(w, clients, "?sort=uptime") == ["d", "c", "b", "a"]


def test_m16_by_rtt(world):
    """Those far away first."""
    w = world()
    clients = {name: w.raw(auto_pong=False) for name in ("near", "far", "middle")}
    for client in clients.values():
        client.connect(lang="test", version="1")
    w.connections()  # has all of them asked for a PONG
    for client in clients.values():
        client.expect(b"PING\r\n")
    for name, delay in (("near", 0), ("middle", 0.4), ("far", 0.4)):
        assert clients[name].silent_for(delay) or not delay
        clients[name].send(b"PONG\r\n")
        clients[name].ping()
    assert order(w, clients, "?sort=rtt") == ["far", "middle", "near"]
    far, middle, near = (seconds(text) for text in values(w, "?sort=rtt", "rtt"))
    assert far > middle > near
    assert far > 0.6 and middle > 0.3


def test_m16_by_pending_bytes(world):
    """Who has most in its queue comes first; and pending_bytes says how much that is."""
    w = world("no_fast_producer_stall: true, write_deadline: 60s, max_pending: 60MB\n")
    clients = {name: w.raw(rcvbuf=4096).connect() for name in ("little", "most", "nothing", "much")}
    publisher = clients["publisher"] = w()
    publisher.timeout = 60
    for name, client in clients.items():
        if name != "publisher":
            client.send(b"SUB %s 1\r\n" % name.encode())
            client.fence()
    for name, megabytes in (("little", 8), ("most", 40), ("much", 24)):
        publisher.send(pub(name.encode(), b"x" * MEGABYTE) * megabytes)
    publisher.fence()
    assert eventually(lambda: (found := order(w, clients, "?sort=pending"))[:3] == ["most", "much", "little"] and found)
    pending = values(w, "?sort=pending", "pending_bytes")
    assert pending == sorted(pending, reverse=True)
    assert 10 * MEGABYTE < pending[0] - pending[1] < 20 * MEGABYTE
    assert max(pending[3:]) < 100  # a PING or the like


def test_m16_together_with_filters(world):
    """First those that are wanted, then their order."""
    w = world("accounts { A { users: [ {user: a, password: pw} ] }, B { users: [ {user: b, password: pw} ] } }\n")
    clients = {"a1": w("a"), "b": w("b", b"x", b"y", b"z"), "a2": w("a", b"x", b"y"), "a3": w("a", b"x")}
    assert order(w, clients, "?sort=subs&acc=A") == ["a2", "a3", "a1"]
    assert order(w, clients, "?sort=subs&user=a&limit=2") == ["a2", "a3"]
    assert order(w, clients, "?sort=uptime&acc=A&offset=1") == ["a2", "a1"]
    assert order(w, clients, f"?sort=subs&cid={clients['a3'].cid}") == ["a3"]


@pytest.mark.parametrize("option", [
    "cid", "start", "subs", "pending", "msgs_to", "msgs_from", "bytes_to", "bytes_from", "last", "idle", "uptime", "rtt"])
@pytest.mark.parametrize("state", ["open", "closed", "all"])
def test_m16_every_state(world, option, state):
    """These options are good for all; nobody is lost or doubled when all are alike."""
    w = world()
    clients = [w() for _ in range(6)]
    for client in clients[:3]:
        client.close()
        w.gone(client)
    found = values(w, f"?sort={option}&state={state}", "cid")
    wanted = {"open": clients[3:], "closed": clients[:3], "all": clients}[state]
    assert sorted(found) == [client.cid for client in wanted]


@pytest.mark.parametrize("option", ["stop", "reason"])
@pytest.mark.parametrize("state", ["", "open", "all", "ANY"])
def test_m16_only_for_closed_connections(world, option, state):
    answer = world().get(f"/connz?sort={option}&state={state}")
    assert (answer.status, answer.text) == (400, f"sort by {option} only valid on closed connections")


def test_m22_by_stop(world):
    """The last to go first."""
    w = world()
    clients = {name: w() for name in "abcd"}
    for name in "cadb":
        clients[name].close()
        w.gone(clients[name])
    assert order(w, clients, "?sort=stop&state=closed") == ["b", "d", "a", "c"]
    assert order(w, clients, "?sort=stop&state=closed&limit=2&offset=1") == ["d", "a"]
    times = [moment(text) for text in values(w, "?sort=stop&state=closed", "stop")]
    assert times == sorted(times, reverse=True)


def test_m22_by_reason(world):
    """As texts are sorted."""
    w = world("max_control_line: 256, max_payload: 1000\n")
    causes = [b"BOGUS\r\n", pub(b"x", b"y" * 2000), None, b"PUB " + b"x" * 600 + b" 1\r\n", b"BOGUS\r\n"]
    for data in causes:
        c = w()
        if data:
            c.send(data)
            c.read_to_eof()
        c.close()
        w.gone(c)
    assert values(w, "?sort=reason&state=closed", "reason") == [
        "Client Closed", "Maximum Control Line Exceeded", "Maximum Message Payload Exceeded", "Protocol Violation", "Protocol Violation"]


@pytest.mark.parametrize("option, wanted", [
    ("uptime", ["young", "middle", "old"]), ("idle", ["old", "middle", "young"]), ("last", ["young", "middle", "old"])])
def test_m22_times_of_closed_connections(world, option, wanted):
    """Those that are told, which stand still."""
    w = world()
    clients = {"old": w()}
    eventually(lambda: seconds(w.entry(clients["old"])["uptime"]) >= 2)
    clients["middle"] = w()
    eventually(lambda: seconds(w.entry(clients["middle"])["uptime"]) >= 1)
    clients["young"] = w()
    for name in ("young", "old", "middle"):
        clients[name].close()
        w.gone(clients[name])
    assert order(w, clients, f"?sort={option}&state=closed") == wanted
