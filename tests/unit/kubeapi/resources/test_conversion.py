"""Kinds in two versions: nothing is lost on the way to the stored version and back."""

import orjson
import pytest

from generic.types import JSONObject
from kubeapi.resources.conversion import autoscaling, events

_CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
_PODS = {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "9"}}}


def _v2(**more: object) -> JSONObject:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h", "annotations": {"mine": "kept"}},
        "spec": {"maxReplicas": 3, "metrics": [_CPU, _PODS], "behavior": {"scaleDown": {"selectPolicy": "Max"}}},
        "status": {"currentReplicas": 1, "desiredReplicas": 1, "conditions": [{"type": "AbleToScale"}], **more},
    }


def test_what_v1_has_no_field_for_goes_through_annotations() -> None:
    v1 = autoscaling.to_v1(_v2())
    assert v1["spec"] == {"maxReplicas": 3, "targetCPUUtilizationPercentage": 50}
    annotations = v1["metadata"]["annotations"]
    assert orjson.loads(annotations["autoscaling.alpha.kubernetes.io/metrics"]) == [_PODS]
    assert annotations["mine"] == "kept"
    assert autoscaling.to_v2(v1) == _v2()


def test_an_autoscaler_of_v1_becomes_one_cpu_metric() -> None:
    v1: JSONObject = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h"},
        "spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 50},
        "status": {"currentReplicas": 0, "desiredReplicas": 0, "currentCPUUtilizationPercentage": 7},
    }
    v2 = autoscaling.to_v2(v1)
    assert v2["spec"]["metrics"] == [_CPU]
    assert v2["status"]["currentMetrics"][0]["resource"]["current"] == {"averageUtilization": 7}
    assert "annotations" not in v2["metadata"]


@pytest.mark.anyio
async def test_an_event_is_the_same_under_both_names() -> None:
    core: JSONObject = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "name": "p"},
        "message": "m",
        "count": 2,
        "source": {"component": "c"},
        "eventTime": "2026-01-01T00:00:00.000000Z",
    }
    (newer,) = await events.EventConverter().convert([core], events.EVENTS)
    assert newer["regarding"] == {"kind": "Pod", "name": "p"}
    assert (newer["note"], newer["deprecatedCount"]) == ("m", 2)
    assert await events.EventConverter().convert([newer, core], events.CORE) == [core, core]
