# SPDX-License-Identifier: Apache-2.0
"""Plays a script against one server and writes down what each connection received."""

import json
import re
import select
import socket
import struct
import time
from itertools import groupby

from .script import expand
from .wire import next_frame, stable_info, stable_message

WAIT_S = 5  # a wait that is not fulfilled for so long is given up, and says so in the transcript
SEGMENT_GAP_S = 0.003  # between the segments of one send, so that the server reads them one by one
GAVE_UP = "!! gave up waiting"
CLOSED_BEFORE = "!! is closed already:"


class _GaveUp(Exception):
    """A wait was not fulfilled; what follows in the script makes no sense any more."""


class Conn:
    """One connection: its socket, the frames no step has taken yet, and whether the server has closed it."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buf = bytearray()
        self.frames = []
        self.cid = 0  # as the first INFO says
        self.is_closed = False
        self.close_told = False  # the transcript says so already

    def send(self, segments):
        for i, segment in enumerate(segments):
            if i:
                time.sleep(SEGMENT_GAP_S)
            try:
                self.sock.sendall(segment)
            except OSError:  # the server closed first; what it said before is still to be read
                return

    def shut(self):
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:  # the server closed first
            pass

    def fill(self, keep_pings):
        """Read once. A reset counts as a close: which of the two comes depends on what the server had not read yet."""
        try:
            data = self.sock.recv(1 << 20)
        except OSError:
            data = b""
        self.is_closed = not data
        self.buf += data
        while (found := next_frame(self.buf))[0]:
            frame, length = found
            del self.buf[:length]
            if not self.cid and (cid := re.search(rb'"client_id":(\d+)', frame.head)):
                self.cid = int(cid[1])
            if keep_pings or frame.verb != "PING":
                self.frames.append(frame)


class Player:
    def __init__(self, script, server, token):
        self.script = script
        self.server = server
        self.names = {"T": token}  # and P1, R1, …, as replies of the server come in
        self.conns = {}
        self.lines = []

    def play(self):
        """The transcript, as a list of lines."""
        try:
            for step in self.script.steps:
                self._write_step(step)
                getattr(self, "_do_" + step.verb)(step)
            for name, conn in self.conns.items():
                if not conn.close_told:
                    self.lines.append(f"{name}: end")
                    conn.shut()
                    self._wait(name, _never)
        except _GaveUp:
            pass
        finally:
            for conn in self.conns.values():
                conn.sock.close()
        return self.lines

    # ---- steps

    def _do_open(self, step):
        name = step.conns[0]
        self._connect(name, frozenset() if "info" in step.flags else {"noinfo"})

    def _connect(self, name, flags=frozenset({"noinfo"})):
        if name in self.conns:
            self.conns[name].sock.close()
        self.conns[name] = Conn(self.server.port)
        self._wait(name, _nth(1), flags)

    def _do_login(self, step):
        """Open, CONNECT, and wait until that is done: the Go server maps nothing that comes in one read with CONNECT."""
        options = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True, **step.arg}
        self._connect(step.conns[0])
        self._conn(step).send([b"CONNECT %b\r\nPING\r\n" % json.dumps(options).encode()])
        self._wait(step.conns[0], _nth(1, lambda f: f.verb == "PONG"))

    def _do_send(self, step):
        self._conn(step).send(self._expand(step.arg))

    def _do_splits(self, step):
        data = self._expand(step.arg)[0]
        for cut in range(1, len(data)):
            self._conn(step).send([data[:cut], data[cut:]])
            time.sleep(SEGMENT_GAP_S)

    def _do_fence(self, step):
        self._conn(step).send([b"PING\r\n"])
        self._wait(step.conns[0], _nth(step.arg + 1, lambda f: f.verb == "PONG"), step.flags)

    def _do_recv(self, step):
        if len(step.conns) > 1:
            self._wait_group(step)
        else:
            self._wait(step.conns[0], _nth(step.arg, lambda f: f.is_message), step.flags)

    def _do_read(self, step):
        self._wait(step.conns[0], _nth(step.arg), step.flags)

    def _do_closed(self, step):
        self._wait(step.conns[0], _never, step.flags)

    def _do_shut(self, step):
        self._conn(step).shut()

    def _do_close(self, step):
        self.conns.pop(step.conns[0]).sock.close()

    def _do_reset(self, step):
        sock = self.conns.pop(step.conns[0]).sock
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    def _do_reason(self, step):
        """Why the server closed the connection, from its log."""
        try:
            reason = self.server.closed_reason(self._conn(step).cid, WAIT_S)
        except AssertionError:
            reason = "!! not in the log"
        self.lines.append(f"   reason: {reason}")

    def _do_sleep(self, step):
        time.sleep(step.arg / 1000)

    # ---- waiting

    def _conn(self, step):
        return self.conns[step.conns[0]]

    def _expand(self, text):
        try:
            return expand(text, self.names)
        except KeyError as e:
            self._give_up(f"for ${e.args[0]}, which no message has told")

    def _wait(self, name, want, flags=frozenset()):
        """Read until `want(frames)` is the number of frames to take; the close of the connection ends the wait too."""
        conn = self.conns[name]
        deadline = time.monotonic() + WAIT_S
        while (n := want(conn.frames)) is None and not conn.is_closed and self._fill([conn], deadline):
            pass
        taken = conn.frames[:n]
        del conn.frames[:n]
        self._write_frames(name, taken, flags)
        if n is not None:
            return
        if not conn.is_closed:
            self._give_up()
        self._write_close(name, conn)

    def _wait_group(self, step):
        """Wait for step.arg messages on any of the connections; the transcript does not tell which got them."""
        conns = [self.conns[c] for c in step.conns]
        deadline = time.monotonic() + WAIT_S
        is_reading = True
        while is_reading and (missing := step.arg - sum(f.is_message for c in conns for f in c.frames)) > 0:
            is_reading = self._fill([c for c in conns if not c.is_closed], deadline)
        taken = [f for c in conns for f in c.frames]
        for conn in conns:
            conn.frames.clear()
        self._write_frames("+".join(step.conns), taken, step.flags | {"unordered"})
        if missing > 0:
            self._give_up()

    def _fill(self, conns, deadline):
        ready, _, _ = select.select([c.sock for c in conns], [], [], max(deadline - time.monotonic(), 0))
        for conn in conns:
            if conn.sock in ready:
                conn.fill(self.script.keep_pings)
        return bool(ready)

    def _give_up(self, why=f"after {WAIT_S} s"):
        self.lines.append(f"   {GAVE_UP} {why}; the rest of the script was not played")
        raise _GaveUp

    # ---- writing

    def _write_step(self, step):
        if step.verb == "send":
            self.lines.append(f"{step.conns[0]}> {step.arg}")
            return
        words = ["+".join(step.conns) + ":"] if step.conns else []
        arg = json.dumps(step.arg) if isinstance(step.arg, dict) else step.arg
        words += [step.verb] + ([str(arg)] if arg is not None else []) + sorted(step.flags)
        self.lines.append(" ".join(words))

    def _write_frames(self, name, frames, flags):
        if "unordered" in flags:
            frames = _sort_messages(frames, flags)
        for line, same in groupby([self._show(f, flags) for f in frames]):
            n = len(list(same))
            self.lines.append(f"   {name} < {line}" + (f"   {n} times" if n > 1 else ""))

    def _write_close(self, name, conn):
        if conn.close_told:
            self.lines.append(f"   {CLOSED_BEFORE} {name}")
            return
        if conn.buf:
            self.lines.append(f"   {name} < {self._text(bytes(conn.buf))} (unfinished)")
        self.lines.append(f"   {name} closed by the server")
        conn.close_told = True

    def _show(self, frame, flags):
        if frame.verb == "INFO":
            return "INFO ..." if "noinfo" in flags else stable_info(frame.head)
        return self._text(_shown_bytes(frame, flags))

    def _text(self, data):
        """`data` in the language of the scripts; runs of one byte become {x*n}."""
        data = data.replace(self.names["T"].encode(), b"$T").replace(b"\\", b"\\\\")
        data = _REPLY.sub(lambda m: b"_R_.%b.%b" % (self._name("P", m[1]), self._name("R", m[2])), data)
        data = re.sub(rb"(.)\1{31,}", lambda m: b"{%b*%d}" % (m[1], len(m[0])), data, flags=re.S)
        return re.sub(rb"[^\x20-\x7e]", lambda m: _NAMED.get(m[0], "\\x%02x" % m[0][0]).encode(), data).decode()


    def _name(self, letter, token):
        """`token` of a reply of the server, by its name: $P2 is the second different one of the letter P that was seen."""
        token = token.decode()
        names = [name for name, text in self.names.items() if text == token and name[0] == letter]
        name = names[0] if names else f"{letter}{sum(n[0] == letter for n in self.names) + 1}"
        self.names[name] = token
        return b"$" + name.encode()


_REPLY = re.compile(rb"_R_\.([0-9A-Za-z]{6})\.([0-9A-Za-z]{6})(?![0-9A-Za-z])")
_NAMED = {b"\r": "\\r", b"\n": "\\n", b"\t": "\\t"}


def _never(_frames):
    """The wait for the close only."""
    return None


def _nth(n, test=lambda frame: True):
    """The wait for the n-th frame that passes `test`: how many frames that takes, None as long as it is not there."""

    def want(frames):
        hits = [i for i, frame in enumerate(frames, 1) if test(frame)]
        return hits[n - 1] if len(hits) >= n else None

    return want


def _shown_bytes(frame, flags):
    """The bytes of a frame, without what differs from run to run or must not be compared."""
    data = stable_message(frame) if frame.is_message else frame.bytes
    return re.sub(rb"^(\S+ \S+) \S+", rb"\1 <sid>", data) if "anysid" in flags and frame.is_message else data


def _sort_messages(frames, flags):
    """`frames` with the messages sorted among themselves; every other frame keeps its place."""
    messages = iter(sorted((f for f in frames if f.is_message), key=lambda f: _REPLY.sub(b"_R_", _shown_bytes(f, flags))))
    return [next(messages) if f.is_message else f for f in frames]
