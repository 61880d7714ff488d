"""Ports for servers that tests start, and start again."""

import contextlib
import random
import socket

__all__ = ["quiet_port"]

_PORTS = range(15_000, 30_000)
"""Below those from which the kernel takes a port for an outgoing connection."""


def quiet_port() -> int:
    """Return a free port that no outgoing connection gets by chance, so that it is still free after a restart."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
