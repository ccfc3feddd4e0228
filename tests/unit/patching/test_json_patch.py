"""JSON patch: what each operation does, where it is refused, and that the object patched stays as it was."""

from copy import deepcopy
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generic.patching import json_patch
from generic.patching.errors import InapplicablePatch, InvalidPatch


def op(kind: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": kind, "path": path, **more}


@pytest.mark.parametrize(
    ("obj", "operations", "expected"),
    [
        ({"a": 1}, [op("add", "/b", value=2)], {"a": 1, "b": 2}),
        ({"a": 1}, [op("add", "/a", value=None)], {"a": None}),
        ({"a": [1, 3]}, [op("add", "/a/1", value=2)], {"a": [1, 2, 3]}),
        ({"a": [1]}, [op("add", "/a/-", value=2)], {"a": [1, 2]}),
        ({"a": [1]}, [op("add", "/a/1", value=2)], {"a": [1, 2]}),
        ({"a": [1]}, [op("add", "/a/-1", value=2)], {"a": [1, 2]}),
        ({"a": [1, 2]}, [op("remove", "/a/-1")], {"a": [1]}),
        ({"a": {"b": 1}}, [op("remove", "/a/b")], {"a": {}}),
        ({"a": [1, 2]}, [op("replace", "/a/0", value={"x": 1})], {"a": [{"x": 1}, 2]}),
        ({"a": {"b": 1}, "c": {}}, [op("move", "/c/d", **{"from": "/a/b"})], {"a": {}, "c": {"d": 1}}),
        ({"a": [1, 2, 3]}, [op("move", "/a/2", **{"from": "/a/0"})], {"a": [2, 3, 1]}),
        ({"a": {"b": [1]}}, [op("copy", "/c", **{"from": "/a"})], {"a": {"b": [1]}, "c": {"b": [1]}}),
        ({"a/b": {"~": 1}}, [op("replace", "/a~1b/~0", value=2)], {"a/b": {"~": 2}}),
        ({"a": {"": 1}}, [op("replace", "/a/", value=2)], {"a": {"": 2}}),
        ({"a": 1}, [op("test", "/a", value=1), op("remove", "/a")], {}),
        ({}, [op("test", "/a", value=None)], {}),
        ({}, [op("replace", "/a", value=1)], {"a": 1}),
        ({}, [op("copy", "/b", **{"from": "/a"})], {"b": None}),
        ({"a": 1}, [op("test", "", value={"a": 1}), op("replace", "", value={"b": 2})], {"b": 2}),
        ({"a": {"x": 1, "y": [2]}}, [op("test", "/a", value={"y": [2], "x": 1})], {"a": {"x": 1, "y": [2]}}),
        ({}, [], {}),
    ],
)
def test_operations(obj: Any, operations: list[Any], expected: Any) -> None:
    before, asked = deepcopy(obj), deepcopy(operations)
    assert json_patch.apply(obj, operations) == expected
    assert (obj, operations) == (before, asked)


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (op("remove", "/x"), "error in remove for path: '/x': Unable to remove nonexistent key: x: missing value"),
        (op("replace", "/x/y", value=1), "replace operation does not apply: doc is missing path: /x/y: missing value"),
        (op("replace", "/l/2", value=1), "replace operation does not apply: doc is missing key: /l/2: missing value"),
        (op("add", "/x/y", value=1), 'add operation does not apply: doc is missing path: "/x/y": missing value'),
        (op("add", "/a/b/c", value=1), 'add operation does not apply: doc is missing path: "/a/b/c": missing value'),
        (op("add", "", value=1), 'add operation does not apply: doc is missing path: "": missing value'),
        (op("add", "/l/4", value=1), "Unable to access invalid index: 4: invalid index referenced"),
        (op("remove", "/l/2"), "Unable to access invalid index: 2: invalid index referenced"),
        (op("remove", "/l/-3"), "Unable to access invalid index: -3: invalid index referenced"),
        (op("remove", "/l/x"), 'strconv.Atoi: parsing "x": invalid syntax'),
        (op("move", "/y", **{"from": "/x"}), "Unable to remove nonexistent key: x"),
        (op("copy", "/y", **{"from": "/x/y"}), "copy operation does not apply: doc is missing from path: /x/y"),
        (op("move", "/a/b", **{"from": "/a"}), "move operation does not apply: doc is missing destination path: /a/b"),
        (op("test", "/a", value=1), "testing value /a failed: test failed"),
        (op("test", "/n", value=True), "testing value /n failed: test failed"),
        (op("test", "/n", value=1.0), "testing value /n failed: test failed"),
        (op("test", "/x/y", value=None), "test operation does not apply: is missing path: /x/y"),
        (op("merge", "/a"), "Unexpected kind: merge"),
        ({"path": "/a"}, "Unexpected kind: unknown"),
        ({"op": "add", "value": 1}, "add operation failed to decode path"),
    ],
)
def test_what_does_not_fit_is_refused(operation: dict[str, Any], message: str) -> None:
    obj = {"a": {"b": 1}, "l": [1, 2], "n": 1}
    with pytest.raises(InapplicablePatch) as refusal:
        json_patch.apply(obj, [operation])
    assert message in str(refusal.value)
    assert obj == {"a": {"b": 1}, "l": [1, 2], "n": 1}


