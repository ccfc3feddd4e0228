"""AggregatorServer: the first tier. Owns APIServices, `/apis`, and the proxy to aggregated API servers.

Built by `trikube.controlplane` on the kube-apiserver tier; the handler chain is put around its `generic`. What it does
beside the requests is started by the post-start hooks below and ended before the server stops. Mirrors
`kube-aggregator/pkg/apiserver/apiserver.go` and CreateAggregatorServer of `pkg/controlplane/apiserver/aggregator.go`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aggregator import groups, openapi_v2, priorities
from aggregator.apiservices import resource
from aggregator.controllers import availability, discovery, openapi, registration
from aggregator.controllers.autoregister import AutoRegister
from aggregator.controllers.availability import AvailabilityController
from aggregator.controllers.crd_registration import CRDRegistration
from aggregator.controllers.discovery import DiscoveryController
from aggregator.controllers.openapi import OpenAPIController
from aggregator.controllers.registration import RegistrationController, RouteMakers
from aggregator.groups import GroupHandler
from aggregator.informers import Informers
from aggregator.openapi_v2 import OpenAPIV2Handler
from aggregator.proxy.backends import Backends
from aggregator.proxy.connections import Connections
from aggregator.proxy.credentials import ProxyCredentials
from aggregator.proxy.fetching import Fetcher
from aggregator.proxy.handler import ProxyHandler, ProxyTools
from aggregator.resolving import EndpointResolver, LoopbackResolver, ServiceResolver
from aggregator.routes import RoutingTable
from generic.config import ServerConfig
from generic.delegation import DelegationTarget
from generic.endpoints.discovery import handlers
from generic.endpoints.openapi import build
from generic.hooks import PostStartHook
from generic.server import GenericServer

INFORMERS_HOOK = "start-kube-aggregator-informers"
AUTOREGISTRATION_HOOK = "kube-apiserver-autoregistration"
STOP_HOOK = "stop-kube-aggregator-controllers"


@dataclass(frozen=True, slots=True)
class AggregatorOptions:
    """What the first tier can be told."""

    proxy_client_cert: Path
    """The front proxy's client certificate and key (`--proxy-client-cert-file`, `--proxy-client-key-file`)."""
    proxy_client_key: Path
    self_port: Callable[[], int]
    """Where this server listens: `default/kubernetes:443` is not looked up."""
    resolver: Callable[[Informers], ServiceResolver] | None = None
    """How Services are resolved; None: by their endpoints."""
    custom_resources: bool = True
    """A server behind this one serves CustomResourceDefinitions."""


class AggregatorServer:
    """Wraps a GenericServer whose mux holds a proxy for each remote group-version."""

    def __init__(self, config: ServerConfig, options: AggregatorOptions, delegate: DelegationTarget) -> None:
        self.generic = GenericServer("aggregator", delegate, discovery=config.discovery)
        self.table = RoutingTable()
        self._config = config
        self._informers = Informers(config.loopback, custom_resources=options.custom_resources)
        self.connections = Connections(ProxyCredentials(options.proxy_client_cert, options.proxy_client_key))
        self._backends = Backends(self.connections, self._resolver(options))
        self._install_apis()
        self._make_controllers(delegate)
        self._add_hooks()

    def _resolver(self, options: AggregatorOptions) -> ServiceResolver:
        followed = self._informers
        if options.resolver is not None:
            others = options.resolver(followed)
        else:
            others = EndpointResolver(followed.services, followed.endpoint_slices, followed.endpoints)
        return LoopbackResolver(others, options.self_port)

    def _install_apis(self) -> None:
        server, discovery_manager = self.generic, self._config.discovery
        server.install([self._config.install(resource.resource())])
        own = build.document(resource.GROUP_VERSION, lambda: server.installed_in(resource.GROUP_VERSION))
        server.publish_openapi(resource.GROUP_VERSION.path.removeprefix("/"), own)
        discovery_manager.set_priorities(
            resource.GROUP_VERSION,
            group_priority=priorities.OWN.group,
            version_priority=priorities.OWN.version,
        )
        root = handlers.RootHandler(discovery_manager, lambda: groups.group_list(self.table), core=False)
        server.mux.handle("/apis", root)
        server.mux.handle("/apis/", root)
        server.mux.handle(openapi_v2.PATH, OpenAPIV2Handler(server.openapi_v3))

    def _make_controllers(self, delegate: DelegationTarget) -> None:
        followed, client, fetcher = self._informers, self._config.loopback, Fetcher(self._backends)
        self._availability = AvailabilityController(client, followed, fetcher)
        tools = ProxyTools(self.table, self._backends, delegate, self._availability.recheck)
        makers = RouteMakers(
            proxy=lambda name: ProxyHandler(name, tools),
            group=lambda group: GroupHandler(group, self.table, delegate),
            forget=self.connections.forget,
        )
        self._registration = RegistrationController(followed.apiservices, self.table, self.generic.mux, makers)
        self._discovery = DiscoveryController(followed.apiservices, fetcher, self._config.discovery)
        self._openapi = OpenAPIController(followed.apiservices, fetcher, self.generic.publish_openapi)
        self._autoregister = AutoRegister(client, followed.apiservices, followed.wait_synced_definitions)
        for group_version in priorities.listed_built_in(delegate.listed_paths()):
            self._autoregister.add_on_start(group_version, priorities.BUILT_IN[group_version])
        if followed.custom_resource_definitions is not None:
            CRDRegistration(followed.custom_resource_definitions, self._autoregister)

    def _add_hooks(self) -> None:
        server = self.generic
        server.add_mux_complete_signal(self._registration.initiated)
        server.add_ready_check(self._informers.check())
        server.add_ready_check(self._autoregister.check())
        starters: dict[str, Callable[[], None]] = {
            INFORMERS_HOOK: self._informers.start,
            availability.LOCAL: self._availability.start_local,
            availability.REMOTE: self._availability.start_remote,
            discovery.NAME: self._discovery.start,
            openapi.NAME: self._openapi.start,
            AUTOREGISTRATION_HOOK: self._autoregister.start,
        }
        for name, start in starters.items():
            server.add_post_start_hook(PostStartHook(name, _starting(start)))
        server.add_post_start_hook(PostStartHook(registration.NAME, self._registration.run))
        server.add_pre_shutdown_hook(STOP_HOOK, self._stop)
        server.add_destroyer(self.connections.aclose)

    async def _stop(self) -> None:
        await asyncio.gather(
            self._autoregister.stop(), self._availability.stop(), self._discovery.stop(), self._openapi.stop()
        )
        await self._informers.stop()


def _starting(start: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        start()

    return run
