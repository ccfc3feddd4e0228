"""Strategies of apps, batch, autoscaling and policy. Mirrors `pkg/registry/{apps,batch,autoscaling,policy}`."""

from collections.abc import Sequence

from generic.meta.fields import FieldError
from generic.request.context import RequestContext
from generic.types import JSONObject
from kubeapi.resources.defaults import workloads as defaults
from kubeapi.resources.defaults.common import section
from kubeapi.resources.defaults.workloads import TEMPLATE_GENERATION
from kubeapi.resources.strategies.base import (
    Defaulter,
    KindStrategy,
    UpdateValidator,
    Validator,
    WorkloadStrategy,
    any_change,
)
from kubeapi.resources.validation import autoscaling, counters, jobs
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
        validate_status: UpdateValidator = any_change,
    ) -> None:
        super().__init__(
            default=default, validate=validate, validate_update=validate_update, validate_status=validate_status
        )
        self._counters = counters

    def initial_status(self, obj: JSONObject) -> JSONObject:
        return dict.fromkeys(self._counters, 0)


class BudgetStrategy(CountingStrategy):
    """A disruption budget: nothing may be disrupted before the controller has counted."""

    name_validator = "any"
    allow_unconditional_update = False


class JobStrategy(WorkloadStrategy):
    """A job that names no selector gets one by its own uid, so that no other job's pods match."""

    dependents = "orphan"

    def validate(self, request: RequestContext, obj: JSONObject) -> Sequence[FieldError]:
        return [*super().validate(request, obj), *jobs.new_job(obj)]

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
        if not metadata.get("labels"):
            # A job without labels has those of its template, whenever it is read.
            metadata["labels"] = dict(labels)


class AutoscalerStrategy(WorkloadStrategy):
    """Both versions of the autoscaler start with the counters their schema requires."""

    def __init__(self, status: JSONObject, *, default: Defaulter, validate: Validator) -> None:
        super().__init__(default=default, validate=validate, validate_status=counters.AUTOSCALER.check)
        self._status = status

    def initial_status(self, obj: JSONObject) -> JSONObject:
        return dict(self._status)


class DeploymentStrategy(WorkloadStrategy):
    """Annotations are copied to replica sets, so they count as spec does."""

    annotations_count = True


class DaemonSetStrategy(CountingStrategy):
    """The generation of the template, a field of versions long gone, lives on as an annotation."""

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        super().prepare_for_update(request, obj, old)
        held = (old["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION) or "1"
        same = (obj.get("spec") or {}).get("template") == (old.get("spec") or {}).get("template")
        number = held if same or not held.isdigit() else str(int(held) + 1)
        section(obj["metadata"], "annotations")[TEMPLATE_GENERATION] = number


DEPLOYMENT = DeploymentStrategy(
    default=defaults.deployment,
    validate=validation.deployment,
    validate_update=validation.selector_frozen,
    validate_status=counters.DEPLOYMENT.check,
    status_keeps=frozenset({"labels"}),
)
REPLICA_SET = CountingStrategy(
    "replicas",
    default=defaults.replica_set,
    validate=validation.replica_set,
    validate_update=validation.selector_frozen,
    validate_status=counters.REPLICA_SET.check,
)


class StatefulSetStrategy(CountingStrategy):
    """Its pods are named after it, and so are hosts."""

    name_validator = "label"


STATEFUL_SET = StatefulSetStrategy(
    "availableReplicas",
    "replicas",
    default=defaults.stateful_set,
    validate=validation.stateful_set,
    validate_update=validation.stateful_set_update,
    validate_status=counters.STATEFUL_SET.check,
)
DAEMON_SET = DaemonSetStrategy(
    "currentNumberScheduled",
    "desiredNumberScheduled",
    "numberMisscheduled",
    "numberReady",
    default=defaults.daemon_set,
    validate=validation.daemon_set,
    validate_update=validation.selector_frozen,
    validate_status=counters.DAEMON_SET.check,
)
CONTROLLER_REVISION = KindStrategy(
    default=defaults.controller_revision,
    validate=validation.controller_revision,
    validate_update=validation.controller_revision_update,
)
JOB = JobStrategy(default=defaults.job, validate=jobs.job, validate_update=jobs.job_update)
CRON_JOB = WorkloadStrategy(default=defaults.cron_job, validate=jobs.cron_job)
AUTOSCALER_V1 = AutoscalerStrategy(
    {"currentReplicas": 0, "desiredReplicas": 0}, default=defaults.autoscaler_v1, validate=autoscaling.autoscaler_v1
)
AUTOSCALER_V2 = AutoscalerStrategy(
    {"desiredReplicas": 0, "currentMetrics": None}, default=defaults.autoscaler_v2, validate=autoscaling.autoscaler
)
DISRUPTION_BUDGET = BudgetStrategy(
    "currentHealthy",
    "desiredHealthy",
    "disruptionsAllowed",
    "expectedPods",
    default=defaults.disruption_budget,
    validate=validation.disruption_budget,
    validate_status=counters.DISRUPTION_BUDGET.check,
)
