# SPDX-License-Identifier: Apache-2.0
"""The log: form of its lines, levels, places it goes to, and what it says about clients."""

import contextlib
import os
import pty
import re
import signal
import stat
import subprocess
import threading
import time
from datetime import datetime, timedelta

import pytest

from harness import Client, Server, eventually
from harness.server import gnatwren_binary, peer_binary

LINE = re.compile(r"\[\d+\] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} \[(INF|DBG|WRN|ERR|FTL|TRC)\] .+")
UNTIMED = re.compile(r"\[\d+\] \[(INF|DBG|WRN|ERR|FTL|TRC)\] .+")
LOGIN = ("--user", "u", "--pass", "secret")


def times(log: str) -> list[datetime]:
    found = re.findall(r"^\[\d+\] (\S+ \S+) \[", log, re.MULTILINE)
    return [datetime.strptime(text, "%Y/%m/%d %H:%M:%S.%f") for text in found]


def utc_now() -> datetime:
    return datetime.utcfromtimestamp(time.time())


def levels(messages) -> set[str]:
    return {level for level, _ in messages}


def read_log(path):
    return path.read_text() if path.exists() else ""


# ---- lines

def test_l02_form_of_lines(connect, start_server):
    """Every stderr line matches `[pid] YYYY/MM/DD HH:MM:SS.uuuuuu [INF|DBG|WRN|ERR|FTL|TRC] …`."""
    server = start_server("-DV", *LOGIN)
    c = connect(server).connect(user="u", **{"pass": "secret"})
    c.send(b"SUB a 1\r\nPUB a 3\r\nx\ny\r\nFOO\r\n")
    c.read_to_eof()
    server.signal(signal.SIGHUP)
    server.wait_log("Failed to reload")
    server.signal(signal.SIGUSR1)
    server.wait_log("File log re-open ignored")
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    lines = server.log().splitlines()
    assert len(lines) > 20
    for line in lines:
        assert LINE.fullmatch(line), line
        assert line.startswith(f"[{server.pid}] ")


def test_l02_time(start_server):
    """The time of a line is the time at which it is written."""
    before = datetime.now()
    server = start_server()
    found, after = times(server.log()), datetime.now()
    assert found == sorted(found)
    assert before - timedelta(milliseconds=1) <= found[0] and found[-1] <= after


@pytest.mark.parametrize("args, options", [
    (("-T=false",), None), (("--logtime=false",), None), ((), {"logtime": False}), (("-T=false", "--logtime_utc"), None),
    (("-T=0",), {"logtime": True}),
])
def test_l03_without_time(start_server, args, options):
    """`-T=false` drops date and time, the pid stays."""
    server = start_server(*args, options=options)
    for line in server.log().splitlines():
        assert UNTIMED.fullmatch(line), line
        assert line.startswith(f"[{server.pid}] ")


@pytest.mark.parametrize("args, options", [(("-T",), {"logtime": False}), (("-T=false", "-T"), None)])
def test_l03_with_time(start_server, args, options):
    """-T alone means true, whatever was said before."""
    for line in start_server(*args, options=options).log().splitlines():
        assert LINE.fullmatch(line), line


@pytest.mark.parametrize("args, options, is_utc", [
    ((), None, False), (("--logtime_utc",), None, True), (("--logtime_utc=false",), None, False),
    ((), {"logtime_utc": True}, True),
])
def test_l03_time_zone(start_server, far_zone, args, options, is_utc):
    """Local zone; `--logtime_utc` shifts to UTC."""
    zone, offset = far_zone
    server = start_server(*args, options=options, env={"TZ": zone})
    expected = utc_now() + timedelta(seconds=0 if is_utc else offset)
    for found in times(server.log()):
        assert abs(expected - found) < timedelta(minutes=1)


# ---- colour

