"""Which checks make up a level, as of which version. Called by `kubeapi/admission/pod_security.py`.

Mirrors `k8s.io/pod-security-admission/policy/registry.go`.
"""

from dataclasses import dataclass
from functools import lru_cache

from kubeapi.podsecurity import baseline, restricted
from kubeapi.podsecurity.baseline import Check
from kubeapi.podsecurity.pods import Pod, Violation
from kubeapi.podsecurity.policy import Standard


@dataclass(frozen=True, slots=True)
class _Entry:
    """A check by its name, and what it is from which minor on; the stricter one may make one of baseline needless."""

    name: str
    versions: tuple[tuple[int, Check], ...]
    instead_of: str = ""

    def at(self, minor: int) -> Check | None:
        return next((check for since, check in reversed(self.versions) if since <= minor), None)


# In the order of their names, as messages have them.
_BASELINE = (
    _Entry("appArmorProfile", ((0, baseline.app_armor),)),
    _Entry("capabilities_baseline", ((0, baseline.capabilities),)),
    _Entry("hostNamespaces", ((0, baseline.host_namespaces),)),
    _Entry("hostPathVolumes", ((0, baseline.host_paths),)),
    _Entry("hostPorts", ((0, baseline.host_ports),)),
    _Entry("hostProbesAndHostLifecycle", ((34, baseline.host_probes),)),
    _Entry("privileged", ((0, baseline.privileged),)),
    _Entry("procMount", ((0, baseline.proc_mount), (35, baseline.proc_mount_1_35))),
    _Entry("seLinuxOptions", ((0, baseline.selinux(baseline.SELINUX)), (31, baseline.selinux(baseline.SELINUX_1_31)))),
    _Entry("seccompProfile_baseline", ((0, baseline.seccomp_1_0), (19, baseline.seccomp))),
    _Entry(
        "sysctls",
        (
            (0, baseline.sysctls(baseline.SYSCTLS)),
            (27, baseline.sysctls(baseline.SYSCTLS_1_27)),
            (29, baseline.sysctls(baseline.SYSCTLS_1_29)),
            (32, baseline.sysctls(baseline.SYSCTLS_1_32)),
            (37, baseline.sysctls(baseline.SYSCTLS_1_37)),
        ),
    ),
    _Entry("windowsHostProcess", ((0, baseline.windows_host_process),)),
)
_RESTRICTED = (
    _Entry(
        "allowPrivilegeEscalation",
        ((8, restricted.privilege_escalation), (25, restricted.unless_windows(restricted.privilege_escalation))),
    ),
    _Entry(
        "capabilities_restricted",
        ((22, restricted.capabilities), (25, restricted.unless_windows(restricted.capabilities))),
        instead_of="capabilities_baseline",
    ),
    _Entry("procMount_restricted", ((35, baseline.proc_mount),), instead_of="procMount"),
    _Entry("restrictedVolumes", ((0, restricted.volumes),), instead_of="hostPathVolumes"),
    _Entry(
        "runAsNonRoot",
        ((0, restricted.run_as_non_root), (35, restricted.unless_user_namespace(restricted.run_as_non_root))),
    ),
    _Entry("runAsUser", ((23, restricted.run_as_user), (35, restricted.unless_user_namespace(restricted.run_as_user)))),
    _Entry(
        "seccompProfile_restricted",
        ((19, restricted.seccomp), (25, restricted.unless_windows(restricted.seccomp))),
        instead_of="seccompProfile_baseline",
    ),
)


def violations(standard: Standard, pod: Pod, *, newest: int) -> list[Violation]:
    """What is wrong with the pod, all of it; nothing at level privileged. No check is newer than minor `newest`."""
    found = (check(pod) for check in _checks(standard.level, min(standard.version[1], newest)))
    return [violation for violation in found if violation is not None]


@lru_cache(maxsize=128)
def _checks(level: str, minor: int) -> list[Check]:
    if level == "privileged":
        return []
    entries: tuple[_Entry, ...] = _BASELINE
    if level == "restricted":
        needless = {entry.instead_of for entry in _RESTRICTED if entry.at(minor) is not None}
        entries = (*(entry for entry in _BASELINE if entry.name not in needless), *_RESTRICTED)
    return [check for entry in entries if (check := entry.at(minor)) is not None]
