"""The `scale` subresource of a Resource class, by the paths the class gives: a part like an author's own.

Made by `install.py`; what `kubectl scale` and autoscalers call. Mirrors ScaleREST of
`apiextensions-apiserver/pkg/registry/customresource/etcd.go`.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from generic.meta import errors, fields
from generic.meta.gvk import GroupVersionKind
from generic.schema.object_schema import ObjectSchema
from generic.types import JSONObject
from trikube.aa.context import Context
from trikube.aa.definition import Scale as Paths
from trikube.aa.definition import keys_of
from trikube.aa.model import Model
from trikube.aa.resource import Resource
from trikube.aa.subresources import Part

SCALE = GroupVersionKind("autoscaling", "v1", "Scale")


class ScaleSpec(Model):
    """The wanted state of a scaled object."""

    replicas: int | None = Field(
        default=None, description="How many instances are wanted.", json_schema_extra={"format": "int32"}
    )


class ScaleStatus(Model):
    """The present state of a scaled object."""

    replicas: int = Field(
        default_factory=int, description="How many instances there are.", json_schema_extra={"format": "int32"}
    )
    selector: str | None = Field(default=None, description="Label selector of the instances, as in a query.")


class Scale(Model):
    """How many instances an object stands for."""

    spec: ScaleSpec = Field(default_factory=ScaleSpec, description="The wanted state.")
    status: ScaleStatus = Field(default_factory=ScaleStatus, description="The present state.")


def part(paths: Paths) -> Part:
    """The scale of objects whose counts stand at these paths."""
    wanted, present, selector = map(keys_of, (paths.spec_replicas, paths.status_replicas, paths.selector))

    async def get(parent: Resource, ctx: Context) -> Scale:
        found = parent.to_object()
        # Go leaves a zero out, and its clients read a zero where nothing is.
        spec = ScaleSpec(replicas=_count(_at(found, wanted)) or None)
        status = ScaleStatus(replicas=_count(_at(found, present)), selector=_at(found, selector) or None)
        return Scale(spec=spec, status=status)

    def claims(scale: JSONObject, gvk: GroupVersionKind) -> JSONObject:
        made: JSONObject = {"apiVersion": gvk.api_version, "kind": gvk.kind, "metadata": scale["metadata"]}
        replicas = _at(scale, ("spec", "replicas"))
        if replicas is not None:
            _put(made, wanted, replicas)
        return made

    async def update(parent: Resource, ctx: Context, body: Scale) -> None:
        replicas = body.spec.replicas or 0
        if replicas < 0:
            problem = fields.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
            raise errors.invalid(SCALE.group_kind, parent.metadata.name, [problem])
        changed = parent.to_object()
        _put(changed, wanted, replicas)
        after = type(parent).from_object(changed)
        for name in type(parent).model_fields:
            setattr(parent, name, getattr(after, name))

    schema = ObjectSchema.of_model(Scale, package="io.k8s.api.autoscaling.v1")
    return Part("scale", SCALE, Scale, {"get": get, "update": update}, schema, claims)


def _at(obj: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        obj = obj.get(key) if isinstance(obj, dict) else None
    return obj


def _put(obj: JSONObject, keys: Sequence[str], value: Any) -> None:
    *way, last = keys
    for key in way:
        obj = obj.setdefault(key, {})
    obj[last] = value


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
