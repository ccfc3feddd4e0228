"""Validation of Services. Mirrors ValidateService and its helpers in `pkg/apis/core/validation/validation.go`."""

import ipaddress
from typing import Any

from generic.meta import fields, validation
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import addresses, common
from kubeapi.resources.validation.common import each

HEADLESS = "None"
_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_FAMILIES = ("IPv4", "IPv6")
_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
_TRAFFIC = ("Cluster", "Local")
_MOST_AFFINITY_SECONDS = 86400


def service(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    type, ports = spec.get("type"), each(spec.get("ports"))
    headless = spec.get("clusterIP") == HEADLESS
    found: list[FieldError] = []
    if not ports and not headless and type != "ExternalName":
        found.append(fields.required("spec.ports"))
    for at, port in enumerate(ports):
        found += _service_port(port, f"spec.ports[{at}]", named=len(spec["ports"]) > 1)
        if port.get("appProtocol") is not None:
            found += validation.label_name(port["appProtocol"], f"spec.ports[{at}].appProtocol")
    found += common.duplicates(ports, lambda port: port.get("name"), "spec.ports", ".name")
    found += _port_twins(spec)
    found += validation.labels(spec.get("selector") or {}, "spec.selector")
    found += common.supported(type, "spec.type", _TYPES, required=True)
    found += _affinity(spec)
    if type == "ExternalName":
        name = str(spec.get("externalName") or "").removesuffix(".")
        found += common.subdomain(name, "spec.externalName") if name else [fields.required("spec.externalName")]
    elif type in ("LoadBalancer", "NodePort") and headless:
        why = f"may not be set to 'None' for {type} services"
        found.append(fields.invalid("spec.clusterIPs[0]", HEADLESS, why))
    return [*found, *_outside(spec), *cluster_ips(spec), *_node_ports(spec), *_traffic(spec)]


def _outside(spec: JSONObject) -> list[FieldError]:
    """How traffic comes from outside of the cluster."""
    found: list[FieldError] = []
    for at, address in enumerate(each(spec.get("externalIPs"))):
        found += addresses.ip(str(address or ""), f"spec.externalIPs[{at}]")
    balanced, why = spec.get("type") == "LoadBalancer", "may only be used when `type` is 'LoadBalancer'"
    ranges = spec.get("loadBalancerSourceRanges") or []
    if ranges and not balanced:
        found.append(fields.forbidden("spec.LoadBalancerSourceRanges", why))
    for at, cidr in enumerate(ranges if balanced else ()):
        found += addresses.cidr(str(cidr or "").strip(), f"spec.LoadBalancerSourceRanges[{at}]")
    balancer = spec.get("loadBalancerClass")
    if balancer is not None and not balanced:
        found.append(fields.forbidden("spec.loadBalancerClass", why))
    elif balancer is not None:
        found += validation.label_name(balancer, "spec.loadBalancerClass")
    if spec.get("trafficDistribution") is not None:
        found += common.among(spec["trafficDistribution"], "spec.trafficDistribution", _DISTRIBUTIONS)
    return found


_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")


def warnings(obj: JSONObject, old: JSONObject | None) -> list[str]:
    """What goes out of use."""
    spec, said = obj.get("spec") or {}, list[str]()
    if spec.get("externalIPs"):
        said.append("spec.externalIPs is deprecated and may no longer be implemented in some clusters")
    if spec.get("trafficDistribution") == "PreferClose":
        said.append('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
    return said


def cluster_ips(spec: JSONObject) -> list[FieldError]:
    """What is wrong with the addresses and IP families that were asked for. Also asked before any is claimed."""
    given, families = spec.get("clusterIPs") or [], spec.get("ipFamilies") or []
    policy = spec.get("ipFamilyPolicy")
    if spec.get("type") == "ExternalName":
        why = "may not be set for ExternalName services"
        return [fields.forbidden(f"spec.{key}", why) for key in _OF_ADDRESSES if spec.get(key)]
    found = [] if policy is None else common.among(policy, "spec.ipFamilyPolicy", _POLICIES)
    for at, family in enumerate(families):
        found += common.among(family, f"spec.ipFamilies[{at}]", _FAMILIES)
        if family in families[:at]:
            found.append(fields.duplicate(f"spec.ipFamilies[{at}]", family))
    if spec.get("clusterIP") and given and given[0] != spec["clusterIP"]:
        found.append(fields.invalid("spec.clusterIPs", given, "first value must match `clusterIP`"))
    for key, values in (("ipFamilies", families), ("clusterIPs", given)):
        if len(values) > 2:
            found.append(fields.invalid(f"spec.{key}", values, "may only hold up to 2 values"))
    if HEADLESS in given:
        if len(given) > 1:
            found.append(fields.invalid("spec.clusterIPs", given, "'None' must be the first and only value"))
        return found
    return [*found, *_addresses(given, families)]


_OF_ADDRESSES = ("clusterIPs", "ipFamilies", "ipFamilyPolicy")


def _addresses(given: list[Any], families: list[Any]) -> list[FieldError]:
    found: list[FieldError] = []
    versions: list[str] = []
    for at, address in enumerate(given):
        path = f"spec.clusterIPs[{at}]"
        try:
            version = f"IPv{ipaddress.ip_address(address).version}"
        except ValueError:
            why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            found.append(fields.invalid(path, address, why))
            continue
        if at < len(families) and families[at] != version:
            why = f"expected an {families[at]} value as indicated by `ipFamilies[{at}]`"
            found.append(fields.invalid(path, address, why))
        versions.append(version)
    if len(set(versions)) < len(versions):
        found.append(fields.invalid("spec.clusterIPs", given, "may specify no more than one IP for each IP family"))
    return found


def _affinity(spec: JSONObject) -> list[FieldError]:
    found = common.supported(spec.get("sessionAffinity"), "spec.sessionAffinity", ("ClientIP", HEADLESS), required=True)
    timeout = ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")
    if spec.get("sessionAffinity") == "ClientIP" and timeout is not None and not 0 < timeout <= _MOST_AFFINITY_SECONDS:
        path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
        why = f"must be greater than 0 and less than {_MOST_AFFINITY_SECONDS}"
        found.append(fields.invalid(path, timeout, why))
    return found


def _service_port(port: JSONObject, path: str, *, named: bool) -> list[FieldError]:
    found: list[FieldError] = []
    if named and not port.get("name"):
        found.append(fields.required(f"{path}.name"))
    elif port.get("name"):
        found += common.label(port["name"], f"{path}.name")
    found += common.port(port.get("port"), f"{path}.port")
    found += common.supported(port.get("protocol"), f"{path}.protocol", common.PROTOCOLS, required=True)
    found += common.port_or_name(port.get("targetPort"), f"{path}.targetPort")
    return found


def _port_twins(spec: JSONObject) -> list[FieldError]:
    """No port of a protocol twice, neither of the Service nor of the nodes."""
    found: list[FieldError] = []
    seen: set[tuple[object, ...]] = set()
    for at, port in enumerate(each(spec.get("ports"))):
        protocol = port.get("protocol")
        node = ("node", protocol, port.get("nodePort"))
        if port.get("nodePort") and node in seen:
            found.append(fields.duplicate(f"spec.ports[{at}].nodePort", port["nodePort"]))
        own = ("own", protocol, port.get("port"))
        if own in seen:
            twin = {
                "Name": "", "Protocol": protocol, "AppProtocol": None, "Port": port.get("port"), "TargetPort": 0,
                "NodePort": 0,
            }  # fmt: skip
            found.append(fields.duplicate(f"spec.ports[{at}]", twin))
        seen |= {node, own}
    return found


def _node_ports(spec: JSONObject) -> list[FieldError]:
    if spec.get("type") != "ClusterIP":
        return []
    why = "may not be used when `type` is 'ClusterIP'"
    ports = enumerate(each(spec.get("ports")))
    return [fields.forbidden(f"spec.ports[{at}].nodePort", why) for at, port in ports if port.get("nodePort")]


def _traffic(spec: JSONObject) -> list[FieldError]:
    found: list[FieldError] = []
    external, internal = spec.get("externalTrafficPolicy"), spec.get("internalTrafficPolicy")
    if is_externally_accessible(spec):
        found += common.supported(external, "spec.externalTrafficPolicy", _TRAFFIC, required=True)
    elif external:
        why = "may only be set for externally-accessible services"
        found.append(fields.invalid("spec.externalTrafficPolicy", external, why))
    if spec.get("type") in ("ClusterIP", "NodePort", "LoadBalancer"):
        if internal is None:
            found.append(fields.required("spec.internalTrafficPolicy"))
        else:
            found += common.among(internal, "spec.internalTrafficPolicy", _TRAFFIC)
    health = spec.get("healthCheckNodePort")
    if health and not needs_health_check(spec):
        why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        found.append(fields.invalid("spec.healthCheckNodePort", health, why))
    if spec.get("allocateLoadBalancerNodePorts") is not None and spec.get("type") != "LoadBalancer":
        why = "may only be used when `type` is 'LoadBalancer'"
        found.append(fields.forbidden("spec.allocateLoadBalancerNodePorts", why))
    return found


def is_externally_accessible(spec: JSONObject) -> bool:
    type = spec.get("type")
    return type in ("NodePort", "LoadBalancer") or (type == "ClusterIP" and bool(spec.get("externalIPs")))


def needs_health_check(spec: JSONObject) -> bool:
    """Whether a load balancer has to ask each node for its endpoints."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def service_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    new, before = obj.get("spec") or {}, old.get("spec") or {}
    found: list[FieldError] = []
    if needs_health_check(new) and needs_health_check(before):
        found += common.unchanged(obj, old, "spec", "healthCheckNodePort")
    balanced = new.get("type") == before.get("type") == "LoadBalancer"
    if balanced and new.get("loadBalancerClass") != before.get("loadBalancerClass"):
        path, why = "spec.loadBalancerClass", "may not change once set"
        found.append(fields.invalid(path, new.get("loadBalancerClass"), why))
    ips, held = new.get("clusterIPs") or [], before.get("clusterIPs") or []
    if "ExternalName" in (new.get("type"), before.get("type")) or not held:
        return found
    if ips[:1] != held[:1]:
        why = "may not change once set" if ips else "primary clusterIP can not be unset"
        found.append(fields.invalid("spec.clusterIPs[0]", ips, why))
    elif len(ips) == len(held) == 2 and ips[1] != held[1]:
        found.append(fields.invalid("spec.clusterIPs[1]", ips, "may not change once set"))
    return found
