"""Definitions of the shape real projects ship, written for the tests, and objects of theirs."""

from typing import Any

from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject

CERTIFICATES = GroupVersionResource("certs.example.com", "v1", "certificates")
GAUGES = GroupVersionResource("monitoring.example.com", "v1", "gauges")


def text(**more: Any) -> JSONObject:
    return {"type": "string", **more}


def schema(spec: JSONObject, **members: JSONObject) -> JSONObject:
    return {"type": "object", "properties": {"spec": spec, **members}}


def definition(plural: str, kind: str, *versions: JSONObject, group: str, scope: str = "Namespaced") -> JSONObject:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {"plural": plural, "kind": kind},
            "versions": list(versions),
        },
    }


def version(name: str, open_api: JSONObject, *, storage: bool = True, **more: Any) -> JSONObject:
    return {"name": name, "served": True, "storage": storage, "schema": {"openAPIV3Schema": open_api}, **more}


def certificate_schema() -> JSONObject:
    spec = {
        "type": "object",
        "required": ["secretName", "issuerRef"],
        "properties": {
            "secretName": text(),
            "duration": text(),
            "dnsNames": {"type": "array", "items": text(), "x-kubernetes-list-type": "set"},
            "renewBeforeDays": {"type": "integer", "format": "int32", "minimum": 1},
            "issuerRef": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": text(), "kind": text(default="Issuer", enum=["Issuer", "ClusterIssuer"])},
            },
            "usages": {"type": "array", "items": text(enum=["signing", "server auth", "client auth"])},
            "keystores": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    ready = {"type": "array", "items": {"type": "object", "properties": {"type": text(), "status": text()}}}
    return schema(spec, status={"type": "object", "properties": {"conditions": ready, "revision": {"type": "integer"}}})


def certificates() -> JSONObject:
    """A certificate manager's: required fields, defaults, enums, status, columns, short names, selectable fields."""
    columns = [
        {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
        {"name": "Secret", "type": "string", "jsonPath": ".spec.secretName"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    only = version(
        "v1",
        certificate_schema(),
        subresources={"status": {}},
        additionalPrinterColumns=columns,
        selectableFields=[{"jsonPath": ".spec.secretName"}],
    )
    made = definition("certificates", "Certificate", only, group=CERTIFICATES.group)
    made["spec"]["names"] |= {"shortNames": ["cert"], "categories": ["all"]}
    return made


def certificate(name: str = "web", **spec: Any) -> JSONObject:
    return {
        "apiVersion": "certs.example.com/v1",
        "kind": "Certificate",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"secretName": "web-tls", "issuerRef": {"name": "ca"}, **spec},
    }


def gauges() -> JSONObject:
    """A monitoring operator's: scale, quantities by int-or-string, an embedded template."""
    spec = {
        "type": "object",
        "properties": {
            "replicas": {"type": "integer", "format": "int32"},
            "port": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            "template": {
                "type": "object",
                "x-kubernetes-embedded-resource": True,
                "x-kubernetes-preserve-unknown-fields": True,
            },
        },
    }
    status = {"type": "object", "properties": {"replicas": {"type": "integer"}, "selector": text()}}
    scale = {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }
    only = version("v1", schema(spec, status=status), subresources={"status": {}, "scale": scale})
    return definition("gauges", "Gauge", only, group=GAUGES.group)


def gauge(name: str = "main", **spec: Any) -> JSONObject:
    return {
        "apiVersion": "monitoring.example.com/v1",
        "kind": "Gauge",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"replicas": 2, **spec},
    }


def widgets(*, storage: str = "v1", strategy: str = "None") -> JSONObject:
    """Two versions that differ: v1 has color, v1beta1 has size with a default."""
    made = definition(
        "widgets",
        "Widget",
        version("v1", schema({"type": "object", "properties": {"color": text()}}), storage=storage == "v1"),
        version(
            "v1beta1",
            schema({"type": "object", "properties": {"color": text(), "size": text(default="medium")}}),
            storage=storage == "v1beta1",
            deprecated=True,
        ),
        group="example.com",
    )
    if strategy == "Webhook":
        client = {"url": "https://webhook.example.com/convert"}
        webhook = {"clientConfig": client, "conversionReviewVersions": ["v1"]}
        made["spec"]["conversion"] = {"strategy": "Webhook", "webhook": webhook}
    return made


def widget(name: str = "one", *, of_version: str = "v1", **spec: Any) -> JSONObject:
    return {
        "apiVersion": f"example.com/{of_version}",
        "kind": "Widget",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"color": "red", **spec},
    }
