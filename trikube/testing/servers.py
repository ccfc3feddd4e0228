"""An aggregated API server as a process beside a control plane: certificate, kubeconfig, port, registration.

Called by `plane.ControlPlane.run_aa` and, through it, by `trikube boot run local` and the tests of scaffolded servers.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trikube.background.ports import free_port
from trikube.testing.leashed import LeashedProcess


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFiles:
    """What it is told on its command line. `ca`, what has signed the certificate, is for the aggregator."""

    kubeconfig: Path
    cert: Path
    key: Path
    ca: Path
    data: Path
    log: Path


class AggregatedServer:
    """`python -m MODULE` with kube-apiserver's flags, on a port that stays the same when it is started again."""

    def __init__(
        self, module: str, files: ServerFiles, *, flags: Sequence[str] = (), folder: Path | None = None
    ) -> None:
        """`folder` is where it runs, and so where Python finds the module. Nothing runs yet."""
        self.port = free_port()
        self.ca = files.ca
        arguments = ["--kubeconfig", str(files.kubeconfig), "--data-dir", str(files.data)]
        arguments += ["--bind-address", "127.0.0.1", "--secure-port", str(self.port)]
        arguments += ["--tls-cert-file", str(files.cert), "--tls-private-key-file", str(files.key), *flags]
        self.process = LeashedProcess(module, module, arguments, log=files.log, folder=folder)

    def start(self) -> None:
        """Returns when it listens. Raises ControlPlaneError with what it said if it does not."""
        self.process.start()
        self.process.wait_for(self._listens)

    def stop(self) -> None:
        """Idempotent."""
        self.process.stop()

    def restart(self) -> None:
        """With the code as it is now. Raises ControlPlaneError."""
        self.stop()
        self.start()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
