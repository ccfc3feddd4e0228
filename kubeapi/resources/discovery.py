"""The kinds of discovery.k8s.io/v1. Mirrors `pkg/registry/discovery/rest/storage_discovery.go`."""

from generic.meta.gvk import GroupVersion
from kubeapi.resources.columns import network as columns
from kubeapi.resources.kinds import BuiltinKind
from kubeapi.resources.strategies import platform as strategies

KINDS: tuple[BuiltinKind, ...] = (
    BuiltinKind(
        GroupVersion("discovery.k8s.io", "v1"),
        "EndpointSlice",
        "endpointslices",
        namespaced=True,
        strategy=strategies.ENDPOINT_SLICE,
        columns=columns.ENDPOINT_SLICE,
    ),
)
