"""Validation of RBAC and the smaller groups. Mirrors `pkg/apis/<group>/validation`."""

import ipaddress

from generic.meta import fields, names, validation
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import addresses, common, scheduling
from kubeapi.resources.validation.common import each

_RBAC = "rbac.authorization.k8s.io"


def role(obj: JSONObject) -> list[FieldError]:
    return _rules(obj, namespaced=True)


def cluster_role(obj: JSONObject) -> list[FieldError]:
    found = _rules(obj, namespaced=False)
    aggregation = obj.get("aggregationRule")
    if aggregation is not None:
        selectors = aggregation.get("clusterRoleSelectors") or ()
        if not selectors:
            path, why = (
                "aggregationRule.clusterRoleSelectors",
                "at least one clusterRoleSelector required if aggregationRule is non-nil",
            )
            found.append(fields.required(path, why))
        for at, selector in enumerate(selectors):
            path = f"aggregationRule.clusterRoleSelectors[{at}]"
            found += validation.label_selector(selector, path)
    return found


def _rules(obj: JSONObject, *, namespaced: bool) -> list[FieldError]:
    found: list[FieldError] = []
    for at, rule in enumerate(each(obj.get("rules"))):
        found += _rule(rule, f"rules[{at}]", namespaced=namespaced)
    return found


def _rule(rule: JSONObject, path: str, *, namespaced: bool) -> list[FieldError]:
    found: list[FieldError] = []
    if not rule.get("verbs"):
        found.append(fields.required(f"{path}.verbs", "verbs must contain at least one value"))
    urls = rule.get("nonResourceURLs")
    if urls:
        if namespaced:
            why = "namespaced rules cannot apply to non-resource URLs"
            found.append(fields.invalid(f"{path}.nonResourceURLs", urls, why))
        if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
            why = "rules cannot apply to both regular resources and non-resource URLs"
            found.append(fields.invalid(f"{path}.nonResourceURLs", urls, why))
        return found
    if not rule.get("apiGroups"):
        found.append(fields.required(f"{path}.apiGroups", "resource rules must supply at least one api group"))
    if not rule.get("resources"):
        found.append(fields.required(f"{path}.resources", "resource rules must supply at least one resource"))
    return found


def role_binding(obj: JSONObject) -> list[FieldError]:
    return _binding(obj, ("Role", "ClusterRole"), namespaced=True)


def cluster_role_binding(obj: JSONObject) -> list[FieldError]:
    return _binding(obj, ("ClusterRole",), namespaced=False)


def _binding(obj: JSONObject, kinds: tuple[str, ...], *, namespaced: bool) -> list[FieldError]:
    reference = obj.get("roleRef") or {}
    found = common.supported(reference.get("apiGroup"), "roleRef.apiGroup", (_RBAC,))
    found += common.among(reference.get("kind"), "roleRef.kind", kinds)
    name = reference.get("name")
    if name == "":
        found.append(fields.required("roleRef.name"))
    elif name is not None:
        found += [fields.invalid("roleRef.name", name, message) for message in names.path_segment_name(name)]
    for at, subject in enumerate(each(obj.get("subjects"))):
        found += _subject(subject, f"subjects[{at}]", namespaced=namespaced)
    return found


def _subject(subject: JSONObject, path: str, *, namespaced: bool) -> list[FieldError]:
    found: list[FieldError] = []
    name, kind, group = subject.get("name"), subject.get("kind"), subject.get("apiGroup") or ""
    if name == "":
        found.append(fields.required(f"{path}.name"))
    if kind == "ServiceAccount":
        if name:
            found += [fields.invalid(f"{path}.name", name, why) for why in names.dns1123_subdomain(name)]
        if group:
            found.append(fields.not_supported(f"{path}.apiGroup", group, ("",)))
        if not namespaced and not subject.get("namespace"):
            found.append(fields.required(f"{path}.namespace"))
    elif kind in ("User", "Group"):
        if group != _RBAC:
            found.append(fields.not_supported(f"{path}.apiGroup", group, (_RBAC,)))
    else:
        found.append(fields.not_supported(f"{path}.kind", kind or "", ("ServiceAccount", "User", "Group")))
    return found


