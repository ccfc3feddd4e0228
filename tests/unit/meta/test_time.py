"""Timestamps on the wire and durations for people."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generic.meta import time as meta_time

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-2, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (3 * MINUTE + 5, "3m5s"),
        (10 * MINUTE + 5, "10m"),
        (179 * MINUTE, "179m"),
        (3 * HOUR, "3h"),
        (7 * HOUR + 59 * MINUTE, "7h59m"),
        (8 * HOUR + 59 * MINUTE, "8h"),
        (47 * HOUR, "47h"),
        (2 * DAY, "2d"),
        (2 * DAY + HOUR, "2d1h"),
        (8 * DAY + HOUR, "8d"),
        (2 * YEAR - 1, "729d"),
        (2 * YEAR + DAY, "2y1d"),
        (8 * YEAR + DAY, "8y"),
    ],
)
def test_durations_are_as_kubectl_shows_them(seconds: int, shown: str) -> None:
    assert meta_time.human_duration(timedelta(seconds=seconds)) == shown


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_survive_the_wire(moment: datetime) -> None:
    assert meta_time.parse(meta_time.format_time(moment)) == moment.replace(microsecond=0)
    assert meta_time.parse(meta_time.format_micro_time(moment)) == moment


def test_parse_takes_offsets_and_long_fractions() -> None:
    assert meta_time.format_time(meta_time.parse("2026-01-02T03:04:05+02:00")) == "2026-01-02T01:04:05Z"
    assert meta_time.format_micro_time(meta_time.parse("2026-01-02T03:04:05.123456789Z")).endswith("05.123456Z")


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z"])
def test_parse_refuses_what_is_no_timestamp(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|month"):
        meta_time.parse(text)


def test_age_of_nothing_is_unknown() -> None:
    assert meta_time.age(None) == meta_time.age("") == meta_time.age("x") == "<unknown>"
    assert meta_time.age(meta_time.now()) in {"0s", "1s"}
