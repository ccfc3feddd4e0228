"""From the service ranges of a cluster to the allocator and the Store of Services.

Called by `kubeapi/server.py` before it builds the kinds.
"""

import ipaddress
from collections.abc import Mapping
from functools import partial

from generic.config import ServerConfig
from generic.meta.gvk import GroupResource
from generic.registry.store import Store
from kubeapi.allocation.addresses import AddressPool, Network
from kubeapi.allocation.ports import NodePorts
from kubeapi.allocation.services import ServiceAllocator
from kubeapi.allocation.store import ServiceStore
from kubeapi.resources import build, networking
from kubeapi.resources.build import StoreMaker
from kubeapi.schemas import Schemas

SERVICES = GroupResource("", "services")
ADDRESSES = GroupResource("networking.k8s.io", "ipaddresses")


def networks(ranges: str) -> list[Network]:
    """The value of `--service-cluster-ip-range`: one network, or one of each family. Raises ValueError."""
    found = [ipaddress.ip_network(text.strip()) for text in ranges.split(",")]
    if len({network.version for network in found}) < len(found):
        raise ValueError(f"{ranges}: at most one range of each IP family")
    return found


def allocator(config: ServerConfig, schemas: Schemas, ranges: str) -> ServiceAllocator:
    """Nothing is read or stored yet. Raises ValueError on ranges that cannot be."""
    kind = next(kind for kind in networking.KINDS if kind.gvr.group_resource == ADDRESSES)
    resource = build.resource_of(kind, schemas)
    addresses = Store(resource, config.backings.of(resource))
    pools = [AddressPool(network, addresses) for network in networks(ranges)]
    ports = NodePorts(config.backings.storage, f"{config.backings.prefix}/ranges/servicenodeports")
    return ServiceAllocator({pool.family: pool for pool in pools}, ports)


def stores(made: ServiceAllocator) -> Mapping[GroupResource, StoreMaker]:
    """How the Store of Services is made, for `kubeapi.resources.build`."""
    return {SERVICES: partial(ServiceStore, allocator=made)}
