# SPDX-License-Identifier: Apache-2.0
"""conf/gnatwren.conf, which is made from the option tables, and in which all is commented out but the port."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.ours
DEFAULT = (Path(__file__).parents[3] / "conf/gnatwren.conf").resolve()


def explained(check, *args):
    """{name: value} of the options in effect."""
    lines = check("-t", "--explain", *args).stdout.splitlines()
    return dict(re.match(r"(\S+) = (.*?) +#", line).groups() for line in lines)


def test_valid(judge):
    """-t passes."""
    verdict = judge(DEFAULT.read_text())
    assert (verdict.code, verdict.message) == (0, "")


def test_changes_nothing(check, tmp_path):
    """It has the defaults."""
    (tmp_path / "other.conf").write_text("debug: false\n")
    assert explained(check, "-c", str(DEFAULT)) == explained(check, "-c", "other.conf")


def test_without_comment_signs(check, judge, tmp_path):
    """What it shows as defaults can be set, and changes nothing."""
    text = re.sub(r"^#(\w+: .+)$", r"\1", DEFAULT.read_text(), flags=re.MULTILINE)
    assert text.count("\n") == DEFAULT.read_text().count("\n") and "\nping_interval: 2m" in text
    assert judge(text).message == ""
    assert explained(check, "-c", "t.conf") == explained(check, "-c", str(DEFAULT))
