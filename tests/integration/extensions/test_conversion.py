"""Conversion webhooks: asked only for what needs it, believed only as far as they may go."""

import asyncio
import copy
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from tests.integration.extensions import webhooks
from tests.integration.extensions.webhooks import Webhook
from tests.support import plane
from tests.unit.extensions import harness, samples
from tests.unit.extensions.harness import Tier

pytestmark = pytest.mark.anyio

V1 = GroupVersionResource("example.com", "v1", "widgets")
V1BETA1 = GroupVersionResource("example.com", "v1beta1", "widgets")
BETA_PATH = "/apis/example.com/v1beta1/namespaces/default/widgets"
WHO = "example.com/v1, Kind=Widget"


@pytest.fixture
async def tier(tmp_path: Path) -> AsyncIterator[Tier]:
    async with harness.tier(tmp_path / "state.db") as made:
        yield made


def widgets(client: JSONObject) -> JSONObject:
    made = samples.widgets(strategy="Webhook")
    made["spec"]["conversion"]["webhook"]["clientConfig"] = client
    return made


async def convert(review: JSONObject) -> JSONObject:
    """An honest webhook: v1beta1 has a size made of the color."""
    request, converted = review["request"], []
    for obj in request["objects"]:
        made = copy.deepcopy(obj)
        made["apiVersion"] = request["desiredAPIVersion"]
        if made["apiVersion"].endswith("v1beta1"):
            made["spec"]["size"] = f"size of {made['spec']['color']}"
        made["metadata"].setdefault("annotations", {})["converted"] = "yes"
        # Not for it to say: it is taken back.
        made["metadata"]["finalizers"] = ["lie"]
        converted.append(made)
    return respond(review, convertedObjects=converted)


def respond(review: JSONObject, **response: Any) -> JSONObject:
    said = {"uid": review["request"]["uid"], "result": {"status": "Success"}, **response}
    return {"apiVersion": review["apiVersion"], "kind": review["kind"], "response": said}


async def test_reads_in_another_version_are_converted_lists_at_once(tier: Tier, tmp_path: Path) -> None:
    async with webhooks.webhook(tmp_path, convert) as hook:
        await tier.define(widgets(hook.client_config()))
        for name in ("one", "two", "three"):
            await tier.client.create(V1, samples.widget(name))
        assert hook.asked == []
        listed = await tier.client.list(V1BETA1)
        assert [item["spec"]["size"] for item in listed["items"]] == ["size of red"] * 3
        (review,) = hook.asked
        assert (review["apiVersion"], review["kind"]) == ("apiextensions.k8s.io/v1", "ConversionReview")
        assert review["request"]["desiredAPIVersion"] == "example.com/v1beta1"
        assert [obj["apiVersion"] for obj in review["request"]["objects"]] == ["example.com/v1"] * 3
        assert b"authorization" not in hook.headers[0]
        got = await tier.client.get(V1BETA1, "one", "default")
        assert (got["apiVersion"], got["metadata"]["annotations"]) == ("example.com/v1beta1", {"converted": "yes"})
        assert "finalizers" not in got["metadata"]


async def test_only_objects_of_another_version_are_sent(tier: Tier, tmp_path: Path) -> None:
    async with webhooks.webhook(tmp_path, convert) as hook:
        made = await tier.define(widgets(hook.client_config()))
        await tier.client.create(V1, samples.widget("old"))
        versions = made["spec"]["versions"]
        for version in versions:
            version["storage"] = not version["storage"]
        await tier.client.patch(harness.CRDS, "widgets.example.com", {"spec": {"versions": versions}})
        await tier.client.create(V1BETA1, samples.widget("new", of_version="v1beta1"))
        assert hook.asked == []
        listed = await tier.client.list(V1BETA1)
        assert [item["metadata"]["name"] for item in listed["items"]] == ["new", "old"]
        (review,) = hook.asked
        assert [obj["metadata"]["name"] for obj in review["request"]["objects"]] == ["old"]


async def test_writes_in_another_version_are_stored_converted(tier: Tier, tmp_path: Path) -> None:
    async with webhooks.webhook(tmp_path, convert) as hook:
        await tier.define(widgets(hook.client_config()))
        made = await tier.client.create(V1BETA1, samples.widget(of_version="v1beta1", size="large"))
        assert made["spec"] == {"color": "red", "size": "size of red"}
        stored = await tier.client.get(V1, "one", "default")
        assert (stored["apiVersion"], stored["spec"]) == ("example.com/v1", {"color": "red"})


def changed(**metadata: Any) -> Any:
    async def answer(review: JSONObject) -> JSONObject:
        honest = await convert(review)
        for obj in honest["response"]["convertedObjects"]:
            obj["metadata"].update(metadata)
        return honest

    return answer


def lying(**response: Any) -> Any:
    async def answer(review: JSONObject) -> JSONObject:
        return respond(review, **response)

    return answer


async def fail(review: JSONObject) -> bytes:
    return b"out of order"


