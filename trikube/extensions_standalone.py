"""`trikube extensions-server`: the third tier alone. CustomResourceDefinitions and custom resources, nothing else.

It needs no other server: who has a certificate of its own authority is who the certificate says, and `system:masters`
may do everything, others nothing but probe. There are no namespaces to exist here, so any will do. Called by
`extensions_command.py`. Mirrors `apiextensions-apiserver/pkg/cmd/server/options/options.go`, whose tests run it so.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from extensions.server import APIExtensionsServer
from generic.authentication.anonymous import AnonymousAuthenticator
from generic.authentication.authority import CertificateAuthority
from generic.authentication.bearer import LoopbackAuthenticator
from generic.authentication.union import UnionAuthenticator
from generic.authentication.x509 import X509Authenticator
from generic.authorization.always_allow import AlwaysAllowPaths
from generic.authorization.privileged import PrivilegedGroups
from generic.authorization.union import UnionAuthorizer
from generic.client.loopback import LoopbackTransport
from generic.client.queue_metrics import QueueMetrics
from generic.client.rest import Client
from generic.config import ServerConfig
from generic.delegation import NothingBehind
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
from generic.version import SPOKEN, VersionInfo
from trikube import kubeconfig
from trikube.observing import Observing
from trikube.pki import layout
from trikube.pki.files import private_directory
from trikube.version import BUILD

DATABASE = "extensions.db"
KUBECONFIG = "extensions.kubeconfig"


@dataclass(frozen=True, slots=True)
class ExtensionsOptions:
    """Everything that decides how it runs. Database, authority, certificates and kubeconfig are made in `data_dir`."""

    data_dir: Path
    bind_address: str = "127.0.0.1"
    secure_port: int = 6445
    observing: Observing = field(default_factory=Observing)
    log_requests: bool = False

    @property
    def kubeconfig(self) -> Path:
        """The administrator's; written when the port is known."""
        return self.data_dir / KUBECONFIG


async def run(options: ExtensionsOptions, stop: asyncio.Event, *, on_listening: Callable[[str], None]) -> None:
    """Serve until `stop` is set; `on_listening` is told the URL.

    Raises OptionsError, PKIError, StorageError, ServingError or HookFailed, each with one line. Everything is closed
    when this returns or raises.
    """
    private_directory(options.data_dir)
    metrics = Metrics()
    observers = options.observing.observers("apiextensions-apiserver", metrics)
    pki = layout.ensure(options.data_dir / "pki", names=[options.bind_address])
    async with contextlib.AsyncExitStack() as stack:
        engine = SqliteStorage(options.data_dir / DATABASE)
        await engine.start()
        stack.push_async_callback(engine.close)
        transport = LoopbackTransport()
        config = ServerConfig(Backings(engine), Client.loopback(transport))
        stack.push_async_callback(config.loopback.aclose)

        front = APIExtensionsServer(config, NothingBehind()).generic
        in_flight, compaction = InFlight(), PeriodicCompaction(engine)
        version = VersionInfo(SPOKEN, BUILD)
        front.install_version(version)
        front.install_metrics(metrics)
        metrics.show_build(version.to_object())
        for collector in (StoredObjects(config.backings), QueueMetrics()):
            metrics.registry.register(collector)
        observers.install(front)
        front.add_post_start_hook(PostStartHook("storage-compaction", compaction.start))
        front.add_destroyer(config.backings.stop)
        front.add_destroyer(compaction.stop)
        chain = ChainConfig(
            authenticator=_authenticator(transport, pki, metrics),
            authorizer=UnionAuthorizer((PrivilegedGroups(), AlwaysAllowPaths())),
            in_flight=in_flight,
            is_mux_complete=front.is_mux_complete,
            metrics=metrics,
            http_logging=options.log_requests,
            auditor=observers.auditor,
            tracer=observers.tracer,
        )
        app = build_handler_chain(front, chain)
        transport.bind(app)
        listener = SecureServer(app, _serving(options, pki))

        def listening() -> None:
            _write_kubeconfig(options, pki, listener.url)
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


def _authenticator(transport: LoopbackTransport, pki: layout.Layout, metrics: Metrics) -> UnionAuthenticator:
    def seen(seconds: float) -> None:
        metrics.certificate_expiration.observe(value=seconds)

    return UnionAuthenticator(
        [
            LoopbackAuthenticator(transport.token),
            X509Authenticator(CertificateAuthority.from_file(pki.ca_cert), seen=seen),
        ],
        anonymous=AnonymousAuthenticator(),
    )


def _serving(options: ExtensionsOptions, pki: layout.Layout) -> SecureServingOptions:
    return SecureServingOptions(
        bind_address=options.bind_address,
        port=options.secure_port,
        cert_file=pki.serving_cert,
        key_file=pki.serving_key,
        client_ca_files=(pki.ca_cert,),
    )


def _write_kubeconfig(options: ExtensionsOptions, pki: layout.Layout, url: str) -> None:
    kubeconfig.write(
        options.kubeconfig,
        server=url,
        ca=pki.cluster.pem,
        client_cert=pki.admin_cert.read_bytes(),
        client_key=pki.admin_key.read_bytes(),
        cluster="trikube-extensions",
    )
