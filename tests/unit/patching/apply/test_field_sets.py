"""Sets of fields: what `fieldsV1` says, and the operations on it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generic.patching.apply import field_sets
from generic.patching.apply.field_sets import FieldSet, difference, intersection, parse, union

Path = tuple[str, ...]

_ELEMENTS = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"y"'])
_PATHS = st.lists(_ELEMENTS, min_size=1, max_size=3).map(tuple)
_SETS = st.frozensets(_PATHS, max_size=8)


def of(paths: frozenset[Path]) -> FieldSet:
    """The set of these paths."""
    made: FieldSet = {}
    for path in paths:
        one: FieldSet = {}
        for key in reversed(path):
            one = {key: one}
        made = union(made, one)
    return made


@given(_SETS)
def test_a_set_is_made_of_its_paths(paths: frozenset[Path]) -> None:
    assert frozenset(field_sets.paths(of(paths))) == paths


@given(_SETS, _SETS)
def test_the_operations_are_those_of_sets_of_paths(a: frozenset[Path], b: frozenset[Path]) -> None:
    one, other = of(a), of(b)
    before = (field_sets.ordered(one), field_sets.ordered(other))
    for operation, expected in ((union, a | b), (difference, a - b), (intersection, a & b)):
        made = operation(one, other)
        assert frozenset(field_sets.paths(made)) == expected
        assert made == of(expected), "every set has one form"
    assert (one, other) == before


@given(_SETS)
def test_what_was_written_reads_the_same(paths: frozenset[Path]) -> None:
    assert parse(field_sets.ordered(of(paths))) == of(paths)


def test_keys_of_items_are_read_in_any_spelling() -> None:
    assert parse({'k:{ "protocol": "TCP", "port": 80 }': {".": {}}}) == {'k:{"port":80,"protocol":"TCP"}': {}}


@pytest.mark.parametrize(
    "given_set", [[], {"f:a": 1}, {"x:a": {}}, {"k:[]": {}}, {"k:{": {}}, {".": {"f:a": {}}}, {"i:x": {}}]
)
def test_what_is_no_set_is_refused(given_set: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- the words are nobody's business
        parse(given_set)


def test_a_path_reads_as_kubernetes_prints_it() -> None:
    path = ("f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:names", 'v:"x"')
    assert field_sets.path_text(path) == '.spec.ports[port=80,protocol="TCP"].names[="x"]'
