"""How lists merge in a strategic merge patch: by key, as sets, in which order.

Called only by `strategic.py`, which hands in how objects merge. The order of a merged list is: the order
asked for first, then that of the patch, with the items only the server has kept in their places as far as
possible. Mirrors mergeSlice and normalizeElementOrder of
`apimachinery/pkg/util/strategicpatch/patch.go`.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import orjson

from generic.patching.directives import DIRECTIVE
from generic.patching.errors import InapplicablePatch, InvalidPatch
from generic.patching.merge_patch import without_nulls
from generic.patching.patch_schema import PatchSchema
from generic.types import JSONObject

Items: TypeAlias = list[Any]
MergeObjects: TypeAlias = Callable[[JSONObject, JSONObject, PatchSchema | None], JSONObject]


def merge(current: Items, patch: Items, schema: PatchSchema | None, merge_objects: MergeObjects) -> Items:
    """A list after the patch to it, by the strategy of its schema: replaced unless that says merge."""
    if schema is None or "merge" not in schema.strategies:
        return patch
    if not current and not patch:
        return current
    if not _holds_objects(current, patch):
        merged = _unique([*current, *patch])
        return _in_order(merged, patch, current, None)
    key = schema.merge_key
    if not key:
        raise InapplicablePatch("cannot merge lists without merge key")
    current, patch = _without_special(current, patch, key)
    merged = _merge_by_key(current, patch, key, schema.items(), merge_objects)
    return _in_order(merged, patch, current, key)


def merge_ordered(
    current: Items | None, patch: Items | None, order: Items, schema: PatchSchema | None, merge_objects: MergeObjects
) -> Items:
    """A list after the patch to it, in the order of a `$setElementOrder`."""
    key = schema.merge_key if schema is not None else None
    if patch:
        _check_order(patch, order, key)
    if current is None:
        # A new list: what it would delete is not there to delete.
        merged = [item for item in patch or [] if not _is_special(item)]
    elif patch is None:
        merged = current
    else:
        merged = merge(current, patch, schema, merge_objects)
        if key is not None and any(map(_is_special, patch)):
            return _in_order(merged, order, _places_taken_over(current, patch, key), key)
    return _in_order(merged, order, current or [], key)


def _places_taken_over(current: Items, patch: Items, key: str) -> Items:
    """The server's order, in which what a patch adds stands in for what it deletes.

    Kubernetes deletes and appends within one array, so as many new items as there are deleted ones end up
    in the order it then sorts by. Renaming a container with `kubectl apply` depends on it.
    """
    kept, added = _without_special(current, patch, key)
    known = {_identity_of(item, key) for item in kept}
    new = [item for item in added if _identity_of(item, key) not in known]
    return [*kept, *new[: len(current) - len(kept)]]


def delete(current: Items, unwanted: Items) -> Items:
    """A list of scalars without those of a `$deleteFromPrimitiveList`."""
    gone = {_identity(item) for item in unwanted}
    return [item for item in current if _identity(item) not in gone]


def _without_special(current: Items, patch: Items, key: str) -> tuple[Items, Items]:
    """Obey the items of a patch that carry `$patch`; returns both lists without what those took."""
    plain: Items = []
    replace = False
    for item in patch:
        if DIRECTIVE not in item:
            plain.append(item)
            continue
        directive = item[DIRECTIVE]
        if directive == "delete":
            unwanted = _identity(_key_of(item, key))
            current = [kept for kept in current if key not in kept or _identity(kept[key]) != unwanted]
        elif directive == "replace":
            replace = True
        elif directive == "merge":
            raise InvalidPatch("merging lists cannot yet be specified in the patch")
        else:
            raise InvalidPatch(f"unknown patch type: {directive} in map: {item}")
    return (plain, []) if replace else (current, plain)


def _merge_by_key(
    current: Items, patch: Items, key: str, schema: PatchSchema | None, merge_objects: MergeObjects
) -> Items:
    merged = list(current)
    places: dict[bytes, int] = {}
    for place, item in enumerate(merged):
        if key in item:
            places.setdefault(_identity(item[key]), place)
    for item in patch:
        identity = _identity(_key_of(item, key))
        found = places.get(identity)
        if found is None:
            places[identity] = len(merged)
            # A typed decoder would drop the nulls of a new item; ours does not decode into types.
            merged.append(without_nulls(item))
        else:
            merged[found] = merge_objects(merged[found], item, schema)
    return merged


def _in_order(merged: Items, order: Items, server_order: Items, key: str | None) -> Items:
    """`merged` with the items named in `order` in that order, the others where the server had them."""
    wanted = _positions(order, key)
    before = _positions(server_order, key)
    identities = {id(item): _identity_of(item, key) for item in merged}
    listed = [item for item in merged if identities[id(item)] in wanted]
    listed.sort(key=lambda item: wanted[identities[id(item)]])
    own = [item for item in merged if identities[id(item)] not in wanted]
    own.sort(key=lambda item: before.get(identities[id(item)], len(before)))

    result: Items = []
    at = 0
    for item in listed:
        place = before.get(identities[id(item)])
        # An item of the server's own stays before a listed one only if it was before it on the server.
        while place is not None and at < len(own) and before.get(identities[id(own[at])], place) < place:
            result.append(own[at])
            at += 1
        result.append(item)
    return result + own[at:]


def _check_order(patch: Items, order: Items, key: str | None) -> None:
    """Every item of the patch must be in the order asked for, in the same relative order."""
    if not order:
        return
    if key is not None and not all(isinstance(item, dict) for item in patch):
        raise InvalidPatch("expected a map[string]interface {}, but received a different type")
    remaining = iter(_identity_of(item, key) for item in order)
    for item in patch:
        if _is_special(item):
            continue
        wanted = _identity_of(item, key)
        if wanted not in remaining:
            raise InvalidPatch(f"The order in patch list:\n{patch}\n doesn't match $setElementOrder list:\n{order}\n")


def _holds_objects(*lists: Items) -> bool:
    """Whether the lists hold objects rather than scalars. Raises InapplicablePatch if they are mixed."""
    kinds = {type(item) for items in lists for item in items}
    if list in kinds:
        raise InapplicablePatch("lists of lists are not supported")
    if len(kinds) > 1:
        raise InapplicablePatch(f"list element types are not identical: {lists}")
    return kinds == {dict}


def _is_special(item: Any) -> bool:
    return isinstance(item, dict) and DIRECTIVE in item


def _positions(items: Items, key: str | None) -> dict[bytes, int]:
    positions: dict[bytes, int] = {}
    for place, item in enumerate(items):
        positions.setdefault(_identity_of(item, key), place)
    return positions


def _unique(items: Items) -> Items:
    return list({_identity(item): item for item in reversed(items)}.values())[::-1]


def _identity_of(item: Any, key: str | None) -> bytes:
    return _identity(item if key is None else _key_of(item, key))


def _key_of(item: Any, key: str) -> Any:
    if not isinstance(item, dict):
        raise InapplicablePatch("expected a map[string]interface {}, but received a different type")
    if key not in item:
        raise InapplicablePatch(f"map: {orjson.dumps(item).decode()} does not contain declared merge key: {key}")
    return item[key]


def _identity(value: Any) -> bytes:
    """Something to compare and hash a JSON value by: unlike in Python, true is not 1 and 1 is not 1.0."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
