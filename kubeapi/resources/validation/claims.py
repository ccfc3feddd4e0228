"""Validation of claims of storage, by themselves and as templates. Mirrors ValidatePersistentVolumeClaim and its kin
of `pkg/apis/core/validation/validation.go`."""

from typing import Any

from generic.meta import fields, names, validation
from generic.meta.fields import FieldError
from generic.meta.quantity import Quantity
from generic.types import JSONObject
from kubeapi.resources.validation import common
from kubeapi.resources.validation.common import each

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
_DRIVER_LIMIT = 63
_FROZEN = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"


def claim(obj: JSONObject) -> list[FieldError]:
    return spec(obj.get("spec") or {}, "spec")


def claim_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    """A claim finds its volume and its class once; when it has a volume it may grow."""
    new, before = dict(obj.get("spec") or {}), dict(old.get("spec") or {})
    status = obj.get("status") or {}
    free = {"resources"}
    if not before.get("volumeName"):
        free.add("volumeName")
    annotated = _CLASS_ANNOTATION in (old["metadata"].get("annotations") or {})
    if before.get("storageClassName") is None and not annotated:
        # A class that became the default afterwards.
        free.add("storageClassName")
    bound = status.get("phase") == "Bound"
    if bound:
        free.add("volumeAttributesClassName")
    same = _amounts(new, growing=bound) == _amounts(before, growing=bound)
    changed = any(new.get(key) != before.get(key) for key in (new.keys() | before.keys()) - free)
    found = [] if same and not changed else [fields.forbidden("spec", _FROZEN)]
    now, was, held = (_storage(part, key) for part, key in ((new, "resources"), (before, "resources"), (status, "")))
    if now < was and now <= held:
        found.append(fields.forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"))
    if new.get("volumeMode") != before.get("volumeMode"):
        found.append(fields.invalid("volumeMode", new.get("volumeMode"), fields.IMMUTABLE))
    return found


def _amounts(given: JSONObject, *, growing: bool) -> dict[tuple[str, str], Quantity | None]:
    """What is asked for and what is the most, but for what may grow."""
    return {
        (part, name): common.quantity(amount)
        for part, amounts in (given.get("resources") or {}).items()
        for name, amount in (amounts or {}).items()
        if not (growing and (part, name) == ("requests", "storage"))
    }


def _storage(part: JSONObject, key: str) -> Quantity:
    """How much a spec asks for, or a status has."""
    amounts = ((part.get(key) or {}).get("requests") if key else part.get("capacity")) or {}
    return common.quantity(amounts.get("storage")) or Quantity.parse("0")


def template(obj: JSONObject, path: str) -> list[FieldError]:
    """Of a volume that comes and goes with its pod."""
    metadata = obj.get("metadata") or {}
    return [
        *validation.annotations(metadata.get("annotations") or {}, f"{path}.metadata.annotations"),
        *validation.labels(metadata.get("labels") or {}, f"{path}.metadata.labels"),
        *spec(obj.get("spec") or {}, f"{path}.spec"),
    ]


def spec(given: JSONObject, path: str) -> list[FieldError]:
    """A claim's spec, also in a StatefulSet's claim templates."""
    found: list[FieldError] = []
    if not given.get("accessModes"):
        found.append(fields.required(f"{path}.accessModes", "at least 1 access mode is required"))
    found += validation.label_selector(given.get("selector"), f"{path}.selector")
    found += access_modes(given.get("accessModes"), f"{path}.accessModes")
    requests = (given.get("resources") or {}).get("requests") or {}
    if "storage" not in requests:
        found.append(fields.required(f"{path}.resources[storage]"))
    else:
        asked = common.quantity(requests["storage"])
        if asked is not None and asked.value <= 0:
            why = "must be greater than zero"
            found.append(fields.invalid(f"{path}.resources[storage]", requests["storage"], why))
    storage_class = given.get("storageClassName")
    if storage_class:
        found += common.subdomain(storage_class, f"{path}.storageClassName")
    if given.get("volumeMode") is not None:
        found += common.among(given["volumeMode"], f"{path}.volumeMode", VOLUME_MODES)
    for key in ("dataSource", "dataSourceRef"):
        if given.get(key) is not None:
            found += _source(given[key], f"{path}.{key}")
    if given.get("volumeAttributesClassName"):
        found += common.subdomain(given["volumeAttributesClassName"], f"{path}.volumeAttributesClassName")
    return found


def access_modes(modes: Any, path: str) -> list[FieldError]:
    """Each is known, and the one that excludes the others stands alone."""
    found: list[FieldError] = []
    for mode in each(modes):
        found += common.among(mode, path, ACCESS_MODES)
    if "ReadWriteOncePod" in (modes or ()) and len(modes) > 1:
        why = "may not use ReadWriteOncePod with other access modes"
        found.append(fields.forbidden(path, why))
    return found


def _source(source: JSONObject, path: str) -> list[FieldError]:
    found = [fields.required(f"{path}.{key}") for key in ("name", "kind") if not source.get(key)]
    group, kind = source.get("apiGroup") or "", source.get("kind")
    if group:
        found += common.subdomain(group, f"{path}.apiGroup")
    elif kind != "PersistentVolumeClaim":
        why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        found.append(fields.invalid(path, kind or "", why))
    return found


def driver_name(name: str, path: str) -> list[FieldError]:
    """Of a storage driver: a domain whose case does not matter."""
    if not name:
        return [fields.required(path)]
    found = [fields.too_long(path, _DRIVER_LIMIT)] if len(name) > _DRIVER_LIMIT else []
    return found + [fields.invalid(path, name, message) for message in names.dns1123_subdomain(name.lower())]
