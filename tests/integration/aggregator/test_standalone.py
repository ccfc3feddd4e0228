"""The first tier alone, in front of another control plane that it reaches by a kubeconfig only."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from aggregator.upstream import UpstreamError
from generic.client import kubeconfig
from generic.serving.options import SecureServingOptions
from generic.serving.server import SecureServer
from generic.types import Receive, Scope, Send
from tests.integration.aggregator.harness import GROUP, NAME, PATH, Backend, apiservice, endpoint_slice, issue_to
from tests.integration.aggregator.harness import answer as reply
from tests.support.plane import Running, running
from trikube import standalone
from trikube.standalone import StandaloneOptions

pytestmark = pytest.mark.anyio

FLUNDERS = f"{PATH}/namespaces/default/flunders"
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@dataclass
class Front:
    """It, and clients of it: the administrator of the server behind, and a user with no rights there."""

    behind: Running
    url: str
    http: httpx.AsyncClient

    def client(self, user: str, ca: Path) -> httpx.AsyncClient:
        issued = self.behind.plane.pki.cluster.issue_client(user)
        config = kubeconfig.ClientConfig(self.url, ca.read_bytes(), issued.cert, issued.key)
        return httpx.AsyncClient(base_url=self.url, verify=config.ssl_context(), timeout=20)


@contextlib.asynccontextmanager
async def standing_before(behind: Running, folder: Path) -> AsyncIterator[Front]:
    pki = behind.plane.pki
    options = StandaloneOptions(
        behind.options.kubeconfig,
        folder,
        secure_port=0,
        proxy_client_cert_file=pki.front_proxy_client_cert,
        proxy_client_key_file=pki.front_proxy_client_key,
    )
    stop, listening = asyncio.Event(), asyncio.get_running_loop().create_future()
    task = asyncio.create_task(standalone.run(options, stop, on_listening=listening.set_result))
    await asyncio.wait((task, listening), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    config = kubeconfig.load(folder / standalone.KUBECONFIG)
    async with httpx.AsyncClient(base_url=listening.result(), verify=config.ssl_context(), timeout=20) as http:
        front = Front(behind, listening.result(), http)
        async with asyncio.timeout(20):
            while (await http.get("/readyz")).status_code != 200:  # noqa: ASYNC110, readiness is asked for
                await asyncio.sleep(0.02)
        yield front
    stop.set()
    await task


async def test_what_it_does_not_route_is_the_server_behinds_and_is_asked_as_the_caller(tmp_path: Path) -> None:
    async with running(tmp_path / "behind") as behind, standing_before(behind, tmp_path / "front") as front:
        made = await front.http.post(CONFIGMAPS, json={"metadata": {"name": "one"}, "data": {"a": "b"}})
        assert made.status_code == 201, made.text
        assert (await behind.http.get(f"{CONFIGMAPS}/one")).json() == (await front.http.get(f"{CONFIGMAPS}/one")).json()
        async with front.http.stream("GET", f"{CONFIGMAPS}?watch=true&fieldSelector=metadata.name%3Dtwo") as watch:
            lines = watch.aiter_lines()
            await behind.create(CONFIGMAPS, {"metadata": {"name": "two"}})
            assert '"ADDED"' in await anext(lines)
        assert (await front.http.get("/version")).json() == (await behind.http.get("/version")).json()
        async with front.client("jane", tmp_path / "front" / "pki" / "ca.crt") as jane:
            refused = await jane.get(CONFIGMAPS)
            assert refused.status_code == 403
            assert 'User "jane" cannot list resource "configmaps"' in refused.json()["message"]
            review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
            headers = {"impersonate-user": "admin"}
            who = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
            assert (await jane.post(who, json=review)).json()["status"]["userInfo"]["username"] == "jane"
            assert (await jane.post(who, json=review, headers=headers)).status_code == 403
        listed = {one["name"] for one in (await front.http.get("/apis")).json()["groups"]}
        assert {"apps", "apiregistration.k8s.io", "apiextensions.k8s.io"} <= listed
        discovered = (await front.http.get("/apis", headers={"accept": AGGREGATED})).json()["items"]
        apps = next(one for one in discovered if one["metadata"]["name"] == "apps")
        assert "deployments" in {one["resource"] for one in apps["versions"][0]["resources"]}


async def test_a_group_that_the_server_behind_routes_on_is_listed_too(tmp_path: Path) -> None:
    async with running(tmp_path / "behind") as behind:
        await behind.create("/apis/apiregistration.k8s.io/v1/apiservices", apiservice())
        async with asyncio.timeout(15):
            while GROUP not in (await behind.http.get("/apis", headers={"accept": AGGREGATED})).text:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        async with standing_before(behind, tmp_path / "front") as front:
            groups = (await front.http.get("/apis")).json()["groups"]
            assert groups[-1]["name"] == GROUP, "nobody here has said where it belongs"
            assert [one["version"] for one in groups[-1]["versions"]] == ["v1"]
            assert (await front.http.get(f"/apis/{GROUP}")).json()["name"] == GROUP
            listed = (await front.http.get("/apis/apiregistration.k8s.io/v1/apiservices")).json()["items"]
            assert NAME not in {one["metadata"]["name"] for one in listed}
            discovered = (await front.http.get("/apis", headers={"accept": AGGREGATED})).json()["items"]
            (group,) = [one for one in discovered if one["metadata"]["name"] == GROUP]
            assert group["versions"] == [{"version": "v1", "freshness": "Stale"}]


async def test_apiservices_are_its_own_and_route_to_servers_the_one_behind_knows_nothing_of(tmp_path: Path) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await reply(send)

    async with running(tmp_path / "behind") as behind:
        served = Backend(app)
        pki = behind.plane.pki
        cert, key = issue_to(tmp_path, pki.cluster, ("api.default.svc",))
        authorities = (pki.front_proxy_ca_cert,)
        options = SecureServingOptions(
            bind_address="127.0.0.1", port=0, cert_file=cert, key_file=key, client_ca_files=authorities
        )
        server = SecureServer(served, options)
        await server.start()
        try:
            async with standing_before(behind, tmp_path / "front") as front:
                service = {"metadata": {"name": "api"}, "spec": {"ports": [{"name": "https", "port": 443}]}}
                await behind.create("/api/v1/namespaces/default/services", service)
                slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
                await behind.create(slices, endpoint_slice(("127.0.0.1", server.port)))
                registered = apiservice(caBundle=base64.b64encode(pki.cluster.pem).decode())
                made = await front.http.post("/apis/apiregistration.k8s.io/v1/apiservices", json=registered)
                assert made.status_code == 201, made.text
                async with asyncio.timeout(15):
                    while (await front.http.get(FLUNDERS)).status_code != 200:  # noqa: ASYNC110, as is availability
                        await asyncio.sleep(0.02)
                seen = served.headers(FLUNDERS)
                assert seen["x-remote-user"] == ["kubernetes-admin"]
                assert GROUP in (await front.http.get("/apis")).text
                elsewhere = await behind.http.get(f"/apis/apiregistration.k8s.io/v1/apiservices/{NAME}")
                assert elsewhere.status_code == 404
        finally:
            await server.close()


async def test_a_server_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}]\n"
        "contexts: [{name: a, context: {cluster: a}}]\ncurrent-context: a\n"
    )
    options = StandaloneOptions(config, tmp_path / "front", secure_port=0)
    with pytest.raises(UpstreamError, match=r"^https://127\.0\.0\.1:1: Get .* connection refused$"):
        await standalone.run(options, asyncio.Event(), on_listening=lambda _: None)
