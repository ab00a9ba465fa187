# SPDX-License-Identifier: Apache-2.0
"""What the lifecycle tests need beside servers that run: starts that are refused, other names, addresses of their own."""

import itertools
import os
import re
import socket
import struct
import subprocess
from dataclasses import dataclass

import pytest

from harness import Server
from harness.server import gnatwren_binary, peer_binary

_n_addresses = itertools.count(1)


@dataclass
class Ended:
    """A run of the program that ended by itself."""
    code: int
    out: str
    err: str


def _binary() -> str:
    return peer_binary() if Server.peer_by_default else gnatwren_binary()


@pytest.fixture
def run():
    """run(*args, **kwargs of subprocess.run) -> Ended: the program with just these arguments, which is not to start serving."""

    def run_to_end(*args, timeout=60, **kwargs):
        done = subprocess.run([_binary(), *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=timeout, **kwargs)
        return Ended(done.returncode, done.stdout, done.stderr)

    return run_to_end


@pytest.fixture
def refused(start_server):
    """refused(*args, options=None, …) -> stderr of a server that gives up its start with exit code 1."""

    def expect_refusal(*args, **kwargs):
        server = start_server(*args, wait=False, **kwargs)
        try:
            code = server.wait_exit(20)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the server did start:\n{server.log()}", pytrace=False)
        assert code == 1, server.log()
        return server.log()

    return expect_refusal


@pytest.fixture
def program():
    """The name that the program gives itself in messages: the Go server's is fixed."""
    return "nats-server" if Server.peer_by_default else os.path.basename(_binary())


@pytest.fixture
def rename_program(tmp_path, monkeypatch):
    """rename_program(name): servers and runs that follow in this test use a link of that name to the program."""

    def rename(name):
        link = tmp_path / "bin" / name
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(_binary())
        monkeypatch.setenv("GNATWREN_PEER_BIN" if Server.peer_by_default else "GNATWREN_BIN", str(link))

    return rename


@pytest.fixture
def address():
    """An address of this machine on which all ports are free, as no other test has it."""
    n = os.getpid() * 64 + next(_n_addresses)
    return f"127.{100 + n // 62500 % 100}.{n // 250 % 250}.{1 + n % 250}"


@pytest.fixture
def messages():
    """messages(server or text) -> [(level, message), …] of the lines of a log."""

    def split(log):
        text = log.log() if isinstance(log, Server) else log
        return [(match[1], match[2]) for match in re.finditer(r"^\[\d+\] .*?\[(\w{3})\] (.*?)\r?$", text, re.MULTILINE)]

    return split


@pytest.fixture
def far_zone(tmp_path):
    """(value for the environment's TZ, its offset from UTC in seconds): a time zone that is not this machine's."""
    offset = 5 * 3600 + 45 * 60
    path = tmp_path / "zone"
    path.write_bytes(b"TZif" + bytes(16) + struct.pack(">6i", 0, 0, 0, 0, 1, 4) + struct.pack(">iBB", offset, 0, 0) + b"FAR\0")
    return f":{path}", offset


@pytest.fixture
def syslog():
    """A socket of UDP on 127.0.0.1, in the place of a remote syslog daemon."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(10)
        yield sock
