"""Whether a schema is structural: it says the type of every part outside of allOf, anyOf, oneOf and not.

Called by `schemas.py`. Mirrors `apiextensions-apiserver/pkg/apiserver/schema/{validation,complete}.go`.
"""

from collections.abc import Iterator
from typing import Any, Literal

from generic.meta import fields
from generic.meta.fields import FieldError
from generic.schema.cel import regex
from generic.types import JSONObject

Level = Literal["root", "item", "field"]

_INT_OR_STRING = "x-kubernetes-int-or-string"
_EMBEDDED = "x-kubernetes-embedded-resource"
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_EITHER = [{"type": "integer"}, {"type": "string"}]

_NO_TYPE = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}
_FORBIDDEN_INSIDE = (
    ("type", "must be empty to be structural"),
    ("additionalProperties", "must be undefined to be structural"),
    ("default", "must be undefined to be structural"),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    ("externalDocs", "must be undefined to be structural"),
    (_PRESERVE, "must be false to be structural"),
    (_EMBEDDED, "must be false to be structural"),
    (_INT_OR_STRING, "must be false to be structural"),
    ("x-kubernetes-list-map-keys", "must be empty to be structural"),
    ("x-kubernetes-list-type", "must be undefined to be structural"),
    ("x-kubernetes-map-type", "must be undefined to be structural"),
    ("x-kubernetes-validations", "must be empty to be structural"),
)
_DEFINED_EVEN_IF_EMPTY = frozenset({
    "additionalProperties",
    "default",
    "externalDocs",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
})


def problems(schema: JSONObject, path: str) -> list[FieldError]:
    """Everything that keeps the root schema of a version from being structural, in a stable order."""
    found = [*_invariants(schema, "root", path), *_incomplete(schema, path)]
    return sorted(found, key=str)


def _invariants(schema: JSONObject, level: Level, path: str) -> Iterator[FieldError]:
    kind, items, more = schema.get("type") or "", schema.get("items"), schema.get("additionalProperties")
    members = schema.get("properties") or {}
    if kind == "array" and items is None:
        yield fields.required(f"{path}.items", "must be specified")
    if isinstance(items, dict):
        yield from _invariants(items, "item", f"{path}.items")
    for name, member in members.items():
        yield from _invariants(member, "field", f"{path}.properties[{name}]")
    if more is not None:
        if level == "root":
            yield fields.forbidden(f"{path}.additionalProperties", "must not be used at the root")
        if isinstance(more, dict):
            yield from _invariants(more, "field", f"{path}.additionalProperties")
    if schema.get(_INT_OR_STRING):
        for other in (_PRESERVE, _EMBEDDED):
            if schema.get(other):
                yield fields.invalid(f"{path}.{other}", True, f"must be false if {_INT_OR_STRING} is true")
    parts = schema.get("allOf") or []
    yield from _value_rules(
        schema,
        path,
        skip_any_of=schema.get("anyOf") == _EITHER,
        skip_in_first=bool(parts) and parts[0].get("anyOf") == _EITHER,
    )
    yield from _type(schema, level, path, kind)
    if level == "root" or schema.get(_EMBEDDED):
        for name in ("kind", "apiVersion"):
            given = (members.get(name) or {}).get("type") or ""
            if name in members and given != "string":
                yield fields.invalid(f"{path}.properties[{name}].type", given, "must be string")
        if "metadata" in members:
            yield from _metadata(members["metadata"], level, f"{path}.properties[metadata]")
    if schema.get(_EMBEDDED) and not schema.get(_PRESERVE) and not members:
        why = f"must not be empty if {_EMBEDDED} is true without {_PRESERVE}"
        yield fields.required(f"{path}.properties", why)


def _type(schema: JSONObject, level: Level, path: str, kind: str) -> Iterator[FieldError]:
    if schema.get(_EMBEDDED):
        why = f"must be object if {_EMBEDDED} is true"
        if not kind:
            yield fields.required(f"{path}.type", why)
        elif kind != "object":
            yield fields.invalid(f"{path}.type", kind, why)
        if schema.get("additionalProperties") is not None:
            yield fields.forbidden(f"{path}.additionalProperties", f"must not be used if {_EMBEDDED} is set")
    elif not kind and not schema.get(_INT_OR_STRING) and not schema.get(_PRESERVE):
        yield fields.required(f"{path}.type", _NO_TYPE[level])
    if level == "root" and kind and kind != "object":
        yield fields.invalid(f"{path}.type", kind, "must be object at the root")


