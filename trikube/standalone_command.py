"""The command line of `trikube aggregator-server`. Called by `trikube/cli.py`; what it runs is `standalone.py`."""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from aggregator.upstream import UpstreamError
from generic import flags
from generic.authentication.delegated import DelegationError
from generic.client.kubeconfig import KubeconfigError
from trikube import foreground, observing, standalone
from trikube.options import LOG_REQUESTS
from trikube.standalone import StandaloneOptions
from trikube.version import BUILD

_ERRORS = (UpstreamError, KubeconfigError, DelegationError)
_PAIRS = (("tls_cert_file", "tls_private_key_file"), ("proxy_client_cert_file", "proxy_client_key_file"))


def main(argv: Sequence[str]) -> int:
    """Run it until SIGINT or SIGTERM. Returns the exit code; whatever cannot work is said in one line."""
    parser = argparse.ArgumentParser(
        prog="trikube aggregator-server", description="The first tier alone, in front of any Kubernetes API server."
    )
    add_flags(parser)
    parsed = parser.parse_args(argv)
    for pair in _PAIRS:
        if len({getattr(parsed, name) is None for name in pair}) > 1:
            parser.error(" and ".join(f"--{name.replace('_', '-')}" for name in pair) + " must be given together")
    options = _options(parsed)

    async def serve(stop: asyncio.Event) -> None:
        await standalone.run(options, stop, on_listening=say)

    def say(url: str) -> None:
        lines = [f"trikube {BUILD} aggregator-server listens on {url}, data in {options.data_dir}"]
        if options.own_kubeconfig.exists():
            lines.append(f"use it with: export KUBECONFIG={options.own_kubeconfig.resolve()}")
        foreground.say(*lines)

    return foreground.run(serve, verbosity=parsed.v, errors=_ERRORS)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Names as those of kube-aggregator, where it has them."""
    parser.add_argument("--kubeconfig", type=Path, required=True, help="the server behind, and an administrator there")
    parser.add_argument("--data-dir", type=Path, default=Path(".trikube-aggregator"), help="database and certificates")
    parser.add_argument("--bind-address", type=flags.address, default="127.0.0.1", help="IP address to listen on")
    parser.add_argument("--secure-port", type=flags.port, default=6444, help="port to listen on; 0 picks a free one")
    shown = "shown to aggregated servers; those that ask the server behind whom to trust want the one of that"
    for pair, use in zip(_PAIRS, ("shown to clients", shown), strict=True):
        for name in pair:
            parser.add_argument(f"--{name.replace('_', '-')}", type=Path, help=f"{use}; default: one of its own making")
    observing.add_flags(parser)
    parser.add_argument("-v", "--v", type=int, default=0, metavar="LEVEL", help="3 and more: log each request")


def _options(parsed: argparse.Namespace) -> StandaloneOptions:
    return StandaloneOptions(
        kubeconfig=parsed.kubeconfig,
        data_dir=parsed.data_dir,
        bind_address=parsed.bind_address,
        secure_port=parsed.secure_port,
        tls_cert_file=parsed.tls_cert_file,
        tls_private_key_file=parsed.tls_private_key_file,
        proxy_client_cert_file=parsed.proxy_client_cert_file,
        proxy_client_key_file=parsed.proxy_client_key_file,
        observing=observing.from_arguments(parsed),
        log_requests=parsed.v >= LOG_REQUESTS,
    )
