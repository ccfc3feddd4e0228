"""Defaults of the core group's kinds but pods. Mirrors `pkg/apis/core/v1/defaults.go`."""

import base64
import binascii

from generic.types import JSONObject
from kubeapi.resources.defaults.common import fill, fill_empty, section, zeros
from kubeapi.resources.defaults.pods import pod_template

SESSION_AFFINITY_SECONDS = 10800


def namespace(obj: JSONObject) -> None:
    """The name is also a label, so that selectors of namespaces can ask for it."""
    metadata = obj["metadata"]
    if metadata.get("name"):
        section(metadata, "labels")["kubernetes.io/metadata.name"] = metadata["name"]
    section(obj, "spec")


def service(obj: JSONObject) -> None:
    spec = section(obj, "spec")
    fill_empty(spec, sessionAffinity="None", type="ClusterIP")
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        fill(section(section(spec, "sessionAffinityConfig"), "clientIP"), timeoutSeconds=SESSION_AFFINITY_SECONDS)
    for port in spec.get("ports") or ():
        fill_empty(port, protocol="TCP")
        if not port.get("targetPort") and port.get("port") is not None:
            port["targetPort"] = port["port"]
    if spec["type"] in ("NodePort", "LoadBalancer") or (spec["type"] == "ClusterIP" and spec.get("externalIPs")):
        fill_empty(spec, externalTrafficPolicy="Cluster")
    if spec["type"] in ("ClusterIP", "NodePort", "LoadBalancer"):
        fill(spec, internalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        fill(spec, allocateLoadBalancerNodePorts=True)
    section(section(obj, "status"), "loadBalancer")


def secret(obj: JSONObject) -> None:
    """The plain text of stringData goes into data: it is for writing only."""
    fill_empty(obj, type="Opaque")
    plain = obj.pop("stringData", None)
    if plain:
        data = section(obj, "data")
        for key, text in plain.items():
            data[key] = base64.b64encode(text.encode()).decode()


def decoded_size(encoded: str | None) -> int:
    """Bytes that base64 text stands for; its own length if it is none."""
    if encoded is None:
        return 0
    try:
        return len(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError):
        return len(encoded)


def endpoints(obj: JSONObject) -> None:
    for subset in obj.get("subsets") or ():
        for port in subset.get("ports") or ():
            fill_empty(port, protocol="TCP")


def replication_controller(obj: JSONObject) -> None:
    spec = section(obj, "spec")
    fill(spec, replicas=1)
    template = spec.get("template")
    if template is not None:
        pod_template(template)
        labels = (template.get("metadata") or {}).get("labels") or {}
        if labels:
            fill_empty(spec, selector=dict(labels))
            metadata = obj["metadata"]
            if not metadata.get("labels"):
                metadata["labels"] = dict(labels)
    zeros(obj, "status", "replicas")


def template_object(obj: JSONObject) -> None:
    """A PodTemplate."""
    pod_template(section(obj, "template"))


def persistent_volume(obj: JSONObject) -> None:
    spec = section(obj, "spec")
    fill_empty(spec, persistentVolumeReclaimPolicy="Retain")
    fill(spec, volumeMode="Filesystem")
    if spec.get("hostPath") is not None:
        fill(spec["hostPath"], type="")
    if spec.get("iscsi") is not None:
        fill_empty(spec["iscsi"], iscsiInterface="default")
    if spec.get("rbd") is not None:
        fill_empty(spec["rbd"], pool="rbd", user="admin", keyring="/etc/ceph/keyring")
    section(obj, "status")


def persistent_volume_claim(obj: JSONObject) -> None:
    claim_spec(section(obj, "spec"))
    fill_empty(section(obj, "status"), phase="Pending")


def claim_spec(spec: JSONObject) -> None:
    """The spec of a claim, also where a StatefulSet has a template of it."""
    fill(spec, volumeMode="Filesystem", resources={})


def limit_range(obj: JSONObject) -> None:
    """Of containers: limits follow from the maximum, requests from limits or the minimum."""
    for item in section(obj, "spec").get("limits") or ():
        if item.get("type") != "Container":
            continue
        maximum, minimum = item.get("max") or {}, item.get("min") or {}
        if maximum:
            fill(section(item, "default"), **maximum)
        limits = item.get("default") or {}
        if limits or minimum:
            fill(section(item, "defaultRequest"), **limits)
            fill(item["defaultRequest"], **minimum)


def node(obj: JSONObject) -> None:
    spec = section(obj, "spec")
    # The older field and the first of the newer ones are the same.
    if spec.get("podCIDR") and (spec.get("podCIDRs") or [""])[0] != spec["podCIDR"]:
        spec["podCIDRs"] = [spec["podCIDR"]]
    elif spec.get("podCIDRs") and not spec.get("podCIDR"):
        spec["podCIDR"] = spec["podCIDRs"][0]
    status = section(obj, "status")
    if status.get("capacity") and not status.get("allocatable"):
        status["allocatable"] = dict(status["capacity"])


def event(obj: JSONObject) -> None:
    """Go writes these whatever is in them."""
    fill(obj, source={}, reportingComponent="", reportingInstance="")
