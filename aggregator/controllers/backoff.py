"""Backoff: how long to leave a server alone that has failed, longer each time.

Used by the controllers that ask aggregated API servers: their next turn comes by the clock, well or not. Mirrors the
ItemExponentialFailureRateLimiter of `client-go/util/workqueue`.
"""

_MOST_DOUBLINGS = 32


class Backoff:
    """Seconds, by the name of an APIService: `first`, twice that, and so on up to `most`."""

    def __init__(self, *, first: float, most: float) -> None:
        self._first = first
        self._most = most
        self._failures: dict[str, int] = {}

    def failed(self, name: str) -> float:
        """Count one more failure, and say how long to wait."""
        failures = self._failures.get(name, 0)
        self._failures[name] = failures + 1
        return min(self._first * (1 << min(failures, _MOST_DOUBLINGS)), self._most)

    def forget(self, name: str) -> None:
        """It is well, or gone."""
        self._failures.pop(name, None)
