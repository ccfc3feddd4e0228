"""kubectl changes and deletes objects in `trikube up`: set, label, taint, scale, patch, rollout, delete."""

from base64 import b64encode

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from generic.types import JSONObject
from tests.support.cluster import APPS, CORE, RBAC, Cluster

_TEMPLATE: JSONObject = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "main", "image": "registry/app:1"}]},
}


def workload(kind: str, name: str, **spec: object) -> JSONObject:
    base = {"selector": {"matchLabels": {"app": "web"}}, "template": _TEMPLATE}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": {**base, **spec}}


@pytest.fixture(scope="module", autouse=True)
def node(cluster: Cluster) -> None:
    cluster.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}})


def container(cluster: Cluster, name: str) -> JSONObject:
    found: JSONObject = cluster.read(f"{APPS}/deployments/{name}")["spec"]["template"]["spec"]["containers"][0]
    return found


def test_set_changes_the_pod_template(cluster: Cluster) -> None:
    cluster.apply(workload("Deployment", "set"))
    cluster.ok("set", "image", "deployment/set", "main=registry/app:2")
    cluster.ok("set", "env", "deployment/set", "A=b", "C=d")
    cluster.ok("set", "env", "deployment/set", "C-")
    cluster.ok("set", "resources", "deployment/set", "--limits=cpu=200m,memory=64Mi", "--requests=cpu=100m")
    cluster.ok("set", "serviceaccount", "deployment/set", "default")
    changed = container(cluster, "set")
    assert changed["image"] == "registry/app:2"
    assert changed["env"] == [{"name": "A", "value": "b"}]
    assert changed["resources"] == {"limits": {"cpu": "200m", "memory": "64Mi"}, "requests": {"cpu": "100m"}}
    deployment = cluster.read(f"{APPS}/deployments/set")
    assert deployment["spec"]["template"]["spec"]["serviceAccountName"] == "default"
    assert deployment["metadata"]["generation"] == 6


def test_set_selector_and_subject(cluster: Cluster) -> None:
    cluster.ok("create", "service", "clusterip", "chosen", "--tcp=80")
    cluster.ok("set", "selector", "service", "chosen", "tier=back")
    assert cluster.read(f"{CORE}/services/chosen")["spec"]["selector"] == {"tier": "back"}
    cluster.ok("create", "rolebinding", "bound", "--clusterrole=view", "--user=a")
    cluster.ok("set", "subject", "rolebinding", "bound", "--serviceaccount=default:sa")
    subjects = cluster.read(f"{RBAC}/namespaces/default/rolebindings/bound")["subjects"]
    assert [subject["name"] for subject in subjects] == ["a", "sa"]


def test_label_and_annotate(cluster: Cluster) -> None:
    cluster.ok("create", "configmap", "marked")
    cluster.ok("label", "configmap", "marked", "a=1", "b=2")
    assert "already has a value" in cluster.refused("label", "configmap", "marked", "a=3")
    cluster.ok("label", "configmap", "marked", "a=3", "b-", "--overwrite")
    cluster.ok("annotate", "configmap", "marked", "note=some words")
    metadata = cluster.read(f"{CORE}/configmaps/marked")["metadata"]
    assert metadata["labels"] == {"a": "3"}
    assert metadata["annotations"] == {"note": "some words"}
    cluster.ok("label", "configmap", "marked", "a-")
    assert "labels" not in cluster.read(f"{CORE}/configmaps/marked")["metadata"]
    assert "a valid label must be" in cluster.refused("label", "configmap", "marked", "a=-")


def test_taint_cordon_uncordon_and_drain(cluster: Cluster) -> None:
    cluster.ok("taint", "node", "n1", "k=v:NoSchedule")
    cluster.ok("cordon", "n1")
    spec = cluster.read("/api/v1/nodes/n1")["spec"]
    assert spec["unschedulable"] is True
    assert {"key": "k", "value": "v", "effect": "NoSchedule"} in spec["taints"]
    cluster.ok("uncordon", "n1")
    cluster.ok("taint", "node", "n1", "k-")
    spec = cluster.read("/api/v1/nodes/n1")["spec"]
    assert "unschedulable" not in spec
    assert [taint["key"] for taint in spec.get("taints", [])] == ["node.kubernetes.io/not-ready"]


def test_drain_evicts_the_pods_of_a_node(cluster: Cluster) -> None:
    spec: JSONObject = {**_TEMPLATE["spec"], "nodeName": "n1", "terminationGracePeriodSeconds": 0}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "drained"}, "spec": spec})
    assert "pod/drained evicted" in cluster.ok("drain", "n1", "--force", "--timeout=20s")
    assert cluster.is_gone(f"{CORE}/pods/drained")
    cluster.ok("uncordon", "n1")


