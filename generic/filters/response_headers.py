"""Filters that do no more than put headers on the response.

HSTS mirrors `apiserver/pkg/server/filters/hsts.go`, cache control
`apiserver/pkg/endpoints/filters/cachecontrol.go`, GOAWAY `apiserver/pkg/server/filters/goaway.go`,
retry-after `apiserver/pkg/server/filters/with_retry_after.go`.
"""

import random
from collections.abc import Callable, Sequence

from generic.endpoints import responses
from generic.request import context
from generic.types import ASGIApp, Filter, Receive, Scope, Send

CACHE_CONTROL = (b"cache-control", b"no-cache, private")
CLOSE = (b"connection", b"close")

_ANSWERED_WHILE_STOPPING = ("/healthz", "/livez", "/readyz", "/metrics")


def with_headers(*headers: tuple[bytes, bytes]) -> Filter:
    """Put these on every response whose handler does not set its own."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            context.of(scope).response_headers.extend(headers)
            await app(scope, receive, send)

        return handle

    return wrap


def hsts(directives: Sequence[str]) -> tuple[bytes, bytes]:
    """The Strict-Transport-Security header, e.g. of `("max-age=31536000", "includeSubDomains")`."""
    return (b"strict-transport-security", "; ".join(directives).encode())


def with_probabilistic_goaway(chance: float) -> Filter:
    """Ask one HTTP/2 client in so many to connect again, so that load spreads over replicas."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["http_version"] == "2" and random.random() < chance:
                # The listener says it the HTTP/2 way: a GOAWAY after the streams under way.
                context.of(scope).response_headers.append(CLOSE)
            await app(scope, receive, send)

        return handle

    return wrap


def with_retry_after(is_stopping: Callable[[], bool]) -> Filter:
    """Once the server is to stop, send new requests elsewhere (429), those of probes excepted."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            if not is_stopping() or scope["path"].startswith(_ANSWERED_WHILE_STOPPING):
                await app(scope, receive, send)
                return
            text = "The apiserver is shutting down, please try again later.\n"
            await responses.send_text(scope, send, text, status=429, headers=((b"retry-after", b"5"), CLOSE))

        return handle

    return wrap
