"""JSONSchemaProps: the type of the schemas inside a CustomResourceDefinition.

Part of `types.py`. What may be a schema or something else (items, additionalProperties, dependencies) is untyped here,
as in Kubernetes' own OpenAPI; `schema_props.py` looks into it.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def _text(description: str = "", *, alias: str | None = None) -> Any:
    return Field(default_factory=str, description=description, alias=alias)


def _number(description: str = "") -> Any:
    return Field(default_factory=float, description=description)


def _count(description: str = "") -> Any:
    return Field(default_factory=int, description=description, json_schema_extra={"format": "int64"})


def _flag(description: str = "", *, alias: str | None = None) -> Any:
    return Field(default_factory=bool, description=description, alias=alias)


def _any(description: str = "") -> Any:
    return Field(default_factory=dict, description=description)


class ExternalDocumentation(BaseModel):
    """Where more is written about something."""

    description: str = _text("What is to be found there.")
    url: str = _text("Where it is.")


class ValidationRule(BaseModel):
    """A rule in the CEL expression language."""

    rule: str = Field(description="CEL expression over `self` (and `oldSelf`) that must be true.")
    message: str = _text("What to say when the rule fails; required if the rule has line breaks.")
    messageExpression: str = _text("CEL expression that makes the message; wins over `message`.")
    reason: str = _text("Machine-readable reason of the failure: FieldValueInvalid unless told.")
    fieldPath: str = _text("Relative JSON path of the field to blame.")
    optionalOldSelf: bool = _flag("Evaluate a transition rule on creation too, with `oldSelf` as an optional.")


class JSONSchemaProps(BaseModel):
    """A JSON schema (draft 4 as OpenAPI v3 has it), with Kubernetes' extensions."""

    model_config = ConfigDict(populate_by_name=True)

    id: str = _text("Not supported.")
    schema_: str = _text("Not supported.", alias="$schema")
    ref: str = _text("Not supported.", alias="$ref")
    description: str = _text("What the value means.")
    type: str = _text("array, boolean, integer, number, object or string.")
    format: str = _text("Format of a value, such as date-time or int64; unknown ones are ignored.")
    title: str = _text("Short name of the value.")
    default: Any = _any("Value of an absent field; pruned and validated itself.")
    maximum: float = _number("Largest number.")
    exclusiveMaximum: bool = _flag("Whether the maximum itself is out.")
    minimum: float = _number("Smallest number.")
    exclusiveMinimum: bool = _flag("Whether the minimum itself is out.")
    maxLength: int = _count("Longest string.")
    minLength: int = _count("Shortest string.")
    pattern: str = _text("Regular expression a string must match somewhere.")
    maxItems: int = _count("Most items of an array.")
    minItems: int = _count("Fewest items of an array.")
    uniqueItems: bool = _flag("Not supported: must be false.")
    multipleOf: float = _number("What a number must be a multiple of.")
    enum: list[Any] = Field(default_factory=list, description="The only values allowed.")
    maxProperties: int = _count("Most members of an object.")
    minProperties: int = _count("Fewest members of an object.")
    required: list[str] = Field(default_factory=list, description="Members an object must have.")
    items: Any = _any("Schema of the items of an array.")
    allOf: list["JSONSchemaProps"] = Field(default_factory=list, description="All of these must hold.")
    oneOf: list["JSONSchemaProps"] = Field(default_factory=list, description="Exactly one of these must hold.")
    anyOf: list["JSONSchemaProps"] = Field(default_factory=list, description="At least one of these must hold.")
    not_: "JSONSchemaProps" = Field(
        default_factory=lambda: JSONSchemaProps(), alias="not", description="This must not hold."
    )
    properties: dict[str, "JSONSchemaProps"] = Field(default_factory=dict, description="Schemas of the members.")
    additionalProperties: Any = _any("Schema of members not named in properties, or a boolean.")
    patternProperties: dict[str, "JSONSchemaProps"] = Field(default_factory=dict, description="Not supported.")
    dependencies: dict[str, Any] = Field(default_factory=dict, description="Not supported.")
    additionalItems: Any = _any("Not supported.")
    definitions: dict[str, "JSONSchemaProps"] = Field(default_factory=dict, description="Not supported.")
    externalDocs: ExternalDocumentation = Field(
        default_factory=ExternalDocumentation, description="Where more is written."
    )
    example: Any = _any("An example.")
    nullable: bool = _flag("Whether null is a value; otherwise null is as good as absent.")
    preserve_unknown_fields: bool = _flag(
        "Keep members the schema does not name.", alias="x-kubernetes-preserve-unknown-fields"
    )
    embedded_resource: bool = _flag(
        "The value is a Kubernetes object with apiVersion, kind and metadata.", alias="x-kubernetes-embedded-resource"
    )
    int_or_string: bool = _flag("The value is an integer or a string.", alias="x-kubernetes-int-or-string")
    list_map_keys: list[str] = Field(
        default_factory=list,
        alias="x-kubernetes-list-map-keys",
        description="Members that tell the items of a list of type map apart.",
    )
    list_type: str = _text("atomic, set or map: how an array merges.", alias="x-kubernetes-list-type")
    map_type: str = _text("granular or atomic: how an object merges.", alias="x-kubernetes-map-type")
    validations: list[ValidationRule] = Field(
        default_factory=list, alias="x-kubernetes-validations", description="Rules in CEL."
    )
