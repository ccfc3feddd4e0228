"""Looks into the schemas of a definition: what the types of `types_schema.py` cannot say, and a walk over all parts.

Called by the strategy (on every decoded definition) and by validation. Mirrors the decoding of JSONSchemaProps in
`apiextensions/v1/marshal.go` and SchemaHas of `apiextensions/validation`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from generic.types import JSONObject

RULES = "x-kubernetes-validations"

_TYPES: Mapping[str, tuple[str, type | tuple[type, ...]]] = {
    **dict.fromkeys(
        (
            "id",
            "$schema",
            "$ref",
            "description",
            "type",
            "format",
            "title",
            "pattern",
            "x-kubernetes-list-type",
            "x-kubernetes-map-type",
        ),
        ("string", str),
    ),
    **dict.fromkeys(
        (
            "exclusiveMaximum",
            "exclusiveMinimum",
            "uniqueItems",
            "nullable",
            "x-kubernetes-preserve-unknown-fields",
            "x-kubernetes-embedded-resource",
            "x-kubernetes-int-or-string",
        ),
        ("bool", bool),
    ),
    **dict.fromkeys(("maximum", "minimum", "multipleOf"), ("float64", (int, float))),
    **dict.fromkeys(
        ("maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties"), ("int64", int)
    ),
    **dict.fromkeys(("enum", "required", "x-kubernetes-list-map-keys", RULES), ("[]string", list)),
    "externalDocs": ("v1.ExternalDocumentation", dict),
}
_RULE_TYPES: Mapping[str, type] = {
    **dict.fromkeys(("rule", "message", "messageExpression", "reason", "fieldPath"), str),
    "optionalOldSelf": bool,
}
_ANYTHING = ("default", "example")
_SCHEMA = ("not",)
_SCHEMA_LISTS = ("allOf", "oneOf", "anyOf")
_SCHEMA_MAPS = ("properties", "patternProperties", "definitions")
_SCHEMA_OR_LIST = ("items",)
_SCHEMA_OR_BOOL = ("additionalProperties", "additionalItems")
_SCHEMA_OR_NAMES = ("dependencies",)

Part = tuple[str, JSONObject]
"""A schema and its path."""


class Mismatch(ValueError):
    """A part of a schema is of the wrong type; the text is Go's."""


def tidy(schema: JSONObject, where: str) -> None:
    """Drop unknown fields and nulls, in place, in every part of a schema. Raises Mismatch."""
    for key in list(schema):
        value = schema[key]
        if key in _ANYTHING:
            continue
        if value is None:
            del schema[key]
        elif key in _TYPES:
            _check(key, value, where)
        elif key in _SCHEMA:
            tidy(_object(value, key, where), f"{where}.{key}")
        elif key in _SCHEMA_LISTS:
            for part in _list(value, key, where):
                tidy(_object(part, key, where), f"{where}.{key}")
        elif key in _SCHEMA_MAPS:
            for part in _object(value, key, where).values():
                tidy(_object(part, key, where), f"{where}.{key}")
        elif key in _SCHEMA_OR_LIST:
            for part in value if isinstance(value, list) else [value]:
                tidy(_object(part, key, where), f"{where}.{key}")
        elif key in _SCHEMA_OR_BOOL:
            if not isinstance(value, bool):
                tidy(_object(value, key, where), f"{where}.{key}")
        elif key in _SCHEMA_OR_NAMES:
            for part in _object(value, key, where).values():
                if not isinstance(part, list):
                    tidy(_object(part, key, where), f"{where}.{key}")
        else:
            del schema[key]


def children(schema: JSONObject, path: str) -> Iterator[Part]:
    """The schemas directly inside one, with their paths as field errors show them."""
    for key in ("additionalProperties",):
        if isinstance(schema.get(key), dict):
            yield f"{path}.{key}", schema[key]
    for name, part in (schema.get("properties") or {}).items():
        yield f"{path}.properties[{name}]", part
    if isinstance(schema.get("not"), dict):
        yield f"{path}.not", schema["not"]
    for key in _SCHEMA_LISTS:
        for at, part in enumerate(schema.get(key) or ()):
            yield f"{path}.{key}[{at}]", part
    for key in ("definitions", "patternProperties"):
        for name, part in (schema.get(key) or {}).items():
            yield f"{path}.{key}[{name}]", part
    items = schema.get("items")
    if isinstance(items, dict):
        yield f"{path}.items", items
    elif isinstance(items, list):
        for at, part in enumerate(items):
            yield f"{path}.items[{at}]", part


def walk(schema: JSONObject, path: str) -> Iterator[Part]:
    """A schema and everything inside it."""
    waiting = [(path, schema)]
    while waiting:
        found = waiting.pop()
        yield found
        waiting.extend(reversed(list(children(found[1], found[0]))))


def schemas_of(spec: JSONObject) -> Iterator[JSONObject]:
    """The root schema of every version that has one."""
    for version in spec.get("versions") or ():
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is not None:
            yield schema


def has(spec: JSONObject, test: Callable[[JSONObject], bool]) -> bool:
    """Whether any part of any schema of a definition passes a test."""
    return any(test(part) for schema in schemas_of(spec) for _, part in walk(schema, ""))


def _check(key: str, value: Any, where: str) -> None:
    called, kind = _TYPES[key]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _mismatch(value, key, where, called)
    items: list[Any] = value if isinstance(value, list) else []
    if key == RULES:
        for item in items:
            _check_rule(item, f"{where}.{key}")
    elif key != "enum":
        for item in items:
            if not isinstance(item, str):
                raise _mismatch(item, key, where, "string")


def _check_rule(rule: Any, where: str) -> None:
    """Checks one rule, and drops from it what is unknown and null. Raises Mismatch."""
    if not isinstance(rule, dict):
        raise _mismatch(rule, "", where, "v1.ValidationRule")
    for key in list(rule):
        kind = _RULE_TYPES.get(key)
        if kind is None or rule[key] is None:
            del rule[key]
        elif not isinstance(rule[key], kind):
            raise _mismatch(rule[key], key, where, "bool" if kind is bool else "string")


def _object(value: Any, key: str, where: str) -> JSONObject:
    if not isinstance(value, dict):
        raise _mismatch(value, key, where, "v1.JSONSchemaProps")
    return value


def _list(value: Any, key: str, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise _mismatch(value, key, where, "[]v1.JSONSchemaProps")
    return value


def _mismatch(value: Any, key: str, where: str, wanted: str) -> Mismatch:
    names = {bool: "bool", str: "string", list: "array", dict: "object"}
    given, field = names.get(type(value), "number"), f"JSONSchemaProps.{where}.{key}".removesuffix(".")
    return Mismatch(f"json: cannot unmarshal {given} into Go struct field {field} of type {wanted}")
