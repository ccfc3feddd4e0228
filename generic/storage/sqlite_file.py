"""The sqlite engine's file: locked against a second process, private, checked, opened; sqlite's errors translated.

Called by the sqlite engine's other modules. The table's columns are explained here and nowhere else.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from generic.storage.interface import StorageError

APPLICATION_ID = 0x7472696B
FORMAT = 1
FIRST_REVISION = 1
"""The revision of an empty store: etcd's. 0 would mean "any" in the Kubernetes API."""

# Rows are only ever added, and taken away by compaction: nothing is updated.
#   revision           of this change; counts up by one, store-wide
#   create_revision    of the key's life this row belongs to; 0 in a deletion
#   previous_revision  of the key's row that this one supersedes, 0 if none: what compaction looks for
#   deleted            1 in a deletion (tombstone)
#   expires            seconds since the epoch, NULL for ever
# revisions_by_key covers: which keys are there, at which revision and alive, without reading a value.
SCHEMA = """
CREATE TABLE revisions (
  revision INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  create_revision INTEGER NOT NULL,
  previous_revision INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  expires REAL,
  value BLOB NOT NULL
);
CREATE UNIQUE INDEX revisions_by_key ON revisions (key, revision, deleted);
CREATE INDEX revisions_that_expire ON revisions (revision) WHERE expires IS NOT NULL;
CREATE TABLE state (compacted INTEGER NOT NULL, cleaned INTEGER NOT NULL);
INSERT INTO state VALUES (0, 0);
"""

DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def translate(error: sqlite3.Error, path: Path) -> StorageError:
    """A one-line StorageError for what sqlite says."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in DAMAGED:
        return StorageError(f"{path} is damaged or not a trikube store: {error}", retriable=False)
    if code == sqlite3.SQLITE_FULL:
        return StorageError(f"{path}: no space left on the disk")
    return StorageError(f"{path}: {error}")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Every sqlite3 and OS error inside becomes a StorageError."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, path) from error
    except OSError as error:
        raise StorageError(f"{error.filename or path}: {error.strerror}", retriable=False) from error


class Lock:
    """Keeps a second process away from the store for as long as this one lives."""

    def __init__(self, path: Path) -> None:
        """Raises StorageError if another process, or another engine of this one, has the store open."""
        # A file of its own: closing any descriptor of the database would drop sqlite's own locks on it.
        self._descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._descriptor, 20).decode(errors="replace").strip()
            os.close(self._descriptor)
            by = f"process {holder}" if holder.isdecimal() else "another process"
            raise StorageError(f"{path} is in use by {by}", retriable=False) from error
        os.truncate(self._descriptor, 0)
        os.write(self._descriptor, b"%d\n" % os.getpid())

    def release(self) -> None:
        """Let others in. The file stays: removing it would let two processes lock two files of one name."""
        os.close(self._descriptor)


def connect(path: Path, *, write: bool = False) -> sqlite3.Connection:
    """A connection without implicit transactions; its owner sees to it that one thread at a time uses it."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL" if write else "PRAGMA query_only = 1")
    return connection


def open_store(path: Path) -> sqlite3.Connection:
    """The writing connection to the store at `path`, made if it is not there. The caller holds the Lock.

    Raises sqlite3.Error, OSError, or StorageError if the file is damaged or something else's.
    """
    _make_private(path)
    connection = connect(path, write=True)
    try:
        _check(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_private(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)  # sqlite gives its side files the same mode
    finally:
        os.close(descriptor)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some file systems cannot, and then need not
            os.fsync(folder)  # a power cut must not take the new name away
    finally:
        os.close(folder)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    identity: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
    if tables == 0 and identity == 0:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(
            f"BEGIN IMMEDIATE;{SCHEMA}PRAGMA application_id = {APPLICATION_ID};PRAGMA user_version = {FORMAT};COMMIT;"
        )
        return
    if identity != APPLICATION_ID:
        raise StorageError(f"{path} is not a trikube store", retriable=False)
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != FORMAT:
        raise StorageError(f"{path} has format {version}, this version reads {FORMAT}", retriable=False)
    if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise StorageError(f"{path}: the file system does not support write-ahead logging", retriable=False)
    finding: str = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if finding != "ok":
        raise StorageError(f"{path} is damaged: {' '.join(finding.split())}", retriable=False)
