"""An aggregator in front of the built-in kinds, and servers to aggregate, all over real TLS sockets."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson

from aggregator.apiservices import resource
from aggregator.server import AggregatorOptions, AggregatorServer
from generic import hooks
from generic.authentication.authority import CertificateAuthority
from generic.client.loopback import LoopbackTransport
from generic.client.rest import Client
from generic.config import ServerConfig
from generic.delegation import EmptyDelegate
from generic.filters.chain import ChainConfig, build_handler_chain
from generic.filters.in_flight import InFlight
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.registry.backings import Backings
from generic.serving.options import SecureServingOptions
from generic.serving.server import SecureServer
from generic.storage.sqlite import SqliteStorage
from generic.types import ASGIApp, JSONObject, Receive, Scope, Send
from kubeapi.server import KubeAPIOptions, KubeAPIServer
from kubeapi.serviceaccounts.jwt import SigningKey
from kubeapi.serviceaccounts.options import ServiceAccountOptions
from tests.support.kubeapi import schemas
from trikube.pki import issue, layout

GROUP = "wardle.example.com"
PATH = f"/apis/{GROUP}/v1"
NAME = f"v1.{GROUP}"
_SERVICES = GroupVersionResource("", "v1", "services")
_SLICES = GroupVersionResource("discovery.k8s.io", "v1", "endpointslices")


@dataclass
class Plane:
    """What listens, and the two ways in: `client` is the server's own, `http` the administrator's over TLS."""

    aggregator: AggregatorServer
    client: Client
    pki: layout.Layout
    in_flight: InFlight
    listener: SecureServer
    http: httpx.AsyncClient

    async def register(self, *addresses: tuple[str, int], ca: bytes | None = None, **spec: Any) -> None:
        """Service, EndpointSlice and APIService of `v1.wardle.example.com`, served at these addresses."""
        service = {"metadata": {"name": "api"}, "spec": {"ports": [{"name": "https", "port": 443}]}}
        await self.client.create(_SERVICES, {"apiVersion": "v1", "kind": "Service", **service}, "default")
        await self.client.create(_SLICES, endpoint_slice(*addresses), "default")
        trusted = self.pki.cluster.pem if ca is None else ca
        made = apiservice(caBundle=base64.b64encode(trusted).decode(), **spec)
        await self.client.create(resource.GVR, made)

    async def move(self, *addresses: tuple[str, int]) -> None:
        """Have the Service served elsewhere from now on."""
        await self.client.update(_SLICES, endpoint_slice(*addresses), "default")

    async def unregister(self) -> None:
        """Delete the APIService, if it is still there, so that nobody asks its server any more."""
        with contextlib.suppress(StatusError):
            await self.client.delete(resource.GVR, NAME)
        await self.until(lambda: NAME not in self.aggregator.table.names())

    async def change(self, **spec: Any) -> None:
        """Merge this into the spec of the APIService."""
        await self.client.patch(resource.GVR, NAME, {"spec": spec})

    async def condition(self, expected: Callable[[JSONObject], bool], name: str = NAME) -> JSONObject:
        """The Available condition, once it is as expected."""
        async with asyncio.timeout(15):
            while True:
                found = await self.client.get(resource.GVR, name)
                for held in (found.get("status") or {}).get("conditions") or ():
                    if expected(held):
                        made: JSONObject = held
                        return made
                await asyncio.sleep(0.01)

    async def ready(self) -> None:
        """Return once everything of the delegates is registered."""
        async with asyncio.timeout(15):
            while (await self.http.get("/readyz")).status_code != 200:  # noqa: ASYNC110, readiness is asked for
                await asyncio.sleep(0.01)

    async def available(self) -> None:
        await self.condition(lambda held: held["status"] == "True")
        await self.until(lambda: any(one.available for one in self.aggregator.table.remote()))

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(15):
            while not condition():  # noqa: ASYNC110, not everything waited for tells
                await asyncio.sleep(0.005)


def apiservice(**spec: Any) -> JSONObject:
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": NAME},
        "spec": {
            "group": GROUP,
            "version": "v1",
            "groupPriorityMinimum": 2000,
            "versionPriority": 15,
            "service": {"namespace": "default", "name": "api"},
            **spec,
        },
    }


def endpoint_slice(*addresses: tuple[str, int]) -> JSONObject:
    """All addresses share the first one's port: that is how slices are."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "api-1", "labels": {"kubernetes.io/service-name": "api"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [host]} for host, _ in addresses],
        "ports": [{"name": "https", "port": addresses[0][1], "protocol": "TCP"}],
    }


