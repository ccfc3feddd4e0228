"""kubectl brings objects into being in `trikube up`: create of every kind it knows, run, expose, autoscale, apply."""

import base64
from pathlib import Path
from typing import Any

import orjson
import pytest

from generic.types import JSONObject
from tests.support.cluster import APPS, BATCH, CORE, RBAC, Cluster


def at(obj: JSONObject, *path: str | int) -> Any:
    """What an object holds at a path."""
    value: Any = obj
    for step in path:
        value = value[step]
    return value


@pytest.mark.parametrize(
    ("command", "path", "where", "expected"),
    [
        ("configmap cm --from-literal=a=b", f"{CORE}/configmaps/cm", ("data",), {"a": "b"}),
        ("secret generic s --from-literal=a=b", f"{CORE}/secrets/s", ("data", "a"), base64.b64encode(b"b").decode()),
        (
            "secret docker-registry dr --docker-username=u --docker-password=p",
            f"{CORE}/secrets/dr",
            ("type",),
            "kubernetes.io/dockerconfigjson",
        ),
        ("namespace made", "/api/v1/namespaces/made", ("status", "phase"), "Active"),
        ("serviceaccount sa", f"{CORE}/serviceaccounts/sa", ("metadata", "name"), "sa"),
        (
            "quota q --hard=pods=5,secrets=20",
            f"{CORE}/resourcequotas/q",
            ("spec", "hard"),
            {"pods": "5", "secrets": "20"},
        ),
        ("deployment d --image=i --replicas=3", f"{APPS}/deployments/d", ("spec", "replicas"), 3),
        ("job j --image=i -- date", f"{BATCH}/jobs/j", ("spec", "template", "spec", "restartPolicy"), "Never"),
        ("cronjob cj --image=i --schedule=@daily", f"{BATCH}/cronjobs/cj", ("spec", "concurrencyPolicy"), "Allow"),
        ("service clusterip ci --tcp=80:8080", f"{CORE}/services/ci", ("spec", "ports", 0, "targetPort"), 8080),
        (
            "service nodeport np --tcp=80 --node-port=30123",
            f"{CORE}/services/np",
            ("spec", "ports", 0, "nodePort"),
            30123,
        ),
        ("service loadbalancer lb --tcp=80", f"{CORE}/services/lb", ("spec", "allocateLoadBalancerNodePorts"), True),
        ("service externalname en --external-name=a.b", f"{CORE}/services/en", ("spec", "type"), "ExternalName"),
        (
            "poddisruptionbudget b --selector=a=b --min-available=1",
            "/apis/policy/v1/namespaces/default/poddisruptionbudgets/b",
            ("spec", "minAvailable"),
            1,
        ),
        (
            "ingress in --rule=a.b/x*=svc:80",
            "/apis/networking.k8s.io/v1/namespaces/default/ingresses/in",
            ("spec", "rules", 0, "http", "paths", 0, "pathType"),
            "Prefix",
        ),
        (
            "priorityclass pc --value=7",
            "/apis/scheduling.k8s.io/v1/priorityclasses/pc",
            ("preemptionPolicy",),
            "PreemptLowerPriority",
        ),
        ("role r --verb=get --resource=pods", f"{RBAC}/namespaces/default/roles/r", ("rules", 0, "verbs"), ["get"]),
        (
            "clusterrole cr --verb=get --non-resource-url=/x",
            f"{RBAC}/clusterroles/cr",
            ("rules", 0, "nonResourceURLs"),
            ["/x"],
        ),
        (
            "rolebinding rb --clusterrole=view --user=jane",
            f"{RBAC}/namespaces/default/rolebindings/rb",
            ("subjects",),
            [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "jane"}],
        ),
        (
            "clusterrolebinding crb --clusterrole=view --group=g",
            f"{RBAC}/clusterrolebindings/crb",
            ("roleRef", "name"),
            "view",
        ),
    ],
)
def test_create(cluster: Cluster, command: str, path: str, where: tuple[str | int, ...], expected: object) -> None:
    assert cluster.ok("create", *command.split()).endswith(" created\n")
    assert at(cluster.read(path), *where) == expected


def test_create_tls_secret_from_files(cluster: Cluster) -> None:
    pki = cluster.process.folder / "pki"
    cluster.ok("create", "secret", "tls", "tls", f"--cert={pki / 'apiserver.crt'}", f"--key={pki / 'apiserver.key'}")
    assert cluster.read(f"{CORE}/secrets/tls")["type"] == "kubernetes.io/tls"


