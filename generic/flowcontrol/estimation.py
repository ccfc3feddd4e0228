"""How many seats a request takes: lists by the size of what they read, writes by who watches.

Asked by the filter for lists, watches and writes; anything else takes one. Mirrors
`apiserver/pkg/util/flowcontrol/request` (SizeBasedListCostEstimate) and `watch_tracker.go`. Of lists it leaves out
that ours seldom leave memory: only exact revisions and pages do.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from generic.flowcontrol.queueset import ONE_SEAT, Work
from generic.meta.selectors import FieldSelector
from generic.request.info import RequestInfo

_BYTES_PER_SEAT = 100_000
_MOST_STREAMED = 1_000_000
"""Bytes a list from memory holds at once: it is sent as it is made."""
_MOST_FOR_LISTS = 100
_MOST_FOR_WRITES = 10
_WATCHES_PER_SEAT = 10
_EVENT_SECONDS = 0.005
"""For which the watchers of one seat are busy with an event."""
_INDEXES = {"pods": "spec.nodeName"}
"""Watchers of one value of these fields are found at once: they cost others nothing."""

_WRITES = frozenset(("create", "update", "patch", "delete"))


@dataclass(frozen=True, slots=True)
class Stored:
    """What there is of a resource: objects, and bytes of an average one."""

    objects: int
    average: int


StoredOf = Callable[[str, str], Stored | None]
"""By group and resource; None of what this server does not store."""

_Watched = tuple[str, str, str, str]


class Estimator:
    """Knows what is stored and, told by the filter, who watches."""

    def __init__(self, stored: StoredOf) -> None:
        self._stored = stored
        self._watches: dict[_Watched, int] = {}

    def estimate(self, info: RequestInfo, query: bytes, widest: int) -> Work:
        """`widest`: the seats a request of its level may take; 0 for no limit."""
        if not info.is_resource_request:
            return ONE_SEAT
        if info.verb in _WRITES:
            return self._write(info, min(widest or _MOST_FOR_WRITES, _MOST_FOR_WRITES))
        if info.verb == "list" or info.verb == "watch":
            return self._list(info, query, min(widest or _MOST_FOR_LISTS, _MOST_FOR_LISTS))
        return ONE_SEAT

    # Lists.

    def _list(self, info: RequestInfo, query: bytes, most: int) -> Work:
        given = _given(query)
        revision, limit = given.get("resourceVersion", ""), given.get("limit", "")
        is_certain = revision not in ("", "0")
        if info.verb == "watch" and is_certain and given.get("sendInitialEvents") != "true":
            return ONE_SEAT
        stored = self._stored(info.group, info.resource)
        if stored is None:
            return ONE_SEAT
        listed = min(stored.objects, int(limit)) if limit.isdecimal() and int(limit) else stored.objects
        is_exact = given.get("resourceVersionMatch") == "Exact" or bool(limit and is_certain)
        is_from_memory = info.verb == "watch" or not (given.get("continue") or is_exact)
        if info.name:
            listed = 1
        elif not is_from_memory and (info.field_selector or info.label_selector):
            listed = max(listed, stored.objects // 2)
        size = listed * stored.average
        seats = math.ceil((min(size, _MOST_STREAMED) if is_from_memory else size) / _BYTES_PER_SEAT)
        return Work(min(max(seats, 1), most)) if seats > 1 else ONE_SEAT

    # Writes.

    def _write(self, info: RequestInfo, most: int) -> Work:
        watches = self.watches(info)
        if watches < _WATCHES_PER_SEAT or (info.resource, info.subresource) == ("serviceaccounts", "token"):
            return ONE_SEAT
        seats = math.ceil(watches / _WATCHES_PER_SEAT)
        final = min(seats, most)
        return Work(1, final, seats * _EVENT_SECONDS / final)

    def watches(self, info: RequestInfo) -> int:
        """How many watch what a write changes: everything of its resource, its namespace, or itself."""
        found = self._watches
        if not found:
            return 0
        group, resource, namespace, name = info.group, info.resource, info.namespace, info.name
        count = found.get((group, resource, "", ""), 0)
        if namespace:
            count += found.get((group, resource, namespace, ""), 0)
        return count + found.get((group, resource, namespace, name), 0) if name else count

    def watch_began(self, info: RequestInfo) -> Callable[[], None]:
        """Count a watch; returns what to call when it is over."""
        field = _INDEXES.get(info.resource)
        if field is not None and _exact(info.field_selector, field):
            return lambda: None
        key = (info.group, info.resource, info.namespace, info.name)
        self._watches[key] = self._watches.get(key, 0) + 1
        return lambda: self._watch_ended(key)

    def _watch_ended(self, key: _Watched) -> None:
        left = self._watches[key] - 1
        if left:
            self._watches[key] = left
        else:
            del self._watches[key]


def _given(query: bytes) -> dict[str, str]:
    if not query:
        return {}
    return {key: values[0] for key, values in parse_qs(query.decode("latin-1")).items()}


def _exact(selector: str, field: str) -> str:
    if field not in selector:
        return ""
    try:
        return FieldSelector.parse(selector).exact(field) or ""
    except ValueError:
        return ""
