"""Definitions: what the controllers need to know of every definition, in step with the cache, and who wants to know.

Made by `extensions/server.py` over the Cacher of its own Store. Keeps summaries, not schemas. Mirrors what the shared
informer of CustomResourceDefinitions is to the controllers of `apiextensions-apiserver`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from extensions.definitions import approval, conditions
from extensions.definitions.strategy import FINALIZER
from generic.storage.cacher import Cacher
from generic.storage.objects import StoredObject
from generic.storage.watch_stream import WatchEvent
from generic.types import JSONObject


@dataclass(frozen=True, slots=True)
class Summary:
    """One definition. `deleting`: it is marked for deletion and waits for us to clean up."""

    name: str
    group: str
    generation: int
    wanted_names: JSONObject
    accepted_names: JSONObject
    names_accepted: bool
    established: bool
    deleting: bool
    approval: str
    """The annotation that says who approved it."""

    @classmethod
    def of(cls, definition: JSONObject) -> "Summary":
        metadata, spec = definition["metadata"], definition["spec"]
        return cls(
            name=metadata["name"],
            group=spec["group"],
            generation=metadata.get("generation") or 0,
            wanted_names=spec["names"],
            accepted_names=(definition.get("status") or {}).get("acceptedNames") or {},
            names_accepted=conditions.is_true(definition, conditions.NAMES_ACCEPTED),
            established=conditions.is_true(definition, conditions.ESTABLISHED),
            deleting=bool(metadata.get("deletionTimestamp")) and FINALIZER in (metadata.get("finalizers") or ()),
            approval=(metadata.get("annotations") or {}).get(approval.ANNOTATION) or "",
        )


Handler = Callable[[Summary | None, Summary | None], None]
"""Told (before, after) of every change, synchronously: (None, x) for a new definition, (x, None) for a lost one."""
Observer = Callable[[str, JSONObject | None], None]
"""Told the name and the whole definition (None: gone), before the handlers."""


class Definitions:
    """All definitions, by name and by group."""

    def __init__(self, cacher: Cacher, observer: Observer) -> None:
        self.cacher = cacher
        self._observer = observer
        self._handlers: list[Handler] = []
        self._known: dict[str, Summary] = {}
        self._groups: dict[str, dict[str, Summary]] = {}
        self._end: Callable[[], None] | None = None

    def add_handler(self, handler: Handler) -> None:
        """Before the start."""
        self._handlers.append(handler)

    def get(self, name: str) -> Summary | None:
        return self._known.get(name)

    def in_group(self, group: str) -> list[Summary]:
        return list(self._groups.get(group, {}).values())

    async def start(self) -> None:
        """Load, then follow every change. Raises what the cache raises."""
        await self.cacher.start()
        self._end = self.cacher.subscribe(self._hear)

    def stop(self) -> None:
        """Follow no longer."""
        if self._end is not None:
            self._end()
            self._end = None

    def read(self, name: str) -> JSONObject | None:
        """The whole definition, the caller's to change."""
        stored = self.cacher.peek("", name)
        return stored.decoded() if stored is not None else None

    def _hear(self, event: WatchEvent) -> None:
        if event.object is not None:
            self._take(event.object, gone=event.type == "DELETED")

    def _take(self, stored: StoredObject, *, gone: bool) -> None:
        before = self._known.pop(stored.name, None)
        if before is not None:
            del self._groups[before.group][before.name]
        definition = None if gone else stored.decoded()
        after = Summary.of(definition) if definition is not None else None
        if after is not None:
            self._known[after.name] = after
            self._groups.setdefault(after.group, {})[after.name] = after
        self._observer(stored.name, definition)
        for handler in self._handlers:
            handler(before, after)
