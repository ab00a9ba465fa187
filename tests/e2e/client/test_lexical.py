# SPDX-License-Identifier: Apache-2.0
"""Bytes into operations: letter case, blanks, line ends, limits of a line, split input."""

import pytest

SERVER_ARGS = ["-D"]
UNKNOWN = b"-ERR 'Unknown Protocol Operation'\r\n"
TOO_LONG = b"-ERR 'maximum control line exceeded'\r\n"
LIMIT = 4096  # default max_control_line


@pytest.mark.parametrize("eol", [b"\r\n", b"\n"], ids=["crlf", "lf"])
@pytest.mark.parametrize("case", [bytes.upper, bytes.lower, bytes.swapcase], ids=["upper", "lower", "mixed"])
def test_p03_letter_case_and_bare_lf(connect, subject, case, eol):
    """Verbs work in any letter case and with bare LF."""
    c = connect()
    c.send(case(b"Connect ") + b'{"verbose":false,"headers":true}' + eol)
    c.send(case(b"Sub ") + subject + b" 1" + eol)
    c.send(case(b"Pub ") + subject + b" 2" + eol + b"hi\r\n")
    c.expect(b"MSG %s 1 2\r\nhi\r\n" % subject)
    c.send(case(b"hPub ") + subject + b" 12 14" + eol + b"NATS/1.0\r\n\r\nhi\r\n")
    c.expect(b"HMSG %s 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n" % subject)
    c.send(case(b"unSub ") + b"1" + eol)
    c.send(case(b"pOng") + eol + case(b"+Ok") + eol + case(b"iNfo ") + b"{}" + eol)
    c.send(b"PUB " + subject + b" 2" + eol + b"hi\r\n")
    c.send(case(b"pInG") + eol)
    c.expect(b"PONG\r\n")
    c.fence()


@pytest.mark.parametrize("sep", [b"\t", b"  ", b" \t \t"], ids=["tab", "spaces", "mixed"])
def test_p04_blanks_separate_arguments(connect, subject, sep):
    """TABs and repeated/trailing blanks separate SUB/PUB arguments."""
    c = connect().connect(headers=True)
    c.send(sep.join([b"SUB", subject, b"queue", b"1"]) + sep + b"\r\n")
    c.send(sep.join([b"PUB", subject, b"reply", b"2"]) + sep + b"\r\nhi\r\n")
    c.expect(b"MSG %s 1 reply 2\r\nhi\r\n" % subject)
    c.send(sep.join([b"HPUB", subject, b"reply", b"12", b"14"]) + sep + b"\r\nNATS/1.0\r\n\r\nhi\r\n")
    c.expect(b"HMSG %s 1 reply 12 14\r\nNATS/1.0\r\n\r\nhi\r\n" % subject)
    c.send(sep.join([b"UNSUB", b"1", b"3"]) + sep + b"\r\n")
    c.send(b"PUB %s 1\r\nx\r\n" % subject * 2)
    c.expect(b"MSG %s 1 1\r\nx\r\n" % subject)
    c.fence()


def test_p05_ping_ignores_what_follows(connect):
    """`PINGxyz` and `PING` + 10000 bytes are answered with PONG; PONG and +OK swallow their line too."""
    c = connect().connect()
    for rest in (b"xyz", b" foo bar", b"x" * 10000):
        c.send(b"PING" + rest + b"\r\n")
        c.expect(b"PONG\r\n")
    for verb in (b"PONG", b"+OK"):
        for rest in (b"xyz", b" foo bar", b"x" * 10000):
            c.send(verb + rest + b"\r\n")
    c.fence()


@pytest.mark.parametrize("data", [b" PING\r\n", b"\tPING\r\n", b"\r\n", b"\n"], ids=["space", "tab", "crlf", "lf"])
def test_p06_nothing_may_precede_a_verb(connect, server, data):
    """Leading space or empty line → `-ERR 'Unknown Protocol Operation'` and close."""
    c = connect().connect()
    c.send(data)
    c.expect_closed_with(UNKNOWN)
    assert server.closed_reason(c.cid) == "Protocol Violation"


