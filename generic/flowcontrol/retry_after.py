"""When those who are turned away should come back: later, the longer a level has been overloaded.

Asked by the filter. Mirrors `apiserver/pkg/util/flowcontrol/dropped_requests_tracker.go`, which learnt it from TCP:
doubled while many are turned away, taken back step by step.
"""

import time
from collections.abc import Callable

_MOST = 32
_MANY = 3
"""Turned away for each second of the present value."""


class Dropped:
    """Of one level. Times in whole seconds."""

    def __init__(self) -> None:
        self.retry_after = 1
        self._raised = 0
        self._history: dict[int, int] = {}

    def record(self, now: int) -> None:
        """One was turned away."""
        if now not in self._history:
            if self._history:
                self._adapt(now)
            self._history = {at: count for at, count in self._history.items() if now - at <= _MOST}
            self._history[now] = 0
        self._history[now] += 1

    def _adapt(self, now: int) -> None:
        current = self.retry_after
        recent = sum(count for at, count in self._history.items() if now - current <= at < now)
        if recent >= _MANY * current and now - self._raised >= current:
            self.retry_after, self._raised = min(2 * current, _MOST), now
        elif recent < current and current > 1:
            self.retry_after = current - 1


class RetryAfter:
    """By level."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._levels: dict[str, Dropped] = {}

    def dropped(self, level: str) -> int:
        """One was turned away: in how many seconds it may come again."""
        found = self._levels.setdefault(level, Dropped())
        found.record(int(self._clock()))
        return found.retry_after
