"""A control plane as a user would start it, and what the system says of its process. Used by `figures.py`."""

import http.client
import os
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from generic.client import kubeconfig

_PATIENCE = 30.0


class BenchServer:
    """`trikube up` on a folder. `start` may be called again after `stop`: a restart."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder = folder
        self._flags = flags
        self._log = folder.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None
        self.ssl: ssl.SSLContext = ssl.create_default_context()
        self.host = ""
        self.port = 0

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "admin.kubeconfig"

    def start(self) -> float:
        """Seconds from process start to `/readyz` 200."""
        self.kubeconfig.unlink(missing_ok=True)
        command = [sys.executable, "-m", "trikube.cli", "up", "--data-dir", str(self.folder), "--secure-port", "0"]
        started = time.perf_counter()
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([*command, *self._flags], stdout=log, stderr=log)
        while not self.kubeconfig.exists():
            self._check(started)
            time.sleep(0.002)
        config = kubeconfig.load(self.kubeconfig)
        self.ssl = config.ssl_context()
        url = urlsplit(config.server)
        self.host, self.port = url.hostname or "127.0.0.1", url.port or 443
        while not self._ready():
            self._check(started)
            time.sleep(0.002)
        return time.perf_counter() - started

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            process.wait()

    def resident(self) -> float:
        """MiB the process holds in memory."""
        assert self._process is not None
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def _ready(self) -> bool:

        connection = http.client.HTTPSConnection(self.host, self.port, context=self.ssl, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def _check(self, started: float) -> None:
        assert self._process is not None
        if self._process.poll() is not None:
            raise SystemExit(f"the server did not start: {self._log.read_text().strip()}")
        if time.perf_counter() - started > _PATIENCE:
            self.stop()
            raise SystemExit("the server did not become ready")
