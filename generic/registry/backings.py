"""Backings: one watch cache per stored resource of a process, made on first use.

Shared by the three tiers, so that every Store of a group-resource, whatever its version, reads the
same cache. Mirrors the role of `RESTOptionsGetter` in `apiserver/pkg/registry/generic`.
"""

from collections.abc import Mapping

from generic.meta.gvk import GroupResource
from generic.registry.resource import Resource
from generic.registry.write_path import Backing
from generic.storage.cacher import Cacher
from generic.storage.interface import Storage
from generic.storage.objects import Codec

DEFAULT_PREFIX = "/registry"


class Backings:
    """Makes and keeps the Backing of each group-resource over one storage engine.

    `paths`: where those group-resources stand below the prefix that do not stand at `<group>/<resource>`.
    """

    def __init__(
        self, storage: Storage, *, prefix: str = DEFAULT_PREFIX, paths: Mapping[GroupResource, str] | None = None
    ) -> None:
        self.storage = storage
        self.prefix = prefix
        self._paths = dict(paths or {})
        self._held: dict[GroupResource, Backing] = {}

    def of(self, resource: Resource, codec: Codec | None = None) -> Backing:
        """The backing of what the resource is stored as; `codec` counts only for the first to ask."""
        backing = self._held.get(resource.stored_as)
        if backing is None:
            codec = codec or Codec(selectable_fields=resource.selectable_fields)
            cacher = Cacher(
                self.storage,
                self.prefix,
                codec,
                resource=resource.stored_as,
                namespaced=resource.namespaced,
                path=self._paths.get(resource.stored_as, ""),
            )
            backing = Backing(self.storage, cacher, codec)
            self._held[resource.stored_as] = backing
        return backing

    def held(self, resource: GroupResource) -> Backing | None:
        """The backing somebody made for what is stored as this."""
        return self._held.get(resource)

    def cachers(self) -> list[tuple[GroupResource, Cacher]]:
        """The caches somebody made, in order of group and resource."""
        return [(resource, backing.cacher) for resource, backing in sorted(self._held.items())]

    def take(self, resource: GroupResource) -> Backing | None:
        """Forget a resource's backing, so that the next to ask gets a new one. Whoever takes it stops its cache."""
        return self._held.pop(resource, None)

    async def drop(self, resource: GroupResource) -> None:
        """Stop and forget a resource's cache: its watches end. What is stored stays."""
        backing = self.take(resource)
        if backing is not None:
            await backing.cacher.stop()

    async def stop(self) -> None:
        """Stop every cache."""
        held, self._held = list(self._held.values()), {}
        for backing in held:
            await backing.cacher.stop()
