"""Lets browsers of allowed origins in. Mirrors `apiserver/pkg/server/filters/cors.go`."""

import re
from collections.abc import Sequence

from generic.endpoints import responses
from generic.request import context
from generic.types import ASGIApp, Filter, Receive, Scope, Send

_ALLOWED = (
    (b"access-control-allow-methods", b"POST, GET, OPTIONS, PUT, DELETE, PATCH"),
    (
        b"access-control-allow-headers",
        b"Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, "
        b"If-Modified-Since",
    ),
    (b"access-control-expose-headers", b"Date"),
    (b"access-control-allow-credentials", b"true"),
)


def with_cors(allowed_origins: Sequence[str]) -> Filter:
    """Answer preflights and mark responses for origins that match one of the regular expressions.

    Raises re.error if one cannot be compiled.
    """
    patterns = [re.compile(pattern) for pattern in allowed_origins]

    def wrap(app: ASGIApp) -> ASGIApp:
        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            origin = next((value for name, value in scope["headers"] if name == b"origin"), b"")
            if origin and any(pattern.search(origin.decode("latin-1")) for pattern in patterns):
                request = context.of(scope)
                request.response_headers += [(b"access-control-allow-origin", origin), *_ALLOWED]
                if scope["method"] == "OPTIONS":
                    # A browser sends no credentials with a preflight, so it is answered before they are asked for.
                    request.trace.add("cors", "preflight")
                    await responses.send_bytes(scope, send, b"", status=204)
                    return
            await app(scope, receive, send)

        return handle

    return wrap
