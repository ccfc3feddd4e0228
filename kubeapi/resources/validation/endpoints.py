"""Validation of endpoints and slices of them. Mirrors validateEndpointSubsets of `pkg/apis/core/validation` and
`pkg/apis/discovery/validation/validation.go`."""

import ipaddress
from collections.abc import Iterable

from generic.meta import fields, names, validation
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import addresses, common
from kubeapi.resources.validation.common import each

_MOST_ADDRESSES = 100
_LOCAL_MULTICAST = {4: ipaddress.ip_network("224.0.0.0/24"), 6: ipaddress.ip_network("ff02::/16")}


def endpoints(obj: JSONObject) -> list[FieldError]:
    found: list[FieldError] = []
    for at, subset in enumerate(each(obj.get("subsets"))):
        path = f"subsets[{at}]"
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            found.append(fields.required(path, "must specify `addresses` or `notReadyAddresses`"))
        for key in ("addresses", "notReadyAddresses"):
            for index, address in enumerate(each(subset.get(key))):
                found += _address(address, f"{path}.{key}[{index}]")
        ports = each(subset.get("ports"))
        for index, port in enumerate(ports):
            found += _port(port, f"{path}.ports[{index}]", needs_name=len(subset["ports"]) > 1)
    return found


def _address(address: JSONObject, path: str) -> list[FieldError]:
    ip = address.get("ip") or ""
    found = addresses.ip(ip, f"{path}.ip")
    if address.get("hostname"):
        found += common.label(address["hostname"], f"{path}.hostname")
    if address.get("nodeName") is not None:
        found += common.subdomain(address["nodeName"], f"{path}.nodeName")
    return found + _special(ip, f"{path}.ip")


def _special(ip: str, path: str) -> list[FieldError]:
    """Addresses that mean something else on every machine.

    Kubernetes refuses loopback too. Here control plane and aggregated servers of a developer share a machine, and
    loopback is where they are.
    """
    try:
        parsed = ipaddress.ip_address(ip)
    except ValueError:
        return [fields.invalid(path, ip, "must be a valid IP address")]
    if parsed.is_unspecified:
        return [fields.invalid(path, ip, f"may not be unspecified ({parsed})")]
    for is_special, why in (
        (parsed.is_link_local, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
        (
            parsed.is_multicast
            and parsed in ipaddress.ip_network("224.0.0.0/24" if parsed.version == 4 else "ff02::/10"),
            "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
        ),
    ):
        if is_special:
            return [fields.invalid(path, ip, why)]
    return []


def _port(port: JSONObject, path: str, *, needs_name: bool) -> list[FieldError]:
    found: list[FieldError] = []
    if port.get("name"):
        found += common.label(port["name"], f"{path}.name")
    elif needs_name:
        found.append(fields.required(f"{path}.name"))
    found += common.port(port.get("port") or 0, f"{path}.port")
    found += common.required_among(port.get("protocol"), f"{path}.protocol", common.PROTOCOLS)
    if port.get("appProtocol") is not None:
        found += validation.label_name(port["appProtocol"], f"{path}.appProtocol")
    return found


def endpoint_slice(obj: JSONObject) -> list[FieldError]:
    kind = obj.get("addressType") or ""
    found: list[FieldError] = []
    if kind:
        found += common.among(kind, "addressType", ("IPv4", "IPv6", "FQDN"))
    else:
        found.append(fields.required("addressType"))
    for at, endpoint in enumerate(each(obj.get("endpoints"))):
        found += _endpoint(endpoint, f"endpoints[{at}]", kind)
    seen: set[str] = set()
    for at, port in enumerate(each(obj.get("ports"))):
        here, name = f"ports[{at}]", port.get("name") or ""
        if name:
            found += common.label(name, f"{here}.name")
        if name in seen:
            found.append(fields.duplicate(f"{here}.name", name))
        seen.add(name)
        found += common.required_among(port.get("protocol"), f"{here}.protocol", common.PROTOCOLS)
        if port.get("appProtocol") is not None:
            found += validation.label_name(port["appProtocol"], f"{here}.appProtocol")
    return found


def _endpoint(endpoint: JSONObject, path: str, kind: str) -> list[FieldError]:
    found: list[FieldError] = []
    given = endpoint.get("addresses") or []
    if not given:
        found.append(fields.required(f"{path}.addresses"))
    if len(given) > _MOST_ADDRESSES:
        found.append(fields.too_many(f"{path}.addresses", len(given), _MOST_ADDRESSES))
    for at, address in enumerate(given):
        found += _slice_address(address, f"{path}.addresses[{at}]", kind)
    if endpoint.get("nodeName") is not None:
        found += common.subdomain(endpoint["nodeName"], f"{path}.nodeName")
    if endpoint.get("hostname") is not None:
        found += [
            fields.invalid(f"{path}.hostname", endpoint["hostname"], why)
            for why in names.dns1123_label(endpoint["hostname"])
        ]
    return found + _zones(each((endpoint.get("hints") or {}).get("forZones")), f"{path}.hints.forZones")


def _slice_address(address: str, path: str, kind: str) -> list[FieldError]:
    if kind == "FQDN":
        return common.subdomain(address.removesuffix("."), path)
    found = addresses.ip(address, path)
    if found or kind not in ("IPv4", "IPv6"):
        return found
    if f"IPv{ipaddress.ip_address(address).version}" != kind:
        return [fields.invalid(path, address, f"must be an {kind} address")]
    return _special(address, path)


def _zones(zones: Iterable[JSONObject], path: str) -> list[FieldError]:
    found: list[FieldError] = []
    seen: set[str] = set()
    for at, zone in enumerate(zones):
        name = zone.get("name") or ""
        if name in seen:
            found.append(fields.duplicate(f"{path}[{at}].name", name))
        seen.add(name)
        found += [fields.invalid(f"{path}[{at}].name", name, why) for why in names.label_value(name)]
    return found
