"""Rules of x-kubernetes-list-type, -list-map-keys and -map-type. Called by `schemas.py` for every part of a schema.

Mirrors the same rules in `apiextensions/validation/validation.go`.
"""

from collections.abc import Iterator

from generic.meta import fields
from generic.meta.fields import FieldError
from generic.types import JSONObject

_LIST = "x-kubernetes-list-type"
_KEYS = "x-kubernetes-list-map-keys"
_MAP = "x-kubernetes-map-type"


def problems(schema: JSONObject, path: str) -> Iterator[FieldError]:
    """What is wrong with how this part says it merges."""
    kind, list_type, map_type = schema.get("type") or "", schema.get(_LIST), schema.get(_MAP)
    items = schema.get("items")
    if map_type is not None:
        yield from _of_type(kind, "object", f"{path}.type", _MAP)
        if map_type not in ("atomic", "granular"):
            yield fields.not_supported(f"{path}.{_MAP}", map_type, ("atomic", "granular"))
    if list_type is not None:
        if kind != "array":
            yield from _of_type(kind, "array", f"{path}.type", _LIST)
        elif list_type == "set" and isinstance(items, dict):
            yield from _set_items(items, f"{path}.items")
        if list_type not in ("atomic", "set", "map"):
            yield fields.not_supported(f"{path}.{_LIST}", list_type, ("atomic", "set", "map"))
    if schema.get(_KEYS) and list_type != "map":
        why = f"must be map if {_KEYS} is non-empty"
        where = f"{path}.{_LIST}"
        yield fields.required(where, why) if list_type is None else fields.invalid(where, list_type, why)
    if list_type == "map":
        yield from _map_list(schema, path)
    if list_type in ("set", "map") and isinstance(items, dict):
        if items.get("nullable"):
            yield fields.forbidden(f"{path}.items.nullable", f"cannot be nullable when {_LIST} is {list_type}")
        if list_type == "map":
            yield from _keys_present(schema, items, f"{path}.items")


def _of_type(kind: str, wanted: str, path: str, because: str) -> Iterator[FieldError]:
    why = f"must be {wanted} if {because} is specified"
    if not kind:
        yield fields.required(path, why)
    elif kind != wanted:
        yield fields.invalid(path, kind, why)


def _set_items(items: JSONObject, path: str) -> Iterator[FieldError]:
    why = f"must be atomic as item of a list with {_LIST}=set"
    if items.get("type") == "array" and items.get(_LIST) not in (None, "atomic"):
        yield fields.invalid(f"{path}.{_LIST}", items[_LIST], why)
    elif items.get("type") == "object" and items.get(_MAP) != "atomic":
        yield fields.invalid(f"{path}.{_MAP}", items.get(_MAP), why)


def _map_list(schema: JSONObject, path: str) -> Iterator[FieldError]:
    keys, items = schema.get(_KEYS) or [], schema.get("items")
    if not keys:
        yield fields.required(f"{path}.{_KEYS}", f"must not be empty if {_LIST} is map")
    if items is None:
        yield fields.required(f"{path}.items", f"must have a schema if {_LIST} is map")
    elif not isinstance(items, dict):
        yield fields.invalid(f"{path}.items", items, f"must only have a single schema if {_LIST} is map")
    elif items.get("type") != "object":
        why = f"must be object if parent array's {_LIST} is map"
        yield fields.invalid(f"{path}.items.type", items.get("type") or "", why)
    else:
        members, seen = items.get("properties") or {}, set()
        for key in keys:
            if key not in members:
                yield fields.invalid(f"{path}.{_KEYS}", keys, "entries must all be names of item properties")
            elif members[key].get("type") in ("array", "object"):
                why = f"must be a scalar type if parent array's {_LIST} is map"
                yield fields.invalid(f"{path}.items.properties[{key}].type", items["type"], why)
            if key in seen:
                yield fields.invalid(f"{path}.{_KEYS}", keys, "must not contain duplicate entries")
            seen.add(key)


def _keys_present(schema: JSONObject, items: JSONObject, path: str) -> Iterator[FieldError]:
    required, members = items.get("required") or (), items.get("properties") or {}
    for key in schema.get(_KEYS) or ():
        member = members.get(key)
        if member is None:
            continue
        if key not in required and member.get("default") is None:
            why = f"this property is in {_KEYS}, so it must have a default or be a required property"
            yield fields.required(f"{path}.properties[{key}].default", why)
        if member.get("nullable"):
            why = f"this property is in {_KEYS}, so it cannot be nullable"
            yield fields.forbidden(f"{path}.properties[{key}].nullable", why)
