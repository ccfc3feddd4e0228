"""How long a request may take, and what happens when it takes longer. Long-running ones are exempt.

Mirrors `apiserver/pkg/endpoints/filters/request_deadline.go` and `apiserver/pkg/server/filters/timeout.go`.
"""

import asyncio
import re
from functools import partial
from time import monotonic
from urllib.parse import parse_qs

from generic.meta import errors
from generic.metrics import Metrics
from generic.request import context
from generic.types import ASGIApp, Filter, Receive, Scope, Send

_SECONDS_OF_UNIT = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_TERM = re.compile(r"(\d+\.?\d*|\.\d+)([^\d.]*)")


def with_request_deadline(maximum: float) -> Filter:
    """Set the deadline: `?timeout=` where it is shorter than `maximum` seconds. A malformed one is 400."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            request = context.of(scope)
            if not request.info.is_long_running:
                allowed = maximum
                if b"timeout=" in scope["query_string"]:
                    asked = _asked(scope["query_string"].decode("latin-1"))
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
                raise errors.timeout("request did not complete within the allotted timeout")

        return handle

    return wrap


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


def parse_duration(text: str) -> float:
    """Seconds of a Go duration such as `1m30s` or `-1.5h`. Raises ValueError in Go's words."""
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0.0
    total, at = 0.0, 0
    for term in _TERM.finditer(rest):
        if term.start() != at:
            break
        at = term.end()
        number, unit = term.groups()
        if not unit:
            raise ValueError(f'time: missing unit in duration "{text}"')
        if unit not in _SECONDS_OF_UNIT:
            raise ValueError(f'time: unknown unit "{unit}" in duration "{text}"')
        total += float(number) * _SECONDS_OF_UNIT[unit]
    if not at or at != len(rest):
        raise ValueError(f'time: invalid duration "{text}"')
    return -total if text[0] == "-" else total
