"""`trikube`: the command line. One subcommand a job; whatever cannot work is said in one line, exit code 1."""

import argparse
import asyncio
import importlib
import logging
import signal
import sys
from collections.abc import Callable, Sequence

from trikube import options as flags
from trikube.version import BUILD

_PROGRAMS = {
    "boot": ("trikube.boot.command", "scaffold, run and deploy an aggregated API server of your own"),
    "aggregator-server": ("trikube.standalone_command", "run the first tier alone, before any Kubernetes API server"),
    "extensions-server": ("trikube.extensions_command", "run the third tier alone: definitions and custom resources"),
    "explain-request": ("trikube.explain", "ask a running server which filters and servers a request passes"),
}
"""Subcommands with a command line of their own: module and help. Imported only for those who use them."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand. Returns the exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments and arguments[0] in _PROGRAMS:
        run: Callable[[Sequence[str]], int] = importlib.import_module(_PROGRAMS[arguments[0]][0]).main
        return run(arguments[1:])
    parser = argparse.ArgumentParser(prog="trikube", description="A Kubernetes control plane without a cluster.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="run the control plane in the foreground")
    flags.add_flags(up)
    commands.add_parser("demo", help="the tour: watch the three servers answer kubectl, then clean up")
    for name, (_, text) in _PROGRAMS.items():
        commands.add_parser(name, help=text)
    commands.add_parser("version", help="print the version")
    parsed = parser.parse_args(arguments)
    match parsed.command:
        case "up":
            return _up(parsed)
        case "demo":
            from trikube.demo import tour

            return tour.main()
        case _:
            print(f"trikube {BUILD}")
            return 0


def _up(parsed: argparse.Namespace) -> int:
    # httpx loads its own command line, and with it click, rich and pygments, wherever those happen to be installed.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    from generic.hooks import HookFailed
    from generic.meta.errors import StatusError
    from generic.serving import loop
    from generic.serving.errors import ServingError
    from generic.storage.interface import StorageError
    from trikube.pki.files import PKIError

    _log_to_stderr(parsed.v)
    try:
        options = flags.from_arguments(parsed)
        loop.run(_serve(options))
    except (flags.OptionsError, PKIError, StorageError, ServingError, HookFailed, StatusError) as error:
        print(f"trikube: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(options: flags.ControlPlaneOptions) -> None:
    from trikube.controlplane import ControlPlane

    stop = asyncio.Event()
    running = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        running.add_signal_handler(number, stop.set)
    plane = ControlPlane(options)

    def say() -> None:
        print(f"trikube {BUILD} listens on {plane.url}, data in {options.data_dir}", flush=True)
        print(f"use it with: export KUBECONFIG={options.kubeconfig.resolve()}", flush=True)

    await plane.run(stop, on_listening=say)


def _log_to_stderr(verbosity: int) -> None:
    level = logging.INFO if verbosity else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(levelname).1s %(name)s: %(message)s", stream=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
