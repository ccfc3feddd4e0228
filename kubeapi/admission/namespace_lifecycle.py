"""NamespaceLifecycle: nothing is made where there is no namespace, or one that is going away.

The first plugin of the admission chain, built by `kubeapi/server.py`. Namespaces are read from this server's own
cache: what a write needs to know was written through the same cache, so no wait and no second look are needed
where Kubernetes has to guard against a stale informer. Mirrors
`apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go`.
"""

from typing import Protocol

from generic.admission.interface import Attributes
from generic.meta import errors
from generic.meta.gvk import GroupKind, GroupResource
from generic.storage.objects import StoredObject

IMMORTAL = frozenset({"default", "kube-system", "kube-public"})
"""Namespaces that may not be deleted."""

PHASE = "status.phase"
"""The selectable field the namespaces' cache must hold."""

_NAMESPACE = GroupKind("", "Namespace")
_NAMESPACES = GroupResource("", "namespaces")
_LOCAL_REVIEW = GroupResource("authorization.k8s.io", "localsubjectaccessreviews")


class NamespaceReader(Protocol):
    """The part of a Cacher of namespaces that is needed here."""

    def peek(self, namespace: str, name: str) -> StoredObject | None: ...

    async def get(self, namespace: str, name: str, *, resource_version: str = "") -> StoredObject | None: ...


class NamespaceLifecycle:
    """Refuses by 404 and 403; changes nothing."""

    name = "NamespaceLifecycle"

    def __init__(self, namespaces: NamespaceReader) -> None:
        self._namespaces = namespaces

    def handles(self, attributes: Attributes) -> bool:
        """Everything in a namespace but deletions and access reviews, and the deletion of namespaces."""
        if attributes.kind.group_kind == _NAMESPACE:
            return attributes.operation == "DELETE"
        return (
            bool(attributes.namespace)
            and attributes.operation in ("CREATE", "UPDATE")
            # Whether a namespace exists is nothing a review may tell.
            and attributes.resource.group_resource != _LOCAL_REVIEW
        )

    async def admit(self, attributes: Attributes) -> None:
        """Raises StatusError: 404 without the namespace, 403 on making something in a terminating one."""
        if attributes.operation == "DELETE":
            if attributes.name in IMMORTAL:
                raise errors.forbidden(_NAMESPACES, attributes.name, "this namespace may not be deleted")
            return
        name = attributes.namespace
        found = self._namespaces.peek("", name) or await self._namespaces.get("", name)
        if found is None:
            raise errors.not_found(_NAMESPACES, name)
        if attributes.operation == "CREATE" and found.fields.get(PHASE) == "Terminating":
            cause = {
                "reason": "NamespaceTerminating",
                "message": f"namespace {name} is being terminated",
                "field": "metadata.namespace",
            }
            raise errors.forbidden(
                attributes.resource.group_resource,
                attributes.name,
                f"unable to create new content in namespace {name} because it is being terminated",
                causes=[cause],
            )
