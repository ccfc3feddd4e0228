"""What a pod may be told about itself, in variables and in files of volumes.

Mirrors validateObjectFieldSelector and validateContainerResourceFieldSelector of
`pkg/apis/core/validation/validation.go`.
"""

import re

from generic.meta import fields, names
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import common

VARIABLE_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
VOLUME_FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")

_KNOWN = frozenset({*VARIABLE_FIELDS, *VOLUME_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase"})
_RESOURCES = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory",
    "requests.cpu", "requests.ephemeral-storage", "requests.memory",
)  # fmt: skip
_HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
_is_subscripted = re.compile(r"(.*)\['(.*)'\]").fullmatch
_UNITS = frozenset({"1", *(f"1{unit}" for unit in "kMGTPE"), *(f"1{unit}i" for unit in "KMGTPE")})
_UNITS_SAID = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei"


def field(reference: JSONObject, path: str, known: tuple[str, ...]) -> list[FieldError]:
    """A field of the pod, one label or annotation of it too."""
    for key in ("apiVersion", "fieldPath"):
        if not reference.get(key):
            return [fields.required(f"{path}.{key}")]
    where = reference["fieldPath"]
    subscripted = _is_subscripted(where)
    whole = subscripted[1] if subscripted is not None else where
    why = ""
    if reference["apiVersion"] != "v1":
        why = f"unsupported pod version: {reference['apiVersion']}"
    elif whole not in _KNOWN:
        why = f"field label not supported: {where}"
    if why:
        return [fields.invalid(f"{path}.fieldPath", where, f"error converting fieldPath: {why}")]
    if subscripted is None:
        return common.among(where, f"{path}.fieldPath", known)
    if whole not in ("metadata.labels", "metadata.annotations"):
        return [fields.invalid(path, whole, "does not support subscript")]
    key = subscripted[2].lower() if whole == "metadata.annotations" else subscripted[2]
    return [fields.invalid(path, key, message) for message in names.qualified_name(key)]


def resource(reference: JSONObject, path: str, *, of_volume: bool) -> list[FieldError]:
    """A request or limit of a container; a volume has to say which container's."""
    found: list[FieldError] = []
    name = reference.get("resource") or ""
    if of_volume and not reference.get("containerName"):
        found.append(fields.required(f"{path}.containerName"))
    elif not name:
        found.append(fields.required(f"{path}.resource"))
    elif not name.startswith(_HUGE_PAGES):
        found += common.among(name, f"{path}.resource", _RESOURCES)
    return found + _divisor(reference, name, f"{path}.divisor")


def _divisor(reference: JSONObject, name: str, path: str) -> list[FieldError]:
    divisor = reference.get("divisor") or "0"
    parsed = common.quantity(divisor)
    if parsed is None or not parsed.nanos:
        return []
    kind = name.partition(".")[2]
    if kind == "cpu" and divisor not in ("1", "1m"):
        return [fields.invalid(path, name, "only divisor's values 1m and 1 are supported with the cpu resource")]
    said = {"memory": "memory", "ephemeral-storage": "local ephemeral storage"}.get(kind)
    said = "hugepages" if kind.startswith("hugepages-") else said
    if said and divisor not in _UNITS:
        why = f"only divisor's values {_UNITS_SAID} are supported with the {said} resource"
        return [fields.invalid(path, name, why)]
    return []
