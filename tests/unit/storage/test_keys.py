"""The text that bounds the keys beginning with a prefix."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generic.storage.keys import prefix_end


@pytest.mark.parametrize(
    ("prefix", "end"),
    [
        ("/a/", "/a0"),
        ("", None),
        ("\U0010ffff", None),
        ("a\U0010ffff\U0010ffff", "b"),
        ("a\ud7ff", "a\ue000"),
    ],
)
def test_prefix_end(prefix: str, end: str | None) -> None:
    assert prefix_end(prefix) == end


@given(st.text(max_size=4), st.text(max_size=8))
def test_a_key_is_below_the_end_exactly_if_it_has_the_prefix(prefix: str, key: str) -> None:
    end = prefix_end(prefix)
    inside = prefix.encode() <= key.encode() and (end is None or key.encode() < end.encode())
    assert inside == key.startswith(prefix)
    assert prefix + key < (end or prefix + key + "a")
