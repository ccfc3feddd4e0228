"""Counts each answered request and how long it took. Mirrors `apiserver/pkg/endpoints/metrics`."""

from time import perf_counter

from generic.meta.errors import StatusError
from generic.metrics import Metrics, SeriesKey
from generic.request import context
from generic.request.info import RequestInfo
from generic.types import ASGIApp, Filter, Receive, Scope, Send

_METHOD_OF_VERB = {"create": "POST", "update": "PUT"}
_METHODS = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE"))


def with_latency_tracking(metrics: Metrics) -> Filter:
    """Observe the request in `metrics` once it is over, however it ended."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            request = context.of(scope)
            key = series_key(request.info, dry_run=b"dryRun=All" in scope["query_string"])
            long_running = request.info.is_long_running
            gauge: tuple[str, ...] = ()
            if long_running:
                gauge = (key[0], *key[2:], "apiserver")
                metrics.long_running.add(*gauge)
                if request.info.verb == "watch":
                    of = (request.info.group, request.info.version, request.info.resource)
                    request.count_events = lambda count: metrics.watch_events.add(*of, by=count)
            started = perf_counter()
            code = 0
            try:
                await app(scope, receive, send)
            except StatusError as error:
                code = error.code
                raise
            except Exception:
                code = 500
                raise
            finally:
                if long_running:
                    metrics.long_running.add(*gauge, by=-1)
                code = request.status or code
                # Neither answered nor failed: the client left.
                if code:
                    metrics.requests.observe(
                        key, code=code, seconds=perf_counter() - started, size=request.sent, queued=request.queued
                    )

        return handle

    return wrap


def series_key(info: RequestInfo, *, dry_run: bool = False) -> SeriesKey:
    """The labels of a request. A non-resource path stands where the subresource does, as in Kubernetes."""
    dry = "All" if dry_run else ""
    if not info.is_resource_request:
        method = "GET" if info.verb == "head" else info.verb.upper()
        return (method if method in _METHODS else "other", dry, "", "", "", info.path, "")
    verb = _METHOD_OF_VERB.get(info.verb) or info.verb.upper() or "other"
    whole = "namespace" if info.namespace else "cluster"
    scope = "resource" if info.name or info.verb == "create" else whole
    return (verb, dry, info.group, info.version, info.resource, info.subresource, scope)
