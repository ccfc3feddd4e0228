"""The columns of apps, batch, autoscaling and policy.

Used by `kubeapi/resources/{apps,batch,autoscaling,policy}.py`.
"""

from typing import Any

from generic.types import JSONObject
from kubeapi.resources.columns.common import (
    AGE,
    NAME,
    NONE,
    UNKNOWN,
    UNSET,
    at,
    cell,
    containers_columns,
    count,
    dig,
    elapsed,
    has_condition,
    labels_text,
    selector_text,
    since,
    spec,
    status,
)

_SELECTOR = cell("Selector", lambda obj: selector_text(spec(obj).get("selector")), wide=True)
_POD_TEMPLATE = containers_columns("spec", "template")


def _ready(obj: JSONObject) -> str:
    return f"{status(obj).get('readyReplicas') or 0}/{spec(obj).get('replicas') or 0}"


def _deployment_selector(obj: JSONObject) -> str:
    """Unlike the other kinds, an empty selector shows as nothing."""
    text = selector_text(spec(obj).get("selector"))
    return {NONE: "", "<error>": "<invalid>"}.get(text, text)


DEPLOYMENT = (
    NAME,
    cell("Ready", _ready),
    cell("Up-to-date", at("status", "updatedReplicas", default=0)),
    cell("Available", at("status", "availableReplicas", default=0)),
    AGE,
    *_POD_TEMPLATE,
    cell("Selector", _deployment_selector, wide=True),
)
REPLICA_SET = (
    NAME,
    cell("Desired", at("spec", "replicas", default=0), type="integer"),
    cell("Current", at("status", "replicas", default=0), type="integer"),
    cell("Ready", at("status", "readyReplicas", default=0), type="integer"),
    AGE,
    *_POD_TEMPLATE,
    _SELECTOR,
)
STATEFUL_SET = (NAME, cell("Ready", _ready), AGE, *_POD_TEMPLATE)
DAEMON_SET = (
    NAME,
    cell("Desired", at("status", "desiredNumberScheduled", default=0), type="integer"),
    cell("Current", at("status", "currentNumberScheduled", default=0), type="integer"),
    cell("Ready", at("status", "numberReady", default=0), type="integer"),
    cell("Up-to-date", at("status", "updatedNumberScheduled", default=0), type="integer"),
    cell("Available", at("status", "numberAvailable", default=0), type="integer"),
    cell("Node Selector", lambda obj: labels_text(dig(obj, "spec", "template", "spec", "nodeSelector"))),
    AGE,
    *_POD_TEMPLATE,
    _SELECTOR,
)


def _controller(obj: JSONObject) -> str:
    owner = next((ref for ref in obj["metadata"].get("ownerReferences") or () if ref.get("controller")), None)
    if owner is None:
        return NONE
    group, slash, _ = str(owner.get("apiVersion") or "").partition("/")
    kind = f"{owner.get('kind', '')}.{group}" if slash else str(owner.get("kind", ""))
    return f"{kind.lower()}/{owner.get('name', '')}"


CONTROLLER_REVISION = (NAME, cell("Controller", _controller), cell("Revision", at("revision", default=0)), AGE)


