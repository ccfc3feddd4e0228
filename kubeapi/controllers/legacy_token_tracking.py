"""LegacyTokenTracking: since when the use of service-account tokens in Secrets is noted down.

A kube-controller-manager asks for this ConfigMap before it cleans up tokens that nobody uses. Started and stopped by
hooks of `kubeapi/server.py`. Mirrors `pkg/controlplane/controller/legacytokentracking`.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime

from generic.client.rest import Client
from generic.meta import errors
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from kubeapi.bootstrap import namespaces
from kubeapi.controllers.periodic import Periodic

NAMESPACE, NAME = "kube-system", "kube-apiserver-legacy-service-account-token-tracking"
SINCE = "since"
CONFIG_MAPS = GroupVersionResource("", "v1", "configmaps")
LOOK_EVERY = 1800.0
"""Seconds: in Kubernetes one that was deleted returns after as long."""


class LegacyTokenTracking:
    """Keeps the day, in UTC, that it first ran; a day that cannot be read becomes today."""

    def __init__(self, client: Client, *, today: Callable[[], date] = lambda: datetime.now(UTC).date()) -> None:
        self._client = client
        self._today = today
        self._work = Periodic("legacy-token-tracking", self.reconcile, every=LOOK_EVERY)

    async def start(self) -> None:
        self._work.start()

    async def stop(self) -> None:
        await self._work.stop()

    async def reconcile(self) -> None:
        """Raises StatusError."""
        try:
            found = await self._client.get(CONFIG_MAPS, NAME, NAMESPACE)
        except errors.StatusError as error:
            if error.reason != "NotFound":
                raise
            await self._create()
            return
        if not _is_day((found.get("data") or {}).get(SINCE)):
            await self._client.update(CONFIG_MAPS, {**found, "data": {**(found.get("data") or {}), **self._since()}})

    async def _create(self) -> None:
        metadata = {"name": NAME, "namespace": NAMESPACE}
        wanted: JSONObject = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": self._since()}
        try:
            await self._client.create(CONFIG_MAPS, wanted)
        except errors.StatusError as error:
            if error.reason == "AlreadyExists":
                return
            if error.reason != "NotFound":
                raise
            await namespaces.ensure_namespace(self._client, NAMESPACE)
            await self._client.create(CONFIG_MAPS, wanted)

    def _since(self) -> JSONObject:
        return {SINCE: self._today().isoformat()}


def _is_day(text: object) -> bool:
    try:
        datetime.strptime(str(text), "%Y-%m-%d")
    except ValueError:
        return False
    return True
