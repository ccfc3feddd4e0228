"""Admission policies over the whole write path: refused, warned, changed, in Kubernetes' words."""

from dataclasses import replace
from typing import Any

import pytest

from generic.admission.interface import Attributes
from generic.admission.policy.following import RemotePolicies
from generic.admission.policy.validating import ValidatingAdmissionPolicy
from generic.admission.remote_namespaces import RemoteNamespaces
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.request.context import RequestContext
from generic.request.info import resolve
from generic.request.user import LOOPBACK_USER
from generic.types import JSONObject
from tests.support.kubeapi import Plane, until

pytestmark = pytest.mark.anyio

MAPS = GroupVersionResource("", "v1", "configmaps")
NAMESPACES = GroupVersionResource("", "v1", "namespaces")
DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")
SCALERS = GroupVersionResource("autoscaling", "v2", "horizontalpodautoscalers")
_GROUP = "admissionregistration.k8s.io"
ROLES = GroupVersionResource("rbac.authorization.k8s.io", "v1", "clusterroles")
ROLE_BINDINGS = GroupVersionResource("rbac.authorization.k8s.io", "v1", "clusterrolebindings")


def _gvr(kind: str) -> GroupVersionResource:
    plurals = {"Validating": "validatingadmissionpolicies", "Mutating": "mutatingadmissionpolicies"}
    return GroupVersionResource(_GROUP, "v1", plurals[kind])


def _rule(group: str, version: str, resource: str, *operations: str) -> JSONObject:
    return {"apiGroups": [group], "apiVersions": [version], "resources": [resource], "operations": [*operations]}


_OF_MAPS = _rule("", "v1", "configmaps", "CREATE", "UPDATE")


async def _policy(plane: Plane, kind: str, spec: JSONObject, *, rule: JSONObject = _OF_MAPS, **binding: Any) -> None:
    """A policy `p` and its binding `b`."""
    spec = {"matchConstraints": {"resourceRules": [rule]}, **spec}
    await plane.client.create(_gvr(kind), {"metadata": {"name": "p"}, "spec": spec})
    if kind == "Validating":
        binding = {"validationActions": ["Deny"], **binding}
    bindings = GroupVersionResource(_GROUP, "v1", f"{kind.lower()}admissionpolicybindings")
    await plane.client.create(bindings, {"metadata": {"name": "b"}, "spec": {"policyName": "p", **binding}})


async def _validating(plane: Plane, *validations: JSONObject, **more: Any) -> None:
    binding = {key: more.pop(key) for key in ("validationActions", "paramRef", "matchResources") if key in more}
    await _policy(plane, "Validating", {"validations": [*validations], **more}, **binding)


async def _mutating(plane: Plane, *sources: str, rule: JSONObject = _OF_MAPS, **more: Any) -> None:
    mutations = [
        {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": source}}
        if source.startswith("Object")
        else {"patchType": "JSONPatch", "jsonPatch": {"expression": source}}
        for source in sources
    ]
    spec = {"mutations": mutations, "reinvocationPolicy": "IfNeeded", **more}
    await _policy(plane, "Mutating", spec, rule=rule)


async def _map(plane: Plane, name: str = "m", **data: str) -> JSONObject:
    return await plane.client.create(MAPS, {"metadata": {"name": name}, "data": data}, "default")


async def _refused(plane: Plane, name: str = "m", **data: str) -> StatusError:
    with pytest.raises(StatusError) as refused:
        await _map(plane, name, **data)
    return refused.value


async def _allow(plane: Plane, user: str, rules: list[JSONObject], *, name: str = "allowed") -> None:
    subject = {"kind": "User", "name": user, "apiGroup": ROLES.group}
    reference = {"kind": "ClusterRole", "name": name, "apiGroup": ROLES.group}
    await plane.client.create(ROLES, {"metadata": {"name": name}, "rules": rules})
    await plane.client.create(ROLE_BINDINGS, {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]})


def _deployment() -> JSONObject:
    pod = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": pod}
    return {"metadata": {"name": "d"}, "spec": spec}


async def test_a_validation_that_is_false_refuses_the_write(plane: Plane) -> None:
    await _validating(plane, {"expression": "object.data.size() < 2", "reason": "Forbidden"})
    await _map(plane, "fits", a="1")
    error = await _refused(plane, a="1", b="2")
    said = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed expression: object.data.size() < 2"
    assert (error.code, error.reason) == (403, "Forbidden")
    assert error.message == f'configmaps "m" is forbidden: {said}'
    assert error.details is not None
    assert error.details["causes"] == [{"message": said}]


