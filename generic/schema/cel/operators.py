"""The operators and conversions of CEL, on values. Called through `functions.py` by compiled expressions.

They are strict about types: what the compiler could not check (`dyn`) fails here as `no such overload`. Mirrors
`cel-go/common/types`.
"""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from generic.meta.quantity import Quantity
from generic.schema.cel import times
from generic.schema.cel.errors import NO_OVERLOAD, EvaluationError
from generic.schema.cel.values import TypeValue, UInt, equal, is_number, type_name

_INT_MIN, _INT_MAX, _UINT_MAX = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1


def _int(value: int) -> int:
    if not _INT_MIN <= value <= _INT_MAX:
        raise EvaluationError("integer overflow")
    return value


def _uint(value: int) -> UInt:
    if not 0 <= value <= _UINT_MAX:
        raise EvaluationError("unsigned integer overflow")
    return UInt(value)


def _no_overload() -> EvaluationError:
    return EvaluationError(NO_OVERLOAD)


def add(left: Any, right: Any) -> Any:
    kind, other = type(left), type(right)
    if kind is other:
        if kind is int:
            return _int(left + right)
        if kind is str or kind is float or kind is bytes or kind is list:
            return left + right
        if kind is UInt:
            return _uint(int(left) + int(right))
        if kind is timedelta:
            return left + right
    if isinstance(left, list) and isinstance(right, list):
        return list(left) + list(right)
    if {kind, other} == {datetime, timedelta}:
        return left + right
    raise _no_overload()


def subtract(left: Any, right: Any) -> Any:
    kind, other = type(left), type(right)
    if kind is int and other is int:
        return _int(left - right)
    if kind is UInt and other is UInt:
        return _uint(int(left) - int(right))
    if (kind is other and kind in (float, timedelta, datetime)) or (kind is datetime and other is timedelta):
        return left - right
    raise _no_overload()


def multiply(left: Any, right: Any) -> Any:
    kind = type(left)
    if kind is type(right):
        if kind is int:
            return _int(left * right)
        if kind is UInt:
            return _uint(int(left) * int(right))
        if kind is float:
            return left * right
    raise _no_overload()


def divide(left: Any, right: Any) -> Any:
    kind = type(left)
    if kind is not type(right):
        raise _no_overload()
    if kind is float:
        if right == 0.0:
            return math.nan if left == 0.0 or math.isnan(left) else math.copysign(math.inf, left * (1 / _signed(right)))
        return left / right
    if kind not in (int, UInt):
        raise _no_overload()
    if right == 0:
        raise EvaluationError("division by zero")
    whole = abs(int(left)) // abs(int(right))
    return _uint(whole) if kind is UInt else _int(whole if (left < 0) == (right < 0) else -whole)


def _signed(zero: float) -> float:
    return math.copysign(1.0, zero)


def modulo(left: Any, right: Any) -> Any:
    kind = type(left)
    if kind is not type(right) or kind not in (int, UInt):
        raise _no_overload()
    if right == 0:
        raise EvaluationError("modulus by zero")
    rest = abs(int(left)) % abs(int(right))
    return UInt(rest) if kind is UInt else (-rest if left < 0 else rest)


def negate(value: Any) -> Any:
    if type(value) is int:
        return _int(-value)
    if type(value) is float:
        return -value
    raise _no_overload()


def negation(value: Any) -> bool:
    if type(value) is not bool:
        raise _no_overload()
    return not value


def contains(item: Any, container: Any) -> bool:
    """`in`."""
    if isinstance(container, dict):
        return type(item) is str and item in container if all_text(container) else _in_keys(item, container)
    if not isinstance(container, list):
        raise _no_overload()
    return any(equal(item, each) for each in container)


def all_text(container: dict[Any, Any]) -> bool:
    """JSON's objects have no other keys; maps an expression made may."""
    first = next(iter(container), None)
    return first is None or type(first) is str


def _in_keys(item: Any, container: dict[Any, Any]) -> bool:
    return any(equal(item, key) for key in container)


