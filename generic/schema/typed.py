"""From OpenAPI definitions of Go types, or of pydantic models, to nodes. Called by `ObjectSchema`.

Wrong types are decoding errors here, null is absence, and names are Go's: `v1.PodSpec`, `map[string]string`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from generic.schema import rules, scalars
from generic.schema.containers import List, Map, Struct
from generic.schema.nodes import Node, Scalar
from generic.types import JSONObject

_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_APIEXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1"


class Definitions:
    """Definitions that refer to each other by `$ref`, and the nodes made of them, each made once when asked for.

    `go_package` names types whose definition has no package in its name (models). `defaults_and_rules`: the schema's
    own defaults and value validations count (models); those of Go types are written by hand elsewhere. `written`: how
    the Go type of a definition writes what is empty: `zeros`, values of fields that are always there, and `drops`, the
    names of those that never are.
    """

    def __init__(
        self,
        raw: Mapping[str, JSONObject],
        *,
        go_package: str = "v1",
        defaults_and_rules: bool = False,
        written: Mapping[str, JSONObject] | None = None,
    ) -> None:
        self.raw = raw
        self._written = written or {}
        self._go_package = go_package
        self._full = defaults_and_rules
        self._nodes: dict[str, Node] = {}

    def node(self, name: str) -> Node:
        """The node of a definition. Raises KeyError if there is none."""
        found = self._nodes.get(name)
        if found is None:
            found = self._define(name)
        return found

    def _define(self, name: str) -> Node:
        own = _OWN_DECODER.get(name)
        if own is not None:
            self._nodes[name] = own()
            return self._nodes[name]
        schema = self.raw[name]
        if not _is_struct(schema):
            made = self.compile(schema)
            self._nodes[name] = made
            return made
        struct = Struct(self._go_name(name), keeps_unknown=schema.get("additionalProperties") is True)
        # Known before its fields are made: they may refer back to it.
        self._nodes[name] = struct
        self._fill_in(struct, schema)
        written = self._written.get(name, {})
        struct.zeros = {key: zero for key, zero in written.get("zeros", {}).items() if key in struct.fields}
        struct.drops = frozenset(written.get("drops", "").split())
        return struct

    def anonymous_root(self, name: str, schema: JSONObject, extra: Mapping[str, Node]) -> Struct:
        """The node of a root that is no definition itself, with fields that replace its own."""
        struct = Struct(self._go_name(name), keeps_unknown=schema.get("additionalProperties") is True)
        self._fill_in(struct, {**schema, "required": [key for key in schema.get("required", ()) if key not in extra]})
        struct.set_fields({**struct.fields, **extra})
        return struct

    def _fill_in(self, struct: Struct, schema: JSONObject) -> None:
        members = schema.get("properties") or {}
        struct.set_fields({key: self._member(member) for key, member in members.items()})
        struct.required = tuple(key for key in schema.get("required") or () if self._reported(members.get(key) or {}))
        if self._full:
            struct.rules = rules.of(schema)

    def _reported(self, member: JSONObject) -> bool:
        """Whether a missing field is an error. Go's zero of a list, a map, a number or a flag is a value like others;
        where it is none, validation written by hand says so."""
        if self._full:
            return True
        reference = _reference(member)
        if reference is None:
            return bool(_type_of(member) == "string")
        return reference not in _OWN_DECODER and reference not in _MISSED_BY_HAND

    def _member(self, schema: JSONObject) -> Node:
        made = self.compile(schema)
        if not self._full:
            return made
        own_rules = rules.of(_inner(schema))
        default = schema.get("default")
        if (own_rules and _reference(_inner(schema)) is None) or default is not None:
            made = _own(made)
            if default is not None:
                made.default = default
        if own_rules and _reference(_inner(schema)) is None:
            made.rules = own_rules
        return made

    def compile(self, schema: JSONObject) -> Node:
        """The node of a schema inside a definition."""
        schema = _inner(schema)
        reference = _reference(schema)
        if reference is not None:
            return self.node(reference)
        kind = _type_of(schema)
        if kind == "object" or "properties" in schema:
            return self._object(schema)
        if kind == "array":
            items = schema.get("items")
            return List(self._member(items) if isinstance(items, dict) else Node("interface {}"))
        if kind == "string":
            return _TEXT_FORMATS.get(schema.get("format") or "", scalars.text)()
        if kind == "integer":
            return scalars.int32() if schema.get("format") == "int32" else scalars.int64()
        if kind == "number":
            return scalars.number()
        if kind == "boolean":
            return scalars.boolean()
        if kind == "int-or-string":
            return scalars.int_or_string()
        return Node("interface {}")

    def _object(self, schema: JSONObject) -> Node:
        if schema.get("properties"):
            struct = Struct(schema.get("title") or "struct", keeps_unknown=schema.get("additionalProperties") is True)
            self._fill_in(struct, schema)
            return struct
        values = schema.get("additionalProperties")
        if isinstance(values, dict) and values:
            inside = self._member(values)
            quantities = isinstance(inside, Scalar) and inside.go_type == "resource.Quantity"
            return Map(inside, go_type="v1.ResourceList" if quantities else "")
        return Node("map[string]interface {}") if not schema.get("title") else Struct(schema["title"])

    def _go_name(self, name: str) -> str:
        package, dot, last = name.rpartition(".")
        return f"{package.rpartition('.')[2]}.{last}" if dot else f"{self._go_package}.{last}"


def _own(node: Node) -> Node:
    """A copy of a node that shares what is inside, so that a default here is not everybody's."""
    made = type(node).__new__(type(node))
    for kind in type(node).__mro__:
        for slot in getattr(kind, "__slots__", ()):
            setattr(made, slot, getattr(node, slot))
    return made


