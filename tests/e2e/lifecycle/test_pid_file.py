# SPDX-License-Identifier: Apache-2.0
"""The pid file."""

import os
import signal
import stat

import pytest

from harness import Server


@pytest.mark.parametrize("form", ["-P", "--pid", "pid_file", "pidfile"])
def test_l08_content_and_mode(start_server, tmp_path, form):
    """C-52: PID file = pid without newline, mode 0600."""
    path = tmp_path / "pid"
    server = start_server(form, path) if form.startswith("-") else start_server(options={form: str(path)})
    assert path.read_text() == str(server.pid)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 & ~umask()


def umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def test_l08_overwritten_at_start(start_server, tmp_path):
    """An existing file is truncated, its mode kept."""
    path = tmp_path / "pid"
    path.write_text("123456789012345678901234567890\n")
    path.chmod(0o644)
    server = start_server("-P", path)
    assert path.read_text() == str(server.pid)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_l08_relative_path(start_server, tmp_path):
    """A relative path starts from the working directory."""
    server = start_server("-P", "my.pid", cwd=tmp_path)
    assert (tmp_path / "my.pid").read_text() == str(server.pid)


def test_l08_unwritable_path(refused, messages, tmp_path):
    """Unwritable path → FTL, exit 1, before anything listens."""
    path = tmp_path / "missing" / "pid"
    said = messages(refused("-P", path))
    assert said[-1] == ("FTL", f"Could not write pidfile: open {path}: no such file or directory")
    assert not [text for _, text in said if text.startswith("Listening")]


def test_l08_directory_as_path(refused, messages, tmp_path):
    """A directory cannot be the pid file."""
    assert messages(refused("-P", tmp_path))[-1] == ("FTL", f"Could not write pidfile: open {tmp_path}: is a directory")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR2])
def test_l08_at_clean_exit(start_server, tmp_path, how):
    """C-52: the Go server leaves its pid file behind; gnatwren removes it (pid-file-removed)."""
    path = tmp_path / "pid"
    server = start_server("-P", path)
    assert path.exists()
    server.signal(how)
    assert server.wait_exit() == 0
    assert path.exists() == Server.peer_by_default


@pytest.mark.ours
@pytest.mark.parametrize("content", ["", "1", "999999999"])
def test_l08_not_removed_when_it_is_not_ours(start_server, tmp_path, content):
    """A pid file that another process has taken over in the meantime stays."""
    path = tmp_path / "pid"
    server = start_server("-P", path)
    path.write_text(content)
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    assert path.read_text() == content


@pytest.mark.ours
def test_l08_shared_by_two(start_server, tmp_path):
    """Of two servers with one pid file the last to start owns it: the end of the first leaves it."""
    path = tmp_path / "pid"
    first, second = start_server("-P", path), start_server("-P", path)
    first.signal(signal.SIGINT)
    assert first.wait_exit() == 0
    assert path.read_text() == str(second.pid)
    second.signal(signal.SIGINT)
    assert second.wait_exit() == 0
    assert not path.exists()


@pytest.mark.ours
def test_l08_already_gone_at_exit(start_server, messages, tmp_path):
    """A pid file that somebody removed is nothing to complain about."""
    path = tmp_path / "pid"
    server = start_server("-P", path)
    path.unlink()
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    assert messages(server)[-1] == ("INF", "Server Exiting..")
