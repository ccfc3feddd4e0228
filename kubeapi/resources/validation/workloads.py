"""Validation of apps, batch, autoscaling and policy. Mirrors `pkg/apis/{apps,batch,autoscaling,policy}/validation`."""

import re
from typing import Any

from generic.meta import fields, names, validation
from generic.meta.fields import FieldError
from generic.meta.selectors import LabelSelector
from generic.types import JSONObject
from kubeapi.resources.validation import common, core, pods
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
_CRON_NAME_LIMIT = 52
_is_percent = re.compile(r"[0-9]+%").fullmatch


def deployment(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    counters = ("replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
    found = common.not_negative(spec, counters, "spec")
    found += _selector_and_template(spec, "deployment")
    found += _deployment_strategy(spec.get("strategy") or {}, "spec.strategy")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and 0 <= deadline <= (spec.get("minReadySeconds") or 0):
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
    strategy = (spec.get("updateStrategy") or {}).get("type")
    return found + common.supported(strategy, "spec.updateStrategy", ("OnDelete", "RollingUpdate"))


def stateful_set(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    found = common.not_negative(spec, ("replicas", "minReadySeconds", "revisionHistoryLimit"), "spec")
    policy = spec.get("podManagementPolicy")
    found += common.supported(policy, "spec.podManagementPolicy", ("OrderedReady", "Parallel"))
    strategy = (spec.get("updateStrategy") or {}).get("type")
    found += common.supported(strategy, "spec.updateStrategy", ("OnDelete", "RollingUpdate"))
    for at, claim in enumerate(each(spec.get("volumeClaimTemplates"))):
        found += core.claim_spec(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{at}].spec")
    return found + _selector_and_template(_with_claims(spec), "statefulset")


def _with_claims(spec: JSONObject) -> JSONObject:
    """The spec with its claims as volumes of the template, as its pods will have them: containers mount them."""
    template = spec.get("template")
    claims = [(claim.get("metadata") or {}).get("name") for claim in each(spec.get("volumeClaimTemplates"))]
    if not claims or template is None:
        return spec
    pod = template.get("spec") or {}
    volumes = [volume for volume in each(pod.get("volumes")) if volume.get("name") not in claims]
    volumes += [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    return {**spec, "template": {**template, "spec": {**pod, "volumes": volumes}}}


def stateful_set_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    new = {key: value for key, value in (obj.get("spec") or {}).items() if key not in _STATEFUL_FREE}
    before = {key: value for key, value in (old.get("spec") or {}).items() if key not in _STATEFUL_FREE}
    return [] if new == before else [fields.forbidden("spec", _STATEFUL_MUTABLE)]


def controller_revision(obj: JSONObject) -> list[FieldError]:
    found = common.not_negative(obj, ("revision",), "")
    return [fields.invalid("revision", e.value, e.detail) for e in found]


def controller_revision_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    return common.unchanged(obj, old, "data")


def _selector_and_template(spec: JSONObject, kind: str) -> list[FieldError]:
    selector, template = spec.get("selector"), spec.get("template")
    found = validation.label_selector(selector, "spec.selector")
    if selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions"):
        found.append(fields.invalid("spec.selector", selector, f"empty selector is invalid for {kind}"))
    elif selector is not None and template is not None and not found:
        labels = (template.get("metadata") or {}).get("labels") or {}
        if not LabelSelector.from_object(selector).matches(labels):
            found.append(fields.invalid("spec.template.metadata.labels", labels, _MISMATCH))
    found += pods.template(template, "spec.template")
    return found + (core.restart_always(template, "spec.template") if template is not None else [])


def _deployment_strategy(strategy: JSONObject, path: str) -> list[FieldError]:
    type, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if type == "Recreate":
        why = "may not be specified when strategy `type` is 'Recreate'"
        return [fields.forbidden(f"{path}.rollingUpdate", why)] if rolling is not None else []
    if type != "RollingUpdate":
        return common.supported(type, path, ("Recreate", "RollingUpdate"))
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


def job(obj: JSONObject) -> list[FieldError]:
    return job_spec(obj.get("spec") or {}, "spec")


def job_spec(spec: JSONObject, path: str) -> list[FieldError]:
    """A job's spec, also in a cron job's template."""
    counters = (
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
    )
    found = common.not_negative(spec, counters, path)
    found += common.supported(spec.get("completionMode"), f"{path}.completionMode", ("Indexed", "NonIndexed"))
    if spec.get("completionMode") == "Indexed" and spec.get("completions") is None:
        why = "when completion mode is Indexed"
        found.append(fields.required(f"{path}.completions", why))
    template = spec.get("template")
    if template is None:
        return found
    found += pods.template(template, f"{path}.template")
    policy = (template.get("spec") or {}).get("restartPolicy")
    if policy in ("Always", "", None):
        why = 'valid values: "OnFailure", "Never"'
        found.append(fields.required(f"{path}.template.spec.restartPolicy", why))
    elif policy not in ("OnFailure", "Never"):
        found.append(fields.not_supported(f"{path}.template.spec.restartPolicy", policy, ("OnFailure", "Never")))
    return found


def job_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    found = []
    if not _elastic(obj, old):
        found += common.unchanged(obj, old, "spec", "completions")
    found += common.unchanged(obj, old, "spec", "selector")
    if not (old.get("spec") or {}).get("suspend") or (old.get("status") or {}).get("startTime"):
        # A job that waits to start may still be told where to run.
        found += common.unchanged(obj, old, "spec", "template")
    return [*found, *common.unchanged(obj, old, "spec", "completionMode")]


def _elastic(obj: JSONObject, old: JSONObject) -> bool:
    """An indexed job may grow and shrink, completions and parallelism together."""
    new, before = obj.get("spec") or {}, old.get("spec") or {}
    if new.get("completionMode") != "Indexed" or before.get("completions") is None:
        return False
    return bool(
        new.get("completions") == new.get("parallelism") and before.get("completions") == before.get("parallelism")
    )


def cron_job(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    found: list[FieldError] = []
    name = obj["metadata"].get("name") or ""
    if len(name) > _CRON_NAME_LIMIT:
        # The names of its jobs get eleven more characters.
        found.append(fields.invalid("metadata.name", name, "must be no more than 52 characters"))
    schedule = spec.get("schedule")
    if schedule == "":
        found.append(fields.required("spec.schedule"))
    elif schedule is not None and not _is_schedule(schedule):
        why = f"expected exactly 5 fields, found {len(schedule.split())}: {schedule.split()}"
        found.append(fields.invalid("spec.schedule", schedule, why))
    policies = ("Allow", "Forbid", "Replace")
    found += common.supported(spec.get("concurrencyPolicy"), "spec.concurrencyPolicy", policies, required=True)
    counters = ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")
    found += common.not_negative(spec, counters, "spec")
    template = (spec.get("jobTemplate") or {}).get("spec")
    return found + (job_spec(template, "spec.jobTemplate.spec") if template else [])


def _is_schedule(text: str) -> bool:
    if text.startswith("@"):
        known = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
        return text in known or text.startswith("@every ")
    return len(text.split()) == 5


def autoscaler(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    found: list[FieldError] = []
    low, high = spec.get("minReplicas"), spec.get("maxReplicas")
    if low is not None and low < 1:
        found.append(fields.invalid("spec.minReplicas", low, "must be greater than or equal to 1"))
    if high is not None and high < 1:
        found.append(fields.invalid("spec.maxReplicas", high, "must be greater than 0"))
    elif high is not None and low is not None and high < low:
        why = "must be greater than or equal to `minReplicas`"
        found.append(fields.invalid("spec.maxReplicas", high, why))
    target = spec.get("scaleTargetRef") or {}
    for key in ("kind", "name"):
        if target.get(key) == "":
            found.append(fields.required(f"spec.scaleTargetRef.{key}"))
    return found


def disruption_budget(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    found: list[FieldError] = []
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        why = "minAvailable and maxUnavailable cannot be both set"
        found.append(fields.invalid("spec", spec, why))
    for key in ("minAvailable", "maxUnavailable"):
        found += _int_or_percent(spec.get(key), f"spec.{key}")
    policies = ("AlwaysAllow", "IfHealthyBudget")
    found += common.supported(spec.get("unhealthyPodEvictionPolicy"), "spec.unhealthyPodEvictionPolicy", policies)
    return found + validation.label_selector(spec.get("selector"), "spec.selector")
