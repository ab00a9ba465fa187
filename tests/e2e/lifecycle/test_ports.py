# SPDX-License-Identifier: Apache-2.0
"""Where a server listens, and what it says about that."""

import json
import re
import socket

import pytest

from harness import eventually

DEFAULT_PORT = 4222


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
        return True
    except OSError:
        return False


def ipv6_client_info(port: int) -> bytes:
    """The first bytes that a server says to a client which comes from ::1."""
    with socket.create_connection(("::1", port), timeout=10) as sock:
        return sock.recv(5)


def test_l05_ephemeral_port(connect, start_server, tmp_path):
    """`-p -1` listens on an ephemeral port shown in log, INFO and ports file."""
    servers = [start_server("-p", "-1", "--ports_file_dir", tmp_path) for _ in range(2)]
    assert servers[0].port != servers[1].port
    for server in servers:
        assert 1024 <= server.port <= 65535
        assert connect(server).info["port"] == server.port
        [path] = eventually(lambda: list(tmp_path.glob(f"*_{server.pid}.ports")))
        content = eventually(path.read_text)
        assert json.loads(content) == {"nats": [f"nats://127.0.0.1:{server.port}"]}


@pytest.mark.parametrize("args, options", [
    (("-p", "-1"), None), (("--port=-1",), None), ((), {"port": -1}), ((), {"listen": "127.0.0.1:-1"}),
    (("-p", "-1"), {"port": 1}),
], ids=["p", "port", "option port", "option listen", "flag beats option"])
def test_l05_forms(connect, start_server, args, options):
    """-1 is an ephemeral port however it is written."""
    server = start_server(*args, options=options)
    assert connect(server).info["port"] == server.port


@pytest.mark.parametrize("args", [("-p", "0"), ("--port=0",), ("-p", "1", "-p", "0x0")])
def test_l06_port_0_is_the_default(connect, start_server, address, args):
    """`-p 0` listens on 4222."""
    with socket.socket() as sock:
        try:
            sock.bind((address, DEFAULT_PORT))
        except OSError:
            pytest.skip(f"port {DEFAULT_PORT} is in use on all addresses")
    server = start_server("-a", address, *args)
    assert server.port == DEFAULT_PORT
    info = connect(server, host=address).info
    assert (info["host"], info["port"]) == (address, DEFAULT_PORT)


@pytest.mark.parametrize("text, port", [
    ("19222", 19222), ("0x4B16", 0x4B16), ("0o45426", 0o45426), ("0b100101100010110", 0x4B16), ("19_222", 19222),
    ("045426", 0o45426),
])
def test_l06_numbers(connect, start_server, address, text, port):
    """Integers of flags are decimal, `0x`, `0o`, `0b`, with `_` between digits; a leading 0 is octal."""
    server = start_server("-a", address, "-p", text)
    assert server.port == port
    assert connect(server, host=address).info["port"] == port


def fatal(log: str) -> str:
    """The message of the fatal line, which is the last; the server was never ready."""
    assert "Server is ready" not in log
    assert log.count("[FTL]") == 1
    return re.fullmatch(r"\[\d+\] \S+ \S+ \[FTL\] (.*)", log.splitlines()[-1])[1]


def test_l07_busy_port(start_server, refused):
    """Busy port: FTL line and exit 1."""
    port = start_server().port
    log = refused("-p", port)
    assert fatal(log) == (f"Error listening on port: 127.0.0.1:{port}, "
                          f'"listen tcp 127.0.0.1:{port}: bind: address already in use"')


@pytest.mark.parametrize("port", [65536, 70000, 1 << 40, -2, -70000])
def test_l07_invalid_port(refused, port):
    """Invalid port: FTL line and exit 1."""
    log = refused("-p", port)
    assert fatal(log) == f'Error listening on port: 127.0.0.1:{port}, "listen tcp: address {port}: invalid port"'


def test_l07_address_of_another_machine(refused):
    """An address that is not ours: FTL line and exit 1."""
    log = refused("-a", "192.0.2.1", "-p", "-1")
    assert fatal(log) == ("Error listening on port: 192.0.2.1:0, "
                          '"listen tcp 192.0.2.1:0: bind: cannot assign requested address"')


def test_l07_unknown_host(refused):
    """A host that does not exist: FTL line and exit 1."""
    log = refused("-a", "no.such.host.invalid", "-p", "-1")
    assert re.fullmatch(r'Error listening on port: no\.such\.host\.invalid:0, "listen tcp: lookup no\.such\.host\.invalid.*: .*"',
                        fatal(log))


@pytest.mark.parametrize("flag", ["-a", "--addr", "--net"])
def test_listen_address(connect, start_server, address, flag):
    """-a, --addr, --net: the listen host, in the log line and in INFO; other addresses are not served."""
    server = start_server(flag, address)
    server.wait_log(rf"Listening for client connections on {re.escape(address)}:{server.port}$")
    assert connect(server, host=address).info["host"] == address
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=10)


@pytest.mark.parametrize("args, options", [(("-a", ""), None), (("-a", "0.0.0.0"), None), ((), {"host": "0.0.0.0"})])
def test_default_host(connect, start_server, args, options):
    """Host default 0.0.0.0; INFO.host shows it literally; all addresses are served."""
    server = start_server(*args, options=options)
    server.wait_log(rf"Listening for client connections on 0\.0\.0\.0:{server.port}$")
    for host in ("127.0.0.1", "127.0.0.2"):
        c = connect(server, host=host)
        assert (c.info["host"], c.info["port"]) == ("0.0.0.0", server.port)
    if has_ipv6():
        assert ipv6_client_info(server.port) == b"INFO "


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")
def test_ipv6_host(start_server):
    """An IPv6 host stands in brackets in the listen line."""
    server = start_server("-a", "::1")
    server.wait_log(rf"Listening for client connections on \[::1\]:{server.port}$")
    assert ipv6_client_info(server.port) == b"INFO "


@pytest.mark.parametrize("advertised, host, port", [
    ("example.org:1234", "example.org", 1234), ("example.org", "example.org", None), ("example.org:0", "example.org", None),
    ("example.org:-1", "example.org", None), ("[::1]:4242", "::1", 4242), ("192.0.2.7:4222", "192.0.2.7", 4222),
])
def test_client_advertise(connect, start_server, advertised, host, port):
    """client_advertise overrides host and port of INFO only; without a port it is the listen port."""
    server = start_server("--client_advertise", advertised)
    info = connect(server).info
    assert (info["host"], info["port"]) == (host, port or server.port)
    server.wait_log(rf"Listening for client connections on 127\.0\.0\.1:{server.port}$")


@pytest.mark.parametrize("advertised", ["a:b:c", "a:b", "a:1:2"])
def test_client_advertise_is_checked(refused, advertised):
    """A bad client_advertise is fatal at the start."""
    log = refused("--client_advertise", advertised)
    assert f"Error setting server INFO with ClientAdvertise value of {advertised}, err=" in log
