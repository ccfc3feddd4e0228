"""Request bodies in protobuf, written by google.protobuf from the same tables that the server reads them by."""

import base64
from typing import Any

import orjson
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from generic.meta import time
from generic.meta.gvk import GroupVersionKind
from generic.protobuf import envelope, special
from generic.protobuf.definitions import Definitions, Field
from generic.types import JSONObject

_FieldProto = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "string": _FieldProto.TYPE_STRING,
    "bool": _FieldProto.TYPE_BOOL,
    "int32": _FieldProto.TYPE_INT32,
    "int64": _FieldProto.TYPE_INT64,
    "float64": _FieldProto.TYPE_DOUBLE,
    "[]byte": _FieldProto.TYPE_BYTES,
    special.RAW: _FieldProto.TYPE_BYTES,
}


class Encoder:
    """Writes objects as Go's typed clients do: what is no pointer is written even if it is zero."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        file = descriptor_pb2.FileDescriptorProto(name="k8s.proto", package="k8s", syntax="proto2")
        types = definitions.types()
        # Those around schemas are of no use to tables that know no schemas.
        types += [name for name in special.LAYOUTS if special.SCHEMA in types or not name.startswith(special.SCHEMA)]
        for name in types:
            self._describe(file.message_type.add(name=_flat(name)), name)
        pool = descriptor_pool.DescriptorPool()
        pool.Add(file)
        self._pool = pool

    def body(self, gvk: GroupVersionKind, obj: JSONObject) -> bytes:
        """The body of a request: envelope and object."""
        return wrapped(gvk.api_version, gvk.kind, self.message(self._definitions.type_of(gvk), obj))

    def message(self, name: str, value: Any) -> bytes:
        """One message of the named type, from its JSON."""
        made = message_factory.GetMessageClass(self._pool.FindMessageTypeByName(f"k8s.{_flat(name)}"))()
        self._fill(made, name, value)
        return made.SerializeToString()

    def _describe(self, message: descriptor_pb2.DescriptorProto, name: str) -> None:
        for field in self._definitions.fields(name):
            described = message.field.add(name=f"f{field.number}", number=field.number)
            repeated = field.shape in ("list", "map")
            described.label = _FieldProto.LABEL_REPEATED if repeated else _FieldProto.LABEL_OPTIONAL
            if field.shape == "map":
                entry = message.nested_type.add(name=f"F{field.number}Entry")
                entry.options.map_entry = True
                optional = _FieldProto.LABEL_OPTIONAL
                entry.field.add(name="key", number=1, type=_FieldProto.TYPE_STRING, label=optional)
                _set_type(entry.field.add(name="value", number=2, label=optional), field)
                described.type = _FieldProto.TYPE_MESSAGE
                described.type_name = f".k8s.{_flat(name)}.{entry.name}"
            else:
                _set_type(described, field)

    def _fill(self, message: Message, name: str, value: Any) -> None:
        if name in special.LAYOUTS:
            value = _unprinted(name, value)
        for field in self._definitions.fields(name):
            inner = value if field.itself or not field.name else value.get(field.name)
            attribute = f"f{field.number}"
            if field.shape == "value" and not field.is_scalar:
                getattr(message, attribute).SetInParent()
                self._fill(getattr(message, attribute), field.element, inner or {})
            elif field.shape == "value":
                setattr(message, attribute, _scalar(field, inner) if inner is not None else _zero(field))
            elif inner is not None:
                self._set(message, attribute, field, inner)

    def _set(self, message: Message, attribute: str, field: Field, value: Any) -> None:
        held = getattr(message, attribute)
        if field.shape == "pointer" and field.is_scalar:
            setattr(message, attribute, _scalar(field, value))
        elif field.shape == "pointer":
            held.SetInParent()
            self._fill(held, field.element, value)
        elif field.shape == "map":
            for key, inner in value.items():
                if field.is_scalar:
                    held[key] = _scalar(field, inner)
                else:
                    self._fill(held[key], field.element, inner)
        elif field.is_scalar:
            held.extend(_scalar(field, inner) for inner in value)
        else:
            for inner in value:
                self._fill(held.add(), field.element, inner)


def wrapped(api_version: str, kind: str, content: bytes, **more: str) -> bytes:
    """An envelope around an object that is already written; `more`: its other fields."""
    file = descriptor_pb2.FileDescriptorProto(name="runtime.proto", package="runtime", syntax="proto2")
    type_meta = file.message_type.add(name="TypeMeta")
    unknown = file.message_type.add(name="Unknown")
    unknown.field.add(name="typeMeta", number=1, type=_FieldProto.TYPE_MESSAGE, type_name=".runtime.TypeMeta", label=1)
    for number, name in enumerate(("apiVersion", "kind"), 1):
        type_meta.field.add(name=name, number=number, type=_FieldProto.TYPE_STRING, label=1)
    for number, name in enumerate(("raw", "contentEncoding", "contentType"), 2):
        unknown.field.add(name=name, number=number, type=_FieldProto.TYPE_BYTES, label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    made: Any = message_factory.GetMessageClass(pool.FindMessageTypeByName("runtime.Unknown"))()
    made.typeMeta.apiVersion, made.typeMeta.kind, made.raw = api_version, kind, content
    for name, value in more.items():
        setattr(made, name, value.encode())
    data: bytes = made.SerializeToString()
    return envelope.MAGIC + data


def _flat(name: str) -> str:
    return name.replace(".", "_").replace("-", "_")


def _set_type(described: descriptor_pb2.FieldDescriptorProto, field: Field) -> None:
    if field.is_scalar:
        described.type = _SCALARS[field.element]
    else:
        described.type, described.type_name = _FieldProto.TYPE_MESSAGE, f".k8s.{_flat(field.element)}"


def _scalar(field: Field, value: Any) -> Any:
    return base64.b64decode(value) if field.element == "[]byte" else value


def _zero(field: Field) -> Any:
    return {"string": "", "bool": False, "int32": 0, "int64": 0, "float64": 0.0}.get(field.element, b"")


def _unprinted(name: str, value: Any) -> JSONObject:
    """The fields of one of the types that print in their own way."""
    if name == special.QUANTITY:
        return {"string": value or "0"}
    if name in (special.TIME, special.MICRO_TIME):
        if not value:
            return {}
        moment = time.parse(value).timestamp()
        return {"seconds": int(moment), "nanos": round(moment % 1 * 1e6) * 1000}
    if name == special.INT_OR_STRING:
        is_text = isinstance(value, str)
        return {"type": int(is_text), "strVal": value if is_text else "", "intVal": 0 if is_text else value or 0}
    if name in (special.SCHEMA_OR_ARRAY, special.SCHEMA_OR_STRINGS):
        return {"list" if isinstance(value, list) else "schema": value}
    if name == special.SCHEMA_OR_BOOL:
        return {"allows": bool(value), "schema": value if isinstance(value, dict) else None}
    return {"raw": orjson.dumps(value) if value else b""}
