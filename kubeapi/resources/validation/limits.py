"""Validation of what bounds a namespace: limit ranges and quotas. Mirrors ValidateLimitRange and
ValidateResourceQuotaSpec of `pkg/apis/core/validation/validation.go`."""

from generic.meta import fields, names
from generic.meta.fields import FieldError
from generic.meta.quantity import Quantity
from generic.types import JSONObject
from kubeapi.resources.validation import common, requirements
from kubeapi.resources.validation.common import each

_TYPES = ("Container", "PersistentVolumeClaim", "Pod")
_BOUNDS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
_SCOPES_EXIST = ("BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "Terminating")
_SCOPES = frozenset({*_SCOPES_EXIST, "PriorityClass", "VolumeAttributesClass"})
_OF_PODS = frozenset({
    "pods", "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.ephemeral-storage",
    "limits.cpu", "limits.memory", "limits.ephemeral-storage",
})  # fmt: skip
_OF_CLAIMS = frozenset({"persistentvolumeclaims", "requests.storage"})
_QUOTAS = (requirements.STANDARD - {"storage"}) | {"requests.storage"}


def limit_range(obj: JSONObject) -> list[FieldError]:
    found: list[FieldError] = []
    seen: set[str] = set()
    for at, item in enumerate(each((obj.get("spec") or {}).get("limits"))):
        path, kind = f"spec.limits[{at}]", item.get("type") or ""
        problems = [fields.invalid(f"{path}.type", kind, why) for why in names.qualified_name(kind)]
        if not problems and "/" not in kind and kind not in _TYPES:
            why = "must be a standard limit type or fully qualified"
            problems = [fields.invalid(f"{path}.type", kind, why)]
        found += problems
        if kind in seen:
            found.append(fields.duplicate(f"{path}.type", kind))
        seen.add(kind)
        found += _bounded_names(item, kind, path)
        if kind == "PersistentVolumeClaim" and not any("storage" in (item.get(key) or {}) for key in ("min", "max")):
            why = "either minimum or maximum storage value is required, but neither was provided"
            found.append(fields.required(f"{path}.limits", why))
        for name in dict.fromkeys(name for key in _BOUNDS for name in item.get(key) or {}):
            found += _in_order(item, name, path)
    return found


def _bounded_names(item: JSONObject, kind: str, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    check = requirements.of_container_name if kind in ("Pod", "Container") else requirements.resource_name
    for key in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio"):
        given = item.get(key) or {}
        if kind == "Pod" and key in ("default", "defaultRequest"):
            if given:
                found.append(fields.forbidden(f"{path}.{key}", "may not be specified when `type` is 'Pod'"))
            continue
        for name in given:
            found += check(name, f"{path}.{key}[{name}]")
    return found


def _in_order(item: JSONObject, name: str, path: str) -> list[FieldError]:
    """The least is not above the most, and what is given without asking lies between."""
    said = {key: (item.get(key) or {}).get(name) for key in _BOUNDS}
    known = {key: amount for key in _BOUNDS if (amount := common.quantity(said[key])) is not None}
    found: list[FieldError] = []

    def at_most(low: str, high: str, told: str, value: str, words: str) -> None:
        if low in known and high in known and known[low] > known[high]:
            why = words.format(said[low], said[high])
            found.append(fields.invalid(f"{path}.{told}[{name}]", said[value], why))

    at_most("min", "max", "min", "min", "min value {} is greater than max value {}")
    at_most(
        "min", "defaultRequest", "defaultRequest", "defaultRequest",
        "min value {} is greater than default request value {}",
    )  # fmt: skip
    at_most(
        "defaultRequest", "max", "defaultRequest", "defaultRequest",
        "default request value {} is greater than max value {}",
    )  # fmt: skip
    at_most(
        "defaultRequest", "default", "defaultRequest", "defaultRequest",
        "default request value {} is greater than default limit value {}",
    )  # fmt: skip
    # The value that Go shows here is the bound, not the default.
    at_most("min", "default", "default", "min", "min value {} is greater than default value {}")
    at_most("default", "max", "default", "max", "default value {} is greater than max value {}")
    return found + _ratio(known, said, name, path)


def _ratio(known: dict[str, Quantity], said: JSONObject, name: str, path: str) -> list[FieldError]:
    ratio, shown, here = known.get("maxLimitRequestRatio"), said["maxLimitRequestRatio"], "maxLimitRequestRatio"
    if ratio is None:
        return []
    found: list[FieldError] = []
    if ratio.nanos < 10**9:
        found.append(fields.invalid(f"{path}.{here}[{name}]", shown, f"ratio {shown} is less than 1"))
    if "min" in known and "max" in known and known["min"].nanos:
        most = known["max"].nanos / known["min"].nanos
        if ratio.nanos / 10**9 > most:
            why = f"ratio {shown} is greater than max/min = {most:f}"
            found.append(fields.invalid(f"{path}.{here}[{name}]", shown, why))
    return found


def quota(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    hard, found = spec.get("hard") or {}, list[FieldError]()
    for name, amount in hard.items():
        found += _quota_name(name, f"spec.hard[{name}]")
        found += requirements.amount_of(name, amount, f"spec.hard[{name}]")
    scopes = spec.get("scopes") or []
    for scope in scopes:
        if scope not in _SCOPES:
            found.append(fields.invalid("spec.scopes", scopes, "unsupported scope"))
        for name in sorted(hard):
            if name in _QUOTAS and not _fits(scope, name):
                found.append(fields.invalid("spec.scopes", scopes, "unsupported scope applied to resource"))
    found += _conflicting(set(scopes), scopes)
    if spec.get("scopeSelector") is not None:
        found += _scope_selector(spec["scopeSelector"], sorted(hard))
    return found


def quota_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    """What a quota counts is decided once."""
    now, before = ((each_of.get("spec") or {}).get("scopes") for each_of in (obj, old))
    same = sorted(now or ()) == sorted(before or ())
    return [] if same else [fields.invalid("spec.scopes", now, fields.IMMUTABLE)]


def _quota_name(name: str, path: str) -> list[FieldError]:
    found = [fields.invalid(path, name, why) for why in names.qualified_name(name)]
    known = name in _QUOTAS or name.startswith(("hugepages-", "requests.hugepages-"))
    if not found and "/" not in name and not known:
        found.append(fields.invalid(path, name, "must be a standard resource for quota"))
    return found


def _fits(scope: str, name: str) -> bool:
    if scope == "BestEffort":
        return name == "pods"
    if scope == "VolumeAttributesClass":
        return name in _OF_CLAIMS
    return name in _OF_PODS if scope in _SCOPES else True


def _conflicting(scopes: set[str], shown: list[str] | None) -> list[FieldError]:
    pairs = ({"BestEffort", "NotBestEffort"}, {"NotTerminating", "Terminating"})
    return [fields.invalid("spec.scopes", shown, "conflicting scopes") for pair in pairs if pair <= scopes]


def _scope_selector(selector: JSONObject, hard: list[str]) -> list[FieldError]:
    path, found, scopes = "spec.scopeSelector.matchExpressions", list[FieldError](), set[str]()
    for expression in each(selector.get("matchExpressions")):
        scope, operator, values = (expression.get(key) or "" for key in ("scopeName", "operator", "values"))
        if scope not in _SCOPES:
            found.append(fields.invalid(f"{path}.scopeName", scope, "unsupported scope"))
        for name in hard:
            if name in _QUOTAS and not _fits(scope, name):
                found.append(fields.invalid(path, selector, "unsupported scope applied to resource"))
        if scope in _SCOPES_EXIST and operator != "Exists":
            why = (
                "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
                "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
                "ResourceQuotaScopeCrossNamespacePodAffinity"
            )
            found.append(fields.invalid(f"{path}.operator", operator, why))
        if operator in ("In", "NotIn"):
            if not values:
                why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
                found.append(fields.required(f"{path}.values", why))
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
                found.append(fields.invalid(f"{path}.values", values, why))
        else:
            found.append(fields.invalid(f"{path}.operator", operator, "not a valid selector operator"))
        scopes.add(scope)
    return found + _conflicting(scopes, None)
