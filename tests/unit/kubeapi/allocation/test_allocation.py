"""Addresses and node ports where several servers give them away, where there are few, and what the repair does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from generic.client.loopback import LoopbackTransport
from generic.client.rest import Client
from generic.config import ServerConfig
from generic.meta.selectors import FieldSelector, LabelSelector
from generic.registry.backings import Backings
from generic.registry.options import DeleteOptions, ListOptions, WriteOptions
from generic.registry.resource import Resource
from generic.storage.cacher import Cacher, ListResult
from generic.storage.interface import Storage
from generic.storage.sqlite import SqliteStorage
from generic.types import JSONObject
from kubeapi.allocation import build as allocation
from kubeapi.allocation import repair
from kubeapi.allocation.addresses import Owner
from kubeapi.allocation.failures import AllocationError
from kubeapi.allocation.ports import NodePorts
from kubeapi.allocation.repair import AllocationRepair
from kubeapi.allocation.services import ServiceAllocator
from kubeapi.allocation.store import ServiceStore
from kubeapi.resources import build
from tests.support import builtin, kubeapi

pytestmark = pytest.mark.anyio

OWNER = Owner("default", "web")


@dataclass
class Server:
    """What one of several servers on a store has of its own."""

    allocator: ServiceAllocator
    held: Cacher
    claimed: Cacher
    services: ServiceStore
    config: ServerConfig

    @classmethod
    def on(cls, storage: Storage, ranges: str = "10.0.0.0/29") -> "Server":
        config = ServerConfig(Backings(storage), Client.loopback(LoopbackTransport()))
        made = allocation.allocator(config, kubeapi.schemas(), ranges)
        kinds = build.build(config, kubeapi.schemas(), makers=allocation.stores(made))
        stores = {entry.resource.group_resource: entry.storage for entry in kinds}
        services, addresses = stores[allocation.SERVICES], stores[allocation.ADDRESSES]
        return cls(made, services.backing.cacher, addresses.backing.cacher, services, config)

    def repair(self) -> AllocationRepair:
        return AllocationRepair(self.allocator, held=self.held, claimed=self.claimed)

    async def store(self, **spec: object) -> None:
        """A service that has what it says, though nobody was asked for it."""
        obj: JSONObject = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"}}
        encoded = builtin.copy({**obj, "spec": spec})
        await self.held.start()
        raw = self.config.backings.of(self._services()).codec.encode(encoded)
        await self.config.backings.storage.put(self.held.key("default", "web"), raw, expected_revision=0)

    def _services(self) -> Resource:
        return build.resource_of(builtin.kind("v1", "Service"), kubeapi.schemas())


def node_port(name: str, port: int) -> JSONObject:
    obj: JSONObject = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"type": "NodePort", "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": port}]},
    }
    builtin.kind("v1", "Service").strategy.default(obj)
    return obj


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    engine = SqliteStorage(tmp_path / "state.db")
    await engine.start()
    yield engine
    await engine.close()


@pytest.fixture
async def server(storage: Storage) -> AsyncIterator[Server]:
    made = Server.on(storage)
    yield made
    await made.config.backings.stop()


async def test_two_servers_on_one_store_never_give_an_address_twice(storage: Storage, server: Server) -> None:
    other = Server.on(storage)
    pools = [server.allocator.pools["IPv4"], other.allocator.pools["IPv4"]]
    given = await asyncio.gather(*(pools[number % 2].take_any(OWNER) for number in range(6)))
    assert sorted(given) == [f"10.0.0.{last}" for last in range(1, 7)]
    with pytest.raises(AllocationError, match="range is full"):
        await pools[0].take_any(OWNER)
    await other.config.backings.stop()


async def test_two_servers_on_one_store_never_give_a_port_twice(storage: Storage) -> None:
    ranges = [NodePorts(storage, "/registry/ranges/servicenodeports", last=30009) for _ in range(2)]
    given = await asyncio.gather(*(ranges[number % 2].take_any() for number in range(10)))
    assert sorted(given) == list(range(30000, 30010))
    with pytest.raises(AllocationError, match="range is full"):
        await ranges[1].take_any()
    await ranges[0].free([30004, 30005])
    assert await ranges[1].take(30005) == 30005


async def test_the_lower_end_is_left_to_those_who_name_their_address(storage: Storage) -> None:
    server = Server.on(storage, "10.0.0.0/24")
    pool = server.allocator.pools["IPv4"]
    given = await asyncio.gather(*(pool.take_any(OWNER) for _ in range(20)))
    assert all(int(address.rpartition(".")[2]) > 16 for address in given)
    await server.config.backings.stop()


@pytest.mark.parametrize("address", ["10.0.0.0", "10.0.0.7", "10.0.0.8", "fd00::1"])
async def test_neither_ends_of_the_network_nor_what_lies_outside_are_addresses(server: Server, address: str) -> None:
    with pytest.raises(AllocationError, match="is not in the valid range"):
        await server.allocator.pools["IPv4"].take(address, OWNER)


async def test_two_ranges_make_two_stacks(storage: Storage) -> None:
    server = Server.on(storage, "10.0.0.0/24,fd00::/112")
    obj: JSONObject = {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"type": "ClusterIP", "ipFamilyPolicy": "PreferDualStack", "ports": [{"port": 80}]},
    }
    claims = server.allocator.transaction(dry_run=False)
    await server.allocator.fill(obj, None, claims)
    spec = obj["spec"]
    assert spec["ipFamilies"] == ["IPv4", "IPv6"]
    assert spec["clusterIPs"][0] == spec["clusterIP"]
    assert spec["clusterIPs"][1].startswith("fd00::")
    single = {**obj, "spec": {**spec, "ipFamilyPolicy": "SingleStack"}}
    await server.allocator.fill(single, obj, claims)
    assert (single["spec"]["clusterIPs"], single["spec"]["ipFamilies"]) == (spec["clusterIPs"][:1], ["IPv4"])
    await claims.commit()
    assert await server.claimed.get("", spec["clusterIPs"][1]) is None
    await server.config.backings.stop()


async def test_only_its_owner_gives_an_address_back(server: Server) -> None:
    pool = server.allocator.pools["IPv4"]
    address = await pool.take_any(OWNER)
    await pool.free(address, Owner("default", "other"))
    assert await server.claimed.get("", address) is not None
    await pool.free(address, OWNER)
    assert await server.claimed.get("", address) is None


async def test_a_port_is_released_only_by_the_delete_that_ended_its_service(server: Server) -> None:
    """A collection may be selected with a Service that somebody else deletes, whose port is somebody else's by then."""
    services = server.services
    await services.create(builtin.request(), "default", node_port("old", 30500), WriteOptions("CreateOptions"))
    selecting = server.held.list

    async def overtaken(*args: Any, **kwargs: Any) -> ListResult:
        selected = await selecting(*args, **kwargs)
        await services.delete(builtin.request(), "default", "old", DeleteOptions())
        await services.create(builtin.request(), "default", node_port("new", 30500), WriteOptions("CreateOptions"))
        return selected

    with mock.patch.object(server.held, "list", overtaken):
        everything = ListOptions(LabelSelector.parse(""), FieldSelector.parse(""))
        await services.delete_collection(builtin.request(), "default", DeleteOptions(), everything)
    assert await server.allocator.ports.taken() == {30500}


