# SPDX-License-Identifier: Apache-2.0
"""What `-t` says about accounts: names, exports, imports, mappings, traces.  Texts and places are those of nats-server 2.15.1.

Where the Go server's verdict differs from run to run (it visits maps in random order), or lets pass what can not work, a test is
marked `ours`: docs/differences.md has the reasons.
"""

import os
import subprocess

import pytest

from harness import Server
from harness.server import gnatwren_binary, peer_binary


@pytest.fixture
def verdict(tmp_path):
    """verdict(text) -> the lines that `-t` prints about an invalid file t.conf, sorted; "OK" for a valid one."""
    binary = peer_binary() if Server.peer_by_default else gnatwren_binary()
    prefix = f"{'nats-server' if Server.peer_by_default else os.path.basename(binary)}: "

    def run(text):
        (tmp_path / "t.conf").write_text(text)
        done = subprocess.run([binary, "-t", "-c", "t.conf"], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60)
        lines = (done.stdout + done.stderr).strip("\n").removeprefix(prefix).split("\n")
        return "OK" if done.returncode == 0 else "\n".join(sorted(line for line in lines if "did you mean" not in line))

    return run


@pytest.fixture
def ours():
    """The test is about gnatwren only."""
    if Server.peer_by_default:
        pytest.skip("the Go server differs, see docs/differences.md")


def at(line, column, text):
    return f"t.conf:{line}:{column}: {text}"


def pair(exports, imports, more=""):
    """Account S exports, account A imports; what is wrong with both is reported at 1:0."""
    return f"accounts {{ S: {{ exports: [{exports}] }}, A: {{ imports: [{imports}] }}{more and ', '}{more} }}"


def refused(what, subject, why):
    return at(1, 0, f'Error adding {what} "{subject}": {why}')


# ---- accounts


@pytest.mark.parametrize("text", ['accounts { "$G": { users: [{user: g}] } }', 'accounts: ["$G"]'])
def test_x003_reserved_account(verdict, text):
    """X-003: $G can not be configured as an account."""
    assert verdict(text).endswith('"$G" is a Reserved Account')


def test_x004_duplicate_account(verdict):
    """X-004: an array of accounts names each once."""
    assert verdict("accounts: [A, A]") == at(1, 14, "Duplicate Account Entry: A")
    assert verdict("accounts: [A, B]") == "OK"


def test_x005_duplicate_user(verdict):
    """X-005: users are unique over all accounts."""
    assert verdict("accounts { A: { users: [{user: a}] }, B: { users: [{user: a}] } }").endswith('Duplicate user "a" detected')


def test_x010_undefined_system_account(verdict, start_server, tmp_path):
    """X-010: a system account that does not exist: `-t` passes, the start fails."""
    assert verdict("system_account: ZZ") == "OK"
    server = start_server("-c", tmp_path / "t.conf", wait=False)
    assert server.wait_exit(20) == 1
    assert "error resolving system account: account missing" in server.log()


def test_x011_token_and_accounts(verdict):
    """X-011: a token does not go together with users of accounts."""
    text = verdict("authorization { token: x }\naccounts { A: { users: [{user: a}] } }")
    assert text.endswith(("Can not have a token and accounts", "Can not have a token and a users array"))


@pytest.mark.parametrize("text, message", [
    ("accounts { A: { foo: 1 } }", at(1, 16, 'unknown field "foo"')),
    ("accounts { A: 1 }", at(1, 11, "Expected map entries for accounts")),
    ('accounts { A: { nkey: "xx" } }', at(1, 16, 'Not a valid public nkey for an account: "xx"')),
])
def test_x012_account_keys(verdict, text, message):
    """X-012: what may be in an account."""
    assert verdict(text) == message


def test_x014_name_of_several_tokens(verdict, start_server, tmp_path, connect):
    """X-014: an account named "a.b" is taken, but $SYS.REQ.USER.INFO has no responders there."""
    assert verdict('accounts { "a.b": { users: [{user: a, pass: a}] } }') == "OK"
    client = connect(start_server("-c", tmp_path / "t.conf")).connect(user="a", **{"pass": "a"}, headers=True, no_responders=True)
    client.send(b"SUB r 1\r\nPUB $SYS.REQ.USER.INFO r 0\r\n\r\n")
    client.expect_re(rb"HMSG r 1 \d+ \d+\r\nNATS/1.0 503")


def test_x020_limits(verdict):
    """X-020: there are no limits of imports and exports."""
    assert verdict("accounts { A: { limits { max_imports: 1 } } }") == at(1, 25, 'Unknown field "max_imports" parsing account limits')


# ---- mappings


