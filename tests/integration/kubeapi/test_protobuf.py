"""Bodies in protobuf over the whole server: what they do, and how bad ones are refused."""

import pytest

from generic.client.sending import Reply
from generic.meta.gvk import GroupVersionKind
from generic.protobuf import envelope, objects
from generic.types import JSONObject
from kubeapi.protobuf import BUILTIN
from kubeapi.resources.scale_storage import SCALE
from tests.support.kubeapi import Plane
from tests.support.protobuf import Encoder, wrapped

pytestmark = pytest.mark.anyio

CONFIG_MAP = GroupVersionKind("", "v1", "ConfigMap")
DEPLOYMENT = GroupVersionKind("apps", "v1", "Deployment")
PATH = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(BUILTIN.definitions)


async def send(plane: Plane, method: str, path: str, content: bytes) -> Reply:
    accept = {"accept": "application/vnd.kubernetes.protobuf,application/json"}
    return await plane.client.request(
        method, path, body=content, content_type=envelope.MEDIA_TYPE, headers=accept, check=False
    )


def config_map(**data: str) -> JSONObject:
    return {"metadata": {"name": "c"}, "data": data}


def deployment() -> JSONObject:
    spec = {"containers": [{"name": "c", "image": "i"}]}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": spec}
    return {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}}


async def test_an_object_is_made_and_replaced(plane: Plane, encoder: Encoder) -> None:
    made = await send(plane, "POST", PATH, encoder.body(CONFIG_MAP, config_map(a="1")))
    assert (made.status, made.json()["data"]) == (201, {"a": "1"})
    replaced = await send(plane, "PUT", f"{PATH}/c", encoder.body(CONFIG_MAP, config_map(b="2")))
    assert (replaced.status, replaced.json()["data"]) == (200, {"b": "2"})


async def test_a_subresource_of_another_kind_takes_it_too(plane: Plane, encoder: Encoder) -> None:
    await send(plane, "POST", DEPLOYMENTS, encoder.body(DEPLOYMENT, deployment()))
    scale = {"metadata": {"name": "d", "namespace": "default"}, "spec": {"replicas": 3}}
    scaled = await send(plane, "PUT", f"{DEPLOYMENTS}/d/scale", encoder.body(SCALE, scale))
    assert (scaled.status, scaled.json()["spec"]) == (200, {"replicas": 3})


async def test_a_review_takes_it_too(plane: Plane, encoder: Encoder) -> None:
    gvk = GroupVersionKind("authorization.k8s.io", "v1", "SelfSubjectAccessReview")
    review = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answer = await send(plane, "POST", path, encoder.body(gvk, review))
    assert (answer.status, answer.json()["status"]["allowed"]) == (201, True)


async def test_delete_reads_its_options(plane: Plane, encoder: Encoder) -> None:
    await send(plane, "POST", PATH, encoder.body(CONFIG_MAP, config_map()))
    options = encoder.message(
        BUILTIN.definitions.type_of(objects.DELETE_OPTIONS), {"preconditions": {"uid": "another"}}
    )
    refused = await send(plane, "DELETE", f"{PATH}/c", wrapped("v1", "DeleteOptions", options))
    assert (refused.status, refused.json()["reason"]) == (409, "Conflict")
    gone = await send(plane, "DELETE", f"{PATH}/c", wrapped("v1", "DeleteOptions", b""))
    assert (gone.status, gone.json()["status"]) == (200, "Success")


async def test_the_status_words_are_those_of_kubernetes(plane: Plane, encoder: Encoder) -> None:
    broken = wrapped("v1", "ConfigMap", b"\x12\x7f")
    unknown = wrapped("v1", "ConfigMap", b"\xfa\x01\x01x")
    said = {
        b"": "the object provided is unrecognized (must be of type ConfigMap): empty data (<empty>)",
        b"{}": "the object provided is unrecognized (must be of type ConfigMap): provided data does not appear to be a "
        "protobuf message, expected prefix [107 56 115 0] ({})",
        b"k8s\x00\x0b": "the object provided is unrecognized (must be of type ConfigMap): proto: illegal wireType 3 "
        "(6b3873000b)",
        broken: 'ConfigMap in version "v1" cannot be handled as a ConfigMap: unexpected EOF',
        unknown: 'ConfigMap in version "v1" cannot be handled as a ConfigMap: unknown field number 31 in ConfigMap',
        wrapped("v1", "Secret", b""): 'Secret in version "v1" cannot be handled as a ConfigMap: no kind "ConfigMap" is '
        'registered for the data\'s kind "Secret"',
    }
    for content, message in said.items():
        answer = await send(plane, "POST", PATH, content)
        assert (answer.status, answer.json()["reason"], answer.json()["message"]) == (400, "BadRequest", message)


async def test_another_format_is_refused_with_those_that_are_read(plane: Plane) -> None:
    answer = await plane.client.request("POST", PATH, body=b"\xa0", content_type="application/cbor", check=False)
    assert answer.status == 415
    assert answer.json()["message"] == (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    )
