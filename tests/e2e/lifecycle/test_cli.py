# SPDX-License-Identifier: Apache-2.0
"""The command line: its syntax, its answers, its exit codes."""

import itertools
import re

import pytest

USAGE = r"\nUsage: \S+ \[options\]\n\nServer Options:\n"
GROUPS = [f"{name} Options:" for name in (
    "Server", "Logging", "JetStream", "Authorization", "TLS", "Cluster", "Profiling", "Common")]
FLAGS = """
    -h --help -v --version --help_tls -a --addr --net -p --port -n --name --server_name -P --pid -m --http_port -ms --https_port
    -c --config -t -sl --signal --client_advertise --ports_file_dir -l --log -T --logtime --logtime_utc -s --syslog
    -r --remote_syslog -D --debug -V --trace -VV -DV -DVV --log_size_limit --max_traced_msg_len -js --jetstream -sd --store_dir
    --user --pass --auth --tls --tlscert --tlskey --tlscacert --tlsverify --cluster --cluster_listen --routes --cluster_name
    --cluster_advertise --no_advertise --connect_retries --profile""".split()
NO_VALUE = """
    -h --help -v --version --help_tls -t -T --logtime --logtime_utc -s --syslog -D --debug -V --trace -VV -DV -DVV
    -js --jetstream --tls --tlsverify --no_advertise""".split()
NUMBERS = "-p --port -m --http_port -ms --https_port --log_size_limit --max_traced_msg_len --connect_retries --profile".split()


def assert_usage(ended, error: str = "") -> None:
    """The usage on stdout, exit code 0, perhaps after an error on stderr."""
    assert (ended.code, ended.err) == (0, error)
    assert re.match(USAGE, ended.out)


def both_dashes(flags):
    return [dashes + flag.lstrip("-") for flag, dashes in itertools.product(flags, ("-", "--"))]


# ---- version and help

@pytest.mark.parametrize("args", [
    ("-v",), ("--v",), ("-version",), ("--version",), ("version",), ("Version",), ("VERSION",), ("-v=true",), ("-D", "version"),
    ("--", "version"), ("version", "--nope"), ("version", "foo"),
])
def test_l27_version(run, program, args):
    """`-v`, `--version`, `version` (C-31) print `nats-server: v…` on stdout, exit 0."""
    ended = run(*args)
    assert (ended.code, ended.err) == (0, "")
    assert re.fullmatch(rf"{re.escape(program)}: v\d+\.\d+\.\d+.*\n", ended.out)


def test_l27_version_is_that_of_info(run, connect, start_server):
    """It is the version that INFO reports."""
    version = re.search(r": v(\S+)", run("-v").out)[1]
    assert connect(start_server()).info["version"] == version


def test_l27_name_of_the_program(run, rename_program):
    """Under the name nats-server every program calls itself that."""
    rename_program("nats-server")
    assert run("-v").out.startswith("nats-server: v")
    assert run("-h").out.startswith("\nUsage: nats-server [options]\n")
    assert run("foo").err == 'nats-server: unrecognized command: "foo"\n'


@pytest.mark.parametrize("args", [
    ("-h",), ("--h",), ("-help",), ("--help",), ("help",), ("Help",), ("HELP",), ("-h=1",), ("-h", "foo"), ("-D", "help"),
    ("help", "foo"),
])
def test_help(run, args):
    """-h, --help, help (C-31): usage on stdout, exit 0."""
    assert_usage(run(*args))


def test_help_groups(run):
    """Blank line, `Usage: nats-server [options]`, then groups Server, Logging, JetStream, Authorization, TLS, Cluster,
    Profiling, Common."""
    lines = run("-h").out.split("\n")
    assert [line for line in lines if line in GROUPS] == GROUPS
    assert lines[0] == lines[2] == ""
    assert lines[1].startswith("Usage: ")
    for group in GROUPS:
        assert lines[lines.index(group) - 1] == ""


def test_help_columns(run):
    """Each line has two flag columns (short, long with `<arg>`) and a description starting in column 38."""
    for line in run("-h").out.split("\n"):
        if line.startswith("    "):
            assert re.fullmatch(r".{36} \S.*", line) or re.fullmatch(r"    -\w, --\w+", line), line


def test_help_ends_with_two_line_feeds(run):
    """It ends with two LFs."""
    assert re.search(r"[^\n]\n\n\Z", run("-h").out)


@pytest.mark.parametrize("flag", FLAGS)
def test_help_names_every_flag(run, flag):
    """Every flag is in the help text."""
    assert re.search(rf"[ ,]{flag}[ ,\n]", run("-h").out)


