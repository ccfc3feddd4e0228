"""YAML bodies: read as Kubernetes reads them, and never an accident of the loader."""

import re
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
        ("0o17", 0o17),
        ("-0x1F", -0x1F),
        ("0b101", 0b101),
        ("08", 8),
        ("1_000", 1000),
        ("_1", "_1"),
        (".1_", ".1_"),
        ("1.5", 1.5),
        ("1.", 1),
        ("-.5", -0.5),
        ("1e3", 1000),
        ("1E-3", 0.001),
        ("1.0", 1),
        ("1e999", "1e999"),
        ("1e21", 1e21),
        ("18446744073709551615", 18446744073709551615),
        ("18446744073709551616", 18446744073709551616.0),
        ("0x10000000000000000", "0x10000000000000000"),
        ("1.2.3", "1.2.3"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("inf", "inf"),
        ("2001-01-01", "2001-01-01"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00"),
        ("on", True),
        ("Y", True),
        ("n", False),
        ("OFF", False),
        ("tRUE", "tRUE"),
        ("~", None),
        ("Null", None),
        ("nUll", "nUll"),
        ("<<", "<<"),
        ("'1e3'", "1e3"),
        ("!!str 5", "5"),
        ("!!int '5'", 5),
        ("!!float 5", 5),
    ],
)
def test_plain_values_mean_what_they_mean_to_kubernetes(text: str, expected: Any) -> None:
    (found,) = body.parse(f"a: {text}".encode(), "yaml").values()
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("y", "true"),
        ("0x10", "16"),
        ("1.10", "1.1"),
        ("0.1", "0.1"),
        ("1e3", "1000"),
        ("1e6", "1e+06"),
        ("'1.10'", "1.10"),
    ],
)
def test_keys_are_text(text: str, key: str) -> None:
    assert body.parse(f"{text}: a".encode(), "yaml") == {key: "a"}


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        ("{<<: *a, p: 3}", {"p": 3, "q": 2}),
        ("{p: 3, <<: *a}", {"p": 1, "q": 2}),
        ("{<<: [*a, *b]}", {"p": 1, "q": 2, "r": 6}),
        ("{'<<': *a}", {"<<": {"p": 1, "q": 2}}),
    ],
)
def test_merged_mappings_stand_where_they_are_named(text: str, merged: Any) -> None:
    document = f"a: &a {{p: 1, q: 2}}\nb: &b {{p: 5, r: 6}}\nc: {text}\n"
    assert body.parse(document.encode(), "yaml")["c"] == merged


def test_what_an_alias_repeats_is_a_copy() -> None:
    found = body.parse(b"a: &a {b: [1]}\nc: *a\n", "yaml")
    found["a"]["b"].append(2)
    assert found["c"] == {"b": [1]}


def test_the_first_of_several_documents_counts() -> None:
    assert body.parse(b"---\na: 1\n---\nb: 2\n", "yaml") == {"a": 1}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (".nan", "json: unsupported value: NaN"),
        ("-.inf", "json: unsupported value: -Inf"),
        ("!!bool maybe", "yaml: cannot decode !!str `maybe` as a !!bool"),
        ('!!int ""', "yaml: cannot decode !!str `` as a !!int"),
        ("!!int 1.5", "yaml: cannot decode !!float `1.5` as a !!int"),
        ("!!float x", "yaml: cannot decode !!str `x` as a !!float"),
        ("!!null x", "yaml: cannot decode !!str `x` as a !!null"),
        ("{<<: 1}", "yaml: map merge requires map or sequence of maps as the value"),
        ("{~: 1}", "unsupported map key of type: %!s(<nil>), key: <nil>, value: 1"),
        ("{[1]: 1}", "yaml: invalid map key: "),
    ],
)
def test_what_json_cannot_say_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        body.parse(f"a: {text}".encode(), "yaml")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("form", "size", "here"),
    [
        ("yaml", body.LONG_YAML + 1, False),
        ("yaml", body.LONG_YAML, True),
        ("json", body.LONG_JSON + 1, False),
        ("json", body.LONG_JSON, True),
    ],
)
async def test_a_long_body_is_read_while_others_are_served(form: body.Format, size: int, here: bool) -> None:
    reader = await body.apart(b"x" * size, form, threading.get_ident)
    assert (reader == threading.get_ident()) is here
