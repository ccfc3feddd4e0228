"""The columns of nodes and of the kinds of storage, core and storage.k8s.io.

Used by `kubeapi/resources/core.py` and `storage.py`.
"""

from collections.abc import Callable
from typing import Any

from generic.types import JSONObject
from kubeapi.resources.columns.common import AGE, NAME, NONE, UNSET, at, cell, condition, count, dig, spec, status

_ROLE_PREFIX = "node-role.kubernetes.io/"


def _node_status(node: JSONObject) -> str:
    ready = condition(status(node).get("conditions"), "Ready")
    words = ["Unknown" if ready is None else "Ready" if ready.get("status") == "True" else "NotReady"]
    if spec(node).get("unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _node_roles(node: JSONObject) -> str:
    roles = set()
    for key, value in (node["metadata"].get("labels") or {}).items():
        if key.startswith(_ROLE_PREFIX):
            roles.add(key.removeprefix(_ROLE_PREFIX))
        elif key == "kubernetes.io/role":
            roles.add(value)
    return ",".join(sorted(filter(None, roles))) or NONE


def _address(type: str) -> Callable[[JSONObject], Any]:
    def get(node: JSONObject) -> Any:
        addresses = status(node).get("addresses") or ()
        return next((found.get("address") for found in addresses if found.get("type") == type), NONE)

    return get


def _node_info(key: str) -> Callable[[JSONObject], Any]:
    return lambda node: dig(node, "status", "nodeInfo", key) or "<unknown>"


NODE = (
    NAME,
    cell("Status", _node_status),
    cell("Roles", _node_roles),
    AGE,
    cell("Version", at("status", "nodeInfo", "kubeletVersion")),
    cell("Internal-IP", _address("InternalIP"), wide=True),
    cell("External-IP", _address("ExternalIP"), wide=True),
    cell("OS-Image", _node_info("osImage"), wide=True),
    cell("Kernel-Version", _node_info("kernelVersion"), wide=True),
    cell("Container-Runtime", _node_info("containerRuntimeVersion"), wide=True),
)

_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def _access_modes(modes: Any) -> str:
    return ",".join(short for mode, short in _MODES.items() if mode in (modes or ()))


def _phase(obj: JSONObject) -> Any:
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else status(obj).get("phase") or ""


def _storage_class(obj: JSONObject) -> Any:
    legacy = (obj["metadata"].get("annotations") or {}).get("volume.beta.kubernetes.io/storage-class")
    return spec(obj).get("storageClassName") or "" if legacy is None else legacy


def _claim(volume: JSONObject) -> str:
    claim = spec(volume).get("claimRef")
    return f"{claim.get('namespace') or ''}/{claim.get('name') or ''}" if claim else ""


_VOLUME_ATTRIBUTES_CLASS = cell(
    "VolumeAttributesClass", lambda obj: _or_unset(spec(obj).get("volumeAttributesClassName"))
)
_VOLUME_MODE = cell("VolumeMode", lambda obj: _or_unset(spec(obj).get("volumeMode")), wide=True)


def _or_unset(value: Any) -> Any:
    return UNSET if value is None else value


PERSISTENT_VOLUME = (
    NAME,
    cell("Capacity", at("spec", "capacity", "storage", default="0")),
    cell("Access Modes", lambda obj: _access_modes(spec(obj).get("accessModes"))),
    cell("Reclaim Policy", at("spec", "persistentVolumeReclaimPolicy")),
    cell("Status", _phase),
    cell("Claim", _claim),
    cell("StorageClass", _storage_class),
    _VOLUME_ATTRIBUTES_CLASS,
    cell("Reason", at("status", "reason")),
    AGE,
    _VOLUME_MODE,
)


def _when_bound(get: Callable[[JSONObject], Any]) -> Callable[[JSONObject], Any]:
    return lambda claim: get(claim) if spec(claim).get("volumeName") else ""


PERSISTENT_VOLUME_CLAIM = (
    NAME,
    cell("Status", _phase),
    cell("Volume", at("spec", "volumeName")),
    cell("Capacity", _when_bound(at("status", "capacity", "storage", default="0"))),
    cell("Access Modes", _when_bound(lambda obj: _access_modes(status(obj).get("accessModes")))),
    cell("StorageClass", _storage_class),
    _VOLUME_ATTRIBUTES_CLASS,
    AGE,
    _VOLUME_MODE,
)


def _default_marked(*annotations: str) -> Callable[[JSONObject], str]:
    def name(obj: JSONObject) -> str:
        held = obj["metadata"].get("annotations") or {}
        marked = any(held.get(annotation) == "true" for annotation in annotations)
        return f"{obj['metadata'].get('name', '')}{' (default)' if marked else ''}"

    return name


STORAGE_CLASS = (
    cell(
        "Name",
        _default_marked(
            "storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"
        ),
        format="name",
    ),
    cell("Provisioner", at("provisioner")),
    cell("ReclaimPolicy", at("reclaimPolicy", default="Delete")),
    cell("VolumeBindingMode", at("volumeBindingMode", default="Immediate")),
    cell("AllowVolumeExpansion", at("allowVolumeExpansion", default=False)),
    AGE,
)
VOLUME_ATTRIBUTES_CLASS = (
    cell("Name", _default_marked("volumeattributesclass.alpha.kubernetes.io/is-default-class"), format="name"),
    cell("DriverName", at("driverName")),
    AGE,
)
VOLUME_ATTACHMENT = (
    NAME,
    cell("Attacher", at("spec", "attacher"), format="name"),
    cell("PV", at("spec", "source", "persistentVolumeName")),
    cell("Node", at("spec", "nodeName")),
    cell("Attached", at("status", "attached", default=False), type="boolean"),
    AGE,
)
CSI_NODE = (NAME, cell("Drivers", count("spec", "drivers"), type="integer"), AGE)


def _token_audiences(driver: JSONObject) -> str:
    requests = spec(driver).get("tokenRequests")
    return UNSET if requests is None else ",".join(request.get("audience") or "" for request in requests)


CSI_DRIVER = (
    NAME,
    cell("AttachRequired", at("spec", "attachRequired", default=True), type="boolean"),
    cell("PodInfoOnMount", at("spec", "podInfoOnMount", default=False), type="boolean"),
    cell("StorageCapacity", at("spec", "storageCapacity", default=False), type="boolean"),
    cell("TokenRequests", _token_audiences),
    cell("RequiresRepublish", at("spec", "requiresRepublish", default=False), type="boolean"),
    cell("Modes", lambda driver: ",".join(spec(driver).get("volumeLifecycleModes") or ()) or NONE),
    AGE,
)
