# SPDX-License-Identifier: Apache-2.0
"""What a server says while it starts, and in which order."""

import re
import signal

import pytest

BANNER = [r"INF Starting nats-server", r"INF   Version:  \d+\.\d+\.\d+\S*", r"INF   Git:      \[(not set|[0-9a-f]+)\]",
          r"INF   Name:     N[A-Z2-7]{55}", r"INF   ID:       N[A-Z2-7]{55}"]
READY = [r"INF Listening for client connections on 127\.0\.0\.1:\d+", r"INF Server is ready"]


def assert_says(messages, wanted):
    """The messages match the patterns, one by one."""
    said = [f"{level} {text}" for level, text in messages]
    assert len(said) == len(wanted), said
    for line, pattern in zip(said, wanted):
        assert re.fullmatch(pattern, line), line


def test_l01_banner(start_server, messages):
    """Start prints the banner lines in §1 order and ends with `Server is ready`."""
    assert_says(messages(start_server()), BANNER + READY)


def test_l01_banner_with_debug(start_server, messages):
    """In the debug log the banner says what the server was built with, after its revision."""
    said = [line for line in messages(start_server("-D")) if not line[1].startswith("Created system account")]
    assert_says(said, BANNER[:3] + [r"DBG   (Go build|Build): +\S.*"] + BANNER[3:] + READY)


@pytest.mark.parametrize("args, is_warned", [
    (("--user", "u", "--pass", "p"), True), (("--auth", "t"), False),
    (("--user", "u", "--pass", "$2a$04$xCVP9hbSgdyKXeEvzzMbAOH1Q2SAPVGOnkQYHgCi1B1m2mwxXyZEu"), False),
], ids=["password", "token", "bcrypt"])
def test_l01_warning_about_plaintext_passwords(start_server, messages, args, is_warned):
    """Warnings stand between the banner and the listeners."""
    warning = [r"WRN Plaintext passwords detected, use nkeys or bcrypt"] if is_warned else []
    assert_says(messages(start_server(*args)), BANNER + warning + READY)


@pytest.mark.parametrize("max_payload, is_warned", [(8 << 20, False), ((8 << 20) + 1, True), (64 << 20, True)])
def test_l01_warning_about_large_payloads(start_server, messages, max_payload, is_warned):
    """A max_payload beyond 8 MiB is warned about."""
    said = messages(start_server(options={"max_payload": max_payload}))
    warnings = [text for level, text in said if level == "WRN"]
    assert warnings == (["Maximum payloads over 8.00 MB are generally discouraged and could lead to poor performance"]
                        if is_warned else [])


def test_l01_stdout_is_not_used(connect, start_server):
    """The log goes to stderr; stdout stays empty."""
    server = start_server("-DV")
    connect(server).connect()
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    assert server.stdout() == ""


def test_l01_ready_means_ready(connect, start_server):
    """Once `Server is ready` is logged, clients are served."""
    server = start_server()
    c = connect(server).connect()
    c.send(b"SUB a 1\r\nPUB a 2\r\nhi\r\n")
    c.expect(b"MSG a 1 2\r\nhi\r\n")
    c.fence()


def test_l01_starts_in_any_directory(connect, start_server, tmp_path):
    """Without options a server leaves nothing in its working directory."""
    server = start_server(cwd=tmp_path)
    connect(server).connect()
    server.signal(signal.SIGTERM)
    assert server.wait_exit() == 0
    assert not list(tmp_path.iterdir())
