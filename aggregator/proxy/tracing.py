"""The hops a backend reports of a request that asked for its trace, put into our own.

Called by the handler. A backend built on `generic` answers `Trikube-Trace: 1` with the header that
`generic/request/trace.py` writes; any other says nothing.
"""

from collections.abc import Iterable, Iterator

from aggregator.proxy.headers import TRACE
from generic.request.trace import Step, Trace
from generic.types import Scope

_MOST_HOPS = 64


def is_wanted(scope: Scope) -> bool:
    """Whether the client asked for the trace."""
    return any(name == TRACE and value == b"1" for name, value in scope["headers"])


def adopt(trace: Trace, headers: Iterable[tuple[bytes, bytes]], *, sent_at: float) -> None:
    """Append the backend's hops; its times, from when it got the request, are put after `sent_at` (perf_counter)."""
    for name, value in headers:
        if name.lower() == TRACE:
            trace.steps.extend(_steps(value.decode("latin-1"), sent_at))


def _steps(header: str, sent_at: float) -> Iterator[Step]:
    for hop in header.split(", ")[:_MOST_HOPS]:
        said, _, micros = hop.rpartition(";t=")
        component, separator, decision = said.partition("=")
        if separator and micros.isdecimal():
            yield Step(component, decision, sent_at + int(micros[:12]) / 1e6)
