"""At most so many requests at once, reads and writes counted apart; 429 beyond.

Stands where priority and fairness does in servers that have it on. Mirrors
`apiserver/pkg/server/filters/maxinflight.go`.
"""

from generic.endpoints import responses
from generic.metrics import Metrics
from generic.request import context
from generic.request.user import PRIVILEGED_GROUP
from generic.types import ASGIApp, Filter, Receive, Scope, Send

READING = frozenset(("get", "list", "watch"))
"""Verbs that count as reads; all others as writes."""
_TEXT = "Too many requests, please try again later.\n"


class _Pool:
    __slots__ = ("kind", "limit", "running")

    def __init__(self, kind: str, limit: int) -> None:
        self.kind = kind
        self.limit = limit
        self.running = 0


def with_max_in_flight(read: int, mutating: int, metrics: Metrics | None = None) -> Filter:
    """Limit what is not long-running; 0 is no limit. system:masters always gets an answer."""
    reads, writes = _Pool("readOnly", read), _Pool("mutating", mutating)

    def wrap(app: ASGIApp) -> ASGIApp:
        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            request = context.of(scope)
            pool = reads if request.info.verb in READING else writes
            if request.info.is_long_running or not pool.limit:
                await app(scope, receive, send)
                return
            if pool.running < pool.limit:
                pool.running += 1
                try:
                    await app(scope, receive, send)
                finally:
                    pool.running -= 1
                return
            if request.user is not None and PRIVILEGED_GROUP in request.user.groups:
                await app(scope, receive, send)
                return
            request.trace.add("max-in-flight", "too-many")
            if metrics is not None:
                metrics.dropped.add(pool.kind)
                metrics.terminations.add(request.info.verb, "429")
            await too_many_requests(scope, send, seconds=1)

        if metrics is not None:
            metrics.watch_in_flight(lambda: {pool.kind: pool.running for pool in (reads, writes)})
        return handle

    return wrap


async def too_many_requests(scope: Scope, send: Send, *, seconds: int) -> None:
    """Answer 429: the client may come back in so many seconds."""
    await responses.send_text(scope, send, _TEXT, status=429, headers=((b"retry-after", str(seconds).encode()),))
