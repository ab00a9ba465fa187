# SPDX-License-Identifier: Apache-2.0
"""What a reload does to the tls block (spec 03 C5, E)."""

import json
import signal
import ssl

import pytest


@pytest.fixture
def reloading(start_server, tmp_path):
    """A server and reload(config): writes the file again and waits until that is in effect."""
    conf = tmp_path / "server.conf"

    def start(config):
        conf.write_text(json.dumps(config))
        server = start_server("-D", "-c", conf)

        def reload(now):
            conf.write_text(json.dumps(now))
            server.signal(signal.SIGHUP)
            server.wait_log(r"Reloaded server configuration|Failed to reload")

        return server, reload

    return start


def subject_of(client, certificate, secure):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(certificate("root").pem)
    secure(client, context=context).connect()
    return dict(pair[0] for pair in client.sock.getpeercert()["subject"])["commonName"]


def test_certificate(reloading, connect, secure, certificate):
    """New connections see the new certificate; live ones go on."""
    server, reload = reloading({"tls": certificate("server").pair()})
    old = connect(server)
    assert subject_of(old, certificate, secure) == "server"
    reload({"tls": certificate("other").pair()})
    assert subject_of(connect(server), certificate, secure) == "other"
    old.fence()


def test_added(reloading, connect, secure, certificate):
    """A block that was not there is for new connections; live ones stay as they are."""
    server, reload = reloading({})
    plain = connect(server).connect()
    reload({"tls": certificate("server").pair()})
    safe = connect(server)
    assert safe.info["tls_required"]
    secure(safe).connect().fence()
    plain.fence()


def test_bad_files_change_nothing(reloading, connect, secure, certificate):
    """A reload that names files which are no good is refused."""
    server, reload = reloading({"tls": certificate("server").pair()})
    reload({"tls": {**certificate("server").pair(), "key_file": certificate("other").key}})
    server.wait_log("Failed to reload server configuration: .*tls: private key does not match public key")
    assert subject_of(connect(server), certificate, secure) == "server"