@contextlib.contextmanager
def on_terminal(*args):
    """(process, callable that returns what the terminal has shown) of a server whose stderr is a terminal."""
    terminal, stderr = pty.openpty()
    command = [peer_binary() if Server.peer_by_default else gnatwren_binary(), "-a", "127.0.0.1", *args]
    proc = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr)
    os.close(stderr)
    shown = bytearray()

    def read():
        with contextlib.suppress(OSError):  # EIO is the end of a terminal
            while data := os.read(terminal, 65536):
                shown.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield proc, lambda: bytes(shown).decode()
    finally:
        proc.kill()
        proc.wait()
        reader.join()
        os.close(terminal)


def coloured(level: str, colour: str, text: str) -> str:
    return rf"\[\d+\] \d{{4}}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{{6}} \[\x1b\[{colour}m{level}\x1b\[0m\] {text}"


def test_l03_colour_on_a_terminal():
    """No colour on a pipe, colour on a tty: only the 3 letters; INF 32, DBG 36, WRN 0;93, ERR 31, TRC 33."""
    with on_terminal("-p", "-1", "-DV", *LOGIN) as (proc, shown):
        eventually(lambda: "Server is ready" in shown())
        port = int(re.search(r"Listening for client connections on 127\.0\.0\.1:(\d+)", shown())[1])
        proc.send_signal(signal.SIGHUP)
        with Client(port) as c:
            c.connect(user="u", **{"pass": "secret"})
        eventually(lambda: "Failed to reload" in shown() and "Client connection closed" in shown())
        proc.send_signal(signal.SIGINT)
        assert proc.wait(30) == 0
        eventually(lambda: "Server Exiting.." in shown())
        lines = shown().splitlines()
    for pattern in (coloured("INF", "32", "Starting nats-server"),
                    coloured("DBG", "36", r".* - Client connection created"),
                    coloured("WRN", "0;93", "Plaintext passwords detected, use nkeys or bcrypt"),
                    coloured("ERR", "31", "Failed to reload server configuration: .*"),
                    coloured("TRC", "33", r".* - <<- \[PING\]")):
        assert [line for line in lines if re.fullmatch(pattern, line)], pattern
    for line in lines:
        assert re.fullmatch(coloured(r"\w{3}", r"[0-9;]+", r"[^\x1b]+"), line), line


def test_l03_colour_of_fatal(start_server):
    """FTL 31."""
    port = start_server().port
    with on_terminal("-p", str(port)) as (proc, shown):
        assert proc.wait(30) == 1
        eventually(lambda: re.search(coloured("FTL", "31", "Error listening on port: "), shown()))


# ---- levels

@pytest.mark.parametrize("args, options, wanted", [
    ((), None, set()), (("-D",), None, {"DBG"}), (("--debug",), None, {"DBG"}), (("-V",), None, {"TRC"}),
    (("--trace",), None, {"TRC"}), (("-VV",), None, {"TRC"}), (("-DV",), None, {"DBG", "TRC"}), (("-DVV",), None, {"DBG", "TRC"}),
    (("-D", "-V"), None, {"DBG", "TRC"}), (("--DV",), None, {"DBG", "TRC"}), ((), {"debug": True}, {"DBG"}),
    ((), {"trace": True}, {"TRC"}), ((), {"trace_verbose": True}, {"TRC"}), (("-D=false",), {"debug": True}, set()),
    (("-D", "-D=false"), None, set()),
])
def test_levels(connect, start_server, messages, args, options, wanted):
    """-D, -V, -DV; -VV and -DVV; a flag beats the option."""
    server = start_server(*args, options=options)
    connect(server).connect()
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    assert levels(messages(server)) - {"INF"} == wanted


# ---- log file

