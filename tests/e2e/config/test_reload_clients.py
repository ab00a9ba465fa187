# SPDX-License-Identifier: Apache-2.0
"""C-44: what a reload does to clients that are connected (spec 03 E).  TLS: tests/e2e/tls/test_reload_clients.py."""

import re

import pytest

from e2e.auth.nkey import Nkey

VIOLATION = b"-ERR 'Authorization Violation'\r\n"


def users(*texts):
    return "authorization { users: [ %s ] }" % ", ".join("{%s}" % text for text in texts)


@pytest.fixture
def join(connect):
    """join(reload, user=None, **fields of CONNECT) -> Client; the password is "pw"."""

    def run(reload, user=None, **fields):
        if user:
            fields = {"user": user, "pass": "pw", **fields}
        return connect(reload.server).connect(**fields)

    return run


# ---- users

def test_user_removed(reloadable, join):
    """The user's connections are closed without a word; others do not notice."""
    reload = reloadable(users("user: a, password: pw", "user: b, password: pw"), "-D")
    gone, stays = join(reload, "a"), join(reload, "b")
    stays.send(b"SUB x 1\r\n")
    reload(users("user: b, password: pw"))
    gone.expect_eof()
    assert reload.server.closed_reason(gone.cid) == "Client Closed"
    stays.send(b"PUB x 1\r\nx\r\n")
    stays.expect(b"MSG x 1 1\r\nx\r\n")
    stays.fence()


@pytest.mark.parametrize("auth", ["", users("user: a, password: pw")], ids=["open", "users"])
def test_proxy_removed(reloadable, join, connect, auth):
    """Who came by a proxy that nobody trusts any more is told, and closed; others stay."""
    gone_by, stays_by = Nkey("A", "gone"), Nkey("A", "stays")
    trusted = "proxies {trusted: [%s]}\n" + auth
    reload = reloadable(trusted % ", ".join("{key: %s}" % proxy.public for proxy in (gone_by, stays_by)), "-D")
    fields = {"user": "a", "pass": "pw"} if auth else {}
    clients = [connect(reload.server) for _ in range(2)]
    for client, proxy in zip(clients, (gone_by, stays_by)):
        client.connect(proxy_sig=proxy.signature(client.info["nonce"]), **fields)
    gone, *others = *clients, join(reload, **fields)
    reload(trusted % ("{key: %s}" % stays_by.public))
    gone.expect_closed_with(VIOLATION)
    assert reload.server.closed_reason(gone.cid) == "Proxy Not Trusted"
    reload.server.wait_log(rf"\[ERR\] .* - cid:{gone.cid} - .*authentication error" + (' - User "a"' if auth else r"\s*$"))
    for client in others:
        client.fence()


@pytest.mark.ours
def test_all_proxies_removed(reloadable, connect):
    """reload-proxies: with the whole block (the Go server crashes)."""
    proxy = Nkey("A", "gone")
    reload = reloadable("proxies {trusted: [{key: %s}]}" % proxy.public, "-D")
    client = connect(reload.server)
    client.connect(proxy_sig=proxy.signature(client.info["nonce"]))
    reload("")
    client.expect_closed_with(VIOLATION)
    assert reload.server.closed_reason(client.cid) == "Proxy Not Trusted"


def test_user_moved(reloadable, join):
    """To another account: closed without a word."""
    reload = reloadable("accounts {A {users: [{user: a, password: pw}]}, B {users: [{user: b, password: pw}]}}", "-D")
    gone, stays = join(reload, "a"), join(reload, "b")
    reload("accounts {A {users: [{user: c, password: pw}]}, B {users: [{user: b, password: pw}, {user: a, password: pw}]}}")
    gone.expect_eof()
    assert reload.server.closed_reason(gone.cid) == "Client Closed"
    stays.fence()


@pytest.mark.parametrize("before, now, fields", [
    (users("user: a, password: pw"), users("user: a, password: other"), {"user": "a", "pass": "pw"}),
    ("authorization {token: pw}", "authorization {token: other}", {"auth_token": "pw"}),
    ("", "authorization {token: pw}", {}),
    ("", users("user: a, password: pw"), {}),
    ("", "authorization {user: a, password: pw}", {}),
], ids=["users", "token", "token added", "users added", "user added"])
def test_credentials_changed(reloadable, join, before, now, fields):
    """Who would not be let in any more is told so."""
    reload = reloadable(before, "-D")
    gone = join(reload, **fields)
    reload(now)
    gone.expect_closed_with(VIOLATION)
    assert reload.server.closed_reason(gone.cid) == "Authentication Failure"
    reload.server.wait_log(rf"\[ERR\] .* - cid:{gone.cid} - .*authentication error")


