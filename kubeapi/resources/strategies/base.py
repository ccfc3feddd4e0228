"""KindStrategy: what the strategies of built-in kinds share.

Subclassed in the files beside this one, one small class per kind that needs it. Mirrors the pattern that all of
`pkg/registry/*/*/strategy.go` follow: a new object starts with an empty status, a main write keeps the status
that is stored.
"""

from collections.abc import Callable, Sequence

from generic.meta import fields, object_meta
from generic.meta.fields import FieldError
from generic.registry.strategy import HasStatusRules
from generic.request.context import RequestContext
from generic.types import JSONObject

Defaulter = Callable[[JSONObject], None]
Validator = Callable[[JSONObject], Sequence[FieldError]]
Warner = Callable[[JSONObject, JSONObject | None], Sequence[str]]
"""Of an object and what it was before, if it is not new."""

UpdateValidator = Callable[[JSONObject, JSONObject], Sequence[FieldError]]

_STANDARD_FINALIZERS = ("kubernetes", object_meta.ORPHAN_FINALIZER, object_meta.FOREGROUND_FINALIZER)


def nothing(obj: JSONObject) -> None:
    """The defaulter of kinds without defaults."""


def valid(obj: JSONObject) -> Sequence[FieldError]:
    """The validator of kinds whose schema says it all."""
    return ()


def silent(obj: JSONObject, old: JSONObject | None) -> Sequence[str]:
    """The warner of kinds that have nothing to say."""
    return ()


def any_change(obj: JSONObject, old: JSONObject) -> Sequence[FieldError]:
    """The update validator of kinds whose every field may change."""
    return ()


class KindStrategy(HasStatusRules):
    """A strategy from a few functions; subclasses add what functions of the object alone cannot say.

    An update is checked by both validators, as in Kubernetes: the new object by itself, then the change.
    """

    tracks_generation = False

    def __init__(
        self,
        *,
        default: Defaulter = nothing,
        validate: Validator = valid,
        validate_update: UpdateValidator = any_change,
        validate_status: UpdateValidator = any_change,
        warn: Warner = silent,
        returns_deleted_object: bool | None = None,
        status_keeps: frozenset[str] | None = frozenset(),
    ) -> None:
        self._default = default
        self.status_keeps = status_keeps
        self._warn = warn
        if returns_deleted_object is not None:
            self.returns_deleted_object = returns_deleted_object
        self._validate = validate
        self._validate_update = validate_update
        self._validate_status = validate_status

    def default(self, obj: JSONObject) -> None:
        self._default(obj)

    def validate(self, request: RequestContext, obj: JSONObject) -> Sequence[FieldError]:
        return [*_legacy_finalizers(obj), *self._validate(obj)]

    def validate_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> Sequence[FieldError]:
        return [*_legacy_finalizers(obj), *self._validate(obj), *self._validate_update(obj, old)]

    def validate_status_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> Sequence[FieldError]:
        return self._validate_status(obj, old)

    def warnings(self, request: RequestContext, obj: JSONObject, old: JSONObject | None) -> Sequence[str]:
        return self._warn(obj, old)


def _legacy_finalizers(obj: JSONObject) -> list[FieldError]:
    """Without a domain only the finalizers of old are known. Custom resources are merely warned."""
    why = "name is neither a standard finalizer name nor is it fully qualified"
    return [
        fields.invalid(f"metadata.finalizers[{at}]", name, why)
        for at, name in enumerate(obj["metadata"].get("finalizers") or ())
        if "/" not in name and name not in _STANDARD_FINALIZERS
    ]


class GenerationStrategy(KindStrategy):
    """A kind without status that counts the generations of its spec."""

    tracks_generation = True


class StatusKindStrategy(KindStrategy):
    """A kind whose status is written through `/status` alone."""

    has_status = True

    def initial_status(self, obj: JSONObject) -> JSONObject:
        """The status of a new object, before any controller saw it."""
        return {}

    def prepare_for_create(self, request: RequestContext, obj: JSONObject) -> None:
        obj["status"] = self.initial_status(obj)

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        if "status" in old:
            obj["status"] = old["status"]
        else:
            obj.pop("status", None)


class WorkloadStrategy(StatusKindStrategy):
    """A kind with spec, status and generation: most of what controllers act on."""

    tracks_generation = True
