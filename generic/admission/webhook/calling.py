"""WebhookAsker: asks one webhook about one write, and takes down what comes of it.

Shared by `mutating.py` and `validating.py`; the connection is `generic/client/webhook.py`. Mirrors callHook of
`apiserver/pkg/admission/plugin/webhook/validating/dispatcher.go` and callAttrMutatingHook of its mutating sibling.
"""

import logging
from dataclasses import dataclass
from time import monotonic
from typing import Literal

from generic.admission.interface import Attributes
from generic.admission.matching import Match, NamespaceSource
from generic.admission.webhook import failures, review
from generic.admission.webhook.configurations import Webhook
from generic.admission.webhook.failures import CallFailed, Rejected
from generic.admission.webhook.metrics import AdmissionMetrics
from generic.admission.webhook.review import Answer, InvalidAnswer, Seen, UndecodableAnswer
from generic.authorization.interface import Authorizer
from generic.client.webhook import WebhookCaller
from generic.client.webhook_failures import WebhookCallError
from generic.meta import errors, names
from generic.meta.errors import StatusError
from generic.request.context import RequestContext

Step = Literal["admit", "validating"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WebhookAsker:
    """What both plugins share: connections, what selectors and expressions ask, and metrics."""

    caller: WebhookCaller
    namespaces: NamespaceSource
    authorizer: Authorizer
    metrics: AdmissionMetrics

    async def wanted(self, hook: Webhook, attributes: Attributes) -> Match | None:
        """As what the webhook wants to see the write; None: not at all. Raises StatusError."""
        match = await hook.constraints.match(attributes, self.namespaces)
        if match is None or hook.conditions is None:
            return match
        return match if await hook.conditions.hold(await seen_as(attributes, match), self.authorizer) else None

    async def ask(self, hook: Webhook, seen: Seen, *, step: Step) -> Answer:
        """What the webhook says. Raises CallFailed, Rejected, and StatusError for a dry run it cannot take."""
        attributes = seen.attributes
        if attributes.dry_run and not hook.allows_dry_run:
            raise failures.no_dry_run(hook.name)
        version = next((version for version in hook.review_versions if version in review.VERSIONS), None)
        if version is None:
            why = "webhook does not accept known AdmissionReview versions (v1, v1beta1)"
            raise CallFailed(hook.name, f"could not create admission objects: {why}", code=400)
        uid, seconds = names.new_uid(), _seconds(hook, attributes.request)
        try:
            given = await self.caller.call(hook.endpoint, review.question(seen, uid, version), seconds=seconds)
        except WebhookCallError as error:
            raise CallFailed(hook.name, f"failed to call webhook: {error}") from None
        try:
            answer = review.verify(given, uid, version, mutating=step == "admit")
        except UndecodableAnswer as error:
            raise CallFailed(hook.name, f"failed to call webhook: {error}") from None
        except InvalidAnswer as error:
            raise CallFailed(hook.name, f"received invalid webhook response: {error}") from None
        for key, value in answer.audit_annotations.items():
            attributes.request.annotate(f"{hook.name}/{key}", value)
        for warning in answer.warnings:
            attributes.request.warn(warning)
        if not answer.allowed:
            raise failures.rejection(hook.name, answer.result)
        return answer

    def settle(self, hook: Webhook, error: Exception, attributes: Attributes, *, step: Step, since: float) -> bool:
        """Take down a call that ended in `error`; whether its webhook's failures are to be ignored.

        Raises what the client is to be told if they are not.
        """
        operation, seconds = attributes.operation, monotonic() - since
        if isinstance(error, CallFailed):
            ignored, code, kind = hook.ignores_failures, error.code, "calling_webhook_error"
        elif isinstance(error, Rejected):
            ignored, code, kind = False, error.code, "no_error"
        else:
            ignored, code, kind = False, 0, "apiserver_internal_error"
        self.metrics.observe(hook.name, step, operation, seconds=seconds, code=code, rejected=not ignored)
        if ignored:
            log.warning("failing open: %s", error)
            self.metrics.failed_open.add(hook.name, step)
            return True
        self.metrics.reject(hook.name, step, operation, error_type=kind, code=code)
        if isinstance(error, CallFailed):
            log.warning("failing closed: %s", error)
            raise errors.internal_error(str(error)) from error
        raise error

    def succeeded(self, hook: Webhook, attributes: Attributes, *, step: Step, since: float) -> None:
        """Take down a call that ended well."""
        seconds = monotonic() - since
        self.metrics.observe(hook.name, step, attributes.operation, seconds=seconds, code=200, rejected=False)


async def seen_as(attributes: Attributes, match: Match) -> Seen:
    """The write with its objects in the version of the match. Raises StatusError 500 if one cannot be converted."""
    if match.kind == attributes.kind or attributes.versions is None:
        return Seen(attributes, match, attributes.object, attributes.old_object)
    made = []
    try:
        for obj in (attributes.object, attributes.old_object):
            made.append(None if obj is None else await attributes.versions.convert(obj, match.kind.group_version))
    except StatusError as error:
        raise errors.internal_error(error.message) from error
    return Seen(attributes, match, *made)


def is_out_of_time(request: RequestContext) -> bool:
    return request.deadline is not None and monotonic() >= request.deadline


def _seconds(hook: Webhook, request: RequestContext) -> float:
    """The webhook's time, unless the request itself has less; as Kubernetes tells it, whole seconds."""
    if request.deadline is None:
        return hook.seconds
    return max(0.001, min(hook.seconds, request.deadline - monotonic()))
