"""AggregatorServer: the first tier. Owns APIServices, `/apis`, and the proxy to aggregated API servers.

Built by `trikube.controlplane` on the kube-apiserver tier; the handler chain is put around its `generic`. What it does
beside the requests is started by the post-start hooks below and ended before the server stops. Mirrors
`kube-aggregator/pkg/apiserver/apiserver.go` and CreateAggregatorServer of `pkg/controlplane/apiserver/aggregator.go`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aggregator import groups, priorities
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
from aggregator.metrics import AggregatorMetrics
from aggregator.proxy.backends import Backends
from aggregator.proxy.connections import Connections
from aggregator.proxy.credentials import ProxyCredentials
from aggregator.proxy.fetching import Fetcher
from aggregator.proxy.handler import ProxyHandler, ProxyTools
from aggregator.resolving import ClusterIPResolver, LoopbackResolver, ServiceResolver
from aggregator.routes import GroupVersions, RoutingTable
from generic.client.resolving import EndpointResolver
from generic.config import ServerConfig
from generic.delegation import DelegationTarget
from generic.endpoints.discovery import handlers
from generic.endpoints.openapi import build
from generic.hooks import PostStartHook
from generic.server import GenericServer

CREDENTIALS_HOOK = "aggregator-reload-proxy-client-cert"
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
    endpoint_routing: bool = True
    """Services are resolved by their endpoints; False: by their cluster IPs, where a kube-proxy runs."""
    reject_redirects: bool = True
    """Where a server behind an APIService sends clients elsewhere (3xx with a Location), they get a 502."""
    custom_resources: bool = True
    """A server behind this one serves CustomResourceDefinitions."""
    served_behind: GroupVersions = tuple
    """What is to be listed in `/apis` also without an APIService, for a server behind that has others than ours."""


class AggregatorServer:
    """Wraps a GenericServer whose mux holds a proxy for each remote group-version."""

    def __init__(self, config: ServerConfig, options: AggregatorOptions, delegate: DelegationTarget) -> None:
        self.generic = GenericServer("aggregator", delegate, discovery=config.discovery)
        self.table = RoutingTable(options.served_behind)
        self._config = config
        self._informers = Informers(config.loopback, custom_resources=options.custom_resources)
        self.metrics = AggregatorMetrics(self._informers.apiservices, config.discovery)
        self._credentials = ProxyCredentials(options.proxy_client_cert, options.proxy_client_key)
        self.connections = Connections(self._credentials)
        self._backends = Backends(self.connections, self._resolver(options))
        self._install_apis()
        self._make_controllers(delegate, redirects=not options.reject_redirects)
        self._add_hooks()

    def _resolver(self, options: AggregatorOptions) -> ServiceResolver:
        followed = self._informers
        others: ServiceResolver
        if options.endpoint_routing:
            others = EndpointResolver(followed.services, followed.endpoint_slices, followed.endpoints)
        else:
            others = ClusterIPResolver(followed.services)
        return LoopbackResolver(others, options.self_port)

    def _install_apis(self) -> None:
        server, discovery_manager = self.generic, self._config.discovery
        server.install([self._config.install(resource.resource())])
        group_version = resource.GROUP_VERSION
        own = build.document(group_version, lambda: server.installed_in(group_version), self._config.types)
        server.publish_openapi(group_version.path.removeprefix("/"), own)
        discovery_manager.set_priorities(
            resource.GROUP_VERSION,
            group_priority=priorities.OWN.group,
            version_priority=priorities.OWN.version,
        )
        root = handlers.RootHandler(discovery_manager, lambda: groups.group_list(self.table), core=False)
        server.mux.handle("/apis", root)
        server.mux.handle("/apis/", root)

    def _make_controllers(self, delegate: DelegationTarget, *, redirects: bool) -> None:
        followed, client, fetcher = self._informers, self._config.loopback, Fetcher(self._backends)
        self._availability = AvailabilityController(client, followed, fetcher, metrics=self.metrics)
        recheck = self._availability.recheck
        tools = ProxyTools(self.table, self._backends, delegate, recheck, redirects=redirects)
        makers = RouteMakers(
            proxy=lambda name: ProxyHandler(name, tools),
            group=lambda group: GroupHandler(group, self.table, delegate),
            forget=self.connections.forget,
        )
        self._registration = RegistrationController(followed.apiservices, self.table, self.generic.mux, makers)
        self._discovery = DiscoveryController(followed, fetcher, self._config.discovery)
        self._openapi = OpenAPIController(followed, fetcher, self.generic.publish_openapi)
        self._autoregister = AutoRegister(client, followed.apiservices, followed.wait_synced_definitions)
        for group_version in priorities.listed_built_in(delegate.listed_paths()):
            self._autoregister.add_on_start(group_version, priorities.BUILT_IN[group_version])
        if followed.custom_resource_definitions is not None:
            CRDRegistration(followed.custom_resource_definitions, self._autoregister)

    def _add_hooks(self) -> None:
        server = self.generic
        server.add_mux_complete_signal(self._registration.initiated)
        server.add_ready_check(self._informers.check())
        server.add_boot_check(self._autoregister.check())
        starters: dict[str, Callable[[], None]] = {
            CREDENTIALS_HOOK: lambda: self._credentials.start(self._credentials_changed),
            INFORMERS_HOOK: self._informers.start,
            availability.LOCAL: self._availability.start_local,
            availability.REMOTE: self._availability.start_remote,
            openapi.NAME: self._openapi.start,
            AUTOREGISTRATION_HOOK: self._autoregister.start,
        }
        for name, start in starters.items():
            server.add_post_start_hook(PostStartHook(name, _starting(start)))
        server.add_post_start_hook(PostStartHook(registration.NAME, self._registration.run))
        server.add_post_start_hook(PostStartHook(discovery.NAME, self._discovery.run))
        server.add_pre_shutdown_hook(STOP_HOOK, self._stop)
        server.add_destroyer(self.connections.aclose)

    def _credentials_changed(self) -> None:
        """Nothing new goes over connections made with the old certificate; and who refused that may like this one."""
        for one in self.table.remote():
            self.connections.forget(one.name)
        self._availability.recheck_all()
        self._discovery.refresh_all()
        self._openapi.refresh_all()

    async def _stop(self) -> None:
        await asyncio.gather(
            self._autoregister.stop(), self._availability.stop(), self._discovery.stop(), self._openapi.stop()
        )
        await self._credentials.stop()
        await self._informers.stop()


def _starting(start: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        start()

    return run
