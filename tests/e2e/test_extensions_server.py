"""`trikube extensions-server`, the third tier as a process of its own, driven by an unmodified kubectl."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from generic.client import kubeconfig
from generic.types import JSONObject
from tests.unit.extensions import samples
from trikube import extensions_command
from trikube.background.kubectl import Kubectl
from trikube.background.process import Process, eventually
from trikube.pki import layout

_COMMAND = (sys.executable, "-m", "trikube.cli", "extensions-server")


class Alone:
    """The process, and a kubectl of its administrator."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "data"
        command = (*_COMMAND, "--data-dir", str(self.folder), "--secure-port", "0")
        self.program = Process("extensions-server", command, log=folder / "log")
        self.kubectl = Kubectl(self.folder / "extensions.kubeconfig", folder / "home")

    def start(self) -> None:
        self.program.start(until="KUBECONFIG")
        assert eventually(lambda: self.kubectl.run("get", "--raw", "/readyz").out == "ok", 20)

    def ok(self, *arguments: str, stdin: JSONObject | None = None) -> str:
        done = self.kubectl.run(*arguments, stdin=json.dumps(stdin) if stdin is not None else "")
        assert done.code == 0, f"kubectl {' '.join(arguments)}: {done.err}{done.out}"
        return done.out

    def define(self, definition: JSONObject) -> None:
        self.ok("apply", "-f", "-", stdin=definition)
        name = definition["metadata"]["name"]
        self.ok("wait", "--for=condition=Established", "--timeout=10s", f"crd/{name}")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    made = Alone(tmp_path_factory.mktemp("alone"))
    try:
        made.start()
        made.define(samples.certificates())
        made.define(samples.gauges())
        yield made
    finally:
        made.program.stop()
    assert "Traceback" not in made.program.log.read_text()


def test_it_serves_definitions_and_what_they_define_and_nothing_else(alone: Alone) -> None:
    listed = alone.ok("api-resources", "--no-headers", "-o", "name").split()
    assert listed == [
        "customresourcedefinitions.apiextensions.k8s.io",
        "certificates.certs.example.com",
        "gauges.monitoring.example.com",
    ]
    assert "-required-" in alone.ok("explain", "certificates.spec.issuerRef")
    assert '"minor": "' in alone.ok("get", "--raw", "/version").replace('":"', '": "')
    refused = alone.kubectl.run("get", "pods")
    assert (refused.code, "the server doesn't have a resource type" in refused.err) == (1, True)


def test_objects_live_in_namespaces_that_nobody_made(alone: Alone) -> None:
    made = samples.certificate()
    made["metadata"]["namespace"] = "nowhere"
    assert alone.ok("apply", "-f", "-", stdin=made) == "certificate.certs.example.com/web created\n"
    assert alone.ok("apply", "-f", "-", stdin=made) == "certificate.certs.example.com/web unchanged\n"
    patch = '{"spec":{"renewBeforeDays":9}}'
    alone.ok("patch", "-n", "nowhere", "--type=merge", "cert/web", "-p", patch)
    kind = "-o=jsonpath={.spec.issuerRef.kind} {.spec.renewBeforeDays}"
    assert alone.ok("get", "-n", "nowhere", "cert/web", kind) == "Issuer 9"
    assert alone.ok("get", "cert", "-A", "--no-headers").split()[:2] == ["nowhere", "web"]
    odd = alone.kubectl.run("apply", "-f", "-", stdin=json.dumps(samples.certificate("odd", usages=["none"])))
    assert 'Unsupported value: "none"' in odd.err
    assert "deleted" in alone.ok("delete", "-n", "nowhere", "cert/web")


def test_it_scales(alone: Alone) -> None:
    alone.ok("apply", "-f", "-", stdin=samples.gauge())
    assert "scaled" in alone.ok("scale", "gauge/main", "--replicas=4")
    assert alone.ok("get", "gauge/main", "-o", "jsonpath={.spec.replicas}") == "4"


def test_a_definition_is_deleted_after_its_objects(alone: Alone) -> None:
    alone.define(samples.widgets())
    alone.ok("apply", "-f", "-", stdin=samples.widget())
    assert "deleted" in alone.ok("delete", "--timeout=20s", "crd/widgets.example.com")
    assert "NotFound" in alone.kubectl.run("get", "--raw", "/apis/example.com/v1/widgets").err


def test_only_its_own_administrators_may_do_anything(alone: Alone) -> None:
    config = kubeconfig.load(alone.folder / "extensions.kubeconfig")
    pki = layout.ensure(alone.folder / "pki", names=["127.0.0.1"])
    jane = pki.cluster.issue_client("jane")
    known = kubeconfig.ClientConfig(config.server, config.ca or b"", jane.cert, jane.key)
    unknown = kubeconfig.ClientConfig(config.server, config.ca or b"", None, None)
    path = "/apis/certs.example.com/v1/certificates"
    for who, user in ((known, "jane"), (unknown, "system:anonymous")):
        with httpx.Client(base_url=config.server, verify=who.ssl_context()) as http:
            refused = http.get(path)
            assert (refused.status_code, refused.json()["message"]) == (
                403,
                f'certificates.certs.example.com is forbidden: User "{user}" cannot list resource "certificates" in '
                'API group "certs.example.com" at the cluster scope',
            )
            assert http.get("/readyz").text == "ok"
            assert http.get(path, headers={"authorization": "Bearer guess"}).status_code in {401, 403}


def test_it_finds_everything_again_after_a_restart(alone: Alone) -> None:
    alone.ok("apply", "-f", "-", stdin=samples.certificate("kept"))
    alone.program.stop()
    alone.start()
    assert alone.ok("get", "cert", "-o", "name") == "certificate.certs.example.com/kept\n"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--secure-port", "70000"), "argument --secure-port: 70000 must be between 0 and 65535"),
        (("--bind-address", "home"), "argument --bind-address: home is not an IP address"),
    ],
)
def test_flags_that_cannot_be_are_refused(
    flags: tuple[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        extensions_command.main(flags)
    assert (ended.value.code, said in capsys.readouterr().err) == (2, True)


def test_what_cannot_work_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = subprocess.run(
        [*_COMMAND, "--data-dir", str(tmp_path / "file")], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert done.stderr.startswith("trikube: ")
