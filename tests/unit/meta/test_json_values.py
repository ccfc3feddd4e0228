"""json_values: what JSON tells apart and Python does not."""

from typing import Any

import pytest

from generic.meta.json_values import same


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, 1.0, True),
        (True, True, True),
        (True, 1, False),
        (0.0, False, False),
        ({"a": [1, {"b": False}]}, {"a": [1, {"b": 0}]}, False),
        ({"a": [1, {"b": False}]}, {"a": [1.0, {"b": False}]}, True),
        ([True], [True, 1], False),
        ({"a": 1}, {"b": 1}, False),
        ("1", 1, False),
        (None, None, True),
        (None, False, False),
    ],
)
def test_booleans_are_no_numbers(one: Any, other: Any, expected: bool) -> None:
    assert same(one, other) is expected
    assert same(other, one) is expected
