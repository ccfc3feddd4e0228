"""A watch sink that remembers, and lets a test wait for what it wants to see."""

import asyncio
from collections.abc import Callable

from generic.storage.interface import StorageError, StorageEvent, WatchBatch

PATIENCE = 20.0
"""Seconds; only a failing test waits that long."""


class Recorder:
    """Checks on the way that batches come in revision order and keep what they promise."""

    def __init__(self) -> None:
        self.events: list[StorageEvent] = []
        self.lost: StorageError | None = None
        self._promised = 0
        self._changed = asyncio.Event()

    def on_batch(self, batch: WatchBatch) -> None:
        revisions = [event.item.mod_revision for event in batch.events]
        assert revisions == sorted(revisions)
        assert all(self._promised < revision <= batch.revision for revision in revisions)
        self._promised = batch.revision
        self.events += batch.events
        self._changed.set()

    def on_lost(self, error: StorageError) -> None:
        assert self.lost is None
        self.lost = error
        self._changed.set()

    @property
    def seen(self) -> list[tuple[str, str, bytes]]:
        """Events as (what happened, last part of the key, value)."""
        return [(kind(event), event.item.key.rpartition("/")[2], event.item.value) for event in self.events]

    async def until(self, condition: Callable[["Recorder"], bool]) -> None:
        """Return once it holds; it is asked again after every batch."""
        async with asyncio.timeout(PATIENCE):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()

    async def until_more_than(self, count: int) -> None:
        """Return once there are more than `count` events."""
        await self.until(lambda recorder: len(recorder.events) > count)


def kind(event: StorageEvent) -> str:
    """created, changed or deleted."""
    if event.deleted:
        return "deleted"
    return "created" if event.created else "changed"
