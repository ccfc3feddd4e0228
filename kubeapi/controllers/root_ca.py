"""RootCAPublisher: every namespace has ConfigMap `kube-root-ca.crt`, which pods check this server by.

Started and stopped by hooks of `kubeapi/server.py`. Put back when it is edited or deleted. Mirrors
`pkg/controller/certificates/rootcacertpublisher`.
"""

from generic.client.controller import Controller
from generic.client.informer import Informer
from generic.client.rest import Client
from generic.meta import errors
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from kubeapi.bootstrap.namespaces import NAMESPACES

CONFIG_MAPS = GroupVersionResource("", "v1", "configmaps")
NAME = "kube-root-ca.crt"
_DESCRIPTION = "kubernetes.io/description"
_USE = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


class RootCAPublisher:
    """Watches namespaces and the ConfigMaps of that name. `root_ca`: PEM, whom the serving certificate is from."""

    def __init__(self, client: Client, root_ca: bytes) -> None:
        self._client = client
        self._data = {"ca.crt": root_ca.decode()}
        self._namespaces = Informer(client, NAMESPACES)
        self._published = Informer(client, CONFIG_MAPS, field_selector=f"metadata.name={NAME}")
        self._namespaces.add_handler(self._hear_namespace)
        self._published.add_handler(self._hear_published)
        self._queue: Controller[str] = Controller("root-ca-certificate-publisher", self._reconcile)

    async def start(self) -> None:
        self._namespaces.start()
        self._published.start()
        self._queue.start()

    async def stop(self) -> None:
        await self._queue.stop()
        await self._namespaces.stop()
        await self._published.stop()

    def _hear_namespace(self, old: JSONObject | None, new: JSONObject | None) -> None:
        if new is not None:
            self._queue.enqueue(new["metadata"]["name"])

    def _hear_published(self, old: JSONObject | None, new: JSONObject | None) -> None:
        found = new or old
        if found is not None:
            self._queue.enqueue(found["metadata"]["namespace"])

    async def _reconcile(self, namespace: str) -> None:
        await self._namespaces.wait_synced()
        await self._published.wait_synced()
        held = self._namespaces.get(namespace)
        if held is None or (held.get("status") or {}).get("phase") != "Active":
            return
        found = self._published.get(NAME, namespace)
        if found is None:
            await self._create(namespace)
            return
        annotations = found["metadata"].get("annotations") or {}
        if found.get("data") != self._data or not annotations.get(_DESCRIPTION):
            metadata = {**found["metadata"], "annotations": {**annotations, _DESCRIPTION: _USE}}
            await self._client.update(CONFIG_MAPS, {**found, "metadata": metadata, "data": self._data})

    async def _create(self, namespace: str) -> None:
        metadata = {"name": NAME, "namespace": namespace, "annotations": {_DESCRIPTION: _USE}}
        obj: JSONObject = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": self._data}
        try:
            await self._client.create(CONFIG_MAPS, obj)
        except errors.StatusError as error:
            # There already, and soon heard of, or the namespace is on its way out (404, or 403 with its cause).
            if error.reason not in ("AlreadyExists", "NotFound", "Forbidden"):
                raise
