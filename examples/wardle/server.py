"""The wardle server: a GenericServer of its own, with an empty delegate, its own storage and its own handler chain.

Called by `__main__` and by tests. Mirrors `sample-apiserver/pkg/apiserver/apiserver.go`.
"""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

from examples.wardle import access, storage
from examples.wardle.access import Access
from examples.wardle.admission import BanFlunder
from examples.wardle.options import Options
from generic.admission.interface import AdmissionPlugin
from generic.admission.namespace_lifecycle import NamespaceLifecycle
from generic.admission.remote_namespaces import RemoteNamespaces
from generic.authentication.bearer import LoopbackAuthenticator
from generic.client.loopback import LoopbackTransport
from generic.client.rest import Client
from generic.config import ServerConfig
from generic.delegation import NothingBehind
from generic.endpoints.openapi import build
from generic.filters.chain import ChainConfig, build_handler_chain
from generic.filters.in_flight import InFlight
from generic.health import HealthCheck
from generic.hooks import PostStartHook
from generic.metrics import Metrics
from generic.registry.backings import Backings
from generic.run import ServerRun, ShutdownOptions
from generic.server import GenericServer
from generic.serving.options import SecureServingOptions
from generic.serving.server import SecureServer
from generic.storage.compactor import PeriodicCompaction
from generic.storage.sqlite import SqliteStorage

DATABASE = "wardle.db"


class NotSyncedError(Exception):
    """Why `/readyz` is red until everything is there."""


class WardleServer:
    """Wraps a GenericServer with the resources of wardle.example.com installed."""

    def __init__(self, config: ServerConfig, namespaces: RemoteNamespaces | None = None) -> None:
        plugins: list[AdmissionPlugin] = [BanFlunder(config.backings.of(storage.FISCHERS).cacher)]
        if namespaces is not None:
            plugins.insert(0, NamespaceLifecycle(namespaces))
        config.admission.use(plugins)
        compaction = PeriodicCompaction(config.backings.storage)
        self.generic = GenericServer("wardle", NothingBehind(), discovery=config.discovery)
        self.generic.install(config.install(resource) for resource in storage.RESOURCES)
        for group_version in self.generic.installed_group_versions():
            resources = partial(self.generic.installed_in, group_version)
            document = build.document(group_version, resources)
            self.generic.publish_openapi(group_version.path.removeprefix("/"), document)
        self.generic.add_post_start_hook(PostStartHook("storage-compaction", compaction.start))
        self.generic.add_destroyer(compaction.stop)
        if namespaces is not None:
            self.generic.add_ready_check(HealthCheck("informer-sync", partial(_check_synced, namespaces)))


async def _check_synced(namespaces: RemoteNamespaces) -> None:
    if not namespaces.has_synced:
        raise NotSyncedError("the namespaces of the main server are not known yet")


async def run(
    options: Options, stop: asyncio.Event, *, on_listening: Callable[[SecureServer], None] = lambda listener: None
) -> None:
    """Serve until `stop` is set.

    Raises OptionsError, KubeconfigError, DelegationError, StorageError, ServingError or HookFailed: each is one line
    for the person who started it. Everything is closed when this returns or raises.
    """
    async with contextlib.AsyncExitStack() as stack:
        engine = SqliteStorage(options.data_dir / DATABASE)
        await engine.start()
        stack.push_async_callback(engine.close)
        transport = LoopbackTransport()
        loopback = LoopbackAuthenticator(transport.token)
        enter = access.standalone if options.standalone else access.delegated
        entry = await stack.enter_async_context(enter(options, loopback))

        config = ServerConfig(Backings(engine), Client.loopback(transport))
        stack.push_async_callback(config.backings.stop)
        server = WardleServer(config, entry.namespaces)
        in_flight, metrics = InFlight(), Metrics()
        server.generic.install_metrics(metrics)
        app = build_handler_chain(server.generic, _chain(entry, server, in_flight, metrics))
        transport.bind(app)
        listener = SecureServer(app, _serving(options, entry))
        shutdown = ShutdownOptions(drain=options.shutdown_drain)
        running = ServerRun(
            server.generic, listener, in_flight, shutdown=shutdown, on_listening=lambda: on_listening(listener)
        )
        await running.run(stop)


def _chain(entry: Access, server: WardleServer, in_flight: InFlight, metrics: Metrics) -> ChainConfig:
    return ChainConfig(
        authenticator=entry.authenticator,
        authorizer=entry.authorizer,
        in_flight=in_flight,
        is_mux_complete=server.generic.is_mux_complete,
        metrics=metrics,
        front_proxy=entry.front_proxy,
    )


def _serving(options: Options, entry: Access) -> SecureServingOptions:
    return SecureServingOptions(
        bind_address=options.bind_address,
        port=options.secure_port,
        cert_file=options.tls_cert_file,
        key_file=options.tls_private_key_file,
        client_ca_files=entry.client_ca_files,
    )
