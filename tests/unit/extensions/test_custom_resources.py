"""Objects of custom resources: schema, status, scale, versions."""

import orjson
import pytest

from generic.client.rest import STRATEGIC_MERGE_PATCH
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.registry.backings import DEFAULT_PREFIX
from tests.unit.extensions import samples
from tests.unit.extensions.harness import CRDS, Tier

pytestmark = pytest.mark.anyio

CERTIFICATES, GAUGES = samples.CERTIFICATES, samples.GAUGES
V1 = GroupVersionResource("example.com", "v1", "widgets")
V1BETA1 = GroupVersionResource("example.com", "v1beta1", "widgets")
PATH = "/apis/certs.example.com/v1/namespaces/default/certificates"


async def test_an_object_is_pruned_defaulted_and_given_an_identity(tier: Tier) -> None:
    await tier.define(samples.certificates())
    wanted = samples.certificate(unknown=1, keystores={"any": {"thing": True}})
    wanted["status"] = {"revision": 7}
    made = await tier.client.create(CERTIFICATES, wanted)
    assert made["spec"] == {
        "secretName": "web-tls",
        "issuerRef": {"name": "ca", "kind": "Issuer"},
        "keystores": {"any": {"thing": True}},
    }
    assert "status" not in made
    assert (made["metadata"]["generation"], len(made["metadata"]["uid"])) == (1, 36)


async def test_everything_wrong_with_an_object_is_told_at_once(tier: Tier) -> None:
    await tier.define(samples.certificates())
    bad = samples.certificate(secretName=5, renewBeforeDays=0, usages=["flying"], dnsNames=["a", "a"], issuerRef={})
    refused = await tier.request("POST", PATH, bad)
    assert refused.status == 422
    assert {(cause["reason"], cause["field"]) for cause in refused.json()["details"]["causes"]} == {
        ("FieldValueTypeInvalid", "spec.secretName"),
        ("FieldValueDuplicate", "spec.dnsNames[1]"),
        ("FieldValueInvalid", "spec.renewBeforeDays"),
        ("FieldValueRequired", "spec.issuerRef.name"),
        ("FieldValueNotSupported", "spec.usages[0]"),
    }


async def test_strict_validation_refuses_unknown_fields(tier: Tier) -> None:
    await tier.define(samples.certificates())
    refused = await tier.request("POST", f"{PATH}?fieldValidation=Strict", samples.certificate(unknown=1))
    assert (refused.status, 'strict decoding error: unknown field "spec.unknown"' in refused.json()["message"]) == (
        400,
        True,
    )


async def test_put_neither_creates_nor_overwrites_blindly(tier: Tier) -> None:
    await tier.define(samples.certificates())
    assert (await tier.request("PUT", f"{PATH}/web", samples.certificate())).status == 404
    await tier.client.create(CERTIFICATES, samples.certificate())
    refused = await tier.request("PUT", f"{PATH}/web", samples.certificate())
    assert (refused.status, refused.json()["details"]["causes"][0]["field"]) == (422, "metadata.resourceVersion")


async def test_strategic_merge_is_for_built_in_kinds(tier: Tier) -> None:
    await tier.define(samples.certificates())
    await tier.client.create(CERTIFICATES, samples.certificate())
    with pytest.raises(StatusError) as refused:
        await tier.client.patch(
            CERTIFICATES, "web", {"spec": {}}, namespace="default", content_type=STRATEGIC_MERGE_PATCH
        )
    assert refused.value.code == 415


async def test_status_and_the_rest_are_written_apart(tier: Tier) -> None:
    await tier.define(samples.certificates())
    made = await tier.client.create(CERTIFICATES, samples.certificate())
    made["status"], made["spec"]["secretName"] = {"revision": 1}, "changed"
    by_status = await tier.client.update_status(CERTIFICATES, made)
    assert (by_status["status"], by_status["spec"]["secretName"]) == ({"revision": 1}, "web-tls")
    assert by_status["metadata"]["generation"] == 1
    by_status["status"], by_status["spec"]["secretName"] = {"revision": 2}, "changed"
    by_main = await tier.client.update(CERTIFICATES, by_status)
    assert (by_main["status"], by_main["spec"]["secretName"]) == ({"revision": 1}, "changed")
    assert by_main["metadata"]["generation"] == 2


