"""Tracer: begins spans, and decides which of them are recorded.

Made by `setup.py`; called by `generic/filters/tracing.py` and `client_span.py`. A span that is not recorded costs its
two numbers, and goes on into the requests made within it all the same. Mirrors the ParentBased and TraceIDRatioBased
samplers of OpenTelemetry's SDK, as `component-base/tracing/utils.go` sets them up.
"""

import random
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Literal, NamedTuple

from generic.tracing.context import SpanContext

Value = str | int | bool
Kind = Literal["server", "client"]

MILLION = 1_000_000


class Event(NamedTuple):
    """Something that happened within a span, in nanoseconds since 1970."""

    at: int
    name: str
    attributes: Mapping[str, Value]


class Span:
    """One piece of work. Times in nanoseconds since 1970. `link`: a span it does not belong to, but comes from."""

    __slots__ = (
        "_tracer",
        "attributes",
        "context",
        "ended",
        "events",
        "failed",
        "kind",
        "link",
        "message",
        "name",
        "parent",
        "started",
    )

    def __init__(
        self,
        tracer: "Tracer",
        name: str,
        *,
        kind: Kind,
        context: SpanContext,
        parent: SpanContext | None,
        link: SpanContext | None,
        started: int,
    ) -> None:
        self._tracer = tracer
        self.name = name
        self.kind = kind
        self.context = context
        self.parent = parent
        self.link = link
        self.started = started
        self.ended = 0
        self.attributes: dict[str, Value] = {}
        self.events: list[Event] = []
        self.failed = False
        self.message = ""

    def fail(self, message: str = "") -> None:
        """Say that the work went wrong."""
        self.failed, self.message = True, message

    def child(self, name: str) -> "Span":
        """A request of ours to somebody else, within this span."""
        return self._tracer.start(name, kind="client", parent=self.context)

    def end(self) -> None:
        """The work is done. Once."""
        self.ended = time.time_ns()
        if self.context.sampled:
            self._tracer.record(self)


current: ContextVar[Span | None] = ContextVar("span", default=None)
"""The span of the request that is being served."""


class Tracer:
    """Begins spans. `record` takes those that ended and were sampled."""

    def __init__(self, record: Callable[[Span], None], *, sampling_rate_per_million: int = 0) -> None:
        """Of a trace that begins here so many in a million are recorded; of others, those whose sender does it."""
        self.record = record
        self._bound = (sampling_rate_per_million << 63) // MILLION

    def start(
        self,
        name: str,
        *,
        kind: Kind = "server",
        parent: SpanContext | None = None,
        link: SpanContext | None = None,
        started: int = 0,
    ) -> Span:
        """A new span, of its own trace if it has no parent. `started`: nanoseconds since 1970; 0: now."""
        span_id = random.getrandbits(64) or 1
        if parent is not None:
            context = SpanContext(parent.trace_id, span_id, parent.sampled, parent.state)
        else:
            trace_id = random.getrandbits(128) or 1
            context = SpanContext(trace_id, span_id, self._samples(trace_id))
        return Span(self, name, kind=kind, context=context, parent=parent, link=link, started=started or time.time_ns())

    def _samples(self, trace_id: int) -> bool:
        """By the number of the trace, so that all who see it decide alike."""
        return (trace_id & (1 << 64) - 1) >> 1 < self._bound
