# SPDX-License-Identifier: Apache-2.0
"""A NATS client that is nothing but a socket: tests write and compare the bytes of the protocol themselves."""

from __future__ import annotations

import json
import re
import select
import socket
import struct
import time

TIMEOUT = 10.0  # [s] deadline of every read, unless the constructor says otherwise
_SHOWN = 2000   # bytes of each side of the conversation shown on failure


class Client:
    """Connects and reads the INFO line (`info_raw`, and parsed: `info`).

    auto_pong  answer and hide the server's PINGs; for tests that may last longer than the 2 s before the first one.
               A payload line that reads `PING` would be taken for one.
    timeout    deadline of every single read, in seconds
    rcvbuf     SO_RCVBUF, to make a reader that is slow early
    read_info  False: leave INFO unread (there may be none)
    """

    def __init__(self, port: int, host: str = "127.0.0.1", *, auto_pong: bool = False, timeout: float = TIMEOUT,
                 rcvbuf: int | None = None, read_info: bool = True):
        self.timeout = timeout
        self.auto_pong = auto_pong
        self.info: dict = {}
        self.info_raw = b""
        self.async_info: dict | None = None
        self._buffer = bytearray()  # received, not consumed yet
        self._held = b""            # start of what may be a PING to hide
        self._line_start = True  # the next byte received begins a line
        self._eof = False
        self._sent_tail = b""
        self._received_tail = b""
        self.sock = socket.socket()
        if rcvbuf is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.settimeout(timeout)
        self.sock.connect((host, port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if read_info:
            self.info_raw = self.read_line()
            self.info = self._parse_info(self.info_raw)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_exc) -> None:
        self.close()

    @property
    def cid(self) -> int:
        return self.info["client_id"]

    # ---- sending

    def send(self, data: bytes) -> None:
        self._sent_tail = (self._sent_tail + data[-_SHOWN:])[-_SHOWN:]
        self.sock.settimeout(self.timeout)
        self.sock.sendall(data)

    def connect(self, **fields) -> Client:
        """CONNECT {verbose:false, pedantic:false, …fields}, then PING; consumes what these two are answered with."""
        fields = {"verbose": False, "pedantic": False, **fields}
        self.send(b"CONNECT " + json.dumps(fields).encode() + b"\r\nPING\r\n")
        self.expect(b"+OK\r\nPONG\r\n" if fields["verbose"] else b"PONG\r\n")
        if fields.get("protocol") == 1 and self.async_info is None:
            self.async_info = self.read_info()
        return self

    def half_close(self) -> None:
        """Send FIN, keep reading."""
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Close with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        self.sock.close()

    # ---- receiving: everything takes bytes off the front of the stream, or fails with what was received

    def expect(self, data: bytes) -> None:
        """The next bytes are exactly `data`."""
        deadline, n_good = self._deadline(), 0
        while len(self._buffer) < len(data):
            if self._buffer[n_good:] != data[n_good:len(self._buffer)]:
                break
            n_good = len(self._buffer)
            self._receive(deadline, data)
        if not self._buffer.startswith(data):
            self._fail("unexpected bytes", data)
        self._take(len(data))

    def expect_re(self, pattern: bytes) -> re.Match:
        """The next bytes match `pattern`, which should end in something definite, such as CRLF."""
        compiled, deadline = re.compile(pattern, re.DOTALL), self._deadline()
        while not (match := compiled.match(self._buffer)):
            self._receive(deadline, pattern)
        return compiled.match(self._take(match.end()))

    def read_exactly(self, n: int) -> bytes:
        deadline = self._deadline()
        while len(self._buffer) < n:
            self._receive(deadline, f"{n} bytes")
        return self._take(n)

    def read_line(self) -> bytes:
        """One line, with its CRLF."""
        deadline = self._deadline()
        while b"\r\n" not in self._buffer:
            self._receive(deadline, "a line")
        return self._take(self._buffer.index(b"\r\n") + 2)

    def read_info(self) -> dict:
        """An INFO line."""
        return self._parse_info(self.read_line())

    def ping(self) -> bytes:
        """PING; returns everything that arrived before the PONG."""
        self.send(b"PING\r\n")
        deadline, pong, searched = self._deadline(), re.compile(rb"(?:\A|\n)(PONG\r\n)"), 0
        while not (match := pong.search(self._buffer, searched)):
            searched = max(0, len(self._buffer) - len(b"\nPONG\r"))
            self._receive(deadline, "PONG")
        before = self._take(match.start(1))
        self._take(len(b"PONG\r\n"))
        return before

    def fence(self) -> None:
        """The server has nothing more to say: only PONG answers a PING."""
        before = self.ping()
        if before:
            self._fail(f"expected nothing before PONG, got {_show(before)}")

    def expect_eof(self) -> None:
        """The server closes (FIN or RST) without another byte."""
        deadline = self._deadline()
        while not self._buffer and not self._eof:
            self._receive(deadline, "end of stream", eof_ok=True)
        if self._buffer:
            self._fail("expected the connection to be closed")

    def expect_closed_with(self, data: bytes) -> None:
        """The server says exactly `data` and closes."""
        self.expect(data)
        self.expect_eof()

    def read_to_eof(self) -> bytes:
        """Everything up to the close."""
        deadline = self._deadline()
        while not self._eof:
            self._receive(deadline, "end of stream", eof_ok=True)
        return self._take(len(self._buffer))

    def silent_for(self, seconds: float) -> bool:
        """Nothing is unread, and nothing arrives within this time.  To measure; absence is better shown by a fence."""
        return not self._buffer and not select.select([self.sock], [], [], seconds)[0]

    # ---- inside

    def _parse_info(self, line: bytes) -> dict:
        match = re.fullmatch(rb"INFO (\{.*\}) \r\n", line)
        if not match:
            self._fail(f"expected an INFO line, got {_show(line)}")
        return json.loads(match[1])

    def _deadline(self) -> float:
        return time.monotonic() + self.timeout

    def _take(self, n: int) -> bytes:
        taken = bytes(self._buffer[:n])
        del self._buffer[:n]
        return taken

    def _receive(self, deadline: float, wanted, eof_ok: bool = False) -> None:
        """Append what arrives next to the buffer; fail at the deadline, or at the end of the stream."""
        left = deadline - time.monotonic()
        data = b""
        if not self._eof:
            if left <= 0:
                self._fail("timeout", wanted)
            self.sock.settimeout(left)
            try:
                data = self.sock.recv(1 << 18)
            except socket.timeout:
                self._fail("timeout", wanted)
            except ConnectionError:
                pass
        self._received_tail = (self._received_tail + data)[-_SHOWN * 2:]
        self._eof = not data
        self._buffer += self._without_pings(data) if self.auto_pong else data
        if self._eof and not eof_ok:
            self._fail("connection closed", wanted)

    def _without_pings(self, data: bytes) -> bytes:
        """Answer and remove PING lines; what may be the start of one is held back until the rest arrives."""
        text = (b"\n" if self._line_start else b"-") + self._held + data
        kept = re.sub(rb"(?<=\n)(?:PING\r\n)+", b"", text)
        if kept != text:
            try:
                self.sock.sendall(b"PONG\r\n")
            except OSError:
                pass
        start = re.search(rb"(?<=\n)(?:P|PI|PIN|PING|PING\r)\Z", kept) if data else None
        if start:
            kept = kept[:start.start()]
        self._held = start[0] if start else b""
        self._line_start = kept.endswith(b"\n")
        return kept[1:]

    def _fail(self, why: str, wanted=None) -> None:
        lines = [why]
        if wanted is not None:
            lines.append(f"  wanted:   {_show(wanted)}")
        lines += [f"  unread:   {_show(bytes(self._buffer))}",
                  f"  received: {_show(self._received_tail)}",
                  f"  sent:     {_show(self._sent_tail)}"]
        raise AssertionError("\n".join(lines))


def _show(data) -> str:
    if isinstance(data, bytes) and len(data) > _SHOWN:
        return f"… {len(data) - _SHOWN} bytes … {data[-_SHOWN:]!r}"
    return repr(data)
