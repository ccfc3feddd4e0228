"""GarbageCollector: finds out what to follow, follows it, and has what nobody owns any longer deleted.

Started and stopped by hooks of `kubeapi/server.py`. Mirrors Run and Sync of
`pkg/controller/garbagecollector/garbagecollector.go`. Several servers on one store may each run one: every step may be
repeated, and every deletion is of one object in one state.
"""

import asyncio
import logging

from generic.client.controller import Controller
from generic.client.rest import Client
from generic.meta import errors
from generic.registry.backings import Backings
from kubeapi.controllers.garbagecollector.collecting import Collecting, UnknownKind
from kubeapi.controllers.garbagecollector.discovery import Kind
from kubeapi.controllers.garbagecollector.following import Following
from kubeapi.controllers.garbagecollector.graph import Graph
from kubeapi.controllers.garbagecollector.objects import Objects
from kubeapi.controllers.garbagecollector.owners import Absent, Reference

NAME = "generic-garbage-collector"

SYNC_PERIOD = 5.0
"""Seconds between two looks at discovery."""
_SOON = 0.2
"""Seconds from a change of a definition or an APIService to the look at what discovery makes of it."""
_INITIAL = 30.0
"""Seconds to wait for all resources at the start, as Kubernetes does."""
_WORKERS = 8
_LONGEST_DELAY = 60.0

_LOG = logging.getLogger(__name__)


class GarbageCollector:
    """Does nothing before the server is ready; then stands by."""

    def __init__(self, client: Client, backings: Backings, *, sync_period: float = SYNC_PERIOD) -> None:
        self._client = client.with_headers({"user-agent": NAME})
        self._sync_period = sync_period
        absent = Absent()
        self._deletions: Controller[str] = Controller(
            "garbage collector", self._delete, workers=_WORKERS, max_delay=_LONGEST_DELAY
        )
        self._orphanings: Controller[str] = Controller(
            "garbage collector, orphaning", self._orphan, workers=_WORKERS, max_delay=_LONGEST_DELAY
        )
        self._graph = Graph(absent, delete=self._deletions.enqueue, orphan=self._orphanings.enqueue)
        self._following = Following(self._client, backings, self._graph)
        self._collecting = Collecting(self._graph, absent, Objects(self._client), self._following)
        self._undecided: set[str] = set()
        self._nudged = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="garbage collector")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self._deletions.stop()
        await self._orphanings.stop()
        await self._following.stop()

    async def _run(self) -> None:
        await self._until_ready()
        while not await self._sync():
            await self._pause()
        await self._wait_started()
        # From the start on nothing was missed; what is followed later may have gone before it was.
        self._following.on_started = self._judge_again
        self._following.watch_for_changes(self._nudged.set)
        self._deletions.start()
        self._orphanings.start()
        while True:
            await self._pause()
            await self._sync()

    async def _wait_started(self) -> None:
        """Until all there is to follow is heard of, or the time is over. What goes meanwhile is not waited for."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _INITIAL
        while late := await self._following.wait_started(_SOON):
            if loop.time() >= end:
                _LOG.warning("garbage collector: not all resources are heard of yet, going on without %d", late)
                return
            await self._sync()

    async def _pause(self) -> None:
        """Until it is time for the next look at discovery."""
        try:
            async with asyncio.timeout(self._sync_period):
                await self._nudged.wait()
            await asyncio.sleep(_SOON)
        except TimeoutError:
            pass
        self._nudged.clear()

    async def _until_ready(self) -> None:
        while True:
            try:
                reply = await self._client.request("GET", "/readyz", check=False)
            except errors.StatusError:
                pass
            else:
                if reply.status == 200:
                    return
            await asyncio.sleep(0.1)

    async def _sync(self) -> bool:
        """Whether it could be done."""
        try:
            if await self._following.sync():
                undecided, self._undecided = self._undecided, set()
                for uid in undecided:
                    self._deletions.enqueue(uid)
        except errors.StatusError as error:
            _LOG.warning("garbage collector: cannot find out what there is to follow: %s", error)
            return False
        except Exception:
            # An answer that is no discovery document must not end the collector.
            _LOG.exception("garbage collector: cannot find out what there is to follow")
            return False
        return True

    def _judge_again(self, kind: Kind) -> None:
        """The resource was not heard of for a while: owners may have gone meanwhile."""

        def is_of(ref: Reference) -> bool:
            return ref.kind == kind.gvk.kind and ref.api_version.rpartition("/")[0] == kind.gvk.group

        for uid in self._graph.naming(is_of):
            self._deletions.enqueue(uid)

    async def _delete(self, uid: str) -> None:
        try:
            await self._collecting.delete_if_unowned(uid)
        except UnknownKind as error:
            _LOG.info("garbage collector: %s, leaving alone what it owns", error)
            # Discovery will say when there is a chance again.
            self._undecided.add(uid)
        except errors.StatusError as error:
            if error.reason != "Conflict":
                raise
            # Somebody was faster: what is there now is judged anew.
            self._deletions.enqueue_after(uid, _SOON)

    async def _orphan(self, uid: str) -> None:
        try:
            await self._collecting.orphan_dependents(uid)
        except errors.StatusError as error:
            if error.reason != "Conflict":
                raise
            self._orphanings.enqueue_after(uid, _SOON)