def test_p06_empty_line_after_an_operation(connect):
    """What came before an empty line is still answered."""
    c = connect()
    c.send(b"PING\r\n\r\nPING\r\n")
    c.expect_closed_with(b"PONG\r\n" + UNKNOWN)


def sub_of(n_bytes: int) -> bytes:
    """The arguments of a SUB, n_bytes long."""
    return b"s" * (n_bytes - 2) + b" 1"


def connect_of(n_bytes: int) -> bytes:
    frame = b'{"verbose":true,"name":"%s"}'
    return frame % (b"n" * (n_bytes - len(frame % b"")))


@pytest.mark.parametrize("eol", [b"\r\n", b"\n"], ids=["crlf", "lf"])
@pytest.mark.parametrize("verb, args", [(b"SUB ", sub_of), (b"SUB \t  ", sub_of), (b"CONNECT ", connect_of)],
                         ids=["sub", "sub-blanks", "connect"])
def test_p07_control_line_limit(connect, server, verb, args, eol):
    """4096-byte argument accepted, 4097 → `maximum control line exceeded` and close; same for CONNECT.

    Only argument bytes count: neither the verb, the blanks after it, nor the line end.
    """
    c = connect()
    c.send(verb + args(LIMIT) + eol)
    c.expect(b"+OK\r\n")
    c.fence()
    c.send(verb + args(LIMIT + 1) + eol)
    c.expect_closed_with(TOO_LONG)
    assert server.closed_reason(c.cid) == "Maximum Control Line Exceeded"


@pytest.mark.parametrize("line", [b"PUB %s 1", b"PUB s %s 1", b"HPUB %s 0 1", b"SUB s %s 1", b"SUB s %s", b"UNSUB %s", b"-ERR %s",
                                  b'INFO {"x":"%s"}'],
                         ids=["pub", "reply", "hpub", "queue", "sid", "unsub", "err", "info"])
def test_p07_limit_of_other_verbs(connect, server, line):
    """The limit holds for the arguments of every verb that has some."""
    c = connect().connect(headers=True)
    n_fixed = len(line.split(b" ", 1)[1]) - len(b"%s")
    c.send(line % (b"a" * (LIMIT + 1 - n_fixed)) + b"\r\n")
    c.expect_closed_with(TOO_LONG)
    assert server.closed_reason(c.cid) == "Maximum Control Line Exceeded"


def test_p07_publish_at_the_limit(connect, subject):
    """PUB with 4096 argument bytes is accepted and delivered."""
    c = connect().connect()
    long = (subject + b".").ljust(LIMIT - 2, b"p")
    c.send(b"SUB %s.* 1\r\nPUB %s 1\r\nx\r\n" % (subject, long))
    c.expect(b"MSG %s 1 1\r\nx\r\n" % long)
    c.fence()


def test_p07_trailing_blanks_count(connect):
    """Blanks behind the arguments belong to the limited bytes."""
    c = connect().connect()
    c.send(b"SUB foo 1".ljust(LIMIT + len(b"SUB ")) + b"\r\n")
    c.fence()
    c.send(b"SUB foo 1".ljust(LIMIT + len(b"SUB ") + 1) + b"\r\n")
    c.expect_closed_with(TOO_LONG)


def test_p07_blanks_behind_the_verb_do_not_count(connect):
    """Blanks between verb and arguments are free, however many."""
    c = connect()
    c.send(b"SUB " + b" " * 5000 + b"foo 1\r\n")
    c.expect(b"+OK\r\n")
    c.fence()


def test_p07_limit_is_configurable(connect, start_server):
    """max_control_line moves the limit."""
    server = start_server(options={"max_control_line": 64})
    c = connect(server)
    c.send(b"SUB " + sub_of(64) + b"\r\n")
    c.expect(b"+OK\r\n")
    c.send(b"SUB " + sub_of(65) + b"\r\n")
    c.expect_closed_with(TOO_LONG)
    server = start_server(options={"max_control_line": 10000})
    c = connect(server)
    c.send(b"SUB " + sub_of(10000) + b"\r\n")
    c.expect(b"+OK\r\n")


