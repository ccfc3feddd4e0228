"""Reads of the sqlite engine: one key, a range, the changes since; each in one snapshot.

Called by the sqlite engine, on the event loop for single keys and on reader threads for the rest. A Reader is
used by one thread at a time. Raises sqlite3.Error; the engine translates.
"""

from collections.abc import Sequence
from pathlib import Path

from generic.storage import sqlite_file
from generic.storage.interface import Compacted, FutureRevision, GetResult, KeyValue, RangeResult, StorageEvent
from generic.storage.keys import prefix_end

# ruff: noqa: S608 -- statements are put together from constants; what callers give is bound.
NEWEST = f"(SELECT IFNULL(MAX(revision), {sqlite_file.FIRST_REVISION}) FROM revisions)"
STATE = f"SELECT {NEWEST}, compacted FROM state"

GET_NEWEST = f"""
SELECT {NEWEST}, r.deleted, r.value, r.create_revision, r.revision
FROM state LEFT JOIN revisions AS r
  ON r.revision = (SELECT MAX(revision) FROM revisions WHERE key = ?1)
"""
GET_AT = """
SELECT deleted, value, create_revision, revision FROM revisions
WHERE revision = (SELECT MAX(revision) FROM revisions WHERE key = ? AND revision <= ?)
"""
# With MAX, the columns beside it are those of the row that has it.
LIVE = """
SELECT key, MAX(revision) AS newest, deleted FROM revisions INDEXED BY revisions_by_key
WHERE key >= ?1 AND key < ?2 AND revision <= ?3 GROUP BY key HAVING deleted = 0
"""
RANGE = f"""
SELECT r.key, r.value, r.create_revision, r.revision
FROM ({LIVE} ORDER BY key LIMIT ?4) AS live CROSS JOIN revisions AS r ON r.revision = live.newest
"""
COUNT = f"SELECT COUNT(*) FROM ({LIVE})"
# The unary plus keeps sqlite on the primary key, in whose order the rows are wanted.
CHANGES = """
SELECT key, value, create_revision, revision, deleted FROM revisions
WHERE revision > ? AND revision <= ? AND +key >= ? AND +key < ? ORDER BY revision LIMIT ?
"""

AFTER_ALL_TEXT = b""
"""A blob sorts after every text."""


class Reader:
    """One read-only connection."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite_file.connect(path)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def get(self, key: str, revision: int) -> GetResult:
        """See `Storage.get`."""
        if revision == 0:
            current, deleted, value, created, modified = self._connection.execute(GET_NEWEST, (key,)).fetchone()
            item = None if deleted != 0 else KeyValue(key, value, created, modified)
            return GetResult(item, current)
        with self._connection:
            current = self._snapshot(revision)
            row = self._connection.execute(GET_AT, (key, revision)).fetchone()
        if row is None or row[0]:
            return GetResult(None, current)
        return GetResult(KeyValue(key, row[1], row[2], row[3]), current)

    def range(self, prefix: str, *, start: str, limit: int, revision: int) -> RangeResult:
        """See `Storage.range`."""
        bounds = (max(start, prefix), _end(prefix))
        with self._connection:
            current = self._snapshot(revision)
            at = revision or current
            # One more than asked for says whether there are more; only then is counting them worth a scan.
            rows = self._connection.execute(RANGE, (*bounds, at, limit + 1 if limit else -1)).fetchall()
            more = 0 < limit < len(rows)
            count = self._connection.execute(COUNT, (*bounds, at)).fetchone()[0] if more else len(rows)
        items = [KeyValue(*row) for row in (rows[:limit] if more else rows)]
        return RangeResult(items, current, more, count)

    def changes(self, prefix: str, *, after: int, until: int, limit: int) -> Sequence[StorageEvent]:
        """The next `limit` changes below `prefix` with after < revision <= until. Raises Compacted."""
        with self._connection:
            self._connection.execute("BEGIN")
            compacted: int = self._connection.execute(STATE).fetchone()[1]
            if after + 1 < compacted:
                raise Compacted(compacted)
            rows = self._connection.execute(CHANGES, (after, until, prefix, _end(prefix), limit)).fetchall()
        return [
            StorageEvent(KeyValue(key, value, created, modified), deleted == 1)
            for key, value, created, modified, deleted in rows
        ]

    def _snapshot(self, revision: int) -> int:
        """Begin a transaction and return the store's revision in it."""
        self._connection.execute("BEGIN")
        row: tuple[int, int] = self._connection.execute(STATE).fetchone()
        current, compacted = row
        if revision > current:
            raise FutureRevision(current)
        if 0 < revision < compacted:
            raise Compacted(compacted)
        return current


def _end(prefix: str) -> str | bytes:
    end = prefix_end(prefix)
    return AFTER_ALL_TEXT if end is None else end
