# SPDX-License-Identifier: Apache-2.0
"""Ports for servers that are started again."""

import random
import socket
from pathlib import Path


def port_for_restart() -> int:
    """A free port that the kernel gives to nobody while the server is down.

    It is below the ephemeral range: there another test could get it, and a client that dials the closed port again
    and again would one day get it as its own and be connected to itself.
    """
    first_ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(first_ephemeral // 2, first_ephemeral)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
