# SPDX-License-Identifier: Apache-2.0
"""What each signal does to a server.  Shutdown and lame duck mode have their own files."""

import signal

import pytest

from harness import eventually

TEXTS = {signal.SIGINT: "interrupt", signal.SIGTERM: "terminated", signal.SIGHUP: "hangup",
         signal.SIGUSR1: "user defined signal 1", signal.SIGUSR2: "user defined signal 2"}


def trapped(sig) -> tuple[str, str]:
    return "INF", f'Trapped "{TEXTS[sig]}" signal'


def after_ready(messages, server) -> list[tuple[str, str]]:
    said = messages(server)
    return said[said.index(("INF", "Server is ready")) + 1:]


@pytest.mark.parametrize("sig", TEXTS, ids=lambda sig: sig.name)
def test_signals_are_logged(start_server, sig):
    """Every handled signal is logged by name."""
    server = start_server()
    server.signal(sig)
    server.wait_log(rf'\[INF\] Trapped "{TEXTS[sig]}" signal$')
    if sig not in (signal.SIGHUP, signal.SIGUSR1):
        assert server.wait_exit() == 0


def test_l21_reload_without_a_file(connect, start_server, messages):
    """SIGHUP without config file: ERR, keeps running."""
    server = start_server()
    c = connect(server).connect()
    server.signal(signal.SIGHUP)
    server.wait_log(r"\[ERR\]")
    c.fence()
    connect(server).connect()
    assert after_ready(messages, server) == [
        trapped(signal.SIGHUP),
        ("ERR", "Failed to reload server configuration: can only reload config when a file is provided using -c or --config")]


def test_l22_reopen(connect, start_server, tmp_path):
    """SIGUSR1 after rename creates the file anew and logs `File log re-opened`."""
    path, old = tmp_path / "log", tmp_path / "old"
    server = start_server("-l", path, wait=False)
    eventually(lambda: path.exists() and "Server is ready" in path.read_text(), timeout=30)
    path.rename(old)
    server.signal(signal.SIGUSR1)
    eventually(lambda: path.exists() and "File log re-opened" in path.read_text())
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    lines = path.read_text().splitlines()
    assert lines[0].endswith("[INF] File log re-opened")
    assert lines[-1].endswith("[INF] Server Exiting..")
    assert old.read_text().splitlines()[-1].endswith('[INF] Trapped "user defined signal 1" signal')


def test_l22_reopen_in_place(start_server, tmp_path):
    """Without a rename the file just goes on."""
    path = tmp_path / "log"
    server = start_server("-l", path, wait=False)
    eventually(lambda: path.exists() and "Server is ready" in path.read_text(), timeout=30)
    for n in range(1, 4):
        server.signal(signal.SIGUSR1)
        eventually(lambda: path.read_text().count("File log re-opened") == n)
    assert path.read_text().count("Starting nats-server") == 1


@pytest.mark.ours
def test_l22_reopen_that_fails(start_server, tmp_path):
    """When the file cannot be opened anew gnatwren goes on with the old one (the Go server gives up, exit 1)."""
    directory = tmp_path / "logs"
    directory.mkdir()
    path, moved = directory / "log", tmp_path / "moved"
    server = start_server("-l", path, wait=False)
    eventually(lambda: path.exists() and "Server is ready" in path.read_text(), timeout=30)
    directory.rename(moved)
    server.signal(signal.SIGUSR1)
    error = f"[ERR] Unable to re-open log file: open {path}: no such file or directory"
    eventually(lambda: error in (moved / "log").read_text())
    directory.mkdir()
    server.signal(signal.SIGUSR1)
    eventually(lambda: path.exists() and "File log re-opened" in path.read_text())
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0


def test_l22_nothing_to_reopen(start_server, messages):
    """Not a file: `File log re-open ignored, not a file logger`."""
    server = start_server()
    server.signal(signal.SIGUSR1)
    server.wait_log("File log")
    assert after_ready(messages, server) == [trapped(signal.SIGUSR1), ("INF", "File log re-open ignored, not a file logger")]


def test_sigpipe_is_ignored(connect, start_server, messages):
    """SIGPIPE is ignored, and not logged."""
    server = start_server()
    c = connect(server).connect()
    server.signal(signal.SIGPIPE)
    c.fence()
    connect(server).connect()
    server.signal(signal.SIGUSR1)
    server.wait_log("File log")
    assert after_ready(messages, server)[0] == trapped(signal.SIGUSR1)


def test_sigkill(connect, start_server):
    """SIGKILL: killed."""
    server = start_server()
    c = connect(server).connect()
    server.signal(signal.SIGKILL)
    assert server.wait_exit() == -signal.SIGKILL
    c.expect_eof()


def test_stopped_and_continued(connect, start_server):
    """SIGSTOP and SIGCONT: the server goes on where it was."""
    server = start_server()
    c = connect(server).connect()
    server.signal(signal.SIGSTOP)
    c.send(b"PING\r\n")
    server.signal(signal.SIGCONT)
    c.expect(b"PONG\r\n")
    connect(server).connect()


def test_signals_one_after_another(start_server, messages):
    """Signals are handled one at a time, in full."""
    server = start_server()
    for n in range(1, 21):
        server.signal(signal.SIGHUP)
        eventually(lambda: server.log().count("Failed to reload") == n)
    assert after_ready(messages, server)[0::2] == [trapped(signal.SIGHUP)] * 20
    server.signal(signal.SIGTERM)
    assert server.wait_exit() == 0


@pytest.mark.ours
def test_sigquit(connect, start_server, messages):
    """gnatwren shuts down in order on SIGQUIT, exit 0 (the Go server dumps its stacks, exit 2)."""
    server = start_server()
    c = connect(server).connect()
    server.signal(signal.SIGQUIT)
    c.expect_eof()
    assert server.wait_exit() == 0
    assert after_ready(messages, server) == [
        ("INF", 'Trapped "quit" signal'), ("INF", "Initiating Shutdown..."), ("INF", "Server Exiting..")]


@pytest.mark.peer_only
@pytest.mark.parametrize("sig", [signal.SIGQUIT, signal.SIGABRT])
def test_runtime_dump(connect, start_server, sig):
    """SIGQUIT, SIGABRT: runtime dump on stderr, exit 2, clients cut."""
    server = start_server()
    c = connect(server).connect()
    server.signal(sig)
    c.expect_eof()
    assert server.wait_exit() == 2
    assert "goroutine" in server.log()
