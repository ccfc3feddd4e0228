"""The kinds of rbac.authorization.k8s.io/v1. Mirrors `pkg/registry/rbac/rest/storage_rbac.go`."""

from functools import partial

from generic.meta.gvk import GroupVersion
from generic.meta.tables import CREATED_AT_COLUMN, NAME_COLUMN
from kubeapi.resources.columns import policy as columns
from kubeapi.resources.kinds import BuiltinKind
from kubeapi.resources.strategies import platform as strategies

V1 = GroupVersion("rbac.authorization.k8s.io", "v1")
_kind = partial(BuiltinKind, V1)
# Roles have no printer of their own in Kubernetes.
_ROLE_COLUMNS = (NAME_COLUMN, CREATED_AT_COLUMN)

KINDS: tuple[BuiltinKind, ...] = (
    _kind("Role", "roles", namespaced=True, strategy=strategies.ROLE, columns=_ROLE_COLUMNS),
    _kind("RoleBinding", "rolebindings", namespaced=True, strategy=strategies.ROLE_BINDING, columns=columns.BINDING),
    _kind("ClusterRole", "clusterroles", namespaced=False, strategy=strategies.CLUSTER_ROLE, columns=_ROLE_COLUMNS),
    _kind(
        "ClusterRoleBinding",
        "clusterrolebindings",
        namespaced=False,
        strategy=strategies.CLUSTER_ROLE_BINDING,
        columns=columns.BINDING,
    ),
)
