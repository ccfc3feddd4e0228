"""What a kubelet may say of a pod. Mirrors ValidatePodStatusUpdate of `pkg/apis/core/validation/validation.go`."""

import ipaddress
from typing import Any

from generic.meta import fields, names
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import addresses, common
from kubeapi.resources.validation.common import each

_KNOWN_CONDITIONS = frozenset({"PodScheduled", "Ready", "Initialized"})
_COUNTED = "must be a non-negative integer"


def pod_status(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    """What is wrong with a change of status."""
    status, before = obj.get("status") or {}, old.get("status") or {}
    found: list[FieldError] = []
    for at, condition in enumerate(each(status.get("conditions"))):
        found += _condition(condition, f"status.conditions[{at}]")
    found += _nomination(status, before, bound=bool((old.get("spec") or {}).get("nodeName")))
    if (status.get("observedGeneration") or 0) < 0:
        found.append(fields.invalid("status.observedGeneration", status["observedGeneration"], _COUNTED))
    found += common.unchanged(obj, old, "status", "qosClass")
    found += _addresses(status.get("podIPs"), before.get("podIPs"), "status.podIPs")
    host, hosts = status.get("hostIP") or "", status.get("hostIPs") or ()
    if hosts and hosts[0].get("ip") != host:
        found.append(fields.invalid("status.hostIPs[0].ip", hosts[0].get("ip") or "", "must be equal to `hostIP`"))
    return found + _addresses(hosts, before.get("hostIPs"), "status.hostIPs")


def _condition(condition: JSONObject, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    type, generation = condition.get("type") or "", condition.get("observedGeneration") or 0
    if generation < 0:
        found.append(fields.invalid(f"{path}.observedGeneration", generation, _COUNTED))
    if type not in _KNOWN_CONDITIONS:
        found += [fields.invalid(f"{path}.Type", type, why) for why in names.qualified_name(type)]
    return found


def _nomination(status: JSONObject, before: JSONObject, *, bound: bool) -> list[FieldError]:
    name, path = status.get("nominatedNodeName") or "", "status.nominatedNodeName"
    if not name or name == before.get("nominatedNodeName"):
        return []
    found = common.subdomain(name, path)
    if bound:
        found.append(fields.forbidden(path, "may not be set on pods that are already bound to a node"))
    return found


def _addresses(given: Any, before: Any, path: str) -> list[FieldError]:
    """At most one address of each family; what was there may stay, whatever it is."""
    told = [address.get("ip") or "" for address in each(given)]
    kept = {address.get("ip") for address in each(before)}
    found: list[FieldError] = []
    for at, address in enumerate(told):
        if address not in kept:
            found += addresses.ip(address, f"{path}[{at}]")
    if len(told) < 2:
        return found
    families: set[int] = set()
    for at, address in enumerate(told):
        try:
            families.add(ipaddress.ip_address(address).version)
        except ValueError:
            why = f"failed to check for dual stack with error:invalid IP[{at}]: {address}"
            found.append(FieldError("InternalError", path, detail=why))
            families.clear()
            break
    if len(families) < 2 or len(told) > 2:
        shown = [{"IP": address} for address in told]
        found.append(fields.invalid(path, shown, "may specify no more than one IP for each IP family"))
    return found