@pytest.mark.parametrize("verb", [b"SUB ", b"PUB ", b"CONNECT "])
def test_p08_too_long_without_line_end(connect, server, verb):
    """4200 argument bytes without LF → same error."""
    c = connect().connect()
    c.send(verb + b"a" * 4200)
    c.expect_closed_with(TOO_LONG)
    assert server.closed_reason(c.cid) == "Maximum Control Line Exceeded"


def test_p08_too_long_in_small_pieces(connect):
    """The same when the bytes arrive in pieces."""
    c = connect().connect()
    for piece in [b"SUB "] + [b"a" * 1000] * 4:
        c.send(piece)
    c.send(b"a" * 200)
    c.expect_closed_with(TOO_LONG)


def test_input_may_be_split_anywhere(connect, subject):
    """Any verb, argument or payload may arrive in any number of segments: here one byte each."""
    c = connect()
    script = (b'CONNECT {"verbose":false,"headers":true}\r\nSUB %s 1\r\nPUB %s re 5\r\nhe\r\no\r\n'
              b"HPUB %s 12 14\r\nNATS/1.0\r\n\r\nhi\r\nUNSUB 1\r\nPUB %s 0\r\n\r\n+OK\r\nPONG\r\nPING\r\n"
              % (subject, subject, subject, subject))
    for i in range(len(script)):
        c.send(script[i:i + 1])
    c.expect(b"MSG %s 1 re 5\r\nhe\r\no\r\nHMSG %s 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPONG\r\n" % (subject, subject))
    c.fence()


@pytest.mark.parametrize("n_bytes", [2, 3, 7, 11, 64, 4099])
def test_input_may_be_cut_in_pieces(connect, subject, n_bytes):
    """The same with pieces of other sizes, which cut a stream of messages at ever other places."""
    c = connect().connect()
    payload = b"".join(b"%d\r\nMSG " % i for i in range(20))
    script = b"SUB %s 1\r\n" % subject + b"PUB %s reply %d\r\n%s\r\nPING\r\n" % (subject, len(payload), payload) * 30
    for i in range(0, len(script), n_bytes):
        c.send(script[i:i + n_bytes])
    for _ in range(30):
        c.expect(b"MSG %s 1 reply %d\r\n%s\r\nPONG\r\n" % (subject, len(payload), payload))
    c.fence()


def test_many_operations_in_one_segment(connect, subject):
    """A whole conversation may come at once, even before INFO was read."""
    c = connect(read_info=False)
    c.send(b'CONNECT {"verbose":false}\r\nSUB %s 1\r\n' % subject + b"PUB %s 1\r\nx\r\n" % subject * 1000 + b"PING\r\n")
    c.read_info()
    c.expect(b"MSG %s 1 1\r\nx\r\n" % subject * 1000 + b"PONG\r\n")
    c.fence()


def test_sub_splits_on_embedded_cr(connect, subject):
    """SUB and UNSUB additionally split their arguments on an embedded CR."""
    c = connect().connect()
    c.send(b"SUB %s\r7\r\nPUB %s 1\r\nx\r\n" % (subject, subject))
    c.expect(b"MSG %s 7 1\r\nx\r\n" % subject)
    c.send(b"UNSUB 7\r2\r\n" + b"PUB %s 1\r\nx\r\n" % subject * 2)
    c.expect(b"MSG %s 7 1\r\nx\r\n" % subject)
    c.fence()


@pytest.mark.ours
def test_interior_cr_is_no_line_end(connect, subject):
    """Only a CR directly before LF is stripped (the peer, having seen any CR, drops the byte before LF)."""
    c = connect().connect()
    c.send(b"SUB %s 1\r\nPUB %s re\rply 12\nhello, world\r\n" % (subject, subject))
    c.expect(b"MSG %s 1 re\rply 12\r\nhello, world\r\n" % subject)
    c.fence()


@pytest.mark.peer_only
def test_interior_cr_quirk_of_the_peer(connect, subject):
    """A CR anywhere in an unsplit argument makes the peer drop one byte before LF, whatever it is."""
    c = connect().connect()
    c.send(b"SUB %s 1\r\nPUB %s re\rply 12\n0\r\n" % (subject, subject))
    c.expect(b"MSG %s 1 re\rply 1\r\n0\r\n" % subject)
