"""Validation of jobs and cron jobs. Mirrors `pkg/apis/batch/validation/validation.go`."""

import zoneinfo
from collections.abc import Iterable

from generic.meta import fields, names, validation
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import common, pods
from kubeapi.resources.validation.common import each

_CRON_NAME_LIMIT = 52
_COUNTERS = (
    "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
    "backoffLimitPerIndex", "maxFailedIndexes",
)  # fmt: skip
_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_STATUSES = ("False", "True", "Unknown")
_REPLACEMENTS = ("Failed", "TerminatingOrFailed")


def job(obj: JSONObject) -> list[FieldError]:
    return job_spec(obj.get("spec") or {}, "spec")


def new_job(obj: JSONObject) -> list[FieldError]:
    """A new job's name has to leave room for the indexes of its pods, and make a label of them."""
    spec, name = obj.get("spec") or {}, obj["metadata"].get("name") or ""
    found: list[FieldError] = []
    if not spec.get("manualSelector"):
        # The label that its pods get by themselves, under an old and a new key.
        problems = names.label_value(name)
        found += [fields.invalid("spec.template.labels", name, why) for why in problems for _ in range(2)]
    completions = spec.get("completions")
    if spec.get("completionMode") == "Indexed" and completions is not None and completions > 0:
        last = f"{name}-{completions - 1}"
        if names.dns1123_label(last):
            why = f"will not able to create pod with invalid DNS label: {last}"
            found.append(fields.invalid("metadata.name", name, why))
    return found


def job_spec(spec: JSONObject, path: str) -> list[FieldError]:
    """A job's spec, also in a cron job's template."""
    found = common.not_negative(spec, _COUNTERS, path) + _indexed(spec, path)
    if spec.get("podFailurePolicy") is not None:
        found += _failure_policy(spec, f"{path}.podFailurePolicy")
    if spec.get("successPolicy") is not None:
        found += _success_policy(spec, f"{path}.successPolicy")
    replacement = spec.get("podReplacementPolicy")
    if replacement is not None:
        known = _REPLACEMENTS if spec.get("podFailurePolicy") is None else ("Failed",)
        found += common.among(replacement, f"{path}.podReplacementPolicy", known)
    template = spec.get("template") or {}
    return found + pods.template(template, f"{path}.template") + _restart_policy(spec, template, path)


