"""Validation of apps, batch, autoscaling and policy. Mirrors `pkg/apis/{apps,batch,autoscaling,policy}/validation`."""

import re
from typing import Any

from generic.meta import fields, names, validation
from generic.meta.fields import FieldError
from generic.meta.selectors import LabelSelector
from generic.types import JSONObject
from kubeapi.resources.validation import claims, common, core, pods
from kubeapi.resources.validation.common import each

_MISMATCH = "`selector` does not match template `labels`"
_STATEFUL_MUTABLE = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_STATEFUL_FREE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
_is_percent = re.compile(r"[0-9]+%").fullmatch


def deployment(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    counters = ("replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
    found = common.not_negative(spec, counters, "spec")
    found += _selector_and_template(spec, "deployment")
    found += _deployment_strategy(spec.get("strategy") or {}, "spec.strategy")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= (spec.get("minReadySeconds") or 0):
        why = "must be greater than minReadySeconds"
        found.append(fields.invalid("spec.progressDeadlineSeconds", deadline, why))
    return found


def selector_frozen(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    """Whom a workload selects is decided once."""
    return common.unchanged(obj, old, "spec", "selector")


def replica_set(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    # Kubernetes names the deployment in a ReplicaSet's message, too.
    return common.not_negative(spec, ("replicas", "minReadySeconds"), "spec") + _selector_and_template(
        spec, "deployment"
    )


def daemon_set(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    found = common.not_negative(spec, ("minReadySeconds", "revisionHistoryLimit"), "spec")
    found += _selector_and_template(spec, "daemonset")
    return found + _daemon_strategy(spec.get("updateStrategy") or {}, "spec.updateStrategy")


def _daemon_strategy(strategy: JSONObject, path: str) -> list[FieldError]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "OnDelete":
        return []
    if kind != "RollingUpdate":
        shown = {"Type": kind or "", "RollingUpdate": _rolling(rolling)}
        return [fields.not_supported(path, shown, ("RollingUpdate", "OnDelete"))]
    if rolling is None:
        return [fields.required(f"{path}.rollingUpdate")]
    least, most, here = rolling.get("maxUnavailable"), rolling.get("maxSurge"), f"{path}.rollingUpdate"
    found = _int_or_percent(least, f"{here}.maxUnavailable") + _int_or_percent(most, f"{here}.maxSurge")
    if not _amount(least) and not _amount(most) and not found:
        found.append(fields.required(f"{here}.maxUnavailable", "cannot be 0 when maxSurge is 0"))
    elif _amount(least) and _amount(most):
        why = "may not be set when maxUnavailable is non-zero"
        found.append(fields.invalid(f"{here}.maxSurge", most, why))
    return found


def _rolling(rolling: JSONObject | None) -> JSONObject | None:
    """As Go's own type of it is printed."""
    if rolling is None:
        return None
    return {"MaxUnavailable": rolling.get("maxUnavailable"), "MaxSurge": rolling.get("maxSurge") or 0}


def stateful_set(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    policy, found = spec.get("podManagementPolicy") or "", list[FieldError]()
    if policy not in ("OrderedReady", "Parallel"):
        found.append(fields.invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'"))
    found += _stateful_strategy(spec.get("updateStrategy") or {}, "spec.updateStrategy")
    retention, here = spec.get("persistentVolumeClaimRetentionPolicy") or {}, "persistentVolumeClaimRetentionPolicy"
    for key in ("whenDeleted", "whenScaled"):
        if retention.get(key):
            found += common.among(retention[key], f"spec.{here}.{key}", ("Retain", "Delete"))
    found += common.not_negative(spec, ("replicas", "minReadySeconds"), "spec")
    found += common.not_negative(spec.get("ordinals") or {}, ("start",), "spec.ordinals")
    if spec.get("serviceName"):
        found += common.label(spec["serviceName"], "spec.serviceName")
    for at, claim in enumerate(each(spec.get("volumeClaimTemplates"))):
        found += claims.spec(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{at}].spec")
    return found + _selector_and_template(_with_claims(spec), "statefulset")


def _stateful_strategy(strategy: JSONObject, path: str) -> list[FieldError]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "RollingUpdate":
        return common.not_negative(rolling or {}, ("partition",), f"{path}.rollingUpdate")
    if kind == "OnDelete":
        why = "only allowed for updateStrategy 'RollingUpdate'"
        return [] if rolling is None else [fields.invalid(f"{path}.rollingUpdate", rolling, why)]
    parts = {"Partition": 0, "MaxUnavailable": None}
    if rolling is not None:
        parts = {"Partition": rolling.get("partition") or 0, "MaxUnavailable": rolling.get("maxUnavailable")}
    shown = {"Type": kind or "", "RollingUpdate": parts if rolling is not None else None}
    return [fields.invalid(path, shown, "must be 'RollingUpdate' or 'OnDelete'")]


def _with_claims(spec: JSONObject) -> JSONObject:
    """The spec with its claims as volumes of the template, as its pods will have them: containers mount them."""
    template = spec.get("template")
    templates = each(spec.get("volumeClaimTemplates"))
    named = list(dict.fromkeys((claim.get("metadata") or {}).get("name") for claim in templates))
    if not named or template is None:
        return spec
    pod = template.get("spec") or {}
    volumes = [volume for volume in each(pod.get("volumes")) if volume.get("name") not in named]
    volumes += [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in named]
    return {**spec, "template": {**template, "spec": {**pod, "volumes": volumes}}}


def stateful_set_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    new = {key: value for key, value in (obj.get("spec") or {}).items() if key not in _STATEFUL_FREE}
    before = {key: value for key, value in (old.get("spec") or {}).items() if key not in _STATEFUL_FREE}
    return [] if new == before else [fields.forbidden("spec", _STATEFUL_MUTABLE)]


def controller_revision(obj: JSONObject) -> list[FieldError]:
    found = common.not_negative(obj, ("revision",), "")
    found = [fields.invalid("revision", e.value, e.detail) for e in found]
    data = obj.get("data")
    if data is None:
        found.append(fields.required("data", "data is mandatory"))
    elif not isinstance(data, dict):
        found.append(fields.required("data", "data must be a valid JSON object"))
    return found


def controller_revision_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    return common.unchanged(obj, old, "data")


def _selector_and_template(spec: JSONObject, kind: str) -> list[FieldError]:
    selector, template = spec.get("selector"), spec.get("template") or {}
    if selector is None:
        found = [fields.required("spec.selector")] if kind != "daemonset" else []
    else:
        found = validation.label_selector(selector, "spec.selector")
    if selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions"):
        found.append(fields.invalid("spec.selector", selector, f"empty selector is invalid for {kind}"))
    elif selector is not None and found and kind != "daemonset":
        # The selector as such is told as well: in one way or another.
        why = "invalid label selector" if kind == "deployment" else ""
        found.append(fields.invalid("spec.selector", selector, why))
    elif not found or selector is None:
        labels = (template.get("metadata") or {}).get("labels")
        if selector is None or not LabelSelector.from_object(selector).matches(labels or {}):
            found.append(fields.invalid("spec.template.metadata.labels", labels, _MISMATCH))
    found += pods.template(template, "spec.template")
    return found + core.restart_always(template, "spec.template")


def _deployment_strategy(strategy: JSONObject, path: str) -> list[FieldError]:
    type, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if type == "Recreate":
        why = "may not be specified when strategy `type` is 'Recreate'"
        return [fields.forbidden(f"{path}.rollingUpdate", why)] if rolling is not None else []
    if type != "RollingUpdate":
        shown = {"Type": type or "", "RollingUpdate": _rolling(rolling)}
        return [fields.not_supported(path, shown, ("Recreate", "RollingUpdate"))]
    found: list[FieldError] = []
    rolling = rolling or {}
    for key in ("maxUnavailable", "maxSurge"):
        found += _int_or_percent(rolling.get(key), f"{path}.rollingUpdate.{key}")
    if _amount(rolling.get("maxUnavailable")) == 0 and _amount(rolling.get("maxSurge")) == 0:
        why = "may not be 0 when `maxSurge` is 0"
        found.append(fields.invalid(f"{path}.rollingUpdate.maxUnavailable", rolling.get("maxUnavailable"), why))
    return found


def _amount(value: Any) -> int | None:
    if isinstance(value, str):
        return int(value[:-1]) if _is_percent(value) else None
    return value if isinstance(value, int) else None


def _int_or_percent(value: Any, path: str) -> list[FieldError]:
    if isinstance(value, str) and not _is_percent(value):
        why = "a valid percent string must be a numeric string followed by an ending '%'"
        return [fields.invalid(path, value, names.regex_mismatch(why, "[0-9]+%", "1%", "93%"))]
    if isinstance(value, int) and value < 0:
        return [fields.invalid(path, value, "must be greater than or equal to 0")]
    return []


def disruption_budget(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    found: list[FieldError] = []
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        why = "minAvailable and maxUnavailable cannot be both set"
        found.append(fields.invalid("spec", spec, why))
    for key in ("minAvailable", "maxUnavailable"):
        found += _int_or_percent(spec.get(key), f"spec.{key}")
    policy, known = spec.get("unhealthyPodEvictionPolicy"), ("AlwaysAllow", "IfHealthyBudget")
    if policy is not None:
        found += common.among(policy, "spec.unhealthyPodEvictionPolicy", known)
    return found + validation.label_selector(spec.get("selector"), "spec.selector")
