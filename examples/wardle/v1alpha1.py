"""The kinds of wardle.example.com/v1alpha1, the version everything is stored in.

Mirrors `sample-apiserver/pkg/apis/wardle/v1alpha1/types.go`. Read by `storage`.
"""

from examples.wardle.types import APIType, FlunderStatus


class FlunderSpec(APIType):
    """FlunderSpec is what is wanted of a Flunder."""

    reference: str | None = None
    """The name of another flunder or of a fischer, depending on the reference type."""
    reference_type: str | None = None
    """The reference type, Flunder or Fischer; defaults to "Flunder" if reference is set."""


class Flunder(APIType):
    """Flunder refers to another Flunder or to a Fischer."""

    spec: FlunderSpec | None = None
    """What is wanted."""
    status: FlunderStatus | None = None
    """What was found."""


class Fischer(APIType):
    """Fischer says which names no new Flunder may have."""

    disallowed_flunders: list[str] | None = None
    """The names that are disallowed."""
