"""The strategy of custom resources, one per served version.

Made by `build.py`, called by the Store. The schema itself is the Resource's; its rules in CEL (`rules/`) run here.
Mirrors `apiextensions-apiserver/pkg/registry/customresource/strategy.go`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from extensions.custom_resources.embedded import LazyInsides
from extensions.rules.evaluating import Evaluation, TooLong
from extensions.rules.tree import LazyRules
from generic.meta import errors, fields
from generic.meta.fields import FieldError
from generic.meta.gvk import GroupResource
from generic.registry.strategy import HasStatusRules
from generic.request.context import RequestContext
from generic.types import JSONObject

_MOST_REPLICAS = (1 << 31) - 1
_STANDARD_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where the scale subresource finds its values: keys from the root of the object; no selector: empty."""

    spec_replicas: tuple[str, ...]
    status_replicas: tuple[str, ...]
    selector: tuple[str, ...] = ()


_QUICK = 20_000
"""Units of rules that run at once, a few milliseconds; what takes longer goes to a thread."""
_BLOCKING = frozenset({
    "FieldValueNotSupported",
    "FieldValueRequired",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "FieldValueTypeInvalid",
})
_NOT_CHECKED = fields.invalid(
    "<nil>",
    None,
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete "
    "validation",
)


class CustomResourceStrategy(HasStatusRules):
    """`terminating`: the definition is being deleted, so nothing new is accepted."""

    allow_unconditional_update = False

    def __init__(
        self,
        resource: GroupResource,
        *,
        has_status: bool,
        scale: ScalePaths | None,
        terminating: bool,
        schema: JSONObject,
    ) -> None:
        self.has_status = has_status
        self._resource = resource
        self._scale = scale
        self._terminating = terminating
        self._rules = LazyRules(schema)
        self._insides = LazyInsides(schema)

    def prepare_for_create(self, request: RequestContext, obj: JSONObject) -> None:
        """Raises 403 while the definition is terminating."""
        if self._terminating:
            # Here, so that every way to create is covered: POST, and an apply that finds nothing.
            name = obj["metadata"].get("name") or ""
            why = "create not allowed while custom resource definition is terminating"
            raise errors.forbidden(self._resource, name, why)
        if self.has_status:
            obj.pop("status", None)

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        if not self.has_status:
            return
        if "status" in old:
            obj["status"] = old["status"]
        else:
            obj.pop("status", None)

    def validate(self, request: RequestContext, obj: JSONObject) -> Sequence[FieldError]:
        _warn_of_finalizers(request, obj, ())
        return [*self._insides.problems(obj, named=True), *self._scale_problems(obj)]

    def validate_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> Sequence[FieldError]:
        _warn_of_finalizers(request, obj, old["metadata"].get("finalizers") or ())
        return [*self._insides.problems(obj, named=False), *self._scale_problems(obj)]

    def validate_status_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> Sequence[FieldError]:
        return [*self._insides.problems(obj, named=False), *self._scale_problems(obj)]

    async def validate_rules(
        self, request: RequestContext, obj: JSONObject, old: JSONObject | None, found: Sequence[FieldError]
    ) -> Sequence[FieldError]:
        root = await self._rules.tree()
        if root is None:
            return ()
        if any(problem.type in _BLOCKING for problem in found):
            return (_NOT_CHECKED,)
        run = Evaluation(quick=_QUICK)
        try:
            run.run(root, obj, old)
        except TooLong:
            # Rules change nothing, so they may run again: where they hold up nobody else.
            run = Evaluation()
            await asyncio.to_thread(run.run, root, obj, old)
        for warning in run.warnings:
            request.warn(warning)
        return run.errors

    def _scale_problems(self, obj: JSONObject) -> list[FieldError]:
        if self._scale is None:
            return []
        found: list[FieldError] = []
        for keys in (self._scale.spec_replicas, self._scale.status_replicas):
            value, path = value_at(obj, keys), f".{'.'.join(keys)}"
            if not isinstance(value, int) or isinstance(value, bool):
                continue
            if value < 0:
                found.append(fields.invalid(path, value, "should be a non-negative integer"))
            elif value > _MOST_REPLICAS:
                found.append(fields.invalid(path, value, f"should be less than or equal to {_MOST_REPLICAS}"))
        return found


def value_at(obj: JSONObject, keys: Sequence[str]) -> Any:
    """The value below these keys; None if there is none."""
    found: Any = obj
    for key in keys:
        if not isinstance(found, dict):
            return None
        found = found.get(key)
    return found


def _warn_of_finalizers(request: RequestContext, obj: JSONObject, known: Sequence[str]) -> None:
    for name in obj["metadata"].get("finalizers") or ():
        if isinstance(name, str) and "/" not in name and name not in known and name not in _STANDARD_FINALIZERS:
            request.warn(
                f'metadata.finalizers: "{name}": prefer a domain-qualified finalizer name including a path (/) '
                "to avoid accidental conflicts with other finalizer writers"
            )