@pytest.mark.ours
@pytest.mark.parametrize("now, goes", [
    ("authorization {user: a, password: other}", True), ("authorization {user: b, password: pw}", True), ("", False),
    ("authorization {user: a, password: pw}\nping_max: 3", False),
], ids=["password", "user", "open", "the same"])
def test_single_user(reloadable, join, now, goes):
    """reload-single-user: closed, with a word, if it would not be let in any more."""
    reload = reloadable("authorization {user: a, password: pw}", "-D")
    client = join(reload, "a")
    reload(now)
    if goes:
        client.expect_closed_with(VIOLATION)
        assert reload.server.closed_reason(client.cid) == "Authentication Failure"
    else:
        client.fence()


@pytest.mark.peer_only
def test_single_user_of_the_peer(reloadable, join):
    """reload-single-user: the Go server closes it in every reload, without a word."""
    reload = reloadable("authorization {user: a, password: pw}", "-D")
    client = join(reload, "a")
    reload("authorization {user: a, password: pw}")
    client.expect_eof()
    assert reload.server.closed_reason(client.cid) == "Client Closed"


@pytest.mark.parametrize("before, now, fields", [
    ("authorization {token: pw}", "", {"auth_token": "pw"}),
    ("authorization {token: pw}", "authorization {token: pw, timeout: 5}", {"auth_token": "pw"}),
    (users("user: a, password: pw"), users("user: b, password: x", "user: a, password: pw"), {"user": "a", "pass": "pw"}),
    (users("user: a, password: pw"), users("user: a, password: pw, permissions: {publish: x}"), {"user": "a", "pass": "pw"}),
], ids=["token removed", "timeout", "another user", "permissions"])
def test_who_stays(reloadable, join, before, now, fields):
    """Nobody is closed without need."""
    reload = reloadable(before)
    client = join(reload, **fields)
    client.send(b"SUB x 1\r\n")
    assert "Reloaded server configuration" in reload(now)[-1]
    client.send(b"PUB x 1\r\nx\r\n")
    client.expect(b"MSG x 1 1\r\nx\r\n")
    client.fence()


def test_no_auth_user_goes(reloadable, join):
    """With the user whose name they have never said, clients go."""
    reload = reloadable(users("user: a, password: pw", "user: b, password: pw") + "\nno_auth_user: a", "-D")
    gone = join(reload)
    reload(users("user: b, password: pw"))
    gone.expect_eof()


def test_before_login(reloadable, connect, request):
    """reload-before-login: a client that has not logged in yet does so under the new rules."""
    reload = reloadable("authorization {token: old}")
    late, wrong = connect(reload.server), connect(reload.server)
    reload("authorization {token: new}")
    if request.config.getoption("--peer"):
        late.expect_closed_with(VIOLATION)
        return
    late.connect(auth_token="new").fence()
    wrong.send(b'CONNECT {"auth_token":"old"}\r\n')
    wrong.expect_closed_with(VIOLATION)


# ---- permissions

NARROWED = [  # SUB, permissions of subscribe, whether it goes
    ("SUB foo 1", "{allow: bar}", True), ("SUB bar 1", "{allow: bar}", False), ("SUB foo.* 1", "{allow: foo.a}", True),
    ("SUB foo.> 1", "{allow: foo.a}", True), ("SUB foo.* 1", "{allow: 'foo.>'}", False), ("SUB > 1", "{allow: foo}", True),
    ("SUB foo q 1", "{allow: 'foo q'}", False), ("SUB foo r 1", "{allow: 'foo q'}", True), ("SUB foo 1", "{allow: 'foo q'}", True),
    ("SUB foo 1", "{deny: foo}", True), ("SUB foo 1", "{deny: 'foo.>'}", False), ("SUB foo q 1", "{deny: 'foo q'}", True),
    ("SUB foo 1", "{deny: 'foo q'}", False), ("SUB foo.* 1", "{deny: foo.a}", False), ("SUB foo.a 1", "{deny: 'foo.*'}", True),
]


