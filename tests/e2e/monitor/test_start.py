# SPDX-License-Identifier: Apache-2.0
"""Where the monitoring port is, and when there is none."""

import json
import re
import signal
import socket

import pytest

from e2e.monitor.web import Connection, Monitor
from harness import eventually


def monitor_lines(server) -> list[str]:
    return re.findall(r"Starting \S+ monitor on (.*?)\r?\n", server.log())


@pytest.fixture
def refused(configured):
    """refused(text, *args) -> what a server says that gives up its start."""
    def expect_refusal(text, *args):
        server = configured(text, *args, wait=False)
        assert server.wait_exit(20) == 1, server.log()
        return server.log()

    return expect_refusal


def test_off_by_default(start_server):
    assert not monitor_lines(start_server())


@pytest.mark.parametrize("args", [["-m", "-1"], ["-m=-1"], ["--http_port", "-1"], ["--http_port=-1"]])
def test_flags(start_server, args):
    """On the address of clients."""
    server = start_server(*args)
    assert re.fullmatch(r"127\.0\.0\.1:\d+", *monitor_lines(server))
    varz = Monitor(server).document("/varz")
    assert (varz["http_host"], varz["http_port"], varz["https_port"]) == ("127.0.0.1", -1, 0)


@pytest.mark.parametrize("text", [
    "http: -1", "http_port: -1", "monitor_port: -1", 'http: "127.0.0.1:-1"', 'http: ":-1"', 'http: "localhost:-1"'])
def test_options(configured, text):
    server = configured(text)
    assert Monitor(server).get("/healthz").status == 200
    assert Monitor(server).document("/varz")["http_port"] == -1


@pytest.mark.parametrize("text, args, host", [
    ('http: ":-1"', ["-a", "127.0.0.1"], "127.0.0.1"), ("http: -1", ["-a", "127.0.0.1"], "127.0.0.1"),
    ('http: -1\nhost: "127.0.0.1"', ["-p", "-1"], "127.0.0.1"), ('http: -1\nport: -1', ["-a", "0.0.0.0"], "0.0.0.0")])
def test_host(configured, text, args, host):
    """The address given, or else that of clients."""
    server = configured(text, *args)
    assert monitor_lines(server)[0].rpartition(":")[0] == host
    assert Monitor(server).document("/varz")["http_host"] == host


def test_other_host(configured):
    """Clients come in at another address."""
    server = configured('http: "127.0.0.2:-1"')
    assert monitor_lines(server)[0].startswith("127.0.0.2:")
    port = int(monitor_lines(server)[0].rpartition(":")[2])
    with socket.create_connection(("127.0.0.2", port)) as sock:
        sock.sendall(b"GET /varz HTTP/1.0\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.0 200 OK")
    with pytest.raises(ConnectionRefusedError):
        Connection(port)


def test_ipv6(configured):
    server = configured('http: "[::1]:-1"')
    port = int(re.fullmatch(r"\[::1\]:(\d+)", *monitor_lines(server))[1])
    with socket.create_connection(("::1", port)) as sock:
        sock.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.0 200 OK")


@pytest.mark.parametrize("text, args", [("http: 0", []), ("http_port: 0", []), ('http: "127.0.0.1:-1"', ["-m", "0"]), ("", ["-m", "0"])])
def test_port_0_is_off(configured, text, args):
    """A flag of 0 takes back what the configuration says."""
    assert not monitor_lines(configured(text, *args))


def test_flag_beats_the_configuration(configured):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    server = configured('http: "127.0.0.1:-1"', "-m", str(port))
    assert monitor_lines(server) == [f"127.0.0.1:{port}"]
    assert Monitor(server).document("/varz")["http_port"] == port


@pytest.mark.parametrize("text, args, ports", [
    ('http: "127.0.0.1:-1", https: "127.0.0.1:-1"', [], (-1, -1)), ("http_port: 8299, https_port: 8298", [], (8299, 8298)),
    ("http_port: -1", ["-ms", "8298"], (-1, 8298)), ("", ["-m", "8299", "-ms", "8298"], (8299, 8298))])
def test_m07_http_and_https(refused, text, args, ports):
    assert "Can't start monitoring: can't specify both HTTP (%d) and HTTPs (%d) ports\n" % ports in refused(text, *args)


@pytest.mark.parametrize("text, args", [
    ('https: "127.0.0.1:-1"', []), ("https_port: -1", []), ("", ["-ms", "-1"]), ("", ["--https_port", "-1"])])
def test_m07_https_without_tls(refused, text, args):
    assert "Can't start monitoring: TLS cert and key required for HTTPS\n" in refused(text, *args)


def test_port_in_use(refused):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        log = refused(f'http: "127.0.0.1:{port}"')
    assert "Can't start monitoring: can't listen to the monitor port: " in log
    assert "address already in use" in log


@pytest.mark.parametrize("text", ["http: 70000", "http_port: 70000", 'http: "127.0.0.1:70000"', 'http: "999.0.0.1:-1"'])
def test_address_that_is_none(refused, text):
    refused(text)


def test_ready_after_the_port_is_open(configured):
    """Who waits for "Server is ready" can ask."""
    log = configured('http: "127.0.0.1:-1"').log()
    assert log.index("Starting http monitor") < log.index("Server is ready")


def test_ports_file(configured, tmp_path):
    """Beside the port of clients."""
    folder = tmp_path / "ports"
    folder.mkdir()
    server = configured(f'http: "127.0.0.1:-1", ports_file_dir: "{folder}"')
    text = eventually(lambda: next((path.read_text() for path in folder.glob("*.ports")), ""))
    assert json.loads(text) == {"nats": [f"nats://127.0.0.1:{server.port}"], "monitoring": [f"http://127.0.0.1:{Monitor(server).port}"]}


def test_closes_with_the_server(configured):
    """Idle connections, too, without delay."""
    server = configured('http: "127.0.0.1:-1"')
    monitor = Monitor(server)
    with monitor.open() as idle, monitor.open() as half:
        assert idle.ask("/healthz").status == 200
        half.send(b"GET ")
        server.signal(signal.SIGTERM)
        assert server.wait_exit() in (0, 1)
        idle.expect_eof()
        half.expect_eof()


@pytest.mark.parametrize("before, after", [
    ('http: "127.0.0.1:-1"', ""), ("", 'http: "127.0.0.1:-1"'), ('http: "127.0.0.1:-1"', 'http: "localhost:-1"'),
    ('http: "127.0.0.1:-1"', 'http: "127.0.0.1:-1", http_base_path: "/x"')])
def test_reload_cannot_move_the_port(configured, tmp_path, before, after):
    server = configured(before)
    (tmp_path / "server.conf").write_text(after)
    server.signal(signal.SIGHUP)
    eventually(lambda: "Failed to reload server configuration" in server.log())
    if before:
        assert Monitor(server).get("/varz").status == 200
