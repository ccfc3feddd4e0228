"""Strategic merge patch: a merge patch in which the schema says how lists merge.

Called by the patch endpoint for built-in kinds; kubectl's `apply`, `patch`, `edit`, `label` use it by default.
Mirrors the applying half of `apimachinery/pkg/util/strategicpatch/patch.go`; lists are in
`strategic_lists.py`.
"""

from typing import Any

from generic.patching import strategic_lists as lists
from generic.patching.directives import (
    DELETE_FROM_LIST,
    DIRECTIVE,
    RETAIN_KEYS,
    SET_ORDER,
    addressed,
    without_directives,
)
from generic.patching.errors import InvalidPatch
from generic.patching.merge_patch import without_nulls
from generic.patching.patch_schema import DefinitionsSchema, PatchSchema
from generic.types import JSONObject

__all__ = ["DefinitionsSchema", "PatchSchema", "apply"]


def apply(obj: JSONObject, patch: JSONObject, schema: PatchSchema | None) -> JSONObject:
    """The object after the patch; neither argument is changed.

    Without a schema objects merge and lists replace. Raises InvalidPatch on misused directives,
    InapplicablePatch where the patch does not fit the object.
    """
    directive = patch.get(DIRECTIVE)
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != DIRECTIVE}
    if directive == "delete":
        return {}
    if DIRECTIVE in patch:
        raise InvalidPatch(f"unknown patch type: {directive} in map: {patch}")
    merged = _retained(obj, patch)
    ordered = _merge_ordered_lists(merged, patch, schema)
    for key, value in patch.items():
        if key == RETAIN_KEYS or key.startswith(SET_ORDER) or key in ordered:
            continue
        if key.startswith(DELETE_FROM_LIST):
            _delete_from_list(merged, addressed(key, DELETE_FROM_LIST), value)
        else:
            _merge_member(merged, key, value, schema)
    return merged


def _merge_member(merged: JSONObject, key: str, value: Any, schema: PatchSchema | None) -> None:
    if value is None:
        merged.pop(key, None)
        return
    current = merged.get(key)
    if isinstance(value, dict) and isinstance(current, dict):
        inner = _property(schema, key)
        replaces = inner is not None and "replace" in inner.strategies
        merged[key] = value if replaces else apply(current, value, inner)
    elif isinstance(value, list) and isinstance(current, list):
        merged[key] = lists.merge(current, value, _property(schema, key), apply)
    else:
        _place(merged, key, value)


def _property(schema: PatchSchema | None, key: str) -> PatchSchema | None:
    return schema.property(key) if schema is not None else None


def _place(merged: JSONObject, key: str, value: Any) -> None:
    """Put in a value that has nothing of its type to merge with."""
    cleaned, keep = without_directives(without_nulls(value))
    if keep:
        merged[key] = cleaned
    else:
        merged.pop(key, None)


def _delete_from_list(merged: JSONObject, key: str, value: Any) -> None:
    if value is None:
        merged.pop(key, None)
        return
    current = merged.get(key)
    if isinstance(current, list) and isinstance(value, list):
        merged[key] = lists.delete(current, value)


def _retained(obj: JSONObject, patch: JSONObject) -> JSONObject:
    """A copy of the object with only the keys that `$retainKeys`, if given, lets live."""
    if RETAIN_KEYS not in patch:
        return dict(obj)
    keep = patch[RETAIN_KEYS]
    if not isinstance(keep, list):
        raise InvalidPatch("invalid patch format of retainKeys")
    for key, value in patch.items():
        directive = key == RETAIN_KEYS or key.startswith((DELETE_FROM_LIST, SET_ORDER))
        if value is not None and not directive and key not in keep:
            raise InvalidPatch("invalid patch format of retainKeys")
    return {key: value for key, value in obj.items() if key in keep}


def _merge_ordered_lists(merged: JSONObject, patch: JSONObject, schema: PatchSchema | None) -> set[str]:
    """Merge the lists that come with a `$setElementOrder`; returns their keys, which are then done."""
    done: set[str] = set()
    for directive, order in patch.items():
        if not directive.startswith(SET_ORDER):
            continue
        key = addressed(directive, SET_ORDER)
        current, changes = merged.get(key), patch.get(key)
        if not isinstance(order, list):
            raise InvalidPatch("invalid patch format of setElementOrder list")
        for candidate in (current, changes):
            if candidate is not None and not isinstance(candidate, list):
                raise InvalidPatch("expected a []interface {}, but received a different type")
        if key in patch and changes is None:
            # An explicit null still removes the list.
            continue
        done.add(key)
        if current is None and changes is None:
            continue
        merged[key] = lists.merge_ordered(current, changes, order, _property(schema, key), apply)
    return done
