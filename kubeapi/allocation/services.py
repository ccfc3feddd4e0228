"""ServiceAllocator: gives a Service the addresses and node ports it has to have.

Called by `store.py` on every write of a Service, behind mutating admission and before
validation. Mirrors `pkg/registry/core/service/storage/alloc.go`.
"""

from collections.abc import Mapping
from typing import Any

from generic.meta import errors, fields
from generic.meta.gvk import GroupKind
from generic.types import JSONObject
from kubeapi.allocation import families
from kubeapi.allocation.addresses import AddressPool, Owner
from kubeapi.allocation.failures import AllocationError
from kubeapi.allocation.ports import NodePorts
from kubeapi.allocation.transaction import Transaction
from kubeapi.resources.validation import services as validation

KIND = GroupKind("", "Service")


class ServiceAllocator:
    """`pools` by IP family, the default one first."""

    def __init__(self, pools: Mapping[str, AddressPool], ports: NodePorts) -> None:
        self.pools = pools
        self.ports = ports

    def transaction(self, *, dry_run: bool) -> Transaction:
        return Transaction(self.pools, self.ports, dry_run=dry_run)

    async def fill(self, obj: JSONObject, old: JSONObject | None, claims: Transaction) -> None:
        """Complete a new Service, or a changed one. Raises StatusError; what was claimed until then `claims` knows."""
        claims.begin(Owner.of(obj))
        spec, before = obj["spec"], None if old is None else old.get("spec") or {}
        problems = validation.cluster_ips(spec) or families.fill(spec, before, list(self.pools))
        if problems:
            raise errors.invalid(KIND, _name(obj), problems)
        await self._fill_addresses(obj, before, claims)
        await self._fill_ports(obj, before or {}, claims)
        await self._fill_health_check(spec, before or {}, claims)

    async def release(self, obj: JSONObject, claims: Transaction) -> None:
        """Give back what a Service had that is gone."""
        claims.begin(Owner.of(obj))
        spec = obj.get("spec") or {}
        for address in addresses_of(spec):
            claims.release_address_later(families.family_of(address), address)
        for port in ports_of(spec):
            claims.release_port_later(port)
        await claims.commit()

    # Addresses.

    async def _fill_addresses(self, obj: JSONObject, before: JSONObject | None, claims: Transaction) -> None:
        spec = obj["spec"]
        if before is None or before.get("type") == "ExternalName":
            if spec.get("type") != "ExternalName" and not families.is_headless(spec):
                await self._claim_addresses(obj, 0, claims)
            return
        if families.is_headless(before):
            return
        if spec.get("type") == "ExternalName":
            for address in addresses_of(before):
                claims.release_address_later(families.family_of(address), address)
            return
        now, was = len(spec.get("ipFamilies") or ()), len(before.get("ipFamilies") or ())
        if now > was:
            await self._claim_addresses(obj, was, claims)
        elif now < was:
            for address in addresses_of(before)[now:]:
                claims.release_address_later(families.family_of(address), address)

    async def _claim_addresses(self, obj: JSONObject, start: int, claims: Transaction) -> None:
        """One for each family from `start` on: the one asked for, or any."""
        spec = obj["spec"]
        wanted = list(spec.get("clusterIPs") or ())
        given = wanted[:start]
        for at, family in enumerate(spec["ipFamilies"][start:], start):
            asked = wanted[at] if at < len(wanted) else ""
            try:
                given.append(await claims.address(family, asked))
            except AllocationError as error:
                if not asked:
                    raise errors.internal_error(f"failed to allocate a serviceIP: {error}") from None
                why = f"failed to allocate IP {asked}: {error}"
                raise errors.invalid(KIND, _name(obj), [fields.invalid("spec.clusterIPs", wanted, why)]) from None
        spec["clusterIPs"], spec["clusterIP"] = given, given[0]

    # Node ports.

    async def _fill_ports(self, obj: JSONObject, before: JSONObject, claims: Transaction) -> None:
        """A port that is served by two protocols is the same on the nodes unless they ask for two."""
        spec = obj["spec"]
        held = set(node_ports_of(before)) if has_node_ports(before) else set()
        kept = set(held)
        if has_node_ports(spec):
            chosen: dict[Any, int] = {}
            for at, port in enumerate(spec.get("ports") or ()):
                if not port.get("nodePort") and not allocates_node_ports(spec):
                    continue
                number = port.get("nodePort") or chosen.get(port.get("port")) or _asked_beside(spec, port)
                if number not in kept:
                    number = await self._claim_port(obj, at, number, claims)
                    kept.add(number)
                port["nodePort"] = number
                chosen.setdefault(port.get("port"), number)
        for port in sorted(held - set(node_ports_of(spec) if has_node_ports(spec) else ())):
            claims.release_port_later(port)

    async def _claim_port(self, obj: JSONObject, at: int, wanted: int, claims: Transaction) -> int:
        try:
            return await claims.port(wanted)
        except AllocationError as error:
            if not wanted:
                raise errors.internal_error(f"failed to allocate a nodePort: {error}") from None
            problem = fields.invalid(f"spec.ports[{at}].nodePort", wanted, str(error))
            raise errors.invalid(KIND, _name(obj), [problem]) from None

    async def _fill_health_check(self, spec: JSONObject, before: JSONObject, claims: Transaction) -> None:
        needed, needs = validation.needs_health_check(before), validation.needs_health_check(spec)
        wanted: int = spec.get("healthCheckNodePort") or 0
        if needs and not needed:
            try:
                spec["healthCheckNodePort"] = await claims.port(wanted)
            except AllocationError as error:
                what = f"requested HealthCheck NodePort {wanted}" if wanted else "a HealthCheck NodePort 0"
                raise errors.internal_error(f"failed to allocate {what}: {error}") from None
        elif needed and not needs and before.get("healthCheckNodePort"):
            claims.release_port_later(before["healthCheckNodePort"])


def addresses_of(spec: JSONObject) -> list[str]:
    """The cluster IPs a Service holds."""
    if spec.get("type") == "ExternalName" or families.is_headless(spec):
        return []
    return [address for address in spec.get("clusterIPs") or [spec.get("clusterIP")] if address]


def node_ports_of(spec: JSONObject) -> list[int]:
    return [port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")]


def ports_of(spec: JSONObject) -> list[int]:
    """The node ports a Service holds, that of its health check included."""
    held = node_ports_of(spec) if has_node_ports(spec) else []
    if validation.needs_health_check(spec) and spec.get("healthCheckNodePort"):
        held.append(spec["healthCheckNodePort"])
    return held


def has_node_ports(spec: JSONObject) -> bool:
    return spec.get("type") in ("NodePort", "LoadBalancer")


def allocates_node_ports(spec: JSONObject) -> bool:
    """A load balancer may do without; what it asks for by number it gets all the same."""
    return spec.get("type") == "NodePort" or spec.get("allocateLoadBalancerNodePorts") is not False


def _asked_beside(spec: JSONObject, port: JSONObject) -> int:
    """The node port that the same port asks for elsewhere in the list, for another protocol."""
    same = (other.get("nodePort") for other in spec["ports"] if other.get("port") == port.get("port"))
    return next((number for number in same if number), 0)


def _name(obj: JSONObject) -> str:
    return obj["metadata"].get("name") or ""
