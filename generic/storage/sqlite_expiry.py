"""Which keys of the sqlite engine disappear by themselves, and when.

Called by the Writer, on its thread. Held in memory and read again at start: rows only say when they expire.
"""

import heapq
import sqlite3

LONGEST_SLEEP = 60.0
"""Seconds; a wall clock that was set anew is noticed after that."""


class Expiry:
    """The times, soonest first. Entries of rows superseded meanwhile stay until due; the Writer passes them over."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        rows = connection.execute("SELECT expires, revision, key FROM revisions WHERE expires IS NOT NULL")
        self._times: list[tuple[float, int, str]] = list(rows)
        heapq.heapify(self._times)

    def add(self, expires: float, *, revision: int, key: str) -> None:
        """The row of `key` at `revision` expires at `expires`, in seconds since the epoch."""
        heapq.heappush(self._times, (expires, revision, key))

    def due(self, now: float, most: int) -> list[tuple[int, str]]:
        """Take out up to `most` (revision, key) whose time has come."""
        due: list[tuple[int, str]] = []
        while self._times and self._times[0][0] <= now and len(due) < most:
            _, revision, key = heapq.heappop(self._times)
            due.append((revision, key))
        return due

    def sleep(self, now: float) -> float | None:
        """Seconds until the next is due, None if nothing is waiting."""
        return min(max(self._times[0][0] - now, 0.0), LONGEST_SLEEP) if self._times else None
