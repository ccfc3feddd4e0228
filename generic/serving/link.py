"""The bytes between one client and its protocol, and the tasks that serve it.

Made by `connection`, used by both protocols. Holds two of the three changes that double hypercorn's
speed: writes are collected and go out once a turn of the event loop (one TLS record, one system call, for
all streams together), and one timer per connection stands in for a task per request.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from generic.serving.errors import ClientDisconnected
from generic.serving.options import SecureServingOptions
from generic.types import ASGIApp

log = logging.getLogger("generic.serving")

HIGH_WATER = 128 << 10
"""Unsent bytes at which whoever sends more must wait."""
_FLOOD = 2 << 20
"""Unsent bytes that only answers to control frames can amount to: such a client is cut off."""
_NEVER = float("inf")


class Link:
    """One client's transport, output, deadline and tasks."""

    def __init__(
        self,
        app: ASGIApp,
        options: SecureServingOptions,
        writer: asyncio.StreamWriter,
        tls: dict[str, Any],
        client: tuple[str, int] | None,
        server: tuple[str, int] | None,
    ) -> None:
        self.app = app
        self.options = options
        self.loop = asyncio.get_running_loop()
        self.tls = tls
        """The `tls` extension of every request of this connection: the same object each time."""
        self.client = client
        self.server = server
        self.tasks: set[asyncio.Task[None]] = set()
        self.draining = False
        """The server is shutting down: finish what runs, take nothing new."""
        self.pull: Callable[[], bytes] | None = None
        """Set by a protocol that keeps its own output."""
        self.unsent = 0
        self._writer = writer
        self._transport = writer.transport
        self._transport.set_write_buffer_limits(high=HIGH_WATER)
        self._out: list[bytes | bytearray | memoryview] = []
        self._scheduled = False
        self._deadline = _NEVER
        self._timer: asyncio.TimerHandle | None = None

    # Tasks

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    # Output

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send with whatever else this turn of the event loop has to say."""
        self._out.append(data)
        self.wrote(len(data))

    def wrote(self, size: int) -> None:
        """`size` more bytes are there, here or where `pull` gets them."""
        self.unsent += size
        if not self._scheduled:
            self._scheduled = True
            self.loop.call_soon(self._turn)

    def flush(self) -> None:
        """Hand all output to the transport now."""
        if self.pull is not None:
            self._out.append(self.pull())
        data = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        self._out.clear()
        self.unsent = 0
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def _turn(self) -> None:
        self._scheduled = False
        self.flush()

    @property
    def backlog(self) -> int:
        """Bytes the system has not taken yet."""
        return self.unsent + self._transport.get_write_buffer_size()

    @property
    def congested(self) -> bool:
        """So much is unsent that whoever wants to send more must wait for `room` first."""
        return self.unsent >= HIGH_WATER or self._transport.get_write_buffer_size() >= HIGH_WATER

    async def room(self) -> None:
        """Wait until the client has taken enough of what it was sent. Raises ClientDisconnected."""
        while True:
            if self.unsent >= HIGH_WATER:
                self.flush()
                # Others get their turn however fast this client reads; and a lost connection is only
                # noticed then.
                await asyncio.sleep(0)
            if self._transport.is_closing():
                raise ClientDisconnected("the client left")
            if self._transport.get_write_buffer_size() < HIGH_WATER:
                return
            try:
                await self._writer.drain()
            except OSError as error:
                raise ClientDisconnected("the client left") from error

    def check_flood(self) -> None:
        """Cut a client off that makes us answer and never reads: reading must not wait for writing."""
        if self.backlog > _FLOOD:
            self.abort()

    # Time

    def busy(self) -> None:
        """A request runs: it may take as long as it likes."""
        self._deadline = _NEVER

    def idle(self) -> None:
        """No request runs."""
        self.expire_in(self.options.idle_timeout)

    def expire_in(self, seconds: float) -> None:
        """Close the connection in so long, unless told otherwise before."""
        self._deadline = self.loop.time() + seconds
        if self._timer is None or self._timer.when() > self._deadline:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self.loop.call_at(self._deadline, self._check)

    def _check(self) -> None:
        # The timer is not moved for every request: it looks when it rings, and goes back to sleep.
        self._timer = None
        if self._transport.is_closing():
            return
        if self._deadline <= self.loop.time():
            self.close()
        elif self._deadline != _NEVER:
            self._timer = self.loop.call_at(self._deadline, self._check)

    # End

    @property
    def closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        """Close once all output is sent; after a while in any case, whatever the client does not read."""
        if self._transport.is_closing():
            return
        self.flush()
        self._transport.close()
        self.stop_timer()
        self._timer = self.loop.call_later(self.options.header_timeout, self._transport.abort)

    def abort(self) -> None:
        """Close now."""
        self._transport.abort()

    def stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
