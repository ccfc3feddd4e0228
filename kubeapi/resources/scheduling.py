"""The kinds of the small groups around scheduling: scheduling.k8s.io, node.k8s.io, coordination.k8s.io.

Mirrors `pkg/registry/{scheduling,node,coordination}/rest`.
"""

from generic.meta.gvk import GroupVersion
from kubeapi.resources.columns import policy as columns
from kubeapi.resources.kinds import BuiltinKind
from kubeapi.resources.strategies import platform as strategies

KINDS: tuple[BuiltinKind, ...] = (
    BuiltinKind(
        GroupVersion("scheduling.k8s.io", "v1"),
        "PriorityClass",
        "priorityclasses",
        namespaced=False,
        short_names=("pc",),
        strategy=strategies.PRIORITY_CLASS,
        columns=columns.PRIORITY_CLASS,
    ),
    BuiltinKind(
        GroupVersion("node.k8s.io", "v1"),
        "RuntimeClass",
        "runtimeclasses",
        namespaced=False,
        strategy=strategies.RUNTIME_CLASS,
        columns=columns.RUNTIME_CLASS,
    ),
    BuiltinKind(
        GroupVersion("coordination.k8s.io", "v1"),
        "Lease",
        "leases",
        namespaced=True,
        strategy=strategies.LEASE,
        columns=columns.LEASE,
    ),
)
