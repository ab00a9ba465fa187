# SPDX-License-Identifier: Apache-2.0
"""Writing captures: what a scenario was told, and how that is to be compared."""

import json
import re
from pathlib import Path

from golden import servers
from golden.schema import RULES, infer

SCENARIOS = {}  # functions by name, in the order of definition
EVENT_ID = [(r"^\$\.id$", "~", "nuid")]
SERVER_ID = [(r"^\$\.id$", "~", "server_nkey")]


def scenario(function):
    """Decorator: function(Recorder) plays a scenario and saves what it is told."""
    SCENARIOS[function.__name__] = function
    return function


class Recorder:
    """Starts servers for one scenario and saves captures below `out`."""

    def __init__(self, binary, out, name):
        self.count = 0    # captures
        self.servers = []
        self._binary, self._folder = binary, Path(out) / name

    def start(self, extra="", *, accounts=servers.ACCOUNTS, tls=None):
        """A server with these lines of configuration and these accounts; with TLS for both its ports, tls is a context for the latter."""
        server = servers.Server(self._binary, extra + accounts, is_secure=bool(tls))
        self.servers.append(server)
        return server.ready(tls)

    def save(self, name, value, how, rules=(), optional=None):
        """A capture.

        how       it was obtained, and what is compared beside the document
        rules     for paths, before those of all captures
        optional  lines for paths that may be there although they are missing now
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(value, indent=1, ensure_ascii=False)
        (self._folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        paths = infer(value, [*rules, *RULES]) | (optional or {})
        lines = ",\n".join(f"  {json.dumps(path, ensure_ascii=False)}: {json.dumps(line)}" for path, line in paths.items())
        text = f'{{"capture": {json.dumps(how, ensure_ascii=False)},\n "paths": {{\n{lines}\n }}}}\n'
        (self._folder / f"{name}.schema.json").write_text(text, encoding="utf-8")
        self.count += 1

    def http(self, name, port, path, rules=(), *, show=None, optional=None, tls=None):
        """The answer to a GET; `show` is the path to be written down."""
        status, headers, body = servers.http_get(port, path, tls=tls)
        indent = re.match(rb'\{\n( +)"', body)
        how = {"http": "GET " + (show or path), "status": status, "content_type": headers.get("Content-Type"),
               "acao": headers.get("Access-Control-Allow-Origin"), "layout": f"indent{len(indent[1])}" if indent else "compact"}
        self.save(name, json.loads(body), how, rules, optional)

    def msg(self, name, message, server_id, rules=(), note=None):
        """A message."""
        subject = message.subject.replace(server_id, "{server_id}")
        how = {"subject": "{reply inbox}" if subject.startswith("_INBOX.") else subject, "headers": message.header, "status": message.status}
        if note:
            how["request"] = note.replace(server_id, "{server_id}")
        self.save(name, message.json(), how, rules)

    def answer(self, name, client, subject, data="", rules=()):
        """The answer to a request."""
        text = data if isinstance(data, str) else json.dumps(data)
        self.msg(name, client.ask(subject, data), client.server_id, rules, note=f"{subject} {text}".strip())


def outcome(message):
    """An answer, or None, in short: for tables of many."""
    if message is None:
        return "no reply"
    if message.status:
        return "status " + message.status
    try:
        value = message.json()
    except ValueError:
        return "payload " + message.payload.decode(errors="replace")
    if not isinstance(value, dict):
        return value
    return {"error": value["error"], "data_present": "data" in value} if "error" in value else {"keys": sorted(value)}
