"""What pydantic can describe and Kubernetes cannot: schemas there are structural, a member has one type.

Called by `resource.py` when a class is made. Mirrors
`apiextensions-apiserver/pkg/apiserver/schema/validation.go`.
"""

from collections.abc import Mapping
from typing import Any

_INT_OR_STRING = {"integer", "string"}


def problem(schema: Mapping[str, Any]) -> str:
    """The first thing in a model's schema that cannot be served, with where it is; empty if all is well."""
    places = {"": {key: value for key, value in schema.items() if key != "$defs"}, **schema.get("$defs", {})}
    for name, definition in places.items():
        found = _problem(definition, name)
        if found:
            return found
    return ""


def why(error: Exception) -> str:
    """What pydantic says against a class, without its advice, which is for other uses of it."""
    said = " ".join(str(error).split())
    for advice in (" Set `arbitrary_types_allowed=", " For further information "):
        said = said.partition(advice)[0]
    return said


def _problem(schema: Any, path: str) -> str:
    if not isinstance(schema, dict):
        return ""
    shown = path or "the kind"
    if "prefixItems" in schema:
        return f"{shown} is a tuple; a list has items of one type"
    for key in ("anyOf", "oneOf"):
        kinds = [_kind(part) for part in schema.get(key, ()) if part.get("type") != "null"]
        if len(kinds) > 1 and set(kinds) != _INT_OR_STRING:
            return f"{shown} may be {' or '.join(kinds)}; a member has one type (int | str is the exception)"
        for part in schema.get(key, ()):
            found = _problem(part, path)
            if found:
                return found
    for name, member in schema.get("properties", {}).items():
        found = _problem(member, f"{path}.{name}" if path else name)
        if found:
            return found
    return _problem(schema.get("items"), f"{path}[]") or _problem(schema.get("additionalProperties"), f"{path}.*")


def _kind(schema: Mapping[str, Any]) -> str:
    reference = schema.get("$ref")
    return str(reference).rpartition("/")[2] if reference else str(schema.get("type", "anything"))
