"""Auditor: asks the policy about each request, and gives the back end its events, stage by stage.

Made by `setup`, called by the audit filter and by the authentication filter for those it refuses; `generic.run` starts
it before the server listens and stops it when all requests are answered. Mirrors `apiserver/pkg/audit/context.go` and
`apiserver/pkg/endpoints/filters/{audit,authn_audit}.go`.
"""

import asyncio
import base64
import binascii
from urllib.parse import parse_qs

from generic.audit import event
from generic.audit.event import header
from generic.audit.interface import Backend
from generic.audit.metrics import AuditMetrics
from generic.audit.policy import COMPLETE, NONE, PANIC, STARTED, Policy
from generic.meta import negotiation
from generic.meta.errors import StatusError
from generic.request.audited import Audited
from generic.request.context import RequestContext
from generic.types import Scope

_UNAUTHORIZED = 401
_SPOKEN = (*negotiation.SUPPORTED, "application/vnd.kubernetes.protobuf")
"""What a Status may be written in."""


class Auditor:
    """One a process. `stopping` is set when it stops, to tell back ends that they have no time to lose."""

    def __init__(self, policy: Policy, backend: Backend, metrics: AuditMetrics, *, stopping: asyncio.Event) -> None:
        self._policy = policy
        self._backend = backend
        self._metrics = metrics
        self._stopping = stopping
        self._late: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        await self._backend.start()

    async def stop(self) -> None:
        """All events are written, or given up, when this returns."""
        self._stopping.set()
        await asyncio.gather(*self._late)
        await self._backend.stop()

    def begin(self, scope: Scope, request: RequestContext) -> Audited | None:
        """What to collect of the request; None if it is not audited."""
        verdict = self._policy.evaluate(request.user, request.info)
        self._metrics.levels.add(verdict.level)
        if verdict.level == NONE:
            return None
        return Audited(
            event.beginning(scope, request, verdict.level),
            verdict.level,
            omitted_stages=verdict.omitted_stages,
            omits_managed_fields=verdict.omits_managed_fields,
        )

    async def stage(self, request: RequestContext, audited: Audited, stage: str, *, code: int = 0) -> bool:
        """Write the event of a stage. False if that failed, and the back end minds."""
        if stage in audited.omitted_stages:
            return True
        impersonated = request.user if request.impersonator is not None else None
        self._metrics.events.add()
        constraint = request.impersonation_constraint
        made = event.of(audited, stage, code=code, impersonated=impersonated, constraint=constraint)
        return await self._backend.process((made,))

    async def started(self, request: RequestContext, audited: Audited, code: int) -> None:
        """A long-running request is answered from now on. Once, whoever says it again."""
        if not audited.started:
            audited.started = True
            await self.stage(request, audited, STARTED, code=code)

    async def complete(self, request: RequestContext, audited: Audited) -> None:
        """The request is over."""
        code = request.status or audited.status.get("code", 0)
        if not code:
            code = 200
            audited.take_status({"status": "Success", "message": "Connection closed early"})
        if request.info.is_long_running:
            await self.started(request, audited, code)
        await self.stage(request, audited, COMPLETE, code=code)

    def complete_later(self, request: RequestContext, audited: Audited) -> None:
        """The same for a request whose task is to end now."""
        task = asyncio.create_task(self.complete(request, audited), name="audit-event")
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def panicked(self, request: RequestContext, audited: Audited, error: Exception) -> None:
        """The request failed on a defect of ours."""
        message = f"APIServer panic'd: {error}"
        audited.take_status({"status": "Failure", "message": message, "reason": "InternalError"})
        await self.stage(request, audited, PANIC, code=500)

    def rejected(self) -> None:
        """Count a request that is refused because its event could not be written."""
        self._metrics.rejected.add()

    def take_refusal(self, scope: Scope, audited: Audited, refusal: StatusError, message: str = "") -> None:
        """The answer will be a `Status`. `message`: for want of it, if the client accepts nothing it could be told in.

        Such a client gets the Status as it is, and audit only its code, as in Kubernetes.
        """
        if negotiation.negotiate(header(scope, b"accept"), negotiation.NO_TRANSFORMS, supported=_SPOKEN) is None:
            audited.take_status({"message": message, "code": refusal.code})
        else:
            audited.take_refusal(refusal.to_status())

    async def refused(self, scope: Scope, request: RequestContext, refusal: StatusError) -> None:
        """A filter before authentication let the request in no further, or that one itself.

        There is one event, of the answer's beginning.
        """
        audited = self.begin(scope, request)
        if audited is not None:
            message = _attempted(scope) if refusal.code == _UNAUTHORIZED else refusal.message
            self.take_refusal(scope, audited, refusal, message)
            await self.started(request, audited, refusal.code)


def _attempted(scope: Scope) -> str:
    """How the caller tried to say who it is."""
    found = []
    scheme, _, credentials = header(scope, b"authorization").strip().partition(" ")
    if scheme.lower() == "basic" and _is_basic(credentials):
        found.append("basic")
    if scheme.lower() == "bearer" and credentials:
        found.append("bearer")
    query: bytes = scope["query_string"]
    if b"access_token" in query and parse_qs(query.decode("latin-1")).get("access_token", [""])[0].strip():
        found.append("access_token")
    if (scope.get("extensions") or {}).get("tls", {}).get("client_cert_chain"):
        found.append("x509")
    if not found:
        return "Authentication failed, no credentials provided"
    return f"Authentication failed, attempted: {', '.join(found)}"


def _is_basic(credentials: str) -> bool:
    try:
        return b":" in base64.b64decode(credentials, validate=True)
    except binascii.Error:
        return False
