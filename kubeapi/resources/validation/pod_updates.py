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
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_EXPRESSIONS = ("matchExpressions", "matchFields")


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
    gates = before.get("schedulingGates")
    if gates:
        if _fewer(new.get("schedulingGates"), gates):
            new.pop("schedulingGates", None)
            before.pop("schedulingGates", None)
        found += _placement(new, before)
    if new != before:
        found.append(fields.forbidden("spec", _MUTABLE))
    return found


def _without_images(containers: Any) -> list[JSONObject]:
    return [{key: value for key, value in c.items() if key != "image"} for c in containers or ()]


def _fewer(gates: Any, before: list[JSONObject]) -> bool:
    return all(gate in before for gate in gates or ())


def _placement(new: JSONObject, before: JSONObject) -> list[FieldError]:
    """A pod that nobody schedules yet may be sent to fewer nodes. What was judged here is taken out of both specs."""
    found: list[FieldError] = []
    wanted, held = new.pop("nodeSelector", None) or {}, before.pop("nodeSelector", None) or {}
    if not held.items() <= wanted.items():
        why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        found.append(fields.invalid("spec.nodeSelector", wanted or None, why))
    return found + _node_affinity(_take_node_affinity(new), _take_node_affinity(before))


def _take_node_affinity(spec: JSONObject) -> list[JSONObject]:
    """The terms that nodes have to fulfil."""
    affinity = dict(spec.pop("affinity", None) or {})
    nodes = affinity.pop("nodeAffinity", None) or {}
    if affinity:
        spec["affinity"] = affinity
    terms: list[JSONObject] = (nodes.get(_REQUIRED) or {}).get("nodeSelectorTerms") or []
    return terms


def _node_affinity(wanted: list[JSONObject], held: list[JSONObject]) -> list[FieldError]:
    path = f"spec.affinity.nodeAffinity.{_REQUIRED}.nodeSelectorTerms"
    if held and len(wanted) != len(held):
        why = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        return [fields.invalid(path, [_as_go(term) for term in wanted] or None, why)]
    return [
        fields.invalid(f"{path}[{at}]", _as_go(now), "only additions are allowed (no mutations or deletions)")
        for at, (now, before) in enumerate(zip(wanted, held, strict=False))
        if not _only_adds(now, before)
    ]


def _only_adds(now: JSONObject, before: JSONObject) -> bool:
    said, had = ([term.get(key) or [] for key in _EXPRESSIONS] for term in (now, before))
    if not any(had):
        # A term that says nothing is of no node; one that says something would be of more.
        return not any(said)
    return all(new[: len(old)] == old for new, old in zip(said, had, strict=True))


def _as_go(term: JSONObject) -> JSONObject:
    """A term as an error shows it."""
    names = {"key": "Key", "operator": "Operator", "values": "Values"}
    return {
        f"M{key[1:]}": [{names[k]: e.get(k) for k in names} for e in term[key]] if term.get(key) else None
        for key in _EXPRESSIONS
    }


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
