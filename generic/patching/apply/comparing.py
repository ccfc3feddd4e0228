"""What differs between two states of an object, as sets of fields.

Called by `tracking.py` on every update, so equal parts are told apart from changed ones by `json_values.same` alone.
Mirrors `structured-merge-diff/typed/compare.go`.
"""

from typing import Any

from generic.meta.json_values import same
from generic.patching.apply import items
from generic.patching.apply.field_sets import SELF, FieldSet
from generic.patching.apply.shapes import Shape

_LEAF: FieldSet = {}
_EMPTY: dict[str, Any] = {}


def compare(shape: Shape, old: dict[str, Any], new: dict[str, Any]) -> tuple[FieldSet, FieldSet]:
    """The fields that are new or different in `new`, and those only `old` has."""
    touched: FieldSet = {}
    removed: FieldSet = {}
    _members(shape, old, new, touched=touched, removed=removed)
    return touched, removed


def everything(shape: Shape, value: Any) -> FieldSet:
    """The node of a value that is all new, or all gone: the field itself and every field below."""
    kind = shape.kind
    if kind == "leaf" or not value:
        return _LEAF
    if kind == "map" or kind == "deduced":
        if type(value) is not dict:
            return _LEAF
        made: FieldSet = {SELF: _LEAF}
        for key, inside in value.items():
            made["f:" + key] = everything(shape.member(key), inside)
        return made
    if type(value) is not list:
        return _LEAF
    made = {SELF: _LEAF}
    for element, found in items.by_element(shape, value).items():
        made[element] = everything(shape.item, found[0]) if len(found) == 1 else _LEAF
    return made


def _members(shape: Shape, old: dict[str, Any], new: dict[str, Any], *, touched: FieldSet, removed: FieldSet) -> None:
    for key, value in new.items():
        if key in old:
            before = old[key]
            if same(before, value):
                continue
            child = shape.member(key)
        else:
            child = shape.member(key)
            if not child.always:
                touched["f:" + key] = everything(child, value)
                continue
            before = _EMPTY
        _value(child, before, value, "f:" + key, touched=touched, removed=removed)
    for key, before in old.items():
        if key not in new:
            child = shape.member(key)
            if child.always:
                _value(child, before, _EMPTY, "f:" + key, touched=touched, removed=removed)
            else:
                removed["f:" + key] = everything(child, before)


def _value(shape: Shape, old: Any, new: Any, element: str, *, touched: FieldSet, removed: FieldSet) -> None:
    """Two values of one field that are there and may differ."""
    kind = shape.kind
    inner_touched: FieldSet = {}
    inner_removed: FieldSet = {}
    if kind == "map" or (kind == "deduced" and (type(old) is dict or type(new) is dict)):
        before = old if type(old) is dict else _EMPTY
        after = new if type(new) is dict else _EMPTY
        if not before and not after:
            if not same(old, new):
                touched[element] = _LEAF
            return
        _members(shape, before, after, touched=inner_touched, removed=inner_removed)
        if kind == "deduced" and type(old) is not type(new):
            # Now it is of another type altogether, so the field itself is new too.
            touched[element] = {SELF: _LEAF, **inner_touched} if inner_touched else _LEAF
            inner_touched = {}
    elif kind == "list-map" or kind == "set":
        if not old and not new:
            if not same(old, new):
                touched[element] = _LEAF
            return
        _items(shape, old, new, touched=inner_touched, removed=inner_removed)
    elif not same(old, new):
        touched[element] = _LEAF
        return
    if inner_touched:
        touched[element] = inner_touched
    if inner_removed:
        removed[element] = inner_removed


def _items(shape: Shape, old: Any, new: Any, *, touched: FieldSet, removed: FieldSet) -> None:
    before, after = items.by_element(shape, old), items.by_element(shape, new)
    for element, values in after.items():
        held = before.get(element)
        if held is None:
            touched[element] = everything(shape.item, values[0]) if len(values) == 1 else _LEAF
        elif not same(held, values):
            if len(held) == len(values) == 1:
                _value(shape.item, held[0], values[0], element, touched=touched, removed=removed)
            else:
                touched[element] = _LEAF
    for element, held in before.items():
        if element not in after:
            removed[element] = everything(shape.item, held[0]) if len(held) == 1 else _LEAF
