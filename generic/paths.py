"""Paths that are no REST resource, written as Starlette endpoints: a `Request` in, a `Response` out.

For what is asked rarely and reads best so: `/metrics`, pages, an AA author's own paths. What is asked often stays
plain ASGI, for Starlette's objects cost a fifth of a small request (DESIGN.md section 9).
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from generic.types import ASGIApp, Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(answer: Endpoint) -> ASGIApp:
    """The endpoint as a handler for a PathMux."""

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        response = await answer(Request(scope, receive))
        await response(scope, receive, send)

    return handle
