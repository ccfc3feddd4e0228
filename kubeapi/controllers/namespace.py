"""NamespaceController: follows every namespace that is going away to its end.

Started and stopped by hooks of `kubeapi/server.py`; the work is `namespace_content.py`'s. Several servers on one
store may each run one: every step may be repeated. Mirrors `pkg/controller/namespace/namespace_controller.go`, which
Kubernetes runs in its controller manager.
"""

from generic.client.controller import Controller
from generic.client.informer import Informer
from generic.client.rest import Client
from generic.types import JSONObject
from kubeapi.bootstrap.namespaces import NAMESPACES
from kubeapi.controllers.namespace_content import NamespaceContent, ResourcesRemaining

GRACE = 0.5
"""Seconds before the first look. A write that found the namespace still active may be on its way to storage, and must
be there when the content is listed, or it would outlive its namespace. Kubernetes waits five: its servers learn of
the deletion from informers, ours from the cache they write through."""

_WORKERS = 5


class NamespaceController:
    """Watches namespaces; a terminating one is worked on until it is gone, with back-off while that fails."""

    def __init__(self, client: Client, *, grace: float = GRACE) -> None:
        self._grace = grace
        self._content = NamespaceContent(client)
        self._namespaces = Informer(client, NAMESPACES)
        self._namespaces.add_handler(self._hear)
        self._queue: Controller[str] = Controller("namespace", self._reconcile, workers=_WORKERS)

    async def start(self) -> None:
        self._namespaces.start()
        self._queue.start()

    async def stop(self) -> None:
        await self._queue.stop()
        await self._namespaces.stop()

    def _hear(self, old: JSONObject | None, new: JSONObject | None) -> None:
        if new is not None and new["metadata"].get("deletionTimestamp"):
            self._queue.enqueue_after(new["metadata"]["name"], self._grace)

    async def _reconcile(self, name: str) -> None:
        try:
            await self._content.finish(name)
        except ResourcesRemaining as remaining:
            # No failure: somebody else's finalizers or a pod's grace have to pass first.
            self._queue.enqueue_after(name, remaining.seconds / 2 + 1)
