"""Validation of pods and pod templates. Mirrors ValidatePodSpec of `pkg/apis/core/validation/validation.go`.

Called by the pod strategy and by every kind with a pod template. Its parts are in the files beside this one:
`pod_volumes.py`, `containers.py`, `probes.py`, `security.py`, `scheduling.py`; changes of a pod in `pod_updates.py`.
"""

from generic.meta import fields, validation
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import addresses, common, containers, pod_volumes, requirements, scheduling, security
from kubeapi.resources.validation.common import each

RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_SYSTEMS = ("linux", "windows")
_MOST_NAMESERVERS, _MOST_SEARCHES, _LONGEST_SEARCHES = 3, 32, 2048


def pod(obj: JSONObject) -> list[FieldError]:
    """A pod by itself."""
    spec = obj.get("spec") or {}
    found = pod_spec(spec, "spec", pod=obj["metadata"].get("name") or "")
    if not spec.get("serviceAccountName"):
        found += _tokens_without_account(spec)
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is not None:
        found += validation.nonnegative(grace, "spec.terminationGracePeriodSeconds")
    for key in ("containers", "initContainers"):
        for at, container in enumerate(each(spec.get(key))):
            found += containers.padded_image(container, f"spec.{key}[{at}]")
    return found


def new_pod(obj: JSONObject) -> list[FieldError]:
    """What only a new pod may not have."""
    spec, found = obj.get("spec") or {}, list[FieldError]()
    if spec.get("ephemeralContainers"):
        found.append(fields.forbidden("spec.ephemeralContainers", "cannot be set on create"))
    if spec.get("nodeName") and spec.get("schedulingGates"):
        why = "cannot be set until all schedulingGates have been cleared"
        found.append(fields.forbidden("spec.nodeName", why))
    return found


def _tokens_without_account(spec: JSONObject) -> list[FieldError]:
    why = "must not be specified when serviceAccountName is not set"
    return [
        fields.forbidden(f"spec.volumes[{at}].projected.sources[{index}].serviceAccountToken", why)
        for at, volume in enumerate(each(spec.get("volumes")))
        for index, source in enumerate(each((volume.get("projected") or {}).get("sources")))
        if source.get("serviceAccountToken") is not None
    ]


def template(obj: JSONObject | None, path: str) -> list[FieldError]:
    """A pod template."""
    if obj is None:
        return []
    metadata, spec = obj.get("metadata") or {}, obj.get("spec") or {}
    found = [
        # Go leaves the metadata out of these paths.
        *validation.labels(metadata.get("labels") or {}, f"{path}.labels"),
        *validation.annotations(metadata.get("annotations") or {}, f"{path}.annotations"),
        *pod_spec(spec, f"{path}.spec"),
    ]
    if spec.get("ephemeralContainers"):
        why = "ephemeral containers not allowed in pod template"
        found.append(fields.forbidden(f"{path}.spec.ephemeralContainers", why))
    return found


def pod_spec(spec: JSONObject, path: str, *, pod: str = "") -> list[FieldError]:
    """The spec, in a `pod` of that name or in a template."""
    volumes, found = pod_volumes.volumes(each(spec.get("volumes")), f"{path}.volumes", pod=pod)
    found += containers.containers(spec, f"{path}.containers", volumes)
    found += containers.init_containers(spec, f"{path}.initContainers", volumes)
    if pod:
        found += containers.ephemeral_containers(spec, volumes)
    found += _host_network(spec, path, is_pod=bool(pod))
    found += common.required_among(spec.get("restartPolicy"), f"{path}.restartPolicy", RESTART_POLICIES)
    found += common.required_among(spec.get("dnsPolicy"), f"{path}.dnsPolicy", _DNS_POLICIES)
    found += validation.labels(spec.get("nodeSelector") or {}, f"{path}.nodeSelector")
    found += security.of_pod(spec.get("securityContext"), f"{path}.securityContext")
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        why = "ShareProcessNamespace and HostPID cannot both be enabled"
        found.append(fields.invalid(f"{path}.shareProcessNamespace", True, why))
    found += scheduling.affinity(spec.get("affinity") or {}, f"{path}.affinity")
    found += _dns_config(spec, f"{path}.dnsConfig")
    for at, gate in enumerate(each(spec.get("readinessGates"))):
        here = f"{path}.readinessGates[{at}].conditionType"
        found += validation.label_name(gate.get("conditionType") or "", here)
    found += _scheduling_gates(spec, f"{path}.schedulingGates")
    constraints = list(each(spec.get("topologySpreadConstraints")))
    found += scheduling.spread_constraints(constraints, f"{path}.topologySpreadConstraints")
    return found + _names(spec, path) + _placement(spec, path)


