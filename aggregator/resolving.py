"""Who may be asked for a Service of an APIService: its endpoints, its cluster IP, or this very server.

Chosen by `server.py`, used by the proxy for every request. Mirrors `kube-aggregator/pkg/apiserver/resolvers.go`.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from generic.client import resolving
from generic.client.resolving import Address, Objects, ResolveError, ServiceReference

_OURSELVES = ServiceReference("default", "kubernetes", 443)


class ServiceResolver(Protocol):
    """Finds the server behind a Service."""

    def resolve(self, service: ServiceReference) -> Sequence[Address]:
        """Where it is served, at least one address, in the order to try them. Raises ResolveError."""


class ClusterIPResolver:
    """By the cluster IP of a Service, where something else takes care of what is behind it."""

    def __init__(self, services: Objects) -> None:
        self._services = services

    def resolve(self, service: ServiceReference) -> Sequence[Address]:
        found = resolving.found_in(self._services, service)
        if resolving.type_of(found) == "ExternalName":
            return [resolving.external(found, service)]
        address = (found.get("spec") or {}).get("clusterIP") or ""
        if address in ("", "None"):
            raise ResolveError(f'no service ClusterIP address found for service "{service.name}"')
        if resolving.port_of(found, service.port) is None:
            raise resolving.no_port(service)
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
