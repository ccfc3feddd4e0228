"""The command line of `trikube extensions-server`. Called by `cli.py`; what it runs is `extensions_standalone.py`."""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from generic import flags
from trikube import extensions_standalone, foreground, observing
from trikube.extensions_standalone import ExtensionsOptions
from trikube.options import LOG_REQUESTS
from trikube.version import BUILD


def main(argv: Sequence[str]) -> int:
    """Run it until SIGINT or SIGTERM. Returns the exit code; whatever cannot work is said in one line."""
    parser = argparse.ArgumentParser(
        prog="trikube extensions-server", description="The third tier alone: definitions and custom resources."
    )
    add_flags(parser)
    parsed = parser.parse_args(argv)
    options = ExtensionsOptions(
        data_dir=parsed.data_dir,
        bind_address=parsed.bind_address,
        secure_port=parsed.secure_port,
        observing=observing.from_arguments(parsed),
        log_requests=parsed.v >= LOG_REQUESTS,
    )

    async def serve(stop: asyncio.Event) -> None:
        await extensions_standalone.run(options, stop, on_listening=say)

    def say(url: str) -> None:
        foreground.say(
            f"trikube {BUILD} extensions-server listens on {url}, data in {options.data_dir}",
            f"use it with: export KUBECONFIG={options.kubeconfig.resolve()}",
        )

    return foreground.run(serve, verbosity=parsed.v)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Names as those of `trikube up`."""
    parser.add_argument("--data-dir", type=Path, default=Path(".trikube-extensions"), help="everything it keeps")
    parser.add_argument("--bind-address", type=flags.address, default="127.0.0.1", help="IP address to listen on")
    parser.add_argument("--secure-port", type=flags.port, default=6445, help="port to listen on; 0 picks a free one")
    observing.add_flags(parser)
    parser.add_argument("-v", "--v", type=int, default=0, metavar="LEVEL", help="3 and more: log each request")