def _names(spec: JSONObject, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    for key in ("serviceAccountName", "nodeName"):
        if spec.get(key):
            found += common.subdomain(spec[key], f"{path}.{key}")
    deadline = spec.get("activeDeadlineSeconds")
    found += common.between(deadline, f"{path}.activeDeadlineSeconds", 1, 2**31 - 1)
    for key in ("hostname", "subdomain"):
        if spec.get(key):
            found += common.label(spec[key], f"{path}.{key}")
    return found


def _placement(spec: JSONObject, path: str) -> list[FieldError]:
    found = scheduling.tolerations(each(spec.get("tolerations")), f"{path}.tolerations")
    for at, alias in enumerate(each(spec.get("hostAliases"))):
        here = f"{path}.hostAliases[{at}]"
        found += addresses.ip(alias.get("ip") or "", f"{here}.ip")
        for index, name in enumerate(each(alias.get("hostnames"))):
            found += common.subdomain(name, f"{here}.hostnames[{index}]")
    if spec.get("priorityClassName"):
        found += common.subdomain(spec["priorityClassName"], f"{path}.priorityClassName")
    if spec.get("runtimeClassName") is not None:
        found += common.subdomain(spec["runtimeClassName"], f"{path}.runtimeClassName")
    if spec.get("preemptionPolicy") is not None:
        known = ("PreemptLowerPriority", "Never")
        found += common.required_among(spec["preemptionPolicy"], f"{path}.preemptionPolicy", known)
    if spec.get("overhead"):
        found += requirements.requirements({"limits": spec["overhead"]}, f"{path}.overhead")
    system = spec.get("os")
    if system is not None:
        name = system.get("name")
        found += common.among(name, f"{path}.os", _SYSTEMS) if name else [fields.required(f"{path}.os.name")]
    return found


def _host_network(spec: JSONObject, path: str, *, is_pod: bool) -> list[FieldError]:
    found: list[FieldError] = []
    why = "must match `containerPort` when `hostNetwork` is true"
    for at, container in enumerate(each(spec.get("containers")) if spec.get("hostNetwork") else ()):
        for index, port in enumerate(each(container.get("ports"))):
            outside, inside = port.get("hostPort") or 0, port.get("containerPort") or 0
            if (is_pod or outside) and outside != inside:
                found.append(fields.invalid(f"{path}.containers[{at}].ports[{index}].hostPort", outside, why))
    return found


def _dns_config(spec: JSONObject, path: str) -> list[FieldError]:
    config = spec.get("dnsConfig")
    if spec.get("dnsPolicy") == "None":
        if config is None:
            return [fields.required(path, "must provide `dnsConfig` when `dnsPolicy` is None")]
        if not config.get("nameservers"):
            why = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            return [fields.required(f"{path}.nameservers", why)]
    if config is None:
        return []
    servers, searches = config.get("nameservers") or [], config.get("searches") or []
    found: list[FieldError] = []
    if len(servers) > _MOST_NAMESERVERS:
        why = f"must not have more than {_MOST_NAMESERVERS} nameservers"
        found.append(fields.invalid(f"{path}.nameservers", servers, why))
    for at, server in enumerate(servers):
        found += addresses.ip(server, f"{path}.nameservers[{at}]")
    if len(searches) > _MOST_SEARCHES:
        why = f"must not have more than {_MOST_SEARCHES} search paths"
        found.append(fields.invalid(f"{path}.searches", searches, why))
    if len(" ".join(searches)) > _LONGEST_SEARCHES:
        why = f"must not have more than {_LONGEST_SEARCHES} characters (including spaces) in the search list"
        found.append(fields.invalid(f"{path}.searches", searches, why))
    for at, search in enumerate(searches):
        if search != ".":
            found += addresses.underscored_subdomain(search.removesuffix("."), f"{path}.searches[{at}]")
    for at, option in enumerate(each(config.get("options"))):
        if not option.get("name"):
            found.append(fields.required(f"{path}.options[{at}]", "must not be empty"))
    return found


def _scheduling_gates(spec: JSONObject, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    seen: set[str] = set()
    for at, gate in enumerate(each(spec.get("schedulingGates"))):
        name = gate.get("name") or ""
        found += validation.label_name(name, f"{path}[{at}]")
        if name in seen:
            found.append(fields.duplicate(f"{path}[{at}]", name))
        seen.add(name)
    return found
