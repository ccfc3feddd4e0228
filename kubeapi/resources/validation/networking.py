"""Validation of ingresses, their classes and network policies. Mirrors `pkg/apis/networking/validation`."""

import ipaddress

from generic.meta import fields, names, validation
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import addresses, common
from kubeapi.resources.validation.common import each

_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_NEVER_IN_PATHS, _NEVER_AT_THEIR_END = ("//", "/./", "/../", "%2f", "%2F"), ("/..", "/.")
_CONTROLLER_LIMIT = 250
_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_NOT_A_NAME = "must be a DNS name, not an IP address"


def ingress(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    found: list[FieldError] = []
    if not spec.get("rules") and spec.get("defaultBackend") is None:
        found.append(fields.invalid("spec", None, "either `defaultBackend` or `rules` must be specified"))
    if spec.get("defaultBackend") is not None:
        found += _backend(spec["defaultBackend"], "spec.defaultBackend")
    for at, rule in enumerate(each(spec.get("rules"))):
        found += _rule(rule, f"spec.rules[{at}]")
    for at, entry in enumerate(each(spec.get("tls"))):
        for index, host in enumerate(each(entry.get("hosts"))):
            found += _host(str(host), f"spec.tls[{at}].hosts[{index}]")
        if entry.get("secretName"):
            found += common.subdomain(entry["secretName"], f"spec.tls[{at}].secretName")
    if spec.get("ingressClassName") is not None:
        found += common.subdomain(spec["ingressClassName"], "spec.ingressClassName")
    return found


def new_ingress(obj: JSONObject) -> list[FieldError]:
    """A new one does not say its class in two ways."""
    annotated = (obj["metadata"].get("annotations") or {}).get(_CLASS_ANNOTATION)
    named = (obj.get("spec") or {}).get("ingressClassName")
    if annotated is None or named is None or annotated == named:
        return []
    why = "must match `ingressClassName` when both are specified"
    return [fields.invalid(f"annotations.{_CLASS_ANNOTATION}", annotated, why)]


def _host(host: str, path: str) -> list[FieldError]:
    problems = names.wildcard_subdomain(host) if "*" in host else names.dns1123_subdomain(host)
    return [fields.invalid(path, host, problem) for problem in problems]


def _rule(rule: JSONObject, path: str) -> list[FieldError]:
    host, found = rule.get("host"), list[FieldError]()
    if host:
        if not addresses.ip(host, path):
            found.append(fields.invalid(f"{path}.host", host, _NOT_A_NAME))
        found += _host(host, f"{path}.host")
    http = rule.get("http")
    if http is not None:
        if not http.get("paths"):
            found.append(fields.required(f"{path}.http.paths"))
        for at, entry in enumerate(each(http.get("paths"))):
            found += _path(entry, f"{path}.http.paths[{at}]")
    return found


def _path(entry: JSONObject, path: str) -> list[FieldError]:
    kind, value = entry.get("pathType"), entry.get("path") or ""
    if kind is None:
        return [fields.required(f"{path}.pathType", "pathType must be specified")]
    found: list[FieldError] = []
    if kind in ("Exact", "Prefix"):
        if not value.startswith("/"):
            found.append(fields.invalid(f"{path}.path", value, "must be an absolute path"))
        for part in _NEVER_IN_PATHS:
            if part in value:
                found.append(fields.invalid(f"{path}.path", value, f"must not contain '{part}'"))
        for end in _NEVER_AT_THEIR_END:
            if value.endswith(end):
                found.append(fields.invalid(f"{path}.path", value, f"cannot end with '{end}'"))
    elif kind == "ImplementationSpecific":
        if value and not value.startswith("/"):
            found.append(fields.invalid(f"{path}.path", value, "must be an absolute path"))
    else:
        found += common.among(kind, f"{path}.pathType", _PATH_TYPES)
    return found + _backend(entry.get("backend") or {}, f"{path}.backend")


def _backend(backend: JSONObject, path: str) -> list[FieldError]:
    resource, service = backend.get("resource"), backend.get("service")
    if resource is not None and service is not None:
        return [fields.invalid(path, "", "cannot set both resource and service backends")]
    if resource is not None:
        return _local_reference(resource, f"{path}.resource")
    if service is None:
        return [fields.invalid(path, "", "resource or service backend is required")]
    name, port = service.get("name"), service.get("port") or {}
    found = [fields.required(f"{path}.service.name")]
    if name:
        found = [fields.invalid(f"{path}.service.name", name, why) for why in names.dns1123_label(name)]
    if port.get("name") and port.get("number"):
        found.append(fields.invalid(path, "", "cannot set both port name & port number"))
    elif port.get("name"):
        found += common.port_name(port["name"], f"{path}.service.port.name")
    elif port.get("number"):
        found += common.port(port["number"], f"{path}.service.port.number")
    else:
        found.append(fields.required(path, "port name or number is required"))
    return found


def _local_reference(reference: JSONObject, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    if reference.get("apiGroup") is not None:
        found += common.subdomain(reference["apiGroup"], f"{path}.apiGroup")
    for key in ("kind", "name"):
        value = reference.get(key)
        if not value:
            found.append(fields.required(f"{path}.{key}"))
        else:
            found += [fields.invalid(f"{path}.{key}", value, why) for why in names.path_segment_name(value)]
    return found


def ingress_class(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    controller, parameters = spec.get("controller") or "", spec.get("parameters")
    found: list[FieldError] = []
    if len(controller) > _CONTROLLER_LIMIT:
        found.append(fields.too_long("spec.controller", _CONTROLLER_LIMIT))
    found += validation.domain_prefixed_path(controller, "spec.controller")
    if parameters is not None:
        found += _parameters(parameters, "spec.parameters")
    return found


def ingress_class_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    return common.unchanged(obj, old, "spec", "controller")


def _parameters(parameters: JSONObject, path: str) -> list[FieldError]:
    found, scope, namespace = _local_reference(parameters, path), parameters.get("scope"), parameters.get("namespace")
    if scope is None:
        return [*found, fields.required(f"{path}.scope")]
    found += common.among(scope, f"{path}.scope", ("Cluster", "Namespace"))
    if scope == "Namespace":
        if namespace is None:
            found.append(fields.required(f"{path}.namespace", "`parameters.scope` is set to 'Namespace'"))
        else:
            found += [fields.invalid(f"{path}.namespace", namespace, why) for why in names.dns1123_label(namespace)]
    elif scope == "Cluster" and namespace is not None:
        found.append(fields.forbidden(f"{path}.namespace", "`parameters.scope` is set to 'Cluster'"))
    return found


def network_policy(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    found = validation.label_selector(spec.get("podSelector"), "spec.podSelector")
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for at, rule in enumerate(each(spec.get(direction))):
            here = f"spec.{direction}[{at}]"
            for index, port in enumerate(each(rule.get("ports"))):
                found += _policy_port(port, f"{here}.ports[{index}]")
            for index, peer in enumerate(each(rule.get(side))):
                found += _peer(peer, f"{here}.{side}[{index}]")
    types = spec.get("policyTypes") or []
    if len(types) > 2:
        return [*found, fields.invalid("spec.policyTypes", types, "may not specify more than two policyTypes")]
    for at, kind in enumerate(types):
        found += common.among(kind, f"spec.policyTypes[{at}]", ("Ingress", "Egress"))
    return found


def _policy_port(given: JSONObject, path: str) -> list[FieldError]:
    port, last, found = given.get("port"), given.get("endPort"), list[FieldError]()
    if given.get("protocol") is not None:
        found += common.among(given["protocol"], f"{path}.protocol", ("TCP", "UDP", "SCTP"))
    if port is None:
        why = "may not be specified when `port` is not specified"
        return found if last is None else [*found, fields.invalid(f"{path}.endPort", last, why)]
    if isinstance(port, str):
        if last is not None:
            found.append(fields.invalid(f"{path}.endPort", last, "may not be specified when `port` is non-numeric"))
        return found + common.port_name(port, f"{path}.port")
    found += common.port(port, f"{path}.port")
    if last is not None:
        if last < port:
            found.append(fields.invalid(f"{path}.endPort", last, "must be greater than or equal to `port`"))
        found += common.port(last, f"{path}.endPort")
    return found


def _peer(peer: JSONObject, path: str) -> list[FieldError]:
    found = validation.label_selector(peer.get("podSelector"), f"{path}.podSelector")
    found += validation.label_selector(peer.get("namespaceSelector"), f"{path}.namespaceSelector")
    block = peer.get("ipBlock")
    if block is not None:
        found += _block(block, f"{path}.ipBlock")
    count = sum(peer.get(key) is not None for key in ("podSelector", "namespaceSelector", "ipBlock"))
    if not count:
        found.append(fields.required(path, "must specify a peer"))
    elif count > 1 and block is not None:
        found.append(fields.forbidden(path, "may not specify both ipBlock and another peer"))
    return found


def _block(block: JSONObject, path: str) -> list[FieldError]:
    cidr = block.get("cidr")
    if not cidr:
        return [fields.required(f"{path}.cidr")]
    found = addresses.cidr(cidr, f"{path}.cidr")
    if found:
        return found
    whole = ipaddress.ip_network(cidr, strict=False)
    for at, less in enumerate(each(block.get("except"))):
        here = f"{path}.except[{at}]"
        problems = addresses.cidr(str(less), here)
        found += problems
        if not problems:
            part = ipaddress.ip_network(str(less), strict=False)
            inside = part.version == whole.version and part.network_address in whole
            if not inside or whole.prefixlen >= part.prefixlen:
                found.append(fields.invalid(here, less, "must be a strict subset of `cidr`"))
    return found
