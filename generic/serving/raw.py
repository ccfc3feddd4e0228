"""RawConnection: a client's connection after a switch of protocols, bytes both ways and nothing parsed.

Made and filled by `http1` when an app takes a connection over (`generic/request/upgrade.py` says how), and by
`websocket` for one stream of an HTTP/2 connection.
"""

import re
from collections.abc import Awaitable, Callable

from generic.serving.errors import ClientDisconnected
from generic.serving.headers import Headers
from generic.serving.inbox import Inbox

EXTENSION = "trikube.upgrade"
"""The name in `scope["extensions"]`: `generic.request.upgrade`, which stands above, has it too."""

_FORBIDDEN = re.compile(rb"[\r\n\0]")


def switching(reason: bytes, headers: Headers) -> bytes:
    """The head of a 101. Raises ValueError on what would break out of a header."""
    return informational(101, reason, headers)


def informational(status: int, reason: bytes, headers: Headers) -> bytes:
    """The head of a 1xx response. Raises ValueError on what would break out of a header."""
    if any(_FORBIDDEN.search(part) for part in (reason, *(part for pair in headers for part in pair))):
        raise ValueError(f"line break in the head of a {status}")
    lines = (b"HTTP/1.1 %d %s" % (status, reason), *(name + b": " + value for name, value in headers))
    return b"\r\n".join(lines) + b"\r\n\r\n"


class RawConnection(Inbox):
    """The `Duplex` of `generic/request/upgrade.py`."""

    __slots__ = ("_chunks", "_send")

    def __init__(self, send: Callable[[bytes], Awaitable[None]], already: bytes = b"") -> None:
        """`send` waits while the client does not read; `already` came in the same breath as the request."""
        super().__init__()
        self._send = send
        self._chunks: list[bytes] = []
        if already:
            self.push(already)

    def push(self, data: bytes) -> None:
        """The client sent this."""
        self._chunks.append(data)
        self.size += len(data)
        self._wake()

    async def read(self) -> bytes:
        """All that has come since the last time; empty when the client has left."""
        while not self._chunks and not self.gone:
            await self._wait()
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self.size = 0
        self._made_room()
        return data

    async def write(self, data: bytes) -> None:
        """Send; waits while the client does not read. Raises ClientDisconnected."""
        if self.gone:
            raise ClientDisconnected("the client left")
        await self._send(data)
