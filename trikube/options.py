"""The options of `trikube up`: kube-apiserver's flag names wherever one exists.

Parsed by `trikube/cli.py`, completed and checked here, consumed by `trikube/controlplane.py`.
"""

import argparse
import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from kubeapi.controllers.selection import ALIASES, ControllerSelection

DEFAULT_PORT = 6443
LOG_REQUESTS = 3
"""The verbosity from which requests are logged, as in kube-apiserver."""


class OptionsError(Exception):
    """An option that cannot be: one line for the user."""


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
    service_cluster_ip_range: str = "10.96.0.0/12"
    cors_allowed_origins: tuple[str, ...] = ()
    extra_sans: tuple[str, ...] = field(default=())
    event_ttl: float = 3600.0
    enable_garbage_collector: bool = True
    """Deletions leave finalizers for a garbage collector, ours or that of a kube-controller-manager."""
    controllers: tuple[str, ...] = ("*",)
    emulated_version: str = ""
    """The Kubernetes minor to behave like, such as `1.34`; empty: the newest."""
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
    parser.add_argument("--anonymous-auth", type=_boolean, default=True, metavar="BOOL")
    parser.add_argument("--token-auth-file", type=Path, help="CSV of token,user,uid[,groups]")
    parser.add_argument("--service-cluster-ip-range", default="10.96.0.0/12")
    parser.add_argument(
        "--event-ttl", type=_duration, default=3600.0, metavar="DURATION", help="how long events are kept"
    )
    parser.add_argument(
        "--enable-garbage-collector",
        type=_boolean,
        default=True,
        metavar="BOOL",
        help="deletions wait for a garbage collector where they have to; as kube-controller-manager's flag says",
    )
    parser.add_argument(
        "--controllers",
        default="*",
        help="controllers to run, comma separated: * is all, foo that one, -foo all but that one. "
        f"There are {', '.join(sorted(ALIASES.values()))}; leave out those a kube-controller-manager runs",
    )
    parser.add_argument("--shutdown-delay-duration", type=_duration, default=0.0, metavar="DURATION")
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
    parser.add_argument("--tls-sans", default="", help="further names for the serving certificate, comma separated")


def from_arguments(parsed: argparse.Namespace) -> ControlPlaneOptions:
    """Raises OptionsError."""
    endpoints = _listed(parsed.etcd_servers)
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
        service_cluster_ip_range=parsed.service_cluster_ip_range,
        cors_allowed_origins=_listed(parsed.cors_allowed_origins),
        extra_sans=_listed(parsed.tls_sans),
        event_ttl=parsed.event_ttl,
        enable_garbage_collector=parsed.enable_garbage_collector,
        controllers=_listed(parsed.controllers),
        emulated_version=parsed.emulated_version,
        log_requests=parsed.v >= LOG_REQUESTS,
    )
    options.check()
    return options


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _boolean(text: str) -> bool:
    if text.lower() in ("true", "1"):
        return True
    if text.lower() in ("false", "0"):
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is not true or false")


def _emulated_version(text: str) -> str:
    """Kubernetes asks for it by component; `kube` is the only one here, as it is in kube-apiserver by default."""
    component, separator, version = text.rpartition("=")
    if separator and component != "kube":
        raise argparse.ArgumentTypeError(f"component not registered: {component}")
    return version


def _duration(text: str) -> float:
    """Go's duration syntax as far as flags use it: `500ms`, `10s`, `2m`; bare numbers are seconds."""
    for suffix, factor in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)):
        if text.endswith(suffix):
            text, scale = text.removesuffix(suffix), factor
            break
    else:
        scale = 1.0
    try:
        return float(text) * scale
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration") from None
