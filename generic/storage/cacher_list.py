"""Lists: from the watch cache where it has the answer, else from storage at the asked-for revision.

Called by the Cacher once it is fresh enough. Mirrors `GetList` of `apiserver/pkg/storage/cacher/delegator.go`
and `apiserver/pkg/storage/etcd3/store.go`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from generic.meta import errors
from generic.meta.gvk import GroupResource
from generic.storage import continue_token, failures
from generic.storage.cacher_state import CacheState
from generic.storage.interface import Compacted, Storage, StorageError
from generic.storage.objects import StoredObject
from generic.storage.predicate import Predicate

PAGE = 500
"""Keys read at once from storage, or looked at in the cache, while a selector leaves a page short."""


@dataclass(frozen=True, slots=True)
class ListResult:
    """A list or one page of it, in key order. `revision` is the list's resourceVersion.

    `continue_token` is empty on the last page. `remaining` is the number of objects after this page, None where
    it is not known (a selector) or there is no next page.
    """

    items: Sequence[StoredObject]
    revision: int
    continue_token: str = ""
    remaining: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Where a page begins and how long it may be.

    `key` is the only key that can match, if the selection is that narrow; `token` says the page was asked for
    with a continue token.
    """

    prefix: str
    key: str = ""
    start: str = ""
    limit: int = 0
    token: bool = False


class ListReader:
    """Reads lists of one resource."""

    def __init__(self, state: CacheState, storage: Storage, *, resource: GroupResource) -> None:
        self._state = state
        self._storage = storage
        self._resource = resource

    def from_cache(self, predicate: Predicate, page: Page, *, revision: int) -> ListResult:
        """The page as the cache has it, said to be at `revision` (at which it must have been the same)."""
        if page.key:
            only = self._state.table.get(page.key)
            found = [only] if only is not None and page.key >= page.start else []
        else:
            found = self._state.table.below(page.prefix, page.start)
        if not page.limit or (not predicate.has_selectors and len(found) <= page.limit):
            return ListResult(predicate.filter(found), revision)
        if not predicate.has_selectors:
            rest = len(found) - page.limit
            return self._result(predicate, page, found[: page.limit], revision=revision, rest=rest)
        items: list[StoredObject] = []
        step = 2 * max(page.limit, PAGE)
        for at in range(0, len(found), step):
            items += predicate.filter(found[at : at + step])
            if len(items) >= page.limit:
                items = items[: page.limit]
                rest = len(found) - 1 - found.index(items[-1])
                return self._result(predicate, page, items, revision=revision, rest=rest)
        return ListResult(items, revision)

    async def at_revision(self, predicate: Predicate, page: Page, *, revision: int, newest: int) -> ListResult:
        """The page as it was at `revision`; 0 is the newest. Raises StatusError 410 if that is compacted.

        `newest` is the revision up to which the cache is complete.
        """
        try:
            if not self._state.changed <= revision <= newest:
                return await self._from_storage(predicate, page, revision)
            if revision < newest:
                # What did not change since could be shown for ever; clients are told that history ends.
                await self._storage.get(page.prefix, revision=revision)
            return self.from_cache(predicate, page, revision=revision)
        except Compacted as error:
            if page.token:
                start = page.start.removeprefix(page.prefix)
                token = continue_token.encode(start, "", continue_token.INCONSISTENT)
                raise continue_token.ContinueExpired(token) from error
            raise errors.expired(failures.LIST_EXPIRED) from error
        except StorageError as error:
            raise failures.status_of(error, resource=self._resource, verb="list", revision=revision) from error

    async def _from_storage(self, predicate: Predicate, page: Page, revision: int) -> ListResult:
        items: list[StoredObject] = []
        start = page.start
        while True:
            size = 0
            if page.limit:
                size = max(page.limit - len(items), PAGE if predicate.has_selectors else 1)
            result = await self._storage.range(page.prefix, start=start, limit=size, revision=revision)
            revision = revision or result.revision
            for at, item in enumerate(result.items, 1):
                obj = self._state.decode(item)
                if obj is None or not predicate.matches(obj):
                    continue
                items.append(obj)
                if len(items) == page.limit:
                    return self._result(predicate, page, items, revision=revision, rest=result.count - at)
            if not result.more:
                return ListResult(items, revision)
            start = result.items[-1].key + "\0"

    def _result(
        self, predicate: Predicate, page: Page, items: list[StoredObject], *, revision: int, rest: int
    ) -> ListResult:
        if not rest:
            return ListResult(items, revision)
        token = continue_token.encode(items[-1].key + "\0", page.prefix, revision)
        return ListResult(items, revision, token, None if predicate.has_selectors else rest)
