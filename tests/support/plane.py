"""A whole control plane in the test's own process, over a real TLS socket, in a folder of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from generic.client import kubeconfig
from generic.types import JSONObject
from trikube.controlplane import ControlPlane
from trikube.options import ControlPlaneOptions


class Running:
    """A control plane that listens. `http` is the administrator's client."""

    def __init__(self, plane: ControlPlane, options: ControlPlaneOptions) -> None:
        self.plane = plane
        self.options = options
        self.url = plane.url
        self.http = self.client()

    def client(
        self, user: str = "", *groups: str, anonymous: bool = False, http2: bool = False, timeout: float = 20
    ) -> httpx.AsyncClient:
        """A client with the administrator's certificate, another user's, or none."""
        config = kubeconfig.load(self.options.kubeconfig)
        if user:
            issued = self.plane.pki.cluster.issue_client(user, groups)
            config = kubeconfig.ClientConfig(config.server, config.ca, issued.cert, issued.key)
        elif anonymous:
            config = kubeconfig.ClientConfig(config.server, config.ca)
        return httpx.AsyncClient(base_url=self.url, verify=config.ssl_context(), http2=http2, timeout=timeout)

    async def create(self, path: str, obj: JSONObject) -> JSONObject:
        response = await self.http.post(path, json=obj)
        assert response.status_code == 201, response.text
        made: JSONObject = response.json()
        return made

    async def compact(self) -> None:
        """Forget all history up to now, as the compactor does every few minutes."""
        storage = self.plane._storage
        await storage.compact(await storage.revision())

    async def until(self, path: str, status: int = 200, **expected: Any) -> httpx.Response:
        """Ask until the answer has this status and, as text, contains each expected value."""
        async with asyncio.timeout(20):
            while True:
                response = await self.http.get(path)
                if response.status_code == status and all(str(v) in response.text for v in expected.values()):
                    return response
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def running(folder: Path, **options: Any) -> AsyncIterator[Running]:
    """Start on `folder`; ready when entered, stopped in order when left."""
    given = ControlPlaneOptions(data_dir=folder, secure_port=0, shutdown_drain=5.0, **options)
    plane = ControlPlane(given)
    stop, listening = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(plane.run(stop, on_listening=listening.set))
    waiter = asyncio.create_task(listening.wait())
    await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
    if task.done():
        await task
    served = Running(plane, given)
    try:
        await served.until("/readyz")
        yield served
    finally:
        await served.http.aclose()
        stop.set()
        await task
