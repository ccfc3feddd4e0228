"""What custom resources answer at the edges: other doors, other verbs, other bodies, and what they only warn of."""

import pytest

from generic.client.rest import APPLY_PATCH
from generic.meta.errors import StatusError
from tests.unit.extensions import samples
from tests.unit.extensions.harness import CRDS, Tier, condition

pytestmark = pytest.mark.anyio

CERTIFICATES, GAUGES = samples.CERTIFICATES, samples.GAUGES
NAME = "certificates.certs.example.com"
PATH = "/apis/certs.example.com/v1/namespaces/default/certificates"
TABLE = {"accept": "application/json;as=Table;g=meta.k8s.io;v=v1"}


async def test_an_unknown_subresource_is_404_and_a_bad_verb_405_in_a_status(tier: Tier) -> None:
    await tier.define(samples.certificates())
    await tier.client.create(CERTIFICATES, samples.certificate())
    for method, path, code in (
        ("GET", f"{PATH}/web/nothing", 404),
        ("GET", f"{PATH}/web/scale", 404),
        ("POST", f"{PATH}/web", 405),
        ("PUT", PATH, 405),
        ("DELETE", f"{PATH}/web/status", 405),
    ):
        refused = await tier.request(method, path, samples.certificate() if method != "GET" else None)
        assert (refused.status, refused.json()["kind"], refused.json()["code"]) == (code, "Status", code), path


async def test_a_body_of_another_kind_or_version_is_refused(tier: Tier) -> None:
    await tier.define(samples.certificates())
    for wrong in ({"kind": "Gauge"}, {"apiVersion": "certs.example.com/v2"}):
        assert (await tier.request("POST", PATH, {**samples.certificate(), **wrong})).status == 400, wrong


async def test_an_unqualified_finalizer_is_warned_of_once(tier: Tier) -> None:
    await tier.define(samples.certificates())
    wanted = samples.certificate()
    wanted["metadata"]["finalizers"] = ["wait", "example.com/wait", "orphan"]
    reply = await tier.request("POST", PATH, wanted)
    assert (reply.status, reply.headers["warning"].count("prefer a domain-qualified finalizer name")) == (201, 1)
    assert 'metadata.finalizers: \\"wait\\"' in reply.headers["warning"]
    assert "warning" not in (await tier.request("PUT", f"{PATH}/web", reply.json())).headers


async def test_null_is_dropped_where_it_is_not_allowed_and_replaced_by_a_default(tier: Tier) -> None:
    await tier.define(samples.certificates())
    wanted = samples.certificate(duration=None, issuerRef={"name": "ca", "kind": None})
    made = await tier.client.create(CERTIFICATES, wanted)
    assert made["spec"] == {"secretName": "web-tls", "issuerRef": {"name": "ca", "kind": "Issuer"}}


async def test_a_table_shows_null_for_what_is_missing_and_an_age_where_no_column_is_named(tier: Tier) -> None:
    await tier.define(samples.certificates())
    await tier.define(samples.gauges())
    await tier.client.create(CERTIFICATES, samples.certificate())
    table = (await tier.client.request("GET", PATH, headers=TABLE)).json()
    assert table["rows"][0]["cells"][:3] == ["web", None, "web-tls"]
    plain = (await tier.client.request("GET", "/apis/monitoring.example.com/v1/gauges", headers=TABLE)).json()
    assert [column["name"] for column in plain["columnDefinitions"]] == ["Name", "Age"]


async def test_a_patch_of_scale_is_tracked_as_such(tier: Tier) -> None:
    await tier.define(samples.gauges())
    await tier.client.create(GAUGES, samples.gauge())
    await tier.client.patch(GAUGES, "main", {"spec": {"replicas": 6}}, namespace="default", subresource="scale")
    managed = (await tier.client.get(GAUGES, "main", "default"))["metadata"]["managedFields"]
    (entry,) = [held for held in managed if held.get("subresource") == "scale"]
    assert (entry["operation"], entry["fieldsV1"]) == ("Update", {"f:spec": {"f:replicas": {}}})


