"""Objects inside of custom resources (`x-kubernetes-embedded-resource`), and what a schema asks of an object's name.

Made once per version by `strategy.py`, which calls it on every write, and by `build.py` for what is read from storage.
Mirrors `apiextensions-apiserver/pkg/apiserver/schema/objectmeta`: validation.go and the coercion of algorithm.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from generic.meta import fields, names
from generic.meta.fields import FieldError
from generic.meta.object_meta import validate_object_meta
from generic.schema import common, structural
from generic.schema.nodes import Node
from generic.types import JSONObject

_ANY_NAME = "fakename"
"""An embedded object need not have a name yet; the rest of its metadata is judged as if it had one."""
_EMPTY = "must not be empty"
_MIXED_CASE = "may have mixed case, but should otherwise match: "


@dataclass(frozen=True, slots=True)
class EmbeddedNode:
    """A part of a schema with objects in it, or one itself."""

    is_object: bool
    members: Mapping[str, "EmbeddedNode"]
    values: "EmbeddedNode | None"
    items: "EmbeddedNode | None"


def build(schema: Any) -> EmbeddedNode | None:
    """None where there is no object in all of the schema."""
    if not isinstance(schema, dict):
        return None
    found = (schema.get("properties") or {}).items()
    members = {name: made for name, member in found if (made := build(member)) is not None}
    values, items = build(schema.get("additionalProperties")), build(schema.get("items"))
    is_object = bool(schema.get(structural.EMBEDDED))
    return EmbeddedNode(is_object, members, values, items) if is_object or members or values or items else None


def problems(node: EmbeddedNode, value: Any, path: str, found: list[FieldError]) -> None:
    """Append what is wrong with the objects inside of a value."""
    if isinstance(value, list) and node.items is not None:
        for at, item in enumerate(value):
            problems(node.items, item, f"{path}[{at}]", found)
    if not isinstance(value, dict):
        return
    if node.is_object:
        found += _object(value, path)
    for name, inside in value.items():
        member = node.members.get(name, node.values)
        if member is not None:
            problems(member, inside, f"{path}.{name}" if path else name, found)


def drop_malformed(node: EmbeddedNode, value: Any) -> None:
    """Drop, in place, what is not of its type in the type and metadata of the objects inside of a value."""
    if isinstance(value, list) and node.items is not None:
        for item in value:
            drop_malformed(node.items, item)
    if not isinstance(value, dict):
        return
    if node.is_object:
        for key in ("apiVersion", "kind"):
            if not isinstance(value.get(key, ""), str):
                del value[key]
        if isinstance(value.get("metadata"), dict):
            common.drop_malformed_metadata(value["metadata"])
    for name, inside in value.items():
        member = node.members.get(name, node.values)
        if member is not None:
            drop_malformed(member, inside)


def _object(value: JSONObject, path: str) -> list[FieldError]:
    found = []
    for key in ("apiVersion", "kind"):
        here, given = f"{path}.{key}", value.get(key)
        if key not in value:
            found.append(fields.required(here, _EMPTY))
        elif not isinstance(given, str):
            found.append(fields.invalid(here, given, "must be a string"))
        elif not given:
            found.append(fields.invalid(here, given, _EMPTY))
        elif key == "apiVersion" and given.count("/") > 1:
            found.append(fields.invalid(here, given, f"unexpected GroupVersion string: {given}"))
        elif key == "kind" and (wrong := names.dns1035_label(given.lower())):
            found.append(fields.invalid(here, given, _MIXED_CASE + ",".join(wrong)))
    metadata = value.get("metadata")
    if isinstance(metadata, dict):
        named = {**metadata, "name": metadata.get("name") or _ANY_NAME}
        namespaced = bool(metadata.get("namespace"))
        where = f"{path}.metadata"
        found += validate_object_meta(named, namespaced=namespaced, name_validator=names.path_segment_name, path=where)
    return found


class LazyInsides:
    """What a schema says of objects inside and of the object's own name, compiled when first asked for."""

    def __init__(self, schema: JSONObject) -> None:
        self._schema = schema

    def problems(self, obj: JSONObject, *, named: bool) -> list[FieldError]:
        """Everything wrong with them; `named`: the object is new, later its name does not change any more."""
        found: list[FieldError] = []
        metadata = obj["metadata"]
        if named and self._name_rules is not None:
            given = {key: metadata[key] for key in ("name", "generateName") if key in metadata}
            self._name_rules.validate(given, "metadata", found)
        if self._embedded is not None:
            problems(self._embedded, obj, "", found)
        return found

    def drop_malformed(self, obj: JSONObject) -> None:
        """Drop what was spoiled of the objects inside, in place."""
        if self._embedded is not None:
            drop_malformed(self._embedded, obj)

    @cached_property
    def _embedded(self) -> EmbeddedNode | None:
        return build(self._schema)

    @cached_property
    def _name_rules(self) -> Node | None:
        # The only members of metadata a schema may speak of are name and generateName.
        said = ((self._schema.get("properties") or {}).get("metadata") or {}).get("properties")
        return structural.compile_value({"type": "object", "properties": said}) if said else None
