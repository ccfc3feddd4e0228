"""Options and flags of an aggregated server: kube-apiserver's names. Parsed by `process.py`, consumed by `run.py`.

Mirrors `apiserver/pkg/server/options` RecommendedOptions: complete, validate, run.
"""

import argparse
import ipaddress
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from generic import flags
from generic.audit import options as audit_options
from generic.audit.options import AuditOptions

DEFAULT_PREFIX = "/registry"
FOLDER = Path(".trikube")
"""Where servers keep their files, each below its name, if not told otherwise."""


class OptionsError(Exception):
    """An option that cannot be: one line for the person who gave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything that decides how a server runs. Times in seconds; the flag of a member is its name with dashes."""

    data_dir: Path
    bind_address: str = "0.0.0.0"
    secure_port: int = 9443
    tls_cert_file: Path | None = None
    tls_private_key_file: Path | None = None
    """None, both: a certificate is made in the data directory."""
    kubeconfig: Path | None = None
    authentication_kubeconfig: Path | None = None
    authorization_kubeconfig: Path | None = None
    """None, both: `kubeconfig`; if that is None too, the service account of the pod."""
    standalone: bool = False
    client_ca_file: Path | None = None
    requestheader_client_ca_file: Path | None = None
    """None, both: the authorities the main server names."""
    requestheader_allowed_names: Sequence[str] = ()
    requestheader_username_headers: Sequence[str] = ("X-Remote-User",)
    requestheader_uid_headers: Sequence[str] = ("X-Remote-Uid",)
    requestheader_group_headers: Sequence[str] = ("X-Remote-Group",)
    requestheader_extra_headers_prefix: Sequence[str] = ("X-Remote-Extra-",)
    etcd_servers: Sequence[str] = ()
    etcd_prefix: str = DEFAULT_PREFIX
    etcd_cafile: Path | None = None
    etcd_certfile: Path | None = None
    etcd_keyfile: Path | None = None
    shutdown_drain: float = 60.0
    tracing_config_file: Path | None = None
    audit: AuditOptions = field(default_factory=AuditOptions)
    extra: argparse.Namespace = field(default_factory=argparse.Namespace)
    """What the author's own flags said."""

    def validate(self) -> None:
        """Raises OptionsError on the first thing that cannot work."""
        if not 0 <= self.secure_port <= 65535:
            raise OptionsError(f"--secure-port {self.secure_port} must be between 0 and 65535")
        try:
            ipaddress.ip_address(self.bind_address)
        except ValueError:
            raise OptionsError(f"--bind-address {self.bind_address} is not an IP address") from None
        if (self.tls_cert_file is None) != (self.tls_private_key_file is None):
            raise OptionsError("--tls-cert-file and --tls-private-key-file need each other")
        if (self.etcd_certfile is None) != (self.etcd_keyfile is None):
            raise OptionsError("--etcd-certfile and --etcd-keyfile need each other")
        if not self.etcd_prefix.startswith("/"):
            raise OptionsError(f"--etcd-prefix {self.etcd_prefix} must begin with a slash")
        try:
            self.audit.check()
        except ValueError as error:
            raise OptionsError(str(error)) from None
        given = (self.client_ca_file, self.requestheader_client_ca_file)
        if not self.standalone and any(given) and not all(given):
            raise OptionsError(
                "--client-ca-file and --requestheader-client-ca-file replace what the main server says: give both"
            )


def parser(name: str, description: str, *, standalone: bool) -> argparse.ArgumentParser:
    """The flags every aggregated server has; `standalone`: and the one to try it out alone."""
    made = argparse.ArgumentParser(prog=name, usage="%(prog)s [flags]", description=description)
    add = made.add_argument
    add("--data-dir", type=Path, default=FOLDER / name, metavar="DIR", help="the server's own files live here")
    add("--bind-address", metavar="IP", help="address to listen on (0.0.0.0; 127.0.0.1 in standalone debug mode)")
    add("--secure-port", type=int, default=9443, metavar="PORT", help="port to listen on (9443); 0 picks a free one")
    _files(made, "serving certificate, for SERVICE.NAMESPACE.svc; made if not given", "tls-cert-file")
    _files(made, "its key", "tls-private-key-file")
    _files(made, "how to reach the main server; default: this pod's service account", "kubeconfig")
    _files(made, "for TokenReviews and the ConfigMap; default: --kubeconfig", "authentication-kubeconfig")
    _files(made, "for SubjectAccessReviews; default: --kubeconfig", "authorization-kubeconfig")
    _files(made, "authority of client certificates, instead of the main server's", "client-ca-file")
    _files(made, "authority of the front proxy, instead of the main server's", "requestheader-client-ca-file")
    _lists(made, "names the front proxy's certificate may have; default: any", "requestheader-allowed-names")
    for part in ("username-headers", "uid-headers", "group-headers", "extra-headers-prefix"):
        _lists(made, "headers in which the front proxy says who asks", f"requestheader-{part}")
    _lists(made, "store in this etcd; default: sqlite in the data directory", "etcd-servers", metavar="URL,...")
    add("--etcd-prefix", default=DEFAULT_PREFIX, metavar="KEY", help=f"what keys begin with ({DEFAULT_PREFIX})")
    _files(made, "authority, certificate and key for etcd", "etcd-cafile", "etcd-certfile", "etcd-keyfile")
    _files(made, "a TracingConfiguration: where spans are sent, and of how many requests", "tracing-config-file")
    audit_options.add_flags(made)
    if standalone:
        add(
            "--standalone-debug-mode",
            action="store_true",
            help="run without a main server, on loopback; whoever this server vouches for may do everything",
        )
    return made


def options_of(given: argparse.Namespace) -> Options:
    """What was parsed, as Options; flags that are not ours are in `extra`. Not validated yet."""
    values = {name: value for name, value in vars(given).items() if name not in audit_options.NAMES}
    standalone = values.pop("standalone_debug_mode", False)
    values["bind_address"] = values["bind_address"] or ("127.0.0.1" if standalone else "0.0.0.0")
    known = {each.name for each in fields(Options)}
    own = {name: value for name, value in values.items() if name in known and value is not None}
    extra = argparse.Namespace(**{name: value for name, value in values.items() if name not in known})
    return Options(**own, standalone=standalone, audit=audit_options.from_arguments(given), extra=extra)


def _files(parser: argparse.ArgumentParser, help: str, *names: str) -> None:
    for name in names:
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help=help)


def _lists(parser: argparse.ArgumentParser, help: str, name: str, metavar: str = "NAME,...") -> None:
    parser.add_argument(f"--{name}", type=flags.listed, metavar=metavar, help=help)


FlagsFunction = Callable[[argparse.ArgumentParser], object]
OptionsFunction = Callable[[Options], Options]


def complete(options: Options, functions: Iterable[OptionsFunction]) -> Options:
    """Let the author's functions have their say, then validate. Raises OptionsError."""
    for function in functions:
        changed = function(options)
        if not isinstance(changed, Options):
            raise OptionsError(f"with_options: {function.__qualname__} returned {changed!r}, not the aa.Options to use")
        options = changed
    options.validate()
    return options
