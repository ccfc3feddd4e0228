"""YAML bodies: read as Kubernetes reads them, and never an accident of the loader."""

import threading
from typing import Any

import pytest

from generic.endpoints import body


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("22:22", "22:22"),
        ("-1:30:00", "-1:30:00"),
        ("1:30.5", "1:30.5"),
        ("0755", 0o755),
        ("1_000", 1000),
        ("1.5", 1.5),
        ("2001-01-01", "2001-01-01"),
        ("on", True),
    ],
)
def test_plain_values_mean_what_they_mean_to_kubernetes(text: str, expected: Any) -> None:
    assert body.parse(f"a: {text}".encode(), "yaml") == {"a": expected}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (".nan", "json: unsupported value: .nan"),
        ("-.inf", "json: unsupported value: -.inf"),
        ("!!bool maybe", "a value is not what its tag says"),
        ('!!int ""', "a value is not what its tag says"),
        ('!!int "-"', "a value is not what its tag says"),
        ("!!float x", "could not convert string to float"),
    ],
)
def test_what_json_cannot_say_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        body.parse(f"a: {text}".encode(), "yaml")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("form", "size", "here"),
    [("yaml", body.LONG_YAML + 1, False), ("yaml", body.LONG_YAML, True), ("json", body.LONG_YAML + 1, True)],
)
async def test_long_yaml_is_read_while_others_are_served(form: body.Format, size: int, here: bool) -> None:
    reader = await body.apart(b"x" * size, form, threading.get_ident)
    assert (reader == threading.get_ident()) is here
