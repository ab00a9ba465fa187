# SPDX-License-Identifier: Apache-2.0
"""How a connection becomes secure, or does not (spec 04 §9): A-29, A-30, A-31, A-33, A-34, A-38."""

import time

import pytest

THROTTLED = b"-ERR 'Connection throttling is active. Please try again later.'\r\n"
FIRST_WARNING = r'Clients that are not using "TLS Handshake First" option will fail to connect'


def flags(info: dict) -> str:
    return " ".join(key[4:] for key, value in info.items() if key.startswith("tls_") and value)


def first_info(client) -> dict:
    """INFO that comes inside of TLS."""
    client.info = client.read_info()
    return client.info


# ---- what INFO says

@pytest.mark.parametrize("tls, options, expected", [
    ({}, {}, "required"),
    ({}, {"allow_non_tls": True}, "available"),
    ({"handshake_first": "50ms"}, {}, "required"),
    ({"handshake_first": "auto"}, {"allow_non_tls": True}, "available"),
], ids=str)
def test_info_flags(tls_server, connect, tls, options, expected):
    """A-29: flags in the clear."""
    assert flags(connect(tls_server(tls, **options)).info) == expected


@pytest.mark.parametrize("options, expected", [({}, "required verify"),
                                               ({"allow_non_tls": True}, "verify available")], ids=str)
@pytest.mark.parametrize("verify", ["verify", "verify_and_map"])
def test_info_flags_of_verify(tls_server, connect, certificate, options, expected, verify):
    """A-29: tls_verify."""
    server = tls_server({verify: True, "ca_file": certificate("root").pem}, **options)
    assert flags(connect(server).info) == expected


@pytest.mark.parametrize("tls, options, expected", [
    ({"handshake_first": True}, {}, "required"),
    ({"handshake_first": True}, {"allow_non_tls": True}, "required available"),
    ({"handshake_first": "1m"}, {"allow_non_tls": True}, "required available"),
], ids=str)
def test_info_flags_inside(tls_server, connect, secure, tls, options, expected):
    """A-29: flags where the handshake came first."""
    c = secure(connect(tls_server(tls, **options), read_info=False))
    assert flags(first_info(c)) == expected


def test_info_order(tls_server, connect, certificate):
    """A-29: the flags come between auth_required and max_payload."""
    server = tls_server({"verify": True, "ca_file": certificate("root").pem}, allow_non_tls=True,
                        authorization={"user": "a", "password": "b"})
    keys = list(connect(server).info)
    at = keys.index("auth_required")
    assert keys[at:at + 4] == ["auth_required", "tls_verify", "tls_available", "max_payload"]


@pytest.mark.parametrize("tls, options, word", [({}, {}, "required"), ({}, {"allow_non_tls": True}, "available"),
                                                ({"handshake_first": True}, {"allow_non_tls": True}, "required"),
                                                ({"handshake_first": "1s"}, {"allow_non_tls": True}, "available")], ids=str)
def test_start_log(tls_server, tls, options, word):
    """A-29: the log says so at the start, and warns of what locks most clients out."""
    server = tls_server(tls, **options)
    server.wait_log(rf"\[INF\] TLS {word} for client connections")
    assert (FIRST_WARNING in server.log()) == (tls.get("handshake_first") is True)


# ---- INFO in the clear, then TLS

def test_everything_inside(tls_server, connect, secure, subject):
    """A secured client works as any other; there is no second INFO."""
    server = tls_server()
    a, b = (secure(connect(server)).connect() for _ in range(2))
    a.send(b"SUB %s 1\r\n" % subject)
    a.fence()
    b.send(b"PUB %s 5\r\nhello\r\n" % subject)
    a.expect(b"MSG %s 1 5\r\nhello\r\n" % subject)
    server.wait_log(rf"cid:{a.cid} - TLS handshake complete")
    server.wait_log(rf"cid:{a.cid} - TLS version 1.3, cipher suite TLS_AES_128_GCM_SHA256")


def test_much(tls_server, connect, secure, subject):
    """Large messages and many small ones, in bursts, both ways."""
    server = tls_server(max_payload=8 << 20)
    a, b = (secure(connect(server)).connect() for _ in range(2))
    a.send(b"SUB %s 1\r\n" % subject)
    a.fence()
    for size, count in ((1, 20000), (1000, 5000), (16384, 300), (3 << 20, 3)):
        body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        b.send((b"PUB %s %d\r\n%s\r\n" % (subject, size, body)) * count)
        a.expect((b"MSG %s 1 %d\r\n%s\r\n" % (subject, size, body)) * count)


def test_pipelined(tls_server, connect, secure):
    """Bytes right behind the handshake, the client silent afterwards: they are all acted on."""
    c = secure(connect(tls_server()))
    c.send(b"CONNECT {\"verbose\":false}\r\n" + b"PING\r\n" * 20000)
    c.expect(b"PONG\r\n" * 20000)


