"""The kinds of policy/v1. Mirrors `pkg/registry/policy/rest/storage_policy.go`."""

from generic.meta.gvk import GroupVersion
from kubeapi.resources.columns import workloads as columns
from kubeapi.resources.kinds import STATUS, BuiltinKind
from kubeapi.resources.strategies import workloads as strategies

KINDS: tuple[BuiltinKind, ...] = (
    BuiltinKind(
        GroupVersion("policy", "v1"),
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        namespaced=True,
        short_names=("pdb",),
        strategy=strategies.DISRUPTION_BUDGET,
        columns=columns.POD_DISRUPTION_BUDGET,
        subresources=STATUS,
    ),
)
