# SPDX-License-Identifier: Apache-2.0
"""`--signal`: sending a signal to a running server (L-25, C-35).

The Go server finds others with `pgrep nats-server`, gnatwren those that run under its own name.  So that tests see no
servers but their own, each runs under a name of its own, and there is a pgrep in PATH that looks for that.
"""

import itertools
import os
import signal
import subprocess

import pytest

from harness import Server

LOGGED = {"quit": "interrupt", "term": "terminated", "reopen": "user defined signal 1", "reload": "hangup",
          "ldm": "user defined signal 2"}
FLAGS = ["--signal", "-signal", "--sl", "-sl"]

_n_names = itertools.count(1)


@pytest.fixture
def name(tmp_path, rename_program, monkeypatch) -> str:
    """The name that servers of this test run under, which is in error texts too."""
    own = f"gw{os.getpid() % 1_000_000}x{next(_n_names)}"
    rename_program(own)
    pgrep = tmp_path / "bin" / "pgrep"
    pgrep.write_text(f'#!/bin/sh\n[ "$*" = nats-server ] || exit 2\nexec /usr/bin/pgrep -x {own}\n')
    pgrep.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    return "nats-server" if Server.peer_by_default else own


@pytest.fixture
def send(run, name):
    """send(value) -> run of `--signal value`, in its several forms."""
    forms = itertools.cycle([(flag, joint) for flag in FLAGS for joint in (True, False)])

    def send_it(value):
        flag, joint = next(forms)
        return run(f"{flag}={value}") if joint else run(flag, value)

    return send_it


def assert_sent(ended) -> None:
    """Success: silent, exit 0."""
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def assert_refused(ended, error: str) -> None:
    assert (ended.code, ended.out, ended.err) == (1, "", error)


@pytest.fixture
def no_process():
    """A process id that nobody has: that of a process which has ended."""
    with subprocess.Popen(["true"]) as ended:
        pass
    return ended.pid


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("joint", [True, False])
def test_l25_forms_of_the_flag(start_server, run, name, flag, joint):
    """--signal and -sl, with = or a blank."""
    server = start_server()
    value = f"reload={server.pid}"
    assert_sent(run(f"{flag}={value}") if joint else run(flag, value))
    server.wait_log('Trapped "hangup" signal')


@pytest.mark.parametrize("command", LOGGED)
def test_l25_mapping(start_server, send, command):
    """C-35: quit SIGINT, term SIGTERM, reopen SIGUSR1, reload SIGHUP, ldm SIGUSR2."""
    server = start_server()
    assert_sent(send(f"{command}={server.pid}"))
    server.wait_log(rf'Trapped "{LOGGED[command]}" signal')
    if command in ("quit", "term", "ldm"):
        assert server.wait_exit() == 0


def test_l25_stop(start_server, send):
    """C-35: stop is SIGKILL."""
    server = start_server()
    assert_sent(send(f"stop={server.pid}"))
    assert server.wait_exit() == -signal.SIGKILL


def test_l25_any_process(send):
    """A process id is taken as it is, whatever process has it."""
    with subprocess.Popen(["sleep", "600"]) as other:
        assert_sent(send(f"term={other.pid}"))
        assert other.wait(30) == -signal.SIGTERM


@pytest.mark.parametrize("command", ["stop", *LOGGED])
def test_l25_pid_file(start_server, send, tmp_path, command):
    """C-35: value naming a readable file → its content is the pid."""
    path = tmp_path / "my.pid"
    server = start_server("-P", path)
    assert_sent(send(f"{command}={path}"))
    if command != "stop":
        server.wait_log(rf'Trapped "{LOGGED[command]}" signal')
    if command not in ("reopen", "reload"):
        assert server.wait_exit() == (-signal.SIGKILL if command == "stop" else 0)


def test_l25_relative_pid_file(start_server, run, name, tmp_path):
    """The path may be relative."""
    server = start_server("-P", tmp_path / "my.pid")
    assert_sent(run("-sl=reload=my.pid", cwd=tmp_path))
    server.wait_log('Trapped "hangup" signal')


