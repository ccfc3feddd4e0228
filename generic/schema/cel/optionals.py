"""Functions on optional values. Part of `functions.py`; mirrors `cel-go/cel/library.go` OptionalTypes."""

from collections.abc import Callable, Mapping
from typing import Any

from generic.schema.cel import operators
from generic.schema.cel.errors import NO_OVERLOAD, EvaluationError
from generic.schema.cel.values import NONE, Optional


def _checked(value: Any) -> Optional:
    if type(value) is not Optional:
        raise EvaluationError(NO_OVERLOAD)
    return value


def _non_zero(value: Any) -> Optional:
    empty = value is None or (isinstance(value, str | bytes | list | dict | int | float) and not value)
    return NONE if empty else Optional((value,))


def _select(value: Any, key: Any) -> Optional:
    """`value.?key` and `value[?key]`."""
    if type(value) is Optional:
        return _select(value.held[0], key) if value.held else NONE
    try:
        return Optional((operators.index(value, key),))
    except EvaluationError as error:
        if str(error) == NO_OVERLOAD:
            raise
        return NONE


def _or(value: Any, other: Any) -> Any:
    return value if _checked(value).held else _checked(other)


def _or_value(value: Any, other: Any) -> Any:
    held = _checked(value).held
    return held[0] if held else other


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "optional.of": lambda value: Optional((value,)),
    "optional.ofNonZeroValue": _non_zero,
    "optional.none": lambda: NONE,
    "optional.unwrap": lambda values: [value.value for value in values if value.held],
    "unwrapOpt": lambda values: [value.value for value in values if value.held],
    "value": lambda value: _checked(value).value,
    "hasValue": lambda value: bool(_checked(value).held),
    "or": _or,
    "orValue": _or_value,
    "_?._": _select,
    "_[?_]": _select,
}
