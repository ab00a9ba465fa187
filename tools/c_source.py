# SPDX-License-Identifier: Apache-2.0
"""What the checks of `make lint` share: the list of our files, and C without comments and strings."""
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COMPILE = ["-std=gnu17", "-D_GNU_SOURCE", '-DGNATWREN_VERSION="lint"', "-I" + os.path.join(ROOT, "src")]

_TOKEN = re.compile(
    r"""//(?:[^\n\\]|\\.)* | /\*.*?\*/ | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*'""", re.S | re.X
)


def files(*patterns):
    """Our files that match, as paths relative to ROOT; those not committed yet too."""
    out = subprocess.run(
        ["git", "ls-files", "-z", "-c", "-o", "--exclude-standard", "--", *patterns],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    ).stdout
    return sorted({f for f in out.split("\0") if f and os.path.isfile(os.path.join(ROOT, f))})


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def _blank(match):
    text = match.group()
    keep = text[0] if text[0] in "\"'" else " "
    inner = re.sub(r"[^\n]", " ", text[1:-1]) if len(text) > 1 else ""
    return keep + inner + keep


def code_only(text):
    """The text with comments and the inside of strings as blanks: same offsets, same lines."""
    return _TOKEN.sub(_blank, text)


def comments(text):
    """(start, end) of each comment."""
    return [m.span() for m in _TOKEN.finditer(text) if m.group()[0] == "/"]


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def report(findings):
    """Print (path, line, message) triples; the exit status."""
    for path, line, message in sorted(set(findings)):
        print(f"{path}:{line}: {message}")
    return 1 if findings else 0
