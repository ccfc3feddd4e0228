"""The `$` members of a strategic merge patch. Used by strategic.py and strategic_lists.py."""

from typing import Any

from generic.patching.errors import InvalidPatch

DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"
DELETE_FROM_LIST = "$deleteFromPrimitiveList"
SET_ORDER = "$setElementOrder"

_MALFORMED = {
    DELETE_FROM_LIST: "invalid patch format of primitive list",
    SET_ORDER: "invalid patch format of setElementOrder list",
}


def addressed(key: str, prefix: str) -> str:
    """The member a directive such as `$setElementOrder/containers` is about. Raises InvalidPatch if none."""
    head, slash, name = key.partition("/")
    if head != prefix or not slash:
        raise InvalidPatch(_MALFORMED[prefix])
    return name


def without_directives(value: Any) -> tuple[Any, bool]:
    """A value without the objects that carry `$patch`; False if it is itself one."""
    if isinstance(value, dict):
        if DIRECTIVE in value:
            return None, False
        cleaned = ((key, without_directives(item)) for key, item in value.items())
        return {key: item for key, (item, keep) in cleaned if keep}, True
    if isinstance(value, list):
        return [item for item, keep in map(without_directives, value) if keep], True
    return value, True
