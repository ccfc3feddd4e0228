"""Decisions asked of the main server: SubjectAccessReview.

The last step of an aggregated server's delegated authorization; made in `delegated.py`. Mirrors
`apiserver/plugin/pkg/authorizer/webhook/webhook.go`.
"""

import logging
import time
from collections.abc import Callable

import orjson

from generic.authorization.interface import AuthorizationAttributes, Decision, Verdict
from generic.client import asking
from generic.client.asking import Answers, Persistence
from generic.client.rest import Client
from generic.meta import errors
from generic.meta.gvk import GroupVersion
from generic.types import JSONObject

_LOG = logging.getLogger(__name__)

_VERSION = GroupVersion("authorization.k8s.io", "v1")
_REVIEWS = _VERSION.with_resource("subjectaccessreviews")
_REMEMBERED = 8192

_LONGEST_KEPT = 10_000
"""Bytes of what a caller chooses of a question: more may be an attempt to fill the memory, and is asked each time."""


class SubjectAccessReviewAuthorizer:
    """Asks whether a user may do it. `allow_ttl`, `deny_ttl`: seconds a yes and a no are believed."""

    def __init__(
        self,
        client: Client,
        *,
        allow_ttl: float = 10.0,
        deny_ttl: float = 10.0,
        persistence: Persistence | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._allow_ttl = allow_ttl
        self._deny_ttl = deny_ttl
        self._persistence = persistence
        self._answers: Answers[JSONObject] = Answers(_REMEMBERED, clock=clock)

    async def authorize(self, attributes: AuthorizationAttributes) -> Verdict:
        """Raises StatusError if the main server could not be asked."""
        spec = spec_of(attributes)
        kept = _chosen_by_caller(attributes) < _LONGEST_KEPT

        def lifetime(status: JSONObject) -> float:
            if not kept:
                return 0
            return self._allow_ttl if status.get("allowed") else self._deny_ttl

        key = orjson.dumps(spec, option=orjson.OPT_SORT_KEYS)
        return _verdict(await self._answers.get(key, lambda: self._review(spec), lifetime))

    async def _review(self, spec: JSONObject) -> JSONObject:
        review = {"apiVersion": str(_VERSION), "kind": "SubjectAccessReview", "spec": spec}
        try:
            return await asking.ask(self._client, _REVIEWS, review, self._persistence)
        except errors.StatusError as error:
            _LOG.warning("Failed to make webhook authorizer request: %s", error)
            raise


def spec_of(attributes: AuthorizationAttributes) -> JSONObject:
    """The spec of the review; empty members are left out, as Go does."""
    user = attributes.user
    spec: JSONObject = {"user": user.name}
    if user.groups:
        spec["groups"] = list(user.groups)
    if user.extra:
        spec["extra"] = {key: list(values) for key, values in user.extra.items()}
    if user.uid:
        spec["uid"] = user.uid
    if not attributes.is_resource_request:
        spec["nonResourceAttributes"] = _without_empty({"path": attributes.path, "verb": attributes.verb})
        return spec
    asked = {
        "namespace": attributes.namespace,
        "verb": attributes.verb,
        "group": attributes.group,
        "version": attributes.version,
        "resource": attributes.resource,
        "subresource": attributes.subresource,
        "name": attributes.name,
    }
    spec["resourceAttributes"] = _without_empty(asked)
    return spec


def _without_empty(members: dict[str, str]) -> JSONObject:
    return {key: value for key, value in members.items() if value}


def _chosen_by_caller(attributes: AuthorizationAttributes) -> int:
    chosen = (attributes.namespace, attributes.verb, attributes.group, attributes.version, attributes.resource)
    return sum(map(len, (*chosen, attributes.subresource, attributes.name, attributes.path)))


def _verdict(status: JSONObject) -> Verdict:
    reason = status.get("reason") or ""
    allowed, denied = bool(status.get("allowed")), bool(status.get("denied"))
    if denied:
        if allowed:
            _LOG.warning("webhook subject access review returned both allow and deny response")
        return Verdict(Decision.DENY, reason)
    return Verdict(Decision.ALLOW if allowed else Decision.NO_OPINION, reason)
