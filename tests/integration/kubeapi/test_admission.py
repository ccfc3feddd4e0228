"""What admission makes of pods, nodes and priority classes."""

from typing import Any

import pytest

from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from tests.support.builtin import pod_spec
from tests.support.kubeapi import Plane

pytestmark = pytest.mark.anyio

PODS = GroupVersionResource("", "v1", "pods")
NODES = GroupVersionResource("", "v1", "nodes")
ACCOUNTS = GroupVersionResource("", "v1", "serviceaccounts")
NAMESPACES = GroupVersionResource("", "v1", "namespaces")
CLASSES = GroupVersionResource("scheduling.k8s.io", "v1", "priorityclasses")
MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"


async def _run(plane: Plane, namespace: str = "default", **spec: Any) -> JSONObject:
    return await plane.client.create(PODS, {"metadata": {"name": "web"}, "spec": pod_spec(**spec)}, namespace)


async def _refused(plane: Plane, **spec: Any) -> StatusError:
    with pytest.raises(StatusError) as refused:
        await _run(plane, **spec)
    return refused.value


def _mounts(container: JSONObject) -> list[Any]:
    return [mount["mountPath"] for mount in container.get("volumeMounts") or ()]


async def test_a_pod_runs_as_the_default_account_and_gets_its_token(plane: Plane) -> None:
    spec = (await _run(plane, initContainers=[{"name": "first", "image": "app:1"}]))["spec"]
    assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("default", "default")
    (volume,) = spec["volumes"]
    assert volume["name"].startswith("kube-api-access-")
    assert volume["projected"] == {
        "defaultMode": 0o644,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {
                "downwardAPI": {
                    "items": [
                        {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
                    ]
                }
            },
        ],
    }
    mount = {"name": volume["name"], "readOnly": True, "mountPath": MOUNT_PATH}
    for container in (spec["containers"][0], spec["initContainers"][0]):
        assert container["volumeMounts"] == [mount]


async def test_a_pod_waits_for_the_default_account_of_a_new_namespace(plane: Plane) -> None:
    await plane.client.create(NAMESPACES, {"metadata": {"name": "new"}})
    assert (await _run(plane, "new"))["spec"]["serviceAccountName"] == "default"


async def test_pod_and_account_may_say_no_to_the_token_and_the_pod_counts(plane: Plane) -> None:
    await plane.client.create(
        ACCOUNTS, {"metadata": {"name": "quiet"}, "automountServiceAccountToken": False}, "default"
    )
    assert "volumes" not in (await _run(plane, serviceAccountName="quiet"))["spec"]
    await plane.client.delete(PODS, "web", "default")
    asked = await _run(plane, serviceAccountName="quiet", automountServiceAccountToken=True)
    assert _mounts(asked["spec"]["containers"][0]) == [MOUNT_PATH]
    await plane.client.delete(PODS, "web", "default")
    assert "volumes" not in (await _run(plane, automountServiceAccountToken=False))["spec"]


async def test_a_container_that_mounts_something_there_keeps_it(plane: Plane) -> None:
    container = {"name": "main", "image": "app:1", "volumeMounts": [{"name": "mine", "mountPath": MOUNT_PATH}]}
    spec = (await _run(plane, containers=[container], volumes=[{"name": "mine", "emptyDir": {}}]))["spec"]
    assert spec["containers"][0]["volumeMounts"] == container["volumeMounts"]
    assert [volume["name"] for volume in spec["volumes"]] == ["mine"]


async def test_the_accounts_pull_secrets_are_the_pods(plane: Plane) -> None:
    await plane.client.create(
        ACCOUNTS, {"metadata": {"name": "puller"}, "imagePullSecrets": [{"name": "registry"}]}, "default"
    )
    spec = (await _run(plane, serviceAccountName="puller"))["spec"]
    assert spec["imagePullSecrets"] == [{"name": "registry"}]


async def test_a_pod_of_an_account_that_is_not_there_is_refused(plane: Plane) -> None:
    refused = await _refused(plane, serviceAccountName="nobody")
    assert (refused.code, refused.message) == (
        403,
        'pods "web" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
    )


