"""JSON values as YAML: every reader gets back the value, and the text is laid out as Kubernetes lays it out."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from generic.protobuf import plain_yaml

AWKWARD = [
    "",
    "y",
    "Null",
    "~",
    "=",
    "<<",
    "1e3",
    "0x1",
    ".5",
    "-",
    "- x",
    "a: b",
    "a #b",
    "#",
    "it's",
    " ",
    "a\n",
    "é",
]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(AWKWARD)
SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))


@given(VALUES)
def test_a_reader_gets_the_value_back(value: Any) -> None:
    assert yaml.load(plain_yaml.dump(value), yaml.CSafeLoader) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("atomic", "atomic\n"),
        ("", '""\n'),
        ("*", "'*'\n"),
        (1.5, "1.5\n"),
        ([{"group": "", "kind": "Pod"}], '- group: ""\n  kind: Pod\n'),
        ({"a": ["b", {"c": []}]}, "a:\n    - b\n    - c: []\n"),
        ([{"fields": {"a": "B"}}], "- fields:\n    a: B\n"),
    ],
)
def test_it_is_laid_out_as_kubernetes_does(value: Any, text: str) -> None:
    assert plain_yaml.dump(value) == text


def test_what_is_nested_without_end_is_refused() -> None:
    value: Any = "x"
    for _ in range(150):
        value = [value]
    with pytest.raises(ValueError, match="max depth"):
        plain_yaml.dump(value)
