# SPDX-License-Identifier: Apache-2.0
"""How queries are read: every parameter with every way to write its value."""

import pytest

from e2e.monitor.web import PLAIN

SERVER_ARGS = ["-m", "-1"]

BOOLEANS = {
    "/connz": ["auth", "subs"], "/routez": ["subs"], "/gatewayz": ["accs", "subs"], "/leafz": ["subs"], "/subsz": ["subs"],
    "/subscriptionsz": ["subs"], "/accstatz": ["unused"],
    "/jsz": ["accounts", "streams", "consumers", "direct-consumers", "config", "leader-only", "raft", "stream-leader-only"],
    "/healthz": ["js-enabled", "js-enabled-only", "js-server-only", "js-meta-only", "details"], "/ipqueuesz": ["all"],
}
INTEGERS = {"/connz": ["offset", "limit"], "/subsz": ["offset", "limit"], "/jsz": ["offset", "limit"]}
WITH_DETAIL = {"/connz", "/routez", "/gatewayz"}  # subs=detail

TRUE, FALSE = ["1", "t", "T", "true", "TRUE", "True"], ["0", "f", "F", "false", "FALSE", "False"]
NOT_BOOLEAN = {  # as it stands in the query: as the error shows it
    "yes": "yes", "on": "on", "tRUE": "tRUE", "fALSE": "fALSE", "2": "2", "-1": "-1", "01": "01", "1.0": "1.0", "tr": "tr",
    "true%20": "true ",
    "+1": " 1", "1+": "1 ", "details": "details", "detail%20": "detail ", "a%22b": r"a\"b", "a%5Cb": r"a\\b", "a%0Ab": r"a\nb",
    "%00": r"\x00", "%7f": r"\x7f", "%ff": r"\xff", "%C3%A9": "é", "%F0%9F%98%80": "😀", "%E2%80%8B": r"\u200b", "a<b>": "a<b>",
    "a'b": "a'b",
    "x%26y": "x&y", "x=y": "x=y",
}
MAX, MIN = (1 << 63) - 1, -(1 << 63)
INTEGER = {"0": 0, "5": 5, "05": 5, "%2B5": 5, "-0": 0, "-1": -1, "%35": 5, str(MAX): MAX, str(MIN): MIN, "0" * 100 + "7": 7}
NO_INTEGER = {"x": "x", "+5": " 5", "5%20": "5 ", "0x10": "0x10", "1_000": "1_000", "1e3": "1e3", "1.0": "1.0", "--1": "--1", "-": "-",
              "%D9%A3": "٣", "5%00": r"5\x00", "5,6": "5,6"}
TOO_LARGE = [str(MAX + 1), str(MIN - 1), "9" * 40, "-" + "9" * 40]


def pairs(parameters: dict) -> list[tuple[str, str]]:
    return [(path, name) for path, names in parameters.items() for name in names]


def refused(answer, text: str) -> None:
    assert (answer.status, answer.type, answer.text) == (400, PLAIN, text)
    assert "access-control-allow-origin" not in answer.headers
    assert int(answer.headers["content-length"]) == len(answer.body)


def is_accepted(answer) -> bool:
    """A good answer, or one that is bad for other reasons."""
    return answer.status == 200 or answer.text == "filtered response: not leader"


def bad_boolean(name: str, value: str) -> str:
    return f"""Error decoding boolean for '{name}': strconv.ParseBool: parsing "{value}": invalid syntax"""


@pytest.mark.parametrize("path, name", pairs(BOOLEANS))
def test_m02_booleans(monitor, path, name):
    with monitor.open() as c:
        for value in TRUE + FALSE + [""]:
            assert is_accepted(c.ask(f"{path}?{name}={value}")), value
        for value, shown in NOT_BOOLEAN.items():
            refused(c.ask(f"{path}?{name}={value}"), bad_boolean(name, shown))


@pytest.mark.parametrize("path, name", pairs(BOOLEANS))
@pytest.mark.parametrize("value", ["detail", "DETAIL", "dEtail"])
def test_m02_detail(monitor, path, name, value):
    """A third value of some, in any case."""
    answer = monitor.get(f"{path}?{name}={value}")
    if path in WITH_DETAIL and name == "subs":
        assert answer.status == 200
    else:
        refused(answer, bad_boolean(name, value))


@pytest.mark.parametrize("path, name", pairs(INTEGERS))
def test_m02_integers(monitor, path, name):
    least = 1024 if name == "limit" else 0
    with monitor.open() as c:
        for text, value in INTEGER.items():
            answer = c.ask(f"{path}?{name}={text}")
            assert answer.status == 200, text
            if path != "/jsz":
                assert answer.json()[name] == (value if value > 0 else least), text
        for text, shown in NO_INTEGER.items():
            refused(c.ask(f"{path}?{name}={text}"), f"""Error decoding int for '{name}': strconv.Atoi: parsing "{shown}": invalid syntax""")
        for text in TOO_LARGE:
            refused(c.ask(f"{path}?{name}={text}"),
                    f"""Error decoding int for '{name}': strconv.Atoi: parsing "{text}": value out of range""")


