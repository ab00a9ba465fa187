# SPDX-License-Identifier: Apache-2.0
"""C-44: what a reload of the tls block does to clients that are connected (spec 03 E)."""

import json
import re
import signal
import time

import pytest

from harness import eventually


@pytest.fixture
def reloading(start_server, tmp_path):
    """reloading(config) -> (Server, reload); reload(config) -> the log of it."""
    conf = tmp_path / "server.conf"

    def start(config):
        conf.write_text(json.dumps(config))
        server = start_server("-D", "-c", conf)

        def reload(now):
            conf.write_text(json.dumps(now))
            seen = len(server.log())
            server.signal(signal.SIGHUP)
            eventually(lambda: re.search(r"Reloaded server configuration|Failed to reload", server.log()[seen:]))
            return server.log()[seen:]

        return server, reload

    return start


def verifying(certificate, *pins, **more):
    block = {**certificate("server").pair(), "verify": True, "ca_file": certificate("root").pem, **more}
    return {"tls": {**block, **({"pinned_certs": list(pins)} if pins else {})}}


def test_removed(reloading, connect, secure, certificate):
    """Who has TLS keeps it; new connections have none."""
    server, reload = reloading({"tls": certificate("server").pair()})
    old = secure(connect(server)).connect()
    reload({})
    new = connect(server).connect()
    assert "tls_required" not in new.info
    old.send(b"SUB x 1\r\n")
    old.fence()
    new.send(b"PUB x 1\r\nx\r\n")
    old.expect(b"MSG x 1 1\r\nx\r\n")


def test_removed_and_added(reloading, connect, secure, certificate):
    """Back and forth; connections of all times talk to each other."""
    with_tls, without = {"tls": certificate("server").pair()}, {}
    server, reload = reloading(without)
    clients = []
    for n in range(6):
        clients.append(connect(server).connect() if n % 2 == 0 else secure(connect(server)).connect())
        clients[-1].send(b"SUB x 1\r\n")
        clients[-1].fence()
        reload(without if n % 2 else with_tls)
    clients[0].send(b"PUB x 1\r\nx\r\n")
    for client in clients:
        client.expect(b"MSG x 1 1\r\nx\r\n")


def test_verify_added(reloading, connect, secure, certificate):
    """Who has shown no certificate stays; new ones must."""
    server, reload = reloading({"tls": certificate("server").pair()})
    old = secure(connect(server)).connect()
    reload(verifying(certificate))
    assert connect(server).info["tls_verify"]
    secure(connect(server), certificate("client")).connect().fence()
    old.fence()


def test_pins_changed(reloading, connect, secure, certificate):
    """Clients that do not match the new pins are closed; the others stay."""
    server, reload = reloading(verifying(certificate))
    good = secure(connect(server), certificate("client")).connect()
    bad = [secure(connect(server), certificate(name)).connect() for name in ("other", "other", "third")]
    log = reload(verifying(certificate, certificate("client").pin()))
    for client in bad:
        client.expect_eof()
        assert server.closed_reason(client.cid) == "TLS Handshake Failure"
    server.wait_log(r"Disconnect 3 clients due to pinned certs reload")
    assert "Reloaded: 1 pinned_certs" in log
    good.fence()
    reload(verifying(certificate, certificate("client").pin(), certificate("other").pin()))
    secure(connect(server), certificate("other")).connect().fence()
    good.fence()
    reload(verifying(certificate))
    secure(connect(server), certificate("third")).connect().fence()
    good.fence()


def test_pins_unchanged(reloading, connect, secure, certificate):
    """Other changes close nobody."""
    pins = [certificate("client").pin()]
    server, reload = reloading({**verifying(certificate, *pins), "allow_non_tls": True})
    plain = connect(server)
    plain.connect()
    safe = secure(connect(server), certificate("client")).connect()
    log = reload({**verifying(certificate, *pins, timeout=5), "allow_non_tls": True, "ping_max": 3})
    assert "Reloaded server configuration" in log
    safe.fence()
    plain.fence()


def test_pins_and_who_has_no_certificate(reloading, connect, secure, certificate):
    """Nor do those match who have shown none, or have no TLS."""
    server, reload = reloading({"tls": certificate("server").pair(), "allow_non_tls": True})
    plain = connect(server).connect()
    anonymous = secure(connect(server)).connect()
    reload({"tls": {**certificate("server").pair(), "pinned_certs": [certificate("client").pin()]}, "allow_non_tls": True})
    anonymous.expect_eof()
    plain.expect_eof()
    for client in (anonymous, plain):
        assert server.closed_reason(client.cid) == "TLS Handshake Failure"


def test_handshake_first(reloading, connect, secure, certificate):
    """For new connections."""
    server, reload = reloading({"tls": certificate("server").pair()})
    old = secure(connect(server)).connect()
    reload({"tls": {**certificate("server").pair(), "handshake_first": True}})
    new = secure(connect(server, read_info=False))
    assert new.read_info()["tls_required"]
    new.connect().fence()
    old.fence()


@pytest.mark.parametrize("options", [{"allow_non_tls": True}, {}], ids=["allow_non_tls", "auto"])
def test_removed_before_the_first_byte(reloading, connect, certificate, options):
    """A client that is waited for when TLS goes does no harm."""
    block = {**certificate("server").pair(), **({} if options else {"handshake_first": "5s"}), "timeout": 5}
    server, reload = reloading({"tls": block, **options})
    waiting = connect(server, read_info=bool(options))
    time.sleep(0.2)  # until it is waited for; nothing tells when that is
    reload(options)
    try:
        waiting.send(b"\x16\x03\x01\x00\x05hello")
        waiting.read_to_eof()
    except OSError:
        pass
    connect(server).connect().fence()
