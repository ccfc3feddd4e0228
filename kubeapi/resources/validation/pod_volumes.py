"""Validation of a pod's volumes. Mirrors ValidateVolumes of `pkg/apis/core/validation/validation.go`. See `pods.py`."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from generic.meta import fields, names
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import claims, common, downward
from kubeapi.resources.validation.common import each

_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
_HOST_PATHS = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
)  # fmt: skip
_TOO_MANY = "may not specify more than 1 volume type"
_SHORTEST_TOKEN, _LONGEST_TOKEN = 600, 2**32


def volumes(given: Iterable[JSONObject], path: str, *, pod: str) -> tuple[dict[str, JSONObject], list[FieldError]]:
    """The good ones by name, for mounts to be looked up in, and what is wrong. `pod`: its name; "" in templates."""
    good: dict[str, JSONObject] = {}
    found: list[FieldError] = []
    created = {f"{pod}-{volume.get('name')}" for volume in given if pod and volume.get("ephemeral") is not None}
    for at, volume in enumerate(given):
        here, name = f"{path}[{at}]", volume.get("name") or ""
        problems = _source(volume, here, pod)
        problems += common.label(name, f"{here}.name")
        if name in good:
            problems.append(fields.duplicate(f"{here}.name", name))
        if not problems:
            good[name] = volume
        found += problems
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if claim in created:
            why = "must not reference a PVC that gets created for an ephemeral volume"
            found.append(fields.invalid(f"{here}.persistentVolumeClaim.claimName", claim, why))
    return good, found


def _source(volume: JSONObject, path: str, pod: str) -> list[FieldError]:
    kinds = [key for key in volume if key != "name" and volume[key] is not None]
    if not kinds:
        return [fields.required(path, "must specify a volume type")]
    # Go looks at them in an order of its own, and says of all but the first that they are too many.
    kinds.sort(key=lambda kind: _ORDER.index(kind) if kind in _ORDER else len(_ORDER))
    first = kinds[0]
    check = _CHECKS.get(first)
    found = check(volume[first], f"{path}.{first}") if check is not None else []
    found += [fields.forbidden(f"{path}.{extra}", _TOO_MANY) for extra in kinds[1:]]
    if first == "ephemeral" and pod and volume.get("name"):
        claim = f"{pod}-{volume['name']}"
        why = (f'PVC name "{claim}": {message}' for message in names.dns1123_subdomain(claim))
        found += [fields.invalid(f"{path}.name", volume["name"], message) for message in why]
    return found


OF_VOLUMES = (
    "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte", "cephfs",
    "iscsi", "cinder", "fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume",
    "azureDisk", "scaleIO", "local", "storageos", "csi",
)  # fmt: skip


def source_of_volume(spec: JSONObject, path: str) -> list[FieldError]:
    """The one source of a PersistentVolume."""
    kinds = [kind for kind in OF_VOLUMES if spec.get(kind) is not None]
    if not kinds:
        return [fields.required(path, "must specify a volume type")]
    first, source = kinds[0], spec[kinds[0]]
    here = f"{path}.{first}"
    found: list[FieldError] = []
    if first == "csi":
        found = claims.driver_name(source.get("driver") or "", f"{here}.driver") + _required("volumeHandle")(
            source, here
        )
    elif first == "local":
        where = source.get("path") or ""
        found = common.no_backsteps(where, f"{here}.path") if where else [fields.required(f"{here}.path")]
    elif first in _CHECKS:
        found = _CHECKS[first](source, here)
    return found + [
        fields.forbidden(f"{path}.{extra}", "may not specify more than 1 volume type") for extra in kinds[1:]
    ]


def _mode(value: Any, path: str, *, limit: int = 0o777, why: str = _MODE) -> list[FieldError]:
    return [] if value is None or 0 <= value <= limit else [fields.invalid(path, value, why)]


def _empty_dir(source: JSONObject, path: str) -> list[FieldError]:
    size = common.quantity(source.get("sizeLimit"))
    if size is not None and size.value < 0:
        return [fields.forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")]
    return []


def _host_path(source: JSONObject, path: str) -> list[FieldError]:
    where = source.get("path") or ""
    if not where:
        return [fields.required(f"{path}.path")]
    found = common.no_backsteps(where, f"{path}.path")
    if source.get("type") is not None:
        found += common.among(source["type"], f"{path}.type", _HOST_PATHS)
    return found


def _required(*keys: str) -> Callable[[JSONObject, str], list[FieldError]]:
    def check(source: JSONObject, path: str) -> list[FieldError]:
        return [fields.required(f"{path}.{key}") for key in keys if not source.get(key)]

    return check


def _nfs(source: JSONObject, path: str) -> list[FieldError]:
    found = _required("server", "path")(source, path)
    where = source.get("path") or ""
    return found if where.startswith("/") else [*found, fields.invalid(f"{path}.path", where, _ABSOLUTE)]


_ABSOLUTE = "must be an absolute path"


def _keyed(name: str) -> Callable[[JSONObject, str], list[FieldError]]:
    """A ConfigMap or Secret, some of whose keys may be named."""

    def check(source: JSONObject, path: str) -> list[FieldError]:
        found = _required(name)(source, path) + _mode(source.get("defaultMode"), f"{path}.defaultMode")
        return found + _items(each(source.get("items")), f"{path}.items")

    return check


def _items(items: Iterable[JSONObject], path: str) -> list[FieldError]:
    found: list[FieldError] = []
    for at, item in enumerate(items):
        here, where = f"{path}[{at}]", item.get("path") or ""
        found += _required("key", "path")(item, here)
        found += _non_reserved(where, f"{here}.path")
        found += _mode(item.get("mode"), f"{here}.mode")
    return found


def _non_reserved(where: str, path: str) -> list[FieldError]:
    found = common.relative_path(where, path)
    if where.startswith("..") and not where.startswith("../"):
        found.append(fields.invalid(path, where, "must not start with '..'"))
    return found


def _downward(source: JSONObject, path: str) -> list[FieldError]:
    found = _mode(source.get("defaultMode"), f"{path}.defaultMode")
    for file in each(source.get("items")):
        found += _downward_file(file, path)
    return found


def _downward_file(file: JSONObject, path: str) -> list[FieldError]:
    found = _required("path")(file, path)
    found += _non_reserved(file.get("path") or "", f"{path}.path")
    field, resource = file.get("fieldRef"), file.get("resourceFieldRef")
    if field is not None:
        found += downward.field(field, f"{path}.fieldRef", downward.VOLUME_FIELDS)
        if resource is not None:
            why = "fieldRef and resourceFieldRef can not be specified simultaneously"
            found.append(fields.invalid(path, "resource", why))
    elif resource is not None:
        found += downward.resource(resource, f"{path}.resourceFieldRef", of_volume=True)
    else:
        found.append(fields.required(path, "one of fieldRef and resourceFieldRef is required"))
    return found + _mode(file.get("mode"), f"{path}.mode")


def _projected(source: JSONObject, path: str) -> list[FieldError]:
    found = _mode(source.get("defaultMode"), f"{path}.defaultMode")
    seen: set[str] = set()

    def once(where: str, shown: str) -> list[FieldError]:
        if where and where in seen:
            return [fields.invalid(path, shown, "conflicting duplicate paths")]
        seen.add(where)
        return []

    for at, projection in enumerate(each(source.get("sources"))):
        here = f"{path}.sources[{at}]"
        for kind in ("secret", "configMap"):
            if projection.get(kind) is not None:
                found += _required("name")(projection[kind], f"{here}.{kind}")
                for index, item in enumerate(each(projection[kind].get("items"))):
                    found += _items([item], f"{here}.{kind}.items") if not index else []
                    found += once(item.get("path") or "", projection[kind].get("name") or "")
        if projection.get("downwardAPI") is not None:
            for file in each(projection["downwardAPI"].get("items")):
                found += _downward_file(file, f"{here}.downwardAPI")
                found += once(file.get("path") or "", file.get("path") or "")
        if projection.get("serviceAccountToken") is not None:
            found += _token(projection["serviceAccountToken"], path, f"{here}.serviceAccountToken")
        if sum(value is not None for value in projection.values()) > 1:
            found.append(fields.forbidden(here, "may not specify more than 1 volume type per source"))
    return found


def _token(token: JSONObject, volume: str, path: str) -> list[FieldError]:
    seconds, found = token.get("expirationSeconds"), list[FieldError]()
    if seconds is None:
        found.append(fields.required(f"{path}.expirationSeconds"))
    elif seconds < _SHORTEST_TOKEN:
        why = "may not specify a duration less than 10 minutes"
        found.append(fields.invalid(f"{path}.expirationSeconds", seconds, why))
    elif seconds > _LONGEST_TOKEN:
        why = "may not specify a duration larger than 2^32 seconds"
        found.append(fields.invalid(f"{path}.expirationSeconds", seconds, why))
    # The path is told as one of the volume's, not of the source's.
    where = token.get("path") or ""
    return found + (_non_reserved(where, f"{volume}.path") if where else [fields.required(f"{volume}.path")])


def _csi(source: JSONObject, path: str) -> list[FieldError]:
    found = claims.driver_name(source.get("driver") or "", f"{path}.driver")
    secret = source.get("nodePublishSecretRef")
    if secret is not None and not secret.get("name"):
        found.append(fields.required(f"{path}.nodePublishSecretRef.name"))
    return found


def _ephemeral(source: JSONObject, path: str) -> list[FieldError]:
    template, here = source.get("volumeClaimTemplate"), f"{path}.volumeClaimTemplate"
    return [fields.required(here)] if template is None else claims.template(template, here)


_CHECKS: Mapping[str, Callable[[JSONObject, str], list[FieldError]]] = {
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "gitRepo": _required("repository"),
    "gcePersistentDisk": _required("pdName"),
    "awsElasticBlockStore": _required("volumeID"),
    "secret": _keyed("secretName"),
    "nfs": _nfs,
    "iscsi": _required("targetPortal", "iqn"),
    "glusterfs": _required("endpoints", "path"),
    "persistentVolumeClaim": _required("claimName"),
    "rbd": _required("monitors", "image"),
    "cinder": _required("volumeID"),
    "cephfs": _required("monitors"),
    "quobyte": _required("registry"),
    "downwardAPI": _downward,
    "flexVolume": _required("driver"),
    "configMap": _keyed("name"),
    "azureFile": _required("secretName", "shareName"),
    "vsphereVolume": _required("volumePath"),
    "photonPersistentDisk": _required("pdID"),
    "portworxVolume": _required("volumeID"),
    "azureDisk": _required("diskName", "diskURI"),
    "projected": _projected,
    "scaleIO": _required("gateway", "system", "volumeName"),
    "csi": _csi,
    "ephemeral": _ephemeral,
}
_ORDER = tuple(_CHECKS)
