"""The transports to a server in another process, from a kubeconfig's settings.

Called by `rest.Client.connect`. Mirrors `client-go/rest/transport.go` and `client-go/transport`.
"""

import base64
import socket
import time
from collections.abc import Callable

import httpx

from generic.client import kubeconfig
from generic.client.kubeconfig import ClientConfig

TOKEN_LIFE = 60.0
"""Seconds a token read from a file is used before the file is read again, as in client-go."""

_KEEP_CONNECTIONS = 32
_KEEP_SECONDS = 90.0


def calls(config: ClientConfig, *, http2: bool = True) -> httpx.AsyncBaseTransport:
    """For calls with an answer of their own. Raises KubeconfigError if the certificates cannot be used."""
    return _transport(config, http2=http2, connections=_KEEP_CONNECTIONS)


def streams(config: ClientConfig) -> httpx.AsyncBaseTransport:
    """For watches: one HTTP/1.1 connection each. Raises KubeconfigError if the certificates cannot be used.

    Not HTTP/2, because httpcore never resets a stream: a watch given up by us would go on for the server
    until the connection ends. Nor the connections of the calls: a large body beside an open watch stalls there.
    """
    return _transport(config, http2=False, connections=None)


def _transport(config: ClientConfig, *, http2: bool, connections: int | None) -> httpx.AsyncBaseTransport:
    return httpx.AsyncHTTPTransport(
        # A context of its own: httpcore writes the protocols to offer into it.
        verify=config.ssl_context(),
        trust_env=False,
        http2=http2,
        limits=httpx.Limits(
            max_connections=connections, max_keepalive_connections=_KEEP_CONNECTIONS, keepalive_expiry=_KEEP_SECONDS
        ),
        proxy=config.proxy_url,
        socket_options=_keepalive(),
    )


def _keepalive() -> list[tuple[int, int, int]]:
    """The kernel finds out that a silent peer is gone within 45 s: a watch says nothing for minutes."""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        # Not every platform has them under these names.
        number = getattr(socket, name, None)
        if number is not None:
            options.append((socket.IPPROTO_TCP, number, value))
    return options


def credentials(config: ClientConfig) -> Callable[[], str]:
    """What gives the Authorization header of each call, empty for none. It raises KubeconfigError."""
    if config.token_file is not None:
        return _FileToken(config).header
    token = config.bearer_token()
    header = ""
    if token:
        header = f"Bearer {token}"
    elif config.username is not None:
        pair = f"{config.username}:{config.password or ''}"
        header = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return lambda: header


class _FileToken:
    """A token that is rotated in its file; an unreadable file does not spoil one we have."""

    def __init__(self, config: ClientConfig) -> None:
        self._config = config
        self._header = ""
        self._until = 0.0

    def header(self) -> str:
        now = time.monotonic()
        if now >= self._until:
            try:
                self._header = f"Bearer {self._config.bearer_token()}"
            except kubeconfig.KubeconfigError:
                if not self._header:
                    raise
            self._until = now + TOKEN_LIFE
        return self._header
