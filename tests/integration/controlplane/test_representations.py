"""The forms an answer can take over HTTP: JSON, YAML, indented, compressed, Tables and metadata. BEHAVIOURS E."""

import gzip
from typing import Any

import orjson
import pytest
import yaml

from generic.types import JSONObject
from tests.support.plane import Running

pytestmark = pytest.mark.anyio

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PROTOBUF = "application/vnd.kubernetes.protobuf"


def transform(kind: str, version: str = "v1") -> str:
    return f"application/json;as={kind};g=meta.k8s.io;v={version}"


async def make(plane: Running, name: str, size: int = 1) -> JSONObject:
    labels = {"about": "forms"}
    return await plane.create(CONFIG_MAPS, {"metadata": {"name": name, "labels": labels}, "data": {"v": "x" * size}})


async def ask(plane: Running, path: str, accept: str = "", **more: str) -> Any:
    """The response to a GET by a program; `more`: further headers, `_` for `-`."""
    headers = {"user-agent": "program", "accept-encoding": "identity", "accept": accept}
    return await plane.http.get(path, headers={**headers, **{k.replace("_", "-"): v for k, v in more.items()}})


@pytest.mark.parametrize(
    ("path", "agent", "accept", "indented"),
    [
        ("{}", "program", "", False),
        ("{}", "curl/8.0", "", True),
        ("{}", "Mozilla/5.0 (X11)", "text/html,application/xml;q=0.9,*/*;q=0.8", True),
        ("{}?pretty=false", "curl/8.0", "", False),
        ("{}?pretty=true", "program", "", True),
        ("{}?pretty=maybe", "curl/8.0", "", False),
        ("{}", "program", "application/json;pretty=1", True),
        ("/apis?pretty=1", "program", "", True),
        ("/apis/apps/v1", "curl/8.0", "", True),
        ("/apis/apps/v1", "program", "", False),
        ("/version", "program", "", True),
        ("/api/v1/namespaces/default/pods/none", "Wget/1", "", True),
    ],
)
async def test_json_is_indented_for_people(
    control_plane: Running, path: str, agent: str, accept: str, indented: bool
) -> None:
    answer = await ask(control_plane, path.format(CONFIG_MAPS), accept, user_agent=agent)
    assert answer.headers["content-type"] == "application/json"
    # As in Kubernetes, that for programs ends its line, that for people does not.
    option = orjson.OPT_INDENT_2 if indented else orjson.OPT_APPEND_NEWLINE
    assert answer.content == orjson.dumps(answer.json(), option=option)


@pytest.mark.parametrize("path", [CONFIG_MAPS, f"{CONFIG_MAPS}/yaml", "/apis", "/api/v1", f"{CONFIG_MAPS}/none"])
async def test_yaml_says_the_same_as_json(control_plane: Running, path: str) -> None:
    if path.endswith("/yaml"):
        await make(control_plane, "yaml")
    as_json, as_yaml = await ask(control_plane, path), await ask(control_plane, path, "application/yaml")
    assert as_yaml.headers["content-type"] == "application/yaml"
    assert as_yaml.status_code == as_json.status_code
    assert yaml.load(as_yaml.content, yaml.CBaseLoader) == yaml.load(as_json.content, yaml.CBaseLoader)


async def test_what_is_large_is_compressed_for_those_who_can_read_it(control_plane: Running) -> None:
    await make(control_plane, "large", 200_000)
    await make(control_plane, "small", 1_000)
    for path in (f"{CONFIG_MAPS}/large", CONFIG_MAPS):
        for accept in ("application/json", "application/yaml", transform("Table") if path == CONFIG_MAPS else "*/*"):
            query = "?includeObject=Object"
            plain = await ask(control_plane, path + query, accept)
            assert "content-encoding" not in plain.headers
            async with control_plane.http.stream(
                "GET", path + query, headers={"accept": accept, "accept-encoding": "deflate, gzip;q=0.5"}
            ) as packed:
                raw = b"".join([chunk async for chunk in packed.aiter_raw()])
            assert (packed.headers["content-encoding"], packed.headers["vary"]) == ("gzip", "Accept-Encoding")
            assert gzip.decompress(raw) == plain.content
    small = await ask(control_plane, f"{CONFIG_MAPS}/small", accept_encoding="gzip")
    assert "content-encoding" not in small.headers
    other = await ask(control_plane, f"{CONFIG_MAPS}/large", accept_encoding="br, xgzip")
    assert "content-encoding" not in other.headers
    await control_plane.http.delete(f"{CONFIG_MAPS}/large")


