"""Where the groups and versions served by the control plane itself stand among all.

Read by the registration of what the delegates serve. A group-version that is not here is not registered: it may be a
custom resource's, which has its own way. Mirrors the tables of `pkg/controlplane/apiserver/aggregator.go` and
`cmd/kube-apiserver/app/aggregator.go`.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from generic.meta.gvk import GroupVersion


class Priority(NamedTuple):
    """`groupPriorityMinimum` and `versionPriority` of an APIService."""

    group: int
    version: int


OWN = Priority(20000, 100)
"""The aggregator's own group comes first."""

CUSTOM_RESOURCES = Priority(1000, 100)

_GROUPS: Sequence[tuple[str, int, Mapping[str, int]]] = (
    ("", 18000, {"v1": 1}),
    ("apps", 17800, {"v1": 15}),
    ("events.k8s.io", 17750, {"v1": 15, "v1beta1": 5}),
    ("authentication.k8s.io", 17700, {"v1": 15, "v1beta1": 9, "v1alpha1": 1}),
    ("authorization.k8s.io", 17600, {"v1": 15}),
    ("autoscaling", 17500, {"v2": 30, "v1": 15, "v2beta1": 9, "v2beta2": 1}),
    ("batch", 17400, {"v1": 15, "v1beta1": 9, "v2alpha1": 9}),
    ("certificates.k8s.io", 17300, {"v1": 15, "v1beta1": 9, "v1alpha1": 1}),
    ("networking.k8s.io", 17200, {"v1": 15, "v1beta1": 9}),
    ("policy", 17100, {"v1": 15, "v1beta1": 9}),
    ("rbac.authorization.k8s.io", 17000, {"v1": 15}),
    ("storage.k8s.io", 16800, {"v1": 15, "v1beta1": 9, "v1alpha1": 1}),
    ("apiextensions.k8s.io", 16700, {"v1": 15}),
    ("admissionregistration.k8s.io", 16700, {"v1": 15, "v1beta1": 12, "v1alpha1": 9}),
    ("scheduling.k8s.io", 16600, {"v1": 15, "v1beta1": 9, "v1alpha3": 3}),
    ("coordination.k8s.io", 16500, {"v1": 15, "v1beta1": 13, "v1alpha2": 12}),
    ("node.k8s.io", 16300, {"v1": 15, "v1beta1": 9, "v1alpha1": 1}),
    ("resource.k8s.io", 16200, {"v1": 21, "v1beta2": 15, "v1beta1": 9, "v1alpha3": 1}),
    ("discovery.k8s.io", 16200, {"v1": 15, "v1beta1": 12}),
    ("flowcontrol.apiserver.k8s.io", 16100, {"v1": 21, "v1beta3": 18, "v1beta2": 15, "v1beta1": 12, "v1alpha1": 9}),
    ("internal.apiserver.k8s.io", 16000, {"v1alpha1": 9}),
    ("storagemigration.k8s.io", 15800, {"v1": 15, "v1beta1": 9}),
    ("lifecycle.k8s.io", 15700, {"v1alpha1": 1}),
)
"""Group, its priority, and the priorities of its versions; also of versions that only older Kubernetes serve."""

BUILT_IN: Mapping[GroupVersion, Priority] = {
    GroupVersion(group, version): Priority(group_priority, version_priority)
    for group, group_priority, versions in _GROUPS
    for version, version_priority in versions.items()
}


def listed_built_in(paths: list[str]) -> list[GroupVersion]:
    """The group-versions among the paths a server lists that have a place in the table."""
    listed = set(paths)
    return [group_version for group_version in BUILT_IN if group_version.path in listed]
