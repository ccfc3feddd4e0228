"""How a control plane runs beside a test: Runner, and the usual one, a process of its own.

Called by `plane.ControlPlane` alone. The other one is in `thread`, for the servers are imported where they run and
nowhere else. Both take the flags of `trikube up`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from trikube.testing.leashed import LeashedProcess

_LISTENING = "use it with"
"""What `trikube up` says when it listens and its kubeconfig is written."""


class Runner(Protocol):
    """One control plane, started once."""

    def start(self) -> None:
        """Returns when it listens. Raises ControlPlaneError with its reason."""

    def stop(self) -> None:
        """Returns when it has ended. Idempotent."""


class ProcessRunner:
    """A process: what the test does to its own event loop, threads or signals does not reach it."""

    def __init__(self, flags: Sequence[str], *, log: Path) -> None:
        # -P: a file of the tests' folder must not pass for a module of the standard library.
        self.process = LeashedProcess("the control plane", "trikube.cli", ["up", *flags], log=log, python=["-P"])

    def start(self) -> None:
        """See Runner."""
        self.process.start()
        self.process.wait_for(lambda: _LISTENING in self.process.said())

    def stop(self) -> None:
        """See Runner."""
        self.process.stop()
