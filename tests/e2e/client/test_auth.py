# SPDX-License-Identifier: Apache-2.0
"""Authentication by one user and password, or a token, as the protocol sees it."""

import json
import time

import pytest

VIOLATION = b"-ERR 'Authorization Violation'\r\n"
SERVER_ARGS = ["-D", "--user", "ann", "--pass", "s3cret"]
GOOD = {"user": "ann", "pass": "s3cret"}


def connect_line(**fields) -> bytes:
    return b"CONNECT " + json.dumps({"verbose": False, **fields}).encode() + b"\r\n"


@pytest.fixture
def token_server(start_server):
    return start_server("-D", "--auth", "t0ken")


def test_user_and_password(connect, subject):
    """With the right credentials everything works."""
    c = connect().connect(**GOOD)
    c.send(b"SUB %s 1\r\nPUB %s 1\r\nx\r\n" % (subject, subject))
    c.expect(b"MSG %s 1 1\r\nx\r\n" % subject)
    c.fence()


def test_pipelined_connect(connect, subject):
    """CONNECT and what follows may come in one segment, before INFO was read."""
    c = connect(read_info=False)
    c.send(connect_line(**GOOD) + b"SUB %s 1\r\nPUB %s 1\r\nx\r\nPING\r\n" % (subject, subject))
    c.read_info()
    c.expect(b"MSG %s 1 1\r\nx\r\nPONG\r\n" % subject)


def test_lower_case_connect(connect):
    """The verb may be in any case here too."""
    c = connect()
    c.send(connect_line(**GOOD).replace(b"CONNECT", b"cOnNeCt"))
    c.fence()


@pytest.mark.parametrize("fields", [
    {}, {"user": "ann"}, {"pass": "s3cret"}, {"user": "ann", "pass": ""}, {"user": "ann", "pass": "S3CRET"},
    {"user": "ann", "pass": "s3cret "}, {"user": "ann", "pass": "s3cre"}, {"user": "bob", "pass": "s3cret"},
    {"user": "", "pass": ""}, {"auth_token": "s3cret"}, {"jwt": "x"}, {"nkey": "x", "sig": "y"},
], ids=str)
def test_wrong_credentials(connect, server, fields):
    """Bad credentials → Authorization Violation, close."""
    c = connect()
    c.send(connect_line(**fields) + b"PING\r\n")
    c.expect_closed_with(VIOLATION)
    assert server.closed_reason(c.cid) == "Authentication Failure"


def test_null_connect_has_no_credentials(connect):
    """CONNECT null is a CONNECT without credentials."""
    c = connect()
    c.send(b"CONNECT null\r\n")
    c.expect_closed_with(VIOLATION)


def test_failure_is_logged_without_secrets(connect, server):
    """ERR `authentication error - User "u"`; never the password."""
    c = connect()
    c.send(connect_line(user="mallory", **{"pass": "hunter2"}))
    c.expect_closed_with(VIOLATION)
    server.wait_log(rf"\[ERR\] .* - cid:{c.cid} - authentication error - User \"mallory\"")
    assert "hunter2" not in server.log()
    assert "s3cret" not in server.log()


@pytest.mark.parametrize("line", [b"PING\r\n", b"SUB foo 1\r\n", b"PUB foo 1\r\nx\r\n", b"+OK\r\n", b"INFO {}\r\n", b" CONNECT {}\r\n",
                                  b"\r\n", b"X", b"\x16\x03\x01"])
def test_p43_first_byte(connect, server, line):
    """Auth configured: non-C first byte → Authorization Violation, at once."""
    c = connect()
    c.send(line)
    c.expect_closed_with(VIOLATION)
    assert server.closed_reason(c.cid) == "Authentication Failure"


def test_p43_first_byte_c_but_not_connect(connect, server):
    """`Cxxx` gives Unknown Protocol Operation."""
    c = connect()
    c.send(b"Cxxx\r\n")
    c.expect_closed_with(b"-ERR 'Unknown Protocol Operation'\r\n")
    assert server.closed_reason(c.cid) == "Protocol Violation"


