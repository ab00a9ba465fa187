# SPDX-License-Identifier: Apache-2.0
"""Who shows which certificate, versions and suites (spec 04 §9, §10): A-32, A-35, A-36, A-37, A-39."""

import ssl
import warnings

import pytest

ERROR = r"\[ERR\] .*cid:{cid} - TLS handshake error: "


@pytest.fixture
def refused_with(connect, secure):
    """refused_with(server, alert, log, …): the handshake fails with an alert, and the log says why."""

    def expect_refusal(server, alert, log, **kwargs):
        c = connect(server)
        with pytest.raises((ssl.SSLError, ConnectionError)) as caught:
            secure(c, **kwargs)
            c.sock.recv(1)  # in TLS 1.3 a client learns of it later
        if isinstance(caught.value, ssl.SSLError):
            assert alert in str(caught.value).lower().replace(" ", "_")
        server.wait_log(ERROR.format(cid=c.cid) + log)
        assert server.closed_reason(c.cid) == "TLS Handshake Failure"

    return expect_refusal


# ---- certificates of clients

@pytest.fixture
def verifying(tls_server, certificate):
    return tls_server({"verify": True, "ca_file": certificate("root").pem})


def test_good_certificate(verifying, connect, secure, certificate):
    """A-32: a certificate of the CA is let in."""
    secure(connect(verifying), certificate("client")).connect().fence()
    secure(connect(verifying), certificate("client"), maximum=ssl.TLSVersion.TLSv1_2).connect().fence()


def test_no_certificate(verifying, refused_with):
    """A-32: none is not."""
    refused_with(verifying, "certificate_required", "tls: client didn't provide a certificate")
    refused_with(verifying, "handshake_failure", "tls: client didn't provide a certificate", maximum=ssl.TLSVersion.TLSv1_2)


def test_strange_certificate(verifying, refused_with, certificate):
    """A-32: nor is one of another CA."""
    refused_with(verifying, "unknown_ca", r"tls: failed to verify certificate: x509: certificate signed by unknown authority "
                 r"\(CN=stranger,O=tests SHA-256: [0-9a-f]{64}\)", certificate=certificate("stranger"))


def test_expired_certificate(verifying, refused_with, certificate):
    """A-32: nor one that is too old."""
    refused_with(verifying, "certificate_expired", r"tls: failed to verify certificate: x509: certificate has expired or is not "
                 r"yet valid: current time 20\S+Z is after 20\S+Z \(CN=late,O=tests SHA-256: [0-9a-f]{64}\)",
                 certificate=certificate("late", days=-1))


def test_certificate_is_not_asked_for(tls_server, connect, secure, certificate):
    """Without verify any certificate is good."""
    secure(connect(tls_server()), certificate("stranger")).connect().fence()


def test_resumed_certificate(verifying, connect, secure, certificate):
    """A session that was begun with a certificate is resumed with it."""
    c = secure(connect(verifying), certificate("client")).connect()
    again = secure(connect(verifying), session=c.sock.session, context=c.sock.context).connect()
    assert again.sock.session_reused


# ---- versions and suites

