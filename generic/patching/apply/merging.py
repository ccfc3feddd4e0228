"""Merging an applied configuration into the live object, and taking fields out of it again.

Called by `tracking.py`. Neither changes its arguments; results share parts with them. Mirrors
`structured-merge-diff/typed/{merge,remove}.go`.
"""

from typing import Any

from generic.patching.apply import field_sets, items
from generic.patching.apply.field_sets import FieldSet
from generic.patching.apply.shapes import Shape

_GONE: Any = object()


def merge(shape: Shape, live: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """The live object with what the configuration says; where they differ the configuration is right."""
    made = dict(live)
    for key, wanted in config.items():
        made[key] = _merged(shape.member(key), live[key], wanted) if key in live else wanted
    return made


def _merged(shape: Shape, live: Any, wanted: Any) -> Any:
    kind = shape.kind
    if kind == "map" or kind == "deduced":
        if wanted is None and type(live) is dict and live:
            return live
        return merge(shape, live, wanted) if type(live) is dict and type(wanted) is dict else wanted
    if kind == "leaf" or type(live) is not list or not live:
        return wanted
    return _merged_list(shape, live, wanted) if type(wanted) is list and wanted else live


def _merged_list(shape: Shape, live: list[Any], wanted: list[Any]) -> list[Any]:
    """Items of both: the wanted ones in their order, the others where they stood among those."""
    ours, theirs = items.by_element(shape, wanted), items.by_element(shape, live)
    order = iter(ours)
    shared = [element for element in reversed(ours) if element in theirs]
    made: list[Any] = []

    def take(element: str) -> None:
        held = theirs.get(element) or ()
        # Of items that stand more than once in the live list none is merged: the wanted one replaces them all.
        made.append(_merged(shape.item, held[0], ours[element][0]) if len(held) == 1 else ours[element][0])

    for item in live:
        name = items.element_or_none(shape, item)
        if name not in ours:
            made.append(item)
        elif shared and shared[-1] == name:
            shared.pop()
            for element in order:
                take(element)
                if element == name:
                    break
    for element in order:
        take(element)
    return made


def remove(shape: Shape, value: dict[str, Any], fields: FieldSet) -> dict[str, Any]:
    """The object without these fields. What becomes empty by that goes too."""
    left = _without(shape, value, fields)
    return {} if left is _GONE else left


def _without(shape: Shape, value: Any, fields: FieldSet) -> Any:
    if type(value) is dict and shape.kind in ("map", "deduced"):
        return _map_without(shape, value, fields)
    if type(value) is not list or shape.kind not in ("list-map", "set"):
        return value
    kept: list[Any] = []
    for item in value:
        element = items.element_or_none(shape, item) or ""
        if field_sets.contains(fields, element):
            continue
        inside = field_sets.below(fields, element)
        left = _without(shape.item, item, inside) if inside else item
        if left is not _GONE:
            kept.append(left)
    return kept or _GONE


def _map_without(shape: Shape, value: dict[str, Any], fields: FieldSet) -> Any:
    made: dict[str, Any] = {}
    for key, inside in value.items():
        element = "f:" + key
        if element not in fields:
            made[key] = inside
        elif not field_sets.contains(fields, element):
            left = _without(shape.member(key), inside, field_sets.below(fields, element))
            if left is not _GONE:
                made[key] = left
    return made or _GONE
