"""A KubeAPIServer in process: real storage, the whole handler chain, its own client; no socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from generic import hooks
from generic.authentication.authority import CertificateAuthority
from generic.client.loopback import LoopbackTransport
from generic.client.rest import Client
from generic.config import ServerConfig
from generic.delegation import EmptyDelegate
from generic.filters.chain import ChainConfig, build_handler_chain
from generic.filters.in_flight import InFlight
from generic.registry.backings import Backings
from generic.storage.sqlite import SqliteStorage
from generic.types import ASGIApp
from kubeapi.schemas import Schemas
from kubeapi.server import KubeAPIOptions, KubeAPIServer
from kubeapi.serviceaccounts.jwt import SigningKey
from kubeapi.serviceaccounts.options import ServiceAccountOptions
from tests.support.certificates import Authority

ADDRESS = "192.0.2.1:6443"


@cache
def schemas() -> Schemas:
    """Read once a process: it takes a while."""
    return Schemas.load()


@cache
def authorities() -> tuple[Authority, Authority]:
    """The authority of clients, and that of the front proxy."""
    return Authority("cluster"), Authority("front-proxy")


@cache
def service_accounts() -> ServiceAccountOptions:
    """With a key of this process."""
    return ServiceAccountOptions(SigningKey(ec.generate_private_key(ec.SECP256R1())))


@dataclass
class Plane:
    """A server that has started; `client` is system:apiserver, `as_user` anybody else."""

    server: KubeAPIServer
    config: ServerConfig
    client: Client
    app: ASGIApp
    token: str
    """Of the loopback client."""

    def as_user(self, name: str, *groups: str) -> Client:
        """A client of that user, with no rights but those RBAC gives."""
        headers = {"impersonate-user": name}
        if groups:
            headers["impersonate-group"] = groups[0]
        return self.client.with_headers(headers)


@asynccontextmanager
async def plane(path: Path, *, run_hooks: bool = True, garbage_collection: bool = False) -> AsyncIterator[Plane]:
    """A server over the sqlite file `path`, prepared and, unless told, with its post-start hooks run."""
    storage = SqliteStorage(path)
    await storage.start()
    transport, in_flight = LoopbackTransport(), InFlight()
    client = Client.loopback(transport)
    config = ServerConfig(Backings(storage), client, garbage_collection=garbage_collection)
    clients, front_proxies = authorities()
    options = KubeAPIOptions(
        schemas=schemas(),
        server_address=ADDRESS,
        client_ca=CertificateAuthority(clients.pem),
        front_proxy_ca=CertificateAuthority(front_proxies.pem),
        loopback_token=transport.token,
        service_accounts=service_accounts(),
    )
    server = KubeAPIServer(config, options, EmptyDelegate())
    chain = ChainConfig(server.authenticator, server.authorizer, in_flight, server.generic.is_mux_complete)
    app = build_handler_chain(server.generic, chain)
    transport.bind(app)
    await server.generic.prepare_to_run()
    server.generic.install_shared_paths()
    try:
        if run_hooks:
            await hooks.run_all(server.generic.post_start_hooks())
        yield Plane(server, config, client, app, transport.token)
    finally:
        failures = await hooks.run_pre_shutdown(server.generic.pre_shutdown_hooks())
        in_flight.begin_drain()
        await client.aclose()
        await server.generic.destroy()
        await config.backings.stop()
        await storage.close()
    assert failures == []


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 10.0) -> None:
    """Wait for a condition, looking often."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 -- not everything waited for tells
            await asyncio.sleep(0.005)
