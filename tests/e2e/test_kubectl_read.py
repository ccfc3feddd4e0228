"""kubectl reads from `trikube up`: get in all its forms, describe, explain, wait, events, auth, discovery."""

import re

import orjson
import pytest

from tests.support import crd
from tests.support.cluster import APPS, CORE, Cluster

_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "registry/app:1"}]}
"""


@pytest.fixture(scope="module", autouse=True)
def objects(cluster: Cluster) -> None:
    """What the tests of this file read and do not change."""
    cluster.apply(_DEPLOYMENT)
    for name, tier in (("b", "back"), ("a", "front"), ("c", "front")):
        cluster.ok("run", name, f"--image=registry/{name}:1", f"--labels=app=web,tier={tier}")
    cluster.ok("create", "namespace", "other")
    cluster.ok("create", "configmap", "far", "-n", "other", "--from-literal=a=b")


def columns(table: str) -> list[list[str]]:
    """The words of a table, line by line."""
    return [line.split() for line in table.splitlines()]


def test_get_prints_kubernetes_columns(cluster: Cluster) -> None:
    assert columns(cluster.ok("get", "pods"))[:2] == [
        ["NAME", "READY", "STATUS", "RESTARTS", "AGE"],
        ["a", "0/1", "Pending", "0", columns(cluster.ok("get", "pod", "a"))[1][-1]],
    ]


def test_get_wide_adds_the_columns_of_lower_priority(cluster: Cluster) -> None:
    head, row = columns(cluster.ok("get", "deployment", "web", "-o", "wide"))
    assert head == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"]
    assert row[:4] == ["web", "0/2", "0", "0"]
    assert row[5:] == ["main", "registry/app:1", "app=web"]


def test_get_prints_labels_as_columns(cluster: Cluster) -> None:
    head, row = columns(cluster.ok("get", "pod", "b", "-L", "tier", "--show-labels"))
    assert head[-2:] == ["TIER", "LABELS"]
    assert row[-2:] == ["back", "app=web,tier=back"]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("name", "pod/a\npod/b\npod/c\n"),
        ("jsonpath={.items[*].metadata.name}", "a b c"),
        (
            "jsonpath={range .items[*]}{.spec.containers[0].image}{'\\n'}{end}",
            "registry/a:1\nregistry/b:1\nregistry/c:1\n",
        ),
        ("go-template={{range .items}}{{.metadata.labels.tier}} {{end}}", "front back front "),
        ("custom-columns=N:.metadata.name", "N\na\nb\nc\n"),
    ],
)
def test_get_prints_in_the_form_asked_for(cluster: Cluster, form: str, expected: str) -> None:
    assert cluster.ok("get", "pods", "-o", form) == expected


def test_get_json_and_yaml_are_what_the_api_holds(cluster: Cluster) -> None:
    held = cluster.read(f"{CORE}/pods/a")
    shown = orjson.loads(cluster.ok("get", "pod", "a", "-o", "json", "--show-managed-fields"))
    assert shown == held
    assert f"uid: {held['metadata']['uid']}\n" in cluster.ok("get", "pod", "a", "-o", "yaml")


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        (("-l", "tier=front"), ["a", "c"]),
        (("-l", "tier in (back),app"), ["b"]),
        (("-l", "tier!=front"), ["b"]),
        (("--field-selector", "metadata.name=c"), ["c"]),
        (("--field-selector", "status.phase=Pending,metadata.name!=a"), ["b", "c"]),
        (("--field-selector", "spec.nodeName=somewhere"), []),
        (("--sort-by", "{.metadata.labels.tier}"), ["b", "a", "c"]),
        (("--chunk-size", "1"), ["a", "b", "c"]),
    ],
)
def test_get_selects_and_sorts(cluster: Cluster, flags: tuple[str, ...], names: list[str]) -> None:
    shown = cluster.ok("get", "pods", "-o", "jsonpath={.items[*].metadata.name}", *flags)
    assert shown.split() == names


def test_get_over_all_namespaces_names_them(cluster: Cluster) -> None:
    table = columns(cluster.ok("get", "configmaps", "-A", "--chunk-size=2"))
    assert table[0] == ["NAMESPACE", "NAME", "DATA", "AGE"]
    assert ["other", "far", "1"] in [row[:3] for row in table]
    assert table[1:] == sorted(table[1:])


def test_get_all_takes_the_kinds_of_the_category(cluster: Cluster) -> None:
    shown = {row[0] for row in columns(cluster.ok("get", "all")) if row}
    assert {"pod/a", "service/kubernetes", "deployment.apps/web"} <= shown


def test_get_of_what_is_not_there_says_so(cluster: Cluster) -> None:
    assert cluster.refused("get", "pod", "none") == 'Error from server (NotFound): pods "none" not found\n'
    assert cluster.ok("get", "pod", "none", "--ignore-not-found") == ""
    assert 'the server doesn\'t have a resource type "nothings"' in cluster.refused("get", "nothings")


def test_get_watch_shows_changes_as_rows(cluster: Cluster) -> None:
    watching = cluster.kubectl.background("get", "configmaps", "-w", "--output-watch-events", "-l", "watched=yes")
    try:
        assert watching.stdout is not None
        for name in ("one", "two"):
            cluster.apply(
                f'{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, labels: {{watched: "yes"}}}}}}'
            )
        cluster.ok("delete", "configmap", "one")
        lines = [watching.stdout.readline().split()[:3] for _ in range(4)]
    finally:
        watching.kill()
        watching.communicate()
    assert lines == [["EVENT", "NAME", "DATA"], ["ADDED", "one", "0"], ["ADDED", "two", "0"], ["DELETED", "one", "0"]]


def test_get_of_the_status_subresource(cluster: Cluster) -> None:
    assert columns(cluster.ok("get", "deployment", "web", "--subresource=status"))[1][:2] == ["web", "0/2"]
    assert columns(
        cluster.ok("get", "deployment", "web", "--subresource=scale", "-o", "jsonpath={.spec.replicas}")
    ) == [["2"]]


def test_get_raw_gives_what_the_path_answers(cluster: Cluster) -> None:
    assert cluster.ok("get", "--raw", "/readyz") == "ok"
    assert [item["metadata"]["name"] for item in cluster.read(f"{CORE}/pods?limit=2")["items"]] == ["a", "b"]
    assert "NotFound" in cluster.refused("get", "--raw", "/apis/none")


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("pod/a", ["Status: Pending", "Image: registry/a:1", "QoS Class: BestEffort", "Events: <none>"]),
        ("deployment/web", ["Selector: app=web", "Replicas: 2 desired", "StrategyType: RollingUpdate"]),
        ("service/kubernetes", ["IP: 10.96.0.1", "Port: https 443/TCP", "Session Affinity: None"]),
        ("namespace/other", ["Labels: kubernetes.io/metadata.name=other", "Status: Active"]),
        ("serviceaccount/default", ["Name: default", "Image pull secrets: <none>"]),
        ("clusterrole/view", ["Name: view", "pods/log"]),
        ("apiservice/v1.apps", ["Group: apps", "Reason: Local"]),
    ],
)
def test_describe(cluster: Cluster, what: str, expected: list[str]) -> None:
    said = " ".join(cluster.ok("describe", what).split())
    for words in expected:
        assert words in said, words


def test_describe_shows_the_events_of_an_object(cluster: Cluster) -> None:
    uid = cluster.read(f"{CORE}/pods/c")["metadata"]["uid"]
    cluster.apply({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "c.1", "namespace": "default"},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Pod",
            "namespace": "default",
            "name": "c",
            "uid": uid,
        },
        "reason": "Noticed",
        "message": "somebody looked",
        "type": "Normal",
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:00:00Z",
        "count": 1,
    })
    assert "somebody looked" in cluster.ok("describe", "pod", "c")
    assert "somebody looked" not in cluster.ok("describe", "pod", "a")
    listed = columns(cluster.ok("events", "--for", "pod/c"))
    assert [row[1:] for row in listed[1:]] == [["Normal", "Noticed", "Pod/c", "somebody", "looked"]]
    assert "somebody looked" in cluster.ok("get", "events", "--field-selector", "involvedObject.name=c")
    assert "somebody looked" in cluster.ok("get", "events.events.k8s.io")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("deployment.spec.strategy.rollingUpdate.maxSurge", "FIELD: maxSurge <IntOrString>"),
        ("pod.spec.containers.resources", "claims\t<[]ResourceClaim>"),
        ("cronjob.spec.concurrencyPolicy", "FIELD: concurrencyPolicy <string>"),
        ("customresourcedefinition.spec.versions.schema", "openAPIV3Schema\t<JSONSchemaProps>"),
        ("apiservice.spec.service", "port\t<integer>"),
        ("clusterrole.rules", "nonResourceURLs\t<[]string>"),
        ("node.status.conditions", "lastHeartbeatTime\t<string>"),
    ],
)
def test_explain(cluster: Cluster, path: str, expected: str) -> None:
    assert expected in cluster.ok("explain", path)


def test_explain_chooses_the_version(cluster: Cluster) -> None:
    assert "targetCPUUtilizationPercentage" in cluster.ok("explain", "hpa.spec", "--api-version=autoscaling/v1")
    assert "targetCPUUtilizationPercentage" not in cluster.ok("explain", "hpa.spec", "--api-version=autoscaling/v2")


def test_explain_goes_down_any_kind(cluster: Cluster) -> None:
    lines = columns(cluster.ok("api-resources", "--verbs=get", "--no-headers"))
    assert len(lines) > 50
    for kind, *_, version, _, _ in lines:
        said = cluster.ok("explain", kind, "--recursive", "--api-version", version)
        assert re.search(r"\n  metadata\t<ObjectMeta>.*\n    annotations\t<map\[string\]string>\n", said), kind


def test_explain_and_short_names_of_a_custom_resource(cluster: Cluster) -> None:
    definition = crd.definition("gizmos")
    definition["spec"]["names"]["shortNames"] = ["gz"]
    properties = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    properties["spec"] = {"type": "object", "properties": {"size": {"type": "integer", "description": "How large."}}}
    cluster.apply(definition)
    cluster.ok("wait", "--for=condition=Established", "crd/gizmos.stable.example.com")
    assert cluster.ok("get", "gz") == ""
    assert "How large." in cluster.ok("explain", "gz.spec.size")
    assert "gizmos" in cluster.ok("api-resources", "--api-group=stable.example.com", "-o", "name")


def test_api_resources_tell_kinds_verbs_and_short_names(cluster: Cluster) -> None:
    lines = columns(cluster.ok("api-resources", "--api-group=apps", "-o", "wide", "--no-headers"))
    verbs = "create,delete,deletecollection,get,list,patch,update,watch"
    assert ["deployments", "deploy", "apps/v1", "true", "Deployment", verbs, "all"] in lines
    unnamespaced = cluster.ok("api-resources", "--namespaced=false", "-o", "name").split()
    assert "nodes" in unnamespaced
    assert "pods" not in unnamespaced


def test_api_versions_are_the_served_ones(cluster: Cluster) -> None:
    listed = cluster.ok("api-versions").split()
    assert {"v1", "apps/v1", "autoscaling/v1", "autoscaling/v2", "apiregistration.k8s.io/v1"} <= set(listed)
    assert listed == sorted(listed)


def test_wait_returns_when_it_holds_and_fails_when_it_does_not(cluster: Cluster) -> None:
    assert cluster.ok("wait", "--for=jsonpath={.status.phase}=Pending", "pod/a") == "pod/a condition met\n"
    assert cluster.ok("wait", "--for=create", "pod/a") == "pod/a condition met\n"
    assert "timed out waiting" in cluster.refused("wait", "--for=condition=Ready", "pod/a", "--timeout=200ms")
    cluster.ok("wait", "--for=delete", "pod/none")


def test_wait_sees_a_deletion(cluster: Cluster) -> None:
    cluster.ok("create", "configmap", "going")
    waiting = cluster.kubectl.background("wait", "--for=delete", "configmap/going", "--timeout=30s")
    cluster.ok("delete", "configmap", "going")
    said, _ = waiting.communicate()
    assert waiting.returncode == 0, said


def test_who_am_i_and_what_may_i(cluster: Cluster) -> None:
    assert "kubernetes-admin" in cluster.ok("auth", "whoami")
    assert "[system:masters system:authenticated]" in cluster.ok("auth", "whoami")
    assert cluster.ok("auth", "can-i", "delete", "nodes") == "yes\n"
    refused = cluster.kubectl.run("auth", "can-i", "delete", "pods", "--as=jane")
    assert (refused.code, refused.out) == (1, "no\n")
    assert "*.*" in cluster.ok("auth", "can-i", "--list")
    assert "*.*" not in cluster.ok("auth", "can-i", "--list", "--as=jane")


def test_another_users_reads_are_refused(cluster: Cluster) -> None:
    said = cluster.refused("get", "pods", "--as=jane")
    assert (
        'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"' in said
    )


def test_cluster_info_version_and_config(cluster: Cluster) -> None:
    address = cluster.ok("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
    assert f"Kubernetes control plane is running at {address}" in cluster.ok("cluster-info")
    version = orjson.loads(cluster.ok("version", "-o", "json"))["serverVersion"]
    assert (version["major"], version["minor"]) == ("1", "37")
    assert cluster.ok("config", "current-context") == "kubernetes-admin@trikube\n"


def test_rollout_of_a_deployment_that_nobody_runs_is_waited_for(cluster: Cluster) -> None:
    assert cluster.read(f"{APPS}/deployments/web").get("status", {}).get("observedGeneration") is None
    assert "timed out" in cluster.refused("rollout", "status", "deployment/web", "--timeout=200ms")
