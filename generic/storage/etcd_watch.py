"""The etcd engine's watches: one stream of every key's changes, shared by all of them.

Called by EtcdStorage. One stream, because every write raises etcd's revision and is seen on it: the last change
seen says how far *all* watches are, and `sync` only waits for it. Progress requests, the other way to know, may be
answered ahead of the changes before etcd 3.4.25 and 3.5.8 (etcd-io/etcd#15220). What happened before a watch
joined comes from a stream of its own, which ends where the shared one was at that time.

A stream that resumes begins with the last change seen, once more: if etcd tells it differently, it lost writes that
it had acknowledged and gave their revisions away again (a single member before 3.5.5, etcd-io/etcd#14370; a restored
backup). Then no watch can go on, and all of them begin anew.

    etcd --changes--> _follow --> WatchHub --> sinks        etcd --changes--> _replay --> one sink
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

from generic.storage.etcd_client import Client, EtcdError
from generic.storage.etcd_protos import kv
from generic.storage.interface import Compacted, KeyValue, StorageError, StorageEvent, WatchSink
from generic.storage.watch_hub import HubHandle, WatchHub

log = logging.getLogger(__name__)

SHORTEST_DELAY = 0.05
LONGEST_DELAY = 1.0
"""Seconds between attempts to reach etcd again."""
EMPTY = 1
"""The revision of an etcd nobody has written to."""


class Watcher:
    """All watches of one engine."""

    def __init__(self, client: Client, current_revision: Callable[[], Awaitable[int]]) -> None:
        self._client = client
        self._current_revision = current_revision
        self._hub = WatchHub(0)
        self._task: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._last: StorageEvent | None = None

    async def watch(self, prefix: str, *, after_revision: int, sink: WatchSink) -> HubHandle:
        """See `Storage.watch`."""
        await self._start()
        handle = self._hub.join(prefix, after_revision=after_revision, sink=sink)
        try:
            if after_revision < handle.joined_at != EMPTY:
                await self._replay(handle)
            handle.go_live()
        except BaseException:
            handle.cancel()
            raise
        return handle

    async def close(self, error: StorageError) -> None:
        """Stop; all watches are over because of `error`."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        self._hub.end(error)

    async def _start(self) -> None:
        async with self._starting:
            if self._task is None or self._task.done():
                self._hub.restart(await self._current_revision())
                self._last = None
                self._task = asyncio.create_task(self._follow(), name="watch etcd")

    async def _follow(self) -> None:
        delay = SHORTEST_DELAY
        away = False
        while True:
            try:
                resuming = self._last is not None
                async with aclosing(self._client.changes(after=self._hub.revision - resuming)) as changes:
                    async for events in changes:
                        delay = SHORTEST_DELAY
                        away = False
                        if events and resuming:
                            events = self._after_last(events)
                            resuming = False
                        if events:
                            self._publish(events)
            except Compacted as error:
                # Away for too long. The next watch begins anew.
                self._hub.end(error)
                return
            except StorageError as error:
                if not away:
                    log.warning("the watch will resume at revision %d: %s", self._hub.revision + 1, error)
                away = True
            except Exception as error:
                log.exception("the watch of etcd failed")
                self._hub.end(StorageError(f"the watch of etcd failed: {error}"))
                return
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY)

    def _after_last(self, events: list[Any]) -> list[Any]:
        """What is new to us. Raises Compacted if the last change seen is not in etcd's history any more."""
        last = self._last
        again = [event for event in events if last and event.kv.mod_revision == last.item.mod_revision]
        if not again or _change(again[-1]) != last:
            log.error(
                "etcd at revision %d tells another history than before: all watches begin anew", self._hub.revision
            )
            raise Compacted(self._hub.revision)
        return events[len(again) :]

    def _publish(self, events: list[Any]) -> None:
        wanted = []
        for event in events:
            key = event.kv.key.decode(errors="surrogateescape")
            if self._hub.wants(key):
                wanted.append(change(event, key))
        self._hub.publish(wanted, events[-1].kv.mod_revision)
        self._last = _change(events[-1])

    async def _replay(self, handle: HubHandle) -> None:
        until = handle.joined_at
        prefix = handle.prefix.encode()
        try:
            async with (
                asyncio.timeout(self._client.deadline),
                aclosing(self._client.changes(after=handle.revision)) as changes,
            ):
                async for events in changes:
                    past = [
                        _change(event)
                        for event in events
                        if event.kv.mod_revision <= until and event.kv.key.startswith(prefix)
                    ]
                    if events:
                        reached: int = events[-1].kv.mod_revision
                        handle.replay(past, min(reached, until))
                        if reached >= until:
                            return
        except TimeoutError as error:
            raise EtcdError("etcd did not send its past changes in time", details="", retriable=True) from error


def _change(event: Any) -> StorageEvent:
    return change(event, event.kv.key.decode(errors="surrogateescape"))


def change(event: Any, key: str) -> StorageEvent:
    """An etcd event about `key`."""
    item = event.kv
    value = KeyValue(key, item.value, item.create_revision, item.mod_revision)
    return StorageEvent(value, event.type == kv.Event.DELETE)
