"""The synchronous heart of the watch cache: current objects, recent changes, who looks on.

Fed by the Cacher with what the engine's watch says; never awaits, so every reader between two awaits sees
one consistent state. Mirrors `apiserver/pkg/storage/cacher/watch_cache.go`.
"""

import logging
from collections.abc import Callable, Iterator, Sequence

from generic.meta.gvk import GroupResource
from generic.storage.cacher_ring import Change, EventRing
from generic.storage.cacher_table import ObjectTable
from generic.storage.cacher_watchers import Delivery, WatcherIndex
from generic.storage.interface import KeyValue, StorageEvent, WatchBatch
from generic.storage.objects import Codec, StoredObject
from generic.storage.predicate import Predicate, matching
from generic.storage.watch_stream import WatchEvent

Listener = Callable[[WatchEvent], None]

log = logging.getLogger(__name__)


class CacheState:
    """Objects, ring, watchers and listeners of one resource, moved on by `apply` and `replace`."""

    def __init__(self, codec: Codec, *, resource: GroupResource, bookmark_period: float, ring: EventRing) -> None:
        self._codec = codec
        self._resource = resource
        self.table = ObjectTable()
        self.ring = ring
        self.watchers = WatcherIndex(bookmark_period=bookmark_period)
        self.revision = 0
        """Every change up to here is applied."""
        self.changed = 0
        """No object changed after this revision (and up to `revision`)."""
        self.unreadable: dict[str, int] = {}
        """Keys whose newest stored value cannot be decoded, and its revision."""
        self._listeners: dict[Listener, None] = {}

    def apply(self, batch: WatchBatch, now: float) -> None:
        """Take in one batch of the engine's watch and pass it on. `now` is the event loop's clock."""
        for event in batch.events:
            change = self._change(event, now)
            if change is None:
                continue
            self.changed = self.revision = change.revision
            self.ring.append(change)
            delivery = Delivery(change)
            if self._listeners:
                self._tell(delivery.unfiltered())
            self.watchers.dispatch(change, delivery)
        self.revision = max(self.revision, batch.revision)

    def replace(self, objects: Sequence[StoredObject], unreadable: dict[str, int], *, revision: int) -> None:
        """Start anew from a listing at `revision`. Watches are ended; listeners are told the difference."""
        self.watchers.end_all()
        before, self.table = self.table, ObjectTable(objects)
        self.unreadable = unreadable
        # What happened before the listing is unknown, deletions most of all.
        self.revision = self.changed = revision
        self.ring.reset(revision)
        if self._listeners:
            for change in _difference(before, self.table, unreadable, revision):
                self._tell(Delivery(change).unfiltered())

    def decode(self, item: KeyValue) -> StoredObject | None:
        """The object, the one in the table if it is that very revision; None, and a log line, if unreadable."""
        known = self.table.get(item.key)
        if known is not None and known.revision == item.mod_revision:
            return known
        try:
            return self._codec.decode(item)
        except Exception as error:  # whatever is stored there must not stop the readable ones from being served
            log.error("unreadable object of %s at %s: %s", self._resource, item.key, error)
            return None

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every object there is, as ADDED, and of every change. Returns how to stop it."""
        self._listeners[listener] = None
        for event in self.initial_events(Predicate(), self.table.below("")):
            self._call(listener, event)

        def stop() -> None:
            self._listeners.pop(listener, None)

        return stop

    @staticmethod
    def initial_events(predicate: Predicate, objects: Sequence[StoredObject]) -> Iterator[WatchEvent]:
        """An ADDED for each matching object, made as they are taken."""
        return (WatchEvent("ADDED", obj, None, obj.revision) for obj in matching(predicate, objects))

    @staticmethod
    def replayed_events(predicate: Predicate, changes: Sequence[Change]) -> Iterator[WatchEvent]:
        """What a watcher would have received of `changes`, made as they are taken."""
        for change in changes:
            if predicate.in_scope(change.subject):
                event = Delivery(change).to(predicate)
                if event is not None:
                    yield event

    def _change(self, event: StorageEvent, now: float) -> Change | None:
        item = event.item
        previous = self.table.get(item.key)
        if previous is not None and item.mod_revision <= previous.revision:
            return None
        if event.deleted:
            self.unreadable.pop(item.key, None)
            self.table.remove(item.key)
            current = None
        else:
            current = self.decode(item)
            if current is None:
                # The last readable state stays: to drop it would tell watchers of a deletion that was none.
                self.unreadable[item.key] = item.mod_revision
                return None
            self.unreadable.pop(item.key, None)
            self.table.put(current)
        if current is None and previous is None:
            return None
        return Change(current=current, previous=previous, revision=item.mod_revision, at=now)

    def _tell(self, event: WatchEvent) -> None:
        for listener in tuple(self._listeners):
            self._call(listener, event)

    def _call(self, listener: Listener, event: WatchEvent) -> None:
        try:
            listener(event)
        except Exception:  # an observer's fault must stop neither the others nor the watches
            log.exception("a listener of %s failed", self._resource)


def _difference(before: ObjectTable, after: ObjectTable, unreadable: dict[str, int], revision: int) -> Iterator[Change]:
    for previous in before.below(""):
        if after.get(previous.key) is None and previous.key not in unreadable:
            yield Change(current=None, previous=previous, revision=revision, at=0.0)
    for current in after.below(""):
        known = before.get(current.key)
        if known is None or known.revision != current.revision:
            yield Change(current=current, previous=known, revision=current.revision, at=0.0)
