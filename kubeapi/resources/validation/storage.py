"""Validation of storage.k8s.io and storagemigration.k8s.io. Mirrors `pkg/apis/storage/validation/validation.go`."""

from typing import Any

from generic.meta import fields, names, validation
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import claims, common
from kubeapi.resources.validation.common import each

_MODES = ("Immediate", "WaitForFirstConsumer")
_FS_GROUPS = ("File", "None", "ReadWriteOnceWithFSType")
_LIFECYCLES = ("Persistent", "Ephemeral")
_SHORTEST_TOKEN, _LONGEST_TOKEN = 600, 2**32
_ATTACHER_LIMIT = 63
_FORBIDDEN_UPDATE = "updates to {} are forbidden."


def storage_class(obj: JSONObject) -> list[FieldError]:
    found = _qualified(obj.get("provisioner") or "", "provisioner")
    for key in obj.get("parameters") or {}:
        if not key:
            found.append(fields.invalid("parameters", key, "field can not be empty."))
    if obj.get("reclaimPolicy"):
        found += common.among(obj["reclaimPolicy"], "reclaimPolicy", ("Delete", "Retain"))
    mode = obj.get("volumeBindingMode")
    found += [fields.required("volumeBindingMode")] if mode is None else common.among(mode, "volumeBindingMode", _MODES)
    return found + _topologies(list(each(obj.get("allowedTopologies"))), "allowedTopologies")


def _qualified(name: str, path: str) -> list[FieldError]:
    """A driver's name; its case does not matter."""
    if not name:
        return [fields.required(path)]
    return [fields.invalid(path, name.lower(), why) for why in names.qualified_name(name.lower())]


def _topologies(terms: list[JSONObject], path: str) -> list[FieldError]:
    found: list[FieldError] = []
    for at, term in enumerate(terms):
        here, seen = f"{path}[{at}].matchLabelExpressions", set[str]()
        for index, expression in enumerate(each(term.get("matchLabelExpressions"))):
            key, values = expression.get("key") or "", expression.get("values") or []
            if not values:
                found.append(fields.required(f"{here}[{index}].values"))
            for number, value in enumerate(values):
                if value in values[:number]:
                    found.append(fields.duplicate(f"{here}[{index}].values[{number}]", value))
            found += validation.label_name(key, f"{here}[{index}].key")
            if key in seen:
                found.append(fields.duplicate(f"{here}[{index}].key", key))
            seen.add(key)
        if any(_meaning(term) == _meaning(other) for other in terms[:at]):
            found.append(fields.duplicate(here, ""))
    return found


def _meaning(term: JSONObject) -> dict[str, set[str]]:
    return {e.get("key") or "": set(e.get("values") or ()) for e in each(term.get("matchLabelExpressions"))}


def storage_class_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    keys = ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode")
    changed = (key for key in keys if (obj.get(key) or None) != (old.get(key) or None))
    return [fields.invalid(key, None, fields.IMMUTABLE) for key in changed]


