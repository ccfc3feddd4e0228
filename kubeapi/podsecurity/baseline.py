"""The checks of level baseline: nothing that is known to lead out of a container. Called by `standards.py`.

Mirrors `k8s.io/pod-security-admission/policy/check_*.go`, whose words the messages are.
"""

from collections.abc import Callable

from generic.types import JSONObject
from kubeapi.podsecurity.pods import Pod, Violation, containers, plural, quoted, security, setters

Check = Callable[[Pod], Violation | None]

_CAPABILITIES = frozenset((
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
    "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
))  # fmt: skip
_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_PROFILES = ("RuntimeDefault", "Localhost")

SYSCTLS = frozenset((
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range", "net.ipv4.tcp_syncookies",
))  # fmt: skip
SYSCTLS_1_27 = SYSCTLS | {"net.ipv4.ip_local_reserved_ports"}
SYSCTLS_1_29 = SYSCTLS_1_27 | {
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
}
SYSCTLS_1_32 = SYSCTLS_1_29 | {"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}
SYSCTLS_1_37 = SYSCTLS_1_32 | {"net.ipv4.tcp_notsent_lowat", "net.ipv4.tcp_slow_start_after_idle"}
SELINUX = frozenset(("", "container_t", "container_init_t", "container_kvm_t"))
SELINUX_1_31 = SELINUX | {"container_engine_t"}


def app_armor(pod: Pod) -> Violation | None:
    values: set[str] = set()

    def is_bad(holder: JSONObject) -> bool:
        profile = security(holder, "appArmorProfile")
        if profile is None or profile.get("type") in _PROFILES:
            return False
        values.add(profile.get("type") or "")
        return True

    own, names = is_bad(pod.spec), pod.names_where(is_bad)
    annotations = sorted(
        f'{key}="{value}"'
        for key, value in pod.annotations.items()
        if key.startswith(_APP_ARMOR) and value and value != "runtime/default" and not value.startswith("localhost/")
    )
    bad = [*sorted(values), *annotations]
    if not bad:
        return None
    who = [setters(pod=own, names=names)] if own or names else []
    if annotations:
        who.append(plural(len(annotations), "annotation"))
    detail = f"{' and '.join(who)} must not set AppArmor profile type to {quoted(bad)}"
    return Violation(plural(len(bad), "forbidden AppArmor profile"), detail)


def capabilities(pod: Pod) -> Violation | None:
    added: set[str] = set()

    def is_bad(container: JSONObject) -> bool:
        bad = {*((security(container, "capabilities") or {}).get("add") or ())} - _CAPABILITIES
        added.update(bad)
        return bool(bad)

    names = pod.names_where(is_bad)
    if not names:
        return None
    detail = f"{containers(names)} must not include {quoted(sorted(added))} in securityContext.capabilities.add"
    return Violation("non-default capabilities", detail)


def host_namespaces(pod: Pod) -> Violation | None:
    shared = [f"{key}=true" for key in ("hostNetwork", "hostPID", "hostIPC") if pod.spec.get(key)]
    return Violation("host namespaces", ", ".join(shared)) if shared else None


def host_paths(pod: Pod) -> Violation | None:
    names = [volume["name"] for volume in pod.spec.get("volumes") or () if volume.get("hostPath") is not None]
    return Violation("hostPath volumes", f"{plural(len(names), 'volume')} {quoted(names)}") if names else None


def host_ports(pod: Pod) -> Violation | None:
    ports: set[str] = set()

    def is_bad(container: JSONObject) -> bool:
        bad = {str(port["hostPort"]) for port in container.get("ports") or () if port.get("hostPort")}
        ports.update(bad)
        return bool(bad)

    names = pod.names_where(is_bad)
    if not names:
        return None
    what = f"{plural(len(names), 'uses', 'use')} {plural(len(ports), 'hostPort')}"
    return Violation("hostPort", f"{containers(names)} {what} {', '.join(sorted(ports))}")


def host_probes(pod: Pod) -> Violation | None:
    hosts: set[str] = set()

    def is_bad(container: JSONObject) -> bool:
        lifecycle = container.get("lifecycle") or {}
        handlers = [container.get(key) for key in ("livenessProbe", "readinessProbe", "startupProbe")]
        handlers += [lifecycle.get(key) for key in ("postStart", "preStop")]
        asked = [handler.get(key) or {} for handler in handlers if handler for key in ("httpGet", "tcpSocket")]
        bad = {str(action["host"]) for action in asked if action.get("host")}
        hosts.update(bad)
        return bool(bad)

    names = sorted(set(pod.names_where(is_bad)))
    if not names:
        return None
    what = f"{plural(len(names), 'uses', 'use')} {plural(len(hosts), 'probe or lifecycle host')}"
    return Violation("probe or lifecycle host", f"{containers(names)} {what} {quoted(sorted(hosts))}")


def privileged(pod: Pod) -> Violation | None:
    names = pod.names_where(lambda container: security(container, "privileged"))
    if not names:
        return None
    return Violation("privileged", f"{containers(names)} must not set securityContext.privileged=true")


def proc_mount(pod: Pod) -> Violation | None:
    names = pod.names_where(lambda container: security(container, "procMount") not in (None, "Default"))
    if not names:
        return None
    types = {security(container, "procMount") for container in pod.containers()} - {None, "Default"}
    return Violation(
        "procMount", f"{containers(names)} must not set securityContext.procMount to {quoted(sorted(types))}"
    )


def proc_mount_1_35(pod: Pod) -> Violation | None:
    return None if pod.has_user_namespace else proc_mount(pod)


def seccomp_1_0(pod: Pod) -> Violation | None:
    """As it was when profiles were annotations."""
    keys = {_SECCOMP_POD, *(f"{_SECCOMP_CONTAINER}{container['name']}" for container in pod.containers())}
    bad = sorted(
        f'{key}="{pod.annotations[key]}"'
        for key in keys
        if key in pod.annotations
        and pod.annotations[key] not in ("runtime/default", "docker/default")
        and not pod.annotations[key].startswith("localhost/")
    )
    return Violation("seccompProfile", f"forbidden {plural(len(bad), 'annotation')} {', '.join(bad)}") if bad else None


def seccomp(pod: Pod) -> Violation | None:
    values: set[str] = set()

    def is_bad(holder: JSONObject) -> bool:
        profile = security(holder, "seccompProfile")
        if profile is None or profile.get("type") in _PROFILES:
            return False
        values.add(profile.get("type") or "")
        return True

    own, names = is_bad(pod.spec), pod.names_where(is_bad)
    if not own and not names:
        return None
    who = setters(pod=own, names=names)
    return Violation(
        "seccompProfile", f"{who} must not set securityContext.seccompProfile.type to {quoted(sorted(values))}"
    )


def selinux(allowed: frozenset[str]) -> Check:
    """The check for these types."""

    def check(pod: Pod) -> Violation | None:
        types: set[str] = set()
        said: set[str] = set()

        def is_bad(holder: JSONObject) -> bool:
            options = security(holder, "seLinuxOptions")
            if options is None:
                return False
            type = options.get("type") or ""
            bad_type = type not in allowed
            if bad_type:
                types.add(type)
            forbidden = {key for key in ("user", "role") if options.get(key)}
            said.update(forbidden)
            return bad_type or bool(forbidden)

        own, names = is_bad(pod.spec), pod.names_where(is_bad)
        if not own and not names:
            return None
        bad = [f"{plural(len(types), 'type')} {quoted(sorted(types))}"] if types else []
        bad += [f"{key} may not be set" for key in ("user", "role") if key in said]
        who = setters(pod=own, names=names)
        return Violation("seLinuxOptions", f"{who} set forbidden securityContext.seLinuxOptions: {'; '.join(bad)}")

    return check


def sysctls(allowed: frozenset[str]) -> Check:
    """The check for these."""

    def check(pod: Pod) -> Violation | None:
        names = [found["name"] for found in pod.security("sysctls") or () if found["name"] not in allowed]
        return Violation("forbidden sysctls", ", ".join(names)) if names else None

    return check


def windows_host_process(pod: Pod) -> Violation | None:
    def is_bad(holder: JSONObject) -> bool:
        return bool((security(holder, "windowsOptions") or {}).get("hostProcess"))

    own, names = is_bad(pod.spec), pod.names_where(is_bad)
    if not own and not names:
        return None
    who = setters(pod=own, names=names)
    return Violation("hostProcess", f"{who} must not set securityContext.windowsOptions.hostProcess=true")
