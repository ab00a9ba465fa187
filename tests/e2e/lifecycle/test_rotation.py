# SPDX-License-Identifier: Apache-2.0
"""Rotation of the log file."""

import re
import signal
import stat
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from harness import eventually

LIMIT = 5000  # [bytes]
BACKUP = re.compile(r"\.(\d{4}\.\d\d\.\d\d\.\d\d\.\d\d\.\d\d)\.(\d{9})")


def backups(path: Path) -> list[Path]:
    """The rotated files, oldest first."""
    return sorted(other for other in path.parent.iterdir() if other != path and other.name.startswith(path.name))


def logged(path: Path) -> str:
    """What was logged so far, in all files; those that are being rotated now may be missed until the next look."""
    texts = []
    for file in [*backups(path), path]:
        try:
            texts.append(file.read_text())
        except FileNotFoundError:  # between its two names
            pass
    return "".join(texts)


def time_of(path: Path, backup: Path) -> datetime:
    match = BACKUP.fullmatch(backup.name[len(path.name):])
    assert match, backup.name
    return datetime.strptime(match[1], "%Y.%m.%d.%H.%M.%S")


@pytest.fixture
def start_logging(start_server, connect, tmp_path):
    """start_logging(*args, options=None, …) -> (server, client that makes it write, path of the log)."""

    def start(*args, **kwargs):
        path = tmp_path / "log"
        server = start_server("-V", "-l", path, *args, wait=False, **kwargs)
        port = eventually(lambda: "Server is ready" in logged(path)
                          and re.search(r"Listening for client connections on .*:(\d+)", logged(path)), timeout=30)[1]
        server.port = int(port)
        return server, connect(server).connect(), path

    return start


def write(c, n: int) -> None:
    """Make the server log n numbered payloads, among other lines."""
    for i in range(n):
        c.send(b"PUB n 6\r\n%06d\r\n" % i)
        c.fence()


def numbers(files: list[Path]) -> list[int]:
    return [int(text) for path in files for text in re.findall(r'<<- MSG_PAYLOAD: \["(\d{6})"\]', path.read_text())]


@pytest.mark.parametrize("form", ["--log_size_limit", "log_size_limit", "logfile_size_limit"])
def test_l23_rotation(start_logging, form):
    """When bytes written exceed the limit the file is renamed to `<file>.YYYY.MM.DD.HH.MM.SS.<nanoseconds, 9 digits>`
    and reopened; the first line says so and ends in CR LF."""
    args, options = ((form, LIMIT), None) if form.startswith("-") else ((), {form: LIMIT})
    server, c, path = start_logging(*args, options=options)
    write(c, 100)
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    old = backups(path)
    assert len(old) >= 3
    assert numbers(old + [path]) == list(range(100))
    for file, previous in zip(old[1:] + [path], old):
        assert abs(time_of(path, previous) - datetime.now()) < timedelta(minutes=10)
        content = file.read_bytes()
        assert re.match(rb'\[%d\] \S+ \S+ \[INF\] Rotated log, backup saved as "%s"\r\n'
                        % (server.pid, re.escape(str(previous).encode())), content)
        assert content.count(b"\r") == 1
    for file in old:
        content = file.read_bytes()
        assert content.endswith(b"\n")
        last_line = content.rstrip(b"\n").rpartition(b"\n")[2] + b"\n"
        assert len(content) - len(last_line) <= LIMIT < len(content)
    assert path.stat().st_size <= LIMIT


def test_l23_limit_0_is_off(start_logging):
    """Limit 0 = off."""
    _, c, path = start_logging("--log_size_limit", "0")
    write(c, 200)
    assert backups(path) == []
    assert path.stat().st_size > LIMIT


def test_l23_mode_of_new_file(start_logging):
    """The file that follows is created like the first."""
    _, c, path = start_logging("--log_size_limit", LIMIT)
    mode = stat.S_IMODE(path.stat().st_mode)
    write(c, 50)
    assert backups(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_l23_local_time(start_logging, far_zone):
    """The time in the name of a backup is the local one."""
    zone, offset = far_zone
    _, c, path = start_logging("--log_size_limit", LIMIT, "--logtime_utc", env={"TZ": zone})
    write(c, 50)
    for backup in backups(path):
        expected = datetime.utcnow() + timedelta(seconds=offset)
        assert abs(time_of(path, backup) - expected) < timedelta(minutes=1)


@pytest.mark.parametrize("form, max_num", [("log_max_num", 3), ("logfile_max_num", 3), ("log_max_num", 2)])
def test_l23_max_num(start_logging, form, max_num):
    """max_num counts current file + backups: with 3, two backups remain; oldest deleted."""
    server, c, path = start_logging(options={"log_size_limit": LIMIT, form: max_num})
    write(c, 200)
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    old = backups(path)
    assert len(old) == max_num - 1
    kept = numbers(old + [path])
    assert kept == list(range(kept[0], 200))
    second_line = path.read_bytes().split(b"\n")[1]
    assert re.fullmatch(rb'\[\d+\] \S+ \S+ \[INF\] Purged log file "log(\.\d+){7}"\r', second_line)


def test_l23_only_backups_are_purged(start_logging, tmp_path):
    """Only names with a valid timestamp suffix are considered."""
    ancient = tmp_path / "log.2001.02.03.04.05.06.000000007"
    others = [tmp_path / name for name in (
        "log.old", "log.2001.02.03", "log.2001.13.03.04.05.06.000000007", "log.2001.02.03.04.05.06.7x",
        "log.2001.02.03.04.05.06.000000007.gz", "xlog.2001.02.03.04.05.06.000000007", "logx.2001.02.03.04.05.06.000000007")]
    for path in [ancient, *others]:
        path.write_text("precious")
    server, c, path = start_logging(options={"log_size_limit": LIMIT, "log_max_num": 2})
    write(c, 60)
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    assert not ancient.exists()
    for other in others:
        assert other.read_text() == "precious"


@pytest.mark.ours
def test_l23_max_num_after_reopen(start_logging):
    """gnatwren goes on deleting after SIGUSR1 (the Go server forgets max_num then)."""
    server, c, path = start_logging(options={"log_size_limit": LIMIT, "log_max_num": 2})
    write(c, 100)
    server.signal(signal.SIGUSR1)
    eventually(lambda: "File log re-opened" in path.read_text())
    write(c, 200)
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    assert len(backups(path)) == 1


def test_l23_too_large_at_start(start_logging, tmp_path):
    """If the file is already larger at start: `Rotating logfile...`."""
    path = tmp_path / "log"
    path.write_text("x" * (LIMIT + 1) + "\n")
    start_logging("--log_size_limit", LIMIT)
    [backup] = backups(path)
    lines = backup.read_text().splitlines()
    assert lines[0] == "x" * (LIMIT + 1)
    assert lines[1].endswith("[INF] Rotating logfile...")
    assert "Rotated log, backup saved as" in path.read_text().splitlines()[0]


def test_l23_size_at_start_counts(start_logging, tmp_path):
    """What the file holds at the start counts."""
    path = tmp_path / "log"
    path.write_text("x" * (LIMIT - 100) + "\n")
    server, _, _ = start_logging("--log_size_limit", LIMIT)
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    assert backups(path)
