"""The sqlite engine's one writer: a thread that commits everything waiting in one durable transaction.

Started by SqliteStorage, which submits requests and is given, once per transaction, what came of them. Commits
are what a write costs, so the more writers wait, the less each pays (group commit).

    submit --> queue --> BEGIN, each write by compare-and-swap, what has expired, COMMIT --> deliver
"""

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from generic.storage import sqlite_file
from generic.storage.interface import (
    CompareFailed,
    FutureRevision,
    KeyValue,
    OutcomeUnknown,
    StorageError,
    StorageEvent,
)
from generic.storage.sqlite_compact import Compactor
from generic.storage.sqlite_expiry import Expiry

log = logging.getLogger(__name__)

MOST_WRITES = 512
"""In one transaction."""
RETRY_SECONDS = 1.0
"""Until expiry and compaction try again after a failure, a full disk for example."""

NEWEST_OF_KEY = "SELECT revision, create_revision, deleted FROM revisions WHERE key = ? ORDER BY revision DESC LIMIT 1"
VALUE_AT = "SELECT value FROM revisions WHERE revision = ?"
ADD = "INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, ?)"


class Write(NamedTuple):
    """A put, or a deletion if `value` is None."""

    key: str
    value: bytes | None
    expected_revision: int
    ttl: float | None
    token: object
    """Whose write this is; given back with the outcome."""


class Compaction(NamedTuple):
    """Forget what was superseded before `revision`."""

    revision: int
    token: object


@dataclass(slots=True)
class Batch:
    """What came of one transaction: an outcome per request, the changes in revision order."""

    outcomes: list[tuple[object, KeyValue | Exception | None]] = field(default_factory=list)
    """For a put what was written, for a deletion the tombstone, None for a compaction."""
    events: list[StorageEvent] = field(default_factory=list)
    revision: int = 0
    """The store's, after the transaction."""


