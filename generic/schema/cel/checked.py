"""The checked form of an expression: what the compiler serializes, as a tree of ours.

Called by `environment.py`; read by `evaluate.py` and `cost.py`. Decodes cel.expr.CheckedExpr (`checked.proto` and
`syntax.proto` of cel-spec) by hand: a protobuf library refuses messages as deep as a long chain of `||` is.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from generic.schema.cel.values import UInt

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIGN, _WRAP = 1 << 63, 1 << 64


@dataclass(frozen=True, slots=True)
class Type:
    """A static type: bool, int, uint, double, string, bytes, null, dyn, timestamp, duration, list, map, message, type,
    optional_type or the name of an abstract one. `name`: of a message."""

    kind: str
    parameters: tuple["Type", ...] = ()
    name: str = ""


DYN = Type("dyn")


@dataclass(frozen=True, slots=True)
class Const:
    id: int
    value: Any


@dataclass(frozen=True, slots=True)
class Ident:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    id: int
    operand: "Node"
    field: str
    test_only: bool


@dataclass(frozen=True, slots=True)
class Call:
    """`target` comes first among the arguments where there is one."""

    id: int
    function: str
    target: bool
    args: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`optional`: indices of elements written as `?x`."""

    id: int
    elements: tuple["Node", ...]
    optional: frozenset[int]


@dataclass(frozen=True, slots=True)
class Entry:
    """`key` is a Const for a field of a message."""

    key: "Node"
    value: "Node"
    optional: bool


@dataclass(frozen=True, slots=True)
class MapLiteral:
    """`message`: the type of a message literal; empty for a map."""

    id: int
    message: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Comprehension:
    id: int
    variable: str
    variable2: str
    range: "Node"
    accumulator: str
    init: "Node"
    condition: "Node"
    step: "Node"
    result: "Node"


Node = Const | Ident | Select | Call | ListLiteral | MapLiteral | Comprehension


@dataclass(frozen=True, slots=True)
class Checked:
    """An expression with the types of its nodes and what its names refer to, both by node id."""

    root: Node
    types: Mapping[int, Type]
    names: Mapping[int, str] = field(default_factory=dict)
    """Resolved names of nodes that refer to variables and types."""
    overloads: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def type_of(self, node: Node) -> Type:
        return self.types.get(node.id, DYN)


def decode(serialized: bytes) -> Checked:
    """From an Any that holds a CheckedExpr."""
    names: dict[int, str] = {}
    overloads: dict[int, tuple[str, ...]] = {}
    types: dict[int, Type] = {}
    root: Node | None = None
    for number, value in _fields(_one(serialized, 2)):
        if number == 2:
            reference = _one(value, 2)
            name, found = _text(reference, 1), tuple(bytes(each).decode() for each in _all(reference, 3))
            if found:
                overloads[_number(value, 1)] = found
            elif name:
                names[_number(value, 1)] = name
        elif number == 3:
            types[_number(value, 1)] = _type(_one(value, 2))
        elif number == 4:
            root = _node(value)
    assert root is not None, "the compiler always writes an expression"
    return Checked(root, types, names, overloads)


_PRIMITIVES = ("", "bool", "int", "uint", "double", "string", "bytes")
_WELL_KNOWN = ("", "dyn", "timestamp", "duration")


def _type(data: bytes) -> Type:
    for number, value in _fields(data):
        match number:
            case 2:
                return Type("null")
            case 3 | 4:
                return Type(_PRIMITIVES[value])
            case 5:
                return Type(_WELL_KNOWN[value])
            case 6:
                return Type("list", (_type(_one(value, 1)),))
            case 7:
                return Type("map", (_type(_one(value, 1)), _type(_one(value, 2))))
            case 9:
                return Type("message", name=bytes(value).decode())
            case 11:
                return Type("type")
            case 14:
                return Type(_text(value, 1), tuple(_type(each) for each in _all(value, 2)))
    return DYN


def _node(data: bytes) -> Node:
    made, number_of = None, 0
    for number, value in _fields(data):
        if number == 2:
            number_of = value
        else:
            made = (number, value)
    assert made is not None, "the compiler writes no empty node"
    node: Node = _MAKERS[made[0]](number_of, made[1])
    return node


def _const(id: int, data: bytes) -> Const:
    for number, value in _fields(data):
        match number:
            case 2:
                return Const(id, bool(value))
            case 3:
                return Const(id, value - _WRAP if value >= _SIGN else value)
            case 4:
                return Const(id, UInt(value))
            case 5:
                return Const(id, struct.unpack("<d", value)[0])
            case 6:
                return Const(id, bytes(value).decode())
            case 7:
                return Const(id, bytes(value))
            case 8 | 9:
                length = timedelta(seconds=_signed(_number(value, 1)), microseconds=_number(value, 2) // 1000)
                return Const(id, length if number == 8 else _EPOCH + length)
    return Const(id, None)


def _select(id: int, data: bytes) -> Select:
    return Select(id, _node(_one(data, 1)), _text(data, 2), bool(_number(data, 3)))


def _call(id: int, data: bytes) -> Call:
    target = _all(data, 1)
    args = tuple(_node(each) for each in [*target, *_all(data, 3)])
    return Call(id, _text(data, 2), bool(target), args)


def _list(id: int, data: bytes) -> ListLiteral:
    indices: list[int] = []
    for value in _all(data, 2):
        indices += [value] if isinstance(value, int) else _packed(value)
    return ListLiteral(id, tuple(_node(each) for each in _all(data, 1)), frozenset(indices))


def _map(id: int, data: bytes) -> MapLiteral:
    entries = []
    for each in _all(data, 2):
        keys = _all(each, 3)
        key = _node(keys[0]) if keys else Const(0, _text(each, 2))
        entries.append(Entry(key, _node(_one(each, 4)), bool(_number(each, 5))))
    return MapLiteral(id, _text(data, 1), tuple(entries))


def _comprehension(id: int, data: bytes) -> Comprehension:
    return Comprehension(
        id,
        variable=_text(data, 1),
        variable2=_text(data, 8),
        range=_node(_one(data, 2)),
        accumulator=_text(data, 3),
        init=_node(_one(data, 4)),
        condition=_node(_one(data, 5)),
        step=_node(_one(data, 6)),
        result=_node(_one(data, 7)),
    )


_MAKERS: Mapping[int, Any] = {
    3: _const,
    4: lambda id, data: Ident(id, _text(data, 1)),
    5: _select,
    6: _call,
    7: _list,
    8: _map,
    9: _comprehension,
}


# Protobuf's wire format.


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        size = 8 if kind == 1 else 4
        if kind == 2:
            size, at = _varint(data, at)
        yield tag >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    shift = made = 0
    while True:
        byte = data[at]
        at += 1
        made |= (byte & 0x7F) << shift
        if byte < 0x80:
            return made, at
        shift += 7


def _packed(data: bytes) -> list[int]:
    made, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        made.append(value)
    return made


def _signed(value: int) -> int:
    return value - _WRAP if value >= _SIGN else value


def _all(data: bytes, wanted: int) -> list[Any]:
    return [value for number, value in _fields(data) if number == wanted]


def _one(data: bytes, wanted: int) -> bytes:
    return next((value for number, value in _fields(data) if number == wanted), b"")


def _text(data: bytes, wanted: int) -> str:
    return bytes(_one(data, wanted)).decode()


def _number(data: bytes, wanted: int) -> int:
    return next((value for number, value in _fields(data) if number == wanted), 0)
