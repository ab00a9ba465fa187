# SPDX-License-Identifier: Apache-2.0
"""Which options a reload takes, which it refuses, and what the log says of it (spec 03 C, E)."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness import Server, eventually

CERTS = Path(__file__).resolve().parents[2] / "conf-corpus" / "certs"
CERT_FLAGS = ("--tlscert", f"{CERTS}/server.pem", "--tlskey", f"{CERTS}/server.key")
KEYS = ["UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4", "UCNGL4W5QX66CFX6A6DCBVDH5VOHMI7B2UZZU7TXAUQQSI2JPHULCKBR"]
ALWAYS = ["[INF] Reloaded: authorization users", "[INF] Reloaded: accounts"]
NKEY_USER = "authorization {users: [{nkey: %s}]}" % KEYS[0]
NKEYS_TOLD = ["Reloaded: authorization nkey users"]
TWO_USERS = "authorization { users: [ {user: a, password: a}, {user: b, password: b} ] }\n"


def tls(rest="", cert="server"):
    ca = f", ca_file: '{CERTS}/ca.pem'" if "verify" in rest else ""  # with one, the Go server always finds a change
    return f"tls {{ cert_file: '{CERTS}/{cert}.pem', key_file: '{CERTS}/{cert}.key' {ca} {rest} }}\n"


def trusted(*keys):
    return "proxies { trusted: [ %s ] }" % ", ".join("{key: %s}" % key for key in keys)


APPLIED = [  # before, now, what the log tells besides what it always does
    ("", "", []),
    ("", "client_advertise: 'a.example:99'", ["Reload: client_advertise = a.example:99"]),
    ("client_advertise: 'a.example:99'", "", ["Reload: client_advertise = "]),
    ("server_tags: [a, b]", "server_tags: [b, c]", ["Reloaded: tags"]),
    ("server_metadata {a: b}", "server_metadata {a: c}", ["Reloaded: metadata"]),
    ("", "debug: true", ["Reloaded: debug = true"]),
    ("", "trace: true", ["Reloaded: trace = true"]),
    ("trace: true", "", ["Reloaded: trace = false"]),
    ("", "trace_verbose: true", ["Reloaded: trace = true", "Reloaded: trace_verbose = true"]),
    ("", "trace_headers: true", ["Reloaded: trace = true", "Reloaded: trace_headers = true"]),
    ("", "logtime_utc: true", ["Reloaded: logtime_utc = true"]),
    ("", "pid_file: t.pid", ["Reloaded: pid_file = t.pid"]),
    ("", "max_traced_msg_len: 7", ["Reloaded: max_traced_msg_len = 7"]),
    ("", "connect_error_reports: 7", ["Reloaded: connect_error_reports = 7"]),
    ("", "reconnect_error_reports: 7", ["Reloaded: reconnect_error_reports = 7"]),
    ("max_connections: 10", "max_conn: 20", ["Reloaded: max_connections = 20"]),
    ("", "max_control_line: 2KB", ["Reloaded: max_control_line = 2048"]),
    ("", "max_payload: 2KB", ["Reloaded: max_payload = 2048"]),
    ("", "ping_interval: '30s'", ["Reloaded: ping_interval = 30s"]),
    ("", "ping_interval: 30", ["Reloaded: ping_interval = 30s"]),  # a warning is no obstacle
    ("", "ping_max: 3", ["Reloaded: ping_max = 3"]),
    ("", "write_deadline: '3s'", ["Reloaded: write_deadline = 3s"]),
    ("", "no_fast_producer_stall: true", ["Reloaded: fast producers will not be stalled"]),
    ("no_fast_producer_stall: true", "", ["Reloaded: fast producers will be stalled"]),
    ("authorization {user: a, password: a}", "authorization {user: b, password: a}", ["Reloaded: authorization username"]),
    ("authorization {user: a, password: a}", "authorization {user: a, password: b}", ["Reloaded: authorization password"]),
    ("", "authorization {user: a, password: a}", ["Reloaded: authorization username", "Reloaded: authorization password"]),
    ("authorization {token: a}", "authorization {token: b}", ["Reloaded: authorization token"]),
    ("authorization {token: a}", "authorization {token: a, timeout: '1500ms'}", ["Reloaded: authorization timeout = 1.5"]),
    ("authorization {token: a, timeout: 7}", "authorization {token: a}", ["Reloaded: authorization timeout = 2"]),
    ("authorization {users: [{user: a, password: a}]}", TWO_USERS, []),
    (TWO_USERS, "authorization {users: [{user: a, password: a}], default_permissions: {publish: x}}", []),
    ("accounts {A {users: [{user: a, password: a}]}}", "accounts {B {users: [{user: a, password: a}]}}", []),
    (TWO_USERS + "no_auth_user: a", "authorization {users: [{user: b, password: b}]}", []),
    ("", tls(", timeout: 5, verify: true"),
     ["Reloaded: authorization timeout = 6", "Reloaded: tls timeout = 5", "Reloaded: tls = enabled"]),
    (tls(), "", ["Reloaded: authorization timeout = 2", "Reloaded: tls = disabled"]),
    (tls(), tls(), []),
    (tls(), tls(", timeout: 0.5"), ["Reloaded: authorization timeout = 1.5", "Reloaded: tls timeout = 0.5"]),
    (tls(), tls(cert="client"), ["Reloaded: tls = enabled"]),
    (tls(), tls(", verify: true"), ["Reloaded: tls = enabled"]),
    (tls(), tls(", min_version: '1.3'"), ["Reloaded: tls = enabled"]),
    (tls(), tls(", cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 ]"), ["Reloaded: tls = enabled"]),
    (tls(), tls(", handshake_first: auto"),
     ["Reloaded: Client TLS handshake first: true", "Reloaded: Client TLS handshake first fallback delay: 50ms"]),
    (tls(", handshake_first: auto"), tls(),
     ["Reloaded: Client TLS handshake first: false", "Reloaded: Client TLS handshake first fallback delay: 0s"]),
    (tls(", verify: true"), tls(f", verify: true, pinned_certs: ['{'a' * 64}']"), ["Reloaded: tls = enabled", "Reloaded: 1 pinned_certs"]),
    ("max_connections: 10", "max_connections: 0", ["Reloaded: max_connections = -1"]),
    ("", NKEY_USER, NKEYS_TOLD),
    (NKEY_USER, "", NKEYS_TOLD),
    (NKEY_USER, NKEY_USER, []),
    (NKEY_USER, "authorization {users: [{nkey: %s}]}" % KEYS[1], NKEYS_TOLD),
    (NKEY_USER, "authorization {users: [{nkey: %s}, {user: a, password: b}]}" % KEYS[0], []),
    (NKEY_USER, "authorization {users: [{nkey: %s}], default_permissions: {publish: x}}" % KEYS[0], NKEYS_TOLD),
    (NKEY_USER, "authorization {users: [{nkey: %s, allowed_connection_types: [STANDARD]}]}" % KEYS[0], NKEYS_TOLD),
    ("authorization {users: [{nkey: %s}, {nkey: %s}]}" % (*KEYS,), "authorization {users: [{nkey: %s}, {nkey: %s}]}" % (*KEYS[::-1],), []),
    ("accounts {A {users: [{nkey: %s}]}}" % KEYS[0], "accounts {A {users: [{nkey: %s}]}}" % KEYS[0], NKEYS_TOLD),
    (trusted(KEYS[0]), trusted(KEYS[1]), [f'Reloaded: proxies trusted keys ["{KEYS[0]}"] were removed',
                                          f'Reloaded: proxies trusted keys ["{KEYS[1]}"] were added']),
]

REFUSED = [  # before, now, what the log says: field, old, new
    ("server_name: a", "server_name: b", "ServerName: old=a, new=b"),
    ("", "server_name: b", "ServerName: old=, new=b"),
    ("", "no_header_support: true", "NoHeaderSupport: old=false, new=true"),
    ("", "proxy_protocol: true", "ProxyProtocol: old=false, new=true"),
    ("accounts {A {}, B {}}\nsystem_account: A", "accounts {A {}, B {}}\nsystem_account: B", "SystemAccount: old=A, new=B"),
    ("no_system_account: true", "", "NoSystemAccount: old=true, new=false"),
    (TWO_USERS + "no_auth_user: a", TWO_USERS + "no_auth_user: b", "NoAuthUser: old=a, new=b"),
    (TWO_USERS + "no_auth_user: a", TWO_USERS, "NoAuthUser: old=a, new="),
    (TWO_USERS, TWO_USERS + "no_auth_user: a", "NoAuthUser: old=, new=a"),
    (TWO_USERS + "no_auth_user: a", "authorization {users: [{user: b, password: b}]}\nno_auth_user: b", "NoAuthUser: old=a, new=b"),
    ("", "log_size_limit: 100000", "LogSizeLimit: old=0, new=100000"),
    ("", "log_max_num: 3", "LogMaxFiles: old=0, new=3"),
    ("", "max_subscriptions: 20", "MaxSubs: old=0, new=20"),
    ("", "max_sub_tokens: 20", "MaxSubTokens: old=0, new=20"),
    ("", "max_pending: 32MB", "MaxPending: old=67108864, new=33554432"),
    ("", "max_closed_clients: 100", "MaxClosedClients: old=10000, new=100"),
    ("write_timeout: close", "write_timeout: retry", "WriteTimeout: old=close, new=retry"),
    ("", "lame_duck_duration: '1m'", "LameDuckDuration: old=2m0s, new=1m0s"),
    ("", "lame_duck_grace_period: '5s'", "LameDuckGracePeriod: old=10s, new=5s"),
    ("", "disable_sublist_cache: true", "NoSublistCache: old=false, new=true"),
    ("http: '127.0.0.1:-1'", "http: '127.0.0.2:-1'", "HTTPHost: old=127.0.0.1, new=127.0.0.2"),
    ("http: '127.0.0.1:-1'", "http: '127.0.0.1:4555'", "HTTPPort: old=-1, new=4555"),
    ("", "http: '127.0.0.1:-1'", "HTTPPort: old=0, new=-1"),
    ("http: '127.0.0.1:-1'", "", "HTTPPort: old=-1, new=0"),
    ("", "http_base_path: x", "HTTPBasePath: old=, new=x"),
    (tls(), tls() + "allow_non_tls: true", "AllowNonTLS: old=false, new=true"),
    (tls(", verify: true"), tls(", verify_and_map: true"), "TLSMap: old=false, new=true"),
    (tls(), tls(", connection_rate_limit: 5"), "TLSRateLimit: old=0, new=5"),
    ("authorization {user: a, password: a}", "authorization {user: a, password: a, proxy_required: true}",
     "ProxyRequired: old=false, new=true"),
    # one refused option is enough, wherever it stands
    ("", "max_payload: 2KB\nmax_pending: 32MB\ndebug: true", "MaxPending: old=67108864, new=33554432"),
]

BAD = [  # now, what the log says
    ("max_payload: 2MB\nmax_pending: 1MB", "max_payload (2097152) cannot be higher than max_pending (1048576)"),
    ("xyz: 1", 't.conf:1:0: unknown field "xyz"'),
    ("\nport: y", "t.conf:2:1: interface conversion: interface {} is string, not int64"),
    (tls(cert="nowhere"), f"t.conf:1:0: error parsing X509 certificate/key pair: open {CERTS}/nowhere.pem: no such file or directory"),
    ("client_advertise: 'a:b'", 'invalid ClientAdvertise value of a:b, err=strconv.Atoi: parsing "b": invalid syntax'),
    ("client_advertise: 'a:b:c'", "invalid ClientAdvertise value of a:b:c, err=address a:b:c: too many colons in address"),
    (TWO_USERS + "no_auth_user: c",
     'no_auth_user: "c" not present as user or nkey in authorization block or account configuration'),
]


@pytest.mark.parametrize("before, now, told", APPLIED, ids=[f"{before[:30]}=>{now[:30]}" for before, now, _ in APPLIED])
def test_c41_c43_applied(reloadable, judge_file, tmp_path, before, now, told):
    """C-41: what may change. C-43: the log always has users, accounts and the digest."""
    lines = reloadable(before)(now)
    assert sorted(lines[:-1]) == sorted(ALWAYS + [f"[INF] {line}" for line in told])
    assert re.fullmatch(r"\[INF\] Reloaded server configuration \(sha256:[0-9a-f]{64}\)", lines[-1])
    if "ping_interval: 30" not in now.splitlines():  # -t does not like warnings
        assert judge_file("t.conf", tmp_path).digest in lines[-1]


@pytest.mark.parametrize("before, now, told", REFUSED, ids=[told.split(":")[0] for _, _, told in REFUSED])
def test_c41_refused(reloadable, before, now, told):
    """C-41: what may not."""
    assert reloadable(before)(now) == [f"[ERR] Failed to reload server configuration: config reload not supported for {told}"]


@pytest.mark.parametrize("before, now, option", [
    ("listen: '127.0.0.1:-1'", "listen: '127.0.0.2:-1'", "Host: old=127.0.0.1, new=127.0.0.2"),
    ("host: 127.0.0.1\nport: -1", "host: 127.0.0.1\nport: 4555", r"Port: old=PORT, new=4555"),
    ("host: 127.0.0.1\nport: -1", "host: 127.0.0.1\nport: -1", ""),
    ("host: 127.0.0.1\nport: -1", "host: 127.0.0.1\nport: PORT", ""),
], ids=["host", "port", "any port", "the port"])
def test_c41_listen_address(reloadable, connect, before, now, option):
    """C-41: the address stays; where any port was asked for, the one in use is meant."""
    reload = reloadable(before, common="")
    port = str(reload.server.port)
    line = reload(now.replace("PORT", port))[-1]
    if option:
        assert line == f"[ERR] Failed to reload server configuration: config reload not supported for {option.replace('PORT', port)}"
    else:
        assert line.startswith("[INF] Reloaded server configuration")
    connect(reload.server).connect()


@pytest.mark.parametrize("now, why", BAD, ids=[why[:40] for _, why in BAD])
def test_bad_configuration(reloadable, connect, now, why):
    """What a start would not take, a reload does not; all goes on as before."""
    reload = reloadable("max_payload: 1000")
    assert reload(now) == [f"[ERR] Failed to reload server configuration: {why}"]
    assert connect(reload.server).info["max_payload"] == 1000


def test_several_mistakes(reloadable):
    """Each has a line, as `-t` shows them."""
    reload = reloadable("")
    reload("max_payload: x\nxyz: 3\nping_interval: 3\ndebug: 5")
    told = reload.server.log().split("Failed to reload server configuration: ")[1].rstrip("\n").split("\n")
    assert told[0].startswith('t.conf:3:1: invalid use of field "ping_interval"')
    assert sorted(told[1:]) == [  # the Go server has them in any order
        "t.conf:1:0: interface conversion: interface {} is string, not int64",
        't.conf:2:1: unknown field "xyz"',
        "t.conf:4:1: interface conversion: interface {} is int64, not bool",
    ]


def test_pid_file_that_cannot_be_written(reloadable):
    """That is no reason to refuse the rest."""
    lines = reloadable("")("pid_file: /nowhere/t.pid\nmax_payload: 1000")
    assert "[ERR] Failed to write pidfile: open /nowhere/t.pid: no such file or directory" in lines
    assert "[INF] Reloaded: max_payload = 1000" in lines


def test_file_gone(reloadable, tmp_path):
    """There must be something to read."""
    reload = reloadable("")
    os.unlink(tmp_path / "t.conf")
    reload.server.signal(signal.SIGHUP)
    reload.server.wait_log(r"\[ERR\] Failed to reload server configuration: open t\.conf: no such file or directory")


def test_c42_nothing_changes(reloadable, connect):
    """C-42: one refused option leaves everything unchanged: limits, users, log, subscriptions."""
    reload = reloadable("max_payload: 1000\nauthorization {users: [{user: a, password: a}]}")
    client = connect(reload.server).connect(user="a", **{"pass": "a"})
    client.send(b"SUB x 1\r\n")
    reload("server_name: x\nmax_payload: 2000\ndebug: true\npid_file: t.pid\nclient_advertise: 'x:1'\n"
           "authorization {users: [{user: a, password: b, permissions: {subscribe: y}}]}")
    client.send(b"PUB x 1\r\nx\r\n")
    client.expect(b"MSG x 1 1\r\nx\r\n")
    client.fence()
    other = connect(reload.server).connect(user="a", **{"pass": "a"})
    assert (other.info["max_payload"], other.info["host"]) == (1000, "127.0.0.1")
    assert "[DBG]" not in reload.server.log()
    assert not Path("t.pid").exists()


def test_c45_without_file(start_server):
    """C-45: without -c there is nothing to reload."""
    server = start_server()
    server.signal(signal.SIGHUP)
    server.wait_log(r"\[ERR\] Failed to reload server configuration: can only reload config when a file is provided using -c or --config")


def test_flags_still_win(reloadable, connect):
    """C-46: what the command line says holds in a reload too."""
    reload = reloadable("max_payload: 1000", "-D=false", "--client_advertise", "flag:1")
    reload("max_payload: 2000\ndebug: true\nclient_advertise: 'file:2'")
    info = connect(reload.server).info
    assert (info["max_payload"], info["host"], info["port"]) == (2000, "flag", 1)
    assert "[DBG]" not in reload.server.log()


@pytest.mark.parametrize("flags, told", [
    (("-n", "me"), "ServerName: old=me, new="),
    (("--server_name", "me"), "ServerName: old=me, new="),
    (("--log_size_limit", "100000"), "LogSizeLimit: old=100000, new=0"),
    (("--tls", *CERT_FLAGS), "TLS: old=true, new=false"),
    (("--tlsverify", *CERT_FLAGS, "--tlscacert", f"{CERTS}/ca.pem"), "TLSVerify: old=true, new=false"),
], ids=lambda value: value[0] if isinstance(value, tuple) else "")
def test_c46_fixed_by_a_flag(reloadable, connect, flags, told):
    """C-46: with `-n`, and some more, the Go server refuses any reload; here flags are as good as lines of the file
    (reload-with-flags)."""
    reload = reloadable("max_payload: 1000", *flags)
    before = connect(reload.server).info
    lines = reload("max_payload: 2000")
    info = connect(reload.server).info
    for field in ("server_name", "tls_required", "tls_verify"):
        assert info.get(field) == before.get(field)
    if Server.peer_by_default:
        assert lines == [f"[ERR] Failed to reload server configuration: config reload not supported for {told}"]
        assert info["max_payload"] == 1000
    else:
        assert "[INF] Reloaded: max_payload = 2000" in lines
        assert info["max_payload"] == 2000


@pytest.mark.parametrize("flags", [
    ("-D",), ("-V",), ("-VV",), ("-T=false",), ("--logtime_utc",), ("--max_traced_msg_len", "7"), ("-P", "t.pid"),
    ("--ports_file_dir", "."), ("--client_advertise", "x:1"), ("-a", "127.0.0.1", "-p", "-1"), ("--user", "a", "--pass", "b"),
    ("--auth", "t"), ("--profile", "0"),
], ids=" ".join)
def test_c46_other_flags(reloadable, connect, flags):
    """C-46: other flags do no harm."""
    reload = reloadable("max_payload: 1000", *flags)
    assert "Reloaded server configuration" in reload("max_payload: 2000")[-1]
    assert connect(reload.server).info["max_payload"] == 2000


@pytest.mark.ours
def test_c54_circle(reloadable):
    """C-54: a reload of a file that includes itself gives an error, not a crash (include-cycle)."""
    told = reloadable("max_payload: 1000")("include 't.conf'")
    assert told == ["[ERR] Failed to reload server configuration: error parsing include file 't.conf', t.conf includes itself"]


def test_flag_of_signals(reloadable, connect):
    """C-35: `--signal reload=<pid>`."""
    reload = reloadable("max_payload: 1000")
    command = Path(f"/proc/{reload.server.pid}/exe").resolve()
    lines = reload("max_payload: 2000", send=lambda: subprocess.run([command, "--signal", f"reload={reload.server.pid}"], check=True))
    assert "[INF] Reloaded: max_payload = 2000" in lines
    assert connect(reload.server).info["max_payload"] == 2000


def test_two_signals(reloadable, connect):
    """A reload that is asked for while one is under way: the last file counts."""
    reload = reloadable("max_payload: 1000")
    for size in range(1001, 1021):
        reload.write(f"max_payload: {size}")
        reload.server.signal(signal.SIGHUP)
        reload.server.signal(signal.SIGHUP)
    eventually(lambda: connect(reload.server).info["max_payload"] == 1020)


# ---- files

def test_log_file(reloadable, tmp_path):
    """The log moves to another file, and back to stderr."""
    reload = reloadable("log_file: 'a.log'", wait=False)
    a, b = tmp_path / "a.log", tmp_path / "b.log"
    eventually(lambda: a.exists() and "Server is ready" in a.read_text())
    reload.write("log_file: 'b.log'\nmax_payload: 1000")
    reload.server.signal(signal.SIGHUP)
    eventually(lambda: b.exists() and "Reloaded server configuration" in b.read_text())
    assert "Reloaded: log_file = b.log" in a.read_text() + b.read_text()
    assert "Reloaded server configuration" not in a.read_text()
    assert not reload.server.log()
    reload.write("")
    reload.server.signal(signal.SIGHUP)
    reload.server.wait_log("Reloaded server configuration")


@pytest.mark.ours
def test_log_file_that_cannot_be(reloadable, connect):
    """reload-bad-log: the server stays, with its old log."""
    reload = reloadable("")
    assert reload("log_file: '/nowhere/x.log'\nmax_payload: 1000") == [
        "[ERR] Failed to reload server configuration: error opening file: open /nowhere/x.log: no such file or directory"]
    assert connect(reload.server).info["max_payload"] == 1 << 20


@pytest.mark.peer_only
def test_log_file_that_cannot_be_for_the_peer(reloadable):
    """The Go server ends."""
    reload = reloadable("")
    reload.write("log_file: '/nowhere/x.log'")
    reload.server.signal(signal.SIGHUP)
    assert reload.server.wait_exit() != 0


def test_pid_file(reloadable, tmp_path):
    """Another one is written."""
    reload = reloadable("pid_file: 'a.pid'")
    reload("pid_file: 'b.pid'")
    assert (tmp_path / "b.pid").read_text() == str(reload.server.pid)


def test_pid_file_that_cannot_be(reloadable, connect):
    """It is logged, and all else is done."""
    reload = reloadable("")
    lines = reload("pid_file: '/nowhere/x.pid'\nmax_payload: 1000")
    assert re.search(r"\[ERR\] (Failed to|Could not) write pidfile: open /nowhere/x\.pid: no such file or directory", "\n".join(lines))
    assert connect(reload.server).info["max_payload"] == 1000


def test_ports_file(reloadable, tmp_path):
    """It moves from folder to folder, and is removed at the end."""
    a, b = tmp_path / "a", tmp_path / "b"
    a.mkdir()
    b.mkdir()
    reload = reloadable("ports_file_dir: a")
    name, content = eventually(lambda: next(((p.name, p.read_text()) for p in a.glob("*.ports") if p.read_text()), None))
    reload("ports_file_dir: b")
    assert not list(a.iterdir())
    assert (b / name).read_text() == content
    reload("")
    assert not list(b.iterdir())
    reload("ports_file_dir: a")
    assert (a / name).read_text() == content
    reload.server.stop()
    assert not list(a.iterdir())


# ---- what new connections are told

def test_client_advertise(reloadable, connect):
    """New connections only: the others get no INFO."""
    reload = reloadable("")
    client = connect(reload.server).connect(protocol=1)
    for text, host, port in [("a.example:99", "a.example", 99), ("b.example", "b.example", reload.server.port), ("", "127.0.0.1", reload.server.port)]:
        reload(f"client_advertise: '{text}'" if text else "")
        info = connect(reload.server).info
        assert (info["host"], info["port"]) == (host, port)
        assert info["server_name"] == client.info["server_name"]
    client.fence()


@pytest.mark.parametrize("name", ["", "server_name: somebody\n"])
def test_identity_stays(reloadable, connect, name):
    """Name and id are those of the start, however many reloads later."""
    reload = reloadable(name)
    first = connect(reload.server).info
    for n in range(3):
        reload(name + f"max_payload: {1000 + n}")
        info = connect(reload.server).info
        assert {k: v for k, v in info.items() if k in ("server_id", "server_name", "xkey", "host", "port")} == \
            {k: v for k, v in first.items() if k in ("server_id", "server_name", "xkey", "host", "port")}


def test_timeout_of_logins(reloadable, connect):
    """authorization.timeout is for those who come later."""
    reload = reloadable("authorization {token: t, timeout: 60}")
    old = connect(reload.server)
    reload("authorization {token: t, timeout: 0.3}")
    connect(reload.server).expect_closed_with(b"-ERR 'Authentication Timeout'\r\n")
    if Server.peer_by_default:  # reload-before-login
        old.expect_closed_with(b"-ERR 'Authorization Violation'\r\n")
    else:
        time.sleep(0.5)  # it keeps its time
        old.connect(auth_token="t").fence()
