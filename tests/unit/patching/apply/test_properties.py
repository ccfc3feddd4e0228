"""What holds of server-side apply whatever is applied."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generic.meta.errors import StatusError
from generic.patching.apply import field_sets
from generic.patching.apply.field_sets import FieldSet, difference, intersection
from generic.types import JSONObject
from tests.support.applying import Held, custom

_SHAPE = custom({
    "type": "object",
    "properties": {
        "number": {"type": "integer"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "whole": {"type": "array", "items": {"type": "integer"}},
        "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "items": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "size": {"type": "integer"},
                    "inner": {"type": "object", "properties": {"on": {"type": "boolean"}}},
                },
            },
        },
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
})

_NAMES = st.sampled_from(["a", "b", "c"])
_ITEM = st.fixed_dictionaries(
    {"name": _NAMES},
    optional={"size": st.integers(0, 2), "inner": st.fixed_dictionaries({}, optional={"on": st.booleans()})},
)
_FREE: st.SearchStrategy[Any] = st.dictionaries(_NAMES, st.one_of(st.integers(0, 2), st.lists(st.integers(0, 2))))
_SPECS: st.SearchStrategy[JSONObject] = st.fixed_dictionaries(
    {},
    optional={
        "number": st.integers(0, 2),
        "labels": st.dictionaries(_NAMES, _NAMES, min_size=1),
        "whole": st.lists(st.integers(0, 2), max_size=2),
        "tags": st.lists(_NAMES, min_size=1, unique=True),
        "items": st.lists(_ITEM, min_size=1, max_size=3, unique_by=lambda item: item["name"]),
        "free": st.dictionaries(_NAMES, _FREE, min_size=1),
    },
)


def _held(*applied: tuple[str, JSONObject]) -> Held:
    held = Held(_SHAPE)
    held.create("creator")
    for manager, spec in applied:
        held.apply(manager, force=True, spec=spec)
    return held


def _claims(spec: JSONObject) -> FieldSet:
    return _held(("me", spec)).owners.get("me", {})


@given(_SPECS, _SPECS)
def test_applying_again_changes_nothing(others: JSONObject, mine: JSONObject) -> None:
    held = _held(("you", others), ("me", mine))
    before = held.stored
    assert held.apply("me", spec=mine) == before


@given(_SPECS, _SPECS)
def test_what_is_applied_is_there_and_owned(others: JSONObject, mine: JSONObject) -> None:
    held = _held(("you", others), ("me", mine))
    assert held.owners.get("me", {}) == _claims(mine)
    again = _held(("me", mine))
    again.apply("you", force=True, spec=others)
    assert difference(_claims(others), again.owners.get("you", {})) == {}


@given(_SPECS, _SPECS)
def test_the_order_of_appliers_who_share_nothing_does_not_matter(one: JSONObject, other: JSONObject) -> None:
    if intersection(_claims(one), _claims(other)):
        return
    there = _held(("one", one), ("other", other))
    back = _held(("other", other), ("one", one))
    assert there.owners == back.owners
    assert _essence(there.content) == _essence(back.content)


@given(_SPECS, _SPECS)
def test_nobody_loses_a_field_without_a_conflict(others: JSONObject, mine: JSONObject) -> None:
    held = _held(("you", others))
    before, content = held.owners.get("you", {}), held.content
    refusal: StatusError | None = None
    try:
        held.apply("me", spec=mine)
    except StatusError as error:
        refusal = error
    if refusal is not None:
        named = {cause["field"] for cause in (refusal.details or {})["causes"]}
        held.apply("me", force=True, spec=mine)
        lost = difference(before, held.owners.get("you", {}))
        assert {field_sets.path_text(path) for path in field_sets.paths(lost)} == named
    else:
        assert held.owners.get("you", {}) == before
        held.apply("me", spec={})
        assert _essence(held.content) == _essence(content), "what only I applied is gone again"


@given(_SPECS, _SPECS, _SPECS)
def test_an_update_leaves_every_field_to_somebody_or_takes_it_away(
    first: JSONObject, second: JSONObject, written: JSONObject
) -> None:
    held = _held(("one", first), ("two", second))
    before = held.owners
    held.update("writer", spec=written)
    owned = held.owners
    everything = Held(_SHAPE)
    everything.create("all", spec=written)
    for manager in ("one", "two"):
        left = owned.get(manager, {})
        assert difference(left, before.get(manager, {})) == {}, "an update gives nobody else anything"
        assert difference(left, everything.owners["all"]) == {}, "nobody owns what is not there"


def _essence(value: Any) -> Any:
    """The value without what is empty, its lists as bags: where others' items stand depends on who came first."""
    if isinstance(value, dict):
        return {key: left for key, inside in value.items() if (left := _essence(inside)) not in ({}, [])}
    return sorted(map(_essence, value), key=repr) if isinstance(value, list) else value


def test_the_properties_meet_conflicts_at_all() -> None:
    held = _held(("you", {"number": 1}))
    with pytest.raises(StatusError):
        held.apply("me", spec={"number": 2})
