"""Definitions: which fields a message has, by the tables that `tools/protobuf` makes of Kubernetes' Go types.

Made by `objects.py` for `messages.py`. A table is loaded when it is first asked and a type read when it first comes:
few servers ever see more than a dozen of the five hundred.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from generic.meta.gvk import GroupVersion, GroupVersionKind
from generic.protobuf import special

Shape = Literal["value", "pointer", "list", "map"]

_SHAPES: dict[str, Shape] = {"": "value", "*": "pointer", "[]": "list", "map[string]": "map"}
_TYPE = re.compile(r"(|\*|\[\]|map\[string\])(\[\]byte|[\w.-]+)").fullmatch

SCALARS = frozenset({"string", "bool", "int32", "int64", "float64", "[]byte", special.RAW})


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message. `element`: one of SCALARS, or the name of a type; what a list or a map holds."""

    number: int
    name: str
    """In JSON. Empty: the fields of the inner message stand among those of this one."""
    shape: Shape
    element: str
    omitempty: bool = False
    itself: bool = False
    """In JSON the message is this field's value, not an object around it."""

    @classmethod
    def parse(cls, number: str, text: str) -> "Field":
        """From the tables' `name,option go-type`. Raises ValueError."""
        tag, _, go_type = text.partition(" ")
        name, *options = tag.split(",")
        match = _TYPE(go_type)
        if match is None:
            raise ValueError(f"{go_type!r} is no type")
        shape = _SHAPES[match[1]]
        return cls(int(number), name, shape, match[2], omitempty="omitempty" in options, itself="itself" in options)

    @property
    def is_scalar(self) -> bool:
        return self.element in SCALARS


class Definitions:
    """The types of some tables together: a later one may name the types of an earlier."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._tables: list[Mapping[str, Any]] = []
        self._messages: dict[str, tuple[Field, ...]] = {
            name: _fields(layout) for name, layout in special.LAYOUTS.items()
        }

    def kubernetes_versions(self) -> list[str]:
        """Which minor version each table is of, such as `1.37`."""
        return [table["kubernetes"] for table in self._loaded()]

    def kinds(self) -> Mapping[GroupVersionKind, str]:
        """The name of each kind's type."""
        found: dict[GroupVersionKind, str] = {}
        for table in self._loaded():
            for text, name in table["kinds"].items():
                api_version, _, kind = text.partition(" ")
                found[GroupVersion.parse(api_version).with_kind(kind)] = name
        return found

    def types(self) -> list[str]:
        """The names of all types in the tables."""
        return [name for table in self._loaded() for name in table["types"]]

    def type_of(self, gvk: GroupVersionKind) -> str:
        """The name of a kind's type. Raises KeyError."""
        wanted = f"{gvk.api_version} {gvk.kind}"
        for table in self._loaded():
            if wanted in table["kinds"]:
                name: str = table["kinds"][wanted]
                return name
        raise KeyError(wanted)

    def fields(self, name: str) -> tuple[Field, ...]:
        """The fields of a type, by number. Raises KeyError."""
        known = self._messages.get(name)
        if known is None:
            layout = next((table["types"][name] for table in self._loaded() if name in table["types"]), None)
            if layout is None:
                raise KeyError(name)
            known = self._messages[name] = _fields(layout)
        return known

    def _loaded(self) -> list[Mapping[str, Any]]:
        if not self._tables:
            self._tables = [orjson.loads(path.read_bytes()) for path in self._paths]
        return self._tables


def _fields(layout: Mapping[str, str]) -> tuple[Field, ...]:
    return tuple(Field.parse(number, text) for number, text in layout.items())