@pytest.mark.parametrize("args", [("--help_tls",), ("-help_tls",), ("--help_tls", "foo"), ("--help_tls", "-t")])
def test_help_tls(run, args):
    """--help_tls: TLS help, cipher and curve lists to stdout, exit 0."""
    ended = run(*args)
    assert (ended.code, ended.err) == (0, "")
    assert "TLS" in ended.out and "cipher_suites" in ended.out and "curve_preferences" in ended.out
    for name in ("TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
                 "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "X25519", "CurveP256", "CurveP384", "CurveP521"):
        assert f"    {name}\n" in ended.out


# ---- words

@pytest.mark.parametrize("args, word", [
    (("foo",), "foo"), (("foo", "-v"), "foo"), (("-D", "foo", "--nope"), "foo"), (("versions",), "versions"), (("-",), "-"),
    (("",), ""), (("--", "foo"), "foo"), (("--", "-v"), "-v"), (("--", "--"), "--"), (("-D", "false"), "false"),
    (("-n", "x", "y", "z"), "y"), (("-t", "foo"), "foo"), (("-sl", "reload=abc", "foo"), "foo"),
    (("-c", "/nonexistent", "foo"), "foo"), (("-v=false", "foo"), "foo"), (("-h=false", "foo"), "foo"), (('a"b\n',), r'a\"b\n'),
])
def test_l28_unknown_word(run, program, args, word):
    """C-31: unknown word → `unrecognized command: "x"`, exit 1; parsing stops at the first non-flag word."""
    ended = run(*args)
    assert (ended.code, ended.out, ended.err) == (1, "", f'{program}: unrecognized command: "{word}"\n')


# ---- flags

@pytest.mark.parametrize("args, error", [
    (("--nope",), "flag provided but not defined: -nope"), (("-nope",), "flag provided but not defined: -nope"),
    (("-x=1",), "flag provided but not defined: -x"), (("-vD",), "flag provided but not defined: -vD"),
    (("-DD",), "flag provided but not defined: -DD"), (("-Port", "1"), "flag provided but not defined: -Port"),
    (("--PORT=1",), "flag provided but not defined: -PORT"), (("-p", "1", "-2"), "flag provided but not defined: -2"),
    (("---p",), "bad flag syntax: ---p"), (("-=x",), "bad flag syntax: -=x"), (("--=x",), "bad flag syntax: --=x"),
    (("---",), "bad flag syntax: ---"),
    (("-p",), "flag needs an argument: -p"), (("--port",), "flag needs an argument: -port"),
    (("-D", "--log"), "flag needs an argument: -log"),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_l28_bad_flags(run, args, error):
    """C-30: unknown flag → error on stderr, usage on stdout, exit 0."""
    assert_usage(run(*args), f"{error}\n")


@pytest.mark.parametrize("value, shown", [
    ("abc", "abc"), ("", ""), ("-D", "-D"), ("12a", "12a"), ("1.5", "1.5"), ("1e3", "1e3"), (" 1", " 1"), ("1k", "1k"),
    ("0x", "0x"), ("1__0", "1__0"), ("_1", "_1"), ("1_", "1_"), ("08", "08"), ("--1", "--1"), ('"\n', r'\"\n'),
])
@pytest.mark.parametrize("flag", ["-p", "--port", "--log_size_limit"])
def test_l28_bad_integers(run, flag, value, shown):
    """A value that is no integer: the same."""
    error = f'invalid value "{shown}" for flag -{flag.lstrip("-")}: parse error\n'
    assert_usage(run(flag, value), error)
    assert_usage(run(f"{flag}={value}"), error)


@pytest.mark.parametrize("value", ["9223372036854775808", "-9223372036854775809", "0x1_0000_0000_0000_0000", "9" * 40])
def test_l28_integers_out_of_range(run, value):
    """Integers have 64 bits."""
    for flag in ("-p", "--log_size_limit"):
        assert_usage(run(flag, value), f'invalid value "{value}" for flag -{flag.lstrip("-")}: value out of range\n')


@pytest.mark.parametrize("value, shown", [
    ("maybe", "maybe"), ("", ""), ("tRUE", "tRUE"), ("yes", "yes"), ("on", "on"), ("2", "2"), ('\t"', r'\t\"'),
])
@pytest.mark.parametrize("flag", ["-D", "--debug", "-DV", "-v", "--help"])
def test_l28_bad_booleans(run, flag, value, shown):
    """A value that is no boolean: the same."""
    assert_usage(run(f"{flag}={value}"), f'invalid boolean value "{shown}" for -{flag.lstrip("-")}: parse error\n')


@pytest.mark.parametrize("value", "1 0 t f T F true false TRUE FALSE True False".split())
def test_booleans(run, program, value):
    """Booleans: 1 0 t f T F true false TRUE FALSE True False."""
    ended = run(f"-v={value}", "foo")
    if value[0] in "1tT":
        assert ended.code == 0 and ended.out.startswith(f"{program}: v")
    else:
        assert (ended.code, ended.err) == (1, f'{program}: unrecognized command: "foo"\n')


@pytest.mark.parametrize("value", [
    "0", "-1", "+1", "4222", "0x10", "0X1f", "0o17", "017", "0b101", "1_000", "0x_1f", "-0x10", "9223372036854775807",
    "-9223372036854775808",
])
def test_integers(run, program, value):
    """Integers: decimal, `0x`, `0o`, `0b`, `_`."""
    for args in (("-p", value), (f"-p={value}",), ("--log_size_limit", value)):
        ended = run(*args, "foo")
        assert (ended.code, ended.err) == (1, f'{program}: unrecognized command: "foo"\n')


@pytest.mark.parametrize("flag", both_dashes(FLAGS))
def test_every_flag_with_either_dash(run, program, flag):
    """`-x` and `--x` are the same flag; `-f v` or `-f=v`, booleans only `-f` or `-f=v`."""
    known = "-" + flag.lstrip("-") if "-" + flag.lstrip("-") in FLAGS else "--" + flag.lstrip("-")
    if known in NO_VALUE:
        forms, bad = [(f"{flag}=false",)], "invalid boolean value \"x\" for {}: parse error"
        if known not in ("-h", "--help", "-v", "--version", "--help_tls"):
            forms.append((flag,))
    elif known in NUMBERS:
        forms, bad = [(flag, "1"), (f"{flag}=1",)], "invalid value \"x\" for flag {}: parse error"
    else:
        forms, bad = [(flag, "x"), (f"{flag}=x",), (flag, ""), (f"{flag}=a=b",)], None
    for form in forms:
        ended = run(*form, "foo")
        assert (ended.code, ended.out, ended.err) == (1, "", f'{program}: unrecognized command: "foo"\n')
    name = "-" + flag.lstrip("-")
    if bad:
        assert_usage(run(f"{flag}=x"), bad.format(name) + "\n")
    if known not in NO_VALUE:
        assert_usage(run(flag), f"flag needs an argument: {name}\n")


@pytest.mark.parametrize("args", [
    ("-p", "1", "-p", "2", "-v"), ("-v", "-v=false", "-v"), ("-v", "-h"), ("-h", "-v"), ("-v", "--help_tls"),
    ("-v", "-c", "/nonexistent"), ("-v", "-t"), ("-v", "-sl", "foo=1"), ("-v", "foo"), ("-n=", "-v"), ("-n", "-h", "-v"),
])
def test_order_version_first(run, program, args):
    """Order of checks: flag syntax → `-v` → `-h` → `--help_tls` → word → `--signal` → config file → `-t`."""
    ended = run(*args)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"{program}: v")


@pytest.mark.parametrize("args", [
    ("-v", "--nope"), ("--nope", "-v"), ("-h", "--nope"), ("-sl", "foo=1", "--nope"), ("-t", "--nope"),
])
def test_order_syntax_first(run, args):
    """A flag that does not exist comes before all."""
    assert_usage(run(*args), "flag provided but not defined: -nope\n")


@pytest.mark.parametrize("args", [
    ("-h", "--help_tls"), ("-h", "foo"), ("-h", "-sl", "foo=1"), ("-h", "-t"), ("-h", "-c", "/nonexistent"),
    ("-v", "-v=false", "-h"),
])
def test_order_help_second(run, args):
    """-h comes after -v, before the rest."""
    assert_usage(run(*args))


def test_order_signal_before_start(run, program):
    """--signal comes before the configuration file and -t."""
    ended = run("-sl", "foo=1", "-c", "/nonexistent", "-t")
    assert (ended.code, ended.out, ended.err) == (1, "", f'{program}: unknown signal "foo"\n')


@pytest.mark.parametrize("args", [("-t",), ("-t", "-p", "-1"), ("-t", "-c", "")])
def test_check_without_a_file(run, program, args):
    """`-t` without `-c` → `must specify [-c, --config] option to check configuration file syntax`, exit 1."""
    ended = run(*args)
    assert (ended.code, ended.out, ended.err) == (
        1, "", f"{program}: must specify [-c, --config] option to check configuration file syntax\n")


def test_repetition(connect, start_server):
    """Of a repeated flag the last wins, under whatever name."""
    server = start_server("-n", "one", "--server_name=two", "-name", "three")
    assert connect(server).info["server_name"] == "three"


def test_end_of_flags(start_server):
    """`--` ends the flags; nothing has to follow."""
    start_server("-p", "-1", "--")


@pytest.mark.ours
@pytest.mark.parametrize("setting, error", [
    ("nope=1", '--set: unknown option "nope"'), ("nope", '--set: expected NAME=VALUE, got "nope"'),
    ("lame_duck_duration=10s", "--set: invalid lame_duck_duration of 10s, minimum is 30 seconds"),
])
def test_set_errors(refused, program, setting, error):
    """--set names what is wrong, exit 1."""
    assert refused("--set", setting) == f"{program}: {error}\n"


@pytest.mark.ours
def test_set_is_beaten_by_flags(connect, start_server):
    """--set is in the place of the configuration file: flags beat it, wherever they stand."""
    server = start_server("-n", "flag", "--set", "server_name=set", "--set", "server_name=later")
    assert connect(server).info["server_name"] == "flag"