def test_create_token_is_accepted(cluster: Cluster) -> None:
    cluster.ok("create", "serviceaccount", "caller")
    token = cluster.ok("create", "token", "caller", "--duration=1h")
    address = cluster.ok("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
    authority = cluster.process.folder / "pki" / "ca.crt"
    flags = (f"--server={address}", f"--certificate-authority={authority}", "--kubeconfig=/dev/null")
    said = cluster.ok("auth", "whoami", "-o", "json", f"--token={token}", *flags)
    assert orjson.loads(said)["status"]["userInfo"]["username"] == "system:serviceaccount:default:caller"


def test_create_job_from_a_cron_job(cluster: Cluster) -> None:
    cluster.ok("create", "cronjob", "origin", "--image=i", "--schedule=@daily")
    cluster.ok("create", "job", "copy", "--from=cronjob/origin")
    owner = at(cluster.read(f"{BATCH}/jobs/copy"), "metadata", "ownerReferences", 0, "name")
    assert owner == "origin"


def test_create_says_what_is_there_already_and_what_is_wrong(cluster: Cluster) -> None:
    cluster.ok("create", "configmap", "twice")
    assert cluster.refused("create", "configmap", "twice") == (
        'error: failed to create configmap: configmaps "twice" already exists\n'
    )
    said = cluster.refused("create", "configmap", "Not_A_Name")
    assert 'ConfigMap "Not_A_Name" is invalid: metadata.name: Invalid value: "Not_A_Name": a lowercase RFC 1123' in said


def test_create_with_a_server_side_dry_run_stores_nothing(cluster: Cluster) -> None:
    shown = cluster.ok("create", "deployment", "dry", "--image=i", "--dry-run=server", "-o", "json")
    assert at(orjson.loads(shown), "spec", "strategy", "type") == "RollingUpdate"
    assert cluster.is_gone(f"{APPS}/deployments/dry")


def test_run_and_expose(cluster: Cluster) -> None:
    cluster.ok("run", "web", "--image=registry/web:1", "--port=80", "--env=A=b", "--labels=app=web")
    cluster.ok("expose", "pod", "web", "--port=8080", "--target-port=80", "--name=front")
    pod, service = cluster.read(f"{CORE}/pods/web"), cluster.read(f"{CORE}/services/front")
    assert at(pod, "spec", "containers", 0, "env") == [{"name": "A", "value": "b"}]
    assert at(service, "spec", "selector") == {"app": "web"}
    assert at(service, "spec", "ports", 0, "targetPort") == 80
    assert str(at(service, "spec", "clusterIP")).startswith("10.")


def test_autoscale(cluster: Cluster) -> None:
    cluster.ok("create", "deployment", "elastic", "--image=i")
    cluster.ok("autoscale", "deployment", "elastic", "--min=2", "--max=5", "--cpu=70%")
    both = [
        cluster.read(f"/apis/autoscaling/{version}/namespaces/default/horizontalpodautoscalers/elastic")["spec"]
        for version in ("v1", "v2")
    ]
    assert both[0]["targetCPUUtilizationPercentage"] == 70
    assert at(both[1], "metrics", 0, "resource", "target") == {"type": "Utilization", "averageUtilization": 70}


def config_map(name: str, value: str, label: str = "") -> JSONObject:
    metadata: JSONObject = {"name": name, "namespace": "default"}
    if label:
        metadata["labels"] = {"set": label}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"value": value}}


def test_apply_creates_configures_and_leaves_alone(cluster: Cluster) -> None:
    assert cluster.apply(config_map("applied", "1", "a")) == "configmap/applied created\n"
    assert cluster.apply(config_map("applied", "1", "a")) == "configmap/applied unchanged\n"
    assert cluster.apply(config_map("applied", "2", "a")) == "configmap/applied configured\n"
    without = config_map("applied", "2")
    del without["data"]
    assert cluster.apply(without) == "configmap/applied configured\n"
    held = cluster.read(f"{CORE}/configmaps/applied")
    assert "data" not in held
    assert "labels" not in held["metadata"]


