"""From the names of a kind's subresources to their storage.

Called by `build.py` for every Store it makes. Mirrors the storage maps of `pkg/registry/*/rest`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from generic.admission.interface import AdmissionChain
from generic.meta.gvk import GroupResource, GroupVersion
from generic.registry.rest import Connecter, Subresource
from generic.registry.store import StatusStore, Store
from kubeapi.resources.approval_storage import Approval
from kubeapi.resources.binding_storage import BINDING, PodBinding
from kubeapi.resources.connect_admission import AdmittedConnection
from kubeapi.resources.connect_storage import NodeProxy, PodConnection, PodLog, PodProxy, ServiceProxy
from kubeapi.resources.eviction_storage import EVICTION, Evictions
from kubeapi.resources.kinds import BuiltinKind
from kubeapi.resources.namespace_storage import NamespaceFinalize
from kubeapi.resources.pod_part_storage import PodPart
from kubeapi.resources.scale_storage import SCALE, ScaleStore
from kubeapi.resources.strategies import pod_parts
from kubeapi.schemas import Schemas
from kubeapi.serviceaccounts.lookup import Lookup
from kubeapi.serviceaccounts.options import ServiceAccountOptions
from kubeapi.serviceaccounts.token_storage import TOKEN_REQUEST, TokenRequests

_V1 = GroupVersion("", "v1")
PODS, _NODES = GroupResource("", "pods"), GroupResource("", "nodes")
_SECRETS, _ACCOUNTS = GroupResource("", "secrets"), GroupResource("", "serviceaccounts")
_SERVICES, _ENDPOINTS = GroupResource("", "services"), GroupResource("", "endpoints")
_BUDGETS = GroupResource("policy", "poddisruptionbudgets")


@dataclass(frozen=True, slots=True)
class Parts:
    """What subresources are made of. `stores`: every kind's, for those that look beyond their own."""

    admission: AdmissionChain
    schemas: Schemas
    stores: Mapping[GroupResource, Store]
    service_accounts: ServiceAccountOptions | None = None


_Maker = Callable[[BuiltinKind, Store, Parts], Subresource]


def build(kind: BuiltinKind, store: Store, parts: Parts) -> dict[str, Subresource]:
    """The storage of every subresource the table names. Raises KeyError for one that nobody implements."""
    resource = store.resource.group_resource
    made: dict[str, Subresource] = {}
    for name in sorted(kind.subresources):
        maker = _OF_RESOURCE.get((resource, name)) or _OF_ANY[name]
        if maker is not _token or parts.service_accounts is not None:
            made[name] = maker(kind, store, parts)
    return made


def lookup(stores: Mapping[GroupResource, Store]) -> Lookup:
    """What service-account tokens are checked against."""
    accounts, pods, secrets, nodes = (
        stores[resource].backing.cacher for resource in (_ACCOUNTS, PODS, _SECRETS, _NODES)
    )
    return Lookup(accounts=accounts, pods=pods, secrets=secrets, nodes=nodes)


def _status(kind: BuiltinKind, store: Store, parts: Parts) -> Subresource:
    return Subresource(StatusStore(store, admission=parts.admission), kind.gvk)


def _scale(kind: BuiltinKind, store: Store, parts: Parts) -> Subresource:
    schema = parts.schemas.object_schema(SCALE)
    return Subresource(ScaleStore(store, schema, admission=parts.admission), SCALE, schema)


def _finalize(kind: BuiltinKind, store: Store, parts: Parts) -> Subresource:
    return Subresource(NamespaceFinalize(store, admission=parts.admission), kind.gvk)


def _approval(kind: BuiltinKind, store: Store, parts: Parts) -> Subresource:
    return Subresource(Approval(store, admission=parts.admission), kind.gvk)


def _binding(kind: BuiltinKind, store: Store, parts: Parts) -> Subresource:
    return Subresource(PodBinding(store, admission=parts.admission), BINDING, parts.schemas.object_schema(BINDING))


