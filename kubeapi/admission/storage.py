"""StorageObjectInUseProtection and PersistentVolumeClaimResize.

Two of the admission plugins (`order.py`). Mirrors `plugin/pkg/admission/storage`.
"""

from generic.admission.interface import Attributes
from generic.meta import errors
from generic.meta.gvk import GroupResource
from generic.meta.quantity import Quantity
from generic.types import JSONObject
from kubeapi.admission.reading import Reader

_CLAIMS = GroupResource("", "persistentvolumeclaims")
FINALIZERS = {
    _CLAIMS: "kubernetes.io/pvc-protection",
    GroupResource("", "persistentvolumes"): "kubernetes.io/pv-protection",
    GroupResource("storage.k8s.io", "volumeattributesclasses"): "kubernetes.io/vac-protection",
}
_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"


class StorageObjectInUseProtection:
    """Gives new storage the finalizer that a controller (`kubeapi/controllers/storage_protection.py`) takes off."""

    name = "StorageObjectInUseProtection"

    def handles(self, attributes: Attributes) -> bool:
        return (
            attributes.operation == "CREATE"
            and not attributes.subresource
            and attributes.resource.group_resource in FINALIZERS
        )

    async def admit(self, attributes: Attributes) -> None:
        if attributes.object is None:
            return
        metadata, finalizer = attributes.object["metadata"], FINALIZERS[attributes.resource.group_resource]
        finalizers = metadata.get("finalizers") or []
        if finalizer not in finalizers:
            metadata["finalizers"] = [*finalizers, finalizer]


class PersistentVolumeClaimResize:
    """Only what has been provisioned grows, and only if its class lets it."""

    name = "PersistentVolumeClaimResize"

    def __init__(self, classes: Reader) -> None:
        self._classes = classes

    def handles(self, attributes: Attributes) -> bool:
        return (
            attributes.operation == "UPDATE"
            and not attributes.subresource
            and attributes.resource.group_resource == _CLAIMS
        )

    async def validate(self, attributes: Attributes) -> None:
        """Raises StatusError 403."""
        new, old = attributes.object, attributes.old_object
        if new is None or old is None or _size(new) <= _size(old):
            return
        if (old.get("status") or {}).get("phase") != "Bound":
            raise errors.forbidden(_CLAIMS, attributes.name, "Only bound persistent volume claims can be expanded")
        if not await self._may_grow(new, old):
            why = (
                "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must "
                "support resize"
            )
            raise errors.forbidden(_CLAIMS, attributes.name, why)

    async def _may_grow(self, new: JSONObject, old: JSONObject) -> bool:
        name = _class(new)
        if not name or name != _class(old):
            return False
        found = await self._classes.get("", name)
        return found is not None and found.decoded().get("allowVolumeExpansion") is True


def _size(claim: JSONObject) -> Quantity:
    resources = (claim.get("spec") or {}).get("resources") or {}
    try:
        return Quantity.parse(str((resources.get("requests") or {}).get("storage") or "0"))
    except ValueError:
        # Validation has said so.
        return Quantity(0)


def _class(claim: JSONObject) -> str:
    annotations = claim["metadata"].get("annotations") or {}
    if _CLASS_ANNOTATION in annotations:
        return str(annotations[_CLASS_ANNOTATION])
    return str((claim.get("spec") or {}).get("storageClassName") or "")
