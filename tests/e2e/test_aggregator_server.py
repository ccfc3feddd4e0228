"""`trikube aggregator-server`, the first tier as a process of its own, driven by an unmodified kubectl."""

import subprocess
import sys
from pathlib import Path

from trikube.background.kubectl import Kubectl
from trikube.background.process import Process
from trikube.testing.plane import ControlPlane
from trikube.testing.servers import AggregatedServer, ServerFiles

CAT = """
apiVersion: animal.demo.io/v1alpha1
kind: Cat
metadata: {name: tom, namespace: default}
spec: {breed: persian}
"""


def test_kubectl_sees_the_server_behind_and_one_that_only_this_tier_knows(tmp_path: Path) -> None:
    with ControlPlane(tmp_path / "behind") as behind:
        front = tmp_path / "front"
        pki = behind.kubeconfig.parent / "pki"
        # Of the server behind: its ConfigMap is where the aggregated server learns whom to believe.
        shown = ["--proxy-client-cert-file", str(pki / "front-proxy-client.crt")]
        shown += ["--proxy-client-key-file", str(pki / "front-proxy-client.key")]
        flags = ["--kubeconfig", str(behind.kubeconfig), "--data-dir", str(front), "--secure-port", "0", *shown]
        command = [sys.executable, "-m", "trikube.cli", "aggregator-server", *flags]
        program = Process("aggregator-server", command, log=tmp_path / "log")
        serving = behind.serving_certificate("cats", "cats")
        kubeconfig = front / "aggregator.kubeconfig"
        files = ServerFiles(
            kubeconfig=kubeconfig,
            cert=serving.cert,
            key=serving.key,
            ca=serving.ca,
            data=tmp_path / "cats",
            log=tmp_path / "cats.log",
        )
        cats = AggregatedServer("examples.cats", files)
        kubectl = Kubectl(kubeconfig, tmp_path / "home")
        try:
            program.start(until="use it with: export KUBECONFIG=")
            cats.start()
            where = ["--address", "127.0.0.1", "--port", str(cats.port), "--ca-file", str(serving.ca)]
            printing = [sys.executable, "-m", "examples.cats", "registration", *where]
            applied = kubectl.run("apply", "-f", "-", stdin=subprocess.check_output(printing, text=True))
            assert applied.code == 0, applied.err
            name = "apiservice/v1alpha1.animal.demo.io"
            waited = kubectl.run("wait", "--for=condition=Available", "--timeout=20s", name)
            assert waited.code == 0, waited.err
            created = kubectl.run("create", "-f", "-", stdin=CAT)
            assert created.out == "cat.animal.demo.io/tom created\n", created.err
            assert "persian" in kubectl.run("get", "cats").out
            assert kubectl.run("get", "service", "-n", "cats", "cats").code == 0
            # Both have the Service; of the APIService the server behind has not heard.
            assert behind.kubectl("get", "service", "-n", "cats", "cats").code == 0
            assert "NotFound" in behind.kubectl("get", name, check=False).err
        finally:
            cats.stop()
            program.stop()
    assert "Traceback" not in program.log.read_text()
