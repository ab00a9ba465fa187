# SPDX-License-Identifier: Apache-2.0
"""Syslog as the place of the log."""

import re
import signal
import socket
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest

REMOTE = re.compile(rb"<(\d+)>(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)) (\S+) (\S+)\[(\d+)\]: ([^\n]*)\n")
LOCAL = re.compile(rb"<(\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (\S+)\[(\d+)\]: ([^\n]*)\n")
LOCAL_SOCKETS = [Path("/dev/log"), Path("/var/run/syslog"), Path("/var/run/log")]
INF, DBG, WRN, ERR, FTL, TRC = 5, 7, 4, 3, 2, 5
DAEMON = 3 << 3
LOGIN = ("--user", "u", "--pass", "p")


def url(sock: socket.socket, scheme: str = "udp") -> str:
    return f"{scheme}://127.0.0.1:{sock.getsockname()[1]}"


def receive_until(sock: socket.socket, text: bytes) -> list[bytes]:
    """Datagrams up to the first that contains the text."""
    received = []
    while not received or text not in received[-1]:
        received.append(sock.recv(65536))
    return received


def read_stream_until(sock: socket.socket, text: bytes) -> bytes:
    received = b""
    sock.settimeout(30)
    while text not in received or not received.endswith(b"\n"):
        data = sock.recv(65536)
        assert data, received
        received += data
    return received


@pytest.mark.parametrize("form", ["-r", "--remote_syslog", "remote_syslog"])
def test_l24_datagrams(start_server, syslog, rename_program, form):
    """Remote datagram: `<PRI>RFC3339-time hostname tag[pid]: message␊`; tag = basename(argv[0]); nothing on stderr."""
    rename_program("wren.test")
    args, options = ((form, url(syslog)), None) if form.startswith("-") else ((), {form: url(syslog)})
    server = start_server(*args, options=options, wait=False)
    received = receive_until(syslog, b"Server is ready")
    server.signal(signal.SIGINT)
    received += receive_until(syslog, b"Server Exiting..")
    assert server.wait_exit() == 0
    assert server.log() == ""
    for datagram in received:
        match = REMOTE.fullmatch(datagram)
        assert match, datagram
        pri, time, host, tag, pid, _ = match.groups()
        assert int(pri) == INF
        assert abs(datetime.fromisoformat(time.decode().replace("Z", "+00:00")).timestamp() - datetime.now().timestamp()) < 60
        assert (host.decode(), tag, int(pid)) == (socket.gethostname(), b"wren.test", server.pid)
    assert REMOTE.fullmatch(received[0])[6] == b"Starting nats-server"


def test_l24_time_zone(start_server, syslog, far_zone):
    """The time is local, with its offset."""
    zone, offset = far_zone
    server = start_server("-r", url(syslog), env={"TZ": zone}, wait=False)
    for datagram in receive_until(syslog, b"Server is ready"):
        time = datetime.fromisoformat(REMOTE.fullmatch(datagram)[2].decode())
        assert time.utcoffset() == timedelta(seconds=offset)
        assert abs(time.timestamp() - datetime.now().timestamp()) < 60
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0


def test_l24_priorities(connect, start_server, syslog):
    """Facility 0 (kern): INF/TRC 5, WRN 4, ERR 3, DBG 7."""
    server = start_server("-DV", *LOGIN, "-r", url(syslog), wait=False)
    received = receive_until(syslog, b"Server is ready")
    server.port = int(re.search(rb"Listening for client connections on .*:(\d+)", b"".join(received))[1])
    c = connect(server)
    c.send(b'CONNECT {"user":"x","pass":"y"}\r\n')
    c.read_to_eof()
    received += receive_until(syslog, b"Client connection closed: Authentication Failure")
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    lines = [REMOTE.fullmatch(datagram) for datagram in received]
    priority = {line[6].decode().rpartition(" - ")[2]: int(line[1]) for line in lines}
    assert priority["Server is ready"] == INF
    assert priority["Plaintext passwords detected, use nkeys or bcrypt"] == WRN
    assert priority["Client connection created"] == DBG
    assert priority["->> [-ERR Authorization Violation]"] == TRC
    assert priority['User "x"'] == ERR


def test_l24_fatal(start_server, syslog):
    """FTL is priority 2."""
    server = start_server("-r", url(syslog), "-p", start_server().port, wait=False)
    datagram = receive_until(syslog, b"Error listening on port")[-1]
    assert int(REMOTE.fullmatch(datagram)[1]) == FTL
    if server.proc.poll() is None:
        server.signal(signal.SIGINT)
    server.wait_exit()


@pytest.mark.ours
def test_l24_fatal_ends_the_server(start_server, syslog):
    """gnatwren exits with 1 after a fatal error whatever the log goes to (the Go server runs on with a syslog)."""
    server = start_server("-r", url(syslog), "-p", start_server().port, wait=False)
    assert server.wait_exit() == 1
    received = receive_until(syslog, b"Error listening on port")
    assert b"Server is ready" not in b"".join(received)
    assert server.log() == ""