def _inner(schema: JSONObject) -> JSONObject:
    """Without what only says that null is allowed: `anyOf [X, null]` is X."""
    parts = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if not parts:
        return schema
    kept = [part for part in parts if part.get("type") != "null"]
    if len(kept) == 1:
        return {**{key: value for key, value in schema.items() if key not in _LOGIC}, **_inner(kept[0])}
    kinds = {_type_of(part) for part in kept}
    if kinds == {"string", "integer"}:
        return {"type": "int-or-string"}
    return {"type": kept[0].get("type")} if len(kinds) == 1 and kinds <= {"string", "integer"} else {}


_LOGIC = frozenset({"anyOf", "oneOf", "allOf"})


def _reference(schema: JSONObject) -> str | None:
    reference = schema.get("$ref")
    return str(reference).rpartition("/")[2] if reference is not None else None


def _type_of(schema: JSONObject) -> Any:
    """The type, null aside."""
    kind = schema.get("type")
    if isinstance(kind, list):
        kinds = [one for one in kind if one != "null"]
        return kinds[0] if len(kinds) == 1 else None
    if kind is None and "enum" in schema and all(isinstance(value, str) for value in schema["enum"]):
        return "string"
    return "string" if kind is None and isinstance(schema.get("const"), str) else kind


def _is_struct(schema: JSONObject) -> bool:
    """A definition with fields; one with nothing at all in it is an empty struct."""
    if _type_of(schema) != "object" and "properties" not in schema:
        return False
    return "properties" in schema or "additionalProperties" not in schema


def _raw() -> Node:
    return Node("interface {}")


_OWN_DECODER: Mapping[str, Callable[[], Node]] = {
    _QUANTITY: scalars.quantity,
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": scalars.int_or_string,
    f"{_META}.Time": scalars.time,
    f"{_META}.MicroTime": scalars.micro_time,
    f"{_META}.FieldsV1": _raw,
    "io.k8s.apimachinery.pkg.runtime.RawExtension": _raw,
    f"{_APIEXTENSIONS}.JSON": _raw,
    f"{_APIEXTENSIONS}.JSONSchemaPropsOrArray": _raw,
    f"{_APIEXTENSIONS}.JSONSchemaPropsOrBool": _raw,
    f"{_APIEXTENSIONS}.JSONSchemaPropsOrStringArray": _raw,
}
"""Go types that read their own JSON."""

_MISSED_BY_HAND = frozenset({"io.k8s.api.admissionregistration.v1.WebhookClientConfig"})
"""Sections whose absence is told in better words than "Required value" alone."""

_TEXT_FORMATS: Mapping[str, Callable[[], Scalar]] = {"byte": scalars.base64, "date-time": scalars.time}
