# SPDX-License-Identifier: Apache-2.0
"""The two servers a script is played against: ours and the Go peer, kept running for the scripts that want the same options."""

import itertools
import json
import random
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from harness import Server

from .play import Player

MAX_PAIRS = 4  # servers of that many different configurations run at the same time

_tokens = itertools.count(random.randrange(36**4))


class Result(NamedTuple):
    ours: list  # transcript
    peer: list
    log: str  # what our server logged meanwhile


class Pair:
    def __init__(self, script):
        options = {name: _value(text) for name, text in script.options.items()}
        args = ["-D", *script.args]  # -D: the reasons of closed connections are in the log
        self.ours = Server(*args, options=options)
        try:
            self.peer = Server(*args, options=options, peer=True)
        except BaseException:
            self.ours.stop()
            raise

    def play(self, script):
        token, log_start = _next_token(), len(self.ours.log())
        with ThreadPoolExecutor(2) as pool:
            ours, peer = (pool.submit(Player(script, s, token).play) for s in (self.ours, self.peer))
            return Result(ours.result(), peer.result(), self.ours.log()[log_start:])

    def is_running(self):
        return self.ours.proc.poll() is None and self.peer.proc.poll() is None

    def stop(self):
        try:
            self.ours.stop()
        finally:
            self.peer.stop()


class Pairs:
    """Hands out pairs by configuration; the one not used for longest is stopped when there are too many."""

    def __init__(self):
        self._pairs = OrderedDict()

    def play(self, script):
        """The Result of `script`. Fails if a server dies on it; the next script then gets a new one."""
        key = (tuple(sorted(script.options.items())), tuple(script.args))
        if script.fresh:
            self._stop(key)
        if key not in self._pairs:
            if len(self._pairs) >= MAX_PAIRS:
                self._stop(next(iter(self._pairs)))
            self._pairs[key] = Pair(script)
        self._pairs.move_to_end(key)
        try:
            return self._pairs[key].play(script)
        finally:
            if script.fresh or not self._pairs[key].is_running():
                self._stop(key)

    def stop(self):
        while self._pairs:
            self._stop(next(iter(self._pairs)))

    def _stop(self, key):
        pair = self._pairs.pop(key, None)
        if pair:
            pair.stop()  # complains of a bad exit


def _next_token():
    """What $T stands for in one run: always 6 bytes, since sizes depend on it, and the same for both servers."""
    n, digits = next(_tokens), ""
    for _ in range(5):
        n, digit = divmod(n, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return "t" + digits


def _value(text):
    """An option's value: JSON if it is that (numbers, booleans, lists), else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
