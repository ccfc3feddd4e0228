"""Runs a Plan: opens the storage, finds out who may come in, builds the server and serves until told to stop.

Called by `builder.py`. Mirrors `apiserver-runtime/internal/sample-apiserver/pkg/cmd/server/start.go`.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from generic.audit.options import Auditing
from generic.authentication.bearer import LoopbackAuthenticator
from generic.client.loopback import LoopbackTransport
from generic.client.rest import Client
from generic.config import ServerConfig
from generic.filters.chain import ChainConfig, build_handler_chain
from generic.filters.in_flight import InFlight
from generic.meta.names import new_uid
from generic.metrics import Metrics
from generic.registry.backings import Backings
from generic.run import ServerRun, ShutdownOptions
from generic.serving.options import SecureServingOptions
from generic.serving.server import SecureServer
from generic.storage.compactor import PeriodicCompaction
from generic.storage.interface import Storage
from generic.storage.sqlite import SqliteStorage
from generic.tracing.options import Tracing, TracingOptions
from generic.version import SPOKEN, VersionInfo
from trikube.aa import access, certificates, storages
from trikube.aa.access import Access
from trikube.aa.certificates import Certificates
from trikube.aa.options import Options, OptionsError
from trikube.aa.plan import Plan, Setup
from trikube.aa.server import AggregatedServer
from trikube.aa.storages import StorageChoice

_NOWHERE = SqliteStorage(Path("nowhere"))
"""Never started: for servers that store nothing."""


@dataclass(frozen=True, slots=True)
class Listening:
    """A server that answers. `token`, `kubeconfig`: what makes one its administrator, in standalone debug mode."""

    url: str
    port: int
    kubeconfig: str = ""
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class _Engines:
    """The Backings of each storage a plan uses, and where the engines end."""

    options: Options
    stack: contextlib.AsyncExitStack
    held: dict[StorageChoice | None, Backings]

    def of(self, choice: StorageChoice | None) -> Backings:
        """Whatever there is for a choice that nothing is stored in: its Backings is never asked for anything."""
        return self.held.get(choice) or next(iter(self.held.values()), Backings(_NOWHERE))

    async def open(self, choice: StorageChoice | None) -> None:
        """Raises StorageError."""
        if choice in self.held:
            return
        made: Storage = storages.of_the_server(self.options) if choice is None else choice.open(self.options)
        await made.start()
        self.stack.push_async_callback(made.close)
        compaction = PeriodicCompaction(made)
        await compaction.start()
        self.stack.push_async_callback(compaction.stop)
        self.held[choice] = Backings(made, prefix=self.options.etcd_prefix)
        self.stack.push_async_callback(self.held[choice].stop)


async def serve(
    plan: Plan, options: Options, stop: asyncio.Event, *, on_listening: Callable[[Listening], None] | None = None
) -> None:
    """Serve until `stop` is set. Everything is closed when this returns or raises.

    Raises OptionsError, DefinitionError, KubeconfigError, DelegationError, StorageError, ServingError or HookFailed:
    each is one line for the person who started it.
    """
    async with contextlib.AsyncExitStack() as stack:
        transport = LoopbackTransport()
        loopback = LoopbackAuthenticator(transport.token)
        own: Certificates | None = None
        # Who cannot reach the main server leaves no database and no certificates behind.
        if options.standalone:
            own = certificates.ensure(options.data_dir / "certs", certificates.own_names(plan.name))
            entry = await stack.enter_async_context(access.standalone(options, loopback, own.ca_cert))
        else:
            entry = await stack.enter_async_context(access.delegated(options, loopback))
            if options.tls_cert_file is None:
                own = certificates.ensure(options.data_dir / "certs", certificates.own_names(plan.name))
        engines = _Engines(options, stack, {})
        for choice in _choices(plan):
            await engines.open(choice)

        client = Client.loopback(transport)
        config = ServerConfig(engines.of(None), client)
        setup = Setup(options, client, entry.main)
        server = AggregatedServer(plan, config, setup, engines.of, authorizer=entry.authorizer)
        stack.push_async_callback(server.stop_informers)
        in_flight, metrics = InFlight(), Metrics()
        if server.webhooks is not None:
            metrics.registry.register(server.webhooks.metrics)
        if server.policies is not None:
            metrics.registry.register(server.policies.metrics)
        auditor = _auditor(options, metrics)
        tracing = _tracing(options, plan.name)
        if tracing is not None:
            server.generic.add_preparation(tracing.start)
            server.generic.add_destroyer(tracing.stop)
        server.generic.install_metrics(metrics)
        server.generic.install_version(VersionInfo(SPOKEN, plan.name))
        chain = ChainConfig(
            authenticator=entry.authenticator,
            authorizer=entry.authorizer if plan.authorization else access.EVERYBODY,
            in_flight=in_flight,
            is_mux_complete=server.generic.is_mux_complete,
            metrics=metrics,
            front_proxy=entry.front_proxy,
            tracer=tracing.tracer if tracing else None,
            auditor=auditor,
        )
        app = server.exempting_streams(build_handler_chain(server.generic, chain))
        transport.bind(app)
        listener = SecureServer(app, _serving(options, entry, own))

        def say() -> None:
            if on_listening is not None:
                on_listening(_listening(options, listener, own, transport.token))

        shutdown = ShutdownOptions(drain=options.shutdown_drain)
        run = ServerRun(server.generic, listener, in_flight, shutdown=shutdown, auditor=auditor, on_listening=say)
        await run.run(stop)


def _tracing(options: Options, name: str) -> Tracing | None:
    try:
        return TracingOptions(options.tracing_config_file).tracing(name, f"{name}-{new_uid()}", SPOKEN)
    except ValueError as error:
        raise OptionsError(str(error)) from None


def _auditor(options: Options, metrics: Metrics) -> Auditing | None:
    try:
        return options.audit.auditor(metrics)
    except ValueError as error:
        raise OptionsError(str(error)) from None


def _choices(plan: Plan) -> list[StorageChoice | None]:
    """Each storage some class is stored in, once."""
    found: dict[StorageChoice | None, None] = {}
    for served in plan.resources:
        if served.cls.hub is None and (served.storage is None or isinstance(served.storage, StorageChoice)):
            found[served.storage] = None
    return list(found)


def _serving(options: Options, entry: Access, own: Certificates | None) -> SecureServingOptions:
    cert, key = options.tls_cert_file, options.tls_private_key_file
    if cert is None or key is None:
        assert own is not None
        cert, key = own.serving_cert, own.serving_key
    return SecureServingOptions(
        bind_address=options.bind_address,
        port=options.secure_port,
        cert_file=cert,
        key_file=key,
        client_ca_files=entry.client_ca_files,
    )


def _listening(options: Options, listener: SecureServer, own: Certificates | None, token: str) -> Listening:
    if not options.standalone or own is None:
        return Listening(listener.url, listener.port)
    own.write_kubeconfig(listener.url)
    return Listening(listener.url, listener.port, str(own.kubeconfig), token)
