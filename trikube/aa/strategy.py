"""HookStrategy: how objects of a Resource class are written, by the class's own hooks.

Made by `install.py`, called by the Store. Mirrors `apiserver-runtime/pkg/builder/rest/strategy.go` DefaultStrategy.
"""

from collections.abc import Sequence

from generic.meta.fields import FieldError
from generic.registry.strategy import Strategy
from generic.request.context import RequestContext
from generic.types import JSONObject
from trikube.aa.hooks import ResourceHooks


class HookStrategy(Strategy):
    """Status and spec are written apart if the class has a status subresource."""

    def __init__(self, hooks: ResourceHooks) -> None:
        self._hooks = hooks
        self.has_status = hooks.cls.definition.status
        self._defaults = hooks.has("default")

    def default(self, obj: JSONObject) -> None:
        if self._defaults:
            self._hooks.default(obj)

    def prepare_for_create(self, request: RequestContext, obj: JSONObject) -> None:
        if self.has_status:
            obj.pop("status", None)

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        if not self.has_status:
            return
        obj.pop("status", None)
        if "status" in old:
            obj["status"] = old["status"]

    async def validate_rules(
        self, request: RequestContext, obj: JSONObject, old: JSONObject | None, found: Sequence[FieldError]
    ) -> Sequence[FieldError]:
        """The validator of the verb; where the types are wrong, it would only stumble over what was told already."""
        if found and self._hooks.parse(obj) is None:
            return ()
        context = self._hooks.context(request)
        previous = self._hooks.parse(old) if old is not None else None
        if previous is None:
            # Also where what is stored no longer fits the class: then the change is judged as if it were new.
            return await self._hooks.findings("validate_create", obj, context)
        of_status = self.has_status and request.info.subresource == "status"
        hook = "validate_status_update" if of_status else "validate_update"
        return await self._hooks.findings(hook, obj, context, previous)


class PartStrategy(Strategy):
    """Of the author's own subresources: whatever they change is stored, if the object is still valid."""

    def __init__(self, main: Strategy) -> None:
        self._main = main
        self.name_validator = main.name_validator
        # For the generation: it counts changes of the spec alone.
        self.has_status = main.has_status

    async def validate_rules(
        self, request: RequestContext, obj: JSONObject, old: JSONObject | None, found: Sequence[FieldError]
    ) -> Sequence[FieldError]:
        return await self._main.validate_rules(request, obj, old, found)
