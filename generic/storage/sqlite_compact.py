"""Compaction of the sqlite engine: a mark that forbids the past, then its rows taken away slice by slice.

Called by the Writer, on its thread, between two batches of writes.
"""

import sqlite3

SLICE = 500
"""Revisions looked at in one transaction: a few milliseconds that writers wait at most."""

# In a window (low, high] of revisions that count as past: what they superseded, and, one lower, the tombstones.
# The tombstone at the mark itself stays: a watch from just before it must still see the deletion.
SUPERSEDED = """
DELETE FROM revisions WHERE revision IN (
  SELECT previous_revision FROM revisions WHERE revision > ?1 AND revision <= ?2 AND previous_revision > 0)
"""
TOMBSTONES = "DELETE FROM revisions WHERE revision >= ?1 AND revision < ?2 AND deleted = 1"


class Compactor:
    """Takes away what no reader may ask for any more. Raises sqlite3.Error with nothing half done."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        row: tuple[int, int] = connection.execute("SELECT compacted, cleaned FROM state").fetchone()
        self.compacted, self._cleaned = row

    @property
    def pending(self) -> bool:
        """Whether rows are left to take away, possibly from before a restart."""
        return self._cleaned < self.compacted

    def mark(self, revision: int) -> None:
        """From now on nothing before `revision` can be read. One that is marked already changes nothing."""
        if revision > self.compacted:
            self._connection.execute("UPDATE state SET compacted = ?", (revision,))
            self.compacted = revision

    def clean_slice(self) -> None:
        """Take away a little."""
        window = (self._cleaned, min(self._cleaned + SLICE, self.compacted))
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.execute(SUPERSEDED, window)
            self._connection.execute(TOMBSTONES, window)
            self._connection.execute("UPDATE state SET cleaned = ?", (window[1],))
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._cleaned = window[1]
