"""Values of CEL that Python has no type of its own for, and what is common to all of them: equality, order, names.

JSON stands for itself: dict for objects and maps, list, str, bool, int, float; None is null. Timestamps are datetime,
durations timedelta. Used by everything in this package.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import SplitResult

import orjson

from generic.meta.quantity import Quantity
from generic.schema.cel.errors import NO_OVERLOAD, EvaluationError


class UInt(int):
    """An unsigned 64 bit integer."""


class SetList(list[Any]):
    """A list of type set: the order of its items does not matter."""


class MapList(list[Any]):
    """A list of type map: its items are told apart by `keys`, their order does not matter."""

    keys: tuple[str, ...] = ()

    def identity(self, item: Any) -> tuple[Any, ...]:
        return tuple(item.get(key) if isinstance(item, dict) else None for key in self.keys)


class Built(dict[Any, Any]):
    """An object an expression built, and what it called its type. See `literals.py`."""

    def __init__(self, type_name: str) -> None:
        super().__init__()
        self.type_name = type_name


@dataclass(frozen=True, slots=True)
class TypeValue:
    """A type as a value: what `type(x)` returns."""

    name: str


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may be absent."""

    held: tuple[Any, ...] = ()

    @property
    def value(self) -> Any:
        if not self.held:
            raise EvaluationError("optional.none() dereference")
        return self.held[0]


NONE = Optional()


@dataclass(frozen=True, slots=True)
class Url:
    """A parsed URL."""

    parts: SplitResult


@dataclass(frozen=True, slots=True)
class Cidr:
    """An address with the length of its prefix; host bits are kept."""

    interface: ipaddress.IPv4Interface | ipaddress.IPv6Interface


@dataclass(frozen=True, slots=True)
class Semver:
    """A semantic version; build metadata does not count."""

    numbers: tuple[int, int, int]
    prerelease: tuple[str, ...] = ()

    def key(self) -> tuple[Any, ...]:
        """Sorts as semver.org says."""
        parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.prerelease)
        return (*self.numbers, not self.prerelease, parts)


@dataclass(frozen=True, slots=True)
class NamedFormat:
    """A format of strings; `problems` says what is wrong with one."""

    name: str
    problems: Callable[[str], list[str]]


_NAMES: dict[type, str] = {
    bool: "bool",
    int: "int",
    UInt: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    SetList: "list",
    MapList: "list",
    dict: "map",
    type(None): "null_type",
    datetime: "google.protobuf.Timestamp",
    timedelta: "google.protobuf.Duration",
    TypeValue: "type",
    Optional: "optional_type",
    Quantity: "kubernetes.Quantity",
    Url: "kubernetes.URL",
    Cidr: "net.CIDR",
    ipaddress.IPv4Address: "net.IP",
    ipaddress.IPv6Address: "net.IP",
    Semver: "kubernetes.Semver",
    NamedFormat: "kubernetes.NamedFormat",
}
_NUMBERS = frozenset({int, UInt, float})
_LISTS = frozenset({list, SetList, MapList})


def type_name(value: Any) -> str:
    return _NAMES.get(type(value), "dyn")


def is_number(value: Any) -> bool:
    """Booleans are none."""
    return type(value) in _NUMBERS


def equal(left: Any, right: Any) -> bool:
    """CEL's `==`: numbers compare across types, nothing else does."""
    kind, other = type(left), type(right)
    if kind is str or other is str:
        return kind is other and left == right
    if kind in _NUMBERS:
        return other in _NUMBERS and left == right
    if kind in _LISTS:
        return other in _LISTS and len(left) == len(right) and _equal_lists(left, right)
    if kind is dict:
        return (
            other is dict
            and len(left) == len(right)
            and all(key in right and equal(value, right[key]) for key, value in left.items())
        )
    if kind is Optional and other is Optional:
        return len(left.held) == len(right.held) and all(map(equal, left.held, right.held))
    return kind is other and left == right


def _equal_lists(left: Any, right: Any) -> bool:
    if type(left) is SetList:
        return {_mark(item) for item in left} == {_mark(item) for item in right}
    if type(left) is MapList:
        by_identity = {left.identity(item): item for item in right}
        return all(
            left.identity(item) in by_identity and equal(item, by_identity[left.identity(item)]) for item in left
        )
    return all(map(equal, left, right))


def _mark(item: Any) -> Any:
    """Of an item of a set: the same for equal ones, and quick to look up."""
    kind = type(item)
    if kind in _NUMBERS or kind is bool:
        return (kind is bool, item)
    return item if kind is str else orjson.dumps(item, default=repr, option=orjson.OPT_SORT_KEYS)


def compare(left: Any, right: Any) -> int:
    """Below, at or above 0. Raises EvaluationError for what has no order."""
    kind, other = type(left), type(right)
    if (kind in _NUMBERS and other in _NUMBERS) or (kind is other and kind in _ORDERED):
        return bool(left > right) - bool(left < right)
    raise EvaluationError(NO_OVERLOAD)


_ORDERED = frozenset({str, bytes, bool, datetime, timedelta})
