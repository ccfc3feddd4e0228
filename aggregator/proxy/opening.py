"""Opening: sees to it that a connection given up in the middle of its handshake is closed.

Used by `backends.py` for every request, as httpcore's trace. Without it the socket of a client that left, or of a check
that took too long, would stay open until the garbage collector comes by: httpcore forgets it.
"""

from collections.abc import Mapping
from typing import Any


class Opening:
    """Told by httpcore what happens to one request."""

    __slots__ = ("_raw",)

    def __init__(self) -> None:
        self._raw: Any = None

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            self._raw = info["return_value"]
        elif event == "connection.start_tls.complete":
            self._raw = None

    async def abandon(self) -> None:
        """The request has failed: close what is neither open nor closed."""
        if self._raw is not None:
            await self._raw.aclose()
