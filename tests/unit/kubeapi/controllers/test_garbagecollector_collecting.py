"""What the garbage collector does to one object, as far as it takes no server to see."""

import asyncio

import pytest

from generic.client.rest import Propagation
from generic.meta.gvk import GroupVersion
from generic.types import JSONObject
from kubeapi.controllers.garbagecollector.collecting import Collecting
from kubeapi.controllers.garbagecollector.discovery import Kind
from kubeapi.controllers.garbagecollector.graph import Graph, Identity
from kubeapi.controllers.garbagecollector.owners import Absent, Reference

pytestmark = pytest.mark.anyio

V1 = GroupVersion("", "v1")
THINGS = Kind(V1.with_resource("things"), V1.with_kind("Thing"), namespaced=True)


class OneObject:
    """A server in this process: it answers without waiting for anything. It has one object, and no owner of it."""

    def __init__(self, obj: JSONObject) -> None:
        self.obj: JSONObject | None = obj

    async def get(self, kind: Kind, namespace: str, name: str) -> JSONObject | None:
        return self.obj if self.obj is not None and name == self.obj["metadata"]["name"] else None

    async def delete(self, identity: Identity, *, resource_version: str, propagation: Propagation) -> bool:
        self.obj = None
        return True

    def kind(self, ref: Reference) -> Kind:
        return THINGS

    def find(self, kind: Kind, namespace: str, name: str) -> None:
        return None


async def test_looking_for_many_owners_lets_others_have_their_turn() -> None:
    owners = [{"apiVersion": "v1", "kind": "Thing", "name": f"gone{n}", "uid": f"gone{n}"} for n in range(200)]
    metadata = {"name": "child", "namespace": "default", "uid": "child", "resourceVersion": "1"}
    server = OneObject({"metadata": {**metadata, "ownerReferences": owners}})
    absent = Absent()
    graph = Graph(absent, delete=lambda uid: None, orphan=lambda uid: None)
    graph.seen(THINGS, server.obj or {})

    collecting = Collecting(graph, absent, server, server)  # type: ignore[arg-type]
    work = asyncio.ensure_future(collecting.delete_if_unowned("child"))
    turns = 0
    while not work.done():
        await asyncio.sleep(0)
        turns += 1
    await work
    assert server.obj is None
    assert turns > len(owners)
