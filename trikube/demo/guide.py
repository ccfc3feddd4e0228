"""Guide: what a step of the tour can do, and how it shows what it did. Made by `tour`, used by `steps`."""

import shlex
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from trikube.background.kubectl import Kubectl, Result
from trikube.background.process import Process, eventually
from trikube.demo.failures import TourFailed
from trikube.demo.traffic import Traffic

_PATIENCE = 30.0
"""Seconds a step waits for something to happen."""
_SHOWN_LINES = 12


class Watched:
    """A `kubectl get -w` in the background and what it has printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def until(self, text: str, *, times: int = 1) -> None:
        """Return once so many lines contain `text`. Raises TourFailed."""
        if not eventually(lambda: sum(text in line for line in self.lines) >= times, _PATIENCE):
            raise TourFailed(f"the watch did not show {text!r}; it showed:\n{''.join(self.lines)}")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line)


class Guide:
    """`say` takes each line shown; `aggregated_server` is the program of the sample aggregated API server."""

    custom_resource = "crontabs"
    api_service = "v1alpha1.wardle.example.com"
    preferred_api_service = "v1beta1.wardle.example.com"
    """Whom kubectl asks for flunders when no version is named."""

    def __init__(
        self,
        kubectl: Kubectl,
        traffic: Traffic,
        *,
        manifests: Path,
        aggregated_server: Process,
        registration: Callable[[], str],
        say: Callable[[str], None],
    ) -> None:
        self._kubectl = kubectl
        self._traffic = traffic
        self._manifests = manifests
        self._aggregated_server = aggregated_server
        self.registration = registration
        """The YAML that registers the aggregated server."""
        self._say = say

    def manifest(self, name: str) -> str:
        return str(self._manifests / name)

    def kubectl(self, *arguments: str, expect: Sequence[str] = (), any_of: bool = False, code: int = 0) -> None:
        """Run kubectl, show it, its output and which servers answered. Raises TourFailed on anything unexpected."""
        self.kubectl_stdin("", *arguments, expect=expect, any_of=any_of, code=code)

    def kubectl_stdin(
        self, stdin: str, *arguments: str, expect: Sequence[str] = (), any_of: bool = False, code: int = 0
    ) -> None:
        self._traffic.skip()
        result = self._kubectl.run(*arguments, stdin=stdin)
        self._show(arguments, result)
        output = result.out + result.err
        found = [text in output for text in expect]
        met = any(found) if any_of else all(found)
        if result.code != code or (expect and not met):
            missing = [text for text, there in zip(expect, found, strict=True) if not there]
            raise TourFailed(f"kubectl {shlex.join(arguments)}: exit code {result.code}, missing {missing}:\n{output}")

    def until_kubectl(self, text: str, *arguments: str) -> None:
        """Ask until the output contains `text`, without showing it. Raises TourFailed."""
        last: list[Result] = []

        def there() -> bool:
            last[:] = [self._kubectl.run(*arguments)]
            return text in last[0].out

        if not eventually(there, _PATIENCE):
            raise TourFailed(f"kubectl {shlex.join(arguments)} never showed {text}:\n{last[0].out}{last[0].err}")

    def watch(self, *arguments: str) -> Watched:
        """Start a kubectl that goes on."""
        self._say(f"$ kubectl {shlex.join(arguments)} &")
        return Watched(self._kubectl.background(*arguments))

    def start_aggregated_server(self) -> None:
        self._aggregated_server.start(until="listens on")
        self._say("  (the aggregated API server runs, a process of its own)")

    def stop_aggregated_server(self) -> None:
        self._aggregated_server.stop()
        self._say("  (the aggregated API server is stopped)")

    def _show(self, arguments: Sequence[str], result: Result) -> None:
        self._say(f"$ kubectl {shlex.join(arguments)}")
        lines = (result.out + result.err).splitlines()
        for line in lines[:_SHOWN_LINES]:
            self._say(f"  {line}")
        if len(lines) > _SHOWN_LINES:
            self._say(f"  ... {len(lines) - _SHOWN_LINES} more lines")
        for line in self._traffic.take():
            self._say(f"    -> {line}")
