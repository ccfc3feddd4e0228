"""What kubectl sends in protobuf arrives as if it had sent JSON: the same object is made both ways and compared.

`kubectl create <kind>` sends protobuf; `kubectl create -f -` of what `--dry-run=client -o json` prints sends JSON.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.program import UpProcess
from trikube.background.kubectl import Kubectl

NAMESPACES = ("by-protobuf", "by-json")

# Each made in a namespace; `{key}` and `{certificate}` are files.
NAMESPACED = (
    "configmap c --from-literal=a=b",
    "secret generic s --from-literal=password=p",
    "secret tls t --cert={certificate} --key={key}",
    "serviceaccount a",
    "role r --verb=get,list --resource=pods,deployments.apps --resource-name=x",
    "rolebinding rb --role=r --serviceaccount=default:a --user=u",
    "deployment d --image=nginx --replicas=2 --port=80",
    "job j --image=busybox -- sh -c true",
    "cronjob cj --image=busybox --schedule=@hourly --restart=Never -- true",
    "service clusterip cs --tcp=80:8080 --tcp=443:https",
    "service externalname es --external-name=example.com",
    "ingress i --rule=a.example/b*=cs:80,tls=t --annotation=k=v",
    "poddisruptionbudget p --selector=app=d --min-available=50%",
    "quota q --hard=cpu=1.50,memory=0.5Gi,pods=2 --scopes=NotTerminating",
)
CLUSTER_WIDE = (
    "namespace ns",
    "clusterrole cr --verb=get --resource=nodes",
    "clusterrole urls --verb=get --non-resource-url=/logs/*",
    "clusterrole sum --aggregation-rule=sums=yes",
    "clusterrolebinding crb --clusterrole=cr --group=g",
    "priorityclass pc --value=-10 --preemption-policy=Never --description=low",
)
ASSIGNED = ("creationTimestamp", "resourceVersion", "uid", "namespace", "name")
ALLOCATED = ("clusterIP", "clusterIPs")


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    process = UpProcess(tmp_path_factory.mktemp("protobuf") / "data")
    process.start()
    yield process.kubectl
    process.kill()


@pytest.fixture(scope="module")
def files(kubectl: Kubectl) -> dict[str, str]:
    """A namespace for either way, and a key pair."""
    for namespace in NAMESPACES:
        made = kubectl.run("create", "namespace", namespace)
        assert made.code == 0, made.err
    folder = Path(kubectl.env["KUBECONFIG"]).parent / "pki"
    return {"certificate": str(folder / "ca.crt"), "key": str(folder / "ca.key")}


def _create(kubectl: Kubectl, line: str, *flags: str) -> str:
    """What `kubectl create` prints, its flags before a command that is to run in a container."""
    words = line.split(" ")
    at = words.index("--") if "--" in words else len(words)
    made = kubectl.run("create", *words[:at], *flags, *words[at:])
    assert made.code == 0, made.err
    return made.out.strip()


def _stored(kubectl: Kubectl, name: str, *flags: str) -> dict[str, Any]:
    """What the server has of an object, without what differs from object to object."""
    printed = kubectl.run("get", name, "-o", "json", *flags).out
    # Jobs have theirs in selector and labels as well.
    found: dict[str, Any] = json.loads(printed.replace(json.loads(printed)["metadata"]["uid"], "UID"))
    for key in ASSIGNED:
        found["metadata"].pop(key, None)
    for key in ALLOCATED:
        found.get("spec", {}).pop(key, None)
    return found


def _both_ways(kubectl: Kubectl, line: str, first: str, second: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The object as stored after protobuf and after JSON, each made with a flag of its own."""
    flags = [first] if first else []
    by_protobuf = _stored(kubectl, _create(kubectl, line, "-o", "name", *flags), *flags)
    planned = _create(kubectl, line, "--dry-run=client", "-o", "json", *([second] if second else []))
    if not second:
        obj = json.loads(planned)
        obj["metadata"]["name"] += "-again"
        planned = json.dumps(obj)
    made = kubectl.run("create", "-f", "-", "-o", "name", stdin=planned)
    assert made.code == 0, made.err
    return by_protobuf, _stored(kubectl, made.out.strip(), *([second] if second else []))


@pytest.mark.parametrize("line", NAMESPACED)
def test_an_object_in_a_namespace_is_the_same_either_way(kubectl: Kubectl, files: dict[str, str], line: str) -> None:
    first, second = (f"--namespace={namespace}" for namespace in NAMESPACES)
    by_protobuf, by_json = _both_ways(kubectl, line.format(**files), first, second)
    assert by_protobuf == by_json


@pytest.mark.parametrize("line", CLUSTER_WIDE)
def test_an_object_of_the_whole_cluster_is_the_same_either_way(kubectl: Kubectl, line: str) -> None:
    by_protobuf, by_json = _both_ways(kubectl, line, "", "")
    for obj in (by_protobuf, by_json):
        # The name of a namespace is in its label as well.
        obj["metadata"].pop("labels", None)
    assert by_protobuf == by_json


def test_kubectl_did_send_protobuf(kubectl: Kubectl) -> None:
    traced = kubectl.run("create", "configmap", "traced", "-v=8")
    assert traced.code == 0
    assert "Content-Type: application/vnd.kubernetes.protobuf" in traced.err


def test_reviews_are_answered(kubectl: Kubectl) -> None:
    assert kubectl.run("auth", "can-i", "create", "pods").out == "yes\n"
    assert kubectl.run("auth", "can-i", "create", "pods", "--as=nobody").out == "no\n"
    assert "*.*" in kubectl.run("auth", "can-i", "--list").out
    assert "kubernetes-admin" in kubectl.run("auth", "whoami").out


def test_a_deletion_is_understood(kubectl: Kubectl) -> None:
    assert kubectl.run("create", "namespace", "brief").code == 0
    assert kubectl.run("delete", "namespace", "brief").out.startswith('namespace "brief" deleted')
    assert kubectl.run("get", "namespace", "brief").code == 1
