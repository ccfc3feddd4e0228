"""ResourceQuotaController: counts what the namespaces with quotas use, for the quotas' status.

Started and stopped by hooks of `kubeapi/server.py`. Admission charges what is made and changed; here new quotas are
counted for the first time, and what is deleted, ends or shrinks is given back. Everything of this process is followed
through the watch caches that hold it anyway, custom resources as well, and only while a quota asks for it. Mirrors
`pkg/controller/resourcequota`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from generic.client.controller import Controller
from generic.client.informer import Informer
from generic.client.rest import Client
from generic.meta import errors
from generic.meta.gvk import GroupResource, GroupVersionResource
from generic.registry.backings import Backings
from generic.storage.cacher import Cacher
from generic.storage.watch_stream import WatchEvent
from generic.types import JSONObject
from kubeapi.quota import amounts, charging, evaluators
from kubeapi.quota.amounts import Amounts
from kubeapi.quota.evaluators import Evaluator

QUOTAS = GroupVersionResource("", "v1", "resourcequotas")

FULL_SYNC = 300.0
"""Seconds until everything is counted anew."""
LOOK_AGAIN = 10.0
"""Seconds until a resource that is not there yet, or not any more, is looked for."""
_SOON = 0.05
_SETTLED = 2.0
"""Seconds after which what was charged before a count was there to be counted."""
_WORKERS = 5
_AT_ONCE = 100

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Followed:
    """A resource some quota asks for."""

    cacher: Cacher
    end: Callable[[], None]


class ResourceQuotaController:
    """Watches quotas; each is counted when it is made or its limits change, and when something goes that it limits."""

    def __init__(self, client: Client, backings: Backings, *, full_sync: float = FULL_SYNC) -> None:
        self._client = client
        self._backings = backings
        self._full_sync = full_sync
        self._quotas = Informer(client, QUOTAS)
        self._quotas.add_handler(self._hear_quota)
        self._queue: Controller[_Key] = Controller("resourcequota", self._reconcile, workers=_WORKERS)
        self._followed: dict[GroupResource, _Followed] = {}
        self._corrected: dict[_Key, float] = {}
        # When a status was last changed here.
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        self._quotas.start()
        self._queue.start()
        self._timer = asyncio.get_running_loop().call_later(self._full_sync, self._tick)

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._queue.stop()
        await self._quotas.stop()
        self._forget(set(self._followed))

    def _tick(self) -> None:
        """Count all anew, and follow no longer what no quota asks for any more."""
        asked: set[GroupResource] = set()
        for quota in self._quotas.list():
            asked.update(evaluator.resource for evaluator in _evaluators(quota))
            self._queue.enqueue(_key(quota))
        self._forget(self._followed.keys() - asked)
        self._timer = asyncio.get_running_loop().call_later(self._full_sync, self._tick)

    def _forget(self, resources: set[GroupResource]) -> None:
        for resource in resources:
            self._followed.pop(resource).end()

    def _hear_quota(self, old: JSONObject | None, new: JSONObject | None) -> None:
        if new is None:
            if old is not None:
                self._corrected.pop(_key(old), None)
        elif old is None or _hard(old) != _hard(new):
            self._queue.enqueue(_key(new))

    def _hear(self, evaluator: Evaluator, event: WatchEvent) -> None:
        """Of a change of something that is followed: what uses less now makes room."""
        found = event.object
        quotas = self._quotas.list(found.namespace) if found is not None and found.namespace else []
        if found is None or not quotas:
            return
        if event.type == "ADDED":
            self._hear_added(quotas)
            return
        if event.type == "MODIFIED" and event.previous is not None:
            before, after = event.previous.decoded(), found.decoded()
            if not _makes_a_difference(evaluator, before, after, quotas):
                return
        for quota in quotas:
            if evaluator.matching(_hard(quota)):
                self._queue.enqueue(_key(quota))

    def _hear_added(self, quotas: list[JSONObject]) -> None:
        """Admission has charged it, but a count between the charge and now has not seen it and took the charge back."""
        now = asyncio.get_running_loop().time()
        for quota in quotas:
            if now - self._corrected.get(_key(quota), -_SETTLED) < _SETTLED:
                self._queue.enqueue_after(_key(quota), _SETTLED)

    async def _reconcile(self, key: _Key) -> None:
        await self._quotas.wait_synced()
        namespace, name = key
        quota = self._quotas.get(name, namespace)
        if quota is None:
            return
        hard, status = _hard(quota), quota.get("status") or {}
        used, complete = await self._count(quota)
        if not complete:
            self._queue.enqueue_after(key, LOOK_AGAIN)
        # What nobody can count now is what it was.
        used = amounts.only({**amounts.of(status.get("used")), **used}, hard)
        wanted = {"hard": hard, "used": amounts.to_object(used)}
        if status.get("hard") == hard and "used" in status and amounts.of(status["used"]) == used:
            return
        try:
            await self._client.update_status(QUOTAS, {**quota, "status": wanted})
            self._corrected[key] = asyncio.get_running_loop().time()
        except errors.StatusError as error:
            if error.reason == "Conflict":
                # Admission has charged it meanwhile, and the informer will hear of it.
                self._queue.enqueue_after(key, _SOON)
            elif error.reason != "NotFound":
                raise

    async def _count(self, quota: JSONObject) -> tuple[Amounts, bool]:
        """What is in use of all that can be counted, and whether that is all the quota limits."""
        hard, namespace = _hard(quota), quota["metadata"]["namespace"]
        found: Amounts = {}
        complete = True
        for evaluator in _evaluators(quota):
            cacher = await self._follow(evaluator)
            if cacher is None:
                complete = False
                continue
            names = evaluator.matching(hard)
            found = amounts.add(dict.fromkeys(names, amounts.ZERO), found)
            for at, stored in enumerate(cacher.peek_all(namespace)):
                if not at % _AT_ONCE:
                    # The server has more to do. Who is charged meanwhile makes the write below a conflict.
                    await asyncio.sleep(0)
                obj = stored.decoded()
                if charging.in_scope(quota, evaluator, obj):
                    found = amounts.add(found, amounts.only(evaluator.usage(obj), names))
        return found, complete

    async def _follow(self, evaluator: Evaluator) -> Cacher | None:
        """The cache of what it evaluates, which tells of changes from now on; None if nothing of the kind is served."""
        resource = evaluator.resource
        backing, followed = self._backings.held(resource), self._followed.get(resource)
        if followed is not None and (backing is None or backing.cacher is not followed.cacher):
            # Its definition went, and may have come again.
            self._forget({resource})
            followed = None
        if backing is None:
            return None
        cacher = backing.cacher
        await cacher.start()
        if followed is None and resource not in self._followed:
            end = cacher.subscribe(lambda event: self._hear(evaluator, event))
            self._followed[resource] = _Followed(cacher, end)
        return cacher


def _key(quota: JSONObject) -> _Key:
    return quota["metadata"]["namespace"], quota["metadata"]["name"]


def _evaluators(quota: JSONObject) -> list[Evaluator]:
    return evaluators.asked_for(list(_hard(quota)))


def _hard(quota: JSONObject) -> JSONObject:
    return (quota.get("spec") or {}).get("hard") or {}


def _makes_a_difference(evaluator: Evaluator, before: JSONObject, after: JSONObject, quotas: list[JSONObject]) -> bool:
    if evaluator.usage(before) != evaluator.usage(after):
        return True
    return any(
        charging.in_scope(quota, evaluator, before) != charging.in_scope(quota, evaluator, after) for quota in quotas
    )
