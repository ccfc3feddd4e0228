"""What is wrong with a version apart from its schema: warnings, subresources, columns, selectable fields.

Called by `definition.py`. Mirrors the parts of ValidateCustomResourceDefinitionSpec of
`apiextensions/validation/validation.go`.
"""

import unicodedata
from collections.abc import Iterator

from extensions.rules import field_path
from generic.meta import fields
from generic.meta.fields import FieldError
from generic.types import JSONObject

MOST_SELECTABLE_FIELDS = 8

_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_SELECTABLE_TYPES = ("string", "boolean", "integer")
_LONGEST_WARNING = 256


def deprecation(version: JSONObject, path: str) -> Iterator[FieldError]:
    """The text of a deprecation warning."""
    text = version.get("deprecationWarning")
    if text is None:
        return
    if not version.get("deprecated"):
        yield fields.invalid(path, text, "can only be set for deprecated versions")
        return
    if len(text.encode()) > _LONGEST_WARNING:
        yield fields.invalid(path, text, "must be <= 256 characters long")
    if not text:
        yield fields.invalid(path, text, "must not be an empty string")
    at = 0
    for char in text:
        if unicodedata.category(char)[0] in "CZ" and char != " ":
            why = f"must only contain printable UTF-8 characters; non-printable character found at index {at}"
            yield fields.invalid(path, text, why)
            return
        at += len(char.encode())


def subresources(given: JSONObject | None, path: str) -> Iterator[FieldError]:
    """The paths of the scale subresource."""
    scale = (given or {}).get("scale")
    if scale is None:
        return
    for key, below in (("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")):
        here, value = f"{path}.scale.{key}", scale.get(key) or ""
        if not value:
            yield fields.required(here)
        elif value[0] != ".":
            yield fields.invalid(here, value, "must be a simple json path starting with .")
        elif not value.startswith(below):
            yield fields.invalid(here, value, f"should be a json path under {below[:-1]}")
    selector = scale.get("labelSelectorPath") or ""
    if selector and selector[0] != ".":
        yield fields.invalid(f"{path}.scale.labelSelectorPath", selector, "must be a simple json path starting with .")
    elif selector and not selector.startswith((".spec.", ".status.")):
        why = "should be a json path under either .spec or .status"
        yield fields.invalid(f"{path}.scale.labelSelectorPath", selector, why)


def columns(version: JSONObject, path: str) -> Iterator[FieldError]:
    """The printer columns."""
    one_of, formats = f"must be one of {','.join(_COLUMN_TYPES)}", f"must be one of {','.join(_COLUMN_FORMATS)}"
    for at, column in enumerate(version.get("additionalPrinterColumns") or ()):
        here, kind, form = f"{path}[{at}]", column.get("type") or "", column.get("format") or ""
        json_path = column.get("jsonPath") or ""
        if not column.get("name"):
            yield fields.required(f"{here}.name")
        if not kind:
            yield fields.required(f"{here}.type", one_of)
        elif kind not in _COLUMN_TYPES:
            yield fields.invalid(f"{here}.type", kind, one_of)
        if form and form not in _COLUMN_FORMATS:
            yield fields.invalid(f"{here}.format", form, formats)
        if not json_path:
            yield fields.required(f"{here}.JSONPath")
        elif json_path[0] != ".":
            yield fields.invalid(f"{here}.JSONPath", json_path, "must be a simple json path starting with .")


def selectable_fields(version: JSONObject, path: str) -> Iterator[FieldError]:
    """Each points to a scalar of the schema, none twice, not too many."""
    schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    seen: set[str] = set()
    for at, field in enumerate(version.get("selectableFields") or ()):
        here, json_path = f"{path}[{at}].jsonPath", field.get("jsonPath") or ""
        if not json_path:
            yield fields.required(here)
            continue
        try:
            _, found = field_path.follow(json_path, schema, brackets=False)
        except field_path.PathError as error:
            yield fields.invalid(here, json_path, f"is an invalid path: {error}")
            continue
        if json_path == ".metadata" or json_path.startswith(".metadata."):
            yield fields.invalid(here, json_path, "must not point to fields in metadata")
        if found.get("type") not in _SELECTABLE_TYPES:
            why = (
                "must point to a field of type string, boolean or integer. "
                "Enum string fields and strings with formats are allowed."
            )
            yield fields.invalid(here, json_path, why)
        if json_path in seen:
            yield fields.duplicate(here, json_path)
        seen.add(json_path)
    if len(seen) > MOST_SELECTABLE_FIELDS:
        yield fields.too_many(path, len(seen), MOST_SELECTABLE_FIELDS)
