"""The tables of built-in kinds: complete, consistent, named as clients know them."""

from collections.abc import Iterator
from importlib import resources as package_resources

import orjson
import pytest

from generic.meta import names
from generic.meta.gvk import GroupVersion
from kubeapi.resources import all_kinds
from kubeapi.resources.kinds import BuiltinKind
from kubeapi.resources.unserved import UNSERVED

_GENERIC = {"DeleteOptions", "WatchEvent"}


def _ga_kinds() -> Iterator[tuple[GroupVersion, str]]:
    """Every GA kind of the newest Kubernetes that is no list and no option."""
    folder = package_resources.files("kubernetes_validate") / "kubernetes-json-schema"
    newest = max(
        (item.name for item in folder.iterdir() if item.name.endswith("-local")),
        key=lambda name: tuple(map(int, name[1:].removesuffix("-local").split("."))),
    )
    definitions = orjson.loads((folder / newest / "_definitions.json").read_bytes())["$defs"]
    found = {
        (GroupVersion(entry["group"], entry["version"]), entry["kind"])
        for definition in definitions.values()
        for entry in definition.get("x-kubernetes-group-version-kind", ())
    }
    for version, kind in sorted(found):
        ga = "alpha" not in version.version and "beta" not in version.version
        is_list = kind.endswith("List") and (version, kind.removesuffix("List")) in found
        if ga and not is_list and kind not in _GENERIC:
            yield version, kind


GA_KINDS = list(_ga_kinds())
SERVED = {(kind.group_version, kind.kind) for kind in all_kinds()}


@pytest.mark.parametrize(("version", "kind"), GA_KINDS, ids=lambda value: str(value))
def test_every_ga_kind_is_served_or_left_out_for_a_reason(version: GroupVersion, kind: str) -> None:
    assert ((version, kind) in SERVED) != ((version, kind) in UNSERVED)


def test_nothing_is_served_or_left_out_that_kubernetes_does_not_have() -> None:
    assert SERVED | set(UNSERVED) == set(GA_KINDS)


@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: f"{kind.group_version}/{kind.kind}")
def test_a_table_line_is_consistent(kind: BuiltinKind) -> None:
    assert kind.strategy.name_validator in names.VALIDATORS
    assert kind.strategy.has_status == ("status" in kind.subresources)
    assert kind.plural == kind.plural.lower()
    assert kind.columns[0].name == "Name" or kind.kind == "Event"
    assert (kind.storage_version is None) == (kind.converter is None)


def test_names_are_unique_within_a_group_version() -> None:
    plurals = [kind.gvr for kind in all_kinds()]
    assert len(plurals) == len(set(plurals))


def test_short_names_mean_one_resource() -> None:
    by_short: dict[str, set[str]] = {}
    for kind in all_kinds():
        for short in kind.short_names:
            by_short.setdefault(short, set()).add(kind.plural)
    assert {short: plurals for short, plurals in by_short.items() if len(plurals) > 1} == {}
    assert by_short["deploy"] == {"deployments"}
    assert by_short["po"] == {"pods"}


def test_category_all_is_what_kubectl_get_all_shows() -> None:
    assert {kind.plural for kind in all_kinds() if "all" in kind.categories} == {
        "pods",
        "services",
        "replicationcontrollers",
        "daemonsets",
        "deployments",
        "replicasets",
        "statefulsets",
        "horizontalpodautoscalers",
        "cronjobs",
        "jobs",
    }


def test_kinds_in_two_versions_share_one_store() -> None:
    stored = {(str(k.group_version), k.kind): str(k.storage_version) for k in all_kinds() if k.storage_version}
    assert stored == {
        ("autoscaling/v1", "HorizontalPodAutoscaler"): "autoscaling/v2",
        ("autoscaling/v2", "HorizontalPodAutoscaler"): "autoscaling/v2",
        ("events.k8s.io/v1", "Event"): "v1",
    }
