"""Asks whether the caller may do it: 403 in Kubernetes' words if not, 500 if that cannot be found out.

Mirrors `apiserver/pkg/endpoints/filters/authorization.go`.
"""

import logging
from dataclasses import replace
from functools import partial

from generic.authorization import refusal
from generic.authorization.interface import AuthorizationAttributes, Authorizer, Decision
from generic.endpoints import responses
from generic.meta.errors import StatusError
from generic.request import context
from generic.types import ASGIApp, Filter, Receive, Scope, Send

_MAY_CREATE = ("update", "patch")
"""What creates an object that is not there, where its kind lets it; the caller has to be allowed that too."""

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
            if request.info.verb in _MAY_CREATE:
                request.authorize_create = partial(_authorize, authorizer, replace(attributes, verb="create"))
            await app(scope, receive, send)

        return handle

    return wrap


async def _authorize(authorizer: Authorizer, attributes: AuthorizationAttributes) -> None:
    verdict = await authorizer.authorize(attributes)
    if verdict.decision is not Decision.ALLOW:
        raise refusal.forbidden(attributes, verdict.reason)


def _uri(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    return f"{scope['path']}?{query}" if query else scope["path"]
