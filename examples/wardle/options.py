"""The command line of wardle: kube-apiserver's flag names. Parsed by `__main__`, consumed by `access` and `server`.

Mirrors `apiserver/pkg/server/options` and `sample-apiserver/pkg/cmd/server/start.go`: complete, validate, run.
"""

import argparse
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class OptionsError(Exception):
    """An option that cannot be: one line for the person who gave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything that decides how this server runs. Times in seconds."""

    data_dir: Path
    tls_cert_file: Path
    tls_private_key_file: Path
    bind_address: str = "0.0.0.0"
    secure_port: int = 9443
    kubeconfig: Path | None = None
    authentication_kubeconfig: Path | None = None
    """None, both: `kubeconfig`."""
    authorization_kubeconfig: Path | None = None
    standalone: bool = False
    client_ca_file: Path | None = None
    requestheader_client_ca_file: Path | None = None
    requestheader_allowed_names: Sequence[str] = ()
    shutdown_drain: float = 60.0

    def validate(self) -> None:
        """Raises OptionsError on the first thing that cannot work."""
        if not 0 <= self.secure_port <= 65535:
            raise OptionsError(f"--secure-port {self.secure_port} must be between 0 and 65535")
        try:
            ipaddress.ip_address(self.bind_address)
        except ValueError:
            raise OptionsError(f"--bind-address {self.bind_address} is not an IP address") from None
        given = (self.client_ca_file, self.requestheader_client_ca_file)
        if self.standalone and not any(given):
            raise OptionsError("--standalone-debug-mode needs --client-ca-file or --requestheader-client-ca-file")
        if not self.standalone and any(given):
            raise OptionsError("authorities are learned from the main server; give them with --standalone-debug-mode")
        if not self.standalone and self.kubeconfig is None:
            raise OptionsError("--kubeconfig is needed to reach the main server, or --standalone-debug-mode")


def parse(arguments: Sequence[str]) -> Options:
    """Raises OptionsError; argparse itself ends the process on a flag that does not exist."""
    given = _parser().parse_args(arguments)
    options = Options(
        data_dir=given.data_dir,
        tls_cert_file=given.tls_cert_file,
        tls_private_key_file=given.tls_private_key_file,
        bind_address=given.bind_address,
        secure_port=given.secure_port,
        kubeconfig=given.kubeconfig,
        authentication_kubeconfig=given.authentication_kubeconfig,
        authorization_kubeconfig=given.authorization_kubeconfig,
        standalone=given.standalone_debug_mode,
        client_ca_file=given.client_ca_file,
        requestheader_client_ca_file=given.requestheader_client_ca_file,
        requestheader_allowed_names=tuple(filter(None, given.requestheader_allowed_names.split(","))),
    )
    options.validate()
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wardle", description="An aggregated API server for wardle.example.com.")
    add = parser.add_argument
    add("--data-dir", type=Path, required=True, metavar="DIR", help="this server's own database lives here")
    add("--bind-address", default="0.0.0.0", metavar="IP", help="address to listen on")
    add("--secure-port", type=int, default=9443, metavar="PORT", help="port to listen on; 0 picks a free one")
    add("--tls-cert-file", type=Path, required=True, metavar="FILE", help="certificate for SERVICE.NAMESPACE.svc")
    add("--tls-private-key-file", type=Path, required=True, metavar="FILE", help="its key")
    add("--kubeconfig", type=Path, metavar="FILE", help="how to reach the main server")
    add("--authentication-kubeconfig", type=Path, metavar="FILE", help="for TokenReviews; default: --kubeconfig")
    add("--authorization-kubeconfig", type=Path, metavar="FILE", help="for SubjectAccessReviews; default: --kubeconfig")
    add(
        "--standalone-debug-mode",
        action="store_true",
        help="run without a main server: whoever has a certificate of the given authorities may do everything",
    )
    add("--client-ca-file", type=Path, metavar="FILE", help="standalone: authority of client certificates")
    add("--requestheader-client-ca-file", type=Path, metavar="FILE", help="standalone: authority of the front proxy")
    add("--requestheader-allowed-names", default="", metavar="CN,...", help="standalone: names it may have")
    return parser
