# SPDX-License-Identifier: Apache-2.0
"""The verbs a client may and may not send, and their argument counts."""

import pytest

SERVER_ARGS = ["-D"]
UNKNOWN = b"-ERR 'Unknown Protocol Operation'\r\n"


@pytest.mark.parametrize("line", [
    b"SUB ", b"SUB a", b"SUB a b c d",
    b"UNSUB ", b"UNSUB 1 2 3",
    b"PUB ", b"PUB a", b"PUB 2", b"PUB a b c 2",
    b"HPUB ", b"HPUB a", b"HPUB a 12", b"HPUB a b 12 14 x", b"HPUB a b c 12 14",
])
def test_p17_wrong_argument_counts(connect, server, line):
    """Wrong arg counts of SUB/UNSUB/PUB/HPUB close without -ERR."""
    c = connect().connect(headers=True)
    c.send(line + b"\r\n")
    c.expect_eof()
    assert server.closed_reason(c.cid) == "Protocol Violation"


@pytest.mark.parametrize("verb", [b"SUB", b"UNSUB", b"PUB", b"HPUB", b"-ERR"])
@pytest.mark.parametrize("eol", [b"\r\n", b"\n"], ids=["crlf", "lf"])
def test_verb_without_blank_and_arguments(connect, verb, eol):
    """A verb that needs arguments, followed by the line end at once → Unknown Protocol Operation."""
    c = connect().connect(headers=True)
    c.send(verb + eol)
    c.expect_closed_with(UNKNOWN)


@pytest.mark.parametrize("line", [b"FOO", b"FOO bar", b"P", b"PI", b"PIN", b"PO", b"PU", b"SUBX a 1", b"UNSUBX 1", b"HPUBX a 0 0",
                                  b"HPING", b"CONNEC {}", b"+O", b"-E", b"INF {}", b"GET / HTTP/1.1", b"\x00", b"\xff\xff"])
def test_unknown_verbs(connect, server, line):
    """An unparsable verb → `-ERR 'Unknown Protocol Operation'` and close."""
    c = connect().connect(headers=True)
    c.send(line + b"\r\n")
    c.expect_closed_with(UNKNOWN)
    assert server.closed_reason(c.cid) == "Protocol Violation"


@pytest.mark.parametrize("verb", [b"MSG", b"RMSG", b"LMSG", b"RS+", b"RS-", b"LS+", b"LS-", b"A+", b"A-"])
def test_p58_verbs_between_servers(connect, server, verb):
    """MSG, RMSG, RS+, LS+, A+ from a client → Unknown Protocol Operation."""
    c = connect().connect(headers=True)
    c.send(verb + b" foo 1 2\r\nhi\r\n")
    c.expect_closed_with(UNKNOWN)
    assert server.closed_reason(c.cid) == "Protocol Violation"


@pytest.mark.ours
def test_p58_hmsg_is_refused_like_msg(connect):
    """HMSG from a client → Unknown Protocol Operation (the peer reads it as an empty publish to nobody)."""
    c = connect().connect(headers=True)
    c.send(b"HMSG foo 1 12 14\r\n\r\n")
    c.expect_closed_with(UNKNOWN)


@pytest.mark.peer_only
def test_p58_hmsg_quirk_of_the_peer(connect):
    """The peer accepts the line of an HMSG and then nothing but CRLF."""
    c = connect().connect(headers=True)
    c.send(b"HMSG foo 1 12 14\r\n\r\n")
    c.fence()


def test_p57_err_from_client(connect, server):
    """Client -ERR closes with reason Parse Error, without a reply."""
    c = connect().connect()
    c.send(b"-ERR 'I am unhappy'\r\n")
    c.expect_eof()
    assert server.closed_reason(c.cid) == "Parse Error"


@pytest.mark.parametrize("line", [b"+OK", b"+OK foo", b"+OKfoo", b"INFO {}", b"INFO{}", b'INFO {"server_id":"x","max_payload":1}',
                                  b"INFO null"])
def test_p57_ok_and_info_from_client(connect, subject, line):
    """Client +OK and `INFO {}` are ignored."""
    c = connect().connect()
    c.send(line + b"\r\nSUB %s 1\r\nPUB %s 2\r\nhi\r\n" % (subject, subject))
    c.expect(b"MSG %s 1 2\r\nhi\r\n" % subject)
    c.fence()


@pytest.mark.parametrize("json", [b"{bad}", b"[]", b"", b"{} x"])
def test_p57_bad_info_from_client(connect, server, json):
    """INFO with invalid JSON closes without -ERR."""
    c = connect().connect()
    c.send(b"INFO " + json + b"\r\n")
    c.expect_eof()
    assert server.closed_reason(c.cid) == "Protocol Violation"


def test_unsolicited_pong_is_ignored(connect):
    """PONG nobody asked for is accepted."""
    c = connect().connect()
    c.send(b"PONG\r\n" * 5)
    c.fence()
