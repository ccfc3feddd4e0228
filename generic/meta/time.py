"""Timestamps as the API writes them, and durations as people read them.

Called wherever an object gets a time (system fields, conditions, events, leases) and by the Age columns.
Mirrors `metav1.Time`, `metav1.MicroTime` and `apimachinery/pkg/util/duration`.
"""

import re
from datetime import UTC, datetime, timedelta

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)").fullmatch
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_YEAR = 365 * _DAY


def utcnow() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def now() -> str:
    """The current time as a `Time`: whole seconds, e.g. `2026-01-02T03:04:05Z`."""
    return format_time(utcnow())


def format_time(moment: datetime) -> str:
    """An aware datetime as a `Time`; fractions of a second are cut off."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if moment.year > 999 else _padded(moment, "seconds")


def format_micro_time(moment: datetime) -> str:
    """An aware datetime as a `MicroTime`: always six digits after the point."""
    return _padded(moment, "microseconds")


def _padded(moment: datetime, timespec: str) -> str:
    # isoformat pads years before 1000, strftime on Linux does not.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=timespec) + "Z"


def parse(text: str) -> datetime:
    """An RFC 3339 timestamp as an aware datetime in UTC; digits beyond microseconds are dropped.

    Raises ValueError if it is not one.
    """
    match = _RFC3339(text)
    if match is None:
        raise ValueError(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse')
    fraction = match[1] or ""
    if len(fraction) > 7:
        text = text.replace(fraction, fraction[:7])
    return datetime.fromisoformat(text.upper()).astimezone(UTC)


def age(timestamp: str | None) -> str:
    """How long ago a `Time` was, for an Age column; `<unknown>` if there is none or it cannot be read."""
    if not timestamp:
        return "<unknown>"
    try:
        return human_duration(utcnow() - parse(timestamp))
    except ValueError:
        return "<unknown>"


def human_duration(elapsed: timedelta) -> str:
    """About three characters that tell how long: `45s`, `3m20s`, `5d6h`, `2y30d`.

    A clock up to two seconds ahead of ours counts as now; more is `<invalid>`.
    """
    seconds = int(elapsed.total_seconds())
    if seconds < -1:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    if seconds < 2 * _MINUTE:
        return f"{seconds}s"
    if seconds < 10 * _MINUTE:
        return _two_units(seconds // _MINUTE, "m", seconds % _MINUTE, "s")
    if seconds < 3 * _HOUR:
        return f"{seconds // _MINUTE}m"
    if seconds < 8 * _HOUR:
        return _two_units(seconds // _HOUR, "h", seconds // _MINUTE % 60, "m")
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR}h"
    if seconds < 8 * _DAY:
        return _two_units(seconds // _DAY, "d", seconds // _HOUR % 24, "h")
    if seconds < 2 * _YEAR:
        return f"{seconds // _DAY}d"
    if seconds < 8 * _YEAR:
        return _two_units(seconds // _YEAR, "y", seconds // _DAY % 365, "d")
    return f"{seconds // _YEAR}y"


def _two_units(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"
