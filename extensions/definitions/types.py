"""The types of CustomResourceDefinition (apiextensions.k8s.io/v1), for its OpenAPI, type checks and unknown fields.

Read by `resource.py` through `ObjectSchema.of_model`; never instantiated: objects stay dicts. What may be absent has
a default factory, which leaves no `default` and no `required` in the schema. Mirrors
`apiextensions-apiserver/pkg/apis/apiextensions/v1/types.go`.
"""

from typing import Any

from pydantic import BaseModel, Field

from extensions.definitions.types_schema import JSONSchemaProps


def _text(description: str) -> Any:
    return Field(default_factory=str, description=description)


class CustomResourceDefinitionNames(BaseModel):
    """The names a custom resource goes by."""

    plural: str = Field(
        description="Plural name, as in the URL `/apis/<group>/<version>/.../<plural>`. All lower case; together with "
        "the group it is the name of the definition: `<plural>.<group>`."
    )
    singular: str = _text("Singular name, all lower case. Defaults to the kind in lower case.")
    shortNames: list[str] = Field(
        default_factory=list, description="Short names for clients, as in `kubectl get <shortname>`. All lower case."
    )
    kind: str = Field(description="The kind of the objects, usually singular and in CamelCase.")
    listKind: str = _text("The kind of a list of them. Defaults to the kind with `List` appended.")
    categories: list[str] = Field(
        default_factory=list, description="Groups of resources this one belongs to, such as `all` in `kubectl get all`."
    )


class ServiceReference(BaseModel):
    """A Service that answers a webhook."""

    namespace: str = Field(description="Namespace of the Service.")
    name: str = Field(description="Name of the Service.")
    path: str = _text("URL path to call.")
    port: int = Field(default_factory=int, description="Port of the Service, 1 to 65535. Defaults to 443.")


class WebhookClientConfig(BaseModel):
    """How to reach a webhook: exactly one of url and service."""

    url: str = _text("Where the webhook is, as `scheme://host:port/path`; the scheme must be https.")
    service: ServiceReference = Field(
        default_factory=lambda: ServiceReference(namespace="", name=""),
        description="The Service of a webhook that runs in the cluster.",
    )
    caBundle: str = Field(
        default_factory=str,
        description="PEM certificates that vouch for the webhook's server; the system's own if empty.",
        json_schema_extra={"format": "byte"},
    )


class WebhookConversion(BaseModel):
    """A webhook that converts between versions."""

    clientConfig: WebhookClientConfig = Field(
        default_factory=WebhookClientConfig, description="How to call the webhook when the strategy is Webhook."
    )
    conversionReviewVersions: list[str] = Field(
        description="Versions of ConversionReview the webhook understands, most preferred first; the first one this "
        "server knows is used."
    )


class CustomResourceConversion(BaseModel):
    """How objects are converted between versions."""

    strategy: str = Field(description="None changes the apiVersion and nothing else; Webhook asks an external webhook.")
    webhook: WebhookConversion = Field(
        default_factory=lambda: WebhookConversion(conversionReviewVersions=[]),
        description="The webhook to ask. Required when the strategy is Webhook.",
    )


class CustomResourceColumnDefinition(BaseModel):
    """A column of `kubectl get`."""

    name: str = Field(description="Heading of the column.")
    type: str = Field(description="OpenAPI type of the column: integer, number, string, boolean or date.")
    format: str = _text("OpenAPI format of the column; `name` marks the identifying column.")
    description: str = _text("What the column shows.")
    priority: int = Field(
        default_factory=int,
        description="Importance relative to other columns; those above 0 may be left out where space is short.",
        json_schema_extra={"format": "int32"},
    )
    jsonPath: str = Field(description="Simple JSON path, evaluated on each object, of the value to show.")


class SelectableField(BaseModel):
    """A field that field selectors may use."""

    jsonPath: str = Field(
        description="Simple JSON path of a string, boolean or integer field, without arrays; not in metadata."
    )


class CustomResourceSubresourceScale(BaseModel):
    """How the scale subresource finds its values in an object."""

    specReplicasPath: str = Field(description="JSON path under `.spec` of the wanted number of replicas.")
    statusReplicasPath: str = Field(description="JSON path under `.status` of the present number of replicas.")
    labelSelectorPath: str = _text("JSON path under `.status` or `.spec` of the label selector, for autoscaling.")


