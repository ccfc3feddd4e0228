"""Dialing: a new TLS connection to a backend.

Used by `connections.py` and `trunks.py`. Mirrors the dialer of `client-go/transport` and of Go's `net/http`.
"""

import asyncio
import socket
import ssl
from dataclasses import dataclass

from aggregator.proxy import failures
from aggregator.proxy.failures import Unreachable
from generic.client.resolving import Address

CONNECT_SECONDS = 5.0
_CLOSE_SECONDS = 5.0
READ = 64 << 10
"""Bytes read at once."""


@dataclass(frozen=True, slots=True)
class Dialed:
    """A connection after its handshake; `protocol` is what ALPN chose, if anything."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    protocol: str | None


class NoCommonProtocol(Unreachable):
    """The backend speaks none of the protocols that were offered."""


async def dial(address: Address, *, context: ssl.SSLContext, server_name: str) -> Dialed:
    """Connect and shake hands. Raises Unreachable."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(
                address.host,
                address.port,
                ssl=context,
                server_hostname=server_name,
                ssl_shutdown_timeout=_CLOSE_SECONDS,
                limit=READ,
            )
    except (OSError, ValueError) as error:
        # Python's ssl has no name for this alert.
        if isinstance(error, ssl.SSLError) and "no application protocol" in str(error):
            raise NoCommonProtocol("remote error: tls: no application protocol", address, dialing=True) from error
        raise failures.of_dialing(error, address) from error
    _keep_alive(writer.get_extra_info("socket"))
    return Dialed(reader, writer, writer.get_extra_info("ssl_object").selected_alpn_protocol())


def _keep_alive(made: socket.socket) -> None:
    """A watch says nothing for minutes: the kernel finds out that its server is gone."""
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        # Not every platform has them under these names.
        number = getattr(socket, name, None)
        if number is not None:
            made.setsockopt(socket.IPPROTO_TCP, number, value)
