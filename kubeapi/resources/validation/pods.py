"""Validation of pods and pod templates. Mirrors the pod half of `pkg/apis/core/validation/validation.go`.

First level: what people get wrong by hand. Called by the pod strategy and by every kind with a pod template.
"""

from collections.abc import Iterable
from typing import Any

from generic.meta import fields, names, validation
from generic.meta.fields import FieldError
from generic.meta.quantity import Quantity
from generic.types import JSONObject
from kubeapi.resources.validation import common
from kubeapi.resources.validation.common import each

RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_MUTABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def pod(obj: JSONObject) -> list[FieldError]:
    """A pod by itself."""
    return pod_spec(obj.get("spec") or {}, "spec")


def template(obj: JSONObject | None, path: str) -> list[FieldError]:
    """A pod template."""
    if not obj:
        return []
    metadata = obj.get("metadata") or {}
    return [
        *validation.labels(metadata.get("labels") or {}, f"{path}.metadata.labels"),
        *validation.annotations(metadata.get("annotations") or {}, f"{path}.metadata.annotations"),
        *pod_spec(obj.get("spec") or {}, f"{path}.spec"),
    ]


def pod_spec(spec: JSONObject, path: str) -> list[FieldError]:
    """The spec, in a pod or in a template."""
    found = _volumes(each(spec.get("volumes")), f"{path}.volumes")
    volumes = {volume.get("name") for volume in each(spec.get("volumes"))}
    containers, init = each(spec.get("containers")), each(spec.get("initContainers"))
    if "containers" in spec and not spec["containers"]:
        found.append(fields.required(f"{path}.containers"))
    for key, group in (("containers", containers), ("initContainers", init)):
        for at, container in enumerate(group):
            found += _container(container, f"{path}.{key}[{at}]", volumes)
    found += common.duplicates(containers, _name, f"{path}.containers", ".name")
    found += common.duplicates(init, _name, f"{path}.initContainers", ".name")
    found += common.supported(spec.get("restartPolicy"), f"{path}.restartPolicy", RESTART_POLICIES)
    found += common.supported(spec.get("dnsPolicy"), f"{path}.dnsPolicy", _DNS_POLICIES)
    found += validation.labels(spec.get("nodeSelector") or {}, f"{path}.nodeSelector")
    if spec.get("serviceAccountName"):
        found += common.subdomain(spec["serviceAccountName"], f"{path}.serviceAccountName")
    if spec.get("nodeName"):
        found += common.subdomain(spec["nodeName"], f"{path}.nodeName")
    if spec.get("hostname"):
        found += common.label(spec["hostname"], f"{path}.hostname")
    found += common.between(spec.get("activeDeadlineSeconds"), f"{path}.activeDeadlineSeconds", 1, 2**31 - 1)
    return found


_NOT_EPHEMERAL = ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resources", "resizePolicy")


def ephemeral_containers(spec: JSONObject) -> list[FieldError]:
    """Containers that are put into a running pod: no service, no life of their own, nothing of their own to use."""
    path, containers = "spec.ephemeralContainers", each(spec.get("ephemeralContainers"))
    volumes = {volume.get("name") for volume in each(spec.get("volumes"))}
    others = {c.get("name") for key in ("containers", "initContainers") for c in each(spec.get(key))}
    found = common.duplicates(containers, _name, path, ".name")
    for at, container in enumerate(containers):
        here = f"{path}[{at}]"
        if container.get("name") in others:
            found.append(fields.duplicate(f"{here}.name", container["name"]))
        target = container.get("targetContainerName")
        if target and target not in others:
            found.append(fields.not_found(f"{here}.targetContainerName", target))
        found += _container(container, here, volumes)
        why = "cannot be set for an Ephemeral Container"
        found += [fields.forbidden(f"{here}.{key}", why) for key in _NOT_EPHEMERAL if container.get(key)]
    return found


def _name(item: JSONObject) -> Any:
    return item.get("name")


def _volumes(volumes: Iterable[JSONObject], path: str) -> list[FieldError]:
    found = common.duplicates(volumes, _name, path, ".name")
    for at, volume in enumerate(volumes):
        here = f"{path}[{at}]"
        if volume.get("name") is not None:
            found += common.label(volume["name"], f"{here}.name")
        sources = [key for key, value in volume.items() if key != "name" and value is not None]
        for extra in sources[1:]:
            found.append(fields.forbidden(f"{here}.{extra}", "may not specify more than 1 volume type"))
    return found


def _container(container: JSONObject, path: str, volumes: set[Any]) -> list[FieldError]:
    found: list[FieldError] = []
    if "name" in container:
        found += common.label(container["name"], f"{path}.name")
    image = container.get("image") or ""
    if not image:
        found.append(fields.required(f"{path}.image"))
    elif image != image.strip():
        why = "must not have leading or trailing whitespace"
        found.append(fields.invalid(f"{path}.image", image, why))
    found += common.supported(container.get("imagePullPolicy"), f"{path}.imagePullPolicy", _PULL_POLICIES)
    found += common.supported(
        container.get("terminationMessagePolicy"), f"{path}.terminationMessagePolicy", _MESSAGE_POLICIES
    )
    found += _ports(each(container.get("ports")), f"{path}.ports")
    found += _env(each(container.get("env")), f"{path}.env")
    found += _mounts(each(container.get("volumeMounts")), f"{path}.volumeMounts", volumes)
    found += resources(container.get("resources") or {}, f"{path}.resources")
    return found


