# SPDX-License-Identifier: Apache-2.0
"""Monitoring over TLS, and what is told of clients that use it."""

import hashlib
import json
import signal
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from e2e.monitor.conftest import World
from e2e.monitor.shapes import CLOSED, CONNECTION, DEPENDING, VARZ, check, moment
from e2e.tls.conftest import Certificate
from harness import eventually

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE
TLS_13 = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}
TO_HTTPS = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
IN_TLS = ("tls_version", "tls_cipher_suite", "tls_first", "tls_peer_certs")
USERS = "authorization { users: [ {user: a, password: pw} ], timeout: 10 }\n"


@pytest.fixture
def configuration(certificate):
    """configuration(port="https", rest="", **options of the tls block) -> text"""
    def text(port="https", rest="", **tls):
        block = {**certificate("server").pair(), "timeout": 10, **tls}
        return f'{port}: "127.0.0.1:-1"\ntls: {json.dumps(block)}\n{rest}\n'

    return text


@pytest.fixture
def tls_world(start_server, connect, tmp_path, configuration):
    """tls_world(port="https", rest="", **options of the tls block) -> World"""
    def start(port="https", rest="", **tls):
        path = tmp_path / "server.conf"
        path.write_text(configuration(port, rest, **tls))
        return World(start_server("-D", "-c", path), path, connect, CONTEXT if port == "https" else None)

    return start


def tls_part(entry: dict) -> dict:
    return {name: entry[name] for name in IN_TLS if name in entry}


def pem_to_der(*command: str) -> bytes:
    return subprocess.run(["openssl", *command], check=True, capture_output=True).stdout


def cert_hash(cert) -> str:
    return hashlib.sha256(pem_to_der("x509", "-in", cert.pem, "-outform", "DER")).hexdigest()


# ---- the port

def test_m08_https(tls_world):
    w = tls_world()
    varz = w.document("/varz")
    check(varz, VARZ)
    assert (varz["http_port"], varz["https_port"], varz["http_host"]) == (0, -1, "127.0.0.1")
    with w.open() as c:
        for _ in range(3):
            assert c.ask("/connz").status == 200


@pytest.mark.parametrize("option", ["verify", "verify_and_map"])
def test_m08_no_client_certificate(tls_world, certificate, option):
    """Is asked for, even where clients need one."""
    rest = USERS if option == "verify" else 'authorization { users: [ {user: "CN=a"} ] }'
    w = tls_world(rest=rest, ca_file=certificate("root").pem, **{option: True})
    assert w.get("/healthz").status == 200


