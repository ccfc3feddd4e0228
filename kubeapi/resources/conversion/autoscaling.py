"""HorizontalPodAutoscaler between autoscaling/v1 and v2, in which it is stored.

What v1 has no fields for (other metrics, conditions, behavior) it keeps in annotations, so that a client of v1
loses nothing of what one of v2 wrote. Mirrors `pkg/apis/autoscaling/v1/conversion.go`. Used by
`kubeapi/resources/autoscaling.py`.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from generic.meta.gvk import GroupVersion
from generic.types import JSONObject

V1, V2 = GroupVersion("autoscaling", "v1"), GroupVersion("autoscaling", "v2")

_PREFIX = "autoscaling.alpha.kubernetes.io/"
_METRICS, _CURRENT = f"{_PREFIX}metrics", f"{_PREFIX}current-metrics"
_CONDITIONS, _BEHAVIOR = f"{_PREFIX}conditions", f"{_PREFIX}behavior"
_KEPT = (_METRICS, _CURRENT, _CONDITIONS, _BEHAVIOR)
_CPU = "cpu"


class AutoscalerConverter:
    """The Converter of both versions."""

    async def convert(self, objects: Sequence[JSONObject], to: GroupVersion) -> list[JSONObject]:
        one = to_v1 if to == V1 else to_v2
        return [obj if obj["apiVersion"] == str(to) else one(obj) for obj in objects]


def to_v1(obj: JSONObject) -> JSONObject:
    """From v2."""
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    kept: JSONObject = {}
    metrics, current = spec.pop("metrics", None) or [], status.pop("currentMetrics", None) or []
    others = [metric for metric in metrics if not _is_cpu_utilization(metric)]
    for metric in metrics:
        if _is_cpu_utilization(metric):
            spec["targetCPUUtilizationPercentage"] = metric["resource"]["target"]["averageUtilization"]
    if others:
        kept[_METRICS] = others
    for metric in current:
        utilization = ((metric.get("resource") or {}).get("current") or {}).get("averageUtilization")
        if (metric.get("resource") or {}).get("name") == _CPU and utilization is not None:
            status["currentCPUUtilizationPercentage"] = utilization
    if current:
        kept[_CURRENT] = current
    if conditions := status.pop("conditions", None):
        kept[_CONDITIONS] = conditions
    if behavior := spec.pop("behavior", None):
        kept[_BEHAVIOR] = behavior
    metadata = dict(obj["metadata"])
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key not in _KEPT}
    annotations.update({key: orjson.dumps(value).decode() for key, value in kept.items()})
    if annotations:
        metadata["annotations"] = annotations
    status.setdefault("currentReplicas", 0)
    status.setdefault("desiredReplicas", 0)
    return {**obj, "apiVersion": str(V1), "metadata": metadata, "spec": spec, "status": status}


def to_v2(obj: JSONObject) -> JSONObject:
    """From v1. An annotation that cannot be read is dropped, as in Kubernetes."""
    spec, status, metadata = dict(obj.get("spec") or {}), dict(obj.get("status") or {}), dict(obj["metadata"])
    annotations = dict(metadata.get("annotations") or {})
    kept = {key: _read(annotations.pop(key)) for key in _KEPT if key in annotations}
    target = spec.pop("targetCPUUtilizationPercentage", None)
    metrics = list(kept.get(_METRICS) or ())
    if target is not None:
        metrics.insert(0, _cpu("target", {"type": "Utilization", "averageUtilization": target}))
    if metrics:
        spec["metrics"] = metrics
    utilization = status.pop("currentCPUUtilizationPercentage", None)
    if kept.get(_CURRENT):
        status["currentMetrics"] = kept[_CURRENT]
    elif utilization is not None:
        status["currentMetrics"] = [_cpu("current", {"averageUtilization": utilization})]
    if kept.get(_CONDITIONS):
        status["conditions"] = kept[_CONDITIONS]
    if kept.get(_BEHAVIOR):
        spec["behavior"] = kept[_BEHAVIOR]
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    return {**obj, "apiVersion": str(V2), "metadata": metadata, "spec": spec, "status": status}


def _is_cpu_utilization(metric: JSONObject) -> bool:
    resource = metric.get("resource") or {}
    target = resource.get("target") or {}
    return (
        metric.get("type") == "Resource"
        and resource.get("name") == _CPU
        and target.get("averageUtilization") is not None
    )


def _cpu(key: str, value: JSONObject) -> JSONObject:
    return {"type": "Resource", "resource": {"name": _CPU, key: value}}


def _read(text: Any) -> Any:
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, TypeError):
        return None
