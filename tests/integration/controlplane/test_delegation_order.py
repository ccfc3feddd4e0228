"""Which server answers what, and through which servers a request comes to it.

The three servers run as a user runs them, behind the whole handler chain and over TLS; the hops are what the
server itself says with `Trikube-Trace: 1`. BEHAVIOURS A.
"""

import httpx
import pytest

from tests.support.crd import CRDS, definition, instance
from tests.support.plane import Running

SERVERS = ("aggregator", "kubeapi", "extensions", "end-of-chain")


def hops(response: httpx.Response) -> list[str]:
    """`server=decision` of each server passed, in order."""
    steps = [step.partition(";")[0] for step in response.headers["trikube-trace"].split(", ")]
    return [step for step in steps if step.partition("=")[0] in SERVERS]


async def ask(control_plane: Running, path: str, method: str = "GET") -> httpx.Response:
    return await control_plane.http.request(method, path, headers={"trikube-trace": "1"})


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "status", "passed"),
    [
        ("/", 200, ["aggregator=path"]),
        ("/healthz", 200, ["aggregator=path"]),
        ("/readyz?verbose", 200, ["aggregator=path"]),
        ("/livez/ping", 200, ["aggregator=path"]),
        ("/version", 200, ["aggregator=path"]),
        ("/metrics", 200, ["aggregator=path"]),
        ("/apis", 200, ["aggregator=path"]),
        ("/apis/apps", 200, ["aggregator=path"]),
        ("/apis/apiextensions.k8s.io", 200, ["aggregator=path"]),
        ("/openapi/v3", 200, ["aggregator=path"]),
        ("/apis/apiregistration.k8s.io/v1", 200, ["aggregator=path"]),
        ("/apis/apiregistration.k8s.io/v1/apiservices", 200, ["aggregator=serve"]),
        ("/apis/apiregistration.k8s.io/v1/apiservices/v1.apps", 200, ["aggregator=serve"]),
        ("/api", 200, ["aggregator=delegate", "kubeapi=path"]),
        ("/api/v1", 200, ["aggregator=delegate", "kubeapi=path"]),
        ("/api/v1/namespaces", 200, ["aggregator=delegate", "kubeapi=serve"]),
        ("/api/v1/namespaces/default/pods", 200, ["aggregator=delegate", "kubeapi=serve"]),
        ("/apis/apps/v1", 200, ["aggregator=delegate", "kubeapi=path"]),
        ("/apis/apps/v1/deployments", 200, ["aggregator=delegate", "kubeapi=serve"]),
        (
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin",
            200,
            ["aggregator=delegate", "kubeapi=serve"],
        ),
        # What a server owns it answers itself, also when the answer is no.
        ("/apis/apps/v1/unknowns", 404, ["aggregator=delegate", "kubeapi=not-found"]),
        ("/api/v1/namespaces/default/pods/none", 404, ["aggregator=delegate", "kubeapi=serve"]),
        (
            "/apis/apiextensions.k8s.io/v1",
            200,
            ["aggregator=delegate", "kubeapi=delegate", "extensions=path"],
        ),
        (CRDS, 200, ["aggregator=delegate", "kubeapi=delegate", "extensions=serve"]),
        (
            "/apis/nobody.example.com/v1/things",
            404,
            ["aggregator=delegate", "kubeapi=delegate", "extensions=delegate", "end-of-chain=not-found"],
        ),
        (
            "/nowhere",
            404,
            ["aggregator=delegate", "kubeapi=delegate", "extensions=delegate", "end-of-chain=not-found"],
        ),
    ],
)
async def test_a_path_is_answered_by_its_owner(
    control_plane: Running, path: str, status: int, passed: list[str]
) -> None:
    response = await ask(control_plane, path)
    assert (response.status_code, hops(response)) == (status, passed)


@pytest.mark.anyio
async def test_a_custom_resource_passes_the_first_two_servers(control_plane: Running) -> None:
    await control_plane.create(CRDS, definition("hops"))
    path = "/apis/stable.example.com/v1/namespaces/default/hops"
    await control_plane.until(path)
    made = await control_plane.http.post(path, json=instance("hops", "a"), headers={"trikube-trace": "1"})
    assert made.status_code == 201
    assert hops(made) == ["aggregator=delegate", "kubeapi=delegate", "extensions=serve"]


@pytest.mark.anyio
async def test_the_end_of_the_chain_speaks_plain_text(control_plane: Running) -> None:
    response = await ask(control_plane, "/nowhere")
    assert response.headers["content-type"].startswith("text/plain")
    assert response.text == "404 page not found\n"


@pytest.mark.anyio
async def test_an_owner_says_no_with_a_status(control_plane: Running) -> None:
    response = await ask(control_plane, "/apis/apps/v1/unknowns")
    assert response.json()["kind"] == "Status"
    assert response.json()["message"] == "the server could not find the requested resource"


@pytest.mark.anyio
async def test_the_handler_chain_runs_once(control_plane: Running) -> None:
    response = await ask(control_plane, CRDS)
    steps = [step.partition("=")[0] for step in response.headers["trikube-trace"].split(", ")]
    assert steps.count("authentication") == steps.count("authorization") == 1
    assert steps.index("authorization") < steps.index("aggregator")


@pytest.mark.anyio
async def test_strangers_are_not_told_the_hops(control_plane: Running) -> None:
    async with control_plane.client(anonymous=True) as stranger:
        response = await stranger.get("/healthz", headers={"trikube-trace": "1"})
    assert response.status_code == 200
    assert "trikube-trace" not in response.headers


@pytest.mark.anyio
async def test_hooks_and_checks_of_all_servers_are_merged_at_the_outermost(control_plane: Running) -> None:
    chain = control_plane.plane.chain
    servers = [chain.extensions.generic, chain.kubeapi.generic, chain.aggregator.generic]
    names = [set(server.post_start_hooks()) for server in servers]
    assert names[0] < names[1] < names[2]
    listed = (await control_plane.http.get("/readyz?verbose")).text
    for name in names[2]:
        assert f"[+]poststarthook/{name} ok" in listed
    for check in ("ping", "etcd", "etcd-readiness", "informer-sync", "shutdown", "autoregister-completion"):
        assert f"[+]{check} ok" in listed


@pytest.mark.anyio
async def test_the_index_lists_the_paths_of_all_servers(control_plane: Running) -> None:
    paths = (await control_plane.http.get("/")).json()["paths"]
    assert {"/apis", "/api/v1", "/apis/apps/v1", "/apis/apiextensions.k8s.io/v1", "/healthz/ping", "/version"} <= set(
        paths
    )