async def test_an_apply_cannot_create_while_the_definition_is_terminating(tier: Tier) -> None:
    await tier.define(samples.certificates())
    held = samples.certificate()
    held["metadata"]["finalizers"] = ["example.com/wait"]
    await tier.client.create(CERTIFICATES, held)
    await tier.client.delete(CRDS, NAME)
    reply = await tier.client.request(
        "PATCH",
        f"{PATH}/late?fieldManager=me",
        body=samples.certificate("late"),
        content_type=APPLY_PATCH,
        check=False,
    )
    assert (reply.status, reply.json()["reason"]) == (403, "Forbidden")
    await tier.client.patch(CERTIFICATES, "web", {"metadata": {"finalizers": None}}, namespace="default")
    await tier.until_gone(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{NAME}")


async def test_discovery_lists_no_definition_that_is_not_established(tier: Tier) -> None:
    await tier.define(samples.certificates())
    second = samples.definition(
        "certs", "Certificate", samples.version("v1", {"type": "object"}), group="certs.example.com"
    )
    await tier.client.create(CRDS, second)
    await tier.until_condition("certs.certs.example.com", "NamesAccepted", "False")
    listed = (await tier.request("GET", "/apis/certs.example.com/v1")).json()["resources"]
    assert [entry["name"] for entry in listed] == ["certificates", "certificates/status"]


async def test_the_last_a_definition_says_is_that_its_objects_are_gone(tier: Tier) -> None:
    made = await tier.define(samples.certificates())
    await tier.client.create(CERTIFICATES, samples.certificate())
    reasons = []
    events = tier.client.watch(CRDS, resource_version=made["metadata"]["resourceVersion"])
    await tier.client.delete(CRDS, NAME)
    async for kind, seen in events:
        reasons.append(condition(seen, "Terminating").get("reason"))
        if kind == "DELETED":
            break
    await events.aclose()
    assert reasons[-1] == "InstanceDeletionCompleted"


async def test_the_plural_of_a_definition_never_changes(tier: Tier) -> None:
    made = await tier.define(samples.certificates())
    made["spec"]["names"]["plural"] = "certs"
    with pytest.raises(StatusError) as refused:
        await tier.client.update(CRDS, made)
    assert refused.value.details is not None
    assert ("spec.names.plural", 'Invalid value: "certs": field is immutable') in [
        (cause["field"], cause["message"]) for cause in refused.value.details["causes"]
    ]


async def test_bodies_are_json_and_yaml_and_nothing_else(tier: Tier) -> None:
    await tier.define(samples.certificates())
    yaml = b"apiVersion: certs.example.com/v1\nkind: Certificate\nmetadata: {name: web}\n"
    yaml += b"spec: {secretName: a, issuerRef: {name: ca}}\n"
    for content_type, code in (("application/vnd.kubernetes.protobuf", 415), ("application/yaml", 201)):
        reply = await tier.client.request("POST", PATH, body=yaml, content_type=content_type, check=False)
        assert (reply.status, reply.json()["kind"]) == (code, "Status" if code == 415 else "Certificate")


async def test_a_storage_version_that_changes_rewrites_nothing(tier: Tier) -> None:
    await tier.define(samples.widgets(storage="v1beta1"))
    beta = GAUGES._replace(group="example.com", version="v1beta1", resource="widgets")
    made = await tier.client.create(beta, samples.widget(of_version="v1beta1"))
    versions = samples.widgets()["spec"]["versions"]
    await tier.client.patch(CRDS, "widgets.example.com", {"spec": {"versions": versions}})
    read = await tier.client.get(beta._replace(version="v1"), "one", "default")
    assert read["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_names_are_dns_subdomains(tier: Tier) -> None:
    await tier.define(samples.certificates())
    for name, code in (("a.b-c", 201), ("Upper", 422), ("under_score", 422), ("-dash", 422)):
        reply = await tier.request("POST", PATH, samples.certificate(name))
        assert reply.status == code, name
        if code == 422:
            assert "a lowercase RFC 1123 subdomain must consist of" in reply.json()["details"]["causes"][0]["message"]


async def test_a_definition_is_installing_before_it_is_established(tier: Tier) -> None:
    made = await tier.client.create(CRDS, samples.certificates())
    reasons: list[str] = []
    events = tier.client.watch(CRDS, resource_version=made["metadata"]["resourceVersion"])
    async for _, seen in events:
        reasons.append(condition(seen, "Established").get("reason", ""))
        if reasons[-1] == "InitialNamesAccepted":
            break
    await events.aclose()
    assert reasons == ["Installing", "InitialNamesAccepted"]
