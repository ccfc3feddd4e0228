"""WatchHub: one stream of changes, given to each of the engine's watches that it concerns.

Owned by an engine, which feeds it every change of the store in revision order; it calls the watch sinks. Knows
nothing of disks or networks. Runs on the event loop only.

    engine: join --> the past, by replay --> go_live
            publish(changes) --> held back until live, then WatchSink.on_batch
"""

import asyncio
import heapq
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from generic.storage.interface import StorageError, StorageEvent, WatchBatch, WatchSink

log = logging.getLogger(__name__)

MOST_ROUTES = 10_000
"""Folders remembered; beyond that memory is worth more than the time to look through the watches."""


class WatchHub:
    """The running watches of one engine."""

    def __init__(self, revision: int) -> None:
        self._revision = revision
        self._handles: dict[HubHandle, None] = {}
        self._routes: dict[str, _Route] = {}
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._waits = 0

    @property
    def revision(self) -> int:
        """Every change up to this revision has been published."""
        return self._revision

    def restart(self, revision: int) -> None:
        """Begin anew at `revision`, with no watches."""
        self._revision = revision

    def join(self, prefix: str, *, after_revision: int, sink: WatchSink) -> "HubHandle":
        """Begin a watch. What is published from now on is held back until `go_live`; the past is the engine's."""
        handle = HubHandle(self, prefix, after_revision=after_revision, sink=sink)
        self._handles[handle] = None
        self._routes.clear()
        return handle

    def leave(self, handle: "HubHandle") -> None:
        """Forget a watch."""
        if handle in self._handles:
            del self._handles[handle]
            self._routes.clear()

    def wants(self, key: str) -> bool:
        """Whether any watch is concerned with `key`."""
        return bool(self._concerned(key))

    def publish(self, events: Sequence[StorageEvent], revision: int) -> None:
        """Give every watch its part of `events`, which are all the changes up to `revision` not yet published."""
        parts: dict[HubHandle, list[StorageEvent]] = {}
        for event in events:
            for handle in self._concerned(event.item.key):
                parts.setdefault(handle, []).append(event)
        for handle, part in parts.items():
            handle.take(part, revision)
        self._revision = revision
        while self._waiting and self._waiting[0][0] <= revision:
            waiter = heapq.heappop(self._waiting)[2]
            if not waiter.done():
                waiter.set_result(None)

    async def reached(self, revision: int) -> None:
        """Return once everything up to `revision` is published. Raises what `end` is given."""
        if revision <= self._revision:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waits += 1
        heapq.heappush(self._waiting, (revision, self._waits, waiter))
        await waiter

    def end(self, error: StorageError) -> None:
        """All watches are over because of `error`."""
        handles, self._handles = list(self._handles), {}
        self._routes.clear()
        waiting, self._waiting = self._waiting, []
        for _, _, waiter in waiting:
            if not waiter.done():
                waiter.set_exception(error)
        for handle in handles:
            handle.lose(error)

    def _concerned(self, key: str) -> tuple["HubHandle", ...]:
        # Keys of one folder concern the same watches, unless a prefix ends within a name.
        folder = key[: key.rfind("/") + 1]
        route = self._routes.get(folder)
        if route is None:
            route = self._find_route(folder)
        if route.whole:
            return route.handles
        return tuple(handle for handle in route.handles if handle.covers(key))

    def _find_route(self, folder: str) -> "_Route":
        handles = tuple(h for h in self._handles if h.covers(folder) or h.prefix.startswith(folder))
        if len(self._routes) >= MOST_ROUTES:
            self._routes.clear()
        route = self._routes[folder] = _Route(handles, whole=all(handle.covers(folder) for handle in handles))
        return route


class HubHandle:
    """A running watch (`WatchHandle`). `replay` and `go_live` are the engine's, `take` and `lose` the hub's."""

    __slots__ = ("_after", "_error", "_held", "_hub", "_sink", "joined_at", "prefix")

    def __init__(self, hub: WatchHub, prefix: str, *, after_revision: int, sink: WatchSink) -> None:
        self._hub = hub
        self._after = after_revision
        self._sink: WatchSink | None = sink
        self._held: list[StorageEvent] | None = []
        self._error: StorageError | None = None
        self.prefix = prefix
        self.joined_at = hub.revision
        """What is later is held back; the past ends here, inclusively."""

    @property
    def revision(self) -> int:
        """Every change up to this revision has been given to the sink, or was not asked for."""
        return self._after if self._held is not None else max(self._after, self._hub.revision)

    def covers(self, key: str) -> bool:
        """Whether this watch is about `key`."""
        return key.startswith(self.prefix)

    async def sync(self, revision: int) -> None:
        """Return once `self.revision >= revision`. Raises StorageError if the watch is lost meanwhile."""
        if self._error is not None:
            raise self._error
        if self.revision < revision:
            await self._hub.reached(revision)

    def cancel(self) -> None:
        """Stop; the sink is not called again."""
        self._sink = None
        self._hub.leave(self)

    def replay(self, events: Sequence[StorageEvent], revision: int) -> None:
        """Give the sink a part of the past, complete up to `revision`."""
        if self._sink is not None and events:
            self._deliver(events, revision)
        self._after = max(self._after, revision)

    def go_live(self) -> None:
        """The past is complete: give the sink what was held back. Raises StorageError if lost meanwhile."""
        if self._error is not None:
            raise self._error
        held, self._held = self._held, None
        if held:
            self.take(held, self._hub.revision)

    def take(self, events: list[StorageEvent], revision: int) -> None:
        """Changes as they happen, in revision order."""
        if self._held is not None:
            self._held += events
            return
        if events[0].item.mod_revision <= self._after:
            events = [event for event in events if event.item.mod_revision > self._after]
        if events and self._sink is not None:
            self._deliver(events, revision)

    def lose(self, error: StorageError) -> None:
        """The watch is over."""
        self._error = error
        sink, self._sink, held = self._sink, None, self._held
        if sink is not None and held is None:  # else `watch` is still under way, and raises it
            sink.on_lost(error)

    def _deliver(self, events: Sequence[StorageEvent], revision: int) -> None:
        assert self._sink is not None
        try:
            self._sink.on_batch(WatchBatch(events, revision))
        except Exception:
            # A broken sink must not keep others from their events, or writers from their acknowledgement.
            log.exception("the watch of %s failed to take a change", self.prefix)


@dataclass(frozen=True, slots=True)
class _Route:
    handles: tuple[HubHandle, ...]
    whole: bool
    """Whether they are about every key of the folder."""
