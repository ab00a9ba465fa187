# SPDX-License-Identifier: Apache-2.0
"""Throw-away certificates (EC P-256, valid for 100 years, of no use elsewhere): their names and fingerprints are in the captures."""

import ssl
from pathlib import Path

TLS_CA = """\
-----BEGIN CERTIFICATE-----
MIIBgDCCASagAwIBAgIUSpzYmBwMQbfhh6+zlrToCtrew60wCgYIKoZIzj0EAwIw
JTEPMA0GA1UECgwGR29sZGVuMRIwEAYDVQQDDAlnb2xkZW4tY2EwIBcNMjYxMTIx
MTkzODA5WhgPMjEyNjEwMjgxOTM4MDlaMCUxDzANBgNVBAoMBkdvbGRlbjESMBAG
A1UEAwwJZ29sZGVuLWNhMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZWAMsppn
W+HHvIkrtY/f9nzWZgacJSeDs96NHTTxgCr0x6QUEsBLP6ZiW5a97nMSwSrTtNtH
VhTjL9uDA+ntV6MyMDAwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUQeuLg+P3
u/SQJwiluQyAbIcTcdUwCgYIKoZIzj0EAwIDSAAwRQIhAPI6TIgyO4sfq78sXsoY
nty/NJx3+AOHtHncXXGEaSNdAiAQYVULtKfrnIBtCJ+a7K0TGqaT0XP17G8BRxdt
vmA9PA==
-----END CERTIFICATE-----
"""
TLS_CERT = """\
-----BEGIN CERTIFICATE-----
MIIByzCCAXGgAwIBAgIUHwDA40TCt3olEsS4Nrx9EmnXe/wwCgYIKoZIzj0EAwIw
JTEPMA0GA1UECgwGR29sZGVuMRIwEAYDVQQDDAlnb2xkZW4tY2EwIBcNMjYxMTIx
MTkzODA5WhgPMjEyNjEwMjgxOTM4MDlaMCUxDzANBgNVBAoMBkdvbGRlbjESMBAG
A1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEkSdwvr0k
w+i3voJIUVjYQxj4lh1K3UaDCIiWVkBXHmlm3zsM3BvnmD/9h9b5Z922sUJBPyja
jWBg2OtY0GuSn6N9MHswGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMB0GA1Ud
JQQWMBQGCCsGAQUFBwMBBggrBgEFBQcDAjAdBgNVHQ4EFgQUnuaPpcWIVg+axLcV
LNFVTpRYWbQwHwYDVR0jBBgwFoAUQeuLg+P3u/SQJwiluQyAbIcTcdUwCgYIKoZI
zj0EAwIDSAAwRQIgHgV7W22M7SU6azC/8JUCX7RN+lRMGto2kk9uxAjpBhgCIQDh
v2dRLsQt83SHNy1qYIc5qNAJNXytzuXT7tejsqtgQw==
-----END CERTIFICATE-----
"""
TLS_KEY = """\
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIIX4miyDbm2cdzXcWlydKif5R9Pfzlidlc27CazZKn4roAoGCCqGSM49
AwEHoUQDQgAEkSdwvr0kw+i3voJIUVjYQxj4lh1K3UaDCIiWVkBXHmlm3zsM3Bvn
mD/9h9b5Z922sUJBPyjajWBg2OtY0GuSnw==
-----END EC PRIVATE KEY-----
"""
CLI_CERT = """\
-----BEGIN CERTIFICATE-----
MIIBxDCCAWqgAwIBAgIUHwDA40TCt3olEsS4Nrx9EmnXe/0wCgYIKoZIzj0EAwIw
JTEPMA0GA1UECgwGR29sZGVuMRIwEAYDVQQDDAlnb2xkZW4tY2EwIBcNMjYxMTIx
MTkzODA5WhgPMjEyNjEwMjgxOTM4MDlaMEQxCzAJBgNVBAYTAkFVMQ8wDQYDVQQK
DAZHb2xkZW4xDDAKBgNVBAsMA0RldjEWMBQGA1UEAwwNZ29sZGVuLWNsaWVudDBZ
MBMGByqGSM49AgEGCCqGSM49AwEHA0IABApCgaL++EDCvHuE6JBxjbO73bOaIjjW
fx07urtS/EmfztVFtnUj9o9LLx8cTydSoZxiHvF/+KV/27QwoFckAkejVzBVMBMG
A1UdJQQMMAoGCCsGAQUFBwMCMB0GA1UdDgQWBBQkTEBNZ8LSwtnaVjjpEnfvYuPY
bDAfBgNVHSMEGDAWgBRB64uD4/e79JAnCKW5DIBshxNx1TAKBggqhkjOPQQDAgNI
ADBFAiBaJFZKkYfkNtFiFUFBRwv2bwb1YWxC2+DRanhJYlvZzwIhALVnIUkGKP38
LY6Mcc+XtTdLjyEuYYqV8w8Of5gjwvY0
-----END CERTIFICATE-----
"""
CLI_KEY = """\
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEILUBRGI/LlerWmIatzm2TWXe/ZDu3nHNYLoOOtlGaKQgoAoGCCqGSM49
AwEHoUQDQgAECkKBov74QMK8e4TokHGNs7vds5oiONZ/HTu6u1L8SZ/O1UW2dSP2
j0svHxxPJ1KhnGIe8X/4pX/btDCgVyQCRw==
-----END EC PRIVATE KEY-----
"""


FILES = {"ca.pem": TLS_CA, "cert.pem": TLS_CERT, "key.pem": TLS_KEY, "client-cert.pem": CLI_CERT, "client-key.pem": CLI_KEY}


def write_files(folder):
    """All of FILES."""
    for name, text in FILES.items():
        (Path(folder) / name).write_text(text, encoding="ascii")


def client_context(folder, has_certificate=True):
    """For a client that trusts the server, and has a certificate of its own."""
    context = ssl.create_default_context(cafile=Path(folder) / "ca.pem")
    context.check_hostname = False
    if has_certificate:
        context.load_cert_chain(Path(folder) / "client-cert.pem", Path(folder) / "client-key.pem")
    return context
