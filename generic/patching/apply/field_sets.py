"""Sets of fields in the very form `fieldsV1` stores them, so that nothing is parsed before it is compared.

A set is a trie of dicts. Its keys are path elements: `f:name`, `k:{"name":"x"}`, `v:"x"`, and `.` for the field
itself. An empty node is a field without anything below it; the empty dict at the root is the empty set. No function
changes its arguments, and results share nodes with them. Used by everything in this folder. Mirrors
`structured-merge-diff/fieldpath` Set, and its serialization.
"""

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

import orjson

FieldSet: TypeAlias = dict[str, Any]

SELF = "."
_LEAF: FieldSet = {}


def union(a: FieldSet, b: FieldSet) -> FieldSet:
    """What is in either."""
    if not a or not b:
        return a or b
    made = dict(a)
    for key, node in b.items():
        held = made.get(key)
        made[key] = node if held is None else _either(held, node)
    return made


def _either(a: FieldSet, b: FieldSet) -> FieldSet:
    if a and b:
        return union(a, b)
    more = a or b
    return more if not more or SELF in more else {SELF: _LEAF, **more}


def difference(a: FieldSet, b: FieldSet) -> FieldSet:
    """What is in `a` and not in `b`. A field in `b` takes nothing of what is below it out of `a`."""
    if not a or not b:
        return a
    made: FieldSet = {}
    for key, node in a.items():
        other = b.get(key)
        left = node if other is None else _without(node, other)
        if left is not None:
            made[key] = left
    return made


def _without(a: FieldSet, b: FieldSet) -> FieldSet | None:
    """The node less the other; None if nothing is left."""
    if not a:
        return None if is_member(b) else a
    return _node(difference(a, b or {SELF: _LEAF}))


def intersection(a: FieldSet, b: FieldSet) -> FieldSet:
    """What is in both."""
    made: FieldSet = {}
    for key in a.keys() & b.keys():
        common = _both(a[key], b[key])
        if common is not None:
            made[key] = common
    return made


def _both(a: FieldSet, b: FieldSet) -> FieldSet | None:
    if not a or not b:
        return _LEAF if is_member(a) and is_member(b) else None
    return _node(intersection(a, b))


def taken(a: FieldSet, changed: FieldSet) -> FieldSet:
    """What of `a` a change concerns. One that has nothing below it concerns all that `a` has there: a list or map that
    is one value by its schema may have been many when `a` was written."""
    made: FieldSet = {}
    for key in a.keys() & changed.keys():
        held, change = a[key], changed[key]
        common = _LEAF if not change else _node(taken(held, change)) if held else _both(held, change)
        if common is not None:
            made[key] = common
    return made


def untouched(a: FieldSet, changed: FieldSet) -> FieldSet:
    """What of `a` a change does not concern; see `taken`."""
    if not a or not changed:
        return a
    made: FieldSet = {}
    for key, held in a.items():
        change = changed.get(key)
        if change is None:
            made[key] = held
        elif change:
            left = _node(untouched(held, change)) if held else _without(held, change)
            if left is not None:
                made[key] = left
    return made


def _node(made: FieldSet) -> FieldSet | None:
    """A node in its one form: no lone `.`, and nothing instead of an empty one."""
    if not made:
        return None
    return _LEAF if len(made) == 1 and SELF in made else made


def is_member(node: FieldSet) -> bool:
    """Whether the field of this node is in the set itself, not only something below it."""
    return not node or SELF in node


def contains(fields: FieldSet, key: str) -> bool:
    """Whether the field at the root of the set is in it."""
    node = fields.get(key)
    return node is not None and is_member(node)


def below(fields: FieldSet, key: str) -> FieldSet:
    """The set of what is below a field."""
    return {inner: node for inner, node in (fields.get(key) or _LEAF).items() if inner != SELF}


def ordered(fields: FieldSet) -> FieldSet:
    """The same set with its keys in order, all the way down."""
    return {key: ordered(fields[key]) if fields[key] else _LEAF for key in sorted(fields)}


def paths(fields: FieldSet, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The fields in the set, each level before what is below it."""
    for key in sorted(fields):
        if key != SELF and is_member(fields[key]):
            yield (*above, key)
    for key in sorted(fields):
        if key != SELF:
            yield from paths(fields[key], (*above, key))


def path_text(path: tuple[str, ...]) -> str:
    """A path in the words of conflicts: `.spec.containers[name="web"].image`."""
    return "".join(map(element_text, path))


def element_text(key: str) -> str:
    """One element of a path in the words of conflicts."""
    kind, text = key[:2], key[2:]
    if kind == "f:":
        return f".{text}"
    if kind == "k:":
        members = orjson.loads(text)
        return f"[{','.join(f'{name}={_text(members[name])}' for name in sorted(members))}]"
    return f"[={text}]" if kind == "v:" else f"[{text}]"


def _text(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        # A number too large for it, on its way to be refused by whoever writes the object.
        return json.dumps(value, separators=(",", ":"))


def key_element(members: dict[str, Any]) -> str:
    """The element of an item of a list that is a map by these members."""
    return f"k:{_text(members if len(members) < 2 else {name: members[name] for name in sorted(members)})}"


def text_key_element(name: str, value: str) -> str:
    """The same of one member that is a string."""
    # JSON writes what has nothing of this in it as it is.
    if value.isprintable() and '"' not in value and "\\" not in value:
        return f'k:{{"{name}":"{value}"}}'
    return key_element({name: value})


def value_element(value: Any) -> str:
    """The element of an item of a list that is a set."""
    return f"v:{_text(value)}"


def parse(given: Any) -> FieldSet:
    """A set somebody else wrote, in our form. Raises ValueError if it is none."""
    if not isinstance(given, dict):
        raise ValueError("a set of fields must be an object")
    made: FieldSet = {}
    for key, inside in given.items():
        node = parse(inside)
        element = _canonical(key)
        if element != SELF:
            made[element] = _node(node) or _LEAF
        elif node:
            raise ValueError("nothing may be below `.`")
        else:
            made[SELF] = _LEAF
    return made


def _canonical(key: str) -> str:
    kind, text = key[:2], key[2:]
    if key == SELF or kind == "f:":
        return key
    if kind == "k:":
        members = orjson.loads(text)
        if not isinstance(members, dict) or not members:
            raise ValueError(f"{key} is no key of a list item")
        return key_element(members)
    if kind == "v:":
        return value_element(orjson.loads(text))
    if kind == "i:" and text.isdigit():
        return key
    raise ValueError(f"{key} is no element of a path")
