# SPDX-License-Identifier: Apache-2.0
"""One server process under test: gnatwren, or the Go peer that is its oracle.

Which binary: the environment's GNATWREN_BIN, else build/gnatwren of this checkout.  Under `pytest --peer`, or with
`Server(peer=True)`, it is the Go server that tests/peer.sh finds.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal as signals
import subprocess
import tempfile
import threading
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
START_TIMEOUT = 30.0  # [s] sanitizer builds on a loaded machine are slow
STOP_TIMEOUT = 30.0   # [s] a client that never reads may delay an exit by write_deadline, 10 s

_SANITIZER = re.compile(r"(Address|Leak|Memory|Thread)Sanitizer:|: runtime error: ")


def gnatwren_binary() -> str:
    """Path of our server; absolute, as servers may be started in another directory."""
    return os.path.abspath(os.environ.get("GNATWREN_BIN") or TESTS.parent / "build" / "gnatwren")


def peer_binary() -> str:
    """Path of the Go server; found once, then passed to xdist workers through the environment."""
    if "GNATWREN_PEER_BIN" not in os.environ:
        found = subprocess.run([TESTS / "peer.sh"], check=True, stdout=subprocess.PIPE, text=True)
        os.environ["GNATWREN_PEER_BIN"] = found.stdout.strip()
    return os.environ["GNATWREN_PEER_BIN"]


class Server:
    """Starts a server, by default on an ephemeral port of 127.0.0.1, and waits until it is ready.

    args      command line, e.g. "-D"; `-a 127.0.0.1 -p -1` are added unless args or options say otherwise
    options   configuration options by name, e.g. {"max_payload": 1024, "authorization.timeout": 2, "ping_interval": "1s"};
              gnatwren gets them as `--set NAME=VALUE`, the peer as a configuration file
    env       variables added to the environment
    fd_limit  limit of open files: N, or (soft, hard)
    wait      False: do not wait for readiness, for a server that is expected to refuse its start
    peer      True/False: the Go server/gnatwren whatever `pytest --peer` says
    """

    peer_by_default = False  # set by `pytest --peer`

    def __init__(self, *args: str, options: dict | None = None, env: dict | None = None,
                 fd_limit: int | tuple[int, int] | None = None, cwd: str | os.PathLike | None = None,
                 wait: bool = True, peer: bool | None = None):
        self.is_peer = self.peer_by_default if peer is None else peer
        self.port: int | None = None
        self._exit_checked = False
        self._lines: list[str] = []
        self._line_begun = b""  # what came of a line that has not ended
        self._log_ended = False
        self._log_changed = threading.Condition()
        self._conf: str | None = None

        command = [peer_binary() if self.is_peer else gnatwren_binary()]
        command += _listen_args(args, options or {}) + [str(arg) for arg in args]
        command += self._option_args(options or {})
        if fd_limit is not None:
            soft, hard = fd_limit if isinstance(fd_limit, tuple) else (fd_limit, fd_limit)
            command = ["prlimit", f"--nofile={soft}:{hard}"] + command
        self.proc = subprocess.Popen(command, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        os.set_blocking(self.proc.stderr.fileno(), False)
        self.pid = self.proc.pid
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        if wait:
            self._wait_ready()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_exc) -> None:
        self.stop()

    # ---- log

    def log(self) -> str:
        """All lines of stderr up to now: what a server wrote before it answered a client is among them.  What it writes
        after an answer, or about a connection that it has closed, may not be: there, use `wait_log`."""
        with self._log_changed:
            self._take_log()
            return "".join(self._lines)

    def wait_log(self, regex: str, timeout: float = 10.0) -> re.Match:
        """The first log line, past or future, that matches `regex`."""
        pattern, deadline, n_seen = re.compile(regex), time.monotonic() + timeout, 0
        with self._log_changed:
            while True:
                for line in self._lines[n_seen:]:
                    match = pattern.search(line)
                    if match:
                        return match
                n_seen = len(self._lines)
                left = deadline - time.monotonic()
                if left <= 0 or self._log_ended:
                    raise AssertionError(f"no log line matches {regex!r}; log:\n{''.join(self._lines)}")
                self._log_changed.wait(left)

    def closed_reason(self, cid: int, timeout: float = 10.0) -> str:
        """Why the server closed the connection `cid`, from its debug log (needs -D)."""
        return self.wait_log(rf" - cid:{cid} - .*Client connection closed: (.*)", timeout)[1].strip()

    def stdout(self) -> str:
        """All of stdout, after the process has exited."""
        return self.proc.stdout.read().decode(errors="replace")

    # ---- process

    def signal(self, sig: int) -> None:
        self.proc.send_signal(sig)

    def wait_exit(self, timeout: float = STOP_TIMEOUT) -> int:
        """The exit code; the caller checks it, so `stop` does not any more."""
        code = self.proc.wait(timeout)
        self._reader.join(timeout)
        self._exit_checked = True
        return code

    def stop(self) -> None:
        """SIGINT, then SIGKILL when that did not help.  Fails the test if the server did not end cleanly."""
        expected_exit = self._exit_checked
        if self.proc.poll() is None:
            self.proc.send_signal(signals.SIGINT)
        try:
            code = self.wait_exit()
        except subprocess.TimeoutExpired:
            self.proc.kill()
            code = self.wait_exit()
            raise AssertionError(f"server did not stop on SIGINT; log:\n{self.log()}") from None
        finally:
            self._clean_up()
        assert expected_exit or code == 0, f"server exited with {code}; log:\n{self.log()}"
        assert not _SANITIZER.search(self.log()), f"sanitizer report:\n{self.log()}"

    # ---- inside

    def _option_args(self, options: dict) -> list[str]:
        if not options:
            return []
        if not self.is_peer:
            return [word for name, value in options.items() for word in ("--set", f"{name}={_plain(value)}")]
        fd, self._conf = tempfile.mkstemp(prefix="gnatwren-test-", suffix=".conf")
        with os.fdopen(fd, "w") as conf:
            json.dump(_nested(options), conf)  # JSON is valid configuration syntax
        return ["-c", self._conf]

    def _read_log(self) -> None:
        """The reading thread."""
        poll = select.poll()
        poll.register(self.proc.stderr, select.POLLIN)
        while not self._log_ended:
            poll.poll()
            with self._log_changed:
                self._take_log()
        self.proc.stderr.close()

    def _take_log(self) -> None:
        """Take all that is in the pipe, with the lock held."""
        if self._log_ended:
            return
        try:
            data = os.read(self.proc.stderr.fileno(), 1 << 20)  # more than a pipe holds
        except BlockingIOError:
            return
        self._log_ended = not data
        *lines, self._line_begun = (self._line_begun + data).split(b"\n")
        self._lines += [line.decode(errors="replace") + "\n" for line in lines]
        if self._log_ended and self._line_begun:
            self._lines.append(self._line_begun.decode(errors="replace"))
        self._log_changed.notify_all()

    def _wait_ready(self) -> None:
        try:
            self.wait_log(r"Server is ready", START_TIMEOUT)
            self.port = int(self.wait_log(r"Listening for client connections on .*:(\d+)")[1])
        except AssertionError:
            self.proc.kill()
            self.wait_exit()
            self._clean_up()
            raise

    def _clean_up(self) -> None:
        self.proc.stdout.close()
        if self._conf:
            Path(self._conf).unlink(missing_ok=True)


def _listen_args(args: tuple, options: dict) -> list[str]:
    flags = {str(arg).split("=")[0].lstrip("-") for arg in args if str(arg).startswith("-")} | set(options)
    if "listen" in flags:
        return []
    host = [] if flags & {"a", "addr", "net", "host"} else ["-a", "127.0.0.1"]
    port = [] if flags & {"p", "port"} else ["-p", "-1"]
    return host + port


def _plain(value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _nested(options: dict) -> dict:
    tree: dict = {}
    for name, value in options.items():
        *blocks, leaf = name.split(".")
        node = tree
        for block in blocks:
            node = node.setdefault(block, {})
        node[leaf] = value
    return tree
