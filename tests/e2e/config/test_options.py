# SPDX-License-Identifier: Apache-2.0
"""Options in a configuration file: names, types, bounds, messages, and what wins over what."""

import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

from harness import Server

# The Go server reports these at the block that they are in, or without a place; gnatwren at the key.
PLACED = re.compile(r"jetstream\b.*|ocsp\b.*|cluster\.permissions|gateway\.gateways|leafnodes\.remotes\[\]\.(deny_|js_|jetstream_).*")
DIFFERENT = {  # docs/differences.md, or several messages where gnatwren gives the first one or the last
    "max_control_line": "negative values", "max_closed_clients": "negative values", "ping_interval": "negative values",
    "write_deadline": "negative values", "cluster.authorization.users": "messages", "gateway.authorization.users": "messages",
    "cluster.authorization.auth_callout": "messages", "cluster.authorization.default_permissions": "messages",
    "cluster.permissions.allow_responses": "messages", "cluster.tls.ca_certs_match": "an option of Windows",
}


def verdicts():
    """place → [(key, text, message)]"""
    places = defaultdict(list)
    for line in (Path(__file__).parent / "verdicts.tsv").read_text().splitlines()[1:]:
        place, key, text, message = line.split("\t")
        places[place].append((key, text, "" if message == "OK" else message.replace("\\n", "\n")))
    return places


def without_places(message):
    return re.sub(r"^t\.conf:\d+:\d+: ", "", message, flags=re.MULTILINE)


def agree(name, got, want):
    if not Server.peer_by_default and PLACED.fullmatch(name):
        got, want = without_places(got), without_places(want)
    return sorted(got.split("\n")) == sorted(want.split("\n"))


@pytest.mark.parametrize("place, cases", verdicts().items(), ids=lambda value: value if isinstance(value, str) else "")
def test_c25_options_and_aliases(tmp_path, judge_file, place, cases):
    """All options and aliases of the spec's C and D, each with values of several types: the verdict and the message of the Go
    server."""
    wrong = []
    for number, (key, text, want) in enumerate(cases):
        name = key if place == "." else f"{place}.{key}"
        if name in DIFFERENT and not Server.peer_by_default:
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "t.conf").write_text(f"{text}\n")
        got = judge_file("t.conf", folder)
        if got.code != (1 if want else 0) or not agree(name, got.message, want):
            wrong.append(f"{text}\n  {got.message or 'OK'}\n  want: {want or 'OK'}")
    assert not wrong, "\n".join(wrong)


# ---- places and names

@pytest.mark.parametrize("text, message", [
    ("prt: 1\n", 't.conf:1:0: unknown field "prt"'), ("  prt: 1\n", 't.conf:1:2: unknown field "prt"'),
    ("\nprt: 1\n", 't.conf:2:1: unknown field "prt"'), ("\n\t prt: 1\n", 't.conf:2:3: unknown field "prt"'),
    ("port: 1\ncluster {\n  port: x\n}\n", "t.conf:3:3: interface conversion: interface {} is string, not int64"),
])
def test_c03_places(judge, text, message):
    """Option errors start `<file>:<line>:<col>: ` with col 0-based on line 1, 1-based below."""
    assert judge(text).message == message


@pytest.mark.parametrize("text", ["PORT: 4333", "Port: 4333", '"pOrT": 4333', "'PORT': 4333", "CLUSTER { Name: c }", '"Leaf" {}'])
def test_c24_names_without_case(judge, text):
    """Option names case-insensitive, quoted or bare."""
    assert judge(text).code == 0


def test_c24_name_in_messages(judge):
    """The name in a message is as written, or the documented one."""
    assert judge("MAX_Subscription_Tokens: 256").message == "t.conf:1:0: MAX_Subscription_Tokens value is too big"
    assert judge("PING_interval: 5").message.endswith('field "ping_interval": ping_interval should be converted to a duration')


def test_c26_all_errors(judge):
    """Two independent option errors are both printed, and warnings come first."""
    lines = judge("port: x\nmax_payload: 3GB\nping_interval: 5\n").message.split("\n")
    assert lines[0].startswith('t.conf:3:1: invalid use of field "ping_interval"')
    assert sorted(lines[1:]) == ["t.conf:1:0: interface conversion: interface {} is string, not int64",
                                 "t.conf:2:1: max_payload value is too big"]


@pytest.mark.ours
@pytest.mark.parametrize("key, suggestion", [
    ("prot", "port"), ("max_paylod", "max_payload"), ("hots", "host"), ("logfil", "logfile"), ("abcdefg", None), ("xy", None),
])
def test_suggestion(check, tmp_path, key, suggestion):
    """An unknown field is near a known one: the second line says so."""
    (tmp_path / "t.conf").write_text(f"\n{key}: 1\n")
    lines = check("-t", "-c", "t.conf").stderr.split("\n")
    assert lines[0].endswith(f't.conf:2:1: unknown field "{key}"')
    assert lines[1] == (f't.conf:2:1: did you mean "{suggestion}"?' if suggestion else "")


