"""The recent past of one resource: what a watch from an earlier revision replays.

Owned by the Cacher's state. Mirrors the cyclic buffer of `apiserver/pkg/storage/cacher/watch_cache.go`,
whose capacity also follows the rate of change: events stay while they are fresh, at least a few always stay,
and neither their number nor their bytes grow beyond a bound.
"""

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter

import orjson

from generic.meta import errors
from generic.storage.objects import StoredObject

_METADATA = b'"metadata":{'

_revision_of = attrgetter("revision")


class Change:
    """One change of one object: `previous` is None if it was created, `current` if it was deleted."""

    __slots__ = ("at", "current", "previous", "revision")

    def __init__(
        self, *, current: StoredObject | None, previous: StoredObject | None, revision: int, at: float
    ) -> None:
        self.current = current
        self.previous = previous
        self.revision = revision
        self.at = at
        """When it was applied, on the event loop's clock."""

    @property
    def subject(self) -> StoredObject:
        """The object as it is now, or as it last was."""
        subject = self.current or self.previous
        assert subject is not None
        return subject


class EventRing:
    """Changes in revision order. Complete from `floor` (exclusive) on."""

    __slots__ = ("_bytes", "_changes", "_first", "_fresh", "_max_bytes", "_max_events", "_min_events", "floor")

    def __init__(
        self,
        *,
        min_events: int = 100,
        max_events: int = 100_000,
        max_bytes: int = 32 * 1024 * 1024,
        fresh_seconds: float = 75.0,
    ) -> None:
        self._min_events = min_events
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._fresh = fresh_seconds
        self.reset(0)

    def __len__(self) -> int:
        return len(self._changes) - self._first

    def reset(self, floor: int) -> None:
        """Forget everything; from now on complete after `floor`."""
        self.floor = floor
        self._changes: list[Change] = []
        self._first = 0
        self._bytes = 0

    def append(self, change: Change) -> None:
        self._changes.append(change)
        self._bytes += _weight(change)
        self.trim(change.at)

    def trim(self, now: float) -> None:
        """Let go of what is over the bounds or no longer fresh."""
        changes = self._changes
        stale = now - self._fresh
        while len(self) > self._min_events:
            oldest = changes[self._first]
            if oldest.at > stale and len(self) <= self._max_events and self._bytes <= self._max_bytes:
                break
            self._bytes -= _weight(oldest)
            self.floor = oldest.revision
            self._first += 1
        # Moving what is left costs its length, so only do it when as much was dropped.
        if self._first > len(self):
            del changes[: self._first]
            self._first = 0

    def since(self, revision: int) -> Sequence[Change]:
        """The changes after `revision`. Raises StatusError 410 if some of them are forgotten."""
        if revision < self.floor:
            raise errors.expired(f"too old resource version: {revision} ({self.floor})")
        return self._changes[bisect_right(self._changes, revision, lo=self._first, key=_revision_of) :]


def restamped(obj: StoredObject, revision: int) -> StoredObject:
    """The same state at another revision: what a DELETED event carries."""
    head, found, tail = obj.raw.partition(_METADATA)
    old = b'"resourceVersion":"%d"' % obj.revision
    # The codec puts resourceVersion first in metadata, and metadata third; anything else is decoded.
    if found and head.startswith(b'{"apiVersion":') and head.count(b":") == 2 and tail.startswith(old):
        raw = b'%b%b"resourceVersion":"%d"%b' % (head, found, revision, tail[len(old) :])
    else:
        decoded = obj.decoded()
        decoded["metadata"]["resourceVersion"] = str(revision)
        raw = orjson.dumps(decoded)
    return StoredObject(
        key=obj.key,
        namespace=obj.namespace,
        name=obj.name,
        revision=revision,
        raw=raw,
        labels=obj.labels,
        fields=obj.fields,
    )


def _weight(change: Change) -> int:
    # The current state is in the table as well; the superseded one lives because of the ring alone.
    return len(change.previous.raw) if change.previous is not None else 0