@pytest.mark.parametrize("sub, allowed, goes", NARROWED, ids=[f"{sub} {allowed}" for sub, allowed, _ in NARROWED])
def test_permissions_narrowed(reloadable, join, sub, allowed, goes):
    """A subscription that is not allowed any more is removed; the connection stays."""
    reload = reloadable(users("user: a, password: pw"))
    client = join(reload, "a")
    client.send(sub.encode() + b"\r\nSUB keep 9\r\n")
    client.fence()
    reload(users("user: a, password: pw, permissions: {subscribe: %s}" % allowed.replace("{allow: ", "{allow: [keep, ").replace("}", "] }")
                 if "allow" in allowed else "user: a, password: pw, permissions: {subscribe: %s}" % allowed))
    subject, *queue = sub.split()[1:-1]
    what = f'"{subject}"' + (f' using queue "{queue[0]}"' if queue else "") + ' (sid "1")'
    if goes:
        client.expect(f"-ERR 'Permissions Violation for Subscription to {what}'\r\n".encode())
        reload.server.wait_log(re.escape(f'Removed sub "{subject}" ') + ".*" + re.escape('for User "a" - not authorized'))
    client.send(b"PUB keep 1\r\nx\r\n")
    client.expect(b"MSG keep 9 1\r\nx\r\n")
    client.fence()


def test_removed_subscription_is_gone(reloadable, join):
    """Nothing comes for it, its queue group goes on without it, and its sid can be used again."""
    reload = reloadable(users("user: a, password: pw", "user: b, password: pw"))
    a, b = join(reload, "a"), join(reload, "b")
    a.send(b"SUB foo 1\r\nSUB foo q 2\r\n")
    b.send(b"SUB foo q 2\r\n")
    a.fence()
    b.fence()
    reload(users("user: a, password: pw, permissions: {subscribe: bar}", "user: b, password: pw"))
    assert sorted(a.ping().split(b"\r\n")[:2]) == [
        b"-ERR 'Permissions Violation for Subscription to \"foo\" (sid \"1\")'",
        b"-ERR 'Permissions Violation for Subscription to \"foo\" using queue \"q\" (sid \"2\")'"]
    b.send(b"PUB foo 1\r\nx\r\n" * 10)
    b.expect(b"MSG foo 2 1\r\nx\r\n" * 10)
    b.fence()
    a.send(b"SUB bar 1\r\nPUB bar 1\r\nx\r\n")
    a.expect(b"MSG bar 1 1\r\nx\r\n")
    a.fence()


def test_permission_to_publish(reloadable, join):
    """It goes, and comes back."""
    reload = reloadable(users("user: a, password: pw"))
    a = join(reload, "a")
    a.send(b"SUB > 1\r\nPUB foo 1\r\nx\r\n")
    a.expect(b"MSG foo 1 1\r\nx\r\n")
    for _ in range(2):
        reload(users("user: a, password: pw, permissions: {publish: {deny: foo}}"))
        a.send(b"PUB foo 1\r\nx\r\n")
        a.expect(b"-ERR 'Permissions Violation for Publish to \"foo\"'\r\n")
        reload(users("user: a, password: pw"))
        a.send(b"PUB foo 1\r\nx\r\n")
        a.expect(b"MSG foo 1 1\r\nx\r\n")
    a.fence()


def test_denied_messages_of_wildcards(reloadable, join):
    """A subscription that is wider than what is denied stays, without the denied messages."""
    reload = reloadable(users("user: a, password: pw", "user: b, password: pw"))
    a, b = join(reload, "a"), join(reload, "b")
    a.send(b"SUB foo.* 1\r\n")
    a.fence()
    b.send(b"PUB foo.a 1\r\nx\r\nPUB foo.b 1\r\nx\r\n")
    a.expect(b"MSG foo.a 1 1\r\nx\r\nMSG foo.b 1 1\r\nx\r\n")
    reload(users("user: a, password: pw, permissions: {subscribe: {deny: foo.a}}", "user: b, password: pw"))
    b.send(b"PUB foo.a 1\r\nx\r\nPUB foo.b 1\r\nx\r\n")
    a.expect(b"MSG foo.b 1 1\r\nx\r\n")
    reload(users("user: a, password: pw", "user: b, password: pw"))
    b.send(b"PUB foo.a 1\r\nx\r\n")
    a.expect(b"MSG foo.a 1 1\r\nx\r\n")


def test_default_permissions(reloadable, join):
    """They count like a user's own."""
    reload = reloadable(users("user: a, password: pw"))
    a = join(reload, "a")
    a.send(b"SUB foo 1\r\n")
    a.fence()
    reload("authorization { users: [ {user: a, password: pw} ], default_permissions: {subscribe: bar} }")
    a.expect(b"-ERR 'Permissions Violation for Subscription to \"foo\" (sid \"1\")'\r\n")
    a.fence()


# ---- limits