def in_account(mappings):
    return f"accounts {{ A: {{ mappings: {{ {mappings} }} }} }}"


def at_top(mappings):
    return f"mappings: {{ {mappings} }}".ljust(45)


PLACES = pytest.mark.parametrize("place, column", [(in_account, 28), (at_top, 12)], ids=["account", "top"])


@PLACES
@pytest.mark.parametrize("mapping, message", [
    ("a: [{dest: b, weight: 60}, {dest: c, weight: 60}]", "total weight needs to be <= 100"),
    ("a: [{dest: b, weight: 60, cluster: X}, {dest: c, weight: 60, cluster: X}]", "total weight needs to be <= 100"),
    ("a: [{dest: b, weight: 60}, {dest: b, weight: 30}]", 'duplicate entry for "b"'),
    ("a: [{dest: b, weight: 60, cluster: X}, {dest: b, weight: 30}]", 'duplicate entry for "b"'),
    ("a: [{dest: b, weight: 60, cluster: X}, {dest: c, weight: 60}]", None),
    ("a: []", None),
])
def test_x040_sums(verdict, place, column, mapping, message):
    """X-040: weights of a scope add up to 100 at most; a destination is there once."""
    assert verdict(place(mapping)) == (at(1, column, f'Error adding mapping for "a" : {message}') if message else "OK")


@PLACES
@pytest.mark.parametrize("mapping, column2, message", [
    ("a: {dest: b, weight: 101}", 13, "Invalid weight 101 for mapping destination"),
    ("a: {dest: b, weight: -1}", 13, "Invalid weight -1 for mapping destination"),
    ('a: {dest: b, weight: "101%"}', 13, "Invalid weight 101 for mapping destination"),
    ('a: {dest: b, weight: "5 %"}', 13, 'Invalid weight "5 " for mapping destination'),
    ('a: {dest: b, weight: "x"}', 13, 'Invalid weight "x" for mapping destination'),
    ('a: {dest: b, weight: "5%%"}', 13, 'Invalid weight "5%" for mapping destination'),
    ("a: {dest: b, weight: 1.5}", 13, "Unknown entry type for weight of 1.5"),
    ("a: {dest: b}", 0, 'Missing weight for mapping destination "b"'),
    ("a: [{dest: b}]", 13, 'Missing weight for mapping destination "b"'),
    ("a: {}", 0, 'Missing weight for mapping destination ""'),
    ("a: {dest: b, foo: 1}", 13, 'Unknown field "foo" for mapping destination'),
    ("a: {dest: b, weight: 5, foo: 1}", 24, 'Unknown field "foo" for mapping destination'),
    ("a: 5", 0, "Expected an entry for the mapping destination"),
    ("a: [b]", 4, "Expected an entry for the mapping destination"),
    ("a: {dest: 5, weight: 5}", 0, "interface conversion: interface {} is int64, not string"),
    ('a: {dest: b, weight: "60%"}', None, "OK"),
    ('a: {destination: b, weight: "+5"}', None, "OK"),
    ("a: {Dest: b, WEIGHT: 0}", None, "OK"),
])
def test_x041_weights(verdict, place, column, mapping, column2, message):
    """X-041: what a destination says."""
    assert verdict(place(mapping)) == (message if message == "OK" else at(1, column + column2, message))


@PLACES
def test_x041_errors_of_several(verdict, place, column):
    """X-041: each wrong destination is reported."""
    assert verdict(place("a: [{dest: b}, {dest: c}], d: 5")) == "\n".join(sorted([
        at(1, column + 13, 'Missing weight for mapping destination "b"'), at(1, column + 24, 'Missing weight for mapping destination "c"'),
        at(1, column + 27, "Expected an entry for the mapping destination")]))


@PLACES
@pytest.mark.parametrize("source, dest, message", [
    ("f.*", "x.{{foo(1)}}", "invalid mapping destination: unknown function in {{foo(1)}}"),
    ("f.*", "x.$2", "invalid mapping destination: wildcard index out of range in $2: [2]"),
    ("foo", "x.$1", "invalid mapping destination: wildcard index out of range in $1"),
    ("f.>", "x", "invalid subject"),
    ("foo", "x.>", "invalid subject"),
    ("foo", "x.*", "invalid subject"),
    ("foo", "x..y", "invalid mapping destination: invalid transform"),
    ("foo", "x y", "invalid mapping destination: invalid transform"),
])
def test_x052_x053_x054_transforms(verdict, place, column, source, dest, message):
    """X-052, X-053, X-054: what is wrong with a destination, in both forms."""
    assert verdict(place(f'"{source}": "{dest}"')) == at(1, column + 1, f'Error adding mapping for "{source}" to "{dest}" : {message}')
    assert verdict(place(f'"{source}": {{dest: "{dest}", weight: 5}}')) == at(1, column + 1,
                                                                             f'Error adding mapping for "{source}" : {message}')


