"""Cacher: the watch cache of one stored resource, shared by all its served versions.

Called by the Store (reads, lists, watches) and by in-process observers (RBAC, the namespace lister). Calls a
storage engine for its first listing, its one watch, and for what the cache cannot answer. Mirrors
`apiserver/pkg/storage/cacher` (KEP-2340 consistent reads from cache, KEP-3157 watch-list, KEP-4568 resilient
initialization).

Changes are applied on the event loop without awaiting, so what a reader sees between two awaits is one
revision.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from generic.meta import errors
from generic.meta.gvk import GroupResource
from generic.storage import continue_token as tokens
from generic.storage import failures
from generic.storage.cacher_feed import Feed, Patience
from generic.storage.cacher_list import ListReader, ListResult, Page
from generic.storage.cacher_ring import EventRing
from generic.storage.cacher_state import CacheState, Listener
from generic.storage.interface import Storage, StorageError
from generic.storage.objects import Codec, StoredObject
from generic.storage.predicate import Predicate
from generic.storage.watch_stream import WatchEvent, WatchStream

__all__ = ["Cacher", "ListResult", "Patience"]


class Cacher:
    """Reads, lists and watches of one group-resource, from memory.

    Its objects stand below `prefix`, then `path`: by default the group and the resource.
    Every coroutine starts the cache if need be. While it cannot be (re)loaded they raise StatusError 429
    `storage is (re)initializing` after `patience.ready` seconds, or what the engine's failure maps to.
    """

    def __init__(
        self,
        storage: Storage,
        prefix: str,
        codec: Codec,
        *,
        resource: GroupResource,
        namespaced: bool,
        path: str = "",
        bookmark_period: float = 60.0,
        queue_limit: int = 4096,
        patience: Patience | None = None,
        ring: EventRing | None = None,
    ) -> None:
        self._storage = storage
        self._resource = resource
        self._namespaced = namespaced
        group = f"{resource.group}/" if resource.group else ""
        self._prefix = f"{prefix.rstrip('/')}/{path or group + resource.resource}/"
        self._bookmark_period = bookmark_period
        self._queue_limit = queue_limit
        # Not `ring or ...`: an empty ring is falsy.
        ring = ring if ring is not None else EventRing()
        self._state = CacheState(codec, resource=resource, bookmark_period=bookmark_period, ring=ring)
        self._lists = ListReader(self._state, storage, resource=resource)
        self._feed = Feed(self._state, storage, self._prefix, resource=resource, patience=patience or Patience())
        self._ticking: asyncio.TimerHandle | None = None
        self._behind = False

    # -- what it covers ------------------------------------------------------------------------------------

    def key(self, namespace: str, name: str) -> str:
        """The storage key of an object; `namespace` is empty for cluster-scoped resources."""
        return f"{self._prefix}{namespace}/{name}" if self._namespaced else f"{self._prefix}{name}"

    @property
    def revision(self) -> int:
        """Every change up to this revision is in the cache."""
        return self._feed.revision

    # -- life ----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Load the cache and watch storage. Idempotent; concurrent callers share one load."""
        await self._feed.start()

    async def stop(self) -> None:
        """End all watches cleanly and let go of storage. Idempotent; the cacher cannot be started again."""
        if self._ticking is not None:
            self._ticking.cancel()
        self._state.watchers.end_all()
        await self._feed.stop()

    # -- reads ---------------------------------------------------------------------------------------------

    async def get(self, namespace: str, name: str, *, resource_version: str = "") -> StoredObject | None:
        """The object, or None: the newest for "", any state for "0", one at least as new as N otherwise."""
        key = self.key(namespace, name)
        revision = tokens.parse_resource_version(resource_version)
        await self._feed.start()
        if not resource_version:
            return await self._get_newest(key)
        if revision > self.revision:
            await self._feed.until(revision, "get")
        return self._cached(key)

    def peek(self, namespace: str, name: str) -> StoredObject | None:
        """What the cache has right now, without waiting for anything."""
        return self.held(self.key(namespace, name))

    def held(self, key: str) -> StoredObject | None:
        """`peek` by storage key."""
        return self._state.table.get(key)

    def peek_all(self, namespace: str = "") -> Sequence[StoredObject]:
        """All objects (of a namespace) the cache has right now, in key order, without waiting for anything."""
        return self._state.table.below(self._scope_prefix(namespace))

    async def list(
        self,
        predicate: Predicate,
        *,
        resource_version: str = "",
        match: str = "",
        limit: int = 0,
        continue_token: str = "",
    ) -> ListResult:
        """A list, or the page of one that `limit` and `continue_token` ask for.

        `match` is "", "Exact" or "NotOlderThan"; the caller has refused combinations Kubernetes does not allow.
        Raises StatusError: 400 for a malformed resourceVersion or token, 410 for a compacted revision (with a
        token to go on inconsistently, if one was given), 504 for a revision that does not come in time.
        """
        namespace, name = predicate.scope
        prefix = self._scope_prefix(namespace)
        revision = tokens.parse_resource_version(resource_version)
        start = ""
        if continue_token:
            if revision:
                raise errors.bad_request("specifying resource version is not allowed when using continue")
            start, revision = tokens.decode(continue_token, prefix)
        only = self.key(namespace, name) if name and (namespace or not self._namespaced) else ""
        page = Page(prefix, only, start, limit, token=bool(continue_token))
        await self._feed.start()
        if revision > 0 and (continue_token or match == "Exact" or (limit and not match)):
            await self._feed.until(revision, "list")
            return await self._lists.at_revision(predicate, page, revision=revision, newest=self.revision)
        if revision > 0:
            await self._feed.until(revision, "list")
        elif continue_token or not resource_version:
            try:
                await self._feed.until_newest("list")
            except errors.StatusError:
                # A cache that lags must not make the newest state unreadable while storage itself answers.
                return await self._lists.at_revision(predicate, page, revision=0, newest=self.revision)
        return self._lists.from_cache(predicate, page, revision=self.revision)

    # -- watches -------------------------------------------------------------------------------------------

    async def watch(
        self,
        predicate: Predicate,
        *,
        resource_version: str = "",
        send_initial_events: bool | None = None,
        bookmarks: bool = False,
    ) -> WatchStream:
        """Watch from after revision N, or, for "" and "0" or with `send_initial_events`, from the state itself.

        The caller closes the stream. Raises StatusError: 400 for a malformed resourceVersion, 410 if N is too
        old, 504 if initial events at least as new as N do not come in time.
        """
        revision = tokens.parse_resource_version(resource_version)
        await self._feed.start()
        initial = revision == 0 if send_initial_events is None else send_initial_events
        if not resource_version:
            await self._feed.until_newest("watch")
        elif initial and revision > self.revision:
            await self._feed.until(revision, "watch")
        if not self._feed.running:
            raise failures.reinitializing()
        # Nothing awaits from here on: the stream's backlog and its place in the index meet without a gap.
        now = self.revision
        after = now if initial else (revision or now)
        stream = WatchStream(
            predicate,
            after=after,
            backlog=self._backlog(predicate, after, initial=initial, marked=bookmarks and bool(send_initial_events)),
            bookmarks=bookmarks,
            limit=self._queue_limit,
            revision=lambda: self.revision,
            on_close=self._state.watchers.remove,
        )
        self._state.watchers.add(stream, asyncio.get_running_loop().time())
        if bookmarks and self._ticking is None:
            self._tick_later()
        return stream

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` for every object the cache has, as ADDED, and for every change. Returns how to end it.

        Synchronous and in order, before the change is visible to any watcher; the listener must not block.
        After the cache had to start anew it is told the difference.
        """
        return self._state.subscribe(listener)

    # -- inside --------------------------------------------------------------------------------------------

    def _scope_prefix(self, namespace: str) -> str:
        return f"{self._prefix}{namespace}/" if namespace and self._namespaced else self._prefix

    def _backlog(self, predicate: Predicate, after: int, *, initial: bool, marked: bool) -> Iterator[WatchEvent]:
        if not initial:
            return self._state.replayed_events(predicate, self._state.ring.since(after))
        found = self._state.table.below(self._scope_prefix(predicate.scope[0]))
        events = self._state.initial_events(predicate, found)
        if not marked:
            return events
        return chain(events, (WatchEvent("BOOKMARK", None, None, after, initial_events_end=True),))

    def _cached(self, key: str) -> StoredObject | None:
        if key in self._state.unreadable:
            raise errors.internal_error(f"unable to decode the stored object at {key}")
        return self._state.table.get(key)

    async def _get_newest(self, key: str) -> StoredObject | None:
        """Linearizable. With a cache that leads (sqlite) it answers alone, else one read of storage is enough."""
        try:
            if not self._behind:
                newest = await self._storage.revision()
                self._behind = newest > self.revision
                if not self._behind:
                    return self._cached(key)
            result = await self._storage.get(key)
        except StorageError as error:
            raise failures.status_of(error, resource=self._resource, verb="get") from error
        self._behind = result.revision > self.revision
        if result.item is None:
            return None
        obj = self._state.decode(result.item)
        if obj is None:
            raise errors.internal_error(f"unable to decode the stored object at {key}")
        return obj

    def _tick_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._ticking = loop.call_later(self._bookmark_period / 6, self._tick)

    def _tick(self) -> None:
        now = asyncio.get_running_loop().time()
        self._ticking = None
        self._state.ring.trim(now)
        if self._feed.running:
            self._state.watchers.bookmark(self.revision, now)
        if self._state.watchers.any_bookmarked:
            self._tick_later()
