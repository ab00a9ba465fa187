# SPDX-License-Identifier: Apache-2.0
"""HTTP over plain sockets: requests are bytes that tests write themselves, answers are taken apart just far enough."""

from __future__ import annotations

import json
import re
import select
import socket
import ssl
from dataclasses import dataclass

TIMEOUT = 20.0  # [s] deadline of every read
JSON, PLAIN, HTML = "application/json", "text/plain; charset=utf-8", "text/html; charset=utf-8"


@dataclass
class Answer:
    """One answer to one request."""
    version: str    # HTTP/1.1
    status: int
    headers: dict   # by lower-case name
    body: bytes     # without the framing of chunks

    @property
    def type(self) -> str | None:
        return self.headers.get("content-type")

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self):
        """The document that a good answer carries."""
        assert self.status == 200, self
        return json.loads(self.body)


class Connection:
    """One connection to a monitoring port."""

    def __init__(self, port: int, *, tls: ssl.SSLContext | None = None, timeout: float = TIMEOUT, rcvbuf: int | None = None):
        self._buffer = bytearray()
        self._eof = False
        self.sock = socket.socket()
        if rcvbuf is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.settimeout(timeout)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.sock = tls.wrap_socket(self.sock, server_hostname="localhost")

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_exc) -> None:
        self.close()

    def close(self) -> None:
        self.sock.close()

    def half_close(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def ask(self, path: str, method: str = "GET") -> Answer:
        """One request, and its answer; the connection stays open."""
        self.send(request(path, method))
        return self.read(method)

    def read(self, method: str = "GET") -> Answer:
        """The next answer."""
        head = self._take_to(b"\r\n\r\n").decode("latin-1")
        first, *lines = head[:-4].split("\r\n")
        match = re.fullmatch(r"(HTTP/1\.[01]) (\d{3}) .*", first)
        assert match, f"not a status line: {first!r}"
        headers = {name.lower(): value.strip(" ") for name, value in (line.split(":", 1) for line in lines)}
        assert len(headers) == len(lines), f"a header is there twice: {lines}"
        return Answer(match[1], int(match[2]), headers, self._read_body(headers, method))

    def read_to_eof(self) -> bytes:
        """Everything up to the close."""
        while not self._eof:
            self._receive()
        return self._take(len(self._buffer))

    def expect_eof(self) -> None:
        """The server closes without another byte."""
        rest = self.read_to_eof()
        assert not rest, rest

    def silent_for(self, seconds: float) -> bool:
        """Nothing is unread, and nothing arrives within this time, not even the close."""
        return not self._buffer and not select.select([self.sock], [], [], seconds)[0]

    # ---- inside

    def _read_body(self, headers: dict, method: str) -> bytes:
        if method == "HEAD":
            return b""
        if headers.get("transfer-encoding") == "chunked":
            return self._read_chunks()
        if "content-length" in headers:
            return self._take_n(int(headers["content-length"]))
        assert headers.get("connection") == "close", f"where does this answer end? {headers}"
        return self.read_to_eof()

    def _read_chunks(self) -> bytes:
        body = b""
        while n := int(self._take_to(b"\r\n"), 16):
            body += self._take_n(n)
            assert self._take_n(2) == b"\r\n"
        assert self._take_n(2) == b"\r\n"
        return body

    def _take_to(self, end: bytes) -> bytes:
        while end not in self._buffer:
            assert not self._eof, f"closed; unread: {bytes(self._buffer)!r}"
            self._receive()
        return self._take(self._buffer.index(end) + len(end))

    def _take_n(self, n: int) -> bytes:
        while len(self._buffer) < n:
            assert not self._eof, f"closed {n - len(self._buffer)} bytes too early"
            self._receive()
        return self._take(n)

    def _take(self, n: int) -> bytes:
        taken = bytes(self._buffer[:n])
        del self._buffer[:n]
        return taken

    def _receive(self) -> None:
        try:
            data = self.sock.recv(1 << 18)
        except ConnectionError:
            data = b""
        self._eof = not data
        self._buffer += data


class Monitor:
    """The monitoring port of a server, which says in its log where that is."""

    def __init__(self, server, *, tls: ssl.SSLContext | None = None):
        kind = "https" if tls else "http"
        self.port = int(server.wait_log(rf"Starting {kind} monitor on .*:(\d+)")[1])
        self._tls = tls

    def open(self, **kwargs) -> Connection:
        return Connection(self.port, tls=self._tls, **kwargs)

    def get(self, path: str, method: str = "GET") -> Answer:
        """The answer to one request, on a connection of its own."""
        with self.open() as connection:
            return connection.ask(path, method)

    def document(self, path: str) -> dict:
        """What a good answer says."""
        return self.get(path).json()

    def connections(self, query: str = "") -> list[dict]:
        """The entries of /connz."""
        return self.document("/connz" + query)["connections"]


def request(path: str, method: str = "GET", *lines: str) -> bytes:
    """A request with the header that HTTP/1.1 asks for, and these lines of header."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *lines, "", ""]).encode()
