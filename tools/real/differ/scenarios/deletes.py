"""Options of deletes."""

from typing import Any

from tools.real.differ.asking import MERGE, Pair
from tools.real.differ.corpus import NAMESPACE
from tools.real.differ.scenarios.writing import prepare

_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


def deletes(pair: Pair, only: str) -> None:
    """Every option of a delete."""
    prepare(pair)
    options: Any
    for options in (
        {},
        {"gracePeriodSeconds": 0},
        {"gracePeriodSeconds": -1},
        {"gracePeriodSeconds": "x"},
        {"propagationPolicy": "Orphan"},
        {"propagationPolicy": "Foreground"},
        {"propagationPolicy": "Background"},
        {"propagationPolicy": "Nope"},
        {"orphanDependents": True},
        {"orphanDependents": False},
        {"orphanDependents": True, "propagationPolicy": "Orphan"},
        {"preconditions": {"uid": "x"}},
        {"preconditions": {"resourceVersion": "1"}},
        {"preconditions": {}},
        {"dryRun": ["All"]},
        {"dryRun": ["x"]},
        {"dryRun": ["All", "All"]},
        {"kind": "DeleteOptions", "apiVersion": "v1"},
        {"kind": "ConfigMap", "apiVersion": "v1"},
        {"apiVersion": "apps/v1", "kind": "DeleteOptions"},
        {"unknown": 1},
        {"ignoreStoreReadErrorWithClusterBreakingPotential": True},
        [],
        "x",
    ):
        pair.both("POST", _MAPS, {"metadata": {"name": "victim"}})
        pair.ask("DELETE", f"{_MAPS}/victim", options, what=f"delete {options}")
        pair.ask("GET", f"{_MAPS}/victim", what=f"after delete {options}")
        pair.both("PATCH", f"{_MAPS}/victim", {"metadata": {"finalizers": None}}, MERGE)
        pair.both("DELETE", f"{_MAPS}/victim")
    for query in (
        "gracePeriodSeconds=0",
        "gracePeriodSeconds=x",
        "propagationPolicy=Nope",
        "propagationPolicy=Orphan",
        "orphanDependents=x",
        "dryRun=All",
        "dryRun=x",
        "dryRun=",
        "pretty=true",
        "fieldValidation=Strict",
    ):
        pair.both("POST", _MAPS, {"metadata": {"name": "victim"}})
        pair.ask("DELETE", f"{_MAPS}/victim?{query}", what=f"delete ?{query}")
        pair.both("PATCH", f"{_MAPS}/victim", {"metadata": {"finalizers": None}}, MERGE)
        pair.both("DELETE", f"{_MAPS}/victim")
    for query in (
        "labelSelector=gone=x",
        "labelSelector=%3D",
        "fieldSelector=nope=x",
        "limit=1",
        "dryRun=All&labelSelector=a=b",
        "resourceVersion=x",
        "resourceVersion=0",
        "labelSelector=gone=x&propagationPolicy=Nope",
    ):
        for at in range(2):
            pair.both("POST", _MAPS, {"metadata": {"name": f"victim{at}", "labels": {"a": "b"}}})
        pair.ask("DELETE", f"{_MAPS}?{query}", what=f"deletecollection ?{query}")
    for body in (
        {"spec": {"containers": [{"name": "c", "image": "x"}], "nodeName": "n", "terminationGracePeriodSeconds": 7}},
    ):
        for options in (
            {},
            {"gracePeriodSeconds": 3},
            {"gracePeriodSeconds": 5},
            {"gracePeriodSeconds": -5},
            {"gracePeriodSeconds": 0},
        ):
            pair.both("POST", _PODS, {"metadata": {"name": "graceful"}, **body})
            pair.ask(
                "DELETE",
                f"{_PODS}/graceful",
                options,
                what=f"delete a running pod {options}",
                ignore="volumes|volumeMounts",
            )
