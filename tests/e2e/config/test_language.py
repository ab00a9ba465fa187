# SPDX-License-Identifier: Apache-2.0
"""The configuration language, statement by statement (docs/reference/03-config-and-cli.md, A and C-04 to C-23).

The digest tells trees apart: it is computed here from the tree that a text should mean, and compared with what `-t` says.
"""

import hashlib
import json

import pytest

TOP_END = "Parse error on line 1: 'Expected a top-level value to end with a new line, comment or EOF, but got '{}' instead.'"
ARRAY_END = "Parse error on line 1: 'Expected an array value terminator \",\" or an array terminator \"]\", but got '{}' instead.'"
NEW_LINE = "Parse error on line {}: 'Expected value but found new line'"
NOT_FOUND = "variable reference for '{}' on line {} can not be found"


def digest_of(tree):
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return "sha256:" + hashlib.sha256(f"{text}\n".encode()).hexdigest()


@pytest.fixture
def means(judge):
    """means(text, tree, env=None): the text is valid and has this tree, whose keys may be anything.

    A key that was referenced need not be an option.  The references go to `accounts`, which takes a number and ignores it.
    """

    def check(text, tree, env=None):
        references = "".join(f"\naccounts: ${key}" for key in tree)
        got = judge(f"{text}{references}\naccounts: 0\n", env)
        assert (got.code, got.message, got.digest) == (0, "", digest_of({**tree, "accounts": 0}))

    return check


@pytest.fixture
def fails(judge):
    """fails(text, message, env=None): the text is invalid, and this is what `-t` says."""

    def check(text, message, env=None):
        got = judge(text, env)
        assert (got.code, got.message) == (1, message)

    return check


@pytest.fixture
def write(tmp_path):
    """write(path=text, …): files beside t.conf; `__` in a name is a `/`, and all end in .conf."""

    def write_files(**texts):
        for name, text in texts.items():
            path = tmp_path / f"{name.replace('__', '/')}.conf"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)

    return write_files


# ---- the digest

@pytest.mark.parametrize("text", [
    '{"max_payload": 1024, "server_metadata": {"a": "x", "b": "yes"}, "server_tags": ["p", "q"]}',
    "max_payload 1kb\nserver_metadata {\n  a = x  # c\n  b: 'yes'\n}\n\n\nserver_tags [\n p\n q\n]",
    "# c\nserver_tags: [p, 'q'], server_metadata { b \"yes\"; a x, }; max_payload: 001024 // c\r\n",
    "max_payload: 7\nserver_tags: []\n{ max_payload: 1KiB } server_tags [ p / \"q\" ], include meta.conf",
    "include meta.conf\ninclude rest.conf",
])
def test_c04_layout(judge, write, text):
    """C-04: digest does not depend on layout, comments, order or file split."""
    write(meta="server_metadata {\n  include 'pairs.conf'\n}\n", pairs="b: \"yes\", a: x",
          rest="server_tags [p, q]; max_payload 1k\nmax_payload 1024")
    tree = {"max_payload": 1024, "server_metadata": {"a": "x", "b": "yes"}, "server_tags": ["p", "q"]}
    got = judge(text)
    assert (got.message, got.digest) == ("", digest_of(tree))


@pytest.mark.parametrize("text", ["{a: x}", "{A: x, b: y}", "{a: x, b: Y}", "{a: x, b: 'y '}"])
def test_c04_content(judge, text):
    """C-04: what is not layout does change the digest: keys, their case, and values."""
    assert judge(f"server_metadata {text}").digest not in ("", judge("server_metadata {a: x, b: y}").digest)


@pytest.mark.parametrize("value, content", [
    ("<&>", r"\u003c\u0026\u003e"), ("Zürich ☃ 𐀀", "Zürich ☃ 𐀀"),
    ("\u2028\u2029", r"\u2028\u2029"), ("\t\r\n\x08\x0c\x01", r"\t\r\n\b\f\u0001"),
])
def test_c05_escapes(judge, value, content):
    """C-05: digest of `{"a":"<&>"}` content escapes to \\u003c \\u0026 \\u003e; non-ASCII stays."""
    hashed = hashlib.sha256(f'{{"server_metadata":{{"a":"{content}"}}}}\n'.encode()).hexdigest()
    assert judge(f"server_metadata {{\"a\":'{value}'}}".encode()).digest == f"sha256:{hashed}"


