"""Validation of security contexts, of pods and of containers. Mirrors validatePodSpecSecurityContext and
ValidateSecurityContext of `pkg/apis/core/validation/validation.go`. Called by `pods.py` and `containers.py`."""

import re
from typing import Any

from generic.meta import fields
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import common
from kubeapi.resources.validation.common import each

_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_SYSCTL_LIMIT = 253
_SYSCTL = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_is_sysctl = re.compile(_SYSCTL).fullmatch
_HIGHEST_ID = 2**31 - 1


def of_pod(context: JSONObject | None, path: str) -> list[FieldError]:
    if context is None:
        return []
    found: list[FieldError] = []
    for key in ("fsGroup", "runAsUser", "runAsGroup"):
        found += _id(context.get(key), f"{path}.{key}")
    for at, group in enumerate(each(context.get("supplementalGroups"))):
        found += _id(group, f"{path}.supplementalGroups[{at}]")
    found += _sysctls(context, f"{path}.sysctls")
    found += _policy(context, "fsGroupChangePolicy", path, ("Always", "OnRootMismatch"))
    found += _seccomp(context.get("seccompProfile"), f"{path}.seccompProfile")
    found += _app_armor(context.get("appArmorProfile"), f"{path}.appArmorProfile")
    found += _policy(context, "supplementalGroupsPolicy", path, ("Merge", "Strict"))
    return found + _policy(context, "seLinuxChangePolicy", path, ("MountOption", "Recursive"))


def _policy(context: JSONObject, key: str, path: str, known: tuple[str, ...]) -> list[FieldError]:
    return [] if context.get(key) is None else common.among(context[key], f"{path}.{key}", known)


def of_container(context: JSONObject | None, path: str, spec: JSONObject) -> list[FieldError]:
    if context is None:
        return []
    found = _id(context.get("runAsUser"), f"{path}.runAsUser") + _id(context.get("runAsGroup"), f"{path}.runAsGroup")
    mount = context.get("procMount")
    if mount is not None:
        found += common.among(mount, f"{path}.procMount", ("Default", "Unmasked"))
        if mount == "Unmasked" and spec.get("hostUsers") is not False:
            found.append(fields.invalid(f"{path}.procMount", mount, "`hostUsers` must be false to use `Unmasked`"))
    found += _seccomp(context.get("seccompProfile"), f"{path}.seccompProfile")
    if context.get("allowPrivilegeEscalation") is False:
        if context.get("privileged"):
            why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            found.append(fields.invalid(path, context, why))
        if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
            why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            found.append(fields.invalid(path, context, why))
    return found + _app_armor(context.get("appArmorProfile"), f"{path}.appArmorProfile")


def _id(value: Any, path: str) -> list[FieldError]:
    return common.between(value, path, 0, _HIGHEST_ID)


def _sysctls(context: JSONObject, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    seen: set[str] = set()
    for at, sysctl in enumerate(each(context.get("sysctls"))):
        here, name = f"{path}[{at}].name", sysctl.get("name") or ""
        if not name:
            found.append(fields.required(here))
        elif len(name) > _SYSCTL_LIMIT or not _is_sysctl(name):
            why = f"must have at most {_SYSCTL_LIMIT} characters and match regex ^{_SYSCTL}$"
            found.append(fields.invalid(here, name, why))
        elif name in seen:
            found.append(fields.duplicate(here, name))
        seen.add(name)
    return found


def _seccomp(profile: JSONObject | None, path: str) -> list[FieldError]:
    if profile is None:
        return []
    kind, file = profile.get("type"), profile.get("localhostProfile")
    if not kind:
        found = [fields.required(f"{path}.type", "type is required when seccompProfile is set")]
    else:
        found = common.among(kind, f"{path}.type", _PROFILES)
    if kind != "Localhost":
        if file is not None:
            why = "can only be set when seccomp type is Localhost"
            found.append(fields.invalid(f"{path}.localhostProfile", profile, why))
    elif file is None:
        found.append(fields.required(f"{path}.localhostProfile", "must be set when seccomp type is Localhost"))
    else:
        found += common.relative_path(file, f"{path}.localhostProfile")
    return found


def _app_armor(profile: JSONObject | None, path: str) -> list[FieldError]:
    if profile is None:
        return []
    kind, file = profile.get("type"), profile.get("localhostProfile")
    here = f"{path}.localhostProfile"
    if not kind:
        return [fields.required(f"{path}.type", "type is required when appArmorProfile is set")]
    if kind == "Localhost":
        if file is not None and file != file.strip():
            return [fields.invalid(here, file, "must not be padded with whitespace")]
        return [] if file else [fields.required(here, "must be set when AppArmor type is Localhost")]
    if kind in _PROFILES:
        why = "can only be set when AppArmor type is Localhost"
        return [] if file is None else [fields.invalid(here, file, why)]
    return common.among(kind, f"{path}.type", _PROFILES)
