"""The sample aggregated API server beside a measured control plane. Used by `figures.py`."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.server import BenchServer
from trikube.background.kubectl import Kubectl
from trikube.background.process import ProcessFailed, eventually
from trikube.demo.registration import SampleServer
from trikube.demo.tour import CHECKOUT

_FLUNDER = CHECKOUT / "manifests" / "wardle" / "flunder.yaml"


@contextmanager
def register_wardle(server: BenchServer) -> Iterator[str]:
    """Run and register it, with one flunder in namespace `default`; gives the flunder's path."""
    folder: Path = server.folder.parent
    sample = SampleServer(folder / "wardle", server.folder, checkout=CHECKOUT)
    kubectl = Kubectl(server.kubeconfig, folder / "home")
    # Registered first: without its RBAC it may not read whom to trust, and ends.
    _checked(kubectl, "apply", "-f", "-", stdin=sample.registration())
    sample.program.start(until="listens on")
    try:
        if not eventually(
            lambda: "True" in kubectl.run("get", "apiservice", "v1alpha1.wardle.example.com").out, seconds=30
        ):
            raise ProcessFailed("the aggregated server did not become available")
        _checked(kubectl, "create", "-n", "default", "-f", str(_FLUNDER))
        name = kubectl.run("get", "-n", "default", "flunders", "-o", "name").out.strip().rpartition("/")[2]
        yield f"/apis/wardle.example.com/v1alpha1/namespaces/default/flunders/{name}"
    finally:
        sample.program.stop()


def _checked(kubectl: Kubectl, *arguments: str, stdin: str = "") -> None:
    done = kubectl.run(*arguments, stdin=stdin)
    if done.code:
        raise subprocess.CalledProcessError(done.code, arguments, done.out, done.err)
