# SPDX-License-Identifier: Apache-2.0
"""Servers, what their configurations have in common, and their monitoring ports."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from golden.client import TIMEOUT
from interop.ports import port_for_restart

ACCOUNTS = '''
accounts {
  SYS { users [ {user: sys, password: pw} ]
        exports [ {service: "$SYS.DEBUG.SUBSCRIBERS"}
                  {stream: "$SYS.ACCOUNT.*.>", account_token_position: 3} ] }
  A {
    users [ {user: alice, password: pw}
            {user: ann, password: pw, permissions {
               publish {allow: ["foo.>", "$SYS.REQ.>"], deny: ["foo.secret"]}
               subscribe {allow: ["foo.>", "_INBOX.>", "work q1"], deny: ["foo.hidden"]}
               allow_responses {max: 3, expires: "1m"}}} ]
    exports [ {service: "svc.echo", accounts: [B], latency {sampling: "100%", subject: "lat.echo"}}
              {stream: "ticks.>"} ]
    mappings { "orders.*": [ {destination: "orders.v2.$1", weight: 100%} ] }
  }
  B {
    users [ {user: bob, password: pw} ]
    imports [ {service {account: A, subject: "svc.echo"}, to: "echo"}
              {stream {account: A, subject: "ticks.>"}, prefix: "from_a"} ]
  }
  EMPTY { users [ {user: nobody, password: pw} ] }
  DBG { users [ {user: dbg, password: pw} ]
        imports [ {service {account: SYS, subject: "$SYS.DEBUG.SUBSCRIBERS"}}
                  {stream {account: SYS, subject: "$SYS.ACCOUNT.DBG.>"}, to: "ev.>"} ] }
  LIM { users [ {user: lim, password: pw} ], limits {max_connections: 1, max_subscriptions: 2, max_payload: 64} }
}
system_account: SYS
'''
_SANITIZER = re.compile(r"(Address|Leak|Memory|Thread)Sanitizer:|: runtime error: ")


class Server:
    """A process with a client port, `port`, and a monitoring port, `mon`, in a folder of its own, `dir`."""

    def __init__(self, binary, conf, *, is_secure=False):
        self.dir = tempfile.mkdtemp(prefix="golden-")
        self.port, self.mon = port_for_restart(), port_for_restart()
        scheme = "https" if is_secure else "http"
        self._base_path = "".join(re.findall(r'http_base_path: "(.*)"', conf))
        self._log = Path(self.dir) / "log"
        self.write(f'host: 127.0.0.1\nport: {self.port}\n{scheme}: "127.0.0.1:{self.mon}"\nserver_name: golden\n' + conf)
        env = {name: value for name, value in os.environ.items() if name != "GOMEMLIMIT"} | {"TZ": "UTC"}
        with self._log.open("wb") as log:
            self.proc = subprocess.Popen([binary, "-c", self._conf_path()], env=env, cwd=self.dir, stdin=subprocess.DEVNULL,
                                         stdout=log, stderr=subprocess.STDOUT)

    def write(self, conf):
        """Another configuration file; `conf` is the text of the last one."""
        self.conf = conf
        self._conf_path().write_text(conf, encoding="utf-8")

    def ready(self, tls=None):
        """Wait for /healthz.  The client port is not probed: that would leave a closed connection behind."""
        deadline = time.monotonic() + TIMEOUT
        while self.proc.poll() is None and time.monotonic() < deadline:
            try:
                if http_get(self.mon, self._base_path + "/healthz", tls=tls)[0] == 200:
                    return self
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.02)
        raise RuntimeError("the server did not start")

    def log(self):
        return self._log.read_text(encoding="utf-8", errors="replace")

    def stop(self):
        """Stop and forget it.  What is wrong with how it ran, or None."""
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGINT)
        try:
            code = self.proc.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            code = self.proc.wait()
        log = self.log()
        shutil.rmtree(self.dir, ignore_errors=True)
        return f"exit status {code}, log:\n{log}" if code not in (0, 1) or _SANITIZER.search(log) else None

    def _conf_path(self):
        return Path(self.dir) / "server.conf"


# ---- HTTP

def http_get(port, path, method="GET", *, tls=None):
    """Status, headers and body of what the monitoring port answers; tls is a context."""
    kind = (lambda *args, **kwargs: http.client.HTTPSConnection(*args, context=tls, **kwargs)) if tls else http.client.HTTPConnection
    connection = kind("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def jget(port, path, *, tls=None):
    """The document there."""
    return json.loads(http_get(port, path, tls=tls)[2])


def raw_tcp(port, data):
    """What is answered to these bytes, and what happens then: "eof", "reset", or "open" if nothing does for a second."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as sock:
        sock.sendall(data)
        try:
            while True:
                sock.settimeout(1 if received else TIMEOUT)
                more = sock.recv(65536)
                if not more:
                    return received, "eof"
                received += more
        except socket.timeout:
            return received, "open"
        except OSError:
            return received, "reset"


# ---- patience

def until(condition):
    """Call it until its result is true, and return that.  Documents that do not have what it wants do not satisfy it."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            result = condition()
        except (OSError, ValueError, KeyError, IndexError, http.client.HTTPException):
            result = None
        if result:
            return result
        if time.monotonic() > deadline:
            raise TimeoutError("condition not reached")
        time.sleep(0.03)


def settle(mon, n, tls=None):
    """Wait until exactly n client connections are listed and RTTs are known."""
    def is_settled():
        connections = jget(mon, "/connz", tls=tls)["connections"]
        return len(connections) == n and all(entry.get("rtt") not in (None, "0s") for entry in connections)

    until(is_settled)
