"""Tracing through to the backend: the span of the request to it, and the hops that it reports.

Called by the exchange. A backend built on `generic` answers `Trikube-Trace: 1` with the header that
`generic/request/trace.py` writes; any other says nothing. The span mirrors the transport that
`kube-aggregator/pkg/apiserver/handler_proxy.go` wraps, which leaves upgrades alone.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

from aggregator.proxy.backends import Answer
from aggregator.proxy.call import Call
from aggregator.proxy.headers import TRACE
from generic.request.trace import Step, Trace
from generic.tracing import client_span
from generic.tracing.client_span import ClientSpan
from generic.types import Scope

_MOST_HOPS = 64


Ask = Callable[[Call], AbstractAsyncContextManager[Answer]]


def asked(ask: Ask, call: Call) -> AbstractAsyncContextManager[Answer]:
    """The answer to the call, within a span of its own if the request is traced."""
    span = None if call.upgrade else client_span.begin(call.method)
    return ask(call) if span is None else _within(span, ask, call)


@asynccontextmanager
async def _within(span: ClientSpan, ask: Ask, call: Call) -> AsyncIterator[Answer]:
    with span:
        async with ask(replace(call, headers=span.headers(call.headers))) as answer:
            host, port = answer.address
            url = f"https://{answer.address}{call.target.decode('latin-1')}"
            span.answered(answer.status, url=url, host=host, port=port)
            yield answer


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
