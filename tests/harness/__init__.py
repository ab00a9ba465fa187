# SPDX-License-Identifier: Apache-2.0
"""What every test outside tests/unit needs: a server process (`Server`), a raw-socket client (`Client`), and patience."""

from .client import Client
from .server import Server
from .wait import eventually

__all__ = ["Client", "Server", "eventually"]