@pytest.mark.parametrize("form", ["-l", "--log", "log_file", "logfile"])
def test_log_file(start_server, tmp_path, form):
    """A log file takes all lines; stderr and stdout stay empty."""
    path = tmp_path / "log"
    args, options = ((form, path), None) if form.startswith("-") else ((), {form: str(path)})
    server = start_server(*args, options=options, wait=False)
    eventually(lambda: "Server is ready" in read_log(path), timeout=30)
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    assert server.log() == server.stdout() == ""
    lines = path.read_text().splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    assert lines[0].endswith("Starting nats-server") and lines[-1].endswith("Server Exiting..")


def test_log_file_mode(start_server, tmp_path):
    """Log file mode 0640."""
    path = tmp_path / "log"
    mask = os.umask(0o077)
    os.umask(mask)
    start_server("-l", path, wait=False)
    eventually(lambda: "Server is ready" in read_log(path), timeout=30)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640 & ~mask


def test_log_file_is_appended_to(start_server, tmp_path):
    """Opened append+create: what is there stays, mode included."""
    path = tmp_path / "log"
    path.write_text("a line\nand half a li")
    path.chmod(0o600)
    start_server("-l", path, wait=False)
    eventually(lambda: "Server is ready" in read_log(path), timeout=30)
    assert path.read_text().startswith("a line\nand half a li[")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_log_file_before_remote_syslog(start_server, tmp_path, syslog):
    """Precedence: log file > remote syslog > stderr."""
    path = tmp_path / "log"
    server = start_server("-l", path, "-r", f"udp://127.0.0.1:{syslog.getsockname()[1]}", wait=False)
    eventually(lambda: "Server is ready" in read_log(path), timeout=30)
    server.signal(signal.SIGINT)
    assert server.wait_exit() == 0
    assert server.log() == ""
    syslog.setblocking(False)
    with pytest.raises(BlockingIOError):
        syslog.recv(65536)


@pytest.mark.parametrize("name, error", [("missing/log", "no such file or directory"), ("", "is a directory")])
def test_log_file_that_cannot_be_opened(refused, tmp_path, name, error):
    """Cannot open → stderr, exit 1."""
    path = tmp_path / name
    assert refused("-l", path).endswith(f"error opening file: open {path}: {error}\n")


def test_fatal_line_in_log_file(start_server, tmp_path):
    """After logging began a fatal error is one FTL line there, nothing on stderr; exit 1."""
    path = tmp_path / "log"
    server = start_server("-l", path, "-p", start_server().port, wait=False)
    assert server.wait_exit() == 1
    assert server.log() == ""
    assert re.search(r"\[FTL\] Error listening on port: .*\n\Z", path.read_text())


# ---- clients

def of_client(messages, c) -> list[tuple[str, str]]:
    """The lines about a client, without its address and cid."""
    prefix = f"127.0.0.1:{c.sock.getsockname()[1]} - cid:{c.cid} - "
    return [(level, text[len(prefix):]) for level, text in messages if text.startswith(prefix)]


@pytest.fixture
def lines_after_close(messages):
    """lines_after_close(server, c) -> lines about a client up to the one about its end, which it brings about.

    The log is read by another thread; the line about the end (DBG) says that those before it have been read as well.
    """

    def close(server, c):
        c.half_close()
        c.read_to_eof()
        server.closed_reason(c.cid)
        return of_client(messages(server), c)

    return close


def test_client_prefix(connect, start_server, lines_after_close):
    """Client prefix `<ip>:<port> - cid:<n> - `; close line (DBG) `Client connection closed: <reason>`."""
    server = start_server("-D")
    assert lines_after_close(server, connect(server)) == [("DBG", "Client connection created"),
                                                          ("DBG", "Client connection closed: Client Closed")]


