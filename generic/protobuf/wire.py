"""Protobuf's wire format: the numbered fields of one message, their values still raw. Both ways.

Called by `messages.py`, `encoding.py`, `envelope.py` and `documents.py`. Knows the wire types that Kubernetes' own
types use, and says what is wrong in the words of the code generated for them.
"""

import struct
from functools import cache

MAX_FIELDS = 400_000
"""Of one body, nested ones counted. Two bytes of body make a struct of dozens of fields: the size alone is no limit."""

MAX_NUMBER = 2**29 - 1
_VARINT, _FIXED64, _BYTES = 0, 1, 2
_UINT64 = 2**64 - 1

Value = int | float | bytes
"""An unsigned varint, a double, or what has a length: text, bytes, a message, packed numbers."""


def scan(data: bytes, limit: int = MAX_FIELDS) -> list[tuple[int, Value]]:
    """Number and value of every field, in order. Raises ValueError on what is no message or has too many."""
    found: list[tuple[int, Value]] = []
    at, end = 0, len(data)
    while at < end:
        if len(found) >= limit:
            raise too_many()
        key, at = varint(data, at)
        number, wire_type = key >> 3, key & 7
        if not 0 < number <= MAX_NUMBER:
            raise ValueError(f"proto: illegal tag {number} (wire type {wire_type})")
        if wire_type == _VARINT:
            value, at = varint(data, at)
            found.append((number, value))
        elif wire_type == _BYTES:
            size, at = varint(data, at)
            start, at = at, at + size
            if at > end:
                raise ValueError("unexpected EOF")
            found.append((number, data[start:at]))
        elif wire_type == _FIXED64:
            if at + 8 > end:
                raise ValueError("unexpected EOF")
            found.append((number, *struct.unpack_from("<d", data, at)))
            at += 8
        else:
            raise ValueError(f"proto: illegal wireType {wire_type}")
    return found


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that starts at an offset, as 64 unsigned bits, and the offset after it. Raises ValueError."""
    value = shift = 0
    while True:
        if at >= len(data):
            raise ValueError("unexpected EOF")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & _UINT64, at
        shift += 7
        if shift >= 64:
            raise ValueError("proto: integer overflow")


def too_many() -> ValueError:
    """The refusal of a body whose reading would cost too much."""
    return ValueError(f"more than {MAX_FIELDS} fields")


def packed(data: bytes, limit: int = MAX_FIELDS) -> list[int]:
    """Numbers written one after the other. Raises ValueError."""
    found: list[int] = []
    at = 0
    while at < len(data):
        if len(found) >= limit:
            raise too_many()
        value, at = varint(data, at)
        found.append(value)
    return found


def to_varint(value: int) -> bytes:
    """A number of at most 64 bits; a negative one as two's complement, as Go writes it."""
    value &= _UINT64
    if value < 0x80:
        return _SMALL[value]
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def number_field(number: int, value: int) -> bytes:
    """A field that holds a number or a bool."""
    return _key(number, _VARINT) + to_varint(value)


def double_field(number: int, value: float) -> bytes:
    return _key(number, _FIXED64) + struct.pack("<d", value)


def bytes_field(number: int, value: bytes) -> bytes:
    """A field that holds text, bytes or a message."""
    size = len(value)
    return _key(number, _BYTES) + (_SMALL[size] if size < 0x80 else to_varint(size)) + value


@cache
def _key(number: int, wire_type: int) -> bytes:
    return to_varint(number << 3 | wire_type)


_SMALL = [bytes((value,)) for value in range(0x80)]
