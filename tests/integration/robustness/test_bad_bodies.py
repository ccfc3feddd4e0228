"""Bodies that cannot be: each is refused with the whole `Status` Kubernetes would send, and nothing is half done."""

from collections.abc import AsyncIterator

import httpx
import orjson
import pytest

from generic.types import JSONObject
from tests.integration.robustness.refusals import (
    CONFIG_MAPS,
    LABEL,
    LABEL_VALUE,
    SUBDOMAIN,
    YAML,
    Refused,
    bad_request,
    config_map,
    invalid,
)
from tests.support.plane import Running

pytestmark = pytest.mark.anyio

PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
NAMESPACES = "/api/v1/namespaces"
LIMIT = 3 * 1024 * 1024
AS_CONFIG_MAP = 'ConfigMap in version "v1" cannot be handled as a ConfigMap: '


def new(body: object) -> tuple[str, str, object]:
    return "POST", CONFIG_MAPS, body


def post(id_: str, message: str | None, body: object, **more: str) -> Refused:
    return bad_request(id_, "POST", more.pop("path", CONFIG_MAPS), message, body=body, **more)


UNREADABLE = [
    post("cut short", None, '{"kind":'),
    post("empty", None, b""),
    post("not text", None, b"\xff\xfe\x00"),
    post("half a surrogate", None, '{"data":{"a":"\\ud800"}}'),
    post("an array", None, "[]"),
    post("a string", None, '"x"'),
    post("a number", None, "3"),
    post("yaml cut short", None, "a: [1", content_type=YAML),
    post("yaml with a tab", None, "a:\n\t- 1", content_type=YAML),
    post("yaml of a word", None, "hello", content_type=YAML),
    post("yaml with a list as key", None, "? [a, b]\n: c", content_type=YAML),
    post("too deep", "error decoding the request body: exceeded max depth", '{"a":' * 300 + "1" + "}" * 300),
    post("yaml too deep", "error decoding the request body: exceeded max depth", "[" * 200_000, content_type=YAML),
    post(
        "yaml that holds itself",
        "error decoding the request body: yaml: anchor 'a' value contains itself",
        "data: &a {b: *a}",
        content_type=YAML,
    ),
    post(
        "yaml that grows",
        "error decoding the request body: yaml: document contains excessive aliasing",
        "x0: &x0 [a]\n" + "".join(f"x{n + 1}: &x{n + 1} [{', '.join([f'*x{n}'] * 9)}]\n" for n in range(9)),
        content_type=YAML,
    ),
    post(
        "yaml of what JSON has not",
        "error decoding the request body: yaml: JSON has no !!set",
        "data: !!set {a, b}",
        content_type=YAML,
    ),
]

MISTAKEN = [
    post(
        "another kind",
        'Secret in version "v1" cannot be handled as a ConfigMap: '
        'no kind "ConfigMap" is registered for the data\'s kind "Secret"',
        {**config_map(), "kind": "Secret"},
    ),
    post(
        "another version",
        "the API version in the data (apps/v1) does not match the expected API version (v1)",
        {**config_map(), "apiVersion": "apps/v1"},
    ),
    post("no version at all", None, {**config_map(), "apiVersion": "a/b/c"}),
    post(
        "another namespace",
        "the namespace of the provided object does not match the namespace sent on the request",
        {"metadata": {"name": "new", "namespace": "other"}},
    ),
    post(
        "a number for a string",
        AS_CONFIG_MAP + "json: cannot unmarshal number into Go struct field ConfigMap.data of type string",
        config_map(data={"a": 1}),
    ),
    post(
        "a list for a map",
        AS_CONFIG_MAP + "json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string",
        config_map(data=[1]),
    ),
    post(
        "a number for a name",
        AS_CONFIG_MAP + "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string",
        {"metadata": {"name": 5}},
    ),
    post(
        "a map for a list",
        'Pod in version "v1" cannot be handled as a Pod: '
        "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
        {"metadata": {"name": "p"}, "spec": {"containers": {"name": "x"}}},
        path=PODS,
    ),
    post(
        "unknown fields, strictly",
        AS_CONFIG_MAP + 'strict decoding error: unknown field "metadata.foo", unknown field "nope"',
        {**config_map(nope=1), "metadata": {"name": "new", "foo": 2}},
        path=f"{CONFIG_MAPS}?fieldValidation=Strict",
    ),
    post(
        "fields given twice, strictly",
        AS_CONFIG_MAP + 'strict decoding error: duplicate field "data.a", duplicate field "data"',
        '{"metadata":{"name":"new"},"data":{"a":"1","a":"2"},"data":{}}',
        path=f"{CONFIG_MAPS}?fieldValidation=Strict",
    ),
    Refused(
        "a media type nobody reads",
        *("POST", CONFIG_MAPS, 415, "UnsupportedMediaType", None),
        body="a=b",
        content_type="application/x-www-form-urlencoded",
    ),
]

