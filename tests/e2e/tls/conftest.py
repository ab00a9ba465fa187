# SPDX-License-Identifier: Apache-2.0
"""Certificates, servers with a `tls` block, and clients that speak TLS."""

import json
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class Certificate:
    pem: str
    key: str

    def pair(self) -> dict:
        return {"cert_file": self.pem, "key_file": self.key}

    def pin(self) -> str:
        """SHA-256 of the public key, in hex."""
        public = subprocess.run(["openssl", "x509", "-in", self.pem, "-pubkey", "-noout"], check=True, capture_output=True)
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], check=True, capture_output=True,
                             input=public.stdout)
        digest = subprocess.run(["openssl", "dgst", "-sha256", "-r"], check=True, capture_output=True, input=der.stdout)
        return digest.stdout.split()[0].decode()


class Certificates:
    """Certificates by name, made when they are first asked for.  All but `root` and `stranger` are signed by `root`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.made: dict[str, Certificate] = {}

    def __call__(self, name: str, names: str | None = None, *, subject: str | None = None, key: str = "ec",
                 days: int = 10) -> Certificate:
        """names    subject alternative names, as OpenSSL writes them; "": none
        subject  as OpenSSL reads it: "/O=tests/CN=name" unless said otherwise
        key      ec or rsa
        days     validity; negative: it is over"""
        if name not in self.made:
            if names is None:
                names = f"DNS:{name}.example,DNS:localhost,IP:127.0.0.1"
            self.made[name] = self._make(name, names, subject or f"/O=tests/CN={name}", [key, days])
        return self.made[name]

    def _make(self, name: str, names: str, subject: str, kind: list) -> Certificate:
        key, days = kind
        made = Certificate(str(self.folder / f"{name}.pem"), str(self.folder / f"{name}.key"))
        new_key = ["-newkey", "rsa:2048"] if key == "rsa" else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        request = ["openssl", "req", "-utf8", "-multivalue-rdn", "-subj", subject, "-nodes", "-keyout", made.key, *new_key]
        if name in ("root", "stranger"):
            subprocess.run([*request, "-x509", "-days", str(days), "-out", made.pem], check=True, capture_output=True)
            return made
        root = self("root")
        wanted = self.folder / f"{name}.csr"
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\n" if names else "basicConstraints=CA:FALSE\n")
        subprocess.run([*request, "-out", wanted], check=True, capture_output=True)
        subprocess.run(["openssl", "x509", "-req", "-in", wanted, "-CA", root.pem, "-CAkey", root.key, "-CAcreateserial",
                        "-days", str(days), "-extfile", extensions, "-out", made.pem], check=True, capture_output=True)
        return made


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """certificate(name, …) -> Certificate."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def tls_server(start_server, certificate, tmp_path):
    """tls_server(tls=None, **options) -> Server; its tls block has a certificate unless `tls` says otherwise."""

    def start(tls=None, **options):
        block = {} if tls and "certs" in tls else certificate("server").pair()
        conf = tmp_path / "server.conf"
        conf.write_text(json.dumps({"tls": {**block, **(tls or {})}, **options}))
        return start_server("-D", "-c", conf)

    return start


@pytest.fixture
def secure():
    """secure(client, certificate=None, name=None, …) -> client: shakes hands on its socket.

    maximum, ciphers  of the ssl.SSLContext;  session  to be resumed
    """

    def shake_hands(client, certificate=None, *, name=None, maximum=None, ciphers=None, session=None, context=None):
        if context is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if certificate:
            context.load_cert_chain(certificate.pem, certificate.key)
        if ciphers:
            context.set_ciphers(ciphers)
        if maximum:
            context.minimum_version = min(maximum, ssl.TLSVersion.TLSv1_2)
            context.maximum_version = maximum
        client.sock.settimeout(client.timeout)
        client.sock = context.wrap_socket(client.sock, server_hostname=name, session=session)
        return client

    return shake_hands
