"""Validation of autoscalers, in both versions. Mirrors `pkg/apis/autoscaling/validation/validation.go`."""

from collections.abc import Callable, Mapping

from generic.meta import fields, names
from generic.meta.fields import FieldError
from generic.meta.gvk import GroupVersion
from generic.types import JSONObject
from kubeapi.resources.validation import common, requirements
from kubeapi.resources.validation.common import each

_LONGEST_PERIOD, _LONGEST_WINDOW = 1800, 3600
_SELECTIONS = ("Disabled", "Max", "Min")
_POLICIES = ("Percent", "Pods")
_SOURCES = ("ContainerResource", "External", "Object", "Pods", "Resource")


def autoscaler(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    low, high = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    found: list[FieldError] = []
    if low is not None and high < low:
        found.append(fields.invalid("spec.maxReplicas", high, "must be greater than or equal to `minReplicas`"))
    found += reference(spec.get("scaleTargetRef") or {}, "spec.scaleTargetRef", needs_group=True)
    found += _metrics(spec, "spec.metrics")
    behavior = spec.get("behavior") or {}
    for key in ("scaleUp", "scaleDown"):
        if behavior.get(key) is not None:
            found += _scaling_rules(behavior[key], f"spec.behavior.{key}")
    # These are told last, by rules that Go has in its types.
    if low is not None and low < 0:
        found.append(fields.invalid("spec.minReplicas", low, "must be greater than or equal to 0"))
    if not high:
        found.append(fields.required("spec.maxReplicas"))
    elif high < 0:
        found.append(fields.invalid("spec.maxReplicas", high, "must be greater than or equal to 1"))
    return found


def autoscaler_v1(obj: JSONObject) -> list[FieldError]:
    """The older version, whose one target is told as the metric it stands for."""
    target = (obj.get("spec") or {}).get("targetCPUUtilizationPercentage")
    found = autoscaler(obj)
    if target is None or target >= 1:
        return found
    return [
        fields.invalid("spec.metrics[0].resource.target.averageUtilization", target, "must be greater than 0"),
        *found,
    ]


def reference(given: JSONObject, path: str, *, needs_group: bool) -> list[FieldError]:
    """An object of any kind."""
    found: list[FieldError] = []
    for key in ("kind", "name"):
        value = given.get(key) or ""
        if not value:
            found.append(fields.required(f"{path}.{key}"))
        else:
            found += [fields.invalid(f"{path}.{key}", value, why) for why in names.path_segment_name(value)]
    version = given.get("apiVersion") or ""
    try:
        group = GroupVersion.parse(version).group
    except ValueError as error:
        return [*found, fields.invalid(f"{path}.apiVersion", version, str(error))]
    if needs_group and not group:
        found.append(fields.invalid(f"{path}.apiVersion", version, "apiVersion must specify API group"))
    return found


def _metrics(spec: JSONObject, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    metrics = spec.get("metrics") or []
    for at, metric in enumerate(metrics):
        found += _metric(metric, f"{path}[{at}]")
    if spec.get("minReplicas") == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics):
        why = "must specify at least one Object or External metric to support scaling to zero replicas"
        found.append(fields.forbidden(path, why))
    return found


def _metric(metric: JSONObject, path: str) -> list[FieldError]:
    kind = metric.get("type") or ""
    found = [] if kind else [fields.required(f"{path}.type", "must specify a metric source type")]
    found += common.among(kind, f"{path}.type", _SOURCES)
    present = [key for key in _CHECKS if metric.get(key) is not None]
    if present:
        found += _CHECKS[present[0]](metric[present[0]], f"{path}.{present[0]}")
    expected = kind[:1].lower() + kind[1:] if kind in _SOURCES else ""
    if not expected:
        found += common.among(kind, f"{path}.type", _SOURCES)
    elif metric.get(expected) is None:
        why = "must populate information for the given metric source"
        found.append(fields.required(f"{path}.{expected}", why))
    if len(present) != 1:
        why = "must populate the given metric source only"
        found += [fields.forbidden(f"{path}.{key}", why) for key in present if key != expected]
    return found


def _object(source: JSONObject, path: str) -> list[FieldError]:
    found = reference(source.get("describedObject") or {}, f"{path}.describedObject", needs_group=False)
    found += _identified(source, path)
    target = source.get("target") or {}
    if target.get("value") is None and target.get("averageValue") is None:
        why = "must set either a target value or averageValue"
        found.append(fields.required(f"{path}.target.averageValue", why))
    return found


def _external(source: JSONObject, path: str) -> list[FieldError]:
    found, target = _identified(source, path), source.get("target") or {}
    if target.get("value") is None and target.get("averageValue") is None:
        why = "must set either a target value for metric or a per-pod target"
        found.append(fields.required(f"{path}.target.averageValue", why))
    if target.get("value") is not None and target.get("averageValue") is not None:
        why = "may not set both a target value for metric and a per-pod target"
        found.append(fields.forbidden(f"{path}.target.value", why))
    return found


def _pods(source: JSONObject, path: str) -> list[FieldError]:
    found = _identified(source, path)
    if (source.get("target") or {}).get("averageValue") is None:
        found.append(fields.required(f"{path}.target.averageValue", "must specify a positive target averageValue"))
    return found


def _resource(source: JSONObject, path: str) -> list[FieldError]:
    found = [] if source.get("name") else [fields.required(f"{path}.name", "must specify a resource name")]
    return found + _utilized(source, path)


def _container_resource(source: JSONObject, path: str) -> list[FieldError]:
    name, container = source.get("name"), source.get("container")
    if name:
        found = requirements.of_container_name(name, f"{path}.name")
    else:
        found = [fields.required(f"{path}.name", "must specify a resource name")]
    if container:
        found += common.label(container, f"{path}.container")
    else:
        found.append(fields.required(f"{path}.container", "must specify a container"))
    return found + _utilized(source, path)


def _utilized(source: JSONObject, path: str) -> list[FieldError]:
    target = source.get("target") or {}
    found = _target(target, f"{path}.target")
    utilization, value = target.get("averageUtilization"), target.get("averageValue")
    if utilization is None and value is None:
        why = "must set either a target raw value or a target utilization"
        found.append(fields.required(f"{path}.target.averageUtilization", why))
    if utilization is not None and value is not None:
        why = "may not set both a target raw value and a target utilization"
        found.append(fields.forbidden(f"{path}.target.averageValue", why))
    return found


def _identified(source: JSONObject, path: str) -> list[FieldError]:
    metric = source.get("metric") or {}
    name = metric.get("name") or ""
    if name:
        found = [fields.invalid(f"{path}.metric.name", name, why) for why in names.path_segment_name(name)]
    else:
        found = [fields.required(f"{path}.metric.name", "must specify a metric name")]
    return found + _target(source.get("target") or {}, f"{path}.target")


def _target(target: JSONObject, path: str) -> list[FieldError]:
    kind = target.get("type") or ""
    found = [] if kind else [fields.required(f"{path}.type", "must specify a metric target type")]
    if kind not in ("Utilization", "Value", "AverageValue"):
        why = "must be either Utilization, Value, or AverageValue"
        found.append(fields.invalid(f"{path}.type", kind, why))
    for key in ("value", "averageValue"):
        amount = common.quantity(target.get(key))
        if amount is not None and amount.nanos <= 0:
            found.append(fields.invalid(f"{path}.{key}", target[key], "must be positive"))
    utilization = target.get("averageUtilization")
    if utilization is not None and utilization < 1:
        found.append(fields.invalid(f"{path}.averageUtilization", utilization, "must be greater than 0"))
    return found


def _scaling_rules(rules: JSONObject, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    window = rules.get("stabilizationWindowSeconds")
    if window is not None and window < 0:
        why = "must be greater than or equal to zero"
        found.append(fields.invalid(f"{path}.stabilizationWindowSeconds", window, why))
    elif window is not None and window > _LONGEST_WINDOW:
        why = f"must be less than or equal to {_LONGEST_WINDOW}"
        found.append(fields.invalid(f"{path}.stabilizationWindowSeconds", window, why))
    if rules.get("selectPolicy") is not None:
        found += common.among(rules["selectPolicy"], f"{path}.selectPolicy", _SELECTIONS)
    if not rules.get("policies"):
        found.append(fields.required(f"{path}.policies", "must specify at least one Policy"))
    for at, policy in enumerate(each(rules.get("policies"))):
        found += _scaling_policy(policy, f"{path}.policies[{at}]")
    tolerance = common.quantity(rules.get("tolerance"))
    if tolerance is not None and tolerance.nanos < 0:
        found.append(fields.invalid(f"{path}.tolerance", rules["tolerance"], requirements.NEGATIVE))
    return found


def _scaling_policy(policy: JSONObject, path: str) -> list[FieldError]:
    found = common.among(policy.get("type"), f"{path}.type", _POLICIES)
    found += common.positive(policy.get("value") or 0, f"{path}.value")
    seconds = policy.get("periodSeconds") or 0
    found += common.positive(seconds, f"{path}.periodSeconds")
    if seconds > _LONGEST_PERIOD:
        why = f"must be less than or equal to {_LONGEST_PERIOD}"
        found.append(fields.invalid(f"{path}.periodSeconds", seconds, why))
    return found


_CHECKS: Mapping[str, Callable[[JSONObject, str], list[FieldError]]] = {
    "object": _object,
    "external": _external,
    "pods": _pods,
    "resource": _resource,
    "containerResource": _container_resource,
}
