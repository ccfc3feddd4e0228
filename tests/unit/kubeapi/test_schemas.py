"""The schemas of the built-in kinds, and that no kind of Kubernetes is left out silently."""

import re
import subprocess
import sys

import pytest

from generic.meta.gvk import GroupVersion, GroupVersionKind
from kubeapi import resources
from kubeapi.resources.kinds import BuiltinKind
from kubeapi.resources.unserved import UNSERVED
from kubeapi.schemas import Schemas

SCHEMAS = Schemas.load()
_NO_KINDS_OF_OBJECTS = re.compile(r"DeleteOptions|WatchEvent|.*List").fullmatch
_STABLE = re.compile(r"v\d+").fullmatch


def test_a_stable_kind_is_served_or_stands_among_the_unserved() -> None:
    served = {(kind.group_version, kind.kind) for kind in resources.all_kinds()}
    known = {
        (gvk.group_version, gvk.kind)
        for gvk in SCHEMAS.kinds()
        if _STABLE(gvk.version) and (not _NO_KINDS_OF_OBJECTS(gvk.kind) or (gvk.group_version, gvk.kind) in UNSERVED)
    }
    lists = {(GroupVersion("", "v1"), name) for name in ("APIGroupList", "ComponentStatusList")}
    assert known - served - lists == set(UNSERVED)
    assert not served & set(UNSERVED)


@pytest.mark.parametrize("kind", resources.all_kinds(), ids=lambda kind: f"{kind.group_version}/{kind.kind}")
def test_every_built_in_kind_has_a_schema_that_compiles_and_reaches_its_metadata(kind: BuiltinKind) -> None:
    schema = SCHEMAS.object_schema(kind.gvk)
    assert schema.decode_errors({"metadata": {"labels": {"a": 1}}}).endswith(
        "ObjectMeta.metadata.labels of type string"
    )
    assert SCHEMAS.patch_schema(kind.gvk).property("metadata") is not None


def test_a_kind_has_one_schema_object_and_an_unknown_one_none() -> None:
    pod = GroupVersionKind("", "v1", "Pod")
    assert SCHEMAS.object_schema(pod) is SCHEMAS.object_schema(pod)
    with pytest.raises(KeyError):
        SCHEMAS.object_schema(GroupVersionKind("", "v1", "Nothing"))


def test_the_version_is_the_newest_of_the_package() -> None:
    assert re.fullmatch(r"1\.\d\d", SCHEMAS.minor_version)
    assert int(SCHEMAS.minor_version[2:]) >= 37


def test_the_package_is_read_without_being_imported() -> None:
    program = (
        "import sys; from kubeapi.schemas import Schemas; Schemas.load(); print('kubernetes_validate' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert ran.stdout.strip() == "False"


def test_required_fields_are_those_kubernetes_misses() -> None:
    deployment = SCHEMAS.object_schema(GroupVersionKind("apps", "v1", "Deployment"))
    role = SCHEMAS.object_schema(GroupVersionKind("rbac.authorization.k8s.io", "v1", "ClusterRole"))
    slices = SCHEMAS.object_schema(GroupVersionKind("discovery.k8s.io", "v1", "EndpointSlice"))
    template = {"spec": {"containers": [{"image": "x"}]}}
    found = deployment.validate({"spec": {"template": template}, "status": {"conditions": [{}]}})
    assert sorted(map(str, found)) == [
        "spec.selector: Required value",
        "spec.template.spec.containers[0].name: Required value",
    ]
    # Go's zero of a list is a value: clients in Go send null, and it is dropped when decoded.
    assert role.validate({"metadata": {}}) == []
    assert [str(problem) for problem in slices.validate({})] == ["addressType: Required value"]
