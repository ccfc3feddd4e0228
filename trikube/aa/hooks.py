"""ResourceHooks: the hooks of one Resource class, called on decoded objects.

Made by `install.py` for each class; called by `strategy.py` (defaults, validation) and `admission.py` (preparation,
deletion).
"""

from collections.abc import Callable, Sequence
from typing import Any

import pydantic

from generic.client.rest import Client
from generic.meta import fields
from generic.meta.fields import FieldError
from generic.request.context import RequestContext
from generic.types import JSONObject
from trikube.aa import calling
from trikube.aa.context import Context
from trikube.aa.resource import Resource


class ResourceHooks:
    """What an object does not fit into the class for, validation says; no other hook is called with such an object."""

    def __init__(self, cls: type[Resource], main: Client | None = None) -> None:
        self.cls = cls
        self._main = main

    def has(self, hook: str) -> bool:
        """Whether the author wrote it."""
        return getattr(self.cls, hook) is not getattr(Resource, hook)

    def context(self, request: RequestContext, *, dry_run: bool = False) -> Context:
        return Context(request, self._main, dry_run)

    def default(self, obj: JSONObject) -> None:
        """Raises StatusError."""
        found = self.parse(obj)
        if found is not None:
            before = found.to_object()
            calling.call_now(self._name("default"), found.default)
            merge(obj, before, found.to_object())

    async def change(self, hook: str, obj: JSONObject, *arguments: Any) -> None:
        """Call a hook that may change the object, in place. Raises StatusError."""
        found = self.parse(obj)
        if found is not None:
            before = found.to_object()
            await self.call(hook, found, *arguments)
            merge(obj, before, found.to_object())

    async def findings(self, hook: str, obj: JSONObject, *arguments: Any) -> Sequence[FieldError]:
        """What a validator finds, or why the object does not fit into the class at all. Raises StatusError."""
        try:
            found = self.cls.from_object(obj)
        except pydantic.ValidationError as error:
            return _misfits(error)
        return await self.judge(hook, found, *arguments)

    async def judge(self, hook: str, found: Resource, *arguments: Any) -> Sequence[FieldError]:
        """What a validator finds wrong. Raises StatusError, 500 if that is not made of `aa.fields`."""
        result = await self.call(hook, found, *arguments)
        problems = (result,) if isinstance(result, FieldError) else tuple(result or ())
        for problem in problems:
            if not isinstance(problem, FieldError):
                raise calling.failed(self._name(hook), TypeError(f"{problem!r} is no aa.FieldError"))
        return problems

    async def call(self, hook: str, found: Resource, *arguments: Any) -> Any:
        """Raises StatusError."""
        method: Callable[..., Any] = getattr(found, hook)
        return await calling.call(self._name(hook), method, *arguments)

    def parse(self, obj: JSONObject) -> Resource | None:
        """None if it does not fit."""
        try:
            return self.cls.from_object(obj)
        except pydantic.ValidationError:
            return None

    def _name(self, hook: str) -> str:
        return f"{self.cls.definition.gvk.kind}.{hook}"


def merge(obj: JSONObject, before: JSONObject, after: JSONObject) -> None:
    """Bring into `obj` what differs between two forms of it; everything else stays as the client wrote it."""
    metadata = obj["metadata"]
    _merge_members(metadata, before.pop("metadata"), after.pop("metadata"))
    _merge_members(obj, before, after)


def _merge_members(obj: JSONObject, before: JSONObject, after: JSONObject) -> None:
    for key in before.keys() | after.keys():
        if before.get(key) == after.get(key):
            continue
        if key in after:
            obj[key] = after[key]
        else:
            obj.pop(key, None)


def _misfits(error: pydantic.ValidationError) -> list[FieldError]:
    found = []
    for problem in error.errors(include_url=False):
        path = ""
        for part in problem["loc"]:
            path += f"[{part}]" if isinstance(part, int) else f".{part}"
        why = problem["msg"].removeprefix("Value error, ")
        value = problem["input"]
        shown = value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)
        found.append(fields.invalid(path.removeprefix(".") or "spec", shown, why))
    return found
