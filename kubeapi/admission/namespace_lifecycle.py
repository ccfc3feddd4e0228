"""NamespaceLifecycle of the server that owns the namespaces: what every server checks, and that some never go.

The first plugin of the admission chain, built by `kubeapi/server.py`. Namespaces are read from this server's own
cache: what a write needs to know was written through the same cache, so no wait and no second look are needed
where Kubernetes has to guard against a stale informer. Mirrors
`apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go`.
"""

from typing import Protocol

from generic.admission import namespace_lifecycle
from generic.admission.interface import Attributes
from generic.meta import errors
from generic.meta.gvk import GroupKind, GroupResource
from generic.storage.objects import StoredObject
from generic.types import JSONObject

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


class CachedNamespaces:
    """The namespaces of this very server."""

    def __init__(self, cache: NamespaceReader) -> None:
        self._cache = cache

    async def ready(self) -> bool:
        return True

    async def phase(self, name: str) -> str | None:
        found = self._cache.peek("", name) or await self._cache.get("", name)
        return None if found is None else found.fields.get(PHASE, "")

    async def namespace(self, name: str) -> JSONObject | None:
        """See `generic.admission.matching.NamespaceSource`."""
        found = self._cache.peek("", name) or await self._cache.get("", name)
        return None if found is None else found.decoded()


class NamespaceLifecycle(namespace_lifecycle.NamespaceLifecycle):
    """Refuses by 404 and 403; changes nothing."""

    def __init__(self, namespaces: NamespaceReader) -> None:
        super().__init__(CachedNamespaces(namespaces))

    def handles(self, attributes: Attributes) -> bool:
        """Everything in a namespace but deletions and access reviews, and the deletion of namespaces."""
        if attributes.kind.group_kind == _NAMESPACE:
            return attributes.operation == "DELETE"
        # Whether a namespace exists is nothing a review may tell.
        return super().handles(attributes) and attributes.resource.group_resource != _LOCAL_REVIEW

    async def admit(self, attributes: Attributes) -> None:
        """Raises StatusError: 403 on the deletion of a namespace that stays, and what every server refuses."""
        if attributes.operation != "DELETE":
            await super().admit(attributes)
        elif attributes.name in IMMORTAL:
            raise errors.forbidden(_NAMESPACES, attributes.name, "this namespace may not be deleted")
