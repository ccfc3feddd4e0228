"""An aggregated server in process, without sockets: its handler chain behind a loopback client."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from generic.authentication.bearer import LoopbackAuthenticator
from generic.authentication.union import UnionAuthenticator
from generic.client.loopback import LoopbackTransport
from generic.client.rest import Client
from generic.config import ServerConfig
from generic.filters.chain import ChainConfig, build_handler_chain
from generic.filters.in_flight import InFlight
from generic.registry.backings import Backings
from generic.storage.sqlite import SqliteStorage
from generic.types import JSONObject
from trikube import aa
from trikube.aa import access
from trikube.aa.plan import Plan, Served, Setup
from trikube.aa.server import AggregatedServer


@contextlib.asynccontextmanager
async def serving(folder: Path, *served: type[aa.Resource] | Served) -> AsyncIterator[Client]:
    """A client of a server of these classes, all stored in one database."""
    plan = Plan("test", resources=[each if isinstance(each, Served) else Served(each) for each in served])
    engine, transport = SqliteStorage(folder / "test.db"), LoopbackTransport()
    await engine.start()
    backings, client = Backings(engine), Client.loopback(transport)
    try:
        setup = Setup(aa.Options(data_dir=folder), client, None)
        server = AggregatedServer(plan, ServerConfig(backings, client), setup, lambda choice: backings)
        chain = ChainConfig(
            authenticator=UnionAuthenticator([LoopbackAuthenticator(transport.token)]),
            authorizer=access.EVERYBODY,
            in_flight=InFlight(),
            is_mux_complete=server.generic.is_mux_complete,
        )
        transport.bind(server.exempting_streams(build_handler_chain(server.generic, chain)))
        await server.generic.prepare_to_run()
        server.generic.install_shared_paths()
        yield client
    finally:
        await client.aclose()
        await backings.stop()
        await engine.close()


def make(cls: type[aa.Resource], name: str, **members: object) -> JSONObject:
    """An object of a class, in namespace `default` if it is namespaced."""
    definition = cls.definition
    namespace = {"namespace": "default"} if definition.namespaced else {}
    head = {"apiVersion": definition.gvk.api_version, "kind": definition.gvk.kind}
    return {**head, "metadata": {"name": name, **namespace}, **members}
