"""What becomes of one object: the decisions of the garbage collector.

Called by the workers of `collector.py` with a UID; reads the graph, asks the API about anything it is going to act on.
Mirrors attemptToDeleteItem, processDeletingDependentsItem and attemptToOrphanWorker of
`pkg/controller/garbagecollector/garbagecollector.go`.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

from generic.client.rest import Propagation
from generic.registry.delete import FOREGROUND_FINALIZER, ORPHAN_FINALIZER
from generic.types import JSONObject
from kubeapi.controllers.garbagecollector.discovery import Kind
from kubeapi.controllers.garbagecollector.graph import Graph, Identity, Node
from kubeapi.controllers.garbagecollector.objects import Objects
from kubeapi.controllers.garbagecollector.owners import Absent, Reference

_AT_ONCE = 16

_LOG = logging.getLogger(__name__)


class Known(Protocol):
    """What `following.py` has in memory."""

    def kind(self, ref: Reference) -> Kind | None:
        """The kind of an owner; None if no server is known for it."""

    def find(self, kind: Kind, namespace: str, name: str) -> JSONObject | None:
        """The object as it was a moment ago; None if it is not there or not followed."""


class UnknownKind(Exception):
    """An owner is of a kind that discovery does not tell of (now): whether it exists cannot be known."""


class Collecting:
    """Every step may be repeated; StatusError says that it has to be."""

    def __init__(self, graph: Graph, absent: Absent, objects: Objects, known: Known) -> None:
        self._graph = graph
        self._absent = absent
        self._objects = objects
        self._known = known

    async def delete_if_unowned(self, uid: str) -> None:
        """Delete the object if none of its owners exists; or let it go if it only waits for its dependents.

        Raises UnknownKind, StatusError.
        """
        node = self._graph.get(uid)
        if node is None or (node.being_deleted and not node.deleting_dependents):
            return
        if not node.deleting_dependents and all(self._is_known(ref, node.identity) for ref in node.owners):
            return
        latest = await self._latest(node)
        if latest is None:
            return
        if node.deleting_dependents:
            await self._finish_foreground(node, latest)
        elif latest["metadata"].get("ownerReferences"):
            await self._judge(node, latest)

    async def orphan_dependents(self, uid: str) -> None:
        """Take the object out of the owners of its dependents, then let it go. Raises StatusError."""
        node = self._graph.get(uid)
        if node is None or not node.orphaning:
            return
        limit = asyncio.Semaphore(_AT_ONCE)

        async def one(dependent: Node) -> None:
            async with limit:
                latest = await self._latest(dependent)
                if latest is not None:
                    await self._drop_owners(dependent.identity, latest, {uid})

        await asyncio.gather(*(one(dependent) for dependent in self._graph.dependents(uid)))
        latest = await self._latest(node)
        if latest is not None:
            await self._drop_finalizer(node.identity, latest, ORPHAN_FINALIZER)

    async def _latest(self, node: Node) -> JSONObject | None:
        """The object as it is; None, and out of the graph with it, if it is that one no longer."""
        identity = node.identity
        latest = await self._objects.get(identity.kind, identity.namespace, identity.name)
        if latest is None or latest["metadata"].get("uid") != identity.uid:
            self._graph.lost(identity)
            return None
        return latest

    async def _finish_foreground(self, node: Node, latest: JSONObject) -> None:
        blocking = self._graph.blocking(node.identity.uid)
        if not blocking:
            await self._drop_finalizer(node.identity, latest, FOREGROUND_FINALIZER)
        for dependent in blocking:
            if not dependent.deleting_dependents:
                self._graph.look_at(dependent)

    async def _judge(self, node: Node, latest: JSONObject) -> None:
        identity = node.identity
        solid: list[Reference] = []
        dangling: list[Reference] = []
        waiting: list[Reference] = []
        for ref in map(Reference.of, latest["metadata"]["ownerReferences"]):
            # A call of this very server may be over without having waited for anything; there may be thousands.
            await asyncio.sleep(0)
            try:
                owner = await self._owner(ref, identity)
            except NamespacedOwner as error:
                _LOG.warning("%s %s: %s", identity.kind.gvr.group_resource, identity.name, error)
                return
            if owner is None:
                dangling.append(ref)
            else:
                (waiting if _waits_for_dependents(owner) else solid).append(ref)
        dependents = self._graph.dependents(identity.uid)
        if solid:
            if dangling or waiting:
                await self._drop_owners(identity, latest, {ref.uid for ref in (*dangling, *waiting)})
        elif waiting and dependents:
            if any(dependent.deleting_dependents for dependent in dependents):
                # Perhaps a circle: the owner waits for this one, which is going to wait for the owner.
                changed = await self._change(identity, latest, "ownerReferences", _unblocked)
                if changed is None:
                    return
                latest = changed
            await self._delete(identity, latest, "Foreground")
        else:
            await self._delete(identity, latest, _policy_of(latest))

    async def _owner(self, ref: Reference, dependent: Identity) -> JSONObject | None:
        """The owner, None if there is none. Raises NamespacedOwner, UnknownKind, StatusError."""
        if self._absent.has(ref, dependent.namespace):
            return None
        kind = self._known.kind(ref)
        if kind is None:
            raise UnknownKind(f"no server is known for {ref.kind} in {ref.api_version}")
        if kind.namespaced and not dependent.namespace:
            raise NamespacedOwner("cluster-scoped objects cannot refer to namespaced owners")
        namespace = dependent.namespace if kind.namespaced else ""
        owner = await self._objects.get(kind, namespace, ref.name)
        if owner is None or owner["metadata"].get("uid") != ref.uid:
            self._absent.add(kind.gvk, namespace, ref.name, ref.uid)
            return None
        return owner

    def _is_known(self, ref: Reference, dependent: Identity) -> bool:
        """Whether the owner is there beyond doubt, and waits for nothing. Its end would be heard of."""
        kind = self._known.kind(ref)
        if kind is None or (kind.namespaced and not dependent.namespace):
            return False
        owner = self._known.find(kind, dependent.namespace if kind.namespaced else "", ref.name)
        return owner is not None and owner["metadata"].get("uid") == ref.uid and not _waits_for_dependents(owner)

    async def _delete(self, identity: Identity, latest: JSONObject, propagation: Propagation) -> None:
        version = latest["metadata"]["resourceVersion"]
        if not await self._objects.delete(identity, resource_version=version, propagation=propagation):
            self._graph.lost(identity)

    async def _drop_owners(self, identity: Identity, latest: JSONObject, uids: set[str]) -> None:
        def without(refs: list[Any]) -> list[Any]:
            return [ref for ref in refs if ref.get("uid") not in uids]

        await self._change(identity, latest, "ownerReferences", without)

    async def _drop_finalizer(self, identity: Identity, latest: JSONObject, finalizer: str) -> None:
        await self._change(identity, latest, "finalizers", lambda held: [found for found in held if found != finalizer])

    async def _change(
        self, identity: Identity, latest: JSONObject, key: str, change: Callable[[list[Any]], list[Any]]
    ) -> JSONObject | None:
        """The object afterwards; None if it is gone."""
        changed = await self._objects.change(identity, latest, key, change)
        if changed is None:
            self._graph.lost(identity)
        return changed


class NamespacedOwner(Exception):
    """A cluster-scoped object names an owner that lives in a namespace, and cannot say in which."""


def _waits_for_dependents(owner: JSONObject) -> bool:
    metadata = owner["metadata"]
    return bool(metadata.get("deletionTimestamp")) and FOREGROUND_FINALIZER in (metadata.get("finalizers") or ())


def _policy_of(latest: JSONObject) -> Propagation:
    """The one its finalizers ask for."""
    finalizers = latest["metadata"].get("finalizers") or ()
    if ORPHAN_FINALIZER in finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND_FINALIZER in finalizers else "Background"


def _unblocked(refs: list[Any]) -> list[Any]:
    return [{**ref, "blockOwnerDeletion": False} if ref.get("blockOwnerDeletion") else ref for ref in refs]