@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions(tls_server, refused_with, version):
    """A-35: TLS 1.1 and 1.0 are refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        refused_with(tls_server(), "protocol_version", r"tls: client offered only unsupported versions: \[3",
                     maximum=version, ciphers="DEFAULT:@SECLEVEL=0")


def test_min_version(tls_server, connect, secure, refused_with):
    """A-35: min_version 1.3 refuses 1.2."""
    server = tls_server({"min_version": "1.3"})
    refused_with(server, "protocol_version", r"tls: client offered only unsupported versions: \[303",
                 maximum=ssl.TLSVersion.TLSv1_2)
    assert secure(connect(server)).connect().sock.version() == "TLSv1.3"


def test_cipher_suites(tls_server, connect, secure, refused_with):
    """A-36: cipher_suites restricts TLS 1.2, not 1.3."""
    server = tls_server({"cipher_suites": ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]})
    v12 = secure(connect(server), maximum=ssl.TLSVersion.TLSv1_2).connect()
    assert v12.sock.cipher()[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"
    refused_with(server, "handshake_failure", "tls: no cipher suite supported by both client and server; client offered: "
                 r"\[c02b", maximum=ssl.TLSVersion.TLSv1_2, ciphers="ECDHE-ECDSA-AES128-GCM-SHA256")
    assert secure(connect(server)).connect().sock.version() == "TLSv1.3"


@pytest.mark.parametrize("key", ["ec", "rsa"])
def test_secure_suites(tls_server, connect, secure, certificate, key):
    """A-36: every suite of the default set that fits the key."""
    server = tls_server(certificate(f"server-{key}", key=key).pair())
    kind = "ECDSA" if key == "ec" else "RSA"
    for suite in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305", "AES128-SHA", "AES256-SHA"):
        name = f"ECDHE-{kind}-{suite}"
        c = secure(connect(server), maximum=ssl.TLSVersion.TLSv1_2, ciphers=name).connect()
        assert c.sock.cipher()[0] == name


def test_insecure_suites(tls_server, connect, secure, certificate, refused_with):
    """A-36: insecure ones only where they are asked for."""
    pair = certificate("server-rsa", key="rsa").pair()
    refused_with(tls_server(pair), "handshake_failure", "tls: no cipher suite", maximum=ssl.TLSVersion.TLSv1_2,
                 ciphers="AES128-SHA")
    server = tls_server({**pair, "cipher_suites": ["TLS_RSA_WITH_AES_128_CBC_SHA"], "allow_insecure_cipher_suites": True})
    secure(connect(server), maximum=ssl.TLSVersion.TLSv1_2, ciphers="AES128-SHA").connect().fence()


def test_curves(tls_server, connect, secure):
    """A-36: curve_preferences."""
    secure(connect(tls_server({"curve_preferences": ["CurveP256", "X25519"]}))).connect().fence()


# ---- pins

@pytest.mark.parametrize("letters", [str.lower, str.upper])
def test_pinned(tls_server, connect, secure, certificate, refused_with, letters):
    """A-37: only certificates with a pinned key come in."""
    pins = ["00" * 32, letters(certificate("client").pin())]
    server = tls_server({"verify": True, "ca_file": certificate("root").pem, "pinned_certs": pins})
    secure(connect(server), certificate("client")).connect().fence()
    c = connect(server)
    try:
        secure(c, certificate("other"))
        assert c.sock.recv(1) == b""
    except (ssl.SSLError, ConnectionError):
        pass
    server.wait_log(ERROR.format(cid=c.cid) + "certificate not pinned")
    assert server.closed_reason(c.cid) == "TLS Handshake Failure"


def test_pins_without_verify(tls_server, connect, secure, certificate):
    """A-37: where no certificate is asked for, none is pinned."""
    server = tls_server({"pinned_certs": [certificate("client").pin()]})
    c = connect(server)
    try:
        secure(c, certificate("client"))
        assert c.sock.recv(1) == b""
    except (ssl.SSLError, ConnectionError):
        pass
    server.wait_log(ERROR.format(cid=c.cid) + "certificate not pinned")


# ---- certificates of the server

@pytest.mark.parametrize("asked, shown", [("a.example", "a"), ("b.example", "b"), ("c.example", "a"), (None, "a")])
def test_chosen_by_name(tls_server, connect, certificate, asked, shown, secure):
    """A-39: certs: the name that the client asks for chooses; the first is for all others."""
    server = tls_server({"certs": [certificate("a", "DNS:a.example").pair(), certificate("b", "DNS:b.example").pair()]})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(certificate("root").pem)
    c = secure(connect(server), name=asked, context=context).connect()
    assert dict(pair[0] for pair in c.sock.getpeercert()["subject"])["commonName"] == shown


def test_no_certificate_at_all(start_server, connect, secure, tmp_path):
    """`tls {}`: every handshake fails."""
    conf = tmp_path / "server.conf"
    conf.write_text("tls {}\n")
    server = start_server("-D", "-c", conf)
    c = connect(server)
    assert c.info["tls_required"]
    with pytest.raises((ssl.SSLError, ConnectionError)):
        secure(c)
    assert server.closed_reason(c.cid) == "TLS Handshake Failure"
