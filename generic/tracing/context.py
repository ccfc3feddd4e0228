"""What of a span other processes are told: W3C Trace Context.

Read from requests by `generic/filters/tracing.py`, written into the requests we make (`client_span.py`). Mirrors
`propagation.TraceContext` of OpenTelemetry; https://www.w3.org/TR/trace-context/.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

TRACEPARENT, TRACESTATE = b"traceparent", b"tracestate"

_TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 1
_LONGEST_STATE = 512


class SpanContext(NamedTuple):
    """Which span of which trace, and whether somebody records it."""

    trace_id: int
    span_id: int
    sampled: bool
    state: str = ""

    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """For a request that is made within the span."""
        flags = _SAMPLED if self.sampled else 0
        found = ((TRACEPARENT, b"00-%032x-%016x-%02x" % (self.trace_id, self.span_id, flags)),)
        return (*found, (TRACESTATE, self.state.encode("latin-1"))) if self.state else found


def parse(headers: Iterable[tuple[bytes, bytes]]) -> SpanContext | None:
    """The span a request comes from; None if it names none, or does so in a way that is none."""
    given = {name: value for name, value in headers if name in (TRACEPARENT, TRACESTATE)}
    match = _TRACEPARENT.fullmatch(given.get(TRACEPARENT, b""))
    if match is None or match[1] == b"ff" or (match[1] == b"00" and match[5]):
        return None
    trace_id, span_id = int(match[2], 16), int(match[3], 16)
    if not trace_id or not span_id:
        return None
    state = given.get(TRACESTATE, b"")[:_LONGEST_STATE].decode("latin-1")
    return SpanContext(trace_id, span_id, bool(int(match[4], 16) & _SAMPLED), state)
