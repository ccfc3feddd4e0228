"""Parameters of lists and watches."""

from tools.real.differ.asking import Pair
from tools.real.differ.corpus import NAMESPACE
from tools.real.differ.scenarios.writing import prepare

_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"


def lists(pair: Pair, only: str) -> None:
    """Parameters of lists and watches, good and bad."""
    prepare(pair)
    for at in range(3):
        pair.both("POST", _MAPS, {"metadata": {"name": f"item{at}", "labels": {"at": str(at), "all": "x"}}})
    for query in (
        "",
        "limit=1",
        "limit=0",
        "limit=-1",
        "limit=x",
        "limit=1&continue=x",
        "continue=eyJ2Ijoi",
        "resourceVersion=0",
        "resourceVersion=x",
        "resourceVersion=-1",
        "resourceVersion=99999999",
        "resourceVersion=1",
        "resourceVersionMatch=Exact",
        "resourceVersionMatch=Exact&resourceVersion=0",
        "resourceVersionMatch=NotOlderThan&resourceVersion=0",
        "resourceVersionMatch=Nope&resourceVersion=1",
        "resourceVersionMatch=NotOlderThan&resourceVersion=0&continue=abc",
        "resourceVersionMatch=Exact&resourceVersion=1&limit=1",
        "labelSelector=at%3D1",
        "labelSelector=at!%3D1",
        "labelSelector=at",
        "labelSelector=!at",
        "labelSelector=at+in+(1,2)",
        "labelSelector=at+notin+(1)",
        "labelSelector=at>0",
        "labelSelector=%3D",
        "labelSelector=a+b",
        "labelSelector=at+in+()",
        "labelSelector=at+in+(",
        "labelSelector=A_B!",
        "labelSelector=at%3D_x",
        "labelSelector=at>x",
        "fieldSelector=metadata.name%3Ditem1",
        "fieldSelector=metadata.name!%3Ditem1",
        "fieldSelector=nope%3D1",
        "fieldSelector=metadata.name",
        "fieldSelector=metadata.name%3D%3Ditem1",
        "fieldSelector=metadata.name>x",
        "fieldSelector=,",
        "fieldSelector=metadata.namespace%3D" + NAMESPACE,
        "pretty=true",
        "pretty=1",
        "timeoutSeconds=x",
        "timeoutSeconds=-1",
        "timeoutSeconds=1",
        "watch=x",
        "watch=false",
        "allowWatchBookmarks=x",
        "sendInitialEvents=true",
        "nope=1",
        "includeObject=None",
        "limit=1&labelSelector=all",
        "fieldSelector=metadata.labels%3D1",
        "shardSelector=x",
        "limit=2&resourceVersion=0",
        "watch=true&timeoutSeconds=1&resourceVersion=x",
        "watch=1&timeoutSeconds=1&resourceVersion=1",
        "watch=1&timeoutSeconds=1&resourceVersion=99999999",
        "watch=1&timeoutSeconds=1",
        "watch=1&timeoutSeconds=1&resourceVersion=0&fieldSelector=metadata.name%3Ditem1",
        "watch=1&sendInitialEvents=true&timeoutSeconds=1",
        "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1",
        "watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&timeoutSeconds=1",
        "watch=1&resourceVersionMatch=Exact&timeoutSeconds=1",
        "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=1&timeoutSeconds=1",
        "watch=1&limit=1&timeoutSeconds=1",
        "watch=1&resourceVersionMatch=NotOlderThan&timeoutSeconds=1",
        "watch=1&continue=x&timeoutSeconds=1",
        "watch=1&fieldSelector=nope%3D1",
        "watch=1&labelSelector=%3D",
        "watch=1&timeoutSeconds=x",
    ):
        pair.ask("GET", f"{_MAPS}?{query}", what=f"list ?{query}", ignore="remainingItemCount")
        headers = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
        pair.ask("GET", f"{_MAPS}?{query}", headers=headers, what=f"table ?{query}", ignore=r"\.description")
    for at in range(3):
        pair.both("DELETE", f"{_MAPS}/item{at}")
    for resource, group, label in (
        ("pods", "/api/v1", "spec.nodeName=x"),
        ("pods", "/api/v1", "status.phase=Running"),
        ("pods", "/api/v1", "spec.nope=x"),
        ("nodes", "/api/v1", "spec.unschedulable=true"),
        ("events", "/api/v1", "involvedObject.kind=Pod"),
        ("events", "/apis/events.k8s.io/v1", "regarding.kind=Pod"),
        ("secrets", "/api/v1", "type=Opaque"),
        ("namespaces", "/api/v1", "status.phase=Active"),
        ("services", "/api/v1", "spec.type=ClusterIP"),
        ("jobs", "/apis/batch/v1", "status.successful=1"),
        ("deployments", "/apis/apps/v1", "spec.replicas=1"),
        ("replicasets", "/apis/apps/v1", "status.replicas=0"),
        ("certificatesigningrequests", "/apis/certificates.k8s.io/v1", "spec.signerName=x"),
        ("customresourcedefinitions", "/apis/apiextensions.k8s.io/v1", "a=b"),
        ("apiservices", "/apis/apiregistration.k8s.io/v1", "spec.group=x"),
        ("resourceslices", "/apis/resource.k8s.io/v1", "spec.driver=x"),
        ("ipaddresses", "/apis/networking.k8s.io/v1", "spec.parentRef.name=x"),
        ("persistentvolumeclaims", "/api/v1", "spec.volumeName=x"),
    ):
        pair.ask(
            "GET", f"{group}/{resource}?fieldSelector={label}&limit=1", ignore=r"items|remaining|metadata\.continue"
        )