def _indexed(spec: JSONObject, path: str) -> list[FieldError]:
    mode, completions, failed = spec.get("completionMode"), spec.get("completions"), spec.get("maxFailedIndexes")
    found: list[FieldError] = []
    if failed is not None and spec.get("backoffLimitPerIndex") is None:
        found.append(fields.required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified"))
    if mode is not None:
        found += common.among(mode, f"{path}.completionMode", ("NonIndexed", "Indexed"))
    if mode == "Indexed":
        if completions is None:
            found.append(fields.required(f"{path}.completions", "when completion mode is Indexed"))
            return found
        if failed is not None and failed > completions:
            why = "must be less than or equal to completions"
            found.append(fields.invalid(f"{path}.maxFailedIndexes", failed, why))
    elif mode in (None, "NonIndexed"):
        for key in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(key) is not None:
                found.append(fields.invalid(f"{path}.{key}", spec[key], "requires indexed completion mode"))
    return found


def _restart_policy(spec: JSONObject, template: JSONObject, path: str) -> list[FieldError]:
    policy, here = (template.get("spec") or {}).get("restartPolicy"), f"{path}.template.spec.restartPolicy"
    if policy in ("Always", "", None):
        return [fields.required(here, 'valid values: "OnFailure", "Never"')]
    if policy == "OnFailure" and spec.get("podFailurePolicy") is not None:
        return [fields.invalid(here, policy, 'only "Never" is supported when podFailurePolicy is specified')]
    return common.among(policy, here, ("OnFailure", "Never"))


def _valid(values: Iterable[str]) -> str:
    return "valid values: [" + " ".join(f'"{value}"' for value in values) + "]"


def _failure_policy(spec: JSONObject, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    pod = (spec.get("template") or {}).get("spec") or {}
    known = {c.get("name") for key in ("containers", "initContainers") for c in each(pod.get(key))}
    for at, rule in enumerate(each(spec["podFailurePolicy"].get("rules"))):
        here, action = f"{path}.rules[{at}]", rule.get("action") or ""
        if not action:
            found.append(fields.required(f"{here}.action", _valid(_ACTIONS)))
        elif action == "FailIndex":
            if spec.get("backoffLimitPerIndex") is None:
                why = "requires the backoffLimitPerIndex to be set"
                found.append(fields.invalid(f"{here}.action", action, why))
        else:
            found += common.among(action, f"{here}.action", _ACTIONS)
        codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or []
        if codes is not None:
            found += _exit_codes(codes, f"{here}.onExitCodes", known)
        for index, pattern in enumerate(conditions):
            found += _condition(pattern, f"{here}.onPodConditions[{index}]")
        if codes is not None and conditions:
            why = "specifying both OnExitCodes and OnPodConditions is not supported"
            found.append(fields.invalid(here, fields.OMITTED, why))
        if codes is None and not conditions:
            why = "specifying one of OnExitCodes and OnPodConditions is required"
            found.append(fields.invalid(here, fields.OMITTED, why))
    return found


def _condition(pattern: JSONObject, path: str) -> list[FieldError]:
    found, status = validation.label_name(pattern.get("type") or "", f"{path}.type"), pattern.get("status") or ""
    if not status:
        return [*found, fields.required(f"{path}.status", _valid(_STATUSES))]
    return found + common.among(status, f"{path}.status", _STATUSES)


def _exit_codes(codes: JSONObject, path: str, known: set[object]) -> list[FieldError]:
    operator, container, values = codes.get("operator") or "", codes.get("containerName"), codes.get("values")
    if operator:
        found = common.among(operator, f"{path}.operator", ("In", "NotIn"))
    else:
        found = [fields.required(f"{path}.operator", _valid(("In", "NotIn")))]
    if container is not None and container not in known:
        why = "must be one of the container or initContainer names in the pod template"
        found.append(fields.invalid(f"{path}.containerName", container, why))
    if not values:
        return [*found, fields.invalid(f"{path}.values", values, "at least one value is required")]
    seen: set[int] = set()
    for at, value in enumerate(values):
        if operator == "In" and value == 0:
            found.append(fields.invalid(f"{path}.values[{at}]", value, "must not be 0 for the In operator"))
        if value in seen:
            found.append(fields.duplicate(f"{path}.values[{at}]", value))
        seen.add(value)
    if values != sorted(values):
        found.append(fields.invalid(f"{path}.values", values, "must be ordered"))
    return found


def _success_policy(spec: JSONObject, path: str) -> list[FieldError]:
    policy = spec["successPolicy"]
    if spec.get("completionMode") != "Indexed":
        return [fields.invalid(path, policy, "requires indexed completion mode")]
    found: list[FieldError] = []
    if not policy.get("rules"):
        why = "at least one rules must be specified when the successPolicy is specified"
        found.append(fields.required(f"{path}.rules", why))
    for at, rule in enumerate(each(policy.get("rules"))):
        found += _success_rule(rule, f"{path}.rules[{at}]", spec.get("completions") or 0)
    return found


def _success_rule(rule: JSONObject, path: str, completions: int) -> list[FieldError]:
    count, indexes, total = rule.get("succeededCount"), rule.get("succeededIndexes"), 0
    found: list[FieldError] = []
    if count is None and indexes is None:
        why = "at least one of succeededCount or succeededIndexes must be specified"
        found.append(fields.required(path, why))
    if indexes is not None:
        try:
            total = _count(indexes, completions)
        except ValueError as error:
            why = f"error parsing succeededIndexes: {error}"
            found.append(fields.invalid(f"{path}.succeededIndexes", indexes, why))
    if count is not None:
        here = f"{path}.succeededCount"
        found += validation.nonnegative(count, here)
        if count > completions:
            why = f"must be less than or equal to {completions} (the number of specified completions)"
            found.append(fields.invalid(here, count, why))
        if indexes is not None and count > total:
            why = (
                f"must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
            )
            found.append(fields.invalid(here, count, why))
    return found


def _count(text: str, completions: int) -> int:
    """How many indexes a list such as `1,3-5` names. Raises ValueError, in Kubernetes' words."""
    if not text:
        return 0
    total, last = 0, -1
    for part in text.split(","):
        first, dash, end = part.partition("-")
        bounds = [_index(number, completions) for number in ((first, end) if dash else (first,))]
        if bounds[0] <= last:
            raise ValueError(f"non-increasing order, previous: {last}, current: {bounds[0]}")
        if bounds[-1] <= bounds[0] and dash:
            raise ValueError(f"non-increasing order, previous: {bounds[0]}, current: {bounds[-1]}")
        total += bounds[-1] - bounds[0] + 1
        last = bounds[-1]
    return total


def _index(text: str, completions: int) -> int:
    if not text.isdigit():
        raise ValueError(f'cannot convert string to integer for index: "{text}"')
    if int(text) >= completions:
        raise ValueError(f'too large index: "{text}"')
    return int(text)


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
    if spec.get("jobTemplate") is not None:
        template = spec["jobTemplate"].get("spec") or {}
        if template.get("manualSelector"):
            shown = ("nil", "false")
            found.append(
                fields.not_supported("spec.jobTemplate.spec.manualSelector", template["manualSelector"], shown)
            )
        found += job_spec(template, "spec.jobTemplate.spec")
    schedule = spec.get("schedule") or ""
    if not schedule:
        found.append(fields.required("spec.schedule"))
    elif not _is_schedule(schedule):
        parts = schedule.split()
        why = f"expected exactly 5 fields, found {len(parts)}: [{' '.join(parts)}]"
        found.append(fields.invalid("spec.schedule", schedule, why))
    deadline = "startingDeadlineSeconds"
    found += common.not_negative(spec, (deadline,), "spec")
    policies = ("Allow", "Forbid", "Replace")
    found += common.required_among(spec.get("concurrencyPolicy"), "spec.concurrencyPolicy", policies)
    found += common.not_negative(spec, ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"), "spec")
    found += _time_zone(spec.get("timeZone"), "spec.timeZone")
    name = obj["metadata"].get("name") or ""
    if len(name) > _CRON_NAME_LIMIT:
        # The names of its jobs get eleven more characters.
        found.append(fields.invalid("metadata.name", name, "must be no more than 52 characters"))
    return found


def _time_zone(zone: str | None, path: str) -> list[FieldError]:
    if zone is None:
        return []
    if not zone:
        return [fields.invalid(path, zone, "timeZone must be nil or non-empty string")]
    if zone.lower() == "local":
        return [fields.invalid(path, zone, "timeZone must be an explicit time zone as defined in tz database")]
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return [fields.invalid(path, zone, f"unknown time zone {zone}")]
    return []


def _is_schedule(text: str) -> bool:
    if text.startswith("@"):
        known = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
        return text in known or text.startswith("@every ")
    return len(text.split()) == 5
