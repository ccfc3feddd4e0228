"""`trikube aggregator-server`: the first tier alone, in front of any Kubernetes API server a kubeconfig reaches.

APIServices are kept here, in a database of its own; everything they do not route goes on to that server, which is also
asked who a caller is and what it may do. Called by `standalone_command.py`. Mirrors
`kube-aggregator/pkg/cmd/server/start.go`.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from aggregator.server import AggregatorOptions, AggregatorServer
from aggregator.upstream import Upstream
from generic.authentication.bearer import LoopbackAuthenticator
from generic.authentication.delegated import DelegatedAuthentication
from generic.authorization.delegated import delegated_authorizer
from generic.client import kubeconfig
from generic.client.loopback import LoopbackTransport
from generic.client.queue_metrics import QueueMetrics
from generic.client.rest import Client
from generic.config import ServerConfig
from generic.filters.chain import ChainConfig, build_handler_chain
from generic.filters.in_flight import InFlight
from generic.hooks import PostStartHook
from generic.metrics import Metrics
from generic.registry.backings import Backings
from generic.registry.metrics import StoredObjects
from generic.run import ServerRun
from generic.serving.options import SecureServingOptions
from generic.serving.server import SecureServer
from generic.storage.compactor import PeriodicCompaction
from generic.storage.sqlite import SqliteStorage
from trikube import kubeconfig as kubeconfigs
from trikube.observing import Observing
from trikube.pki import layout
from trikube.pki.files import private_directory

DATABASE = "aggregator.db"
KUBECONFIG = "aggregator.kubeconfig"


@dataclass(frozen=True, slots=True)
class StandaloneOptions:
    """Everything that decides how it runs. Where a file is not given, one of its own is made in `data_dir`."""

    kubeconfig: Path
    """The server behind it, and a user there who may impersonate and review, `cluster-admin` say."""
    data_dir: Path
    bind_address: str = "127.0.0.1"
    secure_port: int = 6444
    tls_cert_file: Path | None = None
    tls_private_key_file: Path | None = None
    proxy_client_cert_file: Path | None = None
    proxy_client_key_file: Path | None = None
    """The front proxy's certificate, of the authority that the ConfigMap of the server behind names: that is where
    aggregated servers learn whom to believe."""
    observing: Observing = field(default_factory=Observing)
    log_requests: bool = False

    @property
    def own_kubeconfig(self) -> Path:
        """Written where the user of the given one has a certificate: that user's, with this server in it."""
        return self.data_dir / KUBECONFIG


async def run(options: StandaloneOptions, stop: asyncio.Event, *, on_listening: Callable[[str], None]) -> None:
    """Serve until `stop` is set; `on_listening` is told the URL.

    Raises OptionsError, UpstreamError, KubeconfigError, DelegationError, PKIError, StorageError, ServingError or
    HookFailed, each with one line. Everything is closed when this returns or raises.
    """
    private_directory(options.data_dir)
    metrics = Metrics()
    observers = options.observing.observers("kube-aggregator", metrics)
    pki = layout.ensure(options.data_dir / "pki", names=[options.bind_address])
    behind = kubeconfig.load(options.kubeconfig)
    async with contextlib.AsyncExitStack() as stack:
        engine = SqliteStorage(options.data_dir / DATABASE)
        await engine.start()
        stack.push_async_callback(engine.close)
        transport = LoopbackTransport()
        config = ServerConfig(Backings(engine), Client.loopback(transport))
        stack.push_async_callback(config.loopback.aclose)
        client = Client.connect(behind)
        stack.push_async_callback(client.aclose)
        authentication = DelegatedAuthentication(client, options.data_dir / "client-ca")
        upstream = Upstream(behind, config.discovery)
        try:
            await upstream.load()
            await authentication.load()
        except BaseException:
            await upstream.destroy()
            raise
        authentication.start()
        stack.push_async_callback(authentication.stop)

        aggregator = AggregatorServer(config, _aggregator(options, pki, upstream, lambda: listener.port), upstream)
        front, in_flight = aggregator.generic, InFlight()
        compaction = PeriodicCompaction(engine)
        front.install_metrics(metrics)
        for collector in (aggregator.metrics, StoredObjects(config.backings), QueueMetrics()):
            metrics.registry.register(collector)
        observers.install(front)
        front.add_post_start_hook(PostStartHook("upstream-documents", upstream.start))
        front.add_post_start_hook(PostStartHook("storage-compaction", compaction.start))
        front.add_destroyer(config.backings.stop)
        front.add_destroyer(compaction.stop)
        chain = ChainConfig(
            authenticator=authentication.authenticator(LoopbackAuthenticator(transport.token)),
            authorizer=delegated_authorizer(client),
            in_flight=in_flight,
            is_mux_complete=front.is_mux_complete,
            metrics=metrics,
            front_proxy=authentication.request_header,
            http_logging=options.log_requests,
            auditor=observers.auditor,
            tracer=observers.tracer,
        )
        app = build_handler_chain(front, chain)
        transport.bind(app)
        listener = SecureServer(app, _serving(options, pki, authentication))

        def listening() -> None:
            _write_kubeconfig(options, pki, behind, listener.url)
            on_listening(listener.url)

        run = ServerRun(
            front,
            listener,
            in_flight,
            livez_grace_period=options.observing.livez_grace_period,
            auditor=observers.auditor,
            on_listening=listening,
        )
        await run.run(stop)


def _aggregator(
    options: StandaloneOptions, pki: layout.Layout, behind: Upstream, own_port: Callable[[], int]
) -> AggregatorOptions:
    return AggregatorOptions(
        proxy_client_cert=options.proxy_client_cert_file or pki.front_proxy_client_cert,
        proxy_client_key=options.proxy_client_key_file or pki.front_proxy_client_key,
        self_port=own_port,
        served_behind=behind.group_versions,
    )


def _serving(
    options: StandaloneOptions, pki: layout.Layout, authentication: DelegatedAuthentication
) -> SecureServingOptions:
    return SecureServingOptions(
        bind_address=options.bind_address,
        port=options.secure_port,
        cert_file=options.tls_cert_file or pki.serving_cert,
        key_file=options.tls_private_key_file or pki.serving_key,
        client_ca_files=authentication.client_ca_files,
    )


def _write_kubeconfig(
    options: StandaloneOptions, pki: layout.Layout, behind: kubeconfig.ClientConfig, url: str
) -> None:
    """The given kubeconfig with this server in it, where its user has a certificate: that is good here, too."""
    if behind.client_cert is None or behind.client_key is None or options.tls_cert_file is not None:
        options.own_kubeconfig.unlink(missing_ok=True)
        return
    kubeconfigs.write(
        options.own_kubeconfig,
        server=url,
        ca=pki.cluster.pem,
        client_cert=behind.client_cert,
        client_key=behind.client_key,
        cluster="trikube-aggregator",
    )
