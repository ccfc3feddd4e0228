"""Every function an expression may call, by name: receivers come first among the arguments.

Read by `evaluate.py`. The operators are in `operators.py`, the libraries beside this file. Mirrors the standard library
of cel-go.
"""

from collections.abc import Callable, Mapping
from typing import Any

from generic.schema.cel import charges, lists, networks, numbers, operators, optionals, strings, times
from generic.schema.cel import formats as named_formats
from generic.schema.cel.values import compare, equal

Implementation = Callable[..., Any]
Price = Callable[..., float]

IMPLEMENTATIONS: Mapping[str, Implementation] = {
    "_+_": operators.add,
    "_-_": operators.subtract,
    "_*_": operators.multiply,
    "_/_": operators.divide,
    "_%_": operators.modulo,
    "-_": operators.negate,
    "!_": operators.negation,
    "_==_": equal,
    "_!=_": lambda left, right: not equal(left, right),
    "_<_": lambda left, right: compare(left, right) < 0,
    "_<=_": lambda left, right: compare(left, right) <= 0,
    "_>_": lambda left, right: compare(left, right) > 0,
    "_>=_": lambda left, right: compare(left, right) >= 0,
    "@in": operators.contains,
    "_[_]": operators.index,
    "size": operators.size,
    "int": operators.to_int,
    "uint": operators.to_uint,
    "double": operators.to_double,
    "bool": operators.to_bool,
    "string": operators.to_text,
    "bytes": operators.to_bytes,
    "timestamp": operators.to_timestamp,
    "duration": operators.to_duration,
    "dyn": lambda value: value,
    "type": operators.type_of,
    **times.PARTS,
    **optionals.FUNCTIONS,
    **strings.FUNCTIONS,
    **lists.FUNCTIONS,
    **numbers.FUNCTIONS,
    **networks.FUNCTIONS,
    **named_formats.FUNCTIONS,
}

COMPARISONS = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})
_NUMBERS = ("int", "uint", "double")
_COMPARISONS = tuple(
    f"{operator}({left}, {right}): bool"
    for operator in ("_<_", "_<=_", "_>_", "_>=_")
    for left, right in (
        *((left, right) for left in _NUMBERS for right in _NUMBERS),
        *((kind, kind) for kind in ("string", "bytes", "bool", "timestamp", "duration")),
    )
)

SIGNATURES: tuple[str, ...] = (
    *_COMPARISONS,
    *strings.SIGNATURES,
    *lists.SIGNATURES,
    *numbers.SIGNATURES,
    *networks.SIGNATURES,
    *named_formats.SIGNATURES,
)
"""What the compiler must be told of; the rest it knows. See `declarations.py` for the notation."""


def price(name: str) -> Price | None:
    """What a call of this function costs, of its arguments; None for one unit."""
    if name in _PRICES:
        return _PRICES[name]
    growth = charges.GROWTH.get(name)
    if growth is None:
        return None
    return lambda *args: max(1, growth([charges.size_of(arg) for arg in args]))


# What makes something large out of something small is charged for what it makes, so that memory is bounded as well.


def _concatenation(left: Any, right: Any) -> float:
    return max(1, charges.CONCATENATION([charges.size_of(left), charges.size_of(right)]))


def _join(parts: Any, separator: Any = "") -> float:
    length = sum(charges.size_of(part) + charges.size_of(separator) for part in parts)
    return max(1, charges.CONCATENATION([length]))


def _replacement(text: Any, old: Any, new: Any, limit: int = -1) -> float:
    times = text.count(old) if limit < 0 else min(limit, text.count(old))
    return max(1, charges.CONCATENATION([len(text), times * len(new)]))


def _rendering(template: Any, args: Any) -> float:
    return len(template) // 10 + charges.weight_of(args)


def _search(values: Any, item: Any, *rest: Any) -> float:
    """What `indexOf` costs, of strings, or of lists, whose items may be large themselves."""
    if isinstance(values, str):
        return max(1, charges.CONCATENATION([len(values)]))
    return len(values) * _heaviness(item)


def _membership(item: Any, values: Any) -> float:
    return max(1, len(values) * _heaviness(item))


def _set_operation(left: Any, right: Any) -> float:
    return max(1, len(left) * len(right) * max(map(_heaviness, left[:1] + right[:1]), default=1))


def _heaviness(item: Any) -> int:
    """How much a comparison with an item costs, at least one; what is no collection is compared at once."""
    return 1 + charges.weight_of(item) // 2 if isinstance(item, list | dict) else 1


_PRICES: Mapping[str, Price] = {
    # Of authorizers, which are a library: no expression can afford to ask more than twice.
    "check": lambda *args: 350_000,
    "_+_": _concatenation,
    "join": _join,
    "replace": _replacement,
    "format": _rendering,
    "@in": _membership,
    "indexOf": _search,
    "lastIndexOf": _search,
    "sets.contains": _set_operation,
    "sets.equivalent": _set_operation,
    "sets.intersects": _set_operation,
}
