"""OpenAPI documents in protobuf, read by google.protobuf back into the JSON they were made of."""

from pathlib import Path
from typing import Any

import orjson
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from generic.protobuf.definitions import Field
from generic.types import JSONObject

_FieldProto = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "string": _FieldProto.TYPE_STRING,
    "bool": _FieldProto.TYPE_BOOL,
    "int64": _FieldProto.TYPE_INT64,
    "float64": _FieldProto.TYPE_DOUBLE,
}
_SINGLE = ("ItemsItem", "TypeItem")
"""Of these one item stands for itself in JSON."""


class Reader:
    """Of documents in one version of OpenAPI, by the table that the server writes them by."""

    def __init__(self, table: Path) -> None:
        self._layouts = {
            name: [(Field.parse(number, text), ",oneof" in text) for number, text in layout.items()]
            for name, layout in orjson.loads(table.read_bytes())["types"].items()
        }
        file = descriptor_pb2.FileDescriptorProto(name="openapi.proto", package="openapi", syntax="proto3")
        for name, layout in self._layouts.items():
            described = file.message_type.add(name=name)
            if any(oneof for _, oneof in layout):
                described.oneof_decl.add(name="oneof")
            for field, oneof in layout:
                label = _FieldProto.LABEL_REPEATED if field.shape == "list" else _FieldProto.LABEL_OPTIONAL
                made = described.field.add(name=f"f{field.number}", number=field.number, label=label)
                if field.is_scalar:
                    made.type = _SCALARS[field.element]
                else:
                    made.type, made.type_name = _FieldProto.TYPE_MESSAGE, f".openapi.{field.element}"
                if oneof:
                    made.oneof_index = 0
        self._pool = descriptor_pool.DescriptorPool()
        self._pool.Add(file)

    def read(self, data: bytes) -> JSONObject:
        message = message_factory.GetMessageClass(self._pool.FindMessageTypeByName("openapi.Document"))()
        message.ParseFromString(data)
        found: JSONObject = self._value(message, "Document")
        return found

    def _value(self, message: Message, name: str) -> Any:
        fields = {descriptor.number: value for descriptor, value in message.ListFields()}
        if name == "Any":
            return yaml.load(fields.get(2, ""), yaml.CSafeLoader)
        made: JSONObject = {}
        for field, oneof in self._layouts[name]:
            if field.number not in fields:
                continue
            value = fields[field.number]
            inner = [self._inner(field, one) for one in value] if field.shape == "list" else self._inner(field, value)
            if oneof:
                return inner
            if field.itself:
                return inner[0] if name in _SINGLE else inner
            if field.name.endswith("*"):
                made.update({entry["name"]: entry.get("value", {}) for entry in inner})
            else:
                made[field.name] = inner
        return made

    def _inner(self, field: Field, value: Any) -> Any:
        return value if field.is_scalar else self._value(value, field.element)