def test_a_failing_operation_leaves_nothing_of_the_earlier_ones() -> None:
    obj: dict[str, Any] = {"a": {"b": [1]}}
    with pytest.raises(InapplicablePatch):
        json_patch.apply(obj, [op("add", "/a/b/-", value=2), op("test", "/a/b/0", value=9)])
    assert obj == {"a": {"b": [1]}}


def test_a_copy_is_independent_of_its_source() -> None:
    operations = [op("copy", "/b", **{"from": "/a"}), op("add", "/a/x", value=1), op("add", "/b/y", value=2)]
    assert json_patch.apply({"a": {}}, operations) == {"a": {"x": 1}, "b": {"y": 2}}


def test_an_added_value_can_be_changed_without_changing_the_patch() -> None:
    operations = [op("add", "/a", value={"b": []}), op("add", "/a/b/-", value=1)]
    assert json_patch.apply({}, operations) == {"a": {"b": [1]}}
    assert json_patch.apply({}, operations) == {"a": {"b": [1]}}


def test_malformed_and_oversized_patches_are_refused() -> None:
    with pytest.raises(InvalidPatch):
        json_patch.apply({}, ["add"])
    with pytest.raises(InvalidPatch, match="The allowed maximum operations in a JSON patch is 10000, got 10001"):
        json_patch.apply({}, [op("test", "/a", value=None)] * 10_001)


def test_copies_cannot_blow_an_object_up() -> None:
    doubling = [op("copy", "/a/-", **{"from": "/a"})] * 40
    with pytest.raises(InapplicablePatch, match="the accumulated size increase of copy is"):
        json_patch.apply({"a": ["x"]}, doubling)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab~/", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab~/", max_size=2), inner, max_size=3),
    max_leaves=8,
)
_OBJECTS = st.dictionaries(st.text("ab~/", max_size=2), _VALUES, max_size=3)


@given(_OBJECTS, st.text("ab~/", max_size=2), _VALUES)
def test_add_then_test_then_remove(obj: dict[str, Any], key: str, value: Any) -> None:
    path = "/" + key.replace("~", "~0").replace("/", "~1")
    before = orjson.dumps(obj)
    added = json_patch.apply(obj, [op("add", path, value=value), op("test", path, value=value)])
    assert added == {**obj, key: value}
    assert json_patch.apply(added, [op("remove", path)]) == {k: v for k, v in obj.items() if k != key}
    assert orjson.dumps(obj) == before


_PATHS = st.text("/ab01-~", max_size=6)


@given(
    _OBJECTS,
    st.lists(
        st.fixed_dictionaries({
            "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
            "path": _PATHS,
            "from": _PATHS,
            "value": _VALUES,
        }),
        max_size=6,
    ),
)
def test_any_patch_applies_or_is_refused_and_never_touches_its_arguments(
    obj: dict[str, Any], operations: list[dict[str, Any]]
) -> None:
    before = orjson.dumps([obj, operations])
    try:
        json_patch.apply(obj, operations)
    except InapplicablePatch:
        pass
    assert orjson.dumps([obj, operations]) == before
