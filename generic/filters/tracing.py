"""A span for every request, below the caller's if the caller may say so.

Stands between authentication and audit, so that it knows who asks: anybody may name a trace, but only the
administrators and the monitoring decide what is recorded here; of others the span begins a trace of its own, with a
link to theirs. Loaded only where tracing is configured. Mirrors `apiserver/pkg/endpoints/filters/traces.go` and the
server attributes of OpenTelemetry's `otelhttp`.
"""

import time
from time import monotonic, perf_counter

from generic.meta.errors import StatusError
from generic.request import context
from generic.request.context import RequestContext
from generic.request.info import RequestInfo
from generic.request.user import PRIVILEGED_GROUP
from generic.tracing import context as propagation
from generic.tracing.tracer import Event, Span, Tracer, current
from generic.types import ASGIApp, Filter, Receive, Scope, Send

_MONITORING_GROUP = "system:monitoring"
_MOST_AUDIT_ID = 64


def with_tracing(tracer: Tracer) -> Filter:
    """Trace what comes through."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            request = context.of(scope)
            span = _begin(tracer, scope, request)
            token, refused = current.set(span), 0
            try:
                await app(scope, receive, send)
            except StatusError as error:
                # The answer is made further out.
                refused = error.code
                raise
            except BaseException:
                span.fail()
                raise
            finally:
                current.reset(token)
                _end(span, request, request.status or refused)

        return handle

    return wrap


def _begin(tracer: Tracer, scope: Scope, request: RequestContext) -> Span:
    remote = propagation.parse(scope["headers"])
    trusted = request.user is not None and any(
        group in (PRIVILEGED_GROUP, _MONITORING_GROUP) for group in request.user.groups
    )
    # It began when the request came, as the metrics have it.
    age = int((monotonic() - request.received_at) * 1e9) if request.received_at else 0
    span = tracer.start(
        name_of(scope.get("method", "GET"), request.info),
        parent=remote if trusted else None,
        link=None if trusted else remote,
        started=time.time_ns() - age,
    )
    if span.context.sampled:
        _describe(span, scope, request)
    return span


def name_of(method: str, info: RequestInfo) -> str:
    """Such as `GET /api/v1/namespaces/{:namespace}/pods/{:name}`."""
    if not info.is_resource_request:
        return method
    parts = [info.api_prefix, info.group, info.version]
    if info.namespace:
        parts += ["namespaces", "{:namespace}"]
    parts += [info.resource, "{:name}" if info.name else "", info.subresource]
    return f"{method} /{'/'.join(part for part in parts if part)}"


def _describe(span: Span, scope: Scope, request: RequestContext) -> None:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    host, _, port = headers.get(b"host", "").rpartition(":")
    if not port.isdigit():
        host, port = headers.get(b"host", ""), ""
    peer = scope.get("client") or ("", 0)
    forwarded = headers.get(b"x-forwarded-for", "").partition(",")[0].strip()
    found: dict[str, str | int] = {
        "server.address": host,
        "http.request.method": scope.get("method", "GET"),
        "url.scheme": "https",
        "server.port": int(port or 0),
        "network.peer.address": peer[0],
        "network.peer.port": peer[1],
        "user_agent.original": headers.get(b"user-agent", ""),
        "client.address": forwarded or peer[0],
        "url.path": scope["path"],
        "network.protocol.version": scope.get("http_version", ""),
        "http.target": f"{scope['path']}?{query}" if query else scope["path"],
        "audit-id": request.audit_id[:_MOST_AUDIT_ID],
    }
    span.attributes.update({key: value for key, value in found.items() if value})


def _end(span: Span, request: RequestContext, status: int) -> None:
    if span.context.sampled:
        if request.sent:
            span.attributes["http.response.body.size"] = request.sent
        if status:
            span.attributes["http.response.status_code"] = status
        if status >= 500:
            span.fail()
        # What the trace of ours says, as events: which filter and server decided what, and when.
        since = time.time_ns() - int(perf_counter() * 1e9)
        span.events = [
            Event(since + int(step.at * 1e9), step.component, {"decision": step.decision})
            for step in request.trace.steps
        ]
    span.end()
