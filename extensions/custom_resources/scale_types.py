"""The types of autoscaling/v1 Scale, for the schema of the `scale` subresource. Loaded by `scale.py` when needed."""

from pydantic import BaseModel, Field


class ScaleSpec(BaseModel):
    """The wanted state of a scaled object."""

    replicas: int = Field(
        default_factory=int,
        description="How many instances are wanted.",
        json_schema_extra={"format": "int32"},
    )


class ScaleStatus(BaseModel):
    """The present state of a scaled object."""

    replicas: int = Field(description="How many instances there are.", json_schema_extra={"format": "int32"})
    selector: str = Field(default_factory=str, description="Label selector of the instances, as in a query.")


class Scale(BaseModel):
    """How many instances an object stands for."""

    spec: ScaleSpec = Field(default_factory=ScaleSpec, description="The wanted state.")
    status: ScaleStatus = Field(default_factory=lambda: ScaleStatus(replicas=0), description="The present state.")
