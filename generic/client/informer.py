"""Informer: a local copy of one resource, kept by list and watch, and who is told of its changes.

Used by every controller, and by authorizers and proxies that must answer from memory. Stands on `rest.Client`.
Mirrors Reflector and SharedIndexInformer of `client-go/tools/cache`, streaming lists (KEP-3157) included.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Any, TypeAlias

from generic.client import failures
from generic.client.rest import Client
from generic.client.watching import Watch
from generic.meta import errors
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject

Handler: TypeAlias = Callable[[JSONObject | None, JSONObject | None], None]
"""Told (None, new) of an object added, (old, new) of one changed, (last, None) of one deleted."""

Key: TypeAlias = tuple[str, str]
"""Namespace and name."""

Objects: TypeAlias = list[JSONObject]

PAGE = 500
INITIAL_EVENTS_END = "k8s.io/initial-events-end"
WATCH_SECONDS = 300
"""A watch is asked for so long, up to twice that by chance: no connection is trusted for ever."""

_SHORT = 1.0
"""Seconds. A watch that ends sooner without an event is a failure: asking again at once would be a hot loop."""

_NO_FALLBACK = (401, 403, 404, 410, 429, 503, 504)
"""Refusals of a streaming list that a plain list would meet as well."""

_LOG = logging.getLogger(__name__)


class Informer:
    """The objects of one resource as they were a moment ago. Never goes back in time, and never gives up.

    Objects handed out, to handlers too, are the copy itself, shared by everybody: nobody changes them.
    """

    def __init__(
        self,
        client: Client,
        gvr: GroupVersionResource,
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        metadata_only: bool = False,
        base_delay: float = 0.8,
        max_delay: float = 30.0,
    ) -> None:
        """All namespaces unless one is named; of the objects, on request, metadata alone.

        The delays, in seconds, are those before trying again.
        """
        self._client = client
        self._gvr = gvr
        self._namespace = namespace
        self._selectors: dict[str, Any] = {
            "label_selector": label_selector,
            "field_selector": field_selector,
            "metadata_only": metadata_only,
        }
        self._base_delay = base_delay
        self._max_delay = max_delay
        self._delay = base_delay
        self._objects: dict[str, dict[str, JSONObject]] = {}
        self._handlers: list[Handler] = []
        self._synced = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._revision = ""
        # Whether the copy is that of `_revision`, so that a watch from there makes it complete.
        self._resumable = False

    # What others see.

    def add_handler(self, handler: Handler) -> None:
        """Tell it of what is there already, and of every change from now on.

        It is called in the middle of things: it must be quick, and most only enqueue a key. What it raises is
        logged. An object deleted and created anew while we looked away is told as both.
        """
        self._handlers.append(handler)
        for obj in self.list():
            _call(handler, None, obj)

    def start(self) -> None:
        """Start following the resource; nothing if it does already."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name=f"informer of {self._what}")

    async def stop(self) -> None:
        """Follow no longer, and see the watch end. The copy stays as it is."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    @property
    def has_synced(self) -> bool:
        """Whether everything there was at the start is here and the handlers have been told."""
        return self._synced.is_set()

    async def wait_synced(self) -> None:
        """Return once it has; not before `start`."""
        await self._synced.wait()

    def get(self, name: str, namespace: str = "") -> JSONObject | None:
        """The object of that name, None if there is none."""
        return self._objects.get(namespace, {}).get(name)

    def list(self, namespace: str = "") -> Objects:
        """All objects, or those of one namespace, in no particular order."""
        if namespace:
            return [*self._objects.get(namespace, {}).values()]
        return [obj for objects in self._objects.values() for obj in objects.values()]

    # Following.

    async def _run(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        # Asked each time: closing a broken connection may turn our cancellation into another error.
        while not task.cancelling():
            try:
                await self._follow()
                continue
            except errors.StatusError as error:
                self._failed(error)
            except Exception:
                _LOG.exception("cannot follow %s", self._what)
                self._resumable = False
            await asyncio.sleep(self._delay * (1 + random.random()))
            self._delay = min(self._delay * 2, self._max_delay)

    def _failed(self, error: errors.StatusError) -> None:
        _LOG.warning("cannot follow %s: %s", self._what, error)
        if isinstance(error, failures.TransportError) or error.code in (429, 503):
            return
        self._resumable = False
        if error.code in (410, 504):
            # Our revision is too old or, 504, from the future of a server whose storage was reset.
            self._revision = ""

    async def _follow(self) -> None:
        """Bring the copy up to date and keep it so until the watch ends."""
        if not self._resumable:
            try:
                await self._stream()
                return
            except errors.StatusError as error:
                if self._resumable or isinstance(error, failures.TransportError) or error.code in _NO_FALLBACK:
                    raise
                _LOG.info("no streaming list of %s, a plain one instead: %s", self._what, error)
            await self._list()
        async with self._watch() as events:
            await self._read(events)

    async def _stream(self) -> None:
        """List by watching, and go on."""
        found: dict[Key, JSONObject] = {}
        async with self._watch(send_initial_events=True) as events:
            async for kind, obj in events:
                if kind == "DELETED":
                    found.pop(_key(obj), None)
                elif kind != "BOOKMARK":
                    found[_key(obj)] = obj
                elif obj["metadata"].get("annotations", {}).get(INITIAL_EVENTS_END) == "true":
                    break
            else:
                raise failures.TransportError("the watch ended before the initial events did")
            self._replace(found, _revision(obj))
            await self._read(events)

    async def _list(self) -> None:
        # A limit with a certain revision would ask for exactly that one.
        limit = 0 if self._revision else PAGE
        found: dict[Key, JSONObject] = {}
        page = await self._page(limit=limit)
        while True:
            found.update((_key(obj), obj) for obj in page["items"])
            token = page["metadata"].get("continue", "")
            if not token:
                break
            try:
                page = await self._page(limit=limit, continue_token=token)
            except errors.StatusError as error:
                if error.code != 410:
                    raise
                # It took us too long: all at once then.
                found.clear()
                page = await self._page(limit=0)
        self._replace(found, _revision(page))

    async def _page(self, *, limit: int, continue_token: str = "") -> JSONObject:
        revision = "" if continue_token else self._revision or "0"
        return await self._client.list(
            self._gvr,
            self._namespace,
            **self._selectors,
            limit=limit,
            continue_token=continue_token,
            resource_version=revision,
        )

    def _watch(self, *, send_initial_events: bool = False) -> Watch:
        return self._client.watch(
            self._gvr,
            self._namespace,
            **self._selectors,
            resource_version=self._revision,
            timeout_seconds=int(WATCH_SECONDS * (1 + random.random())),
            send_initial_events=send_initial_events,
        )

    async def _read(self, events: Watch) -> None:
        clock = asyncio.get_running_loop().time
        began, alive = clock(), False
        try:
            async for kind, obj in events:
                alive = True
                self._apply(kind, obj)
        finally:
            alive = alive or clock() - began >= _SHORT
            if alive:
                self._delay = self._base_delay
        if not alive:
            raise failures.TransportError("the watch ended at once, without an event")

    # The copy.

    def _apply(self, kind: str, obj: JSONObject) -> None:
        """One event of a watch."""
        if kind == "DELETED":
            if self._take(_key(obj)) is not None:
                self._tell(obj, None)
        elif kind != "BOOKMARK":
            self._tell(self._put(_key(obj), obj), obj)
        self._revision = _revision(obj)

    def _replace(self, found: dict[Key, JSONObject], revision: str) -> None:
        """Everything there is; what is not in it was deleted while we looked away."""
        before = {_key(obj): obj for obj in self.list()}
        self._objects = {}
        for key, obj in found.items():
            self._put(key, obj)
        self._revision, self._resumable = revision, True
        for key, old in before.items():
            if key not in found:
                self._tell(old, None)
        for key, obj in found.items():
            known = before.get(key)
            if known is not None and known["metadata"].get("uid") != obj["metadata"].get("uid"):
                self._tell(known, None)
                known = None
            if known is None or _revision(known) != _revision(obj):
                self._tell(known, obj)
        self._synced.set()

    def _put(self, key: Key, obj: JSONObject) -> JSONObject | None:
        """What was there before."""
        objects = self._objects.setdefault(key[0], {})
        old = objects.get(key[1])
        objects[key[1]] = obj
        return old

    def _take(self, key: Key) -> JSONObject | None:
        objects = self._objects.get(key[0], {})
        old = objects.pop(key[1], None)
        if not objects:
            self._objects.pop(key[0], None)
        return old

    def _tell(self, old: JSONObject | None, new: JSONObject | None) -> None:
        for handler in tuple(self._handlers):
            _call(handler, old, new)

    @property
    def _what(self) -> str:
        return str(self._gvr.group_resource)


def _call(handler: Handler, old: JSONObject | None, new: JSONObject | None) -> None:
    try:
        handler(old, new)
    except Exception:
        _LOG.exception("a handler of an informer failed")


def _key(obj: JSONObject) -> Key:
    metadata: dict[str, Any] = obj["metadata"]
    return metadata.get("namespace") or "", metadata["name"]


def _revision(obj: JSONObject) -> str:
    return str(obj["metadata"]["resourceVersion"])
