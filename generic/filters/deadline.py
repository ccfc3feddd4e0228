"""How long a request may take, and what happens when it takes longer. Long-running ones are exempt.

Mirrors `apiserver/pkg/endpoints/filters/request_deadline.go` and `apiserver/pkg/server/filters/timeout.go`.
"""

import asyncio
from functools import partial
from time import monotonic
from urllib.parse import parse_qs

from generic.audit.options import Auditing
from generic.meta import errors
from generic.meta.durations import parse_duration
from generic.meta.errors import StatusError
from generic.metrics import Metrics
from generic.request import context
from generic.types import ASGIApp, Filter, Receive, Scope, Send


def with_request_deadline(maximum: float, auditor: Auditing | None = None) -> Filter:
    """Set the deadline: `?timeout=` where it is shorter than `maximum` seconds. A malformed one is 400.

    `auditor` is told of those who are refused; the audit filter never sees them.
    """

    def wrap(app: ASGIApp) -> ASGIApp:
        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            request = context.of(scope)
            if not request.info.is_long_running:
                allowed = maximum
                if b"timeout=" in scope["query_string"]:
                    try:
                        asked = _asked(scope["query_string"].decode("latin-1"))
                    except StatusError as error:
                        if auditor is not None:
                            await auditor.refused(scope, request, error)
                        raise
                    if 0 < asked < maximum:
                        allowed = asked
                request.deadline = request.received_at + allowed
            await app(scope, receive, send)

        return handle

    return wrap


def with_timeout(metrics: Metrics | None) -> Filter:
    """Give up what is past its deadline with 504, or cut the response off if it has begun."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            request = context.of(scope)
            if request.deadline is None:
                await app(scope, receive, send)
                return
            timer = asyncio.timeout(request.deadline - monotonic())
            try:
                async with timer:
                    request.lift_deadline = partial(_lift, timer)
                    await app(scope, receive, send)
            except TimeoutError:
                if not timer.expired():
                    raise
                request.trace.add("timeout", "expired")
                if metrics is not None:
                    metrics.terminations.add(request.info.verb, "504")
                raise timed_out()

        return handle

    return wrap


def timed_out() -> StatusError:
    """What is answered past the deadline."""
    return errors.timeout("request did not complete within the allotted timeout")


def _lift(timer: asyncio.Timeout) -> None:
    if not timer.expired():
        timer.reschedule(None)


def _asked(query: str) -> float:
    """Seconds asked for; 0 if none. Raises 400."""
    text = parse_qs(query, keep_blank_values=True).get("timeout", [""])[0]
    if not text:
        return 0
    try:
        return parse_duration(text)
    except ValueError as error:
        raise errors.bad_request(f"invalid timeout specified in the request URL - {error}")
