"""AddressPool: the cluster IPs of one range, each taken one an IPAddress object of its own.

Used by `transaction.py` (one Service's claims) and `repair.py`. Storage refuses a second object of a name, so two
servers on one store never give the same address away. Mirrors
`pkg/registry/core/service/ipallocator/ipallocator.go`.
"""

import ipaddress
import random
from collections.abc import Iterator
from typing import NamedTuple

from generic.meta import errors
from generic.registry.options import DeleteOptions, GetOptions, WriteOptions
from generic.registry.store import Store
from generic.request.context import RequestContext
from generic.request.info import RequestInfo
from generic.request.user import LOOPBACK_USER
from generic.types import JSONObject
from kubeapi.allocation import failures

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

FAMILY_LABEL = "ipaddress.kubernetes.io/ip-family"
MANAGED_BY_LABEL = "ipaddress.kubernetes.io/managed-by"
MANAGER = "ipallocator.k8s.io"

_LEAST_STATIC, _MOST_STATIC, _STATIC_SHARE = 16, 256, 16
"""How much of the lower end is left to those who name their address: a share, within bounds."""


class Owner(NamedTuple):
    """The Service an address or port is for."""

    namespace: str
    name: str

    @classmethod
    def of(cls, service: JSONObject) -> "Owner":
        metadata = service["metadata"]
        return cls(metadata.get("namespace") or "", metadata.get("name") or "")

    def as_parent(self) -> JSONObject:
        """The `spec.parentRef` of an IPAddress."""
        return {"resource": "services", "namespace": self.namespace, "name": self.name}


class AddressPool:
    """`addresses` is the store of IPAddress objects."""

    def __init__(self, network: Network, addresses: Store) -> None:
        self.network = network
        self._addresses = addresses

    @property
    def family(self) -> str:
        return family(self.network)

    async def take(self, address: str, owner: Owner) -> str:
        """Claim this very address; its canonical text. Raises AllocationError, StatusError."""
        name = str(self._checked(address))
        if not await self._create(name, owner):
            raise failures.taken("IP")
        return name

    async def take_any(self, owner: Owner) -> str:
        """Claim an address that is free, at random. Raises AllocationError when there is none, StatusError."""
        await self._addresses.backing.cacher.start()
        for candidate in self._candidates():
            name = str(candidate)
            # The cache knows most that are taken; storage decides on the others.
            if self._addresses.backing.cacher.peek("", name) is None and await self._create(name, owner):
                return name
        raise failures.full()

    async def look(self, address: str = "") -> str:
        """The address a claim would get, for a dry run. Raises AllocationError, StatusError."""
        cacher = self._addresses.backing.cacher
        await cacher.start()
        if address:
            name = str(self._checked(address))
            if await cacher.get("", name) is not None:
                raise failures.taken("IP")
            return name
        for candidate in self._candidates():
            if cacher.peek("", str(candidate)) is None:
                return str(candidate)
        raise failures.full()

    async def free(self, address: str, owner: Owner) -> None:
        """Give an address back, if it is this owner's; otherwise nothing happens. Raises StatusError."""
        try:
            held = await self._addresses.get(_request(), "", address, GetOptions())
            if not is_of(held.decoded(), owner):
                return
            # At this very revision: the next owner's claim must not be deleted for the last one's.
            options = DeleteOptions(precondition_resource_version=str(held.revision))
            await self._addresses.delete(_request(), "", address, options)
        except errors.StatusError as error:
            if error.reason not in ("NotFound", "Conflict"):
                raise

    def _checked(self, text: str) -> Address:
        address = ipaddress.ip_address(text)
        if address not in self.network or not self._first <= int(address) <= self._last:
            raise failures.AllocationError(
                f"the provided IP ({text}) is not in the valid range. The range of valid IPs is {self.network}"
            )
        return address

    @property
    def _first(self) -> int:
        return int(self.network.network_address) + 1

    @property
    def _last(self) -> int:
        """Broadcast is an address of IPv4 alone."""
        return int(self.network.broadcast_address) - (1 if self.network.version == 4 else 0)

    def _candidates(self) -> Iterator[Address]:
        """Every address once: from somewhere in the upper part on, round to its beginning, and the lower part last."""
        size = self._last - self._first + 1
        static = min(max(_LEAST_STATIC, size // _STATIC_SHARE), _MOST_STATIC)
        static = static if static < size else 0
        start = random.randrange(static, size) if size else 0
        make = ipaddress.IPv4Address if self.network.version == 4 else ipaddress.IPv6Address
        for part in (range(start, size), range(static, start), range(static)):
            for offset in part:
                yield make(self._first + offset)

    async def _create(self, name: str, owner: Owner) -> bool:
        obj: JSONObject = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IPAddress",
            "metadata": {"name": name, "labels": {FAMILY_LABEL: self.family, MANAGED_BY_LABEL: MANAGER}},
            "spec": {"parentRef": owner.as_parent()},
        }
        try:
            await self._addresses.create(_request(), "", obj, WriteOptions("CreateOptions", field_manager=MANAGER))
        except errors.StatusError as error:
            if error.reason != "AlreadyExists":
                raise
            return False
        return True


def family(what: Network | Address) -> str:
    """`IPv4` or `IPv6`."""
    return f"IPv{what.version}"


def is_of(obj: JSONObject, owner: Owner) -> bool:
    """Whether the IPAddress says it is this Service's."""
    parent = (obj.get("spec") or {}).get("parentRef") or {}
    return not parent.get("group") and {key: parent.get(key) for key in owner.as_parent()} == owner.as_parent()


def _request() -> RequestContext:
    """On the server's own account: who asked for the Service need not be allowed to write addresses."""
    return RequestContext(RequestInfo("/", "create"), user=LOOPBACK_USER)
