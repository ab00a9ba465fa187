# SPDX-License-Identifier: Apache-2.0
"""What the server says of itself is what the reference says (spec 06 and 07, E-43)."""

import subprocess
import sys

import pytest

from golden.compare import GOLDEN, differences
from harness import Server
from harness.server import TESTS, gnatwren_binary, peer_binary

SCENARIOS = sorted(path.name for path in GOLDEN.iterdir() if any(path.glob("*.schema.json")))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_e43_scenario(tmp_path, scenario):
    """E-43: every document, message and text of the scenario."""
    binary = peer_binary() if Server.peer_by_default else gnatwren_binary()
    played = subprocess.run([sys.executable, "-m", "tests.golden.capture", "--server", binary, "--out", tmp_path, scenario],
                            cwd=TESTS.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
    found = differences(tmp_path, scenario, None if Server.peer_by_default else GOLDEN / "allow.json")
    problems = [line for line in (played.stdout if played.returncode else "", *found) if line]
    assert not problems, "\n".join(problems)