async def test_a_mirror_pod_has_no_account(plane: Plane) -> None:
    obj: JSONObject = {"metadata": {"name": "web", "annotations": {"kubernetes.io/config.mirror": "hash"}}}
    with pytest.raises(StatusError) as refused:
        await plane.client.create(PODS, {**obj, "spec": pod_spec(serviceAccountName="default")}, "default")
    assert refused.value.message.endswith("a mirror pod may not reference service accounts")
    made = await plane.client.create(PODS, {**obj, "spec": pod_spec()}, "default")
    assert "serviceAccountName" not in made["spec"]


async def test_an_account_that_lists_its_secrets_lends_no_others(plane: Plane) -> None:
    metadata = {"name": "strict", "annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}}
    await plane.client.create(ACCOUNTS, {"metadata": metadata, "secrets": [{"name": "mine"}]}, "default")
    volume = {"name": "v", "secret": {"secretName": "other"}}
    refused = await _refused(plane, serviceAccountName="strict", volumes=[volume])
    assert refused.message.endswith(
        'volume with secret.secretName="other" is not allowed because service account strict does not reference '
        "that secret"
    )
    volume["secret"] = {"secretName": "mine"}
    await _run(plane, serviceAccountName="strict", volumes=[volume])


async def test_a_pod_bears_with_a_failing_node_for_five_minutes_unless_it_says_otherwise(plane: Plane) -> None:
    own = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"}
    spec = (await _run(plane, tolerations=[own]))["spec"]
    assert spec["tolerations"] == [
        own,
        {
            "key": "node.kubernetes.io/not-ready",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": 300,
        },
    ]


async def test_a_pod_has_the_priority_of_its_class(plane: Plane) -> None:
    plain = (await _run(plane))["spec"]
    assert (plain["priority"], plain["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    await plane.client.delete(PODS, "web", "default")
    await plane.client.create(
        CLASSES, {"metadata": {"name": "high"}, "value": 1000, "preemptionPolicy": "Never", "globalDefault": True}
    )
    for given in ({}, {"priorityClassName": "high"}, {"priorityClassName": "high", "priority": 1000}):
        spec = (await _run(plane, **given))["spec"]
        assert (spec["priorityClassName"], spec["priority"], spec["preemptionPolicy"]) == ("high", 1000, "Never")
        await plane.client.delete(PODS, "web", "default")


async def test_a_priority_is_not_for_clients_to_set(plane: Plane) -> None:
    assert (await _refused(plane, priority=5)).message == (
        'pods "web" is forbidden: the integer value of priority (5) must not be provided in pod spec; '
        "priority admission controller computed 0 from the given PriorityClass name"
    )
    assert (await _refused(plane, priorityClassName="none")).message == (
        'pods "web" is forbidden: no PriorityClass with name none was found'
    )


async def test_there_is_one_default_class(plane: Plane) -> None:
    await plane.client.create(CLASSES, {"metadata": {"name": "high"}, "value": 1000, "globalDefault": True})
    with pytest.raises(StatusError) as refused:
        await plane.client.create(CLASSES, {"metadata": {"name": "low"}, "value": 1, "globalDefault": True})
    assert refused.value.message == (
        'priorityclasses.scheduling.k8s.io "low" is forbidden: PriorityClass high is already marked as default. '
        "Only one default can exist"
    )
    await plane.client.patch(CLASSES, "high", {"metadata": {"labels": {"a": "b"}}})


async def test_a_pod_can_be_put_back_without_what_admission_gave_it(plane: Plane) -> None:
    made = await _run(plane)
    for key in ("priority", "preemptionPolicy", "tolerations"):
        del made["spec"][key]
    made["metadata"]["labels"] = {"a": "b"}
    changed = await plane.client.update(PODS, made)
    assert changed["spec"]["priority"] == 0
    assert len(changed["spec"]["tolerations"]) == 2


async def test_a_new_node_takes_no_pods_yet(plane: Plane) -> None:
    made = await plane.client.create(NODES, {"metadata": {"name": "n1"}})
    assert made["spec"]["taints"] == [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]