def _job_status(job: JSONObject) -> str:
    conditions = status(job).get("conditions")
    for type in ("Complete", "Failed"):
        if has_condition(conditions, type):
            return type
    if job["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for type in ("Suspended", "FailureTarget"):
        if has_condition(conditions, type):
            return type
    return "Running"


def _job_completions(job: JSONObject) -> str:
    succeeded = status(job).get("succeeded") or 0
    wanted, parallelism = spec(job).get("completions"), spec(job).get("parallelism") or 0
    if wanted is not None:
        return f"{succeeded}/{wanted}"
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _job_duration(job: JSONObject) -> str:
    started = status(job).get("startTime")
    return elapsed(started, status(job).get("completionTime")) if started else ""


JOB = (
    NAME,
    cell("Status", _job_status),
    cell("Completions", _job_completions),
    cell("Duration", _job_duration),
    AGE,
    *_POD_TEMPLATE,
    _SELECTOR,
)


def _suspended(obj: JSONObject) -> str:
    value = spec(obj).get("suspend")
    return UNSET if value is None else str(bool(value)).capitalize()


def _last_schedule(obj: JSONObject) -> str:
    last = status(obj).get("lastScheduleTime")
    return since(last) if last else NONE


CRON_JOB = (
    NAME,
    cell("Schedule", at("spec", "schedule")),
    cell("Timezone", at("spec", "timeZone", default=NONE)),
    cell("Suspend", _suspended, type="boolean"),
    cell("Active", count("status", "active"), type="integer"),
    cell("Last Schedule", _last_schedule),
    AGE,
    *containers_columns("spec", "jobTemplate", "spec", "template"),
    cell("Selector", lambda obj: selector_text(dig(obj, "spec", "jobTemplate", "spec", "selector")), wide=True),
)

_METRICS_SHOWN = 2
_METRIC_FIELDS = {
    "External": "external",
    "Pods": "pods",
    "Object": "object",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}


def _metric(metric: JSONObject, now: JSONObject) -> str:
    type = metric.get("type") or ""
    field = _METRIC_FIELDS.get(type)
    if field is None:
        return "<unknown type>"
    source, target = metric.get(field) or {}, dig(metric, field, "target") or {}
    current = dig(now, field, "current") or {}
    if type == "Pods":
        return f"{current.get('averageValue', UNKNOWN)}/{target.get('averageValue', 0)}"
    if type in ("External", "Object"):
        if target.get("averageValue") is not None:
            return f"{current.get('averageValue', UNKNOWN)}/{target['averageValue']} (avg)"
        return f"{current.get('value', UNKNOWN)}/{target.get('value', 0)}"
    name = source.get("name") or ""
    if target.get("averageValue") is not None:
        return f"{name}: {current.get('averageValue', UNKNOWN)}/{target['averageValue']}"
    used, wanted = current.get("averageUtilization"), target.get("averageUtilization")
    return f"{name}: {UNKNOWN if used is None else f'{used}%'}/{'<auto>' if wanted is None else f'{wanted}%'}"


def metrics_text(hpa: JSONObject) -> str:
    """What an autoscaler (in autoscaling/v2 form) measures: current over wanted."""
    metrics, current = spec(hpa).get("metrics") or (), status(hpa).get("currentMetrics") or ()
    if not metrics:
        return NONE
    shown = [_metric(metric, current[i] if i < len(current) else {}) for i, metric in enumerate(metrics)]
    text = ", ".join(shown[:_METRICS_SHOWN])
    return f"{text} + {len(shown) - _METRICS_SHOWN} more..." if len(shown) > _METRICS_SHOWN else text


def _reference(hpa: JSONObject) -> str:
    target = spec(hpa).get("scaleTargetRef") or {}
    return f"{target.get('kind', '')}/{target.get('name', '')}"


def _min_pods(hpa: JSONObject) -> Any:
    value = spec(hpa).get("minReplicas")
    return UNSET if value is None else str(value)


HORIZONTAL_POD_AUTOSCALER = (
    NAME,
    cell("Reference", _reference),
    cell("Targets", metrics_text),
    cell("MinPods", _min_pods),
    cell("MaxPods", at("spec", "maxReplicas", default=0)),
    cell("Replicas", at("status", "currentReplicas", default=0)),
    AGE,
)


def _available(key: str) -> Any:
    def get(obj: JSONObject) -> str:
        value = spec(obj).get(key)
        return "N/A" if value is None else str(value)

    return get


POD_DISRUPTION_BUDGET = (
    NAME,
    cell("Min Available", _available("minAvailable")),
    cell("Max Unavailable", _available("maxUnavailable")),
    cell("Allowed Disruptions", at("status", "disruptionsAllowed", default=0), type="integer"),
    AGE,
)
