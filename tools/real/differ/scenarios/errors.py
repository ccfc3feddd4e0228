"""What is refused, and how: bodies, media types, paths, users."""

import json
from typing import Any

from tools.real.differ.asking import MERGE, Pair
from tools.real.differ.corpus import NAMESPACE
from tools.real.differ.scenarios.writing import prepare

_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
_DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"


def errors(pair: Pair, only: str) -> None:
    """What is refused, and how."""
    prepare(pair)
    pair.both("POST", _MAPS, {"metadata": {"name": "held"}})
    good = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "fresh"}}
    for body in (
        b"",
        b"nonsense",
        b"[]",
        b"null",
        b"5",
        b'"x"',
        b"{",
        b'{"a":1}',
        b'{"kind":"ConfigMap"}',
        b'{"apiVersion":"v1"}',
        b'{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"}}',
        b'{"apiVersion":"v2","kind":"ConfigMap","metadata":{"name":"x"}}',
        b'{"metadata":5}',
        b'{"metadata":{"name":5}}',
        b'{"metadata":{"name":"x"},"data":[]}',
        b'{"metadata":{"name":"x"},"data":{"a":5}}',
        b'{"metadata":{"name":"x","labels":{"a":5}}}',
        b'{"metadata":{"name":"x","annotations":[]}}',
        b'{"metadata":{"name":"x","creationTimestamp":"yesterday"}}',
        b'{"metadata":{"name":"x"},"data":{"a":"b"},"data":{}}',
        b'{"metadata":{"name":"x"},"Data":{"a":"b"}}',
        b'{"metadata":{"name":"x"}} trailing',
        b"\xff\xfe",
        b"a: b: c",
        b'{"apiVersion":5}',
        b'{"kind":{}}',
        b'{"apiVersion":"a/b/c","kind":"ConfigMap"}',
        b'{"metadata":{"name":"x","uid":"u"}}',
        b'{"metadata":{"name":"x","resourceVersion":"5"}}',
        b'{"metadata":{"name":"x","namespace":"other"}}',
        b'{"metadata":{"generateName":"x-"}}',
        b'{"metadata":{"generateName":"X_"}}',
        b'{"metadata":{"name":"held"}}',
    ):
        what = f"POST {body[:60]!r}"
        for validation in ("", "&fieldValidation=Strict", "&fieldValidation=Ignore", "&fieldValidation=Nope"):
            pair.ask("POST", f"{_MAPS}?dryRun=All{validation}", body, what=what + validation, ignore=r"\.name$|message")
            pair.ask("PUT", f"{_MAPS}/held?dryRun=All{validation}", body, what=f"PUT {body[:60]!r}{validation}")
    for content_type in (
        "",
        "text/plain",
        "application/yaml",
        "application/json; charset=utf-8",
        "application/cbor",
        "nope",
        "application/x-www-form-urlencoded",
        "application/vnd.kubernetes.protobuf",
        MERGE,
    ):
        pair.ask("POST", f"{_MAPS}?dryRun=All", good, content_type=content_type, what=f"POST as {content_type!r}")
        pair.ask("PUT", f"{_MAPS}/held?dryRun=All", good, content_type=content_type, what=f"PUT as {content_type!r}")
        pair.ask("PATCH", f"{_MAPS}/held?dryRun=All", {}, content_type=content_type, what=f"PATCH as {content_type!r}")
        pair.ask(
            "DELETE", f"{_MAPS}/held?dryRun=All", {}, content_type=content_type, what=f"DELETE as {content_type!r}"
        )
    for accept in (
        "text/html",
        "application/yaml",
        "application/json;as=Table;v=v1;g=meta.k8s.io",
        "image/png, */*;q=0.1",
        "application/json;as=Table;v=v1beta1;g=meta.k8s.io",
        "application/json;as=Nope;v=v1;g=meta.k8s.io",
        "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
        "application/cbor",
        "",
        "nonsense",
        "application/json;pretty=1",
        "application/json;stream=watch",
    ):
        for path in (_MAPS, f"{_MAPS}/held", f"{_MAPS}/gone"):
            pair.ask("GET", path, headers={"Accept": accept}, what=f"Accept {accept!r}")
        pair.ask("POST", f"{_MAPS}?dryRun=All", good, headers={"Accept": accept}, what=f"POST Accept {accept!r}")
    for method, path in (
        ("GET", f"{_MAPS}/gone"),
        ("PUT", f"{_MAPS}/gone"),
        ("PATCH", f"{_MAPS}/gone"),
        ("DELETE", f"{_MAPS}/gone"),
        ("POST", f"{_MAPS}/held"),
        ("PUT", _MAPS),
        ("PATCH", _MAPS),
        ("GET", f"{_MAPS}/held/status"),
        ("GET", f"{_MAPS}/held/nope"),
        ("GET", f"{_MAPS}/held/nope/deeper"),
        ("POST", "/api/v1/configmaps"),
        ("DELETE", "/api/v1/configmaps"),
        ("GET", "/api/v1/configmaps/held"),
        ("GET", "/api/v1/namespaces/nope/configmaps"),
        ("POST", "/api/v1/namespaces/nope/configmaps"),
        ("GET", "/api/v1/namespaces/nope/nopes"),
        ("GET", f"{_DEPLOYMENTS}/gone/scale"),
        ("GET", f"{_PODS}/gone/log"),
        ("POST", f"{_PODS}/gone/eviction"),
        ("POST", f"{_PODS}/gone/binding"),
        ("GET", f"{_PODS}/gone/exec"),
        ("GET", f"{_PODS}/gone/ephemeralcontainers"),
        ("HEAD", _MAPS),
        ("OPTIONS", _MAPS),
        ("NOPE", _MAPS),
        ("CONNECT", _MAPS),
        ("DELETE", "/api/v1/namespaces"),
        ("GET", f"{_MAPS}/Bad_Name!"),
        ("GET", f"{_MAPS}/"),
        ("GET", "/api/v1/namespaces/"),
        ("GET", "/api/v1//namespaces"),
        ("GET", "/api/v1/watch/namespaces/x/configmaps?timeoutSeconds=0"),
        ("GET", "/api/v1/proxy/namespaces/x/pods/y"),
        ("GET", "/apis/authorization.k8s.io/v1/subjectaccessreviews"),
        ("PUT", f"{_DEPLOYMENTS}/gone/status"),
        ("POST", "/apis/authentication.k8s.io/v1/tokenreviews"),
        ("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/gone/token"),
        ("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default/token"),
        ("GET", "/api/v1/nodes/gone/proxy/"),
        ("GET", "/api/v1/componentstatuses"),
        ("GET", "/api/v1/componentstatuses/etcd-0"),
        ("POST", "/api/v1/bindings"),
    ):
        sent: Any = None if method in ("GET", "HEAD", "OPTIONS", "DELETE", "CONNECT", "NOPE") else {}
        pair.ask(
            method,
            path,
            sent,
            what=f"{method} (404/405)",
            content_type=MERGE if method == "PATCH" else "application/json",
        )
    for method, path in (
        ("GET", _MAPS),
        ("POST", _MAPS),
        ("GET", "/apis/apps/v1/deployments"),
        ("DELETE", f"{_MAPS}/held"),
        ("GET", "/api/v1/nodes"),
        ("GET", "/secret"),
        ("GET", f"{_PODS}/x/log"),
        ("PATCH", f"{_MAPS}/held"),
    ):
        pair.ask(method, path, {} if method in ("POST", "PATCH") else None, anonymous=True, what=f"anonymous {method}")
        for headers in (
            {"Authorization": "Bearer nonsense"},
            {"Authorization": "Basic eDp5"},
            {"Impersonate-User": "somebody"},
            {"Impersonate-Group": "g"},
            {"Impersonate-User": "system:serviceaccount:a:b"},
            {"Impersonate-User": "x", "Impersonate-Uid": "5", "Impersonate-Extra-a": "b"},
        ):
            pair.ask(
                method,
                path,
                {} if method in ("POST", "PATCH") else None,
                headers=headers,
                what=f"{method} {headers}",
                anonymous="Authorization" in headers,
            )
    big = json.dumps({"metadata": {"name": "big"}, "data": {"a": "x" * (3 * 1024 * 1024)}}).encode()
    pair.ask("POST", _MAPS, big, what="too large")
    pair.ask("PATCH", f"{_MAPS}/held", big, content_type=MERGE, what="too large a patch")
    pair.ask("DELETE", f"{_MAPS}/held", big, what="too large a delete")
