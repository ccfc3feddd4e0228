"""From a Service to the addresses where it is served now.

Used by the aggregator's proxy and availability check, and by `webhook_services.py`. There need be no kube-proxy here,
so endpoints count also where a Service has a cluster IP. Mirrors `apiserver/pkg/util/proxy/proxy.go`.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject

SERVICES = GroupVersionResource("", "v1", "services")
ENDPOINTS = GroupVersionResource("", "v1", "endpoints")
ENDPOINT_SLICES = GroupVersionResource("discovery.k8s.io", "v1", "endpointslices")
SERVICE_NAME_LABEL = "kubernetes.io/service-name"

_WITH_ENDPOINTS = ("ClusterIP", "NodePort", "LoadBalancer")


class ResolveError(Exception):
    """There is nobody to send a request to; the message says why."""


@dataclass(frozen=True, slots=True)
class ServiceReference:
    """A port of a Service, by number."""

    namespace: str
    name: str
    port: int

    @property
    def server_name(self) -> str:
        """Whom the certificate of its server has to be for."""
        return f"{self.name}.{self.namespace}.svc"


class Address(NamedTuple):
    """Where to connect to: a host name or IP address, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Objects(Protocol):
    """The part of an informer that is needed here."""

    def get(self, name: str, namespace: str = "") -> JSONObject | None: ...

    def list(self, namespace: str = "") -> list[JSONObject]: ...


class EndpointResolver:
    """By the ready endpoints of a Service, in random order, IPv4 first: of its EndpointSlices, else its Endpoints."""

    def __init__(self, services: Objects, endpoint_slices: Objects, endpoints: Objects) -> None:
        self._services = services
        self._slices = endpoint_slices
        self._endpoints = endpoints

    def resolve(self, service: ServiceReference) -> Sequence[Address]:
        """Where it is served, at least one address, in the order to try them. Raises ResolveError."""
        found = found_in(self._services, service)
        if type_of(found) == "ExternalName":
            return [external(found, service)]
        port = port_of(found, service.port)
        if port is None:
            raise no_port(service)
        addresses = self._ready(service, port.get("name") or "")
        if not addresses:
            raise ResolveError(f'no endpoints available for service "{service.name}"')
        random.shuffle(addresses)
        return sorted(addresses, key=lambda address: ":" in address.host)

    def _ready(self, service: ServiceReference, port_name: str) -> list[Address]:
        slices = slices_of(self._slices, service)
        if slices:
            return list(_in_slices(slices, port_name))
        endpoints = self._endpoints.get(service.name, service.namespace)
        return [] if endpoints is None else list(_in_endpoints(endpoints, port_name))


# What resolvers of other kinds need as well.


def found_in(services: Objects, service: ServiceReference) -> JSONObject:
    """The Service, of a type that can be resolved. Raises ResolveError."""
    found = services.get(service.name, service.namespace)
    if found is None:
        raise ResolveError(f'service "{service.name}" not found')
    kind = type_of(found)
    if kind != "ExternalName" and kind not in _WITH_ENDPOINTS:
        raise ResolveError(f'unsupported service type "{kind}"')
    return found


def type_of(service: JSONObject) -> str:
    return (service.get("spec") or {}).get("type") or "ClusterIP"


def external(found: JSONObject, service: ServiceReference) -> Address:
    """Of a Service of type ExternalName. Raises ResolveError."""
    name = (found.get("spec") or {}).get("externalName") or ""
    if not name:
        raise ResolveError(f'service "{service.name}" has no external name')
    return Address(name, service.port)


def port_of(service: JSONObject, number: int) -> JSONObject | None:
    """The entry of a Service's `spec.ports` that has this number."""
    ports: Sequence[JSONObject] = (service.get("spec") or {}).get("ports") or ()
    return next((port for port in ports if port.get("port") == number), None)


def no_port(service: ServiceReference) -> ResolveError:
    return ResolveError(f'no service port {service.port} found for service "{service.name}"')


def slices_of(endpoint_slices: Objects, service: ServiceReference) -> list[JSONObject]:
    """The EndpointSlices of a Service."""
    return [
        one
        for one in endpoint_slices.list(service.namespace)
        if (one["metadata"].get("labels") or {}).get(SERVICE_NAME_LABEL) == service.name
    ]


def is_ready(endpoint: JSONObject) -> bool:
    """Whether an endpoint of a slice takes requests; one that does not say does."""
    return (endpoint.get("conditions") or {}).get("ready") is not False


def _in_slices(slices: Sequence[JSONObject], port_name: str) -> Iterator[Address]:
    for one in slices:
        ports = list(_ports(one, port_name))
        for endpoint in one.get("endpoints") or ():
            if is_ready(endpoint):
                for address in endpoint.get("addresses") or ():
                    yield from (Address(address, port) for port in ports)


def _in_endpoints(endpoints: JSONObject, port_name: str) -> Iterator[Address]:
    for subset in endpoints.get("subsets") or ():
        ports = list(_ports(subset, port_name))
        for address in subset.get("addresses") or ():
            yield from (Address(address["ip"], port) for port in ports)


def _ports(holder: JSONObject, name: str) -> Iterator[int]:
    return (port["port"] for port in holder.get("ports") or () if (port.get("name") or "") == name and port.get("port"))
