"""Strategy: what data cannot say about a kind. One small subclass per kind that needs it.

Called by the Store at fixed points of the write path. Mirrors the RESTCreateStrategy,
RESTUpdateStrategy and RESTDeleteStrategy interfaces of `apiserver/pkg/registry/rest`.
"""

from collections.abc import Sequence
from typing import Literal

from generic.meta.fields import FieldError
from generic.registry.options import DeleteOptions
from generic.request.context import RequestContext
from generic.types import JSONObject

_OF_EVERY_WRITE = frozenset({"managedFields", "resourceVersion"})


class Strategy:
    """The defaults: nothing to prepare, nothing to check beyond the schema."""

    allow_create_on_update: bool = False
    """PUT of a missing object creates it."""

    allow_unconditional_update: bool = True
    """PUT without resourceVersion overwrites whatever is there."""

    has_status: bool = False
    """A `/status` subresource exists: main writes ignore status, status writes ignore the rest."""

    status_keeps: frozenset[str] | None = None
    """The members of metadata that a write of `/status` leaves as they are; None: all of them."""

    tracks_generation: bool = True
    """metadata.generation starts at 1 and rises when anything but metadata and status changes."""

    first_generation: int = 1
    """0: a new object has none yet."""

    annotations_count: bool = False
    """Changed annotations raise metadata.generation too."""

    returns_deleted_object: bool = False
    """DELETE answers with the object itself instead of a Status."""

    dependents: Literal["delete", "orphan", "unsupported"] = "delete"
    """What becomes of an object's dependents if its DELETE does not say; `unsupported`: it may say nothing."""

    deletes_in_two_steps: bool = False
    """The first DELETE only marks the object, whatever its finalizers: a controller has to see it off."""

    never_owned: frozenset[str] = frozenset()
    """Members of objects that no field manager owns, beside a status that is written apart."""

    name_validator: str = "subdomain"
    """Which rule of `generic.meta.names` object names follow: subdomain, label, label1035, path or any."""

    def default(self, obj: JSONObject) -> None:
        """Fill in defaults the schema does not carry. Runs on every decoded object, before prepare."""

    def prepare_for_create(self, request: RequestContext, obj: JSONObject) -> None:
        """Drop or set what a client may not choose."""

    def validate(self, request: RequestContext, obj: JSONObject) -> Sequence[FieldError]:
        """What is wrong with a new object beyond its schema."""
        return ()

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        """Keep what an update may not change."""

    def validate_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> Sequence[FieldError]:
        """What is wrong with this change."""
        return ()

    async def validate_rules(
        self, request: RequestContext, obj: JSONObject, old: JSONObject | None, found: Sequence[FieldError]
    ) -> Sequence[FieldError]:
        """What is wrong by rules that may take long; `old` None: a new object; `found`: what is wrong already."""
        return ()

    def warnings(self, request: RequestContext, obj: JSONObject, old: JSONObject | None) -> Sequence[str]:
        """What its author should know of an accepted object; `old` None: a new one."""
        return ()

    def canonicalize(self, obj: JSONObject) -> None:
        """Bring an accepted object into the form it is stored in."""

    def ttl(self, obj: JSONObject) -> float | None:
        """Seconds after which the stored object disappears by itself (events); None to keep it."""
        return None

    def grace_period(self, obj: JSONObject, options: DeleteOptions) -> int | None:
        """Seconds of graceful deletion for this object, not yet being deleted; None if its kind has no grace."""
        return None

    def default_finalizers_block(self, obj: JSONObject) -> bool:
        """Something beyond metadata.finalizers keeps a deleted object alive (a namespace's spec.finalizers)."""
        return False

    def after_delete_marked(self, obj: JSONObject) -> None:
        """The first of two steps just set the deletionTimestamp: a chance to set a phase or finalizers."""


class StatusStrategy(Strategy):
    """The strategy of a `/status` subresource: only status may change, and of metadata what the kind leaves open."""

    def __init__(self, main: Strategy) -> None:
        self._main = main
        self.status_keeps = main.status_keeps
        self.name_validator = main.name_validator
        self.tracks_generation = False

    def default(self, obj: JSONObject) -> None:
        self._main.default(obj)

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        for key in [key for key in obj if key not in old and key != "status"]:
            del obj[key]
        for key, value in old.items():
            if key not in ("status", "metadata"):
                obj[key] = value
        metadata, previous = obj["metadata"], old["metadata"]
        kept = (metadata.keys() | previous.keys()) - _OF_EVERY_WRITE if self.status_keeps is None else self.status_keeps
        for key in kept:
            if key in previous:
                metadata[key] = previous[key]
            else:
                metadata.pop(key, None)
        if isinstance(self._main, HasStatusRules):
            self._main.prepare_status_update(obj, old)

    def validate_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> Sequence[FieldError]:
        return self._main.validate_status_update(request, obj, old) if isinstance(self._main, HasStatusRules) else ()

    async def validate_rules(
        self, request: RequestContext, obj: JSONObject, old: JSONObject | None, found: Sequence[FieldError]
    ) -> Sequence[FieldError]:
        return await self._main.validate_rules(request, obj, old, found)

    # How the object is stored and how long it stays is the same whichever part of it is written.

    def canonicalize(self, obj: JSONObject) -> None:
        self._main.canonicalize(obj)

    def ttl(self, obj: JSONObject) -> float | None:
        return self._main.ttl(obj)

    def default_finalizers_block(self, obj: JSONObject) -> bool:
        return self._main.default_finalizers_block(obj)


class HasStatusRules(Strategy):
    """A strategy with rules of its own for status updates."""

    def prepare_status_update(self, obj: JSONObject, old: JSONObject) -> None:
        """Put in order what a change of status leaves to the server."""

    def validate_status_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> Sequence[FieldError]:
        """What is wrong with this change of status."""
        return ()
