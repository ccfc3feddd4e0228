"""Which fields an applied configuration takes away by leaving them out.

Called by `tracking.py` between merging and looking for conflicts. A field goes if its manager applied it last time,
does not now, and nobody else owns it. Mirrors prune of `structured-merge-diff/merge/update.go`.
"""

from collections.abc import Iterable
from typing import Any

from generic.patching.apply import configurations, merging
from generic.patching.apply.field_sets import SELF, FieldSet, difference, intersection, union
from generic.patching.apply.shapes import Shape

_LEAF: FieldSet = {}


def prune(shape: Shape, merged: dict[str, Any], *, last: FieldSet, owned: Iterable[FieldSet]) -> dict[str, Any]:
    """The merged object without what its applier let go of. `owned`: the sets of all managers, its own new one too."""
    last = with_structs(shape, last)
    present = with_structs(shape, configurations.claimed(shape, merged))
    managed: FieldSet = {}
    for fields in owned:
        managed = union(managed, with_structs(shape, fields))

    def left(pruned: dict[str, Any]) -> FieldSet:
        return with_structs(shape, configurations.claimed(shape, pruned))

    pruned = merging.remove(shape, merged, last)
    # Removing a field takes all below it along. First what somebody owns comes back, then what was never ours to take.
    pruned = merging.remove(shape, merged, difference(present, union(left(pruned), managed)))
    return merging.remove(shape, merged, intersection(difference(present, left(pruned)), last))


def with_structs(shape: Shape, fields: FieldSet) -> FieldSet:
    """The set with every struct in it that has a field in it, and whole values where it has parts of them."""
    made: FieldSet = {}
    for key, node in fields.items():
        if key == SELF or not node:
            made[key] = node
            continue
        member = shape.kind == "map" and key.startswith("f:")
        child = shape.member(key[2:]) if member else shape.item
        if child.kind == "leaf":
            made[key] = _LEAF
            continue
        inside = with_structs(child, node)
        made[key] = {SELF: _LEAF, **inside} if member and shape.names(key[2:]) else inside
    return made
