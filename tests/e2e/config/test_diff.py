# SPDX-License-Identifier: Apache-2.0
"""`-t --diff OLD NEW`, ours: what a reload would do, without a server."""

import pytest

pytestmark = pytest.mark.ours


@pytest.fixture
def diff(tmp_path, check):
    """diff(old, new) -> completed process"""
    def run(old, new):
        (tmp_path / "old.conf").write_text(old)
        (tmp_path / "new.conf").write_text(new)
        return check("-t", "--diff", "old.conf", "new.conf")

    return run


def test_changes(diff):
    """In the words of the log."""
    done = diff("ping_max: 2\nmax_payload: 1000\n", "ping_max: 2\nmax_payload: 5k\ndebug: true\n")
    assert done.returncode == 0
    assert sorted(done.stdout.splitlines()) == [
        "A reload would say:", "Reloaded: accounts", "Reloaded: authorization users", "Reloaded: debug = true", "Reloaded: max_payload = 5000"]


def test_refusal(diff):
    """The first option that cannot change."""
    done = diff("port: 4222\n", "port: 4223\n")
    assert done.returncode == 1
    assert done.stdout == "A reload would be refused: config reload not supported for Port: old=4222, new=4223\n"


@pytest.mark.parametrize("old, new, name", [("x: 1\n", "port: 1\n", "old.conf"), ("port: 1\n", "x: 1\n", "new.conf")])
def test_bad_file(diff, old, new, name):
    """Which one, and where."""
    done = diff(old, new)
    assert done.returncode == 1
    assert f'{name}:1:0: unknown field "x"' in done.stderr


@pytest.mark.parametrize("args", [("--diff", "a", "b"), ("-t", "--diff", "a"), ("-t", "--diff", "a", "b", "c")], ids=str)
def test_usage(check, args):
    """Two files, and only with -t."""
    done = check(*args)
    assert done.returncode == 1
    assert "usage: -t --diff OLD NEW" in done.stderr
