"""Strategies of certificate signing requests. Mirrors `pkg/registry/certificates/certificates/strategy.go`."""

from collections.abc import Sequence

from generic.meta import time as meta_time
from generic.meta.fields import FieldError
from generic.request.context import RequestContext
from generic.types import JSONObject
from kubeapi.resources.defaults import platform as defaults
from kubeapi.resources.strategies.base import StatusKindStrategy
from kubeapi.resources.validation import certificates as validation


class CertificateRequestStrategy(StatusKindStrategy):
    """Who asks for a certificate is what authentication says, not what the request says; it never changes."""

    name_validator = "path"
    never_owned = frozenset({"spec", "status"})

    def prepare_for_create(self, request: RequestContext, obj: JSONObject) -> None:
        super().prepare_for_create(request, obj)
        spec = obj["spec"]
        for key in ("username", "uid", "groups", "extra"):
            spec.pop(key, None)
        user = request.user
        if user is None:
            return
        spec["username"], spec["groups"] = user.name, list(user.groups)
        if user.uid:
            spec["uid"] = user.uid
        if user.extra:
            spec["extra"] = {key: list(values) for key, values in user.extra.items()}

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        super().prepare_for_update(request, obj, old)
        obj["spec"] = old["spec"]

    def prepare_status_update(self, obj: JSONObject, old: JSONObject) -> None:
        _keep_decisions(obj, old)
        _stamp(obj, old)


class ApprovalStrategy(CertificateRequestStrategy):
    """The strategy of `certificatesigningrequests/approval`: only conditions may change."""

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        _stamp(obj, old)
        conditions = (obj.get("status") or {}).get("conditions") or []
        obj["spec"] = old["spec"]
        obj["status"] = {**(old.get("status") or {}), "conditions": conditions}

    def validate_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> Sequence[FieldError]:
        return validation.approval(obj, old)


def _keep_decisions(obj: JSONObject, old: JSONObject) -> None:
    """Decisions stay as they were, unless there are more of them now, or fewer: that is refused."""
    for type in ("Approved", "Denied"):
        held, given = validation.of_type(old, type), validation.of_type(obj, type)
        if len(held) == len(given):
            for now, before in zip(given, held, strict=True):
                now.clear()
                now.update(before)


def _stamp(obj: JSONObject, old: JSONObject) -> None:
    """Times that were not told."""
    now = meta_time.now()
    for condition in (obj.get("status") or {}).get("conditions") or ():
        condition["lastUpdateTime"] = condition.get("lastUpdateTime") or now
        if not condition.get("lastTransitionTime"):
            before = (
                held["lastTransitionTime"]
                for held in validation.of_type(old, condition.get("type") or "")
                if held.get("status") == condition.get("status") and held.get("lastTransitionTime")
            )
            condition["lastTransitionTime"] = next(before, now)


CERTIFICATE_REQUEST = CertificateRequestStrategy(
    default=defaults.certificate_request,
    validate=validation.certificate_request,
    validate_status=validation.status,
)
CERTIFICATE_APPROVAL = ApprovalStrategy(default=defaults.certificate_request)
