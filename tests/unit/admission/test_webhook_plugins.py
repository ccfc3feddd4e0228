"""What the webhook plugins note of a write for audit and metrics, and when they ask nobody at all."""

import asyncio
from typing import Any

import orjson
import pytest

from generic.admission.interface import AdmissionChain, Attributes
from generic.admission.webhook.calling import WebhookAsker
from generic.admission.webhook.configurations import WebhookList
from generic.admission.webhook.metrics import AdmissionMetrics
from generic.admission.webhook.mutating import MutatingAdmissionWebhook
from generic.admission.webhook.validating import ValidatingAdmissionWebhook
from generic.authorization.privileged import PrivilegedGroups
from generic.client.webhook import WebhookCaller, WebhookEndpoint
from generic.client.webhook_failures import WebhookCallError
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersion
from generic.request.audited import Audited
from generic.request.context import RequestContext
from generic.request.info import resolve
from generic.types import JSONObject
from tests.integration.admission import hooks

pytestmark = pytest.mark.anyio

V1 = GroupVersion("", "v1")


class Caller(WebhookCaller):
    """Says what the test wants, by the path of the webhook's URL; an exception is raised."""

    def __init__(self, **answers: JSONObject | WebhookCallError) -> None:
        super().__init__(None)
        self.answers = answers
        self.asked: list[str] = []

    async def call(self, endpoint: WebhookEndpoint, question: JSONObject, *, seconds: float) -> JSONObject:
        name = endpoint.url.rpartition("/")[2]
        self.asked.append(name)
        answer = self.answers[name]
        if isinstance(answer, WebhookCallError):
            raise answer
        response = {"uid": question["request"]["uid"], "allowed": True, **answer}
        return {"apiVersion": question["apiVersion"], "kind": question["kind"], "response": response}


class NoNamespaces:
    async def namespace(self, name: str) -> JSONObject | None:
        return None


def _webhook(name: str, **fields: Any) -> JSONObject:
    return {
        "name": name,
        "clientConfig": {"url": f"https://hooks.example.com/{name}"},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "rules": [hooks.rule()],
        **fields,
    }


def _list(*webhooks: JSONObject) -> WebhookList:
    made = WebhookList()
    made.put({"metadata": {"name": "conf"}, "webhooks": list(webhooks)})
    return made


def _asker(caller: Caller) -> WebhookAsker:
    return WebhookAsker(caller, NoNamespaces(), PrivilegedGroups(), AdmissionMetrics())


def _attributes(**given: Any) -> Attributes:
    request = RequestContext(resolve("POST", "/api/v1/namespaces/default/configmaps", ""))
    request.audited = Audited({}, "Request", omitted_stages=frozenset(), omits_managed_fields=False)
    resource, kind = V1.with_resource("configmaps"), V1.with_kind("ConfigMap")
    made: dict[str, Any] = {"namespace": "default", "name": "one", "object": hooks.config_map(), **given}
    return Attributes("CREATE", request, resource, kind, **made)


def _annotations(attributes: Attributes) -> dict[str, str]:
    assert attributes.request.audited is not None
    return attributes.request.audited.annotations


async def test_changes_patches_and_failures_are_annotated_by_round_and_place() -> None:
    caller = Caller(
        first={**hooks.labelled("x"), "auditAnnotations": {"note": "seen"}},
        second=hooks.labelled("y"),
        down=WebhookCallError("gone"),
    )
    asker = _asker(caller)
    webhooks = _list(
        _webhook("first", reinvocationPolicy="IfNeeded"), _webhook("second"), _webhook("down", failurePolicy="Ignore")
    )
    attributes = _attributes()
    await AdmissionChain([MutatingAdmissionWebhook(webhooks, asker)]).admit(attributes)

    assert caller.asked == ["first", "second", "down", "first"]
    found = _annotations(attributes)
    assert found["first/note"] == "seen"
    mutation = "mutation.webhook.admission.k8s.io/round_{}_index_{}"
    assert orjson.loads(found[mutation.format(0, 0)]) == {"configuration": "conf", "webhook": "first", "mutated": True}
    assert orjson.loads(found[mutation.format(0, 2)])["mutated"] is False
    # The same patch again changes nothing.
    assert orjson.loads(found[mutation.format(1, 0)])["mutated"] is False
    assert found["failed-open.mutation.webhook.admission.k8s.io/round_0_index_2"] == "down"
    assert found["patch.webhook.admission.k8s.io/round_0_index_1"] == (
        '{"configuration":"conf","webhook":"second","patch":[{"op":"add","path":"/metadata/labels/y","value":"yes"}],'
        '"patchType":"JSONPatch"}'
    )
    assert asker.metrics.requests.value("first", "admit", "CREATE", "200", "false") == 2
    assert asker.metrics.failed_open.value("down", "admit") == 1


