"""Equality of JSON values as JSON has it: `true` is not 1, 1 is 1.0, members have no order. Called by the rules."""

from typing import Any

import orjson


def is_number(value: Any) -> bool:
    """A JSON number; Python's booleans are integers, JSON's are not."""
    return type(value) is int or type(value) is float


def canonical(value: Any) -> bytes:
    """Bytes that are equal where the values are."""
    return orjson.dumps(_whole(value), option=orjson.OPT_SORT_KEYS)


def same(left: Any, right: Any) -> bool:
    return canonical(left) == canonical(right)


def _whole(value: Any) -> Any:
    """Floats without a fraction become integers, all the way down."""
    if type(value) is float and value.is_integer() and abs(value) < 1 << 53:
        return int(value)
    if type(value) is dict:
        return {key: _whole(inside) for key, inside in value.items()}
    if type(value) is list:
        return [_whole(item) for item in value]
    return value
