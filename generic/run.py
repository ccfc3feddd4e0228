"""ServerRun: the life of a process around its outermost server, in Kubernetes' order.

Start: prepare the chain (innermost first), listen, run post-start hooks. Stop: `/readyz` turns red,
pre-shutdown hooks run while the shutdown delay elapses, then no new connections, idle ones close, watches
end, requests finish, audit writes what it still has, and the servers are destroyed from the outermost in.
Called by `trikube.controlplane` and `trikube.aa`. Mirrors `apiserver/pkg/server/genericapiserver.go` RunWithContext.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from generic import hooks
from generic.audit.options import Auditing
from generic.filters.in_flight import InFlight
from generic.health import HealthCheck
from generic.server import GenericServer
from generic.serving.server import SecureServer

_LOG = logging.getLogger(__name__)

_LAST_BYTES = 2.0
"""Seconds for clients to take the end of what they were answered."""


class ShuttingDown(Exception):
    """Why `/readyz` is red while the server stops."""


@dataclass(frozen=True, slots=True)
class ShutdownOptions:
    """Seconds. `delay`: keep serving after readiness fails; `drain`: how long requests may take to finish."""

    delay: float = 0.0
    drain: float = 60.0


class ServerRun:
    """Starts and stops one process's server chain."""

    def __init__(
        self,
        server: GenericServer,
        listener: SecureServer,
        in_flight: InFlight,
        *,
        shutdown: ShutdownOptions | None = None,
        livez_grace_period: float = 0.0,
        auditor: Auditing | None = None,
        on_listening: Callable[[], None] | None = None,
    ) -> None:
        """`livez_grace_period`: seconds in which `/livez` does not mind that something is still starting.

        `auditor`: that of the handler chain; run from before the first request until after the last.
        """
        self._server = server
        self._listener = listener
        self._in_flight = in_flight
        self._shutdown = shutdown or ShutdownOptions()
        self._livez_grace_period = livez_grace_period
        self._auditor = auditor
        self._on_listening = on_listening
        self._stopping = False

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set. Raises HookFailed if a post-start hook does, ServingError if it cannot listen."""
        await self._server.prepare_to_run()
        self._server.install_shared_paths(
            extra_ready_checks=[HealthCheck("shutdown", self._check_not_stopping)],
            livez_grace_period=self._livez_grace_period,
        )
        if self._auditor is not None:
            await self._auditor.start()
        try:
            await self._listener.start()
        except BaseException:
            await self._stop_auditing()
            await self._server.destroy()
            raise
        if self._on_listening is not None:
            self._on_listening()
        try:
            await self._run_hooks_until(stop)
        finally:
            await self._stop()

    async def _run_hooks_until(self, stop: asyncio.Event) -> None:
        running = asyncio.create_task(hooks.run_all(self._server.post_start_hooks()), name="post-start-hooks")
        stopped = asyncio.create_task(stop.wait(), name="stop")
        try:
            await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                await running
                await stopped
        finally:
            for task in (running, stopped):
                task.cancel()
            await asyncio.gather(running, stopped, return_exceptions=True)

    async def _stop(self) -> None:
        self._stopping = True
        delay = asyncio.create_task(asyncio.sleep(self._shutdown.delay))
        for failure in await hooks.run_pre_shutdown(self._server.pre_shutdown_hooks()):
            _LOG.warning("a pre-shutdown hook failed: %s", failure)
        await delay
        await self._listener.stop_accepting()
        self._in_flight.begin_drain()
        draining = asyncio.create_task(self._listener.drain(self._shutdown.drain))
        await self._in_flight.wait_idle(self._shutdown.drain)
        # The answers are made; this is for their last bytes. Streams such as exec are not waited for.
        await asyncio.wait((draining,), timeout=_LAST_BYTES)
        draining.cancel()
        await self._listener.close()
        await self._stop_auditing()
        await self._server.destroy()

    async def _stop_auditing(self) -> None:
        if self._auditor is not None:
            await self._auditor.stop()

    async def _check_not_stopping(self) -> None:
        if self._stopping:
            raise ShuttingDown("the server is shutting down")
