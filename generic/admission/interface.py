"""Admission: what plugins see of a write and how they answer.

The Store runs the chain on its write path: every mutating plugin in order, then, after strategy
validation, every validating one. Mirrors `apiserver/pkg/admission`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from generic.meta.gvk import GroupVersion, GroupVersionKind, GroupVersionResource
from generic.patching.apply.shapes import Shape
from generic.request.context import RequestContext
from generic.types import JSONObject

Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]


class Versions(Protocol):
    """What the write path knows of the written kind: its other versions, and what makes an object one of it."""

    @property
    def shape(self) -> Shape:
        """How objects of the kind merge in an apply."""

    def equivalents(
        self, resource: GroupVersionResource, kind: GroupVersionKind
    ) -> Sequence[tuple[GroupVersionResource, GroupVersionKind]]:
        """The other served versions of a resource, or of its subresource whose objects are of `kind`."""

    async def convert(self, obj: JSONObject, to: GroupVersion) -> JSONObject:
        """A copy of the object in another version. Raises StatusError."""

    def settle(self, obj: JSONObject) -> None:
        """Drop what the kind does not know and fill defaults in, in place. Raises ValueError on what cannot be one."""


@dataclass(slots=True)
class Reinvocation:
    """Whether plugins run again because later ones changed the object; `state`: what plugins note, by their names."""

    wanted: bool = False
    again: bool = False
    """This is the second pass; there is no third."""

    state: dict[str, Any] = field(default_factory=dict)


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
    versions: Versions | None = None
    """None: of what is asked and not stored there is one version only."""
    reinvocation: Reinvocation = field(default_factory=Reinvocation)


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
        """The mutating pass, once more if a plugin wants it. Returns whether any looked. Raises the first refusal."""
        looked = await self._admit(attributes)
        if attributes.reinvocation.wanted:
            attributes.reinvocation.again = True
            await self._admit(attributes)
        return looked

    async def _admit(self, attributes: Attributes) -> bool:
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
