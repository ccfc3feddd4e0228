"""The APIService as a Resource. Installed by `aggregator/server.py`."""

from pathlib import Path

from aggregator.apiservices.columns import COLUMNS
from aggregator.apiservices.strategy import APIServiceStrategy
from generic.meta.gvk import GroupVersion
from generic.patching.patch_schema import DefinitionsSchema
from generic.protobuf import objects
from generic.registry.resource import Resource
from generic.schema.object_schema import Model, ObjectSchema

GROUP_VERSION = GroupVersion("apiregistration.k8s.io", "v1")
KIND = "APIService"
_PACKAGE = "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1"
GVR = GROUP_VERSION.with_resource("apiservices")
# fields.json is the output of tools/protobuf.
_PROTOBUF = objects.ObjectCodec(objects.META, Path(__file__).with_name("fields.json"))

_CONDITIONS = {"type": "array", "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "type"}
_MERGING = {"properties": {"status": {"properties": {"conditions": _CONDITIONS}}}}
"""The one list that merges in a strategic merge patch; `types.py` says the same to people."""


def _model() -> Model:
    # Pydantic takes a sixth of a start; only who writes or explains an APIService needs it.
    from aggregator.apiservices.types import APIService  # noqa: PLC0415

    return APIService


def resource() -> Resource:
    """A fresh one for each server: what it compiles belongs to that server."""
    return Resource(
        GVR,
        KIND,
        namespaced=False,
        schema=ObjectSchema.of_models(_model, KIND, package=_PACKAGE),
        patch_schema=DefinitionsSchema({}, _MERGING),
        strategy=APIServiceStrategy(),
        categories=("api-extensions",),
        columns=COLUMNS,
        protobuf=_PROTOBUF,
    )
