"""Admission webhooks, asked over TLS: what they see, what they may change, what becomes of a write they do not like."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from tests.integration.admission import hooks
from tests.integration.admission.hooks import CONFIG_MAPS, MUTATING, VALIDATING, Answers, config_map, hook, rule
from tests.integration.extensions import webhooks
from tests.integration.extensions.webhooks import Webhook
from tests.support.builtin import pod_spec
from tests.support.kubeapi import Plane

pytestmark = pytest.mark.anyio

GROUP = VALIDATING.group
PODS = GroupVersionResource("", "v1", "pods")
NAMESPACES = GroupVersionResource("", "v1", "namespaces")
DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")
SCALERS = GroupVersionResource("autoscaling", "v2", "horizontalpodautoscalers")


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
async def webhook(tmp_path: Path, answers: Answers) -> AsyncIterator[Webhook]:
    async with webhooks.webhook(tmp_path, answers) as listening:
        yield listening


async def _create(plane: Plane, obj: JSONObject | None = None) -> JSONObject:
    return await plane.client.create(CONFIG_MAPS, obj or config_map(), "default")


async def _refused(plane: Plane, obj: JSONObject | None = None) -> StatusError:
    with pytest.raises(StatusError) as refused:
        await _create(plane, obj)
    return refused.value


def _requests(webhook: Webhook) -> list[JSONObject]:
    return [review["request"] for review in webhook.asked]


async def test_a_validating_webhook_sees_the_whole_write(plane: Plane, webhook: Webhook) -> None:
    everything = rule("*/*", "*", "*", "*")
    await hooks.register(plane.client, VALIDATING, hook(webhook, rules=[everything]))
    await _create(plane)
    await plane.client.delete(CONFIG_MAPS, "one", "default")

    created, deleted = _requests(webhook)
    core = {"group": "", "version": "v1"}
    assert created.pop("object")["metadata"]["uid"]
    assert created.pop("uid")
    assert created.pop("userInfo")["groups"] == ["system:masters", "system:authenticated"]
    assert created == {
        "kind": {**core, "kind": "ConfigMap"},
        "resource": {**core, "resource": "configmaps"},
        "requestKind": {**core, "kind": "ConfigMap"},
        "requestResource": {**core, "resource": "configmaps"},
        "name": "one",
        "namespace": "default",
        "operation": "CREATE",
        "oldObject": None,
        "dryRun": False,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
    }
    assert (deleted["operation"], deleted["object"], deleted["oldObject"]["data"]) == ("DELETE", None, {"a": "1"})
    assert (webhook.asked[0]["apiVersion"], webhook.asked[0]["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")


async def test_a_mutating_webhook_sees_no_name_that_is_still_to_be_made_up(plane: Plane, webhook: Webhook) -> None:
    await hooks.register(plane.client, MUTATING, hook(webhook))
    await hooks.register(plane.client, VALIDATING, hook(webhook))
    made = await _create(plane, {"metadata": {"generateName": "some-", "labels": {"from": "test"}}})

    first, last = _requests(webhook)
    assert "name" not in first
    assert not {"name", "uid", "creationTimestamp"} & first["object"]["metadata"].keys()
    assert last["name"] == last["object"]["metadata"]["name"] == made["metadata"]["name"]


async def test_a_patch_changes_what_is_stored_pruned_and_defaulted(
    plane: Plane, webhook: Webhook, answers: Answers
) -> None:
    def add(request: JSONObject) -> JSONObject:
        spec = request["object"]["spec"]
        container = {"name": "side", "image": "side:1", "unheard": "of"}
        assert [each["name"] for each in spec["containers"]] == ["main"]
        return hooks.patch({"op": "add", "path": "/spec/containers/-", "value": container})

    answers.say = add
    await hooks.register(plane.client, MUTATING, hook(webhook, rules=[rule("pods")], objectSelector={}))
    made = await plane.client.create(PODS, {"metadata": {"name": "web"}, "spec": pod_spec()}, "default")

    side = made["spec"]["containers"][1]
    assert (side["name"], side["imagePullPolicy"], "unheard" in side) == ("side", "IfNotPresent", False)
    assert side["volumeMounts"], "the plugins of the server saw the pod again"


async def test_patched_objects_are_validated(plane: Plane, webhook: Webhook, answers: Answers) -> None:
    answers.say = lambda _: hooks.patch({"op": "add", "path": "/data/a~1b", "value": "x"})
    await hooks.register(plane.client, MUTATING, hook(webhook))
    refused = await _refused(plane)
    assert refused.code == 422
    assert 'data[a/b]: Invalid value: "a/b"' in refused.message


async def test_only_those_that_want_to_are_asked_again_when_later_ones_change_the_object(
    plane: Plane, webhook: Webhook, answers: Answers
) -> None:
    asked: list[str] = []

    def answer(request: JSONObject) -> JSONObject:
        labels = request["object"]["metadata"]["labels"]
        asked.append("+".join(sorted(labels)))
        missing = next(key for key in ("x", "y", "z", "done") if key not in labels)
        return hooks.labelled(missing) if missing != "done" else {}

    answers.say = answer
    await hooks.register(
        plane.client,
        MUTATING,
        hook(webhook, "a.example.com", reinvocationPolicy="IfNeeded"),
        hook(webhook, "b.example.com"),
        hook(webhook, "c.example.com"),
    )
    await _create(plane)
    assert asked == ["from", "from+x", "from+x+y", "from+x+y+z"]


async def test_a_denial_reaches_the_client_in_the_webhooks_words(
    plane: Plane, webhook: Webhook, answers: Answers
) -> None:
    status: JSONObject = {"code": 418, "reason": "Teapot", "message": "no coffee", "details": {"name": "pot"}}
    answers.say = lambda _: {"allowed": False, "status": status}
    await hooks.register(plane.client, MUTATING, hook(webhook))
    refused = await _refused(plane)
    assert (refused.code, refused.reason, refused.details) == (418, "Teapot", {"name": "pot"})
    assert refused.message == 'admission webhook "a.example.com" denied the request: no coffee'

    answers.say = lambda _: {"allowed": False}
    refused = await _refused(plane)
    assert refused.code == 400
    assert refused.message == 'admission webhook "a.example.com" denied the request without explanation'


async def test_an_answer_that_is_none_refuses_the_write_unless_failures_are_ignored(
    plane: Plane, webhook: Webhook, answers: Answers
) -> None:
    told: dict[str, JSONObject] = {
        "received invalid webhook response: expected response.uid=": {"uid": "other"},
        "received invalid webhook response: webhook returned response.patchType but": {"patchType": "JSONPatch"},
        "failed to call webhook: illegal base64 data at input byte 0": {"patchType": "JSONPatch", "patch": "%"},
        "received undecodable patch in webhook response: json: cannot": {"patchType": "JSONPatch", "patch": "e30="},
        "failed to call webhook: json: cannot unmarshal string into Go struct field Admis": {"allowed": "yes"},
    }
    await hooks.register(plane.client, MUTATING, hook(webhook))
    for why, said in told.items():
        answers.say = hooks.always(said)
        refused = await _refused(plane)
        assert refused.code == 500
        assert refused.message.startswith(f'Internal error occurred: failed calling webhook "a.example.com": {why}')

    await plane.client.delete(MUTATING, "test")
    await hooks.register(plane.client, MUTATING, hook(webhook, failurePolicy="Ignore"))
    await _create(plane)
    assert plane.server.webhooks.metrics.failed_open.value("a.example.com", "admit") == 1


async def test_what_cannot_be_reached_is_told(plane: Plane, webhook: Webhook) -> None:
    service = {"namespace": "default", "name": "nobody"}
    bundle = webhook.ca_bundle
    away = hook(webhook, clientConfig={"service": service, "caBundle": bundle})
    await hooks.register(plane.client, VALIDATING, away)
    refused = await _refused(plane)
    assert refused.message == (
        'Internal error occurred: failed calling webhook "a.example.com": failed to call webhook: Post '
        '"https://nobody.default.svc:443/?timeout=10s": service "nobody" not found'
    )
    metrics = plane.server.webhooks.metrics
    assert metrics.rejections.value("a.example.com", "validating", "CREATE", "calling_webhook_error", "503") == 1


async def test_a_dry_run_needs_a_webhook_without_side_effects(plane: Plane, webhook: Webhook) -> None:
    await hooks.register(plane.client, VALIDATING, hook(webhook, sideEffects="NoneOnDryRun"))
    await plane.client.create(CONFIG_MAPS, config_map(), "default", dry_run=True)
    (request,) = _requests(webhook)
    assert (request["dryRun"], request["options"]["dryRun"]) == (True, ["All"])


async def test_selectors_and_conditions_spare_what_they_do_not_select(
    plane: Plane, webhook: Webhook, answers: Answers
) -> None:
    await plane.client.create(NAMESPACES, {"metadata": {"name": "picked", "labels": {"picked": "yes"}}})
    conditions = [
        {"name": "fresh", "expression": "request.operation == 'CREATE' && !has(object.data.b)"},
        {"name": "may", "expression": "authorizer.group('').resource('pods').namespace('x').check('get').allowed()"},
    ]
    await hooks.register(
        plane.client,
        VALIDATING,
        hook(
            webhook,
            namespaceSelector={"matchLabels": {"picked": "yes"}},
            matchConditions=conditions,
        ),
    )
    await _create(plane)
    await plane.client.create(CONFIG_MAPS, config_map("other", labels={}), "picked")
    await plane.client.create(CONFIG_MAPS, {**config_map("full"), "data": {"b": "1"}}, "picked")
    assert webhook.asked == []
    await plane.client.create(CONFIG_MAPS, config_map(), "picked")
    assert [request["namespace"] for request in _requests(webhook)] == ["picked"]


async def test_conditions_that_fail_refuse_the_write(plane: Plane, webhook: Webhook) -> None:
    condition = {"name": "broken", "expression": "object.data.none == '1'"}
    await hooks.register(plane.client, VALIDATING, hook(webhook, matchConditions=[condition]))
    refused = await _refused(plane)
    assert (refused.code, webhook.asked) == (403, [])
    assert refused.message == (
        "configmaps \"one\" is forbidden: expression 'object.data.none == '1'' resulted in error: no such key: none"
    )


async def test_an_equivalent_version_is_shown_in_the_version_asked_for_and_changed_there(
    plane: Plane, webhook: Webhook, answers: Answers
) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    scaler: JSONObject = {"metadata": {"name": "web"}, "spec": {"maxReplicas": 3, "scaleTargetRef": target}}
    older = rule("horizontalpodautoscalers", "autoscaling", "v1")
    answers.say = lambda _: hooks.patch({"op": "replace", "path": "/spec/maxReplicas", "value": 5})
    await hooks.register(plane.client, MUTATING, hook(webhook, rules=[older], objectSelector={}))
    made = await plane.client.create(SCALERS, scaler, "default")

    (request,) = _requests(webhook)
    assert (request["kind"]["version"], request["requestKind"]["version"]) == ("v1", "v2")
    assert request["object"]["apiVersion"] == "autoscaling/v1"
    assert (made["apiVersion"], made["spec"]["maxReplicas"]) == ("autoscaling/v2", 5)

    await plane.client.delete(MUTATING, "test")
    await plane.client.delete(SCALERS, "web", "default")
    await hooks.register(plane.client, MUTATING, hook(webhook, rules=[older], objectSelector={}, matchPolicy="Exact"))
    assert (await plane.client.create(SCALERS, scaler, "default"))["spec"]["maxReplicas"] == 3


async def test_a_collection_is_deleted_object_by_object_as_far_as_webhooks_let_it(
    plane: Plane, webhook: Webhook, answers: Answers
) -> None:
    for name in ("kept", "one"):
        await _create(plane, config_map(name))
    answers.say = lambda request: {"allowed": request["oldObject"]["metadata"]["name"] != "kept"}
    await hooks.register(plane.client, VALIDATING, hook(webhook, rules=[rule("configmaps", "", "v1", "DELETE")]))
    with pytest.raises(StatusError, match="denied the request"):
        await plane.client.delete_collection(CONFIG_MAPS, "default", label_selector="from=test")
    left = await plane.client.list(CONFIG_MAPS, "default", label_selector="from=test")
    assert [item["metadata"]["name"] for item in left["items"]] == ["kept"]
    assert {request.get("name", "") for request in _requests(webhook)} == {""}


async def test_a_connection_is_asked_for_by_its_options(plane: Plane, webhook: Webhook, answers: Answers) -> None:
    answers.say = hooks.always({"allowed": False})
    await plane.client.create(PODS, {"metadata": {"name": "web"}, "spec": pod_spec()}, "default")
    await hooks.register(
        plane.client, VALIDATING, hook(webhook, rules=[rule("pods/exec", "", "v1", "CONNECT")], objectSelector={})
    )
    with pytest.raises(StatusError, match="denied the request"):
        await plane.client.request("POST", "/api/v1/namespaces/default/pods/web/exec", query={"command": "ls"})
    (request,) = _requests(webhook)
    assert (request["operation"], request["subResource"], request["kind"]["kind"]) == (
        "CONNECT",
        "exec",
        "PodExecOptions",
    )
    assert request["object"]["command"] == ["ls"]


async def test_a_scale_is_shown_and_changed_as_a_scale(plane: Plane, webhook: Webhook, answers: Answers) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod_spec()}
    spec: dict[str, Any] = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    await plane.client.create(DEPLOYMENTS, {"metadata": {"name": "web"}, "spec": spec}, "default")
    answers.say = lambda _: hooks.patch({"op": "replace", "path": "/spec/replicas", "value": 7})
    await hooks.register(
        plane.client,
        MUTATING,
        hook(webhook, rules=[rule("deployments/scale", "apps", "v1", "UPDATE")], objectSelector={}),
    )
    wanted = {"spec": {"replicas": 3}}
    made = await plane.client.patch(DEPLOYMENTS, "web", wanted, namespace="default", subresource="scale")

    (request,) = _requests(webhook)
    assert request["kind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    assert (request["object"]["spec"], request["oldObject"]["spec"]) == ({"replicas": 3}, {"replicas": 1})
    assert made["spec"]["replicas"] == 7


async def test_configurations_are_beyond_the_reach_of_webhooks(
    plane: Plane, webhook: Webhook, answers: Answers
) -> None:
    answers.say = lambda _: {"allowed": False}
    await hooks.register(plane.client, VALIDATING, hook(webhook, rules=[rule("*", GROUP, "*", "*")], objectSelector={}))
    await plane.client.delete(VALIDATING, "test")
    assert webhook.asked == []


async def test_warnings_and_every_validating_webhook_are_heard(
    plane: Plane, webhook: Webhook, answers: Answers
) -> None:
    answers.say = lambda request: {"allowed": False, "warnings": ["careful"]}
    await hooks.register(plane.client, VALIDATING, hook(webhook, "a.example.com"), hook(webhook, "b.example.com"))
    assert (await _refused(plane)).code == 400
    assert len(webhook.asked) == 2
