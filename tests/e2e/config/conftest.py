# SPDX-License-Identifier: Apache-2.0
"""What the tests of the configuration need: a verdict on a text, and servers that read one."""

import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import Server, eventually
from harness.server import gnatwren_binary, peer_binary


@dataclass
class Verdict:
    """What `-t` says."""
    code: int
    message: str  # of an invalid configuration, without the program's name
    digest: str   # of a valid one


def _binary() -> str:
    return peer_binary() if Server.peer_by_default else gnatwren_binary()


def _judge(name, folder, env=None) -> Verdict:
    """The verdict on a file, without the suggestions that only gnatwren makes and the crashes that only the Go server reports."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("CORPUS_")}
    done = subprocess.run([_binary(), "-t", "-c", name], cwd=folder, env={**clean, **(env or {})}, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60)
    text = (done.stdout + done.stderr).decode(errors="replace").strip("\n")
    text = text.removeprefix(f"{'nats-server' if Server.peer_by_default else os.path.basename(_binary())}: ")
    if done.returncode == 0:
        return Verdict(0, "", re.fullmatch(r"configuration file .* is valid \((sha256:[0-9a-f]{64})\)", text)[1])
    lines = [line for line in text.split("\n") if "did you mean" not in line and "runtime error: " not in line]
    return Verdict(done.returncode, "\n".join(lines), "")


@pytest.fixture
def judge_file():
    """judge_file(name, folder, env=None) -> Verdict"""
    return _judge


@pytest.fixture
def judge(tmp_path):
    """judge(text, env=None) -> Verdict on a file t.conf with that text."""

    def run(text, env=None):
        (tmp_path / "t.conf").write_bytes(text if isinstance(text, bytes) else text.encode())
        return _judge("t.conf", tmp_path, env)

    return run


@pytest.fixture
def check(tmp_path):
    """check(*args) -> completed process of the program with just these arguments, in the folder of the test."""

    def run(*args):
        return subprocess.run([_binary(), *map(str, args)], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60)

    return run


@pytest.fixture
def program():
    """The name that the program gives itself in messages: the Go server's is fixed."""
    return "nats-server" if Server.peer_by_default else os.path.basename(_binary())


@pytest.fixture
def configured(start_server, tmp_path):
    """configured(text, *args, **kwargs of Server) -> Server that reads a file t.conf with that text."""

    def start(text, *args, **kwargs):
        Path(tmp_path / "t.conf").write_text(text)
        return start_server("-c", "t.conf", *args, cwd=tmp_path, **kwargs)

    return start


@pytest.fixture
def refused(configured):
    """refused(text, *args) -> stderr of a server that gives up its start with exit code 1."""

    def expect_refusal(text, *args):
        server = configured(text, *args, wait=False)
        try:
            code = server.wait_exit(20)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the server did start:\n{server.log()}", pytrace=False)
        assert code == 1, server.log()
        return server.log()

    return expect_refusal


class Reloading:
    """A server whose configuration file is written anew."""

    def __init__(self, server, path, common):
        self.server = server
        self._path = path
        self._common = common

    def __call__(self, text, *, send=None):
        """Reload this text; the messages that the log then has, with their levels, up to the last one about it.

        send  makes the server reload; SIGHUP if it is not given
        """
        self.write(text)
        seen = len(self.server.log())
        (send or (lambda: self.server.signal(signal.SIGHUP)))()
        eventually(lambda: re.search(r"Reloaded server configuration|Failed to reload", self.server.log()[seen:]))
        lines = re.findall(r"^\[\d+\] .*?(\[\w{3}\] .*?)\r?$", self.server.log()[seen:], re.MULTILINE)
        return [line for line in lines if 'Trapped "hangup"' not in line]

    def write(self, text):
        self._path.write_text(f"{text}\n{self._common}")


@pytest.fixture
def reloadable(start_server, tmp_path, monkeypatch):
    """reloadable(text, *args, **kwargs of Server) -> Reloading: a server that reads a file t.conf with that text."""
    monkeypatch.setattr("harness.server._listen_args", lambda *_args: [])  # flags would win over the file

    def start(text, *args, common="listen: '127.0.0.1:-1'\n", **kwargs):
        path = tmp_path / "t.conf"
        path.write_text(f"{text}\n{common}")
        return Reloading(start_server("-c", "t.conf", *args, cwd=tmp_path, **kwargs), path, common)

    return start
