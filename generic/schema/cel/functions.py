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
    if name == "_+_":
        return _concatenation
    growth = charges.GROWTH.get(name)
    if growth is None:
        return None
    return lambda *args: max(1, growth([charges.size_of(arg) for arg in args]))


def _concatenation(left: Any, right: Any) -> float:
    if isinstance(left, str | bytes) and isinstance(right, str | bytes):
        return max(1, charges.CONCATENATION([len(left), len(right)]))
    return 1
