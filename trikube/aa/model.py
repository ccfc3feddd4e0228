"""Model and Metadata: the pydantic bases of everything an AA author describes. Imported by `resource.py` and authors.

Names are snake_case in Python and camelCase on the wire; the text under a member is its description for
`kubectl explain`.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from generic.types import JSONObject


class Model(BaseModel):
    """A part of a resource: a spec, a status, whatever stands inside them."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, use_attribute_docstrings=True)

    def to_json(self) -> JSONObject:
        """As it stands on the wire; what is None is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @classmethod
    def model_json_schema(cls, *arguments: Any, **keywords: Any) -> JSONObject:
        """As pydantic makes it, but what a default leaves open is missing in it, not null."""
        found: JSONObject = _without_nulls(super().model_json_schema(*arguments, **keywords), in_default=False)
        return found


class Metadata(Model):
    """The ObjectMeta of an object, as far as authors ask for it; the rest is kept as it came."""

    model_config = ConfigDict(extra="allow")

    name: str = ""
    namespace: str = ""
    generate_name: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    finalizers: list[str] = Field(default_factory=list)
    owner_references: list[dict[str, Any]] = Field(default_factory=list)

    def to_json(self) -> JSONObject:
        """As it stands on the wire, without what is empty, as Go has it."""
        return {key: value for key, value in super().to_json().items() if value not in ("", 0, {}, [])}


def _without_nulls(value: Any, *, in_default: bool) -> Any:
    if isinstance(value, list):
        return [_without_nulls(item, in_default=in_default) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: inside for key, inside in value.items() if not (in_default and inside is None)}
    return {key: _without_nulls(inside, in_default=in_default or key == "default") for key, inside in kept.items()}
