"""InFlight: what is being answered, so that a stopping server can end it in order.

Two filters count requests and watches in and out; `generic.run` begins the drain and waits. Once it has
begun, new requests get 503 and watches are told to end. Mirrors
`apiserver/pkg/server/filters/{waitgroup,watch_termination}.go`.
"""

import asyncio

from generic.meta import errors
from generic.request import context
from generic.request.context import Termination
from generic.types import ASGIApp, Receive, Scope, Send


class InFlight:
    """Requests and watches of one listener. Streams such as exec are not waited for, as in Kubernetes."""

    def __init__(self) -> None:
        self.termination = Termination()
        """Set when the drain begins; every request's context carries it."""
        self.requests = 0
        self.watches = 0
        self._idle = asyncio.Event()

    @property
    def draining(self) -> bool:
        return self.termination.is_set

    def begin_drain(self) -> None:
        """Refuse what comes from now on, and tell watches to end. Harmless when repeated."""
        if not self.draining:
            self.termination.set()
            self._left()

    async def wait_idle(self, seconds: float) -> bool:
        """Wait until the last request and watch are over. False if that took longer than `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def with_watch_termination(self, app: ASGIApp) -> ASGIApp:
        """Give every request the termination signal, and count watches."""

        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            request = context.of(scope)
            request.termination = self.termination
            if request.info.verb != "watch":
                await app(scope, receive, send)
                return
            self._refuse_if_draining(scope)
            self.watches += 1
            try:
                await app(scope, receive, send)
            finally:
                self.watches -= 1
                self._left()

        return handle

    def with_wait_group(self, app: ASGIApp) -> ASGIApp:
        """Count requests that are not long-running; 503 once the drain has begun."""

        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            if context.of(scope).info.is_long_running:
                await app(scope, receive, send)
                return
            self._refuse_if_draining(scope)
            self.requests += 1
            try:
                await app(scope, receive, send)
            finally:
                self.requests -= 1
                self._left()

        return handle

    def _refuse_if_draining(self, scope: Scope) -> None:
        if self.draining:
            request = context.of(scope)
            request.trace.add("wait-group", "draining")
            # Likely the client reaches another replica next time: soon is good. In the header, but not in the Status.
            request.response_headers.append((b"retry-after", b"1"))
            raise errors.service_unavailable("apiserver is shutting down")

    def _left(self) -> None:
        if self.draining and not self.requests and not self.watches:
            self._idle.set()
