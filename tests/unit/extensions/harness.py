"""An APIExtensionsServer alone, in process: real storage, the whole handler chain, its own client; no socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from extensions.server import APIExtensionsServer
from generic import hooks
from generic.client.loopback import LoopbackTransport
from generic.client.rest import Client
from generic.client.sending import Reply
from generic.config import ServerConfig
from generic.delegation import EmptyDelegate
from generic.meta.gvk import GroupVersionResource
from generic.registry.backings import Backings
from generic.storage.sqlite import SqliteStorage
from generic.types import JSONObject
from tests.support.chain import chain

CRDS = GroupVersionResource("apiextensions.k8s.io", "v1", "customresourcedefinitions")


@dataclass
class Tier:
    """A server that has started, and a client of it."""

    server: APIExtensionsServer
    config: ServerConfig
    client: Client

    async def start(self) -> None:
        """Run the post-start hooks."""
        await hooks.run_all(self.server.generic.post_start_hooks())

    async def request(self, method: str, path: str, body: JSONObject | None = None) -> Reply:
        """Any call, refusals included."""
        return await self.client.request(method, path, body=body, check=False)

    async def define(self, definition: JSONObject) -> JSONObject:
        """Create a definition and wait until it is established."""
        await self.client.create(CRDS, definition)
        return await self.until_condition(definition["metadata"]["name"], "Established", "True")

    async def until_condition(self, name: str, type: str, status: str) -> JSONObject:
        """The definition, once the condition has that status."""
        found: JSONObject = {}

        async def look() -> bool:
            nonlocal found
            found = await self.client.get(CRDS, name)
            return condition(found, type).get("status") == status

        await until(look)
        return found

    async def until_gone(self, path: str) -> None:
        async def look() -> bool:
            return (await self.request("GET", path)).status == 404

        await until(look)


@asynccontextmanager
async def tier(path: Path, *, started: bool = True) -> AsyncIterator[Tier]:
    """A server over the sqlite file `path`, with its post-start hooks run unless the test is to `start` it."""
    storage = SqliteStorage(path)
    await storage.start()
    transport = LoopbackTransport()
    client = Client.loopback(transport)
    config = ServerConfig(Backings(storage), client)
    server = APIExtensionsServer(config, EmptyDelegate(), grace=0.05)
    transport.bind(chain(server.generic, is_mux_complete=server.generic.is_mux_complete))
    await server.generic.prepare_to_run()
    server.generic.install_shared_paths()
    try:
        made = Tier(server, config, client)
        if started:
            await made.start()
        yield made
    finally:
        failures = await hooks.run_pre_shutdown(server.generic.pre_shutdown_hooks())
        await client.aclose()
        await server.generic.destroy()
        await config.backings.stop()
        await storage.close()
    assert failures == []


async def until(look: Callable[[], Awaitable[bool]], *, seconds: float = 10.0) -> None:
    """Wait for a condition, looking often."""
    async with asyncio.timeout(seconds):
        while not await look():  # noqa: ASYNC110 -- not everything waited for tells
            await asyncio.sleep(0.005)


def condition(definition: JSONObject, type: str) -> JSONObject:
    """The condition of that type; empty if it is not there."""
    found: list[JSONObject] = definition.get("status", {}).get("conditions", [])
    return next((held for held in found if held["type"] == type), {})
