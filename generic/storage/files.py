"""FileStorage: the storage engine whose objects are JSON files in a folder, one each, for people to read and keep.

For small numbers of objects: all revisions since the last compaction are in memory. Built by `trikube.aa`, called
through `Storage`. A write replaces the file first and is then journaled; it is acknowledged when both are durable, so
after a crash a file can only be newer than the journal, never older. Mirrors the role of
`apiserver-runtime/pkg/experimental/storage/filepath`, but with revisions and watches.
"""

import asyncio
import heapq
import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from generic.storage import files_disk
from generic.storage.files_disk import Entry, Folder
from generic.storage.interface import (
    Compacted,
    CompareFailed,
    FutureRevision,
    GetResult,
    KeyValue,
    OutcomeUnknown,
    RangeResult,
    StorageError,
    StorageEvent,
    WatchHandle,
    WatchSink,
)
from generic.storage.keys import prefix_end
from generic.storage.watch_hub import WatchHub

_LONGEST_SLEEP = 60.0
_BATCH = 512


@dataclass(slots=True)
class _Wish:
    """A write on its way. `value` None: a deletion."""

    key: str
    value: bytes | None
    expected: int
    expires: float
    outcome: "asyncio.Future[KeyValue]"


@dataclass(slots=True)
class _Memory:
    """Every change since the last compaction; the newest of each key is what is there."""

    hub: WatchHub
    compacted: int
    log: list[Entry] = field(default_factory=list)
    by_key: dict[str, list[Entry]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    times: list[tuple[float, int, str]] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        self.log.append(entry)
        if entry.key not in self.by_key:
            self.by_key[entry.key] = []
            insort(self.keys, entry.key)
        self.by_key[entry.key].append(entry)
        if entry.expires:
            heapq.heappush(self.times, (entry.expires, entry.mod_revision, entry.key))

    def at(self, key: str, revision: int) -> KeyValue | None:
        found = self.by_key.get(key, ())
        index = bisect_right(found, revision, key=lambda entry: entry.mod_revision)
        return _item(found[index - 1]) if index else None

    def within(self, prefix: str, start: str) -> Iterator[str]:
        end = prefix_end(prefix)
        first = bisect_left(self.keys, max(prefix, start))
        last = len(self.keys) if end is None else bisect_left(self.keys, end)
        return iter(self.keys[first:last])

    def check(self, revision: int) -> int:
        """The revision to read at. Raises Compacted, FutureRevision."""
        if revision > self.hub.revision:
            raise FutureRevision(self.hub.revision)
        if revision and revision < self.compacted:
            raise Compacted(self.compacted)
        return revision or self.hub.revision

    def forget(self, revision: int) -> None:
        """Drop what was superseded, or is a deletion, up to `revision`."""
        self.compacted = revision
        kept = [
            entry
            for entry in self.log
            if entry.mod_revision > revision
            or (entry.value is not None and self._newest_until(entry.key, revision) is entry)
        ]
        self.log, self.by_key, self.keys, self.times = [], {}, [], []
        for entry in kept:
            self.add(entry)

    def _newest_until(self, key: str, revision: int) -> Entry | None:
        found = self.by_key[key]
        index = bisect_right(found, revision, key=lambda entry: entry.mod_revision)
        return found[index - 1] if index else None


class FileStorage:
    """A `Storage` in a folder of JSON files. Not `durable`: a power cut may take writes back (for tests)."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._path = path
        self._folder = Folder(path, durable=durable)
        self._memory: _Memory | None = None
        self._wishes: asyncio.Queue[_Wish | None] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._sooner = asyncio.Event()
        self._io = asyncio.Lock()

    # Life.

    async def start(self) -> None:
        """Raises StorageError: another process serves the folder, or it cannot be read or written."""
        if self._memory is not None:
            return
        self._memory = memory = await asyncio.to_thread(self._load)
        self._wishes = asyncio.Queue()
        self._tasks = [asyncio.create_task(self._write(memory)), asyncio.create_task(self._expire(memory))]

    async def close(self) -> None:
        """Finish what is under way, then let the folder go. Idempotent."""
        memory, self._memory = self._memory, None
        if memory is None:
            return
        writer, expiry = self._tasks
        expiry.cancel()
        self._wishes.put_nowait(None)
        await asyncio.gather(writer, expiry, return_exceptions=True)
        await asyncio.to_thread(self._folder.close)
        memory.hub.end(self._closed())

    def _load(self) -> _Memory:
        with files_disk.translated(self._path):
            compacted, revision, entries = self._folder.open()
            try:
                memory = _Memory(WatchHub(revision), compacted)
                for entry in entries:
                    memory.add(entry)
                changes = list(self._changes(memory, dict(self._folder.found())))
                for entry in changes:
                    memory.add(entry)
                    revision = entry.mod_revision
                self._folder.append(changes)
            except BaseException:
                self._folder.close()
                raise
            memory.hub.restart(max(revision, 1))
            return memory

    def _changes(self, memory: _Memory, found: dict[str, bytes]) -> Iterator[Entry]:
        """What was done to the files while nobody looked."""
        revision = max(memory.hub.revision, 1)
        held = {key: item for key in memory.keys if (item := memory.at(key, revision)) is not None}
        for key in sorted(held.keys() | found.keys()):
            item, content = held.get(key), found.get(key)
            if item is not None and content is not None and files_disk.same(item.value, content):
                continue
            if content is not None:
                files_disk.check(self._folder.file(key), key, content)
            revision += 1
            created = item.create_revision if item is not None else revision
            yield Entry(key, content, created if content is not None else 0, revision)

    # Reading.

    async def revision(self) -> int:
        """See `Storage.revision`."""
        return self._opened().hub.revision

    async def get(self, key: str, *, revision: int = 0) -> GetResult:
        """See `Storage.get`."""
        memory = self._opened()
        return GetResult(memory.at(key, memory.check(revision)), memory.hub.revision)

    async def range(self, prefix: str, *, start: str = "", limit: int = 0, revision: int = 0) -> RangeResult:
        """See `Storage.range`."""
        memory = self._opened()
        at = memory.check(revision)
        found = [item for key in memory.within(prefix, start) if (item := memory.at(key, at)) is not None]
        items = found[:limit] if limit else found
        return RangeResult(items, memory.hub.revision, len(items) < len(found), len(found))

    async def watch(self, prefix: str, *, after_revision: int, sink: WatchSink) -> WatchHandle:
        """See `Storage.watch`."""
        memory = self._opened()
        if after_revision < memory.compacted:
            raise Compacted(memory.compacted)
        handle = memory.hub.join(prefix, after_revision=after_revision, sink=sink)
        past = memory.log[bisect_right(memory.log, after_revision, key=lambda entry: entry.mod_revision) :]
        events = [_event(entry) for entry in past if entry.key.startswith(prefix)]
        handle.replay(events, max(after_revision, memory.hub.revision))
        handle.go_live()
        return handle

    # Writing.

    async def put(self, key: str, value: bytes, *, expected_revision: int, ttl: float | None = None) -> KeyValue:
        """See `Storage.put`."""
        expires = time.time() + ttl if ttl is not None else 0.0
        return await self._wish(key, value, expected_revision, expires)

    async def delete(self, key: str, *, expected_revision: int) -> int:
        """See `Storage.delete`."""
        return (await self._wish(key, None, expected_revision, 0.0)).mod_revision

    async def compact(self, revision: int) -> None:
        """See `Storage.compact`. Raises FutureRevision."""
        memory = self._opened()
        async with self._io:
            if revision > memory.hub.revision:
                raise FutureRevision(memory.hub.revision)
            if revision <= memory.compacted:
                return
            memory.forget(revision)
            with files_disk.translated(self._path):
                await asyncio.to_thread(self._folder.rewrite, revision, memory.hub.revision, list(memory.log))

    async def _wish(self, key: str, value: bytes | None, expected: int, expires: float) -> KeyValue:
        self._opened()
        outcome: asyncio.Future[KeyValue] = asyncio.get_running_loop().create_future()
        self._wishes.put_nowait(_Wish(key, value, expected, expires, outcome))
        return await outcome

    async def _write(self, memory: _Memory) -> None:
        """Take all waiting writes at once: they share the journal's way to the disk."""
        last = False
        while not last:
            batch = [await self._wishes.get()]
            while not self._wishes.empty() and len(batch) < _BATCH:
                batch.append(self._wishes.get_nowait())
            last = None in batch
            async with self._io:
                await self._commit(memory, [wish for wish in batch if wish is not None])

    async def _commit(self, memory: _Memory, wishes: list[_Wish]) -> None:
        revision, ahead = memory.hub.revision, dict[str, KeyValue | None]()
        entries: list[Entry] = []
        kept: list[_Wish] = []
        for wish in wishes:
            current = ahead[wish.key] if wish.key in ahead else memory.at(wish.key, revision)
            if (current.mod_revision if current is not None else 0) != wish.expected or (
                wish.value is None and current is None
            ):
                _settle(wish, CompareFailed(current))
                continue
            at = revision + len(entries) + 1
            created = current.create_revision if current is not None else at
            if wish.value is None:
                created = 0
            entries.append(Entry(wish.key, wish.value, created, at, wish.expires))
            ahead[wish.key] = _item(entries[-1])
            kept.append(wish)
        if not entries:
            return
        try:
            await asyncio.to_thread(self._folder.write, entries)
        except OSError as error:
            for wish in kept:
                _settle(wish, OutcomeUnknown(f"{error.filename or self._path}: {error.strerror}"))
            return
        for entry in entries:
            memory.add(entry)
        memory.hub.publish([_event(entry) for entry in entries], entries[-1].mod_revision)
        if any(entry.expires for entry in entries):
            self._sooner.set()
        for wish, entry in zip(kept, entries, strict=True):
            _settle(wish, KeyValue(entry.key, entry.value or b"", entry.create_revision, entry.mod_revision))

    async def _expire(self, memory: _Memory) -> None:
        """Delete what is due; a key changed meanwhile has another revision, and stays."""
        while True:
            self._sooner.clear()
            due = []
            while memory.times and memory.times[0][0] <= time.time():
                _, revision, key = heapq.heappop(memory.times)
                due.append(asyncio.ensure_future(self._wish(key, None, revision, 0.0)))
            await asyncio.gather(*due, return_exceptions=True)
            wait = min(max(memory.times[0][0] - time.time(), 0.0), _LONGEST_SLEEP) if memory.times else _LONGEST_SLEEP
            try:
                async with asyncio.timeout(wait):
                    await self._sooner.wait()
            except TimeoutError:
                continue

    def _opened(self) -> _Memory:
        if self._memory is None:
            raise self._closed()
        return self._memory

    def _closed(self) -> StorageError:
        return StorageError(f"{self._path} is not open", retriable=False)


def _settle(wish: _Wish, result: KeyValue | Exception) -> None:
    if wish.outcome.done():
        return  # whoever asked is gone
    if isinstance(result, Exception):
        wish.outcome.set_exception(result)
    else:
        wish.outcome.set_result(result)


def _item(entry: Entry) -> KeyValue | None:
    if entry.value is None:
        return None
    return KeyValue(entry.key, entry.value, entry.create_revision, entry.mod_revision)


def _event(entry: Entry) -> StorageEvent:
    item = KeyValue(entry.key, entry.value or b"", entry.create_revision, entry.mod_revision)
    return StorageEvent(item, deleted=entry.value is None)
