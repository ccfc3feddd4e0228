"""The end of a definition: its objects first, then itself."""

import asyncio

import pytest

from extensions.controllers.finalizing import FinalizingController
from extensions.controllers.writing import DefinitionWriter
from generic.meta import errors
from generic.meta.errors import StatusError
from generic.registry.store import Store
from generic.types import JSONObject
from tests.unit.extensions import samples
from tests.unit.extensions.harness import CRDS, Tier, condition, until

pytestmark = pytest.mark.anyio

CERTIFICATES = samples.CERTIFICATES
NAME = "certificates.certs.example.com"
PATH = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{NAME}"
HELD = {"metadata": {"finalizers": ["example.com/wait"]}}


async def terminating(tier: Tier) -> JSONObject:
    """A definition on its way out, held up by one object with a finalizer."""
    await tier.define(samples.certificates())
    await tier.client.create(CERTIFICATES, samples.certificate())
    await tier.client.patch(CERTIFICATES, "web", HELD, namespace="default")
    return await tier.client.delete(CRDS, NAME)


async def let_go(tier: Tier) -> None:
    freed = {"metadata": {"finalizers": None}}
    await tier.client.patch(CERTIFICATES, "web", freed, namespace="default")
    await tier.until_gone(PATH)


async def test_deleting_a_definition_marks_it_first(tier: Tier) -> None:
    marked = await terminating(tier)
    assert marked["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    assert marked["metadata"]["deletionTimestamp"]
    found = condition(marked, "Terminating")
    assert (found["status"], found["reason"]) == ("True", "InstanceDeletionPending")
    await let_go(tier)


async def test_nothing_new_is_accepted_meanwhile_and_discovery_says_so(tier: Tier) -> None:
    await terminating(tier)
    with pytest.raises(StatusError) as refused:
        await tier.client.create(CERTIFICATES, samples.certificate("late"))
    assert (refused.value.code, refused.value.message) == (
        403,
        'certificates.certs.example.com "late" is forbidden: '
        "create not allowed while custom resource definition is terminating",
    )
    listed = (await tier.request("GET", "/apis/certs.example.com/v1")).json()["resources"]
    assert listed[0]["verbs"] == ["delete", "deletecollection", "get", "list", "watch"]
    assert listed[1]["verbs"] == ["get", "patch", "update"]
    await let_go(tier)


async def test_objects_go_before_their_definition_and_watchers_see_them_go(tier: Tier) -> None:
    await tier.define(samples.certificates())
    for number in range(40):
        made = samples.certificate(f"c{number}")
        made["metadata"]["namespace"] = f"ns{number % 3}"
        await tier.client.create(CERTIFICATES, made)
    watch = tier.client.watch(CERTIFICATES, send_initial_events=True)
    seen: list[str] = []
    async with asyncio.timeout(20):
        async for kind, _ in watch:
            seen.append(kind)
            if kind == "BOOKMARK":
                await tier.client.delete(CRDS, NAME)
    await watch.aclose()
    assert (seen.count("ADDED"), seen.count("DELETED")) == (40, 40)
    await tier.until_gone(PATH)
    assert (await tier.request("GET", "/apis/certs.example.com/v1/certificates")).status == 404
    left = await tier.config.backings.storage.range("/registry/certs.example.com/")
    assert left.items == []


async def test_definitions_deleted_as_a_collection_clean_up_as_well(tier: Tier) -> None:
    await tier.define(samples.certificates())
    await tier.client.create(CERTIFICATES, samples.certificate())
    await tier.client.delete_collection(CRDS)
    await tier.until_gone(PATH)
    left = await tier.config.backings.storage.range("/registry/certs.example.com/")
    assert left.items == []


async def test_a_new_definition_of_the_name_begins_empty(tier: Tier) -> None:
    await tier.define(samples.certificates())
    await tier.client.create(CERTIFICATES, samples.certificate())
    await tier.client.delete(CRDS, NAME)
    await tier.until_gone(PATH)
    await tier.define(samples.certificates())
    assert (await tier.client.list(CERTIFICATES))["items"] == []
    await tier.client.create(CERTIFICATES, samples.certificate())


async def test_a_definition_that_was_never_established_has_nothing_to_wait_for(tier: Tier) -> None:
    await tier.define(samples.certificates())
    second = samples.definition(
        "certs", "Certificate", samples.version("v1", {"type": "object"}), group="certs.example.com"
    )
    await tier.client.create(CRDS, second)
    await tier.until_condition("certs.certs.example.com", "NamesAccepted", "False")
    watch = tier.client.watch(CRDS, field_selector="metadata.name=certs.certs.example.com", send_initial_events=True)
    reasons: list[str] = []
    async with asyncio.timeout(10):
        async for kind, found in watch:
            if kind == "BOOKMARK":
                await tier.client.delete(CRDS, "certs.certs.example.com")
            reasons.append(condition(found, "Terminating").get("reason", ""))
            if kind == "DELETED":
                break
    await watch.aclose()
    assert list(dict.fromkeys(filter(None, reasons))) == [
        "InstanceDeletionPending",
        "InstanceDeletionInProgress",
        "NeverEstablished",
    ]


async def test_objects_that_cannot_be_converted_can_be_deleted(tier: Tier) -> None:
    await tier.define(samples.widgets(storage="v1beta1", strategy="Webhook"))
    gvr = CERTIFICATES._replace(group="example.com", version="v1beta1", resource="widgets")
    await tier.client.create(gvr, samples.widget(of_version="v1beta1"))
    versions = samples.widgets()["spec"]["versions"]
    await tier.client.patch(CRDS, "widgets.example.com", {"spec": {"versions": versions}})
    assert (await tier.request("GET", "/apis/example.com/v1/widgets")).status == 500
    await tier.client.delete(CRDS, "widgets.example.com")
    await tier.until_gone("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com")


async def test_what_holds_a_definition_up_is_said(tier: Tier) -> None:
    await terminating(tier)
    server = tier.server
    installed = next(iter(server.generic.installed_in(CRDS.group_version)))
    controller = FinalizingController(
        server._definitions, DefinitionWriter(installed), server._resources, patience=0.01
    )
    with pytest.raises(StatusError, match="timed out waiting for the condition"):
        await controller._reconcile(NAME)
    found = condition(await tier.client.get(CRDS, NAME), "Terminating")
    assert (found["status"], found["reason"]) == ("True", "InstanceDeletionCheck")
    await let_go(tier)


async def test_objects_that_cannot_be_deleted_are_said_and_tried_again(
    tier: Tier, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tier.define(samples.certificates())

    async def fail(*given: object) -> None:
        raise errors.internal_error("out of order")

    with monkeypatch.context() as broken:
        broken.setattr(Store, "delete_collection", fail)
        await tier.client.delete(CRDS, NAME)

        async def told() -> bool:
            found = condition(await tier.client.get(CRDS, NAME), "Terminating")
            return (found["status"], found["reason"]) == ("True", "InstanceDeletionFailed")

        await until(told)
    await tier.until_gone(PATH)
