"""Who is to see a change: the watchers of one resource, found by scope and selectors.

Owned by the Cacher's state. A change touches only the watchers of its namespace and name and, where they
demand one value of a field, of its old or new value; each distinct selector is evaluated once however many
watchers use it, and all of them share the event. Mirrors `indexedWatchers` of
`apiserver/pkg/storage/cacher/cacher.go` and `convertToWatchEvent` of `cache_watcher.go`.
"""

import random
from collections.abc import Iterator

from generic.storage.cacher_ring import Change, restamped
from generic.storage.objects import StoredObject
from generic.storage.predicate import Predicate
from generic.storage.watch_stream import WatchEvent, WatchStream

_Bucket = tuple[str, str, str, str]


class Delivery:
    """The up to three events one change may be, each made when the first watcher needs it."""

    __slots__ = ("_added", "_change", "_deleted", "_modified")

    def __init__(self, change: Change) -> None:
        self._change = change
        self._added: WatchEvent | None = None
        self._modified: WatchEvent | None = None
        self._deleted: WatchEvent | None = None

    def to(self, predicate: Predicate) -> WatchEvent | None:
        """The event for a watcher that selects by `predicate`'s selectors; None if it never saw the object."""
        previous, current = self._change.previous, self._change.current
        before, now = previous is not None, current is not None
        if predicate.has_selectors:
            before = previous is not None and predicate.selects(previous)
            now = current is not None and predicate.selects(current)
        return self._event(before=before, now=now)

    def unfiltered(self) -> WatchEvent:
        event = self._event(before=self._change.previous is not None, now=self._change.current is not None)
        assert event is not None
        return event

    def _event(self, *, before: bool, now: bool) -> WatchEvent | None:
        change = self._change
        if now and before:
            if self._modified is None:
                self._modified = WatchEvent("MODIFIED", change.current, change.previous, change.revision)
            return self._modified
        if now:
            if self._added is None:
                self._added = WatchEvent("ADDED", change.current, change.previous, change.revision)
            return self._added
        if before:
            if self._deleted is None:
                assert change.previous is not None
                last = restamped(change.previous, change.revision)
                self._deleted = WatchEvent("DELETED", last, change.previous, change.revision)
            return self._deleted
        return None


class WatcherIndex:
    """The running watches of one resource."""

    def __init__(self, *, bookmark_period: float) -> None:
        # (namespace, name, trigger field, its value) -> predicate -> its watchers, in the order they came.
        self._buckets: dict[_Bucket, dict[Predicate, dict[WatchStream, None]]] = {}
        # How many buckets there are by trigger field.
        self._triggers: dict[str, int] = {}
        self._bookmarked: dict[WatchStream, None] = {}
        self._period = bookmark_period

    def __len__(self) -> int:
        return sum(len(group) for groups in self._buckets.values() for group in groups.values())

    def __iter__(self) -> Iterator[WatchStream]:
        return (stream for groups in self._buckets.values() for group in groups.values() for stream in group)

    @property
    def any_bookmarked(self) -> bool:
        return bool(self._bookmarked)

    def add(self, stream: WatchStream, now: float) -> None:
        predicate = stream.predicate
        bucket = (*predicate.scope, *predicate.trigger)
        if bucket not in self._buckets:
            self._buckets[bucket] = {}
            self._triggers[bucket[2]] = self._triggers.get(bucket[2], 0) + 1
        self._buckets[bucket].setdefault(predicate, {})[stream] = None
        if stream.bookmarks:
            self._schedule(stream, now)
            self._bookmarked[stream] = None

    def remove(self, stream: WatchStream) -> None:
        """Idempotent."""
        self._bookmarked.pop(stream, None)
        predicate = stream.predicate
        bucket = (*predicate.scope, *predicate.trigger)
        groups = self._buckets.get(bucket)
        if groups is None or stream not in groups.get(predicate, ()):
            return
        del groups[predicate][stream]
        if not groups[predicate]:
            del groups[predicate]
        if not groups:
            del self._buckets[bucket]
            self._triggers[bucket[2]] -= 1
            if not self._triggers[bucket[2]]:
                del self._triggers[bucket[2]]

    def dispatch(self, change: Change, delivery: Delivery) -> None:
        """Queue the change for every watcher that is to see it; cut off those whose queue is full."""
        slow: list[WatchStream] = []
        for bucket in self._touched(change):
            for predicate, group in self._buckets.get(bucket, {}).items():
                event = delivery.to(predicate)
                if event is None:
                    continue
                revision = change.revision
                for stream in group:
                    if revision > stream.after and not stream.offer(event):
                        slow.append(stream)
        for stream in slow:
            self.remove(stream)

    def bookmark(self, revision: int, now: float) -> None:
        """Give a bookmark to each watcher whose time has come."""
        due = [s for s in self._bookmarked if s.next_bookmark <= now and s.after <= revision]
        if not due:
            return
        event = WatchEvent("BOOKMARK", None, None, revision)
        for stream in due:
            self._schedule(stream, now)
            # A bookmark is a courtesy: a full queue is no reason to end the watch for it.
            if not stream.full:
                stream.offer(event)

    def end_all(self) -> None:
        """End every watch; what is queued is still delivered."""
        for stream in list(self):
            stream.end(drain=True)
        self._buckets.clear()
        self._triggers.clear()
        self._bookmarked.clear()

    def _touched(self, change: Change) -> Iterator[_Bucket]:
        """The buckets whose watchers may care about the change."""
        scopes = _scopes_of(change.subject)
        for field in self._triggers:
            states = (change.previous, change.current)
            # Watchers without a trigger are in the bucket of no field and no value.
            values = {obj.fields.get(field, "") for obj in states if obj is not None} if field else ("",)
            for value in values:
                for namespace, name in scopes:
                    yield namespace, name, field, value

    def _schedule(self, stream: WatchStream, now: float) -> None:
        stream.next_bookmark = now + self._period * random.uniform(0.75, 1.25)


def _scopes_of(obj: StoredObject) -> tuple[tuple[str, str], ...]:
    """The scopes under which a watcher of this object may be registered."""
    if obj.namespace:
        return (("", ""), (obj.namespace, ""), (obj.namespace, obj.name), ("", obj.name))
    return (("", ""), ("", obj.name))