def test_x053_index_0(verdict):
    """X-053: $0 is accepted."""
    assert verdict('mappings: { "f.*": "x.$0" }') == "OK"


@pytest.mark.parametrize("source", ["f..x", "", "a b"])
def test_x054_source(verdict, source):
    """X-054: a source is a valid subject; that is reported at the whole block."""
    assert verdict(f'mappings: {{ "{source}": b }}') == at(1, 0, f'Subject "{source}" is not a valid subject')


def test_empty_destination(verdict, ours):
    """§5: an empty destination ends the Go server at the first message."""
    assert verdict('mappings: { a: "" }') != "OK"
    assert verdict("mappings: { a: {weight: 5} }") != "OK"


def test_x058_maps(verdict):
    """X-058: maps is another name of mappings, also beside it."""
    assert verdict("maps: { a: b }") == "OK"
    assert verdict("mappings: { a: b }\nmaps: { a: c }") == "OK"
    assert verdict('mappings: { a: "x.*" }\nmaps: { b: "y.*" }') == "\n".join([
        at(1, 12, 'Error adding mapping for "a" to "x.*" : invalid subject'),
        at(2, 9, 'Error adding mapping for "b" to "y.*" : invalid subject')])
    assert verdict("mappings: 5") == at(1, 0, "interface conversion: interface {} is int64, not map[string]interface {}")


# ---- streams


@pytest.mark.parametrize("exports, imports, message", [
    ('{stream: "o.*.*"}', '{stream: {account: S, subject: "o.*.*"}, to: "bar.$1"}',
     'from "o.*.*" to "bar.$1": invalid mapping destination: not using all of the token wildcard(s) in bar.$1'),
    ('{stream: "o.*"}', '{stream: {account: S, subject: "o.*"}, to: "x.{{partition(3,1)}}"}',
     'from "o.*" to "x.{{partition(3,1)}}": invalid mapping destination: the only mapping function allowed for import transforms is '
     "{{Wildcard()}} in {{partition(3,1)}}"),
    ('{stream: "o.*"}', '{stream: {account: S, subject: "o.*"}, to: "x.$2"}',
     'from "o.*" to "x.$2": invalid mapping destination: wildcard index out of range in $2: [2]'),
    ('{stream: "o.*"}', '{stream: {account: S, subject: "o.*"}, to: "x.>"}', 'from "o.*" to "x.>": invalid subject'),
])
def test_x064_strict_transforms(verdict, exports, imports, message):
    """X-064: the "to" of an import uses each wildcard, and nothing else."""
    subject = exports.split('"')[1]
    assert verdict(pair(exports, imports)) == refused("stream import", subject,
                                                      f"failed to create mapping transform for stream import subject {message}")


@pytest.mark.parametrize("keys", ["prefix: x, to: y", "to: y, prefix: x"])
def test_x065_prefix_and_to(verdict, ours, keys):
    """X-065: a stream has either prefix or to; the Go server says so in some runs only."""
    text = pair("{stream: a}", f"{{stream: {{account: S, subject: a}}, {keys}}}")
    assert verdict(text) == at(1, text.index("to: y"), "Stream import can not have a 'prefix' and a 'to' property")


@pytest.mark.parametrize("kind", ["stream", "service"])
def test_x066_authorised_accounts(verdict, kind):
    """X-066: only the accounts listed may import; an empty list means all; those listed must exist."""
    imports = f"{{{kind}: {{account: S, subject: a}}}}"
    denied = refused(f"{kind} import", "a", f"{kind} import not authorized")
    assert verdict(pair(f"{{{kind}: a, accounts: [B]}}", imports, "B: {}")) == denied
    assert verdict(pair(f"{{{kind}: a, accounts: [B, A]}}", imports, "B: {}")) == "OK"
    assert verdict(pair(f"{{{kind}: a, accounts: []}}", imports)) == "OK"
    assert verdict(pair(f"{{{kind}: a, accounts: [Z]}}", "")) == at(1, 0, f'"Z" account not defined for {kind} export')
    assert verdict(pair(f"{{{kind}: b}}", imports)) == denied


