"""A Python module in a process that ends with ours, its output in a file.

Started for control planes (`runners`) and aggregated API servers (`servers`); the other end is `leash`.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from trikube.testing.errors import ControlPlaneError

_POLL = 0.02
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_TAIL = 3000


class LeashedProcess:
    """`name` is what errors call it. May be started again after a stop."""

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
        self.name = name
        self._command = [sys.executable, *python, "-m", "trikube.testing.leash", module, *arguments]
        self._log = log
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """0 while it does not run."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Returns at once; `until` waits."""
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=self._folder,
                # Ctrl-C in the terminal is for whoever started us, who stops us in order.
                start_new_session=True,
            )

    def until(self, condition: Callable[[], bool], *, seconds: float = _START_SECONDS) -> None:
        """Wait for a sign that it has started. Raises ControlPlaneError with its last words if it does not."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self.ended() or time.monotonic() > deadline:
                self.stop()
                raise ControlPlaneError(f"{self.name} did not start: {self.said()[-_TAIL:].strip()}")
            time.sleep(_POLL)

    def ended(self) -> bool:
        """Whether it is not, or no longer, running."""
        return self._process is None or self._process.poll() is not None

    def said(self) -> str:
        """What its last run has written so far."""
        return self._log.read_text(errors="replace")

    def stop(self) -> None:
        """SIGTERM, and SIGKILL if that takes too long. Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()
