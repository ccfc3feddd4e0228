"""From the bytes of one message to the JSON object Go would print after reading them.

Called by `objects.py`. Go's struct decides what is printed, not what was on the wire: a field without a pointer is
there with its zero unless its tag says omitempty, a struct without a pointer always. Mirrors the generated Unmarshal
of `k8s.io/api/*/generated.pb.go` followed by encoding/json, save that what a type does not know is an error here.
"""

import base64
import math
from collections.abc import Sequence
from typing import Any

from generic.protobuf import special, wire
from generic.protobuf.definitions import Definitions, Field

MAX_DEPTH = 100
"""Of messages in messages. Each costs a few frames of our stack; only schemas can have so many."""

_ZEROS = {"string": "", "bool": False, "int32": 0, "int64": 0, "float64": 0.0, "[]byte": None, special.RAW: b""}


def decode(definitions: Definitions, name: str, data: bytes) -> Any:
    """The value of a message of the named type. Raises ValueError with one line."""
    return _Decoding(definitions).message(name, data, 0)


class _Decoding:
    """The reading of one body."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._left = wire.MAX_FIELDS

    def message(self, name: str, data: bytes, depth: int) -> Any:
        """A whole message; its type may make a JSON object of it, or something else (`special`, `Field.itself`)."""
        if depth > MAX_DEPTH:
            raise ValueError("exceeded max depth")
        seen = self._scan(data)
        obj: dict[str, Any] = {}
        for field in self._definitions.fields(name):
            values = seen.pop(field.number, ())
            value = self._value(field, values, depth)
            if field.itself:
                return value
            if not field.name:
                obj.update(value)
            elif not (field.omitempty and _is_empty(field, value)):
                obj[field.name] = value
        for number, values in seen.items():
            # Clients older than a field's removal still send its zero; there is nothing in it to lose.
            if any(values):
                raise ValueError(f"unknown field number {number} in {name.rpartition('.')[2]}")
        return special.to_json(name, obj) if name in special.LAYOUTS else obj

    def _scan(self, data: bytes) -> dict[int, list[wire.Value]]:
        found = wire.scan(data, self._left)
        self._spend(len(found) + 1)  # One for the message itself: empty ones cost as well.
        seen: dict[int, list[wire.Value]] = {}
        for number, value in found:
            seen.setdefault(number, []).append(value)
        return seen

    def _value(self, field: Field, values: Sequence[wire.Value], depth: int) -> Any:
        if field.shape == "value":
            return self._one(field, values, depth)
        if not values:
            return None
        if field.shape == "pointer":
            return self._one(field, values, depth)
        if field.shape == "map":
            return dict(self._entry(field, value, depth) for value in values)
        if field.element in ("bool", "int32", "int64"):
            values = [number for value in values for number in self._numbers(value)]
        return [self._one(field, (value,), depth) for value in values]

    def _numbers(self, value: wire.Value) -> Sequence[wire.Value]:
        if not isinstance(value, bytes):
            return [value]
        numbers = wire.packed(value, self._left)
        self._spend(len(numbers))
        return numbers

    def _spend(self, fields: int) -> None:
        self._left -= fields
        if self._left < 0:
            raise wire.too_many()

    def _entry(self, field: Field, value: wire.Value, depth: int) -> tuple[str, Any]:
        seen = self._scan(_bytes(field, [value]))
        keys, values = seen.pop(1, ()), seen.pop(2, ())
        if seen:
            raise ValueError(f"unknown field number {next(iter(seen))} in an entry of {field.name}")
        return _text(field, keys) if keys else "", self._one(field, values or (b"",), depth)

    def _one(self, field: Field, values: Sequence[wire.Value], depth: int) -> Any:
        """One value of the field's element type: zero if nothing was sent; messages sent in parts are put together."""
        if not field.is_scalar:
            return self.message(field.element, _bytes(field, values), depth + 1)
        if not values:
            return _ZEROS[field.element]
        match field.element:
            case "string":
                return _text(field, values)
            case "[]byte":
                return base64.b64encode(_bytes(field, values[-1:])).decode()
            case "bool":
                return _number(field, values) != 0
            case "int32":
                return _signed(_number(field, values), 32)
            case "int64":
                return _signed(_number(field, values), 64)
            case "float64":
                return _double(field, values)
        return _bytes(field, values[-1:])


def _is_empty(field: Field, value: Any) -> bool:
    """As encoding/json has it. A time that is zero prints null, which says no more than nothing does."""
    return value is None or (field.shape == "value" and field.is_scalar and not value)


def _bytes(field: Field, values: Sequence[wire.Value]) -> bytes:
    parts = [value for value in values if isinstance(value, bytes)]
    if len(parts) != len(values):
        raise _wrong_type(field, values)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _text(field: Field, values: Sequence[wire.Value]) -> str:
    try:
        return _bytes(field, values[-1:]).decode()
    except UnicodeDecodeError:
        raise ValueError(f"proto: field {field.name} contains invalid UTF-8") from None


def _number(field: Field, values: Sequence[wire.Value]) -> int:
    value = values[-1]
    if not isinstance(value, int):
        raise _wrong_type(field, values)
    return value


def _double(field: Field, values: Sequence[wire.Value]) -> float | int:
    value = values[-1]
    if not isinstance(value, float):
        raise _wrong_type(field, values)
    if not math.isfinite(value):
        raise ValueError(f"json: unsupported value: {value}")
    # Go prints no point where there is no fraction.
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _wrong_type(field: Field, values: Sequence[wire.Value]) -> ValueError:
    wire_type = {int: 0, float: 1, bytes: 2}[type(values[-1])]
    return ValueError(f"proto: wrong wireType = {wire_type} for field {field.name}")


def _signed(value: int, bits: int) -> int:
    """Two's complement, of the lowest bits: as Go converts."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value
