"""From a Service to the addresses where it is served now.

Used by the proxy for every request and by the availability check. There need be no kube-proxy here: endpoints are
looked up also where a Service has a cluster IP, unless told otherwise. Mirrors
`apiserver/pkg/util/proxy/proxy.go` and `kube-aggregator/pkg/apiserver/resolvers.go`.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from aggregator.apiservices.registration import ServiceReference
from generic.types import JSONObject

SERVICE_NAME_LABEL = "kubernetes.io/service-name"
_OURSELVES = ServiceReference("default", "kubernetes", 443)
_WITH_ENDPOINTS = ("ClusterIP", "NodePort", "LoadBalancer")


class ResolveError(Exception):
    """There is nobody to send a request to; the message says why."""


class Address(NamedTuple):
    """Where to connect to: a host name or IP address, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class ServiceResolver(Protocol):
    """Finds the server behind a Service."""

    def resolve(self, service: ServiceReference) -> Sequence[Address]:
        """Where it is served, at least one address, in the order to try them. Raises ResolveError."""


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
        found = self._services.get(service.name, service.namespace)
        if found is None:
            raise ResolveError(f'service "{service.name}" not found')
        spec = found.get("spec") or {}
        kind = spec.get("type") or "ClusterIP"
        if kind == "ExternalName":
            return [_external(spec, service)]
        if kind not in _WITH_ENDPOINTS:
            raise ResolveError(f'unsupported service type "{kind}"')
        port = port_of(found, service.port)
        if port is None:
            raise ResolveError(f'no service port {service.port} found for service "{service.name}"')
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


class ClusterIPResolver:
    """By the cluster IP of a Service, where something else takes care of what is behind it."""

    def __init__(self, services: Objects) -> None:
        self._services = services

    def resolve(self, service: ServiceReference) -> Sequence[Address]:
        found = self._services.get(service.name, service.namespace)
        if found is None:
            raise ResolveError(f'service "{service.name}" not found')
        spec = found.get("spec") or {}
        kind, address = spec.get("type") or "ClusterIP", spec.get("clusterIP") or ""
        if kind == "ExternalName":
            return [_external(spec, service)]
        if kind not in _WITH_ENDPOINTS:
            raise ResolveError(f'unsupported service type "{kind}"')
        if address in ("", "None"):
            raise ResolveError(f'no service ClusterIP address found for service "{service.name}"')
        if port_of(found, service.port) is None:
            raise ResolveError(f'no service port {service.port} found for service "{service.name}"')
        return [Address(address, service.port)]


class LoopbackResolver:
    """`default/kubernetes:443` is this very server; the rest is for another resolver."""

    def __init__(self, others: ServiceResolver, own_port: Callable[[], int]) -> None:
        self._others = others
        self._own_port = own_port

    def resolve(self, service: ServiceReference) -> Sequence[Address]:
        if service == _OURSELVES:
            return [Address("localhost", self._own_port())]
        return self._others.resolve(service)


def port_of(service: JSONObject, number: int) -> JSONObject | None:
    """The entry of a Service's `spec.ports` that has this number."""
    ports: Sequence[JSONObject] = (service.get("spec") or {}).get("ports") or ()
    return next((port for port in ports if port.get("port") == number), None)


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
        ports = [port["port"] for port in one.get("ports") or () if _is_port(port, port_name)]
        for endpoint in one.get("endpoints") or ():
            if is_ready(endpoint):
                for address in endpoint.get("addresses") or ():
                    yield from (Address(address, port) for port in ports)


def _in_endpoints(endpoints: JSONObject, port_name: str) -> Iterator[Address]:
    for subset in endpoints.get("subsets") or ():
        ports = [port["port"] for port in subset.get("ports") or () if _is_port(port, port_name)]
        for address in subset.get("addresses") or ():
            yield from (Address(address["ip"], port) for port in ports)


def _is_port(port: JSONObject, name: str) -> bool:
    return (port.get("name") or "") == name and bool(port.get("port"))


def _external(spec: JSONObject, service: ServiceReference) -> Address:
    name = spec.get("externalName") or ""
    if not name:
        raise ResolveError(f'service "{service.name}" has no external name')
    return Address(name, service.port)
