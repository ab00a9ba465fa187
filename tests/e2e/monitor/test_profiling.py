# SPDX-License-Identifier: Apache-2.0
"""The port for profiling: where it is, and what there is of Go's profiles."""

import json
import re
import signal
import socket

import pytest

from e2e.monitor.web import HTML, PLAIN, Connection, Monitor
from harness import eventually

BELOW = "/debug/pprof/"
SERVER_ARGS = ["-m", "-1", "--profile", "-1", "--user", "somebody", "--pass=secret"]


class Profiling(Monitor):
    """The port for profiling of a server, which says in its log where that is."""

    def __init__(self, server):
        self.port = int(server.wait_log(r"profiling port: (\d+)")[1])
        self._tls = None


@pytest.fixture(scope="module")
def profiling(server):
    return Profiling(server)


# ---- where

def test_l30_off_by_default(start_server):
    assert "profiling port" not in start_server().log()


@pytest.mark.parametrize("args", [["--profile", "0"], ["-profile=0"]])
def test_l30_port_0_is_off(configured, args):
    """L-30: a flag of 0 takes back what the configuration says."""
    assert "profiling port" not in configured("prof_port: -1", *args).log()


def test_l30_option(configured, tmp_path):
    """L-30: on the address of clients, ready when the server is; key `profile` of the ports file."""
    folder = tmp_path / "ports"
    folder.mkdir()
    server = configured(f'prof_port: -1, prof_block_rate: 1, ports_file_dir: "{folder}"')
    port = Profiling(server).port
    text = eventually(lambda: next((path.read_text() for path in folder.glob("*.ports")), ""))
    assert json.loads(text) == {"nats": [f"nats://127.0.0.1:{server.port}"], "profile": [f"http://127.0.0.1:{port}"]}
    assert server.log().index("profiling port") < server.log().index("Server is ready")


@pytest.mark.parametrize("port", ["70000", "-5"])
def test_l30_no_port(start_server, port):
    server = start_server("--profile", port, wait=False)
    assert server.wait_exit() == 1
    assert f"[FTL] error starting profiler: listen tcp: address {port}: invalid port\n" in server.log()


def test_l30_port_in_use(start_server):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        server = start_server("--profile", str(port), wait=False)
        assert server.wait_exit() == 1
    assert re.search(rf"\[FTL\] error starting profiler: listen tcp 127\.0\.0\.1:{port}: .*address already in use\n", server.log())


def test_l30_reload_cannot_move_the_port(configured, tmp_path):
    server = configured("prof_port: -1")
    (tmp_path / "server.conf").write_text("")
    server.signal(signal.SIGHUP)
    server.wait_log(r"Failed to reload server configuration: config reload not supported for ProfPort: old=-1, new=0$")
    assert Profiling(server).get(BELOW).status == 200


def test_l30_block_rate_may_change(configured, tmp_path):
    server = configured("prof_port: -1")
    (tmp_path / "server.conf").write_text("prof_port: -1, prof_block_rate: 7")
    server.signal(signal.SIGHUP)
    server.wait_log(r"Reloaded: prof_block_rate = 7$")


def test_l30_closes_with_the_server(configured):
    """L-30: idle connections, too, without delay."""
    server = configured("prof_port: -1")
    with Connection(Profiling(server).port) as idle:
        assert idle.ask(BELOW + "cmdline").status == 200
        server.signal(signal.SIGTERM)
        assert server.wait_exit() in (0, 1)
        idle.expect_eof()


# ---- what

@pytest.mark.parametrize("path", ["/", "/debug", "/debug/", "/varz", "/connz", "/healthz", "/metrics", "/stacksz", "/debug/vars/",
                                  BELOW + "nope", BELOW + "heap/", "/debug/pprofx", "/DEBUG/pprof/"])
def test_l30_unknown_path(profiling, path):
    """L-30: nothing of monitoring is here."""
    answer = profiling.get(path)
    assert (answer.status, answer.type) == (404, PLAIN)
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["", "heap", "cmdline", "profile"])
def test_l30_not_at_monitoring(server, path):
    assert Monitor(server).get(BELOW + path).status == 404


@pytest.mark.parametrize("path, to", [("/debug/pprof", BELOW), ("/debug/pprof?a=b", BELOW + "?a=b"), ("//debug/pprof/", BELOW)])
def test_l30_redirect(profiling, path, to):
    answer = profiling.get(path)
    assert (answer.status, answer.headers["location"]) == (301, to)


def test_l30_index(profiling):
    answer = profiling.get(BELOW)
    assert (answer.status, answer.type) == (200, HTML)
    names = set(re.findall(r"href=['\"]([a-z]+)\b", answer.text))
    assert {"allocs", "cmdline", "heap", "threadcreate"} <= names


@pytest.mark.ours
def test_l30_index_has_what_there_is(profiling, server):
    """profiling: no link of the index leads nowhere."""
    text = profiling.get(BELOW).text
    assert f"perf record -g -p {server.pid}" in text
    for link in re.findall(r'href="(.*?)"', text):
        path = link if link.startswith("/") else BELOW + link
        assert profiling.get(path).status == 200, path


def test_l30_command_line(profiling):
    """L-30: zero bytes between arguments; what clients log in with is not told."""
    answer = profiling.get(BELOW + "cmdline")
    assert (answer.status, answer.type) == (200, PLAIN)
    args = answer.text.split("\0")
    assert args[args.index("--profile") + 1] == "-1"
    assert args[args.index("--user") + 1] == "[REDACTED]"
    assert "--pass=[REDACTED]" in args
    assert args[-1]


def test_l30_vars(profiling, server):
    """L-30: /debug/vars is at both ports, and tells no password either."""
    for port in profiling, Monitor(server):
        args = json.loads(port.get("/debug/vars").body)["cmdline"]
        assert "--pass=[REDACTED]" in args
        assert not {"somebody", "--pass=secret"} & set(args)


@pytest.mark.parametrize("name", ["heap", "allocs"])
@pytest.mark.parametrize("query", ["", "?debug=1"])
@pytest.mark.ours
def test_l30_memory(profiling, name, query):
    """profiling: what malloc says."""
    answer = profiling.get(BELOW + name + query)
    assert (answer.status, answer.type) == (200, PLAIN)
    assert answer.text.startswith("<malloc version=")


@pytest.mark.ours
def test_l30_threads(profiling, server):
    answer = profiling.get(BELOW + "threadcreate")
    assert (answer.status, answer.type) == (200, PLAIN)
    assert f"thread {server.pid} " in answer.text


@pytest.mark.ours
def test_l30_cpu(profiling, server):
    """profiling: how to take a profile."""
    answer = profiling.get(BELOW + "profile?seconds=1")
    assert (answer.status, answer.type) == (501, PLAIN)
    assert f"perf record -g -p {server.pid}\n" in answer.text


@pytest.mark.parametrize("name", ["block", "goroutine", "mutex", "symbol", "trace"])
@pytest.mark.ours
def test_l30_no_equivalent(profiling, name):
    answer = profiling.get(BELOW + name)
    assert (answer.status, answer.text) == (501, f'Profile "{name}" has no equivalent here\n')