@pytest.mark.parametrize("kind", ["stream", "service"])
@pytest.mark.parametrize("exports, is_allowed", [
    ("{KIND: a}, {KIND: a, accounts: [B]}", False),
    ("{KIND: a, accounts: [B]}, {KIND: a}", False),
    ("{KIND: a, accounts: [A]}, {KIND: a, accounts: [B]}", True),
    ('{KIND: a, accounts: [B]}, {KIND: ">"}', False),
])
def test_x066_exported_twice(verdict, kind, exports, is_allowed):
    """§7: an export of the same subject decides, and its accounts add up if there are several."""
    text = pair(exports.replace("KIND", kind), f"{{{kind}: {{account: S, subject: a}}}}", "B: {}")
    assert verdict(text) == ("OK" if is_allowed else refused(f"{kind} import", "a", f"{kind} import not authorized"))


@pytest.mark.parametrize("kind", ["stream", "service"])
def test_x067_account_token(verdict, kind):
    """X-067: with account_token_position one imports only what has one's own name there."""
    def run(subject, more=""):
        exports = f'{{{kind}: "a.*.b", account_token_position: 2 {more}}}'
        return verdict(pair(exports, f'{{{kind}: {{account: S, subject: "{subject}"}}}}'))

    assert run("a.A.b") == "OK"
    assert run("a.A.b", ", accounts: [S]") == "OK"  # the position alone decides
    for subject in "a.B.b", "a.*.b":
        assert run(subject) == refused(f"{kind} import", subject, f"{kind} import not authorized")


@pytest.mark.parametrize("kind", ["stream", "service"])
@pytest.mark.parametrize("subject, position", [("a", 1), ("a.*", 1), ("a.*", 3), ("a.>", 2), ("a.*", 99999999999)])
def test_x067_position_of_no_wildcard(verdict, kind, subject, position):
    """X-067: the position is that of a "*"."""
    assert verdict(pair(f'{{{kind}: "{subject}", account_token_position: {position}}}', "")) == refused(
        f"{kind} export", subject, "sublist: invalid subject")


@pytest.mark.parametrize("kind", ["stream", "service"])
def test_x068_subset(verdict, kind):
    """X-068: one may import a part of what is exported, not more."""
    def run(exported, subject):
        return verdict(pair(f'{{{kind}: "{exported}"}}', f'{{{kind}: {{account: S, subject: "{subject}"}}}}'))

    denied = f"{kind} import not authorized"
    assert run("a.*", "a.>") == refused(f"{kind} import", "a.>", denied)
    assert run("a.*", "*.a") == refused(f"{kind} import", "*.a", denied)
    assert run("a.*", "a.b") == run("a.>", "a.*") == run(">", "a.b.>") == "OK"


@pytest.mark.parametrize("second", ["", ", prefix: p", ", to: p"])
def test_x069_stream_twice(verdict, second):
    """X-069: the same subject of the same account is imported once; of two accounts it is fine."""
    first = "{stream: {account: S, subject: a.x}}"
    assert verdict(pair('{stream: "a.>"}', f"{first}, {{stream: {{account: S, subject: a.x}}{second}}}")) == refused(
        "stream import", "a.x", "stream import already exists")
    assert verdict(pair('{stream: "a.>"}', f"{first}, {{stream: {{account: T, subject: a.x}}}}", "T: { exports: [{stream: a.x}] }")) == "OK"


@pytest.mark.parametrize("kind", ["stream", "service"])
@pytest.mark.parametrize("account", ["S", "$G", "$SYS"])
def test_x070_undefined_account(verdict, kind, account):
    """X-070: one imports only of accounts that are configured."""
    assert verdict(f'accounts {{ A: {{ imports: [{{{kind}: {{account: "{account}", subject: a}}}}] }} }}') == at(
        1, 0, f'"{account}" account not defined for {kind} import')


def mutual(kind, *imports):
    """Accounts 0, 1, …: each imports from the next one, the last one from the first: (subject there, local subject)."""
    n = len(imports)
    accounts = (f'A{i}: {{ exports: [{{{kind}: ">"}}], imports: [{{{kind}: {{account: A{(i + 1) % n}, subject: "{there}"}}, '
                f'to: "{here}"}}] }}' for i, (there, here) in enumerate(imports))
    return f"accounts {{ {', '.join(accounts)} }}"


@pytest.mark.parametrize("subject", ["x", ">", "a.*"])
@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("kind", ["stream", "service"])
def test_x077_x103_cycle_of_same_subject(verdict, kind, n, subject):
    """X-077, X-103: accounts that import the same of each other."""
    assert verdict(mutual(kind, *[(subject, subject)] * n)) == refused(f"{kind} import", subject, "import forms a cycle")


