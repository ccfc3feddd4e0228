"""The columns of the core group's kinds but for pods, nodes and volumes.

Used by `kubeapi/resources/core.py`.
"""

from typing import Any

from generic.types import JSONObject
from kubeapi.resources.columns.common import (
    AGE,
    NAME,
    NONE,
    at,
    cell,
    containers_columns,
    count,
    dig,
    labels_text,
    shortened,
    since,
    spec,
    status,
)


def _service_cluster_ip(service: JSONObject) -> Any:
    ips = spec(service).get("clusterIPs") or ()
    return ips[0] if ips else NONE


def load_balancer_text(obj: JSONObject) -> str:
    """The addresses of a load balancer, sorted."""
    points = dig(obj, "status", "loadBalancer", "ingress") or ()
    return ",".join(sorted({found for point in points if (found := point.get("ip") or point.get("hostname"))}))


def _service_external_ip(service: JSONObject) -> Any:
    wanted, external = spec(service).get("type"), spec(service).get("externalIPs") or []
    if wanted in ("ClusterIP", "NodePort"):
        return ",".join(external) or NONE
    if wanted == "LoadBalancer":
        balanced = load_balancer_text(service)
        return ",".join([*filter(None, [balanced]), *external]) or "<pending>"
    if wanted == "ExternalName":
        return spec(service).get("externalName") or ""
    return "<unknown>"


def _service_ports(service: JSONObject) -> str:
    def one(port: JSONObject) -> str:
        node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
        return f"{port.get('port')}{node_port}/{port.get('protocol', '')}"

    return ",".join(map(one, spec(service).get("ports") or ())) or NONE


SERVICE = (
    NAME,
    cell("Type", at("spec", "type")),
    cell("Cluster-IP", _service_cluster_ip),
    cell("External-IP", _service_external_ip),
    cell("Port(s)", _service_ports),
    AGE,
    cell("Selector", lambda service: labels_text(spec(service).get("selector")), wide=True),
)


def _joined_host_port(ip: str, port: Any) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def _endpoints(obj: JSONObject) -> str:
    subsets = obj.get("subsets") or ()
    if not subsets:
        return NONE
    found: list[str] = []
    for subset in subsets:
        addresses = [address.get("ip", "") for address in subset.get("addresses") or ()]
        ports = [port.get("port") for port in subset.get("ports") or ()]
        found += [_joined_host_port(ip, port) for port in ports for ip in addresses] if ports else addresses
    return shortened(found)


ENDPOINTS = (NAME, cell("Endpoints", _endpoints), AGE)
NAMESPACE = (NAME, cell("Status", at("status", "phase")), AGE)
CONFIG_MAP = (NAME, cell("Data", lambda obj: len(obj.get("data") or ()) + len(obj.get("binaryData") or ())), AGE)
SECRET = (NAME, cell("Type", at("type")), cell("Data", count("data")), AGE)
SERVICE_ACCOUNT = (NAME, AGE)

REPLICATION_CONTROLLER = (
    NAME,
    cell("Desired", at("spec", "replicas", default=0), type="integer"),
    cell("Current", at("status", "replicas", default=0), type="integer"),
    cell("Ready", at("status", "readyReplicas", default=0), type="integer"),
    AGE,
    *containers_columns("spec", "template"),
    cell("Selector", lambda obj: labels_text(spec(obj).get("selector")), wide=True),
)


def _plainly(column: Any) -> Any:
    """A pod template shows in every output what workloads show only in wide."""
    return cell(column.name, column.getter)


POD_TEMPLATE = (
    NAME,
    *map(_plainly, containers_columns("template")),
    cell("Pod Labels", lambda obj: labels_text(dig(obj, "template", "metadata", "labels"))),
)


def _quota(*, limits: bool) -> Any:
    def get(obj: JSONObject) -> str:
        hard, used = status(obj).get("hard") or {}, status(obj).get("used") or {}
        names = [name for name in sorted(hard) if name.startswith("limits.") == limits]
        return ", ".join(f"{name}: {used.get(name, 0)}/{hard[name]}" for name in names)

    return get


RESOURCE_QUOTA = (NAME, cell("Request", _quota(limits=False)), cell("Limit", _quota(limits=True)), AGE)


def _first_seen(event: JSONObject) -> str:
    return since(event.get("firstTimestamp") or event.get("eventTime"))


def _last_seen(event: JSONObject) -> str:
    series = event.get("series")
    if series:
        return since(series.get("lastObservedTime"))
    return since(event["lastTimestamp"]) if event.get("lastTimestamp") else _first_seen(event)


def _event_count(event: JSONObject) -> int:
    series = event.get("series")
    return int((series.get("count") or 0) if series else event.get("count") or 1)


def _event_object(event: JSONObject) -> str:
    involved = event.get("involvedObject") or {}
    kind = str(involved.get("kind") or "").lower()
    return f"{kind}/{involved['name']}" if involved.get("name") else kind


def _event_source(event: JSONObject) -> str:
    source = event.get("source") or {}
    component = source.get("component") or event.get("reportingComponent") or ""
    instance = source.get("host") or event.get("reportingInstance") or ""
    return f"{component}, {instance}" if instance else str(component)


EVENT = (
    cell("Last Seen", _last_seen),
    cell("Type", at("type")),
    cell("Reason", at("reason")),
    cell("Object", _event_object),
    cell("Subobject", at("involvedObject", "fieldPath"), wide=True),
    cell("Source", _event_source, wide=True),
    cell("Message", lambda event: str(event.get("message") or "").strip()),
    cell("First Seen", _first_seen, wide=True),
    cell("Count", _event_count, wide=True),
    cell("Name", lambda event: event["metadata"].get("name", ""), wide=True, format="name"),
)