@pytest.mark.parametrize(("over", "packed"), [(0, False), (1, True)])
async def test_large_begins_right_above_128_kibibytes_and_is_compressed_fast(
    control_plane: Running, over: int, packed: bool
) -> None:
    path, wanted, length = f"{CONFIG_MAPS}/edge", 128 * 1024 + over, 1
    await make(control_plane, "edge")
    # Its revision, too, is part of its size.
    while size := wanted - len((await ask(control_plane, path)).content):
        length += size
        body = {"metadata": {"name": "edge"}, "data": {"v": "x" * length}}
        assert (await control_plane.http.put(path, json=body)).is_success
    async with control_plane.http.stream("GET", path, headers={"accept-encoding": "gzip"}) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert ("content-encoding" in answer.headers) is packed
    # In the head of gzip this byte says which effort was made: 4 is the least.
    assert not packed or raw[8] == 4
    await control_plane.http.delete(path)


async def test_head_gives_the_head_alone(control_plane: Running) -> None:
    await make(control_plane, "headed", 300_000)
    # Like Kubernetes' router, ours has no routes for it; what is not routed answers.
    for path, code in ((CONFIG_MAPS, 405), (f"{CONFIG_MAPS}/headed", 405), ("/api", 405), ("/apis", 200), ("/", 200)):
        for encoding in ("identity", "gzip"):
            answer = await control_plane.http.head(path, headers={"accept-encoding": encoding})
            assert (answer.status_code, answer.content) == (code, b"")
            # The connection is in step: the next answer is that of the next request.
            assert (await ask(control_plane, f"{CONFIG_MAPS}/headed")).json()["metadata"]["name"] == "headed"
    await control_plane.http.delete(f"{CONFIG_MAPS}/headed")


@pytest.mark.parametrize("path", [CONFIG_MAPS, f"{CONFIG_MAPS}/none", "/apis", "/api", "/api/v1", "/apis/apps"])
@pytest.mark.parametrize(
    "accept", ["text/html", "application/cbor", "application/json;as=Nothing;g=x;v=v1", f"{PROTOBUF};as=Table;g=x;v=v1"]
)
async def test_a_form_nobody_has_is_406(control_plane: Running, path: str, accept: str) -> None:
    answer = await ask(control_plane, path, accept)
    assert answer.status_code == 406
    types = f"application/json, application/yaml, {PROTOBUF}"
    message = f"only the following media types are accepted: {types}"
    if ";" not in accept and not path.startswith("/apis"):
        # Kubernetes' router says it first, which knows the types alone.
        streams = f", application/json;stream=watch, {PROTOBUF};stream=watch" if path == CONFIG_MAPS else ""
        message = f"406: Not Acceptable\n\nAvailable representations: {types}{streams}"
    assert (answer.json()["reason"], answer.json()["message"]) == ("NotAcceptable", message)


async def test_who_prefers_protobuf_and_takes_json_gets_json(control_plane: Running) -> None:
    answer = await ask(control_plane, CONFIG_MAPS, f"{PROTOBUF},application/json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded"])
async def test_a_body_of_an_unknown_form_is_415(control_plane: Running, content_type: str) -> None:
    answer = await control_plane.http.post(CONFIG_MAPS, content=b"{}", headers={"content-type": content_type})
    assert (answer.status_code, answer.json()["reason"]) == (415, "UnsupportedMediaType")


@pytest.mark.parametrize(("include", "kind"), [("", "PartialObjectMetadata"), ("None", ""), ("Object", "ConfigMap")])
@pytest.mark.parametrize("version", ["v1", "v1beta1"])
async def test_rows_hold_as_much_of_the_object_as_asked_for(
    control_plane: Running, include: str, kind: str, version: str
) -> None:
    made = await make(control_plane, f"row-{version}-{kind.lower() or 'none'}")
    name = made["metadata"]["name"]
    for path in (f"{CONFIG_MAPS}/{name}", f"{CONFIG_MAPS}?fieldSelector=metadata.name={name}"):
        sep = "&" if "?" in path else "?"
        answer = await ask(control_plane, f"{path}{sep}includeObject={include}", transform("Table", version))
        table = answer.json()
        assert (table["kind"], table["apiVersion"]) == ("Table", f"meta.k8s.io/{version}")
        assert int(table["metadata"]["resourceVersion"]) >= int(made["metadata"]["resourceVersion"])
        (row,) = table["rows"]
        assert row["cells"][:2] == [name, 1]
        if not kind:
            assert row["object"] is None
            continue
        assert row["object"]["kind"] == kind
        assert row["object"]["metadata"] == made["metadata"]
        assert ("data" in row["object"]) == (kind == "ConfigMap")
        if kind == "PartialObjectMetadata":
            assert row["object"]["apiVersion"] == f"meta.k8s.io/{version}"


