"""SampleServer: the sample aggregated API server of the tour: its certificates, its process, its registration."""

import os
import subprocess
import sys
from pathlib import Path

from trikube import kubeconfig
from trikube.background.ports import free_port
from trikube.background.process import Process
from trikube.demo.failures import TourFailed
from trikube.pki import files, issue, layout

SERVER_NAME = "wardle.wardle.svc"
"""The aggregator asks for the Service's name, whatever address it dials."""

USER = "wardle-server"


class SampleServer:
    """`examples/wardle`, with a serving certificate of an authority of its own and an account on the control plane."""

    def __init__(self, folder: Path, control_plane_data: Path, *, checkout: Path) -> None:
        """Writes the files it needs into `folder`. Raises PKIError."""
        self._folder = folder
        self._checkout = checkout
        files.private_directory(folder)
        authority = issue.new_authority("wardle-ca")
        serving = authority.issue_serving([SERVER_NAME])
        for name, data in (("ca.crt", authority.pem), ("tls.crt", serving.cert), ("tls.key", serving.key)):
            files.write(folder / name, data)
        self._write_kubeconfig(control_plane_data)
        self.port = free_port()
        command = [sys.executable, "-m", "examples.wardle", "--kubeconfig", str(folder / "kubeconfig")]
        command += ["--data-dir", str(folder / "data"), "--bind-address", "127.0.0.1", "--secure-port", str(self.port)]
        command += ["--tls-cert-file", str(folder / "tls.crt"), "--tls-private-key-file", str(folder / "tls.key")]
        self.program = Process(
            "the aggregated API server", command, log=folder / "wardle.log", env={"PYTHONPATH": str(checkout)}
        )

    def registration(self) -> str:
        """The YAML of its Namespace, Service, endpoints, RBAC and APIServices. Raises TourFailed."""
        command = [sys.executable, "-m", "examples.wardle", "registration", "--address", "127.0.0.1", "--user", USER]
        command += ["--port", str(self.port), "--ca-file", str(self._folder / "ca.crt")]
        env = {**os.environ, "PYTHONPATH": str(self._checkout)}
        done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
        if done.returncode:
            raise TourFailed(f"the registration could not be written: {done.stderr.strip()}")
        roles = (self._checkout / "manifests" / "wardle" / "rbac.yaml").read_text()
        return f"{done.stdout}---\n{roles}"

    def _write_kubeconfig(self, data: Path) -> None:
        pki = data / "pki"
        cluster = layout.load_authority(pki / "ca.crt", pki / "ca.key")
        client = cluster.issue_client(USER)
        admin = (data / "admin.kubeconfig").read_text()
        server = next(line.split(": ", 1)[1] for line in admin.splitlines() if line.strip().startswith("server: "))
        kubeconfig.write(
            self._folder / "kubeconfig",
            server=server,
            ca=cluster.pem,
            client_cert=client.cert,
            client_key=client.key,
            user=USER,
        )
