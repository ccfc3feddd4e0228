"""ConfigMaps in a storage and a Cacher over them, for the tests of the watch cache."""

from typing import Any

from generic.meta.gvk import GroupResource
from generic.storage.cacher import Cacher
from generic.storage.cacher_feed import Patience
from generic.storage.interface import KeyValue, Storage
from generic.storage.objects import Codec, StoredObject
from generic.storage.watch_stream import WatchEvent, WatchStream
from generic.types import JSONObject

RESOURCE = GroupResource("", "configmaps")
CODEC = Codec(selectable_fields={"data.color": lambda obj: obj.get("data", {}).get("color", "")})
IMPATIENT = Patience(fresh=0.05, ready=0.05, retry=0.001)
"""For tests that wait for a refusal."""


def configmap(
    name: str, namespace: str = "default", *, labels: dict[str, str] | None = None, **data: str
) -> JSONObject:
    metadata: JSONObject = {"name": name, "namespace": namespace}
    if labels is not None:
        metadata["labels"] = labels
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def cacher_over(storage: Storage, **options: Any) -> Cacher:
    return Cacher(storage, "/registry", CODEC, resource=RESOURCE, namespaced=True, **options)


def key_of(name: str, namespace: str = "default") -> str:
    return f"/registry/configmaps/{namespace}/{name}"


class ConfigMaps:
    """Writes ConfigMaps as the Store would."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    async def put(
        self, name: str, namespace: str = "default", *, labels: dict[str, str] | None = None, **data: str
    ) -> KeyValue:
        obj = configmap(name, namespace, labels=labels, **data)
        key = key_of(name, namespace)
        return await self.storage.put(key, CODEC.encode(obj), expected_revision=await self._expected(key))

    async def delete(self, name: str, namespace: str = "default") -> int:
        key = key_of(name, namespace)
        return await self.storage.delete(key, expected_revision=await self._expected(key))

    async def garbage(self, name: str) -> KeyValue:
        key = key_of(name)
        return await self.storage.put(key, b"\x00not json", expected_revision=await self._expected(key))

    async def _expected(self, key: str) -> int:
        item = (await self.storage.get(key)).item
        return item.mod_revision if item is not None else 0


def told(event: WatchEvent) -> tuple[str, str]:
    """Type and object name, or the type alone with an empty name."""
    return event.type, event.object.name if event.object is not None else ""


def names(objects: Any) -> list[str]:
    return [obj.name for obj in objects]


async def take(stream: WatchStream, count: int) -> list[WatchEvent]:
    """The next `count` events; fewer if the stream ends."""
    events: list[WatchEvent] = []
    while len(events) < count:
        batch = await stream.next_batch()
        if not batch:
            break
        events += batch
    assert len(events) <= count, f"more events than the test expects: {[told(event) for event in events]}"
    return events


def color(obj: StoredObject | None) -> str:
    assert obj is not None
    data = obj.decoded()["data"]
    return str(data["color"])
