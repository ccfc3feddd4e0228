"""IP families of a Service: filled in from what the cluster has, refused where that does not fit.

Called by `services.py` before addresses are claimed. Mirrors initIPFamilyFields of
`pkg/registry/core/service/storage/alloc.go`.
"""

import ipaddress
from collections.abc import Sequence
from typing import Any

from generic.meta import fields
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.allocation.addresses import family

HEADLESS = "None"
_OTHER = {"IPv4": "IPv6", "IPv6": "IPv4"}
_POLICY = "spec.ipFamilyPolicy"


def fill(spec: JSONObject, before: JSONObject | None, configured: Sequence[str]) -> list[FieldError]:
    """Complete ipFamilyPolicy and ipFamilies; `configured` are the cluster's families, the default one first."""
    if spec.get("type") == "ExternalName" or _stays_as_it_is(spec, before):
        return []
    selectorless = is_headless(spec) and not spec.get("selector")
    if not spec.get("ipFamilyPolicy"):
        spec["ipFamilyPolicy"] = (before or {}).get("ipFamilyPolicy") or (
            "RequireDualStack" if selectorless else "SingleStack"
        )
    problems = _downgrade(spec, before) if before is not None else []
    problems += _single_stack(spec)
    problems += _infer(spec, configured)
    if problems:
        return problems
    if selectorless:
        # Without a selector somebody else writes the endpoints, of whatever family.
        families = spec.get("ipFamilies") or [configured[0]]
        if len(families) < 2 and spec["ipFamilyPolicy"] != "SingleStack":
            families = [families[0], _OTHER[families[0]]]
        spec["ipFamilies"] = families
        return []
    return _complete(spec, configured)


def is_headless(spec: JSONObject) -> bool:
    return bool(spec.get("clusterIP") == HEADLESS or (spec.get("clusterIPs") or [None])[0] == HEADLESS)


def family_of(address: Any) -> str:
    """The family of an address; empty for what is none."""
    try:
        return family(ipaddress.ip_address(address))
    except ValueError:
        return ""


def _stays_as_it_is(spec: JSONObject, before: JSONObject | None) -> bool:
    """A Service that prefers two stacks is not moved to what the cluster has since become."""
    return (
        before is not None
        and before.get("type") == spec.get("type")
        and spec.get("ipFamilyPolicy") == before.get("ipFamilyPolicy") == "PreferDualStack"
        and all((spec.get(key) or []) == (before.get(key) or []) for key in ("clusterIPs", "ipFamilies"))
    )


def _downgrade(spec: JSONObject, before: JSONObject) -> list[FieldError]:
    problems = []
    for key, what in (("clusterIPs", "cluster IP"), ("ipFamilies", "IP family")):
        now, was = spec.get(key) or [], before.get(key) or []
        if spec["ipFamilyPolicy"] == "SingleStack":
            if now == was and len(now) > 1:
                # To say one stack, and nothing else, is to let the second go.
                spec[key] = now[:1]
        elif now and len(now) < len(was):
            why = f"must be 'SingleStack' to release the secondary {what}"
            problems.append(fields.invalid(_POLICY, spec["ipFamilyPolicy"], why))
    return problems


def _single_stack(spec: JSONObject) -> list[FieldError]:
    if spec["ipFamilyPolicy"] != "SingleStack":
        return []
    return [
        fields.invalid(
            _POLICY,
            spec["ipFamilyPolicy"],
            f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified",
        )
        for key, what in (("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families"))
        if len(spec.get(key) or ()) == 2
    ]


def _infer(spec: JSONObject, configured: Sequence[str]) -> list[FieldError]:
    """Each address somebody asked for says its family."""
    problems, families, addresses = [], list(spec.get("ipFamilies") or ()), spec.get("clusterIPs") or []
    for at, address in enumerate(addresses):
        if address == HEADLESS:
            break
        if at < len(families):
            continue
        found = family_of(address)
        if found in configured:
            families.append(found)
        else:
            why = f"{found} is not configured on this cluster"
            problems.append(fields.invalid(f"spec.clusterIPs[{at}]", addresses, why))
    if families:
        spec["ipFamilies"] = families
    return problems


def _complete(spec: JSONObject, configured: Sequence[str]) -> list[FieldError]:
    policy, problems = spec["ipFamilyPolicy"], []
    if policy == "RequireDualStack" and len(configured) < 2:
        problems.append(fields.invalid(_POLICY, policy, "this cluster is not configured for dual-stack services"))
    families = spec.get("ipFamilies") or [configured[0]]
    for at, found in enumerate(families):
        if found not in configured:
            problems.append(fields.invalid(f"spec.ipFamilies[{at}]", found, "not configured on this cluster"))
    if problems:
        return problems
    if policy != "SingleStack" and len(families) == 1 and len(configured) == 2:
        families = [families[0], _OTHER[families[0]]]
    spec["ipFamilies"] = families
    return []