def _metadata(schema: JSONObject, level: Level, path: str) -> Iterator[FieldError]:
    kind = schema.get("type") or ""
    if kind != "object":
        yield fields.invalid(f"{path}.type", kind, "must be object")
    if level != "root":
        return
    rest = {key: value for key, value in schema.items() if key not in ("type", "default") and value}
    if set(rest.get("properties") or ()) <= {"name", "generateName"}:
        rest.pop("properties", None)
    if rest:
        why = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        yield fields.forbidden(path, why)


def _value_rules(schema: JSONObject, path: str, *, skip_any_of: bool, skip_in_first: bool) -> Iterator[FieldError]:
    if not skip_any_of:
        for at, part in enumerate(schema.get("anyOf") or ()):
            yield from _nested(part, f"{path}.anyOf[{at}]")
    for at, part in enumerate(schema.get("allOf") or ()):
        yield from _nested(part, f"{path}.allOf[{at}]", skip_any_of=skip_in_first and at == 0)
    for at, part in enumerate(schema.get("oneOf") or ()):
        yield from _nested(part, f"{path}.oneOf[{at}]")
    if schema.get("not"):
        yield from _nested(schema["not"], f"{path}.not")
    pattern = schema.get("pattern")
    if pattern and (wrong := regex.problem(pattern)):
        why = f"must be a valid regular expression, but isn't: {wrong}"
        yield fields.invalid(f"{path}.pattern", pattern, why)


def _nested(schema: JSONObject, path: str, *, skip_any_of: bool = False) -> Iterator[FieldError]:
    """A schema that judges values only."""
    yield from _value_rules(schema, path, skip_any_of=skip_any_of, skip_in_first=False)
    if isinstance(schema.get("items"), dict):
        yield from _nested(schema["items"], f"{path}.items")
    for name, member in (schema.get("properties") or {}).items():
        yield from _nested(member, f"{path}.properties[{name}]")
    for key, why in _FORBIDDEN_INSIDE:
        if _is_set(schema.get(key), key):
            yield fields.forbidden(f"{path}.{key}", why)
    if "metadata" in (schema.get("properties") or {}):
        yield fields.forbidden(f"{path}.properties[metadata]", "must not be specified in a nested context")


def _is_set(value: Any, key: str) -> bool:
    return value is not None if key in _DEFINED_EVEN_IF_EMPTY else bool(value)


def _incomplete(schema: JSONObject, path: str) -> Iterator[FieldError]:
    """What is judged must be described outside."""
    yield from _undescribed(schema, schema, path, path)
    if isinstance(schema.get("items"), dict):
        yield from _incomplete(schema["items"], f"{path}.items")
    for name, member in (schema.get("properties") or {}).items():
        yield from _incomplete(member, f"{path}.properties[{name}]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _incomplete(schema["additionalProperties"], f"{path}.additionalProperties")


def _undescribed(judging: JSONObject, schema: JSONObject, path: str, judging_path: str) -> Iterator[FieldError]:
    if judging.get("not"):
        yield from _undescribed_inside(judging["not"], schema, path, f"{judging_path}.not")
    for key in ("allOf", "anyOf", "oneOf"):
        for at, part in enumerate(judging.get(key) or ()):
            yield from _undescribed_inside(part, schema, path, f"{judging_path}.{key}[{at}]")


def _undescribed_inside(judging: JSONObject, schema: JSONObject, path: str, judging_path: str) -> Iterator[FieldError]:
    yield from _undescribed(judging, schema, path, judging_path)
    if isinstance(judging.get("items"), dict):
        here = f"{judging_path}.items"
        if isinstance(schema.get("items"), dict):
            yield from _undescribed_inside(judging["items"], schema["items"], f"{path}.items", here)
        else:
            yield fields.required(f"{path}.items", f"because it is defined in {here}")
    for name, member in (judging.get("properties") or {}).items():
        here, described = f"{judging_path}.properties[{name}]", (schema.get("properties") or {}).get(name)
        if described is None:
            yield fields.required(f"{path}.properties[{name}]", f"because it is defined in {here}")
        else:
            yield from _undescribed_inside(member, described, f"{path}.properties[{name}]", here)
