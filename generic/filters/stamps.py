"""What is noted on arrival: when the request came, and whether the chain knew all its paths by then.

Mirrors `apiserver/pkg/endpoints/filters/{mux_complete,request_received_time}.go`.
"""

from collections.abc import Callable
from time import monotonic

from generic.request import context
from generic.types import ASGIApp, Filter, Receive, Scope, Send


def with_mux_complete(is_complete: Callable[[], bool]) -> Filter:
    """Stamp requests that came before every owner of the chain had synced: a miss is then 503, not 404."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            # Asked on arrival: paths installed while the request runs must not turn a 503 into a 404.
            if not is_complete():
                context.of(scope).arrived_before_sync = True
            await app(scope, receive, send)

        return handle

    return wrap


def with_received_timestamp(app: ASGIApp) -> ASGIApp:
    """Note the time, from which the deadline counts."""

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        context.of(scope).received_at = monotonic()
        await app(scope, receive, send)

    return handle
