"""AuthenticationInfoController: keeps ConfigMap kube-system/extension-apiserver-authentication as it has to be.

Started and stopped by hooks of `kubeapi/server.py`; read by every aggregated server with delegated authentication. Put
back when it is edited or deleted, and brought up to date when the files of the authorities change. Mirrors
`pkg/controlplane/controller/clusterauthenticationtrust`.
"""

from generic.client.informer import Informer
from generic.client.rest import Client
from generic.meta import errors
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from kubeapi.bootstrap import authentication_info, namespaces
from kubeapi.bootstrap.authentication_info import AuthenticationInfo
from kubeapi.controllers.periodic import Periodic

NAMESPACE, NAME = "kube-system", "extension-apiserver-authentication"
CONFIG_MAPS = GroupVersionResource("", "v1", "configmaps")
LOOK_EVERY = 5.0
"""Seconds between looks at the files."""


class AuthenticationInfoController:
    """Compares what is there with what ought to be, whenever either may have changed."""

    def __init__(self, client: Client, info: AuthenticationInfo, *, look_every: float = LOOK_EVERY) -> None:
        self._client = client
        self._info = info
        self._work = Periodic("cluster-authentication-info", self._reconcile, every=look_every)
        self._config_maps = Informer(client, CONFIG_MAPS, namespace=NAMESPACE, field_selector=f"metadata.name={NAME}")
        self._config_maps.add_handler(lambda old, new: self._work.nudge())

    async def start(self) -> None:
        self._config_maps.start()
        self._work.start()

    async def stop(self) -> None:
        await self._work.stop()
        await self._config_maps.stop()

    async def _reconcile(self) -> None:
        self._info.reload()
        await self._config_maps.wait_synced()
        found = self._config_maps.get(NAME, NAMESPACE)
        held = (found or {}).get("data") or {}
        data = authentication_info.combined(self._info, held)
        if found is None:
            await self._create(data)
        elif data != held:
            await self._update({**found, "data": data})

    async def _create(self, data: dict[str, str]) -> None:
        metadata = {"name": NAME, "namespace": NAMESPACE}
        obj: JSONObject = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        try:
            await self._client.create(CONFIG_MAPS, obj)
        except errors.StatusError as error:
            if error.reason != "NotFound":
                raise
            await namespaces.ensure_namespace(self._client, NAMESPACE)
            await self._client.create(CONFIG_MAPS, obj)

    async def _update(self, obj: JSONObject) -> None:
        try:
            await self._client.update(CONFIG_MAPS, obj)
        except errors.StatusError as error:
            if error.code == 413 or (error.reason == "Invalid" and "Too long" in error.message):
                # Somebody filled it up. Without what they wrote there is room for what belongs there.
                await self._client.delete(CONFIG_MAPS, NAME, NAMESPACE)
            raise
