"""What an APIService may say. Called by the strategy.

Mirrors `kube-aggregator/pkg/apis/apiregistration/validation/validation.go`; the rules of metadata that hold for every
kind are checked by the write path.
"""

import base64
import binascii
from collections.abc import Sequence

import orjson

from generic.meta import fields, names
from generic.meta.fields import FieldError
from generic.types import JSONObject

MOST_GROUP_PRIORITY = 20000
MOST_VERSION_PRIORITY = 1000
_MOST_PORT = 65535
_STATUSES = ("True", "False", "Unknown")


def apiservice(obj: JSONObject) -> list[FieldError]:
    """Everything that is wrong with an APIService but its status."""
    spec = obj.get("spec") or {}
    return [*_name(obj), *_group_version(spec), *_priorities(spec), *_backend(spec)]


def status(obj: JSONObject) -> list[FieldError]:
    """Everything that is wrong with its status."""
    conditions: Sequence[JSONObject] = (obj.get("status") or {}).get("conditions") or ()
    return [
        fields.not_supported(f"status.conditions[{at}].status", condition.get("status") or "", _STATUSES)
        for at, condition in enumerate(conditions)
        if condition.get("status") not in _STATUSES
    ]


def _name(obj: JSONObject) -> list[FieldError]:
    spec, metadata = obj.get("spec") or {}, obj["metadata"]
    required = f"{spec.get('version') or ''}.{spec.get('group') or ''}"
    why = f'must be `spec.version+"."+spec.group`: {orjson.dumps(required).decode()}'
    return [
        fields.invalid(f"metadata.{key}", name, why)
        for key in ("generateName", "name")
        # What is no name at all has been said already.
        if (name := metadata.get(key) or "") and name != required and not names.path_segment_name(name)
    ]


def _group_version(spec: JSONObject) -> list[FieldError]:
    group, version = spec.get("group") or "", spec.get("version") or ""
    found = []
    if group:
        found += [fields.invalid("spec.group", group, problem) for problem in names.dns1123_subdomain(group)]
    elif version != "v1":
        why = "only v1 may have an empty group and it better be legacy kube"
        found.append(fields.required("spec.group", why))
    return found + [fields.invalid("spec.version", version, problem) for problem in names.dns1035_label(version)]


def _priorities(spec: JSONObject) -> list[FieldError]:
    found = []
    for key, most in (("groupPriorityMinimum", MOST_GROUP_PRIORITY), ("versionPriority", MOST_VERSION_PRIORITY)):
        value = spec.get(key) or 0
        if not 0 < value <= most:
            found.append(fields.invalid(f"spec.{key}", value, f"must be positive and less than {most}"))
    return found


def _backend(spec: JSONObject) -> list[FieldError]:
    service, bundle, insecure = spec.get("service"), spec.get("caBundle") or "", spec.get("insecureSkipTLSVerify")
    found = []
    if service is None:
        if bundle:
            shown = f"{_decoded_length(bundle)} bytes"
            found.append(fields.invalid("spec.caBundle", shown, "local APIServices may not have a caBundle"))
        if insecure:
            why = "local APIServices may not have insecureSkipTLSVerify"
            found.append(fields.invalid("spec.insecureSkipTLSVerify", True, why))
        return found
    for key in ("namespace", "name"):
        if not service.get(key):
            found.append(fields.required(f"spec.service.{key}"))
    port = service.get("port") or 0
    if not 0 < port <= _MOST_PORT:
        why = f"port is not valid: must be between 1 and {_MOST_PORT}, inclusive"
        found.append(fields.invalid("spec.service.port", port, why))
    if insecure and bundle:
        why = "may not be true if caBundle is present"
        found.append(fields.invalid("spec.insecureSkipTLSVerify", True, why))
    return found


def _decoded_length(bundle: str) -> int:
    try:
        return len(base64.b64decode(bundle))
    except binascii.Error:
        return len(bundle)
