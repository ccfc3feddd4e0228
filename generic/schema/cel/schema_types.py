"""From a structural schema to the type its values have in expressions, with the bounds the schema sets.

Called by those who put schemas behind variables: custom resources, admission policies. Mirrors SchemaDeclType of
`apiserver/pkg/cel/common/schemas.go`.
"""

from typing import Any

from generic.schema.cel.types import BOOL, DOUBLE, DYN, INT, MAX_REQUEST, STRING, DeclType
from generic.types import JSONObject

_EMBEDDED = "x-kubernetes-embedded-resource"
_INT_OR_STRING = "x-kubernetes-int-or-string"
_BYTES_PER_CHARACTER = 4
_METADATA = DeclType("object", fields={"name": STRING, "generateName": STRING}, min_size=2)

_FORMATS = {
    "duration": DeclType("duration", max_elements=32, min_size=4),
    "date": DeclType("timestamp", max_elements=12, min_size=12),
    "date-time": DeclType("timestamp", max_elements=37, min_size=21),
}


def of_schema(schema: JSONObject, *, resource_root: bool = False) -> DeclType | None:
    """None for what expressions cannot see: no schema says what it is. `resource_root`: a whole object."""
    if schema.get(_INT_OR_STRING):
        return DYN
    match schema.get("type") or "":
        case "array":
            return _array(schema)
        case "object":
            return _object(schema, resource_root=resource_root or bool(schema.get(_EMBEDDED)))
        case "string":
            return _string(schema)
        case "boolean":
            return BOOL
        case "number":
            return DOUBLE
        case "integer":
            return INT
    return None


def max_items(schema: JSONObject, inside: DeclType | None) -> float:
    """How often the schema's items or members can be there at most."""
    smallest = inside.min_size if inside is not None else 1
    if schema.get("type") == "array":
        return _bound(schema.get("maxItems"), (MAX_REQUEST - 2) // (smallest + 1))
    return _bound(schema.get("maxProperties"), (MAX_REQUEST - 2) // (smallest + 6))


def _bound(given: Any, otherwise: float) -> float:
    return max(0, given) if isinstance(given, int) else otherwise


def _array(schema: JSONObject) -> DeclType | None:
    items = schema.get("items")
    element = of_schema(items) if isinstance(items, dict) else None
    if element is None:
        return None
    return DeclType(
        "list",
        element=element,
        max_elements=max_items(schema, element),
        min_size=2,
        list_type=schema.get("x-kubernetes-list-type") or "",
        map_keys=tuple(schema.get("x-kubernetes-list-map-keys") or ()),
    )


def _object(schema: JSONObject, *, resource_root: bool) -> DeclType | None:
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        element = of_schema(more)
        if element is None:
            return None
        return DeclType("map", element=element, max_elements=max_items(schema, element), min_size=2)
    fields, size, required = {}, 2, schema.get("required") or ()
    for name, member in (schema.get("properties") or {}).items():
        found = of_schema(member)
        if found is None:
            continue
        fields[name] = found
        if name in required and member.get("default") is None:
            # The smallest object has its required members; those with defaults are filled in later.
            size += len(name) + found.min_size + 4
    if resource_root:
        fields |= {"apiVersion": STRING, "kind": STRING, "metadata": _METADATA}
    return DeclType("object", fields=fields, min_size=size)


def _string(schema: JSONObject) -> DeclType:
    form, longest = schema.get("format"), schema.get("maxLength")
    if form == "byte":
        return DeclType("bytes", max_elements=_bound(longest, MAX_REQUEST - 2), min_size=2)
    if form in _FORMATS:
        return _FORMATS[form]
    if isinstance(longest, int):
        # The schema counts characters, costs count bytes.
        return DeclType("string", max_elements=max(0, longest) * _BYTES_PER_CHARACTER, min_size=2)
    if schema.get("enum"):
        return DeclType("string", max_elements=max(len(str(value)) for value in schema["enum"]), min_size=2)
    return STRING
