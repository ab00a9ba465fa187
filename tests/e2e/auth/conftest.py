# SPDX-License-Identifier: Apache-2.0
"""Servers with configuration files.  A module's CONFIG is that of its `server`; in all of them every password is `pw`."""

import itertools

import pytest

from e2e.auth.lines import VIOLATION, connect_line

PASSWORD = "pw"


@pytest.fixture(scope="module", autouse=True)
def configured_module(request, tmp_path_factory):
    """Gives the module's `server` the text CONFIG as its configuration file, and -D for the reasons of closed connections."""
    text = getattr(request.module, "CONFIG", None)
    if text is not None:
        path = tmp_path_factory.mktemp("auth") / "server.conf"
        path.write_text(text)
        request.module.SERVER_ARGS = [*getattr(request.module, "FLAGS", ["-D"]), "-c", path]


@pytest.fixture
def configure(tmp_path):
    """configure(text) -> path of a configuration file with this text."""
    numbers = itertools.count(1)

    def write(text):
        path = tmp_path / f"{next(numbers)}.conf"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def serve(configure, start_server):
    """serve(text, *args) -> Server of this test alone, with this configuration file."""
    return lambda text, *args: start_server(*(args or ["-D"]), "-c", configure(text))


@pytest.fixture
def login(connect):
    """login(user, server=None, **fields of CONNECT) -> Client that was let in with the password of all users."""
    def enter(user, server=None, **fields):
        return connect(server).connect(**{"user": user, "pass": PASSWORD, **fields})

    return enter


@pytest.fixture
def refuse(connect, request):
    """refuse(server=None, reason=…, **fields of CONNECT): the server answers with Authorization Violation and closes."""
    def expect_refusal(server=None, *, reason="Authentication Failure", **fields):
        server = server or request.getfixturevalue("server")
        client = connect(server)
        client.send(connect_line(**fields) + b"PING\r\n")
        client.expect_closed_with(VIOLATION)
        assert server.closed_reason(client.cid) == reason
        return client

    return expect_refusal


@pytest.fixture
def heard():
    """heard(client) -> what it was sent until now, as (subject, payload) pairs; fails on anything but messages."""
    def read(client):
        rest, messages = client.ping(), []
        while rest:
            line, _, rest = rest.partition(b"\r\n")
            words = line.split(b" ")
            assert words[0] == b"MSG", line
            size = int(words[-1])
            messages.append((words[1], rest[:size]))
            rest = rest[size + 2:]
        return messages

    return read
