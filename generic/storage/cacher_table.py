"""ObjectTable: the objects of one resource, by key and in key order.

Owned by the Cacher's state. Two parallel sorted lists beside a dict: a range is a slice (10,000 objects in
tens of microseconds, and a snapshot at once), a change of a known key is a bisection, and a new key moves
pointers in memory, which stays cheaper than a tree up to hundreds of thousands of keys.
"""

from bisect import bisect_left
from collections.abc import Iterable
from itertools import pairwise

from generic.storage.objects import StoredObject


class ObjectTable:
    """A sorted map from key to StoredObject."""

    __slots__ = ("_by_key", "_keys", "_values")

    def __init__(self, objects: Iterable[StoredObject] = ()) -> None:
        values = list(objects)
        if any(before.key >= after.key for before, after in pairwise(values)):
            values = [obj for _, obj in sorted({obj.key: obj for obj in values}.items())]
        self._values = values
        self._keys = [obj.key for obj in values]
        self._by_key = dict(zip(self._keys, values, strict=True))

    def __len__(self) -> int:
        return len(self._keys)

    def get(self, key: str) -> StoredObject | None:
        return self._by_key.get(key)

    def put(self, obj: StoredObject) -> None:
        """Insert, or replace what is at the object's key."""
        key = obj.key
        at = bisect_left(self._keys, key)
        if key in self._by_key:
            self._values[at] = obj
        else:
            self._keys.insert(at, key)
            self._values.insert(at, obj)
        self._by_key[key] = obj

    def remove(self, key: str) -> StoredObject | None:
        """Take out and return the object at `key`, if there is one."""
        obj = self._by_key.pop(key, None)
        if obj is not None:
            at = bisect_left(self._keys, key)
            del self._keys[at]
            del self._values[at]
        return obj

    def below(self, prefix: str, start: str = "") -> list[StoredObject]:
        """The objects whose keys begin with `prefix` (which ends in "/"), from key `start` on, in key order."""
        low = bisect_left(self._keys, max(prefix, start))
        # "0" is the character after "/": the first key behind everything below the prefix.
        high = bisect_left(self._keys, prefix[:-1] + "0", lo=low) if prefix else len(self._keys)
        return self._values[low:high]