def test_apply_with_prune_deletes_what_the_manifest_no_longer_names(cluster: Cluster) -> None:
    flags = ("apply", "--prune", "-l", "set=pruned", "--prune-allowlist=core/v1/ConfigMap", "-f", "-")
    both = (
        orjson.dumps(config_map("stays", "1", "pruned")) + b"\n---\n" + orjson.dumps(config_map("goes", "1", "pruned"))
    )
    cluster.ok(*flags, stdin=both.decode())
    said = cluster.ok(*flags, stdin=orjson.dumps(config_map("stays", "1", "pruned")).decode())
    assert said == "configmap/stays unchanged\nconfigmap/goes pruned\n"
    assert cluster.is_gone(f"{CORE}/configmaps/goes")


def test_apply_names_the_typo(cluster: Cluster) -> None:
    wrong = orjson.dumps({**config_map("typo", "1"), "dat": {}}).decode()
    said = cluster.refused("apply", "-f", "-", stdin=wrong)
    assert 'strict decoding error: unknown field "dat"' in said
    warned = cluster.kubectl.run("apply", "--validate=warn", "-f", "-", stdin=wrong)
    assert (warned.code, warned.err) == (0, 'Warning: unknown field "dat"\n')


def test_diff_tells_changes_by_its_exit_code(cluster: Cluster) -> None:
    cluster.apply(config_map("differs", "1"))
    assert cluster.ok("diff", "-f", "-", stdin=orjson.dumps(config_map("differs", "1")).decode()) == ""
    changed = cluster.kubectl.run("diff", "-f", "-", stdin=orjson.dumps(config_map("differs", "2")).decode())
    assert changed.code == 1
    lines = [line for line in changed.out.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert lines == ['-  value: "1"', '+  value: "2"']
    assert at(cluster.read(f"{CORE}/configmaps/differs"), "data", "value") == "1"


def test_diff_of_an_object_that_was_not_applied_shows_only_what_differs(cluster: Cluster) -> None:
    cluster.ok("create", "-f", "-", stdin=orjson.dumps(config_map("plain", "1")).decode())
    assert cluster.ok("diff", "-f", "-", stdin=orjson.dumps(config_map("plain", "1")).decode()) == ""


def test_replace_and_replace_by_force(cluster: Cluster) -> None:
    cluster.apply(config_map("replaced", "1"))
    before = cluster.read(f"{CORE}/configmaps/replaced")["metadata"]["uid"]
    cluster.ok("replace", "-f", "-", stdin=orjson.dumps(config_map("replaced", "2")).decode())
    after = cluster.read(f"{CORE}/configmaps/replaced")
    assert (after["data"]["value"], after["metadata"]["uid"]) == ("2", before)
    cluster.ok("replace", "--force", "-f", "-", stdin=orjson.dumps(config_map("replaced", "3")).decode())
    after = cluster.read(f"{CORE}/configmaps/replaced")
    assert after["data"]["value"] == "3"
    assert after["metadata"]["uid"] != before


def test_replace_of_an_older_state_is_a_conflict(cluster: Cluster) -> None:
    cluster.apply(config_map("stale", "1"))
    held = cluster.read(f"{CORE}/configmaps/stale")
    cluster.apply(config_map("stale", "2"))
    said = cluster.refused("replace", "-f", "-", stdin=orjson.dumps(held).decode())
    assert "the object has been modified; please apply your changes to the latest version and try again" in said


def test_edit_through_an_editor(cluster: Cluster, tmp_path: Path) -> None:
    cluster.apply(config_map("edited", "before"))
    editor = tmp_path / "editor.sh"
    editor.write_text('#!/bin/sh\nsed -i s/before/after/ "$1"\n')
    editor.chmod(0o700)
    cluster.kubectl.env["KUBE_EDITOR"] = str(editor)
    assert cluster.ok("edit", "configmap", "edited") == "configmap/edited edited\n"
    assert at(cluster.read(f"{CORE}/configmaps/edited"), "data", "value") == "after"
    again = cluster.kubectl.run("edit", "configmap", "edited")
    assert (again.code, again.err) == (0, "Edit cancelled, no changes made.\n")


def test_auth_reconcile_adds_what_a_role_lacks(cluster: Cluster) -> None:
    cluster.ok("create", "role", "grows", "--verb=get", "--resource=pods")
    role = cluster.read(f"{RBAC}/namespaces/default/roles/grows")
    wanted = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "grows", "namespace": "default"},
        "rules": [{"apiGroups": [""], "resources": ["services"], "verbs": ["list"]}],
    }
    cluster.ok("auth", "reconcile", "-f", "-", stdin=orjson.dumps(wanted).decode())
    assert cluster.read(f"{RBAC}/namespaces/default/roles/grows")["rules"] == [*role["rules"], *wanted["rules"]]
