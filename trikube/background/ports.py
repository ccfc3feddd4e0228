"""A port for a server that has to know it before it starts."""

import random
import socket

_PORTS = range(20_000, 32_000)
"""Below those the kernel gives to clients: between two runs one of them could otherwise take the server's port."""


def free_port() -> int:
    """A loopback port nobody listens on at the moment."""
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
