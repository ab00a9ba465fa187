# SPDX-License-Identifier: Apache-2.0
"""unix_socket, an option of ours: clients may come by way of a path, too."""

import os
import socket
import stat

import pytest

pytestmark = pytest.mark.ours


@pytest.fixture
def path(tmp_path_factory):
    """A short path, as those of sockets must be."""
    return tmp_path_factory.mktemp("u") / "s"


def talk(path) -> bytes:
    """One conversation; returns what comes after INFO."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(path))
        file = sock.makefile("rb")
        assert file.readline().startswith(b"INFO {")
        sock.sendall(b'CONNECT {"verbose":false}\r\nSUB a 1\r\nPUB a 2\r\nhi\r\nPING\r\n')
        return b"".join(file.readline() for _ in range(3))


@pytest.mark.parametrize("n_workers", [1, 3])
def test_clients_by_both_ways(start_server, connect, path, n_workers):
    """The path has the permissions asked for, and goes with the server."""
    server = start_server("-D", "--io_threads", str(n_workers), options={"unix_socket": path, "unix_socket_mode": "0640"})
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
    assert talk(path) == b"MSG a 1 2\r\nhi\r\nPONG\r\n"
    server.wait_log(r"\[DBG\] unix - cid:\d+ - Client connection closed: Client Closed")
    connect(server).connect().fence()
    server.stop()
    assert not path.exists()


def test_what_a_dead_server_left(start_server, path):
    """A socket that nobody listens on is replaced."""
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    start_server(options={"unix_socket": path})
    assert talk(path).endswith(b"PONG\r\n")


def test_a_path_in_use(start_server, path):
    """A socket that somebody listens on is left alone, and so is anything else."""
    start_server(options={"unix_socket": path})
    second = start_server(options={"unix_socket": path}, wait=False)
    assert second.wait_exit() == 1
    second.wait_log(rf'\[FTL\] Error listening on unix socket: {path}, "Address already in use"')
    assert talk(path).endswith(b"PONG\r\n")
    file = path.with_name("f")
    file.write_text("precious")
    assert start_server(options={"unix_socket": file}, wait=False).wait_exit() == 1
    assert file.read_text() == "precious"


@pytest.mark.parametrize("mode", ["rw", "0888", "77777"])
def test_bad_mode(start_server, path, mode):
    """Only octal numbers."""
    server = start_server(options={"unix_socket": path, "unix_socket_mode": f'"{mode}"'}, wait=False)
    assert server.wait_exit() == 1
    server.wait_log("unix_socket_mode must be an octal number")
