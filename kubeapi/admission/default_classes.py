"""DefaultStorageClass and DefaultIngressClass: the class of what names none.

Two of the admission plugins (`order.py`). Mirrors `plugin/pkg/admission/{storage/storageclass/setdefault,
network/defaultingressclass}`.
"""

from collections.abc import Sequence

from generic.admission.interface import Attributes
from generic.meta.gvk import GroupResource
from generic.types import JSONObject
from kubeapi.admission.reading import Reader

_CLAIMS = GroupResource("", "persistentvolumeclaims")
_CLAIM_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
_STORAGE = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")

_INGRESSES = GroupResource("networking.k8s.io", "ingresses")
_INGRESS_ANNOTATION = "kubernetes.io/ingress.class"
_INGRESS = ("ingressclass.kubernetes.io/is-default-class",)


class _DefaultClass:
    """Fills the class in, on creation."""

    def __init__(
        self, classes: Reader, *, resource: GroupResource, field: str, annotation: str, marks: Sequence[str]
    ) -> None:
        """`field` of the spec, or `annotation`, names the class; `marks` are the annotations of a default one."""
        self._classes = classes
        self._resource = resource
        self._field = field
        self._annotation = annotation
        self._marks = marks

    def handles(self, attributes: Attributes) -> bool:
        return (
            attributes.operation == "CREATE"
            and attributes.resource.group_resource == self._resource
            and not attributes.subresource
        )

    async def admit(self, attributes: Attributes) -> None:
        obj = attributes.object
        if obj is None:
            return
        spec = obj.setdefault("spec", {})
        if spec.get(self._field) is not None or self._annotation in (obj["metadata"].get("annotations") or {}):
            return
        name = await self._default()
        if name:
            spec[self._field] = name

    async def _default(self) -> str:
        """Of several, the newest; of those, the first by name."""
        await self._classes.start()
        found: list[JSONObject] = [
            stored.decoded() for stored in self._classes.peek_all() if b"is-default-class" in stored.raw
        ]
        found = [each for each in found if self._is_default(each)]
        newest = max((each["metadata"].get("creationTimestamp") or "" for each in found), default="")
        # The cache has them in the order of their names.
        names = (each["metadata"]["name"] for each in found if each["metadata"].get("creationTimestamp", "") == newest)
        return next(names, "")

    def _is_default(self, found: JSONObject) -> bool:
        annotations = found["metadata"].get("annotations") or {}
        return any(annotations.get(mark) == "true" for mark in self._marks)


class DefaultStorageClass(_DefaultClass):
    """Of claims."""

    name = "DefaultStorageClass"

    def __init__(self, classes: Reader) -> None:
        super().__init__(
            classes, resource=_CLAIMS, field="storageClassName", annotation=_CLAIM_ANNOTATION, marks=_STORAGE
        )


class DefaultIngressClass(_DefaultClass):
    """Of Ingresses."""

    name = "DefaultIngressClass"

    def __init__(self, classes: Reader) -> None:
        super().__init__(
            classes, resource=_INGRESSES, field="ingressClassName", annotation=_INGRESS_ANNOTATION, marks=_INGRESS
        )
