"""ServerConfig: what the servers of one process share.

Made once by whoever composes servers (`trikube.controlplane`, `trikube.aa`), handed to each of them.
Mirrors `apiserver/pkg/server/config.go`.
"""

from dataclasses import dataclass, field

from generic.admission.interface import AdmissionChain
from generic.client.rest import Client
from generic.endpoints.discovery.aggregated import DiscoveryManager
from generic.endpoints.openapi.known_types import KnownTypes
from generic.registry.backings import Backings
from generic.registry.resource import Resource
from generic.registry.rest import InstalledResource, Subresource
from generic.registry.store import StatusStore, Store


@dataclass(slots=True)
class ServerConfig:
    """`loopback` reaches the outermost server of this very process, as system:apiserver."""

    backings: Backings
    loopback: Client
    admission: AdmissionChain = field(default_factory=AdmissionChain)
    discovery: DiscoveryManager = field(default_factory=DiscoveryManager)
    types: KnownTypes = field(default_factory=KnownTypes)
    garbage_collection: bool = False

    def store(self, resource: Resource) -> Store:
        """A Store of the resource with this process's storage and admission."""
        return Store(
            resource,
            self.backings.of(resource),
            admission=self.admission,
            garbage_collection=self.garbage_collection,
        )

    def install(self, resource: Resource) -> InstalledResource:
        """The resource with its Store and, where its strategy has one, the `/status` subresource."""
        store = self.store(resource)
        subresources = {}
        if resource.strategy.has_status:
            subresources["status"] = Subresource(StatusStore(store, admission=self.admission), resource.gvk)
        return InstalledResource(resource, store, subresources)
