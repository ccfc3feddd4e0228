"""ScaleAdmission: a write to the scale of something, as the Scale it is to those who look at it.

Put around the chain by the storages of `scale` subresources, which write the object that is scaled. Mirrors what
scaleUpdatedObjectInfo of `pkg/registry/apps/deployment/storage/storage.go` lets admission see and change.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from generic.admission.interface import AdmissionChain, Attributes, Versions
from generic.meta.gvk import GroupVersion, GroupVersionKind, GroupVersionResource
from generic.patching.apply.shapes import Shape, Shapes
from generic.schema.object_schema import ObjectSchema
from generic.types import JSONObject

SCALE = GroupVersionKind("autoscaling", "v1", "Scale")


class ScaleAdmission(AdmissionChain):
    """`scale_of`: the Scale of an object; `put`: takes the wanted number into an object."""

    def __init__(
        self,
        chain: AdmissionChain,
        schema: ObjectSchema,
        *,
        scale_of: Callable[[JSONObject], JSONObject],
        put: Callable[[JSONObject, int], None],
    ) -> None:
        super().__init__()
        self._chain = chain
        self._schema = schema
        self._scale_of = scale_of
        self._put = put

    async def admit(self, attributes: Attributes) -> bool:
        seen = self._seen(attributes)
        before = _wanted(seen.object)
        looked = await self._chain.admit(seen)
        after = _wanted(seen.object)
        if attributes.object is not None and after != before:
            self._put(attributes.object, after)
        return looked

    async def validate(self, attributes: Attributes) -> None:
        await self._chain.validate(self._seen(attributes))

    def _seen(self, attributes: Attributes) -> Attributes:
        obj, old, versions = attributes.object, attributes.old_object, attributes.versions
        return replace(
            attributes,
            kind=SCALE,
            object=None if obj is None else self._scale_of(obj),
            old_object=None if old is None else self._scale_of(old),
            versions=None if versions is None else _ScaleVersions(versions, self._schema),
        )


def _wanted(scale: JSONObject | None) -> int:
    return int(((scale or {}).get("spec") or {}).get("replicas") or 0)


@dataclass(frozen=True, slots=True)
class _ScaleVersions:
    """A Scale is the same in every version of what is scaled."""

    scaled: Versions
    schema: ObjectSchema

    @property
    def shape(self) -> Shape:
        root, definitions, go = self.schema.source()
        return Shapes(definitions, go=go).compile(root)

    def equivalents(
        self, resource: GroupVersionResource, kind: GroupVersionKind
    ) -> Sequence[tuple[GroupVersionResource, GroupVersionKind]]:
        return self.scaled.equivalents(resource, kind)

    async def convert(self, obj: JSONObject, to: GroupVersion) -> JSONObject:
        return obj

    def settle(self, obj: JSONObject) -> None:
        mismatch = self.schema.decode_errors(obj)
        if mismatch:
            raise ValueError(mismatch)
        self.schema.prune(obj)
