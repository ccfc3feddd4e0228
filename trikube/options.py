"""The options of `trikube up`: kube-apiserver's flag names wherever one exists.

Parsed by `trikube/cli.py`, completed and checked here, consumed by `trikube/controlplane.py`.
"""

import argparse
import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from generic import flags
from generic.audit.options import AuditOptions
from generic.flowcontrol import options as flow_control_options
from generic.flowcontrol.options import FlowControlOptions
from generic.tracing.options import TracingOptions
from kubeapi.admission import options as admission_options
from kubeapi.admission.order import PluginSelection
from kubeapi.controllers.selection import ALIASES, ControllerSelection
from kubeapi.serviceaccounts import flags as service_account_flags
from kubeapi.serviceaccounts.flags import ServiceAccountFlags
from trikube import observing
from trikube.errors import OptionsError
from trikube.observing import Observing

DEFAULT_PORT = 6443
LOG_REQUESTS = 3
"""The verbosity from which requests are logged, as in kube-apiserver."""


@dataclass(frozen=True, slots=True)
class ControlPlaneOptions:
    """Everything that decides how a control plane runs. Times in seconds."""

    data_dir: Path
    bind_address: str = "127.0.0.1"
    secure_port: int = DEFAULT_PORT
    storage: str = "sqlite"
    etcd_servers: tuple[str, ...] = ()
    etcd_cafile: Path | None = None
    etcd_certfile: Path | None = None
    etcd_keyfile: Path | None = None
    etcd_prefix: str = "/registry"
    advertise_address: str = ""
    anonymous_auth: bool = True
    token_auth_file: Path | None = None
    shutdown_delay_duration: float = 0.0
    shutdown_drain: float = 60.0
    enable_aggregator_routing: bool = True
    """Unlike in Kubernetes the default: there need be no kube-proxy here."""
    aggregator_reject_forwarding_redirect: bool = True
    livez_grace_period: float = 0.0
    """So long `/livez` does not mind that something is still starting."""
    service_cluster_ip_range: str = "10.96.0.0/12"
    cors_allowed_origins: tuple[str, ...] = ()
    extra_sans: tuple[str, ...] = field(default=())
    event_ttl: float = 3600.0
    enable_garbage_collector: bool = True
    """Deletions leave finalizers for a garbage collector, ours or that of a kube-controller-manager."""
    controllers: tuple[str, ...] = ("*",)
    admission: PluginSelection = field(default_factory=PluginSelection)
    emulated_version: str = ""
    """The Kubernetes minor to behave like, such as `1.34`; empty: the newest."""
    audit: AuditOptions = field(default_factory=AuditOptions)
    flow_control: FlowControlOptions = field(default_factory=FlowControlOptions)
    tracing: TracingOptions = field(default_factory=TracingOptions)
    service_accounts: ServiceAccountFlags = field(default_factory=ServiceAccountFlags)
    log_requests: bool = False
    """One log line a request, with the servers it passed."""

    @property
    def kubeconfig(self) -> Path:
        """The administrator's; written when the port is known."""
        return self.data_dir / "admin.kubeconfig"

    def serving_names(self) -> tuple[str, ...]:
        """What clients may call the server, besides what everybody may."""
        bound = "" if ipaddress.ip_address(self.bind_address).is_unspecified else self.bind_address
        return tuple(name for name in (bound, self.advertise_address, *self.extra_sans) if name)

    def public_url(self, port: int) -> str:
        """The server's address for clients; empty if they are not told another than the one it listens on."""
        host = self.advertise_address
        return f"https://{f'[{host}]' if ':' in host else host}:{port}" if host else ""

    def controller_selection(self) -> ControllerSelection:
        """Raises ValueError for a controller we have not."""
        return ControllerSelection.parse(self.controllers)

    @property
    def observing(self) -> Observing:
        """What shows how it does."""
        return Observing(self.audit, self.tracing, self.livez_grace_period)

    def check(self) -> None:
        """Raises OptionsError on the first thing that cannot work."""
        if not 0 <= self.secure_port <= 65535:
            raise OptionsError(f"--secure-port {self.secure_port} must be between 0 and 65535")
        try:
            ipaddress.ip_address(self.bind_address)
        except ValueError:
            raise OptionsError(f"--bind-address {self.bind_address} is not an IP address") from None
        if self.advertise_address:
            try:
                ipaddress.ip_address(self.advertise_address)
            except ValueError:
                raise OptionsError(f"--advertise-address {self.advertise_address} is not an IP address") from None
        try:
            ipaddress.ip_network(self.service_cluster_ip_range)
        except ValueError as error:
            raise OptionsError(f"--service-cluster-ip-range: {error}") from None
        try:
            self.controller_selection()
        except ValueError as error:
            raise OptionsError(f"--controllers: {error}") from None
        self.observing.check()
        try:
            self.admission.check()
            self.flow_control.check()
            self.service_accounts.check()
        except ValueError as error:
            raise OptionsError(str(error)) from None
        if self.event_ttl <= 0:
            raise OptionsError(f"--event-ttl {self.event_ttl:g}s must be positive")
        if self.storage == "etcd" and not self.etcd_servers:
            raise OptionsError("--storage etcd needs --etcd-servers")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `trikube up`."""
    parser.add_argument(
        "--data-dir", type=Path, default=Path(".trikube"), help="PKI, database and kubeconfig live here"
    )
    parser.add_argument("--bind-address", default="127.0.0.1", help="IP address to listen on")
    parser.add_argument("--secure-port", type=int, default=DEFAULT_PORT, help="port to listen on; 0 picks a free one")
    parser.add_argument(
        "--storage",
        choices=("sqlite", "etcd"),
        default=None,
        help="default: etcd if --etcd-servers is given, else sqlite",
    )
    parser.add_argument("--etcd-servers", default="", help="etcd endpoints, comma separated")
    parser.add_argument("--etcd-cafile", type=Path)
    parser.add_argument("--etcd-certfile", type=Path)
    parser.add_argument("--etcd-keyfile", type=Path)
    parser.add_argument("--etcd-prefix", default="/registry")
    parser.add_argument(
        "--advertise-address", default="", help="address clients reach this server at; default: the bind address"
    )
    flags.add_boolean(parser, "--anonymous-auth", default=True)
    parser.add_argument("--token-auth-file", type=Path, help="CSV of token,user,uid[,groups]")
    parser.add_argument("--service-cluster-ip-range", default="10.96.0.0/12")
    parser.add_argument(
        "--event-ttl", type=flags.duration, default=3600.0, metavar="DURATION", help="how long events are kept"
    )
    flags.add_boolean(
        parser,
        "--enable-garbage-collector",
        default=True,
        help="deletions wait for a garbage collector where they have to; as kube-controller-manager's flag says",
    )
    parser.add_argument(
        "--controllers",
        default="*",
        help="controllers to run, comma separated: * is all, foo that one, -foo all but that one. "
        f"There are {', '.join(sorted(ALIASES.values()))}; leave out those a kube-controller-manager runs",
    )
    flags.add_boolean(
        parser,
        "--enable-aggregator-routing",
        default=True,
        help="send requests for APIServices to the endpoints of their Services, not to the cluster IPs",
    )
    flags.add_boolean(
        parser,
        "--aggregator-reject-forwarding-redirect",
        default=True,
        help="answer 502 where the server of an APIService sends clients elsewhere",
    )
    parser.add_argument("--shutdown-delay-duration", type=flags.duration, default=0.0, metavar="DURATION")
    parser.add_argument("--cors-allowed-origins", default="", help="regular expressions, comma separated")
    parser.add_argument(
        "-v", "--v", type=int, default=0, metavar="LEVEL", help="3 and more: log each request and the servers it passed"
    )
    parser.add_argument(
        "--emulated-version",
        type=_emulated_version,
        default="",
        metavar="MAJOR.MINOR",
        help="serve the kinds, versions and fields of this older Kubernetes",
    )
    observing.add_flags(parser)
    admission_options.add_flags(parser)
    flow_control_options.add_flags(parser)
    service_account_flags.add_flags(parser)
    parser.add_argument("--tls-sans", default="", help="further names for the serving certificate, comma separated")


def from_arguments(parsed: argparse.Namespace) -> ControlPlaneOptions:
    """Raises OptionsError."""
    endpoints = flags.listed(parsed.etcd_servers)
    observed = observing.from_arguments(parsed)
    options = ControlPlaneOptions(
        data_dir=parsed.data_dir,
        bind_address=parsed.bind_address,
        secure_port=parsed.secure_port,
        storage=parsed.storage or ("etcd" if endpoints else "sqlite"),
        etcd_servers=endpoints,
        etcd_cafile=parsed.etcd_cafile,
        etcd_certfile=parsed.etcd_certfile,
        etcd_keyfile=parsed.etcd_keyfile,
        etcd_prefix=parsed.etcd_prefix,
        advertise_address=parsed.advertise_address,
        anonymous_auth=parsed.anonymous_auth,
        token_auth_file=parsed.token_auth_file,
        shutdown_delay_duration=parsed.shutdown_delay_duration,
        enable_aggregator_routing=parsed.enable_aggregator_routing,
        aggregator_reject_forwarding_redirect=parsed.aggregator_reject_forwarding_redirect,
        livez_grace_period=observed.livez_grace_period,
        service_cluster_ip_range=parsed.service_cluster_ip_range,
        cors_allowed_origins=flags.listed(parsed.cors_allowed_origins),
        extra_sans=flags.listed(parsed.tls_sans),
        event_ttl=parsed.event_ttl,
        enable_garbage_collector=parsed.enable_garbage_collector,
        controllers=flags.listed(parsed.controllers),
        admission=admission_options.from_arguments(parsed),
        emulated_version=parsed.emulated_version,
        audit=observed.audit,
        flow_control=flow_control_options.from_arguments(parsed),
        service_accounts=service_account_flags.from_arguments(parsed),
        tracing=observed.tracing,
        log_requests=parsed.v >= LOG_REQUESTS,
    )
    options.check()
    return options


def _emulated_version(text: str) -> str:
    """Kubernetes asks for it by component; `kube` is the only one here, as it is in kube-apiserver by default."""
    component, separator, version = text.rpartition("=")
    if separator and component != "kube":
        raise argparse.ArgumentTypeError(f"component not registered: {component}")
    return version
