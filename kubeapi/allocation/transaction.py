"""Transaction: what one write of a Service claims, and what it will no longer need.

Made by `store.py` for each write, filled by `services.py`. What was claimed is given back
if the Service is not stored, what it no longer uses once it is. A process that dies in between leaves a claim that
`repair.py` finds. Mirrors `pkg/registry/core/service/storage/transaction.go` and the portallocator's operation.
"""

import logging
from collections.abc import Mapping

from generic.meta import errors
from kubeapi.allocation import failures
from kubeapi.allocation.addresses import AddressPool, Owner
from kubeapi.allocation.ports import NodePorts

_LOG = logging.getLogger(__name__)


class Transaction:
    """`pools` by IP family, the default one first. A dry run claims nothing and gets what it would have got."""

    def __init__(self, pools: Mapping[str, AddressPool], ports: NodePorts, *, dry_run: bool) -> None:
        self._pools = pools
        self._ports = ports
        self._dry_run = dry_run
        self._owner = Owner("", "")
        self._addresses: list[tuple[str, str]] = []
        self._taken_ports: list[int] = []
        self._later: tuple[list[tuple[str, str]], list[int]] = ([], [])

    def begin(self, owner: Owner) -> None:
        """Whose Service it is."""
        self._owner = owner

    async def address(self, family: str, wanted: str = "") -> str:
        """Claim the wanted address, or any of the family. Raises AllocationError, StatusError."""
        pool = self._pools[family]
        if self._dry_run:
            return await pool.look(wanted)
        taken = await (pool.take(wanted, self._owner) if wanted else pool.take_any(self._owner))
        self._addresses.append((family, taken))
        return taken

    async def port(self, wanted: int = 0) -> int:
        """Claim the wanted node port, or any. Raises AllocationError, StatusError."""
        if self._dry_run:
            taken = await self._look_for_port(wanted)
        else:
            taken = await (self._ports.take(wanted) if wanted else self._ports.take_any())
        self._taken_ports.append(taken)
        return taken

    async def _look_for_port(self, wanted: int) -> int:
        held = await self._ports.taken() | set(self._taken_ports)
        if not wanted:
            return self._ports.choose(held)
        self._ports.check(wanted)
        if wanted in held:
            raise failures.taken("port")
        return wanted

    def release_address_later(self, family: str, address: str) -> None:
        """Give this one back once the write is done."""
        self._later[0].append((family, address))

    def release_port_later(self, port: int) -> None:
        """Give this one back once the write is done."""
        self._later[1].append(port)

    async def revert(self) -> None:
        """Give back everything this transaction claimed: the Service was not stored. Failures are for the repair."""
        addresses, self._addresses = self._addresses, []
        ports, self._taken_ports = self._taken_ports, []
        self._later = ([], [])
        await self._free(addresses, ports)

    async def commit(self) -> None:
        """The Service is stored: give back what it no longer uses."""
        self._addresses, self._taken_ports = [], []
        (addresses, ports), self._later = self._later, ([], [])
        await self._free(addresses, ports)

    async def _free(self, addresses: list[tuple[str, str]], ports: list[int]) -> None:
        if self._dry_run:
            return
        for family, address in addresses:
            pool = self._pools.get(family)
            if pool is None:
                # The server was given other ranges since: nobody allocates from that one now.
                continue
            try:
                await pool.free(address, self._owner)
            except errors.StatusError as error:
                _LOG.warning("address %s of service %s/%s is not released yet: %s", address, *self._owner, error)
        try:
            await self._ports.free(ports)
        except errors.StatusError as error:
            _LOG.warning("node ports %s of service %s/%s are not released yet: %s", ports, *self._owner, error)
