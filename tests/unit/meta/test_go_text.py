"""Values in messages, printed as Go prints them."""

from typing import Any

import pytest

from generic.meta import fields, go_text


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("plain", '"plain"'),
        ("", '""'),
        ('a"b\\c', r'"a\"b\\c"'),
        ("tab\tbell\anul\0", r'"tab\tbell\anul\x00"'),
        ("\x7f", r'"\x7f"'),
        ("Grüße, 世界", '"Grüße, 世界"'),
        ("\u2028\U000e0001", r'"\u2028\U000e0001"'),
        ("<&>", '"<&>"'),
    ],
)
def test_a_quoted_string_has_gos_escapes(text: str, printed: str) -> None:
    assert go_text.quote(text) == printed
    assert fields.invalid("spec.it", text, "why").body == f"Invalid value: {printed}: why"


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (1.5, "1.5"),
        (10.0, "10"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (0.00001, "1e-05"),
        (True, "true"),
        (None, "null"),
        (7, "7"),
        ({"b": "<x>", "a": [1]}, '{"b":"\\u003cx\\u003e","a":[1]}'),
    ],
)
def test_a_field_error_prints_what_is_no_string_as_go_does(value: Any, printed: str) -> None:
    assert fields.invalid("spec.it", value, "").body == f"Invalid value: {printed}"


def test_the_supported_values_are_quoted_as_go_does() -> None:
    error = fields.not_supported("spec.it", "\x01", ["a", "\x02"])
    assert error.body == r'Unsupported value: "\x01": supported values: "a", "\x02"'
