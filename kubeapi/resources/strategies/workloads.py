"""Strategies of apps, batch, autoscaling and policy. Mirrors `pkg/registry/{apps,batch,autoscaling,policy}`."""

from generic.types import JSONObject
from kubeapi.resources.defaults import workloads as defaults
from kubeapi.resources.strategies.base import (
    Defaulter,
    KindStrategy,
    StatusKindStrategy,
    UpdateValidator,
    Validator,
    WorkloadStrategy,
    any_change,
)
from kubeapi.resources.validation import workloads as validation

_JOB_LABELS = ("batch.kubernetes.io/controller-uid", "controller-uid")
_JOB_NAME_LABELS = ("batch.kubernetes.io/job-name", "job-name")


class CountingStrategy(WorkloadStrategy):
    """A workload whose status counts; the counters are there from the beginning."""

    def __init__(
        self,
        *counters: str,
        default: Defaulter,
        validate: Validator,
        validate_update: UpdateValidator = any_change,
    ) -> None:
        super().__init__(default=default, validate=validate, validate_update=validate_update)
        self._counters = counters

    def initial_status(self, obj: JSONObject) -> JSONObject:
        return dict.fromkeys(self._counters, 0)


class BudgetStrategy(CountingStrategy):
    """A disruption budget: nothing may be disrupted before the controller has counted."""

    allow_unconditional_update = False


class JobStrategy(WorkloadStrategy):
    """A job that names no selector gets one by its own uid, so that no other job's pods match."""

    dependents = "orphan"

    def canonicalize(self, obj: JSONObject) -> None:
        spec, metadata = obj["spec"], obj["metadata"]
        if spec.get("manualSelector") or spec.get("selector"):
            return
        template = spec.setdefault("template", {}).setdefault("metadata", {})
        labels = dict(template.get("labels") or {})
        for key in _JOB_LABELS:
            labels.setdefault(key, metadata["uid"])
        for key in _JOB_NAME_LABELS:
            labels.setdefault(key, metadata["name"])
        template["labels"] = labels
        spec["selector"] = {"matchLabels": {_JOB_LABELS[0]: metadata["uid"]}}


class AutoscalerStrategy(StatusKindStrategy):
    """Both versions of the autoscaler start with the counters their schema requires."""

    def __init__(self, *counters: str, default: Defaulter) -> None:
        super().__init__(default=default, validate=validation.autoscaler)
        self._counters = counters

    def initial_status(self, obj: JSONObject) -> JSONObject:
        return dict.fromkeys(self._counters, 0)


DEPLOYMENT = WorkloadStrategy(
    default=defaults.deployment, validate=validation.deployment, validate_update=validation.selector_frozen
)
REPLICA_SET = CountingStrategy(
    "replicas",
    default=defaults.replica_set,
    validate=validation.replica_set,
    validate_update=validation.selector_frozen,
)
STATEFUL_SET = CountingStrategy(
    "availableReplicas",
    "replicas",
    default=defaults.stateful_set,
    validate=validation.stateful_set,
    validate_update=validation.stateful_set_update,
)
DAEMON_SET = CountingStrategy(
    "currentNumberScheduled",
    "desiredNumberScheduled",
    "numberMisscheduled",
    "numberReady",
    default=defaults.daemon_set,
    validate=validation.daemon_set,
    validate_update=validation.selector_frozen,
)
CONTROLLER_REVISION = KindStrategy(
    default=defaults.controller_revision,
    validate=validation.controller_revision,
    validate_update=validation.controller_revision_update,
)
JOB = JobStrategy(default=defaults.job, validate=validation.job, validate_update=validation.job_update)
CRON_JOB = WorkloadStrategy(default=defaults.cron_job, validate=validation.cron_job)
AUTOSCALER_V1 = AutoscalerStrategy("currentReplicas", "desiredReplicas", default=defaults.autoscaler_v1)
AUTOSCALER_V2 = AutoscalerStrategy("desiredReplicas", default=defaults.autoscaler_v2)
DISRUPTION_BUDGET = BudgetStrategy(
    "currentHealthy",
    "desiredHealthy",
    "disruptionsAllowed",
    "expectedPods",
    default=defaults.disruption_budget,
    validate=validation.disruption_budget,
)