class Writer:
    """Owns the writing connection. `deliver` is called on the writer's thread and must not block or raise."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        *,
        deliver: Callable[[Batch], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._connection = connection
        self._path = path
        self._deliver = deliver
        self._clock = clock
        self._queue: queue.SimpleQueue[Write | Compaction | None] = queue.SimpleQueue()
        newest = connection.execute("SELECT MAX(revision) FROM revisions").fetchone()[0]
        self.revision: int = newest or sqlite_file.FIRST_REVISION
        self._expiry = Expiry(connection)
        self._expiring: list[tuple[float, int, str]] = []
        self._compactor = Compactor(connection)
        self._compactions: list[Compaction] = []
        self._resting_until = 0.0
        self._stopping = False
        # A daemon: a process that ends without `stop` loses only what nobody was told is there.
        self._thread = threading.Thread(target=self._run, name=f"writer of {path.name}", daemon=True)

    def start(self) -> None:
        """Begin to take requests."""
        self._thread.start()

    def submit(self, request: Write | Compaction) -> None:
        """Queue a request; those of one caller are applied in order."""
        self._queue.put(request)

    def stop(self) -> None:
        """Finish what was submitted; blocks until it is. The connection stays open. Idempotent."""
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping:
            writes = self._collect()
            due = self._expiry.due(self._clock(), MOST_WRITES)
            if writes or due:
                self._commit(writes, due)
            self._compact()
        self._finish_compactions()  # they are marked; the rows go after the next start

    def _collect(self) -> list[Write]:
        """Wait for requests, for something to expire, or for nothing if there are rows to take away."""
        patience = self._expiry.sleep(self._clock())
        if self._compactor.pending:
            rest = max(self._resting_until - time.monotonic(), 0.0)
            patience = rest if patience is None else min(rest, patience)
        writes: list[Write] = []
        try:
            request = self._queue.get(timeout=patience)
            while True:
                if isinstance(request, Write):
                    writes.append(request)
                elif request is None:
                    self._stopping = True
                else:
                    self._compactions.append(request)
                if len(writes) >= MOST_WRITES:
                    break
                request = self._queue.get_nowait()
        except queue.Empty:
            pass
        return writes

    def _commit(self, writes: list[Write], due: list[tuple[int, str]]) -> None:
        batch = Batch()
        self._expiring.clear()
        before = self.revision
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for revision, key in due:
                self._expire(batch, key, revision)
            for write in writes:
                batch.outcomes.append((write.token, self._outcome(batch, write)))
        except Exception as error:
            self._undo(before, due)
            batch = self._failed(writes, self._explained(error))
        else:
            try:
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._undo(before, due)
                explained = sqlite_file.translate(error, self._path)
                if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_IOERR:
                    # Written but perhaps not flushed: a crash now might still bring it back.
                    explained = OutcomeUnknown(str(explained))
                batch = self._failed(writes, explained)
            else:
                for expires, revision, key in self._expiring:
                    self._expiry.add(expires, revision=revision, key=key)
        batch.revision = self.revision
        if batch.outcomes or batch.events:
            self._deliver(batch)

    def _outcome(self, batch: Batch, write: Write) -> KeyValue | Exception:
        try:
            return self._apply(batch, write)
        except CompareFailed as error:
            return error
        except Exception as error:
            # sqlite has undone the statement. If it gave up the transaction as well, nobody's write is there.
            if not self._connection.in_transaction:
                raise
            return self._explained(error)

    def _apply(self, batch: Batch, write: Write) -> KeyValue:
        newest = self._connection.execute(NEWEST_OF_KEY, (write.key,)).fetchone()
        previous, created, deleted = newest or (0, 0, 1)
        if write.expected_revision != (0 if deleted else previous):
            current = None
            if not deleted:
                value = self._connection.execute(VALUE_AT, (previous,)).fetchone()[0]
                current = KeyValue(write.key, value, created, previous)
            raise CompareFailed(current)
        if write.value is None:
            if deleted:
                raise CompareFailed(None)
            return self._add(batch, KeyValue(write.key, b"", 0, self.revision + 1), previous, deleted=True)
        revision = self.revision + 1
        expires = None if write.ttl is None else self._clock() + write.ttl
        item = KeyValue(write.key, write.value, revision if deleted else created, revision)
        return self._add(batch, item, previous, expires=expires)

    def _expire(self, batch: Batch, key: str, revision: int) -> None:
        newest = self._connection.execute(NEWEST_OF_KEY, (key,)).fetchone()
        if newest is not None and newest[0] == revision:
            self._add(batch, KeyValue(key, b"", 0, self.revision + 1), revision, deleted=True)

    def _add(
        self, batch: Batch, item: KeyValue, previous: int, *, deleted: bool = False, expires: float | None = None
    ) -> KeyValue:
        row = (item.mod_revision, item.key, item.create_revision, previous, deleted, expires, item.value)
        self._connection.execute(ADD, row)
        self.revision = item.mod_revision
        if expires is not None:
            self._expiring.append((expires, item.mod_revision, item.key))
        batch.events.append(StorageEvent(item, deleted))
        return item

    def _undo(self, revision: int, due: list[tuple[int, str]]) -> None:
        self.revision = revision
        for expired, key in due:
            self._expiry.add(self._clock() + RETRY_SECONDS, revision=expired, key=key)
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                log.exception("cannot roll back")

    def _failed(self, writes: list[Write], error: StorageError) -> Batch:
        log.error("cannot write: %s", error)
        return Batch([(write.token, error) for write in writes])

    def _explained(self, error: Exception) -> StorageError:
        if isinstance(error, sqlite3.Error):
            return sqlite_file.translate(error, self._path)
        return StorageError(f"{type(error).__name__}: {error}", retriable=False)

    def _compact(self) -> None:
        """Mark what was asked for, take a slice away, tell those whose compaction is complete."""
        try:
            for compaction in list(self._compactions):
                if compaction.revision > self.revision:
                    self._finish_compactions(FutureRevision(self.revision), only=compaction)
                else:
                    self._compactor.mark(compaction.revision)
            if self._compactor.pending and not self._stopping and self._resting_until <= time.monotonic():
                self._compactor.clean_slice()
        except sqlite3.Error as error:
            self._resting_until = time.monotonic() + RETRY_SECONDS
            self._finish_compactions(sqlite_file.translate(error, self._path))
        if not self._compactor.pending:
            self._finish_compactions()

    def _finish_compactions(self, error: StorageError | None = None, *, only: Compaction | None = None) -> None:
        finished = [compaction for compaction in self._compactions if only in {None, compaction}]
        self._compactions = [compaction for compaction in self._compactions if compaction not in finished]
        if finished:
            self._deliver(Batch([(compaction.token, error) for compaction in finished], revision=self.revision))