def test_m02_cid(monitor):
    with monitor.open() as c:
        for text in ["0", "007", str((1 << 64) - 1), ""]:
            assert c.ask(f"/connz?cid={text}").status == 200
        for text, shown in {"x": "x", "-1": "-1", "-0": "-0", "%2B1": "+1", "+1": " 1", "0x1": "0x1", "1_0": "1_0", "1.0": "1.0"}.items():
            refused(c.ask(f"/connz?cid={text}"),
                    f"""Error decoding uint64 for 'cid': strconv.ParseUint: parsing "{shown}": invalid syntax""")
        for text in [str(1 << 64), "9" * 40]:
            refused(c.ask(f"/connz?cid={text}"),
                    f"""Error decoding uint64 for 'cid': strconv.ParseUint: parsing "{text}": value out of range""")


def test_m02_state(monitor):
    with monitor.open() as c:
        for text in ["open", "OPEN", "Closed", "closed", "any", "aNy", "all", "ALL", ""]:
            assert c.ask(f"/connz?state={text}").status == 200
        for text, shown in {"opened": "opened", "0": "0", "1": "1", "open%20": "open ", "%20": " ", "a%22b": 'a"b', "a%0Ab": "a\nb",
                            "a<b": "a<b"}.items():
            refused(c.ask(f"/connz?state={text}"), f"Error decoding state for {shown}")


def test_m02_sort(monitor):
    with monitor.open() as c:
        for text in ["", "cid", "%63id"]:
            assert c.ask(f"/connz?sort={text}").status == 200
        for text, shown in {"bogus": "bogus", "CID": "CID", "cid%20": "cid ", "in_msgs": "in_msgs", "name": "name", "-cid": "-cid",
                            "a<b": "a<b"}.items():
            refused(c.ask(f"/connz?sort={text}"), f"invalid sorting option: {shown}")


@pytest.mark.parametrize("value, shown", [
    ("foo.*", None), ("..", None), (".a", None), ("a.", None), ("a..b", None), ("a.%3E", "a.>"), ("*", None), ("%3E", ">"),
    ("foo.*.bar", None)])
def test_m02_test_subject(monitor, value, shown):
    refused(monitor.get(f"/subsz?test={value}"), f"invalid test subject, must be valid publish subject: {shown or value}")
    refused(monitor.get(f"/subscriptionsz?subs=1&acc=NOPE&test={value}"),
            f"invalid test subject, must be valid publish subject: {shown or value}")


@pytest.mark.parametrize("value", ["", "foo", "a%20b", "a.b*", "%C3%A9", "a%3Eb", "$SYS.x"])
def test_m02_test_subject_that_is_one(monitor, value):
    """Blanks are well, as wildcards inside of tokens."""
    assert monitor.get(f"/subsz?test={value}").status == 200


@pytest.mark.parametrize("query, is_bad", [
    ("auth=x&auth=1", True), ("auth=1&auth=x", False), ("auth=&auth=x", False),  # the first counts
    ("AUTH=x", False), ("unknown=x", False), ("?auth=x", False), ("%20auth=x", False), ("authx=x", False),  # other names
    ("", False), ("&&&", False), ("=", False), ("auth", False), ("auth&", False), ("=x", False),
    ("auth=%zz", False), ("auth=%", False), ("auth=%4", False), ("%zz=1&auth=x", True), ("foo=%zz&auth=x", True),  # a broken part is lost
    ("auth=x;y", False), ("auth=1;auth=x", False), ("a;b&auth=x", True),  # so is one with a semicolon
    ("%61uth=x", True), ("&&&auth=x", True), ("auth=x%26", True), ("auth=x&", True), ("foo&auth=x", True), ("au%74h=%78", True)])
def test_m02_query(monitor, query, is_bad):
    assert monitor.get("/connz?" + query).status == (400 if is_bad else 200)


def test_m02_many_parameters(monitor):
    """Thousands of them are no harm."""
    query = "&".join(f"p{i}={i}" for i in range(5000))
    assert monitor.document(f"/connz?{query}&limit=7")["limit"] == 7


@pytest.mark.parametrize("path, names", [
    ("/connz", ["auth", "subs", "offset", "limit", "cid", "state"]), ("/subsz", ["subs", "offset", "limit"]),
    ("/gatewayz", ["subs", "accs"]),
    ("/healthz", ["js-enabled", "js-enabled-only", "js-server-only", "js-meta-only", "details"]),
    ("/jsz", ["accounts", "streams", "consumers", "direct-consumers", "config", "offset", "limit", "leader-only", "raft",
              "stream-leader-only"])])
def test_m02_first_error_is_told(monitor, path, names):
    """Parameters are read in a fixed order, whatever that in the query is; what they mean comes later."""
    bad_meaning = {"/connz": "sort=bogus", "/subsz": "test=*", "/healthz": "stream=S"}.get(path, "x=y")
    with monitor.open() as c:
        for i, first in enumerate(names):
            query = "&".join([bad_meaning] + [f"{name}=x" for name in reversed(names[i:])])
            answer = c.ask(f"{path}?{query}")
            assert answer.status == 400
            assert f" {first} " in answer.text.replace("'", " ").replace(":", " ") or answer.text == f"Error decoding {first} for x", first


def test_m02_post_has_no_parameters(monitor):
    """Forms are not looked at: only the query counts."""
    with monitor.open() as c:
        body = b"auth=x"
        c.send(b"POST /connz?limit=9 HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s"
               % (len(body), body))
        assert c.read().json()["limit"] == 9
