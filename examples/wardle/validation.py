"""What makes a Flunder wrong beyond its types: every problem at once, each with its path.

Called by the kinds. Mirrors `sample-apiserver/pkg/apis/wardle/validation/validation.go`; for v1alpha1, paths are those
of v1alpha1, where Go names the members of its internal version.
"""

from collections.abc import Iterator

from examples.wardle.types import FISCHER, FLUNDER, REFERENCE_TYPES
from trikube import aa


def one_reference(kind: str | None, reference: str | None) -> Iterator[aa.FieldError]:
    """The spec of v1alpha1."""
    if kind in REFERENCE_TYPES and not reference:
        yield aa.fields.required("spec.reference", f"cannot be empty if referenceType is {kind}")
    yield from _reference_type(kind)


def two_references(kind: str | None, flunder: str | None, fischer: str | None) -> Iterator[aa.FieldError]:
    """The spec of v1beta1."""
    if flunder and fischer:
        why = "cannot be set with flunderReference at the same time"
        yield aa.fields.invalid("spec.fischerReference", fischer, why)
    elif flunder and kind != FLUNDER:
        yield aa.fields.invalid("spec.flunderReference", flunder, "cannot be set if referenceType is not Flunder")
    elif fischer and kind != FISCHER:
        yield aa.fields.invalid("spec.fischerReference", fischer, "cannot be set if referenceType is not Fischer")
    elif not fischer and kind == FISCHER:
        yield aa.fields.required("spec.fischerReference", "cannot be empty if referenceType is Fischer")
    elif not flunder and kind == FLUNDER:
        yield aa.fields.required("spec.flunderReference", "cannot be empty if referenceType is Flunder")
    yield from _reference_type(kind)


def _reference_type(kind: str | None) -> Iterator[aa.FieldError]:
    if kind and kind not in REFERENCE_TYPES:
        yield aa.fields.invalid("spec.referenceType", kind, "must be Flunder or Fischer")
