"""Applied configurations: whether one can be merged, and which fields it claims.

Called by `tracking.py` when something is applied, before anything is merged. Mirrors
`structured-merge-diff/typed/{validate,tofieldset}.go`.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from generic.patching.apply import field_sets, items
from generic.patching.apply.field_sets import SELF, FieldSet
from generic.patching.apply.shapes import Shape

_LEAF: FieldSet = {}


def claimed(shape: Shape, value: dict[str, Any]) -> FieldSet:
    """The fields a configuration claims: its leaves, items of lists and maps, and what it leaves empty."""
    return _inside(shape, value)


def _inside(shape: Shape, value: Any) -> FieldSet:
    """The fields below a value that merges."""
    made: FieldSet = {}
    if shape.kind in ("map", "deduced"):
        for key, inside in value.items() if type(value) is dict else ():
            child = shape.member(key)
            # A struct is claimed through what is in it, a member of a map by its being there.
            node = _claim(child, inside, by_itself=inside is None or inside == {} or not shape.names(key))
            if node is not None:
                made["f:" + key] = node
        return made
    for element, found in items.by_element(shape, value).items():
        node = _claim(shape.item, found[0], by_itself=True) if len(found) == 1 else _LEAF
        made[element] = _LEAF if node is None else node
    return made


def _claim(shape: Shape, value: Any, *, by_itself: bool) -> FieldSet | None:
    """The node of a value; None if nothing of it is claimed."""
    if shape.kind == "leaf" or (shape.kind == "deduced" and type(value) is not dict):
        return _LEAF
    inside = _inside(shape, value)
    if by_itself:
        return {SELF: _LEAF, **inside} if inside else _LEAF
    return inside or None


def problems(shape: Shape, value: dict[str, Any]) -> list[str]:
    """Why a configuration cannot be merged, each with its path; empty if it can."""
    found: list[str] = []
    _check(shape, value, None, found)
    return found


class _Path(NamedTuple):
    """An element below another; its text is only made where something is wrong."""

    above: "_Path | None"
    element: str


def _text(path: _Path | None) -> str:
    parts: list[str] = []
    while path is not None:
        parts.append(field_sets.element_text(path.element))
        path = path.above
    return "".join(reversed(parts))


def _check(shape: Shape, value: Any, path: _Path | None, found: list[str]) -> None:
    if value is None or shape.kind == "deduced":
        return
    if shape.kind == "leaf":
        wanted = _TYPES.get(shape.scalar)
        if wanted is not None and not wanted[0](value):
            found.append(f"{_text(path)}: expected {wanted[1]}, got {_shown(shape.scalar, value)}")
    elif shape.kind == "map":
        _check_map(shape, value, path, found)
    elif not isinstance(value, list):
        found.append(f"{_text(path)}: expected list, got {_go(value)}")
    else:
        _check_list(shape, value, path, found)


def _check_map(shape: Shape, value: Any, path: _Path | None, found: list[str]) -> None:
    if not isinstance(value, dict):
        found.append(f"{_text(path)}: expected map, got {_go(value)}")
        return
    for key, inside in value.items():
        if shape.closed and not shape.names(key):
            found.append(f"{_text(path)}.{key}: field not declared in schema")
        else:
            _check(shape.member(key), inside, _Path(path, f"f:{key}"), found)


def _check_list(shape: Shape, value: list[Any], path: _Path | None, found: list[str]) -> None:
    seen: set[str] = set()
    for at, item in enumerate(value):
        try:
            element = items.element(shape, item)
        except items.Unidentified as error:
            found.append(f"{_text(path)}: element {at}: {error}")
            continue
        if element in seen:
            found.append(f"{_text(path)}: duplicate entries for key {field_sets.element_text(element)}")
        seen.add(element)
        _check(shape.item, item, _Path(path, element), found)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "string": (lambda value: isinstance(value, str), "string"),
    "numeric": (_is_number, "numeric (int or float)"),
    "boolean": (lambda value: isinstance(value, bool), "boolean"),
    "list": (lambda value: isinstance(value, list), "list"),
    "map": (lambda value: isinstance(value, dict), "map"),
}


def _shown(scalar: str, value: Any) -> str:
    if scalar == "numeric":
        kinds = {str: "string", bool: "bool", list: "[]interface {}", dict: "map[string]interface {}"}
        return kinds[type(value)]
    # A string is wanted where Go prints the value it holds together with its type.
    return f"&value.valueUnstructured{{Value:{_go(value)}}}" if scalar == "string" else _go(value)


def _go(value: Any) -> str:
    """A value as Go prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_go(value[key])}' for key in sorted(value))}]"
    return f"[{' '.join(map(_go, value))}]" if isinstance(value, list) else str(value)