def _ports(ports: Iterable[JSONObject], path: str) -> list[FieldError]:
    found = common.duplicates(ports, _name, path, ".name")
    for at, port in enumerate(ports):
        here = f"{path}[{at}]"
        if port.get("name"):
            found += common.port_name(port["name"], f"{here}.name")
        if port.get("containerPort") == 0:
            found.append(fields.required(f"{here}.containerPort"))
        else:
            found += common.port(port.get("containerPort"), f"{here}.containerPort")
        if port.get("hostPort"):
            found += common.port(port["hostPort"], f"{here}.hostPort")
        found += common.supported(port.get("protocol"), f"{here}.protocol", common.PROTOCOLS, required=True)
    return found


def _env(variables: Iterable[JSONObject], path: str) -> list[FieldError]:
    found: list[FieldError] = []
    for at, variable in enumerate(variables):
        here = f"{path}[{at}]"
        name = variable.get("name")
        if name == "":
            found.append(fields.required(f"{here}.name"))
        elif name and not all(("!" <= char <= "~" and char != "=") or char == " " for char in name):
            why = "a valid environment variable name must consist only of printable ASCII characters other than '='"
            found.append(fields.invalid(f"{here}.name", name, why))
        source = variable.get("valueFrom")
        if source is None:
            continue
        if variable.get("value"):
            why = "may not be specified when `value` is not empty"
            found.append(fields.invalid(f"{here}.valueFrom", "", why))
        kinds = [key for key, value in source.items() if value is not None]
        if not kinds:
            why = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
            found.append(fields.invalid(f"{here}.valueFrom", "", why))
        elif len(kinds) > 1:
            why = "may not have more than one field specified at a time"
            found.append(fields.invalid(f"{here}.valueFrom", "", why))
    return found


def _mounts(mounts: Iterable[JSONObject], path: str, volumes: set[Any]) -> list[FieldError]:
    found: list[FieldError] = []
    seen: set[str] = set()
    for at, mount in enumerate(mounts):
        here = f"{path}[{at}]"
        name, where = mount.get("name"), mount.get("mountPath")
        if name == "":
            found.append(fields.required(f"{here}.name"))
        elif name is not None and name not in volumes:
            found.append(fields.not_found(f"{here}.name", name))
        if where == "":
            found.append(fields.required(f"{here}.mountPath"))
        elif where in seen:
            found.append(fields.invalid(f"{here}.mountPath", where, "must be unique"))
        elif where:
            seen.add(where)
    return found


def resources(given: JSONObject, path: str) -> list[FieldError]:
    """Requests and limits: quantities that are not negative, requests within limits."""
    found: list[FieldError] = []
    limits, requests = given.get("limits") or {}, given.get("requests") or {}
    for key, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            here = f"{path}.{key}[{name}]"
            for message in names.qualified_name(name):
                found.append(fields.invalid(here, name, message))
            parsed = _quantity(amount)
            if parsed is not None and parsed.value < 0:
                found.append(fields.invalid(here, str(amount), "must be greater than or equal to 0"))
    for name, amount in requests.items():
        asked, limit = _quantity(amount), _quantity(limits.get(name))
        if asked is not None and limit is not None and asked > limit:
            why = f"must be less than or equal to {name} limit of {limits[name]}"
            found.append(fields.invalid(f"{path}.requests", str(amount), why))
    return found


def _quantity(amount: Any) -> Quantity | None:
    if amount is None:
        return None
    try:
        return Quantity.parse(str(amount))
    except ValueError:
        # Not a quantity at all: decoding refused it, or will.
        return None


def pod_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    """Of a pod's spec little may change once it exists."""
    new, before = dict(obj.get("spec") or {}), dict(old.get("spec") or {})
    found: list[FieldError] = []
    for key in ("containers", "initContainers"):
        if len(new.get(key) or ()) != len(before.get(key) or ()):
            return [fields.forbidden(f"spec.{key}", "pod updates may not add or remove containers")]
        new[key], before[key] = _without_images(new.get(key)), _without_images(before.get(key))
    found += _deadline(new, before)
    found += _tolerations(new, before)
    for key in ("activeDeadlineSeconds", "tolerations"):
        new.pop(key, None)
        before.pop(key, None)
    if before.get("terminationGracePeriodSeconds", 0) < 0 and new.get("terminationGracePeriodSeconds") == 1:
        new["terminationGracePeriodSeconds"] = before["terminationGracePeriodSeconds"]
    if before.get("schedulingGates") and _fewer(new.get("schedulingGates"), before["schedulingGates"]):
        new.pop("schedulingGates", None)
        before.pop("schedulingGates", None)
    if new != before:
        found.append(fields.forbidden("spec", _MUTABLE))
    return found


def _without_images(containers: Any) -> list[JSONObject]:
    return [{key: value for key, value in c.items() if key != "image"} for c in containers or ()]


def _fewer(gates: Any, before: list[JSONObject]) -> bool:
    return all(gate in before for gate in gates or ())


def _deadline(new: JSONObject, before: JSONObject) -> list[FieldError]:
    path, now, was = "spec.activeDeadlineSeconds", new.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
    if now is not None and was is not None and now > was:
        return [fields.invalid(path, now, "must be less than or equal to previous value")]
    if now is None and was is not None:
        return [fields.invalid(path, None, "must not update from a positive integer to nil value")]
    return []


def _tolerations(new: JSONObject, before: JSONObject) -> list[FieldError]:
    kept = all(toleration in (new.get("tolerations") or ()) for toleration in before.get("tolerations") or ())
    why = "existing toleration can not be modified except its tolerationSeconds"
    # Only the seconds of a toleration may change, so compare without them.
    if kept or all(
        any(_but_seconds(wanted) == _but_seconds(held) for wanted in new.get("tolerations") or ())
        for held in before.get("tolerations") or ()
    ):
        return []
    return [fields.forbidden("spec.tolerations", why)]


def _but_seconds(toleration: JSONObject) -> JSONObject:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}
