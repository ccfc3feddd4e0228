"""The Pod Security Standards: what they find in a pod, in the words of Kubernetes, and what labels mean."""

from typing import Any

import pytest

from generic.types import JSONObject
from kubeapi.podsecurity import policy, standards
from kubeapi.podsecurity.pods import Pod
from kubeapi.podsecurity.policy import LATEST, PREFIX, Standard


def _pod(security: JSONObject | None = None, *, container: JSONObject | None = None, **spec: Any) -> Pod:
    first = {"name": "a", **(container or {})}
    if security is not None:
        first["securityContext"] = security
    return Pod({}, {"containers": [first, {"name": "b"}], **spec})


def _found(pod: Pod, level: str = "baseline", minor: int | None = None) -> list[str]:
    standard = Standard(level, LATEST if minor is None else (1, minor))
    return [str(found) for found in standards.violations(standard, pod, newest=37)]


@pytest.mark.parametrize(
    ("pod", "found"),
    [
        (_pod({"privileged": True}), 'privileged (container "a" must not set securityContext.privileged=true)'),
        (_pod(hostNetwork=True, hostPID=True), "host namespaces (hostNetwork=true, hostPID=true)"),
        (
            _pod({"capabilities": {"add": ["SYS_ADMIN", "CHOWN", "NET_ADMIN"]}}),
            'non-default capabilities (container "a" must not include "NET_ADMIN", "SYS_ADMIN" in '
            "securityContext.capabilities.add)",
        ),
        (
            _pod(volumes=[{"name": "v", "hostPath": {}}, {"name": "w", "hostPath": {}}]),
            'hostPath volumes (volumes "v", "w")',
        ),
        (
            _pod(container={"ports": [{"hostPort": 80}, {"hostPort": 8080}]}),
            'hostPort (container "a" uses hostPorts 80, 8080)',
        ),
        (
            _pod(container={"livenessProbe": {"httpGet": {"host": "h"}}}),
            'probe or lifecycle host (container "a" uses probe or lifecycle host "h")',
        ),
        (
            _pod(
                {"seLinuxOptions": {"type": "y"}},
                securityContext={"seLinuxOptions": {"type": "x", "user": "u"}},
            ),
            'seLinuxOptions (pod and container "a" set forbidden securityContext.seLinuxOptions: types "x", "y"; '
            "user may not be set)",
        ),
        (
            _pod(securityContext={"sysctls": [{"name": "kernel.msgmax"}, {"name": "net.ipv4.tcp_rmem"}]}),
            "forbidden sysctls (kernel.msgmax)",
        ),
    ],
)
def test_baseline_forbids_what_leads_out_of_a_container(pod: Pod, found: str) -> None:
    assert _found(pod) == [found]


def test_restricted_asks_for_what_is_good_practice() -> None:
    assert _found(_pod(), "restricted") == [
        'allowPrivilegeEscalation != false (containers "a", "b" must set '
        "securityContext.allowPrivilegeEscalation=false)",
        'unrestricted capabilities (containers "a", "b" must set securityContext.capabilities.drop=["ALL"])',
        'runAsNonRoot != true (pod or containers "a", "b" must set securityContext.runAsNonRoot=true)',
        'seccompProfile (pod or containers "a", "b" must set securityContext.seccompProfile.type to '
        '"RuntimeDefault" or "Localhost")',
    ]


def test_a_version_asks_for_no_more_than_it_did() -> None:
    assert [text.partition(" ")[0] for text in _found(_pod(), "restricted", 7)] == ["runAsNonRoot"]
    sysctl = _pod(securityContext={"sysctls": [{"name": "net.ipv4.tcp_rmem"}]})
    assert _found(sysctl, minor=31) == ["forbidden sysctls (net.ipv4.tcp_rmem)"]
    assert _found(sysctl, minor=32) == []


def test_an_older_kubernetes_knows_no_newer_checks() -> None:
    probing = _pod(container={"livenessProbe": {"httpGet": {"host": "h"}}})
    assert standards.violations(Standard("baseline"), probing, newest=33) == []
    assert len(standards.violations(Standard("baseline"), probing, newest=34)) == 1


def test_a_stricter_check_takes_the_place_of_its_like() -> None:
    pod = _pod(volumes=[{"name": "v", "hostPath": {}}])
    found = [text for text in _found(pod, "restricted") if "olume" in text]
    assert found == ['restricted volume types (volume "v" uses restricted volume type "hostPath")']


def test_labels_that_cannot_be_read_enforce_the_most_and_warn_of_nothing() -> None:
    found, problems = policy.of({f"{PREFIX}enforce": "x", f"{PREFIX}warn": "y", f"{PREFIX}audit-version": "1.2"})
    assert (found.enforce.level, found.warn.level) == ("restricted", "privileged")
    assert [str(problem) for problem in problems] == [
        f'metadata.labels[{PREFIX}enforce]: Invalid value: "x": must be one of privileged, baseline, restricted',
        f'metadata.labels[{PREFIX}audit-version]: Invalid value: "1.2": must be "latest" or "v1.x"',
        f'metadata.labels[{PREFIX}warn]: Invalid value: "y": must be one of privileged, baseline, restricted',
    ]


@pytest.mark.parametrize(
    ("labels", "warn"),
    [
        ({}, "privileged:latest"),
        ({"enforce": "baseline", "enforce-version": "v1.30"}, "baseline:v1.30"),
        ({"enforce": "baseline", "warn": "privileged"}, "privileged:latest"),
        ({"enforce": "baseline", "warn-version": "v1.20"}, "baseline:v1.20"),
    ],
)
def test_who_enforces_is_warned_as_well(labels: dict[str, str], warn: str) -> None:
    found, problems = policy.of({f"{PREFIX}{key}": value for key, value in labels.items()})
    assert (str(found.warn), problems) == (warn, [])
