"""The seam between the API machinery and the disk: versioned key-value storage with etcd's model.

Called by the Cacher and the Store only. Engines (`sqlite.py`, `etcd.py`) implement `Storage`; both
pass the one suite in `tests/contract/`. The model mirrors etcd v3: one global revision that every
write raises by one, keys that remember the revisions of their creation and last change, reads at a
past revision until it is compacted, and watches that replay from a revision.

Keys are text (`/registry/<group>/<resource>/<namespace>/<name>`), values are bytes the engine does
not look into.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


class StorageError(Exception):
    """The engine could not do it (disk, network, time-out). `retriable` if the same call may succeed later."""

    def __init__(self, message: str, *, retriable: bool = True) -> None:
        super().__init__(message)
        self.retriable = retriable


class OutcomeUnknown(StorageError):
    """The engine was lost while a write was under way: it may or may not have been applied."""


class Compacted(StorageError):
    """The asked-for revision was compacted away. `compact_revision` is the oldest still readable."""

    def __init__(self, compact_revision: int) -> None:
        super().__init__("the requested revision has been compacted", retriable=False)
        self.compact_revision = compact_revision


class FutureRevision(StorageError):
    """The asked-for revision has not happened yet. `current_revision` is the newest."""

    def __init__(self, current_revision: int) -> None:
        super().__init__("the requested revision is in the future")
        self.current_revision = current_revision


class CompareFailed(Exception):
    """A write's expectation did not hold; nothing was written. `current` is what is there (None: no key)."""

    def __init__(self, current: "KeyValue | None") -> None:
        super().__init__("compare-and-swap failed")
        self.current = current


@dataclass(frozen=True, slots=True)
class KeyValue:
    """One key at one revision."""

    key: str
    value: bytes
    create_revision: int
    mod_revision: int


@dataclass(frozen=True, slots=True)
class GetResult:
    """`item` is None if the key does not exist; `revision` is the store's at the time of the read."""

    item: KeyValue | None
    revision: int


@dataclass(frozen=True, slots=True)
class RangeResult:
    """Part of a key range, in key order. `count` is the number of keys from `start` on, before the limit."""

    items: Sequence[KeyValue]
    revision: int
    more: bool
    count: int


@dataclass(frozen=True, slots=True)
class StorageEvent:
    """One change of one key. For a deletion `item.value` is empty and `item.mod_revision` that of the deletion."""

    item: KeyValue
    deleted: bool

    @property
    def created(self) -> bool:
        return not self.deleted and self.item.create_revision == self.item.mod_revision


@dataclass(frozen=True, slots=True)
class WatchBatch:
    """Changes in revision order, all at or below `revision`; no events means progress only."""

    events: Sequence[StorageEvent]
    revision: int


class WatchSink(Protocol):
    """Receives a watch. Called on the event loop, in order, and must not block or raise."""

    def on_batch(self, batch: WatchBatch) -> None:
        """All of `batch.events` happened; nothing else below the prefix did up to `batch.revision`."""

    def on_lost(self, error: StorageError) -> None:
        """The watch is over: `Compacted` if it must start anew, else the engine gave up. Called at most once."""


class WatchHandle(Protocol):
    """A running watch."""

    @property
    def revision(self) -> int:
        """Every change up to this revision has been given to the sink."""

    async def sync(self, revision: int) -> None:
        """Return once `self.revision >= revision`, nudging the engine for progress where it needs that.

        Raises StorageError if the watch is lost meanwhile.
        """

    def cancel(self) -> None:
        """Stop; the sink is not called again."""


class Storage(Protocol):
    """A versioned key-value store. All coroutines raise StorageError if the engine fails."""

    async def start(self) -> None:
        """Open files or connections. Raises StorageError with a one-line message fit for a user."""

    async def close(self) -> None:
        """Finish what is under way, then let go of files and connections. Idempotent."""

    async def revision(self) -> int:
        """The newest revision, linearizable: not older than any write acknowledged before the call."""

    async def get(self, key: str, *, revision: int = 0) -> GetResult:
        """Read one key, at a past revision if given. Raises Compacted or FutureRevision."""

    async def range(self, prefix: str, *, start: str = "", limit: int = 0, revision: int = 0) -> RangeResult:
        """Read the keys that begin with `prefix`, from `start` (inclusive) on, in key order.

        `limit` 0 means all. Raises Compacted or FutureRevision.
        """

    async def put(self, key: str, value: bytes, *, expected_revision: int, ttl: float | None = None) -> KeyValue:
        """Write if the key's mod revision is `expected_revision` (0: the key must not exist).

        `ttl` in seconds: the key disappears by itself after that, as a deletion that watches see; a
        later put replaces the TTL (None removes it). Returns only after the write is durable.
        Raises CompareFailed with what is there, or OutcomeUnknown.
        """

    async def delete(self, key: str, *, expected_revision: int) -> int:
        """Delete if the key's mod revision is `expected_revision`. Returns the deletion's revision, once durable.

        Raises CompareFailed with what is there (None: already gone), or OutcomeUnknown.
        """

    async def watch(self, prefix: str, *, after_revision: int, sink: WatchSink) -> WatchHandle:
        """Give `sink` every change below `prefix` after `after_revision`, the past ones first.

        The engine survives reconnects by itself. Raises Compacted or StorageError at the start.
        """

    async def compact(self, revision: int) -> None:
        """Forget what was superseded before `revision`: reads and watches from earlier raise Compacted."""


StorageOpener = Callable[[], Storage]
"""Makes an engine that has not been started."""
