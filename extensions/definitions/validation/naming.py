"""What is wrong with the names of a definition. Called by `definition.py` for spec.names and status.acceptedNames.

Mirrors ValidateCustomResourceDefinitionNames of `apiextensions/validation/validation.go`.
"""

from generic.meta import fields, names
from generic.meta.fields import FieldError
from generic.types import JSONObject

_MIXED_CASE = "may have mixed case, but should otherwise match: "


def problems(given: JSONObject, path: str) -> list[FieldError]:
    """Whether empty names are allowed is for the caller to say."""
    found: list[FieldError] = []
    for key in ("plural", "singular"):
        found += _label(given.get(key) or "", f"{path}.{key}")
    kind, list_kind = given.get("kind") or "", given.get("listKind") or ""
    for key, name in (("kind", kind), ("listKind", list_kind)):
        if name and (wrong := names.dns1035_label(name.lower())):
            found.append(fields.invalid(f"{path}.{key}", name, _MIXED_CASE + ",".join(wrong)))
    for at, name in enumerate(given.get("shortNames") or ()):
        found += _label(name, f"{path}.shortNames[{at}]", empty=False)
    if kind and kind == list_kind:
        found.append(fields.invalid(f"{path}.listKind", list_kind, "kind and listKind may not be the same"))
    for at, name in enumerate(given.get("categories") or ()):
        found += _label(name, f"{path}.categories[{at}]", empty=False)
    return found


def _label(name: str, path: str, *, empty: bool = True) -> list[FieldError]:
    wrong = names.dns1035_label(name) if name or not empty else []
    return [fields.invalid(path, name, ",".join(wrong))] if wrong else []
