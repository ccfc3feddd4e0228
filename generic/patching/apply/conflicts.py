"""What an applier hears when others own what it wants to change.

Raised by `tracking.py`. Mirrors `apimachinery/pkg/util/managedfields/internal/conflict.go`.
"""

from collections.abc import Sequence

from generic.meta import errors
from generic.meta.go_text import quote
from generic.patching.apply import field_sets
from generic.patching.apply.field_sets import FieldSet
from generic.types import JSONObject

Conflict = tuple[JSONObject, FieldSet]
"""A manager's entry, and which of its fields are wanted."""


def refusal(conflicts: Sequence[Conflict]) -> errors.StatusError:
    """The 409 that names every field and its owner."""
    found = [
        (_who(entry), field_sets.path_text(path))
        for entry, fields in sorted(conflicts, key=lambda conflict: _who(conflict[0]))
        for path in field_sets.paths(fields)
    ]
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": path} for who, path in found
    ]
    return errors.StatusError(409, "Conflict", _message(found), details={"causes": causes})


def _message(found: Sequence[tuple[str, str]]) -> str:
    if len(found) == 1:
        who, path = found[0]
        return f"Apply failed with 1 conflict: conflict with {who}: {path}"
    lines: list[str] = []
    for who in dict.fromkeys(who for who, _ in found):
        lines += [f"conflicts with {who}:", *(f"- {path}" for owner, path in found if owner == who)]
    return f"Apply failed with {len(found)} conflicts: " + "\n".join(lines)


def _who(entry: JSONObject) -> str:
    who = quote(entry.get("manager") or "")
    if entry.get("subresource"):
        who = f"{who} with subresource {quote(entry['subresource'])}"
    return f"{who} using {entry['apiVersion']}" if entry["operation"] == "Update" else who