def test_x077_prefixes(verdict):
    """X-077: prefixes do not help when everything is imported."""
    text = ('accounts { A: { exports: [{stream: ">"}], imports: [{stream: {account: B, subject: ">"}, prefix: b}] }, '
            'B: { exports: [{stream: ">"}], imports: [{stream: {account: A, subject: ">"}, prefix: a}] } }')
    assert verdict(text) == refused("stream import", ">", "import forms a cycle")


def test_x077_stream_renamed_thrice(verdict):
    """X-077: three accounts that rename at every hop are no cycle of streams: what is imported is not exported again."""
    text = ("accounts { A: { exports: [{stream: a}], imports: [{stream: {account: B, subject: b}, to: a}] }, "
            "B: { exports: [{stream: b}], imports: [{stream: {account: C, subject: c}, to: b}] }, "
            "C: { exports: [{stream: c}], imports: [{stream: {account: A, subject: a}, to: c}] } }")
    assert verdict(text) == "OK"


# ---- services


def test_x088_service_transforms(verdict):
    """X-088, §8: the "to" of a service goes either way, so it has each wildcard."""
    def run(subject, to):
        return verdict(pair('{service: ">"}', f'{{service: {{account: S, subject: "{subject}"}}, to: "{to}"}}'))

    failed = "failed to create mapping transform for service import subject from"
    bad = "invalid mapping destination:"
    assert run("req.*.*", "w.$2.$1") == run("req.*", "w.*") == run("req.>", "w.>") == run("req", "lr.*") == "OK"
    assert run("req.*.*", "w.$1") == refused("service import", "req.*.*", f'{failed} "w.$1" to "req.*.*": {bad} not using all of the '
                                                                         "token wildcard(s) in w.$1")
    assert run("req.*", "w.$2") == refused("service import", "req.*",
                                           f'{failed} "w.$2" to "req.*": {bad} wildcard index out of range in $2: [2]')
    assert run("req.>", "w.*") == refused("service import", "req.>", f'{failed} "w.*" to "req.>": invalid subject')
    assert run("a..b", "w") == refused("service import", "a..b", "sublist: invalid subject")
    assert run("a", "w..x") == refused("service import", "a", "sublist: invalid subject")


def test_wildcard_twice(verdict, ours):
    """§8: a wildcard that comes twice in "to" can not be reversed."""
    assert verdict(pair('{service: "a.*"}', '{service: {account: S, subject: "a.*"}, to: "x.$1.$1"}')) != "OK"


@pytest.mark.parametrize("to", ["x.*", "x.>", "x..y", "x y"])
def test_literal_stream_to_pattern(verdict, ours, to):
    """§7: what has no wildcards can not be delivered under a subject with wildcards."""
    assert verdict(pair("{stream: a}", f'{{stream: {{account: S, subject: a}}, to: "{to}"}}')) != "OK"


def test_x103_two_accounts_rename(verdict):
    """X-103: a request that is renamed on its way round."""
    text = ("accounts { A: { exports: [{service: y}], imports: [{service: {account: B, subject: x}, to: y}] }, "
            "B: { exports: [{service: x}], imports: [{service: {account: A, subject: y}, to: x}] } }")
    assert verdict(text).endswith("import forms a cycle")


def test_x103_renamed_thrice(verdict, ours):
    """X-103: with three accounts as well, which the Go server does not see."""
    text = ("accounts { A: { exports: [{service: a}], imports: [{service: {account: B, subject: b}, to: a}] }, "
            "B: { exports: [{service: b}], imports: [{service: {account: C, subject: c}, to: b}] }, "
            "C: { exports: [{service: c}], imports: [{service: {account: A, subject: a}, to: c}] } }")
    assert verdict(text).endswith("import forms a cycle")


def test_x103_no_cycle(verdict):
    """X-103: chains, and imports of an account's own services, are none."""
    assert verdict("accounts { A: { imports: [{service: {account: B, subject: b}, to: a}] }, "
                   "B: { exports: [{service: b}], imports: [{service: {account: C, subject: c}, to: b}] }, "
                   "C: { exports: [{service: c}] } }") == "OK"
    assert verdict("accounts { A: { exports: [{service: a}], imports: [{service: {account: A, subject: a}, to: my.a}] } }") == "OK"
    assert verdict("accounts { A: { exports: [{service: a}], imports: [{service: {account: A, subject: a}}] } }") == "OK"


