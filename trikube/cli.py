"""`trikube`: the command line. One subcommand a job; whatever cannot work is said in one line, exit code 1."""

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence

from trikube.version import BUILD

_PROGRAMS = {
    "up": ("trikube.up_command", "run the control plane in the foreground"),
    "demo": ("trikube.demo.tour", "the tour: watch the three servers answer kubectl, then clean up"),
    "boot": ("trikube.boot.command", "scaffold, run and deploy an aggregated API server of your own"),
    "explain-request": ("trikube.explain", "ask a running server which filters and servers a request passes"),
    "aggregator-server": ("trikube.standalone_command", "run the first tier alone, before any Kubernetes API server"),
    "extensions-server": ("trikube.extensions_command", "run the third tier alone: custom resources and nothing else"),
}
"""Subcommands, each with a command line of its own: module and help. Imported only for those who use them."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand. Returns the exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments and arguments[0] in _PROGRAMS:
        run: Callable[[Sequence[str]], int] = importlib.import_module(_PROGRAMS[arguments[0]][0]).main
        return run(arguments[1:])
    parser = argparse.ArgumentParser(prog="trikube", description="A Kubernetes control plane without a cluster.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_, text) in _PROGRAMS.items():
        commands.add_parser(name, help=text)
    commands.add_parser("version", help="print the version")
    parser.parse_args(arguments)
    print(f"trikube {BUILD}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
