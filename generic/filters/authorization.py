"""Asks whether the caller may do it: 403 in Kubernetes' words if not, 500 if that cannot be found out.

Mirrors `apiserver/pkg/endpoints/filters/authorization.go`.
"""

import logging
from dataclasses import replace
from functools import partial
from time import perf_counter

from generic.authorization import refusal
from generic.authorization.interface import AuthorizationAttributes, Authorizer, Decision
from generic.endpoints import responses
from generic.meta.errors import StatusError
from generic.metrics import Metrics
from generic.request import context
from generic.types import ASGIApp, Filter, Receive, Scope, Send

_MAY_CREATE = ("update", "patch")
"""What creates an object that is not there, where its kind lets it; the caller has to be allowed that too."""
_UPGRADES = ("exec", "attach", "portforward")
"""The same holds of these, which a WebSocket asks for with a GET."""

_DECISION, _REASON = "authorization.k8s.io/decision", "authorization.k8s.io/reason"
"""Annotations of audit events."""

_RESULTS = {Decision.DENY: "denied", Decision.NO_OPINION: "no-opinion"}

_LOG = logging.getLogger(__name__)


def with_authorization(authorizer: Authorizer, metrics: Metrics | None = None) -> Filter:
    """Let through what the authorizer allows."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            request = context.of(scope)
            if request.user is None:
                raise RuntimeError("authorization stands before authentication in the chain")
            attributes = AuthorizationAttributes.of(request.user, request.info)
            started = perf_counter()
            try:
                verdict = await authorizer.authorize(attributes)
            except StatusError as error:
                request.trace.add("authorization", "error")
                if metrics is not None:
                    metrics.authorizations.observe("error", seconds=perf_counter() - started)
                _LOG.warning("authorization of %s failed: %s", request.audit_id, error)
                request.annotate(_REASON, "internal error")
                await responses.send_internal_error(scope, send, error.message)
                return
            if metrics is not None:
                # Hashing an enumeration's member takes longer than the rest of this.
                result = "allowed" if verdict.decision is Decision.ALLOW else _RESULTS[verdict.decision]
                metrics.authorizations.observe(result, seconds=perf_counter() - started)
            if verdict.decision is not Decision.ALLOW:
                request.trace.add("authorization", "forbidden")
                request.annotate(_DECISION, "forbid")
                request.annotate(_REASON, verdict.reason)
                raise refusal.forbidden(attributes, verdict.reason)
            request.trace.add("authorization", "allow")
            if request.audited is not None:
                request.annotate(_DECISION, "allow")
                request.annotate(_REASON, verdict.reason)
            if request.info.verb in _MAY_CREATE or request.info.subresource in _UPGRADES:
                request.authorize_create = partial(_authorize, authorizer, replace(attributes, verb="create"))
            await app(scope, receive, send)

        return handle

    return wrap


async def _authorize(authorizer: Authorizer, attributes: AuthorizationAttributes) -> None:
    verdict = await authorizer.authorize(attributes)
    if verdict.decision is not Decision.ALLOW:
        raise refusal.forbidden(attributes, verdict.reason)
