"""SystemNamespaces: the namespaces every cluster has are there, and come back.

Started and stopped by hooks of `kubeapi/server.py`. Mirrors `pkg/controlplane/controller/systemnamespaces`.
"""

from generic.client.rest import Client
from kubeapi.bootstrap import attempts, namespaces
from kubeapi.controllers.periodic import Periodic

LOOK_EVERY = 60.0
"""Seconds, as in Kubernetes."""


class SystemNamespaces:
    """The first look is part of starting: whoever finds the server ready finds the namespaces."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._work = Periodic("system-namespaces", self._ensure, every=LOOK_EVERY)

    async def start(self) -> None:
        """Raises StatusError if the namespaces cannot be made."""
        await attempts.until_done(self._ensure)
        self._work.start()

    async def stop(self) -> None:
        await self._work.stop()

    async def _ensure(self) -> None:
        await namespaces.ensure_namespaces(self._client)
