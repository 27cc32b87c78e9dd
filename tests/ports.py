"""nothing -> a port that is free, and stays so until whoever asked for it listens there.

Where a test listens itself it binds port 0. A process that is told its port needs one beforehand, and between the look and
its bind the kernel may give the port away: to any connection, if it is one of those that it chooses from. So these are not.
"""

from __future__ import annotations

import secrets
import socket

_CANDIDATES = range(10_000, 32_000)
"""Below the ports that Linux hands out by itself."""

_given: set[int] = set()


def free_port() -> int:
    """A port of this machine that nobody listens on; another one at each call."""
    while True:
        port = secrets.choice(_CANDIDATES)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