# ---- pairs, lines and comments

@pytest.mark.parametrize("separator", [" = ", "=", ":", ": ", " :", " ", "\t", "\n", "\n\n  ", "\n= "])
def test_c06_separators(judge, connect, configured, separator):
    """C-06: `=`, `:`, blank and newline separators are equivalent at top level."""
    text = f"max_payload{separator}1000"
    assert judge(text).digest == digest_of({"max_payload": 1000})
    if separator in (" = ", "\n"):
        assert connect(configured(text)).info["max_payload"] == 1000


@pytest.mark.parametrize("text, message", [
    ("a := 1", TOP_END.format(1)), ("= 1", "Parse error on line 1: 'Unexpected key separator '=''"),
    ("a {:1}", "Parse error on line 1: 'Unexpected key separator ':'.'"),
])
def test_c06_one_separator(fails, text, message):
    """C-06: one of them, between a key and its value."""
    fails(text, message)


@pytest.mark.parametrize("text, line", [
    ("a:\n1", 2), ("a =\r\n1", 1), ("\n\na:\n\n1", 4), ("{a:\n1}", 2), ('{"a":\n{"b": 1}}', 2),
])
def test_c07_newline_fails(fails, text, line):
    """C-07: newline after `:` fails at top level and in outer JSON braces."""
    fails(text, NEW_LINE.format(line))


@pytest.mark.parametrize("text, tree", [
    ("a {b:\n1}", {"a": {"b": 1}}), ("a {b=\r\n\n  1}", {"a": {"b": 1}}), ("{a: {b:\n1}}", {"a": {"b": 1}}), ("a\n1", {"a": 1}),
])
def test_c07_newline_works(means, text, tree):
    """C-07: newline after `:` works in maps, and without `:` everywhere."""
    means(text, tree)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_c08_line_ends(judge, end):
    """C-08: LF, CRLF and CR files parse alike; lines are counted by LF."""
    lines = ["# c", "max_payload: 1000 // c", "", "server_metadata {", "  a: x", "  b", "  y", "}", "server_tags [", "p", "q ]", ""]
    tree = {"max_payload": 1000, "server_metadata": {"a": "x", "b": "y"}, "server_tags": ["p", "q"]}
    assert judge(end.join(lines)).digest == digest_of(tree)
    place = "1:14" if end == "\r" else "3:1"
    assert judge(end.join(["debug: false", "", "prt: 1"])).message == f't.conf:{place}: unknown field "prt"'


@pytest.mark.parametrize("text, tree", [
    ("a: #x", {"a": "#x"}), ("a: //x", {"a": "//x"}), ("a #x", {"a": "#x"}), ("a=#x # c", {"a": "#x"}),
    ("a {b: #x\n}", {"a": {"b": "#x"}}), ("a {b: //x // c\n}", {"a": {"b": "//x"}}), ("a:x#y//z", {"a": "x#y//z"}),
    ("# b\n// b\na: 1 # b", {"a": 1}), ("a [ #x\n y //x\n #x\n]", {"a": ["y"]}),
])
def test_c09_comments(means, text, tree):
    """C-09: `#`/`//` right after the separator belong to the value."""
    means(text, tree)


# ---- numbers

def test_c10_integers_in_arrays(means, fails):
    """C-10: `[1, 2]` fails, `[1, 2 ]` and `[a, b]` work."""
    fails("a [1, 2]", ARRAY_END.format("\0"))
    means("a [1, 2 ]", {"a": [1, 2]})
    means("a [1, 2\n]", {"a": [1, 2]})
    means("a [x, y]", {"a": ["x", "y"]})
    means("a [1]\n]", {"a": ["1]"]})
    means("a [1k]", {"a": ["1k"]})
    means("a [-1]", {"a": [-1]})


POWERS = {letter: power for power, letter in enumerate("kmgtpe", 1)}