@pytest.mark.parametrize("limit, n_left", [(3, 3), (1, 1), (0, 0), (5, 5), (9, 5)])
def test_max_connections_lowered(reloadable, join, limit, n_left):
    """The surplus, whoever that is, is told and closed."""
    reload = reloadable("", "-D")
    clients = [join(reload) for _ in range(5)]
    reload(f"max_connections: {limit}")
    left = 0
    for client in clients:
        client.send(b"PING\r\n")
        answer = client.read_line()
        if answer == b"PONG\r\n":
            left += 1
        else:
            assert answer == b"-ERR 'maximum connections exceeded'\r\n"
            client.expect_eof()
            assert reload.server.closed_reason(client.cid) == "Maximum Connections Exceeded"
    assert left == n_left
    if n_left < 5:
        reload.server.wait_log(rf"\[INF\] Closed {5 - n_left} connections to fall within max_connections")


def test_max_connections_counts_once(reloadable, join):
    """Who left by himself is not missed at the next reload."""
    reload = reloadable("max_connections: 10", "-D")

    def leave(client):
        client.fence()
        client.close()
        assert reload.server.closed_reason(client.cid) == "Client Closed"

    for limit in (3, 2):
        clients = [join(reload) for _ in range(limit)]
        reload(f"max_connections: {limit}\nmax_payload: {1000 + limit}")
        for client in clients:
            leave(client)
        leave(join(reload))


def test_max_payload(reloadable, join):
    """Enforced on live clients at once, without a new INFO."""
    reload = reloadable("", "-D")
    small, large = join(reload, protocol=1), join(reload, protocol=1)
    reload("max_payload: 10")
    small.send(b"SUB x 1\r\nPUB x 10\r\n0123456789\r\n")
    small.expect(b"MSG x 1 10\r\n0123456789\r\n")
    small.fence()
    large.send(b"PUB x 11\r\n")
    large.expect_closed_with(b"-ERR 'Maximum Payload Violation'\r\n")
    reload("max_payload: 20")
    small.send(b"PUB x 11\r\n0123456789a\r\n")
    small.expect(b"MSG x 1 11\r\n0123456789a\r\n")


def test_max_control_line(reloadable, join):
    """Enforced on live clients at once."""
    reload = reloadable("", "-D")
    small, large = join(reload), join(reload)
    reload("max_control_line: 100")
    small.send(b"SUB %s 1\r\n" % (b"x" * 90))
    small.fence()
    large.send(b"SUB %s 1\r\n" % (b"x" * 110))
    large.expect_closed_with(b"-ERR 'maximum control line exceeded'\r\n")


def test_ping_interval(reloadable, connect):
    """From the next timer on."""
    reload = reloadable("ping_interval: '1s'")
    client = connect(reload.server, auto_pong=False).connect()
    client.expect(b"PING\r\n")
    client.send(b"PONG\r\n")
    reload("ping_interval: '300ms'")
    for _ in range(3):
        client.expect(b"PING\r\n")
        client.send(b"PONG\r\n")


# ---- log

def test_trace_and_debug(reloadable, join):
    """They take effect on all connections."""
    reload = reloadable("")
    client = join(reload)
    reload("debug: true\ntrace: true")
    client.send(b"PUB traced 3\r\nabc\r\n")
    client.fence()
    reload.server.wait_log(rf"\[TRC\] .* - cid:{client.cid} - .*<<- \[PUB traced 3\]")
    reload("")
    seen = len(reload.server.log())
    client.send(b"PUB untraced 3\r\nabc\r\n")
    client.fence()
    client.close()
    other = join(reload)
    other.fence()
    assert not re.search(r"\[(TRC|DBG)\]", reload.server.log()[seen:])


def test_max_traced_msg_len(reloadable, join):
    """Payloads in the trace are cut from now on."""
    reload = reloadable("trace: true")
    client = join(reload)
    reload("trace: true\nmax_traced_msg_len: 2")
    client.send(b"PUB traced 3\r\nabc\r\n")
    client.fence()
    reload.server.wait_log(r'<<- MSG_PAYLOAD: \["ab\.\.\."\]')


# ---- a second reload of the same

def test_again_and_again(reloadable, join):
    """Reloads that follow each other find what the one before has left."""
    reload = reloadable(users("user: a, password: pw"))
    client = join(reload, "a")
    client.send(b"SUB foo 1\r\n")
    client.fence()
    for n in range(20):
        reload(users("user: a, password: pw, permissions: {subscribe: %s}" % ("foo" if n % 2 else "'f*.>', foo")))
        reload(users("user: a, password: pw", f"user: b{n}, password: pw"))
        client.send(b"PUB foo 1\r\nx\r\n")
        client.expect(b"MSG foo 1 1\r\nx\r\n")
    client.fence()
