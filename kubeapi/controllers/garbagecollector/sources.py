"""Sources: how the garbage collector hears of the objects of one resource, and looks one up.

Made and ended by `following.py`; tell the graph. Resources of this process are followed through their watch caches,
which hold them anyway: a change costs two searches in the bytes unless the object has owners. Those of aggregated
servers are followed by a metadata-only informer, as Kubernetes follows all.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from generic.client.informer import Informer
from generic.client.rest import Client
from generic.meta import errors
from generic.storage.cacher import Cacher
from generic.storage.watch_stream import WatchEvent
from generic.types import JSONObject
from kubeapi.controllers.garbagecollector.discovery import Kind

_RETRY = 1.0

_LOG = logging.getLogger(__name__)


class Observer(Protocol):
    """Who is told: the graph."""

    @property
    def empty(self) -> bool: ...

    def seen(self, kind: Kind, obj: JSONObject) -> None: ...

    def gone(self, kind: Kind, obj: JSONObject) -> None: ...


class Source(Protocol):
    """One resource, followed from `start` to `stop`."""

    async def start(self) -> None:
        """Return once the observer was told of everything there is; never, if that cannot be known."""

    async def stop(self) -> None: ...

    def find(self, namespace: str, name: str) -> JSONObject | None:
        """The object, or at least its metadata, as last heard of."""


class CacheSource:
    """Follows a watch cache of this process."""

    def __init__(self, kind: Kind, cacher: Cacher, observer: Observer) -> None:
        self._kind = kind
        self._cacher = cacher
        self._observer = observer
        self._unsubscribe: Callable[[], None] | None = None

    async def start(self) -> None:
        while True:
            try:
                await self._cacher.start()
                break
            except errors.StatusError as error:
                _LOG.warning("cannot follow %s: %s", self._kind.gvr.group_resource, error)
                await asyncio.sleep(_RETRY)
        self._unsubscribe = self._cacher.subscribe(self._hear)

    async def stop(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()

    def find(self, namespace: str, name: str) -> JSONObject | None:
        held = self._cacher.peek(namespace, name)
        return held.decoded() if held is not None else None

    def _hear(self, event: WatchEvent) -> None:
        obj, before = event.object, event.previous
        if obj is None:
            return
        if event.type == "DELETED":
            if not self._observer.empty:
                self._observer.gone(self._kind, obj.decoded())
        elif _concerns(obj.raw) or (before is not None and _concerns(before.raw)):
            self._observer.seen(self._kind, obj.decoded())


class WatchSource:
    """Follows a resource of another server."""

    def __init__(self, kind: Kind, client: Client, observer: Observer) -> None:
        self._kind = kind
        self._observer = observer
        self._informer = Informer(client, kind.gvr, metadata_only=True)
        self._informer.add_handler(self._hear)

    async def start(self) -> None:
        self._informer.start()
        await self._informer.wait_synced()

    async def stop(self) -> None:
        await self._informer.stop()

    def find(self, namespace: str, name: str) -> JSONObject | None:
        return self._informer.get(name, namespace)

    def _hear(self, old: JSONObject | None, new: JSONObject | None) -> None:
        if new is not None:
            self._observer.seen(self._kind, new)
        elif old is not None:
            self._observer.gone(self._kind, old)


def _concerns(raw: bytes) -> bool:
    """Whether the object may have owners, or be on its way out. To decode all to know would be most of the cost."""
    return b'"ownerReferences"' in raw or b'"deletionTimestamp"' in raw
