"""`trikube boot` from an empty folder to a cluster: the commands of docs/boot.md, and what the guide cannot show."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import guide
from trikube.background.process import Process, eventually
from trikube.testing import applying
from trikube.testing.plane import ControlPlane
from trikube.testing.servers import AggregatedServer, ServerFiles

TOOLS = Path(sys.executable).parent


def environment() -> dict[str, str]:
    """As in a shell where trikube is installed, whether or not its plugin is (yet) an entry point."""
    own = {"PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}"}
    return {**os.environ, **own, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p trikube.testing.plugin"}


class Shell:
    """A terminal: `cd` and `export` last, everything else must succeed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {**environment(), "HOME": str(folder)}

    def run(self, line: str) -> str:
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        if line.startswith("cd "):
            self.folder /= line.split()[1]
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            self.env[name] = value.replace("$PWD", str(self.folder))
        return done.stdout

    def boot(self, *arguments: str) -> str:
        return self.run(f"trikube boot {' '.join(arguments)}")


@contextlib.contextmanager
def running_local(shell: Shell) -> Iterator[Process]:
    command, log = [str(TOOLS / "trikube"), "boot", "run", "local"], shell.folder.parent / "local.log"
    program = Process("run local", command, log=log, folder=shell.folder)
    program.start(until="use it with")
    try:
        yield program
    finally:
        program.stop()


