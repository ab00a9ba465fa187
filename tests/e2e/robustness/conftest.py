# SPDX-License-Identifier: Apache-2.0
"""What robustness tests need: servers with several workers, many things at a time, and a look at the process."""

import os
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import Server, eventually
from harness.server import gnatwren_binary

HERE = Path(__file__).resolve().parent
LOST_SIGHT = (b"__asan_init", b"__tsan_init")  # sanitizers keep freed memory: its size says nothing about the server


@pytest.fixture
def start_workers(start_server):
    """start_workers(n=4, …) -> Server that serves connections with n threads; otherwise like start_server."""
    def start(n: int = 4, *args, env=None, **kwargs):
        if Server.peer_by_default:
            return start_server(*args, env={**(env or {}), "GOMAXPROCS": str(n)}, **kwargs)
        return start_server("--io_threads", str(n), *args, env=env, **kwargs)

    return start


@pytest.fixture
def together():
    """together(*functions) -> their results; all run at once, in threads.  The first exception is raised again."""
    def run(*functions):
        results, errors = [None] * len(functions), []

        def call(i, function):
            try:
                results[i] = function()
            except BaseException as error:  # pylint: disable=broad-except
                errors.append(error)

        threads = [threading.Thread(target=call, args=job, daemon=True) for job in enumerate(functions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return results

    return run


@dataclass
class Process:
    """What the kernel knows of a server."""
    pid: int

    def n_descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory(self, what: str = "VmRSS") -> int:
        """Bytes; VmRSS: resident now, VmHWM: the most it ever was."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(what + ":"):
                return int(line.split()[1]) << 10
        raise AssertionError(f"no {what} of process {self.pid}")

    def forget_peak(self) -> None:
        """VmHWM counts from now on."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")


@pytest.fixture(scope="session")
def memory_counts():
    """Whether the memory of the server under test tells anything: neither a sanitizer's nor Go's does."""
    if Server.peer_by_default:
        return False
    binary = Path(gnatwren_binary()).read_bytes()
    return not any(sign in binary for sign in LOST_SIGHT)


@pytest.fixture
def process():
    """process(server) -> Process"""
    return lambda server: Process(server.pid)


@pytest.fixture(scope="session")
def storm_binary(tmp_path_factory):
    """The path of the load program, compiled once per session."""
    path = tmp_path_factory.mktemp("storm") / "storm"
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-o", path, HERE / "storm.c"],
                   check=True)
    return str(path)


@pytest.fixture
def storm(storm_binary):
    """storm(server, mode, …) -> Popen of the load program (storm.c); killed at the end."""
    running = []

    def start(server, mode: str, *, clients: int = 100, seconds: float = 10, seed: int = 1):
        running.append(subprocess.Popen([storm_binary, str(server.port), mode, str(clients), str(seconds), str(seed)],
                                        stdout=subprocess.PIPE, text=True))
        return running[-1]

    yield start
    for proc in running:
        if proc.poll() is None:
            proc.kill()
        proc.communicate()


@pytest.fixture
def all_gone(process):
    """all_gone(server, n_descriptors) waits until the server holds no more descriptors than that."""
    def wait(server, n_descriptors: int, timeout: float = 30):
        eventually(lambda: process(server).n_descriptors() <= n_descriptors, timeout)

    return wait