async def test_a_message_expression_says_what_is_wrong_and_the_reason_is_invalid_unless_told(plane: Plane) -> None:
    message = "'not ' + variables.v + ' in ' + namespaceObject.metadata.name + ' by ' + request.userInfo.username"
    await _validating(
        plane,
        {"expression": "variables.v == '1'", "messageExpression": message},
        variables=[{"name": "v", "expression": "object.data.a"}],
    )
    error = await _refused(plane, a="2")
    assert (error.code, error.reason) == (422, "Invalid")
    assert error.message.endswith("denied request: not 2 in default by system:apiserver")


async def test_an_expression_that_fails_refuses_or_is_let_be_as_the_failure_policy_says(plane: Plane) -> None:
    await _validating(plane, {"expression": "object.data.none == '1'"})
    error = await _refused(plane, a="1")
    assert error.message.endswith("expression 'object.data.none == '1'' resulted in error: no such key: none")
    await plane.client.patch(_gvr("Validating"), "p", {"spec": {"failurePolicy": "Ignore"}})
    await _map(plane, a="1")


async def test_a_match_condition_that_is_false_keeps_the_policy_out(plane: Plane) -> None:
    condition = {"name": "c", "expression": "object.metadata.name != 'spared'"}
    await _validating(plane, {"expression": "false"}, matchConditions=[condition])
    await _map(plane, "spared")
    await _refused(plane, "m")


async def test_a_binding_holds_where_its_selectors_say(plane: Plane) -> None:
    resources = {"namespaceSelector": {"matchLabels": {"strict": "yes"}}}
    await _validating(plane, {"expression": "false"}, matchResources=resources)
    await _map(plane, "here")
    await plane.client.create(NAMESPACES, {"metadata": {"name": "strict", "labels": {"strict": "yes"}}})
    with pytest.raises(StatusError):
        await plane.client.create(MAPS, {"metadata": {"name": "there"}}, "strict")


async def test_what_policies_do_is_counted(plane: Plane) -> None:
    await _validating(plane, {"expression": "object.metadata.name != 'm'"}, validationActions=["Warn", "Audit"])
    await _map(plane, "other")
    await _map(plane)
    counted = plane.server.policies.metrics.validations
    assert [counted.value("p", "b", "invalid_error", action) for action in ("warn", "audit", "deny")] == [1, 1, 0]


async def test_an_aggregated_server_follows_the_policies_of_the_main_server(plane: Plane) -> None:
    await _validating(plane, {"expression": "object.a == 1"})
    remote = RemotePolicies(plane.client, RemoteNamespaces(plane.client), plane.server.authorizer)
    validating = next(plugin for plugin in remote.plugins if isinstance(plugin, ValidatingAdmissionPolicy))
    request = RequestContext(resolve("POST", "/api/v1/namespaces/default/configmaps", ""), user=LOOPBACK_USER)
    write = Attributes("CREATE", request, MAPS, MAPS.group_version.with_kind("ConfigMap"), "default", "m")
    assert validating.handles(write), "nobody knows yet"
    try:
        remote.start()
        await validating.validate(replace(write, object={"metadata": {"name": "m"}, "a": 1}))
        assert remote.has_synced
        with pytest.raises(StatusError, match="ValidatingAdmissionPolicy 'p' with binding 'b' denied request"):
            await validating.validate(replace(write, object={"metadata": {"name": "m"}, "a": 2}))
        await plane.client.delete(_gvr("Validating"), "p")

        async def forgotten() -> bool:
            return not validating.handles(write)

        await until(forgotten)
    finally:
        await remote.stop()


async def test_warn_only_warns(plane: Plane) -> None:
    await _validating(plane, {"expression": "false", "message": "no"}, validationActions=["Warn", "Audit"])
    reply = await plane.client.request(
        "POST", "/api/v1/namespaces/default/configmaps", body=b'{"metadata":{"name":"m"}}'
    )
    said = "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': no"
    assert (reply.status, reply.headers["warning"]) == (201, f'299 - "{said}"')


async def test_parameters_are_read_by_name_and_by_labels_as_they_are_now(plane: Plane) -> None:
    await _validating(
        plane,
        {"expression": "object.metadata.name.startsWith('limit') || object.data.size() <= int(params.data.max)"},
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
        paramRef={"selector": {"matchLabels": {"limit": "yes"}}, "parameterNotFoundAction": "Deny"},
    )
    missing = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
    assert (await _refused(plane, a="1")).message.endswith(missing)
    policy = _gvr("Validating")
    await plane.client.delete(policy, "p")
    limit = {"metadata": {"name": "limit", "labels": {"limit": "yes"}}, "data": {"max": "1"}}
    await plane.client.create(MAPS, limit, "default")
    spec: JSONObject = {
        "matchConstraints": {"resourceRules": [_OF_MAPS]},
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "validations": [{"expression": "object.data.size() <= int(params.data.max)"}],
    }
    await plane.client.create(policy, {"metadata": {"name": "p"}, "spec": spec})
    await _map(plane, a="1")
    await _refused(plane, "n", a="1", b="2")