def test_x104_same_local_subject(verdict):
    """X-104: one local subject leads to one subject of an account."""
    text = pair('{service: "a.>"}', "{service: {account: S, subject: a.x}, to: b}, {service: {account: S, subject: a.y}, to: b}")
    assert verdict(text) == at(1, text.rindex("}] }") + 1,
                               'Duplicate service import subject "b", previously used in import for account "S", subject "a.x"')
    assert verdict(pair('{service: "a.>"}', '{service: {account: S, subject: "a.*"}, to: "b.$1"}, '
                        '{service: {account: S, subject: "a.*"}, to: "b.*"}')) == refused(
        "service import", "a.*", 'duplicate service import subject "b.*", previously used in import for account "S", subject "a.*"')
    assert verdict(pair("{service: a}", "{service: {account: S, subject: a}, to: b}, {service: {account: T, subject: a}, to: b}",
                        "T: { exports: [{service: a}] }")) == "OK"


def export(text):
    return f"accounts {{ A: {{ exports: [ {{{text}}} ] }} }}"


@pytest.mark.parametrize("text, key, message", [
    ("service: a, response: foo", "response", 'Unknown response type: "foo"'),
    ("service: a, response: 5", "response", "Expected response type to be string, got int64"),
    ("service: a, threshold: 5", "threshold", "Expected response threshold to be a parseable time duration, got int64"),
    ("service: a, response_time: 2m", "response_time", "Expected response threshold to be a parseable time duration, got int64"),
    ('service: a, threshold: "x"', "threshold", 'Expected response threshold to be a parseable time duration, got "x"'),
    ("stream: a, response: stream", "response", "Detected response directive on non-service"),
    ("stream: a, latency: b", "latency", "Detected latency directive on non-service"),
    ("stream: a, allow_trace: true", "allow_trace", "Detected allow_trace directive on non-service"),
    ("stream: a, foo: 1", "foo", 'unknown field "foo"'),
    ("stream: 5", "stream", "Expected stream name to be string, got int64"),
    ("service: 5", "service", "Expected service name to be string, got int64"),
    ("service: a, accounts: B", "accounts", "interface conversion: interface {} is string, not []interface {}"),
    ("service: a, allow_trace: 5", "allow_trace", "interface conversion: interface {} is int64, not bool"),
    ('service: a, account_token_position: "2"', "account_token_position", "interface conversion: interface {} is string, not int64"),
])
def test_x106_exports(verdict, text, key, message):
    """X-106: what is wrong with one export, at its key."""
    text = export(text)
    assert verdict(text) == at(1, text.index(key, 20), message)


@pytest.mark.parametrize("text", [
    "service: a, response: Chunk", "service: a, response_type: SINGLE", 'service: a, response: stream, response_max_time: "250ms"',
    "service: a, allow_trace: true", "", "accounts: [A]",
])
def test_x106_good_exports(verdict, text):
    """X-106: and what is right."""
    assert verdict(export(text)) == "OK"


def test_threshold_of_stream(verdict, ours):
    """X-106: a stream has no threshold; the Go server says so in some runs only."""
    assert verdict(export('stream: a, threshold: "1s"')).endswith("Detected response directive on non-service")


@pytest.mark.parametrize("text, message", [
    ("stream: a, service: b", 'Detected service "b" but already saw a stream'),
    ("service: b, stream: a", 'Detected stream "a" but already saw a service'),
    ("service: a, response: single, response_type: single", "Duplicate response type definition"),
    ('service: a, threshold: "1s", response_time: "2s"', "Duplicate response threshold detected"),
])
def test_x106_export_of_two(verdict, ours, text, message):
    """X-106: an export is one thing (the Go server reports either key)."""
    last = text.split(", ")[-1]
    text = export(text)
    assert verdict(text) == at(1, text.index(last), message)


@pytest.mark.parametrize("text, message", [
    ("accounts { A: { exports: 5 } }", at(1, 16, "Exports should be an array, got int64")),
    ("accounts { A: { imports: 5 } }", at(1, 16, "Imports should be an array, got int64")),
    ("accounts { A: { exports: [ a ] } }", at(1, 29, "Export Items should be a map with type entry, got string")),
    ("accounts { A: { imports: [ a ] } }", at(1, 29, "Import Items should be a map with type entry, got string")),
])
def test_x106_lists(verdict, text, message):
    """X-106: both are arrays of maps."""
    assert verdict(text) in (message, message.replace(":29:", ":27:"))


@pytest.mark.parametrize("text, key, message", [
    ("stream: a", "stream", "Stream entry should be an account map, got string"),
    ("service: a", "service", "Service entry should be an account map, got string"),
    ("stream: {account: S}", "stream", "Expect an account name and a subject"),
    ("service: {subject: a}", "service", "Expect an account name and a subject"),
    ('service: {account: S, subject: ""}', "service", "Expect an account name and a subject"),
    ("service: {account: S, subject: a, foo: 1}", "foo", 'unknown field "foo"'),
    ("service: {account: S, subject: a}, allow_trace: true", "allow_trace", "Detected allow_trace directive on a non-stream"),
    ("stream: {account: S, subject: a}, share: 5", "share", "interface conversion: interface {} is int64, not bool"),
    ("stream: {account: S, subject: a}, to: 5", "to", "interface conversion: interface {} is int64, not string"),
    ("foo: 1", "foo", 'unknown field "foo"'),
])
def test_x106_imports(verdict, text, key, message):
    """X-106: what is wrong with one import, at its key."""
    text = pair("{stream: a}, {service: a}", f"{{{text}}}")
    assert verdict(text) == at(1, text.index(key, text.index("imports")), message)


