# SPDX-License-Identifier: Apache-2.0
"""The ports file."""

import fcntl
import ipaddress
import json
import os
import re
import signal
import socket
import stat
import struct
from pathlib import Path

import pytest

from harness import Server, eventually

SIOCGIFADDR = 0x8915
LISTENS_ON_ALL = ("-a", "0.0.0.0")


def ports_file(server: Server, directory: Path) -> Path:
    """The server's ports file, complete: it appears a little after the server is ready."""
    def written():
        found = list(directory.glob(f"*_{server.pid}.ports"))
        return found and found[0].read_text() and found[0]

    return eventually(written)


def local_addresses() -> set[str]:
    """The first IPv4 address of each interface that has one, and all IPv6 addresses."""
    found = set()
    with socket.socket() as sock:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(sock, SIOCGIFADDR, struct.pack("256s", name.encode()))
                found.add(socket.inet_ntoa(answer[20:24]))
            except OSError:
                pass  # no IPv4 on it
    try:
        for line in Path("/proc/net/if_inet6").read_text().splitlines():
            found.add(str(ipaddress.IPv6Address(int(line.split()[0], 16))))
    except OSError:
        pass  # no IPv6 here
    return found


@pytest.mark.parametrize("form", ["--ports_file_dir", "ports_file_dir"])
def test_l09_content(start_server, tmp_path, form):
    """One line of JSON; key `nats`, an array of URLs; other keys are omitted when unused."""
    server = start_server(form, tmp_path) if form.startswith("-") else start_server(options={form: str(tmp_path)})
    assert ports_file(server, tmp_path).read_text() == f'{{"nats":["nats://127.0.0.1:{server.port}"]}}'
    assert [path.name for path in tmp_path.iterdir()] == [ports_file(server, tmp_path).name]


def test_l09_monitoring(start_server, tmp_path):
    """Key `monitoring`, behind `nats`."""
    server = start_server("-m", "-1", "--ports_file_dir", tmp_path)
    port = server.wait_log(r"Starting http monitor on .*:(\d+)")[1]
    assert ports_file(server, tmp_path).read_text() == \
        f'{{"nats":["nats://127.0.0.1:{server.port}"],"monitoring":["http://127.0.0.1:{port}"]}}'


@pytest.mark.parametrize("name", ["nats-server", "a.b", "x_1.exe"])
def test_l09_name(start_server, tmp_path, rename_program, name):
    """The name is `<basename(argv[0])>_<pid>.ports`."""
    rename_program(name)
    directory = tmp_path / "ports"
    directory.mkdir()
    server = start_server("--ports_file_dir", directory)
    assert ports_file(server, directory).name == f"{name}_{server.pid}.ports"


def test_l09_name_of_directory(start_server, tmp_path):
    """The directory may end in a slash, or be relative."""
    for directory in (f"{tmp_path}/", "."):
        server = start_server("--ports_file_dir", directory, cwd=tmp_path)
        ports_file(server, tmp_path)


def test_l09_mode(start_server, tmp_path):
    """Mode 0666 & ~umask."""
    mask = os.umask(0o077)
    os.umask(mask)
    server = start_server("--ports_file_dir", tmp_path)
    assert stat.S_IMODE(ports_file(server, tmp_path).stat().st_mode) == 0o666 & ~mask


def test_l09_all_addresses(start_server, tmp_path):
    """On 0.0.0.0 every interface address is listed, incl. loopback and IPv6 in brackets."""
    server = start_server(*LISTENS_ON_ALL, "--ports_file_dir", tmp_path)
    urls = json.loads(ports_file(server, tmp_path).read_text())["nats"]
    assert len(urls) == len(set(urls))
    hosts = set()
    for url in urls:
        match = re.fullmatch(rf"nats://(?:\[([0-9a-f:]+)\]|([0-9.]+)):{server.port}", url)
        assert match, url
        hosts.add(match[1] or match[2])
    assert "127.0.0.1" in hosts
    assert local_addresses() <= hosts


def test_l09_one_file_per_server(start_server, tmp_path):
    """Servers may share the directory; each removes its own file."""
    servers = [start_server("--ports_file_dir", tmp_path) for _ in range(2)]
    paths = [ports_file(server, tmp_path) for server in servers]
    servers[0].signal(signal.SIGINT)
    assert servers[0].wait_exit() == 0
    assert list(tmp_path.iterdir()) == [paths[1]]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR2])
def test_l09_removed_at_exit(start_server, tmp_path, how):
    """C-52: gone after SIGINT, SIGTERM and lame duck mode."""
    server = start_server("--ports_file_dir", tmp_path)
    path = ports_file(server, tmp_path)
    server.signal(how)
    assert server.wait_exit() == 0
    assert not path.exists()
    assert not list(tmp_path.iterdir())


def test_l10_bad_directory(connect, start_server, tmp_path):
    """Bad ports dir: ERR line, server runs; at exit ERR `Error cleaning up ports file …`."""
    directory = tmp_path / "missing"
    server = start_server("--ports_file_dir", directory)
    path = re.escape(str(directory)) + rf"/\S+_{server.pid}\.ports"
    server.wait_log(rf"\[ERR\] Error writing ports file \(({path})\): open \1: no such file or directory")
    connect(server).connect()
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    server.wait_log(rf"\[ERR\] Error cleaning up ports file ({path}): remove \1: no such file or directory")


def test_l10_already_gone_at_exit(start_server, tmp_path):
    """A ports file that somebody removed is an ERR line at exit, and no more."""
    server = start_server("--ports_file_dir", tmp_path)
    path = ports_file(server, tmp_path)
    path.unlink()
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    server.wait_log(rf"\[ERR\] Error cleaning up ports file {re.escape(str(path))}: remove .*: no such file or directory")


@pytest.mark.ours
def test_l09_left_behind_by_no_failed_start(start_server, tmp_path, refused):
    """A start that fails leaves no ports file."""
    busy = start_server()
    refused("-p", busy.port, "--ports_file_dir", tmp_path)
    assert not list(tmp_path.iterdir())
