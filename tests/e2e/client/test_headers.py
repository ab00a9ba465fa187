# SPDX-License-Identifier: Apache-2.0
"""HPUB in, HMSG out."""

import pytest

SERVER_ARGS = ["-D"]
PLAIN = b"NATS/1.0\r\n\r\n"
HEADERS = {
    "empty": PLAIN,
    "one": b"NATS/1.0\r\nA: b\r\n\r\n",
    "case-order-duplicates": b"NATS/1.0\r\nzeta: 1\r\nAlpha: 2\r\nALPHA:3\r\nzeta:   4 \r\n\r\n",
    "status": b"NATS/1.0 404 No Messages\r\n\r\n",
    "utf8": "NATS/1.0\r\nGruß: 中文\r\n\r\n".encode(),
    "garbage": b"this is \x00 no header\xff block",
    "garbage-crlf": b"\r\n\r\n\r\n",
    "unterminated": b"NATS/1.0\r\nA: b",
    "one-byte": b"N",
    "large": b"NATS/1.0\r\n" + b"".join(b"Key-%d: %s\r\n" % (i, b"v" * 100) for i in range(500)) + b"\r\n",
}


@pytest.mark.parametrize("payload", [b"", b"hi", b"\r\n\r\n", b"p" * 70000], ids=["empty", "small", "crlf", "large"])
@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
def test_p33_bytes_are_preserved(connect, subject, header, payload):
    """HPUB/HMSG sizes and bytes preserved; garbage header block forwarded unchanged."""
    c = connect().connect(headers=True)
    block, sizes = header + payload, (len(header), len(header) + len(payload))
    for reply in (b"", b"re.ply "):
        c.send(b"SUB %s 1\r\nHPUB %s %s%d %d\r\n%s\r\nUNSUB 1\r\n" % (subject, subject, reply, *sizes, block))
        c.expect(b"HMSG %s 1 %s%d %d\r\n%s\r\n" % (subject, reply, *sizes, block))
    c.fence()


def test_p33_no_header_is_a_plain_message(connect, subject):
    """hdr_len 0 in HPUB is delivered as plain MSG; hdr_len = total_len as HMSG without payload."""
    c = connect().connect(headers=True)
    c.send(b"SUB %s 1\r\nHPUB %s 0 2\r\nhi\r\n" % (subject, subject))
    c.expect(b"MSG %s 1 2\r\nhi\r\n" % subject)
    c.send(b"HPUB %s 0 0\r\n\r\n" % subject)
    c.expect(b"MSG %s 1 0\r\n\r\n" % subject)
    c.send(b"HPUB %s 2 2\r\nhi\r\n" % subject)
    c.expect(b"HMSG %s 1 2 2\r\nhi\r\n" % subject)
    c.fence()


def test_p33_plain_messages_stay_plain(connect, subject):
    """A PUB reaches a header-capable subscriber as MSG."""
    c = connect().connect(headers=True)
    c.send(b"SUB %s 1\r\nPUB %s 2\r\nhi\r\n" % (subject, subject))
    c.expect(b"MSG %s 1 2\r\nhi\r\n" % subject)
    c.fence()


@pytest.mark.parametrize("reply", [b"", b"re.ply "], ids=["", "reply"])
@pytest.mark.parametrize("payload", [b"", b"hi"], ids=["empty", "payload"])
def test_p34_header_is_stripped(connect, subject, reply, payload):
    """Header stripped for header-less subscriber, who gets MSG with size total − hdr; others get it at the same time."""
    plain, able, publisher = connect().connect(), connect().connect(headers=True), connect().connect(headers=True)
    header = HEADERS["one"]
    for c in (plain, able):
        c.send(b"SUB %s 1\r\n" % subject)
        c.fence()
    publisher.send(b"HPUB %s %s%d %d\r\n%s\r\n" % (subject, reply, len(header), len(header + payload), header + payload))
    plain.expect(b"MSG %s 1 %s%d\r\n%s\r\n" % (subject, reply, len(payload), payload))
    able.expect(b"HMSG %s 1 %s%d %d\r\n%s\r\n" % (subject, reply, len(header), len(header + payload), header + payload))
    for c in (plain, able):
        c.fence()


@pytest.mark.parametrize("connect_line", [b"", b'CONNECT {"verbose":false}\r\n', b'CONNECT {"verbose":false,"headers":false}\r\n'],
                         ids=["no-connect", "default", "false"])
def test_p35_hpub_without_headers(connect, server, connect_line):
    """HPUB without headers negotiated closes silently."""
    c = connect()
    c.send(connect_line + b"HPUB foo 12 14\r\n")
    c.expect_eof()
    assert server.closed_reason(c.cid) == "Protocol Violation"


def test_p35_server_without_headers(connect, start_server):
    """With no_header_support headers:true is accepted, but HPUB closes silently."""
    server = start_server("-D", options={"no_header_support": True})
    c = connect(server).connect(headers=True)
    c.send(b"HPUB foo 12 14\r\n")
    c.expect_eof()
    assert server.closed_reason(c.cid) == "Protocol Violation"


def test_p35_header_longer_than_the_message(connect, server):
    """hdr_len > total_len closes silently."""
    c = connect().connect(headers=True)
    c.send(b"HPUB foo 3 2\r\nhi\r\n")
    c.expect_eof()
    assert server.closed_reason(c.cid) == "Protocol Violation"


def test_max_payload_counts_the_header(connect, start_server, subject):
    """max_payload counts headers + payload."""
    server = start_server("-D", options={"max_payload": 100})
    c = connect(server).connect(headers=True)
    c.send(b"SUB %s 1\r\nHPUB %s 12 100\r\n%s%s\r\n" % (subject, subject, PLAIN, b"x" * 88))
    c.expect(b"HMSG %s 1 12 100\r\n%s%s\r\n" % (subject, PLAIN, b"x" * 88))
    c.send(b"HPUB %s 12 101\r\n" % subject)
    c.expect_closed_with(b"-ERR 'Maximum Payload Violation'\r\n")
    assert server.closed_reason(c.cid) == "Maximum Message Payload Exceeded"