@pytest.mark.parametrize("text", ["accounts: 5", 'accounts: "x"', "accounts: [A, B]", "accounts: true", "accounts: 1.5"])
def test_c48_accounts_that_are_none(judge, configured, connect, text):
    """C-48: `accounts: 5` accepted and ignored."""
    assert judge(f"{text}\n").code == 0
    client = connect(configured(f"{text}\n")).connect()
    client.send(b"SUB x 1\r\nPUB x 1\r\nx\r\n")
    client.expect(b"MSG x 1 1\r\nx\r\n")


# ---- the file and the command line

def test_c27_warnings(judge, configured):
    """Warning-only config: `-t` exits 1, start continues."""
    text = "ping_interval: 60\n"
    warning = 't.conf:1:0: invalid use of field "ping_interval": ping_interval should be converted to a duration'
    assert (judge(text).code, judge(text).message) == (1, warning)
    assert configured(text).log().startswith(f"{warning}\n")


def test_c28_success(check, program, tmp_path):
    """`-t` success line on stderr with digest, exit 0; without `-c` exit 1."""
    (tmp_path / "t.conf").write_text("port: 4333\n")
    done = check("-t", "-c", "t.conf")
    assert (done.returncode, done.stdout) == (0, "")
    assert re.fullmatch(rf"{program}: configuration file t\.conf is valid \(sha256:[0-9a-f]{{64}}\)\n", done.stderr)
    done = check("-t")
    assert (done.returncode, done.stderr) == (
        1, f"{program}: must specify [-c, --config] option to check configuration file syntax\n")


def test_c32_version_wins(check):
    """`-v` wins over a missing config."""
    assert check("-v", "-c", "nowhere.conf").returncode == 0


def test_c33_flags_win(configured, connect):
    """Flags override file."""
    text = "port: 1\nhost: 127.0.0.9\nserver_name: file\ndebug: true\nmax_payload: 1000\n"
    server = configured(text, "-p", "-1", "-a", "127.0.0.1", "-n", "flag", "-D=false")
    info = connect(server).info
    assert (info["server_name"], info["max_payload"]) == ("flag", 1000)
    assert "[DBG]" not in server.log()


@pytest.mark.ours
def test_c33_set_wins(configured, connect):
    """--set overrides the file, flags override --set."""
    server = configured("max_payload: 1000\nserver_name: file\n", "--set", "max_payload=2000", "--set", "server_name=set", "-n", "flag")
    info = connect(server).info
    assert (info["server_name"], info["max_payload"]) == ("flag", 2000)


@pytest.mark.parametrize("args, has_time", [((), False), (("-T",), True)])
def test_c34_logtime(configured, args, has_time):
    """File `logtime: false` holds unless `-T` is given."""
    log = configured("logtime: false\n", *args).log()
    assert bool(re.search(r"^\[\d+\] \d{4}/\d\d/\d\d ", log, re.MULTILINE)) == has_time


def test_c37_missing_file(check, program):
    """Missing config file text."""
    for args in (("-c", "nowhere.conf"), ("-t", "-c", "nowhere.conf")):
        done = check(*args)
        assert (done.returncode, done.stderr) == (1, f"{program}: open nowhere.conf: no such file or directory\n")


@pytest.mark.parametrize("limit", [0, -1])
def test_c38_no_connections(configured, connect, limit):
    """max_connections 0 and -1 refuse all clients after INFO."""
    client = connect(configured(f"max_connections: {limit}\n"))
    assert client.info["server_id"]
    assert b"maximum connections exceeded" in client.read_line()


@pytest.mark.parametrize("configured_value, advertised", [(-1, -1), (0, 1048576), ('"x"', None)])
def test_c39_max_payload(configured, judge, connect, configured_value, advertised):
    """max_payload -1 advertises -1; 0 advertises 1048576."""
    text = f"max_payload: {configured_value}\n"
    if advertised is None:
        assert judge(text).code == 1
    else:
        assert connect(configured(text)).info["max_payload"] == advertised


@pytest.mark.parametrize("text, message", [
    ('lame_duck_duration: "30s"\nlame_duck_grace_period: "30s"\n',
     "lame duck grace period (30s) should be strictly lower than lame duck duration (30s)"),
    ("max_payload: 2MB\nmax_pending: 1MB\n", "max_payload (2097152) cannot be higher than max_pending (1048576)"),
    ("gateway { listen: 127.0.0.1:-1 }\n", "gateway has no name"),
    ("gateway { name: g }\n", 'gateway "g" has no port specified (select -1 for random port)'),
    ("gateway { name: g, listen: 127.0.0.1:-1 }\ncluster { name: c, listen: 127.0.0.1:-1 }\n",
     "cluster name conflicts between cluster and gateway definitions"),
    ("websocket { listen: 127.0.0.1:-1 }\n", "websocket requires TLS configuration"),
    ("mqtt { listen: 127.0.0.1:-1 }\n", "mqtt requires JetStream to be enabled if running in standalone mode"),
    ("default_sentinel: abc\n", "default sentinel requires operators and accounts"),
    ("http: 127.0.0.1:8222\nhttps: 127.0.0.1:8223\n", "can't specify both HTTP (8222) and HTTPs (8223) ports"),  # C-40
])
def test_c29_start_checks(judge, refused, program, text, message):
    """What a start refuses, `-t` does not; C-40: http and https together are among that."""
    assert judge(text).code == 0
    last = refused(text).splitlines()[-1]  # the Go server sees about ports when it has begun to log
    assert re.fullmatch(rf"({program}: |\[\d+\] .* \[FTL\] Can't start monitoring: ){re.escape(message)}", last)