async def test_a_claim_is_released_once_it_is_old_enough_and_no_service_has_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = await server.allocator.pools["IPv4"].take_any(OWNER)
    await server.repair().look()
    assert await server.claimed.get("", address) is not None, "its service may be about to be stored"
    monkeypatch.setattr(repair, "GRACE", -repair.GRACE)
    await server.repair().look()
    assert await server.claimed.get("", address) is None


async def test_a_service_without_a_claim_gets_one(server: Server) -> None:
    await server.store(type="NodePort", clusterIPs=["10.0.0.3"], ports=[{"port": 80, "nodePort": 30500}])
    await server.repair().look()
    with pytest.raises(AllocationError, match="provided IP is already allocated"):
        await server.allocator.pools["IPv4"].take("10.0.0.3", Owner("default", "other"))
    with pytest.raises(AllocationError, match="provided port is already allocated"):
        await server.allocator.ports.take(30500)


async def test_a_claim_in_the_name_of_another_is_put_right(server: Server) -> None:
    await server.allocator.pools["IPv4"].take("10.0.0.3", Owner("default", "other"))
    await server.store(type="ClusterIP", clusterIPs=["10.0.0.3"])
    await server.repair().look()
    held = await server.claimed.get("", "10.0.0.3")
    assert held is not None
    assert held.decoded()["spec"]["parentRef"]["name"] == "web"


async def test_a_port_is_released_when_three_looks_find_it_unused(server: Server) -> None:
    await server.allocator.ports.take(30500)
    work = server.repair()
    await work.look()
    await work.look()
    assert await server.allocator.ports.taken() == {30500}
    await work.look()
    assert await server.allocator.ports.taken() == set()


async def test_an_object_of_no_service_is_left_to_who_made_it(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair, "GRACE", -repair.GRACE)
    store = server.allocator.pools["IPv4"]._addresses
    foreign = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IPAddress",
        "metadata": {"name": "10.0.0.4"},
        "spec": {"parentRef": {"group": "gateway.networking.k8s.io", "resource": "gateways", "name": "web"}},
    }
    await store.create(builtin.request(), "", foreign, WriteOptions("CreateOptions"))
    await server.repair().look()
    assert await server.claimed.get("", "10.0.0.4") is not None


def test_one_range_of_each_family_at_most() -> None:
    with pytest.raises(ValueError, match="at most one range of each IP family"):
        allocation.networks("10.0.0.0/24,10.1.0.0/24")