@pytest.mark.ours
@pytest.mark.parametrize("form", ["{}\n", " {}\r\n", "\t{} \n\n"])
def test_l25_white_space_in_a_pid_file(start_server, send, tmp_path, form):
    """gnatwren ignores white space around the pid in a file (the Go server refuses it)."""
    path = tmp_path / "my.pid"
    server = start_server()
    path.write_text(form.format(server.pid))
    assert_sent(send(f"ldm={path}"))
    assert server.wait_exit() == 0


@pytest.mark.ours
@pytest.mark.parametrize("content", ["", "\n", "  "])
def test_l25_empty_pid_file(start_server, send, name, tmp_path, content):
    """A pid file without a pid is refused: it is not taken for the only server that runs."""
    path = tmp_path / "my.pid"
    path.write_text(content)
    server = start_server()
    assert send(f"stop={path}").code == 1
    server.signal(signal.SIGHUP)
    server.wait_log('Trapped "hangup" signal')


@pytest.mark.parametrize("content", ["abc", "12 34", "0x10", "1e3", "12.5"])
def test_l25_bad_pid_file(send, name, tmp_path, content):
    """Anything but a number in the file: `invalid pid: <x>`."""
    path = tmp_path / "my.pid"
    path.write_text(content)
    assert_refused(send(f"reload={path}"), f"{name}: invalid pid: {content}\n")


def test_l25_glob(start_server, send):
    """`<digits>*` = every running server whose pid starts with the digits."""
    servers = [start_server() for _ in range(3)]
    assert_sent(send(f"reload={servers[1].pid}*"))
    servers[1].wait_log('Trapped "hangup" signal')
    prefix = os.path.commonprefix([str(server.pid) for server in servers])
    assert_sent(send(f"reopen={prefix}*"))
    for server in servers:
        server.wait_log('Trapped "user defined signal 1" signal')
    assert "hangup" not in servers[0].log() + servers[2].log()


def test_l25_glob_of_all(start_server, send):
    """`*` alone = all."""
    servers = [start_server() for _ in range(3)]
    assert_sent(send("quit=*"))
    for server in servers:
        assert server.wait_exit() == 0


def test_l25_glob_in_a_file(start_server, send, tmp_path):
    """A file may hold such an expression as well."""
    path = tmp_path / "all"
    path.write_text("*")
    server = start_server()
    assert_sent(send(f"term={path}"))
    assert server.wait_exit() == 0


def test_l25_glob_without_servers(send, name):
    """Nobody to match: `no nats-server processes running`."""
    assert_refused(send("reload=*"), f"{name}: no {name} processes running\n")
    assert_refused(send("reload=1*"), f"{name}: no {name} processes running\n")


@pytest.mark.parametrize("value", ["**", "1**", "a*", "*1", "1*1", " *", pytest.param("-1*", marks=pytest.mark.ours)])
def test_l25_bad_glob(start_server, send, name, value):
    """The star stands at the end, after nothing but digits; it is not shown.  (The Go server takes -1 for digits.)"""
    server = start_server()
    assert_refused(send(f"reload={value}"), f"{name}: invalid pid: {value.removesuffix('*')}\n")
    server.signal(signal.SIGUSR1)
    server.wait_log("File log")
    assert "hangup" not in server.log()


@pytest.mark.parametrize("value", ["reload", "reload="])
def test_l25_the_only_server(start_server, send, value):
    """No value: the only server that runs, own pid excluded."""
    server = start_server()
    assert_sent(send(value))
    server.wait_log('Trapped "hangup" signal')


def test_l25_no_server(send, name):
    """No value and no server: `no nats-server processes running`."""
    assert_refused(send("reload"), f"{name}: no {name} processes running\n")


