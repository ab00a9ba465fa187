# SPDX-License-Identifier: Apache-2.0
"""Times in documents."""

import re
from datetime import datetime


def instant(text: str) -> float:
    """RFC 3339 with up to nine decimals, the last of them not 0; [s] since 1970."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{0,8}[1-9])?(Z|[+-]\d\d:\d\d)", text)
    assert match, text
    whole = datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00")).timestamp()
    return whole + float(match[2] or 0)
