"""RBACSource: keeps an RBACIndex in step with the four RBAC resources of this very server.

Made by `kubeapi/server.py` over the caches of its own Stores, so that a decision sees every write already
acknowledged; the authorizer of the handler chain reads the index. Mirrors what the shared informers of
`pkg/controlplane` are to the RBAC authorizer of Kubernetes.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from generic.authorization.rbac_index import RBACIndex
from generic.storage.cacher_state import Listener
from generic.storage.objects import StoredObject
from generic.storage.watch_stream import WatchEvent

log = logging.getLogger(__name__)

KINDS: Mapping[str, str] = {
    "clusterroles": "ClusterRole",
    "roles": "Role",
    "clusterrolebindings": "ClusterRoleBinding",
    "rolebindings": "RoleBinding",
}
"""The resources to follow, and the kind of their objects."""


class Subscribable(Protocol):
    """The part of a Cacher that is needed here."""

    async def start(self) -> None: ...

    def subscribe(self, listener: Listener) -> Callable[[], None]: ...


class RBACSource:
    """Feeds `index` from the caches of the resources in `KINDS`, by plural name."""

    def __init__(self, index: RBACIndex, caches: Mapping[str, Subscribable]) -> None:
        self.index = index
        self._caches = {resource: caches[resource] for resource in KINDS}
        self._ends: Sequence[Callable[[], None]] = ()

    async def start(self) -> None:
        """Load the four resources; from then on the index follows every change. Raises what the caches raise."""
        await asyncio.gather(*(cache.start() for cache in self._caches.values()))
        self._ends = [cache.subscribe(self._listener(KINDS[name])) for name, cache in self._caches.items()]

    def stop(self) -> None:
        """Follow no longer."""
        for end in self._ends:
            end()
        self._ends = ()

    def _listener(self, kind: str) -> Listener:
        def hear(event: WatchEvent) -> None:
            if event.object is None:
                return
            if event.type == "DELETED":
                self.index.remove(kind, event.object.namespace, event.object.name)
            else:
                self._put(kind, event.object)

        return hear

    def _put(self, kind: str, stored: StoredObject) -> None:
        obj = stored.decoded()
        try:
            self.index.put({**obj, "kind": kind})
        except (KeyError, TypeError, AttributeError, ValueError):
            # Someone wrote this past our validation; an object that grants nothing beats a server that stops.
            log.warning("%s %s is malformed and grants nothing", kind, stored.key)
            self.index.remove(kind, stored.namespace, stored.name)
