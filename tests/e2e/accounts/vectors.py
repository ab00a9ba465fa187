# SPDX-License-Identifier: Apache-2.0
"""Rows of tests/vectors/*.tsv: what was observed on nats-server 2.15.1."""

import re
from pathlib import Path
from types import SimpleNamespace

_FOLDER = Path(__file__).resolve().parents[2] / "vectors"
_NAMED = {"\\": b"\\", "t": b"\t", "n": b"\n", "r": b"\r"}


def rows(name: str) -> list[SimpleNamespace]:
    """One for each row, with its fields as bytes by the names in the header line, and `id`: the row as it is written."""
    lines = [line for line in (_FOLDER / name).read_text(encoding="utf-8").split("\n") if line and not line.startswith("# ")]
    names = lines[0].split("\t")
    return [SimpleNamespace(id=line.replace("\t", " "), **dict(zip(names, map(_unescaped, line.split("\t")), strict=True)))
            for line in lines[1:]]


def _unescaped(field: str) -> bytes:
    r"""Escapes are \\ \t \n \r \xNN (a byte) \uNNNN."""
    out = b""
    for plain, escape in re.findall(r"([^\\]+)|\\(x..|u....|.)", field):
        if plain:
            out += plain.encode()
        elif escape[0] in "xu" and len(escape) > 1:
            out += bytes([int(escape[1:], 16)]) if escape[0] == "x" else chr(int(escape[1:], 16)).encode()
        else:
            out += _NAMED[escape]
    return out


def quoted(text: bytes) -> str:
    """As a string of a configuration file, for texts without quotes and backslashes."""
    return f'"{text.decode()}"'