def index(container: Any, at: Any) -> Any:
    """Raises EvaluationError."""
    if isinstance(container, dict):
        if type(at) is str or not is_number(at):
            if at in container:
                return container[at]
        else:
            for key, value in container.items():
                if equal(key, at):
                    return value
        raise EvaluationError(f"no such key: {at}")
    if isinstance(container, list) and is_number(at):
        if at != int(at):
            raise EvaluationError("unsupported index value")
        if not 0 <= at < len(container):
            raise EvaluationError(f"index out of bounds: {int(at)}")
        return container[int(at)]
    raise _no_overload()


def size(value: Any) -> int:
    if isinstance(value, str | bytes | list | dict):
        return len(value)
    raise _no_overload()


# Conversions.


def to_int(value: Any) -> int:
    if type(value) is str:
        if not re.fullmatch(r"[+-]?\d+", value, re.ASCII):
            raise EvaluationError(f'strconv.ParseInt: parsing "{value}": invalid syntax')
        return _in_range(int(value), value)
    if type(value) is float:
        if math.isnan(value) or not _INT_MIN < value < _INT_MAX:
            raise EvaluationError("integer overflow")
        return int(value)
    if type(value) is int or type(value) is UInt:
        return _int(int(value))
    if type(value) is datetime:
        return math.floor(value.timestamp())
    raise _no_overload()


def _in_range(number: int, text: str) -> int:
    if not _INT_MIN <= number <= _INT_MAX:
        raise EvaluationError(f'strconv.ParseInt: parsing "{text}": value out of range')
    return number


def to_uint(value: Any) -> UInt:
    if type(value) is str:
        if not re.fullmatch(r"\d+", value, re.ASCII):
            raise EvaluationError(f'strconv.ParseUint: parsing "{value}": invalid syntax')
        return _uint(int(value))
    if type(value) is float:
        if math.isnan(value) or not 0 <= value <= _UINT_MAX:
            raise EvaluationError("unsigned integer overflow")
        return UInt(value)
    if type(value) is int or type(value) is UInt:
        return _uint(int(value))
    raise _no_overload()


def to_double(value: Any) -> float:
    if type(value) is str:
        try:
            return float(value)
        except ValueError:
            raise EvaluationError(f'strconv.ParseFloat: parsing "{value}": invalid syntax') from None
    if is_number(value):
        return float(value)
    raise _no_overload()


def to_bool(value: Any) -> bool:
    if type(value) is bool:
        return value
    if type(value) is str:
        if value in ("1", "t", "T", "TRUE", "true", "True"):
            return True
        if value in ("0", "f", "F", "FALSE", "false", "False"):
            return False
        raise EvaluationError(f'strconv.ParseBool: parsing "{value}": invalid syntax')
    raise _no_overload()


def to_bytes(value: Any) -> bytes:
    if type(value) is str:
        return value.encode()
    if type(value) is bytes:
        return value
    raise _no_overload()


def to_text(value: Any) -> str:
    """`string(x)`, of the types of extension libraries too."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int or type(value) is UInt:
        return str(int(value))
    if type(value) is float:
        return double_text(value)
    if type(value) is bytes:
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise EvaluationError("invalid UTF-8 in bytes, cannot convert to string") from None
    if type(value) is datetime:
        return times.timestamp_text(value)
    if type(value) is timedelta:
        return times.duration_text(value)
    if type(value) is Quantity or type_name(value) == "net.IP":
        return str(value)
    if type_name(value) == "net.CIDR":
        return str(value.interface)
    raise _no_overload()


def double_text(value: float) -> str:
    """As Go's shortest form."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if math.isnan(value):
        return "NaN"
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return re.sub(r"e([+-])(\d)$", r"e\g<1>0\2", repr(value))


def to_timestamp(value: Any) -> datetime:
    if type(value) is str:
        return times.parse_timestamp(value)
    if type(value) is datetime:
        return value
    if type(value) is int:
        try:
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)
        except OverflowError:
            raise EvaluationError("timestamp overflow") from None
    raise _no_overload()


def to_duration(value: Any) -> timedelta:
    if type(value) is str:
        return times.parse_duration(value)
    if type(value) is timedelta:
        return value
    if type(value) is int:
        return timedelta(microseconds=value / 1000)
    raise _no_overload()


def type_of(value: Any) -> TypeValue:
    return TypeValue(type_name(value))
