# SPDX-License-Identifier: Apache-2.0
"""What the server tells the service manager: the protocol of sd_notify(3)."""

import contextlib
import ctypes
import os
import select
import signal
import socket
import time
from pathlib import Path

import pytest

from harness import Client, eventually
from harness.server import gnatwren_binary

pytestmark = pytest.mark.ours

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000  # of waitpid: threads, too


class Manager:
    """The socket of a service manager."""

    def __init__(self, address):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(address)
        self.sock.settimeout(30)

    def next(self) -> dict[str, str]:
        """The next message that is no sign of life, as its variables."""
        while True:
            text = self.sock.recv(4096).decode()
            if text != "WATCHDOG=1":
                return dict(line.split("=", 1) for line in text.split("\n"))

    def next_state(self) -> str:
        """The first variable of the next message."""
        return next(iter(self.next()))

    def wait_life(self) -> float:
        """When the next sign of life has come."""
        while self.sock.recv(4096) != b"WATCHDOG=1":
            pass
        return time.monotonic()

    def has_message(self) -> bool:
        return bool(select.select([self.sock], [], [], 0)[0])


@contextlib.contextmanager
def stopped_thread(pid, name):
    """One thread of a process of ours does not run."""
    tid = next(int(task) for task in os.listdir(f"/proc/{pid}/task")
               if Path(f"/proc/{pid}/task/{task}/comm").read_text().strip() == name)
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    ptrace.argtypes = [ctypes.c_long] * 4
    if ptrace(PTRACE_SEIZE, tid, 0, 0):
        pytest.skip(f"no ptrace here: {os.strerror(ctypes.get_errno())}")
    ptrace(PTRACE_INTERRUPT, tid, 0, 0)
    os.waitpid(tid, WALL)
    try:
        yield
    finally:
        ptrace(PTRACE_DETACH, tid, 0, 0)


@pytest.fixture
def manager(tmp_path):
    m = Manager(str(tmp_path / "notify"))
    yield m
    m.sock.close()


@pytest.fixture
def start_notifying(start_server, manager, tmp_path):
    """start_notifying(*args, **env) -> Server that tells the manager."""
    def start(*args, wait=True, **env):
        return start_server(*args, wait=wait, env={"NOTIFY_SOCKET": str(tmp_path / "notify"), **env})

    return start


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "server.conf"
    path.write_text("max_payload: 1000\n")
    return path


def test_ready(start_notifying, manager):
    """READY=1 with STATUS and MAINPID once the port answers, and never before."""
    server = start_notifying(wait=False)
    said = manager.next()
    port = int(server.wait_log(r"Listening for client connections on .*:(\d+)")[1])
    Client(port).connect()
    assert said == {"READY": "1", "STATUS": "Serving clients", "MAINPID": str(server.pid)}
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0


def test_abstract_address(start_server):
    """A name that begins with @ is not in the file system."""
    name = f"gnatwren-test-{os.getpid()}"
    manager = Manager("\0" + name)
    server = start_server(env={"NOTIFY_SOCKET": "@" + name})
    assert manager.next()["MAINPID"] == str(server.pid)
    manager.sock.close()


def test_a_start_that_fails_is_never_ready(start_notifying, start_server, manager):
    """Only a server that serves says so."""
    busy = start_server()
    server = start_notifying("-p", busy.port, wait=False)
    assert server.wait_exit() == 1
    assert not manager.has_message()


