# SPDX-License-Identifier: Apache-2.0
"""Servers that can be looked at over HTTP.  web.py has the requests, shapes.py what documents look like."""

import itertools
import re
import signal

import pytest

from e2e.monitor.web import Monitor
from e2e.robustness.conftest import memory_counts, process  # noqa: F401  (fixtures)
from e2e.tls.conftest import certificate, secure  # noqa: F401  (fixtures)
from harness import eventually

HTTP = 'http: "127.0.0.1:-1"\n'


class World(Monitor):
    """A server with a configuration file, its monitoring port, and clients."""

    def __init__(self, server, path, connect, tls=None):
        super().__init__(server, tls=tls)
        self.server = server
        self.path = path  # of the configuration file
        self._connect = connect

    def __call__(self, user=None, *subscriptions, **fields):
        """A client that logged in with the password "pw" (without user: anonymously) and subscribed to each, with the sids 1, 2, …

        subscriptions  b"subject" or b"subject queue"
        fields         of CONNECT
        """
        if user:
            fields = {"user": user, "pass": "pw", **fields}
        client = self.raw().connect(**fields)
        client.send(b"".join(b"SUB %s %d\r\n" % (what, sid) for sid, what in enumerate(subscriptions, 1)))
        client.fence()
        return client

    def raw(self, **kwargs):
        """A client that has not said anything yet."""
        return self._connect(self.server, **kwargs)

    def entry(self, client, query: str = "") -> dict:
        """What /connz says of an open connection, as soon as it does; `query` is more of it: "&auth=1"."""
        return eventually(lambda: self.connections(f"?cid={client.cid}{query}"))[0]

    def gone(self, client, query: str = "") -> dict:
        """What /connz says of a closed connection, when it does."""
        return eventually(lambda: self.connections(f"?state=closed&cid={client.cid}{query}"))[0]

    def reload(self, text: str, is_refused: bool = False) -> str:
        """The server gets another configuration (HTTP stays), or keeps the old one; what the log says of that."""
        self.path.write_text(HTTP + text)
        seen = len(self.server.log())
        self.server.signal(signal.SIGHUP)
        pattern = r"Reloaded server configuration|Failed to reload.*"
        done = eventually(lambda: re.search(pattern, self.server.log()[seen:]), 30)
        assert done[0].startswith("Failed") is is_refused, done[0]
        return done[0]


@pytest.fixture
def world(start_server, connect, tmp_path):
    """world(text="", *args) -> World of this test alone: w = world(); a = w("a", b"ev.>"); w.document("/varz")"""
    numbers = itertools.count(1)

    def start(text="", *args, **kwargs):
        path = tmp_path / f"{next(numbers)}.conf"
        path.write_text(HTTP + text)
        return World(start_server(*args, "-c", path, **kwargs), path, connect)

    return start


@pytest.fixture(scope="module")
def monitor(server):
    """The monitoring port of the module's server, which has SERVER_ARGS = ("-m", "-1") or the like."""
    return Monitor(server)


@pytest.fixture
def configured(start_server, tmp_path):
    """configured(text, *args, **kwargs of Server) -> Server with this configuration file."""
    def start(text, *args, **kwargs):
        path = tmp_path / "server.conf"
        path.write_text(text)
        return start_server(*args, "-c", path, **kwargs)

    return start
