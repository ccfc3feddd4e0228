"""What may change of a pod that is there. Mirrors ValidatePodUpdate of `pkg/apis/core/validation/validation.go`."""

from typing import Any

from generic.meta import fields
from generic.meta.fields import FieldError
from generic.types import JSONObject

_MUTABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def pod_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    """Of a pod's spec little may change once it exists."""
    new, before = dict(obj.get("spec") or {}), dict(old.get("spec") or {})
    found: list[FieldError] = []
    for key in ("containers", "initContainers"):
        if len(new.get(key) or ()) != len(before.get(key) or ()):
            return [fields.forbidden(f"spec.{key}", "pod updates may not add or remove containers")]
        new[key], before[key] = _without_images(new.get(key)), _without_images(before.get(key))
    found += _deadline(new, before)
    found += _tolerations(new, before)
    for key in ("activeDeadlineSeconds", "tolerations"):
        new.pop(key, None)
        before.pop(key, None)
    if before.get("terminationGracePeriodSeconds", 0) < 0 and new.get("terminationGracePeriodSeconds") == 1:
        new["terminationGracePeriodSeconds"] = before["terminationGracePeriodSeconds"]
    if before.get("schedulingGates") and _fewer(new.get("schedulingGates"), before["schedulingGates"]):
        new.pop("schedulingGates", None)
        before.pop("schedulingGates", None)
    if new != before:
        found.append(fields.forbidden("spec", _MUTABLE))
    return found


def _without_images(containers: Any) -> list[JSONObject]:
    return [{key: value for key, value in c.items() if key != "image"} for c in containers or ()]


def _fewer(gates: Any, before: list[JSONObject]) -> bool:
    return all(gate in before for gate in gates or ())


def _deadline(new: JSONObject, before: JSONObject) -> list[FieldError]:
    path, now, was = "spec.activeDeadlineSeconds", new.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
    if now is not None and was is not None and now > was:
        return [fields.invalid(path, now, "must be less than or equal to previous value")]
    if now is None and was is not None:
        return [fields.invalid(path, None, "must not update from a positive integer to nil value")]
    return []


def _tolerations(new: JSONObject, before: JSONObject) -> list[FieldError]:
    kept = all(toleration in (new.get("tolerations") or ()) for toleration in before.get("tolerations") or ())
    why = "existing toleration can not be modified except its tolerationSeconds"
    # Only the seconds of a toleration may change, so compare without them.
    if kept or all(
        any(_but_seconds(wanted) == _but_seconds(held) for wanted in new.get("tolerations") or ())
        for held in before.get("tolerations") or ()
    ):
        return []
    return [fields.forbidden("spec.tolerations", why)]


def _but_seconds(toleration: JSONObject) -> JSONObject:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}
