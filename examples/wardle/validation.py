"""What makes a Flunder wrong beyond its schema: every problem at once, each with its path.

Called by `strategy`. Mirrors `sample-apiserver/pkg/apis/wardle/validation/validation.go`; for v1alpha1, paths are
those of v1alpha1, where Go names the members of its internal version.
"""

from examples.wardle.types import FISCHER, FLUNDER, REFERENCE_TYPES
from generic.meta import fields
from generic.meta.fields import FieldError
from generic.types import JSONObject


def flunder_v1alpha1(obj: JSONObject) -> list[FieldError]:
    """A defaulted Flunder of v1alpha1."""
    spec = obj.get("spec") or {}
    kind = spec.get("referenceType") or ""
    found = []
    if kind in REFERENCE_TYPES and not spec.get("reference"):
        found.append(fields.required("spec.reference", f"cannot be empty if referenceType is {kind}"))
    return [*found, *_reference_type(kind)]


def flunder_v1beta1(obj: JSONObject) -> list[FieldError]:
    """A defaulted Flunder of v1beta1."""
    spec = obj.get("spec") or {}
    kind = spec.get("referenceType") or ""
    flunder, fischer = spec.get("flunderReference") or "", spec.get("fischerReference") or ""
    found = []
    if flunder and fischer:
        why = "cannot be set with flunderReference at the same time"
        found.append(fields.invalid("spec.fischerReference", fischer, why))
    elif flunder and kind != FLUNDER:
        why = "cannot be set if referenceType is not Flunder"
        found.append(fields.invalid("spec.flunderReference", flunder, why))
    elif fischer and kind != FISCHER:
        why = "cannot be set if referenceType is not Fischer"
        found.append(fields.invalid("spec.fischerReference", fischer, why))
    elif not fischer and kind == FISCHER:
        found.append(fields.required("spec.fischerReference", "cannot be empty if referenceType is Fischer"))
    elif not flunder and kind == FLUNDER:
        found.append(fields.required("spec.flunderReference", "cannot be empty if referenceType is Flunder"))
    return [*found, *_reference_type(kind)]


def _reference_type(kind: str) -> list[FieldError]:
    if not kind or kind in REFERENCE_TYPES:
        return []
    return [fields.invalid("spec.referenceType", kind, "must be Flunder or Fischer")]