class CustomResourceSubresources(BaseModel):
    """The subresources of a custom resource."""

    status: dict[str, Any] = Field(
        default_factory=dict,
        description="If set, `/status` exists: the main endpoint ignores changes of status, `/status` all others.",
    )
    scale: CustomResourceSubresourceScale = Field(
        default_factory=lambda: CustomResourceSubresourceScale(specReplicasPath="", statusReplicasPath=""),
        description="If set, `/scale` exists and answers with an autoscaling/v1 Scale.",
    )


class CustomResourceValidation(BaseModel):
    """The schema objects must follow."""

    openAPIV3Schema: JSONSchemaProps = Field(
        default_factory=JSONSchemaProps, description="OpenAPI v3 schema for validation, pruning and defaults."
    )


class CustomResourceDefinitionVersion(BaseModel):
    """One version of a custom resource."""

    name: str = Field(description="Name of the version, such as `v1` or `v2beta1`.")
    served: bool = Field(description="Whether the version is served by the API.")
    storage: bool = Field(description="Whether objects are stored in this version; true for exactly one version.")
    deprecated: bool = Field(
        default_factory=bool, description="Whether requests to this version are answered with a warning."
    )
    deprecationWarning: str = _text("Replaces the usual text of the warning; only for deprecated versions.")
    schema_: CustomResourceValidation = Field(
        default_factory=CustomResourceValidation,
        alias="schema",
        description="Schema used for validation, pruning and defaults in this version.",
    )
    subresources: CustomResourceSubresources = Field(
        default_factory=CustomResourceSubresources, description="Subresources this version has."
    )
    additionalPrinterColumns: list[CustomResourceColumnDefinition] = Field(
        default_factory=list, description="Columns of tables; a single Age column if there are none."
    )
    selectableFields: list[SelectableField] = Field(
        default_factory=list, description="Fields that field selectors may use, 8 at most."
    )


class CustomResourceDefinitionSpec(BaseModel):
    """What a custom resource is called and looks like."""

    group: str = Field(description="API group; objects are served under `/apis/<group>/...`.")
    names: CustomResourceDefinitionNames = Field(description="Resource and kind names.")
    scope: str = Field(description="Whether objects are per namespace or cluster-wide: Namespaced or Cluster.")
    versions: list[CustomResourceDefinitionVersion] = Field(
        description="All versions, served and stored ones; names sort by stability, then by number."
    )
    conversion: CustomResourceConversion = Field(
        default_factory=lambda: CustomResourceConversion(strategy="None"),
        description="How objects of one version become objects of another.",
    )
    preserveUnknownFields: bool = Field(
        default_factory=bool,
        description="Keeps unknown fields in storage. Deprecated: must be false; use "
        "`x-kubernetes-preserve-unknown-fields` in the schema.",
    )


class CustomResourceDefinitionCondition(BaseModel):
    """One aspect of the present state."""

    type: str = Field(description="Type of the condition: Established, NamesAccepted, Terminating ...")
    status: str = Field(description="True, False or Unknown.")
    lastTransitionTime: str = Field(
        default_factory=str,
        description="When the status of the condition last changed.",
        json_schema_extra={"format": "date-time"},
    )
    reason: str = _text("One CamelCase word why.")
    message: str = _text("Why, for people.")
    observedGeneration: int = Field(
        default_factory=int,
        description="metadata.generation the condition was set upon.",
        json_schema_extra={"format": "int64"},
    )


class CustomResourceDefinitionStatus(BaseModel):
    """What has become of a definition."""

    conditions: list[CustomResourceDefinitionCondition] = Field(
        default_factory=list,
        description="Particular aspects of the present state.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    acceptedNames: CustomResourceDefinitionNames = Field(
        default_factory=lambda: CustomResourceDefinitionNames(plural="", kind=""),
        description="The names in use for discovery; they may differ from those of the spec.",
    )
    storedVersions: list[str] = Field(
        default_factory=list,
        description="Versions objects were ever stored in. One may be removed from here, and then from the spec, when "
        "all objects have been migrated.",
    )
    observedGeneration: int = Field(
        default_factory=int,
        description="metadata.generation the controller has seen.",
        json_schema_extra={"format": "int64"},
    )


class CustomResourceDefinition(BaseModel):
    """A resource to be served: its names, its versions and their schemas. Its name is `<plural>.<group>`."""

    spec: CustomResourceDefinitionSpec = Field(description="How the user wants the resource to look.")
    status: CustomResourceDefinitionStatus = Field(
        default_factory=CustomResourceDefinitionStatus, description="The actual state of the definition."
    )
