from collections.abc import Iterable
from typing import Any

import orjson
import pytest

from generic.client import rest
from generic.client.failures import TransportError
from generic.client.loopback import LoopbackTransport
from generic.client.rest import Client
from generic.meta import errors
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import Receive, Scope, Send
from tests.unit.client.fake_api import GVR, RESOURCE, FakeAPI, configmap, read_body, reply

pytestmark = pytest.mark.anyio

DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")
NODES = GroupVersionResource("", "v1", "nodes")


class Recorder:
    """Answers every request with the next of `answers`, the last of them for ever."""

    def __init__(self, answers: Iterable[tuple[int, Any, dict[str, str]]] = ((200, {}, {}),)) -> None:
        self.answers = list(answers)
        self.seen: list[tuple[str, str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.raw_headers: list[list[tuple[bytes, bytes]]] = []
        self.bodies: list[Any] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        self.seen.append((scope["method"], scope["raw_path"].decode(), scope["query_string"].decode()))
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        self.raw_headers.append(scope["headers"])
        self.bodies.append(orjson.loads(body) if body else None)
        status, obj, headers = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await reply(send, obj, status=status, headers=[(k.encode(), v.encode()) for k, v in headers.items()])

    @property
    def client(self) -> Client:
        return Client.loopback(LoopbackTransport(self))


async def test_paths_of_core_and_named_groups() -> None:
    recorder = Recorder()
    await recorder.client.get(NODES, "n1")
    await recorder.client.get(DEPLOYMENTS, "web", "team", subresource="scale")
    assert [path for _, path, _ in recorder.seen] == [
        "/api/v1/nodes/n1",
        "/apis/apps/v1/namespaces/team/deployments/web/scale",
    ]


async def test_a_name_with_a_colon_stays_readable_and_strange_characters_are_quoted() -> None:
    recorder = Recorder()
    roles = GroupVersionResource("rbac.authorization.k8s.io", "v1", "clusterroles")
    await recorder.client.get(roles, "system:node")
    await recorder.client.get(roles, "a b?")
    assert [path.rpartition("/")[2] for _, path, _ in recorder.seen] == ["system:node", "a%20b%3F"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a%2fb"])
async def test_a_name_that_would_be_another_path_is_never_sent(name: str) -> None:
    recorder = Recorder()
    with pytest.raises(ValueError, match="not a name"):
        await recorder.client.delete(NODES, name)
    assert recorder.seen == []


async def test_list_asks_for_what_it_is_told_and_nothing_else() -> None:
    recorder = Recorder([(200, {"kind": "NodeList", "items": []}, {})])
    await recorder.client.list(NODES)
    await recorder.client.list(
        NODES,
        label_selector="a=b,c",
        field_selector="metadata.name=x",
        limit=5,
        continue_token="t/",
        resource_version="7",
        resource_version_match="Exact",
    )
    assert [query for _, _, query in recorder.seen] == [
        "",
        "labelSelector=a%3Db%2Cc&fieldSelector=metadata.name%3Dx&limit=5&continue=t%2F"
        "&resourceVersion=7&resourceVersionMatch=Exact",
    ]


async def test_list_items_say_their_kind_even_if_the_server_left_it_out(api: FakeAPI, client: Client) -> None:
    await api.put(configmap("a"))
    api.bare_items = True
    found = await client.list(GVR)
    assert [(item["kind"], item["apiVersion"]) for item in found["items"]] == [("ConfigMap", "v1")]


async def test_a_list_without_items_has_an_empty_list_of_them() -> None:
    recorder = Recorder([(200, {"kind": "NodeList", "items": None}, {})])
    assert (await recorder.client.list(NODES))["items"] == []


async def test_create_update_and_delete_a_namespaced_object(api: FakeAPI, client: Client) -> None:
    created = await client.create(GVR, configmap("a", "team", k="1"))
    created["data"]["k"] = "2"
    updated = await client.update(GVR, created)
    assert (await client.get(GVR, "a", "team"))["data"] == {"k": "2"}
    assert updated["metadata"]["resourceVersion"] != created["metadata"]["resourceVersion"]
    await client.delete(GVR, "a", "team")
    assert api.objects == {}


async def test_status_goes_to_the_subresource() -> None:
    recorder = Recorder()
    await recorder.client.update_status(DEPLOYMENTS, {"metadata": {"name": "web", "namespace": "team"}})
    assert recorder.seen == [("PUT", "/apis/apps/v1/namespaces/team/deployments/web/status", "")]


async def test_apply_says_manager_force_and_content_type() -> None:
    recorder = Recorder()
    await recorder.client.patch(NODES, "n", {}, content_type=rest.APPLY_PATCH, field_manager="me", force=True)
    assert recorder.seen == [("PATCH", "/api/v1/nodes/n", "fieldManager=me&force=true")]
    assert recorder.headers[0]["content-type"] == "application/apply-patch+yaml"


async def test_a_json_patch_is_a_list() -> None:
    recorder = Recorder()
    patch = [{"op": "remove", "path": "/data"}]
    await recorder.client.patch(GVR, "a", patch, content_type=rest.JSON_PATCH, namespace="team", dry_run=True)
    assert recorder.seen == [("PATCH", "/api/v1/namespaces/team/configmaps/a", "dryRun=All")]
    assert recorder.bodies == [patch]


async def test_delete_says_its_conditions_in_the_body() -> None:
    recorder = Recorder()
    await recorder.client.delete(NODES, "n", uid="u", propagation="Foreground", grace_period_seconds=0)
    assert recorder.bodies == [
        {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": "Foreground",
            "gracePeriodSeconds": 0,
            "preconditions": {"uid": "u"},
        }
    ]


async def test_delete_collection_selects() -> None:
    recorder = Recorder()
    await recorder.client.delete_collection(GVR, "team", label_selector="a")
    assert recorder.seen == [("DELETE", "/api/v1/namespaces/team/configmaps", "labelSelector=a")]


async def test_headers_of_one_user_do_not_leak_to_another() -> None:
    recorder = Recorder()
    client = recorder.client
    await client.with_headers({"User-Agent": "gc", "Impersonate-User": "joe"}).get(NODES, "n")
    await client.get(NODES, "n")
    assert [(sent["user-agent"], sent.get("impersonate-user")) for sent in recorder.headers] == [
        ("gc", "joe"),
        ("trikube", None),
    ]


async def test_a_header_of_one_call_replaces_the_usual_one_in_any_case() -> None:
    recorder = Recorder()
    await recorder.client.request("GET", "/x", headers={"Accept": "text/plain", "AUTHORIZATION": "Bearer mine"})
    sent = recorder.raw_headers[0]
    assert [value for name, value in sent if name in (b"accept", b"authorization")] == [b"text/plain", b"Bearer mine"]


async def test_a_refusal_keeps_code_reason_message_and_details(client: Client) -> None:
    with pytest.raises(StatusError) as refused:
        await client.get(GVR, "a", "team")
    expected = errors.not_found(RESOURCE, "a")
    assert refused.value.to_status() == expected.to_status()
    assert not isinstance(refused.value, TransportError)


@pytest.mark.parametrize(
    ("code", "method", "body", "reason", "message"),
    [
        (404, "GET", b"404 page not found", "NotFound", "the server could not find the requested resource (get /x)"),
        (409, "POST", b"", "AlreadyExists", "the server reported a conflict (post /x)"),
        (409, "PUT", b"", "Conflict", "the server reported a conflict (put /x)"),
        (403, "GET", b"no way", "Forbidden", "no way (get /x)"),
        (
            502,
            "GET",
            b'bad "gateway"',
            "InternalError",
            'an error on the server ("bad \\"gateway\\"") has prevented the request from succeeding (get /x)',
        ),
        (418, "GET", b"", "Unknown", "the server responded with the status code 418 but did not return more "),
    ],
)
async def test_a_refusal_that_is_no_status_is_named_by_its_code(
    code: int, method: str, body: bytes, reason: str, message: str
) -> None:
    with pytest.raises(StatusError) as refused:
        await Recorder([(code, body, {})]).client.request(method, "/x")
    assert (refused.value.code, refused.value.reason) == (code, reason)
    assert refused.value.message.startswith(message)
    assert refused.value.details == {
        "causes": [{"reason": "UnexpectedServerResponse", "message": body.decode() or "unknown"}]
    }


@pytest.mark.parametrize("code", [429, 500, 503])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_call_is_made_again_when_the_server_says_when(code: int, method: str) -> None:
    recorder = Recorder([(code, b"", {"retry-after": "0"}), (code, b"", {"retry-after": "0"}), (200, {"a": 1}, {})])
    assert (await recorder.client.request(method, "/x", body={"sent": 1})).json() == {"a": 1}
    assert recorder.bodies == [{"sent": 1}] * 3


async def test_it_is_not_made_again_for_ever() -> None:
    recorder = Recorder([(503, b"", {"retry-after": "0"})])
    with pytest.raises(StatusError) as refused:
        await recorder.client.request("GET", "/x")
    assert (refused.value.code, len(recorder.seen)) == (503, 11)


@pytest.mark.parametrize(("code", "headers"), [(503, {}), (409, {"retry-after": "0"}), (503, {"retry-after": "soon"})])
async def test_other_refusals_are_final(code: int, headers: dict[str, str]) -> None:
    recorder = Recorder([(code, b"", headers)])
    with pytest.raises(StatusError):
        await recorder.client.request("GET", "/x")
    assert len(recorder.seen) == 1


async def test_unchecked_a_refusal_is_an_answer() -> None:
    answer = await Recorder([(503, b"no", {"retry-after": "1", "X-Y": "z"})]).client.request("GET", "/x", check=False)
    assert (answer.status, answer.body, answer.headers["x-y"]) == (503, b"no", "z")


async def test_no_server_is_a_transport_error() -> None:
    with pytest.raises(TransportError, match=r"GET /x: .*not there yet"):
        await Client.loopback(LoopbackTransport()).request("GET", "/x")


@pytest.mark.parametrize(("method", "calls"), [("GET", 2), ("POST", 1)])
async def test_a_broken_answer_is_asked_for_again_once_where_nothing_can_happen_twice(method: str, calls: int) -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    with pytest.raises(TransportError):
        await Client.loopback(LoopbackTransport(app)).request(method, "/x")
    assert len(seen) == calls


@pytest.mark.parametrize("body", [b"<html>", b"[1]"])
async def test_an_answer_that_is_no_object_is_a_transport_error(body: bytes) -> None:
    with pytest.raises(TransportError):
        await Recorder([(200, body, {})]).client.get(NODES, "n")


async def test_a_defect_behind_the_loopback_is_not_dressed_up() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await Client.loopback(LoopbackTransport(app)).get(NODES, "n")


async def test_metadata_alone_is_asked_for_in_the_form_the_answer_has() -> None:
    recorder = Recorder()
    await recorder.client.list(NODES, metadata_only=True)
    async with recorder.client.watch(NODES, metadata_only=True):
        pass
    one, other = (headers["accept"] for headers in recorder.headers)
    assert one == "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
    assert other == "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
