"""Quantities: what parses, the canonical text, and exact comparison and sums."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generic.meta.quantity import Quantity, canonical


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0", "0"),
        ("0Ki", "0"),
        ("-0", "0"),
        ("1", "1"),
        ("+1", "1"),
        ("100", "100"),
        ("1000", "1k"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("0.1", "100m"),
        (".5", "500m"),
        ("5.", "5"),
        ("1.5", "1500m"),
        ("-1.5", "-1500m"),
        ("1000k", "1M"),
        ("1E", "1E"),
        ("1024", "1024"),
        ("1024Ki", "1Mi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Ki", "512"),
        ("1023Mi", "1023Mi"),
        ("0.1Ki", "102400m"),
        ("0.0001Ki", "102400u"),
        ("1.0001Ki", "1025"),
        ("-1.0001Ki", "-1025"),
        ("1e3", "1e3"),
        ("12E6", "12e6"),
        ("1e0", "1"),
        ("1e-3", "1e-3"),
        ("1e1", "10"),
        ("0.1n", "1n"),
        ("-0.1n", "-1n"),
        ("1e-1000000", "1e-9"),
        ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775808", "9223372036854775807"),
        ("10E", "9223372036854775807"),
        ("1e99999999", "9223372036854775807"),
        ("1" * 5000, "9223372036854775807"),
        ("0." + "0" * 5000 + "1", "1n"),
        ("3." + "0" * 5000 + "1", "3000000001n"),
    ],
)
def test_canonical_text(text: str, shown: str) -> None:
    assert canonical(text) == shown
    assert canonical(shown) == shown


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "quantities must match the regular expression"),
        ("1 Gi", "quantities must match the regular expression"),
        (" 1", "quantities must match the regular expression"),
        ("1.2.3", "quantities must match the regular expression"),
        ("ten", "quantities must match the regular expression"),
        ("1\n", "quantities must match the regular expression"),
        ("٣", "quantities must match the regular expression"),
        (".", "unable to parse numeric part of quantity"),
        ("-", "unable to parse numeric part of quantity"),
        ("Gi", "unable to parse numeric part of quantity"),
        ("1e", "unable to parse quantity's suffix"),
        ("1ki", "unable to parse quantity's suffix"),
        ("1K", "unable to parse quantity's suffix"),
        ("1k5", "unable to parse quantity's suffix"),
        ("1mM", "unable to parse quantity's suffix"),
    ],
)
def test_refusals(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Quantity.parse(text)


def test_quantities_compare_by_amount_whatever_their_form() -> None:
    parse = Quantity.parse
    assert parse("1Ki") == parse("1024") == parse("1.024e3")
    assert parse("1Gi") > parse("1G")
    assert parse("999m") < parse("1")
    assert hash(parse("1000m")) == hash(parse("1"))


def test_sums_keep_the_form_of_what_is_not_zero() -> None:
    parse = Quantity.parse
    assert str(parse("1Gi") + parse("512Mi")) == "1536Mi"
    assert str(parse("0") + parse("1Gi")) == "1Gi"
    assert str(parse("1") - parse("100m")) == "900m"
    assert str(-parse("1Ki")) == "-1Ki"


def test_values_round_away_from_zero() -> None:
    assert (Quantity.parse("1001m").value, Quantity.parse("-1001m").value) == (2, -2)
    assert Quantity.parse("1001u").milli_value == 2


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=9))
def test_decimals_are_exact(number: Decimal) -> None:
    quantity = Quantity.parse(f"{number:f}")
    assert Decimal(quantity.nanos) == number * 10**9
    assert Quantity.parse(str(quantity)) == quantity


@given(st.text(alphabet="0123456789.eEinumkKMGTP+- "))
def test_what_parses_has_a_stable_canonical_text(text: str) -> None:
    try:
        shown = canonical(text)
    except ValueError:
        return
    assert canonical(shown) == shown
