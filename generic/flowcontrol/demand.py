"""How many seats a priority level could use, over time: what seats are lent and borrowed by.

Fed by `queueset` at each change, read by `control` every ten seconds. Mirrors
`apiserver/pkg/util/flowcontrol/fairqueuing/integrator.go` and `seatDemandStats` of `apf_controller.go`.
"""

import math
from dataclasses import dataclass

SMOOTHING = 0.977
"""How slowly a past demand is forgotten: half of it in five minutes."""


class Integrator:
    """Average, deviation and peak of a value that changes in steps. Times in seconds, of any one clock."""

    __slots__ = ("_at", "_elapsed", "_squares", "_sum", "peak", "value")

    def __init__(self, now: float) -> None:
        self.value = 0
        self.peak = 0
        self._at = now
        self._elapsed = self._sum = self._squares = 0.0

    def set(self, value: int, now: float) -> None:
        """The value from now on."""
        elapsed, before = now - self._at, self.value
        self._at = now
        self._elapsed += elapsed
        area = before * elapsed
        self._sum += area
        self._squares += before * area
        self.value = value
        if value > self.peak:
            self.peak = value

    def reset(self, now: float) -> "Observation":
        """What was observed since the last reset."""
        self.set(self.value, now)
        elapsed, peak = self._elapsed, self.peak
        average = self._sum / elapsed if elapsed > 0 else 0.0
        variance = self._squares / elapsed - average * average if elapsed > 0 else 0.0
        self._elapsed = self._sum = self._squares = 0.0
        self.peak = self.value
        return Observation(elapsed, average, math.sqrt(max(variance, 0.0)), peak)


@dataclass(frozen=True, slots=True)
class Observation:
    """Of a period of `seconds`."""

    seconds: float
    average: float
    deviation: float
    peak: int


class Demand:
    """What a level's recent demand comes to."""

    __slots__ = ("average", "deviation", "peak", "smoothed")

    def __init__(self) -> None:
        self.peak = 0
        self.average = self.deviation = self.smoothed = 0.0

    def update(self, seen: Observation) -> None:
        """Growth counts at once, decline only slowly."""
        self.peak = seen.peak
        if seen.seconds <= 0:
            return
        self.average, self.deviation = seen.average, seen.deviation
        envelope = seen.average + seen.deviation
        self.smoothed = max(envelope, SMOOTHING * self.smoothed + (1 - SMOOTHING) * envelope)
