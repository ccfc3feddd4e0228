"""Feed: keeps the cache's state in step with storage: load, watch, and load anew when the watch is lost.

Owned by the Cacher. The only task of the watch cache is the one that loads it, at the first use and after a
loss. Mirrors the reflector inside `apiserver/pkg/storage/cacher/cacher.go`.

    engine watch --> _Sink --> CacheState.apply --> table, ring, listeners, watchers' queues
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from generic.meta import errors
from generic.meta.gvk import GroupResource
from generic.storage import failures
from generic.storage.cacher_state import CacheState
from generic.storage.interface import Compacted, Storage, StorageError, WatchBatch, WatchHandle
from generic.storage.objects import StoredObject

log = logging.getLogger(__name__)

LOAD_PAGE = 1000
"""Objects decoded at once while loading; the loop serves others in between."""
LONGEST_DELAY = 5.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds."""

    fresh: float = 3.0
    """For a revision to arrive, before a request is refused."""
    ready: float = 3.0
    """For the cache to be loaded, before a request is refused."""
    retry: float = 0.1
    """Between attempts to load anew, doubled up to LONGEST_DELAY."""


class Feed:
    """Loads and watches everything below one prefix into a CacheState."""

    def __init__(
        self, state: CacheState, storage: Storage, prefix: str, *, resource: GroupResource, patience: Patience
    ) -> None:
        self._state = state
        self._storage = storage
        self._prefix = prefix
        self._resource = resource
        self._patience = patience
        self._handle: WatchHandle | None = None
        self._sink: _Sink | None = None
        self._loading: asyncio.Task[None] | None = None
        self._stopped = False

    @property
    def running(self) -> bool:
        """Whether the state is loaded and being watched."""
        return self._handle is not None

    @property
    def revision(self) -> int:
        """Every change up to this revision is in the state."""
        handle = self._handle
        return self._state.revision if handle is None else max(self._state.revision, handle.revision)

    async def start(self) -> None:
        """Return once it runs; concurrent callers share one load.

        Raises StatusError: 429 if loading takes too long, what the engine's failure maps to, 503 once stopped.
        """
        if self._handle is not None:
            return
        if self._stopped:
            raise errors.service_unavailable("apiserver cacher is stopped")
        loading = self._loading or self._in_background(self._load())
        # asyncio.wait leaves the task alone when this caller is cancelled: others wait for it as well.
        await asyncio.wait({loading}, timeout=self._patience.ready)
        if self._stopped:
            raise errors.service_unavailable("apiserver cacher is stopped")
        if not loading.done():
            raise failures.reinitializing()
        error = loading.exception()
        if isinstance(error, StorageError):
            raise failures.status_of(error, resource=self._resource, verb="list") from error
        if error is not None:
            raise error

    async def stop(self) -> None:
        """Let go of storage. Idempotent; it cannot be started again."""
        self._stopped = True
        handle, self._handle, sink, self._sink = self._handle, None, self._sink, None
        if sink is not None:
            sink.closed = True
        if handle is not None:
            handle.cancel()
        loading = self._loading
        if loading is not None:
            loading.cancel()
            await asyncio.wait({loading})

    async def until(self, revision: int, verb: str) -> None:
        """Return once the state is at `revision`. Raises StatusError 504 if that takes too long."""
        if revision <= self.revision:
            return
        handle = self._handle
        if handle is None:
            raise failures.reinitializing()
        try:
            async with asyncio.timeout(self._patience.fresh):
                await handle.sync(revision)
        except TimeoutError as error:
            raise errors.resource_version_too_large(revision, self.revision) from error
        except StorageError as error:
            raise failures.status_of(error, resource=self._resource, verb=verb, revision=revision) from error

    async def until_newest(self, verb: str) -> None:
        """Return once the state has everything that was acknowledged before the call."""
        try:
            newest = await self._storage.revision()
        except StorageError as error:
            raise failures.status_of(error, resource=self._resource, verb=verb) from error
        await self.until(newest, verb)

    def _in_background(self, load: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = self._loading = asyncio.create_task(load, name=f"load the watch cache of {self._resource}")
        task.add_done_callback(self._loaded)
        return task

    def _loaded(self, task: asyncio.Task[None]) -> None:
        if self._loading is task:
            self._loading = None
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("cannot load the watch cache of %s: %s", self._resource, error)

    async def _load(self) -> None:
        while True:
            try:
                handle = await self._load_and_watch()
                break
            except Compacted:
                await asyncio.sleep(self._patience.retry)
        self._handle = handle

    async def _reload(self) -> None:
        delay = self._patience.retry
        while True:
            try:
                return await self._load()
            except StorageError as error:
                log.warning("cannot load the watch cache of %s: %s", self._resource, error)
                await asyncio.sleep(delay)
                delay = min(delay * 2, LONGEST_DELAY)

    async def _load_and_watch(self) -> WatchHandle:
        objects, unreadable, revision = await self._read_all()
        self._state.replace(objects, unreadable, revision=revision)
        sink = self._sink = _Sink(self._state, self._lost)
        handle = await self._storage.watch(self._prefix, after_revision=revision, sink=sink)
        if sink.lost is not None:
            raise sink.lost
        return handle

    async def _read_all(self) -> tuple[list[StoredObject], dict[str, int], int]:
        objects: list[StoredObject] = []
        unreadable: dict[str, int] = {}
        start, revision = "", 0
        while True:
            page = await self._storage.range(self._prefix, start=start, limit=LOAD_PAGE, revision=revision)
            revision = revision or page.revision
            for item in page.items:
                obj = self._state.decode(item)
                if obj is None:
                    unreadable[item.key] = item.mod_revision
                else:
                    objects.append(obj)
            if not page.more:
                return objects, unreadable, revision
            start = page.items[-1].key + "\0"
            await asyncio.sleep(0)

    def _lost(self, sink: "_Sink", error: StorageError) -> None:
        # Lost while loading: _load_and_watch sees it in the sink.
        if sink is not self._sink or self._handle is None:
            return
        log.warning("the watch of %s was lost, loading anew: %s", self._resource, error)
        self._handle = None
        # Clients come back with the last revision they saw, and list again if that is too old by then.
        self._state.watchers.end_all()
        self._in_background(self._reload())


class _Sink:
    """The engine's end of one watch; one that is lost or closed never disturbs its successor."""

    def __init__(self, state: CacheState, on_lost: "Callable[[_Sink, StorageError], None]") -> None:
        self._state = state
        self._on_lost = on_lost
        self._time = asyncio.get_running_loop().time
        self.lost: StorageError | None = None
        self.closed = False

    def on_batch(self, batch: WatchBatch) -> None:
        if not self.closed:
            self._state.apply(batch, self._time())

    def on_lost(self, error: StorageError) -> None:
        if not self.closed:
            self.closed, self.lost = True, error
            self._on_lost(self, error)
