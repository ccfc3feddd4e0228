"""Definitions as clients write them, and what the controllers make of them."""

import orjson
import pytest

from extensions.controllers.definitions import Summary
from extensions.controllers.naming import judge
from generic.meta.errors import StatusError
from generic.registry.backings import DEFAULT_PREFIX
from generic.types import JSONObject
from tests.unit.extensions import samples
from tests.unit.extensions.harness import CRDS, Tier, condition, until

pytestmark = pytest.mark.anyio

CERTIFICATES = "certificates.certs.example.com"
PATH = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{CERTIFICATES}"


def conflicting(plural: str, kind: str, **names: object) -> JSONObject:
    made = samples.definition(plural, kind, samples.version("v1", {"type": "object"}), group="certs.example.com")
    made["spec"]["names"] |= names
    return made


async def test_a_new_definition_is_completed_and_established(tier: Tier) -> None:
    wanted = samples.certificates()
    wanted["status"] = {"conditions": [{"type": "Established", "status": "True"}], "storedVersions": ["v9"]}
    made = await tier.client.create(CRDS, wanted)
    assert made["metadata"]["generation"] == 1
    assert made["spec"]["names"]["singular"] == "certificate"
    assert made["spec"]["names"]["listKind"] == "CertificateList"
    assert made["spec"]["conversion"] == {"strategy": "None"}
    assert (made["status"]["conditions"], made["status"]["storedVersions"]) == ([], ["v1"])
    found = await tier.until_condition(CERTIFICATES, "Established", "True")
    assert found["status"]["acceptedNames"] == found["spec"]["names"]
    assert [(c["type"], c["status"], c["reason"], c["message"]) for c in found["status"]["conditions"]] == [
        ("NamesAccepted", "True", "NoConflicts", "no conflicts found"),
        ("Established", "True", "InitialNamesAccepted", "the initial names have been accepted"),
    ]


async def test_an_invalid_definition_is_refused_with_all_its_causes(tier: Tier) -> None:
    bad = samples.certificates()
    bad["spec"]["group"], bad["spec"]["scope"] = "nodot", "Galaxy"
    with pytest.raises(StatusError) as refused:
        await tier.client.create(CRDS, bad)
    assert refused.value.code == 422
    assert refused.value.details is not None
    assert [cause["field"] for cause in refused.value.details["causes"]] == [
        "metadata.name",
        "spec.group",
        "spec.scope",
    ]


async def test_generation_counts_changes_of_the_spec_alone(tier: Tier) -> None:
    made = await tier.define(samples.certificates())
    assert made["metadata"]["generation"] == 1
    labelled = await tier.client.patch(CRDS, CERTIFICATES, {"metadata": {"labels": {"a": "b"}}})
    assert labelled["metadata"]["generation"] == 1
    changed = await tier.client.patch(CRDS, CERTIFICATES, {"spec": {"names": {"categories": ["some"]}}})
    assert changed["metadata"]["generation"] == 2
    forged = {**changed, "status": {}}
    assert (await tier.client.update(CRDS, forged))["status"] == changed["status"]


async def test_an_update_must_say_of_which_version(tier: Tier) -> None:
    made = await tier.define(samples.certificates())
    del made["metadata"]["resourceVersion"]
    refused = await tier.request("PUT", PATH, made)
    assert (refused.status, refused.json()["details"]["causes"][0]["field"]) == (422, "metadata.resourceVersion")


async def test_a_stored_version_leaves_after_the_status_says_nothing_is_stored_in_it(tier: Tier) -> None:
    await tier.define(samples.widgets(storage="v1beta1"))
    name = "widgets.example.com"
    turned = samples.widgets()["spec"]["versions"]
    made = await tier.client.patch(CRDS, name, {"spec": {"versions": turned}})
    assert made["status"]["storedVersions"] == ["v1beta1", "v1"]
    only_v1 = {"spec": {"versions": turned[:1]}}
    with pytest.raises(StatusError, match=r"must appear in spec\.versions"):
        await tier.client.patch(CRDS, name, only_v1)
    await tier.client.patch(CRDS, name, {"status": {"storedVersions": ["v1"]}}, subresource="status")
    made = await tier.client.patch(CRDS, name, only_v1)
    assert [version["name"] for version in made["spec"]["versions"]] == ["v1"]


