"""Programs the tour starts: their output in a log file, awaited by what they say, stopped in order."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_POLL = 0.05
_STOP_SECONDS = 20.0


class TourFailed(Exception):
    """A step did not show what it should; one or a few lines for the person who watches."""


class Program:
    """One process in the background. Output of all its runs goes to one log file, for its owner only."""

    def __init__(self, name: str, command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.log = log
        self._command = list(command)
        self._env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, until: str, seconds: float = 30.0) -> None:
        """Start, and return once a new line of the output contains `until`. Raises TourFailed."""
        handle = os.open(self.log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "ab") as output:
            offset = output.tell()
            # A group of its own: Ctrl-C in the terminal is for us alone, and we stop it in order.
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._env,
                start_new_session=True,
            )
        process = self._process
        said = eventually(lambda: until in self._output(offset) or process.poll() is not None, seconds)
        if not said or until not in self._output(offset):
            self.stop()
            raise TourFailed(f"{self.name} did not start:\n{self._output(offset)[-2000:].strip()}")

    def stop(self) -> None:
        """SIGTERM, and SIGKILL if that takes too long. Idempotent."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _output(self, offset: int) -> str:
        with self.log.open("rb") as file:
            file.seek(offset)
            return file.read().decode(errors="replace")


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    """Ask again and again until the condition holds or the time is up; whether it held."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True
