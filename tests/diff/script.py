# SPDX-License-Identifier: Apache-2.0
"""The language of the scripts: README.md says what it means, this file reads it.

A script becomes a list of steps; bytes are expanded only when it is played, because $T is different in every run.
"""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

SCRIPTS = Path(__file__).parent / "scripts"


class _Samples(dict):
    """Stands for the names of a run, before there is one: each is as long as this, so sizes are known."""

    def __missing__(self, _name):
        return "t00000"


SAMPLES = _Samples()


class ScriptError(Exception):
    """The script does not follow the language; the text names file and line."""


@dataclass
class Step:
    conns: list  # names of the connections: none for sleep, several only for recv
    verb: str  # send, sleep, or a key of _STEPS
    arg: object = None  # a number, or text to send (not expanded yet)
    flags: set = field(default_factory=set)


@dataclass
class Script:
    name: str  # theme/name
    path: Path
    steps: list = field(default_factory=list)
    options: dict = field(default_factory=dict)
    args: list = field(default_factory=list)
    fresh: bool = False  # wants a server of its own
    keep_pings: bool = False  # PINGs sent by the server are part of the transcript
    differs: tuple = ()  # (key, reason) of a known difference


# Steps with a connection in front: the type of the argument, its default, and the flags that may follow.
_WAIT_FLAGS = {"unordered", "anysid"}
_STEPS = {
    "open": (None, None, {"info"}),
    "login": (dict, None, set()),
    "fence": (int, 0, _WAIT_FLAGS),
    "recv": (int, 1, _WAIT_FLAGS),
    "read": (int, 1, _WAIT_FLAGS),
    "closed": (None, None, _WAIT_FLAGS),
    "reason": (None, None, set()),
    "splits": (str, None, set()),
    "shut": (None, None, set()),
    "close": (None, None, set()),
    "reset": (None, None, set()),
}
_SEND = re.compile(r"([A-Z]\w*)(>>?)(?: (.*))?$", re.S)
_STEP = re.compile(r"([A-Z]\w*(?:\+[A-Z]\w*)*): (\w+)(?: (.*))?$", re.S)


def load(path):
    """The script in the file `path`."""
    path = Path(path).resolve()
    in_tree = path.is_relative_to(SCRIPTS)
    script = Script(str(path.relative_to(SCRIPTS).with_suffix("")) if in_tree else path.stem, path)
    opened = set()
    for number, line in _logical_lines(path.read_text(encoding="utf-8")):
        try:
            _read_line(script, line)
            if script.steps:
                _check_opened(script.steps[-1], opened)
        except ValueError as e:
            raise ScriptError(f"{path}:{number}: {e}") from e
    if not script.steps:
        raise ScriptError(f"{path}: no steps")
    return script


def load_all():
    return [load(p) for p in sorted(SCRIPTS.glob("*/*.txt"))]


def _logical_lines(text):
    """Lines without comments and blank ones; a single backslash at the end joins the next line, whose indent is dropped."""
    start, joined = 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        if joined:
            line = line.lstrip(" ")
        elif not line.strip() or line.startswith("#"):
            continue
        else:
            start = number
        n_backslashes = len(line) - len(line.rstrip("\\"))
        if n_backslashes % 2:
            joined += line[:-1]
            continue
        yield start, joined + line
        joined = ""


def _check_opened(step, opened):
    if step.verb in ("open", "login"):
        opened.update(step.conns)
    if not opened.issuperset(step.conns):
        raise ValueError(f"{'+'.join(step.conns)} is not open")
    if step.verb in ("close", "reset"):
        opened.difference_update(step.conns)


def _read_line(script, line):
    if m := _SEND.match(line):
        _add_send(script, m[1], (m[3] or "") + ("" if m[2] == ">>" else "\\r\\n"))
    elif m := _STEP.match(line):
        if m[2] in ("pub", "hpub"):
            _add_send(script, m[1], _publish(m[2], m[3] or ""))
        else:
            script.steps.append(_read_step(m[1].split("+"), m[2], m[3] or ""))
    elif line.startswith("sleep "):
        script.steps.append(Step([], "sleep", int(line[6:])))
    else:
        _read_header(script, line)


