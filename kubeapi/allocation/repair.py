"""AllocationRepair: what is claimed and what Services hold, brought together again.

A server that dies between claiming and storing leaves a claim that nobody uses; a store from before there were claims
has Services without any. Started and stopped by a hook of `kubeapi/server.py`. Mirrors
`pkg/registry/core/service/{ipallocator,portallocator}/controller`.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from generic.meta import time as meta_time
from generic.storage.cacher import Cacher
from generic.storage.objects import StoredObject
from generic.types import JSONObject
from kubeapi.allocation import addresses, families, services
from kubeapi.allocation.addresses import MANAGED_BY_LABEL, MANAGER, Owner
from kubeapi.allocation.failures import AllocationError
from kubeapi.allocation.services import ServiceAllocator
from kubeapi.controllers.periodic import Periodic

EVERY = 180.0
"""Seconds between two looks, as in Kubernetes."""
GRACE = timedelta(seconds=60)
"""A younger claim may be one whose Service is about to be stored."""
PATIENCE = 3
"""In how many looks in a row a node port, whose age nobody knows, must be found unused."""

_LOG = logging.getLogger(__name__)


class AllocationRepair:
    """`held` are the Services, `claimed` the IPAddresses there are."""

    def __init__(self, allocator: ServiceAllocator, *, held: Cacher, claimed: Cacher) -> None:
        self._allocator = allocator
        self._held = held
        self._claimed = claimed
        self._unused: Counter[int] = Counter()
        self._work = Periodic("service-allocation-repair", self.look, every=EVERY)

    async def start(self) -> None:
        self._work.start()

    async def stop(self) -> None:
        await self._work.stop()

    async def look(self) -> None:
        """Once over everything. Raises StatusError."""
        await self._held.start()
        await self._claimed.start()
        # Ports before Services: one claimed in between must not look as if nobody had it.
        ports = await self._allocator.ports.taken()
        found = [(Owner.of(obj), obj.get("spec") or {}) for obj in _decoded(self._held.peek_all())]
        await self._repair_addresses({
            address: owner for owner, spec in found for address in services.addresses_of(spec)
        })
        await self._repair_ports(ports, {port for _, spec in found for port in services.ports_of(spec)})

    async def _repair_addresses(self, wanted: dict[str, Owner]) -> None:
        for obj in _decoded(self._claimed.peek_all()):
            name = obj["metadata"]["name"]
            owner = wanted.get(name)
            if owner is not None and addresses.is_of(obj, owner):
                del wanted[name]
            elif owner is not None or _is_forgotten(obj):
                await self._free(name, obj)
        for address, owner in wanted.items():
            await self._claim(address, owner)

    async def _free(self, address: str, obj: JSONObject) -> None:
        pool = self._allocator.pools.get(families.family_of(address))
        if pool is None:
            return
        parent = (obj.get("spec") or {}).get("parentRef") or {}
        _LOG.info("address %s is claimed for a service that does not have it; released", address)
        await pool.free(address, Owner(parent.get("namespace") or "", parent.get("name") or ""))

    async def _claim(self, address: str, owner: Owner) -> None:
        pool = self._allocator.pools.get(families.family_of(address))
        if pool is None:
            return
        try:
            await pool.take(address, owner)
        except AllocationError as error:
            _LOG.warning("service %s/%s has the address %s: %s", *owner, address, error)

    async def _repair_ports(self, taken: set[int], wanted: set[int]) -> None:
        self._unused = Counter({port: self._unused[port] + 1 for port in taken - wanted})
        leaked = {port for port, looks in self._unused.items() if looks >= PATIENCE}
        missing = {port for port in wanted - taken if port in self._allocator.ports}
        if leaked or missing:
            _LOG.info("node ports: %s released, %s claimed again", sorted(leaked), sorted(missing))
            await self._allocator.ports.change(lambda held: (held - leaked) | missing)


def _decoded(objects: Sequence[StoredObject]) -> list[JSONObject]:
    return [found.decoded() for found in objects]


def _is_forgotten(obj: JSONObject) -> bool:
    """One of ours that has had time enough; addresses others manage are theirs."""
    metadata = obj["metadata"]
    if (metadata.get("labels") or {}).get(MANAGED_BY_LABEL) != MANAGER:
        return False
    return meta_time.utcnow() - meta_time.parse(metadata["creationTimestamp"]) > GRACE
