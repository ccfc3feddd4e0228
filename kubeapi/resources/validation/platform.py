"""Validation of RBAC and the smaller groups. Mirrors `pkg/apis/<group>/validation`."""

from typing import Any

from generic.meta import fields, names, validation
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import common
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
    if rule.get("verbs") == []:
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
    return _binding(obj, ("ClusterRole", "Role"), namespaced=True)


def cluster_role_binding(obj: JSONObject) -> list[FieldError]:
    return _binding(obj, ("ClusterRole",), namespaced=False)


def _binding(obj: JSONObject, kinds: tuple[str, ...], *, namespaced: bool) -> list[FieldError]:
    reference = obj.get("roleRef") or {}
    found = common.supported(reference.get("apiGroup"), "roleRef.apiGroup", (_RBAC,))
    found += common.supported(reference.get("kind"), "roleRef.kind", kinds)
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
    elif kind is not None:
        found.append(fields.not_supported(f"{path}.kind", kind, ("Group", "ServiceAccount", "User")))
    return found


def role_reference_frozen(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    now = obj.get("roleRef")
    return [] if now == old.get("roleRef") else [fields.invalid("roleRef", now, "cannot change roleRef")]


def ingress(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    found: list[FieldError] = []
    if not spec.get("rules") and not spec.get("defaultBackend"):
        why = "either `defaultBackend` or `rules` must be specified"
        found.append(fields.invalid("spec", spec.get("rules") or [], why))
    for at, rule in enumerate(each(spec.get("rules"))):
        paths = (rule.get("http") or {}).get("paths")
        if rule.get("http") is not None and not paths:
            found.append(fields.required(f"spec.rules[{at}].http.paths"))
        for index, path in enumerate(each(paths)):
            found += _ingress_path(path, f"spec.rules[{at}].http.paths[{index}]")
    return found


def _ingress_path(path: JSONObject, here: str) -> list[FieldError]:
    type, value = path.get("pathType"), path.get("path") or ""
    found: list[FieldError] = []
    if type in ("Exact", "Prefix") and not value.startswith("/"):
        found.append(fields.invalid(f"{here}.path", value, "must be an absolute path"))
    elif type is not None:
        choices = ("Exact", "ImplementationSpecific", "Prefix")
        found += common.supported(type, f"{here}.pathType", choices)
    return found


def endpoint_slice(obj: JSONObject) -> list[FieldError]:
    found = common.supported(obj.get("addressType"), "addressType", ("FQDN", "IPv4", "IPv6"))
    for at, port in enumerate(each(obj.get("ports"))):
        if port.get("port") is not None:
            found += common.port(port["port"], f"ports[{at}].port")
        found += common.supported(port.get("protocol"), f"ports[{at}].protocol", common.PROTOCOLS)
    found += common.duplicates(each(obj.get("ports")), lambda port: port.get("name"), "ports", ".name")
    for at, endpoint in enumerate(each(obj.get("endpoints"))):
        if not endpoint.get("addresses"):
            found.append(fields.required(f"endpoints[{at}].addresses", "must contain at least 1 address"))
    return found


def address_type_frozen(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    return common.unchanged(obj, old, "addressType")


def storage_class(obj: JSONObject) -> list[FieldError]:
    found = [fields.required("provisioner", "")] if obj.get("provisioner") == "" else []
    found += common.supported(obj.get("reclaimPolicy"), "reclaimPolicy", ("Delete", "Retain"))
    modes = ("Immediate", "WaitForFirstConsumer")
    return found + common.supported(obj.get("volumeBindingMode"), "volumeBindingMode", modes)


_FORBIDDEN_UPDATE = "updates to {} are forbidden."


def storage_class_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    found = []
    for key in ("parameters", "provisioner", "reclaimPolicy"):
        if (obj.get(key) or None) != (old.get(key) or None):
            found.append(fields.forbidden(key, _FORBIDDEN_UPDATE.format(key)))
    mode = "volumeBindingMode"
    return [*found, *common.unchanged(obj, old, mode)]


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
    return [] if handler is None else [fields.invalid("handler", handler, why) for why in names.dns1123_label(handler)]


def handler_frozen(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    return common.unchanged(obj, old, "handler")


def webhooks(obj: JSONObject) -> list[FieldError]:
    found = common.duplicates(each(obj.get("webhooks")), lambda hook: hook.get("name"), "webhooks", ".name")
    for at, webhook in enumerate(each(obj.get("webhooks"))):
        found += _webhook(webhook, f"webhooks[{at}]")
    return found


def _webhook(webhook: JSONObject, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    name, config = webhook.get("name") or "", webhook.get("clientConfig") or {}
    if name and name.count(".") < 2:
        why = "should be a domain with at least three segments separated by dots"
        found.append(fields.invalid(f"{path}.name", name, why))
    versions = webhook.get("admissionReviewVersions")
    if versions is not None and not {"v1", "v1beta1"} & set(versions):
        why = "must include at least one of v1, v1beta1"
        found.append(fields.invalid(f"{path}.admissionReviewVersions", versions, why))
    effects = webhook.get("sideEffects")
    found += common.supported(effects, f"{path}.sideEffects", ("None", "NoneOnDryRun"))
    found += common.supported(webhook.get("failurePolicy"), f"{path}.failurePolicy", ("Fail", "Ignore"))
    found += common.between(webhook.get("timeoutSeconds"), f"{path}.timeoutSeconds", 1, 30)
    if (config.get("url") is None) == (config.get("service") is None):
        why = "exactly one of url or service is required"
        found.append(fields.required(f"{path}.clientConfig", why))
    elif config.get("url") is not None and not str(config["url"]).startswith("https://"):
        why = "'https' is the only allowed URL scheme"
        found.append(fields.invalid(f"{path}.clientConfig.url", config["url"], why))
    return found


def certificate_request(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    found: list[FieldError] = []
    signer: Any = spec.get("signerName")
    if signer is not None and signer.count("/") != 1:
        why = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        found.append(fields.invalid("spec.signerName", signer, why))
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < 600:
        why = "may not specify a duration less than 600 seconds (10 minutes)"
        found.append(fields.invalid("spec.expirationSeconds", seconds, why))
    return found


def lease(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    found: list[FieldError] = []
    seconds, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if seconds is not None and seconds <= 0:
        found.append(fields.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0"))
    if transitions is not None and transitions < 0:
        found.append(fields.invalid("spec.leaseTransitions", transitions, "must be greater than or equal to 0"))
    if spec.get("holderIdentity") == "":
        found.append(fields.invalid("spec.holderIdentity", "", "must not be empty"))
    return found


def flow_schema(obj: JSONObject) -> list[FieldError]:
    precedence = (obj.get("spec") or {}).get("matchingPrecedence")
    if precedence is not None and not 1 <= precedence <= 10000:
        why = "must be a value between 1 and 10000"
        return [fields.invalid("spec.matchingPrecedence", precedence, why)]
    return []


def priority_level(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    found = common.supported(spec.get("type"), "spec.type", ("Exempt", "Limited"))
    if spec.get("type") == "Limited" and spec.get("limited") is None:
        found.append(fields.required("spec.limited", "must not be empty when type is Limited"))
    elif spec.get("type") == "Exempt" and spec.get("limited") is not None:
        found.append(fields.forbidden("spec.limited", "must be nil if the type is not Limited"))
    return found
