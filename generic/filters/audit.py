"""Audit: writes down who asks what, and how it is answered, as the auditor's policy wants it.

In the chain only where audit is configured, between authentication and impersonation. Refusals pass it as exceptions
and are noted on their way out; what handlers themselves answer, endpoints tell it. Mirrors
`apiserver/pkg/endpoints/filters/audit.go`.
"""

import asyncio
from collections.abc import Sequence
from time import monotonic

from generic.audit.auditor import Auditor
from generic.audit.policy import RECEIVED
from generic.endpoints import responses
from generic.filters import deadline
from generic.meta.errors import StatusError
from generic.request import context, upgrade
from generic.request.audited import Audited
from generic.request.context import RequestContext
from generic.request.upgrade import Duplex
from generic.types import ASGIApp, Filter, Message, Receive, Scope, Send

_SWITCHING = 101


def with_audit(auditor: Auditor) -> Filter:
    """Give every request that the policy wants its events."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            request = context.of(scope)
            audited = auditor.begin(scope, request)
            if audited is None:
                await app(scope, receive, send)
                return
            request.audited = audited
            if not await auditor.stage(request, audited, RECEIVED):
                auditor.rejected()
                await responses.send_internal_error(scope, send, "failed to store audit event")
                return
            if request.info.is_long_running:
                send = _noting_start(auditor, request, audited, send)
                _note_takeover(auditor, request, audited, scope)
            try:
                await app(scope, receive, send)
            except StatusError as error:
                if not request.status:
                    auditor.take_refusal(scope, audited, error)
                await auditor.complete(request, audited)
                raise
            except asyncio.CancelledError:
                if request.deadline is not None and monotonic() >= request.deadline and not request.status:
                    auditor.take_refusal(scope, audited, deadline.timed_out())
                auditor.complete_later(request, audited)
                raise
            except ConnectionError:
                # The client left in mid-answer; that is how watches end.
                await auditor.complete(request, audited)
                raise
            except Exception as error:
                await auditor.panicked(request, audited, error)
                raise
            await auditor.complete(request, audited)

        return handle

    return wrap


def _noting_start(auditor: Auditor, request: RequestContext, audited: Audited, send: Send) -> Send:
    async def send_noted(message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            await auditor.started(request, audited, message["status"])
        elif kind == "websocket.accept":
            await auditor.started(request, audited, _SWITCHING)
        await send(message)

    return send_noted


def _note_takeover(auditor: Auditor, request: RequestContext, audited: Audited, scope: Scope) -> None:
    take_over = upgrade.offered(scope)
    if take_over is None:
        return

    async def noted(reason: bytes, headers: Sequence[tuple[bytes, bytes]]) -> Duplex:
        await auditor.started(request, audited, _SWITCHING)
        return await take_over(reason, headers)

    scope["extensions"] = {**scope["extensions"], upgrade.EXTENSION: noted}