@pytest.mark.parametrize("letter, power", POWERS.items())
def test_c11_suffixes(means, letter, power):
    """C-11: suffix table of A8, both cases."""
    factors = {letter: 1000 ** power} | {letter + tail: 1024 ** power for tail in ("b", "i", "ib")}
    factors |= {suffix.upper(): factor for suffix, factor in factors.items()} | {f"{letter.upper()}iB": 1024 ** power}
    words = [f"{n}{suffix}" for n in (1, 3, -2) for suffix in factors]
    means(f"a [{', '.join(words)} ]", {"a": [n * factor for n in (1, 3, -2) for factor in factors.values()]})


def test_c11_wraps(means):
    """C-11: `8eb` wraps."""
    means("a: 8eb, b: 9eb, c: 7eb", {"a": -2 ** 63, "b": 9 * 2 ** 60 - 2 ** 64, "c": 7 * 2 ** 60})


@pytest.mark.parametrize("text, advertised", [("2k", 2000), ("2K", 2000), ("2kb", 2048), ("2Ki", 2048), ("1mIb", 1048576)])
def test_c11_effect(configured, connect, text, advertised):
    """C-11: a size with a suffix is what the server goes by."""
    assert connect(configured(f"max_payload: {text}\n")).info["max_payload"] == advertised


def test_c12_unknown_suffix(means, fails, configured, connect):
    """C-12: `1kbb` drops the pair."""
    fails("max_payload: 1kbb\n", "t.conf: config has no values or is empty")
    means("a: 1\nb: 1kbb\nc: 2", {"a": 1, "c": 2})
    means("a [1kbb, x, 2kii ]", {"a": ["x"]})
    info = connect(configured("max_payload: 1kbb\nserver_name: me\n")).info
    assert (info["max_payload"], info["server_name"]) == (1048576, "me")


# ---- durations

def lame_duck(text):
    """A grace period as long as the duration: a start refuses it, and says how long they are."""
    return f"lame_duck_duration: {text}\nlame_duck_grace_period: {text}\n"


def refusal(text):
    return f"lame duck grace period ({text}) should be strictly lower than lame duck duration ({text})"


def test_c13_minutes(judge, fails, refused, configured):
    """C-13: bare `2m` for a duration = 2 000 000 s with warning; `"2m"` = 2 minutes."""
    warning = 't.conf:1:0: invalid use of field "ping_interval": ping_interval should be converted to a duration'
    fails("ping_interval: 2m\n", warning)
    assert configured("ping_interval: 2m\n").log().startswith(f"{warning}\n")
    assert judge('ping_interval: "2m"\n').digest == digest_of({"ping_interval": "2m"})
    assert refusal("2m0s") in refused(lame_duck('"2m"'))
    fails("authorization {\n timeout: 2m\n}\n",
          't.conf:2:2: invalid use of field "timeout": timeout of 2000000 (2000000.000000 seconds) is high, '
          "consider keeping it under 60 seconds. possibly caused by unquoted duration; use '1m' instead of 1m, for example")


def test_c14_bare_durations(judge, fails, refused):
    """C-14: `1m30s` bare accepted; `2.5s` and `-10s` bare refused."""
    assert judge("ping_interval: 1m30s\n").digest == digest_of({"ping_interval": "1m30s"})
    assert refusal("1m30s") in refused(lame_duck("1m30s"))
    fails("ping_interval: 2.5s\n", TOP_END.format("s"))
    fails("ping_interval: -10s\n", TOP_END.format("s"))
    assert judge('ping_interval: "2.5s"\n').digest == digest_of({"ping_interval": "2.5s"})


# ---- strings

@pytest.mark.parametrize("text, tree", [
    ("a: (\nx y\n)\nb: 1", {"a": "\nx y\n", "b": 1}), ("a: (x\\t # c\n )\n)y\n)\nb: 1", {"a": "x\\t # c\n )\n)y\n", "b": 1}),
    ("a: (\n)\n", {"a": "\n"}), ("a {b: (x\n)\n}", {"a": {"b": "x\n"}}),
])
def test_c15_block_strings(means, text, tree):
    """C-15: block string content: from the byte after `(` up to a `)` that is alone at the start of a line."""
    means(text, tree)


