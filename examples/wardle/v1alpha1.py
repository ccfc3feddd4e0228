"""The kinds of wardle.example.com/v1alpha1, the version everything is stored in.

Mirrors `sample-apiserver/pkg/apis/wardle/v1alpha1` and `pkg/registry/wardle`.
"""

from collections.abc import Iterator

from examples.wardle import types, validation
from examples.wardle.types import FLUNDER, GROUP, FlunderStatus
from trikube import aa


class FlunderSpec(aa.Model):
    """FlunderSpec is what is wanted of a Flunder."""

    reference: str | None = None
    """The name of another flunder or of a fischer, depending on the reference type."""
    reference_type: str | None = None
    """The reference type, Flunder or Fischer; defaults to "Flunder" if reference is set."""


class Flunder(aa.Resource, group=GROUP, version="v1alpha1", short_names=("fl",)):
    """Flunder refers to another Flunder or to a Fischer."""

    spec: FlunderSpec | None = None
    """What is wanted."""
    status: FlunderStatus | None = None
    """What was found."""

    def default(self) -> None:
        if self.spec is not None and self.spec.reference and not self.spec.reference_type:
            self.spec.reference_type = FLUNDER

    def validate_create(self, ctx: aa.Context) -> Iterator[aa.FieldError]:
        if self.spec is not None:
            yield from validation.one_reference(self.spec.reference_type, self.spec.reference)

    @aa.column("Reference")
    def refers_to(self) -> str:
        """What the flunder refers to."""
        return types.shown(self.spec.reference, self.spec.reference_type) if self.spec is not None else ""


class Fischer(aa.Resource, group=GROUP, version="v1alpha1", namespaced=False):
    """Fischer says which names no new Flunder may have."""

    disallowed_flunders: list[str] | None = None
    """The names that are disallowed."""
