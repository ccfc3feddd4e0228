"""The kinds of flowcontrol.apiserver.k8s.io/v1. Mirrors `pkg/registry/flowcontrol/rest/storage_flowcontrol.go`."""

from functools import partial

from generic.meta.gvk import GroupVersion
from kubeapi.resources.columns import policy as columns
from kubeapi.resources.kinds import STATUS, BuiltinKind
from kubeapi.resources.strategies import platform as strategies

_kind = partial(BuiltinKind, GroupVersion("flowcontrol.apiserver.k8s.io", "v1"), namespaced=False, subresources=STATUS)

KINDS: tuple[BuiltinKind, ...] = (
    _kind("FlowSchema", "flowschemas", strategy=strategies.FLOW_SCHEMA, columns=columns.FLOW_SCHEMA),
    _kind(
        "PriorityLevelConfiguration",
        "prioritylevelconfigurations",
        strategy=strategies.PRIORITY_LEVEL,
        columns=columns.PRIORITY_LEVEL_CONFIGURATION,
    ),
)
