# SPDX-License-Identifier: Apache-2.0
"""Every script in scripts/ is played against gnatwren and the Go server, and both must answer the same bytes (README.md)."""

import difflib
import subprocess
from pathlib import Path

import pytest

from diff.pair import Pairs
from diff.play import CLOSED_BEFORE, GAVE_UP
from diff.script import load_all
from harness import Server
from harness.server import peer_binary

DIFFERENCES = Path(__file__).parents[2] / "docs" / "differences.md"


@pytest.fixture(scope="session")
def pairs():
    try:
        peer_binary()
    except (OSError, subprocess.SubprocessError) as e:
        pytest.skip(f"the Go server cannot be had, see tests/peer.sh: {e}")
    running = Pairs()
    yield running
    running.stop()


@pytest.mark.parametrize("script", load_all(), ids=lambda s: s.name)
def test_same_bytes(script, pairs):
    ours, peer, log = pairs.play(script)
    if any(mark in line for line in peer for mark in (GAVE_UP, CLOSED_BEFORE)):
        pytest.fail(f"{script.path}: does not fit the peer\n" + "\n".join(peer), pytrace=False)
    if ours == peer:
        if script.differs and not Server.peer_by_default:
            pytest.fail(f"{script.path}: no longer differs, drop its header line", pytrace=False)
        return
    if script.differs and _is_documented(script.differs[0]):
        pytest.xfail(f"differs ({script.differs[0]}): {script.differs[1]}")
    diff = "\n".join(difflib.unified_diff(peer, ours, "peer", "ours", lineterm="", n=6))
    pytest.fail(f"{script.path}\n{diff}\n---- log of ours\n{log[-4000:]}", pytrace=False)


def _is_documented(key):
    return DIFFERENCES.exists() and f"`{key}`" in DIFFERENCES.read_text(encoding="utf-8")
