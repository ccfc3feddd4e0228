"""The checks of level restricted: what is good practice, whatever it breaks. Called by `standards.py`.

Mirrors `k8s.io/pod-security-admission/policy/check_*.go`, whose words the messages are.
"""

from generic.types import JSONObject
from kubeapi.podsecurity import baseline
from kubeapi.podsecurity.baseline import Check
from kubeapi.podsecurity.pods import Pod, Violation, containers, plural, quoted, security, setters

_VOLUMES = (
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
)  # fmt: skip
_OTHER_VOLUMES = (
    "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "gitRepo", "nfs", "iscsi", "glusterfs", "rbd",
    "flexVolume", "cinder", "cephfs", "flocker", "fc", "azureFile", "vsphereVolume", "quobyte", "azureDisk",
    "photonPersistentDisk", "portworxVolume", "scaleIO", "storageos",
)  # fmt: skip


def unless_windows(check: Check) -> Check:
    """Pods of Windows cannot say what it asks for."""
    return lambda pod: None if pod.is_windows else check(pod)


def unless_user_namespace(check: Check) -> Check:
    """Who is root there is nobody outside."""
    return lambda pod: None if pod.has_user_namespace else check(pod)


def privilege_escalation(pod: Pod) -> Violation | None:
    names = pod.names_where(lambda container: security(container, "allowPrivilegeEscalation") is not False)
    if not names:
        return None
    detail = f"{containers(names)} must set securityContext.allowPrivilegeEscalation=false"
    return Violation("allowPrivilegeEscalation != false", detail)


def capabilities(pod: Pod) -> Violation | None:
    added: set[str] = set()

    def adds(container: JSONObject) -> bool:
        bad = {*((security(container, "capabilities") or {}).get("add") or ())} - {"NET_BIND_SERVICE"}
        added.update(bad)
        return bool(bad)

    keeping = pod.names_where(
        lambda container: "ALL" not in ((security(container, "capabilities") or {}).get("drop") or ())
    )
    adding = pod.names_where(adds)
    details = []
    if keeping:
        details.append(f'{containers(keeping)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        what = quoted(sorted(added))
        details.append(f"{containers(adding)} must not include {what} in securityContext.capabilities.add")
    return Violation("unrestricted capabilities", "; ".join(details)) if details else None


def volumes(pod: Pod) -> Violation | None:
    found = [volume for volume in pod.spec.get("volumes") or () if not any(volume.get(k) is not None for k in _VOLUMES)]
    if not found:
        return None
    types = {next((k for k in _OTHER_VOLUMES if volume.get(k) is not None), "unknown") for volume in found}
    names = [volume["name"] for volume in found]
    who = f"{plural(len(names), 'volume')} {quoted(names)} {plural(len(names), 'uses', 'use')}"
    what = f"{plural(len(types), 'restricted volume type')} {quoted(sorted(types))}"
    return Violation("restricted volume types", f"{who} {what}")


def run_as_non_root(pod: Pod) -> Violation | None:
    own = pod.security("runAsNonRoot")
    bad = pod.names_where(lambda container: security(container, "runAsNonRoot") is False)
    reason = "runAsNonRoot != true"
    if own is False or bad:
        who = setters(pod=own is False, names=bad)
        return Violation(reason, f"{who} must not set securityContext.runAsNonRoot=false")
    silent = pod.names_where(lambda container: security(container, "runAsNonRoot") is None and not own)
    if not silent:
        return None
    return Violation(reason, f"pod or {containers(silent)} must set securityContext.runAsNonRoot=true")


def run_as_user(pod: Pod) -> Violation | None:
    own = pod.security("runAsUser") == 0
    names = pod.names_where(lambda container: security(container, "runAsUser") == 0)
    if not own and not names:
        return None
    return Violation("runAsUser=0", f"{setters(pod=own, names=names)} must not set runAsUser=0")


def seccomp(pod: Pod) -> Violation | None:
    bad = baseline.seccomp(pod)
    if bad is not None or pod.security("seccompProfile") is not None:
        return bad
    silent = pod.names_where(lambda container: security(container, "seccompProfile") is None)
    if not silent:
        return None
    detail = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Violation("seccompProfile", f"pod or {containers(silent)} {detail}")
