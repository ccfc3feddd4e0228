"""Following: keeps a source running for every resource that discovery tells of.

Driven by `collector.py`; asked by `collecting.py` for kinds and objects. Mirrors GarbageCollector.Sync and syncMonitors
of `pkg/controller/garbagecollector`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from generic.client.rest import Client
from generic.meta.gvk import GroupResource, GroupVersion
from generic.registry.backings import Backings
from generic.storage.cacher import Cacher
from generic.types import JSONObject
from kubeapi.controllers.garbagecollector.discovery import Discovered, Discovery, Kind
from kubeapi.controllers.garbagecollector.graph import Graph
from kubeapi.controllers.garbagecollector.owners import Reference
from kubeapi.controllers.garbagecollector.sources import CacheSource, Source, WatchSource

_API_SERVICES = GroupResource("apiregistration.k8s.io", "apiservices")
_DEFINITIONS = GroupResource("apiextensions.k8s.io", "customresourcedefinitions")


@dataclass(frozen=True, slots=True)
class _Followed:
    kind: Kind
    cacher: Cacher | None
    """None: by a watch."""
    source: Source
    started: asyncio.Task[None]


class Following:
    """`sync` whenever there may be more to follow, or less."""

    def __init__(self, client: Client, backings: Backings, graph: Graph) -> None:
        self._client = client
        self._backings = backings
        self._graph = graph
        self._discovery = Discovery(client)
        self._discovered = Discovered()
        self._followed: dict[GroupResource, _Followed] = {}
        self._nudges: list[Callable[[], None]] = []
        self.on_started: Callable[[Kind], None] | None = None
        """Told of each resource that is followed from now on, when all its objects are heard of."""

    # What others ask.

    def kind(self, ref: Reference) -> Kind | None:
        """The kind of an owner; None if no server is known for it."""
        try:
            return self._discovered.kinds.get(ref.gvk)
        except ValueError:
            return None

    def find(self, kind: Kind, namespace: str, name: str) -> JSONObject | None:
        """The object as it was a moment ago; None if it is not there, or not followed (yet)."""
        followed = self._followed.get(kind.gvr.group_resource)
        if followed is None or not followed.started.done():
            return None
        return followed.source.find(namespace, name)

    async def wait_started(self, seconds: float) -> int:
        """Return once all that is followed now has told everything there is, or the time is over: how many have not."""
        starting = [followed.started for followed in self._followed.values() if not followed.started.done()]
        if not starting:
            return 0
        _, late = await asyncio.wait(starting, timeout=seconds)
        return len(late)

    # How it is driven.

    async def sync(self) -> bool:
        """Follow what there is now. Returns whether discovery told anything new. Raises StatusError.

        What belongs to a group whose discovery failed is followed as before.
        """
        discovered = await self._discovery.changed()
        if discovered is not None:
            self._discovered = discovered
        remote = self._remote()
        for resource, followed in list(self._followed.items()):
            if resource not in self._discovered.deletable and resource.group not in self._discovered.failed:
                await self._end(followed)
        for resource, kind in self._discovered.deletable.items():
            cacher = None if kind.gvr.group_version in remote else self._cacher(resource)
            current = self._followed.get(resource)
            if current is not None and (current.kind, current.cacher) == (kind, cacher):
                continue
            if current is not None:
                await self._end(current)
            self._begin(kind, cacher)
            # One at a time: the server has other things to do.
            await asyncio.wait({self._followed[resource].started}, timeout=0.05)
        return discovered is not None

    def watch_for_changes(self, nudge: Callable[[], None]) -> None:
        """Call `nudge` when a definition or an APIService changes: there may be more to follow soon."""
        for resource in (_API_SERVICES, _DEFINITIONS):
            backing = self._backings.held(resource)
            if backing is not None:
                self._nudges.append(backing.cacher.subscribe(lambda _: nudge()))

    async def stop(self) -> None:
        for unsubscribe in self._nudges:
            unsubscribe()
        for followed in list(self._followed.values()):
            await self._end(followed)

    def _begin(self, kind: Kind, cacher: Cacher | None) -> None:
        source: Source
        if cacher is not None:
            source = CacheSource(kind, cacher, self._graph)
        else:
            source = WatchSource(kind, self._client, self._graph)
        started = asyncio.get_running_loop().create_task(source.start(), name=f"follow {kind.gvr.group_resource}")
        on_started = self.on_started
        if on_started is not None:
            started.add_done_callback(lambda task: None if task.cancelled() else on_started(kind))
        self._followed[kind.gvr.group_resource] = _Followed(kind, cacher, source, started)

    async def _end(self, followed: _Followed) -> None:
        del self._followed[followed.kind.gvr.group_resource]
        followed.started.cancel()
        await asyncio.wait({followed.started})
        await followed.source.stop()
        self._graph.forget(followed.kind)

    def _cacher(self, resource: GroupResource) -> Cacher | None:
        backing = self._backings.held(resource)
        return backing.cacher if backing is not None else None

    def _remote(self) -> set[GroupVersion]:
        """The group-versions that another server serves, though this one may have something of that name as well."""
        cacher = self._cacher(_API_SERVICES)
        found = set()
        for stored in cacher.peek_all() if cacher is not None else ():
            # Most have none, and are not worth decoding.
            if b'"service":{' in stored.raw:
                spec = stored.decoded().get("spec") or {}
                if spec.get("service"):
                    found.add(GroupVersion(spec.get("group") or "", spec["version"]))
        return found
