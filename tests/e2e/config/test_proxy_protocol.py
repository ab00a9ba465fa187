# SPDX-License-Identifier: Apache-2.0
"""A-43: the header of the PROXY protocol in front of a client's connection."""

import re
import struct
import time

import pytest

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
IPV4 = bytes([10, 1, 2, 3, 10, 1, 2, 4]) + struct.pack(">HH", 111, 222)
IPV6 = bytes(range(16)) + bytes(range(16)) + struct.pack(">HH", 111, 222)
UNSUPPORTED, INVALID = "unsupported PROXY protocol feature: ", "invalid PROXY protocol header: "


def v2(command: int, family: int, body: bytes = b"") -> bytes:
    return SIGNATURE + bytes([command, family]) + struct.pack(">H", len(body)) + body


@pytest.fixture(scope="module", autouse=True)
def configured_module(request, tmp_path_factory):
    """The module's server expects headers."""
    path = tmp_path_factory.mktemp("proxy") / "server.conf"
    path.write_text("proxy_protocol: true\n")
    request.module.SERVER_ARGS = ["-D", "-c", path]


GOOD = {
    "v1-tcp4": (b"PROXY TCP4 1.2.3.4 5.6.7.8 1000 2000\r\n", "1.2.3.4"),
    "v1-tcp6": (b"PROXY TCP6 ::1 ::2 1000 2000\r\n", "::1"),
    "v1-unknown": (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    "v1-unknown-addresses": (b"PROXY UNKNOWN foo bar\r\n", "127.0.0.1"),
    "v2-tcp4": (v2(0x21, 0x11, IPV4), "10.1.2.3"),
    "v2-tcp4-tlv": (v2(0x21, 0x11, IPV4 + bytes(60000)), "10.1.2.3"),
    "v2-tcp6": (v2(0x21, 0x21, IPV6), "1:203:405:607:809:a0b:c0d:e0f"),
    "v2-local": (v2(0x20, 0x00), "127.0.0.1"),
    "none": (b"", "127.0.0.1"),
}
BAD = {
    "v1-mixed": (b"PROXY TCP4 ::1 ::2 1 2\r\n", INVALID + "TCP4 with IPv6 address"),
    "v1-protocol": (b"PROXY TCP5 1.2.3.4 1.2.3.5 1 2\r\n", INVALID + "invalid protocol TCP5"),
    "v1-address": (b"PROXY TCP4 1.2.3 1.2.3.5 1 2\r\n", INVALID + "invalid address"),
    "v1-port": (b"PROXY TCP4 1.2.3.4 1.2.3.5 x 2\r\n", "invalid source port: "),
    "v1-format": (b"PROXY TCP4 1.2.3.4 1.2.3.5 1\r\n", INVALID + "invalid v1 format"),
    "v1-long": (b"PROXY TCP4 " + b"1" * 110, INVALID + "v1 line too long"),
    "v2-version": (v2(0x11, 0x11, IPV4), INVALID + "invalid version 0x10"),
    "v2-command": (v2(0x22, 0x11, IPV4), "unknown PROXY protocol command: 0x02"),
    "v2-datagram": (v2(0x21, 0x12, IPV4), UNSUPPORTED + "only STREAM protocol supported"),
    "v2-unix": (v2(0x21, 0x31, bytes(216)), UNSUPPORTED + "unsupported address family 0x30"),
    "v2-short": (v2(0x21, 0x11, IPV4[:8]), "IPv4 address data too short: 8 bytes"),
}


@pytest.mark.parametrize("header, ip", GOOD.values(), ids=GOOD)
def test_a43_good_header(connect, subject, header, ip):
    """The client is whom the proxy names: in the INFO after CONNECT, not in the first one, which comes before the header."""
    c = connect()
    assert "client_ip" not in c.info
    c.send(header)
    c.connect(protocol=1)
    assert c.async_info["client_ip"] == ip
    c.send(b"SUB %s 1\r\nPUB %s 2\r\nhi\r\n" % (subject, subject))
    c.expect(b"MSG %s 1 2\r\nhi\r\n" % subject)


@pytest.mark.ours
def test_a43_address_in_the_log(connect, server):
    """Lines about the client carry the address of the header."""
    c = connect()
    c.send(b"PROXY TCP4 1.2.3.4 5.6.7.8 1000 2000\r\n")
    c.connect()
    c.close()
    assert server.wait_log(rf"(\S+) - cid:{c.cid} - .*connection closed")[1] == "1.2.3.4:1000"


def test_a43_header_and_protocol_in_pieces(connect):
    """However it is cut."""
    c = connect()
    for byte in b'PROXY TCP4 1.2.3.4 5.6.7.8 1000 2000\r\nCONNECT {"protocol":1,"verbose":false}\r\nPING\r\n':
        c.send(bytes([byte]))
        time.sleep(0.001)
    c.expect(b"PONG\r\n")


def test_a43_header_and_protocol_at_once(connect):
    """In one segment."""
    c = connect()
    c.send(v2(0x21, 0x11, IPV4) + b'CONNECT {"verbose":false}\r\nPING\r\nPING\r\n')
    c.expect(b"PONG\r\nPONG\r\n")


@pytest.mark.parametrize("header, why", BAD.values(), ids=BAD)
def test_a43_bad_header(connect, server, header, why):
    """Protocol Violation, and the log says what is wrong."""
    c = connect()
    port = c.sock.getsockname()[1]
    c.send(header)
    c.read_to_eof()
    assert server.closed_reason(c.cid) == "Protocol Violation"
    server.wait_log(rf"\[WRN\] Error reading PROXY protocol header from 127\.0\.0\.1:{port}: {re.escape(why)}")


def test_a43_silence(connect, server):
    """A client that says nothing is closed after five seconds."""
    start = time.monotonic()
    c = connect(timeout=20)
    assert c.read_to_eof() == b""
    assert 4.5 < time.monotonic() - start
    assert server.closed_reason(c.cid) == "Protocol Violation"
