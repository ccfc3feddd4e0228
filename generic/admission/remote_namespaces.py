"""The main server's namespaces, as an aggregated server sees them: followed by an informer, looked up when in doubt.

Made by whoever composes an aggregated server, for `namespace_lifecycle.py` and the selectors of webhooks. Mirrors how
`apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go` uses its lister and its client.
"""

import asyncio

from generic.client.informer import Informer
from generic.client.rest import Client
from generic.meta import errors
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject

_NAMESPACES = GroupVersionResource("", "v1", "namespaces")


class RemoteNamespaces:
    """A copy of all namespaces. `patience`: seconds a write waits for the first copy to be complete."""

    def __init__(self, client: Client, *, patience: float = 10.0) -> None:
        self._client = client
        self._patience = patience
        self._informer = Informer(client, _NAMESPACES)

    def start(self) -> None:
        """Idempotent."""
        self._informer.start()

    async def stop(self) -> None:
        """Idempotent."""
        await self._informer.stop()

    @property
    def has_synced(self) -> bool:
        """Whether the copy is complete; for `/readyz`."""
        return self._informer.has_synced

    async def ready(self) -> bool:
        """See `Namespaces`."""
        if not self._informer.has_synced:
            try:
                async with asyncio.timeout(self._patience):
                    await self._informer.wait_synced()
            except TimeoutError:
                return False
        return True

    async def phase(self, name: str) -> str | None:
        """See `Namespaces`. The copy lags: a namespace it does not have may have been made just now."""
        found = await self.namespace(name)
        return None if found is None else _phase(found)

    async def namespace(self, name: str) -> JSONObject | None:
        """See `NamespaceSource`."""
        found = self._informer.get(name)
        if found is None:
            try:
                found = await self._client.get(_NAMESPACES, name)
            except StatusError as error:
                if error.code == 404:
                    return None
                raise errors.internal_error(str(error)) from error
        return found


def _phase(namespace: JSONObject) -> str:
    return (namespace.get("status") or {}).get("phase") or ""
