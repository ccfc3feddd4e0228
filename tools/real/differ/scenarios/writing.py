"""Every built-in kind created, spoiled and changed."""

import copy
import re
from collections.abc import Iterator
from typing import Any

from tools.real.differ import corpus
from tools.real.differ.asking import Pair
from tools.real.differ.corpus import NAMESPACE, Target
from tools.real.differ.mutants import mutants


def prepare(pair: Pair) -> None:
    """The namespace of the scenarios, with an account for its pods."""
    pair.both("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    pair.both("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", {"metadata": {"name": "default"}})


def create(pair: Pair, only: str) -> None:
    """Create, read, read as tables, delete."""
    prepare(pair)
    for obj, target in pairs(pair, only):
        _remove(pair, target, obj)
        name = obj.get("metadata", {}).get("name", "")
        what = f"create {obj['kind']} {name}"
        pair.ask("POST", target.collection, obj, what=what, ignore=_IGNORED)
        if "get" not in target.verbs:
            continue
        pair.ask("GET", target.named(name), what=f"get {what}", ignore=_IGNORED)
        for accept in _TABLES:
            headers = {"Accept": accept}
            pair.ask("GET", target.named(name), headers=headers, what=f"table {what}", ignore=_IGNORED)
        pair.ask("DELETE", target.named(name), what=f"delete {what}", ignore=_IGNORED)
        _remove(pair, target, obj)


def create_mutants(pair: Pair, only: str) -> None:
    """Every object spoiled in every place, as a dry run."""
    prepare(pair)
    for obj, target in pairs(pair, only):
        suffix = "" if "get" not in target.verbs else "?dryRun=All"
        for what, mutant in mutants(obj):
            pair.ask("POST", target.collection + suffix, mutant, what=f"create {obj['kind']} {what}", ignore=_IGNORED)


def update_mutants(pair: Pair, only: str) -> None:
    """Every object changed in every place, as a dry run."""
    prepare(pair)
    for obj, target in pairs(pair, only):
        if "update" not in target.verbs:
            continue
        _remove(pair, target, obj)
        stored = pair.both("POST", target.collection, obj)
        if stored[0].status != 201 or stored[1].status != 201:
            continue
        changed = copy.deepcopy(obj)
        changed.pop("status", None)
        for what, mutant in mutants(changed):
            name = obj["metadata"]["name"]
            if "metadata.name" in what:
                continue
            path = f"{target.named(name)}?dryRun=All"
            pair.ask("PUT", path, mutant, what=f"update {obj['kind']} {what}", ignore=_IGNORED)
        _remove(pair, target, obj)


_IGNORED = r"clusterIP|nodePort|\.time$|\.description$|rows.*managedFields"
_TABLES = (
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
)


def pairs(pair: Pair, only: str) -> Iterator[tuple[dict[str, Any], Target]]:
    targets = corpus.targets(pair)
    for obj in corpus.objects():
        if only and not re.fullmatch(only, obj["kind"]):
            continue
        target = targets.get((obj["apiVersion"], obj["kind"]))
        if target is not None:
            yield obj, target


def _remove(pair: Pair, target: Target, obj: dict[str, Any]) -> None:
    if "delete" not in target.verbs:
        return
    path = target.named(obj["metadata"]["name"])
    pair.both("DELETE", path + "?gracePeriodSeconds=0")
    pair.both("PATCH", path, {"metadata": {"finalizers": None}}, "application/merge-patch+json")
    if obj["kind"] == "Namespace":
        found = pair.both("GET", path)
        if found[0].status == 200:
            pair.both("PUT", path + "/finalize", {"metadata": obj["metadata"], "spec": {"finalizers": []}})
