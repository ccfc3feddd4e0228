"""What an older Kubernetes had of the tables."""

import pytest

from generic.meta.gvk import GroupVersionKind
from generic.types import JSONObject
from generic.version import VersionInfo
from kubeapi import resources
from kubeapi.emulation import older
from kubeapi.resources.kinds import BuiltinKind
from kubeapi.resources.strategies.core import EventStrategy
from kubeapi.schemas import Schemas
from tests.support import builtin

_IP_ADDRESS = GroupVersionKind("networking.k8s.io", "v1", "IPAddress")
_JOB: JSONObject = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "j"},
    "spec": {"template": {"spec": {**builtin.pod_spec(), "restartPolicy": "Never"}}},
}


def named(kinds: object, api_version: str, name: str) -> BuiltinKind:
    assert isinstance(kinds, list)
    found: BuiltinKind = next(k for k in kinds if (str(k.group_version), k.kind) == (api_version, name))
    return found


@pytest.mark.parametrize("minor", range(25, 38))
def test_every_version_of_the_package_can_be_emulated(minor: int) -> None:
    schemas = Schemas.load(f"1.{minor}")
    assert (schemas.minor_version, schemas.binary_version) == (f"1.{minor}", Schemas.load().minor_version)
    for kind in older.kinds(resources.all_kinds(), schemas):
        obj = {"apiVersion": str(kind.group_version), "kind": kind.kind, "metadata": {"name": "x"}}
        assert schemas.object_schema(kind.gvk).unknown_fields(obj) == []


def test_the_newest_version_changes_nothing() -> None:
    newest = Schemas.load()
    assert not Schemas.load(newest.minor_version).is_emulated
    tables = resources.all_kinds()
    assert older.kinds(tables, newest) == tables


@pytest.mark.parametrize("version", ["1.24", "2.0", "1", "newest", "1.34.1"])
def test_a_version_that_is_not_there_is_refused(version: str) -> None:
    with pytest.raises(ValueError, match=rf"emulation version {version} is not between \[1\.25, 1\.\d+\]"):
        Schemas.load(version)


def test_what_did_not_exist_is_not_known_but_described() -> None:
    schemas = Schemas.load("1.30")
    assert not schemas.has(_IP_ADDRESS)
    assert schemas.object_schema(_IP_ADDRESS) is not None
    assert schemas.patch_schema(_IP_ADDRESS).property("spec") is not None
    with pytest.raises(KeyError):
        schemas.object_schema(GroupVersionKind("", "v1", "Nothing"))


@pytest.mark.parametrize(("version", "policy"), [("1.25", None), ("1.34", "TerminatingOrFailed")])
def test_defaults_are_those_of_the_version(version: str, policy: str | None) -> None:
    job = named(older.kinds(resources.all_kinds(), Schemas.load(version)), "batch/v1", "Job")
    made = builtin.copy(_JOB)
    job.strategy.default(made)
    assert made["spec"]["completionMode"] == "NonIndexed"
    assert made["spec"].get("podReplacementPolicy") == policy


def test_a_strategy_stays_what_it_is() -> None:
    kinds = older.kinds(resources.all_kinds(event_ttl=7), Schemas.load("1.25"))
    strategy = named(kinds, "v1", "Event").strategy
    assert isinstance(strategy, EventStrategy)
    assert strategy.ttl({}) == 7


@pytest.mark.parametrize(("version", "resizes"), [("1.32", False), ("1.33", True)])
def test_pods_could_be_resized_since_1_33(version: str, resizes: bool) -> None:
    pod = named(older.kinds(resources.all_kinds(), Schemas.load(version)), "v1", "Pod")
    assert ("resize" in pod.subresources) == resizes
    assert "ephemeralcontainers" in pod.subresources


@pytest.mark.parametrize(("version", "warns"), [("1.32", False), ("1.33", True)])
def test_what_is_deprecated_since_is_not_warned_of_before(version: str, warns: bool) -> None:
    endpoints = named(older.kinds(resources.all_kinds(), Schemas.load(version)), "v1", "Endpoints")
    assert bool(endpoints.deprecation_warning) == warns


def test_version_tells_both() -> None:
    told = VersionInfo("1.37", "x", "1.34").to_object()
    assert (told["minor"], told["emulationMinor"], told["minCompatibilityMinor"]) == ("37", "34", "33")
    told = VersionInfo("1.37", "x").to_object()
    assert (told["minor"], told["emulationMinor"], told["minCompatibilityMinor"]) == ("37", "37", "36")
