# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all tests outside tests/unit.  `pytest --peer` runs the same tests against the Go server."""

import itertools
import os

import pytest

from harness import Client, Server
from harness.server import gnatwren_binary, peer_binary

_running: list[Server] = []
_n_subjects = itertools.count(1)


def pytest_addoption(parser):
    parser.addoption("--peer", action="store_true", help="test the Go server instead of gnatwren")


def pytest_configure(config):
    if config.getoption("--peer"):
        peer_binary()
        Server.peer_by_default = True
    elif not config.option.collectonly and not os.access(gnatwren_binary(), os.X_OK):
        raise pytest.UsageError(f"no server at {gnatwren_binary()}: build it, set GNATWREN_BIN, or test the Go server with --peer")


def pytest_collection_modifyitems(config, items):
    marker, reason = ("ours", "behaviour of gnatwren only") if config.getoption("--peer") \
        else ("peer_only", "behaviour of the Go server only")
    for item in items:
        if item.get_closest_marker(marker):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Show the end of every running server's log beside a failure."""
    report = (yield).get_result()
    if report.failed:
        for server in _running:
            report.sections.append((f"log of server {server.pid}", server.log()[-8000:]))


def _stop(servers):
    errors = []
    for server in reversed(servers):
        _running.remove(server)
        try:
            server.stop()
        except AssertionError as error:
            errors.append(str(error))
    if errors:
        pytest.fail("\n".join(errors), pytrace=False)


@pytest.fixture(scope="module")
def server(request):
    """The module's server, shared by its tests; SERVER_ARGS and SERVER_OPTIONS of the module configure it."""
    options = getattr(request.module, "SERVER_OPTIONS", None)
    shared = Server(*getattr(request.module, "SERVER_ARGS", ()), options=options)
    _running.append(shared)
    yield shared
    _stop([shared])


@pytest.fixture
def start_server():
    """start_server(*args, options=None, …) -> Server of this test alone; arguments as for Server."""
    started = []

    def start(*args, **kwargs):
        server = Server(*args, **kwargs)
        started.append(server)
        _running.append(server)
        return server

    yield start
    _stop(started)


@pytest.fixture
def connect(request, start_server):
    """connect(server=None, **Client's arguments) -> Client of the given or the module's server, INFO read.

    Unlike Client itself it hides the server's PINGs (the first comes 2 s after CONNECT, and a loaded machine is slow);
    pass auto_pong=False where they matter.
    """
    clients = []

    def open_client(server=None, *, auto_pong=True, **kwargs):
        server = server or request.getfixturevalue("server")
        client = Client(server.port, auto_pong=auto_pong, **kwargs)
        clients.append(client)
        return client

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def subject():
    """A subject nobody else uses, so that tests which share a server do not meet."""
    return b"t%d.%d" % (os.getpid(), next(_n_subjects))
