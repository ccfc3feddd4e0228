"""The kinds of networking.k8s.io/v1. Mirrors `pkg/registry/networking/rest/storage_settings.go`."""

from functools import partial

from generic.meta.gvk import GroupVersion
from kubeapi.resources.columns import network as columns
from kubeapi.resources.kinds import STATUS, BuiltinKind
from kubeapi.resources.strategies import platform as strategies

_kind = partial(BuiltinKind, GroupVersion("networking.k8s.io", "v1"))

KINDS: tuple[BuiltinKind, ...] = (
    _kind(
        "IngressClass",
        "ingressclasses",
        namespaced=False,
        strategy=strategies.INGRESS_CLASS,
        columns=columns.INGRESS_CLASS,
    ),
    _kind(
        "Ingress",
        "ingresses",
        namespaced=True,
        short_names=("ing",),
        strategy=strategies.INGRESS,
        columns=columns.INGRESS,
        subresources=STATUS,
    ),
    _kind(
        "IPAddress",
        "ipaddresses",
        namespaced=False,
        short_names=("ip",),
        strategy=strategies.IP_ADDRESS,
        columns=columns.IP_ADDRESS,
    ),
    _kind(
        "NetworkPolicy",
        "networkpolicies",
        namespaced=True,
        short_names=("netpol",),
        strategy=strategies.NETWORK_POLICY,
        columns=columns.NETWORK_POLICY,
    ),
    _kind(
        "ServiceCIDR",
        "servicecidrs",
        namespaced=False,
        strategy=strategies.SERVICE_CIDR,
        columns=columns.SERVICE_CIDR,
        subresources=STATUS,
    ),
)