def test_scale_with_and_without_a_condition(cluster: Cluster) -> None:
    cluster.apply(workload("Deployment", "scaled", replicas=1))
    cluster.apply(workload("StatefulSet", "scaled", serviceName="s"))
    cluster.ok("scale", "deployment/scaled", "statefulset/scaled", "--replicas=3")
    assert "Expected replicas to be 9, was 3" in cluster.refused(
        "scale", "deployment/scaled", "--current-replicas=9", "--replicas=4"
    )
    for plural in ("deployments", "statefulsets"):
        assert cluster.read(f"{APPS}/{plural}/scaled")["spec"]["replicas"] == 3
        assert cluster.read(f"{APPS}/{plural}/scaled/scale")["spec"] == {"replicas": 3}


@pytest.mark.parametrize(
    ("form", "patch"),
    [
        ("strategic", {"spec": {"template": {"spec": {"containers": [{"name": "more", "image": "i"}]}}}}),
        (
            "json",
            [{"op": "add", "path": "/spec/template/spec/containers/-", "value": {"name": "more", "image": "i"}}],
        ),
        ("merge", {"spec": {"template": {"spec": {"containers": [{"name": "more", "image": "i"}]}}}}),
    ],
)
def test_patch_of_each_type(cluster: Cluster, form: str, patch: object) -> None:
    name = f"patched-{form}"
    cluster.apply(workload("Deployment", name))
    cluster.ok("patch", "deployment", name, f"--type={form}", "-p", orjson.dumps(patch).decode())
    containers = cluster.read(f"{APPS}/deployments/{name}")["spec"]["template"]["spec"]["containers"]
    # A merge patch replaces the list; a strategic one puts what is new in front.
    expected = {"strategic": ["more", "main"], "json": ["main", "more"], "merge": ["more"]}
    assert [container["name"] for container in containers] == expected[form]


def test_patch_of_the_status_subresource(cluster: Cluster) -> None:
    cluster.apply(workload("Deployment", "reported"))
    patch = '{"spec": {"replicas": 9}, "status": {"replicas": 2}}'
    cluster.ok("patch", "deployment", "reported", "--subresource=status", "--type=merge", "-p", patch)
    found = cluster.read(f"{APPS}/deployments/reported")
    assert (found["spec"]["replicas"], found["status"]["replicas"]) == (1, 2)


def revision(deployment: JSONObject, number: int) -> JSONObject:
    """A ReplicaSet as the deployment controller would have made it of image `registry/app:<number>`."""
    made = workload("ReplicaSet", f"{deployment['metadata']['name']}-{number}")
    template = orjson.loads(orjson.dumps(_TEMPLATE))
    template["metadata"]["labels"]["pod-template-hash"] = str(number)
    template["spec"]["containers"][0]["image"] = f"registry/app:{number}"
    made["spec"]["template"] = template
    made["spec"]["selector"]["matchLabels"] = template["metadata"]["labels"]
    made["metadata"]["labels"] = template["metadata"]["labels"]
    made["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": str(number)}
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "controller": True}
    made["metadata"]["ownerReferences"] = [{**owner, **{k: deployment["metadata"][k] for k in ("name", "uid")}}]
    return made


def test_rollout_history_and_undo_on_hand_made_replica_sets(cluster: Cluster) -> None:
    cluster.apply(workload("Deployment", "rolled"))
    cluster.ok("set", "image", "deployment/rolled", "main=registry/app:2")
    cluster.ok("annotate", "deployment", "rolled", "deployment.kubernetes.io/revision=2")
    deployment = cluster.read(f"{APPS}/deployments/rolled")
    for number in (1, 2):
        cluster.apply(revision(deployment, number))
    lines = cluster.ok("rollout", "history", "deployment/rolled").split()
    assert lines[-4:] == ["1", "<none>", "2", "<none>"]
    assert "registry/app:1" in cluster.ok("rollout", "history", "deployment/rolled", "--revision=1")
    cluster.ok("rollout", "undo", "deployment/rolled", "--to-revision=1")
    template = cluster.read(f"{APPS}/deployments/rolled")["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == "registry/app:1"
    assert "pod-template-hash" not in template["metadata"]["labels"]


def test_rollout_status_reads_the_status(cluster: Cluster) -> None:
    cluster.apply(workload("Deployment", "done"))
    assert "timed out" in cluster.refused("rollout", "status", "deployment/done", "--timeout=200ms")
    done = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}
    patch = orjson.dumps({"status": done}).decode()
    cluster.ok("patch", "deployment", "done", "--subresource=status", "--type=merge", "-p", patch)
    assert cluster.ok("rollout", "status", "deployment/done") == 'deployment "done" successfully rolled out\n'


