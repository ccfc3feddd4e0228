"""helm 4 against `trikube up`: install, upgrade, rollback, uninstall; hooks, CRDs and what templates ask."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import helm as programs
from tests.support.cluster import APPS, CORE, Cluster
from tests.support.helm import Helm

_SHOP = {
    "templates/config.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-config}
data:
  color: {{ .Values.color }}
  revision: "{{ .Release.Revision }}"
""",
    "templates/deployment.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}, labels: {app: {{ .Release.Name }}}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {containers: [{name: main, image: "registry/shop:{{ .Chart.Version }}"}]}
""",
    "templates/service.yaml": """\
{{- if .Values.service }}
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec: {selector: {app: {{ .Release.Name }}}, ports: [{port: 80}]}
{{- end }}
""",
}
_VALUES = {"color": "red", "replicas": 2, "service": True}

_HOOK = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-NAME
  annotations: {"helm.sh/hook": "NAME", "helm.sh/hook-delete-policy": before-hook-creation}
data: {revision: "{{ .Release.Revision }}"}
"""

_DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: sprockets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: sprockets, singular: sprocket, kind: Sprocket}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {teeth: {type: integer}}}}
"""


@pytest.fixture(scope="module")
def helm(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helm]:
    program = programs.unpack(tmp_path_factory.mktemp("helm"))
    yield Helm(program, cluster.kubectl)
    program.unlink()


def test_install_upgrade_rollback_uninstall(cluster: Cluster, helm: Helm, tmp_path: Path) -> None:
    first = programs.chart(tmp_path / "1" / "shop", _SHOP, values=_VALUES)
    second = programs.chart(tmp_path / "2" / "shop", _SHOP, version="2.0.0", values={**_VALUES, "service": False})

    assert helm.json("install", "shop", str(first))["info"]["status"] == "deployed"
    assert cluster.read(f"{CORE}/configmaps/shop-config")["data"] == {"color": "red", "revision": "1"}
    address = cluster.read(f"{CORE}/services/shop")["spec"]["clusterIP"]
    assert address.startswith("10.")

    helm.ok("upgrade", "shop", str(second), "--set", "color=blue,replicas=3")
    assert cluster.read(f"{CORE}/configmaps/shop-config")["data"] == {"color": "blue", "revision": "2"}
    spec = cluster.read(f"{APPS}/deployments/shop")["spec"]
    assert (spec["replicas"], spec["template"]["spec"]["containers"][0]["image"]) == (3, "registry/shop:2.0.0")
    assert cluster.is_gone(f"{CORE}/services/shop")

    helm.ok("rollback", "shop", "1")
    assert cluster.read(f"{APPS}/deployments/shop")["spec"]["replicas"] == 2
    assert cluster.read(f"{CORE}/services/shop")["spec"]["selector"] == {"app": "shop"}
    statuses = [(entry["revision"], entry["status"]) for entry in helm.json("history", "shop")]
    assert statuses == [(1, "superseded"), (2, "superseded"), (3, "deployed")]
    assert [release["name"] for release in helm.json("list")] == ["shop"]
    assert "color: red" in helm.ok("get", "manifest", "shop")

    helm.ok("uninstall", "shop")
    for path in (f"{CORE}/configmaps/shop-config", f"{CORE}/services/shop", f"{APPS}/deployments/shop"):
        assert cluster.is_gone(path)
    assert helm.json("list") == []
    assert cluster.read(f"{CORE}/secrets?labelSelector=owner=helm")["items"] == []


def test_what_helm_applies_belongs_to_helm(cluster: Cluster, helm: Helm, tmp_path: Path) -> None:
    shop = programs.chart(tmp_path / "owned", _SHOP, values=_VALUES)
    helm.ok("install", "owned", str(shop))
    managers = {
        (entry["manager"], entry["operation"])
        for entry in cluster.read(f"{CORE}/configmaps/owned-config")["metadata"]["managedFields"]
    }
    assert managers == {("helm", "Apply")}
    cluster.ok("scale", "deployment/owned", "--replicas=7")
    assert "conflict" in helm.refused("upgrade", "owned", str(shop))
    helm.ok("upgrade", "owned", str(shop), "--force-conflicts")
    assert cluster.read(f"{APPS}/deployments/owned")["spec"]["replicas"] == 2


def test_client_side_apply_works_too(cluster: Cluster, helm: Helm, tmp_path: Path) -> None:
    shop = programs.chart(tmp_path / "older", _SHOP, values=_VALUES)
    helm.ok("install", "older", str(shop), "--server-side=false")
    helm.ok("upgrade", "older", str(shop), "--server-side=false", "--set", "color=green")
    assert cluster.read(f"{CORE}/configmaps/older-config")["data"]["color"] == "green"


def test_hooks_run_at_their_time(cluster: Cluster, helm: Helm, tmp_path: Path) -> None:
    names = ("pre-install", "post-install", "pre-upgrade", "post-delete")
    hooks = {f"templates/{name}.yaml": _HOOK.replace("NAME", name) for name in names}
    hooked = programs.chart(tmp_path / "hooked", {**_SHOP, **hooks}, values=_VALUES)

    def present() -> set[str]:
        return {name for name in names if not cluster.is_gone(f"{CORE}/configmaps/hooked-{name}")}

    helm.ok("install", "hooked", str(hooked))
    assert present() == {"pre-install", "post-install"}
    helm.ok("upgrade", "hooked", str(hooked))
    assert cluster.read(f"{CORE}/configmaps/hooked-pre-upgrade")["data"] == {"revision": "2"}
    helm.ok("uninstall", "hooked")
    assert present() == set(names)


def test_definitions_are_there_before_what_they_define(cluster: Cluster, helm: Helm, tmp_path: Path) -> None:
    sprocket = "apiVersion: example.com/v1\nkind: Sprocket\nmetadata: {name: s}\nspec: {teeth: {{ .Values.teeth }}}\n"
    files = {"crds/sprockets.yaml": _DEFINITION, "templates/sprocket.yaml": sprocket}
    defined = programs.chart(tmp_path / "defined", files, values={"teeth": 12})
    helm.ok("install", "defined", str(defined))
    path = "/apis/example.com/v1/namespaces/default/sprockets/s"
    assert cluster.read(path)["spec"] == {"teeth": 12}
    helm.ok("upgrade", "defined", str(defined), "--set", "teeth=13")
    assert cluster.read(path)["spec"] == {"teeth": 13}
    assert "spec.teeth" in helm.refused("upgrade", "defined", str(defined), "--set", "teeth=many")
    helm.ok("uninstall", "defined")
    assert cluster.is_gone(path)
    # helm never deletes a definition of `crds/`.
    assert cluster.read("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/sprockets.example.com")


def test_templates_can_ask_the_server(cluster: Cluster, helm: Helm, tmp_path: Path) -> None:
    text = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: asked}
data:
  version: {{ .Capabilities.KubeVersion.Minor | quote }}
  has: {{ .Capabilities.APIVersions.Has "autoscaling/v2/HorizontalPodAutoscaler" | quote }}
  hasnot: {{ .Capabilities.APIVersions.Has "autoscaling/v3" | quote }}
  found: {{ (lookup "v1" "Namespace" "" "kube-system").status.phase }}
"""
    helm.ok("install", "asking", str(programs.chart(tmp_path / "asking", {"templates/asked.yaml": text})))
    data = cluster.read(f"{CORE}/configmaps/asked")["data"]
    assert data == {"version": "37", "has": "true", "hasnot": "false", "found": "Active"}


