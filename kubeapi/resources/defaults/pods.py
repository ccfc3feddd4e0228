"""Defaults of pods and pod templates. Mirrors `pkg/apis/core/v1/defaults.go`.

Called by the defaulting of pods and of every kind with a pod template.
"""

import re
from collections.abc import Iterable

from generic.types import JSONObject
from kubeapi.resources.defaults.common import fill, fill_empty, section

_DEFAULT_MODE = 420
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_LONGEST_NAME = 256
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_is_name = re.compile(rf"(?:(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::\d+)?/)?{_PART}(?:/{_PART})*").fullmatch
_is_identifier = re.compile("[a-f0-9]{64}").fullmatch


def pod(obj: JSONObject) -> None:
    """A pod."""
    spec = section(obj, "spec")
    pod_spec(spec)
    for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
        # What a pod may use at most it is also promised; only pods say so, templates leave it open.
        resources = container.get("resources") or {}
        limits = resources.get("limits") or {}
        if limits:
            fill(section(resources, "requests"), **limits)
    fill(spec, enableServiceLinks=True)
    status = obj.get("status")
    if status:
        _addresses(status)


def _addresses(status: JSONObject) -> None:
    """The address that old kubelets tell alone is the first of all addresses; where they differ, it is the one."""
    single, several = status.get("podIP"), status.get("podIPs")
    first = several[0].get("ip") if several else None
    if single and single != first:
        status["podIPs"] = [{"ip": single}]
    elif first and not single:
        status["podIP"] = first


def pod_template(obj: JSONObject) -> None:
    """A pod template: an object with metadata and the spec of pods to come."""
    # Go writes the metadata of a template whatever is in it.
    metadata = section(obj, "metadata")
    metadata.pop("creationTimestamp", None)
    pod_spec(section(obj, "spec"))


def pod_spec(spec: JSONObject) -> None:
    """The spec, in a pod or in a template."""
    fill_empty(spec, dnsPolicy="ClusterFirst", restartPolicy="Always", schedulerName="default-scheduler")
    fill(spec, securityContext={}, terminationGracePeriodSeconds=30)
    if spec.get("serviceAccountName"):
        # The old name of the field stays in step with the new one.
        fill_empty(spec, serviceAccount=spec["serviceAccountName"])
    elif spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"]
    if spec.get("hostNetwork"):
        _host_ports(spec)
    for key in ("containers", "initContainers", "ephemeralContainers"):
        for container in spec.get(key) or ():
            _container(container)
    for volume in spec.get("volumes") or ():
        _volume(volume)


def _host_ports(spec: JSONObject) -> None:
    for key in ("containers", "initContainers"):
        for container in spec.get(key) or ():
            for port in container.get("ports") or ():
                if port.get("containerPort"):
                    fill_empty(port, hostPort=port["containerPort"])


def _container(container: JSONObject) -> None:
    fill_empty(
        container,
        imagePullPolicy=_pull_policy(container.get("image") or ""),
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
    )
    fill(container, resources={})
    for port in container.get("ports") or ():
        fill_empty(port, protocol="TCP")
    for variable in container.get("env") or ():
        reference = (variable.get("valueFrom") or {}).get("fieldRef")
        if reference is not None:
            fill_empty(reference, apiVersion="v1")
    for probe in _PROBES:
        if container.get(probe) is not None:
            _probe(container[probe])
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict) and hook.get("httpGet") is not None:
            fill_empty(hook["httpGet"], path="/", scheme="HTTP")


def _probe(probe: JSONObject) -> None:
    fill_empty(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if probe.get("httpGet") is not None:
        fill_empty(probe["httpGet"], path="/", scheme="HTTP")
    if probe.get("grpc") is not None:
        fill(probe["grpc"], service="")


def _pull_policy(image: str) -> str:
    """Always for `latest` and for no tag at all, as the reference's last component decides it.

    What is no reference has no tag either, but is not pulled for that.
    """
    name, at, _ = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if tag not in ("", "latest") or (at and not tag):
        return "IfNotPresent"
    name = name[: len(name) - len(tag) - 1] if tag else name
    known = len(name) < _LONGEST_NAME and _is_name(name) and not _is_identifier(name)
    return "Always" if known else "IfNotPresent"


def _volume(volume: JSONObject) -> None:
    sources = [key for key, value in volume.items() if key != "name" and value is not None]
    if not sources:
        volume["emptyDir"] = {}
    for key in ("secret", "configMap", "downwardAPI", "projected"):
        if volume.get(key) is not None:
            fill(volume[key], defaultMode=_DEFAULT_MODE)
    if volume.get("hostPath") is not None:
        fill(volume["hostPath"], type="")
    for source in (volume.get("projected") or {}).get("sources") or ():
        if source.get("serviceAccountToken") is not None:
            fill(source["serviceAccountToken"], expirationSeconds=3600)
        _field_references((source.get("downwardAPI") or {}).get("items") or ())
    _field_references((volume.get("downwardAPI") or {}).get("items") or ())
    _network_volume(volume)


def _field_references(items: Iterable[JSONObject]) -> None:
    for item in items:
        if item.get("fieldRef") is not None:
            fill_empty(item["fieldRef"], apiVersion="v1")


def _network_volume(volume: JSONObject) -> None:
    if volume.get("iscsi") is not None:
        fill_empty(volume["iscsi"], iscsiInterface="default")
    if volume.get("rbd") is not None:
        fill_empty(volume["rbd"], pool="rbd", user="admin", keyring="/etc/ceph/keyring")
    if volume.get("scaleIO") is not None:
        fill_empty(volume["scaleIO"], storageMode="ThinProvisioned", fsType="xfs")
    template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
    if template is not None:
        fill(section(template, "spec"), volumeMode="Filesystem")
