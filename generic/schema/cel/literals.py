"""Objects that expressions build: `Object{spec: Object.spec{replicas: 3}}` and `JSONPatch{op: "remove", path: "/a"}`.

Called by `environment.py` for environments that let expressions do so. Any type below `Object` exists, with any field,
which the compiler cannot be told: so each expression gets the types and fields it names itself. A dot in the name of a
type would be a field of the message above it; it is written as `_` for the compiler, which keeps columns as they were.
Mirrors `apiserver/pkg/cel/mutation`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from google.protobuf import descriptor_pb2

JSON_PATCH = "JSONPatch"
OBJECT = "Object"

_TOKENS = re.compile(
    r"""
      (?P<skipped> [rRbB]{0,2} (?: \"{3}.*?\"{3} | '{3}.*?'{3} | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' ) | //[^\n]* )
    | (?<![\w.]) (?P<type> Object (?:\.[A-Za-z_]\w*)* ) (?= \s* \{ )
    | (?P<field> [A-Za-z_]\w* ) (?= \s* : )
    """,
    re.VERBOSE | re.DOTALL,
)
_PATCH_TEXTS = ("op", "path", "from")
_STRING, _MESSAGE, _OPTIONAL = 9, 11, 1
_ANYTHING = ".google.protobuf.Value"


@dataclass(frozen=True, slots=True)
class Prepared:
    """`source`: for the compiler; `types`: what it calls a type, and what the expression does."""

    source: str
    types: Mapping[str, str]
    file: descriptor_pb2.FileDescriptorProto

    def as_written(self, text: str) -> str:
        """The compiler's words with the types as they were written."""
        for called in sorted(self.types, key=len, reverse=True):
            text = re.sub(rf"\b{called}\b", self.types[called], text)
        return text


def prepare(source: str) -> Prepared:
    """Finds the types and fields an expression names."""
    types, fields = {OBJECT: OBJECT, JSON_PATCH: JSON_PATCH}, dict[str, None]()

    def renamed(found: re.Match[str]) -> str:
        name = found["type"]
        if name is not None:
            called = name.replace(".", "_")
            types[called] = name
            return called
        if found["field"] is not None:
            fields[found["field"]] = None
        return found[0]

    return Prepared(_TOKENS.sub(renamed, source), types, _described(types, fields))


def _described(types: Mapping[str, str], fields: Mapping[str, None]) -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="literals.proto", syntax="proto2")
    file.dependency.append("google/protobuf/struct.proto")
    for called in types:
        message = file.message_type.add(name=called)
        if called == JSON_PATCH:
            for number, field in enumerate(_PATCH_TEXTS, 1):
                message.field.add(name=field, number=number, label=_OPTIONAL, type=_STRING, json_name=f"f{number}")
        known = ("value",) if called == JSON_PATCH else fields
        for number, field in enumerate(known, len(message.field) + 1):
            message.field.add(
                name=field, number=number, label=_OPTIONAL, type=_MESSAGE, type_name=_ANYTHING, json_name=f"f{number}"
            )
    return file
