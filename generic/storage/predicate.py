"""What a list or a watch selects: scope, labels and fields.

Made by the endpoints, evaluated by the Cacher. Mirrors `apiserver/pkg/storage/selection_predicate.go`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generic.meta.label_grammar import LabelRequirement
from generic.meta.selectors import FieldSelector, LabelSelector
from generic.storage.objects import StoredObject

_METADATA_FIELDS = ("metadata.name", "metadata.namespace")


@dataclass(frozen=True, slots=True)
class Predicate:
    """Empty strings and None select everything."""

    namespace: str = ""
    name: str = ""
    labels: LabelSelector | None = None
    fields: FieldSelector | None = None

    def matches(self, obj: StoredObject) -> bool:
        """Whether the object is in scope and both selectors match."""
        return self.in_scope(obj) and self.selects(obj)

    def in_scope(self, obj: StoredObject) -> bool:
        """The part that never changes during an object's life."""
        return self.namespace in ("", obj.namespace) and self.name in ("", obj.name)

    def selects(self, obj: StoredObject) -> bool:
        """The part that may change with every update."""
        if self.labels is not None and not self.labels.matches(obj.labels):
            return False
        return self.fields is None or self.fields.matches(FieldView(obj))

    @property
    def scope(self) -> tuple[str, str]:
        """The one namespace and the one name it is limited to, each "" if it is not."""
        exact = self.fields.exact if self.fields is not None else lambda _: None
        return self.namespace or exact("metadata.namespace") or "", self.name or exact("metadata.name") or ""

    @property
    def trigger(self) -> tuple[str, str]:
        """A field other than name and namespace that must have one value, and that value; empty if there is none.

        Only changes from or to that value can matter: a node's watch of its own pods need not look at others'.
        """
        for field, operator, value in self.fields.requirements if self.fields is not None else ():
            if operator == "=" and field not in _METADATA_FIELDS:
                return field, value
        return "", ""

    @property
    def has_selectors(self) -> bool:
        """Whether a label or field selector restricts the selection."""
        return not ((self.labels is None or self.labels.empty) and (self.fields is None or self.fields.empty))

    def filter(self, objects: list[StoredObject]) -> list[StoredObject]:
        """The matching ones of `objects`, in their order.

        One condition at a time: what leaves few is a loop of its own, without a call for each of thousands.
        """
        field, value = self.trigger
        if field:
            objects = [obj for obj in objects if obj.fields.get(field, "") == value]
        if self.labels is not None:
            if self.labels.nothing:
                return []
            for requirement in self.labels.requirements:
                objects = _labelled(objects, requirement)
        if self.namespace or self.name:
            objects = [obj for obj in objects if self.in_scope(obj)]
        if self.fields is not None and not self.fields.empty:
            objects = [obj for obj in objects if self.fields.matches(FieldView(obj))]
        return objects


def _labelled(objects: list[StoredObject], requirement: LabelRequirement) -> list[StoredObject]:
    """Those whose labels meet it."""
    key, operator, values = requirement
    match operator:
        case "=" | "==":
            (only,) = values
            return [obj for obj in objects if obj.labels.get(key) == only]
        case "in":
            return [obj for obj in objects if obj.labels.get(key) in values]
        case "!=" | "notin":
            return [obj for obj in objects if obj.labels.get(key) not in values]
        case "exists":
            return [obj for obj in objects if key in obj.labels]
        case "!":
            return [obj for obj in objects if key not in obj.labels]
        case _:
            return [obj for obj in objects if requirement.matches(obj.labels)]


class FieldView(Mapping[str, str]):
    """An object's selectable fields, without a dict of its own for what the object knows anyway."""

    __slots__ = ("_obj",)

    def __init__(self, obj: StoredObject) -> None:
        self._obj = obj

    def __getitem__(self, field: str) -> str:
        if field == "metadata.name":
            return self._obj.name
        if field == "metadata.namespace":
            return self._obj.namespace
        return self._obj.fields[field]

    def get(self, field: str, default: Any = None) -> Any:
        """As of any mapping; Mapping's own asks by exception, which shows in a list of thousands."""
        if field in _METADATA_FIELDS:
            return self[field]
        return self._obj.fields.get(field, default)

    def __iter__(self) -> Iterator[str]:
        yield from _METADATA_FIELDS
        yield from self._obj.fields

    def __len__(self) -> int:
        return 2 + len(self._obj.fields)


def matching(predicate: Predicate, objects: Iterable[StoredObject]) -> Iterator[StoredObject]:
    """The matching ones, as they are asked for."""
    return (obj for obj in objects if predicate.matches(obj))