@pytest.mark.parametrize("fields, label", [
    ({"name": "n1", "lang": "py", "version": "1.2"}, "v1.2:py:n1"), ({"lang": "py", "version": "1.2"}, "v1.2:py"),
    ({"name": "n1", "version": "1.2"}, "v1.2:n1"), ({"name": "n1", "lang": "py"}, "py:n1"), ({"name": "n1"}, "n1"),
    ({"lang": "py"}, "py"), ({"version": "1.2"}, "v1.2"), ({"name": 'q"x\ny\x01'}, r'q\"x\ny\x01'), ({}, None),
    ({"name": "n" * 150, "lang": "go", "version": "1.40.0"}, f"v1.40.0:go:{'n' * 150}"),
], ids=lambda value: "" if isinstance(value, dict) else (value or "none")[:20])
def test_client_label(connect, start_server, lines_after_close, fields, label):
    """After CONNECT the prefix has `"v<version>:<lang>:<name>" - `, each part only if there is one."""
    server = start_server("-D")
    lines = lines_after_close(server, connect(server).connect(**fields))
    middle = f'"{label}" - ' if label else ""
    assert lines == [("DBG", "Client connection created"), ("DBG", f"{middle}Client connection closed: Client Closed")]


def test_long_client_label(connect, start_server, lines_after_close):
    """A very long label may be cut, but the line keeps its form."""
    server, fields = start_server("-D"), {"version": "9" * 1000, "lang": "l" * 1000, "name": "n" * 1000}
    line = lines_after_close(server, connect(server).connect(**fields))[-1][1]
    assert re.fullmatch(r'"v9{40,1000}(:l{0,1000})?(:n{0,1000})?(\.\.\.)?" - Client connection closed: Client Closed', line)


@pytest.mark.parametrize("args, fields, who", [
    (LOGIN, {"user": "u", "pass": "secret"}, "user:u"), (("--auth", "tok"), {"auth_token": "tok"}, "token"),
])
@pytest.mark.parametrize("label", ["", "n1"])
def test_client_account_label(connect, start_server, lines_after_close, args, fields, who, label):
    """After CONNECT the prefix has `"<account>/<label>" - `; label = `user:u`, `token`."""
    server = start_server("-D", *args)
    lines = lines_after_close(server, connect(server).connect(name=label, **fields))
    middle = f'"{label}" - ' if label else ""
    assert lines[-1] == ("DBG", f'{middle}"$G/{who}" - Client connection closed: Client Closed')


def test_trace(connect, start_server, lines_after_close):
    """Trace: `<<- [CONNECT …]`, `->> [OK]`, `<<- MSG_PAYLOAD: ["…"]`, `<-> [DELSUB 1]`, …"""
    server = start_server("-DV")
    c = connect(server, auto_pong=False)
    c.send(b'CONNECT {"verbose":true,"headers":true}\r\nSUB a 1\r\nPUB a r 3\r\nabc\r\nHPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\n'
           b"UNSUB 1\r\nPING\r\nFOO\r\n")
    lines = lines_after_close(server, c)
    assert {level for level, text in lines if text.startswith(("<", "-"))} == {"TRC"}
    received = [text for _, text in lines if text.startswith("<<-")]
    sent = [text for _, text in lines if text.startswith("->>")]
    others = [text for _, text in lines if text.startswith("<->")]
    assert received == [
        '<<- [CONNECT {"verbose":true,"headers":true}]', "<<- [SUB a 1]", "<<- [PUB a r 3]", '<<- MSG_PAYLOAD: ["abc"]',
        "<<- [HPUB a 12 14]", r'<<- MSG_PAYLOAD: ["NATS/1.0\r\n\r\nhi"]', "<<- [UNSUB 1]", "<<- [PING]"]
    assert sorted(sent) == sorted([
        "->> [OK]", "->> [OK]", "->> [OK]", "->> [MSG a 1 r 3]", '->> MSG_PAYLOAD: ["abc"]', "->> [OK]", "->> [HMSG a 1 12 14]",
        r'->> MSG_PAYLOAD: ["NATS/1.0\r\n\r\nhi"]', "->> [OK]", "->> [PONG]", "->> [-ERR Unknown Protocol Operation]"])
    assert others == ["<-> [DELSUB 1]"]


