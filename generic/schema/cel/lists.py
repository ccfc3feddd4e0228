"""Functions on lists and sets. Part of `functions.py`.

Mirrors `apiserver/pkg/cel/library/lists.go` and `cel-go/ext/sets.go`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from generic.schema.cel import operators, strings
from generic.schema.cel.errors import NO_OVERLOAD, EvaluationError
from generic.schema.cel.values import compare, equal

_ORDERED = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise EvaluationError(NO_OVERLOAD)
    return value


def _sum(values: Any) -> Any:
    total: Any = None
    for value in _list(values):
        total = value if total is None else operators.add(total, value)
    return 0 if total is None else total


def _extreme(name: str, wanted: int) -> Callable[[Any], Any]:
    def find(values: Any) -> Any:
        if not _list(values):
            raise EvaluationError(f"{name} called on empty list")
        best = values[0]
        for value in values[1:]:
            if compare(value, best) == wanted:
                best = value
        return best

    return find


def _is_sorted(values: Any) -> bool:
    return all(compare(left, right) <= 0 for left, right in zip(_list(values), values[1:], strict=False))


def _index_of(values: Any, item: Any, *rest: Any) -> int:
    if isinstance(values, str):
        return strings.index_of(values, item, *rest)
    return next((at for at, value in enumerate(_list(values)) if equal(value, item)), -1)


def _last_index_of(values: Any, item: Any, *rest: Any) -> int:
    if isinstance(values, str):
        return strings.last_index_of(values, item, *rest)
    return next((at for at in range(len(_list(values)) - 1, -1, -1) if equal(values[at], item)), -1)


def _contains(values: Any, wanted: Any) -> bool:
    return all(any(equal(item, value) for value in _list(values)) for item in _list(wanted))


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "sum": _sum,
    "min": _extreme("min", -1),
    "max": _extreme("max", 1),
    "isSorted": _is_sorted,
    "indexOf": _index_of,
    "lastIndexOf": _last_index_of,
    "sets.contains": _contains,
    "sets.equivalent": lambda left, right: _contains(left, right) and _contains(right, left),
    "sets.intersects": lambda left, right: any(any(equal(item, other) for other in _list(right)) for item in left),
}
SIGNATURES = (
    *(f"list<{kind}>.sum(): {kind}" for kind in ("int", "uint", "double", "duration")),
    *(f"list<{kind}>.{name}(): {kind}" for name in ("min", "max") for kind in _ORDERED),
    *(f"list<{kind}>.isSorted(): bool" for kind in _ORDERED),
    "list<A>.indexOf(A): int",
    "list<A>.lastIndexOf(A): int",
    "string.indexOf(string): int",
    "string.indexOf(string, int): int",
    "string.lastIndexOf(string): int",
    "string.lastIndexOf(string, int): int",
    *(f"sets.{name}(list<A>, list<A>): bool" for name in ("contains", "equivalent", "intersects")),
)
