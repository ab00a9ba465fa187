# SPDX-License-Identifier: Apache-2.0
"""What a server sends to a client, cut into frames.

A frame is one protocol line, or a MSG/HMSG line with its payload. Anything that does not parse stays a line, so a server that
answers nonsense still gets a transcript.
"""

import json
import re
from typing import NamedTuple


class Frame(NamedTuple):
    verb: str  # MSG, HMSG, INFO, PING, PONG, +OK, -ERR, or "?" for a line of another shape
    head: bytes  # the line with its line end
    body: bytes = b""  # payload with its CRLF, for MSG and HMSG

    @property
    def bytes(self):
        return self.head + self.body

    @property
    def is_message(self):
        return self.verb in ("MSG", "HMSG")


_VERB = re.compile(rb"(MSG|HMSG|INFO) |(PING|PONG|\+OK)\r\n|(-ERR) ")


def next_frame(buf):
    """The first whole frame of `buf` and its length, or (None, 0) while it is incomplete."""
    end = buf.find(b"\n")
    if end < 0:
        return None, 0
    head = bytes(buf[: end + 1])
    match = _VERB.match(head)
    verb = (match[1] or match[2] or match[3]).decode() if match else "?"
    if verb not in ("MSG", "HMSG"):
        return Frame(verb, head), len(head)
    size = head.split()[-1]
    if not size.isdigit() or len(size) > 10:
        return Frame("?", head), len(head)
    total = len(head) + int(size) + 2
    if len(buf) < total:
        return None, 0
    return Frame(verb, head, bytes(buf[len(head) : total])), total


# What may differ between two servers in INFO: the pattern it must have, and what the transcript shows in its place. A value that
# does not have the pattern is shown as it is, and so becomes a difference.
_VOLATILE = {
    "server_id": (r'"N[A-Z2-7]{55}"', "<server_id>"),
    "server_name": (r'"N[A-Z2-7]{55}"', "<server_id>"),
    "version": (r'"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?"', "<semver>"),
    "go": (r'"[^"]+"', "<toolchain>"),
    "port": (r"[1-9]\d{0,4}", "<port>"),
    "client_id": (r"[1-9]\d*", "<cid>"),
    "nonce": (r'"[A-Za-z0-9_-]{15}"', "<nonce>"),
    "xkey": (r'"X[A-Z2-7]{55}"', "<xkey>"),
}
_IGNORED = {"git_commit"}  # present only if known at build


def stable_info(head):
    """An INFO line with its volatile values replaced; order of the keys and all other bytes stay as they were sent."""
    text = head.decode("utf-8", "backslashreplace").replace("\r", "\\r").replace("\n", "\\n")
    start = text.find("{")
    if start < 0:
        return text
    decode = json.JSONDecoder().raw_decode
    out, pos = [], start + 1
    try:
        while text[pos] != "}":
            key, after_key = decode(text, pos)
            value_at = after_key + 1  # past ':'
            _, after_value = decode(text, value_at)
            raw = text[value_at:after_value]
            if key not in _IGNORED:
                pattern, shown = _VOLATILE.get(key, (None, None))
                if pattern and re.fullmatch(pattern, raw):
                    raw = shown
                out.append(text[pos:value_at] + raw)
            if text[after_value] == ",":
                after_value += 1
            pos = after_value
    except (ValueError, IndexError):
        return text  # not the JSON we know: compare it raw
    return text[: start + 1] + ",".join(out) + text[pos:]


# What the server says in JSON of its own has such values, too: how they look, and what is shown.
_SPOKEN_BY_SERVER = re.compile(rb'Nats-Request-Info: \{|\{"type":"io\.nats\.server\.|\{"server":\{|"events":\[\{"type":"')
_VOLATILE_IN_JSON = [
    (re.compile(rb'"rtt":[1-9]\d*'), b'"rtt":<ns>'),
    (re.compile(rb'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z"'), b'"<time>"'),
    (re.compile(rb'"(c?id|seq)":[1-9]\d*'), rb'"\1":<n>'),
    (re.compile(rb'"id":"N[A-Z2-7]{55}"'), b'"id":"<server_id>"'),
    (re.compile(rb'"name":"N[A-Z2-7]{55}"'), b'"name":"<server_id>"'),
    (re.compile(rb'"id":"[0-9A-Za-z]{22}"'), b'"id":"<nuid>"'),
    (re.compile(rb'"(service|system)":\d+'), rb'"\1":<ns>'),
    (re.compile(rb'"total":[1-9]\d*'), b'"total":<ns>'),
    (re.compile(rb'"ver":"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?"'), b'"ver":"<semver>"'),
]


def stable_message(frame):
    """The bytes of a MSG or HMSG with what is volatile in the server's own JSON replaced, and the sizes in its line as if
    that had been sent."""
    if not _SPOKEN_BY_SERVER.search(frame.body):
        return frame.bytes
    line = frame.head.rstrip(b"\r\n")
    n_head = int(line.split()[-2]) if frame.verb == "HMSG" else 0
    head, payload = _stable_json(frame.body[:n_head]), _stable_json(frame.body[n_head:])
    sizes = [len(head)] * (frame.verb == "HMSG") + [len(head + payload) - len(b"\r\n")]
    before = line.rsplit(b" ", len(sizes))[0]
    return b"%b %b\r\n" % (before, b" ".join(b"%d" % n for n in sizes)) + head + payload


def _stable_json(data):
    for pattern, shown in _VOLATILE_IN_JSON:
        data = pattern.sub(shown, data)
    return data
