"""What shows how a server does: audit, tracing, and how long `/livez` bears with its start.

The flags that all servers of trikube share, part of the options of each: `options.py`, `standalone.py`,
`extensions_standalone.py`. Mirrors `apiserver/pkg/server/options/{audit,tracing,server_run_options}.go`.
"""

import argparse
from dataclasses import dataclass, field

from generic import flags
from generic.audit import options as audit_options
from generic.audit.options import Auditing, AuditOptions
from generic.meta.names import new_uid
from generic.metrics import Metrics
from generic.server import GenericServer
from generic.tracing import options as tracing_options
from generic.tracing.options import Tracing, TracingOptions
from generic.tracing.tracer import Tracer
from trikube.errors import OptionsError
from trikube.version import BUILD

_SERVICE = "apiserver"
"""What spans call any server, as in Kubernetes."""


@dataclass(frozen=True, slots=True)
class Observers:
    """None, each: not asked for."""

    auditor: Auditing | None
    tracing: Tracing | None

    @property
    def tracer(self) -> Tracer | None:
        """For the handler chain."""
        return self.tracing.tracer if self.tracing is not None else None

    def install(self, front: GenericServer) -> None:
        """Spans are sent for as long as the server runs. The auditor is started and stopped by the ServerRun."""
        if self.tracing is not None:
            front.add_preparation(self.tracing.start)
            front.add_destroyer(self.tracing.stop)


@dataclass(frozen=True, slots=True)
class Observing:
    """What was asked for. `livez_grace_period` in seconds."""

    audit: AuditOptions = field(default_factory=AuditOptions)
    tracing: TracingOptions = field(default_factory=TracingOptions)
    livez_grace_period: float = 0.0

    def check(self) -> None:
        """Raises OptionsError."""
        try:
            self.audit.check()
        except ValueError as error:
            raise OptionsError(str(error)) from None
        if self.livez_grace_period < 0:
            raise OptionsError("--livez-grace-period can not be a negative value")

    def observers(self, program: str, metrics: Metrics) -> Observers:
        """`program`: what the names of its instances begin with, in spans.

        Raises OptionsError, also on what a file says wrong.
        """
        self.check()
        try:
            auditor = self.audit.auditor(metrics)
            tracing = self.tracing.tracing(_SERVICE, f"{program}-{new_uid()}", BUILD)
        except ValueError as error:
            raise OptionsError(str(error)) from error
        return Observers(auditor, tracing)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """With kube-apiserver's names."""
    parser.add_argument(
        "--livez-grace-period",
        type=flags.duration,
        default=0.0,
        metavar="DURATION",
        help="how long from the start on /livez does not mind what has not started yet",
    )
    audit_options.add_flags(parser)
    tracing_options.add_flags(parser)


def from_arguments(parsed: argparse.Namespace) -> Observing:
    """What was given. Not checked yet."""
    return Observing(
        audit_options.from_arguments(parsed), tracing_options.from_arguments(parsed), parsed.livez_grace_period
    )