async def other_version(review: JSONObject) -> JSONObject:
    return respond(review, convertedObjects=review["request"]["objects"])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lying(convertedObjects=[]), f"conversion webhook for {WHO} returned 0 objects, expected 1"),
        (lying(uid="other"), f'conversion webhook for {WHO} failed: expected response.uid="'),
        (
            lying(result={"status": "Failure", "message": "cannot do that"}),
            f"conversion webhook for {WHO} failed: cannot do that",
        ),
        (lying(result={}), f"conversion webhook for {WHO} failed: response.result.status was '', not 'Success'"),
        (fail, f'conversion webhook for {WHO} failed: an error on the server ("out of order") has prevented the'),
        (changed(name="other"), "must have the same name: one != other"),
        (changed(uid="other"), "must have the same UID: "),
        (changed(labels={"a": 1}), "returned invalid metadata in object at index 0: metadata.labels is not a map"),
        (other_version, "invalid groupVersion (expected example.com/v1beta1, received example.com/v1)"),
    ],
)
async def test_a_webhook_that_lies_fails_that_request_only(
    tier: Tier, tmp_path: Path, answer: Any, expected: str
) -> None:
    async with webhooks.webhook(tmp_path, answer) as hook:
        await tier.define(widgets(hook.client_config()))
        await tier.client.create(V1, samples.widget())
        refused = await tier.request("GET", f"{BETA_PATH}/one")
        assert refused.status == 500
        assert expected in refused.json()["message"], refused.json()["message"]
        assert (await tier.client.get(V1, "one", "default"))["spec"] == {"color": "red"}


async def test_nobody_there_and_nobody_trusted_are_told_apart(tier: Tier, tmp_path: Path) -> None:
    async with webhooks.webhook(tmp_path, convert, "other.example.com") as hook:
        name = (await tier.define(widgets(hook.client_config())))["metadata"]["name"]
        await tier.client.create(V1, samples.widget())
        refused = await tier.request("GET", f"{BETA_PATH}/one")
        why = "tls: failed to verify certificate: x509: certificate is not valid for 'localhost'"
        assert why in refused.body.decode()
        port, client = hook.port, hook.client_config()
    dead = widgets(client)["spec"]["conversion"]
    await tier.client.patch(harness.CRDS, name, {"spec": {"conversion": dead}})
    refused = await tier.request("GET", f"{BETA_PATH}/one")
    assert f'Post \\"https://localhost:{port}/convert?timeout=30s\\": dial tcp' in refused.body.decode()
    assert "connection refused" in refused.body.decode()


async def test_a_webhook_that_does_not_answer_in_time_is_given_up(
    tier: Tier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extensions.custom_resources.reviews.TIMEOUT", 0.2)
    over = asyncio.Event()

    async def wait(review: JSONObject) -> JSONObject:
        await over.wait()
        return await convert(review)

    async with webhooks.webhook(tmp_path, wait) as hook:
        await tier.define(widgets(hook.client_config()))
        await tier.client.create(V1, samples.widget())
        refused = await tier.request("GET", f"{BETA_PATH}/one")
        over.set()
    assert (refused.status, "context deadline exceeded" in refused.body.decode()) == (500, True)


async def test_a_watch_is_converted_and_ends_with_the_error(tier: Tier, tmp_path: Path) -> None:
    async with webhooks.webhook(tmp_path, convert) as hook:
        await tier.define(widgets(hook.client_config()))
        await tier.client.create(V1, samples.widget())
        events = aiter(tier.client.watch(V1BETA1, resource_version="0"))
        kind, obj = await anext(events)
        assert (kind, obj["apiVersion"], obj["spec"]["size"]) == ("ADDED", "example.com/v1beta1", "size of red")
    await tier.client.create(V1, samples.widget("two"))
    with pytest.raises(StatusError, match=f"conversion webhook for {WHO} failed: Post"):
        await anext(events)


async def test_a_webhook_behind_a_service_is_found_by_its_endpoints(tmp_path: Path) -> None:
    async with (
        plane.running(tmp_path / "plane") as served,
        webhooks.webhook(tmp_path, convert, "hook.default.svc") as hook,
    ):
        await _service(served, hook)
        reference = {"namespace": "default", "name": "hook", "path": "/convert"}
        await served.create(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            widgets({"service": reference, "caBundle": hook.ca_bundle}),
        )
        await served.until("/apis/example.com/v1/widgets")
        await served.create("/apis/example.com/v1/namespaces/default/widgets", samples.widget())
        found = await served.until(f"{BETA_PATH}/one")
        assert found.json()["spec"]["size"] == "size of red"
        for changed, why in (
            ({"name": "nobody"}, 'service \\"nobody\\" not found'),
            ({"name": "hook", "port": 444}, 'no service port 444 found for service \\"hook\\"'),
        ):
            await _point_to(served, changed)
            await served.until(f"{BETA_PATH}/one", 500, why=why)
        await _point_to(served, {"port": 443})
        await served.until(f"{BETA_PATH}/one")
        await served.http.delete("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/hook-1")
        why = 'no endpoints available for service \\"hook\\"'

        async def nobody_left() -> bool:
            new = samples.widget("two", of_version="v1beta1")
            return why in (await served.http.post(f"{BETA_PATH}?dryRun=All", json=new)).text

        await harness.until(nobody_left)


async def _point_to(served: plane.Running, service: JSONObject) -> None:
    patch = {"spec": {"conversion": {"webhook": {"clientConfig": {"service": service}}}}}
    reply = await served.http.patch(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com",
        json=patch,
        headers={"content-type": "application/merge-patch+json"},
    )
    assert reply.status_code == 200, reply.text


async def _service(served: plane.Running, hook: Webhook) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "hook"}}
    await served.create(
        "/api/v1/namespaces/default/services", {**service, "spec": {"ports": [{"name": "https", "port": 443}]}}
    )
    await served.create(
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "hook-1", "labels": {"kubernetes.io/service-name": "hook"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["127.0.0.1"]}],
            "ports": [{"name": "https", "port": hook.port, "protocol": "TCP"}],
        },
    )
