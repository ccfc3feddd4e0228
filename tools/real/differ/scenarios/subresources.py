"""What hangs on objects: scale, status, eviction, binding, tokens, approval."""

from typing import Any

from tools.real.differ.asking import MERGE, STRATEGIC, Pair
from tools.real.differ.corpus import NAMESPACE
from tools.real.differ.scenarios.writing import prepare

_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


def subresources(pair: Pair, only: str) -> None:
    """Scale, status, eviction, binding, ephemeral containers, resize, tokens, approval."""
    prepare(pair)
    body: Any
    status: Any
    template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
    spec = {"selector": {"matchLabels": {"app": "x"}}, "template": template, "serviceName": "x"}
    for kind in ("deployments", "replicasets", "statefulsets"):
        root = f"/apis/apps/v1/namespaces/{NAMESPACE}/{kind}"
        sent = spec if kind == "statefulsets" else {key: value for key, value in spec.items() if key != "serviceName"}
        pair.both("POST", root, {"metadata": {"name": "sub"}, "spec": sent})
        pair.ask("GET", f"{root}/sub/scale")
        for body in (
            {"spec": {"replicas": 3}},
            {"metadata": {"name": "sub"}, "spec": {"replicas": 3}},
            {"spec": {"replicas": -1}},
            {"spec": {"replicas": "x"}},
            {"metadata": {"name": "other"}},
            {"metadata": {"resourceVersion": "1"}},
            {"kind": "Pod"},
            {"spec": {"nope": 1}},
            {},
        ):
            pair.ask("PUT", f"{root}/sub/scale", body, what=f"scale {body}")
            pair.ask("PATCH", f"{root}/sub/scale", body, content_type=MERGE, what=f"patch scale {body}")
        pair.ask("GET", f"{root}/sub", what="after scale")
        for status in (
            {"replicas": 3},
            {"replicas": -1},
            {"replicas": 1, "readyReplicas": 5},
            {"conditions": [{"type": "x"}]},
            {"nope": 1},
            {"observedGeneration": -1},
        ):
            pair.ask(
                "PATCH",
                f"{root}/sub/status?dryRun=All",
                {"status": status},
                content_type=MERGE,
                what=f"status {status}",
            )
        pair.both("DELETE", f"{root}/sub")
    pair.both("POST", _PODS, {"metadata": {"name": "sub", "labels": {"app": "x"}}, "spec": template["spec"]})
    ignore = "volumes|volumeMounts"
    for body in (
        {"target": {"kind": "Node", "name": "n"}},
        {"target": {"kind": "Pod", "name": "n"}},
        {"target": {}},
        {},
        {"target": {"name": "n"}, "metadata": {"name": "other"}},
        {"metadata": {"name": "sub", "uid": "x"}, "target": {"name": "n"}},
        {"target": {"kind": "Node", "name": "n"}},
    ):
        pair.ask("POST", f"{_PODS}/sub/binding", body, what=f"bind {body}")
        pair.ask("POST", f"/api/v1/namespaces/{NAMESPACE}/bindings", body, what=f"bind (old) {body}")
    pair.ask("GET", f"{_PODS}/sub", what="bound pod", ignore=ignore)
    for body in (
        {},
        {"metadata": {"name": "sub"}},
        {"metadata": {"name": "other"}},
        {"deleteOptions": {"dryRun": ["All"]}},
        {"metadata": {"name": "sub"}, "deleteOptions": {"dryRun": ["All"]}},
        {"metadata": {"name": "sub"}, "deleteOptions": {"preconditions": {"uid": "x"}}},
    ):
        pair.ask("POST", f"{_PODS}/sub/eviction?dryRun=All", body, what=f"evict {body}")
    budget = {"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "x"}}}}
    pair.both("POST", f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets", budget)
    pair.both(
        "PATCH",
        f"{_PODS}/sub/status",
        {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}},
        MERGE,
    )
    pair.ask("POST", f"{_PODS}/sub/eviction", {"metadata": {"name": "sub"}}, what="evict against a budget")
    pair.both("DELETE", f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets/b")
    for body in (
        {"spec": {"ephemeralContainers": [{"name": "e", "image": "x"}]}},
        {"spec": {"ephemeralContainers": [{"name": "c", "image": "x"}]}},
        {"spec": {"ephemeralContainers": [{"name": "e2"}]}},
        {"spec": {"ephemeralContainers": []}},
        {"spec": {"nodeName": "other"}},
        {
            "spec": {
                "ephemeralContainers": [
                    {"name": "e", "image": "x"},
                    {"name": "f", "image": "y", "targetContainerName": "c"},
                ]
            }
        },
        {"spec": {"ephemeralContainers": [{"name": "g", "image": "x", "ports": [{"containerPort": 1}]}]}},
    ):
        pair.ask(
            "PATCH",
            f"{_PODS}/sub/ephemeralcontainers",
            body,
            content_type=STRATEGIC,
            what=f"ephemeral {body}",
            ignore=ignore,
        )
    for body in (
        {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "1"}}}]}},
        {"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "2"}}}]}},
        {"spec": {"containers": [{"name": "c", "image": "y"}]}},
        {"spec": {"nodeName": "z"}},
        {"spec": {"containers": [{"name": "c", "resources": {"requests": {"example.com/x": "1"}}}]}},
    ):
        pair.ask("PATCH", f"{_PODS}/sub/resize", body, content_type=STRATEGIC, what=f"resize {body}", ignore=ignore)
    for status in (
        {"phase": "Running", "podIP": "10.0.0.1"},
        {"phase": "Nope"},
        {"podIPs": [{"ip": "10.0.0.1"}, {"ip": "x"}]},
        {"conditions": [{"type": "Ready", "status": "True"}]},
        {"hostIP": "x"},
        {"qosClass": "Guaranteed"},
        {"containerStatuses": [{"name": "c", "ready": True}]},
        {"nominatedNodeName": "n"},
    ):
        pair.ask(
            "PATCH",
            f"{_PODS}/sub/status?dryRun=All",
            {"status": status},
            content_type=STRATEGIC,
            what=f"pod status {status}",
            ignore=ignore,
        )
    pair.both("DELETE", f"{_PODS}/sub?gracePeriodSeconds=0")
    tokens = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default/token"
    for body in (
        {},
        {"spec": {}},
        {"spec": {"expirationSeconds": 600}},
        {"spec": {"expirationSeconds": 5}},
        {"spec": {"audiences": ["a"]}},
        {"spec": {"expirationSeconds": 2**33}},
        {"spec": {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "gone"}}},
        {"spec": {"boundObjectRef": {"kind": "Nope", "name": "x"}}},
        {"metadata": {"name": "other"}},
    ):
        pair.ask("POST", tokens, body, what=f"token {body}")
    csrs = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
    from tools.real.differ import corpus  # noqa: PLC0415 - a CSR is made anew

    request = next(obj for obj in corpus.objects() if obj["kind"] == "CertificateSigningRequest")
    pair.both("DELETE", f"{csrs}/full")
    pair.both("POST", csrs, request)
    for condition in (
        {"type": "Approved", "status": "True", "reason": "r", "message": "m"},
        {"type": "Denied", "status": "True"},
        {"type": "Approved", "status": "False"},
        {"type": "Nope"},
        {},
    ):
        body = {**request, "status": {"conditions": [condition]}}
        pair.ask("PUT", f"{csrs}/full/approval?dryRun=All", body, what=f"approve {condition}")
        pair.ask("PUT", f"{csrs}/full/status?dryRun=All", body, what=f"status {condition}")
    pair.ask(
        "PATCH",
        f"{csrs}/full/status?dryRun=All",
        {"status": {"certificate": "bm9wZQ=="}},
        content_type=MERGE,
        what="bad certificate",
    )
    pair.both("DELETE", f"{csrs}/full")
    pair.both("POST", "/api/v1/namespaces", {"metadata": {"name": "going"}})
    pair.ask(
        "PUT",
        "/api/v1/namespaces/going/finalize?dryRun=All",
        {"metadata": {"name": "going"}, "spec": {"finalizers": ["kubernetes"]}},
    )
    pair.ask("DELETE", "/api/v1/namespaces/going")
    pair.ask("POST", "/api/v1/namespaces/going/configmaps", {"metadata": {"name": "late"}})
    pair.ask("DELETE", "/api/v1/namespaces/going", what="delete again")
    pair.ask("PUT", "/api/v1/namespaces/going/finalize", {"metadata": {"name": "going"}, "spec": {}})
    pair.ask("GET", "/api/v1/namespaces/going", what="finalized")
    for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
        pair.ask("DELETE", f"/api/v1/namespaces/{name}?dryRun=All")
        pair.ask("GET", f"/api/v1/namespaces/{name}", ignore="managedFields")
