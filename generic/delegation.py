"""DelegationTarget: what a server asks of the one behind it, and the empty end of the chain.

A GenericServer is one itself, so that chains of any length are built the same way. Mirrors the
DelegationTarget interface of `apiserver/pkg/server/genericapiserver.go`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from generic.endpoints import responses
from generic.endpoints.openapi.v3 import Document
from generic.health import HealthCheck
from generic.hooks import PostStartHook, PreShutdownHook
from generic.meta import errors
from generic.request import context
from generic.types import Receive, Scope, Send

_RETRY_SECONDS = 5


class Signal:
    """Something a server must have finished before a miss may be a 404. Set once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.done = False

    def set(self) -> None:
        self.done = True


class DelegationTarget(Protocol):
    """The next server of the chain. A server asks its delegate for its part, never reaches past it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, unprotected: the outermost server's handler chain has already run."""

    def post_start_hooks(self) -> Mapping[str, PostStartHook]:
        """Hooks of this server and those behind it, by name."""

    def pre_shutdown_hooks(self) -> Mapping[str, PreShutdownHook]:
        """Hooks of this server and those behind it, by name."""

    def health_checks(self) -> Sequence[HealthCheck]:
        """Checks of this server and those behind it, one of each name."""

    def listed_paths(self) -> list[str]:
        """Every path of this server and those behind it, sorted."""

    def mux_complete_signals(self) -> Mapping[str, Signal]:
        """Signals of this server and those behind it, by name."""

    def openapi_v3(self) -> Mapping[str, Document]:
        """OpenAPI v3 documents by path, this server's before those behind it."""

    async def prepare_to_run(self) -> None:
        """Called once before listening, innermost server first."""

    async def destroy(self) -> None:
        """Let go of what the server holds, outermost first, after the last request."""


class EmptyDelegate:
    """The end of the chain: nobody owns the path."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = context.ensure(scope)
        if request.arrived_before_sync:
            request.trace.add("end-of-chain", "not-synced")
            message = "the request has been made before all known HTTP paths have been installed, please try again"
            raise errors.service_unavailable(message, retry_after=_RETRY_SECONDS)
        request.trace.add("end-of-chain", "not-found")
        await responses.send_text(scope, send, "404 page not found\n", status=404)

    def post_start_hooks(self) -> Mapping[str, PostStartHook]:
        return {}

    def pre_shutdown_hooks(self) -> Mapping[str, PreShutdownHook]:
        return {}

    def health_checks(self) -> Sequence[HealthCheck]:
        return ()

    def listed_paths(self) -> list[str]:
        return []

    def mux_complete_signals(self) -> Mapping[str, Signal]:
        return {}

    def openapi_v3(self) -> Mapping[str, Document]:
        return {}

    async def prepare_to_run(self) -> None:
        """Nothing to prepare."""

    async def destroy(self) -> None:
        """Nothing to let go of."""


class NothingBehind(EmptyDelegate):
    """What a server that stands alone is built on: where the chain would end, it lists the paths there are.

    Mirrors routes.IndexLister as a server without a delegate's handler installs it.
    """

    def __init__(self) -> None:
        self._listed: Callable[[], list[str]] = list

    def list_paths_of(self, listed: Callable[[], list[str]]) -> None:
        """Called by the server built on this."""
        self._listed = listed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = context.ensure(scope)
        if request.arrived_before_sync:
            await super().__call__(scope, receive, send)
            return
        request.trace.add("end-of-chain", "not-found")
        await responses.send_raw(scope, send, {"paths": self._listed()}, status=404)
