# SPDX-License-Identifier: Apache-2.0
"""Socket activation: listening sockets that were opened by whoever started the server (sd_listen_fds(3))."""

import fcntl
import json
import os
import re
import signal
import socket
import sys
import threading
import urllib.request

import pytest

from harness import Client, eventually
from harness.server import gnatwren_binary

pytestmark = pytest.mark.ours

# Takes sockets from the test, puts them at 3 and up, names itself in LISTEN_PID and becomes the server.
LAUNCHER = """#!{python}
import os, socket, sys
with socket.socket(socket.AF_UNIX) as control:
    control.connect({control!r})
    fds = socket.recv_fds(control, 1, 32)[1]
for i, fd in enumerate(fds):
    os.dup2(fd, 100 + i, inheritable=False)
    os.close(fd)
for i in range(len(fds)):
    os.dup2(100 + i, 3 + i)
os.environ["LISTEN_PID"] = os.environ.get("LISTEN_PID") or str(os.getpid())
os.environ["LISTEN_FDS"] = os.environ.get("LISTEN_FDS") or str(len(fds))
os.execv({binary!r}, sys.argv)
"""


@pytest.fixture
def directory(tmp_path_factory):
    """One with a short path, as those of sockets must be."""
    return tmp_path_factory.mktemp("a")


@pytest.fixture
def start_activated(start_server, directory, monkeypatch):
    """start_activated(sockets, *args, names=None, ready=True, …) -> Server that is passed the sockets."""
    binary = gnatwren_binary()
    helpers = []

    def start(sockets, *args, names=None, ready=True, env=None, **kwargs):
        control = socket.socket(socket.AF_UNIX)
        control.bind(str(directory / f"control{len(helpers)}"))
        control.listen()
        launcher = directory / "gnatwren"
        launcher.write_text(LAUNCHER.format(python=sys.executable, control=control.getsockname(), binary=binary))
        launcher.chmod(0o755)
        monkeypatch.setenv("GNATWREN_BIN", str(launcher))
        named = {} if names is None else {"LISTEN_FDNAMES": names}
        server = start_server(*args, wait=False, env={**named, **(env or {})}, **kwargs)
        helpers.append(threading.Thread(target=_hand_over, args=(control, sockets)))
        helpers[-1].start()
        if ready:
            server.wait_log("Server is ready", 30)
            listening = server.wait_log(r"Listening for client connections on (?:unix:|.*:(\d+))")
            server.port = listening[1] and int(listening[1])
        return server

    yield start
    for helper in helpers:
        helper.join(30)


def _hand_over(control, sockets):
    with control, control.accept()[0] as launcher:
        socket.send_fds(launcher, [b"x"], [sock.fileno() for sock in sockets])


@pytest.fixture
def listen(directory):
    """listen(address="127.0.0.1") -> a socket that listens there; a Path means a Unix socket."""
    opened = []

    def open_socket(address="127.0.0.1", backlog=16):
        if isinstance(address, str):
            sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
            sock.bind((address, 0))
        else:
            sock = socket.socket(socket.AF_UNIX)
            sock.bind(str(address))
        if backlog is not None:
            sock.listen(backlog)
        opened.append(sock)
        return sock

    yield open_socket
    for sock in opened:
        sock.close()


def port_of(sock) -> int:
    return sock.getsockname()[1]


