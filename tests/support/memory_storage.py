"""A Storage in memory with every revision kept, for tests of what stands above the seam.

Faithful to `generic/storage/interface.py`: watchers are served before a write is acknowledged, unless `hold`
is set, which makes it lag as etcd may. `fail` makes reads fail, `lose` ends the watches.
"""

import asyncio
from collections.abc import Callable, Iterator

from generic.storage.interface import (
    Compacted,
    CompareFailed,
    FutureRevision,
    GetResult,
    KeyValue,
    RangeResult,
    StorageError,
    StorageEvent,
    WatchBatch,
    WatchHandle,
    WatchSink,
)


class MemoryHandle:
    def __init__(self, storage: "MemoryStorage", prefix: str, *, revision: int, sink: WatchSink) -> None:
        self._storage, self._prefix, self._sink = storage, prefix, sink
        self.revision = revision
        self._error: StorageError | None = None
        self._moved = asyncio.Event()

    def deliver(self) -> None:
        newest = self._storage.newest
        events = [e for e in self._storage.log if self.revision < e.item.mod_revision and self._covers(e)]
        self.revision = newest
        self._sink.on_batch(WatchBatch(events, newest))
        self._moved.set()
        self._moved = asyncio.Event()

    def lose(self, error: StorageError) -> None:
        self._error = error
        self._moved.set()
        self._sink.on_lost(error)

    async def sync(self, revision: int) -> None:
        while self.revision < revision:
            if self._error is not None:
                raise self._error
            await self._moved.wait()

    def cancel(self) -> None:
        self._storage.handles.pop(self, None)

    def _covers(self, event: StorageEvent) -> bool:
        return event.item.key.startswith(self._prefix)


class MemoryStorage:
    def __init__(self) -> None:
        self.log: list[StorageEvent] = []
        self.newest = 1
        self.compacted = 0
        self.handles: dict[MemoryHandle, None] = {}
        self.hold = False
        self.fail: StorageError | None = None
        self.gate: asyncio.Event | None = None
        self.calls: list[str] = []
        self.on_call: Callable[[str], None] | None = None

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def revision(self) -> int:
        await self._reach("revision")
        return self.newest

    async def get(self, key: str, *, revision: int = 0) -> GetResult:
        await self._reach("get")
        return GetResult(self._state(revision).get(key), self.newest)

    async def range(self, prefix: str, *, start: str = "", limit: int = 0, revision: int = 0) -> RangeResult:
        await self._reach("range")
        state = self._state(revision)
        found = [state[key] for key in sorted(state) if key.startswith(prefix) and key >= start]
        items = found[:limit] if limit else found
        return RangeResult(items, self.newest, len(items) < len(found), len(found))

    async def put(self, key: str, value: bytes, *, expected_revision: int, ttl: float | None = None) -> KeyValue:
        current = self._state(0).get(key)
        if (current.mod_revision if current else 0) != expected_revision:
            raise CompareFailed(current)
        self.newest += 1
        item = KeyValue(key, value, current.create_revision if current else self.newest, self.newest)
        self._record(StorageEvent(item, deleted=False))
        return item

    async def delete(self, key: str, *, expected_revision: int) -> int:
        current = self._state(0).get(key)
        if current is None or current.mod_revision != expected_revision:
            raise CompareFailed(current)
        self.newest += 1
        self._record(StorageEvent(KeyValue(key, b"", current.create_revision, self.newest), deleted=True))
        return self.newest

    async def watch(self, prefix: str, *, after_revision: int, sink: WatchSink) -> WatchHandle:
        await self._reach("watch")
        if after_revision < self.compacted:
            raise Compacted(self.compacted)
        handle = MemoryHandle(self, prefix, revision=after_revision, sink=sink)
        self.handles[handle] = None
        handle.deliver()
        return handle

    async def compact(self, revision: int) -> None:
        self.compacted = revision

    def release(self) -> None:
        """Let watches that were held back see everything."""
        self.hold = False
        for handle in tuple(self.handles):
            handle.deliver()

    def lose(self, error: StorageError) -> None:
        """End every watch."""
        for handle in tuple(self.handles):
            handle.cancel()
            handle.lose(error)

    def touch(self) -> None:
        """A change elsewhere: the revision moves on."""
        self.newest += 1
        if not self.hold:
            self.release()

    async def _reach(self, call: str) -> None:
        self.calls.append(call)
        if self.on_call is not None:
            self.on_call(call)
        if self.gate is not None:
            await self.gate.wait()
        if self.fail is not None:
            raise self.fail

    def _record(self, event: StorageEvent) -> None:
        self.log.append(event)
        if not self.hold:
            self.release()

    def _state(self, revision: int) -> dict[str, KeyValue]:
        if revision > self.newest:
            raise FutureRevision(self.newest)
        if revision and revision < self.compacted:
            raise Compacted(self.compacted)
        return {item.key: item for item in self._replay(revision or self.newest)}

    def _replay(self, revision: int) -> Iterator[KeyValue]:
        state: dict[str, KeyValue] = {}
        for event in self.log:
            if event.item.mod_revision <= revision:
                state.pop(event.item.key, None)
                if not event.deleted:
                    state[event.item.key] = event.item
        return iter(state.values())
