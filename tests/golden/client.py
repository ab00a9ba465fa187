# SPDX-License-Identifier: Apache-2.0
"""A NATS client that collects everything it is sent, in a thread of its own."""

import gzip
import itertools
import json
import queue
import select
import socket
import ssl
import threading
import time

from golden.snappy import unframe

TIMEOUT = 30.0  # [s] for what must come
_DECODERS = {"gzip": gzip.decompress, "snappy": unframe}
_FENCES = ["$SYS.REQ.SERVER.%s.IDZ", "$SYS.REQ.SERVER.%s.STATSZ"]  # the Go server answers them in different threads


class Message:
    """One MSG or HMSG."""

    def __init__(self, subject, reply, header, payload):
        self.subject, self.reply, self.payload = subject, reply, payload
        self.at = time.time()
        self.has_header = bool(header)
        self.status, self.header = None, {}
        if header:
            first, *lines = header.decode().split("\r\n")
            self.status = first[len("NATS/1.0"):].strip() or None
            for line in lines:
                name, colon, value = line.partition(":")
                if colon:
                    self.header.setdefault(name, value.strip())

    def body(self):
        return _DECODERS.get(self.header.get("Content-Encoding"), bytes)(self.payload)

    def json(self):
        return json.loads(self.body())


class Client:
    """Logs in, and answers PING, unless told otherwise.

    connect  False: do not say CONNECT
    pong     False: do not answer PING
    tls      an ssl.SSLContext; tls_first: handshake before INFO
    rcvbuf   SO_RCVBUF, for slow readers; `paused` is for them, too
    opts     fields of CONNECT
    """

    def __init__(self, port, *, connect=True, pong=True, tls=None, tls_first=False, rcvbuf=None, **opts):
        self.sock = socket.socket()
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.errors, self.infos = [], []  # texts of -ERR, documents of INFO
        self.closed, self.paused = threading.Event(), threading.Event()
        self._pong, self._is_tls = pong, False
        self._buffer, self._lock = b"", threading.Lock()
        self._queues, self._others, self._pongs = {}, queue.Queue(), queue.Queue()
        self._sids, self._inboxes = itertools.count(1), itertools.count(1)
        if tls and tls_first:
            self._handshake(tls)
        self.info = json.loads(self._line()[len(b"INFO "):])
        self.infos.append(self.info)
        if tls and not tls_first:
            self._handshake(tls)
        self.sock.settimeout(0 if tls else None)
        self._is_tls = bool(tls)
        self.opts = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True, "protocol": 1,
                     "lang": "python-golden", "version": "1.0", **opts}
        threading.Thread(target=self._loop, daemon=True).start()
        if connect:
            self.send(b"CONNECT " + json.dumps(self.opts).encode() + b"\r\nPING\r\n")
            while not self.closed.is_set():
                try:
                    self._pongs.get(timeout=0.05)
                    break
                except queue.Empty:
                    pass

    @property
    def cid(self):
        return self.info["client_id"]

    @property
    def server_id(self):
        return self.info["server_id"]

    # ---- talking

    def send(self, data):
        with self._lock:  # SSL objects must not be used by two threads at once
            if not self._is_tls:
                self.sock.sendall(data)
                return
            while data:
                try:
                    data = data[self.sock.send(data):]
                except ssl.SSLWantWriteError:
                    select.select([], [self.sock], [], 1)
                except ssl.SSLWantReadError:
                    select.select([self.sock], [], [], 1)

    def flush(self):
        """The server has done all that it was told."""
        self.send(b"PING\r\n")
        self._pongs.get(timeout=TIMEOUT)

    def sub(self, subject, group=None, max_msgs=None):
        """The queue that its messages come to."""
        sid = str(next(self._sids))
        self._queues[sid] = queue.Queue()
        self.send(f"SUB {subject} {group + ' ' if group else ''}{sid}\r\n".encode())
        if max_msgs:
            self.send(f"UNSUB {sid} {max_msgs}\r\n".encode())
        return self._queues[sid]

    def pub(self, subject, data=b"", reply="", header=None):
        if isinstance(data, (dict, list)):
            data = json.dumps(data)
        if isinstance(data, str):
            data = data.encode()
        to = f"{subject} {reply + ' ' if reply else ''}"
        if header:
            block = b"NATS/1.0\r\n" + b"".join(f"{name}: {value}\r\n".encode() for name, value in header.items()) + b"\r\n"
            self.send(f"HPUB {to}{len(block)} {len(block) + len(data)}\r\n".encode() + block + data + b"\r\n")
        else:
            self.send(f"PUB {to}{len(data)}\r\n".encode() + data + b"\r\n")

    # ---- asking

    def ask(self, subject, data=b"", header=None):
        """The first answer, which must come."""
        with _Inbox(self) as (inbox, answers):
            self.pub(subject, data, inbox, header)
            return answers.get(timeout=TIMEOUT)

    def ask_all(self, subject, data=b""):
        """All answers that there are; for clients of the system account.  The server answers in order, but for PROFILEZ."""
        with _Inbox(self) as (inbox, answers):
            self.pub(subject, data, inbox)
            found = [answers.get(timeout=TIMEOUT)] if subject.endswith(".PROFILEZ") else []
            self.fence()
            return found + taken(answers)

    def ask_perhaps(self, subject, data=b""):
        """The first of them, or None."""
        return next(iter(self.ask_all(subject, data)), None)

    def fence(self):
        """All that the server had to tell until now has come; for clients of the system account."""
        for subject in _FENCES:
            self.ask(subject % self.server_id)

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
        self.closed.wait(TIMEOUT)

    # ---- inside

    def _handshake(self, tls):
        self.sock = tls.wrap_socket(self.sock, server_hostname="localhost")

    def _receive(self):
        while self.paused.is_set():
            time.sleep(0.01)
        if not self._is_tls:
            return self.sock.recv(65536)
        while True:
            if not self.sock.pending():
                select.select([self.sock], [], [], 0.2)
            try:
                with self._lock:
                    return self.sock.recv(65536)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass

    def _fill(self):
        data = self._receive()
        if not data:
            raise EOFError
        self._buffer += data

    def _line(self):
        while b"\r\n" not in self._buffer:
            self._fill()
        line, self._buffer = self._buffer.split(b"\r\n", 1)
        return line

    def _take(self, n):
        while len(self._buffer) < n + 2:
            self._fill()
        data, self._buffer = self._buffer[:n], self._buffer[n + 2:]
        return data

    def _loop(self):
        """The reading thread."""
        try:
            while True:
                self._on_line(self._line())
        except (OSError, EOFError, ValueError):
            self.closed.set()

    def _on_line(self, line):
        verb, _, rest = line.partition(b" ")
        if verb in (b"MSG", b"HMSG"):
            self._on_message(verb, rest.decode().split())
        elif verb == b"PING" and self._pong:
            self.send(b"PONG\r\n")
        elif verb == b"PONG":
            self._pongs.put(None)
        elif verb == b"-ERR":
            self.errors.append(line.decode())
        elif verb == b"INFO":
            self.infos.append(json.loads(rest))

    def _on_message(self, verb, words):
        subject, sid, *reply, n_total = words
        n_header = int(reply.pop()) if verb == b"HMSG" else 0
        data = self._take(int(n_total))
        message = Message(subject, "".join(reply) or None, data[:n_header], data[n_header:])
        self._queues.get(sid, self._others).put(message)


class _Inbox:
    """A subscription for the answers to one question."""

    def __init__(self, client):
        self._client = client
        self._subject = f"_INBOX.{client.cid}.{next(client._inboxes)}"

    def __enter__(self):
        answers = self._client.sub(self._subject)
        self._sid = list(self._client._queues)[-1]
        return self._subject, answers

    def __exit__(self, *_exc):
        self._client.send(f"UNSUB {self._sid}\r\n".encode())


def taken(messages):
    """What is in a queue now."""
    found = []
    while not messages.empty():
        found.append(messages.get())
    return found


def next_with(messages, subject):
    """The next message with this subject; others are read over."""
    while (message := messages.get(timeout=TIMEOUT)).subject != subject:
        pass
    return message
