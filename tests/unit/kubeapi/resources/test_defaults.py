"""Defaults: what an object says after the server filled in what its author left open."""

import base64

import pytest

from generic.registry.options import DeleteOptions
from generic.request.user import UserInfo
from generic.types import JSONObject
from tests.support.builtin import copy, created, kind, pod_spec, request, workload


def test_a_deployment_rolls_one_replica_forward_a_quarter_at_a_time() -> None:
    spec = created(workload("Deployment"))["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
    assert (spec["progressDeadlineSeconds"], spec["revisionHistoryLimit"]) == (600, 10)


def test_pod_templates_get_the_defaults_of_pods() -> None:
    spec = created(workload("Deployment"))["spec"]["template"]["spec"]
    assert spec["restartPolicy"] == "Always"
    assert spec["dnsPolicy"] == "ClusterFirst"
    assert spec["schedulerName"] == "default-scheduler"
    assert spec["terminationGracePeriodSeconds"] == 30
    assert spec["securityContext"] == {}
    assert "enableServiceLinks" not in spec, "only pods themselves say that"
    assert spec["containers"] == [
        {
            "name": "main",
            "image": "registry/app:1",
            "imagePullPolicy": "IfNotPresent",
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "resources": {},
        }
    ]


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.2", "IfNotPresent"),
        ("host:5000/nginx", "Always"),
        ("host:5000/nginx:2", "IfNotPresent"),
        ("nginx@sha256:abc", "IfNotPresent"),
        ("nginx:latest@sha256:abc", "Always"),
        ("HOST/a__b/c", "Always"),
        ("Not_Valid!", "IfNotPresent"),
        ("a//b", "IfNotPresent"),
        ("a" * 64, "IfNotPresent"),
    ],
)
def test_images_are_pulled_anew_where_the_tag_may_move(image: str, policy: str) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {"containers": [{"name": "a", "image": image}]}}
    assert created(pod)["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_what_is_said_is_kept() -> None:
    given = workload("Deployment", replicas=0, strategy={"type": "Recreate"}, revisionHistoryLimit=0)
    spec = created(given)["spec"]
    assert (spec["replicas"], spec["revisionHistoryLimit"], spec["strategy"]) == (0, 0, {"type": "Recreate"})


def test_defaulting_twice_changes_nothing() -> None:
    for name in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"):
        once = created(workload(name))
        again = copy(once)
        kind("apps/v1", name).strategy.default(again)
        assert again == once


def test_a_pod_starts_pending_and_promises_its_limits() -> None:
    container = {"name": "a", "image": "a:1", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}
    pod = created({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container]}})
    assert pod["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "1", "memory": "1Gi"}
    assert pod["status"] == {"phase": "Pending", "qosClass": "Guaranteed"}


def test_a_client_cannot_give_a_new_object_a_status() -> None:
    obj = workload("Deployment")
    obj["status"] = {"readyReplicas": 7}
    assert created(obj)["status"] == {}
    assert created(workload("ReplicaSet"))["status"] == {"replicas": 0}


def test_a_main_write_keeps_the_stored_status() -> None:
    old, new = created(workload("Deployment")), created(workload("Deployment"))
    old["status"], new["status"] = {"readyReplicas": 3}, {"readyReplicas": 9}
    kind("apps/v1", "Deployment").strategy.prepare_for_update(request(), new, old)
    assert new["status"] == {"readyReplicas": 3}


def test_a_service_gets_type_protocol_and_target_port() -> None:
    service = created({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s"},
        "spec": {"ports": [{"port": 80}]},
    })
    assert service["spec"] == {
        "type": "ClusterIP",
        "sessionAffinity": "None",
        "internalTrafficPolicy": "Cluster",
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
    }
    assert service["status"] == {"loadBalancer": {}}


def test_a_given_cluster_ip_is_kept_and_survives_an_update_without_it() -> None:
    spec: JSONObject = {"clusterIP": "10.0.0.9", "ports": [{"port": 80}]}
    old = created({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": spec})
    assert old["spec"]["clusterIPs"] == ["10.0.0.9"]
    new = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [{"port": 81}]}}
    strategy = kind("v1", "Service").strategy
    strategy.default(new)
    strategy.prepare_for_update(request(), new, old)
    assert new["spec"]["clusterIP"] == "10.0.0.9"  # type: ignore[index]


def test_string_data_of_a_secret_becomes_data() -> None:
    secret = created({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "data": {"kept": "eA=="},
        "stringData": {"plain": "hällo"},
    })
    assert "stringData" not in secret
    assert secret["type"] == "Opaque"
    assert base64.b64decode(secret["data"]["plain"]).decode() == "hällo"
    assert secret["data"]["kept"] == "eA=="


def test_a_namespace_is_active_finalized_and_labelled_with_its_name() -> None:
    namespace = created({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    assert namespace["spec"] == {"finalizers": ["kubernetes"]}
    assert namespace["status"] == {"phase": "Active"}
    assert namespace["metadata"]["labels"] == {"kubernetes.io/metadata.name": "shop"}


def test_an_update_cannot_take_a_namespace_its_finalizers() -> None:
    old = created({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    new = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}, "spec": {"finalizers": []}}
    strategy = kind("v1", "Namespace").strategy
    strategy.prepare_for_update(request(), new, old)
    assert new["spec"] == {"finalizers": ["kubernetes"]}
    assert strategy.default_finalizers_block(old)


def test_events_live_an_hour() -> None:
    assert kind("v1", "Event").strategy.ttl({}) == 3600
    assert kind("events.k8s.io/v1", "Event").strategy.ttl({}) == 3600


def test_role_references_need_no_group() -> None:
    binding = created({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "b"},
        "roleRef": {"kind": "Role", "name": "r"},
        "subjects": [{"kind": "User", "name": "jane"}, {"kind": "ServiceAccount", "name": "sa"}],
    })
    assert binding["roleRef"]["apiGroup"] == "rbac.authorization.k8s.io"
    assert binding["subjects"][0]["apiGroup"] == "rbac.authorization.k8s.io"
    assert "apiGroup" not in binding["subjects"][1]


def test_a_job_selects_pods_by_its_uid() -> None:
    job = created({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j"},
        "spec": {"template": {"spec": pod_spec(restartPolicy="Never")}},
    })
    job["metadata"]["uid"] = "u-1"
    kind("batch/v1", "Job").strategy.canonicalize(job)
    assert job["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": "u-1"}}
    assert job["spec"]["template"]["metadata"]["labels"]["job-name"] == "j"
    assert (job["spec"]["completions"], job["spec"]["parallelism"], job["spec"]["backoffLimit"]) == (1, 1, 6)


def test_who_asks_for_a_certificate_is_who_was_authenticated() -> None:
    obj = {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": "c"},
        "spec": {"username": "root", "groups": ["system:masters"], "signerName": "a.io/b", "request": "eA=="},
    }
    strategy = kind("certificates.k8s.io/v1", "CertificateSigningRequest").strategy
    strategy.default(obj)
    strategy.prepare_for_create(request(UserInfo("jane", ("dev",))), obj)
    spec = obj["spec"]
    assert isinstance(spec, dict)
    assert (spec["username"], spec["groups"]) == ("jane", ["dev"])


@pytest.mark.parametrize(
    ("spec", "options", "expected"),
    [
        ({"terminationGracePeriodSeconds": 30}, None, 0),
        ({"terminationGracePeriodSeconds": 30, "nodeName": "n"}, None, 30),
        ({"terminationGracePeriodSeconds": 30, "nodeName": "n"}, 5, 5),
        ({"nodeName": "n"}, 0, 0),
    ],
)
def test_pods_are_deleted_gracefully_where_a_node_has_them(
    spec: JSONObject, options: int | None, expected: int
) -> None:
    asked = DeleteOptions(grace_period_seconds=options)
    assert kind("v1", "Pod").strategy.grace_period({"spec": spec}, asked) == expected