def test_c15_end_of_file(judge, fails, configured, connect):
    """C-15: the end-of-file `)` quirk: it is content there; and a block string reaches what uses it."""
    assert judge("server_name: (\nx\n)").digest == digest_of({"server_name": "\nx\n)"})
    assert judge("server_name: (\nx\n)\n").digest == digest_of({"server_name": "\nx\n"})
    for text, line in (("a: (x)\n", 2), ("a: (\n) \n", 3), ("a: (\n)\r\n", 3)):
        fails(text, f"Parse error on line {line}: 'Unexpected EOF processing block.'")
    server = configured("authorization {\n user: u\n password: (s e\n)\n}\n")
    connect(server).connect(user="u", **{"pass": "s e\n"})


# ---- variables

@pytest.mark.parametrize("text, tree", [
    ("V: 1, a: $V, b [$V, $V]", {"V": 1, "a": 1, "b": [1, 1]}),
    ("V: 1, a {V: 2, b {c: $V}}, d: $V", {"V": 1, "a": {"V": 2, "b": {"c": 2}}, "d": 1}),
    ("V: 1, a {b {V: 2}, c: $V}", {"V": 1, "a": {"b": {"V": 2}, "c": 1}}),
    ("a {V: 2, b: $V}, c: $V", {"a": {"V": 2, "b": 2}, "c": "env"}),
    ("a: $V, V: 1, b: $V", {"a": "env", "V": 1, "b": 1}),
    ("V: 1, a: $V, V: 2, b: $V", {"V": 2, "a": 1, "b": 2}),
    ("V [x, {y: 1}], a: $V, b: $V", {"V": ["x", {"y": 1}], "a": ["x", {"y": 1}], "b": ["x", {"y": 1}]}),
    ("a: \"$V\", b: '$V', c: x$V", {"a": "$V", "b": "$V", "c": "x$V"}),
])
def test_c16_scopes(means, text, tree):
    """C-16: variables: inner scope first, then outer, then environment."""
    means(text, tree, {"V": "env"})


def test_c16_not_found(fails):
    """C-16: case-sensitive; before-definition fails."""
    fails("V: 1\na: $v\n", NOT_FOUND.format("v", 2))
    fails("a: $V\nV: 1\n", NOT_FOUND.format("V", 1))
    fails("a {V: 1}\nb: $V\n", NOT_FOUND.format("V", 2))
    fails("a: $V\n", NOT_FOUND.format("V", 1), {"v": "1"})


def test_c16_effect(configured, connect):
    """C-16: a server goes by the values of its variables."""
    text = "V: 1000\nmax_payload: $V\nauthorization { V: inner, user: $V, password: $LANGUAGE_TEST }\n"
    client = connect(configured(text, env={"V": "7", "LANGUAGE_TEST": "secret"}))
    assert client.info["max_payload"] == 1000
    client.connect(user="inner", **{"pass": "secret"})


def test_c17_unused(judge, fails):
    """C-17: unused variable is an unknown field."""
    assert judge("V: 1000\nmax_payload: $V\n").code == 0
    fails("V: 1000\nmax_payload: 1000\n", 't.conf:1:0: unknown field "V"')
    fails("debug: false\nauthorization {\n  V: x\n  user: u\n}\n", 't.conf:3:3: unknown field "V"')
    fails("V: x\nauthorization { V: y, user: $V }\n", 't.conf:1:0: unknown field "V"')  # another one was used


ENVIRONMENT = {
    "E_INT": "14333", "E_SIZE": "2kb", "E_QUOTED": '"14333"', "E_BOOL": "on", "E_LIST": "[1 , x]", "E_MAP": "{b: {c: no}}",
    "E_OTHER": "$E_INT", "E_WORDS": "a b", "E_LOOP": "$E_LOOP2", "E_LOOP2": "$E_LOOP", "E_NOT_SEEN": "$P",
}


@pytest.mark.parametrize("name, value", [
    ("E_INT", 14333), ("E_SIZE", 2048), ("E_QUOTED", "14333"), ("E_BOOL", True), ("E_LIST", [1, "x"]), ("E_MAP", {"b": {"c": False}}),
    ("E_OTHER", 14333),
])
def test_c18_environment(means, name, value):
    """C-18: environment values are parsed with full value grammar."""
    means(f"a: ${name}, b [${name}]", {"a": value, "b": [value]}, ENVIRONMENT)


