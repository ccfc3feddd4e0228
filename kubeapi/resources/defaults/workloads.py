"""Defaults of apps, batch, autoscaling and policy. Mirrors `pkg/apis/{apps,batch,autoscaling,policy}/*/defaults.go`."""

from generic.types import JSONObject
from kubeapi.resources.defaults.common import fill, fill_empty, section, zeros
from kubeapi.resources.defaults.core import persistent_volume_claim
from kubeapi.resources.defaults.pods import pod_template

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
_BEGINNING_TO_FAIL = 600
_QUARTER = "25%"
_TARGET_CPU = 80


def deployment(obj: JSONObject) -> None:
    spec = section(obj, "spec")
    fill(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=_BEGINNING_TO_FAIL)
    strategy = section(spec, "strategy")
    fill_empty(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        fill(section(strategy, "rollingUpdate"), maxUnavailable=_QUARTER, maxSurge=_QUARTER)
    _template(spec)


def replica_set(obj: JSONObject) -> None:
    spec = section(obj, "spec")
    fill(spec, replicas=1)
    _template(spec)
    zeros(obj, "status", "replicas")


def stateful_set(obj: JSONObject) -> None:
    spec = section(obj, "spec")
    fill(spec, replicas=1, revisionHistoryLimit=10)
    fill_empty(spec, podManagementPolicy="OrderedReady")
    strategy = section(spec, "updateStrategy")
    fill_empty(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        fill(section(strategy, "rollingUpdate"), partition=0, maxUnavailable=1)
    fill_empty(section(spec, "persistentVolumeClaimRetentionPolicy"), whenDeleted="Retain", whenScaled="Retain")
    for claim in spec.get("volumeClaimTemplates") or ():
        fill_empty(claim, apiVersion="v1", kind="PersistentVolumeClaim")
        persistent_volume_claim(claim)
    _template(spec)
    zeros(obj, "status", "replicas", "availableReplicas")


def daemon_set(obj: JSONObject) -> None:
    spec = section(obj, "spec")
    fill(spec, revisionHistoryLimit=10)
    strategy = section(spec, "updateStrategy")
    fill_empty(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        fill(section(strategy, "rollingUpdate"), maxUnavailable=1, maxSurge=0)
    fill_empty(section(obj["metadata"], "annotations"), **{TEMPLATE_GENERATION: "1"})
    _template(spec)
    zeros(obj, "status", "currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")


def controller_revision(obj: JSONObject) -> None:
    fill(obj, revision=0)


def _template(spec: JSONObject) -> None:
    # A missing template is reported as such, not filled with an empty one.
    if spec.get("template") is not None:
        pod_template(spec["template"])


def job(obj: JSONObject) -> None:
    job_spec(section(obj, "spec"))
    labels = ((obj["spec"].get("template") or {}).get("metadata") or {}).get("labels")
    if labels and not obj["metadata"].get("labels"):
        obj["metadata"]["labels"] = dict(labels)


def job_spec(spec: JSONObject) -> None:
    """The spec of a job, also in a cron job's template: one pod, once, unless it says otherwise."""
    if spec.get("completions") is None and spec.get("parallelism") is None:
        fill(spec, completions=1, parallelism=1)
    fill(spec, parallelism=1, completionMode="NonIndexed", suspend=False, manualSelector=False)
    if spec.get("backoffLimit") is None:
        # With a limit for each index the total one is out of the way.
        spec["backoffLimit"] = 6 if spec.get("backoffLimitPerIndex") is None else 2**31 - 1
    if spec.get("podFailurePolicy") is not None:
        for rule in spec["podFailurePolicy"].get("rules") or ():
            for pattern in rule.get("onPodConditions") or ():
                fill_empty(pattern, status="True")
    fill(spec, podReplacementPolicy="Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed")
    _template(spec)


def cron_job(obj: JSONObject) -> None:
    spec = section(obj, "spec")
    fill_empty(spec, concurrencyPolicy="Allow")
    fill(spec, suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    template = spec.get("jobTemplate")
    if template is not None:
        section(template, "metadata")
        inner = section(template, "spec")
        # What a cron job's template leaves open is decided when the job is made.
        if inner.get("template") is not None:
            pod_template(inner["template"])


def autoscaler_v1(obj: JSONObject) -> None:
    spec = section(obj, "spec")
    fill(spec, minReplicas=1, targetCPUUtilizationPercentage=_TARGET_CPU)
    zeros(obj, "status", "currentReplicas", "desiredReplicas")


def autoscaler_v2(obj: JSONObject) -> None:
    spec = section(obj, "spec")
    fill(spec, minReplicas=1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": _TARGET_CPU}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    behavior = spec.get("behavior")
    if behavior is not None:
        _scaling_rules(behavior, "scaleUp", stabilization=0, policies=[("Pods", 4, 15), ("Percent", 100, 15)])
        _scaling_rules(behavior, "scaleDown", stabilization=None, policies=[("Percent", 100, 15)])
    zeros(obj, "status", "desiredReplicas")


def _scaling_rules(
    behavior: JSONObject, key: str, *, stabilization: int | None, policies: list[tuple[str, int, int]]
) -> None:
    rules = section(behavior, key)
    if stabilization is not None:
        fill(rules, stabilizationWindowSeconds=stabilization)
    fill(rules, selectPolicy="Max")
    if rules.get("policies") is None:
        rules["policies"] = [
            {"type": type, "value": value, "periodSeconds": seconds} for type, value, seconds in policies
        ]


def disruption_budget(obj: JSONObject) -> None:
    section(obj, "spec")
    zeros(obj, "status", "disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
