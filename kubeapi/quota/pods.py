"""What pods use of a quota. Mirrors `pkg/quota/v1/evaluator/core/pods.go`."""

from collections.abc import Iterable
from datetime import timedelta

from generic.admission.interface import Attributes
from generic.meta import time as meta_time
from generic.meta.gvk import GroupResource
from generic.types import JSONObject
from kubeapi.quota import amounts, totals
from kubeapi.quota.amounts import Amounts
from kubeapi.quota.scopes import Requirement

_COUNT = "count/pods"
_COMPUTED = ("cpu", "memory", "ephemeral-storage")
_HUGE_PAGES = "hugepages-"
_DEVICE_CLASS = "deviceclass.resource.kubernetes.io/"

_NAMES = frozenset((
    _COUNT,
    "pods",
    *_COMPUTED,
    *(f"{kind}.{name}" for kind in ("requests", "limits") for name in _COMPUTED),
))
_MUST_BE_SAID = frozenset(("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"))
"""By each container, if a quota limits it. Kubernetes calls it a mistake that is not to be repeated."""


class Pods:
    """While they run, what they ask for; beyond that, `count/pods`."""

    resource = GroupResource("", "pods")

    def handles(self, attributes: Attributes) -> bool:
        if attributes.subresource == "resize":
            return attributes.operation == "UPDATE"
        if attributes.subresource or attributes.operation == "CREATE":
            return not attributes.subresource
        if attributes.operation != "UPDATE":
            return False
        return _is_terminating(attributes.object or {}) != _is_terminating(attributes.old_object or {})

    def matching(self, names: Iterable[str]) -> list[str]:
        return [
            name
            for name in names
            if name in _NAMES or name.startswith((_HUGE_PAGES, f"requests.{_HUGE_PAGES}")) or _is_extended(name)
        ]

    def matches_scope(self, scope: Requirement, obj: JSONObject) -> bool:
        spec = obj.get("spec") or {}
        match scope.scope:
            case "Terminating":
                return _is_terminating(obj)
            case "NotTerminating":
                return not _is_terminating(obj)
            case "BestEffort":
                return _is_best_effort(obj)
            case "NotBestEffort":
                return not _is_best_effort(obj)
            case "PriorityClass":
                name = spec.get("priorityClassName") or ""
                return scope.accepts((name,) if name else ())
            case "CrossNamespacePodAffinity":
                return _crosses_namespaces(spec)
        return False

    def missing(self, required: Iterable[str], obj: JSONObject) -> str:
        spec, required = obj["spec"], _MUST_BE_SAID.intersection(required)
        if not required or totals.sets_pod_level(spec):
            return ""
        silent: dict[str, set[str]] = {}
        for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
            resources = container.get("resources") or {}
            said = _charge(amounts.of(resources.get("requests")), amounts.of(resources.get("limits")))
            for name in required - said.keys():
                silent.setdefault(name, set()).add(container["name"])
        if not silent:
            return ""
        return "must specify " + "; ".join(f"{name} for: {','.join(sorted(silent[name]))}" for name in sorted(silent))

    def usage(self, obj: JSONObject) -> Amounts:
        used = {_COUNT: amounts.ONE}
        return amounts.add(used, _charge(totals.requests(obj), totals.limits(obj))) if _counts(obj) else used


def _charge(requests: Amounts, limits: Amounts) -> Amounts:
    """By the names quotas have for them."""
    used: Amounts = {"pods": amounts.ONE}
    for name in _COMPUTED:
        if name in requests:
            used[name] = used[f"requests.{name}"] = requests[name]
        if name in limits:
            used[f"limits.{name}"] = limits[name]
    for name, amount in requests.items():
        if name.startswith(_HUGE_PAGES):
            used[name] = used[f"requests.{name}"] = amount
        elif _is_foreign(name):
            used[f"requests.{name}"] = amount
    return used


def _is_foreign(name: str) -> bool:
    """An extended resource: of somebody else's domain, or devices of a class."""
    return name.startswith(_DEVICE_CLASS) or ("/" in name and "kubernetes.io/" not in name)


def _is_extended(name: str) -> bool:
    return name.startswith("requests.") and (_is_foreign(name) or name.startswith(f"requests.{_DEVICE_CLASS}"))


def _is_terminating(pod: JSONObject) -> bool:
    """Whether it is not to run for ever: nothing to do with deletion."""
    seconds = (pod.get("spec") or {}).get("activeDeadlineSeconds")
    return seconds is not None and seconds >= 0


def _is_best_effort(pod: JSONObject) -> bool:
    return bool((pod.get("status") or {}).get("qosClass") == "BestEffort")


def _crosses_namespaces(spec: JSONObject) -> bool:
    affinity = spec.get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        found = affinity.get(kind) or {}
        terms = [
            *(found.get("requiredDuringSchedulingIgnoredDuringExecution") or ()),
            *(
                weighted.get("podAffinityTerm") or {}
                for weighted in found.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
            ),
        ]
        if any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms):
            return True
    return False


def _counts(pod: JSONObject) -> bool:
    """Whether it has neither ended nor outlived its grace period, as on a node that is lost."""
    if (pod.get("status") or {}).get("phase") in ("Failed", "Succeeded"):
        return False
    deleted, grace = (pod["metadata"].get(key) for key in ("deletionTimestamp", "deletionGracePeriodSeconds"))
    if deleted is None or grace is None:
        return True
    return bool(meta_time.utcnow() <= meta_time.parse(deleted) + timedelta(seconds=grace))