async def test_a_parameter_kind_nobody_serves_is_an_error_of_the_policy(plane: Plane) -> None:
    await _validating(
        plane,
        {"expression": "true"},
        paramKind={"apiVersion": "example.com/v1", "kind": "Nothing"},
        paramRef={"name": "x", "parameterNotFoundAction": "Allow"},
    )
    said = "failed to configure policy: failed to find resource referenced by paramKind: 'example.com/v1, Kind=Nothing'"
    assert (await _refused(plane)).message.endswith(f"ValidatingAdmissionPolicy 'p' denied request: {said}")


async def test_expressions_ask_what_the_user_may_do(plane: Plane) -> None:
    check = "authorizer.group('').resource('configmaps').namespace('default').name('m').check('frob').allowed()"
    await _validating(plane, {"expression": check})
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]}]
    await plane.client.create(ROLES, {"metadata": {"name": "maker"}, "rules": rules})
    subject = {"kind": "User", "name": "eve", "apiGroup": "rbac.authorization.k8s.io"}
    reference = {"kind": "ClusterRole", "name": "maker", "apiGroup": "rbac.authorization.k8s.io"}
    await plane.client.create(ROLE_BINDINGS, {"metadata": {"name": "eve"}, "roleRef": reference, "subjects": [subject]})
    with pytest.raises(StatusError) as refused:
        await plane.as_user("eve").create(MAPS, {"metadata": {"name": "m"}}, "default")
    assert refused.value.message.endswith(f"failed expression: {check}")
    await _map(plane)


async def test_who_writes_a_policy_must_be_able_to_read_its_parameters(plane: Plane) -> None:
    rules = [{"apiGroups": [_GROUP], "resources": ["*"], "verbs": ["create"]}]
    await _allow(plane, "eve", rules)
    eve = plane.as_user("eve")
    spec: JSONObject = {
        "matchConstraints": {"resourceRules": [_OF_MAPS]},
        "paramKind": {"apiVersion": "v1", "kind": "Secret"},
        "validations": [{"expression": "true"}],
    }
    with pytest.raises(StatusError) as refused:
        await eve.create(_gvr("Validating"), {"metadata": {"name": "p"}, "spec": spec})
    who = "user &{eve  [system:authenticated] map[]}"
    assert refused.value.message == (
        'ValidatingAdmissionPolicy.admissionregistration.k8s.io "p" is invalid: spec.paramKind: Forbidden: '
        f'{who} must have "get" permission on all objects of the referenced paramKind (kind=Secret, apiVersion=v1)'
    )
    await plane.client.create(_gvr("Validating"), {"metadata": {"name": "p"}, "spec": spec})
    bindings = GroupVersionResource(_GROUP, "v1", "validatingadmissionpolicybindings")
    ref = {"name": "s", "namespace": "kube-system", "parameterNotFoundAction": "Deny"}
    bound: JSONObject = {"policyName": "p", "paramRef": ref, "validationActions": ["Deny"]}
    with pytest.raises(StatusError, match='does not have "get" permission on the object referenced by paramRef'):
        await eve.create(bindings, {"metadata": {"name": "b"}, "spec": bound})
    await _allow(plane, "eve", [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}], name="reader")
    await eve.create(bindings, {"metadata": {"name": "b"}, "spec": bound})


async def test_a_policy_for_an_older_version_sees_the_object_in_that_version(plane: Plane) -> None:
    expression = "object.apiVersion == 'autoscaling/v1' && object.spec.targetCPUUtilizationPercentage == 5"
    spec: JSONObject = {"validations": [{"expression": f"!({expression})", "message": "seen"}]}
    rule = _rule("autoscaling", "v1", "horizontalpodautoscalers", "CREATE")
    await _policy(plane, "Validating", spec, rule=rule)
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 5}},
    }
    target = {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}
    scaler = {"metadata": {"name": "s"}, "spec": {"maxReplicas": 2, "scaleTargetRef": target, "metrics": [metric]}}
    with pytest.raises(StatusError, match="denied request: seen"):
        await plane.client.create(SCALERS, scaler, "default")


async def test_what_does_not_compile_is_refused_when_it_is_written(plane: Plane) -> None:
    with pytest.raises(StatusError) as refused:
        await _validating(
            plane,
            {"expression": "variables.x", "messageExpression": "1"},
            variables=[{"name": "x", "expression": "[1]"}],
        )
    assert refused.value.code == 422
    assert refused.value.details is not None
    assert [(cause["field"], cause["message"].rpartition(": ")[2]) for cause in refused.value.details["causes"]] == [
        ("spec.validations[0].expression", "must evaluate to bool but got list(int)"),
        ("spec.validations[0].messageExpression", "must evaluate to string but got int"),
    ]


