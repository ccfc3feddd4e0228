"""Validation beyond the schema, in Kubernetes' words."""

import pytest

from generic.types import JSONObject
from tests.support.builtin import pod_spec, problems, update_problems, workload


def _pod(**spec: object) -> JSONObject:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": pod_spec(**spec)}


def _config(**more: object) -> JSONObject:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, **more}


def _service(**spec: object) -> JSONObject:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": spec}


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"])
def test_a_plain_workload_is_valid(kind: str) -> None:
    assert problems(workload(kind)) == []


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"])
def test_a_workload_must_select_its_own_pods(kind: str) -> None:
    assert problems(workload(kind, selector={"matchLabels": {"app": "other"}})) == [
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'
    ]


def test_an_empty_selector_is_refused() -> None:
    assert problems(workload("Deployment", selector={})) == [
        "spec.selector: Invalid value: {}: empty selector is invalid for deployment"
    ]


def test_the_selector_of_a_deployment_never_changes() -> None:
    changed = workload(
        "Deployment",
        selector={"matchLabels": {"app": "new"}},
        template={"metadata": {"labels": {"app": "new"}}, "spec": pod_spec()},
    )
    assert update_problems(changed, workload("Deployment")) == [
        'spec.selector: Invalid value: {"matchLabels":{"app":"new"}}: field is immutable'
    ]


def test_pods_of_a_deployment_restart_always() -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod_spec(restartPolicy="Never")}
    assert problems(workload("Deployment", template=template)) == [
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'
    ]


def test_a_job_says_when_its_pods_end() -> None:
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j"},
        "spec": {"template": {"spec": pod_spec()}},
    }
    assert problems(job) == ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']


def test_a_stateful_set_changes_only_where_it_may() -> None:
    found = update_problems(workload("StatefulSet", serviceName="b", replicas=3), workload("StatefulSet"))
    assert found == [
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
        "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' "
        "are forbidden"
    ]
    assert update_problems(workload("StatefulSet", replicas=3), workload("StatefulSet")) == []


def test_containers_of_a_stateful_set_mount_its_claims_and_nothing_else() -> None:
    def mounting(name: str) -> JSONObject:
        template = workload("StatefulSet")["spec"]["template"]
        template["spec"]["containers"][0]["volumeMounts"] = [{"name": name, "mountPath": "/data"}]
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        claims = [{"metadata": {"name": "data"}, "spec": claim}]
        return workload("StatefulSet", template=template, volumeClaimTemplates=claims)

    assert problems(mounting("data")) == []
    assert problems(mounting("other")) == ['spec.template.spec.containers[0].volumeMounts[0].name: Not found: "other"']


def test_everything_wrong_with_a_pod_is_said_at_once() -> None:
    container = {
        "name": "A",
        "volumeMounts": [{"name": "gone", "mountPath": "/x"}],
        "ports": [{"containerPort": 70000}],
    }
    assert problems(_pod(containers=[container], restartPolicy="Sometimes")) == [
        'spec.containers[0].name: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case '
        "alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or "
        "'123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
        "spec.containers[0].image: Required value",
        "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
        'spec.containers[0].volumeMounts[0].name: Not found: "gone"',
        'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
    ]


def test_container_names_are_unique() -> None:
    twice = [{"name": "a", "image": "x"}, {"name": "a", "image": "y"}]
    assert problems(_pod(containers=twice)) == ['spec.containers[1].name: Duplicate value: "a"']


def test_requests_stay_within_limits() -> None:
    resources = {"requests": {"cpu": "2"}, "limits": {"cpu": "1500m"}}
    assert problems(_pod(containers=[{"name": "a", "image": "x", "resources": resources}])) == [
        'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1500m'
    ]


def test_of_a_pod_only_the_image_changes() -> None:
    assert update_problems(_pod(containers=[{"name": "main", "image": "registry/app:2"}]), _pod()) == []
    found = update_problems(_pod(hostname="h"), _pod())
    assert len(found) == 1
    assert found[0].startswith("spec: Forbidden: pod updates may not change fields other than `spec.containers[*]")


def test_pods_gain_tolerations_and_lose_none() -> None:
    taint = {"key": "a", "operator": "Exists"}
    assert update_problems(_pod(tolerations=[taint]), _pod()) == []
    assert update_problems(_pod(tolerations=[]), _pod(tolerations=[taint])) != []


def test_keys_of_a_config_map_make_file_names() -> None:
    assert problems(_config(data={"fine.txt": ""})) == []
    assert problems(_config(data={"not fine": ""})) == [
        'data[not fine]: Invalid value: "not fine": a valid config key must consist of alphanumeric characters, '
        "'-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
        "'[-._a-zA-Z0-9]+')"
    ]


def test_an_immutable_config_map_stays_as_it_is() -> None:
    old = _config(data={"a": "1"}, immutable=True)
    assert update_problems(_config(data={"a": "2"}), old) == [
        "immutable: Forbidden: field is immutable when `immutable` is set",
        "data: Forbidden: field is immutable when `immutable` is set",
    ]
    assert update_problems(old, old) == []


def test_a_config_map_holds_a_megabyte() -> None:
    assert problems(_config(data={"a": "x" * (1024 * 1024)})) == []
    assert problems(_config(data={"a": "x" * (1024 * 1024 + 1)})) == [
        "[]: Too long: may not be more than 1048576 bytes"
    ]


def test_the_type_of_a_secret_demands_its_keys_and_never_changes() -> None:
    tls = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "t"}, "type": "kubernetes.io/tls"}
    assert problems(tls) == ["data[tls.crt]: Required value", "data[tls.key]: Required value"]
    opaque = {**tls, "type": "Opaque"}
    assert update_problems({**opaque, "type": "other"}, opaque) == ['type: Invalid value: "other": field is immutable']


def test_a_service_needs_ports_unless_nothing_listens() -> None:
    assert problems(_service()) == ["spec.ports: Required value"]
    assert problems(_service(clusterIP="None")) == []
    assert problems(_service(type="ExternalName", externalName="example.com")) == []


def test_service_ports_have_names_where_there_are_several() -> None:
    assert problems(_service(ports=[{"port": 80, "name": "a"}, {"port": 81}])) == ["spec.ports[1].name: Required value"]


def test_values_outside_an_enumeration_name_the_ones_inside() -> None:
    assert problems(_service(type="Magic", ports=[{"port": 80, "protocol": "HTTP"}])) == [
        'spec.ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"',
        'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", '
        '"NodePort"',
    ]


def test_a_role_binding_keeps_its_role() -> None:
    old = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "b"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "one"},
    }
    new = {**old, "roleRef": {**old["roleRef"], "name": "two"}}  # type: ignore[dict-item]
    assert update_problems(new, old) == [
        'roleRef: Invalid value: {"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"two"}: '
        "cannot change roleRef"
    ]


def test_rules_of_a_role_are_about_resources() -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}}
    assert problems({**role, "rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"]}]}) == [
        'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs'
    ]
    assert problems({**role, "rules": [{"verbs": [], "apiGroups": [""], "resources": ["pods"]}]}) == [
        "rules[0].verbs: Required value: verbs must contain at least one value"
    ]


def test_an_event_lies_where_its_object_lies() -> None:
    event = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "a"}}
    assert problems({**event, "involvedObject": {"namespace": "b"}}) == [
        'involvedObject.namespace: Invalid value: "b": does not match event.namespace'
    ]
    assert problems({**event, "involvedObject": {"namespace": "a"}}) == []
