"""`trikube up` as a process of its own, for tests of its start, its end and what survives them."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

import httpx

from generic.client import kubeconfig
from trikube.background.kubectl import Kubectl
from trikube.background.process import eventually

CHECKOUT = Path(__file__).resolve().parents[2]


def up(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Run `trikube up` that is expected to fail, to its end."""
    return subprocess.run(_command(folder, flags), capture_output=True, text=True, timeout=30, check=False)


def _command(folder: Path, flags: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "trikube.cli", "up", "--data-dir", str(folder), "--secure-port", "0", *flags]


class UpProcess:
    """A control plane that runs; `kubectl` reaches it."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None
        self.kubectl = Kubectl(folder / "admin.kubeconfig", folder.with_name(f"{folder.name}-home"))
        self.said: list[str] = []
        """Lines it wrote, of all its runs."""
        self._flags = flags
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        """Returns when it is ready."""
        (self.folder / "admin.kubeconfig").unlink(missing_ok=True)
        self.process = subprocess.Popen(
            _command(self.folder, self._flags), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            self._until_ready(self.process)
        except BaseException:
            self.kill()
            raise

    def _until_ready(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        before = len(self.said)
        for line in process.stdout:
            self.said.append(line)
            if "KUBECONFIG" in line:
                break
        else:
            raise AssertionError(f"it did not start: {''.join(self.said[before:])}")
        # It blocks once the pipe is full, so somebody has to read on.
        self._reader = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
        self._reader.start()
        assert eventually(lambda: self.kubectl.run("get", "--raw", "/readyz").out == "ok", 20)

    def http(self, *, http2: bool = False) -> httpx.AsyncClient:
        """The administrator's client of this run: after a restart the port is another."""
        config = kubeconfig.load(self.folder / "admin.kubeconfig")
        return httpx.AsyncClient(base_url=config.server, verify=config.ssl_context(), http2=http2, timeout=30)

    def terminate(self) -> int:
        """SIGTERM; the exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """SIGKILL, as a power cut would; the exit code."""
        return self._end(signal.SIGKILL)

    def _end(self, number: int) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        os.kill(process.pid, number)
        if self._reader is not None:
            self._reader.join()
        elif process.stdout is not None:
            self._read(process.stdout)
        self._reader = None
        return process.wait()

    def _read(self, output: IO[str]) -> None:
        with output:
            self.said.extend(output)
