"""The kind of wardle.example.com/v1beta1: Flunders with a member for each type of reference.

v1alpha1, in which they are stored, has one reference and says what it refers to. Mirrors
`sample-apiserver/pkg/apis/wardle/v1beta1` and, for the conversion, `pkg/apis/wardle/v1alpha1/conversion.go`.
"""

from collections.abc import Iterator
from typing import Self

from examples.wardle import types, v1alpha1, validation
from examples.wardle.types import FISCHER, FLUNDER, GROUP, FlunderStatus
from trikube import aa


class FlunderSpec(aa.Model):
    """FlunderSpec is what is wanted of a Flunder."""

    flunder_reference: str | None = None
    """The name of another flunder, mutually exclusive to fischerReference."""
    fischer_reference: str | None = None
    """The name of a fischer, mutually exclusive to flunderReference."""
    reference_type: str | None = None
    """The reference type, Flunder or Fischer; defaults to that of the reference that is set."""


class Flunder(aa.Resource, group=GROUP, version="v1beta1", short_names=("fl",), hub=v1alpha1.Flunder):
    """Flunder refers to another Flunder or to a Fischer."""

    spec: FlunderSpec | None = None
    """What is wanted."""
    status: FlunderStatus | None = None
    """What was found."""

    def default(self) -> None:
        spec = self.spec
        if spec is None or spec.reference_type:
            return
        if bool(spec.flunder_reference) != bool(spec.fischer_reference):
            spec.reference_type = FLUNDER if spec.flunder_reference else FISCHER

    def validate_create(self, ctx: aa.Context) -> Iterator[aa.FieldError]:
        spec = self.spec
        if spec is not None:
            yield from validation.two_references(spec.reference_type, spec.flunder_reference, spec.fischer_reference)

    @aa.column("Reference")
    def refers_to(self) -> str:
        """What the flunder refers to."""
        spec = self.spec
        return types.shown(spec.flunder_reference or spec.fischer_reference, spec.reference_type) if spec else ""

    def convert_to_hub(self) -> v1alpha1.Flunder:
        spec = None
        if self.spec is not None:
            reference = self.spec.flunder_reference or self.spec.fischer_reference
            spec = v1alpha1.FlunderSpec(reference=reference, reference_type=self.spec.reference_type)
        return v1alpha1.Flunder(metadata=self.metadata, spec=spec, status=self.status)

    @classmethod
    def convert_from_hub(cls, hub: v1alpha1.Flunder) -> Self:
        spec = None
        if hub.spec is not None:
            spec = FlunderSpec(reference_type=hub.spec.reference_type)
            if hub.spec.reference_type == FISCHER:
                spec.fischer_reference = hub.spec.reference
            else:
                spec.flunder_reference = hub.spec.reference
        return cls(metadata=hub.metadata, spec=spec, status=hub.status)
