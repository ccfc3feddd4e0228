"""The control plane: three servers, one behind the other, in one process. The only place that knows all three.

Built in reverse (extensions, kubeapi, aggregator), asked from the front: a request passes the handler chain once,
then goes from server to server until one owns it. Called by `trikube/cli.py` and `trikube/testing`. Mirrors
`cmd/kube-apiserver/app/server.go` CreateServerChain.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aggregator.server import AggregatorOptions, AggregatorServer
from extensions.server import APIExtensionsServer
from generic import health
from generic.authentication.authority import CertificateAuthority
from generic.authentication.request_header import RequestHeaderOptions
from generic.authentication.token_file import TokenFileAuthenticator
from generic.client.loopback import LoopbackTransport
from generic.client.queue_metrics import QueueMetrics
from generic.client.rest import Client
from generic.config import ServerConfig
from generic.delegation import EmptyDelegate
from generic.endpoints.openapi.known_types import KnownTypes
from generic.filters.chain import ChainConfig, build_handler_chain
from generic.filters.in_flight import InFlight
from generic.hooks import PostStartHook
from generic.metrics import Metrics
from generic.registry.backings import Backings
from generic.registry.metrics import StoredObjects
from generic.run import ServerRun, ShutdownOptions
from generic.serving.options import SecureServingOptions
from generic.serving.server import SecureServer
from generic.storage.compactor import PeriodicCompaction
from generic.storage.interface import Storage
from generic.version import VersionInfo
from kubeapi.bootstrap.flow_control import KIND as FLOW_CONTROL
from kubeapi.resources.key_paths import key_paths
from kubeapi.schemas import Schemas
from kubeapi.server import KubeAPIOptions, KubeAPIServer
from kubeapi.serviceaccounts.options import ServiceAccountOptions
from trikube import kubeconfig, storage
from trikube.errors import OptionsError
from trikube.fairness import Fairness
from trikube.options import ControlPlaneOptions
from trikube.pki import layout
from trikube.pki.files import private_directory
from trikube.version import BUILD

_CONSTRAINED_IMPERSONATION = (1, 36)
"""The version of Kubernetes since which it is on by default."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The three servers of a process."""

    extensions: APIExtensionsServer
    kubeapi: KubeAPIServer
    aggregator: AggregatorServer


