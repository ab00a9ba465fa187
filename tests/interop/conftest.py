# SPDX-License-Identifier: Apache-2.0
"""The fixture that runs every interop test once per client, servers with a configuration file, and certificates."""

import json
import signal

import pytest

from e2e.tls.conftest import Certificates
from harness import eventually
from interop import clients

RELOADED = "Reloaded server configuration"
TLS_LOG = r"TLS version 1\.3, cipher suite"  # of -D


@pytest.fixture(scope="session", params=sorted(clients.BUILDERS))
def client(request):
    """A client program, built; skips its tests where the toolchain is missing."""
    try:
        return clients.build(request.param)
    except clients.ToolchainMissing as missing:
        pytest.skip(str(missing))
    except clients.BuildFailed as failed:
        pytest.fail(str(failed), pytrace=False)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """certificate(name, …) -> Certificate; see tests/e2e/tls."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def configured(start_server, tmp_path):
    """configured(conf, *args) -> Server that reads these options from a file; called again, it writes that file anew."""
    path = tmp_path / "server.conf"

    def start(conf, *args):
        path.write_text(json.dumps(conf))
        return start_server("-D", "-c", path, *args)

    return start


@pytest.fixture
def reload(tmp_path):
    """reload(server, conf): has the server read these options instead."""
    def run(server, conf):
        (tmp_path / "server.conf").write_text(json.dumps(conf))
        n_before = server.log().count(RELOADED)
        server.signal(signal.SIGHUP)
        eventually(lambda: server.log().count(RELOADED) > n_before)

    return run
