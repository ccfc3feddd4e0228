"""The fields of an APIService, for decoding, `kubectl explain` and OpenAPI.

Read by `resource.py` through ObjectSchema.of_model. Nothing is required here: as in Kubernetes a missing number is a
zero, which validation refuses in its own words. Mirrors `kube-aggregator/pkg/apis/apiregistration/v1/types.go`.
"""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

_INT32: JsonDict = {"format": "int32"}


class _Model(BaseModel):
    model_config = ConfigDict(populate_by_name=True)


class ServiceReference(_Model):
    """Names the Service behind which an aggregated API server listens."""

    namespace: str | None = Field(None, description="The namespace of the Service.")
    name: str | None = Field(None, description="The name of the Service.")
    port: int | None = Field(
        None,
        description="The port of the Service, between 1 and 65535; 443 when it is left out.",
        json_schema_extra=_INT32,
    )


class APIServiceSpec(_Model):
    """Says which version of which group is served, by whom, and how it is ordered among others."""

    service: ServiceReference | None = Field(
        None,
        description=(
            "The Service that serves this group and version. It has to listen with TLS. Without one the group and "
            "version are served by this very control plane: such an APIService is local."
        ),
    )
    group: str | None = Field(None, description="The API group that is served, such as metrics.k8s.io.")
    version: str | None = Field(None, description="The version of the group that is served, such as v1beta1.")
    insecure_skip_tls_verify: bool | None = Field(
        None,
        alias="insecureSkipTLSVerify",
        description=(
            "Connect without verifying the certificate of the server. Whoever can answer in its place then sees and "
            "changes everything: give a caBundle instead."
        ),
    )
    ca_bundle: str | None = Field(
        None,
        alias="caBundle",
        description=(
            "The certificates, PEM in base64, of the authorities that may vouch for the server. The system's own are "
            "used when it is left out."
        ),
        json_schema_extra={"format": "byte"},
    )
    group_priority_minimum: int | None = Field(
        None,
        alias="groupPriorityMinimum",
        description=(
            "Orders groups: the highest number among the versions of a group counts, a higher one comes first, equal "
            "ones are ordered by name. Between 1 and 20000; 1000 is what custom resources get, the groups of "
            "Kubernetes itself stand between 16000 and 18000."
        ),
        json_schema_extra=_INT32,
    )
    version_priority: int | None = Field(
        None,
        alias="versionPriority",
        description=(
            "Orders the versions of a group: a higher number comes first, and clients prefer the first. Equal ones "
            "are ordered by name, with v2 before v1 before v2beta1 before v1alpha1. Between 1 and 1000."
        ),
        json_schema_extra=_INT32,
    )


class APIServiceCondition(_Model):
    """One thing that is known of an APIService."""

    type: str | None = Field(None, description="What is known; Available is the only type.")
    status: str | None = Field(None, description="True, False or Unknown.")
    last_transition_time: str | None = Field(
        None,
        alias="lastTransitionTime",
        description="When the status last changed.",
        json_schema_extra={"format": "date-time"},
    )
    reason: str | None = Field(None, description="Why, as one word for programs.")
    message: str | None = Field(None, description="Why, as a sentence for people.")


class APIServiceStatus(_Model):
    """What the aggregator found out about an APIService."""

    conditions: list[APIServiceCondition] | None = Field(
        None,
        description="What is known now, one entry of each type.",
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
            "x-kubernetes-patch-strategy": "merge",
            "x-kubernetes-patch-merge-key": "type",
        },
    )


class APIService(_Model):
    """Registers one version of an API group with the aggregator. Its name is the version, a dot, and the group."""

    spec: APIServiceSpec | None = Field(None, description="What is to be served, and by whom.")
    status: APIServiceStatus | None = Field(None, description="Whether it can be served now.")