@pytest.mark.parametrize("data", [
    b"GET /varz HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n", b"POST /x HTTP/1.1\r\nHost: x\r\n\r\n",
    b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", b"OPTIONS * HTTP/1.1\r\n\r\n"])
def test_m08_http_to_the_https_port(tls_world, data):
    """Is told so, in plain text."""
    with socket.create_connection(("127.0.0.1", tls_world().port), timeout=20) as sock:
        sock.sendall(data)
        received = b""
        try:
            while part := sock.recv(4096):
                received += part
        except ConnectionError:
            pass
        assert received == TO_HTTPS


@pytest.mark.parametrize("data", [b"", b"\x16\x03\x01", b"garbage that is neither\r\n\r\n"], ids=["nothing", "half a hello", "garbage"])
def test_m08_no_handshake(tls_world, data):
    """Is given up after some seconds; others are served all the while."""
    w = tls_world()
    with socket.create_connection(("127.0.0.1", w.port), timeout=20) as sock:
        sock.sendall(data)
        assert w.get("/healthz").status == 200
        try:
            while sock.recv(4096):
                pass
        except ConnectionError:
            pass


def test_m08_certificate(tls_world, certificate):
    """Is that of clients."""
    w = tls_world()
    with w.open() as c:
        assert hashlib.sha256(c.sock.getpeercert(binary_form=True)).hexdigest() == cert_hash(certificate("server"))


def test_m08_certificate_after_reload(tls_world, configuration, certificate):
    """A new one holds for connections that come then; those that are open stay."""
    w = tls_world()
    with w.open() as old:
        assert old.ask("/varz").status == 200
        w.path.write_text(configuration(**certificate("other").pair()))
        w.server.signal(signal.SIGHUP)
        w.server.wait_log("Reloaded server configuration")
        with w.open() as c:
            assert hashlib.sha256(c.sock.getpeercert(binary_form=True)).hexdigest() == cert_hash(certificate("other"))
            assert c.ask("/varz").status == 200
        assert old.ask("/varz").status == 200


@pytest.mark.parametrize("protocols", [["http/1.1"], ["h2", "http/1.1"]])
def test_m08_only_http_1(tls_world, protocols):
    """Whatever the client offers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(protocols)
    w = tls_world()
    with socket.create_connection(("127.0.0.1", w.port), timeout=20) as plain, context.wrap_socket(plain) as sock:
        assert sock.selected_alpn_protocol() in (None, "http/1.1")
        sock.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.0 200 OK\r\n")


def test_m08_http_beside_tls(tls_world):
    """Clients use TLS, monitoring need not."""
    w = tls_world("http")
    varz = w.document("/varz")
    assert varz["tls_required"] is True
    assert (varz["http_port"], varz["https_port"]) == (-1, 0)


def test_m08_flag(start_server, certificate, tmp_path):
    path = tmp_path / "server.conf"
    path.write_text("tls: " + json.dumps(certificate("server").pair()))
    server = start_server("-ms", "-1", "-c", path)
    assert World(server, path, None, CONTEXT).document("/varz")["https_port"] == -1


# ---- /varz

@pytest.mark.parametrize("options, members", [
    ({}, {"tls_required": True}), ({"verify": True}, {"tls_required": True, "tls_verify": True}),
    ({"timeout": 3.5}, {"tls_required": True, "tls_timeout": 3.5})])
def test_m10_tls(tls_world, certificate, options, members):
    varz = tls_world(ca_file=certificate("root").pem, **options).document("/varz")
    check(varz, VARZ)
    assert {name: varz.get(name) for name in members} == members
    assert ("tls_verify" in varz) is ("tls_verify" in members)
    text = pem_to_der("x509", "-in", certificate("server").pem, "-enddate", "-noout", "-dateopt", "iso_8601").decode().strip()
    assert moment(varz["tls_cert_not_after"]) == moment(text.removeprefix("notAfter=").replace(" ", "T", 1))


def test_m10_tls_that_is_not_required(tls_world):
    """With allow_non_tls clients choose."""
    varz = tls_world(rest="allow_non_tls: true").document("/varz")
    check(varz, VARZ)
    assert varz.get("tls_required", False) is False


# ---- /connz

@pytest.mark.parametrize("maximum, version", [(ssl.TLSVersion.TLSv1_3, "1.3"), (ssl.TLSVersion.TLSv1_2, "1.2")])
def test_m24_version_and_cipher(tls_world, secure, maximum, version):
    w = tls_world()
    c = secure(w.raw(), maximum=maximum).connect(name="secure")
    entry = w.entry(c)
    check(entry, CONNECTION)
    suite = tls_part(entry)["tls_cipher_suite"]
    assert tls_part(entry) == {"tls_version": version, "tls_cipher_suite": suite}
    assert suite in TLS_13 if version == "1.3" else suite.startswith("TLS_ECDHE_ECDSA_WITH_")
    assert entry["name"] == "secure"


@pytest.mark.parametrize("ours, iana", [
    ("ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256")])
def test_m24_names_of_ciphers(tls_world, secure, ours, iana):
    w = tls_world()
    c = secure(w.raw(), maximum=ssl.TLSVersion.TLSv1_2, ciphers=ours).connect()
    name = w.entry(c)["tls_cipher_suite"]
    assert name == iana or ours.endswith("POLY1305") and name == iana.removesuffix("_SHA256")


def test_m24_certificates(tls_world, secure, certificate, tmp_path):
    """The chain as the client presented it, and only with `auth`."""
    w = tls_world(rest=USERS, verify=True, ca_file=certificate("root").pem)
    mine = certificate("mine", subject="/C=AU/O=Golden/OU=Dev, Inc/CN=client <1>")
    described = [{"subject": r"CN=client \<1\>,OU=Dev\, Inc,O=Golden,C=AU", "spki_sha256": mine.pin(), "cert_sha256": cert_hash(mine)},
                 {"subject": "CN=root,O=tests", "spki_sha256": certificate("root").pin(), "cert_sha256": cert_hash(certificate("root"))}]
    chain = tmp_path / "chain.pem"
    chain.write_bytes(Path(mine.pem).read_bytes() + Path(certificate("root").pem).read_bytes())
    for n, pem in ((1, mine.pem), (2, str(chain))):
        c = secure(w.raw(), Certificate(pem, mine.key)).connect(user="a", **{"pass": "pw"})
        assert "tls_peer_certs" not in w.entry(c)
        entry = w.entry(c, "&auth=1")
        check(entry, {**CONNECTION, **DEPENDING})
        assert entry["tls_peer_certs"] == described[:n]
        assert entry["authorized_user"] == "a"


def test_m24_certificate_that_nobody_asked_for(tls_world, secure, certificate):
    w = tls_world()
    c = secure(w.raw(), certificate("mine")).connect()
    assert "tls_peer_certs" not in w.entry(c, "&auth=1")


def test_m24_user_from_the_certificate(tls_world, secure, certificate):
    """With verify_and_map it is the name that was found in it."""
    w = tls_world(rest='authorization { users: [ {user: "mapped.example"} ] }', verify_and_map=True, ca_file=certificate("root").pem)
    c = secure(w.raw(), certificate("mapped")).connect()
    assert w.entry(c, "&auth=1")["authorized_user"] == "mapped.example"
    assert w.document("/connz?user=mapped.example")["num_connections"] == 1


def test_m24_tls_first(tls_world, secure):
    """Whether the handshake came before INFO, where clients may choose."""
    w = tls_world(handshake_first="auto")
    late, early = w.raw(), w.raw(read_info=False)
    secure(late).connect()
    secure(early)
    early.info = early.read_info()
    early.connect()
    assert "tls_first" not in w.entry(late)
    assert w.entry(early)["tls_first"] is True


def test_m24_without_tls(tls_world):
    """Where both kinds of clients may come."""
    w = tls_world(rest="allow_non_tls: true")
    assert not tls_part(w.entry(w(), "&auth=1"))


def test_m24_closed(tls_world, secure, certificate):
    """Version and cipher are kept, certificates are not."""
    w = tls_world(rest=USERS, verify=True, ca_file=certificate("root").pem, handshake_first="auto")
    c = secure(w.raw(), certificate("mine")).connect(user="a", **{"pass": "pw"}, name="n", lang="l", version="v")
    before = tls_part(w.entry(c))
    c.close()
    entry = w.gone(c, "&auth=1")
    check(entry, CLOSED)
    assert tls_part(entry) == before
    assert set(entry) == {
        "authorized_user", "cid", "idle", "in_bytes", "in_msgs", "ip", "kind", "lang", "last_activity", "name", "out_bytes", "out_msgs",
        "pending_bytes",
        "port", "reason", "rtt", "start", "stop", "subscriptions", "tls_cipher_suite", "tls_version", "type", "uptime", "version"}


@pytest.mark.parametrize("data", [b"CONNECT {}\r\nPING\r\n", b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\x00\x02xx"],
                         ids=["connect", "http", "hello that ends"])
def test_m25_plain_text(tls_world, data):
    w = tls_world(timeout=2)
    c = w.raw()
    c.send(data)
    c.read_to_eof()
    entry = w.gone(c)
    check(entry, CLOSED)
    assert entry["reason"] == "TLS Handshake Failure"
    assert not tls_part(entry)


def test_m25_silent(tls_world):
    """Who lets the time for the handshake go by."""
    w = tls_world(timeout=0.5)
    c = w.raw()
    c.read_to_eof()
    assert w.gone(c)["reason"] == "TLS Handshake Failure"


def test_m25_no_certificate(tls_world, secure, certificate):
    """Where one is needed."""
    w = tls_world(verify=True, ca_file=certificate("root").pem)
    c = w.raw()
    try:
        secure(c)
        c.read_to_eof()
    except (ssl.SSLError, ConnectionError):
        pass
    assert w.gone(c)["reason"] == "TLS Handshake Failure"


def test_m25_counts(tls_world):
    """As a connection that there was."""
    w = tls_world()
    c = w.raw()
    c.send(b"PING\r\n")
    c.read_to_eof()
    w.gone(c)
    assert eventually(lambda: w.document("/varz")["connections"] == 0)
    assert w.document("/varz")["total_connections"] == 1
