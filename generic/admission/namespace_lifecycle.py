"""NamespaceLifecycle: nothing is made where there is no namespace, or one that is going away.

The first plugin of a server's admission chain. An aggregated server follows the main server's namespaces
(`remote_namespaces.py`); the main server reads its own cache (`kubeapi/admission/namespace_lifecycle.py`). Mirrors
`apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go`.
"""

from typing import Protocol

from generic.admission.interface import Attributes
from generic.meta import errors
from generic.meta.gvk import GroupResource

_NAMESPACES = GroupResource("", "namespaces")


class Namespaces(Protocol):
    """What is known of the namespaces there are."""

    async def ready(self) -> bool:
        """Whether anything is known, perhaps after a wait."""

    async def phase(self, name: str) -> str | None:
        """The `status.phase` of a namespace; None if there is no such namespace. Raises StatusError."""


class NamespaceLifecycle:
    """Refuses by 404 and 403; changes nothing."""

    name = "NamespaceLifecycle"

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces

    def handles(self, attributes: Attributes) -> bool:
        """Everything in a namespace but deletions: what is left in one that is gone must be got rid of."""
        return bool(attributes.namespace) and attributes.operation in ("CREATE", "UPDATE")

    async def admit(self, attributes: Attributes) -> None:
        """Raises StatusError: 404 without the namespace, 403 on making something in a terminating one."""
        name, resource = attributes.namespace, attributes.resource.group_resource
        if not await self._namespaces.ready():
            raise errors.forbidden(resource, attributes.name, "not yet ready to handle request")
        phase = await self._namespaces.phase(name)
        if phase is None:
            raise errors.not_found(_NAMESPACES, name)
        if attributes.operation == "CREATE" and phase == "Terminating":
            cause = {
                "reason": "NamespaceTerminating",
                "message": f"namespace {name} is being terminated",
                "field": "metadata.namespace",
            }
            why = f"unable to create new content in namespace {name} because it is being terminated"
            raise errors.forbidden(resource, attributes.name, why, causes=[cause])
