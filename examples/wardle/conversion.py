"""Flunders between v1alpha1, in which they are stored, and v1beta1.

v1alpha1 has one reference and says what it refers to; v1beta1 has a member for each. Called by the Store and the
endpoints through `Resource.converter`. Mirrors `sample-apiserver/pkg/apis/wardle/v1alpha1/conversion.go`.
"""

from collections.abc import Sequence

from examples.wardle.types import FISCHER, V1ALPHA1, V1BETA1
from generic.meta.gvk import GroupVersion
from generic.types import JSONObject


class FlunderConverter:
    """The Converter of both versions. Objects are valid: defaults are in place, one reference at most."""

    async def convert(self, objects: Sequence[JSONObject], to: GroupVersion) -> list[JSONObject]:
        """See `generic.registry.resource.Converter`."""
        one = to_v1beta1 if to == V1BETA1 else to_v1alpha1
        return [obj if obj["apiVersion"] == str(to) else one(obj) for obj in objects]


def to_v1beta1(obj: JSONObject) -> JSONObject:
    """From v1alpha1."""
    spec = dict(obj.get("spec") or {})
    reference = spec.pop("reference", None)
    if reference:
        spec["fischerReference" if spec.get("referenceType") == FISCHER else "flunderReference"] = reference
    return _with(obj, V1BETA1, spec)


def to_v1alpha1(obj: JSONObject) -> JSONObject:
    """From v1beta1."""
    spec = dict(obj.get("spec") or {})
    flunder, fischer = spec.pop("flunderReference", None), spec.pop("fischerReference", None)
    if flunder or fischer:
        spec["reference"] = flunder or fischer
    return _with(obj, V1ALPHA1, spec)


def _with(obj: JSONObject, version: GroupVersion, spec: JSONObject) -> JSONObject:
    converted = {**obj, "apiVersion": str(version)}
    if "spec" in obj:
        converted["spec"] = spec
    return converted