def test_l24_tcp(start_server):
    """Scheme tcp: the same lines in a stream."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = start_server("-r", url(listener, "tcp"), wait=False)
        with listener.accept()[0] as stream:
            received = read_stream_until(stream, b"Server is ready")
            server.signal(signal.SIGINT)
            received += read_stream_until(stream, b"Server Exiting..")
    assert server.wait_exit() == 0
    lines = received.splitlines(keepends=True)
    for line in lines:
        assert REMOTE.fullmatch(line), line
    assert lines[0].endswith(b": Starting nats-server\n")


def test_l24_unix(start_server, program, tmp_path):
    """Scheme unix (path of a stream socket): lines without a host, with BSD time."""
    path = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        server = start_server("-r", f"unix://{path}", wait=False)
        with listener.accept()[0] as stream:
            received = read_stream_until(stream, b"Server is ready")
            server.signal(signal.SIGINT)
            received += read_stream_until(stream, b"Server Exiting..")
    assert server.wait_exit() == 0
    for line in received.splitlines(keepends=True):
        pri, tag, pid, _ = LOCAL.fullmatch(line).groups()
        assert (int(pri), tag.decode(), int(pid)) == (INF, program, server.pid)


def test_l24_unreachable_udp(connect, start_server, syslog):
    """Nobody has to listen: datagrams are lost, the server runs."""
    server = start_server("-r", url(syslog), wait=False)
    received = receive_until(syslog, b"Server is ready")
    server.port = int(re.search(rb"Listening for client connections on .*:(\d+)", b"".join(received))[1])
    syslog.close()
    for _ in range(3):
        server.signal(signal.SIGUSR1)
        connect(server).connect()
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0


@pytest.mark.parametrize("text, error", [
    ("foo://x:1", 'error invalid network type: "foo"'),
    ("tcp://127.0.0.1:1", 'error connecting to syslog: "dial tcp 127.0.0.1:1: connect: connection refused"'),
    ("unix:///no/sock", 'error connecting to syslog: "dial unix /no/sock: connect: no such file or directory"'),
    ("udp://", 'error connecting to syslog: "dial udp: missing address"'),
    ("udp://127.0.0.1", 'error connecting to syslog: "dial udp: address 127.0.0.1: missing port in address"'),
    ("", None),
])
def test_l24_bad_url(start_server, refused, text, error):
    """Other schemes, and daemons that cannot be reached: stderr, exit 1; an empty URL is none."""
    if error is None:
        start_server("-r", text)
    else:
        log = refused("-r", text)
        assert log.endswith(f"{error}\n")
        assert log.count("\n") == 1


@pytest.mark.skipif(any(path.is_socket() for path in LOCAL_SOCKETS), reason="there is a syslog daemon")
def test_local_without_daemon(refused):
    """`-s` without a daemon → stderr `error connecting to syslog: …`, exit 1."""
    assert refused("-s").endswith('error connecting to syslog: "Unix syslog delivery error"\n')


@pytest.fixture
def local_daemon(tmp_path, rename_program, monkeypatch):
    """A datagram socket that the servers of this test find at /var/run/log, in a mount namespace of their own."""
    run = Path("/var/run").resolve()
    script = tmp_path / "daemon"
    enter = f'exec unshare --mount sh -c \'mount --bind {tmp_path} {run} && exec "$0" "$@"\''
    if LOCAL_SOCKETS[0].is_socket() or subprocess.run([*["sh", "-c", f"{enter} true"]], capture_output=True).returncode:
        pytest.skip("cannot have a syslog daemon of our own here")
    rename_program("wren")
    script.write_text(f'#!/bin/sh\n{enter} {tmp_path}/bin/wren "$@"\n')
    script.chmod(0o755)
    for name in ("GNATWREN_BIN", "GNATWREN_PEER_BIN"):
        monkeypatch.setenv(name, str(script))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "log"))
        sock.settimeout(30)
        yield sock


@pytest.mark.parametrize("form", ["-s", "--syslog", "syslog"])
def test_local(start_server, local_daemon, form):
    """`-s`: local syslog, facility daemon, tag = basename(argv[0])."""
    args, options = ((form,), None) if form.startswith("-") else ((), {form: True})
    server = start_server("-D", *args, options=options, wait=False)
    received = receive_until(local_daemon, b"Server is ready")
    server.signal(signal.SIGINT)
    received += receive_until(local_daemon, b"Server Exiting..")
    assert server.wait_exit() == 0
    priorities = set()
    for datagram in received:
        pri, tag, pid, _ = LOCAL.fullmatch(datagram).groups()
        assert (tag, int(pid)) == (b"wren", server.pid)
        priorities.add(int(pri))
    assert priorities == {DAEMON + INF, DAEMON + DBG}
    assert server.log() == ""


def test_remote_before_local(start_server, syslog, local_daemon):
    """Precedence: remote syslog > syslog."""
    server = start_server("-s", "-r", url(syslog), wait=False)
    receive_until(syslog, b"Server is ready")
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    local_daemon.setblocking(False)
    with pytest.raises(BlockingIOError):
        local_daemon.recv(65536)


def test_reopen_is_ignored(start_server, syslog):
    """SIGUSR1 with a syslog: `File log re-open ignored, not a file logger`."""
    server = start_server("-r", url(syslog), wait=False)
    receive_until(syslog, b"Server is ready")
    server.signal(signal.SIGUSR1)
    assert REMOTE.fullmatch(receive_until(syslog, b"File log")[-1])[6] == b"File log re-open ignored, not a file logger"
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