async def test_a_format_nobody_checks_is_said(tier: Tier) -> None:
    made = samples.widgets()
    spec = made["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["properties"]["color"]["format"] = "colour"
    reply = await tier.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", made)
    assert (reply.status, 'unrecognized format \\"colour\\"' in reply.headers["warning"]) == (201, True)


async def test_names_go_to_the_first_and_to_the_next_when_they_are_free(tier: Tier) -> None:
    await tier.define(samples.certificates())
    await tier.client.create(CRDS, conflicting("certs", "Certificate", shortNames=["cert"]))
    second = await tier.until_condition("certs.certs.example.com", "NamesAccepted", "False")
    accepted = condition(second, "NamesAccepted")
    assert (accepted["reason"], accepted["message"]) == ("ListKindConflict", '"CertificateList" is already in use')
    assert condition(second, "Established")["reason"] == "NotAccepted"
    assert second["status"]["acceptedNames"]["plural"] == "certs"
    assert (await tier.request("GET", "/apis/certs.example.com/v1/certs")).status == 404
    await tier.client.delete(CRDS, CERTIFICATES)
    await tier.until_condition("certs.certs.example.com", "Established", "True")
    assert (await tier.request("GET", "/apis/certs.example.com/v1/certs")).status == 200


@pytest.mark.parametrize(
    ("plural", "kind", "names", "reason"),
    [
        ("secrets", "Secret", {"singular": "certificate"}, "SingularConflict"),
        ("secrets", "Secret", {"shortNames": ["cert", "certificates"]}, "ShortNamesConflict"),
        ("secrets", "Certificate", {"listKind": "Secrets"}, "KindConflict"),
        ("secrets", "Secret", {"listKind": "CertificateList"}, "ListKindConflict"),
        ("cert", "Secret", {}, "PluralConflict"),
    ],
)
async def test_each_name_conflicts_in_its_own_words(
    plural: str, kind: str, names: dict[str, object], reason: str
) -> None:
    taken = {"plural": "certificates", "singular": "certificate", "shortNames": ["cert"], "kind": "Certificate"}
    holder = summary("certificates", {**taken, "listKind": "CertificateList"}, accepted=True)
    wanted = {"plural": plural, "singular": kind.lower() if kind == "Secret" else "s", "kind": kind, **names}
    other = summary(plural, {"listKind": f"{kind}List", **wanted}, accepted=False)
    assert judge(other, [holder, other]).condition.reason == reason


def summary(name: str, names: JSONObject, *, accepted: bool) -> Summary:
    return Summary(
        name=name,
        group="certs.example.com",
        generation=1,
        wanted_names=names,
        accepted_names=names if accepted else {},
        names_accepted=accepted,
        established=accepted,
        deleting=False,
        approval="",
    )


async def test_the_approval_condition_follows_the_annotation(tier: Tier) -> None:
    key = "api-approved.kubernetes.io"
    theirs = samples.definition("things", "Thing", samples.version("v1", {"type": "object"}), group="x.k8s.io")
    theirs["metadata"]["annotations"] = {key: "unapproved, experimental"}
    await tier.client.create(CRDS, theirs)
    name, kind = "things.x.k8s.io", "KubernetesAPIApprovalPolicyConformant"
    found = await tier.until_condition(name, kind, "False")
    assert condition(found, kind)["reason"] == "UnapprovedAnnotation"
    url = "https://github.com/kubernetes/kubernetes/pull/78458"
    await tier.client.patch(CRDS, name, {"metadata": {"annotations": {key: url}}})
    found = await tier.until_condition(name, kind, "True")
    assert condition(found, kind)["message"] == f"approved in {url}"


@pytest.mark.parametrize(("annotation", "reason"), [(None, "MissingAnnotation"), ("because", "InvalidAnnotation")])
async def test_a_group_that_was_protected_later_is_told_what_it_lacks(
    tier: Tier, annotation: str | None, reason: str
) -> None:
    theirs = samples.definition("things", "Thing", samples.version("v1", {"type": "object"}), group="x.kubernetes.io")
    if annotation is not None:
        theirs["metadata"]["annotations"] = {"api-approved.kubernetes.io": annotation}
    name, kind = "things.x.kubernetes.io", "KubernetesAPIApprovalPolicyConformant"
    theirs["status"] = {"conditions": [], "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": ["v1"]}
    theirs["spec"]["names"] |= {"singular": "thing", "listKind": "ThingList"}
    # Validation lets nobody write this: it was stored past it.
    key = f"{DEFAULT_PREFIX}/apiextensions.k8s.io/customresourcedefinitions/{name}"
    await tier.config.backings.storage.put(key, orjson.dumps(theirs), expected_revision=0)
    assert condition(await tier.until_condition(name, kind, "False"), kind)["reason"] == reason


async def test_a_webhook_with_certificates_nobody_can_read_is_never_established(tier: Tier) -> None:
    made = samples.widgets(strategy="Webhook")
    made["spec"]["conversion"]["webhook"]["clientConfig"]["caBundle"] = "bm90IGEgY2VydGlmaWNhdGU="
    await tier.client.create(CRDS, made)

    async def told() -> bool:
        found = condition(await tier.client.get(CRDS, "widgets.example.com"), "Established")
        return found.get("reason") == "InvalidCABundle"

    await until(told)


async def test_the_group_of_definitions_belongs_to_this_server_alone(tier: Tier) -> None:
    for path in ("/apis/apiextensions.k8s.io/v1/nothing", f"{PATH}/nothing"):
        found = await tier.request("GET", path)
        assert (found.status, found.json()["kind"]) == (404, "Status")
    listed = (await tier.request("GET", "/apis/apiextensions.k8s.io/v1")).json()["resources"]
    assert [entry["name"] for entry in listed] == ["customresourcedefinitions", "customresourcedefinitions/status"]
    assert listed[0]["shortNames"] == ["crd", "crds"]


async def test_a_schema_that_is_not_structural_is_told_of_until_it_is(tier: Tier) -> None:
    name = (await tier.define(samples.widgets()))["metadata"]["name"]
    storage = tier.config.backings.storage
    key = f"{DEFAULT_PREFIX}/apiextensions.k8s.io/customresourcedefinitions/{name}"
    item = (await storage.get(key)).item
    assert item is not None
    spoiled = orjson.loads(item.value)
    del spoiled["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["type"]
    spoiled["metadata"]["generation"] += 1
    # Validation lets nobody write this: it was stored past it.
    await storage.put(key, orjson.dumps(spoiled), expected_revision=item.mod_revision)
    told = condition(await tier.until_condition(name, "NonStructuralSchema", "True"), "NonStructuralSchema")
    assert told["reason"] == "Violations"
    assert told["message"] == (
        "spec.versions[0].schema.openAPIV3Schema.properties[spec].type: Required value: must not be empty for "
        "specified object fields"
    )
    await tier.client.patch(CRDS, name, {"spec": {"versions": samples.widgets()["spec"]["versions"]}})

    async def silent() -> bool:
        return condition(await tier.client.get(CRDS, name), "NonStructuralSchema") == {}

    await until(silent)


async def test_a_condition_may_say_little(tier: Tier) -> None:
    await tier.define(samples.certificates())
    patch = orjson.dumps([{"op": "add", "path": "/status/conditions", "value": [{"message": "patched"}]}])
    made = await tier.client.patch(
        CRDS, CERTIFICATES, patch, content_type="application/json-patch+json", subresource="status"
    )
    assert {"message": "patched", "type": "", "status": ""} in made["status"]["conditions"]
