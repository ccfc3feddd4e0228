"""What a change gives the garbage collector to look at, and what it remembers."""

from typing import Any

from generic.meta.gvk import GroupVersion, GroupVersionKind
from generic.types import JSONObject
from kubeapi.controllers.garbagecollector import discovery
from kubeapi.controllers.garbagecollector.discovery import Kind
from kubeapi.controllers.garbagecollector.graph import Graph
from kubeapi.controllers.garbagecollector.owners import Absent, Reference

V1 = GroupVersion("", "v1")
THINGS = Kind(V1.with_resource("things"), V1.with_kind("Thing"), namespaced=True)


class World:
    """A graph, and the UIDs it wants looked at."""

    def __init__(self) -> None:
        self.absent = Absent()
        self.deletes: list[str] = []
        self.orphans: list[str] = []
        self.graph = Graph(self.absent, delete=self.deletes.append, orphan=self.orphans.append)

    def seen(self, uid: str, *owners: str, blocks: bool = False, deleting: str | None = None) -> None:
        """`deleting`: on its way out, with that finalizer."""
        metadata: JSONObject = {"name": uid, "namespace": "default", "uid": uid}
        metadata["ownerReferences"] = [reference(owner, blocks=blocks) for owner in owners]
        if deleting is not None:
            metadata |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": [deleting]}
        self.graph.seen(THINGS, {"metadata": metadata})

    def gone(self, uid: str) -> None:
        self.graph.gone(THINGS, {"metadata": {"name": uid, "namespace": "default", "uid": uid}})

    def taken(self) -> list[str]:
        """What is to be looked at, in order, since the last time."""
        taken = list(self.deletes)
        self.deletes.clear()
        return taken


def reference(uid: str, *, blocks: bool = False, **more: Any) -> JSONObject:
    return {"apiVersion": "v1", "kind": "Thing", "name": uid, "uid": uid, "blockOwnerDeletion": blocks, **more}


def test_what_nobody_owns_is_not_kept() -> None:
    world = World()
    world.seen("alone")
    world.seen("leaving", deleting="example.com/hold")
    assert world.graph.empty
    assert world.taken() == []


def test_new_owners_are_looked_for_and_known_ones_are_not() -> None:
    world = World()
    world.seen("child", "parent")
    assert world.taken() == ["child"]
    world.seen("child", "parent")
    assert world.taken() == []
    world.seen("child", "parent", "other")
    assert world.taken() == ["child"]


def test_the_end_of_an_owner_concerns_its_dependents_and_is_remembered() -> None:
    world = World()
    world.seen("first", "parent")
    world.seen("second", "parent")
    world.taken()
    world.gone("parent")
    assert world.taken() == ["first", "second"]
    assert world.absent.has(Reference.of(reference("parent")), "default")
    assert not world.absent.has(Reference.of(reference("parent")), "elsewhere")
    world.gone("childless")
    assert not world.absent.has(Reference.of(reference("childless")), "default")


def test_an_owner_that_waits_looks_at_all_dependents_and_waits_for_those_that_block() -> None:
    world = World()
    world.seen("blocking", "parent", blocks=True)
    world.seen("other", "parent")
    world.taken()
    world.seen("parent", deleting="foregroundDeletion")
    assert world.taken() == ["blocking", "other", "parent"]
    assert [node.identity.uid for node in world.graph.blocking("parent")] == ["blocking"]
    # Once is enough.
    world.seen("parent", deleting="foregroundDeletion")
    assert world.taken() == []


def test_an_owner_that_waits_is_looked_at_when_it_waits_for_less() -> None:
    world = World()
    for name in ("deleted", "freed", "unblocked"):
        world.seen(name, "parent", blocks=True)
    world.seen("parent", deleting="foregroundDeletion")
    world.taken()
    world.gone("deleted")
    assert world.taken() == ["parent"]
    world.seen("freed")
    assert world.taken() == ["parent"]
    world.seen("unblocked", "parent")
    assert world.taken() == ["parent", "unblocked"]
    assert world.graph.blocking("parent") == []


def test_who_orphans_is_not_asked_to_delete() -> None:
    world = World()
    world.seen("child", "parent")
    world.taken()
    for _ in range(2):
        world.seen("parent", deleting="orphan")
    assert (world.orphans, world.taken()) == (["parent"], [])


def test_what_is_no_longer_followed_is_forgotten_without_consequences() -> None:
    world = World()
    world.seen("child", "parent")
    world.taken()
    world.graph.forget(THINGS)
    assert world.graph.empty
    assert world.graph.dependents("parent") == []
    assert world.taken() == []


def test_absent_owners_are_forgotten_in_order() -> None:
    absent = Absent(limit=2)
    for name in ("a", "b", "c"):
        absent.add(THINGS.gvk, "", name, name)
    refs = [Reference.of(reference(name)) for name in ("a", "b", "c")]
    # Those of a cluster are absent for every namespace.
    assert [absent.has(ref, "any") for ref in refs] == [False, True, True]
    assert not absent.has(Reference.of(reference("c", apiVersion="a/b/c")), "any")


def test_discovery_follows_the_preferred_version_and_knows_the_kinds_of_all() -> None:
    def version(name: str, *verbs: str, plural: str = "things", **more: Any) -> JSONObject:
        kind = {"group": "x.io", "version": name, "kind": plural.title()}
        resource = {"resource": plural, "responseKind": kind, "scope": "Namespaced", "verbs": verbs}
        return {"version": name, "resources": [resource], **more}

    every = ("create", "delete", "get", "list", "watch")
    good = {"metadata": {"name": "x.io"}, "versions": [version("v2", *every), version("v1", *every)]}
    stale = {"metadata": {"name": "y.io"}, "versions": [version("v1", *every, freshness="Stale")]}
    fixed = {"metadata": {"name": "z.io"}, "versions": [version("v1", "get", "list", "watch", plural="fixed")]}
    found = discovery.read([{"items": [good, stale, fixed]}, {}])
    assert {str(resource): kind.gvr.version for resource, kind in found.deletable.items()} == {"things.x.io": "v2"}
    assert [gvk.version for gvk in found.kinds if gvk.group == "x.io"] == ["v2", "v1"]
    assert GroupVersionKind("z.io", "v1", "Fixed") in found.kinds
    assert found.failed == {"y.io"}
