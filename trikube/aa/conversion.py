"""HubConverter: between the versions of a kind, through the one that is stored.

Made by `install.py`; called by the Store and the endpoints through `Resource.converter`. A batch is one hop to a
worker thread. Mirrors `apiserver-runtime/pkg/builder/resource/multiversion.go`.
"""

from collections.abc import Mapping, Sequence

from generic.meta.gvk import GroupVersion
from generic.types import JSONObject
from trikube.aa import calling
from trikube.aa.resource import Resource


class HubConverter:
    """The Converter of all versions of one kind."""

    def __init__(self, versions: Mapping[str, type[Resource]]) -> None:
        """By apiVersion, the hub among them."""
        self._versions = dict(versions)

    async def convert(self, objects: Sequence[JSONObject], to: GroupVersion) -> list[JSONObject]:
        """See `generic.registry.resource.Converter`."""
        target = self._versions[str(to)]
        kind = target.definition.gvk.kind

        def convert_all() -> list[JSONObject]:
            return [self._one(obj, target) for obj in objects]

        converted: list[JSONObject] = await calling.call(f"the conversion of {kind} to {to.version}", convert_all)
        return converted

    def _one(self, obj: JSONObject, target: type[Resource]) -> JSONObject:
        source = self._versions[obj["apiVersion"]]
        if source is target:
            return obj
        found = source.from_object(obj)
        hub = found if source.hub is None else found.convert_to_hub()
        made = hub if target.hub is None else target.convert_from_hub(hub)
        # Metadata is the same in every version, down to members nobody here knows.
        return {**made.to_object(), "metadata": obj["metadata"]}
