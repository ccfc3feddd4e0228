"""What a write of `/status` may change of an object's metadata: most built-in kinds leave it open, as in Kubernetes."""

import pytest

from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from tests.support.kubeapi import Plane

pytestmark = pytest.mark.anyio

OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u"}
TOUCHED = {"annotations": {"a": "b"}, "labels": {"c": "d"}, "ownerReferences": [OWNER]}
NAMESPACES = GroupVersionResource("", "v1", "namespaces")
DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")
PODS = GroupVersionResource("", "v1", "pods")
SCHEMAS = GroupVersionResource("flowcontrol.apiserver.k8s.io", "v1", "flowschemas")
POD: JSONObject = {"containers": [{"name": "c", "image": "i"}]}
LABELS = {"app": "x"}


@pytest.mark.parametrize(
    ("gvr", "spec", "namespace", "changed"),
    [
        (NAMESPACES, {}, "", {"annotations", "labels", "ownerReferences"}),
        (
            DEPLOYMENTS,
            {"selector": {"matchLabels": LABELS}, "template": {"metadata": {"labels": LABELS}, "spec": POD}},
            "default",
            {"annotations", "ownerReferences"},
        ),
        (PODS, POD, "default", {"annotations", "labels"}),
        (SCHEMAS, {"priorityLevelConfiguration": {"name": "exempt"}, "matchingPrecedence": 7}, "", set()),
    ],
    ids=["namespaces", "deployments", "pods", "flowschemas"],
)
async def test_each_kind_says_which_metadata_goes_with_status(
    plane: Plane, gvr: GroupVersionResource, spec: JSONObject, namespace: str, changed: set[str]
) -> None:
    metadata = {"name": "one", **({"namespace": namespace} if namespace else {})}
    await plane.client.create(gvr, {"metadata": metadata, "spec": spec})
    patch = {"metadata": TOUCHED, "status": {}}
    answer = await plane.client.patch(gvr, "one", patch, namespace=namespace, subresource="status")
    # A namespace has a label of its own beside.
    answer["metadata"].get("labels", {}).pop("kubernetes.io/metadata.name", None)
    found = {key for key, value in TOUCHED.items() if answer["metadata"].get(key) == value}
    assert found == changed
    managers = {entry.get("subresource", "") for entry in answer["metadata"].get("managedFields", ())}
    assert ("status" in managers) == bool(changed)
