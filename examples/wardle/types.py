"""What both versions of wardle.example.com share. The kinds themselves are in `v1alpha1` and `v1beta1`.

Schemas, validation of types and `kubectl explain` are made of these pydantic models; apiVersion, kind and metadata
are the same for every kind and are added by the machinery. Mirrors `sample-apiserver/pkg/apis/wardle`.
"""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from generic.meta.gvk import GroupVersion

GROUP = "wardle.example.com"
V1ALPHA1 = GroupVersion(GROUP, "v1alpha1")
V1BETA1 = GroupVersion(GROUP, "v1beta1")

FLUNDER = "Flunder"
FISCHER = "Fischer"
REFERENCE_TYPES = (FLUNDER, FISCHER)


class APIType(BaseModel):
    """Names are in camelCase on the wire; the text under a member is its description for clients."""

    model_config = ConfigDict(alias_generator=to_camel, use_attribute_docstrings=True)


class FlunderStatus(APIType):
    """FlunderStatus is what was found about a Flunder. It is written through its own subresource."""

    observed_generation: int | None = None
    """The generation of the spec that was last acted upon."""