def test_a_failed_install_is_told_and_rolled_back(cluster: Cluster, helm: Helm, tmp_path: Path) -> None:
    wrong = {**_SHOP, "templates/wrong.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Not_A_Name}\n"}
    broken = programs.chart(tmp_path / "broken", wrong, values=_VALUES)
    said = helm.refused("install", "broken", str(broken), "--rollback-on-failure", "--timeout=10s")
    assert 'ConfigMap "Not_A_Name" is invalid: metadata.name' in said
    assert cluster.is_gone(f"{CORE}/configmaps/broken-config")


def test_a_dry_run_of_the_server_stores_nothing(cluster: Cluster, helm: Helm, tmp_path: Path) -> None:
    dry = programs.chart(tmp_path / "dry", _SHOP, values=_VALUES)
    assert "kind: Deployment" in helm.ok("install", "dry", str(dry), "--dry-run=server")
    assert cluster.is_gone(f"{APPS}/deployments/dry")


def test_a_release_in_a_namespace_of_its_own(cluster: Cluster, helm: Helm, tmp_path: Path) -> None:
    own = programs.chart(tmp_path / "own", _SHOP, values=_VALUES)
    helm.ok("upgrade", "--install", "own", str(own), "-n", "shops", "--create-namespace")
    assert cluster.read("/api/v1/namespaces/shops/configmaps/own-config")["data"]["color"] == "red"
    assert [release["namespace"] for release in helm.json("list", "-A", "--filter", "own$")] == ["shops"]
