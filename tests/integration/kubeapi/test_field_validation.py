"""fieldValidation of patches and of what is applied: what a body says twice, or what nobody knows."""

from typing import Any

import orjson
import pytest

from generic.client.rest import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, path_of
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject, Message
from tests.support import asgi
from tests.support.builtin import workload
from tests.support.kubeapi import Plane

pytestmark = pytest.mark.anyio

CONFIG_MAPS = GroupVersionResource("", "v1", "configmaps")
DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")
TWICE = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"it"},"data":{"a":"1","a":"2"}}'
YAML_TWICE = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: it}\ndata:\n  a: '1'\n  a: '2'\n"


async def send(plane: Plane, body: bytes, content_type: str, query: str, **more: Any) -> asgi.Response:
    """A PATCH, unless told otherwise, of the ConfigMap `it`."""
    path = path_of(more.get("gvr", CONFIG_MAPS), "default", name="it")
    headers = [(b"authorization", f"Bearer {plane.token}".encode()), (b"content-type", content_type.encode())]
    scope = {**asgi.scope(path, method=more.get("method", "PATCH")), "headers": headers, "query_string": query.encode()}
    response = asgi.Response()

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    await plane.app(scope, receive, response.send)
    return response


async def make(plane: Plane) -> None:
    await plane.client.create(CONFIG_MAPS, {"metadata": {"name": "it"}, "data": {"a": "0"}}, "default")


def said(response: asgi.Response) -> tuple[int, str]:
    return response.status, response.json().get("message", "")


def warnings(response: asgi.Response) -> list[str]:
    return [text.removeprefix('299 - "')[:-1].replace('\\"', '"') for text in response.headers("warning")]


@pytest.mark.parametrize(("body", "line"), [(TWICE, 1), (YAML_TWICE, 6)], ids=["json", "yaml"])
async def test_a_key_that_is_applied_twice_is_told(plane: Plane, body: bytes, line: int) -> None:
    why = f'line {line}: key "a" already set in map'
    query = "fieldManager=me"
    answer = await send(plane, body, APPLY_PATCH, f"{query}&fieldValidation=Strict")
    assert said(answer) == (
        400,
        f"error strict decoding patch: error converting YAML to JSON: yaml: unmarshal errors:\n  {why}",
    )
    answer = await send(plane, body, APPLY_PATCH, query)
    assert (answer.status, answer.json()["data"], warnings(answer)) == (201, {"a": "2"}, [why])
    answer = await send(plane, body, APPLY_PATCH, f"{query}&fieldValidation=Ignore")
    assert (answer.status, warnings(answer)) == (200, [])


async def test_a_yaml_body_warns_line_by_line(plane: Plane) -> None:
    await make(plane)
    body = b"metadata:\n  name: it\n  name: it\ndata:\n  a: '1'\n  a: '2'\n"
    answer = await send(plane, body, "application/yaml", "", method="PUT")
    assert (answer.status, answer.json()["data"]) == (200, {"a": "2"})
    assert warnings(answer) == ['line 3: key "name" already set in map', 'line 6: key "a" already set in map']


@pytest.mark.parametrize(
    ("content_type", "body", "problems"),
    [
        (MERGE_PATCH, b'{"data":{"a":"1","a":"2"},"nope":1}', ['duplicate field "data.a"', 'unknown field "nope"']),
        (STRATEGIC_MERGE_PATCH, b'{"data":{"a":"2"},"data":{"a":"2"}}', ['duplicate field "data"']),
        (
            JSON_PATCH,
            b'[{"op":"test","op":"replace","path":"/data/a","value":"2","why":"so"}]',
            ['json patch duplicate field "[0].op"', 'json patch unknown field "[0].why"'],
        ),
    ],
)
async def test_what_a_patch_says_twice_or_nobody_knows_is_told(
    plane: Plane, content_type: str, body: bytes, problems: list[str]
) -> None:
    await make(plane)
    answer = await send(plane, body, content_type, "fieldValidation=Strict")
    assert answer.status == 422
    status = answer.json()
    ((field, message),) = [(cause["field"], cause["message"]) for cause in status["details"]["causes"]]
    assert field == "patch"
    assert message.startswith('Invalid value: "')
    assert message.endswith(f'": strict decoding error: {", ".join(problems)}')
    assert status["message"] == f' "" is invalid: patch: {message}'
    answer = await send(plane, body, content_type, "")
    assert (answer.status, answer.json()["data"], warnings(answer)) == (200, {"a": "2"}, problems)