def test_close_notify(tls_server, connect, secure):
    """The server takes its leave as TLS wants it: the end is no error."""
    c = secure(connect(tls_server()))
    c.send(b"NONSENSE\r\n")
    c.expect(b"-ERR 'Unknown Protocol Operation'\r\n")
    assert c.sock.recv(1) == b""


def test_client_closes(tls_server, connect, secure):
    """So does a client."""
    server = tls_server()
    c = secure(connect(server)).connect()
    c.sock.unwrap()
    c.close()
    assert server.closed_reason(c.cid) == "Client Closed"


def test_slow_reader(tls_server, connect, secure, subject):
    """A client that does not read for a while misses nothing."""
    server = tls_server()
    a = secure(connect(server, rcvbuf=8192, timeout=60)).connect()
    b = secure(connect(server)).connect()
    a.send(b"SUB %s 1\r\n" % subject)
    a.fence()
    body = b"y" * 50000
    for _ in range(200):
        b.send(b"PUB %s 50000\r\n%s\r\n" % (subject, body))
    b.fence()
    time.sleep(0.2)
    for _ in range(200):
        a.expect(b"MSG %s 1 50000\r\n%s\r\n" % (subject, body))


def test_resumption(tls_server, connect, secure):
    """Sessions are resumed by tickets."""
    server = tls_server()
    c = secure(connect(server)).connect()
    session, context = c.sock.session, c.sock.context
    again = secure(connect(server), session=session, context=context).connect()
    assert again.sock.session_reused


def test_shutdown(tls_server, connect, secure):
    """The server stops with secured, half secured and silent clients."""
    server = tls_server()
    c = secure(connect(server)).connect()
    silent = connect(server)
    half = connect(server)
    half.send(b"\x16\x03\x01\x01\x00")
    server.signal(2)
    assert server.wait_exit() == 0
    assert c.sock.recv(1) == b""
    silent.expect_eof()
    half.expect_eof()


# ---- no TLS comes

def test_plain_client(tls_server, connect):
    """A-30: a plain client is closed without a word."""
    server = tls_server()
    c = connect(server)
    c.send(b"CONNECT {}\r\nPING\r\n")
    c.expect_eof()
    assert server.closed_reason(c.cid) == "TLS Handshake Failure"
    server.wait_log(r"\[DBG\] .*TLS handshake error: tls: first record does not look like a TLS handshake")
    assert "[ERR]" not in server.log()


def test_client_that_leaves(tls_server, connect):
    """A-30: the end of a connection instead of a handshake."""
    server = tls_server()
    c = connect(server)
    c.close()
    assert server.closed_reason(c.cid) == "TLS Handshake Failure"
    server.wait_log(rf"\[ERR\] .*cid:{c.cid} - TLS handshake error: EOF")


