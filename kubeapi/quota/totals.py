"""What the containers of a pod come to together. For quotas and for the limits of pods.

Mirrors `k8s.io/component-helpers/resource/helpers.go`.
"""

from collections.abc import Callable, Mapping

from generic.meta.quantity import Quantity
from generic.types import JSONObject
from kubeapi.quota import amounts
from kubeapi.quota.amounts import Amounts

_POD_LEVEL = ("cpu", "memory")
_HUGE_PAGES = "hugepages-"


def of_containers(spec: JSONObject, amounts_of: Callable[[JSONObject], Mapping[str, Quantity]]) -> Amounts:
    """Main containers run beside each other; those that come before them one by one, unless they go on running."""
    beside: Amounts = {}
    for container in spec.get("containers") or ():
        beside = amounts.add(beside, amounts_of(container))
    running: Amounts = {}
    peak: Amounts = {}
    for container in spec.get("initContainers") or ():
        asked = amounts.add(running, amounts_of(container))
        if container.get("restartPolicy") == "Always":
            running = asked
        peak = largest(peak, asked)
    return largest(amounts.add(beside, running), peak)


def largest(one: Mapping[str, Quantity], other: Mapping[str, Quantity]) -> Amounts:
    """The larger of each, of the names of both."""
    return {**one, **{name: max(one[name], amount) if name in one else amount for name, amount in other.items()}}


def requests(pod: JSONObject) -> Amounts:
    """What the pod asks for: by its spec, or what it has been given already if that is more."""
    spec, statuses = pod["spec"], _statuses(pod)
    infeasible = _is_infeasible(pod)

    def allocated(container: JSONObject) -> Amounts:
        held = (statuses.get(container["name"]) or {}).get("allocatedResources")
        if held is not None:
            return amounts.of(held)
        return {} if infeasible else _of(container, "requests")

    def actuated(container: JSONObject) -> Amounts:
        held = ((statuses.get(container["name"]) or {}).get("resources") or {}).get("requests")
        return amounts.of(held) if held is not None else allocated(container)

    found = largest(of_containers(spec, allocated), of_containers(spec, actuated)) if statuses else {}
    if not (infeasible and statuses):
        found = largest(of_containers(spec, lambda container: _of(container, "requests")), found)
    found |= _of_pod(spec, "requests")
    return amounts.add(found, amounts.of(spec.get("overhead")))


def limits(pod: JSONObject) -> Amounts:
    """What the pod is allowed at most; the overhead raises limits that there are."""
    spec, statuses = pod["spec"], _statuses(pod)
    infeasible = _is_infeasible(pod)

    def actuated(container: JSONObject) -> Amounts:
        held = ((statuses.get(container["name"]) or {}).get("resources") or {}).get("limits")
        if held is not None:
            return amounts.of(held)
        return {} if infeasible else _of(container, "limits")

    found = of_containers(spec, actuated) if statuses else {}
    if not (infeasible and statuses):
        found = largest(of_containers(spec, lambda container: _of(container, "limits")), found)
    found |= _of_pod(spec, "limits")
    overhead = amounts.of(spec.get("overhead"))
    return amounts.add(
        found, {name: amount for name, amount in overhead.items() if found.get(name, amounts.ZERO).nanos}
    )


def sets_pod_level(spec: JSONObject) -> bool:
    """Whether the pod says for itself what it needs, whatever its containers do."""
    return any(_of_pod(spec, key) for key in ("requests", "limits"))


def _of_pod(spec: JSONObject, key: str) -> Amounts:
    given = amounts.of((spec.get("resources") or {}).get(key))
    return {name: amount for name, amount in given.items() if name in _POD_LEVEL or name.startswith(_HUGE_PAGES)}


def _of(container: JSONObject, key: str) -> Amounts:
    return amounts.of((container.get("resources") or {}).get(key))


def _statuses(pod: JSONObject) -> dict[str, JSONObject]:
    status = pod.get("status") or {}
    named = (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ()))
    return {found["name"]: found for found in named}


def _is_infeasible(pod: JSONObject) -> bool:
    """Whether what the spec asks for cannot be had, so that it does not count."""
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "PodResizePending":
            return bool(condition.get("reason") == "Infeasible")
    return False