def attachment(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    attacher, node, source = spec.get("attacher") or "", spec.get("nodeName") or "", spec.get("source") or {}
    found = [] if attacher else [fields.required("spec.attacher")]
    if len(attacher) > _ATTACHER_LIMIT:
        found.append(fields.too_long("spec.attacher", _ATTACHER_LIMIT))
    found += claims.driver_name(attacher, "spec.attacher") if attacher else []
    volume, inline, here = source.get("persistentVolumeName"), source.get("inlineVolumeSpec"), "spec.source"
    if (volume is None) == (inline is None):
        why = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
        found.append(fields.required(here, why))
    elif volume is not None:
        if not volume:
            why = "must specify non empty persistentVolumeName"
            found.append(fields.required(f"{here}.persistentVolumeName", why))
        found += common.subdomain(volume, f"{here}.persistentVolumeName")
    return found + common.subdomain(node, "spec.nodeName")


def attachment_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    now, before = obj.get("spec") or {}, old.get("spec") or {}
    return [] if now == before else [fields.invalid("spec", now, "field is immutable")]


def driver(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    found = [fields.required(f"spec.{key}") for key in ("attachRequired", "podInfoOnMount") if spec.get(key) is None]
    found += common.among(spec.get("fsGroupPolicy"), "spec.fsGroupPolicy", _FS_GROUPS)
    seen: set[str] = set()
    for at, request in enumerate(each(spec.get("tokenRequests"))):
        here, audience = f"spec.tokenRequests[{at}]", request.get("audience") or ""
        seconds = request.get("expirationSeconds")
        if audience in seen:
            found.append(fields.duplicate(f"{here}.audience", audience))
        seen.add(audience)
        if seconds is not None and seconds < _SHORTEST_TOKEN:
            why = "may not specify a duration less than 10 minutes"
            found.append(fields.invalid(f"{here}.expirationSeconds", seconds, why))
        elif seconds is not None and seconds > _LONGEST_TOKEN:
            why = "may not specify a duration larger than 2^32 seconds"
            found.append(fields.invalid(f"{here}.expirationSeconds", seconds, why))
    for mode in each(spec.get("volumeLifecycleModes")):
        found += common.among(mode, "spec.volumeLifecycleModes", _LIFECYCLES)
    return found


def driver_warnings(obj: JSONObject, old: JSONObject | None) -> list[str]:
    spec = obj.get("spec") or {}
    if not spec.get("tokenRequests") or spec.get("serviceAccountTokenInSecrets") is not None:
        return []
    return [
        "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible "
        "logging of tokens in volume attributes"
    ]


def node(obj: JSONObject) -> list[FieldError]:
    found: list[FieldError] = []
    seen: set[str] = set()
    for at, entry in enumerate(each((obj.get("spec") or {}).get("drivers"))):
        here, name = f"spec.drivers[{at}]", entry.get("name") or ""
        found += claims.driver_name(name, f"{here}.name")
        if not entry.get("nodeID"):
            found.append(fields.required(f"{here}.nodeID"))
        count = (entry.get("allocatable") or {}).get("count")
        if count is not None:
            found += validation.nonnegative(count, f"{here}.allocatable.count")
        found += _topology_keys(entry.get("topologyKeys") or [], here)
        if name in seen:
            found.append(fields.duplicate(f"{here}.name", name))
        seen.add(name)
    return found


def _topology_keys(keys: list[Any], path: str) -> list[FieldError]:
    found: list[FieldError] = []
    for at, given in enumerate(keys):
        key = given or ""
        if not key:
            found.append(fields.required(path))
        if given in keys[:at]:
            found.append(fields.duplicate(path, key))
        found += [fields.invalid(path, key, why) for why in names.qualified_name(key)]
    return found


def capacity(obj: JSONObject) -> list[FieldError]:
    name = obj.get("storageClassName") or ""
    found = [fields.invalid("storageClassName", name, why) for why in names.dns1123_subdomain(name)]
    for key in ("capacity", "maximumVolumeSize"):
        amount = common.quantity(obj.get(key))
        if amount is not None and amount.nanos < 0:
            found.append(fields.invalid(key, obj[key], "must be greater than or equal to 0"))
    return found + validation.label_selector(obj.get("nodeTopology"), "nodeTopology")


def capacity_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    return common.unchanged(obj, old, "nodeTopology") + common.unchanged(obj, old, "storageClassName")


def attributes_class(obj: JSONObject) -> list[FieldError]:
    found = _qualified(obj.get("driverName") or "", "driverName")
    if not obj.get("parameters"):
        found.append(fields.required("parameters", "must contain at least one key/value pair"))
    return found


def attributes_class_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    return [
        fields.forbidden(key, _FORBIDDEN_UPDATE.format(key))
        for key in ("driverName", "parameters")
        if (obj.get(key) or None) != (old.get(key) or None)
    ]


def migration(obj: JSONObject) -> list[FieldError]:
    resource = (obj.get("spec") or {}).get("resource") or {}
    name, group, path = resource.get("resource") or "", resource.get("group") or "", "spec.resource"
    found = [fields.required(f"{path}.resource", "resource is required to be set")]
    if name:
        found = [fields.invalid(f"{path}.resource", name, why) for why in names.dns1035_label(name)]
    return found + (common.subdomain(group, f"{path}.group") if group else [])
