"""Amounts against the items of a LimitRange, in the words of Kubernetes. Called by `limit_ranger.py`."""

from collections.abc import Iterable

from generic.meta.quantity import Quantity
from generic.types import JSONObject
from kubeapi.quota import amounts, totals
from kubeapi.quota.amounts import Amounts

MOST_COMPARISONS = 200_000
"""Of containers with items and their amounts. Real ones take hundreds, but a namespace may hold limits for billions."""


def are_too_many(spec: JSONObject, items: Iterable[JSONObject]) -> bool:
    """Whether the pod and the items are such that comparing them would keep the server from everything else."""
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    asked = sum(_size(container.get("resources") or {}) for container in containers)
    return sum(_size(item) * len(containers) + asked for item in items) > MOST_COMPARISONS


def _size(amounts: JSONObject) -> int:
    """How many amounts an object of groups of them holds, itself counted."""
    return 1 + sum(len(group) for group in amounts.values() if isinstance(group, dict))


def of_pod(spec: JSONObject, items: Iterable[JSONObject]) -> list[str]:
    """What is wrong with a pod."""
    containers, starting = spec.get("containers") or (), spec.get("initContainers") or ()
    found = []
    for item in items:
        type = item.get("type")
        if type == "Container":
            for container in (*containers, *starting):
                found += _problems(item, _of(container, "requests"), _of(container, "limits"))
        elif type == "Pod":
            found += _problems(item, _total(spec, "requests"), _total(spec, "limits"))
    return found


def of_claim(spec: JSONObject, items: Iterable[JSONObject]) -> list[str]:
    """What is wrong with a claim, which asks for storage and knows no limit."""
    requests = _of(spec, "requests")
    found = []
    for item in items:
        if item.get("type") != "PersistentVolumeClaim":
            continue
        for name, least in amounts.of(item.get("min")).items():
            found += _least(f"{name} usage per PersistentVolumeClaim is {least}", least, requests.get(name), None)
        for name, most in amounts.of(item.get("max")).items():
            what, asked = f"maximum {name} usage per PersistentVolumeClaim is {most}", requests.get(name)
            if asked is None:
                found.append(f"{what}.  No request is specified")
            elif asked > most:
                found.append(f"{what}, but request is {asked}")
    return found


def _problems(item: JSONObject, requests: Amounts, limits: Amounts) -> list[str]:
    type, found = item["type"], []
    for name, least in amounts.of(item.get("min")).items():
        found += _least(f"{name} usage per {type} is {least}", least, requests.get(name), limits.get(name))
    for name, most in amounts.of(item.get("max")).items():
        found += _most(f"{name} usage per {type} is {most}", most, requests.get(name), limits.get(name))
    for name, ratio in amounts.of(item.get("maxLimitRequestRatio")).items():
        what = f"{name} max limit to request ratio per {type} is {ratio}"
        found += _ratio(what, ratio, requests.get(name), limits.get(name))
    return found


def _least(what: str, least: Quantity, request: Quantity | None, limit: Quantity | None) -> list[str]:
    if request is None:
        return [f"minimum {what}.  No request is specified"]
    if request < least:
        return [f"minimum {what}, but request is {request}"]
    if limit is not None and limit < least:
        return [f"minimum {what}, but limit is {limit}"]
    return []


def _most(what: str, most: Quantity, request: Quantity | None, limit: Quantity | None) -> list[str]:
    if limit is None:
        return [f"maximum {what}.  No limit is specified"]
    if limit > most:
        return [f"maximum {what}, but limit is {limit}"]
    if request is not None and request > most:
        return [f"maximum {what}, but request is {request}"]
    return []


def _ratio(what: str, most: Quantity, request: Quantity | None, limit: Quantity | None) -> list[str]:
    if request is None or not request.nanos:
        return [f"{what}, but no request is specified or request is 0"]
    if limit is None or not limit.nanos:
        return [f"{what}, but no limit is specified or limit is 0"]
    ratio = limit.nanos / request.nanos
    return [f"{what}, but provided ratio is {ratio:f}"] if ratio > most.nanos / 10**9 else []


def _of(container: JSONObject, key: str) -> Amounts:
    return amounts.of((container.get("resources") or {}).get(key))


def _total(spec: JSONObject, key: str) -> Amounts:
    return totals.of_containers(spec, lambda container: _of(container, key))
