"""The steps a JSONPath is compiled into: each takes the values selected so far to the next ones.

Called only by `jsonpath.py`. Mirrors the eval functions of `client-go/util/jsonpath/jsonpath.go` with
missing keys allowed.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

Step: TypeAlias = Callable[[list[Any]], list[Any]]

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def run(steps: Sequence[Step], values: list[Any]) -> list[Any]:
    """The values after all steps."""
    for step in steps:
        values = step(values)
    return values


def field(key: str) -> Step:
    """The value under a key of every object that has it."""
    return lambda values: [value[key] for value in values if isinstance(value, dict) and key in value]


def wildcard(values: list[Any]) -> list[Any]:
    """Everything directly inside."""
    return [child for value in values for child in _children(value)]


def recursive(values: list[Any]) -> list[Any]:
    """Every object and array at any depth, outermost first."""
    found: list[Any] = []
    for value in values:
        children = _children(value)
        if children:
            found.append(value)
            found += recursive(children)
    return found


def constant(value: Any) -> Step:
    """A literal; it stands for itself whatever was selected before."""
    return lambda values: [value]


def failing(why: str) -> Step:
    """What parses but can never be evaluated: Kubernetes takes such a path and shows empty cells."""

    def step(values: list[Any]) -> list[Any]:
        raise ValueError(why)

    return step


def union(branches: Sequence[Sequence[Step]]) -> Step:
    """What each branch selects, one after another."""
    return lambda values: [found for branch in branches for found in run(branch, values)]


def slice_of(first: int | None, *, end: int | None, stride: int | None, single: bool) -> Step:
    """Elements of every array; `single` is an index, not a range. Raises ValueError out of bounds."""

    def step(values: list[Any]) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if value is None:
                continue
            if not isinstance(value, list):
                raise ValueError(f"{_type_name(value)} is not array or slice")
            found += _slice(value, first or 0, (first or 0) + 1 if single else end, stride, single=single)
        return found

    return step


def _slice(items: list[Any], first: int, end: int | None, stride: int | None, *, single: bool) -> list[Any]:
    length = len(items)
    if first < 0:
        first += length
    if end is None:
        end = length
    elif end < 0 or (end == 0 and single):
        end += length
    if first == end:
        return []
    if not 0 <= first < length:
        raise ValueError(f"array index out of bounds: index {first}, length {length}")
    if not 0 <= end <= length:
        raise ValueError(f"array index out of bounds: index {end - 1}, length {length}")
    if first > end:
        raise ValueError(f"starting index {first} is greater than ending index {end}")
    if stride is not None and stride <= 0:
        raise ValueError("step must be > 0")
    return items[first:end:stride]


def exists_filter(left: Sequence[Step]) -> Step:
    """Elements for which the expression selects anything."""

    def step(values: list[Any]) -> list[Any]:
        return [item for item in _items(values) if run(left, [item])]

    return step


def comparison_filter(left: Sequence[Step], symbol: str, right: Sequence[Step]) -> Step:
    """Elements for which the comparison holds; those that lack a side are left out."""
    compare = COMPARISONS[symbol]

    def step(values: list[Any]) -> list[Any]:
        found: list[Any] = []
        for item in _items(values):
            lefts, rights = run(left, [item]), run(right, [item])
            if not lefts or not rights:
                continue
            if len(lefts) > 1 or len(rights) > 1:
                raise ValueError("can only compare one element at a time")
            if _basic_kind(lefts[0]) is not _basic_kind(rights[0]):
                raise ValueError("incompatible types for comparison")
            if compare(lefts[0], rights[0]):
                found.append(item)
        return found

    return step


def _items(values: list[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if not isinstance(value, list):
            raise ValueError(f"{_type_name(value)} is not array or slice and cannot be filtered")
        found += value
    return found


def _basic_kind(value: Any) -> type:
    kind = type(value)
    if kind not in (bool, int, float, str):
        raise ValueError("invalid type for comparison")
    return kind


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _type_name(value: Any) -> str:
    """What Go calls the type of a decoded JSON value."""
    if isinstance(value, dict):
        return "map[string]interface {}"
    return {bool: "bool", int: "int64", float: "float64", str: "string"}.get(type(value), "<nil>")