@pytest.mark.parametrize("text", [
    "stream: {account: S, subject: a}, share: true", "service: {account: S, subject: a}, prefix: x", "to: x", "",
    "stream: {Account: S, Subject: a}, Allow_Trace: true", 'stream: {account: S, subject: a}, prefix: "x."',
])
def test_x106_good_imports(verdict, text):
    """X-106: and what is right: share on a stream and prefix on a service do nothing."""
    assert verdict(pair("{stream: a}, {service: a}", f"{{{text}}}")) == "OK"


@pytest.mark.parametrize("prefix", ["x.*", "x.>", "*"])
def test_x062_prefix(verdict, prefix):
    """X-062: a prefix has no wildcards."""
    assert verdict(pair("{stream: a}", f'{{stream: {{account: S, subject: a}}, prefix: "{prefix}"}}')) == refused(
        "stream import", "a", "stream import prefix can not contain wildcard tokens")


# ---- latency


@pytest.mark.parametrize("latency, key, message", [
    ("5", "latency", "Expected latency entry to be a map/struct or string, got int64"),
    ("{}", "latency", "Latency subject required, but missing"),
    ("{sampling: 5}", "latency", "Latency subject required, but missing"),
    ("{Subject: b}", "latency", "Latency subject required, but missing"),
    ("{sampling: 0, subject: b}", "sampling", "bad sampling percentage, should be 1-100"),
    ("{sampling: 101, subject: b}", "sampling", "bad sampling percentage, should be 1-100"),
    ('{sampling: "0%", subject: b}', "sampling", "bad sampling percentage, should be 1-100"),
    ('{sampling: x, subject: b}', "sampling", 'Failed to parse latency sample: strconv.Atoi: parsing "x": invalid syntax'),
    ("{sampling: true, subject: b}", "sampling", "Expected latency sample to be a string or map/struct, got bool"),
    ("{subject: 5}", "subject", "Expected latency subject to be a string, got string"),
])
def test_x120_latency(verdict, latency, key, message):
    """X-120: what latency says."""
    text = export(f"service: a, latency: {latency}")
    assert verdict(text) == at(1, text.index(key), message)


@pytest.mark.parametrize("latency", ["b", '{sampling: "5%", subject: b}', "{sampling: HEADERS, subject: b}", "{subject: b, foo: 1}"])
def test_x120_good_latency(verdict, latency):
    """X-120: subject alone, percentages, headers."""
    assert verdict(export(f"service: a, latency: {latency}")) == "OK"


@pytest.mark.parametrize("exports, subject, why", [
    ('{service: a, latency: ""}', "", "invalid publish subject"),
    ('{service: a, latency: "x.*"}', "x.*", "invalid publish subject"),
    ("{service: a, latency: a}", "a", "invalid publish subject"),
    ('{service: ">"}, {service: a, latency: b}', "b", "invalid publish subject"),
    ("{service: a, response: stream, latency: b}", "b", "bad service response type"),
])
def test_x120_metrics_subject(verdict, exports, subject, why):
    """X-120: metrics must not be requests; and only one response can be measured."""
    assert verdict(pair(exports, "")) == at(1, 0, f'Error adding service latency sampling for "a" on subject "{subject}": {why}')


def test_x120_exported_later(verdict):
    """X-120: only exports before the one with latency count."""
    assert verdict(pair('{service: a, latency: b}, {service: ">"}', "")) == "OK"
    assert verdict(pair("{stream: b}, {service: a, latency: b}", "")) == "OK"


def test_x120_no_system_account(verdict):
    """X-120: metrics need a system account."""
    assert verdict('no_system_account: true\naccounts { A: { exports: [{service: a, latency: b}] } }') in (
        at(2, 1, 'Error adding service latency sampling for "a": system account not setup'), "OK" if Server.peer_by_default else "")


# ---- traces


