"""One log line a request. In the chain only where it is asked for. Mirrors `apiserver/pkg/server/httplog`."""

import logging
from time import perf_counter

from generic.request import context
from generic.types import ASGIApp, Receive, Scope, Send

_LOG = logging.getLogger(__name__)


def with_http_logging(app: ASGIApp) -> ASGIApp:
    """Log verb, URI, latency, caller and outcome of each request when it is over."""

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        if not _LOG.isEnabledFor(logging.INFO):
            await app(scope, receive, send)
            return
        request = context.of(scope)
        started = perf_counter()
        outcome = ""
        try:
            await app(scope, receive, send)
        except Exception as error:
            outcome = str(getattr(error, "code", 500))
            raise
        finally:
            query = scope["query_string"].decode("latin-1")
            client = scope.get("client")
            # Quoted by %r: a path may hold line breaks, and a log line must not.
            _LOG.info(
                'HTTP verb=%r URI=%r latency="%.3fms" user=%r userAgent=%r audit-ID=%r srcIP=%r resp=%s hops=%s',
                request.info.verb,
                f"{scope['path']}?{query}" if query else scope["path"],
                (perf_counter() - started) * 1000,
                request.user_name,
                _header(scope, b"user-agent"),
                request.audit_id,
                f"{client[0]}:{client[1]}" if client else "",
                request.status or outcome or "-",
                request.trace.summary(),
            )

    return handle


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")
