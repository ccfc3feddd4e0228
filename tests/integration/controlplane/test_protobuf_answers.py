"""Answers in protobuf, to clients that accept nothing else: objects, lists, watches, refusals, discovery, OpenAPI."""

import asyncio
import re
from typing import Any

import pytest

from generic.meta.gvk import GroupVersion
from generic.protobuf import envelope, messages, objects, wire
from generic.types import JSONObject
from kubeapi.protobuf import BUILTIN
from tests.support import crd
from tests.support.plane import Running

pytestmark = pytest.mark.anyio

PROTOBUF = envelope.MEDIA_TYPE
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
LANTERNS = "/apis/stable.example.com/v1/namespaces/default/lanterns"
METADATA = f"{PROTOBUF};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = METADATA.replace("Metadata;", "MetadataList;")


async def ask(plane: Running, method: str, path: str, accept: str = PROTOBUF, **more: Any) -> Any:
    return await plane.http.request(method, path, headers={"accept": accept}, **more)


def opened(body: bytes) -> JSONObject:
    """The object of a body; of a list its items, opened."""
    held = envelope.unwrap(body)
    version = GroupVersion.parse(held.api_version or "v1")
    if not held.kind.endswith("List") or held.kind.startswith("API"):
        return BUILTIN.decode(version.with_kind(held.kind), held.content)
    parts = wire.scan(held.content)
    metadata = messages.decode(BUILTIN.definitions, "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta", _bytes(parts[0]))
    gvk = version.with_kind(held.kind.removesuffix("List"))
    items = [BUILTIN.decode(gvk, _bytes(part)) for part in parts[1:]]
    return {"apiVersion": held.api_version, "kind": held.kind, "metadata": metadata, "items": items}


def _bytes(part: tuple[int, wire.Value]) -> bytes:
    assert isinstance(part[1], bytes)
    return part[1]


def events(stream: bytes) -> list[tuple[str, JSONObject]]:
    """Type and object of each whole frame."""
    found = []
    while stream:
        size, stream = int.from_bytes(stream[:4], "big"), stream[4:]
        if len(stream) < size:
            break
        kind, extension = (_bytes(part) for part in wire.scan(stream[:size]))
        found.append((kind.decode(), opened(_bytes(wire.scan(extension)[0]))))
        stream = stream[size:]
    return found


async def test_an_object_is_written_read_and_deleted(control_plane: Running) -> None:
    body = {"metadata": {"name": "in-protobuf", "labels": {"b": "2", "a": "1"}}, "data": {"k": "v"}}
    made = await ask(control_plane, "POST", CONFIG_MAPS, json=body)
    assert (made.status_code, made.headers["content-type"]) == (201, PROTOBUF)
    read = await ask(control_plane, "GET", f"{CONFIG_MAPS}/in-protobuf")
    as_json = (await control_plane.http.get(f"{CONFIG_MAPS}/in-protobuf")).json()
    assert opened(made.content) == opened(read.content) == as_json
    gone = await ask(control_plane, "DELETE", f"{CONFIG_MAPS}/in-protobuf")
    assert (gone.status_code, opened(gone.content)["status"]) == (200, "Success")
    missing = await ask(control_plane, "GET", f"{CONFIG_MAPS}/in-protobuf")
    assert (missing.status_code, missing.headers["content-type"]) == (404, PROTOBUF)
    refusal = opened(missing.content)
    assert (refusal["reason"], refusal["details"]["name"]) == ("NotFound", "in-protobuf")


async def test_a_list_says_what_it_says_in_json(control_plane: Running) -> None:
    path = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    query = "?limit=20"
    answer = await ask(control_plane, "GET", path + query)
    as_json = (await control_plane.http.get(path + query)).json()
    found = opened(answer.content)
    assert [item["metadata"] for item in found["items"]] == [item["metadata"] for item in as_json["items"]]
    assert (found["kind"], found["metadata"].keys()) == ("ClusterRoleList", as_json["metadata"].keys())
    assert found["metadata"]["remainingItemCount"] == as_json["metadata"]["remainingItemCount"]
    # As long as it takes a thread of its own, and to be compressed.
    whole = await ask(control_plane, "GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles")
    assert len(opened(whole.content)["items"]) > 20


async def test_a_subresource_of_another_kind(control_plane: Running) -> None:
    path = "/apis/apps/v1/namespaces/default/deployments"
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    await control_plane.create(path, {"metadata": {"name": "scaled"}, "spec": spec})
    scale = opened((await ask(control_plane, "GET", f"{path}/scaled/scale")).content)
    assert (scale["apiVersion"], scale["kind"], scale["spec"]) == ("autoscaling/v1", "Scale", {"replicas": 2})