@pytest.mark.parametrize("trace, column, message", [
    ('"t.*"', 0, 'Trace destination "t.*" is not valid'),
    ('""', 0, 'Trace destination "" is not valid'),
    ("5", 0, 'Expected account message trace "msg_trace" to be a string or a map/struct, got int64'),
    ("{dest: 5}", 12, 'Field "dest" should be a string, got int64'),
    ('{dest: "a..b"}', 12, 'Trace destination "a..b" is not valid'),
    ("{dest: a, sampling: 0}", 21, "Ttrace destination sampling value 0 is invalid, needs to be [1..100]"),
    ("{dest: a, sampling: 101}", 21, "Ttrace destination sampling value 101 is invalid, needs to be [1..100]"),
    ('{dest: a, sampling: "x%"}', 21, 'Invalid trace destination sampling value "x%"'),
    ("{dest: a, sampling: true}", 21, 'Trace destination sampling field "sampling" should be an integer or a percentage, got bool'),
    ("{sampling: 5}", 0, "Trace destination sampling ignored since no destination was set"),
    ("{dest: a, foo: 1}", 21, 'Unknown field "foo" parsing account message trace map/struct "msg_trace"'),
    ('{dest: a, sampling: "50%"}', None, "OK"),
    ("{Dest: a, Sampling: 5}", None, "OK"),
    ("a.b", None, "OK"),
    ("{}", None, "OK"),
])
def test_trace(verdict, trace, column, message):
    """§2: where traces go."""
    text = f"accounts {{ A: {{ msg_trace: {trace} }} }}"
    assert verdict(text) == (message if column is None else at(1, 16 + column, message))


def test_trace_sampling_alone_is_a_warning(start_server, tmp_path):
    """§2: sampling without a destination does not stand in the way of a start."""
    (tmp_path / "t.conf").write_text("accounts { A: { trace_dest: {sampling: 5} } }")
    server = start_server("-c", tmp_path / "t.conf")
    assert "Trace destination sampling ignored since no destination was set" in server.log()


# ---- the system account


def test_x126_system_service_without_export(verdict):
    """X-126: what the system account does not export itself can not be imported by a configuration."""
    system = "system_account: SYS\n"
    imports = '{service: {account: SYS, subject: "$SYS.DEBUG.SUBSCRIBERS"}}'

    def run(exports):
        return verdict(f"{system}accounts {{ SYS: {{ exports: [{exports}] }}, A: {{ imports: [{imports}] }} }}")

    assert run("") == at(2, 1, 'Error adding service import "$SYS.DEBUG.SUBSCRIBERS": service import not authorized')
    assert run('{service: "$SYS.DEBUG.SUBSCRIBERS"}') == "OK"


def test_x127_system_exports(verdict):
    """X-127: it may export events and requests of an account to that account."""
    exports = ('{service: "$SYS.REQ.ACCOUNT.*.INFO", account_token_position: 4}, '
               '{stream: "$SYS.ACCOUNT.*.CONNECT", account_token_position: 3}')

    def run(name):
        imports = (f'{{service: {{account: S, subject: "$SYS.REQ.ACCOUNT.{name}.INFO"}}}}, '
                   f'{{stream: {{account: S, subject: "$SYS.ACCOUNT.{name}.CONNECT"}}}}')
        return verdict("system_account: S\n" + pair(exports, imports)).replace("t.conf:2:1:", "t.conf:1:0:")

    assert run("A") == "OK"
    assert run("B") == "\n".join(sorted([
        refused("service import", "$SYS.REQ.ACCOUNT.B.INFO", "service import not authorized"),
        refused("stream import", "$SYS.ACCOUNT.B.CONNECT", "stream import not authorized")]))


# ---- all together


def test_order(verdict):
    """§2: exports of all accounts come before any import: the order of accounts does not matter."""
    assert verdict("accounts { A: { imports: [{stream: {account: S, subject: a}}] }, S: { exports: [{stream: a}] } }") == "OK"
    assert verdict(pair("{stream: a}", "{stream: {account: S, subject: a}}")) == "OK"


def test_all_reported(verdict):
    """§2: what is wrong with several accounts is reported together; but only if each can be read by itself."""
    text = ("accounts { A: { imports: [{service: {account: Z, subject: b}}, {stream: {account: Y, subject: b}}], "
            "exports: [{stream: a, accounts: [X]}] }, B: { imports: [{stream: {account: A, subject: b}}] } }")
    assert verdict(text) == "\n".join(sorted([
        at(1, 0, '"X" account not defined for stream export'), at(1, 0, '"Y" account not defined for stream import'),
        at(1, 0, '"Z" account not defined for service import'), refused("stream import", "b", "stream import not authorized")]))
    text = text.replace("B: {", "B: { exports: 5,")
    assert verdict(text) == at(1, text.index("exports: 5"), "Exports should be an array, got int64")
