"""What is wrong with the schema of a version.

Called by `definition.py`. What makes a schema structural is in `structural.py`, what is asked of lists and maps in
`list_types.py`, rules in CEL are in `rules.py`. Mirrors ValidateCustomResourceDefinitionOpenAPISchema of
`apiextensions/validation/validation.go`.
"""

from collections.abc import Iterator

import orjson

from extensions.definitions import schema_props
from extensions.definitions.validation import list_types, rules, structural
from generic.meta import fields
from generic.meta.fields import FieldError
from generic.schema.structural import compile_node
from generic.types import JSONObject

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_META = ("metadata", "kind", "apiVersion")
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED = "x-kubernetes-embedded-resource"
_UNSUPPORTED = ("additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
_UNIQUE = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"

_AT_ROOT_WITH_STATUS = {
    "description": "Description",
    "type": "Type",
    "format": "Format",
    "title": "Title",
    "maximum": "Maximum",
    "exclusiveMaximum": "ExclusiveMaximum",
    "minimum": "Minimum",
    "exclusiveMinimum": "ExclusiveMinimum",
    "maxLength": "MaxLength",
    "minLength": "MinLength",
    "pattern": "Pattern",
    "maxItems": "MaxItems",
    "minItems": "MinItems",
    "uniqueItems": "UniqueItems",
    "multipleOf": "MultipleOf",
    "required": "Required",
    "items": "Items",
    "properties": "Properties",
    "externalDocs": "ExternalDocs",
    "example": "Example",
    _PRESERVE: "XPreserveUnknownFields",
    schema_props.RULES: "XValidations",
}
"""What the root of a schema may say beside a status subresource, and what Go calls it."""


def problems(schema: JSONObject, path: str, *, has_status: bool) -> list[FieldError]:
    """Everything wrong with the root schema of a version, its rules aside; `path` is that of its openAPIV3Schema."""
    found = [*_root(schema, path)] if has_status else []
    if schema.get("nullable"):
        found.append(fields.forbidden(f"{path}.nullable", "nullable cannot be true at the root"))
    shapeless = structural.problems(schema, path)
    # Defaults can be judged only by a schema that has a shape.
    found += shapeless or _defaults(schema, path)
    return [*found, *_openapi(schema, path)]


def _root(schema: JSONObject, path: str) -> Iterator[FieldError]:
    given = schema.get("type") or ""
    if given not in ("", "object"):
        why = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        yield fields.invalid(f"{path}.type", given, why)
    if any(value for key, value in schema.items() if key not in _AT_ROOT_WITH_STATUS):
        allowed = " ".join(_AT_ROOT_WITH_STATUS.values())
        why = f"only [{allowed}] fields are allowed at the root of the schema if the status subresource is enabled"
        yield fields.invalid(path, schema, why)


def _defaults(schema: JSONObject, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    for here, part in schema_props.walk(schema, path):
        value = part.get("default")
        if value is None:
            continue
        node = compile_node({key: rule for key, rule in part.items() if key != "default"})
        pruned = node.prune(orjson.loads(orjson.dumps(value)))
        if pruned != value:
            found.append(fields.invalid(f"{here}.default", value, "must not have unknown fields"))
        else:
            node.validate(value, f"{here}.default", found)
    return found


def _openapi(schema: JSONObject, path: str) -> Iterator[FieldError]:
    # Each part with what its place forbids: why it may have no default, and whether it is inside of metadata.
    waiting = [(path, schema, "", False)]
    while waiting:
        here, part, no_default, in_meta = waiting.pop()
        yield from _part(part, here, no_default=no_default, in_meta=in_meta)
        yield from list_types.problems(part, here)
        yield from rules.form_problems(part, here)
        inside = []
        for child_path, child in schema_props.children(part, here):
            reason, meta = no_default, in_meta
            name = child_path[len(here) + 1 :]
            if name == "additionalProperties" and in_meta:
                reason = "inside additionalProperties applying to object metadata"
            for member in _META:
                if name == f"properties[{member}]" and (here == path or part.get(_EMBEDDED)):
                    meta = True
                    reason = f"in top-level {member}" if here == path else reason
            inside.append((child_path, child, reason, meta))
        waiting.extend(reversed(inside))


def _part(schema: JSONObject, path: str, *, no_default: str, in_meta: bool) -> Iterator[FieldError]:
    kind = schema.get("type") or ""
    if kind and kind not in _TYPES:
        yield fields.not_supported(f"{path}.type", kind, _TYPES)
    if schema.get("default") is not None and no_default:
        yield fields.forbidden(f"{path}.default", f"must not be set {no_default}")
    if schema.get("id"):
        yield fields.forbidden(f"{path}.id", "id is not supported")
    for key in _UNSUPPORTED:
        if schema.get(key) is not None:
            yield fields.forbidden(f"{path}.{key}", f"{key} is not supported")
    if kind == "null":
        yield fields.forbidden(f"{path}.type", "type cannot be set to null, use nullable as an alternative")
    if isinstance(schema.get("items"), list):
        yield fields.forbidden(f"{path}.items", "items must be a schema object and not an array")
    if in_meta and schema.get(_EMBEDDED):
        yield fields.forbidden(f"{path}.{_EMBEDDED}", "must not be used inside of resource meta")
    if schema.get("uniqueItems"):
        yield fields.forbidden(f"{path}.uniqueItems", _UNIQUE)
    more = schema.get("additionalProperties")
    if schema.get("properties") and (more is False or isinstance(more, dict)):
        why = "additionalProperties and properties are mutual exclusive"
        yield fields.forbidden(f"{path}.additionalProperties", why)
    if schema.get(_PRESERVE) is False:
        yield fields.invalid(f"{path}.{_PRESERVE}", False, "must be true or undefined")