def test_trace_of_subscriptions_at_the_close(connect, start_server, messages):
    """The subscriptions that end with a connection are traced."""
    server = start_server("-DV")
    c = connect(server, auto_pong=False).connect()
    c.send(b"SUB a 1\r\nSUB b q two\r\n")
    c.fence()
    c.half_close()
    c.expect_eof()
    eventually(lambda: {("TRC", "<-> [DELSUB 1]"), ("TRC", "<-> [DELSUB two]")} <= set(of_client(messages(server), c)))


@pytest.mark.parametrize("payload, traced", [
    (b"\x00\x01\xff\"\\", r"\x00\x01\xff\"\\"), (b"a\tb\r\nc", r"a\tb\r\nc"), ("grüß €".encode(), "grüß €"),
])
def test_trace_of_odd_payloads(connect, start_server, lines_after_close, payload, traced):
    """A payload is quoted, so that it can neither end the line nor reach the terminal."""
    server = start_server("-DV")
    c = connect(server).connect()
    c.send(b"PUB a %d\r\n%s\r\n" % (len(payload), payload))
    assert ("TRC", f'<<- MSG_PAYLOAD: ["{traced}"]') in lines_after_close(server, c)


@pytest.mark.parametrize("n", [900, 2000, 5000, 100_000])
def test_trace_of_long_payload(connect, start_server, lines_after_close, n):
    """Without max_traced_msg_len a payload is traced in full, however long it is."""
    server, payload = start_server("-DV"), "".join(f"{i}," for i in range(n))[:n]
    c = connect(server).connect()
    c.send(b"SUB a 1\r\nPUB a %d\r\n%s\r\n" % (n, payload.encode()))
    lines = lines_after_close(server, c)
    for arrow in ("<<-", "->>"):
        assert ("TRC", f'{arrow} MSG_PAYLOAD: ["{payload}"]') in lines


def test_trace_of_long_connect(connect, start_server, lines_after_close):
    """A CONNECT as long as it may be is traced in full."""
    server, name = start_server("-DV"), "n" * 3000
    c = connect(server)
    c.send(b'CONNECT {"lang":"%s","verbose":false}\r\n' % name.encode())
    assert ("TRC", f'<<- [CONNECT {{"lang":"{name}","verbose":false}}]') in lines_after_close(server, c)


def test_trace_of_empty_payload(connect, start_server, lines_after_close):
    """There is no line for a payload without bytes."""
    server = start_server("-DV")
    c = connect(server).connect()
    c.send(b"SUB a 1\r\nPUB a 0\r\n\r\n")
    assert not [text for _, text in lines_after_close(server, c) if "MSG_PAYLOAD" in text and text.startswith("<<-")]


@pytest.mark.parametrize("limit, traced", [
    (5, "01234..."), (9, "012345678..."), (10, "0123456789"), (11, "0123456789"), (0, "0123456789"),
])
@pytest.mark.parametrize("form", ["flag", "option"])
def test_trace_limit(connect, start_server, lines_after_close, limit, traced, form):
    """max_traced_msg_len cuts the payload and appends `...`."""
    args = ("--max_traced_msg_len", limit) if form == "flag" else ()
    server = start_server("-DV", *args, options=None if args else {"max_traced_msg_len": limit})
    c = connect(server).connect()
    c.send(b"SUB a 1\r\nPUB a 10\r\n0123456789\r\n")
    lines = lines_after_close(server, c)
    assert ("TRC", f'<<- MSG_PAYLOAD: ["{traced}"]') in lines
    assert ("TRC", f'->> MSG_PAYLOAD: ["{traced}"]') in lines


