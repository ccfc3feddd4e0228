"""What is counted for each pair of priority level and flow schema.

Written by `queueset` and the filter, read by `metrics` when somebody scrapes. Mirrors the label pairs of
`apiserver/pkg/util/flowcontrol/metrics/metrics.go`.
"""

from bisect import bisect_left
from collections.abc import Sequence

_LENGTHS = (0, 10, 25, 50, 100, 250, 500, 1000)
_SECONDS = (0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30)
_SEATS = (1, 2, 4, 8, 16, 32, 64, 100)


class Histogram:
    """How many observations fell up to each bound, and their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Counts:
    """Of one schema at one level."""

    __slots__ = (
        "dispatched",
        "executed",
        "executing",
        "executing_seats",
        "initialized",
        "lengths",
        "level",
        "no_accommodation",
        "rejected",
        "schema",
        "seats",
        "waited",
        "waited_in_vain",
        "waiting",
        "waiting_seats",
    )

    def __init__(self, level: str, schema: str) -> None:
        self.level = level
        self.schema = schema
        self.dispatched = self.executing = self.executing_seats = self.waiting = self.waiting_seats = 0
        self.no_accommodation = 0
        """Times the next in turn found too few seats free."""
        self.rejected: dict[str, int] = {}
        """By reason."""
        self.lengths = Histogram(_LENGTHS)
        self.waited = Histogram(_SECONDS)
        self.waited_in_vain = Histogram(_SECONDS)
        self.executed = Histogram(_SECONDS)
        self.initialized = Histogram(_SECONDS)
        """As `executed`, of watches: until they had sent what there was."""
        self.seats = Histogram(_SEATS)

    def reject(self, reason: str) -> None:
        self.rejected[reason] = self.rejected.get(reason, 0) + 1
