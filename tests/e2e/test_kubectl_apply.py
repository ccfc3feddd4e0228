"""`kubectl apply --server-side` against `trikube up`: built-in kinds, a custom resource, and what kubectl then says."""

from collections.abc import Iterator

import orjson
import pytest

from tests.support import crd
from tests.support.program import UpProcess
from trikube.background.kubectl import Kubectl, Result

_CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {color: VALUE}\n"
_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "registry/app:1"}]}
"""


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    process = UpProcess(tmp_path_factory.mktemp("apply") / "data")
    try:
        process.start()
        yield process.kubectl
    finally:
        process.kill()


def apply(kubectl: Kubectl, manifest: str, *flags: str) -> Result:
    return kubectl.run("apply", "--server-side", "-f", "-", *flags, stdin=manifest)


def config_map(name: str, value: str) -> str:
    return _CONFIG_MAP.replace("NAME", name).replace("VALUE", value)


def owners(kubectl: Kubectl, kind: str, name: str) -> dict[str, list[str]]:
    """The operations of each manager."""
    entries = orjson.loads(kubectl.run("get", kind, name, "-o", "jsonpath={.metadata.managedFields}").out)
    found: dict[str, list[str]] = {}
    for entry in entries:
        found.setdefault(entry["manager"], []).append(entry["operation"])
    return found


def test_a_conflict_is_told_and_force_overcomes_it(kubectl: Kubectl) -> None:
    assert apply(kubectl, config_map("a", "red")).out == "configmap/a serverside-applied\n"
    refused = apply(kubectl, config_map("a", "blue"), "--field-manager=other")
    assert refused.code == 1
    assert 'Apply failed with 1 conflict: conflict with "kubectl": .data.color' in refused.err
    assert apply(kubectl, config_map("a", "blue"), "--field-manager=other", "--force-conflicts").code == 0
    assert kubectl.run("get", "configmap", "a", "-o", "jsonpath={.data.color}").out == "blue"
    assert owners(kubectl, "configmap", "a") == {"other": ["Apply"]}


def test_managed_fields_are_shown_when_asked_for(kubectl: Kubectl) -> None:
    apply(kubectl, config_map("shown", "red"))
    assert "f:color: {}" in kubectl.run("get", "configmap", "shown", "-o", "yaml", "--show-managed-fields").out
    assert "managedFields" not in kubectl.run("get", "configmap", "shown", "-o", "yaml").out


def test_client_side_apply_is_taken_over_and_comes_back(kubectl: Kubectl) -> None:
    assert kubectl.run("apply", "-f", "-", stdin=config_map("moved", "red")).code == 0
    assert owners(kubectl, "configmap", "moved") == {"kubectl-client-side-apply": ["Update"]}
    assert apply(kubectl, config_map("moved", "blue")).code == 0
    assert owners(kubectl, "configmap", "moved") == {"kubectl": ["Apply"], "kubectl-last-applied": ["Apply"]}
    assert kubectl.run("apply", "-f", "-", stdin=config_map("moved", "green")).out == "configmap/moved configured\n"


def test_scaling_takes_the_replicas_of_an_applied_deployment(kubectl: Kubectl) -> None:
    assert apply(kubectl, _DEPLOYMENT).code == 0
    assert kubectl.run("scale", "deployment/web", "--replicas=3").code == 0
    refused = apply(kubectl, _DEPLOYMENT)
    assert 'conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas' in refused.err
    assert apply(kubectl, _DEPLOYMENT.replace("  replicas: 1\n", "")).code == 0
    assert kubectl.run("get", "deployment", "web", "-o", "jsonpath={.spec.replicas}").out == "3"
    assert kubectl.run("diff", "--server-side", "-f", "-", stdin=_DEPLOYMENT.replace("  replicas: 1\n", "")).code == 0


def test_a_typo_is_named(kubectl: Kubectl) -> None:
    refused = apply(kubectl, _DEPLOYMENT.replace("image:", "imagge:").replace("name: web}", "name: typo}"))
    assert '.spec.template.spec.containers[name="main"].imagge: field not declared in schema' in refused.err


def test_custom_resources_take_server_side_apply(kubectl: Kubectl) -> None:
    made = kubectl.run("apply", "--server-side", "-f", "-", stdin=orjson.dumps(crd.definition("gadgets")).decode())
    assert made.code == 0, made.err
    assert kubectl.run("wait", "--for=condition=Established", "crd/gadgets.stable.example.com").code == 0
    gadget = crd.instance("gadgets", "g")
    assert apply(kubectl, orjson.dumps(gadget).decode()).out == "gadget.stable.example.com/g serverside-applied\n"
    gadget["spec"] = {"any": "other", "more": {"deep": [1]}}
    refused = apply(kubectl, orjson.dumps(gadget).decode(), "--field-manager=other")
    assert 'conflict with "kubectl": .spec.any' in refused.err
    del gadget["spec"]["any"]
    assert apply(kubectl, orjson.dumps(gadget).decode(), "--field-manager=other").code == 0
    spec = kubectl.run("get", "gadget", "g", "-o", "jsonpath={.spec}").out
    assert orjson.loads(spec) == {"any": "thing", "more": {"deep": [1]}}
