"""The span of a request we make while we serve another, and what that request says of it.

Called by those who ask webhooks and aggregated servers. Mirrors the Transport of OpenTelemetry's `otelhttp`, which
`component-base/tracing` wraps around Kubernetes' clients.
"""

from collections.abc import Iterable

from generic.tracing.context import TRACEPARENT, TRACESTATE
from generic.tracing.tracer import Span, Value, current

Headers = list[tuple[bytes, bytes]]


class ClientSpan:
    """Of one request, from `begin` until the block is left."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._status = 0

    def headers(self, others: Iterable[tuple[bytes, bytes]] = ()) -> Headers:
        """Those of the request, with what says that it belongs to this span."""
        kept = [header for header in others if header[0] not in (TRACEPARENT, TRACESTATE)]
        return [*kept, *self._span.context.headers()]

    def answered(self, status: int, *, url: str = "", host: str = "", port: int = 0) -> None:
        """The status of the answer, and where it came from, if that was not known before."""
        self._status = status
        given: dict[str, Value] = {"url.full": url, "server.address": host, "server.port": port}
        self._span.attributes.update({key: value for key, value in given.items() if value})

    def __enter__(self) -> "ClientSpan":
        return self

    def __exit__(self, *_: object) -> None:
        status, attributes = self._status, self._span.attributes
        if status:
            attributes["http.response.status_code"] = status
        if not status or status >= 400:
            attributes["error.type"] = str(status or "transport")
            self._span.fail()
        self._span.end()


def begin(method: str) -> ClientSpan | None:
    """None: nobody traces what is being served."""
    serving = current.get()
    if serving is None:
        return None
    span = serving.child(f"HTTP {method}")
    span.attributes["http.request.method"] = method
    return ClientSpan(span)