def test_rollout_restart_pause_and_resume(cluster: Cluster) -> None:
    cluster.apply(workload("Deployment", "turned"))
    cluster.ok("rollout", "restart", "deployment/turned")
    cluster.ok("rollout", "pause", "deployment/turned")
    spec = cluster.read(f"{APPS}/deployments/turned")["spec"]
    assert spec["paused"] is True
    assert "kubectl.kubernetes.io/restartedAt" in spec["template"]["metadata"]["annotations"]
    cluster.ok("rollout", "resume", "deployment/turned")
    assert "paused" not in cluster.read(f"{APPS}/deployments/turned")["spec"]


@pytest.mark.parametrize(("verb", "condition"), [("approve", "Approved"), ("deny", "Denied")])
def test_certificate(cluster: Cluster, verb: str, condition: str) -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jane")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    request = builder.sign(ec.generate_private_key(ec.SECP256R1()), SHA256())
    cluster.apply({
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": f"to-{verb}"},
        "spec": {
            "request": b64encode(request.public_bytes(Encoding.PEM)).decode(),
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["client auth"],
        },
    })
    cluster.ok("certificate", verb, f"to-{verb}")
    found = cluster.read(f"/apis/certificates.k8s.io/v1/certificatesigningrequests/to-{verb}")
    assert [(c["type"], c["status"]) for c in found["status"]["conditions"]] == [(condition, "True")]
    assert found["spec"]["username"] == "kubernetes-admin"


def test_delete_by_name_label_and_all(cluster: Cluster) -> None:
    cluster.ok("create", "namespace", "emptied")
    for name in ("a", "b", "c", "d"):
        cluster.ok("create", "configmap", name, "-n", "emptied")
    cluster.ok("label", "configmap", "b", "c", "out=yes", "-n", "emptied")
    assert cluster.ok("delete", "configmap", "a", "-n", "emptied") == 'configmap "a" deleted from emptied namespace\n'
    cluster.ok("delete", "configmap", "-l", "out=yes", "-n", "emptied")
    left = cluster.ok("get", "configmap", "-n", "emptied", "-o", "name").split()
    assert "configmap/d" in left
    assert not {"configmap/a", "configmap/b", "configmap/c"} & set(left)
    cluster.ok("delete", "configmap", "d", "-n", "emptied", "--dry-run=server")
    assert not cluster.is_gone("/api/v1/namespaces/emptied/configmaps/d")
    cluster.ok("delete", "configmap", "--all", "-n", "emptied")
    assert cluster.is_gone("/api/v1/namespaces/emptied/configmaps/d")
    assert "NotFound" in cluster.refused("delete", "configmap", "d", "-n", "emptied")
    assert cluster.ok("delete", "configmap", "d", "-n", "emptied", "--ignore-not-found") == ""
    cluster.ok("delete", "namespace", "emptied")
    assert cluster.is_gone("/api/v1/namespaces/emptied")


def bound_pod(cluster: Cluster, name: str) -> str:
    """The path of a pod on a node, which a kubelet would have to let go."""
    cluster.apply({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {**_TEMPLATE["spec"], "nodeName": "n1"},
    })
    return f"{CORE}/pods/{name}"


def test_delete_waits_for_the_kubelet_unless_told_not_to(cluster: Cluster) -> None:
    path = bound_pod(cluster, "graceful")
    cluster.ok("delete", "pod", "graceful", "--wait=false")
    assert cluster.read(path)["metadata"]["deletionGracePeriodSeconds"] == 30
    cluster.ok("delete", "pod", "graceful", "--now", "--wait=false")
    assert cluster.read(path)["metadata"]["deletionGracePeriodSeconds"] == 1
    cluster.ok("delete", "pod", "graceful", "--force", "--grace-period=0")
    assert cluster.is_gone(path)


@pytest.mark.parametrize("cascade", ["background", "foreground", "orphan"])
def test_delete_with_each_cascade(cluster: Cluster, cascade: str) -> None:
    name = f"owner-{cascade}"
    cluster.apply(workload("Deployment", name))
    child = revision(cluster.read(f"{APPS}/deployments/{name}"), 1)
    child["metadata"]["ownerReferences"][0]["blockOwnerDeletion"] = True
    cluster.apply(child)
    cluster.ok("delete", "deployment", name, f"--cascade={cascade}")
    assert cluster.is_gone(f"{APPS}/deployments/{name}")
    path = f"{APPS}/replicasets/{name}-1"
    if cascade == "orphan":
        assert "ownerReferences" not in cluster.read(path)["metadata"]
    else:
        cluster.ok("wait", "--for=delete", f"replicaset/{name}-1", "--timeout=20s")
        assert cluster.is_gone(path)
