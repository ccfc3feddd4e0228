"""What both versions of wardle.example.com share. The kinds themselves are in `v1alpha1` and `v1beta1`.

Mirrors `sample-apiserver/pkg/apis/wardle`.
"""

from trikube import aa

GROUP = "wardle.example.com"

FLUNDER = "Flunder"
FISCHER = "Fischer"
REFERENCE_TYPES = (FLUNDER, FISCHER)


class FlunderStatus(aa.Model):
    """FlunderStatus is what was found about a Flunder. It is written through its own subresource."""

    observed_generation: int | None = None
    """The generation of the spec that was last acted upon."""


def shown(reference: str | None, reference_type: str | None) -> str:
    """`Fischer/name`; empty if there is no reference."""
    return f"{reference_type or ''}/{reference}" if reference else ""
