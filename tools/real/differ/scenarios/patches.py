"""Patches of every type, applies among them."""

import json

from tools.real.differ.asking import APPLY, JSON_PATCH, MERGE, STRATEGIC, Pair
from tools.real.differ.corpus import NAMESPACE
from tools.real.differ.scenarios.writing import prepare

_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
_DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"


def patches(pair: Pair, only: str) -> None:
    """Patches of every kind, and what is wrong with some."""
    prepare(pair)
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "patched", "labels": {"a": "b"}},
        "spec": {
            "selector": {"matchLabels": {"app": "x"}},
            "template": {
                "metadata": {"labels": {"app": "x"}},
                "spec": {
                    "containers": [
                        {
                            "name": "c",
                            "image": "one",
                            "env": [{"name": "A", "value": "b"}],
                            "ports": [{"containerPort": 80}],
                        }
                    ]
                },
            },
        },
    }
    pair.both("DELETE", f"{_DEPLOYMENTS}/patched")
    pair.both("POST", _DEPLOYMENTS, deployment)
    path = f"{_DEPLOYMENTS}/patched"
    for kind, patch in (
        (MERGE, {"spec": {"replicas": 3}}),
        (MERGE, {"spec": {"replicas": "x"}}),
        (MERGE, {"spec": {"nope": 1}}),
        (MERGE, {"metadata": {"name": "other"}}),
        (MERGE, {"metadata": {"resourceVersion": "1"}}),
        (MERGE, {"spec": {"selector": {"matchLabels": {"app": "y"}}}}),
        (MERGE, b"nonsense"),
        (MERGE, b"[]"),
        (MERGE, {"metadata": {"uid": "x"}}),
        (MERGE, {"kind": "Pod"}),
        (MERGE, {"apiVersion": "v2"}),
        (MERGE, {"metadata": {"labels": {"a": None, "c": "d"}}}),
        (MERGE, {}),
        (MERGE, {"metadata": {"labels": {"Bad Key!": "x"}}}),
        (MERGE, {"metadata": None}),
        (MERGE, {"spec": None}),
        (MERGE, {"metadata": {"finalizers": ["Bad"]}}),
        (MERGE, {"metadata": {"ownerReferences": [{"kind": "x"}]}}),
        (MERGE, {"metadata": {"generation": 50}}),
        (MERGE, {"metadata": {"namespace": "other"}}),
        (MERGE, {"status": {"replicas": 4}}),
        (MERGE, {"spec": {"template": {"spec": {"containers": None}}}}),
        (MERGE, {"spec": {"template": {"spec": {"containers": [{"name": "c"}]}}}}),
        (STRATEGIC, {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "two"}]}}}}),
        (STRATEGIC, {"spec": {"template": {"spec": {"containers": [{"name": "d", "image": "two"}]}}}}),
        (
            STRATEGIC,
            {
                "spec": {
                    "template": {
                        "spec": {"containers": [{"name": "c", "$patch": "delete"}, {"name": "e", "image": "x"}]}
                    }
                }
            },
        ),
        (STRATEGIC, b"nonsense"),
        (STRATEGIC, {"spec": {"template": {"spec": {"containers": [{"image": "two"}]}}}}),
        (STRATEGIC, {"spec": {"template": {"spec": {"containers": "x"}}}}),
        (STRATEGIC, {"spec": {"template": {"spec": {"$setElementOrder/containers": [{"name": "c"}]}}}}),
        (STRATEGIC, {"spec": {"$patch": "nope"}}),
        (STRATEGIC, {"nope": 5}),
        (STRATEGIC, {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
        (STRATEGIC, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["x"]}}),
        (STRATEGIC, b"[]"),
        (JSON_PATCH, [{"op": "replace", "path": "/spec/replicas", "value": 4}]),
        (JSON_PATCH, [{"op": "test", "path": "/spec/replicas", "value": 40}]),
        (JSON_PATCH, [{"op": "remove", "path": "/spec/nope"}]),
        (JSON_PATCH, [{"op": "add", "path": "/metadata/labels/x", "value": "y"}]),
        (JSON_PATCH, [{"op": "nope", "path": "/a"}]),
        (JSON_PATCH, [{"op": "add", "path": "nope", "value": 1}]),
        (JSON_PATCH, [{"op": "add"}]),
        (JSON_PATCH, {}),
        (JSON_PATCH, b"nonsense"),
        (JSON_PATCH, []),
        (JSON_PATCH, [5]),
        (JSON_PATCH, [{"op": "replace", "path": "/spec/template/spec/containers/5/image", "value": "x"}]),
        (JSON_PATCH, [{"op": "copy", "from": "/metadata/labels", "path": "/metadata/annotations"}]),
        (JSON_PATCH, [{"op": "move", "from": "/nope", "path": "/x"}]),
        (JSON_PATCH, [{"op": "add", "path": "/spec/template/spec/containers/-", "value": {"name": "z", "image": "z"}}]),
        (JSON_PATCH, [{"op": "replace", "path": "/kind", "value": "Pod"}]),
        (JSON_PATCH, [{"op": "replace", "path": "", "value": {}}]),
        (JSON_PATCH, [{"op": "add", "path": "/nope/x", "value": 1}]),
        (APPLY, {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 9}}),
        (APPLY, {"kind": "Deployment"}),
        (APPLY, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "other"}}),
        (APPLY, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"managedFields": [{}]}}),
        (APPLY, {"apiVersion": "v1", "kind": "Pod"}),
        (APPLY, b"nonsense"),
        (APPLY, b"a: b: c"),
        (APPLY, b""),
        (APPLY, {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"nope": 1}}),
        (
            APPLY,
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "spec": {"template": {"spec": {"containers": [{"image": "x"}]}}},
            },
        ),
        (
            APPLY,
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "three"}, {"name": "c"}]}}},
            },
        ),
        (APPLY, {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": "x"}}),
        (APPLY, {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"selector": {"matchLabels": {"app": "z"}}}}),
        (
            APPLY,
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "spec": {
                    "template": {
                        "spec": {
                            "containers": [
                                {"name": "c", "image": "three", "ports": [{"containerPort": 80, "name": "x"}]}
                            ]
                        }
                    }
                },
            },
        ),
    ):
        for query in ("", "&fieldManager=me", "&fieldManager=me&force=true", "&fieldValidation=Strict&fieldManager=me"):
            content = patch if isinstance(patch, bytes) else json.dumps(patch).encode()
            what = f"{kind.split('/')[1].split('+')[0]} {content[:100].decode()} {query}"
            pair.ask("PATCH", f"{path}?dryRun=All{query}", content, content_type=kind, what=what)
    for query in (
        "fieldManager=" + "x" * 129,
        "fieldManager=%00",
        "force=x",
        "force=true",
        "dryRun=x",
        "fieldValidation=x",
    ):
        pair.ask("PATCH", f"{path}?{query}", {}, content_type=MERGE, what=f"merge ?{query}")
        pair.ask("POST", f"{_MAPS}?{query}", {"metadata": {"name": "q"}}, what=f"create ?{query}")
        pair.ask("PUT", f"{_MAPS}/q?{query}", {"metadata": {"name": "q"}}, what=f"update ?{query}")
    pair.both("DELETE", f"{_MAPS}/q")
    pair.both("DELETE", f"{_MAPS}/applied")
    apply = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"a": "1", "b": "2"}}
    pair.ask("PATCH", f"{_MAPS}/applied?fieldManager=one", apply, content_type=APPLY, what="apply creates")
    apply["data"] = {"a": "5"}
    pair.ask("PATCH", f"{_MAPS}/applied?fieldManager=two", apply, content_type=APPLY, what="apply conflicts")
    pair.ask("PATCH", f"{_MAPS}/applied?fieldManager=two&force=true", apply, content_type=APPLY, what="apply forced")
    pair.ask("PATCH", f"{_MAPS}/applied?fieldManager=one", {**apply, "data": {}}, content_type=APPLY, what="apply less")
    pair.ask("PUT", f"{_MAPS}/applied?fieldManager=three", {**apply, "data": {"c": "d"}}, what="update after apply")
    pair.both("DELETE", path)