@pytest.mark.ours
@pytest.mark.parametrize("text, message", [
    ("cluster {\n  listen: 127.0.0.1:-1\n}\n", "t.conf:2:3: cluster is not supported yet"),
    ("leafnodes { remotes: [ {url: \"nats://127.0.0.1:1\"} ] }\n", "t.conf:1:12: leafnodes is not supported yet"),
    ("websocket { port: -1, no_tls: true }\n", "t.conf:1:12: websocket is not supported yet"),
    ("jetstream: enabled\n", "t.conf:1:0: jetstream is not supported yet"),
])
def test_not_yet(judge, refused, program, text, message):
    """What does not exist yet is refused by a start, with its place."""
    assert judge(text).code == 0
    assert message in refused(text)


@pytest.mark.ours
@pytest.mark.parametrize("text", ["cluster {}", "cluster { name: c }", "leafnodes {}", "websocket {}", "mqtt {}", "jetstream: false",
                                  "jetstream { enabled: false }", "gateway {}", "leafnodes { remotes: [ {disabled: true} ] }"])
def test_not_asked(configured, text):
    """A block that does not ask anything to run is no obstacle."""
    configured(f"{text}\n")


@pytest.mark.ours
def test_explain(check, tmp_path):
    """--explain: what every option is, and why."""
    (tmp_path / "t.conf").write_text("max_payload: 2MB\nauthorization {\n  user: u\n  password: secret\n}\n")
    done = check("-t", "--explain", "-c", "t.conf", "-n", "me", "--set", "ping_interval=3m")
    assert done.returncode == 0
    lines = dict(line.split(" = ", 1) for line in done.stdout.splitlines())
    assert re.fullmatch(r"2097152 +# t\.conf:1:0, reloads", lines["max_payload"])
    assert re.fullmatch(r"me +# command line, .*", lines["server_name"])
    assert re.fullmatch(r"3m0s +# command line, .*", lines["ping_interval"])
    assert re.fullmatch(r"4222 +# default, needs a restart", lines["port"])
    assert lines["authorization.password"].startswith("***")
    assert "secret" not in done.stdout


@pytest.mark.ours
def test_c49_tags(check, tmp_path):
    """server_tags trimmed, lower-cased, unique."""
    (tmp_path / "t.conf").write_text('server_tags: [" Zone-A ", "b", "ZONE-a", ""]\n')
    assert "server_tags = [zone-a, b] " in check("-t", "--explain", "-c", "t.conf").stdout


def test_c50_feature_flags(configured):
    """Unknown feature flags accepted and logged Unsupported."""
    log = configured("feature_flags { zz: true, aa: false, js_ack_fc_v2: true, js_raft_delete_range: false,\n"
                     "js_snapshot_sources: false }\n").log()
    assert "Feature flags:" in log
    assert re.search(r"Configured: +js_ack_fc_v2 \(opt-in\), js_raft_delete_range \(opt-out\), js_snapshot_sources \(disabled\)$", log, re.MULTILINE)
    assert re.search(r"Unsupported: +aa, zz$", log, re.MULTILINE)


def test_log_of_the_file(configured, judge):
    """The log names the file and the digest."""
    digest = judge("max_payload: 1000\n").digest
    assert f"Using configuration file: t.conf ({digest})" in configured("max_payload: 1000\n").log()


@pytest.mark.ours
@pytest.mark.parametrize("ring", [["t.conf"], ["a.conf", "t.conf"], ["a.conf", "b.conf", "a.conf"]], ids=len)
def test_c54_circles(judge, refused, program, tmp_path, ring):
    """C-54: a file that includes itself gives an error, not a crash (include-cycle); of others, too."""
    for file, included in zip(ring, ring[1:]):
        (tmp_path / file).write_text(f"include '{included}'\n")
    message = "".join(f"error parsing include file '{file}', " for file in ring) + f"{ring[-1]} includes itself"
    text = f"max_payload: 1000\ninclude '{ring[0]}'\n"
    assert (judge(text).code, judge(text).message) == (1, message)
    assert refused(text) == f"{program}: {message}\n"


def test_json(judge):
    """A JSON document is a configuration."""
    assert judge(json.dumps({"port": 4333, "server_tags": ["a"], "cluster": {"name": "c"}})).code == 0
