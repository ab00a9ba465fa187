# SPDX-License-Identifier: Apache-2.0
"""The fixture that runs every interop test once per client."""

import pytest

from interop import clients


@pytest.fixture(scope="session", params=sorted(clients.BUILDERS))
def client(request):
    """A client program, built; skips its tests where the toolchain is missing."""
    try:
        return clients.build(request.param)
    except clients.ToolchainMissing as missing:
        pytest.skip(str(missing))
    except clients.BuildFailed as failed:
        pytest.fail(str(failed), pytrace=False)
