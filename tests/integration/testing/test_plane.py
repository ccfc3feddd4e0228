"""ControlPlane: its clients, identities, manifests and the API servers registered with it."""

import asyncio
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import kubernetes
import pytest

from examples.wardle.__main__ import SERVER
from tests.support.etcd import EtcdServer
from trikube import aa
from trikube.background.process import eventually
from trikube.testing.errors import ControlPlaneError
from trikube.testing.plane import ControlPlane

MANIFESTS = Path(__file__).resolve().parents[3] / "manifests"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("plane")) as running:
        yield running


def test_every_client_sees_the_same(plane: ControlPlane) -> None:
    plane.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "seen"}, "data": {"a": "1"}})
    assert plane.kubectl("get", "configmap", "seen", "-o", "jsonpath={.data.a}").out == "1"
    core = kubernetes.client.CoreV1Api(plane.kubernetes_client())
    assert core.read_namespaced_config_map("seen", "default").data == {"a": "1"}
    found = plane.kr8s_api().get("configmaps", "seen", namespace="default")
    assert [each.raw["data"] for each in found] == [{"a": "1"}]


@pytest.mark.anyio
async def test_the_async_client_is_the_administrator_too(plane: ControlPlane) -> None:
    async with plane.async_httpx_client() as api:
        assert (await api.get("/api/v1/secrets")).status_code == 200


def test_definitions_and_their_objects_go_in_at_once(plane: ControlPlane) -> None:
    stored = plane.apply(MANIFESTS / "crd" / "definition.yaml") + plane.apply(MANIFESTS / "crd" / "resource.yaml")
    assert stored[0]["kind"] == "CustomResourceDefinition"
    assert stored[1]["metadata"]["uid"]


def test_what_the_server_refuses_is_said_in_its_words(plane: ControlPlane) -> None:
    wrong = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "UPPER"}}
    with pytest.raises(ControlPlaneError, match=r"apply Namespace UPPER of v1: .*RFC 1123"):
        plane.apply(wrong)
    unknown = {"apiVersion": "nobody.io/v1", "kind": "Ghost", "metadata": {"name": "g"}}
    with pytest.raises(ControlPlaneError, match=r"after 0\.1 s the server has no kind for Ghost g of nobody\.io/v1"):
        plane.apply(unknown, timeout=0.1)
    with pytest.raises(ControlPlaneError, match=r"kubectl get ghosts ended with 1: .*resource type"):
        plane.kubectl("get", "ghosts")
    assert plane.kubectl("get", "ghosts", check=False).code == 1


def test_certificates_carry_user_and_groups(plane: ControlPlane) -> None:
    made = plane.client_certificate("jane", ["team-a"])
    context = ssl.create_default_context(cafile=made.ca)
    context.load_cert_chain(made.cert, made.key)
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    with httpx.Client(base_url=plane.url, verify=context) as api:
        told = api.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json=review).json()
    assert told["status"]["userInfo"]["username"] == "jane"
    assert "team-a" in told["status"]["userInfo"]["groups"]
    assert plane.httpx_client("jane").get("/api/v1/secrets").status_code == 403


@pytest.mark.anyio
async def test_an_api_server_of_the_test_is_registered(plane: ControlPlane, tmp_path: Path) -> None:
    files = plane.serving_certificate("zoo")
    options = aa.Options(
        data_dir=tmp_path,
        tls_cert_file=files.cert,
        tls_private_key_file=files.key,
        bind_address="127.0.0.1",
        secure_port=0,
        kubeconfig=plane.kubeconfig,
    )
    stop = asyncio.Event()
    listening: asyncio.Queue[aa.Listening] = asyncio.Queue()
    serving = asyncio.create_task(SERVER.run(stop, options, on_listening=listening.put_nowait))
    try:
        async with asyncio.timeout(20):
            port = (await listening.get()).port

        def register(ca: Path) -> None:
            plane.register_aa("wardle.example.com", ["v1beta1", "v1alpha1"], port=port, ca=ca, service="zoo", timeout=9)

        await asyncio.to_thread(register, files.ca)
        out = (await asyncio.to_thread(plane.kubectl, "get", "--raw", "/apis/wardle.example.com")).out
        assert '"preferredVersion":{"groupVersion":"wardle.example.com/v1beta1"' in out.replace(" ", "")
    finally:
        stop.set()
        await serving


def test_an_api_server_that_is_not_there_is_told_with_the_reason(plane: ControlPlane) -> None:
    files = plane.serving_certificate("none")
    with pytest.raises(ControlPlaneError, match=r"apiservices/v1\.none\.io is not Available: FailedDiscoveryCheck"):
        plane.register_aa("none.io", ["v1"], port=1, ca=files.ca, service="none", timeout=2)


def test_an_api_server_that_ends_at_once_is_told_with_its_last_words(plane: ControlPlane) -> None:
    with pytest.raises(ControlPlaneError, match=r"this did not start: The Zen of Python"):
        plane.run_aa("this", {"zen.io": ["v1"]}, service="zen")


def test_in_a_thread_it_serves_and_ends(tmp_path: Path) -> None:
    with ControlPlane(tmp_path, mode="thread") as plane:
        api = plane.httpx_client()
        assert api.get("/livez").text == "ok"
        made = plane.client_certificate("jane")
        assert made.key.is_file()
    assert api.is_closed
    assert not made.key.exists()


def test_two_on_one_etcd_do_not_meet(tmp_path: Path) -> None:
    etcd = EtcdServer(tmp_path)
    etcd.start()
    try:
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            with ControlPlane(tmp_path / name, mode="thread", etcd_servers=etcd.endpoint) as plane:
                plane.kubectl("create", "namespace", "mine")
    finally:
        etcd.kill()


def test_it_does_not_outlive_a_process_that_was_killed(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys, time; from trikube.testing.plane import ControlPlane\n"
        "plane = ControlPlane(pathlib.Path(sys.argv[1]))\n"
        "with plane: print(plane._runner.process.pid, flush=True); time.sleep(60)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    with owner.stdout:
        child = int(owner.stdout.readline())
    owner.send_signal(signal.SIGKILL)
    owner.wait()

    def gone() -> bool:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return True
        # A container without an init may leave it unreaped: ended all the same.
        stat = Path(f"/proc/{child}/stat")
        return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"

    assert eventually(gone, 20)
