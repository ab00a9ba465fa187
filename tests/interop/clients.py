# SPDX-License-Identifier: Apache-2.0
"""The client programs: how each is built, under build/interop only, and how one of its cases is run."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
BUILD = SOURCES.parent.parent / "build" / "interop"
RUN_TIMEOUT = 180.0    # [s] of one case; the programs themselves wait 60 s for each thing the server must do
BUILD_TIMEOUT = 600.0  # [s] npm may be fetching, go may be compiling its library
GOPATH = Path("/usr/share/gocode")  # where Debian puts Go libraries
CFLAGS = ("-std=gnu17", "-O1", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion",
          "-Wno-sign-conversion", "-Wcast-qual", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Werror")


class ToolchainMissing(Exception):
    """This machine cannot build or run that client; the text says what to install."""


class BuildFailed(Exception):
    """The client did not build; the text is the tool's output."""


@dataclass
class Program:
    """A client program that was built."""

    name: str
    command: list[str]

    @contextlib.contextmanager
    def start(self, case: str, port: int, **settings: str) -> Iterator[Run]:
        """Run one case while the test does something to the server; README.md lists the settings."""
        words = [f"{name}={value}" for name, value in settings.items()]
        command = [*self.command, case, f"nats://127.0.0.1:{port}", *words]
        with tempfile.TemporaryFile("w+") as errors, \
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                                 text=True) as proc:
            watchdog = threading.Timer(RUN_TIMEOUT, proc.kill)
            watchdog.start()
            try:
                yield Run(proc, errors)
            finally:
                watchdog.cancel()
                proc.kill()

    def run(self, case: str, port: int, **settings: str) -> str:
        """Run one case to its end; returns what it printed."""
        with self.start(case, port, **settings) as run:
            return run.finish()


class Run:
    """One case in progress."""

    def __init__(self, proc: subprocess.Popen, errors):
        self._proc = proc
        self._errors = errors

    def wait_ready(self) -> None:
        """Until the program says that it is prepared for what the test does next."""
        line = self._proc.stdout.readline()
        if line != "ready\n":
            self._fail(line + self._proc.stdout.read())

    def finish(self) -> str:
        """Wait for the end of the case, which must have passed; returns the rest of what it printed.

        The program's standard input is closed, which ends the case `reload`.
        """
        self._proc.stdin.close()
        output = self._proc.stdout.read()
        if self._proc.wait() != 0:
            self._fail(output)
        return output

    def _fail(self, output: str) -> None:
        code = self._proc.wait()
        self._errors.seek(0)
        raise AssertionError(f"{self._proc.args} exited with {code}\n{self._errors.read()}{output}")


def build(name: str) -> Program:
    """The client program `name`, built if its sources have changed since the last time.  Safe to call in parallel."""
    return BUILDERS[name]()


def _build_c() -> Program:
    has_library = shutil.which("cc") and subprocess.run(
        ["cc", "-E", "-xc", "-"], input="#include <nats/nats.h>\n", text=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL).returncode == 0
    if not has_library:
        raise ToolchainMissing("the C client needs cc and nats/nats.h: apt-get install gcc libc6-dev libnats-dev")
    program = BUILD / "c" / "client"
    sources = sorted((SOURCES / "c").glob("*.[ch]"))
    units = [path for path in sources if path.suffix == ".c"]
    command = ["cc", *CFLAGS, "-o", program, *units, "-lnats", "-pthread"]
    _build_if_stale(program, sources, lambda: _tool(command, cwd=SOURCES / "c"))
    return Program("c", [str(program)])


def _build_go() -> Program:
    if not (shutil.which("go") and (GOPATH / "src/github.com/nats-io/nats.go").is_dir()):
        raise ToolchainMissing("the Go client needs go and its NATS library: "
                               "apt-get install golang-go golang-github-nats-io-go-nats-dev")
    program = BUILD / "go" / "client"
    env = {"GO111MODULE": "off", "GOPATH": str(GOPATH), "GOCACHE": str(BUILD / "go" / "cache"), "GOFLAGS": ""}
    command = ["go", "build", "-buildvcs=false", "-o", program, "."]
    sources = sorted((SOURCES / "go").glob("*.go"))
    _build_if_stale(program, sources, lambda: _tool(command, cwd=SOURCES / "go", env=env))
    return Program("go", [str(program)])


def _build_js() -> Program:
    if not (shutil.which("node") and shutil.which("npm")):
        raise ToolchainMissing("the JavaScript client needs node 18 or later and npm: apt-get install nodejs npm")
    folder = BUILD / "js"
    sources = sorted((SOURCES / "js").glob("*.js*"))

    def install() -> None:
        for path in sources:  # copied because node looks for node_modules beside the real file of a module
            shutil.copy(path, folder)
        _tool(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder)

    _build_if_stale(folder / "node_modules", sources, install)
    return Program("js", ["node", str(folder / "main.js")])


BUILDERS: dict[str, Callable[[], Program]] = {"c": _build_c, "go": _build_go, "js": _build_js}


def _build_if_stale(product: Path, sources: list[Path], make: Callable[[], None]) -> None:
    """Call `make` unless `product` was made from these very sources; a stamp beside it holds their digest."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sources:
        digest.update(b"%s\0%d\0" % (path.name.encode(), path.stat().st_size) + path.read_bytes())
    folder = product.parent
    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / "stamp"
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # xdist workers start at the same time
        if product.exists() and stamp.exists() and stamp.read_text() == digest.hexdigest():
            return
        stamp.unlink(missing_ok=True)
        make()
        stamp.write_text(digest.hexdigest())


def _tool(command: list, cwd: Path, env: dict | None = None) -> None:
    """Run a build tool; its output is shown only if it fails."""
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=BUILD_TIMEOUT)
    if done.returncode != 0:
        raise BuildFailed(f"{' '.join(map(str, command))} exited with {done.returncode}\n{done.stdout}")
