"""Merge patch: the rules of RFC 7396, and that a computed patch does what it says."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generic.patching import merge_patch
from generic.patching.errors import InvalidPatch


@pytest.mark.parametrize(
    ("obj", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"a": 1}, {"a": [None]}, {"a": [None]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({"a": "x"}, {"a": {"b": {"c": None}}}, {"a": {"b": {}}}),
        ({}, {"l": [{"x": None, "y": 1}, None, [{"z": None}]]}, {"l": [{"y": 1}, None, [{}]]}),
        ({}, {}, {}),
    ],
)
def test_rules(obj: Any, patch: Any, expected: Any) -> None:
    before = orjson.dumps([obj, patch])
    assert merge_patch.apply(obj, patch) == expected
    assert orjson.dumps([obj, patch]) == before


@pytest.mark.parametrize("patch", [[], 5, None, "x"])
def test_a_patch_is_an_object(patch: Any) -> None:
    with pytest.raises(InvalidPatch, match=r"^Invalid JSON Patch$"):
        merge_patch.apply({}, patch)


_SCALARS = st.booleans() | st.integers(-2, 2) | st.floats(0, 2, width=16) | st.text("ab", max_size=2)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner | st.none(), max_size=3) | st.dictionaries(st.text("ab", max_size=1), inner),
    max_leaves=8,
)
_OBJECTS = st.dictionaries(st.text("abc", max_size=1), _VALUES)


@given(_OBJECTS, _OBJECTS)
def test_the_created_patch_makes_one_of_the_other(old: dict[str, Any], new: dict[str, Any]) -> None:
    patched = merge_patch.apply(old, merge_patch.create(old, new))
    # Nulls can only be inside lists here: an object inside a list keeps none, so both sides compare as text.
    assert orjson.dumps(patched, option=orjson.OPT_SORT_KEYS) == orjson.dumps(new, option=orjson.OPT_SORT_KEYS)


@given(_OBJECTS)
def test_no_change_is_an_empty_patch(obj: dict[str, Any]) -> None:
    assert merge_patch.create(obj, obj) == {}


@given(_OBJECTS, _OBJECTS)
def test_applying_a_patch_twice_changes_nothing_more(obj: dict[str, Any], patch: dict[str, Any]) -> None:
    once = merge_patch.apply(obj, patch)
    assert merge_patch.apply(once, patch) == once
