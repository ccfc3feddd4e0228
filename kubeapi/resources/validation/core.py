"""Validation of the core group's kinds but pods. Mirrors `pkg/apis/core/validation/validation.go`."""

import re
from collections.abc import Mapping
from typing import Any

from generic.meta import fields, names
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.defaults.core import decoded_size
from kubeapi.resources.validation import common, pods

DATA_LIMIT = 1024 * 1024
"""Bytes that all values of a ConfigMap or Secret may have together."""

_KEY_LIMIT = 253
_is_config_key = re.compile(r"[-._a-zA-Z0-9]+").fullmatch
_SECRET_KEYS = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")


def config_key(key: str) -> list[str]:
    """What is wrong with a key of a ConfigMap or Secret, which has to make a file name."""
    problems = [names.too_long(_KEY_LIMIT)] if len(key) > _KEY_LIMIT else []
    if not _is_config_key(key):
        what = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        problems.append(names.regex_mismatch(what, "[-._a-zA-Z0-9]+", "key.name", "KEY_NAME", "key-name"))
    if key == ".":
        problems.append("must not be '.'")
    elif key == "..":
        problems.append("must not be '..'")
    elif key.startswith(".."):
        problems.append("must not start with '..'")
    return problems


def _keys(data: Mapping[str, Any], path: str) -> list[FieldError]:
    return [fields.invalid(f"{path}[{key}]", key, message) for key in data for message in config_key(key)]


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
    labels = (template.get("metadata") or {}).get("labels") or {}
    if selector and not selector.items() <= labels.items():
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
    found: list[FieldError] = []
    if not spec.get("accessModes"):
        found.append(fields.required("spec.accessModes"))
    for mode in spec.get("accessModes") or ():
        found += common.supported(mode, "spec.accessModes", _ACCESS_MODES)
    if not spec.get("capacity"):
        found.append(fields.required("spec.capacity"))
    elif list(spec["capacity"]) != ["storage"]:
        found.append(fields.not_supported("spec.capacity", spec["capacity"], ["storage"]))
    policies = ("Delete", "Recycle", "Retain")
    reclaim = "persistentVolumeReclaimPolicy"
    return found + common.supported(spec.get(reclaim), f"spec.{reclaim}", policies)


def claim(obj: JSONObject) -> list[FieldError]:
    return claim_spec(obj.get("spec") or {}, "spec")


def claim_spec(spec: JSONObject, path: str) -> list[FieldError]:
    """A claim's spec, also in a StatefulSet's claim templates."""
    found: list[FieldError] = []
    if not spec.get("accessModes"):
        found.append(fields.required(f"{path}.accessModes", "at least 1 access mode is required"))
    for mode in spec.get("accessModes") or ():
        found += common.supported(mode, f"{path}.accessModes", _ACCESS_MODES)
    if "storage" not in ((spec.get("resources") or {}).get("requests") or {}):
        found.append(fields.required(f"{path}.resources[storage]"))
    return found + common.supported(spec.get("volumeMode"), f"{path}.volumeMode", ("Block", "Filesystem"))


_CLAIM_FROZEN = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
)


def claim_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    new, before = dict(obj.get("spec") or {}), dict(old.get("spec") or {})
    for key in ("resources", "volumeAttributesClassName"):
        new.pop(key, None)
        before.pop(key, None)
    if not before.get("volumeName"):
        # Binding is the one change a claim's owner did not make.
        new.pop("volumeName", None)
        before.pop("volumeName", None)
    return [] if new == before else [fields.forbidden("spec", _CLAIM_FROZEN)]


def event(obj: JSONObject) -> list[FieldError]:
    """An event lies in the namespace of what it tells about, cluster-wide things in `default`."""
    involved = (obj.get("involvedObject") or {}).get("namespace") or ""
    namespace = obj["metadata"].get("namespace") or ""
    if namespace == involved or (not involved and namespace == "default"):
        return []
    return [fields.invalid("involvedObject.namespace", involved, "does not match event.namespace")]
