"""NodePorts: which ports of the nodes are taken, one bit each in one stored object.

Used by `transaction.py` and `repair.py`. Every change is a compare-and-swap of that object, so two servers on one
store never give the same port away. Kept where Kubernetes keeps it and in its form, a RangeAllocation: mirrors
`pkg/registry/core/service/{allocator,portallocator}`.
"""

import base64
import random
from collections.abc import Callable, Iterable

import orjson

from generic.meta.gvk import GroupResource
from generic.storage import failures as storage_failures
from generic.storage.interface import CompareFailed, KeyValue, Storage, StorageError
from kubeapi.allocation import failures

RESOURCE = GroupResource("", "servicenodeportallocations")
FIRST, LAST = 30000, 32767
"""`--service-node-port-range`, as it is unless told otherwise."""

_STATIC = 86
"""How many at the lower end are left to those who name their port."""

_Change = Callable[[set[int]], set[int]]


class NodePorts:
    """`key` is where in `storage` the object is."""

    def __init__(self, storage: Storage, key: str, *, first: int = FIRST, last: int = LAST) -> None:
        self._storage = storage
        self._key = key
        self._first, self._last = first, last

    def __contains__(self, port: int) -> bool:
        return self._first <= port <= self._last

    async def taken(self) -> set[int]:
        """Every port that is. Raises StatusError."""
        return self._decode(await self._read())

    async def take(self, port: int) -> int:
        """Claim this very port. Raises AllocationError, StatusError."""
        self.check(port)

        def add(taken: set[int]) -> set[int]:
            if port in taken:
                raise failures.taken("port")
            return taken | {port}

        await self.change(add)
        return port

    async def take_any(self) -> int:
        """Claim a port that is free, at random. Raises AllocationError when there is none, StatusError."""
        chosen = 0

        def add(taken: set[int]) -> set[int]:
            nonlocal chosen
            chosen = self.choose(taken)
            return taken | {chosen}

        await self.change(add)
        return chosen

    async def free(self, ports: Iterable[int]) -> None:
        """Give ports back. Raises StatusError."""
        gone = set(ports)
        if gone:
            await self.change(lambda taken: taken - gone)

    def check(self, port: int) -> None:
        """Raises AllocationError for a port that is not of the range."""
        if port not in self:
            bounds = f"{self._first}-{self._last}"
            raise failures.AllocationError(
                f"provided port is not in the valid range. The range of valid ports is {bounds}"
            )

    def choose(self, taken: set[int]) -> int:
        """A port that is not among `taken`; of the lower end only if there is no other. Raises AllocationError."""
        middle = min(self._first + _STATIC, self._last)
        for part in (range(middle, self._last + 1), range(self._first, middle)):
            free = [port for port in part if port not in taken]
            if free:
                return random.choice(free)
        raise failures.full()

    async def change(self, change: _Change) -> None:
        """Replace what is taken by what `change` makes of it; it may be asked several times. Raises StatusError."""
        held = await self._read()
        while True:
            before = self._decode(held)
            after = change(before)
            if after == before:
                return
            try:
                revision = held.mod_revision if held is not None else 0
                await self._storage.put(self._key, self._encode(after), expected_revision=revision)
            except CompareFailed as lost:
                held = lost.current
            except StorageError as error:
                raise storage_failures.status_of(error, resource=RESOURCE, verb="update") from error
            else:
                return

    async def _read(self) -> KeyValue | None:
        try:
            return (await self._storage.get(self._key)).item
        except StorageError as error:
            raise storage_failures.status_of(error, resource=RESOURCE, verb="get") from error

    def _decode(self, held: KeyValue | None) -> set[int]:
        if held is None:
            return set()
        stored = orjson.loads(held.value)
        first = int(str(stored["range"]).partition("-")[0])
        bits = int.from_bytes(base64.b64decode(stored.get("data") or ""))
        return {first + at for at in range(bits.bit_length()) if bits >> at & 1}

    def _encode(self, taken: set[int]) -> bytes:
        bits = 0
        for port in taken:
            if port in self:
                bits |= 1 << (port - self._first)
        data = bits.to_bytes((bits.bit_length() + 7) // 8)
        return orjson.dumps({
            "apiVersion": "v1",
            "kind": "RangeAllocation",
            "metadata": {},
            "range": f"{self._first}-{self._last}",
            "data": base64.b64encode(data).decode(),
        })
