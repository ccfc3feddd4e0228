"""A Python module in a process that ends with ours.

Started for control planes (`runners`) and aggregated API servers (`servers`); the other end is `leash`.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from trikube.background.process import Process, ProcessFailed
from trikube.testing.errors import ControlPlaneError


class LeashedProcess(Process):
    """Its standard input is the leash: nobody writes to it, and it is closed when we end."""

    def __init__(
        self,
        name: str,
        module: str,
        arguments: Sequence[str],
        *,
        log: Path,
        folder: Path | None = None,
        python: Sequence[str] = (),
    ) -> None:
        """`folder` is the working directory, `python` flags of the interpreter. Nothing runs yet."""
        command = [sys.executable, *python, "-m", "trikube.testing.leash", module, *arguments]
        super().__init__(name, command, log=log, folder=folder, stdin=subprocess.PIPE)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait for a sign that it has started. Raises ControlPlaneError with its last words if there is none."""
        try:
            self.until(condition)
        except ProcessFailed as error:
            raise ControlPlaneError(str(error)) from error