async def test_a_merge_that_leaves_no_object_shows_what_it_leaves(plane: Plane) -> None:
    await make(plane)
    code, message = said(await send(plane, b'{"data":{"a":5}}', MERGE_PATCH, ""))
    assert code == 422
    assert message.startswith(' "" is invalid: patch: Invalid value: "{\\"apiVersion\\":\\"')
    assert message.endswith(
        ',\\"data\\":{\\"a\\":5}}": json: cannot unmarshal number into Go struct field ConfigMap.data of type string'
    )


@pytest.mark.parametrize(
    ("spec", "shown", "why"),
    [
        (
            {"replicas": "x", "paused": True, "nope": None},
            "nope:<nil> paused:true replicas:x",
            "unrecognized type: int32",
        ),
        ({"paused": 1}, "paused:1", "unrecognized type: bool"),
        ({"replicas": 1.5}, "replicas:1.5", "cannot convert float64 to int32"),
        (
            {"template": {"spec": {"nodeName": 1}}},
            "template:map[spec:map[nodeName:1]]",
            "cannot convert int64 to string",
        ),
        ({"selector": "a"}, "selector:a", "cannot restore struct from: string"),
        (
            {"template": {"spec": {"volumes": {}}}},
            "template:map[spec:map[volumes:map[]]]",
            "cannot restore slice from map",
        ),
        ({"selector": {"matchLabels": [1]}}, "selector:map[matchLabels:[1]]", "cannot restore map from slice"),
    ],
)
async def test_a_strategic_merge_that_leaves_no_object_shows_itself(
    plane: Plane, spec: JSONObject, shown: str, why: str
) -> None:
    await plane.client.create(DEPLOYMENTS, {**workload("Deployment"), "metadata": {"name": "it"}}, "default")
    answer = await send(plane, orjson.dumps({"spec": spec}), STRATEGIC_MERGE_PATCH, "", gvr=DEPLOYMENTS)
    assert said(answer) == (422, f' "" is invalid: patch: Invalid value: "map[spec:map[{shown}]]": {why}')


@pytest.mark.parametrize(
    ("method", "content_type", "body"),
    [
        ("PUT", "application/json", b'{"metadata":{},"data":{}}'),
        ("PATCH", JSON_PATCH, b'[{"op":"remove","path":"/metadata/name"}]'),
    ],
)
async def test_an_object_without_a_name_is_not_taken_for_that_of_the_url(
    plane: Plane, method: str, content_type: str, body: bytes
) -> None:
    await make(plane)
    answer = await send(plane, body, content_type, "", method=method)
    assert said(answer) == (
        400,
        "the name of the object (it based on URL) was undeterminable: name must be provided",
    )


async def test_what_a_body_says_twice_and_what_nobody_knows_is_told_in_its_order(plane: Plane) -> None:
    body = (
        b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"new","nope":1},"data":{"a":"1","a":"2"},'
        b'"immutable":false,"more":1,"immutable":true}'
    )
    path = path_of(CONFIG_MAPS, "default")
    headers = [(b"authorization", f"Bearer {plane.token}".encode()), (b"content-type", b"application/json")]
    scope = {**asgi.scope(path, method="POST"), "headers": headers, "query_string": b"fieldValidation=Strict"}
    response = asgi.Response()

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    await plane.app(scope, receive, response.send)
    assert said(response) == (
        400,
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '
        'unknown field "metadata.nope", duplicate field "data.a", unknown field "more", duplicate field "immutable"',
    )
