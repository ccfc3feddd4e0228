"""SqliteStorage: the embedded storage engine, one file, no server.

Built by whoever composes a server; called through `Storage` by the Cacher and the Store. Writes go to the Writer's
thread and come back once per transaction: first the watches see the changes, then the writers their results. So
what was acknowledged has always been seen, and a watch is never behind. After kine (k3s-io/kine) in spirit:
etcd's model over one table of revisions.

    put, delete --> Writer (thread) --commit--> _Open (loop) --> WatchHub --> sinks
                                                        \\--> the waiting callers
    get, range, watch's past --> Reader
"""

import asyncio
import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from generic.storage import sqlite_file
from generic.storage.interface import GetResult, KeyValue, RangeResult, StorageError, WatchHandle, WatchSink
from generic.storage.sqlite_reader import Reader
from generic.storage.sqlite_writer import Batch, Compaction, Write, Writer
from generic.storage.watch_hub import HubHandle, WatchHub

log = logging.getLogger(__name__)

T = TypeVar("T")
Outcome = asyncio.Future[KeyValue | None]

READERS = 2
"""Threads. Python code runs in one at a time, only sqlite's own work goes on beside it."""
REPLAY_PAGE = 1000
"""Changes read at once; the event loop runs in between."""


class SqliteStorage:
    """A `Storage` in the file `path` (with `-wal`, `-shm` and `.lock` beside it), all 0600, one process at a time."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._open: _Open | None = None

    async def start(self) -> None:
        """Open the file, making it and its folder if needed.

        Raises StorageError if it is damaged, something else's, or open in another process.
        """
        if self._open is None:
            loop = asyncio.get_running_loop()
            self._open = await asyncio.to_thread(_Open, self._path, loop)
            self._open.writer.start()

    async def close(self) -> None:
        """Finish the writes under way, end all watches, close the file. Idempotent."""
        opened, self._open = self._open, None
        if opened is None:
            return
        await asyncio.shield(asyncio.to_thread(opened.close))
        # The writer's last results were handed to the loop before it ended, and are out by now.
        opened.hub.end(_closed(self._path))

    async def revision(self) -> int:
        """See `Storage.revision`."""
        return self._opened().hub.revision

    async def get(self, key: str, *, revision: int = 0) -> GetResult:
        """See `Storage.get`."""
        # Here, not on a thread: it takes a tenth of the time that handing it over would.
        with sqlite_file.translated(self._path):
            return self._opened().near.get(key, revision)

    async def range(self, prefix: str, *, start: str = "", limit: int = 0, revision: int = 0) -> RangeResult:
        """See `Storage.range`."""
        read = partial(Reader.range, prefix=prefix, start=start, limit=limit, revision=revision)
        return await self._opened().read(read)

    async def put(self, key: str, value: bytes, *, expected_revision: int, ttl: float | None = None) -> KeyValue:
        """See `Storage.put`."""
        written = await self._submit(lambda token: Write(key, value, expected_revision, ttl, token))
        assert written is not None
        return written

    async def delete(self, key: str, *, expected_revision: int) -> int:
        """See `Storage.delete`."""
        tombstone = await self._submit(lambda token: Write(key, None, expected_revision, None, token))
        assert tombstone is not None
        return tombstone.mod_revision

    async def watch(self, prefix: str, *, after_revision: int, sink: WatchSink) -> WatchHandle:
        """See `Storage.watch`."""
        opened = self._opened()
        handle = opened.hub.join(prefix, after_revision=after_revision, sink=sink)
        try:
            await self._replay(opened, handle)
            handle.go_live()
        except BaseException:
            handle.cancel()
            raise
        return handle

    async def compact(self, revision: int) -> None:
        """See `Storage.compact`. Returns when the space is free for new rows. Raises FutureRevision."""
        await self._submit(lambda token: Compaction(revision, token))

    async def _replay(self, opened: "_Open", handle: HubHandle) -> None:
        prefix, until = handle.prefix, handle.joined_at
        while handle.revision < until:
            read = partial(Reader.changes, prefix=prefix, after=handle.revision, until=until, limit=REPLAY_PAGE)
            events = await opened.read(read)
            full = len(events) == REPLAY_PAGE
            handle.replay(events, events[-1].item.mod_revision if full else until)

    async def _submit(self, request: Callable[[Outcome], Write | Compaction]) -> KeyValue | None:
        opened = self._opened()
        outcome: Outcome = asyncio.get_running_loop().create_future()
        opened.writer.submit(request(outcome))
        return await outcome

    def _opened(self) -> "_Open":
        if self._open is None:
            raise _closed(self._path)
        return self._open


class _Open:
    """What a started engine holds. Made and closed off the event loop, for it waits for the disk."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._path = path
        self._loop = loop
        self._closing = False
        self._readers: list[Reader] = []
        self._mine = threading.local()
        with sqlite_file.translated(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = sqlite_file.Lock(path)
            try:
                self._connection = sqlite_file.open_store(path)
                self.writer = Writer(self._connection, path, deliver=self._deliver)
                self.near = self._new_reader()
            except BaseException:
                self._lock.release()
                raise
        self.hub = WatchHub(self.writer.revision)
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix=f"reader of {path.name}")

    async def read(self, what: Callable[[Reader], T]) -> T:
        """Do it on a reader thread. Raises StorageError."""
        if self._closing:
            raise _closed(self._path)
        return await self._loop.run_in_executor(self._pool, self._read, what)

    def close(self) -> None:
        """Finish what was begun, close the file, let others in."""
        self._closing = True
        self.writer.stop()
        self._pool.shutdown()
        for reader in self._readers:
            reader.close()
        try:
            self._connection.close()
        except sqlite3.Error as error:
            # All that was acknowledged is in the log beside the file; the next start takes it in.
            log.warning("%s", sqlite_file.translate(error, self._path))
        self._lock.release()

    def _read(self, what: Callable[[Reader], T]) -> T:
        with sqlite_file.translated(self._path):
            reader: Reader | None = getattr(self._mine, "reader", None)
            if reader is None:
                reader = self._mine.reader = self._new_reader()
            return what(reader)

    def _new_reader(self) -> Reader:
        reader = Reader(self._path)
        self._readers.append(reader)
        return reader

    def _deliver(self, batch: Batch) -> None:
        try:
            self._loop.call_soon_threadsafe(self._take_in, batch)
        except RuntimeError:
            log.warning("the event loop was closed before %s", self._path)

    def _take_in(self, batch: Batch) -> None:
        """What came of one transaction, on the event loop: watches first, then who asked for it."""
        if batch.events:
            self.hub.publish(batch.events, batch.revision)
        for token, outcome in batch.outcomes:
            assert isinstance(token, asyncio.Future)
            if token.done():  # its caller was cancelled; what was written stays written
                continue
            if isinstance(outcome, Exception):
                token.set_exception(outcome)
            else:
                token.set_result(outcome)


def _closed(path: Path) -> StorageError:
    return StorageError(f"{path} is not open", retriable=False)
