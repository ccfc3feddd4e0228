"""The outermost filter: the request's context and audit id, and the head of every response.

Filters that want something in the response put it into `context.response_headers`; here, in the one
wrapper a request's `send` gets, it is added to whatever response starts: audit id, headers of the
filters, `Warning: 299`, and the trace where an authenticated caller asked for it with
`Trikube-Trace: 1` (strangers are told nothing of how the servers hang together). A handler's own header
of the same name wins. Refusals of a WebSocket go out as its denial response, so that nothing further
in needs to know the difference. Mirrors `apiserver/pkg/endpoints/filters/{with_auditid,audit_init,
warning}.go` and `pkg/server/filters` as far as they only set headers.
"""

import random
from collections.abc import Iterator, Sequence

from generic.request import context
from generic.request.context import RequestContext
from generic.request.user import ALL_UNAUTHENTICATED
from generic.types import ASGIApp, Message, Receive, Scope, Send

_TOTAL_WARNING_LENGTH = 4096
_CUT_WARNING_LENGTH = 256


def with_arrival(app: ASGIApp) -> ASGIApp:
    """Make the context, adopt or generate the audit id, and complete the head of the response."""

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        request = context.ensure(scope)
        audit_id = wants_trace = b""
        for name, value in scope["headers"]:
            if name == b"audit-id":
                audit_id = audit_id or value
            elif name == b"trikube-trace":
                wants_trace = value
        request.audit_id = audit_id.decode("latin-1") if audit_id else _new_audit_id()
        request.response_headers.append((b"audit-id", audit_id or request.audit_id.encode()))
        traced = wants_trace == b"1"

        async def send_completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.status = message["status"]
                message = {**message, "headers": _headers(message, request, traced=traced)}
            else:
                request.sent += len(message.get("body", b""))
            await send(message)

        if scope["type"] == "http":
            await app(scope, receive, send_completed)
        else:
            scope["method"] = "GET"
            await app(scope, receive, _through_websocket(send, request, traced=traced))

    return handle


def _through_websocket(send: Send, request: RequestContext, *, traced: bool) -> Send:
    async def send_translated(message: Message) -> None:
        kind = message["type"]
        if kind == "websocket.accept":
            request.status = 101
            message = {**message, "headers": _headers(message, request, traced=traced)}
        elif kind == "http.response.start":
            request.status = message["status"]
            headers = _headers(message, request, traced=traced)
            message = {**message, "type": "websocket.http.response.start", "headers": headers}
        elif kind == "http.response.body":
            message = {**message, "type": "websocket.http.response.body"}
        await send(message)

    return send_translated


def _headers(message: Message, request: RequestContext, *, traced: bool) -> list[tuple[bytes, bytes]]:
    headers = list(message.get("headers", ()))
    present = {name for name, _ in headers}
    headers += [header for header in request.response_headers if header[0] not in present]
    if request.warnings:
        headers += [(b"warning", value) for value in _warnings(request.warnings)]
    if traced and request.user is not None and ALL_UNAUTHENTICATED not in request.user.groups:
        headers.append((b"trikube-trace", request.trace.header().encode("latin-1", "replace")))
    return headers


def _warnings(texts: Sequence[str]) -> Iterator[bytes]:
    """`299 - "text"` for each; past the total all are cut, and those that then do not fit are left out."""
    cut = sum(map(len, texts)) > _TOTAL_WARNING_LENGTH
    written = 0
    for text in texts:
        shown = text[:_CUT_WARNING_LENGTH] if cut else text
        # A control character would end the header; Kubernetes drops such warnings too.
        if not shown or any(char < " " or "\x7f" <= char < "\xa0" for char in shown):
            continue
        if written + len(shown) > _TOTAL_WARNING_LENGTH:
            continue
        written += len(shown)
        quoted = shown.replace("\\", "\\\\").replace('"', '\\"')
        yield f'299 - "{quoted}"'.encode()


def _new_audit_id() -> str:
    """A version 4 UUID; three times as fast as the uuid module's."""
    digits = f"{random.getrandbits(128):032x}"
    variant = "89ab"[random.getrandbits(2)]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
