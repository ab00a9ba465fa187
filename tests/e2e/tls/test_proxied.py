# SPDX-License-Identifier: Apache-2.0
"""A-43 with TLS: the PROXY header comes in the clear, the handshake after it."""

import struct

import pytest

HEADERS = {
    "v1": b"PROXY TCP4 1.2.3.4 5.6.7.8 1000 2000\r\n",
    "v2": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f" + bytes([1, 2, 3, 4, 5, 6, 7, 8]) + struct.pack(">HH", 1000, 2000) + b"tlv",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("options", [{}, {"allow_non_tls": True}], ids=["required", "available"])
def test_a43_header_before_the_handshake(tls_server, connect, secure, header, options):
    """INFO in the clear, then the header and at once the handshake."""
    c = connect(tls_server(proxy_protocol=True, **options))
    c.send(header)
    secure(c).connect(protocol=1)
    assert c.async_info["client_ip"] == "1.2.3.4"


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a43_handshake_first(tls_server, connect, secure, header):
    """The header, the handshake, and only then INFO."""
    c = connect(tls_server({"handshake_first": True}, proxy_protocol=True), read_info=False)
    c.send(header)
    secure(c)
    c.info = c.read_info()
    c.connect(protocol=1)
    assert c.async_info["client_ip"] == "1.2.3.4"


def test_a43_no_header(tls_server, connect, secure):
    """A client without a proxy shakes hands as always."""
    c = secure(connect(tls_server(proxy_protocol=True))).connect(protocol=1)
    assert c.async_info["client_ip"] == "127.0.0.1"


def test_a43_plain_client_behind_a_proxy(tls_server, connect):
    """Where TLS is not required the protocol may follow the header."""
    c = connect(tls_server(proxy_protocol=True, allow_non_tls=True))
    c.send(HEADERS["v1"])
    c.connect(protocol=1)
    assert c.async_info["client_ip"] == "1.2.3.4"
