"""What claims use of a quota: of volumes, and of devices.

Mirrors `pkg/quota/v1/evaluator/core/{persistent_volume_claims,resource_claims}.go`; that a device may be asked for as
an extended resource of pods is not known here.
"""

from collections.abc import Iterable

from generic.admission.interface import Attributes
from generic.meta.gvk import GroupResource
from generic.meta.quantity import Quantity
from generic.types import JSONObject
from kubeapi.quota import amounts
from kubeapi.quota.amounts import Amounts
from kubeapi.quota.scopes import Requirement

_CLAIMS = "persistentvolumeclaims"
_COUNT_CLAIMS = f"count/{_CLAIMS}"
_STORAGE = "requests.storage"
_BY_CLASS = ".storageclass.storage.k8s.io/"
_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"

_COUNT_DEVICE_CLAIMS = "count/resourceclaims.resource.k8s.io"
_DEVICES = ".deviceclass.resource.k8s.io/devices"
_MOST_DEVICES = 32
"""A claim of all there are is counted as one of so many."""


class VolumeClaims:
    """Counted, and what they ask for summed up: in all and by storage class."""

    resource = GroupResource("", _CLAIMS)

    def handles(self, attributes: Attributes) -> bool:
        if attributes.subresource == "status":
            new, old = attributes.object or {}, attributes.old_object or {}
            return self.usage(new) != self.usage(old) or _attribute_classes(new) != _attribute_classes(old)
        return attributes.operation in ("CREATE", "UPDATE") and not attributes.subresource

    def matching(self, names: Iterable[str]) -> list[str]:
        return [
            name
            for name in names
            if name in (_COUNT_CLAIMS, _CLAIMS, _STORAGE)
            or name.endswith((f"{_BY_CLASS}{_CLAIMS}", f"{_BY_CLASS}{_STORAGE}"))
        ]

    def matches_scope(self, scope: Requirement, obj: JSONObject) -> bool:
        return scope.scope == "VolumeAttributesClass" and scope.accepts(_attribute_classes(obj))

    def missing(self, required: Iterable[str], obj: JSONObject) -> str:
        return ""

    def usage(self, obj: JSONObject) -> Amounts:
        used = dict.fromkeys((_CLAIMS, _COUNT_CLAIMS), amounts.ONE)
        storage_class = _storage_class(obj)
        if storage_class:
            used[f"{storage_class}{_BY_CLASS}{_CLAIMS}"] = amounts.ONE
        asked = _storage(obj)
        if asked is not None:
            used[_STORAGE] = asked
            if storage_class:
                used[f"{storage_class}{_BY_CLASS}{_STORAGE}"] = asked
        return used


class DeviceClaims:
    """Counted, and the devices they ask for, by device class."""

    resource = GroupResource("resource.k8s.io", "resourceclaims")

    def handles(self, attributes: Attributes) -> bool:
        return attributes.operation in ("CREATE", "UPDATE") and not attributes.subresource

    def matching(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name == _COUNT_DEVICE_CLAIMS or name.endswith(_DEVICES)]

    def matches_scope(self, scope: Requirement, obj: JSONObject) -> bool:
        return False

    def missing(self, required: Iterable[str], obj: JSONObject) -> str:
        return ""

    def usage(self, obj: JSONObject) -> Amounts:
        used = {_COUNT_DEVICE_CLAIMS: amounts.ONE}
        devices = (obj.get("spec") or {}).get("devices") or {}
        for request in devices.get("requests") or ():
            # One of several will do: the worst of each class is what counts.
            worst: dict[str, int] = {}
            # Before v1 a request was its own only choice.
            for choice in request.get("firstAvailable") or [request.get("exactly") or request]:
                name = f"{choice.get('deviceClassName') or ''}{_DEVICES}"
                worst[name] = max(worst.get(name, 0), _number(choice))
            used = amounts.add(used, {name: amounts.count(number) for name, number in worst.items()})
        return used


def _storage(claim: JSONObject) -> Quantity | None:
    """What is asked for, or what has been allocated if that is more, in whole bytes."""
    asked = amounts.of(((claim.get("spec") or {}).get("resources") or {}).get("requests")).get("storage")
    if asked is None:
        return None
    allocated = amounts.of((claim.get("status") or {}).get("allocatedResources")).get("storage")
    most = asked if allocated is None else max(asked, allocated)
    return Quantity(most.value * 10**9, most.form)


def _storage_class(claim: JSONObject) -> str:
    annotations = claim["metadata"].get("annotations") or {}
    if _CLASS_ANNOTATION in annotations:
        return str(annotations[_CLASS_ANNOTATION])
    return str((claim.get("spec") or {}).get("storageClassName") or "")


def _attribute_classes(claim: JSONObject) -> set[str]:
    """What it has, is to have, and is being given."""
    spec, status = claim.get("spec") or {}, claim.get("status") or {}
    named = (
        spec.get("volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        (status.get("modifyVolumeStatus") or {}).get("targetVolumeAttributesClassName"),
    )
    return {name for name in named if name}


def _number(choice: JSONObject) -> int:
    mode = choice.get("allocationMode")
    if mode == "ExactCount":
        return int(choice.get("count") or 0)
    return _MOST_DEVICES if mode == "All" else 0
