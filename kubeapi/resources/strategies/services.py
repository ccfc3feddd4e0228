"""The strategy of Services. Mirrors `pkg/registry/core/service/strategy.go`."""

from generic.request.context import RequestContext
from generic.types import JSONObject
from kubeapi.resources.defaults import core as defaults
from kubeapi.resources.strategies.base import StatusKindStrategy
from kubeapi.resources.validation import services as validation

_OF_ADDRESSES = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")


class ServiceStrategy(StatusKindStrategy):
    """What was given to a Service once (addresses, ports) stays with it, though a client leaves it out.

    A change of its type takes along what only the old type has, unless the client says otherwise.
    """

    name_validator = "label"
    allow_create_on_update = True
    returns_deleted_object = True

    def initial_status(self, obj: JSONObject) -> JSONObject:
        return {"loadBalancer": {}}

    def prepare_for_create(self, request: RequestContext, obj: JSONObject) -> None:
        super().prepare_for_create(request, obj)
        _addresses_in_step(obj["spec"])

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        super().prepare_for_update(request, obj, old)
        spec, before = obj["spec"], old.get("spec") or {}
        _settle_addresses(spec, before)
        _keep_allocated(spec, before)
        _drop_of_other_type(spec, before)
        _addresses_in_step(spec)


def _has_addresses(spec: JSONObject) -> bool:
    return spec.get("type") in ("ClusterIP", "NodePort", "LoadBalancer")


def _has_node_ports(spec: JSONObject) -> bool:
    return spec.get("type") in ("NodePort", "LoadBalancer")


def _settle_addresses(spec: JSONObject, before: JSONObject) -> None:
    """Of two fields that say the same, the one the client changed counts."""
    address, addresses = spec.get("clusterIP"), spec.get("clusterIPs")
    if addresses and addresses == before.get("clusterIPs") and address != before.get("clusterIP"):
        if address:
            spec["clusterIPs"] = [address, *addresses[1:]]
        else:
            spec.pop("clusterIPs")


def _keep_allocated(spec: JSONObject, before: JSONObject) -> None:
    if _has_addresses(spec) and _has_addresses(before) and not spec.get("clusterIP"):
        for key in ("clusterIP", "clusterIPs"):
            if before.get(key) and not spec.get(key):
                spec[key] = before[key]
    if _has_node_ports(spec) and _has_node_ports(before):
        held = {_port_key(port): port["nodePort"] for port in before.get("ports") or () if port.get("nodePort")}
        used = {port.get("nodePort") for port in spec.get("ports") or ()}
        for port in spec.get("ports") or ():
            kept = held.get(_port_key(port))
            if not port.get("nodePort") and kept and kept not in used:
                port["nodePort"] = kept
    held_check = before.get("healthCheckNodePort") if validation.needs_health_check(before) else None
    if held_check and validation.needs_health_check(spec) and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = held_check


def _port_key(port: JSONObject) -> tuple[object, object]:
    return port.get("protocol"), port.get("port")


def _drop_of_other_type(spec: JSONObject, before: JSONObject) -> None:
    """Only what is as it was: what the client set anew is for validation to refuse."""
    if _has_addresses(before) and not _has_addresses(spec):
        same_address = spec.get("clusterIPs") == before.get("clusterIPs")
        for key in _OF_ADDRESSES:
            if spec.get(key) == before.get(key) or (key == "clusterIP" and same_address):
                spec.pop(key, None)
    if _has_node_ports(before) and not _has_node_ports(spec):
        held = {port.get("nodePort") for port in before.get("ports") or ()}
        for port in spec.get("ports") or ():
            if port.get("nodePort") in held:
                port.pop("nodePort", None)
    for key, has in (
        ("healthCheckNodePort", validation.needs_health_check),
        ("externalTrafficPolicy", validation.is_externally_accessible),
        ("allocateLoadBalancerNodePorts", _is_load_balancer),
        ("loadBalancerClass", _is_load_balancer),
    ):
        if has(before) and not has(spec) and spec.get(key) == before.get(key):
            spec.pop(key, None)


def _is_load_balancer(spec: JSONObject) -> bool:
    return spec.get("type") == "LoadBalancer"


def _addresses_in_step(spec: JSONObject) -> None:
    """ClusterIP is the first of clusterIPs; who knows only one of the two sets both."""
    if spec.get("type") == "ExternalName":
        return
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]
    elif spec.get("clusterIPs") and not spec.get("clusterIP"):
        spec["clusterIP"] = spec["clusterIPs"][0]


SERVICE = ServiceStrategy(
    default=defaults.service,
    validate=validation.service,
    validate_update=validation.service_update,
    warn=validation.warnings,
)
