"""Graph: who depends on whom, by UID, and what a change of an object gives to do.

Fed by `sources.py`; read by `collecting.py`. Only objects with owners, and those that wait for the end of their
dependents, are in it. Mirrors processGraphChanges of `pkg/controller/garbagecollector/graph_builder.go`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from generic.registry.delete import FOREGROUND_FINALIZER, ORPHAN_FINALIZER
from generic.types import JSONObject
from kubeapi.controllers.garbagecollector.discovery import Kind
from kubeapi.controllers.garbagecollector.owners import Absent, Reference


class Identity(NamedTuple):
    """Where an object is found."""

    kind: Kind
    namespace: str
    name: str
    uid: str


@dataclass(slots=True, eq=False)
class Node:
    """An object as it was last heard of."""

    identity: Identity
    owners: tuple[Reference, ...] = ()
    being_deleted: bool = False
    deleting_dependents: bool = False
    """It stays until its dependents are gone."""
    orphaning: bool = False
    """It stays until its dependents are its own no longer."""


class Graph:
    """Changes are told with `seen` and `gone`; `delete` and `orphan` are called with UIDs to look at.

    Both are told levels, not edges: hearing something twice does no harm.
    """

    def __init__(self, absent: Absent, *, delete: Callable[[str], None], orphan: Callable[[str], None]) -> None:
        self._absent = absent
        self._delete = delete
        self._orphan = orphan
        self._nodes: dict[str, Node] = {}
        self._dependents: dict[str, dict[str, Node]] = {}

    @property
    def empty(self) -> bool:
        """Nothing owns anything: the end of an object it was not told of means nothing."""
        return not self._nodes

    def get(self, uid: str) -> Node | None:
        return self._nodes.get(uid)

    def dependents(self, uid: str) -> list[Node]:
        """What names this owner."""
        return [*self._dependents.get(uid, {}).values()]

    def blocking(self, uid: str) -> list[Node]:
        """The dependents that have to go before this owner may."""
        return [node for node in self.dependents(uid) if any(ref.uid == uid and ref.blocks for ref in node.owners)]

    def look_at(self, node: Node) -> None:
        """Have it judged again."""
        self._delete(node.identity.uid)

    def naming(self, kinds: Callable[[Reference], bool]) -> Iterable[str]:
        """The UIDs of all that have an owner of such a kind."""
        return [uid for uid, node in self._nodes.items() if any(kinds(ref) for ref in node.owners)]

    def seen(self, kind: Kind, obj: JSONObject) -> None:
        """The object is there, in this state."""
        metadata: dict[str, Any] = obj["metadata"]
        uid, finalizers = metadata.get("uid"), metadata.get("finalizers") or ()
        if not uid:
            return
        deleting = bool(metadata.get("deletionTimestamp"))
        now = Node(
            Identity(kind, metadata.get("namespace") or "", metadata["name"], uid),
            tuple(Reference.of(ref) for ref in metadata.get("ownerReferences") or ()),
            being_deleted=deleting,
            deleting_dependents=deleting and FOREGROUND_FINALIZER in finalizers,
            orphaning=deleting and ORPHAN_FINALIZER in finalizers,
        )
        before = self._nodes.get(uid) or Node(now.identity)
        self._unlink(before)
        if now.owners or now.deleting_dependents or now.orphaning:
            self._link(now)
        self._tell_unblocked(before, now.owners)
        if now.owners and now.owners != before.owners:
            self._delete(uid)
        if now.orphaning and not before.orphaning:
            self._orphan(uid)
        elif now.deleting_dependents and not before.deleting_dependents:
            for node in self.dependents(uid):
                self._delete(node.identity.uid)
            self._delete(uid)

    def gone(self, kind: Kind, obj: JSONObject) -> None:
        """The object is there no longer."""
        metadata = obj["metadata"]
        self.lost(Identity(kind, metadata.get("namespace") or "", metadata["name"], metadata.get("uid") or ""))

    def lost(self, identity: Identity) -> None:
        """The same of an object that is known by its place alone."""
        node = self._nodes.get(identity.uid)
        if node is not None:
            self._unlink(node)
            self._tell_unblocked(node, ())
        dependents = self.dependents(identity.uid)
        if dependents:
            self._absent.add(identity.kind.gvk, identity.namespace, identity.name, identity.uid)
        for dependent in dependents:
            self._delete(dependent.identity.uid)

    def forget(self, kind: Kind) -> None:
        """The resource is followed no longer. Nothing is known of what became of its objects."""
        for node in [node for node in self._nodes.values() if node.identity.kind.gvr == kind.gvr]:
            self._unlink(node)

    def _tell_unblocked(self, before: Node, owners: tuple[Reference, ...]) -> None:
        """An owner that waits for its dependents waits for this one no longer, if it ever did."""
        blocked = {ref.uid for ref in owners if ref.blocks}
        there = {ref.uid for ref in owners}
        for ref in before.owners:
            if ref.uid not in there or (ref.blocks and ref.uid not in blocked):
                owner = self._nodes.get(ref.uid)
                if owner is not None and owner.deleting_dependents:
                    self._delete(ref.uid)

    def _link(self, node: Node) -> None:
        self._nodes[node.identity.uid] = node
        for ref in node.owners:
            self._dependents.setdefault(ref.uid, {})[node.identity.uid] = node

    def _unlink(self, node: Node) -> None:
        uid = node.identity.uid
        self._nodes.pop(uid, None)
        for ref in node.owners:
            dependents = self._dependents.get(ref.uid)
            if dependents is not None:
                dependents.pop(uid, None)
                if not dependents:
                    del self._dependents[ref.uid]