def _add_send(script, conn, text):
    expand(text, SAMPLES)  # complain now, with the line number
    last = script.steps[-1] if script.steps else None
    if last and last.verb == "send" and last.conns == [conn]:
        last.arg += text  # neighbours travel as one segment
    else:
        script.steps.append(Step([conn], "send", text))


def _publish(verb, rest):
    """The bytes of `pub subject [reply] | payload` and `hpub subject [reply] | headers | payload`, with the right sizes."""
    subjects, *parts = re.split(r" \| ?", rest)
    if len(parts) != {"pub": 1, "hpub": 2}[verb]:
        raise ValueError(f"{verb} wants its parts between bars")
    lengths = [len(b"".join(expand(p, SAMPLES))) for p in parts]
    sizes = [lengths[0], sum(lengths)] if verb == "hpub" else lengths
    return " ".join([verb.upper(), subjects, *map(str, sizes)]) + "\\r\\n" + "".join(parts) + "\\r\\n"


def _read_step(conns, verb, rest):
    if verb not in _STEPS:
        raise ValueError(f"unknown step {verb!r}")
    kind, arg, flags = _STEPS[verb]
    if len(conns) > 1 and verb != "recv":
        raise ValueError("only recv waits on several connections")
    if kind is dict:
        user, _, more = rest.partition(" ")
        return Step(conns, verb, {"user": user, **json.loads(more or "{}")})
    if kind is str:
        expand(rest, SAMPLES)
        return Step(conns, verb, rest)
    words = rest.split()
    if kind is int and words and words[0].isdigit():
        arg = int(words.pop(0))
    if set(words) - flags:
        raise ValueError(f"{verb} does not take {' '.join(words)!r}")
    return Step(conns, verb, arg, set(words))


def _read_header(script, line):
    if script.steps:
        raise ValueError(f"not a step: {line!r} (headers stand before the first step)")
    word, _, rest = line.partition(" ")
    if word == "option":
        name, _, value = rest.partition(" ")
        if not value:
            raise ValueError("option wants a name and a value")
        script.options[name] = value
    elif word == "args":
        script.args += shlex.split(rest)
    elif line == "fresh":
        script.fresh = True
    elif line == "keep pings":
        script.keep_pings = True
    elif word == "differs":
        key, _, reason = rest.partition(": ")
        if not reason:
            raise ValueError("differs wants 'key: reason'")
        script.differs = (key, reason)
    else:
        raise ValueError(f"not understood: {line!r}")


_PIECE = re.compile(
    r"(?P<cut>\{\|\})"
    r"|\{(?P<unit>(?:[^{}\\]|\\.|\{(?:[^{}\\]|\\.)*\})+?)\*(?P<times>\d+)\}"
    r"|\\(?P<esc>x[0-9a-fA-F]{2}|.)"
    r"|\$(?P<name>T|[PR][1-9])(?![A-Za-z0-9])"
    r"|(?P<plain>.)",
    re.S,
)
_ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "s": b" ", **{c: c.encode() for c in "\\{}*$"}}


def expand(text, names):
    """The segments that `text` stands for: escapes, {x*100} and $T, $P1, $R1 replaced (by `names`), cut at every {|}."""
    segments = [bytearray()]
    for m in _PIECE.finditer(text):
        if m["cut"]:
            segments.append(bytearray())
        elif m["unit"]:
            segments[-1] += b"".join(expand(m["unit"], names)) * int(m["times"])
        elif m["esc"]:
            segments[-1] += _escape(m["esc"])
        elif m["name"]:
            segments[-1] += names[m["name"]].encode()
        else:
            segments[-1] += m["plain"].encode()
    return [bytes(s) for s in segments if s]


def _escape(esc):
    if len(esc) == 3:
        return bytes([int(esc[1:], 16)])
    if esc not in _ESCAPES:
        raise ValueError(f"unknown escape \\{esc}")
    return _ESCAPES[esc]
