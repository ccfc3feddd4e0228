"""From the JSON object of one message to its bytes: the way back of `messages.py`.

Called by `objects.py`. What is no pointer in Go is written even if it is zero, fields in the order of their numbers,
maps in that of their keys. Mirrors the generated MarshalToSizedBuffer of `k8s.io/api/*/generated.pb.go`, byte for byte.
"""

import base64
from collections.abc import Mapping
from typing import Any

from generic.protobuf import special, wire
from generic.protobuf.definitions import Definitions, Field

_NOTHING: Mapping[str, Any] = {}
_NILS = frozenset(("[]byte", special.RAW))
"""Of these Go tells nothing from what is empty, and writes no nothing."""


class Encoder:
    """Writes the types of some tables."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._zeros: dict[str, bytes] = {}
        """Messages of which nothing is said: half of an object are such."""

    def encode(self, name: str, value: Any) -> bytes:
        """The message of the named type. Raises ValueError if the value is not of it."""
        try:
            return self._message(name, value)
        except (TypeError, AttributeError, KeyError) as error:
            raise ValueError(f"no {name.rpartition('.')[2]}: {error}") from None

    def _message(self, name: str, value: Any) -> bytes:
        if not value and value is not False and name not in special.LAYOUTS:
            zero = self._zeros.get(name)
            if zero is None:
                zero = self._zeros[name] = self._fields(name, _NOTHING)
            return zero
        return self._fields(name, special.from_json(name, value) if name in special.LAYOUTS else value)

    def _fields(self, name: str, value: Any) -> bytes:
        parts: list[bytes] = []
        for field in self._definitions.fields(name):
            inner = value if field.itself or not field.name else value.get(field.name)
            shape = field.shape
            if shape == "value":
                if inner is not None or field.element not in _NILS:
                    parts.append(self._one(field, inner))
            elif inner is None:
                continue
            elif shape == "pointer":
                parts.append(self._one(field, inner))
            elif shape == "list":
                parts += [self._one(field, item) for item in inner]
            else:
                parts += [self._entry(field, key, inner[key]) for key in sorted(inner)]
        return b"".join(parts)

    def _one(self, field: Field, value: Any) -> bytes:
        """One value of the field's element type, None for its zero."""
        number, element = field.number, field.element
        if element == "string":
            return wire.bytes_field(number, value.encode() if value is not None else b"")
        if not field.is_scalar:
            return wire.bytes_field(number, self._message(element, value))
        match element:
            case "bool":
                return wire.number_field(number, 1 if value else 0)
            case "int32" | "int64":
                return wire.number_field(number, int(value or 0))
            case "float64":
                return wire.double_field(number, float(value or 0))
            case "[]byte":
                return wire.bytes_field(number, base64.b64decode(value or b""))
        return wire.bytes_field(number, value)

    def _entry(self, field: Field, key: str, value: Any) -> bytes:
        """A key of a map and its value: a message of these two."""
        inner = Field(2, field.name, "value", field.element)
        held = b"" if value is None and field.element in _NILS else self._one(inner, value)
        return wire.bytes_field(field.number, wire.bytes_field(1, key.encode()) + held)