async def test_an_apply_configuration_merges_into_the_object(plane: Plane) -> None:
    source = (
        'Object{metadata: Object.metadata{labels: {"added": "yes"}}, spec: Object.spec{template: Object.spec.template{'
        'spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: "side", image: "s"}]}'
        "}}}"
    )
    await _mutating(plane, source, rule=_rule("apps", "v1", "deployments", "CREATE"))
    made = await plane.client.create(DEPLOYMENTS, _deployment(), "default")
    containers = made["spec"]["template"]["spec"]["containers"]
    found = [(container["name"], container["imagePullPolicy"]) for container in containers]
    assert found == [("c", "Always"), ("side", "Always")]
    assert made["metadata"]["labels"] == {"added": "yes"}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            'Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: {"x": "y"}}}}',
            "invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.selector",
        ),
        ("Object{spec: Object.spec{nope: 1}}", ".spec.nope: field not declared in schema"),
        (
            "Object{spec: Object.wrong{replicas: 1}}",
            'unexpected type name "Object.wrong", expected "Object.spec", which matches field name path from root '
            "Object type",
        ),
    ],
    ids=["atomic", "unknown field", "wrong type"],
)
async def test_an_apply_configuration_that_does_not_fit_refuses_the_write(plane: Plane, source: str, said: str) -> None:
    await _mutating(plane, source, rule=_rule("apps", "v1", "deployments", "CREATE"))
    with pytest.raises(StatusError) as refused:
        await plane.client.create(DEPLOYMENTS, _deployment(), "default")
    assert refused.value.message.startswith("policy 'p' with binding 'b' denied request: ")
    assert refused.value.message.endswith(said)
    # As Kubernetes has it: the reason is that of the mutation, the code is not.
    assert (refused.value.code, refused.value.reason) == (403, "Invalid")


async def test_json_patches_run_in_order_and_a_test_that_fails_changes_nothing(plane: Plane) -> None:
    await _mutating(
        plane,
        '[JSONPatch{op: "add", path: "/metadata/annotations", value: {}},'
        ' JSONPatch{op: "add", path: "/metadata/annotations/" + jsonpatch.escapeKey("x.y/z"), value: "1"}]',
        '"x.y/z" in object.metadata.annotations ? [JSONPatch{op: "add", path: "/data/second", value: "yes"}] : []',
        '[JSONPatch{op: "test", path: "/data/a", value: "no"}, JSONPatch{op: "remove", path: "/data/a"}]',
    )
    made = await _map(plane, a="1")
    assert made["data"] == {"a": "1", "second": "yes"}
    assert made["metadata"]["annotations"] == {"x.y/z": "1"}


async def test_a_policy_runs_once_more_when_a_later_one_changed_the_object(plane: Plane) -> None:
    await _mutating(plane, '[JSONPatch{op: "add", path: "/data/first" + string(object.data.size()), value: "x"}]')
    later: JSONObject = {
        "matchConstraints": {"resourceRules": [_OF_MAPS]},
        "reinvocationPolicy": "Never",
        "mutations": [
            {
                "patchType": "JSONPatch",
                "jsonPatch": {"expression": '[JSONPatch{op: "add", path: "/data/z", value: ""}]'},
            }
        ],
    }
    await plane.client.create(_gvr("Mutating"), {"metadata": {"name": "q"}, "spec": later})
    bindings = GroupVersionResource(_GROUP, "v1", "mutatingadmissionpolicybindings")
    await plane.client.create(bindings, {"metadata": {"name": "z"}, "spec": {"policyName": "q"}})
    assert (await _map(plane, a=""))["data"] == {"a": "", "first1": "x", "z": "", "first3": "x"}


async def test_the_status_tells_where_expressions_do_not_fit_the_types(plane: Plane) -> None:
    spec: JSONObject = {
        "variables": [{"name": "replicas", "expression": "object.spec.replicas"}],
        "validations": [
            {"expression": "variables.replicas > '1'"},
            {"expression": "object.spec.replicas > 1 && object.metadata.labels['a'] == 'b'"},
            {"expression": "object.nope == 1"},
        ],
    }
    await _policy(plane, "Validating", spec, rule=_rule("apps", "v1", "deployments", "CREATE"))

    async def observed() -> bool:
        return "observedGeneration" in ((await plane.client.get(_gvr("Validating"), "p")).get("status") or {})

    await until(observed)
    status = (await plane.client.get(_gvr("Validating"), "p"))["status"]
    found = status["typeChecking"]["expressionWarnings"]
    assert [warning["fieldRef"] for warning in found] == [
        "spec.validations[0].expression",
        "spec.validations[2].expression",
    ]
    assert found[0]["warning"].startswith(
        "apps/v1, Kind=Deployment: ERROR: <input>:1:20: found no matching overload for '_>_' applied to '(int, string)'"
    )
    assert "undefined field 'nope'" in found[1]["warning"]