async def test_what_is_stored_is_read_by_todays_schema(tier: Tier) -> None:
    await tier.define(samples.certificates())
    await tier.client.create(CERTIFICATES, samples.certificate(duration="24h"))
    changed = samples.certificates()["spec"]
    spec = changed["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    del spec["duration"]
    spec["profile"] = samples.text(default="strict")
    await tier.client.patch(CRDS, "certificates.certs.example.com", {"spec": changed})
    read = await tier.client.get(CERTIFICATES, "web", "default")
    assert (read["spec"]["profile"], "duration" in read["spec"]) == ("strict", False)
    listed = await tier.client.list(CERTIFICATES, "default", field_selector="spec.secretName=web-tls")
    assert [item["spec"] for item in listed["items"]] == [read["spec"]]


async def test_field_selectors_are_those_of_the_definition(tier: Tier) -> None:
    await tier.define(samples.certificates())
    for name, secret in (("a", "one"), ("b", "two")):
        await tier.client.create(CERTIFICATES, samples.certificate(name, secretName=secret))
    found = await tier.client.list(CERTIFICATES, field_selector="spec.secretName=two")
    assert [item["metadata"]["name"] for item in found["items"]] == ["b"]
    refused = await tier.request("GET", f"{PATH}?fieldSelector=spec.duration%3D1h")
    assert (refused.status, refused.json()["message"]) == (400, "field label not supported: spec.duration")


async def test_scale_speaks_of_the_paths_the_definition_names(tier: Tier) -> None:
    await tier.define(samples.gauges())
    made = await tier.client.create(GAUGES, samples.gauge())
    made["status"] = {"replicas": 1, "selector": "app=gauge"}
    await tier.client.update_status(GAUGES, made)
    scale = await tier.client.get(GAUGES, "main", "default", subresource="scale")
    assert (scale["apiVersion"], scale["kind"]) == ("autoscaling/v1", "Scale")
    assert (scale["spec"], scale["status"]) == ({"replicas": 2}, {"replicas": 1, "selector": "app=gauge"})
    scale["spec"]["replicas"] = 5
    scaled = await tier.client.update(GAUGES, scale, subresource="scale")
    assert scaled["spec"] == {"replicas": 5}
    patched = await tier.client.patch(
        GAUGES, "main", {"spec": {"replicas": 6}}, namespace="default", subresource="scale"
    )
    assert patched["spec"] == {"replicas": 6}
    stored = await tier.client.get(GAUGES, "main", "default")
    assert (stored["spec"]["replicas"], stored["status"]["replicas"], stored["metadata"]["generation"]) == (6, 1, 3)


async def test_a_scale_that_makes_no_sense_is_refused(tier: Tier) -> None:
    await tier.define(samples.gauges())
    await tier.client.create(GAUGES, samples.gauge())
    with pytest.raises(StatusError, match=r'Scale\.autoscaling "main" is invalid: spec\.replicas'):
        await tier.client.patch(GAUGES, "main", {"spec": {"replicas": -1}}, namespace="default", subresource="scale")
    with pytest.raises(StatusError, match=r"\.spec\.replicas: Invalid value: -1: should be a non-negative integer"):
        await tier.client.patch(GAUGES, "main", {"spec": {"replicas": -1}}, namespace="default")
    await tier.client.create(GAUGES, samples.gauge("bare", replicas=None))
    with pytest.raises(StatusError) as refused:
        await tier.client.get(GAUGES, "bare", "default", subresource="scale")
    assert refused.value.code == 500
    assert 'the spec replicas field ".spec.replicas" does not exist' in refused.value.message


async def test_each_version_shows_the_same_object_by_its_own_schema(tier: Tier) -> None:
    await tier.define(samples.widgets())
    made = await tier.client.create(V1BETA1, samples.widget(of_version="v1beta1", size="large"))
    assert (made["apiVersion"], made["spec"]) == ("example.com/v1beta1", {"color": "red", "size": "medium"})
    by_v1 = await tier.client.get(V1, "one", "default")
    assert (by_v1["apiVersion"], by_v1["spec"]) == ("example.com/v1", {"color": "red"})
    stored = await tier.config.backings.storage.get(f"{DEFAULT_PREFIX}/example.com/widgets/default/one")
    assert stored.item is not None
    assert orjson.loads(stored.item.value)["apiVersion"] == "example.com/v1"
    (listed,) = (await tier.client.list(V1BETA1))["items"]
    assert (listed["apiVersion"], listed["spec"]["size"]) == ("example.com/v1beta1", "medium")


async def test_objects_move_to_a_new_storage_version_when_they_are_written(tier: Tier) -> None:
    await tier.define(samples.widgets(storage="v1beta1"))
    await tier.client.create(V1BETA1, samples.widget(of_version="v1beta1", size="large"))
    name, key = "widgets.example.com", f"{DEFAULT_PREFIX}/example.com/widgets/default/one"
    storage = tier.config.backings.storage
    await tier.client.patch(CRDS, name, {"spec": {"versions": samples.widgets()["spec"]["versions"]}})
    before = (await storage.get(key)).item
    assert before is not None
    assert orjson.loads(before.value)["apiVersion"] == "example.com/v1beta1"
    read = await tier.client.get(V1, "one", "default")
    await tier.client.update(V1, read)
    after = (await storage.get(key)).item
    assert after is not None
    assert orjson.loads(after.value)["apiVersion"] == "example.com/v1"


async def test_a_deprecated_version_warns_of_itself_and_names_a_better_one(tier: Tier) -> None:
    await tier.define(samples.widgets())
    for method, body in (("POST", samples.widget(of_version="v1beta1")), ("GET", None)):
        reply = await tier.request(method, "/apis/example.com/v1beta1/namespaces/default/widgets", body)
        assert "example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget" in reply.headers["warning"]
    assert "warning" not in (await tier.request("GET", "/apis/example.com/v1/widgets")).headers


async def test_a_table_has_the_columns_of_the_definition(tier: Tier) -> None:
    await tier.define(samples.certificates())
    made = await tier.client.create(CERTIFICATES, samples.certificate())
    made["status"] = {"conditions": [{"type": "Ready", "status": "True"}]}
    await tier.client.update_status(CERTIFICATES, made)
    accept = {"accept": "application/json;as=Table;g=meta.k8s.io;v=v1"}
    table = (await tier.client.request("GET", PATH, headers=accept)).json()
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Ready", "Secret", "Age"]
    assert table["rows"][0]["cells"][:3] == ["web", "True", "web-tls"]


async def test_metadata_that_was_spoiled_in_storage_is_dropped_on_read(tier: Tier) -> None:
    await tier.define(samples.certificates())
    storage, key = tier.config.backings.storage, f"{DEFAULT_PREFIX}/certs.example.com/certificates/default/web"
    spoiled = samples.certificate()
    spoiled["metadata"] |= {"labels": {"a": 1}, "annotations": {"kept": "yes"}, "finalizers": "none"}
    await storage.put(key, orjson.dumps(spoiled), expected_revision=0)
    read = await tier.client.get(CERTIFICATES, "web", "default")
    assert {key: read["metadata"].get(key) for key in ("labels", "annotations", "finalizers")} == {
        "labels": None,
        "annotations": {"kept": "yes"},
        "finalizers": None,
    }


async def test_an_object_inside_that_was_spoiled_in_storage_keeps_the_rest_of_its_metadata(tier: Tier) -> None:
    await tier.define(samples.gauges())
    storage, key = tier.config.backings.storage, f"{DEFAULT_PREFIX}/monitoring.example.com/gauges/default/main"
    metadata = {"name": "inside", "labels": {"a": 1}, "annotations": {"kept": "yes"}, "finalizers": "none"}
    spoiled = samples.gauge(template={"apiVersion": "v1", "kind": 7, "metadata": metadata, "data": {"labels": 1}})
    await storage.put(key, orjson.dumps(spoiled), expected_revision=0)
    read = await tier.client.get(GAUGES, "main", "default")
    mended = {"apiVersion": "v1", "metadata": {"name": "inside", "annotations": {"kept": "yes"}}, "data": {"labels": 1}}
    assert read["spec"]["template"] == mended
    mended["kind"] = "Pod"
    await tier.client.patch(GAUGES, "main", {"spec": {"template": mended}}, namespace="default")
    item = (await storage.get(key)).item
    assert item is not None
    assert orjson.loads(item.value)["spec"]["template"] == mended


async def test_a_path_of_the_wrong_scope_is_nobodys(tier: Tier) -> None:
    nodes = samples.definition(
        "nodes", "Node", samples.version("v1", samples.schema({"type": "object"})), group="example.com", scope="Cluster"
    )
    await tier.define(nodes)
    await tier.define(samples.certificates())
    for path in (
        "/apis/example.com/v1/namespaces/default/nodes",
        "/apis/example.com/v1/namespaces/default/nodes/one",
        "/apis/certs.example.com/v1/certificates/web",
    ):
        missed = await tier.request("GET", path)
        assert (missed.status, missed.body) == (404, b"404 page not found\n"), path


async def test_a_schema_may_restrict_names(tier: Tier) -> None:
    shape = samples.schema({"type": "object"})
    shape["properties"]["metadata"] = {"type": "object", "properties": {"name": samples.text(pattern="^w-")}}
    made = samples.definition("walls", "Wall", samples.version("v1", shape), group="example.com")
    await tier.define(made)
    wall = {"apiVersion": "example.com/v1", "kind": "Wall", "metadata": {"name": "one"}, "spec": {}}
    path = "/apis/example.com/v1/namespaces/default/walls"
    refused = await tier.request("POST", path, wall)
    assert "metadata.name in body should match '^w-'" in refused.json()["message"]
    generated = {"metadata": {"generateName": "w-"}}
    assert (await tier.request("POST", path, {**wall, **generated})).status == 201


async def test_an_object_inside_of_another_must_be_one(tier: Tier) -> None:
    await tier.define(samples.gauges())
    path = "/apis/monitoring.example.com/v1/namespaces/default/gauges"
    bad = {"kind": "Bad_Kind", "metadata": {"labels": {"a": "not a value!"}}}
    refused = await tier.request("POST", path, samples.gauge(template=bad))
    assert [(cause["reason"], cause["field"]) for cause in refused.json()["details"]["causes"]] == [
        ("FieldValueRequired", "spec.template.apiVersion"),
        ("FieldValueInvalid", "spec.template.kind"),
        ("FieldValueInvalid", "spec.template.metadata.labels"),
    ]
    good = {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"a": "b"}}, "anything": 1}
    assert (await tier.request("POST", path, samples.gauge(template=good))).status == 201