def test_p43_bad_json(connect, server):
    """Bad CONNECT JSON closes without -ERR here too."""
    c = connect()
    c.send(b"CONNECT {bad}\r\n")
    c.expect_eof()
    assert server.closed_reason(c.cid) == "Protocol Violation"


def test_p43_silence(connect, server):
    """Silence → `-ERR 'Authentication Timeout'` at 2.0 s."""
    start = time.monotonic()
    c = connect()
    c.expect_closed_with(b"-ERR 'Authentication Timeout'\r\n")
    assert 1.98 <= time.monotonic() - start
    assert server.closed_reason(c.cid) == "Authentication Timeout"


def test_p43_half_a_connect_is_silence(connect):
    """A CONNECT that never ends does not stop the timer."""
    c = connect()
    c.send(b'CONNECT {"user":"ann",')
    c.expect_closed_with(b"-ERR 'Authentication Timeout'\r\n")


def test_p43_timeout_is_configurable(connect, start_server):
    """authorization.timeout sets the time, in seconds."""
    server = start_server("--user", "ann", "--pass", "s3cret", options={"authorization.timeout": 2.5})
    start = time.monotonic()
    connect(server).expect_closed_with(b"-ERR 'Authentication Timeout'\r\n")
    assert 2.48 <= time.monotonic() - start  # 2 s is the default


def test_p43_no_timeout_after_connect(connect, start_server):
    """A valid CONNECT stops the timer; so does having no authentication at all."""
    options = {"authorization.timeout": 0.5}
    c = connect(start_server("--user", "ann", "--pass", "s3cret", options=options)).connect(**GOOD)
    free = connect(start_server())
    server = start_server("--user", "ann", "--pass", "s3cret", options=options)
    for _ in range(2):  # two timeouts in a row, so that the clock of `c` has certainly passed
        connect(server).expect_closed_with(b"-ERR 'Authentication Timeout'\r\n")
    c.fence()
    free.fence()


def test_second_connect_is_authenticated_too(connect):
    """A second CONNECT keeps the credentials it does not mention, and is refused with wrong ones."""
    c = connect().connect(**GOOD)
    c.send(b'CONNECT {"name":"again"}\r\n')
    c.fence()
    c.send(connect_line(**{"pass": "wrong"}))
    c.expect_closed_with(VIOLATION)


def test_credentials_are_checked_before_other_fields(connect):
    """Processing order: credentials, then account, protocol, no_responders."""
    c = connect()
    c.send(connect_line(user="ann", protocol=7, no_responders=True))
    c.expect_closed_with(VIOLATION)
    c = connect()
    c.send(connect_line(**GOOD, protocol=7, no_responders=True))
    c.expect_closed_with(b"-ERR 'invalid client protocol'\r\n")


def test_token(connect, token_server):
    """The token is given as auth_token."""
    connect(token_server).connect(auth_token="t0ken").fence()


@pytest.mark.parametrize("fields", [{}, {"auth_token": "x"}, {"auth_token": ""}, {"user": "t0ken"}, {"user": "u", "pass": "t0ken"},
                                    {"jwt": "t0ken"}], ids=str)
def test_wrong_token(connect, token_server, fields):
    """Anything but the token → Authorization Violation."""
    c = connect(token_server)
    c.send(connect_line(**fields))
    c.expect_closed_with(VIOLATION)
    assert token_server.closed_reason(c.cid) == "Authentication Failure"


def test_wrong_token_is_logged_redacted(connect, token_server):
    """ERR `authentication error - Token "[REDACTED]"`."""
    c = connect(token_server)
    c.send(connect_line(auth_token="guess"))
    c.expect_closed_with(VIOLATION)
    token_server.wait_log(rf"\[ERR\] .* - cid:{c.cid} - authentication error - Token \"\[REDACTED\]\"")
    assert "guess" not in token_server.log()