INVALID = [
    invalid(
        "no name",
        new({"metadata": {}}),
        "ConfigMap/",
        ("FieldValueRequired", "metadata.name", "Required value: name or generateName is required"),
    ),
    invalid(
        "a name that is no subdomain",
        new(config_map("Not_A_Name")),
        "ConfigMap/Not_A_Name",
        ("FieldValueInvalid", "metadata.name", f'Invalid value: "Not_A_Name": {SUBDOMAIN}'),
    ),
    invalid(
        "a namespace that is no label",
        ("POST", NAMESPACES, {"metadata": {"name": "Not_A_Label"}}),
        "Namespace/Not_A_Label",
        ("FieldValueInvalid", "metadata.name", f'Invalid value: "Not_A_Label": {LABEL}'),
    ),
    invalid(
        "a namespace with a dot",
        ("POST", NAMESPACES, {"metadata": {"name": "a.b"}}),
        "Namespace/a.b",
        ("FieldValueInvalid", "metadata.name", 'Invalid value: "a.b": must not contain dots'),
    ),
    invalid(
        "several mistakes at once",
        new({"metadata": {"name": "B_", "labels": {"a": "b c"}}}),
        "ConfigMap/B_",
        ("FieldValueInvalid", "metadata.name", f'Invalid value: "B_": {SUBDOMAIN}'),
        ("FieldValueInvalid", "metadata.labels", f'Invalid value: "b c": {LABEL_VALUE}'),
    ),
    invalid(
        "nothing to run",
        ("POST", PODS, {"metadata": {"name": "p"}, "spec": {"containers": []}}),
        "Pod/p",
        ("FieldValueRequired", "spec.containers", "Required value"),
    ),
    invalid(
        "a deployment wrong in three places",
        (
            "POST",
            DEPLOYMENTS,
            {
                "metadata": {"name": "d"},
                "spec": {
                    "replicas": -1,
                    "selector": {},
                    "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a"}]}},
                },
            },
        ),
        "Deployment.apps/d",
        ("FieldValueInvalid", "spec.replicas", "Invalid value: -1: must be greater than or equal to 0"),
        ("FieldValueInvalid", "spec.selector", "Invalid value: {}: empty selector is invalid for deployment"),
        ("FieldValueRequired", "spec.template.spec.containers[0].image", "Required value"),
    ),
]


@pytest.mark.parametrize("refused", [*UNREADABLE, *MISTAKEN, *INVALID], ids=lambda refused: refused.id)
async def test_a_bad_body_is_refused_and_leaves_nothing(
    control_plane: Running, kept: JSONObject, refused: Refused
) -> None:
    await refused.check(control_plane.http)


async def test_unknown_and_duplicate_fields_are_warned_of_or_ignored(control_plane: Running, kept: JSONObject) -> None:
    body = b'{"metadata":{"name":"new"},"nope":1,"data":{"a":"1","a":"2"}}'
    headers = {"content-type": "application/json"}
    for validation, warned in (("", 2), ("Warn", 2), ("Ignore", 0)):
        query = {"dryRun": "All", **({"fieldValidation": validation} if validation else {})}
        made = await control_plane.http.post(CONFIG_MAPS, params=query, content=body, headers=headers)
        assert made.status_code == 201
        assert "nope" not in made.json()
        assert made.json()["data"] == {"a": "2"}
        warnings = made.headers.get_list("warning")
        assert warnings == [r'299 - "unknown field \"nope\""', r'299 - "duplicate field \"data.a\""'][:warned]


@pytest.mark.parametrize("http2", [False, True], ids=["http/1.1", "http/2"])
@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
async def test_a_body_over_the_limit_is_413_and_the_connection_goes_on(
    control_plane: Running, kept: JSONObject, http2: bool, chunked: bool
) -> None:
    body = orjson.dumps(config_map(data={"a": "x" * LIMIT}))

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    async with control_plane.client(http2=http2) as http:
        before = await http.get(CONFIG_MAPS)
        answer = await http.post(
            CONFIG_MAPS, content=pieces() if chunked else body, headers={"content-type": "application/json"}
        )
        after = await http.get(CONFIG_MAPS)
    assert answer.status_code == 413
    assert (answer.json()["reason"], answer.json()["message"]) == (
        "RequestEntityTooLarge",
        f"Request entity too large: limit is {LIMIT}",
    )
    assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
    if http2:
        # On one connection, whatever became of that stream.
        assert _connection(before) is _connection(after)
    assert after.json()["items"] == before.json()["items"]


def _connection(response: httpx.Response) -> object:
    return response.extensions["network_stream"]
