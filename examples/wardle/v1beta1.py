"""The kind of wardle.example.com/v1beta1: Flunders with a member for each type of reference.

Mirrors `sample-apiserver/pkg/apis/wardle/v1beta1/types.go`. Read by `storage`.
"""

from examples.wardle.types import APIType, FlunderStatus


class FlunderSpec(APIType):
    """FlunderSpec is what is wanted of a Flunder."""

    flunder_reference: str | None = None
    """The name of another flunder, mutually exclusive to fischerReference."""
    fischer_reference: str | None = None
    """The name of a fischer, mutually exclusive to flunderReference."""
    reference_type: str | None = None
    """The reference type, Flunder or Fischer; defaults to that of the reference that is set."""


class Flunder(APIType):
    """Flunder refers to another Flunder or to a Fischer."""

    spec: FlunderSpec | None = None
    """What is wanted."""
    status: FlunderStatus | None = None
    """What was found."""
