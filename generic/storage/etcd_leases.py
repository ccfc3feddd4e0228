"""Leases for keys that disappear by themselves; keys that end at about the same time share one.

Called by EtcdStorage. A lease costs etcd a write and a timer, and Events all live for an hour: a lease is made a
little longer than asked for and reused while it still covers. After `apiserver/pkg/storage/etcd3/lease_manager.go`.
"""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from generic.storage.etcd_client import Client
from generic.storage.etcd_protos import rpc

SLACK = 0.05
"""How much longer than asked for a key may stay, as a part of its TTL (and at least to the full second)."""
MOST_KEYS = 1000
"""On one lease: etcd deletes them in one go."""


@dataclass(slots=True)
class _Lease:
    id: int
    ends: float
    keys: int = 0


class Leases:
    """The leases that may still be reused, one per TTL."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._leases: dict[float, _Lease] = {}
        self._granting = asyncio.Lock()

    async def lease(self, ttl: float) -> int:
        """A lease that ends `ttl` seconds from now, or a little later. Raises StorageError."""
        async with self._granting:
            lease = self._leases.get(ttl)
            if lease is None or lease.keys >= MOST_KEYS or lease.ends < self._clock() + ttl:
                seconds = max(math.ceil(ttl * (1 + SLACK)), 1)
                asked_at = self._clock()
                granted = await self._client.call(lambda m: m.lease.LeaseGrant, rpc.LeaseGrantRequest(TTL=seconds))
                lease = _Lease(granted.ID, asked_at + seconds)
                self._leases = {t: other for t, other in self._leases.items() if other.ends > asked_at}
                self._leases[ttl] = lease
            lease.keys += 1
            return lease.id

    def forget(self, lease_id: int) -> None:
        """The cluster does not know this lease any more."""
        self._leases = {ttl: lease for ttl, lease in self._leases.items() if lease.id != lease_id}
