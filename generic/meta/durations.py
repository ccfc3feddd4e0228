"""Durations as Go writes them. Called for query parameters and flags. Mirrors `time.ParseDuration`."""

import re

_SECONDS_OF_UNIT = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_TERM = re.compile(r"(\d+\.?\d*|\.\d+)([^\d.]*)")


def parse_duration(text: str) -> float:
    """Seconds of a Go duration such as `1m30s` or `-1.5h`. Raises ValueError in Go's words."""
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0.0
    total, at = 0.0, 0
    for term in _TERM.finditer(rest):
        if term.start() != at:
            break
        at = term.end()
        number, unit = term.groups()
        if not unit:
            raise ValueError(f'time: missing unit in duration "{text}"')
        if unit not in _SECONDS_OF_UNIT:
            raise ValueError(f'time: unknown unit "{unit}" in duration "{text}"')
        total += float(number) * _SECONDS_OF_UNIT[unit]
    if not at or at != len(rest):
        raise ValueError(f'time: invalid duration "{text}"')
    return -total if text[0] == "-" else total
