"""Validation of the containers of a pod. Mirrors validateContainers and what it calls in
`pkg/apis/core/validation/validation.go`. Called by `pods.py`; probes and hooks are in `probes.py`."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from generic.meta import fields
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import common, config_keys, downward, probes, requirements, security
from kubeapi.resources.validation.common import each

_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
_RESIZED, _RESIZES = ("cpu", "memory"), ("NotRequired", "RestartContainer")
_is_printable = re.compile(r"[ -<>-~]+").fullmatch
_ONE_SOURCE = "may not have more than one field specified at a time"
_SOURCES = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"


def containers(spec: JSONObject, path: str, volumes: Mapping[str, JSONObject]) -> list[FieldError]:
    """The ordinary ones, of which there has to be one."""
    given = each(spec.get("containers"))
    if not given:
        return [fields.required(path)]
    found: list[FieldError] = []
    seen: set[Any] = set()
    for at, container in enumerate(given):
        here = f"{path}[{at}]"
        found += _common(container, here, spec, volumes)
        if container.get("name") in seen:
            found.append(fields.duplicate(f"{here}.name", container.get("name") or ""))
        seen.add(container.get("name"))
        found += probes.all_of(container, here, spec)
        found += _restart_policy(container, here)
    return found + _host_ports(given, path)


def init_containers(spec: JSONObject, path: str, volumes: Mapping[str, JSONObject]) -> list[FieldError]:
    """Those that run before; one that always restarts runs beside, and is probed like the others."""
    found: list[FieldError] = []
    seen = {container.get("name") for container in each(spec.get("containers"))}
    for at, container in enumerate(each(spec.get("initContainers"))):
        here, name = f"{path}[{at}]", container.get("name")
        found += _common(container, here, spec, volumes)
        found += _restart_policy(container, here)
        if name in seen:
            found.append(fields.duplicate(f"{here}.name", name))
        elif name:
            seen.add(name)
        found += _host_ports([container], path)
        if container.get("restartPolicy") == "Always":
            found += probes.all_of(container, here, spec)
            continue
        why = "may not be set for init containers without restartPolicy=Always"
        found += [fields.forbidden(f"{here}.{key}", why) for key in probes.KEYS if container.get(key) is not None]
    return found


_NOT_EPHEMERAL = ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resources", "resizePolicy")


def ephemeral_containers(spec: JSONObject, volumes: Mapping[str, JSONObject]) -> list[FieldError]:
    """Those that are put into a running pod: no service, no life of their own, nothing of their own to use."""
    others = {c.get("name") for key in ("containers", "initContainers") for c in each(spec.get(key))}
    seen, found, why = set(others), list[FieldError](), "cannot be set for an Ephemeral Container"
    for at, container in enumerate(each(spec.get("ephemeralContainers"))):
        here, name = f"spec.ephemeralContainers[{at}]", container.get("name")
        found += _common(container, here, spec, volumes)
        found += padded_image(container, here)
        if name in seen:
            found.append(fields.duplicate(f"{here}.name", name))
        seen.add(name)
        target = container.get("targetContainerName")
        if target and target not in others:
            found.append(fields.not_found(f"{here}.targetContainerName", target))
        found += [fields.forbidden(f"{here}.{key}", why) for key in _NOT_EPHEMERAL if container.get(key)]
        for index, mount in enumerate(each(container.get("volumeMounts"))):
            keys = (key for key in ("subPath", "subPathExpr") if mount.get(key))
            found += [fields.forbidden(f"{here}.volumeMounts[{index}].{key}", why) for key in keys]
    return found


def padded_image(container: JSONObject, path: str) -> list[FieldError]:
    """What templates are not asked for."""
    image = container.get("image") or ""
    why = "must not have leading or trailing whitespace"
    return [] if image == image.strip() else [fields.invalid(f"{path}.image", image, why)]


def _common(container: JSONObject, path: str, spec: JSONObject, volumes: Mapping[str, JSONObject]) -> list[FieldError]:
    found = common.label(container.get("name"), f"{path}.name")
    if not container.get("image"):
        found.append(fields.required(f"{path}.image"))
    policy = "terminationMessagePolicy"
    found += common.required_among(container.get(policy), f"{path}.{policy}", _MESSAGE_POLICIES)
    found += _ports(each(container.get("ports")), f"{path}.ports")
    found += _env(each(container.get("env")), f"{path}.env")
    found += _env_from(each(container.get("envFrom")), f"{path}.envFrom")
    found += _mounts(container, f"{path}.volumeMounts", volumes)
    found += _devices(container, f"{path}.volumeDevices", volumes)
    found += common.required_among(container.get("imagePullPolicy"), f"{path}.imagePullPolicy", _PULL_POLICIES)
    found += requirements.of_container(container.get("resources") or {}, f"{path}.resources", spec)
    found += _resize_policy(each(container.get("resizePolicy")), f"{path}.resizePolicy", spec)
    return found + security.of_container(container.get("securityContext"), f"{path}.securityContext", spec)


def _restart_policy(container: JSONObject, path: str) -> list[FieldError]:
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules")
    if policy is not None:
        return common.among(policy, f"{path}.restartPolicy", ("Always", "Never", "OnFailure"))
    if rules:
        return [fields.required(f"{path}.restartPolicy", "must specify restartPolicy when restart rules are used")]
    return []


def _ports(ports: Iterable[JSONObject], path: str) -> list[FieldError]:
    found: list[FieldError] = []
    seen: set[str] = set()
    for at, port in enumerate(ports):
        here, name = f"{path}[{at}]", port.get("name") or ""
        problems = common.port_name(name, f"{here}.name") if name else []
        if not problems and name in seen:
            problems = [fields.duplicate(f"{here}.name", name)]
        seen |= {name} if name and not problems else set()
        found += problems
        if not port.get("containerPort"):
            found.append(fields.required(f"{here}.containerPort"))
        else:
            found += common.port(port["containerPort"], f"{here}.containerPort")
        if port.get("hostPort"):
            found += common.port(port["hostPort"], f"{here}.hostPort")
        found += common.required_among(port.get("protocol"), f"{here}.protocol", common.PROTOCOLS)
    return found


def _host_ports(given: Iterable[JSONObject], path: str) -> list[FieldError]:
    found: list[FieldError] = []
    seen: set[str] = set()
    for at, container in enumerate(given):
        for index, port in enumerate(each(container.get("ports"))):
            if port.get("hostPort"):
                shown = f"{port.get('protocol') or ''}/{port.get('hostIP') or ''}/{port['hostPort']}"
                if shown in seen:
                    found.append(fields.duplicate(f"{path}[{at}].ports[{index}].hostPort", shown))
                seen.add(shown)
    return found


def _variable_name(name: str, path: str) -> list[FieldError]:
    why = "a valid environment variable name must consist only of printable ASCII characters other than '='"
    return [] if _is_printable(name) else [fields.invalid(path, name, why)]


def _env(variables: Iterable[JSONObject], path: str) -> list[FieldError]:
    found: list[FieldError] = []
    for at, variable in enumerate(variables):
        here, name = f"{path}[{at}]", variable.get("name")
        found += _variable_name(name, f"{here}.name") if name else [fields.required(f"{here}.name")]
        if variable.get("valueFrom") is not None:
            found += _value_from(variable, f"{here}.valueFrom")
    return found


def _value_from(variable: JSONObject, path: str) -> list[FieldError]:
    source, found = variable["valueFrom"], list[FieldError]()
    if source.get("fieldRef") is not None:
        found += downward.field(source["fieldRef"], f"{path}.fieldRef", downward.VARIABLE_FIELDS)
    if source.get("resourceFieldRef") is not None:
        found += downward.resource(source["resourceFieldRef"], f"{path}.resourceFieldRef", of_volume=False)
    for key in ("configMapKeyRef", "secretKeyRef"):
        if source.get(key) is not None:
            found += _key_of(source[key], f"{path}.{key}")
    kinds = [key for key, value in source.items() if value is not None]
    if not kinds:
        found.append(fields.invalid(path, "", _SOURCES))
    elif variable.get("value"):
        found.append(fields.invalid(path, "", "may not be specified when `value` is not empty"))
    elif len(kinds) > 1:
        found.append(fields.invalid(path, "", _ONE_SOURCE))
    return found


def _key_of(reference: JSONObject, path: str) -> list[FieldError]:
    found = common.subdomain(reference.get("name") or "", f"{path}.name")
    key = reference.get("key") or ""
    if not key:
        return [*found, fields.required(f"{path}.key")]
    return found + [fields.invalid(f"{path}.key", key, message) for message in config_keys.problems(key)]


def _env_from(sources: Iterable[JSONObject], path: str) -> list[FieldError]:
    found: list[FieldError] = []
    for at, source in enumerate(sources):
        here = f"{path}[{at}]"
        if source.get("prefix"):
            found += _variable_name(source["prefix"], f"{here}.prefix")
        kinds = [key for key in ("configMapRef", "secretRef") if source.get(key) is not None]
        for kind in kinds:
            name = source[kind].get("name") or ""
            found += common.subdomain(name, f"{here}.{kind}.name") if name else [fields.required(f"{here}.{kind}.name")]
        if len(kinds) != 1:
            why = _ONE_SOURCE if kinds else "must specify one of: `configMapRef` or `secretRef`"
            found.append(fields.invalid(path, "", why))
    return found


def _mounts(container: JSONObject, path: str, volumes: Mapping[str, JSONObject]) -> list[FieldError]:
    found: list[FieldError] = []
    seen: set[str] = set()
    devices = {device.get("name"): device.get("devicePath") for device in each(container.get("volumeDevices"))}
    for at, mount in enumerate(each(container.get("volumeMounts"))):
        here, name, where = f"{path}[{at}]", mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            found.append(fields.required(f"{here}.name"))
        if name not in volumes:
            found.append(fields.not_found(f"{here}.name", name))
        if not where:
            found.append(fields.required(f"{here}.mountPath"))
        if where in seen:
            found.append(fields.invalid(f"{here}.mountPath", where, "must be unique"))
        seen.add(where)
        if name in devices:
            found.append(fields.invalid(f"{here}.name", name, "must not already exist in volumeDevices"))
        if where in devices.values():
            why = "must not already exist as a path in volumeDevices"
            found.append(fields.invalid(f"{here}.mountPath", where, why))
        # The rest is told of the list, as Go tells it.
        if mount.get("subPath"):
            found += common.relative_path(mount["subPath"], f"{path}.subPath")
        if mount.get("subPathExpr"):
            if mount.get("subPath"):
                why = "subPathExpr and subPath are mutually exclusive"
                found.append(fields.invalid(f"{here}.subPathExpr", mount["subPathExpr"], why))
            found += common.relative_path(mount["subPathExpr"], f"{path}.subPathExpr")
        found += _propagation(mount, container, f"{path}.mountPropagation")
    return found


def _propagation(mount: JSONObject, container: JSONObject, path: str) -> list[FieldError]:
    mode = mount.get("mountPropagation")
    if mode is None:
        return []
    found = common.among(mode, path, _PROPAGATIONS)
    if mode == "Bidirectional" and not (container.get("securityContext") or {}).get("privileged"):
        why = "Bidirectional mount propagation is available only to privileged containers"
        found.append(fields.forbidden(path, why))
    return found


def _devices(container: JSONObject, path: str, volumes: Mapping[str, JSONObject]) -> list[FieldError]:
    found: list[FieldError] = []
    names_seen, paths_seen = set[str](), set[str]()
    mounts = {mount.get("name"): mount.get("mountPath") for mount in each(container.get("volumeMounts"))}
    for at, device in enumerate(each(container.get("volumeDevices"))):
        here, name, where = f"{path}[{at}]", device.get("name") or "", device.get("devicePath") or ""
        volume = volumes.get(name)
        if not name:
            found.append(fields.required(f"{here}.name"))
        if name in names_seen:
            found.append(fields.invalid(f"{here}.name", name, "must be unique"))
        if volume is None:
            found.append(fields.not_found(f"{here}.name", name))
        elif volume.get("persistentVolumeClaim") is None and volume.get("ephemeral") is None:
            why = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            found.append(fields.invalid(f"{here}.name", name, why))
        if not where:
            found.append(fields.required(f"{here}.devicePath"))
        if where in paths_seen:
            found.append(fields.invalid(f"{here}.devicePath", where, "must be unique"))
        if common.no_backsteps(where, here):
            found.append(fields.invalid(f"{here}.devicePath", where, "can not contain backsteps ('..')"))
        if name in mounts:
            found.append(fields.invalid(f"{here}.name", name, "must not already exist in volumeMounts"))
        if where in mounts.values():
            why = "must not already exist as a path in volumeMounts"
            found.append(fields.invalid(f"{here}.devicePath", where, why))
        names_seen.add(name)
        paths_seen.add(where)
    return found


def _resize_policy(policies: Iterable[JSONObject], path: str, spec: JSONObject) -> list[FieldError]:
    found: list[FieldError] = []
    seen: set[Any] = set()
    for at, policy in enumerate(policies):
        resource, restart = policy.get("resourceName") or "", policy.get("restartPolicy") or ""
        if resource in seen:
            found.append(fields.duplicate(f"{path}[{at}]", resource))
        seen.add(resource)
        found += common.required_among(resource, path, _RESIZED)
        found += common.required_among(restart, path, _RESIZES)
        if spec.get("restartPolicy") == "Never" and restart != "NotRequired":
            why = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
            found.append(fields.invalid(path, restart, why))
    return found
