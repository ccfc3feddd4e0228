"""PeriodicCompaction: forgets history that is older than one interval, so that storage does not grow for ever.

Run by a post-start hook of the outermost server. Mirrors `apiserver/pkg/storage/etcd3/compact.go`, whose
interval of five minutes is the default; replicas that compact the same etcd do each other no harm.
"""

import asyncio
import logging

from generic.storage.interface import Storage, StorageError

INTERVAL = 300.0
"""Seconds. A list's `continue` token and a watch's resourceVersion live at least this long."""

_LOG = logging.getLogger(__name__)


class PeriodicCompaction:
    """Every `interval` seconds, compacts to the revision that was newest one interval ago."""

    def __init__(self, storage: Storage, *, interval: float = INTERVAL) -> None:
        self._storage = storage
        self._interval = interval
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin, in a task of its own. Idempotent."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="storage-compaction")

    async def stop(self) -> None:
        """End it. Idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        compacted = wanted = 0
        while True:
            try:
                if wanted > compacted:
                    await self._storage.compact(wanted)
                    compacted = wanted
                wanted = await self._storage.revision()
            except StorageError as error:
                _LOG.warning("storage was not compacted: %s", error)
            await asyncio.sleep(self._interval)