@pytest.mark.parametrize("limit, cut", [(0, None), (12, "NATS/1.0\\r\\nA:...")])
def test_trace_headers(connect, start_server, lines_after_close, limit, cut):
    """trace_headers is a trace in which a message has only its headers."""
    server = start_server("-D", options={"trace_headers": True, "max_traced_msg_len": limit})
    c = connect(server).connect(headers=True)
    plain = connect(server).connect(headers=False)
    for client in (c, plain):
        client.send(b"SUB a 1\r\n")
        client.fence()
    c.send(b"HPUB a 24 31\r\nNATS/1.0\r\nA: b\r\nC: d\r\n\r\npayload\r\nPUB a 3\r\nabc\r\n")
    plain.expect(b"MSG a 1 7\r\npayload\r\nMSG a 1 3\r\nabc\r\n")
    lines = [text for level, text in lines_after_close(server, c) if level == "TRC"]
    whole = r"NATS/1.0\r\nA: b\r\nC: d"
    for arrow, verb in (("<<-", "HPUB a"), ("->>", "HMSG a 1")):
        assert lines[lines.index(f"{arrow} [{verb} 24 31]") + 1] == f'{arrow} MSG_PAYLOAD: ["{cut or whole}"]'
    assert len([text for text in lines if "MSG_PAYLOAD" in text]) == 2
    assert {"<<- [PUB a 3]", "->> [MSG a 1 3]"} <= set(lines)
    lines = [text for level, text in lines_after_close(server, plain) if level == "TRC"]
    assert {"->> [MSG a 1 7]", "->> [MSG a 1 3]"} <= set(lines)
    assert not [text for text in lines if "MSG_PAYLOAD" in text]


@pytest.mark.parametrize("key", ["pass", "auth_token", "sig", "nkey", "proxy_sig"])
@pytest.mark.parametrize("form", [
    '{"%s":"SECRET"}', '{"verbose":false, "%s" : "SECRET", "name":"n"}', '{"%s":"SECRET","echo":true}',
])
def test_trace_without_secrets(connect, start_server, lines_after_close, key, form):
    """pass, auth_token, sig, nkey, proxy_sig values are replaced by `[REDACTED]`."""
    server = start_server("-DV")
    c = connect(server)
    c.send(b"CONNECT " + (form % key).encode() + b"\r\n")
    assert ("TRC", "<<- [CONNECT " + (form % key).replace("SECRET", "[REDACTED]") + "]") in lines_after_close(server, c)
    assert "SECRET" not in server.log().replace("nkey:SECRET", "")


def test_trace_without_all_secrets(connect, start_server, lines_after_close):
    """Several of them in one CONNECT."""
    server = start_server("-DV", *LOGIN)
    c = connect(server)
    c.send(b'CONNECT {"user":"u","pass":"secret","auth_token":"secret","sig":"secret"}\r\n')
    assert ("TRC", '<<- [CONNECT {"user":"u","pass":"[REDACTED]","auth_token":"[REDACTED]","sig":"[REDACTED]"}]') \
        in lines_after_close(server, c)
    assert "secret" not in server.log()


def test_authentication_error(connect, start_server, lines_after_close):
    """A refused login is an ERR line with the user's name, without the password."""
    server = start_server("-DV", *LOGIN)
    c = connect(server)
    c.send(b'CONNECT {"user":"eve","pass":"guess"}\r\n')
    lines = lines_after_close(server, c)
    assert ("ERR", 'authentication error - User "eve"') in lines
    assert lines[-1] == ("DBG", "Client connection closed: Authentication Failure")
    assert "guess" not in server.log()


def test_names_cannot_forge_lines(connect, start_server):
    """What a client calls itself, and what it sends, stays within one line."""
    server = start_server("-DV")
    evil = "x\n[1] 2020/01/01 00:00:00.000000 [INF] forged\r\x1b[31m"
    c = connect(server, auto_pong=False).connect(name=evil, lang=evil, version=evil)
    c.send(b"PUB a 9\r\na\n\nforged\r\nFOO\x1b[31mforged\rforged\r\n")
    c.read_to_eof()
    server.closed_reason(c.cid)
    for line in server.log().split("\n")[:-1]:
        assert LINE.fullmatch(line), line
        assert "\x1b" not in line and "\r" not in line
