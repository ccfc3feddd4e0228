"""The public wire contract, with an aggregated server that shares no code with us and runs in a process of its own."""

import asyncio
import base64
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request, TextMessage

from generic.client import kubeconfig
from tests.integration.aggregator.harness import endpoint_slice, issue_to
from tests.support.plane import Running, running
from trikube.background.kubectl import Kubectl, Result

pytestmark = pytest.mark.anyio

ROOT = "/apis/plain.example.com/v1"
NOTES = f"{ROOT}/namespaces/default/notes"
NAME = "v1.plain.example.com"


@contextlib.asynccontextmanager
async def plain_aa(plane: Running, folder: Path) -> AsyncIterator[None]:
    """It, running, registered and available."""
    pki = plane.plane.pki
    cert, key = issue_to(folder, pki.cluster, ("api.default.svc",))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.plain_aa", cert, key, pki.front_proxy_ca_cert,
        stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    try:
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        service = {"metadata": {"name": "api"}, "spec": {"ports": [{"name": "https", "port": 443}]}}
        await plane.create("/api/v1/namespaces/default/services", service)
        slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
        await plane.create(slices, endpoint_slice(("127.0.0.1", port)))
        spec = {
            "group": "plain.example.com",
            "version": "v1",
            "groupPriorityMinimum": 1000,
            "versionPriority": 10,
            "service": {"namespace": "default", "name": "api"},
            "caBundle": base64.b64encode(pki.cluster.pem).decode(),
        }
        await plane.create("/apis/apiregistration.k8s.io/v1/apiservices", {"metadata": {"name": NAME}, "spec": spec})
        await plane.until(ROOT)
        yield
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


async def test_objects_identity_and_watches_pass_as_the_contract_says(tmp_path: Path) -> None:
    async with running(tmp_path / "plane") as plane, plain_aa(plane, tmp_path):
        async with plane.http.stream("GET", f"{NOTES}?watch=true") as watch:
            lines = watch.aiter_lines()
            headers = {"impersonate-user": "jane", "impersonate-group": "system:masters", "impersonate-uid": "7"}
            headers["impersonate-extra-example.com%2Fteam"] = "blue"
            made = await plane.http.post(NOTES, json={"kind": "Note", "metadata": {"name": "a"}}, headers=headers)
            assert made.status_code == 201, made.text
            assert made.json()["author"] == {
                "user": "jane",
                "uid": "7",
                "groups": ["system:masters", "system:authenticated"],
                "extra": {"x-remote-extra-example.com%2fteam": "blue"},
            }
            event = orjson.loads(await anext(lines))
            assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "a")
            assert (await plane.http.get(f"{ROOT}/followers")).json() == {"followers": 1}
        await plane.until(f"{ROOT}/followers", followers='"followers":0')
        missing = await plane.http.get(f"{NOTES}/b")
        assert (missing.status_code, missing.json()["reason"]) == (404, "NotFound")
        assert (await plane.http.delete(f"{NOTES}/a")).json()["metadata"]["uid"] == "uid-a"


async def test_kubectl_sees_one_api(tmp_path: Path) -> None:
    async with running(tmp_path / "plane") as plane, plain_aa(plane, tmp_path):
        kubectl = Kubectl(plane.options.kubeconfig, tmp_path / "home")
        await plane.http.post(NOTES, json={"kind": "Note", "apiVersion": ROOT[6:], "metadata": {"name": "a"}})
        await plane.until("/apis", content="plain.example.com")

        async def run(*arguments: str) -> Result:
            return await asyncio.to_thread(kubectl.run, *arguments)

        async with asyncio.timeout(30):
            while not (listed := await run("api-resources", "--api-group=plain.example.com", "-o", "name")).out:
                pass
        assert listed.out == "notes.plain.example.com\n"
        both = (await run("get", "nt,namespaces", "-o", "name")).out
        assert "note.plain.example.com/a" in both
        assert "namespace/kube-system" in both
        assert (await run("delete", "note", "a")).out.startswith('note.plain.example.com "a" deleted')
        assert (await run("get", "notes")).err == "No resources found in default namespace.\n"


async def test_a_websocket_of_somebody_elses_server(tmp_path: Path) -> None:
    async with running(tmp_path / "plane") as plane, plain_aa(plane, tmp_path):
        context = kubeconfig.load(plane.options.kubeconfig).ssl_context()
        port = int(plane.url.rpartition(":")[2])
        context.set_alpn_protocols(["http/1.1"])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
        session = WSConnection(ConnectionType.CLIENT)
        writer.write(session.send(Request(host="me", target=f"{NOTES}/a/shout", subprotocols=["v5.channel.k8s.io"])))
        heard: list[object] = []

        async def hear(count: int) -> list[object]:
            while len(heard) < count:
                session.receive_data(await reader.read(1 << 16))
                heard.extend(session.events())
            return heard

        accepted, greeting = await hear(2)
        assert isinstance(accepted, AcceptConnection)
        assert isinstance(greeting, TextMessage)
        assert greeting.data == "hello kubernetes-admin"
        writer.write(session.send(TextMessage(data="quiet")))
        *_, loud = await hear(3)
        assert isinstance(loud, TextMessage)
        assert loud.data == "QUIET"
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