async def watched(plane: Running, path: str, accept: str, wanted: int) -> list[tuple[str, JSONObject]]:
    """The first events of a watch."""
    headers = {"accept": accept}
    async with plane.http.stream("GET", path, headers=headers) as stream, asyncio.timeout(20):
        assert stream.headers["content-type"] == f"{PROTOBUF};stream=watch"
        body = b""
        async for chunk in stream.aiter_bytes():
            body += chunk
            if len(found := events(body)) >= wanted:
                return found
    raise AssertionError(body)


async def test_a_watch_is_a_stream_of_frames(control_plane: Running) -> None:
    made = await control_plane.create(CONFIG_MAPS, {"metadata": {"name": "watched"}, "data": {"k": "v"}})
    path = f"{CONFIG_MAPS}?watch=1&fieldSelector=metadata.name=watched&allowWatchBookmarks=true"
    path += "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    (added, obj), (bookmark, mark) = await watched(control_plane, path, PROTOBUF, 2)
    assert (added, obj) == ("ADDED", made)
    assert (bookmark, mark["kind"]) == ("BOOKMARK", "ConfigMap")
    assert mark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    for accept in (METADATA, METADATA_LIST):
        (_, shown), *_ = await watched(control_plane, path, accept, 1)
        assert (shown["kind"], shown["metadata"]) == ("PartialObjectMetadata", made["metadata"])


async def test_a_watch_that_cannot_begin_says_so_in_a_frame(control_plane: Running) -> None:
    # No history reaches back before a server's first start.
    answer = await ask(control_plane, "GET", f"{CONFIG_MAPS}?watch=1&resourceVersion=1")
    assert (answer.status_code, answer.headers["content-type"]) == (200, f"{PROTOBUF};stream=watch")
    assert [(kind, status["code"]) for kind, status in events(answer.content)] == [("ERROR", 410)]


async def test_no_stream_is_in_yaml(control_plane: Running) -> None:
    answer = await ask(control_plane, "GET", f"{CONFIG_MAPS}?watch=1&timeoutSeconds=1", "application/yaml")
    assert answer.status_code == 406
    assert f"application/json;stream=watch, {PROTOBUF};stream=watch" in " ".join(answer.text.split())


@pytest.mark.parametrize("path", ["/api", "/apis", "/apis/apps", "/apis/apps/v1"])
async def test_discovery_says_what_it_says_in_json(control_plane: Running, path: str) -> None:
    answer = await ask(control_plane, "GET", path)
    assert answer.headers["content-type"] == PROTOBUF
    as_json = (await control_plane.http.get(path)).json()
    held = envelope.unwrap(answer.content)
    assert held.kind == as_json["kind"]
    assert objects.SHARED.encode(as_json) == answer.content


async def test_of_custom_resources_there_is_the_metadata_alone(control_plane: Running) -> None:
    await control_plane.create(crd.CRDS, crd.definition("lanterns"))
    await control_plane.until(LANTERNS)
    made = await control_plane.create(LANTERNS, crd.instance("lanterns", "one"))
    refused = await ask(control_plane, "GET", LANTERNS)
    assert (refused.status_code, refused.headers["content-type"]) == (406, PROTOBUF)
    assert opened(refused.content)["reason"] == "NotAcceptable"
    one = await ask(control_plane, "GET", f"{LANTERNS}/one", METADATA)
    assert opened(one.content)["metadata"] == made["metadata"]
    many = opened((await ask(control_plane, "GET", LANTERNS, METADATA_LIST)).content)
    assert [item["metadata"] for item in many["items"]] == [made["metadata"]]
    definition = opened((await ask(control_plane, "GET", f"{crd.CRDS}/{made['kind'].lower()}s.none")).content)
    assert definition["code"] == 404


async def test_the_whole_openapi_document(control_plane: Running) -> None:
    accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    answer = await ask(control_plane, "GET", "/openapi/v2", accept)
    assert answer.headers["content-type"] == accept.replace("@", ".")
    assert answer.headers["vary"] == "Accept-Encoding, Accept"
    assert b"io.k8s.api.core.v1.PodSpec" in answer.content
    as_json = (await control_plane.http.get("/openapi/v2")).json()
    # Nothing is described in two ways: names of what is end in a number.
    assert [name for name in as_json["definitions"] if re.search(r"_v\d+$", name)] == []
