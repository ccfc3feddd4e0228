"""JSON merge patch (RFC 7396): applying one, and computing one.

Called by the patch endpoint; `create` by controllers and tests. Neither changes its arguments, but results
share what did not change with them. As in the library Kubernetes uses, and unlike the RFC, null members of
objects inside lists are dropped too.
"""

from typing import Any

from generic.patching.errors import InvalidPatch
from generic.types import JSONObject


def apply(obj: JSONObject, patch: Any) -> JSONObject:
    """The object after the patch: objects merge, null removes a member, anything else replaces.

    Raises InvalidPatch if the patch is not an object.
    """
    if not isinstance(patch, dict):
        raise InvalidPatch("Invalid JSON Patch")
    return _merged(obj, patch)


def _merged(obj: Any, patch: JSONObject) -> JSONObject:
    merged = dict(obj) if isinstance(obj, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = _merged(merged.get(key), value)
        else:
            merged[key] = without_nulls(value) if isinstance(value, list) else value
    return merged


def without_nulls(value: Any) -> Any:
    """A value without the null members of its objects, at any depth; nulls that are items of a list stay."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def create(old: JSONObject, new: JSONObject) -> JSONObject:
    """The smallest patch that makes `new` of `old`. A null inside `new` cannot be expressed and is lost."""
    patch: JSONObject = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            if changed := create(before, value):
                patch[key] = changed
        elif key not in old or not _same(before, value):
            patch[key] = value
    return patch


def _same(left: Any, right: Any) -> bool:
    """Equal as JSON: unlike in Python, true is not 1 and 1 is not 1.0."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right)