@pytest.mark.timeout(300)
def test_the_guide_works_from_an_empty_folder(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    said: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        for line in guide.commands("boot.md"):
            if line == "trikube boot run local":
                stack.enter_context(running_local(shell))
            else:
                said[line] = shell.run(line)
    assert "sample" in said["kubectl get cats"]
    assert "An example of a field" in said["kubectl explain cat.spec"]
    assert "ready: true" in said["kubectl get ct sample -o yaml"]
    assert "removed zoo/sky/star_v1.py" in said["trikube boot undo"]
    assert (tmp_path / "zoo" / "config" / "50-apiservice.yaml").is_file()


@pytest.mark.timeout(120)
def test_a_saved_file_restarts_the_server_and_a_broken_one_is_told(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.boot("init repo --domain demo.io --name zoo")
    shell.run("cd zoo")
    shell.boot("create group version resource --group animal --version v1 --kind Cat")
    shell.run("export KUBECONFIG=$PWD/.trikube/local/data/admin.kubeconfig")
    module = shell.folder / "zoo" / "animal" / "cat_v1.py"
    with running_local(shell) as program:
        shell.run("kubectl apply -f samples")
        whole = module.read_text()
        module.write_text("class (\n")
        assert eventually(lambda: "zoo did not start: SyntaxError" in program.log.read_text(), 20)
        module.write_text(whole.replace('@aa.column("Message")', '@aa.column("Says")'))
        assert eventually(lambda: "restarted after a change of zoo/animal/cat_v1.py" in program.log.read_text(), 20)
        # Its objects have survived.
        assert eventually(lambda: "SAYS" in shell.run("kubectl get cats || true"), 20)
        assert "hello" in shell.run("kubectl get cats")
        # A new version and a new group are served as well, and are no more once they are taken back.
        shell.boot("create group version resource --group animal --version v2 --kind Cat")
        shell.boot("create group version resource --group sky --version v1 --kind Star")
        assert eventually(lambda: "hello" in shell.run("kubectl get cats.v2.animal.demo.io sample || true"), 20)
        assert eventually(lambda: "zoo serves sky.demo.io in v1" in program.log.read_text(), 20)
        assert eventually(lambda: "star" in shell.run("kubectl apply -f samples/sky_star_v1.yaml || true"), 20)
        shell.boot("undo")
        assert eventually(lambda: "sky.demo.io" not in shell.run("kubectl get apiservices"), 20)
    assert "stopped" in program.log.read_text()


def test_a_control_plane_that_dies_with_its_terminal_takes_the_server_along(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.boot("init repo --domain demo.io --name zoo")
    shell.run("cd zoo")
    shell.boot("create group version resource --group animal --version v1 --kind Cat")
    shell.run("export KUBECONFIG=$PWD/.trikube/local/data/admin.kubeconfig")
    with running_local(shell) as program:
        assert program._process is not None
        program._process.send_signal(signal.SIGKILL)
        assert eventually(lambda: "refused" in shell.run("kubectl get --raw /readyz 2>&1 || true"), 20)


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("plane")) as running:
        yield running


def test_in_cluster_everything_is_applied_and_awaited(tmp_path: Path, plane: ControlPlane) -> None:
    shell = Shell(tmp_path)
    shell.boot("init repo --domain demo.io --name zoo")
    shell.run("cd zoo")
    shell.boot("create group version resource --group animal --version v1 --kind Cat")
    shell.env["KUBECONFIG"] = str(plane.kubeconfig)
    # Nobody runs its pods here: the reason is told in one line.
    refused = shell.run("trikube boot run in-cluster --image zoo:1 --namespace pets --timeout 1 2>&1 || true")
    assert "trikube boot: apiservice/v1.animal.demo.io is not Available after 1 s: EndpointsNotFound" in refused
    for kind in ("namespace/pets", "deployment/zoo", "service/zoo", "secret/zoo-certificate", "serviceaccount/zoo"):
        assert plane.kubectl("get", "-n", "pets", kind).code == 0
    # In place of a pod: the server with the certificate that was built, as the account that was made.
    token = plane.kubectl("create", "token", "-n", "pets", "zoo").out.strip()
    kubeconfig = tmp_path / "account.kubeconfig"
    kubeconfig.write_bytes(plane.kubeconfig.read_bytes())
    plane.kubectl("config", "--kubeconfig", str(kubeconfig), "set-credentials", "account", f"--token={token}")
    plane.kubectl("config", "--kubeconfig", str(kubeconfig), "set-context", "--current", "--user=account")
    built = shell.folder / "config" / "certificates"
    files = ServerFiles(
        kubeconfig=kubeconfig,
        cert=built / "tls.crt",
        key=built / "tls.key",
        ca=built / "ca.crt",
        data=tmp_path / "data",
        log=tmp_path / "zoo.log",
    )
    server = AggregatedServer("zoo", files, folder=shell.folder)
    server.start()
    try:
        plane.apply(endpoints("pets", "zoo", server.port))
        said = shell.boot("run in-cluster --image zoo:1 --namespace pets --timeout 20")
        assert "available: kubectl get cats.animal.demo.io" in said
        shell.run("kubectl apply -f samples && kubectl get cats sample")
        # RBAC made for it: who may edit a namespace may do so with cats.
        plane.kubectl("create", "rolebinding", "jane", "--clusterrole=edit", "--user=jane")
        may = ("auth", "can-i", "create", "cats.animal.demo.io", "--as=jane")
        assert plane.kubectl(*may).out == "yes\n"
    finally:
        server.stop()


def endpoints(namespace: str, service: str, port: int) -> dict[str, object]:
    """What a kubelet's pod and a controller would have made of it."""
    labels = {"kubernetes.io/service-name": service}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": service, "namespace": namespace, "labels": labels},
        "addressType": "IPv4",
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
        "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}],
    }


@pytest.mark.parametrize("flags", ["", "--etcd"])
def test_every_manifest_is_valid_to_the_server(tmp_path: Path, plane: ControlPlane, flags: str) -> None:
    shell = Shell(tmp_path)
    shell.boot("init repo --domain demo.io --name zoo")
    shell.run("cd zoo")
    shell.boot("create group version resource --group animal --version v1 --kind Cat")
    shell.boot("create group version resource --group sky --version v1 --kind Star --non-namespaced")
    shell.boot(f"build config --image zoo:1 --namespace valid{len(flags)} {flags}")
    stored = plane.apply(shell.folder / "config")
    names = {obj["kind"] for obj in stored}
    assert ("StatefulSet" in names) == bool(flags)
    assert [obj["metadata"]["name"] for obj in stored if obj["kind"] == "APIService"] == [
        "v1.animal.demo.io",
        "v1.sky.demo.io",
    ]
    assert len(applying.load(shell.folder / "config")) == len(stored)
