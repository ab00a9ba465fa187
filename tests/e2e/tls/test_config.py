# SPDX-License-Identifier: Apache-2.0
"""The tls block of the configuration, as `-t` judges it, and the flags (spec 03 C5, B2): C-36."""

import json
import os
import subprocess

import pytest

from harness import Server
from harness.server import gnatwren_binary, peer_binary

PAIR = "error parsing X509 certificate/key pair"


@pytest.fixture
def run():
    def run_to_end(*args):
        program = peer_binary() if Server.peer_by_default else gnatwren_binary()
        done = subprocess.run([program, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        name = "nats-server" if Server.peer_by_default else os.path.basename(program)
        return done.returncode, done.stderr.strip().removeprefix(f"{name}: ")

    return run_to_end


@pytest.fixture
def judge(run, tmp_path):
    """judge(text) -> what -t says of it: "" if it is good, else the message without the file's name."""

    def check(text):
        conf = tmp_path / "t.conf"
        conf.write_text(text)
        code, err = run("-t", "-c", conf)
        return "" if code == 0 else err.replace(f"{conf}:", "")

    return check


@pytest.fixture
def files(certificate, tmp_path):
    """Names of files, to be filled into a text."""
    (tmp_path / "noise.pem").write_text("noise\n")
    return {"cert": certificate("server").pem, "key": certificate("server").key, "other": certificate("other").key,
            "ca": certificate("root").pem, "noise": tmp_path / "noise.pem", "none": "/nonexistent/x.pem"}


@pytest.mark.parametrize("text", [
    "{}", "{ca_file: %(ca)s}", "{cert_file: %(cert)s, key_file: %(key)s}", "{certs: []}",
    "{certs: [ {cert_file: %(cert)s, key_file: %(key)s} ]}", "{certificates: [ {cert_file: %(cert)s, key_file: %(key)s} ]}",
    "{timeout: 0}", "{timeout: -1}", "{timeout: 1.5}", '{timeout: "1m"}', "{timeout: 90}",
    "{VERIFY: true, Timeout: 2}", "{verify: true, verify_and_map: true, insecure: true}",
    "{cipher_suites: [ TLS_AES_128_GCM_SHA256 ]}",
    "{cipher_suites: [ TLS_RSA_WITH_RC4_128_SHA ], allow_insecure_cipher_suites: true}",
    "{curve_preferences: [X25519MLKEM768, SecP384r1MLKEM1024, SecP256r1MLKEM768, X25519, CurveP256, CurveP384, CurveP521]}",
    '{min_version: "1.2"}', '{min_version: "1.3"}',
    "{handshake_first: yes}", "{handshake_first: AUTO}", "{first: on}", '{immediate: "2s"}', '{handshake_first: "-5s"}',
    "{connection_rate_limit: -1}", "{connection_rate_limit: 100}", "{pinned_certs: []}",
    '{pinned_certs: ["' + "aB" * 32 + '"]}', "{ocsp_peer: true}", "{ocsp_peer: {}}", '{cert_match: "x"}', "{ca_certs_match: 5}",
])
def test_good(judge, files, text):
    """C5: what is accepted."""
    assert judge("tls " + text % files) == ""


@pytest.mark.parametrize("text, message", [
    ("{cert_file: %(cert)s}", "1:0: missing 'key_file' in TLS configuration"),
    ("{key_file: %(key)s}", "1:0: missing 'cert_file' in TLS configuration"),
    ("{cert_file: %(none)s, key_file: %(none)s}", f"1:0: {PAIR}: open %(none)s: no such file or directory"),
    ("{cert_file: %(cert)s, key_file: %(none)s}", f"1:0: {PAIR}: open %(none)s: no such file or directory"),
    ("{cert_file: %(noise)s, key_file: %(key)s}", f"1:0: {PAIR}: tls: failed to find any PEM data in certificate input"),
    ("{cert_file: %(cert)s, key_file: %(noise)s}", f"1:0: {PAIR}: tls: failed to find any PEM data in key input"),
    ("{cert_file: %(cert)s, key_file: %(other)s}", f"1:0: {PAIR}: tls: private key does not match public key"),
    ("{cert_file: %(key)s, key_file: %(key)s}", f"1:0: {PAIR}: tls: failed to find certificate PEM data in certificate input, "
     "but did find a private key; PEM inputs may have been switched"),
    ("{ca_file: %(noise)s}", "1:0: failed to parse root ca certificate"),
    ("{ca_file: %(none)s}", "1:0: open %(none)s: no such file or directory"),
    ("{certs: [ {cert_file: x} ]}", "1:15: error parsing certificates config: both 'cert_file' and 'cert_key' options are required"),
    ("{certs: [ {cert_file: %(cert)s, key_file: %(key)s}, {cert_file: %(none)s, key_file: %(none)s} ]}",
     f"1:0: {PAIR} 2/2: open %(none)s: no such file or directory"),
    ("{certs: [ {cert_file: %(cert)s, key_file: %(key)s} ], cert_file: %(cert)s, key_file: %(key)s}",
     "1:0: error parsing tls config, cannot combine 'cert_file' option with 'certs' option"),
    ("{certs: 5}", "1:5: error parsing certificates config: unsupported type map[string]interface {}"),
    ("{foo: 5}", '1:5: error parsing tls config, unknown field "foo"'),
    ("{cert_file: 5}", "1:5: error parsing tls config, expected 'cert_file' to be filename"),
    ("{verify: 5}", "1:5: error parsing tls config, expected 'verify' to be a boolean"),
    ('{verify: "true"}', "1:5: error parsing tls config, expected 'verify' to be a boolean"),
    ('{timeout: "x"}', "1:5: error parsing tls config, 'timeout' time: invalid duration \"x\""),
    ("{timeout: true}", "1:5: error parsing tls config, 'timeout' wrong type"),
    ("{cipher_suites: []}", "1:5: error parsing tls config, 'cipher_suites' cannot be empty"),
    ("{cipher_suites: [ TLS_NOPE ]}", "1:22: unrecognized cipher TLS_NOPE"),
    ("{cipher_suites: [ TLS_RSA_WITH_RC4_128_SHA, TLS_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_CBC_SHA ]}",
     "1:0: insecure cipher suites configured without 'allow_insecure_cipher_suites' option set: "
     "TLS_RSA_WITH_RC4_128_SHA, TLS_RSA_WITH_AES_128_CBC_SHA"),
    ("{curve_preferences: []}", "1:5: error parsing tls config, 'curve_preferences' cannot be empty"),
    ("{curve_preferences: [ P256 ]}", "1:26: unrecognized curve preference P256"),
    ("{min_version: 1.3}", "1:5: error parsing tls config: 'min_version' wrong type: 1.3"),
    ('{min_version: "1.1"}', "1:5: error parsing tls config: unsupported TLS version: TLS 1.1"),
    ('{min_version: "x"}', "1:5: error parsing tls config: unknown version: x"),
    ("{handshake_first: 5}", '1:5: field "handshake_first" should be a boolean or a string, got int64'),
    ('{handshake_first: "foo"}', '1:5: field "handshake_first"\'s value "foo" is invalid'),
    ("{connection_rate_limit: 1.5}", "1:5: error parsing tls config, 'connection_rate_limit' wrong type"),
    ("{pinned_certs: abc}", "1:5: error parsing tls config, expected 'pinned_certs' to be a list of hex-encoded sha256 of DER "
     "encoded SubjectPublicKeyInfo"),
    ('{pinned_certs: [ "abc" ]}', "1:22: error parsing tls config, 'pinned_certs' key abc does not look like hex-encoded sha256 "
     "of DER encoded SubjectPublicKeyInfo"),
    ("{verify_cert_and_check_known_urls: true}", "1:5: verify_cert_and_check_known_urls not supported in this context"),
    ('{cert_store: "x"}', "1:5: cert store type not implemented"),
    ("{ocsp_peer: {warn_only: 1}}", '1:5: 1:17: error parsing tls peer config, unknown field ["warn_only"]'),
    ("{ocsp_peer: {ca_timeout: x}}", '1:5: 1:17: error parsing tls peer config, conversion error: time: invalid duration "x"'),
    ("{ocsp_peer: {ca_timeout: true}}", "1:5: 1:17: error parsing tls peer config, conversion error: unexpected type"),
    ("{ocsp_peer: 5}", "1:5: error parsing ocsp peer config: unsupported type map[string]interface {}"),
])
def test_bad(judge, files, text, message):
    """C5: what is not, and what is said of it."""
    assert judge("tls " + text % files).splitlines()[0] == message % files


@pytest.mark.parametrize("tls, more, message", [
    ("ocsp_peer: true", "", "OCSP peer verification for client connections requires TLS verify (mTLS) to be enabled"),
    pytest.param("ocsp_peer: true, verify: true", "", "tls: ocsp_peer is not supported yet", marks=pytest.mark.ours),
    pytest.param("", "ocsp: {mode: always}", "t.conf:2:1: ocsp: stapling is not supported yet", marks=pytest.mark.ours),
], ids=["without verify", "peer", "always"])
def test_ocsp_refused(start_server, files, tmp_path, tls, more, message):
    """What would have to ask an OCSP responder does not exist; nobody is to believe that it does."""
    (tmp_path / "t.conf").write_text("tls {cert_file: %(cert)s, key_file: %(key)s, ca_file: %(ca)s, " % files + tls + "}\n" + more)
    server = start_server("-c", "t.conf", cwd=tmp_path, wait=False)
    assert server.wait_exit(20) == 1
    assert server.log().splitlines()[-1].split(": ", 1)[1] == message


@pytest.mark.parametrize("ocsp", ["true", "false", "{mode: auto}", "{mode: never}", "{mode: must}"])
def test_ocsp_of_no_consequence(start_server, connect, secure, files, tmp_path, ocsp):
    """Certificates without the extension Must-Staple are shown as they are."""
    (tmp_path / "t.conf").write_text("tls {cert_file: %(cert)s, key_file: %(key)s}\n" % files + f"ocsp: {ocsp}\n")
    secure(connect(start_server("-c", "t.conf", cwd=tmp_path))).connect().fence()


def test_bad_flag_value(judge):
    assert judge("allow_non_tls: 5") == "1:0: interface conversion: interface {} is int64, not bool"


# ---- C-36: flags

@pytest.mark.parametrize("args, message", [
    (["--tls"], "TLS Server certificate must be present and valid"),
    (["--tlsverify"], "TLS Server certificate must be present and valid"),
    (["--tlsverify=false"], "TLS Server certificate must be present and valid"),
    (["--tlscacert", "%(ca)s"], "TLS Server certificate must be present and valid"),
    (["--tls", "--tlskey", "%(key)s"], "TLS Server certificate must be present and valid"),
    (["--tls", "--tlscert", "%(cert)s"], "TLS Server private key must be present and valid"),
    (["--tlscert", "%(none)s", "--tlskey", "%(none)s"], f"{PAIR}: open %(none)s: no such file or directory"),
    (["--tlscert", "%(cert)s", "--tlskey", "%(key)s", "--tlscacert", "%(none)s"], "open %(none)s: no such file or directory"),
], ids=str)
def test_refused_flags(run, files, args, message):
    """C-36: certificate and key belong to every flag of TLS."""
    assert run("-p", -1, *(arg % files for arg in args)) == (1, message % files)


def test_flags(start_server, connect, secure, certificate):
    """--tlscert and --tlskey are enough; --tlsverify asks clients for theirs."""
    pair = ["--tlscert", certificate("server").pem, "--tlskey", certificate("server").key]
    secure(connect(start_server(*pair))).connect().fence()
    server = start_server(*pair, "--tlsverify", "--tlscacert", certificate("root").pem)
    c = connect(server)
    assert c.info["tls_verify"]
    secure(c, certificate("client")).connect().fence()


def test_flags_take_tls_away(start_server, connect, certificate, tmp_path):
    """--tls=false: no TLS, whatever the file says."""
    conf = tmp_path / "server.conf"
    conf.write_text(json.dumps({"tls": certificate("server").pair()}))
    c = connect(start_server("--tls=false", "-c", conf))
    assert "tls_required" not in c.info
    c.connect().fence()


def test_flags_replace_the_block(start_server, connect, secure, certificate, tmp_path):
    """The flags stand for a whole block: nothing of the file's is left."""
    conf = tmp_path / "server.conf"
    conf.write_text(json.dumps({"tls": {**certificate("server").pair(), "ca_file": certificate("root").pem, "verify": True}}))
    server = start_server("-c", conf, "--tlscert", certificate("other").pem, "--tlskey", certificate("other").key)
    c = connect(server)
    assert "tls_verify" not in c.info
    secure(c).connect().fence()