def test_l25_several_servers(start_server, send, name):
    """No value and several servers: `multiple nats-server processes running:` + one pid per line."""
    servers = [start_server() for _ in range(3)]
    ended = send("stop")
    assert (ended.code, ended.out) == (1, "")
    first, *pids = ended.err.rstrip("\n").split("\n")
    assert first == f"{name}: multiple {name} processes running:"
    assert sorted(int(pid) for pid in pids) == sorted(server.pid for server in servers)
    for server in servers:
        assert server.proc.poll() is None


@pytest.mark.ours
def test_l25_finds_by_own_name_only(start_server, run, tmp_path, rename_program):
    """gnatwren finds servers that run under the same name, whatever their directory."""
    names = [f"gw{os.getpid()}y{next(_n_names)}" for _ in range(2)]
    servers = []
    for own in names:
        rename_program(own)
        servers.append(start_server())
    assert_sent(run("-sl", "reload"))
    servers[1].wait_log('Trapped "hangup" signal')
    servers[0].signal(signal.SIGUSR1)
    servers[0].wait_log("File log")
    assert "hangup" not in servers[0].log()


@pytest.mark.peer_only
def test_l25_without_pgrep(run, monkeypatch):
    """`unable to resolve pid, try providing one` (no pgrep)."""
    monkeypatch.setenv("PATH", "/nonexistent")
    assert_refused(run("-sl", "reload"), "nats-server: unable to resolve pid, try providing one\n")


@pytest.mark.parametrize("value, error", [
    ("STOP=1", 'unknown signal "STOP"'), ("9=1", 'unknown signal "9"'), ("SIGHUP=1", 'unknown signal "SIGHUP"'),
    ("=1", 'unknown signal ""'), ("foo=1", 'unknown signal "foo"'), ("stop =1", 'unknown signal "stop "'),
    ('"=1', r'unknown signal "\""'), ("reload=abc", "invalid pid: abc"), ("reload=1x", "invalid pid: 1x"),
    ("reload= 5", "invalid pid:  5"), ("reload=0x10", "invalid pid: 0x10"), ("reload=/nonexistent", "invalid pid: /nonexistent"),
    ("reload=99999999999999999999", "invalid pid: 99999999999999999999"),
    ("reload=a=b", "invalid signal parameters: [b]"), ("reload=a=b=c", "invalid signal parameters: [b c]"),
    ("reload==", "invalid signal parameters: []"), ("foo=a=b", "invalid signal parameters: [b]"),
])
def test_l25_errors(send, name, value, error):
    """C-35: `invalid pid: <x>`; `unknown signal "<x>"`; `invalid signal parameters: [<rest>]`: stderr, exit 1."""
    assert_refused(send(value), f"{name}: {error}\n")


def test_l25_unknown_signal_to_the_only_server(start_server, send, name):
    """`unknown signal` without a value."""
    server = start_server()
    assert_refused(send("foo"), f'{name}: unknown signal "foo"\n')
    assert server.proc.poll() is None


@pytest.mark.ours
@pytest.mark.parametrize("pid", ["0", "-0"])
def test_l25_process_groups(run, name, pid):
    """What kill(2) takes for a process group is refused (the Go server sends the signal to it)."""
    assert_refused(run(f"-sl=reload={pid}", start_new_session=True), f"{name}: invalid pid: {pid}\n")


def test_l25_no_such_process(send, name, no_process):
    """C-35: LF + `signal "<cmd>" <pid>: no such process`."""
    assert_refused(send(f"quit={no_process}"), f'{name}: \nsignal "quit" {no_process}: no such process\n')


def test_l25_stale_pid_file(start_server, send, name, tmp_path):
    """The same when a pid file tells of a server that is gone."""
    path = tmp_path / "my.pid"
    server = start_server()
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    path.write_text(str(server.pid))
    assert_refused(send(f"reload={path}"), f'{name}: \nsignal "reload" {server.pid}: no such process\n')


def test_l25_no_signal(start_server, name):
    """An empty command is none: the server starts."""
    start_server("--signal", "")