async def test_no_patch_is_annotated_below_the_level_of_requests() -> None:
    attributes = _attributes()
    attributes.request.audited = Audited({}, "Metadata", omitted_stages=frozenset(), omits_managed_fields=False)
    plugin = MutatingAdmissionWebhook(_list(_webhook("first")), _asker(Caller(first=hooks.labelled("x"))))
    await plugin.admit(attributes)
    assert [key.partition("/")[0] for key in _annotations(attributes)] == ["mutation.webhook.admission.k8s.io"]


async def test_validating_webhooks_that_fail_open_are_annotated_and_others_still_refuse() -> None:
    caller = Caller(down=WebhookCallError("gone"), no={"allowed": False, "status": {"code": 403}})
    asker = _asker(caller)
    webhooks = _list(_webhook("down", failurePolicy="Ignore"), _webhook("no"))
    attributes = _attributes()
    with pytest.raises(StatusError) as refused:
        await ValidatingAdmissionWebhook(webhooks, asker).validate(attributes)
    assert refused.value.code == 403
    assert _annotations(attributes) == {
        "failed-open.validating.webhook.admission.k8s.io/round_0_index_0": "down",
    }
    assert asker.metrics.rejections.value("no", "validating", "CREATE", "no_error", "403") == 1


async def test_side_effects_forbid_a_dry_run() -> None:
    caller = Caller(first={})
    plugin = ValidatingAdmissionWebhook(_list(_webhook("first", sideEffects="Some")), _asker(caller))
    with pytest.raises(StatusError) as refused:
        await plugin.validate(_attributes(dry_run=True))
    assert (refused.value.code, caller.asked) == (400, [])
    assert refused.value.message == 'admission webhook "first" does not support dry run'


async def test_a_deletion_cannot_be_changed() -> None:
    plugin = MutatingAdmissionWebhook(_list(_webhook("first")), _asker(Caller(first=hooks.labelled("x"))))
    with pytest.raises(StatusError) as refused:
        await plugin.admit(_attributes(object=None, old_object=hooks.config_map()))
    assert refused.value.code == 500
    assert "attempted to modify the object, which is not supported for this operation" in refused.value.message


async def test_nobody_is_asked_without_configurations_and_a_write_waits_for_them_to_be_known() -> None:
    asker = _asker(Caller())
    assert not MutatingAdmissionWebhook(WebhookList(), asker).handles(_attributes())
    known = asyncio.Event()

    async def wait() -> bool:
        return known.is_set()

    plugin = ValidatingAdmissionWebhook(WebhookList(wait), asker)
    assert plugin.handles(_attributes())
    with pytest.raises(StatusError, match="not yet ready to handle request"):
        await plugin.validate(_attributes())
    known.set()
    await plugin.validate(_attributes())
    assert not plugin.handles(_attributes())


def test_webhooks_are_asked_by_configuration_and_those_that_stay_the_same_stay() -> None:
    webhooks = WebhookList()
    for name in ("b", "a"):
        webhooks.put({"metadata": {"name": name}, "webhooks": [_webhook("one"), _webhook("one")]})
    assert [hook.uid for hook in webhooks.hooks] == ["a/one/0", "a/one/1", "b/one/0", "b/one/1"]
    before = webhooks.hooks[2]
    webhooks.put({"metadata": {"name": "b"}, "webhooks": [_webhook("one"), _webhook("one", timeoutSeconds=3)]})
    assert webhooks.hooks[2] is before
    assert webhooks.hooks[3].seconds == 3
    webhooks.remove("a")
    webhooks.put({"metadata": {"name": "b"}, "webhooks": [{"nonsense": True}]})
    assert webhooks.hooks == ()