class ControlPlane:
    """One process's control plane. `run` it once."""

    def __init__(self, options: ControlPlaneOptions) -> None:
        """Makes or loads the PKI and composes the servers; nothing runs yet. Raises OptionsError, PKIError."""
        options.check()
        self._options = options
        private_directory(options.data_dir)
        self.pki = layout.ensure(options.data_dir / "pki", names=options.serving_names())
        self._storage = storage.opener(options)()
        self._loopback = LoopbackTransport()
        self.client = Client.loopback(self._loopback)
        self.metrics = Metrics()
        self._observers = options.observing.observers("kube-apiserver", self.metrics)
        self._in_flight = InFlight()
        self._schemas = _schemas(options)
        config = ServerConfig(
            backings=Backings(self._storage, prefix=options.etcd_prefix, paths=key_paths()),
            loopback=self.client,
            garbage_collection=options.enable_garbage_collector,
            types=KnownTypes(self._schemas.openapi_definitions()),
        )
        self._fairness = self._make_fairness(config)
        self.chain = self._compose(config)
        front = self.chain.aggregator.generic
        handler = build_handler_chain(front, self._chain_config())
        self._loopback.bind(handler)
        self._listener = SecureServer(handler, self._serving())
        self._add_shared_parts(config, self._storage)

    @property
    def url(self) -> str:
        """Where clients on this machine reach it, once it listens."""
        return self._listener.url

    async def run(self, stop: asyncio.Event, *, on_listening: Callable[[], None] | None = None) -> None:
        """Serve until `stop` is set.

        Raises StorageError, ServingError or HookFailed, each with one line for the person who started it.
        """

        def listening() -> None:
            self._write_kubeconfig()
            if on_listening is not None:
                on_listening()

        options = self._options
        await self._storage.start()
        run = ServerRun(
            self.chain.aggregator.generic,
            self._listener,
            self._in_flight,
            shutdown=ShutdownOptions(options.shutdown_delay_duration, options.shutdown_drain),
            livez_grace_period=options.livez_grace_period,
            auditor=self._observers.auditor,
            on_listening=listening,
        )
        try:
            await run.run(stop)
        finally:
            await self.client.aclose()
            await self._storage.close()

    def _make_fairness(self, config: ServerConfig) -> Fairness | None:
        wanted = self._options.flow_control
        if not wanted.enable_priority_and_fairness:
            return None
        return Fairness(wanted.seats, config.backings, self.metrics)

    def _compose(self, config: ServerConfig) -> Chain:
        """In reverse: each server is built on the one it hands over to."""
        extensions = APIExtensionsServer(config, delegate=EmptyDelegate())
        kubeapi = KubeAPIServer(config, self._kubeapi_options(), delegate=extensions.generic)
        aggregator = AggregatorServer(config, self._aggregator_options(), delegate=kubeapi.generic)
        return Chain(extensions, kubeapi, aggregator)

    def _kubeapi_options(self) -> KubeAPIOptions:
        options = self._options
        tokens = []
        if options.token_auth_file is not None:
            try:
                tokens.append(TokenFileAuthenticator(options.token_auth_file))
            except (OSError, ValueError) as error:
                raise OptionsError(f"--token-auth-file: {error}") from error
        return KubeAPIOptions(
            schemas=self._schemas,
            server_address=lambda: self._public_url().removeprefix("https://"),
            token_authenticators=tuple(tokens),
            client_ca=CertificateAuthority.from_file(self.pki.ca_cert),
            front_proxy_ca=CertificateAuthority.from_file(self.pki.front_proxy_ca_cert),
            front_proxy=RequestHeaderOptions(allowed_names=(layout.FRONT_PROXY_USER,)),
            loopback_token=self._loopback.token,
            service_accounts=self._service_accounts(),
            anonymous=options.anonymous_auth,
            service_cluster_ip_range=options.service_cluster_ip_range,
            event_ttl=options.event_ttl,
            controllers=options.controller_selection(),
            admission=options.admission,
            certificate_seen=lambda seconds: self.metrics.certificate_expiration.observe(value=seconds),
        )

    def _service_accounts(self) -> ServiceAccountOptions:
        try:
            return self._options.service_accounts.load(self.pki.service_account_key)
        except ValueError as error:
            raise OptionsError(str(error)) from error

    def _aggregator_options(self) -> AggregatorOptions:
        return AggregatorOptions(
            proxy_client_cert=self.pki.front_proxy_client_cert,
            proxy_client_key=self.pki.front_proxy_client_key,
            self_port=lambda: self._listener.port,
            endpoint_routing=self._options.enable_aggregator_routing,
            reject_redirects=self._options.aggregator_reject_forwarding_redirect,
        )

    def _chain_config(self) -> ChainConfig:
        kubeapi, aggregator = self.chain.kubeapi, self.chain.aggregator
        return ChainConfig(
            authenticator=kubeapi.authenticator,
            authorizer=kubeapi.authorizer,
            in_flight=self._in_flight,
            is_mux_complete=aggregator.generic.is_mux_complete,
            metrics=self.metrics,
            constrained_impersonation=self._schemas.version >= _CONSTRAINED_IMPERSONATION,
            max_requests_in_flight=self._options.flow_control.max_requests_in_flight,
            max_mutating_requests_in_flight=self._options.flow_control.max_mutating_requests_in_flight,
            priority_and_fairness=None if self._fairness is None else self._fairness.filter,
            cors_allowed_origins=self._options.cors_allowed_origins,
            http_logging=self._options.log_requests,
            auditor=self._observers.auditor,
            tracer=self._observers.tracer,
        )

    def _serving(self) -> SecureServingOptions:
        return SecureServingOptions(
            bind_address=self._options.bind_address,
            port=self._options.secure_port,
            cert_file=self.pki.serving_cert,
            key_file=self.pki.serving_key,
            client_ca_files=(self.pki.ca_cert, self.pki.front_proxy_ca_cert),
        )

    def _add_shared_parts(self, config: ServerConfig, engine: Storage) -> None:
        """What belongs to the process rather than to one server stands at the outermost."""
        front = self.chain.aggregator.generic
        version = VersionInfo(self._schemas.binary_version, BUILD, self._schemas.minor_version)
        front.install_version(version)
        front.install_metrics(self.metrics)
        self.metrics.show_build(version.to_object())
        self._observers.install(front)
        if self._fairness is not None:
            self._fairness.install(front, self.client, follow=self._schemas.has(FLOW_CONTROL))
        shared = (StoredObjects(config.backings), QueueMetrics())
        kubeapi = self.chain.kubeapi
        for collector in (self.chain.aggregator.metrics, kubeapi.webhooks.metrics, kubeapi.policies.metrics, *shared):
            self.metrics.registry.register(collector)
        front.add_health_check(health.of_storage(engine))
        front.add_ready_check(health.of_storage(engine, "etcd-readiness"))
        compaction = PeriodicCompaction(engine)
        front.add_post_start_hook(PostStartHook("storage-compaction", compaction.start))
        front.add_destroyer(config.backings.stop)
        front.add_destroyer(compaction.stop)

    def _public_url(self) -> str:
        return self._options.public_url(self._listener.port) or self._listener.url

    def _write_kubeconfig(self) -> None:
        kubeconfig.write(
            self._options.kubeconfig,
            server=self._public_url(),
            ca=self.pki.cluster.pem,
            client_cert=self.pki.admin_cert.read_bytes(),
            client_key=self.pki.admin_key.read_bytes(),
        )


def _schemas(options: ControlPlaneOptions) -> Schemas:
    try:
        return Schemas.load(options.emulated_version)
    except ValueError as error:
        raise OptionsError(f"--emulated-version: {error}") from None
