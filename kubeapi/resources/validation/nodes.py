"""Validation of nodes and namespaces. Mirrors ValidateNode and ValidateNamespace of
`pkg/apis/core/validation/validation.go`."""

import ipaddress

from generic.meta import fields, names, validation
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import addresses, common, scheduling
from kubeapi.resources.validation.common import each

_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")


def node(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    found = _taints(spec)
    cidrs = spec.get("podCIDRs") or []
    for at, cidr in enumerate(cidrs):
        found += addresses.cidr(str(cidr), f"spec.podCIDRs[{at}]")
    if len(cidrs) > 1 and not any(addresses.cidr(str(cidr), "") for cidr in cidrs):
        families = {ipaddress.ip_network(cidr, strict=False).version for cidr in cidrs}
        if len(cidrs) > 2 or len(families) < len(cidrs):
            why = "may specify no more than one CIDR for each IP family"
            found.append(fields.invalid("spec.podCIDRs", cidrs, why))
    return found


def node_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    """The network of its pods and its provider's name for it are given once."""
    now, before = obj.get("spec") or {}, old.get("spec") or {}
    found: list[FieldError] = []
    if before.get("podCIDRs") and now.get("podCIDRs") != before["podCIDRs"]:
        why = 'node updates may not change podCIDR except from "" to valid'
        found.append(fields.forbidden("spec.podCIDRs", why))
    if before.get("providerID") and now.get("providerID") != before["providerID"]:
        why = "field cannot be modified once set" if now.get("providerID") else "field cannot be cleared once set"
        found.append(fields.invalid("spec.providerID", None, why))
    return found


def _taints(spec: JSONObject) -> list[FieldError]:
    found: list[FieldError] = []
    seen: set[tuple[str, str]] = set()
    for at, taint in enumerate(each(spec.get("taints"))):
        # They were annotations once, and are told as part of the metadata.
        path, key, effect = f"metadata.taints[{at}]", taint.get("key") or "", taint.get("effect") or ""
        found += validation.label_name(key, f"{path}.key")
        value = taint.get("value") or ""
        found += [fields.invalid(f"{path}.value", value, why) for why in names.label_value(value)]
        found += common.required_among(effect, f"{path}.effect", scheduling.TAINT_EFFECTS)
        if (key, effect) in seen:
            shown = {"Key": key, "Value": value, "Effect": effect, "TimeAdded": taint.get("timeAdded")}
            why = "taints must be unique by key and effect pair"
            found.append(fields.FieldError("FieldValueDuplicate", path, shown, why))
        seen.add((key, effect))
    return found


def namespace(obj: JSONObject) -> list[FieldError]:
    found: list[FieldError] = []
    for name in each((obj.get("spec") or {}).get("finalizers")):
        shown = str(name or "")
        found += [fields.invalid("spec.finalizers", shown, why) for why in names.qualified_name(shown)]
        if "/" not in shown and shown not in _FINALIZERS:
            why = "name is neither a standard finalizer name nor is it fully qualified"
            found.append(fields.invalid("spec.finalizers", shown, why))
    return found
