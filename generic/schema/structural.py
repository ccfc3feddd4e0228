"""From the `openAPIV3Schema` of a CRD version to nodes. Called by `ObjectSchema.structural`.

Wrong types are validation errors here, null is a value where `nullable` says so, and what stands in allOf, anyOf,
oneOf and not judges values only. Mirrors `apiextensions-apiserver/pkg/apiserver/schema`.
"""

from collections.abc import Callable, Mapping
from functools import partial

from generic.schema import common, logic, rules, scalars
from generic.schema.containers import List, Map, Struct
from generic.schema.nodes import NO_DEFAULT, Node
from generic.types import JSONObject

PRESERVE = "x-kubernetes-preserve-unknown-fields"
EMBEDDED = "x-kubernetes-embedded-resource"
INT_OR_STRING = "x-kubernetes-int-or-string"


def root(schema: JSONObject) -> Struct:
    """The node of a whole custom resource: apiVersion, kind and metadata are there, whatever the schema says."""
    made = _object(schema)
    if not isinstance(made, Struct):
        made = Struct("", judged=True, drops_null=False, keeps_unknown=True)
    made.set_fields({**made.fields, **common.object_fields()})
    _finish(made, schema)
    return made


def compile_node(schema: JSONObject) -> Node:
    """The node of one structural schema."""
    if schema.get(EMBEDDED):
        made = _object(schema)
        if isinstance(made, Struct):
            made.set_fields({**made.fields, **common.object_fields()})
    else:
        made = _plain(schema)
    _finish(made, schema)
    return made


def _finish(made: Node, schema: JSONObject) -> None:
    made.nullable = bool(schema.get("nullable"))
    if "default" in schema:
        made.default = schema["default"] if schema["default"] is not None or made.nullable else NO_DEFAULT
    made.rules = [*rules.of(schema), *logic.of(schema, compile_value)]
    if isinstance(made, List) and schema.get("x-kubernetes-list-type") == "map":
        made.map_keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())


def _plain(schema: JSONObject) -> Node:
    if schema.get(INT_OR_STRING):
        return scalars.int_or_string(judged=True)
    kind = schema.get("type") or ""
    if kind == "object":
        return _object(schema)
    if kind == "array":
        items = schema.get("items")
        return List(compile_node(items) if isinstance(items, dict) else Node(judged=True), judged=True)
    if kind in _SCALARS:
        return _SCALARS[kind]()
    if schema.get(PRESERVE) and schema.get("properties"):
        made = _object(schema)
        made.json_type = ""
        return made
    return Node(judged=True)


def _object(schema: JSONObject) -> Node:
    members, more = schema.get("properties"), schema.get("additionalProperties")
    if more and not members:
        inside = compile_node(more) if isinstance(more, dict) else Node(judged=True)
        return Map(inside, judged=True)
    made = Struct("", judged=True, drops_null=False, keeps_unknown=bool(schema.get(PRESERVE)))
    made.required = tuple(schema.get("required") or ())
    made.set_fields({name: compile_node(member) for name, member in (members or {}).items()})
    return made


# Value validations: schemas inside allOf, anyOf, oneOf and not.


def compile_value(schema: JSONObject) -> Node:
    """The node of a schema that only judges: whatever it does not mention is fine, nothing need be an object."""
    kind = schema.get("type") or ""
    if kind in _SCALARS:
        made: Node = _SCALARS[kind]()
    elif kind == "array" or (not kind and isinstance(schema.get("items"), dict)):
        items = schema.get("items")
        made = List(compile_value(items) if isinstance(items, dict) else Node(judged=True), judged=True)
    elif kind == "object" or schema.get("properties") or schema.get("required"):
        made = _value_object(schema)
    elif isinstance(schema.get("additionalProperties"), dict):
        made = Map(compile_value(schema["additionalProperties"]), judged=True)
    else:
        made = Node(judged=True)
    if not kind:
        made.json_type, made.judged, made.nullable = "", False, True
    else:
        made.nullable = bool(schema.get("nullable"))
    made.rules = [*rules.of(schema), *logic.of(schema, compile_value)]
    return made


def _value_object(schema: JSONObject) -> Node:
    members, more = schema.get("properties") or {}, schema.get("additionalProperties")
    if isinstance(more, dict) and not members:
        return Map(compile_value(more), judged=True)
    made = Struct("", judged=True, drops_null=False, keeps_unknown=True)
    made.required = tuple(schema.get("required") or ())
    made.set_fields({name: compile_value(member) for name, member in members.items()})
    return made


_SCALARS: Mapping[str, Callable[[], Node]] = {
    "string": partial(scalars.text, judged=True),
    "boolean": partial(scalars.boolean, judged=True),
    "integer": scalars.whole,
    "number": partial(scalars.number, judged=True),
}
