"""Ensured: a few objects every cluster has are there, and come back. The system namespaces; what flow control needs.

Started and stopped by hooks of `kubeapi/server.py`. Mirrors `pkg/controlplane/controller/systemnamespaces` and the
post-start hook of `pkg/registry/flowcontrol/rest/storage_flowcontrol.go`.
"""

from collections.abc import Awaitable, Callable

from kubeapi.bootstrap import attempts
from kubeapi.controllers.periodic import Periodic

LOOK_EVERY = 60.0
"""Seconds, as in Kubernetes."""


class Ensured:
    """The first look is part of starting: whoever finds the server ready finds the objects."""

    def __init__(self, name: str, ensure: Callable[[], Awaitable[None]]) -> None:
        self._ensure = ensure
        self._work = Periodic(name, ensure, every=LOOK_EVERY)

    async def start(self) -> None:
        """Raises StatusError if they cannot be made."""
        await attempts.until_done(self._ensure)
        self._work.start()

    async def stop(self) -> None:
        await self._work.stop()
