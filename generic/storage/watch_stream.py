"""WatchEvent and WatchStream: what one watch receives, and its bounded queue.

Filled by the Cacher (synchronously, on the event loop), emptied by the watch endpoint. Mirrors
`apiserver/pkg/storage/cacher/cache_watcher.go`.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from generic.meta.errors import StatusError
from generic.storage.objects import StoredObject
from generic.storage.predicate import Predicate

EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]

BACKLOG_CHUNK = 500
"""Initial or replayed events handed out at once: bounds what a sender joins into one write."""


@dataclass(slots=True, eq=False)
class WatchEvent:
    """One event of a watch; the same instance goes to every watcher that is to see it in the same way.

    `object` is the state to send (DELETED: the last state, at the revision of the deletion), None for BOOKMARK
    and ERROR. `previous` is the state before, if there was one.
    """

    type: EventType
    object: StoredObject | None
    previous: StoredObject | None
    revision: int
    initial_events_end: bool = False
    error: StatusError | None = None
    _encodings: dict[Hashable, bytes] | None = field(default=None, init=False, repr=False)

    def encoding(self, representation: Hashable) -> bytes | None:
        """The bytes another watcher already made of this event for this representation, if any."""
        return self._encodings.get(representation) if self._encodings is not None else None

    def remember_encoding(self, representation: Hashable, encoded: bytes) -> None:
        """Keep the bytes for the other watchers of this event."""
        if self._encodings is None:
            self._encodings = {}
        self._encodings[representation] = encoded


class WatchStream:
    """The events of one watch: first the backlog (initial events or replay), then what happens.

    One reader. The Cacher ends it when the watch cache starts anew or stops, and cuts it off when the reader
    falls too far behind; the client then comes back with the last resourceVersion it saw.
    """

    __slots__ = (
        "__weakref__",
        "_backlog",
        "_ended",
        "_limit",
        "_on_close",
        "_queue",
        "_revision",
        "_waiter",
        "after",
        "bookmarks",
        "cut_off",
        "next_bookmark",
        "on_caught_up",
        "predicate",
    )

    def __init__(
        self,
        predicate: Predicate,
        *,
        after: int,
        backlog: Iterator[WatchEvent],
        bookmarks: bool,
        limit: int,
        revision: Callable[[], int],
        on_close: Callable[["WatchStream"], None],
    ) -> None:
        self.predicate = predicate
        self.after = after
        """Only changes after this revision are for this watch."""
        self.bookmarks = bookmarks
        self.next_bookmark = 0.0
        self.cut_off = False
        """True if the reader was too slow."""
        self.on_caught_up: Callable[[], None] | None = None
        """Called once the backlog has been taken."""
        self._backlog: Iterator[WatchEvent] | None = backlog
        self._queue: list[WatchEvent] = []
        self._limit = limit
        self._revision = revision
        self._on_close = on_close
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False

    async def next_batch(self) -> list[WatchEvent]:
        """Everything there is by now, waiting for something if need be. Empty once the stream has ended."""
        while True:
            if self._backlog is not None:
                chunk = list(islice(self._backlog, BACKLOG_CHUNK))
                if chunk:
                    return chunk
                self._backlog = None
                if self.on_caught_up is not None:
                    self.on_caught_up()
            if self._queue:
                batch, self._queue = self._queue, []
                return batch
            if self._ended:
                return []
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def bookmark(self) -> WatchEvent | None:
        """A bookmark at the newest revision, to send before the watch times out.

        None if the client did not ask for bookmarks, or some events before that revision are still to be taken.
        """
        revision = self._revision()
        if not self.bookmarks or self._ended or self._queue or self._backlog is not None or revision < self.after:
            return None
        return WatchEvent("BOOKMARK", None, None, revision)

    def close(self) -> None:
        """The reader is done with it. Idempotent."""
        if not self._ended:
            self._on_close(self)
        self.end(drain=False)

    def offer(self, event: WatchEvent) -> bool:
        """Queue an event, for the Cacher. False if the queue was full: the stream is then cut off."""
        queue = self._queue
        if len(queue) >= self._limit:
            self.cut_off = True
            self.end(drain=False)
            return False
        queue.append(event)
        self._wake()
        return True

    @property
    def full(self) -> bool:
        """Whether the next event would cut it off."""
        return len(self._queue) >= self._limit

    def end(self, *, drain: bool) -> None:
        """End it, for the Cacher. With `drain` the reader still gets what is queued."""
        self._ended = True
        if not drain:
            self._queue = []
            self._backlog = None
        self._wake()

    def _wake(self) -> None:
        # The reader runs after the Cacher's whole batch, so one wake-up serves all events of it.
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)
