"""Admission: what plugins see of a write and how they answer.

The Store runs the chain on its write path: every mutating plugin in order, then, after strategy
validation, every validating one. Mirrors `apiserver/pkg/admission`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from generic.meta.gvk import GroupVersionKind, GroupVersionResource
from generic.request.context import RequestContext
from generic.types import JSONObject

Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]


@dataclass(slots=True)
class Attributes:
    """One write. Mutating plugins change `object` in place; `old_object` is never to be changed."""

    operation: Operation
    request: RequestContext
    resource: GroupVersionResource
    kind: GroupVersionKind
    namespace: str
    name: str
    subresource: str = ""
    object: JSONObject | None = None
    """What would be stored; None for DELETE."""
    old_object: JSONObject | None = None
    """What is stored; None for CREATE."""
    options: JSONObject = field(default_factory=dict)
    """The CreateOptions, UpdateOptions or DeleteOptions of the request, as an object."""
    dry_run: bool = False
    reinvocation: dict[str, Any] = field(default_factory=dict)
    """Scratch space of plugins that ask to run again after later ones changed the object."""


class AdmissionPlugin(Protocol):
    """A plugin by its Kubernetes name. Also a MutatingPlugin, a ValidatingPlugin, or both."""

    @property
    def name(self) -> str: ...

    def handles(self, attributes: Attributes) -> bool:
        """Cheap first look: False skips the plugin for this write."""


@runtime_checkable
class MutatingPlugin(AdmissionPlugin, Protocol):
    async def admit(self, attributes: Attributes) -> None:
        """Change `attributes.object` in place, or refuse by raising StatusError."""


@runtime_checkable
class ValidatingPlugin(AdmissionPlugin, Protocol):
    async def validate(self, attributes: Attributes) -> None:
        """Accept by returning, refuse by raising StatusError. Must not change the object."""


class AdmissionChain:
    """The ordered list of plugins; order is the one given.

    Shared by every Store of a process and given its plugins (`use`) before serving: the plugins need
    servers that are built after the first Stores.
    """

    def __init__(self, plugins: Sequence[AdmissionPlugin] = ()) -> None:
        self._mutating: list[MutatingPlugin] = []
        self._validating: list[ValidatingPlugin] = []
        self.use(plugins)

    def use(self, plugins: Sequence[AdmissionPlugin]) -> None:
        """Replace the plugins by these."""
        self._mutating = [plugin for plugin in plugins if isinstance(plugin, MutatingPlugin)]
        self._validating = [plugin for plugin in plugins if isinstance(plugin, ValidatingPlugin)]

    async def admit(self, attributes: Attributes) -> bool:
        """The mutating pass. Returns whether any plugin looked at the write. Raises the first refusal."""
        looked = False
        for plugin in self._mutating:
            if plugin.handles(attributes):
                looked = True
                await plugin.admit(attributes)
        return looked

    async def validate(self, attributes: Attributes) -> None:
        """The validating pass. Raises the first refusal."""
        for plugin in self._validating:
            if plugin.handles(attributes):
                await plugin.validate(attributes)


NO_ADMISSION = AdmissionChain()