def talk(path) -> bytes:
    """A conversation by way of a Unix socket; returns the answer to PING."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(path))
        file = sock.makefile("rb")
        assert file.readline().startswith(b"INFO {")
        sock.sendall(b'CONNECT {"verbose":false}\r\nPING\r\n')
        return file.readline()


@pytest.mark.parametrize("n_workers", ["1", "2"])
@pytest.mark.parametrize("name", [None, "client", "gnatwren.socket", "unknown", ""])
def test_client_listener(start_activated, listen, connect, messages, tmp_path, name, n_workers):
    """A socket named client, or without a name, takes the place of the client listener, whatever host and port say."""
    sock = listen("127.0.0.2")
    port = port_of(sock)
    server = start_activated([sock], "--io_threads", n_workers, "--ports_file_dir", tmp_path, names=name,
                             options={"host": "127.0.0.1", "port": 1})
    assert ("INF", f"Listening for client connections on 127.0.0.2:{port}") in messages(server)
    c = Client(port, "127.0.0.2").connect()
    assert (c.info["host"], c.info["port"]) == ("127.0.0.2", port)
    c.close()
    path = eventually(lambda: next(tmp_path.glob("*.ports"), None))
    assert json.loads(path.read_text()) == {"nats": [f"nats://127.0.0.2:{port}"]}
    assert "[WRN]" not in server.log()


def test_ipv6(start_activated, listen, messages):
    """Addresses of IPv6 are in brackets."""
    try:
        sock = listen("::1")
    except OSError:
        pytest.skip("no IPv6 here")
    server = start_activated([sock])
    assert ("INF", f"Listening for client connections on [::1]:{port_of(sock)}") in messages(server)
    with socket.create_connection(("::1", port_of(sock)), timeout=30) as c:
        assert json.loads(c.makefile("rb").readline()[5:])["host"] == "::1"


def test_clients_that_came_before(start_activated, listen):
    """Who connected before the server ran is served."""
    sock = listen()
    early = socket.create_connection(sock.getsockname(), timeout=30)
    start_activated([sock])
    assert early.makefile("rb").readline().startswith(b"INFO {")
    early.close()


@pytest.mark.parametrize("n_workers", ["1", "2"])
def test_sockets_outlive_the_server(start_activated, listen, directory, n_workers):
    """After a stop connections wait for the next server; paths stay."""
    sock, path = listen(), directory / "s"
    unix = listen(path)
    server = start_activated([sock, unix], "--io_threads", n_workers, names="client:unix")
    assert talk(path) == b"PONG\r\n"
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    waiting = socket.create_connection(sock.getsockname(), timeout=30)
    start_activated([sock, unix], "--io_threads", n_workers, names="client:unix")
    assert waiting.makefile("rb").readline().startswith(b"INFO {")
    assert talk(path) == b"PONG\r\n"
    waiting.close()


def test_lame_duck(start_activated, listen, connect):
    """A lame duck leaves new connections to the next server."""
    sock = listen()
    server = start_activated([sock], options={"lame_duck_duration": "40s", "lame_duck_grace_period": "20s"})
    first = connect(server).connect()
    server.signal(signal.SIGUSR2)
    server.wait_log("Entering lame duck mode")
    with socket.create_connection(sock.getsockname(), timeout=30) as waiting:
        first.fence()
        second = start_activated([sock])
        assert json.loads(waiting.makefile("rb").readline()[5:])["server_id"] == Client(second.port).info["server_id"]


def test_unix_for_clients(start_activated, listen, directory, messages, tmp_path):
    """The client listener may be a Unix socket; then there is no port at all."""
    path = directory / "s"
    server = start_activated([listen(path)], "--ports_file_dir", tmp_path, names="client")
    assert ("INF", f"Listening for client connections on unix:{path}") in messages(server)
    assert talk(path) == b"PONG\r\n"
    assert eventually(lambda: next(tmp_path.glob("*.ports"), None)).read_text() == "{}"


def test_abstract_unix_socket(start_activated, messages, listen):
    """An address that is not in the file system begins with @."""
    name = f"gnatwren-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind("\0" + name)
        sock.listen()
        server = start_activated([listen(), sock], names="client:unix")
        assert ("INF", f"Listening for client connections on unix:@{name}") in messages(server)
        assert talk("\0" + name) == b"PONG\r\n"


def test_unix_beside(start_activated, listen, directory, connect, messages):
    """A socket named unix takes the place of unix_socket; names may come in any order."""
    path, sock = directory / "s", listen()
    server = start_activated([listen(path), sock], names="unix:client", options={"unix_socket": directory / "other"})
    assert talk(path) == b"PONG\r\n"
    connect(server).connect()
    assert server.port == port_of(sock)
    assert not (directory / "other").exists()


@pytest.mark.parametrize("name", ["http", "monitor"])
def test_monitoring(start_activated, listen, messages, name):
    """A socket of that name takes the place of the http option."""
    clients, monitor = listen(), listen()
    server = start_activated([clients, monitor], names=f"client:{name}")
    assert ("INF", f"Starting http monitor on 127.0.0.1:{port_of(monitor)}") in messages(server)
    with urllib.request.urlopen(f"http://127.0.0.1:{port_of(monitor)}/healthz", timeout=30) as answer:
        assert answer.read() == b'{"status":"ok"}'
    assert "[WRN]" not in server.log()


def test_only_unix_is_passed(start_activated, listen, directory, connect):
    """The client listener is then opened as always."""
    path = directory / "s"
    server = start_activated([listen(path)], names="unix")
    assert talk(path) == b"PONG\r\n"
    connect(server).connect()


def test_reload(start_activated, listen, connect, tmp_path):
    """The socket decides host and port after a reload, too."""
    sock, path = listen(), tmp_path / "server.conf"
    path.write_text("port: 4222\nmax_payload: 1000\n")
    server = start_activated([sock], "-c", path)
    path.write_text("port: 4223\nmax_payload: 2000\n")
    server.signal(signal.SIGHUP)
    server.wait_log("Reloaded server configuration")
    info = connect(server).info
    assert (info["host"], info["port"], info["max_payload"]) == ("127.0.0.1", port_of(sock), 2000)


def test_unclaimed(start_activated, listen):
    """What nobody asks for is closed, with a warning; a second one without a name, too."""
    socks = [listen() for _ in range(3)]
    server = start_activated(socks, names="gnatwren.socket:gnatwren.socket:typo")
    log = server.log()
    assert server.port == port_of(socks[0])
    for fd, name in (4, "gnatwren.socket"), (5, "typo"):
        assert f'[WRN] Nothing listens on the socket passed as descriptor {fd}, "{name}": closing it' in log
    links = [os.readlink(f"/proc/{server.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{server.pid}/fd")]
    inodes = [f"socket:[{os.fstat(sock.fileno()).st_ino}]" for sock in socks]
    assert [inode in links for inode in inodes] == [True, False, False]


def test_close_on_exec(start_activated, listen, directory):
    """No child of the server would inherit the sockets."""
    sock, unix = listen(), listen(directory / "s")
    server = start_activated([sock, unix], names="client:unix")
    for fd in 3, 4:
        with open(f"/proc/{server.pid}/fdinfo/{fd}", encoding="ascii") as info:
            flags = int(next(line for line in info if line.startswith("flags:")).split()[1], 8)
        assert flags & os.O_CLOEXEC and flags & os.O_NONBLOCK
    assert fcntl.fcntl(sock, fcntl.F_GETFL) & os.O_NONBLOCK


def test_meant_for_another_process(start_activated, listen, connect):
    """LISTEN_PID names another process: as if nothing had been passed."""
    sock = listen()
    server = start_activated([sock], env={"LISTEN_PID": "1"})
    connect(server).connect()
    assert server.port != port_of(sock)


def test_nothing_is_passed(start_activated, listen, connect):
    """None is a number of sockets, too."""
    server = start_activated([listen()], names="", env={"LISTEN_FDS": "0"})
    connect(server).connect()


@pytest.mark.parametrize("kind, why", [
    ("file", "it is no socket"), ("pipe", "it is no socket"), ("udp", "it is no stream socket"),
    ("datagram", "it is no stream socket"), ("bound", "it does not listen"), ("connected", "it does not listen"),
    ("netlink", "it is neither a TCP nor a Unix socket")])
def test_wrong_kinds(start_activated, listen, directory, kind, why):
    """Only stream sockets that listen will do; else the start is refused."""
    make = {
        "file": lambda: open(directory / "file", "w"), "pipe": lambda: os.fdopen(os.pipe()[0]),
        "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "datagram": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
        "bound": lambda: listen(backlog=None), "connected": lambda: socket.socketpair()[0],
        "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)}[kind]
    with make() as passed:
        server = start_activated([passed], ready=False)
        assert server.wait_exit(20) == 1
    assert f"[FTL] Error listening on the socket passed as descriptor 3: {why}" in server.log()


def test_unix_must_be_unix(start_activated, listen):
    """A TCP socket named unix is a mistake."""
    server = start_activated([listen(), listen()], names="client:unix", ready=False)
    assert server.wait_exit(20) == 1
    assert "[FTL] Error listening on the socket passed as descriptor 4: it is no Unix socket" in server.log()


@pytest.mark.parametrize("env, names, why", [
    ({"LISTEN_FDS": "many"}, None, "LISTEN_FDS is not a number of sockets from 0 to 16"),
    ({"LISTEN_FDS": "17"}, None, "LISTEN_FDS is not a number of sockets from 0 to 16"),
    ({"LISTEN_FDS": "-1"}, None, "LISTEN_FDS is not a number of sockets from 0 to 16"),
    ({"LISTEN_FDS": "9"}, None, "LISTEN_FDS passes descriptor 4: bad file descriptor"),
    ({}, "client:unix", "LISTEN_FDS passes 1 sockets, LISTEN_FDNAMES names 2")])
def test_nonsense(start_activated, listen, env, names, why):
    """What cannot be is refused, in one line."""
    server = start_activated([listen()], names=names, env=env, ready=False)
    assert server.wait_exit(20) == 1
    assert re.fullmatch(rf"\[\d+\] .* \[FTL\] {re.escape(why)}\n", server.log())