async def test_rows_come_in_yaml_too_and_in_nothing_else(control_plane: Running) -> None:
    await make(control_plane, "rows")
    query = f"{CONFIG_MAPS}?fieldSelector=metadata.name=rows"
    rest = transform("Table").removeprefix("application/json")
    as_json = await ask(control_plane, query, f"application/json{rest}")
    as_yaml = await ask(control_plane, query, f"application/yaml{rest}")
    assert (as_yaml.status_code, as_yaml.headers["content-type"]) == (200, "application/yaml")
    assert yaml.load(as_yaml.content, yaml.CBaseLoader) == yaml.load(as_json.content, yaml.CBaseLoader)
    assert as_json.json()["rows"][0]["cells"][0] == "rows"
    assert (await ask(control_plane, query, f"{PROTOBUF}{rest}")).status_code == 406


async def test_an_unknown_include_object_is_refused(control_plane: Running) -> None:
    answer = await ask(control_plane, f"{CONFIG_MAPS}?includeObject=Some", transform("Table"))
    assert (answer.status_code, answer.json()["reason"]) == (400, "BadRequest")


async def test_metadata_alone_of_one_and_of_a_list(control_plane: Running) -> None:
    made = await make(control_plane, "metadata")
    meta = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": made["metadata"]}
    one = await ask(control_plane, f"{CONFIG_MAPS}/metadata", transform("PartialObjectMetadata"))
    assert one.json() == meta
    path = f"{CONFIG_MAPS}?fieldSelector=metadata.name=metadata&limit=1"
    many = (await ask(control_plane, path, transform("PartialObjectMetadataList"))).json()
    assert (many["kind"], many["apiVersion"], many["items"]) == ("PartialObjectMetadataList", "meta.k8s.io/v1", [meta])
    for wrong, kind in ((path, "PartialObjectMetadata"), (f"{CONFIG_MAPS}/metadata", "PartialObjectMetadataList")):
        assert (await ask(control_plane, wrong, transform(kind))).status_code == 406


async def test_writes_answer_in_the_form_asked_for(control_plane: Running) -> None:
    headers = {"accept": transform("PartialObjectMetadata")}
    body = {"metadata": {"name": "written"}, "data": {"v": "1"}}
    made = await control_plane.http.post(CONFIG_MAPS, json=body, headers=headers)
    assert (made.status_code, made.json()["kind"]) == (201, "PartialObjectMetadata")
    assert "data" not in made.json()
    table = await control_plane.http.put(f"{CONFIG_MAPS}/written", json=body, headers={"accept": transform("Table")})
    assert table.json()["rows"][0]["cells"][:2] == ["written", 1]


async def test_a_write_nobody_could_read_the_answer_of_changes_nothing(control_plane: Running) -> None:
    body = {"metadata": {"name": "unread"}}
    refused = await control_plane.http.post(CONFIG_MAPS, json=body, headers={"accept": "text/html"})
    assert refused.status_code == 406
    assert (await control_plane.http.get(f"{CONFIG_MAPS}/unread")).status_code == 404
    await make(control_plane, "undeleted")
    refused = await control_plane.http.delete(f"{CONFIG_MAPS}/undeleted", headers={"accept": "text/html"})
    assert refused.status_code == 406
    assert (await control_plane.http.get(f"{CONFIG_MAPS}/undeleted")).status_code == 200


async def test_a_review_is_not_shown_as_a_table(control_plane: Running) -> None:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    body = {"spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}}}
    refused = await control_plane.http.post(path, json=body, headers={"accept": transform("Table")})
    assert (refused.status_code, refused.json()["reason"]) == (406, "NotAcceptable")
    either = await control_plane.http.post(
        path, json=body, headers={"accept": f"{transform('Table')},application/json"}
    )
    assert (either.status_code, either.json()["status"]["allowed"]) == (201, True)