@pytest.mark.parametrize("tls, seconds", [({}, 2.0), ({"timeout": 0.5}, 0.5), ({"timeout": "2200ms"}, 2.2)], ids=str)
@pytest.mark.parametrize("first_bytes", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01"])
def test_silent_client(tls_server, connect, tls, seconds, first_bytes):
    """A-31: a client that does not shake hands in time is closed."""
    server = tls_server(tls)
    start = time.monotonic()
    c = connect(server)
    c.send(first_bytes)
    c.expect_eof()
    assert seconds - 0.1 <= time.monotonic() - start
    assert server.closed_reason(c.cid) == "TLS Handshake Failure"
    server.wait_log(rf"\[DBG\] .*cid:{c.cid} - TLS handshake (timeout|error: .*i/o timeout)")
    assert "[ERR]" not in server.log()


def test_authentication_timeout(tls_server, connect, secure):
    """The time for CONNECT begins after the handshake; it is that of TLS and a second."""
    server = tls_server({"timeout": 1.5}, authorization={"user": "a", "password": "b"})
    start = time.monotonic()
    c = connect(server)
    secure(c).expect_closed_with(b"-ERR 'Authentication Timeout'\r\n")
    assert 2.4 <= time.monotonic() - start  # by default it is 2 s


def test_login(tls_server, connect, secure):
    """Users log in by way of TLS."""
    server = tls_server(authorization={"user": "a", "password": "b"})
    secure(connect(server)).connect(user="a", **{"pass": "b"}).fence()
    bad = secure(connect(server))
    bad.send(b'CONNECT {"user":"a","pass":"c"}\r\n')
    bad.expect_closed_with(b"-ERR 'Authorization Violation'\r\n")


# ---- both kinds

def test_either(tls_server, connect, secure):
    """A-33: the first byte tells."""
    server = tls_server({"timeout": 5}, allow_non_tls=True)
    secure(connect(server)).connect().fence()
    plain = connect(server)
    plain.connect(protocol=1).fence()
    assert flags(plain.async_info) == "available"
    slow = connect(server)
    slow.send(b"P")
    time.sleep(0.1)
    slow.send(b"ING\r\n")
    slow.expect(b"PONG\r\n")


def test_silent_client_is_plain(tls_server, connect):
    """A-33: a client that says nothing is taken for a plain one once the time for TLS is over."""
    server = tls_server({"timeout": 0.3}, allow_non_tls=True)
    c = connect(server)
    time.sleep(1.5)  # nothing tells when that is
    c.send(b"\x16\x03\x01")
    c.expect_closed_with(b"-ERR 'Unknown Protocol Operation'\r\n")
    assert server.closed_reason(c.cid) == "Protocol Violation"


def test_either_and_gone(tls_server, connect):
    """A-33: nor is it an error to leave without a word."""
    server = tls_server(allow_non_tls=True)
    c = connect(server)
    c.close()
    assert server.closed_reason(c.cid) == "Client Closed"


# ---- the handshake first

def test_first(tls_server, connect, secure):
    """A-34: handshake_first true: INFO comes inside; who waits for it waits in vain."""
    server = tls_server({"handshake_first": True, "timeout": 0.5})
    c = secure(connect(server, read_info=False))
    first_info(c)
    c.connect().fence()
    start = time.monotonic()
    connect(server, read_info=False).expect_eof()
    assert 0.4 <= time.monotonic() - start
    plain = connect(server, read_info=False)
    plain.send(b"CONNECT {}\r\n")
    plain.expect_eof()


@pytest.mark.parametrize("first, seconds", [("300ms", 0.3), ("auto", 0.05), ("auto_fallback", 0.05)])
@pytest.mark.parametrize("key", ["handshake_first", "first", "immediate"])
def test_fallback(tls_server, connect, secure, key, first, seconds):
    """A-34: a duration: INFO in the clear for those who wait so long."""
    server = tls_server({key: first})
    start = time.monotonic()
    late = connect(server)
    assert seconds - 0.01 <= time.monotonic() - start
    secure(late).connect().fence()


def test_fallback_in_time(tls_server, connect, secure):
    """A-34: and INFO inside for those who do not."""
    server = tls_server({"handshake_first": "5s"})
    c = secure(connect(server, read_info=False))
    first_info(c)
    c.connect().fence()
    plain = connect(server, read_info=False)
    plain.send(b"PING\r\n")
    plain.expect_eof()
    server.wait_log("TLS handshake error: tls: first record does not look like a TLS handshake")


def test_fallback_for_plain_clients(tls_server, connect, secure):
    """A-34: with allow_non_tls plain clients come in if they wait for INFO."""
    server = tls_server({"handshake_first": "100ms"}, allow_non_tls=True)
    connect(server).connect().fence()
    secure(connect(server)).connect().fence()
    c = secure(connect(server, read_info=False))
    first_info(c)
    c.connect().fence()
    early = connect(server, read_info=False)
    early.send(b"PING\r\n")
    early.expect_eof()


# ---- limits

@pytest.mark.parametrize("tls", [{}, {"handshake_first": True}], ids=str)
def test_max_connections(tls_server, connect, tls):
    """One client too many hears so in the clear."""
    server = tls_server(tls, max_connections=0)
    c = connect(server, read_info=not tls)
    c.expect_closed_with(b"-ERR 'maximum connections exceeded'\r\n")


@pytest.mark.parametrize("tls", [{}, {"handshake_first": True}], ids=str)
def test_rate_limit(tls_server, connect, secure, tls):
    """A-38: the third handshake of a second is refused, in the clear; the log counts them."""
    server = tls_server({"connection_rate_limit": 2, **tls})
    clients = []
    for _ in range(5):  # shaking hands in between may take longer than a second
        clients.append(connect(server, read_info=not tls))
        time.sleep(0.05)  # the Go server serves those who come together in any order
    for refused in clients[2:]:
        refused.expect_closed_with(THROTTLED)
    for c in clients[:2]:
        secure(c)
        if tls:
            first_info(c)
        c.connect()
    if not tls:
        assert server.closed_reason(refused.cid) == "Maximum Connections Exceeded"
    server.wait_log(r"\[WRN\] Rejected 3 connections due to TLS rate limiting")
    time.sleep(1.1)
    secure(connect(server, read_info=not tls))


def test_rate_limit_of_plain_clients(tls_server, connect, secure):
    """A-38: plain clients do not count."""
    server = tls_server({"connection_rate_limit": 1}, allow_non_tls=True)
    for _ in range(5):
        connect(server).connect()
    secure(connect(server)).connect()
    time.sleep(1.1)
    first, second = connect(server), connect(server)
    first.send(b"\x16\x03\x01\x02\x00\x01")
    time.sleep(0.05)
    second.send(b"\x16\x03\x01\x02\x00\x01")
    second.expect_closed_with(THROTTLED)