def not_parsed(*names):
    return "".join(f"variable reference for '{name}' on line 1 could not be parsed: " for name in names)


@pytest.mark.parametrize("name, message", [
    ("E_WORDS", not_parsed("E_WORDS") + TOP_END.format("b")),
    ("E_LOOP", not_parsed("E_LOOP", "E_LOOP2", "E_LOOP") + "variable reference cycle for 'E_LOOP'"),
    ("E_NOT_SEEN", not_parsed("E_NOT_SEEN") + NOT_FOUND.format("P", 1)),
])
def test_c18_environment_errors(fails, name, message):
    """C-18: cycles reported, as are other errors in values of the environment."""
    fails(f"P: 1, a: ${name}", message, ENVIRONMENT)


def test_c18_effect(configured, connect):
    """C-18: a server goes by the environment."""
    assert connect(configured("max_payload: $E_SIZE\n", env=ENVIRONMENT)).info["max_payload"] == 2048


def test_c19_bcrypt(means, fails, configured, connect):
    """C-19: `$2a$` bare literal; `$2b$` bare fails."""
    means("a: $2a$10$xyz, b: \"$2b$10$xyz\"", {"a": "$2a$10$xyz", "b": "$2b$10$xyz"})
    for kind in "bxy":
        fails(f"a: $2{kind}$10$xyz", NOT_FOUND.format(f"2{kind}$10$xyz", 1))
    hashed = "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"  # of `secret`
    server = configured(f"authorization {{ user: u, password: {hashed} }}\n")
    connect(server).connect(user="u", **{"pass": "secret"})


# ---- includes

def test_c20_paths(means, fails, write, tmp_path):
    """C-20: include paths relative to the including file, absolute paths joined."""
    write(deep__outer="include './inner.conf'\na: 1", deep__inner="b: 2", top="c: 3", deep__up="include ../top.conf")
    means("include deep/outer.conf", {"a": 1, "b": 2})
    means("include \"./deep/up.conf\"", {"c": 3})
    means("include /deep/outer.conf", {"a": 1, "b": 2})
    path = tmp_path / "top.conf"
    fails(f"include {path}", f"error parsing include file '{path}', open {str(path)[1:]}: no such file or directory")


def test_c21_scopes(means, fails, write):
    """C-21: included file cannot see includer variables; includer sees included keys."""
    write(uses="a: $V", defines="V: 1", environment="a: $LANGUAGE_TEST")
    fails("V: 1\ninclude uses.conf", f"error parsing include file 'uses.conf', {NOT_FOUND.format('V', 1)}")
    means("include defines.conf\na: $V", {"V": 1, "a": 1})
    means("a { include 'defines.conf', b: $V }", {"a": {"V": 1, "b": 1}})
    means("LANGUAGE_TEST: 1\ninclude environment.conf", {"LANGUAGE_TEST": 1, "a": "env"}, {"LANGUAGE_TEST": "env"})


def test_c22_duplicates(means, write, configured, connect):
    """C-22: last duplicate key wins, also against includes."""
    write(base="a: 1, b {c: 1}\nmax_payload: 1000\n")
    means("a: 1, b: 2, a: x", {"a": "x", "b": 2})
    means("a {b: 1}, a {c: 2, c: 3}", {"a": {"c": 3}})
    means("include base.conf\na: 0", {"a": 0, "b": {"c": 1}, "max_payload": 1000})
    means("a: 0, b: 0\ninclude base.conf", {"a": 1, "b": {"c": 1}, "max_payload": 1000})
    write(base="max_payload: 1000\n")
    assert connect(configured("max_payload: 1\ninclude base.conf\n")).info["max_payload"] == 1000
    assert connect(configured("include base.conf\nmax_payload: 2000\n")).info["max_payload"] == 2000


def test_c23_bom(fails):
    """C-23: BOM refused as unknown field."""
    fails(b"\xef\xbb\xbfport: 4333\n", 't.conf:1:0: unknown field "\\ufeffport"')
    fails(b"\xef\xbb\xbf# c\nport: 4333\n", 't.conf:1:0: unknown field "\\ufeff#"')  # not even a comment
