# SPDX-License-Identifier: Apache-2.0
"""Servers with accounts, and clients that are logged in there.  lines.py has the texts."""

import itertools
import re
import signal

import pytest

from harness import eventually


class World:
    """A server with this configuration."""

    def __init__(self, server, path, connect):
        self.server = server
        self.path = path  # of its configuration file
        self._connect = connect

    def __call__(self, user=None, *subscriptions, **fields):
        """A client that logged in with the password "pw" (without user: anonymously) and subscribed to each, with the sids 1, 2, …

        subscriptions  b"subject" or b"subject queue"
        fields         of CONNECT
        """
        if user:
            fields = {"user": user, "pass": "pw", **fields}
        client = self._connect(self.server).connect(**fields)
        client.send(b"".join(b"SUB %s %d\r\n" % (what, sid) for sid, what in enumerate(subscriptions, 1)))
        client.fence()
        return client


@pytest.fixture
def world(start_server, connect, tmp_path):
    """world(text, *args) -> World of this test alone: s = w("s"); a = w("a", b"ev.>")"""
    numbers = itertools.count(1)

    def start(text, *args):
        path = tmp_path / f"{next(numbers)}.conf"
        path.write_text(text)
        return World(start_server(*(args or ["-D"]), "-c", path), path, connect)

    return start


@pytest.fixture
def reload():
    """reload(w, text, is_refused=False): the World gets another configuration, or keeps the old one."""
    def run(w, text, is_refused=False):
        w.path.write_text(text)
        seen = len(w.server.log())
        w.server.signal(signal.SIGHUP)
        done = eventually(lambda: re.search(r"Reloaded server configuration|Failed to reload.*", w.server.log()[seen:]), 30)
        assert done[0].startswith("Failed") is is_refused, done[0]
        return done[0]

    return run
