"""Resource: one kind of thing that is served, in one version.

Built-ins, APIServices, CRDs, custom resources and an aggregated server's own types are all described
by this, and everything above (verbs, discovery, tables, OpenAPI, RBAC) is written once against it.
DESIGN.md section 2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from generic.meta.gvk import GroupKind, GroupResource, GroupVersion, GroupVersionKind, GroupVersionResource
from generic.meta.tables import Column, default_columns
from generic.patching.apply.shapes import Shape, Shapes
from generic.patching.strategic import PatchSchema
from generic.protobuf.objects import ObjectCodec
from generic.registry.strategy import Strategy
from generic.schema.object_schema import ObjectSchema
from generic.storage.objects import FieldGetter
from generic.types import JSONObject


class Converter(Protocol):
    """Between a resource's storage version and its other served ones. Mirrors runtime.ObjectConvertor."""

    async def convert(self, objects: Sequence[JSONObject], to: GroupVersion) -> list[JSONObject]:
        """The same objects in version `to`, in order; the input may be reused. Raises StatusError."""


@dataclass(frozen=True, slots=True)
class Resource:
    """What the machinery needs to know of a kind. `storage_version` None: stored in this very version."""

    gvr: GroupVersionResource
    kind: str
    namespaced: bool
    schema: ObjectSchema
    strategy: Strategy = field(default_factory=Strategy)
    singular: str = ""
    list_kind: str = ""
    short_names: Sequence[str] = ()
    categories: Sequence[str] = ()
    columns: Sequence[Column] = field(default_factory=default_columns)
    """Of its Tables; none: it is not shown as one (406)."""

    selectable_fields: Mapping[str, FieldGetter] = field(default_factory=dict)
    storage_version: GroupVersion | None = None
    converter: Converter | None = None
    deprecation_warning: str = ""
    patch_schema: PatchSchema | None = None
    """How lists merge in a strategic merge patch; None: the resource takes none (custom resources)."""

    protobuf: ObjectCodec | None = None
    """How bodies in protobuf are read and written, those of subresources too; None: not at all (custom resources)."""

    lenient_types: bool = False
    """Type mismatches are validation errors (422, custom resources), not decoding errors (400, built-ins)."""

    _shape: list[Shape] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.list_kind:
            object.__setattr__(self, "list_kind", f"{self.kind}List")
        if not self.singular:
            object.__setattr__(self, "singular", self.kind.lower())

    @property
    def shape(self) -> Shape:
        """How its objects merge in an apply and who can own which part of them; made once, when first asked for."""
        if not self._shape:
            root, definitions, go = self.schema.source()
            self._shape.append(Shapes(definitions, go=go).compile(root))
        return self._shape[0]

    @property
    def group_version(self) -> GroupVersion:
        return self.gvr.group_version

    @property
    def group_resource(self) -> GroupResource:
        return self.gvr.group_resource

    @property
    def stored_as(self) -> GroupResource:
        """Whose objects these are in storage: the storage version's group counts, for kinds that share a store."""
        group = self.gvr.group if self.storage_version is None else self.storage_version.group
        return GroupResource(group, self.gvr.resource)

    @property
    def group_kind(self) -> GroupKind:
        return GroupKind(self.gvr.group, self.kind)

    @property
    def gvk(self) -> GroupVersionKind:
        return self.group_version.with_kind(self.kind)
