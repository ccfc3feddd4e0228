"""Turns what is raised below into a response: a StatusError into its Status, anything else into a 500.

The one place where refusals of filters and handlers alike are rendered. Mirrors
`apiserver/pkg/server/filters/wrap.go`.
"""

import logging

from generic.endpoints import responses
from generic.meta.errors import StatusError
from generic.request import context
from generic.types import ASGIApp, Receive, Scope, Send

_LOG = logging.getLogger(__name__)

PANIC_TEXT = "This request caused apiserver to panic. Look in the logs for details."


def with_panic_recovery(app: ASGIApp) -> ASGIApp:
    """Answer whatever `app` raises. A response that has begun cannot be taken back: the server cuts it off."""

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except StatusError as error:
            if context.of(scope).status:
                raise
            await responses.send_status_error(scope, send, error)
        except Exception:
            request = context.of(scope)
            if request.status:
                raise
            _LOG.exception("apiserver panic'd on %s %s, audit-ID %s", scope["method"], scope["path"], request.audit_id)
            await responses.send_text(scope, send, f"{PANIC_TEXT}\n", status=500)

    return handle
