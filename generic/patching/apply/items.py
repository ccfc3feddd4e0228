"""The items of lists that merge, by the path elements that tell them apart.

Called by the walks of this folder. Mirrors listItemToPathElement of `structured-merge-diff/typed/helpers.go`.
"""

from typing import Any

from generic.patching.apply import field_sets
from generic.patching.apply.shapes import Shape


class Unidentified(ValueError):
    """An item that nothing tells apart from others."""


def element(shape: Shape, item: Any) -> str:
    """The path element of an item of a set or of a list that is a map. Raises Unidentified."""
    if shape.kind == "set":
        if isinstance(item, dict):
            raise Unidentified("associative list without keys has an element that's a map type")
        if isinstance(item, list):
            raise Unidentified("not supported: associative list with lists as elements")
        if item is None:
            raise Unidentified("associative list without keys has an element that's an explicit null")
        return field_sets.value_element(item)
    if item is None:
        raise Unidentified("associative list with keys may not have a null element")
    if not isinstance(item, dict):
        raise Unidentified("associative list with keys may not have non-map elements")
    members: dict[str, Any] = {}
    for key in shape.keys:
        if key in item:
            members[key] = item[key]
        elif key in shape.defaults:
            members[key] = shape.defaults[key]
        else:
            raise Unidentified(
                f'associative list with keys has an element that omits key field "{key}" '
                "(and doesn't have default value)"
            )
    return field_sets.key_element(members)


def element_or_none(shape: Shape, item: Any) -> str | None:
    """The same; None for an item that nothing tells apart."""
    try:
        return element(shape, item)
    except Unidentified:
        return None


def by_element(shape: Shape, items: Any) -> dict[str, list[Any]]:
    """The items by their elements, in their order; what cannot be told apart is left out. None is an empty list."""
    found: dict[str, list[Any]] = {}
    name = shape.keys[0] if len(shape.keys) == 1 and shape.kind == "list-map" else None
    for item in items if type(items) is list else ():
        # Nearly all lists that merge do so by one member that is a string, and long ones show every call.
        if name is not None and type(item) is dict and type(value := item.get(name)) is str:
            known: str | None = field_sets.text_key_element(name, value)
        else:
            known = element_or_none(shape, item)
        if known is None:
            continue
        if known in found:
            found[known].append(item)
        else:
            found[known] = [item]
    return found