def test_reload(start_notifying, manager, config):
    """RELOADING=1 with the time, READY=1 when all workers have the new configuration."""
    server = start_notifying("-c", config)
    assert manager.next_state() == "READY"
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    config.write_text("max_payload: 2000\n")
    server.signal(signal.SIGHUP)
    said = manager.next()
    assert said["RELOADING"] == "1"
    assert before <= int(said["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    said = manager.next()
    assert said["READY"] == "1" and said["STATUS"] == "Serving clients, reloaded"
    assert Client(server.port).info["max_payload"] == 2000


@pytest.mark.parametrize("content", ["max_payload: x\n", "io_threads: 7\n"])
def test_reload_that_is_refused(start_notifying, manager, config, content):
    """A reload that comes to nothing ends as well, and the status says so."""
    server = start_notifying("-c", config)
    assert manager.next_state() == "READY"
    config.write_text(content)
    server.signal(signal.SIGHUP)
    assert manager.next_state() == "RELOADING"
    said = manager.next()
    assert said["READY"] == "1" and "refused" in said["STATUS"]


def test_reload_without_a_file(start_notifying, manager):
    """The same where there is nothing to reload."""
    server = start_notifying()
    server.signal(signal.SIGHUP)
    assert [manager.next_state() for _ in range(3)] == ["READY", "RELOADING", "READY"]


def test_reloads_one_after_another(start_notifying, manager, config):
    """Each one that begins also ends."""
    server = start_notifying("-c", config)
    assert manager.next_state() == "READY"
    for _ in range(5):
        server.signal(signal.SIGHUP)
        assert [manager.next_state() for _ in range(2)] == ["RELOADING", "READY"]


def test_stopping(start_notifying, manager):
    """STOPPING=1 when a shutdown begins, and nothing after it."""
    server = start_notifying()
    assert manager.next_state() == "READY"
    server.signal(signal.SIGTERM)
    assert manager.next() == {"STOPPING": "1", "STATUS": "Shutting down"}
    assert server.wait_exit() == 0
    assert not manager.has_message()


def test_lame_duck(start_notifying, manager, connect, tmp_path):
    """Lame duck mode stops as well; the manager is asked to wait as long as it may take."""
    path = tmp_path / "ldm.conf"
    path.write_text("lame_duck_duration: 31s\nlame_duck_grace_period: 1s\n")
    server = start_notifying("-c", path)
    assert manager.next_state() == "READY"
    c = connect(server).connect()
    server.signal(signal.SIGUSR2)
    said = manager.next()
    assert said["STOPPING"] == "1" and "ame duck" in said["STATUS"]
    assert int(said["EXTEND_TIMEOUT_USEC"]) >= 31_000_000
    server.signal(signal.SIGHUP)  # a reload now does not make it ready
    c.close()
    server.signal(signal.SIGINT)
    assert manager.next() == {"STOPPING": "1", "STATUS": "Shutting down"}
    assert server.wait_exit() == 0


def test_watchdog(start_notifying, manager):
    """WATCHDOG=1 every half of WATCHDOG_USEC."""
    server = start_notifying(WATCHDOG_USEC="200000")
    begun = time.monotonic()
    for _ in range(5):
        last = manager.wait_life()
    assert last - begun >= 0.3  # 5 in at least 4 intervals, of which the first may have begun before
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0


def test_watchdog_of_this_process(start_notifying, manager, tmp_path, monkeypatch):
    """WATCHDOG_PID may name it: then it is meant."""
    launcher = tmp_path / "launcher"
    launcher.write_text(f'#!/bin/sh\nWATCHDOG_PID=$$ exec {gnatwren_binary()} "$@"\n')
    launcher.chmod(0o755)
    monkeypatch.setenv("GNATWREN_BIN", str(launcher))
    start_notifying(WATCHDOG_USEC="100000")
    manager.wait_life()


def test_watchdog_of_another_process(start_notifying, manager):
    """WATCHDOG_PID may name another process, or WATCHDOG_USEC be nonsense: no signs of life."""
    others = [start_notifying(WATCHDOG_USEC="1000", WATCHDOG_PID="1"), start_notifying(WATCHDOG_USEC="soon"),
              start_notifying(WATCHDOG_USEC="0")]
    start_notifying(WATCHDOG_USEC="200000")
    n_ready = 0
    while (text := manager.sock.recv(4096)) != b"WATCHDOG=1":
        n_ready += text.startswith(b"READY=1")
    assert n_ready == 4  # the sign that came is of the last one, long after the others would have given theirs
    manager.wait_life()
    assert all(server.proc.poll() is None for server in others)


def test_watchdog_while_a_worker_hangs(start_notifying, manager):
    """A worker that does not run is missed: no signs of life until it is back."""
    server = start_notifying("--io_threads", "2", WATCHDOG_USEC="100000")
    manager.wait_life()
    with stopped_thread(server.pid, "worker-2"):
        manager.sock.settimeout(1)
        with pytest.raises(TimeoutError):
            for _ in range(3):  # one may have been under way
                manager.wait_life()
        assert server.proc.poll() is None
    manager.sock.settimeout(30)
    manager.wait_life()


def test_variables_are_gone(start_notifying, manager, tmp_path):
    """Nobody else is to speak for the server: the variables are removed from the environment."""
    path = tmp_path / "env.conf"
    path.write_text("server_name: $NOTIFY_SOCKET\n")
    server = start_notifying("-c", path)
    server.signal(signal.SIGHUP)
    server.wait_log("Failed to reload server configuration: .*NOTIFY_SOCKET")


@pytest.mark.parametrize("address, why", [
    ("{tmp}/nobody", "no such file or directory"), ("{tmp}/file", "connection refused"),
    ("vsock:2:1234", "not supported"), ("relative", "not supported"), ("/" + "x" * 200, "not supported"), ("/", "not supported")])
def test_unreachable(start_server, connect, tmp_path, address, why):
    """A socket that fails is one warning; the server serves, reloads and stops."""
    (tmp_path / "file").write_text("")
    server = start_server(env={"NOTIFY_SOCKET": address.format(tmp=tmp_path), "WATCHDOG_USEC": "2000"})
    server.signal(signal.SIGHUP)
    server.wait_log("Failed to reload")
    connect(server).connect()
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    warnings = [line for line in server.log().splitlines() if "service manager" in line]
    assert len(warnings) == 1 and "[WRN]" in warnings[0] and why in warnings[0]


def test_full_queue(start_notifying, manager, tmp_path):
    """A manager that does not read holds nothing up; it hears of the last state when it does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                other.sendto(b"noise", str(tmp_path / "notify"))
    server = start_notifying(WATCHDOG_USEC="2000")
    Client(server.port).connect()

    def is_ready():
        return manager.has_message() and b"READY=1" in manager.sock.recv(4096)

    eventually(is_ready)
    assert "service manager" not in server.log()
