"""The sqlite engine's writer when the disk is full, and when one of several requests is no good."""

import queue
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from generic.storage import sqlite_file
from generic.storage.interface import KeyValue, StorageError
from generic.storage.sqlite_writer import Batch, Compaction, Write, Writer

PATIENCE = 20.0


class Subject:
    """A writer whose connection the test can spoil, and what it delivered."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite_file.open_store(path)
        self.batches: queue.SimpleQueue[Batch] = queue.SimpleQueue()
        self.now = 1000.0
        self.writer = Writer(self.connection, path, deliver=self.batches.put, clock=lambda: self.now)

    def limit_pages(self, more: int) -> None:
        pages = self.connection.execute("PRAGMA page_count").fetchone()[0]
        self.connection.execute(f"PRAGMA max_page_count = {pages + more}")

    def outcome(self) -> KeyValue | Exception | None:
        return self.batches.get(timeout=PATIENCE).outcomes[0][1]

    def keys(self) -> list[str]:
        return [row[0] for row in self.connection.execute("SELECT key FROM revisions ORDER BY revision")]


@pytest.fixture
def subject(tmp_path: Path) -> Iterator[Subject]:
    subject = Subject(tmp_path / "store.db")
    yield subject
    subject.writer.stop()
    subject.connection.close()


def put(key: str, value: bytes = b"", ttl: float | None = None) -> Write:
    return Write(key, value, 0, ttl, None)


def test_a_full_disk_fails_the_write_and_leaves_no_trace(subject: Subject) -> None:
    subject.limit_pages(1)
    subject.writer.start()
    subject.writer.submit(put("/big", b"x" * 100_000))
    failure = subject.outcome()
    assert isinstance(failure, StorageError)
    assert "no space left on the disk" in str(failure)
    assert failure.retriable
    assert (subject.keys(), subject.writer.revision) == ([], 1)
    # Once there is space again, all is well, and no revision was used up.
    subject.limit_pages(1000)
    subject.writer.submit(put("/big", b"x" * 100_000))
    assert subject.outcome() == KeyValue("/big", b"x" * 100_000, 2, 2)


def test_good_requests_are_written_beside_bad_ones(subject: Subject) -> None:
    subject.connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 50_000)
    for request in (put("/a"), put("/big", b"x" * 100_000), put("/b"), put("/\ud800"), put("/c")):
        subject.writer.submit(request)
    subject.writer.start()  # only now: all are in one transaction
    batch = subject.batches.get(timeout=PATIENCE)
    assert [isinstance(outcome, KeyValue) for _, outcome in batch.outcomes] == [True, False, True, False, True]
    assert all(isinstance(o, KeyValue | StorageError) for _, o in batch.outcomes)
    assert [event.item.key for event in batch.events] == subject.keys() == ["/a", "/b", "/c"]
    assert [event.item.mod_revision for event in batch.events] == [2, 3, 4]
    assert batch.revision == 4


def test_a_failed_commit_fails_every_write_of_the_transaction(subject: Subject) -> None:
    # A deferred constraint is only looked at by COMMIT, as a full disk is.
    subject.connection.executescript(
        "PRAGMA foreign_keys = ON;"
        "CREATE TABLE parent (id INTEGER PRIMARY KEY);"
        "CREATE TABLE child (id REFERENCES parent DEFERRABLE INITIALLY DEFERRED);"
        "CREATE TRIGGER spoil AFTER INSERT ON revisions WHEN NEW.key = '/bad' BEGIN INSERT INTO child VALUES (7); END;"
    )
    for request in (put("/a", ttl=5), put("/bad")):
        subject.writer.submit(request)
    subject.writer.start()
    batch = subject.batches.get(timeout=PATIENCE)
    assert all(isinstance(outcome, StorageError) for _, outcome in batch.outcomes)
    assert (batch.events, batch.revision, subject.keys()) == ([], 1, [])
    # The same revision now belongs to a key that does not expire.
    subject.writer.submit(put("/a"))
    assert subject.outcome() == KeyValue("/a", b"", 2, 2)
    subject.now += 10
    subject.writer.submit(put("/b"))
    assert len(subject.batches.get(timeout=PATIENCE).events) == 1
    assert subject.keys() == ["/a", "/b"]


def test_expiry_waits_for_the_disk(subject: Subject) -> None:
    subject.connection.execute(
        "CREATE TRIGGER spoil BEFORE INSERT ON revisions WHEN NEW.deleted BEGIN SELECT RAISE(ROLLBACK, 'spoilt'); END"
    )
    subject.writer.start()
    subject.writer.submit(put("/short", ttl=5))
    subject.outcome()
    subject.now += 6
    subject.writer.submit(put("/beside"))
    assert isinstance(subject.outcome(), StorageError)  # it was in the transaction that had to be undone
    subject.writer.submit(put("/beside"))
    assert isinstance(subject.outcome(), KeyValue)  # expiry rests for a while, writers need not
    subject.writer.stop()
    subject.connection.execute("DROP TRIGGER spoil")
    again = Writer(subject.connection, Path("store.db"), deliver=subject.batches.put, clock=lambda: subject.now)
    again.start()
    assert [event.item.key for event in subject.batches.get(timeout=PATIENCE).events] == ["/short"]
    again.stop()


def test_compaction_that_cannot_be_written_says_so(subject: Subject) -> None:
    subject.writer.start()
    subject.writer.submit(put("/a"))
    subject.outcome()
    subject.connection.execute(
        "CREATE TRIGGER spoil BEFORE UPDATE ON state BEGIN SELECT RAISE(ROLLBACK, 'spoilt'); END"
    )
    subject.writer.submit(Compaction(2, None))
    assert isinstance(subject.outcome(), StorageError)
    subject.connection.execute("DROP TRIGGER spoil")
    subject.writer.submit(Compaction(2, None))
    assert subject.outcome() is None


def test_rows_left_by_an_interrupted_compaction_go_after_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    connection = sqlite_file.open_store(path)
    connection.executemany(
        "INSERT INTO revisions VALUES (?, '/a', 2, ?, 0, NULL, '')",
        [(r, r - 1 if r > 2 else 0) for r in range(2, 1500)],
    )
    connection.execute("UPDATE state SET compacted = 1499")
    batches: queue.SimpleQueue[Batch] = queue.SimpleQueue()
    writer = Writer(connection, path, deliver=batches.put)
    writer.start()
    writer.submit(Compaction(1499, None))
    assert batches.get(timeout=PATIENCE).outcomes == [(None, None)]
    assert connection.execute("SELECT revision FROM revisions").fetchall() == [(1499,)]
    writer.stop()
    connection.close()


def test_the_connection_flushes_every_commit(subject: Subject) -> None:
    full = 2
    assert subject.connection.execute("PRAGMA synchronous").fetchone()[0] == full
    assert subject.connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_sqlite_is_safe_between_threads() -> None:
    assert sqlite3.threadsafety == 3
