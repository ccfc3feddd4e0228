"""What a call costs beyond one unit: how it grows with its arguments.

Read by `functions.py` for actual values and by `cost.py` for the largest possible ones. Mirrors `cel-go/common/cost.go`
and `apiserver/pkg/cel/library/cost.go`.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

TRAVERSAL = 0.1
"""Units per character looked at."""
REGEX = 0.25
"""Units per character of a regular expression."""

_ENOUGH = 500_000
_TOO_MUCH = 1 << 40
"""Weighing stops at so many parts, and calls it more than anybody may spend."""


def size_of(value: Any) -> int:
    """As costs have it: what is not a collection has size 1."""
    return len(value) if isinstance(value, str | bytes | list | dict) else 1


def weight_of(value: Any) -> int:
    """How much there is to look at in a value, all the way down: one for each part, and for each ten characters.

    An expression can put one list into another a thousand times, so this stops counting at what nobody may spend.
    """
    weight, waiting = 0, [value]
    while waiting and weight < _ENOUGH:
        part = waiting.pop()
        weight += 1
        if isinstance(part, str | bytes):
            weight += len(part) // 10
        elif isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict):
            waiting.extend(part.values())
    return weight if weight < _ENOUGH else _TOO_MUCH


def _first(sizes: list[float]) -> float:
    return _capped(sizes[0] * TRAVERSAL)


def _last(sizes: list[float]) -> float:
    return _capped(sizes[-1] * TRAVERSAL)


def _all(sizes: list[float]) -> float:
    return _capped(sum(sizes) * TRAVERSAL)


def _smaller(sizes: list[float]) -> float:
    return _capped(min(sizes) * TRAVERSAL)


def _contains(sizes: list[float]) -> float:
    return _capped(sizes[0] * TRAVERSAL) * _capped(sizes[1] * TRAVERSAL)


def _regex(sizes: list[float]) -> float:
    return _capped((sizes[0] + 1) * TRAVERSAL) * _capped(sizes[1] * REGEX)


def _product(sizes: list[float]) -> float:
    return sizes[0] * sizes[1]


def _capped(cost: float) -> float:
    return cost if math.isinf(cost) else math.ceil(cost)


GROWTH: Mapping[str, Callable[[list[float]], float]] = {
    **dict.fromkeys(("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"), _smaller),
    **dict.fromkeys(("startsWith", "endsWith"), _last),
    **dict.fromkeys(
        (
            "lowerAscii",
            "upperAscii",
            "substring",
            "trim",
            "replace",
            "split",
            "join",
            "strings.quote",
            "url",
            "isURL",
            "ip",
            "isIP",
            "cidr",
            "isCIDR",
            "quantity",
            "isQuantity",
            "semver",
            "isSemver",
            "validate",
            "format",
            "bytes",
            "string",
            "ip.isCanonical",
            "jsonpatch.escapeKey",
            "charAt",
        ),
        _first,
    ),
    "contains": _contains,
    **dict.fromkeys(("matches", "find", "findAll"), _regex),
    **dict.fromkeys(("sum", "min", "max", "isSorted", "indexOf", "lastIndexOf"), lambda sizes: sizes[0]),
    "@in": lambda sizes: sizes[1],
    **dict.fromkeys(("sets.contains", "sets.intersects", "sets.equivalent"), _product),
}
"""By function: its cost for the sizes of its arguments. What is not here costs one unit."""

CONCATENATION = _all
"""The cost of `+` on strings and bytes; that of lists costs one unit."""