def role_reference_frozen(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    now = obj.get("roleRef")
    return [] if now == old.get("roleRef") else [fields.invalid("roleRef", now, "cannot change roleRef")]


def address_type_frozen(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    return common.unchanged(obj, old, "addressType")


_HIGHEST_PRIORITY = 1_000_000_000


def priority_class(obj: JSONObject) -> list[FieldError]:
    name, value = obj["metadata"].get("name") or "", obj.get("value") or 0
    found: list[FieldError] = []
    if name.startswith("system-"):
        if (name, value) not in (("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)):
            why = (
                "priority class names with 'system-' prefix are reserved for system use only. "
                f"error: {name} is not a known system priority class"
            )
            found.append(fields.forbidden("metadata.name", why))
    elif value > _HIGHEST_PRIORITY:
        why = f"maximum allowed value of a user defined priority is {_HIGHEST_PRIORITY}"
        found.append(fields.forbidden("value", why))
    return found + common.supported(obj.get("preemptionPolicy"), "preemptionPolicy", ("Never", "PreemptLowerPriority"))


def priority_class_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    found = (
        []
        if (obj.get("value") or 0) == (old.get("value") or 0)
        else [fields.forbidden("value", "may not be changed in an update.")]
    )
    return [*found, *common.unchanged(obj, old, "preemptionPolicy")]


def runtime_class(obj: JSONObject) -> list[FieldError]:
    handler = obj.get("handler")
    found = common.label(handler, "handler")
    scheduled = obj.get("scheduling") or {}
    if scheduled.get("nodeSelector"):
        found += validation.labels(scheduled["nodeSelector"], "scheduling.nodeSelector")
    tolerations = list(each(scheduled.get("tolerations")))
    for at, toleration in enumerate(tolerations):
        if toleration in tolerations[:at]:
            keys = ("Key", "Operator", "Value", "Effect")
            shown = {key: toleration.get(key.lower()) or "" for key in keys}
            shown["TolerationSeconds"] = toleration.get("tolerationSeconds")
            found.append(fields.duplicate(f"scheduling.tolerations[{at}]", shown))
    return found + scheduling.tolerations(tolerations, "scheduling.tolerations")


def handler_frozen(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    return common.unchanged(obj, old, "handler")


def ip_address(obj: JSONObject) -> list[FieldError]:
    name, parent = obj["metadata"].get("name") or "", (obj.get("spec") or {}).get("parentRef")
    found = addresses.ip(name, "metadata.name") if name else []
    if parent is None:
        return [*found, fields.required("spec.parentRef")]
    if parent.get("group"):
        found += common.subdomain(parent["group"], "spec.parentRef.group")
    for key in ("resource", "name"):
        value = parent.get(key) or ""
        if not value:
            found.append(fields.required(f"spec.parentRef.{key}"))
        found += [fields.invalid(f"spec.parentRef.{key}", value, why) for why in names.path_segment_name(value)]
    return found


def ip_address_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    now, before = (obj.get("spec") or {}).get("parentRef"), (old.get("spec") or {}).get("parentRef")
    return [] if now == before else [fields.invalid("spec.parentRef", None, fields.IMMUTABLE)]


def service_cidr(obj: JSONObject) -> list[FieldError]:
    cidrs = (obj.get("spec") or {}).get("cidrs") or []
    if not cidrs:
        return [fields.required("spec.cidrs", "at least one CIDR required")]
    found: list[FieldError] = []
    for at, cidr in enumerate(cidrs):
        found += addresses.cidr(str(cidr or ""), f"spec.cidrs[{at}]")
    if not found and len({ipaddress.ip_network(cidr, strict=False).version for cidr in cidrs}) < len(cidrs):
        why = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
        found.append(fields.invalid("spec.cidrs", cidrs, why))
    return found


def lease(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    found: list[FieldError] = []
    seconds, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if seconds is not None and seconds <= 0:
        found.append(fields.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0"))
    if transitions is not None and transitions < 0:
        found.append(fields.invalid("spec.leaseTransitions", transitions, "must be greater than or equal to 0"))
    # Whoever gives a lease up writes an empty holderIdentity: client-go's leader election does.
    return found