def _eviction(kind: BuiltinKind, store: Store, parts: Parts) -> Subresource:
    storage = Evictions(store, parts.stores[_BUDGETS], admission=parts.admission)
    return Subresource(storage, EVICTION, parts.schemas.object_schema(EVICTION))


def _ephemeral_containers(kind: BuiltinKind, store: Store, parts: Parts) -> Subresource:
    strategy = pod_parts.EPHEMERAL_CONTAINERS
    part = PodPart(store, subresource="ephemeralcontainers", strategy=strategy, admission=parts.admission)
    return Subresource(part, kind.gvk)


def _resize(kind: BuiltinKind, store: Store, parts: Parts) -> Subresource:
    part = PodPart(store, subresource="resize", strategy=pod_parts.RESIZE, admission=parts.admission)
    return Subresource(part, kind.gvk)


def _log(kind: BuiltinKind, store: Store, parts: Parts) -> Subresource:
    return Subresource(PodLog(store, parts.stores[_NODES]), kind.gvk)


def _exec(kind: BuiltinKind, store: Store, parts: Parts) -> Subresource:
    connection = PodConnection(store, parts.stores[_NODES], chooses_container=True)
    return _connection(connection, store, parts, options="PodExecOptions", upgrades=True)


def _attach(kind: BuiltinKind, store: Store, parts: Parts) -> Subresource:
    connection = PodConnection(store, parts.stores[_NODES], chooses_container=True)
    return _connection(connection, store, parts, options="PodAttachOptions", upgrades=True)


def _port_forward(kind: BuiltinKind, store: Store, parts: Parts) -> Subresource:
    connection = PodConnection(store, parts.stores[_NODES], chooses_container=False)
    return _connection(connection, store, parts, options="PodPortForwardOptions", upgrades=True)


def _pod_proxy(kind: BuiltinKind, store: Store, parts: Parts) -> Subresource:
    return _connection(PodProxy(store), store, parts, options="PodProxyOptions")


def _service_proxy(kind: BuiltinKind, store: Store, parts: Parts) -> Subresource:
    proxy = ServiceProxy(store, parts.stores[_ENDPOINTS])
    return _connection(proxy, store, parts, options="ServiceProxyOptions")


def _node_proxy(kind: BuiltinKind, store: Store, parts: Parts) -> Subresource:
    return _connection(NodeProxy(store), store, parts, options="NodeProxyOptions")


def _connection(
    connection: Connecter, store: Store, parts: Parts, *, options: str, upgrades: bool = False
) -> Subresource:
    kind = _V1.with_kind(options)
    admitted = AdmittedConnection(connection, store, kind=kind, admission=parts.admission, upgrades=upgrades)
    return Subresource(admitted, kind)


def _token(kind: BuiltinKind, store: Store, parts: Parts) -> Subresource:
    assert parts.service_accounts is not None
    storage = TokenRequests(parts.service_accounts, lookup(parts.stores), admission=parts.admission)
    return Subresource(storage, TOKEN_REQUEST, parts.schemas.object_schema(TOKEN_REQUEST))


_OF_ANY: Mapping[str, _Maker] = {
    "status": _status,
    "scale": _scale,
    "finalize": _finalize,
    "approval": _approval,
}
_OF_RESOURCE: Mapping[tuple[GroupResource, str], _Maker] = {
    (PODS, "binding"): _binding,
    (PODS, "eviction"): _eviction,
    (PODS, "ephemeralcontainers"): _ephemeral_containers,
    (PODS, "resize"): _resize,
    (PODS, "log"): _log,
    (PODS, "exec"): _exec,
    (PODS, "attach"): _attach,
    (PODS, "portforward"): _port_forward,
    (PODS, "proxy"): _pod_proxy,
    (_SERVICES, "proxy"): _service_proxy,
    (_NODES, "proxy"): _node_proxy,
    (_ACCOUNTS, "token"): _token,
}
