"""Asks whether the caller may do it: 403 in Kubernetes' words if not, 500 if that cannot be found out.

Mirrors `apiserver/pkg/endpoints/filters/authorization.go`.
"""

import logging

from generic.authorization import refusal
from generic.authorization.interface import AuthorizationAttributes, Authorizer, Decision
from generic.endpoints import responses
from generic.meta.errors import StatusError
from generic.request import context
from generic.types import ASGIApp, Filter, Receive, Scope, Send

_LOG = logging.getLogger(__name__)


def with_authorization(authorizer: Authorizer) -> Filter:
    """Let through what the authorizer allows."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            request = context.of(scope)
            if request.user is None:
                raise RuntimeError("authorization stands before authentication in the chain")
            attributes = AuthorizationAttributes.of(request.user, request.info)
            try:
                verdict = await authorizer.authorize(attributes)
            except StatusError as error:
                request.trace.add("authorization", "error")
                _LOG.warning("authorization of %s failed: %s", request.audit_id, error)
                text = refusal.sanitize(f"Internal Server Error: {refusal.quote(_uri(scope))}: {error.message}")
                await responses.send_text(scope, send, f"{text}\n", status=500)
                return
            if verdict.decision is not Decision.ALLOW:
                request.trace.add("authorization", "forbidden")
                raise refusal.forbidden(attributes, verdict.reason)
            request.trace.add("authorization", "allow")
            await app(scope, receive, send)

        return handle

    return wrap


def _uri(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    return f"{scope['path']}?{query}" if query else scope["path"]
