"""Timestamps and durations of CEL: their text, and their parts in a time zone. Called by `operators.py`, `values.py`.

Precision is a microsecond: what is finer is cut off. Mirrors `cel-go/common/types/{timestamp,duration}.go`.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from generic.schema.cel.errors import NO_OVERLOAD, EvaluationError

_UNITS = {"ns": 0.001, "us": 1, "µs": 1, "μs": 1, "ms": 1e3, "s": 1e6, "m": 60e6, "h": 3600e6}
_DURATION = re.compile(r"[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_OFFSET = re.compile(r"([+-]?)(\d\d):(\d\d)")


def parse_timestamp(text: str) -> datetime:
    """Raises EvaluationError."""
    match = _TIMESTAMP.fullmatch(text)
    if match is not None:
        day, time, fraction, zone = match.groups()
        micros = f"{(fraction or '.0')[1:7]:0<6}"
        try:
            return datetime.fromisoformat(f"{day}T{time}.{micros}{zone.upper()}").astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise EvaluationError(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse it')


def parse_duration(text: str) -> timedelta:
    """Raises EvaluationError."""
    if not _DURATION.fullmatch(text):
        raise EvaluationError(f'time: invalid duration "{text}"')
    micros = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    try:
        return timedelta(microseconds=-micros if text.startswith("-") else micros)
    except OverflowError:
        raise EvaluationError(f'time: invalid duration "{text}"') from None


def timestamp_text(value: datetime) -> str:
    text = value.astimezone(UTC).isoformat()
    head, dot, fraction = text.removesuffix("+00:00").partition(".")
    fraction = fraction.rstrip("0")
    return f"{head}.{fraction}Z" if dot and fraction else f"{head}Z"


def duration_text(value: timedelta) -> str:
    """Seconds, as cel-go writes a duration."""
    micros = value // timedelta(microseconds=1)
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    whole, fraction = divmod(micros, 1_000_000)
    return f"{sign}{whole}.{fraction:06d}".rstrip("0").rstrip(".") + "s"


def _zone(name: Any) -> tzinfo:
    if not isinstance(name, str):
        raise EvaluationError(NO_OVERLOAD)
    match = _OFFSET.fullmatch(name)
    if match is not None:
        length = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-length if match[1] == "-" else length)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise EvaluationError(f"unknown time zone {name}") from None


def _part(of: Callable[[datetime], int]) -> Callable[..., int]:
    def get(value: Any, zone: Any = "UTC") -> int:
        if type(value) is not datetime:
            raise EvaluationError(NO_OVERLOAD)
        return of(value.astimezone(_zone(zone)))

    return get


def _part_or_length(of: Callable[[datetime], int], unit: timedelta) -> Callable[..., int]:
    part = _part(of)

    def get(value: Any, *zone: Any) -> int:
        if type(value) is timedelta and not zone:
            return int(value / unit)
        return part(value, *zone)

    return get


def _milliseconds(value: Any, *zone: Any) -> int:
    if type(value) is timedelta and not zone:
        return int(value / timedelta(milliseconds=1)) % 1000
    return _part(lambda time: time.microsecond // 1000)(value, *zone)


PARTS: Mapping[str, Callable[..., int]] = {
    "getFullYear": _part(lambda time: time.year),
    "getMonth": _part(lambda time: time.month - 1),
    "getDate": _part(lambda time: time.day),
    "getDayOfMonth": _part(lambda time: time.day - 1),
    "getDayOfWeek": _part(lambda time: time.isoweekday() % 7),
    "getDayOfYear": _part(lambda time: time.timetuple().tm_yday - 1),
    "getHours": _part_or_length(lambda time: time.hour, timedelta(hours=1)),
    "getMinutes": _part_or_length(lambda time: time.minute, timedelta(minutes=1)),
    "getSeconds": _part_or_length(lambda time: time.second, timedelta(seconds=1)),
    "getMilliseconds": _milliseconds,
}
"""The functions that take a timestamp apart, or say how long a duration is."""
