"""A program in the background: its output in a log file, awaited by what it says, stopped in order.

Started by the tour (`trikube.demo`) and, on a leash, for tests (`trikube.testing.leashed`).
"""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_POLL = 0.02
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_TAIL = 3000


class ProcessFailed(Exception):
    """A program did not do what it should; one or a few lines for a person."""


class Process:
    """Output of all its runs goes to one log file, for its owner only. May be started again after a stop."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
        stdin: int = subprocess.DEVNULL,
    ) -> None:
        """`name` is what errors call it, `env` comes on top of ours. Nothing runs yet."""
        self.name = name
        self.log = log
        self._command = list(command)
        self._env = {**os.environ, **(env or {})}
        self._folder = folder
        self._stdin = stdin
        self._offset = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """0 while it does not run."""
        return self._process.pid if self._process is not None else 0

    def start(self, *, until: str = "", seconds: float = _START_SECONDS) -> None:
        """Start; with `until`, return once its output contains that. Raises ProcessFailed."""
        handle = os.open(self.log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "ab") as output:
            self._offset = output.seek(0, os.SEEK_END)
            # A group of its own: Ctrl-C in the terminal is for us alone, and we stop it in order.
            self._process = subprocess.Popen(
                self._command,
                stdin=self._stdin,
                stdout=output,
                stderr=output,
                env=self._env,
                cwd=self._folder,
                start_new_session=True,
            )
        if until:
            self.until(lambda: until in self.said(), seconds=seconds)

    def until(self, condition: Callable[[], bool], *, seconds: float = _START_SECONDS) -> None:
        """Wait for a sign that it has started. Raises ProcessFailed with its last words if there is none."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self.ended() or time.monotonic() > deadline:
                self.stop()
                raise ProcessFailed(f"{self.name} did not start: {self.said()[-_TAIL:].strip()}")
            time.sleep(_POLL)

    def ended(self) -> bool:
        """Whether it is not, or no longer, running."""
        return self._process is None or self._process.poll() is not None

    def said(self) -> str:
        """What its last run has written so far."""
        with self.log.open("rb") as file:
            file.seek(self._offset)
            return file.read().decode(errors="replace")

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


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    """Ask again and again until the condition holds or the time is up; whether it held."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True
