"""The flag of tracing, and the way from it to a tracer.

Part of a server's options. What traces is loaded only where a file is given. Mirrors
`apiserver/pkg/server/options/tracing.go`.
"""

import argparse
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from generic.tracing.tracer import Tracer


class Tracing(Protocol):
    """What the handler chain and the server's run need of it."""

    @property
    def tracer(self) -> Tracer: ...

    async def start(self) -> None:
        """Before the first request."""

    async def stop(self) -> None:
        """After the last one; sends what is left. Idempotent."""


@dataclass(frozen=True, slots=True)
class TracingOptions:
    """Without a file nothing is traced."""

    config_file: Path | None = None

    def tracing(self, service: str, instance: str, version: str) -> Tracing | None:
        """`service` and `instance`: how its spans name this server. Raises ValueError on what the file says wrong."""
        if self.config_file is None:
            return None
        build: Callable[..., Tracing] = importlib.import_module("generic.tracing.setup").build
        return build(self.config_file, service=service, instance=instance, version=version)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """With kube-apiserver's name."""
    parser.add_argument(
        "--tracing-config-file",
        type=Path,
        metavar="FILE",
        help="a TracingConfiguration of apiserver.config.k8s.io/v1: where spans are sent, and of how many requests",
    )


def from_arguments(parsed: argparse.Namespace) -> TracingOptions:
    """What was given."""
    return TracingOptions(parsed.tracing_config_file)
