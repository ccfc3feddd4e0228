"""Validation of the core group's kinds but pods. Mirrors `pkg/apis/core/validation/validation.go`."""

from collections.abc import Mapping
from typing import Any

from generic.meta import fields
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.defaults.core import decoded_size
from kubeapi.resources.validation import claims, common, config_keys, pod_volumes, pods, scheduling

DATA_LIMIT = 1024 * 1024
"""Bytes that all values of a ConfigMap or Secret may have together."""

_SECRET_KEYS = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}


def _keys(data: Mapping[str, Any], path: str) -> list[FieldError]:
    return [fields.invalid(f"{path}[{key}]", key, message) for key in data for message in config_keys.problems(key)]


def config_map(obj: JSONObject) -> list[FieldError]:
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    found = _keys(data, "data")
    for key in data.keys() & binary.keys():
        found.append(fields.invalid(f"data[{key}]", key, "duplicate of key present in binaryData"))
    found += _keys(binary, "binaryData")
    size = sum(len(text.encode()) for text in data.values()) + sum(map(decoded_size, binary.values()))
    if size > DATA_LIMIT:
        found.append(fields.too_long("[]", DATA_LIMIT))
    return found


def _frozen(obj: JSONObject, old: JSONObject, *keys: str) -> list[FieldError]:
    """What `immutable: true` forbids."""
    if not old.get("immutable"):
        return []
    why = "field is immutable when `immutable` is set"
    found = [] if obj.get("immutable") else [fields.forbidden("immutable", why)]
    return found + [fields.forbidden(key, why) for key in keys if (obj.get(key) or {}) != (old.get(key) or {})]


def config_map_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    return _frozen(obj, old, "data", "binaryData")


def secret(obj: JSONObject) -> list[FieldError]:
    data, type = obj.get("data") or {}, obj.get("type") or ""
    found = _keys(data, "data")
    if sum(decoded_size(value) for value in data.values()) > DATA_LIMIT:
        found.append(fields.too_long("data", DATA_LIMIT))
    if type == "kubernetes.io/service-account-token":
        annotation = "kubernetes.io/service-account.name"
        if not (obj["metadata"].get("annotations") or {}).get(annotation):
            found.append(fields.required(f"metadata.annotations[{annotation}]"))
    elif type == "kubernetes.io/basic-auth" and "username" not in data and "password" not in data:
        found += [fields.required("data[username]"), fields.required("data[password]")]
    for key in _SECRET_KEYS.get(type, ()):
        if key not in data:
            found.append(fields.required(f"data[{key}]"))
    return found


def secret_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    return [*common.unchanged(obj, old, "type"), *_frozen(obj, old, "data")]


def replication_controller(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    found = common.not_negative(spec, ("replicas", "minReadySeconds"), "spec")
    selector, template = spec.get("selector") or {}, spec.get("template")
    if not selector:
        found.append(fields.required("spec.selector"))
    if template is None:
        return [*found, fields.required("spec.template")]
    labels = (template.get("metadata") or {}).get("labels")
    if selector and not selector.items() <= (labels or {}).items():
        why = "`selector` does not match template `labels`"
        found.append(fields.invalid("spec.template.metadata.labels", labels, why))
    return found + pods.template(template, "spec.template") + restart_always(template, "spec.template")


def restart_always(template: JSONObject, path: str) -> list[FieldError]:
    """What keeps pods running has no use for pods that end."""
    policy = (template.get("spec") or {}).get("restartPolicy")
    return common.supported(policy, f"{path}.spec.restartPolicy", ("Always",))


def pod_template(obj: JSONObject) -> list[FieldError]:
    return pods.template(obj.get("template"), "template")


def persistent_volume(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    found = [] if spec.get("accessModes") else [fields.required("spec.accessModes")]
    found += claims.access_modes(spec.get("accessModes"), "spec.accessModes")
    capacity = spec.get("capacity")
    if not capacity:
        found.append(fields.required("spec.capacity"))
    if list(capacity or ()) != ["storage"]:
        found.append(fields.not_supported("spec.capacity", capacity, ["storage"]))
    for name, amount in (capacity or {}).items():
        parsed = common.quantity(amount)
        if parsed is not None and parsed.nanos <= 0:
            found.append(fields.invalid(f"spec.capacity[{name}]", amount, "must be greater than zero"))
    if spec.get("persistentVolumeReclaimPolicy"):
        here, known = "spec.persistentVolumeReclaimPolicy", ("Delete", "Recycle", "Retain")
        found += common.among(spec["persistentVolumeReclaimPolicy"], here, known)
    affinity = spec.get("nodeAffinity")
    if affinity is not None:
        if affinity.get("required") is None:
            why = "must specify required node constraints"
            found.append(fields.required("spec.nodeAffinity.required", why))
        else:
            found += scheduling.node_selector(affinity["required"], "spec.nodeAffinity.required")
    found += pod_volumes.source_of_volume(spec, "spec")
    if spec.get("storageClassName"):
        found += common.subdomain(spec["storageClassName"], "spec.storageClassName")
    if spec.get("volumeMode") is not None:
        found += common.among(spec["volumeMode"], "spec.volumeMode", claims.VOLUME_MODES)
    return found


def persistent_volume_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    """Where a volume is and how it is used does not change."""
    now, before = obj.get("spec") or {}, old.get("spec") or {}
    found: list[FieldError] = []
    if any(now.get(key) != before.get(key) for key in pod_volumes.OF_VOLUMES):
        why = "spec.persistentvolumesource is immutable after creation"
        found.append(fields.forbidden("spec.persistentvolumesource", why))
    if now.get("volumeMode") != before.get("volumeMode"):
        found.append(fields.invalid("volumeMode", now.get("volumeMode"), fields.IMMUTABLE))
    affinity = now.get("nodeAffinity")
    if before.get("nodeAffinity") is not None and affinity != before["nodeAffinity"]:
        why = "field is immutable, except for updating from beta label to GA"
        found.append(fields.invalid("nodeAffinity", affinity, why))
    return found


def event(obj: JSONObject) -> list[FieldError]:
    """An event lies in the namespace of what it tells about, cluster-wide things in `default`."""
    involved = (obj.get("involvedObject") or {}).get("namespace") or ""
    namespace = obj["metadata"].get("namespace") or ""
    if namespace == involved or (not involved and namespace == "default"):
        return []
    return [fields.invalid("involvedObject.namespace", involved, "does not match event.namespace")]
