# SPDX-License-Identifier: Apache-2.0
"""Waiting for what cannot be waited for by reading from a connection or the log."""

import time
from typing import Callable


def eventually(condition: Callable[[], object], timeout: float = 10.0):
    """Call `condition` until its result is true, and return that; fail at the deadline."""
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        assert time.monotonic() < deadline, f"did not become true within {timeout} s: {condition.__name__}"
        time.sleep(0.005)
    return result