@contextlib.asynccontextmanager
async def plane(folder: Path) -> AsyncIterator[Plane]:
    """A running control plane without custom resources."""
    pki = layout.ensure(folder / "pki")
    storage = SqliteStorage(folder / "state.db")
    await storage.start()
    transport, in_flight = LoopbackTransport(), InFlight()
    client = Client.loopback(transport)
    config = ServerConfig(Backings(storage), client)
    kubeapi = KubeAPIServer(
        config,
        KubeAPIOptions(
            schemas=schemas(),
            server_address="127.0.0.1:6443",
            client_ca=CertificateAuthority(pki.cluster.pem),
            front_proxy_ca=CertificateAuthority(pki.front_proxy.pem),
            loopback_token=transport.token,
            service_accounts=ServiceAccountOptions(SigningKey.from_pem(pki.service_account_key.read_bytes())),
        ),
        EmptyDelegate(),
    )
    options = AggregatorOptions(
        proxy_client_cert=pki.front_proxy_client_cert,
        proxy_client_key=pki.front_proxy_client_key,
        self_port=lambda: listener.port,
        custom_resources=False,
    )
    aggregator = AggregatorServer(config, options, kubeapi.generic)
    server = aggregator.generic
    chain = ChainConfig(kubeapi.authenticator, kubeapi.authorizer, in_flight, server.is_mux_complete)
    app = build_handler_chain(server, chain)
    transport.bind(app)
    listener = SecureServer(app, _serving(pki, pki.serving_cert, pki.serving_key))
    await server.prepare_to_run()
    server.install_shared_paths()
    await listener.start()
    context = ssl.create_default_context(cafile=pki.ca_cert)
    context.load_cert_chain(pki.admin_cert, pki.admin_key)
    http = httpx.AsyncClient(base_url=listener.url, verify=context, timeout=20, trust_env=False)
    try:
        await hooks.run_all(server.post_start_hooks())
        made = Plane(aggregator, client, pki, in_flight, listener, http)
        await made.ready()
        yield made
    finally:
        await http.aclose()
        failures = await hooks.run_pre_shutdown(server.pre_shutdown_hooks())
        in_flight.begin_drain()
        await listener.close()
        await client.aclose()
        await server.destroy()
        await config.backings.stop()
        await storage.close()
    assert failures == []


@dataclass
class Backend:
    """An aggregated API server: answers discovery, and everything else with `app`; remembers what it was asked."""

    app: ASGIApp
    port: int = 0
    seen: list[Scope] = field(default_factory=list)
    discovery_status: int = 200

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope)
        if scope["path"] == PATH:
            listed = {"kind": "APIResourceList", "groupVersion": f"{GROUP}/v1", "resources": [FLUNDERS]}
            await answer(send, orjson.dumps(listed), status=self.discovery_status)
        elif scope["path"] == "/apis" or scope["path"].startswith("/openapi"):
            await answer(send, b"not here", status=404)
        else:
            await self.app(scope, receive, send)

    def last(self, path: str) -> Scope:
        """The last request to a path."""
        return next(one for one in reversed(self.seen) if one["path"] == path)

    def headers(self, path: str) -> dict[str, list[str]]:
        """Of the last request to a path."""
        scope = self.last(path)
        found: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            found.setdefault(name.decode(), []).append(value.decode())
        return found


FLUNDERS = {
    "name": "flunders",
    "singularName": "flunder",
    "namespaced": True,
    "kind": "Flunder",
    "verbs": ["get", "list"],
}


async def answer(send: Send, body: bytes = b"{}", *, status: int = 200, headers: Any = ()) -> None:
    kind = (b"content-type", b"application/json")
    await send({"type": "http.response.start", "status": status, "headers": [kind, *headers]})
    await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def backend(
    plane: Plane,
    folder: Path,
    app: ASGIApp,
    *,
    names: Any = ("api.default.svc",),
    make: type[Backend] = Backend,
    dies: bool = False,
) -> AsyncIterator[Backend]:
    """Listens with a certificate of the cluster for `names`; asks clients for one of the front proxy.

    It goes away between two requests; unless it `dies`, its APIService is deleted before, so that there are no more.
    """
    issued = issue_to(folder, plane.pki.cluster, names)
    made = make(app)
    server = SecureServer(made, _serving(plane.pki, *issued))
    await server.start()
    made.port = server.port
    try:
        yield made
        if not dies:
            await plane.unregister()
        await plane.until(lambda: plane.aggregator.connections.users == 0)
    finally:
        await server.close()


@contextlib.asynccontextmanager
async def aggregated(plane: Plane, folder: Path, app: ASGIApp, **how: Any) -> AsyncIterator[Backend]:
    """A server registered as `v1.wardle.example.com` and available."""
    async with backend(plane, folder, app, **how) as served:
        await plane.register(("127.0.0.1", served.port))
        await plane.available()
        yield served


def issue_to(folder: Path, authority: issue.Authority, names: Any) -> tuple[Path, Path]:
    issued = authority.issue_serving(names)
    cert, key = folder / f"{names[0]}.crt", folder / f"{names[0]}.key"
    cert.write_bytes(issued.cert)
    key.write_bytes(issued.key)
    return cert, key


def _serving(pki: layout.Layout, cert: Path, key: Path) -> SecureServingOptions:
    return SecureServingOptions(
        bind_address="127.0.0.1",
        port=0,
        cert_file=cert,
        key_file=key,
        client_ca_files=(pki.ca_cert, pki.front_proxy_ca_cert),
    )
